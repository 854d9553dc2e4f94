"""Names, services, protocols and interfaces.

No name here leaves the machine: ``localhost``, numbers, and names under ``.invalid``, which no resolver may know.
"""

from __future__ import annotations

import ast
import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from .target import (
    IS_STDLIB,
    LINUX,
    LOCALHOST,
    LOCALHOST_V6,
    PYPY,
    Worker,
    control_fails,
    outcome,
    requires_ipv6,
    run_python,
    same_as_stdlib,
    socket,
    stdlib,
)

# -- getaddrinfo ------------------------------------------------------------------------------------------------------


def test_the_shape_of_an_answer() -> None:
    answers = socket.getaddrinfo(LOCALHOST, 80)
    assert {answer[1] for answer in answers} == {socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW}
    for answer in answers:
        assert type(answer) is tuple
        family, kind, proto, canonname, address = answer
        assert family is socket.AddressFamily.AF_INET
        assert isinstance(kind, socket.SocketKind)
        assert type(proto) is int
        assert canonname == ""
        assert address == (LOCALHOST, 80)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", b"127.0.0.1", "localhost", b"localhost", "127.1", "0x7f.1", "2130706433"]
)
def test_hosts(host: Any) -> None:
    answers = socket.getaddrinfo(host, 80, socket.AF_INET, socket.SOCK_STREAM)
    assert (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (LOCALHOST, 80)) in answers


@requires_ipv6
@pytest.mark.parametrize("host", ["::1", b"::1", "0:0:0:0:0:0:0:1"])
def test_ipv6_hosts(host: Any) -> None:
    answers = socket.getaddrinfo(host, 80, socket.AF_INET6, socket.SOCK_STREAM)
    assert answers == [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (LOCALHOST_V6, 80, 0, 0))]


@requires_ipv6
def test_an_ipv6_host_with_a_scope() -> None:
    index, name = next((pair for pair in stdlib.if_nameindex() if pair[1].startswith("lo")), (0, ""))
    for scope in (str(index), name):
        answers = socket.getaddrinfo(f"fe80::1%{scope}", 80, socket.AF_INET6, socket.SOCK_STREAM)
        assert answers == stdlib.getaddrinfo(f"fe80::1%{scope}", 80, stdlib.AF_INET6, stdlib.SOCK_STREAM)
        assert answers[0][4][3] == index


@pytest.mark.parametrize(
    ("port", "number"),
    [(80, 80), ("80", 80), (b"80", 80), ("http", 80), (b"http", 80), (None, 0), (0, 0), ("0", 0), (65535, 65535)],
)
def test_ports(port: Any, number: int) -> None:
    for family, kind, _, _, address in socket.getaddrinfo(LOCALHOST, port, socket.AF_INET, socket.SOCK_STREAM):
        assert (family, kind, address) == (socket.AF_INET, socket.SOCK_STREAM, (LOCALHOST, number))


@pytest.mark.parametrize("host", [None, ""])
def test_no_host_is_the_loopback(host: Any) -> None:
    def look_up(module: Any) -> Any:
        return module.getaddrinfo(host, 80, module.AF_INET, module.SOCK_STREAM)

    same_as_stdlib(look_up)
    if host is None:
        assert look_up(socket)[0][4] == (LOCALHOST, 80)


def test_no_host_for_a_listener_is_every_address() -> None:
    answers = socket.getaddrinfo(None, 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
    assert answers[0][4] == ("0.0.0.0", 80)


def test_neither_host_nor_port() -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(None, None)
    assert caught.value.errno == socket.EAI_NONAME


def test_keywords() -> None:
    positional = socket.getaddrinfo(
        LOCALHOST, "80", socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, socket.AI_NUMERICHOST
    )
    named = socket.getaddrinfo(
        host=LOCALHOST,
        port="80",
        family=socket.AF_INET,
        type=socket.SOCK_STREAM,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )
    assert positional == named == [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (LOCALHOST, 80))]


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"])
def test_the_type_narrows(kind: str) -> None:
    answers = socket.getaddrinfo(LOCALHOST, None, type=getattr(socket, kind))
    assert {answer[1] for answer in answers} == {getattr(socket, kind)}


def test_the_protocol_narrows() -> None:
    answers = socket.getaddrinfo(LOCALHOST, 80, proto=socket.IPPROTO_UDP)
    assert {answer[1:3] for answer in answers} == {(socket.SOCK_DGRAM, socket.IPPROTO_UDP)}


def test_the_family_narrows() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(LOCALHOST, 80, socket.AF_INET6)
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(LOCALHOST, 80, 250)
    assert caught.value.errno == socket.EAI_FAMILY


