"""guard: every form of a rule, every call that names an address, names, and the faults that such tools have had."""

from __future__ import annotations

import ipaddress
import os
import random
import socket as stdlib
import subprocess
import sys
import threading
from typing import Any

import pytest

from socketpkg import backends
from socketpkg.layers import LayerError, guard

from .conftest import Programs

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

_codec = backends.load("ctypes").address.AddressCodec()


def layer(*rules: str, **options: Any) -> guard.Layer:
    made = guard.Layer(backends.load("ctypes").syscalls)
    made.add(*rules)
    if options:
        made.configure(**options)
    return made


def raw(host: str, port: int = 80, scope: int = 0) -> bytes:
    if ":" in host:
        return _codec.encode(stdlib.AF_INET6, 0, (host, port, 0, scope), "", None)
    return _codec.encode(stdlib.AF_INET, 0, (host, port), "", None)


def unix(path: str) -> bytes:
    return _codec.encode(stdlib.AF_UNIX, 0, path, "", None)


# -- rules -------------------------------------------------------------------------------------------------------------

LOOPBACK_INDEX = stdlib.if_nametoindex("lo") if "lo" in {n for _, n in stdlib.if_nameindex()} else 1


@pytest.mark.parametrize(
    ("rule", "fits", "not_"),
    [
        ("127.0.0.0/8", [raw("127.0.0.1"), raw("127.255.255.255", 1)], [raw("128.0.0.0"), raw("::1"), unix("/x")]),
        ("10.0.0.5", [raw("10.0.0.5"), raw("::ffff:10.0.0.5")], [raw("10.0.0.6"), raw("::ffff:10.0.0.6")]),
        ("10.0.0.5:443", [raw("10.0.0.5", 443)], [raw("10.0.0.5", 80)]),
        ("10.0.0.5:https", [raw("10.0.0.5", 443)], [raw("10.0.0.5", 80)]),
        ("10.0.0.0/24:8000-8080", [raw("10.0.0.9", 8000), raw("10.0.0.9", 8080)], [raw("10.0.0.9", 8081)]),
        ("10.0.0.5:*", [raw("10.0.0.5", 1)], [raw("10.0.0.6", 1)]),
        ("10.1.2.3/8", [raw("10.9.9.9")], [raw("11.0.0.0")]),
        ("::1", [raw("::1")], [raw("::2"), raw("127.0.0.1")]),
        ("[::1]:80", [raw("::1", 80)], [raw("::1", 81)]),
        ("[2001:db8::/32]:443", [raw("2001:db8::5", 443)], [raw("2001:db9::5", 443)]),
        ("2001:db8::/32", [raw("2001:db8:1::5", 1)], [raw("2001:db9::5", 1)]),
        ("[fe80::1%lo]:80", [raw("fe80::1", 80, LOOPBACK_INDEX)], [raw("fe80::1", 80), raw("fe80::1", 80, 999)]),
        ("fe80::/10", [raw("fe80::1", 80), raw("fe80::1", 80, LOOPBACK_INDEX)], [raw("ff80::1", 80)]),
        ("*", [raw("1.2.3.4"), raw("::1"), unix("/x"), unix("\0x")], []),
        ("*:53", [raw("1.2.3.4", 53), raw("::1", 53)], [raw("1.2.3.4", 54), unix("/x")]),
        ("inet", [raw("1.2.3.4"), raw("::ffff:1.2.3.4")], [raw("::1"), unix("/x")]),
        ("inet6:80", [raw("::1", 80)], [raw("::1", 81), raw("1.2.3.4", 80)]),
        ("unix", [unix("/x"), unix("\0x")], [raw("1.2.3.4")]),
        ("unix:/run/*.sock", [unix("/run/a.sock"), unix("/run/b/c.sock")], [unix("/run/a"), unix("\0/run/a.sock")]),
        ("unix:@bus*", [unix("\0bus-1")], [unix("/bus"), unix("\0sub")]),
        ("localhost", [raw("127.0.0.1"), raw("::1"), raw("127.9.9.9")], [raw("10.0.0.1")]),
        ("localhost:80", [raw("127.0.0.1", 80)], [raw("127.0.0.1", 81)]),
        ("netlink", [b"\x10\0" + bytes(10)], [raw("1.2.3.4")]),
    ],
)
def test_what_a_rule_fits(rule: str, fits: list[bytes], not_: list[bytes]) -> None:
    allowing, denying = layer(f"allow={rule}"), layer(f"deny={rule}", "allow=*")
    for address in fits:
        assert allowing.verdict(address)[0], allowing.names.address(address)
        assert not denying.verdict(address)[0], allowing.names.address(address)
    for address in not_:
        assert not allowing.verdict(address)[0], allowing.names.address(address)
        assert denying.verdict(address)[0], allowing.names.address(address)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("", "not empty"),
        ("10.0.0.0/33", "does not appear to be"),
        ("300.1.1.1", "neither a network nor a host name"),
        ("10.0.0.1:99999", "no ports from 0 to 65535"),
        ("10.0.0.1:90-80", "no ports from 0 to 65535"),
        ("10.0.0.1:no-such-service", "there is no service"),
        ("10.0.0.1:", "a port stands behind the colon"),
        (":80", "a host stands before the port"),
        ("[::1", "is not of the form"),
        ("[nonsense]:80", "is no IPv6 address"),
        ("unix:", "stands behind unix:"),
        ("netlink:80", "has no ports"),
        ("a b", "neither a network nor a host name"),
        ("http://x", "there is no service"),
    ],
)
def test_a_rule_that_cannot_be_read(rule: str, why: str) -> None:
    guarded = layer("allow=127.0.0.1")
    with pytest.raises(LayerError) as caught:
        guarded.configure(allow=[rule])
    assert why in str(caught.value)
    assert list(map(str, guarded.rules)) == ["allow=127.0.0.1"], "nothing half done"


