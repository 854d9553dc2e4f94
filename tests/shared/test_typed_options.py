"""Socket options with types: `socketpkg.options`."""

from __future__ import annotations

import errno
import math
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from .target import LINUX, LOCALHOST, LOCALHOST_V6, PATIENCE, extension, requires_ipv6, socket, stdlib

pytestmark = [pytest.mark.socketpkg_only, pytest.mark.skipif(not LINUX, reason="options of Linux")]
options: Any = extension("options")

LOOPBACK = "lo" if LINUX else "lo0"
# The members of a group are those of the machine, on which these tests may run more than once at a time.
GROUP, GROUP6 = "239.7.7.7", f"ff15::7:{os.getpid() >> 16:x}:{os.getpid() & 0xFFFF:x}"


def known() -> list[Any]:
    return [] if options is None else sorted(options.KNOWN)


def sockets(name: str) -> Iterator[Any]:
    """Sockets that the option may be for."""
    yield socket.socket(socket.AF_INET6 if name.startswith("IPV6") else socket.AF_INET, socket.SOCK_STREAM)
    yield socket.socket(socket.AF_INET6 if name.startswith("IPV6") else socket.AF_INET, socket.SOCK_DGRAM)
    yield socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


# -- every option ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", known())
def test_an_option_is_read_as_the_kernel_has_it(name: str) -> None:
    """The same number as getsockopt() gives, on a socket that has the option."""
    option = options.KNOWN[name]
    assert getattr(options, name) is option and name in options.__all__ and name in repr(option)
    assert (option.level, option.number) == (level_of(name), getattr(stdlib, name, getattr(socket, name)))
    for sock in sockets(name):
        with sock:
            try:
                raw = sock.getsockopt(option.level, option.number, 8 if name == "SO_NETNS_COOKIE" else 256)
            except OSError as failure:
                number = failure.errno
                with pytest.raises(OSError) as caught:
                    option.get(sock)
                assert caught.value.errno == number
                continue
            value = option.get(sock)
            if isinstance(value, bool) or (isinstance(value, int) and len(raw) in (4, 8)):
                assert value == int.from_bytes(raw, sys.byteorder, signed=len(raw) == 4)
            assert type(value) in (bool, int, float, str, type(None))


def level_of(name: str) -> int:
    prefix = name.partition("_")[0]
    level = {"SO": "SOL_SOCKET", "IP": "IPPROTO_IP", "IPV6": "IPPROTO_IPV6", "TCP": "IPPROTO_TCP", "UDP": "IPPROTO_UDP"}
    return int(getattr(stdlib, level[prefix]))


@pytest.mark.parametrize("name", known())
def test_what_was_read_can_be_written(name: str) -> None:
    """On a socket of one kind at least."""
    option = options.KNOWN[name]
    refusals: list[OSError] = []
    for sock in sockets(name):
        with sock:
            if name in READ_ONLY:
                with pytest.raises(TypeError, match="can only be read"):
                    option.set(sock, 1)
                return
            try:
                value = option.get(sock)
            except OSError:
                continue
            try:
                option.set(sock, value)
            except OSError as refusal:
                refusals.append(refusal)
            else:
                return
    assert name in NOT_AS_READ, refusals


READ_ONLY = {
    *("SO_ACCEPTCONN", "SO_DOMAIN", "SO_ERROR", "SO_INCOMING_NAPI_ID", "SO_PROTOCOL", "SO_TYPE", "SO_COOKIE"),
    *("SO_NETNS_COOKIE", "IP_MTU"),
}
#: What the kernel takes only from a privileged process, in another state, of another kind of socket, or not as it gives
#: it.
NOT_AS_READ = {"IP_HDRINCL", "IP_TRANSPARENT", "IPV6_TRANSPARENT", "IPV6_MTU", "SO_MARK", "SO_PRIORITY", "TCP_ULP"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TCP_NODELAY", True),
        ("SO_KEEPALIVE", True),
        ("SO_REUSEADDR", True),
        ("TCP_KEEPCNT", 4),
        ("IP_TTL", 33),
        ("TCP_KEEPIDLE", 120.0),
        ("TCP_USER_TIMEOUT", 1.5),
        ("SO_RCVTIMEO", 2.5),
        ("SO_RCVTIMEO", None),
        ("SO_SNDTIMEO", 4.0),
        ("SO_LINGER", 3),
        ("SO_LINGER", 0),
        ("SO_LINGER", None),
        ("SO_MAX_PACING_RATE", 5_000_000_000),
        ("TCP_CONGESTION", "reno"),
        ("TCP_NOTSENT_LOWAT", 16384),
    ],
)
def test_setting_and_getting(sock: Any, name: str, value: Any) -> None:
    option = options.KNOWN[name]
    if name == "SO_LINGER" and value is None:
        option.set(sock, 9)
    option.set(sock, value)
    got = option.get(sock)
    assert got == value and type(got) is type(value)