def test_the_flag_for_the_canonical_name() -> None:
    answers = socket.getaddrinfo(LOCALHOST, 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
    assert answers[0][3] == LOCALHOST


@pytest.mark.parametrize("name", ["localhost", "host.invalid"])
def test_the_flag_for_numbers_only(name: str) -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(name, 80, flags=socket.AI_NUMERICHOST)
    assert caught.value.errno == socket.EAI_NONAME


def test_the_flag_for_a_number_as_the_service() -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(LOCALHOST, "http", flags=socket.AI_NUMERICSERV)
    assert caught.value.errno == socket.EAI_NONAME


@requires_ipv6
def test_the_flag_for_mapped_addresses() -> None:
    answers = socket.getaddrinfo(LOCALHOST, 80, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_V4MAPPED)
    assert answers[0][4][0] == "::ffff:127.0.0.1"


def test_an_unknown_flag() -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(LOCALHOST, 80, flags=0x40000000)
    assert caught.value.errno == socket.EAI_BADFLAGS


@pytest.mark.parametrize("host", ["host.invalid", b"host.invalid", "a b", "256.1.1.1.1"])
def test_a_host_that_does_not_exist(host: Any) -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(host, 80)
    assert caught.value.errno in (socket.EAI_NONAME, socket.EAI_AGAIN, getattr(socket, "EAI_NODATA", None))
    assert caught.value.strerror
    assert caught.value.args == (caught.value.errno, caught.value.strerror)


def test_a_service_that_does_not_exist() -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(LOCALHOST, "no-such-service")
    assert caught.value.errno == socket.EAI_SERVICE


def test_a_service_of_another_type() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(LOCALHOST, "http", type=socket.SOCK_RAW)


@pytest.mark.parametrize(
    ("port", "error"),
    [
        (1.5, (OSError, TypeError)),
        ([80], (OSError, TypeError)),
        ("8\ud8000", UnicodeEncodeError),
    ],
)
def test_what_is_no_port(port: Any, error: Any) -> None:
    with pytest.raises(error):
        socket.getaddrinfo(LOCALHOST, port)


@pytest.mark.parametrize("port", [-1, 65536, 2**32 - 1, 2**40, 2**80, -(2**80), "65536", "-1", "80x", "8 0", " 80", ""])
def test_odd_ports_are_as_the_standard_library_has_them(port: Any) -> None:
    def look_up(module: Any) -> Any:
        return module.getaddrinfo(LOCALHOST, port, module.AF_INET, module.SOCK_STREAM)

    if sys.version_info < (3, 12) and isinstance(port, int) and not -sys.maxsize <= port <= sys.maxsize:
        # gh-74895: an OverflowError there, of what is no C long; the resolver's own error everywhere else.
        if not IS_STDLIB:
            with pytest.raises(socket.gaierror):
                look_up(socket)
    else:
        same_as_stdlib(look_up)


@pytest.mark.parametrize("host", [1, 1.5, [], object(), ("127.0.0.1",)])
def test_what_is_no_host(host: Any) -> None:
    with pytest.raises(TypeError):
        socket.getaddrinfo(host, 80)


def test_texts_of_getaddrinfo() -> None:
    with pytest.raises(TypeError, match="^getaddrinfo\\(\\) argument 1 must be string or None$"):
        socket.getaddrinfo(1, 80)
    with pytest.raises(OSError, match="^Int or String expected$"):
        socket.getaddrinfo(LOCALHOST, 1.5)


@pytest.mark.parametrize("arguments", [(), ("h",), ("h", 1, "AF"), ("h", 1, 0, "S"), ("h", 1, 0, 0, "P"), ("h",) * 7])
def test_wrong_arguments_of_getaddrinfo(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        socket.getaddrinfo(*arguments)


def test_getaddrinfo_of_nul() -> None:
    same_as_stdlib(lambda module: module.getaddrinfo(f"{LOCALHOST}\0.example", 80, type=module.SOCK_STREAM))
    same_as_stdlib(lambda module: module.getaddrinfo(LOCALHOST, "80\0", type=module.SOCK_STREAM))


@pytest.mark.parametrize("host", ["ｌｏｃａｌｈｏｓｔ", "LOCALHOST", "localhost."])
def test_idna_in_getaddrinfo(host: str) -> None:
    same_as_stdlib(lambda module: module.getaddrinfo(host, 80, module.AF_INET, module.SOCK_STREAM))


@pytest.mark.parametrize("host", ["a" * 64, "a.." + "b", "ü" * 64, "\u2024", "ü.invalid"])
def test_hosts_that_idna_refuses(host: str) -> None:
    with pytest.raises((UnicodeError, socket.gaierror)) as caught:
        socket.getaddrinfo(host, 80)
    expected = outcome(lambda module: module.getaddrinfo(host, 80), stdlib)
    assert isinstance(caught.value, expected[1]) or PYPY


# -- getnameinfo ------------------------------------------------------------------------------------------------------

NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


def test_getnameinfo() -> None:
    assert socket.getnameinfo((LOCALHOST, 80), NUMERIC) == (LOCALHOST, "80")
    assert socket.getnameinfo((LOCALHOST, 80), socket.NI_NUMERICHOST) == (LOCALHOST, "http")
    assert socket.getnameinfo((LOCALHOST, 0), socket.NI_NUMERICSERV)[1] == "0"


def test_getnameinfo_of_a_datagram_service() -> None:
    flags = socket.NI_NUMERICHOST | socket.NI_DGRAM
    same_as_stdlib(lambda module: module.getnameinfo((LOCALHOST, 53), flags))


@requires_ipv6
@pytest.mark.parametrize("rest", [(), (0,), (0, 0)])
def test_getnameinfo_of_ipv6(rest: tuple[int, ...]) -> None:
    assert socket.getnameinfo((LOCALHOST_V6, 80, *rest), NUMERIC) == (LOCALHOST_V6, "80")


@requires_ipv6
def test_getnameinfo_with_a_scope() -> None:
    same_as_stdlib(lambda module: module.getnameinfo(("fe80::1", 80, 0, 1), NUMERIC))
    same_as_stdlib(lambda module: module.getnameinfo(("fe80::1%1", 80, 0, 1), NUMERIC))


@requires_ipv6
@control_fails("the scope of a host is lost")
def test_getnameinfo_keeps_the_scope_of_a_host() -> None:
    name = socket.if_indextoname(1)
    for host in (f"fe80::1%{name}", "fe80::1%1"):
        for rest in ((), (0,), (0, 0)):
            assert socket.getnameinfo((host, 80, *rest), NUMERIC) == (f"fe80::1%{name}", "80")


def test_getnameinfo_of_an_ipv4_address_with_flow_information() -> None:
    with pytest.raises(OSError) as caught:
        socket.getnameinfo((LOCALHOST, 80, 0), NUMERIC)
    assert not isinstance(caught.value, socket.gaierror)


@pytest.mark.parametrize("name", ["localhost", "host.invalid", "name"])
def test_getnameinfo_takes_numbers_only(name: str) -> None:
    with pytest.raises(OSError):
        socket.getnameinfo((name, 80), NUMERIC)


@pytest.mark.parametrize("port", [0, 80, 65535, 65536, -1, 2**31 - 1])
@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f.1", "127.0.0.1", "127.0.0.01", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "::1", "::", "1.2.3.4.5", ""],
)
def test_getnameinfo_of_every_form(host: str, port: int) -> None:
    for rest in ((), (0,), (5, 0)):
        same_as_stdlib(lambda module, rest=rest: module.getnameinfo((host, port, *rest), NUMERIC))


def test_getnameinfo_that_must_have_a_name() -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getnameinfo(("198.51.100.1", 80), socket.NI_NAMEREQD | socket.NI_NUMERICSERV)
    assert caught.value.errno in (socket.EAI_NONAME, socket.EAI_AGAIN)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ((LOCALHOST, 80),),
        (LOCALHOST, 0),
        (None, 0),
        ([LOCALHOST, 80], 0),
        ((LOCALHOST,), 0),
        ((LOCALHOST, 80, 0, 0, 0), 0),
        ((LOCALHOST, "80"), 0),
        ((None, 80), 0),
        ((LOCALHOST, 80), "0"),
        ((LOCALHOST, 80), 0, 0),
    ],
    ids=repr,
)
def test_wrong_arguments_of_getnameinfo(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        socket.getnameinfo(*arguments)


def test_texts_of_getnameinfo() -> None:
    with pytest.raises(TypeError, match=r"^getnameinfo\(\) argument 1 must be a tuple$"):
        socket.getnameinfo(None, 0)
    with pytest.raises(OverflowError, match=r"flowinfo must be 0-1048575\.$"):
        socket.getnameinfo(("::1", 0, 0x100000), 0)


@pytest.mark.parametrize("port", [-1, 65536, 2**31 - 1])
def test_odd_ports_of_getnameinfo(port: int) -> None:
    def look_up(module: Any) -> Any:
        return module.getnameinfo((LOCALHOST, port), NUMERIC)

    ours, theirs = outcome(look_up, socket), outcome(look_up, stdlib)
    assert ours[0] == theirs[0] or PYPY


# -- gethostbyname and its kin ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("localhost", LOCALHOST),
        (b"localhost", LOCALHOST),
        (LOCALHOST, LOCALHOST),
        ("127.0.0.2", "127.0.0.2"),
        ("", "0.0.0.0"),
        ("<broadcast>", "255.255.255.255"),
        ("127.1", LOCALHOST),
        ("ｌｏｃａｌｈｏｓｔ", LOCALHOST),
    ],
)
def test_gethostbyname(name: Any, address: str) -> None:
    assert socket.gethostbyname(name) == address