def test_the_first_rule_that_fits_counts() -> None:
    guarded = layer("deny=10.0.0.5", "allow=10.0.0.0/8", "deny=*")
    assert [guarded.verdict(raw(h))[0] for h in ("10.0.0.5", "10.0.0.6", "11.0.0.0")] == [False, True, False]
    guarded.configure("allow=10.0.0.5 deny=10.0.0.0/8")
    assert [guarded.verdict(raw(h))[0] for h in ("10.0.0.5", "10.0.0.6", "11.0.0.0")] == [True, False, False]
    assert layer().verdict(raw("127.0.0.1")) == (False, None)


def test_a_wrong_rule_changes_none() -> None:
    guarded = layer()
    guarded.configure("allow=127.0.0.1 deny=*")
    rules, options = guarded.rules, {key: str(value) for key, value in guarded.options.items()}
    for wrong in ("allow=10.0.0.5 deny=10.0.0.0/99", "allow=10.0.0.5 mode=nonsense", "deny=10.0.0.5 nonsense=1"):
        with pytest.raises(LayerError):
            guarded.configure(wrong)
        with pytest.raises(LayerError):
            guarded.add("allow=10.0.0.5", wrong.replace("mode=nonsense", "allow=[").replace("nonsense=1", "allow=["))
        assert guarded.rules == rules
        assert {key: str(value) for key, value in guarded.options.items()} == options


def test_names() -> None:
    guarded = layer("allow=*.example.com:443", "allow=b\u00fccher.test", "deny=evil.test", "allow=test-*")
    assert guarded.name_verdict("www.example.com")[0] and guarded.name_verdict("WWW.Example.COM.")[0]
    assert not guarded.name_verdict("example.com")[0] and not guarded.name_verdict("www.example.com.evil.test")[0]
    assert guarded.name_verdict("xn--bcher-kva.test")[0] and guarded.name_verdict("B\u00dcCHER.test")[0]
    assert not guarded.name_verdict("evil.test")[0] and guarded.name_verdict("test-1")[0]
    assert not layer("allow=10.0.0.0/8").name_verdict("localhost")[0]
    assert layer("allow=*").name_verdict("anything")[0]


class _Resolver:
    """What stands below: a resolver that counts, with names of several addresses."""

    NAMES = {b"one.test": ["10.0.0.1"], b"two.test": ["10.0.0.2", "10.0.0.3", "2001:db8::2"]}

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._real = backends.load("ctypes").syscalls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def getaddrinfo(self, host: bytes, *rest: Any) -> Any:
        self.asked.append(host)
        return [(stdlib.AF_INET, 1, 6, b"", raw(address, 0)) for address in self.NAMES[host]]


