"""Addresses in and out: what each family takes, what it gives back, and what it refuses."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from .target import (
    LINUX,
    LOCALHOST,
    LOCALHOST_V6,
    PATIENCE,
    PYPY,
    control_fails,
    requires_ipv6,
    same_as_stdlib,
    socket,
    stdlib,
)

linux_only = pytest.mark.skipif(not LINUX, reason="abstract names are Linux's")


def loopback_index() -> int:
    for index, name in stdlib.if_nameindex():
        if name.startswith("lo"):
            return index
    pytest.skip("no loopback interface")


# -- AF_INET ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("localhost", "127.0.0.1"),
        ("", "0.0.0.0"),
        ("0.0.0.0", "0.0.0.0"),
        (b"127.0.0.1", "127.0.0.1"),
        (bytearray(b"127.0.0.1"), "127.0.0.1"),
        (b"", "0.0.0.0"),
    ],
)
def test_bind_hosts(dgram: Any, host: Any, seen: str) -> None:
    if host == "127.0.0.2" and not LINUX:
        pytest.skip("only Linux has the whole of 127/8 on the loopback")
    assert dgram.bind((host, 0)) is None
    address = dgram.getsockname()
    assert address[0] == seen
    assert 0 < address[1] < 65536
    assert type(address) is tuple
    assert [type(item) for item in address] == [str, int]


def test_short_forms_of_a_host_are_the_resolvers(dgram: Any) -> None:
    """Not four numbers: the resolver's business, which takes the old forms."""
    dgram.bind(("127.1", 0))
    assert dgram.getsockname()[0] == "127.0.0.1"


def test_the_broadcast_name(dgram: Any) -> None:
    with pytest.raises(PermissionError):
        dgram.connect(("<broadcast>", 9))
    dgram.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    try:
        dgram.connect(("<broadcast>", 9))
    except OSError as error:
        assert error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)  # noqa: PT017
    else:
        assert dgram.getpeername() == ("255.255.255.255", 9)


def test_the_broadcast_address_is_the_same(dgram: Any) -> None:
    with pytest.raises(PermissionError):
        dgram.sendto(b"", ("255.255.255.255", 9))
    with pytest.raises(PermissionError):
        dgram.sendto(b"", ("<broadcast>", 9))


@pytest.mark.parametrize("port", [-1, 65536, 2**31, 2**40, -(2**31)])
@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex", "sendto"])
def test_a_port_out_of_range(dgram: Any, method: str, port: int) -> None:
    arguments = (b"data",) if method == "sendto" else ()
    with pytest.raises(OverflowError) as caught:
        getattr(dgram, method)(*arguments, (LOCALHOST, port))
    if abs(port) < 2**31 and not (IS_PYPY_CONTROL):
        assert re.search(r"port must be 0-65535\.?$", str(caught.value))


IS_PYPY_CONTROL = PYPY and socket is stdlib


@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex", "sendto"])
def test_the_texts_name_the_method(dgram: Any, method: str) -> None:
    arguments = (b"data",) if method == "sendto" else ()
    call = getattr(dgram, method)
    with pytest.raises(OverflowError, match=rf"^{method}\(\): port must be 0-65535\.$"):
        call(*arguments, (LOCALHOST, 65536))
    with pytest.raises(TypeError, match=rf"^{method}\(\): AF_INET address must be tuple, not str$"):
        call(*arguments, "127.0.0.1:80")
    with pytest.raises(TypeError, match=r"^AF_INET address must be a pair \(host, port\)$"):
        call(*arguments, (LOCALHOST, 80, 0))


@pytest.mark.parametrize(
    "bad",
    [
        None,
        80,
        "127.0.0.1",
        b"127.0.0.1",
        ["127.0.0.1", 0],
        (),
        ("127.0.0.1",),
        ("127.0.0.1", 0, 0),
        ("127.0.0.1", "0"),
        ("127.0.0.1", None),
        ("127.0.0.1", 1.5),
        (None, 0),
        (127, 0),
        (("127.0.0.1",), 0),
    ],
    ids=repr,
)
def test_what_is_no_inet_address(dgram: Any, bad: Any) -> None:
    for call in (dgram.bind, dgram.connect, dgram.connect_ex):
        with pytest.raises(TypeError):
            call(bad)