def test_gethostbyname_fails() -> None:
    with pytest.raises(socket.gaierror):
        socket.gethostbyname("host.invalid")
    with pytest.raises(socket.gaierror):
        socket.gethostbyname("::1")
    for arguments in [(), (1,), (None,), ("a", "b")]:
        with pytest.raises(TypeError):
            socket.gethostbyname(*arguments)


def test_gethostbyname_ex() -> None:
    same_as_stdlib(lambda module: module.gethostbyname_ex("localhost"))
    same_as_stdlib(lambda module: module.gethostbyname_ex(LOCALHOST))
    name, aliases, addresses = socket.gethostbyname_ex(LOCALHOST)
    assert (name, aliases, addresses) == (LOCALHOST, [], [LOCALHOST])
    assert type(socket.gethostbyname_ex(LOCALHOST)) is tuple


@pytest.mark.skipif(not LINUX, reason="takes a mount namespace")
def test_a_host_with_aliases_and_two_addresses(tmp_path: Path) -> None:
    """In a file system of its own, for few machines have such a host in their /etc/hosts."""
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.1 one.example alias.example other.example\n192.0.2.2 one.example\n")
    output = run_python(
        """
        import ctypes, os, sys, _socket
        new_mounts, new_user, recursive_private, bind = 0x20000, 0x10000000, 0x44000, 0x1000
        libc = ctypes.CDLL(None, use_errno=True)
        user = os.getuid()
        if libc.unshare(new_mounts | (new_user if user else 0)):
            sys.exit(print("denied:", os.strerror(ctypes.get_errno())))
        if user:
            with open("/proc/self/uid_map", "w") as file:
                file.write(f"0 {user} 1")
        if libc.mount(b"none", b"/", None, recursive_private, None) or libc.mount(
            sys.argv[1].encode(), b"/etc/hosts", None, bind, None
        ):
            sys.exit(print("denied:", os.strerror(ctypes.get_errno())))
        for name, host in (("gethostbyname_ex", "one.example"), ("gethostbyaddr", "192.0.2.1")):
            found = getattr(socket, name)(host)
            if sys.implementation.name == "cpython":
                assert found == getattr(_socket, name)(host), (found, getattr(_socket, name)(host))
            print(found)
        """,
        str(hosts),
    )
    if output.startswith("denied"):
        pytest.skip(f"no mount namespace: {output}")
    by_name, by_address = map(ast.literal_eval, output.splitlines())
    assert by_name == ("one.example", ["alias.example", "other.example"], ["192.0.2.1", "192.0.2.2"])
    assert by_address == ("one.example", ["alias.example", "other.example"], ["192.0.2.1"])