def test_an_address_is_allowed_by_the_name_that_it_was_resolved_from() -> None:
    resolver = _Resolver()
    guarded = guard.Layer(resolver)  # type: ignore[arg-type]
    guarded.add("allow=two.test:443")
    assert not guarded.verdict(raw("10.0.0.3", 443))[0], "nobody has resolved it"
    guarded.getaddrinfo(b"two.test", None, 0, 0, 0, 0)
    for address in ("10.0.0.2", "10.0.0.3", "2001:db8::2", "::ffff:10.0.0.2"):
        assert guarded.verdict(raw(address, 443))[0]
        assert not guarded.verdict(raw(address, 80))[0]
    with pytest.raises(PermissionError) as caught:
        guarded.getaddrinfo(b"one.test", None, 0, 0, 0, 0)
    assert resolver.asked == [b"two.test"]
    assert caught.value.__notes__ == [
        "socketpkg guard refused look up one.test: no rule fits; the rules are: allow=two.test:443"
    ]
    # Resolved while another rule held, and while it was off: the address is known by its name all the same.
    guarded.enabled = False
    guarded.getaddrinfo(b"one.test", None, 0, 0, 0, 0)
    guarded.enabled = True
    guarded.configure(allow=["one.test"])
    assert guarded.verdict(raw("10.0.0.1"))[0] and not guarded.verdict(raw("10.0.0.2", 443))[0]


def test_it_remembers_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REMEMBERED", 100)
    guarded = layer("allow=*.test")
    for number in range(500):
        guarded._remember(number.to_bytes(4, "big"), b"%d.test" % number)
    assert len(guarded._resolved) == 100
    assert guarded._resolved[(499).to_bytes(4, "big")] == {"499.test"}


def test_against_a_simple_evaluation() -> None:
    """100,000 random addresses, against ipaddress."""
    dice = random.Random(12)

    def network() -> str:
        if dice.random() < 0.5:
            return (
                f"{dice.randrange(9, 12)}.{dice.randrange(3)}.0.{dice.randrange(4)}/{dice.choice([8, 16, 30, 31, 32])}"
            )
        return f"2001:db8:{dice.randrange(3):x}::{dice.randrange(4):x}/{dice.choice([32, 48, 126, 128])}"

    checked = allowed = 0
    while checked < 100_000:
        rules = []
        for _ in range(dice.randrange(1, 6)):
            low = dice.randrange(0, 6)
            ports = dice.choice([None, (low, low), (low, low + dice.randrange(4))])
            rules.append((dice.random() < 0.6, ipaddress.ip_network(network(), strict=False), ports))
        guarded = layer(
            *(
                f"{'allow' if allow else 'deny'}=[{net}]" * (net.version == 6)
                + f"{'allow' if allow else 'deny'}={net}" * (net.version == 4)
                + ("" if ports is None else f":{ports[0]}-{ports[1]}")
                for allow, net, ports in rules
            )
        )
        for _ in range(500):
            address = ipaddress.ip_interface(network()).ip
            port = dice.randrange(10)
            shown = str(address)
            if address.version == 4 and dice.random() < 0.3:
                shown = f"::ffff:{address}"
            expected = False
            for allow, net, ports in rules:
                if (
                    address.version == net.version
                    and address in net
                    and (ports is None or ports[0] <= port <= ports[1])
                ):
                    expected = allow
                    break
            assert guarded.verdict(raw(shown, port))[0] is expected, (shown, port, guarded.rules)
            checked += 1
            allowed += expected
    assert 10_000 < allowed < 90_000


# -- programs ----------------------------------------------------------------------------------------------------------