class Port:
    def __index__(self) -> int:
        return 0


def test_a_port_with_an_index(dgram: Any) -> None:
    dgram.bind((LOCALHOST, Port()))
    assert dgram.getsockname()[1] != 0


def test_a_tuple_subclass_is_an_address(dgram: Any) -> None:
    class Address(tuple):  # type: ignore[type-arg]
        __slots__ = ()

    dgram.bind(Address((LOCALHOST, 0)))
    assert dgram.getsockname()[0] == LOCALHOST


@pytest.mark.parametrize("host", ["127.0.0.1\0", "local\0host", "\0", b"127.0.0.1\0x", bytearray(b"\0")])
def test_a_nul_in_a_host(dgram: Any, host: Any) -> None:
    with pytest.raises(TypeError, match="^host name must not contain null character$"):
        dgram.bind((host, 0))


@pytest.mark.parametrize("host", ["name.invalid", "256.256.256.256", "1.2.3.4.5", "::1", "not a name"])
def test_a_host_that_does_not_resolve(dgram: Any, host: str) -> None:
    with pytest.raises(socket.gaierror):
        dgram.connect((host, 80))


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "..", ".", "a..b", "\ud800"])
def test_a_host_that_cannot_be_encoded(dgram: Any, host: str) -> None:
    with pytest.raises((TypeError, UnicodeError, socket.gaierror)):
        dgram.connect((host, 80))


def test_a_host_that_idna_refuses(dgram: Any) -> None:
    with pytest.raises(TypeError, match="^encoding of hostname failed$"):
        dgram.connect(("\ud800", 80))


def test_a_host_with_other_letters_goes_through_idna(dgram: Any) -> None:
    """The fullwidth letters of localhost are mapped to the plain ones."""
    dgram.bind(("ｌｏｃａｌｈｏｓｔ", 0))
    assert dgram.getsockname()[0] == LOCALHOST


def test_an_idna_host_that_does_not_exist(dgram: Any) -> None:
    with pytest.raises(socket.gaierror):
        dgram.connect(("bücher.invalid", 80))


def test_getpeername_without_a_peer(sock: Any) -> None:
    with pytest.raises(OSError) as caught:
        sock.getpeername()
    assert caught.value.errno == errno.ENOTCONN


def test_getsockname_of_an_unbound_socket(sock: Any) -> None:
    assert sock.getsockname() == ("0.0.0.0", 0)


def test_bind_twice(dgram: Any) -> None:
    dgram.bind((LOCALHOST, 0))
    with pytest.raises(OSError) as caught:
        dgram.bind((LOCALHOST, 0))
    assert caught.value.errno == errno.EINVAL