def test_gethostbyname_ex_fails() -> None:
    with pytest.raises(socket.gaierror):
        socket.gethostbyname_ex("host.invalid")
    with pytest.raises(TypeError):
        socket.gethostbyname_ex(1)


def test_gethostbyaddr() -> None:
    same_as_stdlib(lambda module: module.gethostbyaddr(LOCALHOST))
    same_as_stdlib(lambda module: module.gethostbyaddr("localhost"))
    name, aliases, addresses = socket.gethostbyaddr(LOCALHOST)
    assert isinstance(name, str)
    assert isinstance(aliases, list)
    assert addresses == [LOCALHOST]


@requires_ipv6
def test_gethostbyaddr_of_ipv6() -> None:
    same_as_stdlib(lambda module: module.gethostbyaddr(LOCALHOST_V6))


def test_gethostbyaddr_fails() -> None:
    with pytest.raises(socket.gaierror):
        socket.gethostbyaddr("host.invalid")
    with pytest.raises(TypeError):
        socket.gethostbyaddr(1)
    assert issubclass(socket.herror, OSError)


def test_gethostname() -> None:
    assert socket.gethostname() == os.uname().nodename
    with pytest.raises(TypeError):
        socket.gethostname(1)


def test_getfqdn() -> None:
    assert socket.getfqdn("host.invalid") == "host.invalid"
    assert socket.getfqdn("  host.invalid ") == "host.invalid"
    for name in ("", "0.0.0.0", "localhost", LOCALHOST):
        same_as_stdlib(lambda module, name=name: module.getfqdn(name))
    assert socket.getfqdn() == stdlib.getfqdn()