def test_times_are_rounded_up(sock: Any) -> None:
    for option, unit in ((options.TCP_KEEPIDLE, 1), (options.TCP_USER_TIMEOUT, 0.001)):
        option.set(sock, 4 * unit + unit / 10)
        assert math.isclose(option.get(sock), 5 * unit)
    options.SO_RCVTIMEO.set(sock, 1e-9)
    assert 0 < options.SO_RCVTIMEO.get(sock) <= 0.02  # a tick of the kernel's clock


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("TCP_KEEPIDLE", -1, ValueError),
        ("TCP_KEEPIDLE", None, TypeError),
        ("TCP_KEEPIDLE", "1", TypeError),
        ("TCP_KEEPIDLE", 10**9, OSError),
        ("TCP_KEEPIDLE", 5_000_000_000, OverflowError),
        ("TCP_KEEPCNT", 2**31, OverflowError),
        ("TCP_KEEPCNT", "1", TypeError),
        ("SO_LINGER", -1, ValueError),
        ("SO_LINGER", 2**31, OverflowError),
        ("SO_LINGER", "1", TypeError),
        ("SO_MAX_PACING_RATE", -1, OverflowError),
        ("SO_RCVTIMEO", float("nan"), ValueError),
        ("SO_TYPE", 1, TypeError),
        ("TCP_CONGESTION", "no such thing", OSError),
        ("TCP_CONGESTION", 7, TypeError),
    ],
)
def test_wrong_values(sock: Any, name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        options.KNOWN[name].set(sock, value)


def test_an_option_that_the_platform_lacks(sock: Any) -> None:
    missing: Any = options.Option("SO_NOT_HERE", int, int)
    for call in (missing.get, lambda sock: missing.set(sock, 1)):
        with pytest.raises(OSError) as caught:
            call(sock)
        assert caught.value.errno == errno.ENOPROTOOPT


def test_more_than_1024_bytes(pair: tuple[Any, Any]) -> None:
    """What `socket.getsockopt` refuses (gh-112740). Real content of that size: more groups, below."""
    with pytest.raises(OSError, match="buflen out of range"):
        pair[0].getsockopt(socket.SOL_SOCKET, socket.SO_PEERSEC, 1025)
    for size in (0, -1, 2**31):
        with pytest.raises(OSError, match="buflen out of range"):
            options.get_bytes(pair[0], socket.SOL_SOCKET, socket.SO_TYPE, size)
    for size in (4, 1024, 1025, 100_000):
        kind = options.get_bytes(pair[0], socket.SOL_SOCKET, socket.SO_TYPE, size)
        assert int.from_bytes(kind, sys.byteorder) == socket.SOCK_STREAM
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        options.get_bytes(pair[0], socket.SOL_SOCKET, socket.SO_TYPE, 5000)


# -- keepalive ---------------------------------------------------------------------------------------------------------


def test_keepalive(sock: Any) -> None:
    assert options.get_keepalive(sock).enabled is False
    options.set_keepalive(sock, 100, 10.5, 3)
    assert options.get_keepalive(sock) == options.Keepalive(True, 100, 11, 3)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 100
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    options.set_keepalive(sock, enabled=False)
    assert options.get_keepalive(sock) == options.Keepalive(False, 100, 11, 3)


def test_keepalive_that_is_refused_is_not_switched_on(sock: Any, dgram: Any) -> None:
    with pytest.raises(OSError):
        options.set_keepalive(sock, 50, 0)
    assert options.get_keepalive(sock).enabled is False
    with pytest.raises(OSError):
        options.set_keepalive(dgram, 50)


# -- multicast ---------------------------------------------------------------------------------------------------------


def group_of(family: str) -> tuple[str, str]:
    return (GROUP6, LOCALHOST_V6) if family == "AF_INET6" else (GROUP, LOCALHOST)


@pytest.fixture(params=["AF_INET", pytest.param("AF_INET6", marks=requires_ipv6)])
def members(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any, str, str]]:
    """A sender and a receiver on the loopback, the group, and the sender's address."""
    family = getattr(socket, request.param)
    group, source = group_of(request.param)
    with socket.socket(family, socket.SOCK_DGRAM) as sender, socket.socket(family, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", 0))
        receiver.settimeout(PATIENCE)
        if request.param == "AF_INET":
            options.IP_MULTICAST_ALL.set(receiver, False)
        sender.bind((source, 0))
        options.set_multicast_interface(sender, LOOPBACK)
        yield sender, receiver, group, source


def hears(sender: Any, receiver: Any, group: str) -> bool:
    """Whether what is sent to the group comes. What is sent after it to the receiver itself comes in any case."""
    port = receiver.getsockname()[1]
    host = LOCALHOST_V6 if sender.family == socket.AF_INET6 else LOCALHOST
    try:
        sender.sendto(b"group", (group, port))
    except OSError as failure:
        if failure.errno in (errno.ENETUNREACH, errno.ENETDOWN) and sender.family == socket.AF_INET6:
            return listed(group, sender.getsockname()[0])
        raise
    sender.sendto(b"end", (host, port))
    heard = receiver.recv(100)
    if heard == b"group":
        assert receiver.recv(100) == b"end"
        return True
    assert heard == b"end"
    return False


def listed(group: str, source: str) -> bool:
    """Whether the loopback, to which no IPv6 multicast is routed on most machines, is in the group for that source."""
    packed, origin = (socket.inet_pton(socket.AF_INET6, host).hex() for host in (group, source))
    with open("/proc/net/igmp6") as groups, open("/proc/net/mcfilter6") as filters:
        member = any(line.split()[1:3] == [LOOPBACK, packed] for line in groups)
        sources = [line.split()[3] for line in filters if line.split()[1:3] == [LOOPBACK, packed]]
    return member and (not sources or origin in sources)


@pytest.mark.parametrize("form", ["name", "index", "address"])
def test_a_group_by_name_index_and_address(members: tuple[Any, Any, str, str], form: str) -> None:
    sender, receiver, group, source = members
    interface: Any = {"name": LOOPBACK, "index": stdlib.if_nametoindex(LOOPBACK), "address": source}[form]
    assert not hears(sender, receiver, group)
    options.join_group(receiver, group, interface)
    assert hears(sender, receiver, group)
    options.leave_group(receiver, group, interface)
    assert not hears(sender, receiver, group)
    with pytest.raises(OSError) as caught:
        options.leave_group(receiver, group, interface)
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_a_group_of_one_source(members: tuple[Any, Any, str, str]) -> None:
    sender, receiver, group, source = members
    other = "127.0.0.99" if sender.family == socket.AF_INET else "2001:db8::99"
    options.join_group(receiver, group, LOOPBACK, other)
    assert not hears(sender, receiver, group)
    options.join_group(receiver, group, LOOPBACK, source)
    assert hears(sender, receiver, group)
    options.leave_group(receiver, group, LOOPBACK, source)
    assert not hears(sender, receiver, group)


def test_wrong_groups(dgram: Any, sock: Any) -> None:
    for group, interface, source, number in (
        (GROUP6, None, None, errno.EINVAL),
        ("localhost", None, None, errno.EINVAL),
        (GROUP, None, "::1", errno.EINVAL),
        ("127.0.0.1", LOOPBACK, None, errno.EINVAL),
        (GROUP, "no-such-if0", None, errno.ENODEV),
        (GROUP, "192.0.2.77", None, errno.ENODEV),
        (GROUP, 2**30, None, errno.ENODEV),
    ):
        with pytest.raises(OSError) as caught:
            options.join_group(dgram, group, interface, source)
        assert caught.value.errno == number, (group, interface, source)
    with pytest.raises(OverflowError):
        options.join_group(dgram, GROUP, -1)
    with pytest.raises(TypeError):
        options.join_group(dgram, GROUP, 1.5)
    one, two = socket.socketpair()
    with one, two, pytest.raises(OSError) as caught:
        options.join_group(one, GROUP)
    assert caught.value.errno == errno.EAFNOSUPPORT


# -- the peer ----------------------------------------------------------------------------------------------------------


def test_peer_credentials(pair: tuple[Any, Any]) -> None:
    own = options.PeerCredentials(os.getpid(), os.getuid(), os.getgid())
    assert options.peer_credentials(pair[0]) == own


def test_the_peer_is_another_process(short_dir: Any) -> None:
    path = str(short_dir / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(PATIENCE)
        program = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1)"
        with subprocess.Popen([sys.executable, "-c", program, path]) as process:
            conn, _ = listener.accept()
            with conn:
                assert options.peer_credentials(conn).pid == process.pid
                try:
                    fd = options.peer_pidfd(conn)
                except OSError:
                    # Linux before 6.5.
                    with pytest.raises(OSError, match="Protocol not available"):
                        options.peer_pidfd(conn)
                else:
                    with open(f"/proc/self/fdinfo/{fd}") as facts:
                        assert f"Pid:\t{process.pid}\n" in facts.read()
                    assert not os.get_inheritable(fd)
                    os.close(fd)
                conn.sendall(b"x")


def test_peer_groups(pair: tuple[Any, Any]) -> None:
    assert sorted(options.peer_groups(pair[0])) == sorted(os.getgroups())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can have other groups")
def test_more_groups_than_fit_into_1024_bytes() -> None:
    program = f"""
import os, {options.__name__} as options, {socket.__name__} as socket
os.setgroups(range(1000, 2000))
one, two = socket.socketpair()
print(options.peer_groups(one) == tuple(range(1000, 2000)))
one.close(), two.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "True\n", done.stderr


def test_no_peer(sock: Any, pair: tuple[Any, Any]) -> None:
    assert options.peer_credentials(sock)[:1] == (0,)  # Linux answers for every family
    with socket.socket(socket.AF_UNIX) as alone, pytest.raises(OSError):
        options.peer_groups(alone)
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        options.peer_credentials(pair[0])


# -- redirected connections --------------------------------------------------------------------------------------------


def test_the_original_destination_without_a_firewall(tcp: tuple[Any, Any]) -> None:
    with pytest.raises(OSError) as caught:
        options.original_destination(tcp[1])
    assert caught.value.errno in (errno.ENOENT, errno.ENOPROTOOPT)


@pytest.mark.parametrize(
    ("family", "raw", "address"),
    [
        ("AF_INET", struct.pack("@H", 2) + struct.pack("!H4B8x", 443, 192, 0, 2, 9), ("192.0.2.9", 443)),
        (
            "AF_INET6",
            struct.pack("@H", 10) + struct.pack("!HII11xB4x", 443, 0, 0x20010DB8, 1),
            ("2001:db8::1", 443, 0, 0),
        ),
    ],
)
def test_the_original_destination(family: str, raw: bytes, address: tuple[Any, ...]) -> None:
    """What a firewall's module would give: to have one redirect takes a machine of its own."""
    asked: list[tuple[int, int, int]] = []

    class Redirected(socket.socket):  # type: ignore[misc]
        def getsockopt(self, *arguments: int) -> Any:
            asked.append(arguments)  # type: ignore[arg-type]
            return raw[: arguments[2]]

    with Redirected(getattr(socket, family)) as sock:
        assert options.original_destination(sock) == address
    level = socket.IPPROTO_IP if family == "AF_INET" else socket.IPPROTO_IPV6
    assert asked == [(level, 80, len(raw))]


def test_options_in_a_thread_while_another_waits(pair: tuple[Any, Any]) -> None:
    reading = threading.Thread(target=pair[0].recv, args=(1,))
    reading.start()
    options.SO_RCVBUF.set(pair[0], 8192)
    assert options.SO_RCVBUF.get(pair[0]) >= 8192
    pair[1].sendall(b"x")
    reading.join()