CALLS = """
import errno, os, sys, tempfile
import socketpkg as socket
from socketpkg import layers

def refused(call, *arguments):
    try:
        call(*arguments)
    except PermissionError as error:
        assert error.errno == errno.EACCES
        note = error.__notes__[0]
        assert "no rule fits; the rules are: " in note or "by the rule deny=" in note, note
        return True
    return False

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    allowed = server.getsockname()
    other = ("127.0.0.2", allowed[1])
    answer = {
        "connect": refused(client.connect, other),
        "connect_ex": client.connect_ex(other) == errno.EACCES,
        "allowed": client.connect_ex(allowed) == 0,
    }
    server.accept()[0].close()
with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket(type=socket.SOCK_DGRAM) as to:
    to.bind(("127.0.0.1", 0))
    good, bad = to.getsockname(), ("127.0.0.2", 9)
    to.settimeout(20)
    answer |= {
        "sendto": refused(udp.sendto, b"x", bad),
        "sendmsg": refused(udp.sendmsg, [b"x"], [], 0, bad),
        "sendmmsg": refused(udp.sendmmsg, [(b"x", bad), (b"y", good)]),
        "sendmmsg behind": udp.sendmmsg([(b"x", good), (b"y", bad), (b"z", good)]) == 1,
        "segments": refused(udp.send_segments, b"xxxx", 2, bad),
        "udp connect": refused(udp.connect, bad),
    }
    udp.connect(good)
    answer["connected"] = udp.send(b"12") == 2
    answer["arrived"] = [to.recv(9) for _ in range(2)] == [b"x", b"12"]
with socket.socket() as sock:
    answer["bind"] = refused(sock.bind, ("127.0.0.2", 0))
    answer["bind any"] = refused(sock.bind, ("", 0))
with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as sock:
    answer["unix"] = refused(sock.bind, folder + "/s")
    answer["abstract"] = refused(sock.connect, b"\\0abstract")
one, two = socket.socketpair()
one.send(b"x")
answer["socketpair"] = two.recv(1) == b"x"
one.close()
two.close()
answer["look-up"] = refused(socket.getaddrinfo, "forbidden.test", 80)
answer["gethostbyname"] = refused(socket.gethostbyname, "forbidden.test")
answer["gethostbyname_ex"] = refused(socket.gethostbyname_ex, "forbidden.test")
answer["gethostbyaddr"] = refused(socket.gethostbyaddr, "10.0.0.1")
answer["getnameinfo"] = refused(socket.getnameinfo, ("10.0.0.1", 80), 0)
answer["numeric"] = socket.getnameinfo(("10.0.0.1", 80), socket.NI_NUMERICHOST)[0] == "10.0.0.1"
answer["numeric look-up"] = socket.getaddrinfo("10.0.0.1", 80)[0][4] == ("10.0.0.1", 80)
answer["create_connection"] = refused(socket.create_connection, ("forbidden.test", 80))
guard = layers.get("guard")
guard.enabled = False
with socket.socket() as sock:
    answer["off"] = sock.connect_ex(("127.0.0.2", 1)) in (errno.ECONNREFUSED, 0)
guard.enabled = True
with socket.socket() as sock:
    answer["on again"] = sock.connect_ex(("127.0.0.2", 1)) == errno.EACCES
"""


def test_every_call_that_names_an_address(programs: Programs, backend: str) -> None:
    answer = programs.answer(f"guard+{backend}", CALLS, SOCKETPKG_GUARD="allow=127.0.0.1")
    assert [name for name, good in answer.items() if not good] == []
    assert len(answer) == 26


def test_by_options_of_run(programs: Programs) -> None:
    source = """
        import socket, urllib.request
        for address in (("127.0.0.1", 1), ("127.0.0.3", 1)):
            with socket.socket() as sock:
                print(sock.connect_ex(address))
        try:
            urllib.request.urlopen("http://example.invalid/")
        except OSError as error:
            print(type(error.reason).__name__)
    """
    options = ["--backend", "ctypes", "--deny", "127.0.0.3", "--allow", "127.0.0.0/8", "--allow", "unix"]
    done = programs.under_run(options, source)
    assert (done.stdout, done.stderr) == ("111\n13\nPermissionError\n", "")
    done = programs.under_run([*options, "--guard-mode", "report"], source)
    assert done.stdout.splitlines()[:2] == ["111", "111"]
    assert "would have refused" in done.stderr
    assert "connect to 127.0.0.3:1 (1 times)" in done.stderr and "look up example.invalid (1 times)" in done.stderr
    done = programs.under_run(["--allow", "10.0.0.0/99"], source)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the option '--allow' cannot be '10.0.0.0/99'" in done.stderr.splitlines()[-1]


ASYNC = """
import socketpkg
socketpkg.install()
import asyncio

async def serve(reader, writer):
    writer.write(await reader.readline())
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"line\\n")
    found = [(await reader.readline()).decode()]
    writer.close()
    for host in ("127.0.0.2", "forbidden.test"):
        try:
            await asyncio.open_connection(host, port)
        except PermissionError as error:
            found.append(error.errno)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
    transport.close()
    server.close()
    return found

answer = asyncio.run(main())
"""


def test_asyncio(programs: Programs, backend: str) -> None:
    assert programs.answer(f"guard+{backend}", ASYNC, SOCKETPKG_GUARD="allow=127.0.0.1") == ["line\n", 13, 13]