def test_getfqdn_looks_gethostbyaddr_up_in_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostbyaddr", lambda name: ("short", ["full.example.org", "x"], []))
    assert socket.getfqdn("anything") == "full.example.org"
    monkeypatch.setattr(socket, "gethostbyaddr", lambda name: ("short", ["also-short"], []))
    assert socket.getfqdn("anything") == "short"


# -- services and protocols -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "protocol", "port"), [("http", "tcp", 80), ("domain", "udp", 53), ("ssh", "tcp", 22)])
def test_services(name: str, protocol: str, port: int) -> None:
    assert socket.getservbyname(name, protocol) == port
    assert socket.getservbyname(name) == port
    assert socket.getservbyport(port, protocol) == name
    assert socket.getservbyport(port) == name


def test_services_that_do_not_exist() -> None:
    with pytest.raises(OSError, match=r"^service/proto not found$"):
        socket.getservbyname("no-such-service")
    with pytest.raises(OSError, match=r"^service/proto not found$"):
        socket.getservbyname("http", "no-such-protocol")
    with pytest.raises(OSError, match=r"^port/proto not found$"):
        socket.getservbyport(1, "no-such-protocol")


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_of_getservbyport_out_of_range(port: int) -> None:
    with pytest.raises(OverflowError):
        socket.getservbyport(port)


def test_the_text_of_getservbyport() -> None:
    with pytest.raises(OverflowError, match=r"^getservbyport: port must be 0-65535\.$"):
        socket.getservbyport(65536)


def test_wrong_arguments_of_services() -> None:
    for arguments in [(), (80,), (None,), ("http", 6), ("http", "tcp", 1), (b"http",)]:
        with pytest.raises(TypeError):
            socket.getservbyname(*arguments)
    for arguments in [(), ("80",), (None,), (80, 6), (80, "tcp", 1)]:
        with pytest.raises(TypeError):
            socket.getservbyport(*arguments)
    with pytest.raises(ValueError, match="null"):
        socket.getservbyname("ht\0tp")


@pytest.mark.parametrize("name", ["ip", "icmp", "tcp", "udp", "ipv6", "ipv6-icmp", "TCP"])
def test_protocols(name: str) -> None:
    assert same_as_stdlib(lambda module: module.getprotobyname(name))[0] == "returns"


def test_a_protocol_that_does_not_exist() -> None:
    with pytest.raises(OSError, match="^protocol not found$"):
        socket.getprotobyname("no-such-protocol")


def test_wrong_arguments_of_protocols() -> None:
    for arguments in [(), (6,), (None,), ("tcp", 1)]:
        with pytest.raises(TypeError):
            socket.getprotobyname(*arguments)


# -- interfaces -------------------------------------------------------------------------------------------------------


def test_interfaces() -> None:
    interfaces = socket.if_nameindex()
    assert interfaces == stdlib.if_nameindex()
    assert interfaces
    for index, name in interfaces:
        assert (type(index), type(name)) == (int, str)
        assert socket.if_nametoindex(name) == index
        assert socket.if_indextoname(index) == name


@pytest.mark.parametrize("name", ["no-such-if", "", "x" * 100])
def test_an_interface_that_does_not_exist(name: str) -> None:
    with pytest.raises(OSError):
        socket.if_nametoindex(name)


def test_an_index_that_does_not_exist() -> None:
    for index in (2**31 - 1, 2**32 - 1, 0):
        with pytest.raises(OSError) as caught:
            socket.if_indextoname(index)
        assert caught.value.errno == errno.ENXIO


def test_wrong_arguments_of_interfaces() -> None:
    for arguments in [(), (1,), (None,), ("lo", 1)]:
        with pytest.raises(TypeError):
            socket.if_nametoindex(*arguments)
    for arguments in [(), ("1",), (None,), (1.5,), (1, 2)]:
        with pytest.raises(TypeError):
            socket.if_indextoname(*arguments)
    with pytest.raises(TypeError):
        socket.if_nameindex(1)


def test_an_interface_by_bytes() -> None:
    name = os.fsencode(socket.if_nameindex()[0][1])
    same_as_stdlib(lambda module: module.if_nametoindex(name))


def test_a_name_in_another_thread() -> None:
    with Worker(socket.gethostbyname, "localhost") as worker:
        assert worker.result() == LOCALHOST
