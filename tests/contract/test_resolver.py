"""Names and numbers, compared with the standard library's own."""

from __future__ import annotations

import errno
import os
import socket as stdlib
import sys
from typing import Any

import pytest

from .conftest import inet


def port_of(address: bytes) -> int:
    return int.from_bytes(address[2:4], "big")


@pytest.mark.parametrize(
    "arguments",
    [
        (b"localhost", b"80", 0, 0, 0, 0),
        (b"localhost", None, stdlib.AF_INET, stdlib.SOCK_STREAM, 0, stdlib.AI_CANONNAME),
        (b"127.0.0.1", b"http", 0, 0, stdlib.IPPROTO_TCP, stdlib.AI_NUMERICHOST),
        (b"127.0.0.1", b"80", stdlib.AF_INET, stdlib.SOCK_DGRAM, 0, stdlib.AI_NUMERICHOST | stdlib.AI_CANONNAME),
        (None, b"0", 0, stdlib.SOCK_STREAM, 0, stdlib.AI_PASSIVE),
        (None, b"65535", stdlib.AF_INET6, stdlib.SOCK_STREAM, 0, 0),
        (b"::1", b"1", 0, 0, 0, stdlib.AI_NUMERICHOST),
    ],
)
def test_getaddrinfo(syscalls: Any, arguments: tuple[Any, ...]) -> None:
    wanted = stdlib.getaddrinfo(*arguments)
    found = syscalls.getaddrinfo(*arguments)
    assert type(found) is list
    assert [(f, t, p, n.decode()) for f, t, p, n, _ in found] == [(f, t, p, n) for f, t, p, n, _ in wanted]
    for (family, *_, address), (*_, expected) in zip(found, wanted, strict=True):
        assert type(address) is bytes
        assert port_of(address) == expected[1]
        packed = address[4:8] if family == stdlib.AF_INET else address[8:24]
        assert packed == stdlib.inet_pton(family, str(expected[0]))
        assert len(address) == (16 if family == stdlib.AF_INET else 28)