def test_children(programs: Programs) -> None:
    source = """
        import multiprocessing, socketpkg

        def child(connection):
            with socketpkg.socket() as sock:
                connection.send((sock.connect_ex(("127.0.0.2", 1)), sock.connect_ex(("127.0.0.1", 1))))

        if __name__ == "__main__":
            for method in ("fork", "spawn"):
                context = multiprocessing.get_context(method)
                here, there = context.Pipe()
                process = context.Process(target=child, args=(there,))
                process.start()
                print(*here.recv())
                process.join()
    """
    done = programs.run("guard+ctypes", source, SOCKETPKG_GUARD="allow=127.0.0.1")
    assert done.stdout == "13 111\n13 111\n", done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a resolver of our own takes a namespace: only root can make one")
def test_no_question_leaves_for_a_forbidden_name(programs: Programs) -> None:
    """The C library asks a resolver on the loopback that counts; a file over /etc/resolv.conf in a mount namespace."""
    questions: list[bytes] = []
    resolver = stdlib.socket(type=stdlib.SOCK_DGRAM)
    try:
        resolver.bind(("127.0.0.53", 53))
    except OSError:
        resolver.close()
        pytest.skip("the port of a resolver is taken")

    def serve() -> None:
        while True:
            try:
                question, sender = resolver.recvfrom(1000)
            except OSError:
                return
            if len(question) < 12:
                return
            questions.append(question)
            resolver.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], sender)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        (programs.folder / "resolv.conf").write_text("nameserver 127.0.0.53\noptions attempts:1 timeout:1\n")
        program = programs.write(
            "import sys, socketpkg\n"
            "for name in sys.argv[1:]:\n"
            "    try:\n        socketpkg.getaddrinfo(name, 80)\n"
            "    except OSError as error:\n        print(type(error).__name__)\n"
        )
        script = f'mount --bind {programs.folder}/resolv.conf /etc/resolv.conf && exec "$@"'
        command = ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, str(program), "one.forbidden.test"]
        env = programs.environment("guard+ctypes", SOCKETPKG_GUARD="allow=*.allowed.test")

        def run(*more: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run([*command, *more], env=env, capture_output=True, text=True, timeout=60, check=False)

        done = run()
        if done.returncode:
            pytest.skip(f"no namespace can be made here: {done.stderr[-200:]}")
        assert (done.stdout, questions) == ("PermissionError\n", [])
        assert run("two.allowed.test").stdout == "PermissionError\ngaierror\n"
        assert questions and all(b"\7allowed" in question for question in questions)
    finally:
        with stdlib.socket(type=stdlib.SOCK_DGRAM) as sock:
            sock.sendto(b"end", ("127.0.0.53", 53))
        thread.join(20)
        resolver.close()


def test_the_faults_that_others_had(programs: Programs) -> None:
    """pytest-socket: names resolved once at the start (412), one test enabled again (354), names and addresses compared
    as text (246), socketpair and look-ups (6, 7, 43); and sendto and sendmsg, which it does not see."""
    source = """
        import socketpkg as socket
        from socketpkg import layers
        guard = layers.get("guard")
        def code(address, family=socket.AF_INET):
            with socket.socket(family) as sock:
                return sock.connect_ex(address)
        answer = []
        # 412, 246: the same place by its name, its address, another spelling, and mapped into IPv6.
        answer.append([code(("localhost", 1)), code(("127.0.0.1", 1)), code(("127.1", 1)), code(("0x7f000001", 1)),
                       code(("::ffff:127.0.0.1", 1), socket.AF_INET6), code(("::1", 1), socket.AF_INET6)])
        # 354: everything refused, one test let through, refused again.
        guard.configure(allow=["10.9.9.9"])
        refused = code(("127.0.0.1", 1))
        with layers.off("guard"):
            allowed = code(("127.0.0.1", 1))
        answer.append([refused, allowed, code(("127.0.0.1", 1))])
        # 6, 7, 43: what stays in the process or the host's own files.
        one, two = socket.socketpair()
        one.close(), two.close()
        import asyncio
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        answer.append(len(socket.getaddrinfo("10.9.9.9", 80, type=socket.SOCK_STREAM)))
    """
    answer = programs.answer("guard+ctypes", source, SOCKETPKG_GUARD="allow=localhost")
    assert answer == [[111] * 6, [13, 111, 13], 1]