def test_an_address_in_use(dgram: Any) -> None:
    dgram.bind((LOCALHOST, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        with pytest.raises(OSError) as caught:
            other.bind(dgram.getsockname())
        assert caught.value.errno == errno.EADDRINUSE
        assert caught.value.strerror == os.strerror(errno.EADDRINUSE)


def test_an_address_that_is_not_ours(dgram: Any) -> None:
    with pytest.raises(OSError) as caught:
        dgram.bind(("203.0.113.7", 0))
    assert caught.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
def test_the_number_of_arguments(unix: Any, method: str) -> None:
    with pytest.raises(TypeError):
        getattr(unix, method)()
    with pytest.raises(TypeError):
        getattr(unix, method)("a", "b", "c")


@pytest.fixture
def unix() -> Any:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        yield sock


# -- AF_INET6 ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def dgram6() -> Any:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        yield sock


@requires_ipv6
@pytest.mark.parametrize(
    ("address", "seen"),
    [
        (("::1", 0), "::1"),
        (("::1", 0, 0), "::1"),
        (("::1", 0, 0, 0), "::1"),
        (("0:0::0001", 0), "::1"),
        (("", 0), "::"),
        (("::", 0), "::"),
        ((b"::1", 0), "::1"),
        (("::1", Port()), "::1"),
        (("::ffff:127.0.0.1", 0), "::ffff:127.0.0.1"),
    ],
)
def test_bind_hosts_of_ipv6(dgram6: Any, address: Any, seen: str) -> None:
    dgram6.bind(address)
    name = dgram6.getsockname()
    assert name[0] == seen
    assert name[2:] == (0, 0)
    assert [type(item) for item in name] == [str, int, int, int]


@requires_ipv6
@pytest.mark.parametrize("flow", [0, 1, 0xFFFFF])
def test_flow_information(dgram6: Any, flow: int) -> None:
    dgram6.bind((LOCALHOST_V6, 0))
    port = dgram6.getsockname()[1]
    dgram6.connect((LOCALHOST_V6, port, flow))
    assert dgram6.getpeername() == same_peer(port, flow)


def same_peer(port: int, flow: int) -> tuple[str, int, int, int]:
    """What the standard library says of a peer with a flow label: the kernel keeps it only when it was asked to."""
    with stdlib.socket(stdlib.AF_INET6, stdlib.SOCK_DGRAM) as sock:
        sock.connect((LOCALHOST_V6, port, flow))
        name: tuple[str, int, int, int] = sock.getpeername()
        return name


@requires_ipv6
@pytest.mark.parametrize("flow", [-1, 0x100000, 2**32 - 1])
def test_flow_information_out_of_range(dgram6: Any, flow: int) -> None:
    with pytest.raises(OverflowError):
        dgram6.connect((LOCALHOST_V6, 9, flow))


@requires_ipv6
def test_the_text_for_flow_information(dgram6: Any) -> None:
    with pytest.raises(OverflowError, match=r"^connect\(\): flowinfo must be 0-1048575\.$"):
        dgram6.connect((LOCALHOST_V6, 9, 0x100000))


@requires_ipv6
def test_a_scope_id_on_the_loopback(dgram6: Any) -> None:
    index = loopback_index()
    dgram6.bind(("::1", 0, 0, index))
    assert dgram6.getsockname()[0] == "::1"


def link_local() -> tuple[str, str, int]:
    """A link-local address of this machine: address, interface, index."""
    try:
        lines = Path("/proc/net/if_inet6").read_text().splitlines()
    except OSError:
        pytest.skip("cannot tell the link-local addresses here")
    for line in lines:
        digits, index, _, scope, flags, name = line.split()
        if scope == "20" and not int(flags, 16) & 0x48:
            address = stdlib.inet_ntop(stdlib.AF_INET6, bytes.fromhex(digits))
            return address, name, int(index, 16)
    pytest.skip("no link-local address")


SCOPE_IN_HOST = control_fails("the scope of the host is overwritten with the tuple's, 0 when it has none")


@requires_ipv6
@pytest.mark.parametrize(
    "form",
    [
        pytest.param("number", marks=SCOPE_IN_HOST),
        pytest.param("name", marks=SCOPE_IN_HOST),
        "tuple",
    ],
)
def test_a_link_local_scope(dgram6: Any, form: str) -> None:
    host, name, index = link_local()
    given = {"number": (f"{host}%{index}", 0), "name": (f"{host}%{name}", 0), "tuple": (host, 0, 0, index)}[form]
    dgram6.bind(given)
    seen = dgram6.getsockname()
    with stdlib.socket(stdlib.AF_INET6, stdlib.SOCK_DGRAM) as reference:
        reference.bind((host, 0, 0, index))
        expected = reference.getsockname()
    assert (seen[0], seen[2:]) == (expected[0], expected[2:])
    assert seen[3] == index


@requires_ipv6
@pytest.mark.parametrize("scope", ["nosuchif0", ""])
def test_a_scope_that_does_not_exist(dgram6: Any, scope: str) -> None:
    with pytest.raises(OSError):
        dgram6.bind((f"fe80::1%{scope}", 0))


@requires_ipv6
@pytest.mark.parametrize(
    "bad", [None, "::1", ("::1",), ("::1", 0, 0, 0, 0), ("::1", "0"), ("::1", 0, "0"), (None, 0), ("::1", 0, 0, None)]
)
def test_what_is_no_inet6_address(dgram6: Any, bad: Any) -> None:
    with pytest.raises(TypeError):
        dgram6.bind(bad)


@requires_ipv6
def test_the_texts_of_inet6(dgram6: Any) -> None:
    with pytest.raises(TypeError, match=r"^bind\(\): AF_INET6 address must be tuple, not str$"):
        dgram6.bind("::1")
    with pytest.raises(
        TypeError,
        match=r"^AF_INET6 address must be a tuple \(host, port\[, flowinfo\[, scopeid\]\]\)$",
    ):
        dgram6.bind(("::1",))
    with pytest.raises(OverflowError, match=r"^bind\(\): port must be 0-65535\.$"):
        dgram6.bind(("::1", 65536))


@requires_ipv6
@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_of_ipv6_out_of_range(dgram6: Any, port: int) -> None:
    with pytest.raises(OverflowError):
        dgram6.bind((LOCALHOST_V6, port))


@requires_ipv6
def test_an_ipv4_host_for_an_ipv6_socket(dgram6: Any) -> None:
    with pytest.raises(socket.gaierror):
        dgram6.bind((LOCALHOST, 0))


@requires_ipv6
def test_the_broadcast_name_is_not_ipv6s(dgram6: Any) -> None:
    with pytest.raises(OSError):
        dgram6.connect(("<broadcast>", 9))


@requires_ipv6
def test_ipv6_datagrams_carry_the_senders_address(dgram6: Any) -> None:
    dgram6.bind((LOCALHOST_V6, 0))
    dgram6.settimeout(PATIENCE)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        other.bind((LOCALHOST_V6, 0))
        assert other.sendto(b"hello", dgram6.getsockname()[:2]) == 5
        assert dgram6.recvfrom(10) == (b"hello", other.getsockname())


# -- AF_UNIX ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [str, os.fsencode, Path, bytearray], ids=["str", "bytes", "path", "bytearray"])
def test_a_unix_path(unix: Any, short_dir: Path, form: Any) -> None:
    path = short_dir / "s"
    given = bytearray(os.fsencode(path)) if form is bytearray else form(path)
    try:
        unix.bind(given)
    except TypeError:
        # A path-like object is an extension over the standard library.
        assert form is Path and socket is stdlib
        return
    assert path.is_socket()
    assert unix.getsockname() == str(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.connect(given)
        assert other.getpeername() == str(path)
        other.send(b"to the path")
        assert unix.recvfrom(100) == (b"to the path", None)


def test_a_unix_path_that_is_not_utf8(unix: Any, short_dir: Path) -> None:
    path = os.fsencode(short_dir) + b"/\xff\xfe"
    unix.bind(path)
    assert unix.getsockname() == os.fsdecode(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.connect(os.fsdecode(path))


def test_a_unix_path_with_other_letters(unix: Any, short_dir: Path) -> None:
    path = f"{short_dir}/bücher"
    unix.bind(path)
    assert unix.getsockname() == path


def path_of_length(folder: Path, length: int) -> str:
    return f"{folder}/".ljust(length, "x")


@linux_only
def test_the_longest_unix_path(unix: Any, short_dir: Path) -> None:
    """108 bytes fill the address, and no NUL ends it then."""
    path = path_of_length(short_dir, 107)
    unix.bind(path)
    assert unix.getsockname() == path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.connect(path)
        assert other.getpeername() == path


def test_a_unix_path_of_108_bytes(short_dir: Path) -> None:
    path = path_of_length(short_dir, 108)

    def bind(module: Any) -> Any:
        with module.socket(module.AF_UNIX, module.SOCK_DGRAM) as sock:
            sock.bind(path)
            try:
                return sock.getsockname()
            finally:
                os.unlink(path)

    same_as_stdlib(bind)


@pytest.mark.parametrize("length", [109, 200, 5000])
@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
@pytest.mark.parametrize("form", [str, bytes, "abstract"])
def test_a_unix_path_too_long(unix: Any, method: str, length: int, form: Any) -> None:
    if form == "abstract" and not LINUX:
        pytest.skip("abstract names are Linux's")
    path = {str: "/" + "x" * (length - 1), bytes: b"/" + b"x" * (length - 1)}.get(form, b"\0" + b"x" * (length - 1))
    with pytest.raises(OSError, match="^AF_UNIX path too long") as caught:
        getattr(unix, method)(path)
    # `match` looks at the notes, too.
    assert str(caught.value) == "AF_UNIX path too long"
    assert caught.value.errno is None


@linux_only
@pytest.mark.parametrize("name", [b"\0shared-suite-%d", b"\0nul\0inside-%d", b"\0\xff\xfe-%d"])
def test_an_abstract_name(unix: Any, name: bytes) -> None:
    name %= os.getpid()
    unix.bind(name)
    assert unix.getsockname() == name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.connect(name)
        assert other.getpeername() == name
        other.send(b"abstractly")
        assert unix.recv(100) == b"abstractly"


@linux_only
def test_an_abstract_name_as_str(unix: Any) -> None:
    name = f"\0shared-suite-str-{os.getpid()}"
    unix.bind(name)
    assert unix.getsockname() == name.encode()


@linux_only
def test_the_longest_abstract_name(unix: Any) -> None:
    name = b"\0" + b"%d" % os.getpid()
    name = name.ljust(108, b"y")
    unix.bind(name)
    assert unix.getsockname() == name


@linux_only
def test_a_datagram_from_an_abstract_name(unix: Any) -> None:
    unix.bind(b"\0to-%d" % os.getpid())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(b"\0from-%d" % os.getpid())
        other.sendto(b"x", unix.getsockname())
        assert unix.recvfrom(1) == (b"x", other.getsockname())


@linux_only
@pytest.mark.parametrize("name", ["", b""])
def test_autobind(unix: Any, name: Any) -> None:
    unix.bind(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(name)
        for sock in (unix, other):
            assert re.fullmatch(rb"\0[0-9a-f]{5}", sock.getsockname())
        assert unix.getsockname() != other.getsockname()


def test_unnamed(unix: Any, pair: Any) -> None:
    assert unix.getsockname() == ""
    assert pair[0].getsockname() == ""
    assert pair[0].getpeername() == ""


def test_accept_of_an_unnamed_client(short_dir: Path) -> None:
    path = str(short_dir / "s")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(path)
        listener.listen()
        client.connect(path)
        server, address = listener.accept()
        with server:
            assert address == ""
            assert server.getsockname() == path
            assert client.getpeername() == path
            assert server.family is socket.AF_UNIX


@pytest.mark.parametrize("bad", [None, 3, ("a", 1), ["a"], 1.5, object()])
@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
def test_what_is_no_unix_address(unix: Any, method: str, bad: Any) -> None:
    with pytest.raises(TypeError):
        getattr(unix, method)(bad)


def test_a_unix_path_that_does_not_exist(unix: Any, short_dir: Path) -> None:
    with pytest.raises(FileNotFoundError):
        unix.connect(str(short_dir / "missing"))
    assert unix.connect_ex(str(short_dir / "missing")) == errno.ENOENT


def test_a_unix_path_that_is_there_already(unix: Any, short_dir: Path) -> None:
    (short_dir / "file").touch()
    with pytest.raises(OSError) as caught:
        unix.bind(str(short_dir / "file"))
    assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("path", ["{}/a\0b", "{}/a\0"])
def test_a_nul_in_a_unix_path_is_as_the_standard_library_has_it(short_dir: Path, path: str) -> None:
    def bind(module: Any) -> Any:
        with module.socket(module.AF_UNIX, module.SOCK_DGRAM) as sock:
            try:
                sock.bind(path.format(short_dir))
                return sock.getsockname()
            finally:
                for left in short_dir.iterdir():
                    left.unlink()

    same_as_stdlib(bind)


def test_a_surrogate_in_a_unix_path(unix: Any) -> None:
    with pytest.raises(UnicodeEncodeError):
        unix.bind("/tmp/\ud800")


# -- families in each other's place -----------------------------------------------------------------------------------


def test_the_family_of_the_object_decides(dgram: Any) -> None:
    with pytest.raises(TypeError):
        dgram.bind("/tmp/path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix, pytest.raises(TypeError):
        unix.bind((LOCALHOST, 0))


def test_an_address_of_another_family_than_the_object(dgram: Any) -> None:
    """The object believes what it was told; the address that the kernel gives says its own family."""
    dgram.bind((LOCALHOST, 0))
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM, 0, fileno=dgram.fileno())
    try:
        assert other.getsockname() == dgram.getsockname()
    finally:
        other.detach()