@pytest.mark.parametrize(
    "arguments",
    [
        (b"x" * 300, None, 0, 0, 0, 0),
        (b"no such host", None, 0, 0, 0, stdlib.AI_NUMERICHOST),
        (b"127.0.0.1", b"no-such-service", 0, 0, 0, 0),
        (None, None, 0, 0, 0, 0),
        (b"127.0.0.1", None, 9999, 0, 0, 0),
        (b"127.0.0.1", None, stdlib.AF_INET6, 0, 0, 0),
        (b"127.0.0.1", None, 0, 9999, 0, 0),
        (b"127.0.0.1", b"80", 0, 0, 0, 0x400000),
    ],
)
def test_getaddrinfo_fails(syscalls: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(stdlib.gaierror) as wanted:
        stdlib.getaddrinfo(*arguments)
    with pytest.raises(stdlib.gaierror) as found:
        syscalls.getaddrinfo(*arguments)
    assert type(found.value) is stdlib.gaierror
    assert found.value.args == wanted.value.args


@pytest.mark.parametrize(
    "flags", [0, stdlib.NI_NUMERICHOST | stdlib.NI_NUMERICSERV, stdlib.NI_NUMERICHOST | stdlib.NI_DGRAM]
)
@pytest.mark.parametrize("port", [0, 80, 65535])
def test_getnameinfo(syscalls: Any, flags: int, port: int) -> None:
    host, service = syscalls.getnameinfo(inet("127.0.0.1", port), flags)
    assert type(host) is type(service) is bytes
    assert (host.decode(), service.decode()) == stdlib.getnameinfo(("127.0.0.1", port), flags)


def test_getnameinfo_fails(syscalls: Any) -> None:
    for address, flags in ((b"", 0), (inet("127.0.0.1", 80)[:4], 0), (b"\xff" * 16, 0)):
        with pytest.raises(stdlib.gaierror) as caught:
            syscalls.getnameinfo(address, flags)
        assert caught.value.args[0] == stdlib.EAI_FAMILY
        assert type(caught.value.args[1]) is str


def test_gethostbyname(syscalls: Any) -> None:
    name, aliases, packed = stdlib.gethostbyname_ex("localhost")
    found = syscalls.gethostbyname(b"localhost", stdlib.AF_INET)
    assert type(found) is tuple
    assert found == (
        name.encode(),
        [alias.encode() for alias in aliases],
        stdlib.AF_INET,
        [stdlib.inet_aton(address) for address in packed],
    )


def test_gethostbyaddr(syscalls: Any) -> None:
    name, aliases, packed = stdlib.gethostbyaddr("127.0.0.1")
    assert syscalls.gethostbyaddr(stdlib.inet_aton("127.0.0.1"), stdlib.AF_INET) == (
        name.encode(),
        [alias.encode() for alias in aliases],
        stdlib.AF_INET,
        [stdlib.inet_aton(address) for address in packed],
    )


def test_unknown_hosts(syscalls: Any) -> None:
    with pytest.raises(stdlib.herror) as caught:
        syscalls.gethostbyname(b"x" * 300, stdlib.AF_INET)
    assert type(caught.value) is stdlib.herror
    number, text = caught.value.args
    assert type(number) is int and number > 0 and type(text) is str and text
    with pytest.raises(stdlib.herror) as caught:
        syscalls.gethostbyname(b"", stdlib.AF_INET)
    assert caught.value.args[0] > 0


@pytest.mark.parametrize("name", ["http", "domain", "ssh", "nope", ""])
@pytest.mark.parametrize("proto", [None, "tcp", "udp", "nope"])
def test_services(syscalls: Any, name: str, proto: str | None) -> None:
    arguments = (name,) if proto is None else (name, proto)
    try:
        wanted = stdlib.getservbyname(*arguments)
    except OSError:
        wanted = -1
    found = syscalls.getservbyname(name.encode(), None if proto is None else proto.encode())
    assert type(found) is int and found == wanted


@pytest.mark.parametrize("port", [0, 22, 53, 80, 1, 65535])
@pytest.mark.parametrize("proto", [None, "tcp", "udp", "nope"])
def test_ports(syscalls: Any, port: int, proto: str | None) -> None:
    wanted: str | None
    try:
        wanted = stdlib.getservbyport(*((port,) if proto is None else (port, proto)))
    except OSError:
        wanted = None
    found = syscalls.getservbyport(port, None if proto is None else proto.encode())
    assert found == (None if wanted is None else wanted.encode())


@pytest.mark.parametrize("name", ["tcp", "udp", "icmp", "ip", "nope", ""])
def test_protocols(syscalls: Any, name: str) -> None:
    try:
        wanted = stdlib.getprotobyname(name)
    except OSError:
        wanted = -1
    assert syscalls.getprotobyname(name.encode()) == wanted


def test_interfaces(syscalls: Any) -> None:
    found = syscalls.if_nameindex()
    assert type(found) is list
    assert found == [(index, name.encode()) for index, name in stdlib.if_nameindex()]
    for index, name in found:
        assert type(name) is bytes
        assert syscalls.if_nametoindex(name) == index
        assert syscalls.if_indextoname(index) == name
    for call in (
        lambda: syscalls.if_nametoindex(b"nope"),
        lambda: syscalls.if_nametoindex(b""),
        lambda: syscalls.if_nametoindex(b"x" * 100),
        lambda: syscalls.if_indextoname(0),
        lambda: syscalls.if_indextoname(2**32 - 1),
    ):
        with pytest.raises(OSError) as caught:
            call()
        assert type(caught.value.errno) is int and caught.value.errno
        assert caught.value.strerror == os.strerror(caught.value.errno)


def test_interfaces_of_a_socket(syscalls: Any) -> None:
    with stdlib.socket() as sock:
        ours = sock.fileno()
        for index, name in stdlib.if_nameindex():
            assert syscalls.interface_index(ours, name.encode()) == index
            found = syscalls.interface_name(ours, index)
            assert type(found) is bytes
            assert found == name.encode()
        wrong = [
            (errno.ENODEV, lambda: syscalls.interface_index(ours, b"nope")),
            (errno.ENODEV, lambda: syscalls.interface_index(ours, b"")),
            (errno.ENODEV, lambda: syscalls.interface_index(ours, b"x" * 15)),
            (errno.ENODEV, lambda: syscalls.interface_name(ours, 2**31 - 1)),
            (errno.ENODEV, lambda: syscalls.interface_name(ours, -1)),
            (errno.EBADF, lambda: syscalls.interface_index(-1, b"lo")),
            (errno.EBADF, lambda: syscalls.interface_name(-1, 1)),
        ]
        for number, call in wrong:
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.args == (number, os.strerror(number))


@pytest.mark.parametrize("text", ["127.0.0.1", "0.0.0.0", "255.255.255.255", "1.2.3", "1.2.3.256", "", "x", "\xe9"])
def test_inet_pton(syscalls: Any, text: str) -> None:
    wanted: bytes | None
    try:
        wanted = stdlib.inet_pton(stdlib.AF_INET, text)
    except OSError:
        wanted = None
    assert syscalls.inet_pton(stdlib.AF_INET, text) == wanted
    if wanted is not None:
        assert syscalls.inet_ntop(stdlib.AF_INET, wanted) == text


@pytest.mark.parametrize(
    "text", ["::", "::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "fe80::1%lo", "1::2::3", ":", "g::"]
)
def test_inet_pton_of_six(syscalls: Any, text: str) -> None:
    wanted: bytes | None
    try:
        wanted = stdlib.inet_pton(stdlib.AF_INET6, text)
    except OSError:
        wanted = None
    assert syscalls.inet_pton(stdlib.AF_INET6, text) == wanted
    if wanted is not None:
        assert syscalls.inet_ntop(stdlib.AF_INET6, wanted) == stdlib.inet_ntop(stdlib.AF_INET6, wanted)


def test_inet_of_other_families(syscalls: Any) -> None:
    with pytest.raises(OSError) as caught:
        syscalls.inet_pton(stdlib.AF_UNIX, "1")
    assert caught.value.errno == errno.EAFNOSUPPORT
    with pytest.raises(OSError) as caught:
        syscalls.inet_ntop(stdlib.AF_UNIX, b"1234")
    assert caught.value.errno == errno.EAFNOSUPPORT


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "127.1", "0x7f.1", "1", "010.0.0.1", "256.1", "", "x", "1.2.3.4.5", "\xe9"]
)
def test_inet_aton(syscalls: Any, text: str) -> None:
    wanted: bytes | None
    try:
        wanted = stdlib.inet_aton(text)
    except (OSError, UnicodeError):
        wanted = None
    assert syscalls.inet_aton(text) == wanted


def test_host_name(syscalls: Any) -> None:
    assert syscalls.gethostname() == os.fsencode(stdlib.gethostname())


# The child does nothing but the call, whatever threads other tests have left.
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "unshare") and os.geteuid() == 0, reason="would change the name of the host")
def test_sethostname(syscalls: Any) -> None:
    """Of a namespace of its own where that is allowed; refused where it is not."""
    name = syscalls.gethostname()
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            syscalls.sethostname(name)
        return
    child = os.fork()
    if not child:
        try:
            os.unshare(os.CLONE_NEWUTS)
            syscalls.sethostname(b"a-test")
            os._exit(0 if syscalls.gethostname() == b"a-test" else 1)
        except PermissionError:
            os._exit(0)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert syscalls.gethostname() == name
    assert sys.platform == "linux"
