"""What comes with an error besides its type and number: no other error that it hides, and nothing for the collector."""

from __future__ import annotations

import contextlib
import gc
import types
from collections.abc import Callable
from typing import Any

import pytest

from .target import CLOSED_PORT, LOCALHOST, PYPY, socket, stdlib


class Unindexable:
    def __index__(self) -> int:
        raise LookupError("no index")


def nonblocking(module: Any) -> Any:
    sock, other = module.socketpair()
    sock.setblocking(False)
    return Both(sock, other)


def timed(module: Any) -> Any:
    sock, other = module.socketpair()
    sock.settimeout(0.001)
    return Both(sock, other)


def broken(module: Any) -> Any:
    """A stream whose other end is closed."""
    sock, other = module.socketpair()
    other.close()
    return Both(sock, other)


def datagrams(module: Any) -> Any:
    sock = module.socket(module.AF_INET, module.SOCK_DGRAM)
    sock.bind((LOCALHOST, 0))
    sock.setblocking(False)
    return Both(sock)


def stream(module: Any) -> Any:
    return Both(module.socket())


def unix(module: Any) -> Any:
    return Both(module.socket(module.AF_UNIX))


def closed(module: Any) -> Any:
    sock = module.socket()
    sock.close()
    return Both(sock)


def nothing(module: Any) -> Any:
    return Both()


class Both:
    """The sockets that a call is made with."""

    def __init__(self, *sockets: Any) -> None:
        self.sock = sockets[0] if sockets else None
        self.sockets = sockets

    def __enter__(self) -> Any:
        return self.sock

    def __exit__(self, *failure: object) -> None:
        for sock in self.sockets:
            sock.close()


def fill(sock: Any) -> None:
    while True:
        sock.send(b"x" * 100_000)


def fill_file(sock: Any) -> None:
    with contextlib.closing(sock.makefile("wb", buffering=1000)) as file:
        try:
            while True:
                file.write(b"x" * 100_000)
        finally:
            # What it could not write would be tried once more.
            file.raw.close()


#: (what makes the socket, the call): every one fails, here as there.
Case = tuple[Callable[[Any], Any], Callable[[Any, Any], object]]
CALLS: dict[str, Case] = {
    "recv, nothing there": (nonblocking, lambda m, s: s.recv(1)),
    "recv much, nothing there": (nonblocking, lambda m, s: s.recv(1_000_000)),
    "recv peeking, nothing there": (nonblocking, lambda m, s: s.recv(1, m.MSG_PEEK)),
    "recv_into, nothing there": (nonblocking, lambda m, s: s.recv_into(bytearray(1))),
    "recv_into a view, nothing there": (nonblocking, lambda m, s: s.recv_into(memoryview(bytearray(1)))),
    "recv_into much, nothing there": (nonblocking, lambda m, s: s.recv_into(bytearray(1_000_000))),
    "recvfrom, nothing there": (datagrams, lambda m, s: s.recvfrom(1)),
    "recvfrom_into, nothing there": (datagrams, lambda m, s: s.recvfrom_into(bytearray(1))),
    "recvmsg, nothing there": (nonblocking, lambda m, s: s.recvmsg(1, 100)),
    "recvmsg_into, nothing there": (nonblocking, lambda m, s: s.recvmsg_into([bytearray(1), bytearray(2)], 100)),
    "accept, nothing there": (lambda m: listening(m), lambda m, s: s.accept()),
    "recv, too late": (timed, lambda m, s: s.recv(1)),
    "recv_into, too late": (timed, lambda m, s: s.recv_into(bytearray(1))),
    "recvmsg, too late": (timed, lambda m, s: s.recvmsg(1)),
    "a file, too late": (timed, lambda m, s: s.makefile("rb").read(1)),
    "send, full": (nonblocking, lambda m, s: fill(s)),
    "sendall, full": (nonblocking, lambda m, s: s.sendall(b"x" * 10_000_000)),
    "sendall, too late": (timed, lambda m, s: s.sendall(b"x" * 10_000_000)),
    "a file, full": (nonblocking, lambda m, s: fill_file(s)),
    "send, broken": (broken, lambda m, s: s.send(b"x")),
    "sendall, broken": (broken, lambda m, s: s.sendall(b"x")),
    "sendall a view, broken": (broken, lambda m, s: s.sendall(memoryview(b"x"))),
    "sendmsg, broken": (broken, lambda m, s: s.sendmsg([b"x"])),
    "sendmsg of two, broken": (broken, lambda m, s: s.sendmsg([b"x", bytearray(b"y")])),
    "sendto, refused": (datagrams, lambda m, s: s.sendto(b"x" * 70_000, (LOCALHOST, 9))),
    "connect, refused": (stream, lambda m, s: s.connect((LOCALHOST, CLOSED_PORT))),
    "connect, no such path": (unix, lambda m, s: s.connect("/nowhere/at/all")),
    "connect, path too long": (unix, lambda m, s: s.connect("x" * 200)),
    "connect, wrong path": (unix, lambda m, s: s.connect(5)),
    "bind, wrong address": (stream, lambda m, s: s.bind("nonsense")),
    "bind, wrong host": (stream, lambda m, s: s.bind((5, 80))),
    "bind, wrong port": (stream, lambda m, s: s.bind((LOCALHOST, "80"))),
    "bind, port out of range": (stream, lambda m, s: s.bind((LOCALHOST, 70_000))),
    "bind, address not here": (stream, lambda m, s: s.bind(("192.0.2.1", 0))),
    "create_connection, refused": (nothing, lambda m, s: m.create_connection((LOCALHOST, CLOSED_PORT))),
    "create_connection, all errors": (
        nothing,
        lambda m, s: m.create_connection((LOCALHOST, CLOSED_PORT), all_errors=True),
    ),
    "create_server, address not here": (nothing, lambda m, s: m.create_server(("192.0.2.1", 1))),
    "recv, closed": (closed, lambda m, s: s.recv(1)),
    "send, closed": (closed, lambda m, s: s.send(b"x")),
    "settimeout, negative": (stream, lambda m, s: s.settimeout(-1)),
    "settimeout, no number": (stream, lambda m, s: s.settimeout("1")),
    "recv, negative": (stream, lambda m, s: s.recv(-1)),
    "recv, no number": (stream, lambda m, s: s.recv("1")),
    "recv, failing number": (stream, lambda m, s: s.recv(Unindexable())),
    "recv_into, read-only": (stream, lambda m, s: s.recv_into(b"1")),
    "recv_into, no buffer": (stream, lambda m, s: s.recv_into(1)),
    "recv_into, too small": (stream, lambda m, s: s.recv_into(bytearray(1), 2)),
    "recvfrom_into, read-only": (stream, lambda m, s: s.recvfrom_into(b"1")),
    "recvmsg_into, no iterable": (stream, lambda m, s: s.recvmsg_into(1)),
    "recvmsg_into, read-only": (stream, lambda m, s: s.recvmsg_into([b"1"])),
    "send, no buffer": (stream, lambda m, s: s.send("x")),
    "sendall, no buffer": (stream, lambda m, s: s.sendall(1)),
    "sendall, in pieces": (stream, lambda m, s: s.sendall(memoryview(b"abc")[::2])),
    "sendto, no buffer": (datagrams, lambda m, s: s.sendto("x", (LOCALHOST, 9))),
    "sendmsg, no iterable": (stream, lambda m, s: s.sendmsg(1)),
    "sendmsg, no buffers": (stream, lambda m, s: s.sendmsg([1])),
    "sendmsg, no items": (stream, lambda m, s: s.sendmsg([b"x"], 1)),
    "sendmsg, wrong items": (stream, lambda m, s: s.sendmsg([b"x"], [1])),
    "sendmsg, items of two": (stream, lambda m, s: s.sendmsg([b"x"], [(1, 2)])),
    "setsockopt, no such option": (stream, lambda m, s: s.setsockopt(m.SOL_SOCKET, 9999, 1)),
    "setsockopt, wrong value": (stream, lambda m, s: s.setsockopt(m.SOL_SOCKET, 2, 1.5)),
    "setsockopt, no value": (stream, lambda m, s: s.setsockopt(m.SOL_SOCKET, 2, None)),
    "getsockopt, no such option": (stream, lambda m, s: s.getsockopt(m.SOL_SOCKET, 9999)),
    "getsockopt, too long": (stream, lambda m, s: s.getsockopt(m.SOL_SOCKET, 2, 9999)),
    "getpeername, not connected": (stream, lambda m, s: s.getpeername()),
    "shutdown, not connected": (stream, lambda m, s: s.shutdown(2)),
    "socket, no such family": (nothing, lambda m, s: m.socket(9999)),
    "socket, no socket": (nothing, lambda m, s: m.socket(fileno=99_999)),
    "socketpair, no such family": (nothing, lambda m, s: m.socketpair(m.AF_INET)),
    "close, not open": (nothing, lambda m, s: m.close(99_999)),
    "dup, not open": (nothing, lambda m, s: m.dup(99_999)),
    "fromfd, not open": (nothing, lambda m, s: m.fromfd(99_999, m.AF_INET, m.SOCK_STREAM)),
    "getaddrinfo, no number": (nothing, lambda m, s: m.getaddrinfo("256.1.1.1", 1, 0, 0, 0, m.AI_NUMERICHOST)),
    "getaddrinfo, no host": (nothing, lambda m, s: m.getaddrinfo(5, 1)),
    "getaddrinfo, host too long": (nothing, lambda m, s: m.getaddrinfo("x" * 64 + "\xe9", 1)),
    "gethostbyname, no number": (nothing, lambda m, s: m.gethostbyname("256.1.1.1.")),
    "gethostbyname, no host": (nothing, lambda m, s: m.gethostbyname(5)),
    "gethostbyaddr, no host": (nothing, lambda m, s: m.gethostbyaddr(5)),
    "getnameinfo, no address": (nothing, lambda m, s: m.getnameinfo(5, 0)),
    "getnameinfo, no number": (nothing, lambda m, s: m.getnameinfo(("nonsense", 0), 0)),
    "getservbyname, none": (nothing, lambda m, s: m.getservbyname("nonsense")),
    "getservbyport, none": (nothing, lambda m, s: m.getservbyport(1, "nonsense")),
    "getservbyport, out of range": (nothing, lambda m, s: m.getservbyport(70_000)),
    "getprotobyname, none": (nothing, lambda m, s: m.getprotobyname("nonsense")),
    "if_nametoindex, none": (nothing, lambda m, s: m.if_nametoindex("nonsense")),
    "if_indextoname, none": (nothing, lambda m, s: m.if_indextoname(9999)),
    "if_nametoindex, no name": (nothing, lambda m, s: m.if_nametoindex(5)),
    "inet_aton, none": (nothing, lambda m, s: m.inet_aton("nonsense")),
    "inet_pton, none": (nothing, lambda m, s: m.inet_pton(m.AF_INET, "nonsense")),
    "inet_pton, no such family": (nothing, lambda m, s: m.inet_pton(9999, "1.2.3.4")),
    "inet_ntoa, wrong length": (nothing, lambda m, s: m.inet_ntoa(b"1")),
    "inet_ntoa, no buffer": (nothing, lambda m, s: m.inet_ntoa(1)),
    "inet_ntop, no such family": (nothing, lambda m, s: m.inet_ntop(9999, b"1234")),
    # PyPy's own takes all that fits in 32 bits.
    "htons, out of range": (nothing, lambda m, s: m.htons(1 << 40)),
    "htons, out of every range": (nothing, lambda m, s: m.htons(1 << 70)),
    "htonl, no number": (nothing, lambda m, s: m.htonl("1")),
    "CMSG_LEN, out of range": (nothing, lambda m, s: m.CMSG_LEN(-1)),
    "setdefaulttimeout, negative": (nothing, lambda m, s: m.setdefaulttimeout(-1)),
    "makefile, wrong mode": (stream, lambda m, s: s.makefile("a")),
    "sendfile, text": (stream, lambda m, s: s.sendfile(open(__file__))),  # noqa: SIM115
}


def listening(module: Any) -> Any:
    sock = module.create_server((LOCALHOST, 0))
    sock.setblocking(False)
    return Both(sock)


def failure(name: str, module: Any) -> BaseException:
    prepare, call = CALLS[name]
    with prepare(module) as sock:
        try:
            call(module, sock)
        except BaseException as error:
            return error
        finally:
            del sock
    raise AssertionError(f"{name} does not fail")


def hidden(error: BaseException | None) -> list[Any]:
    """The types of the errors that one hides or names as its cause."""
    found: list[Any] = []
    while error is not None:
        found.append((type(error.__context__), type(error.__cause__), error.__suppress_context__))
        error = error.__context__
    return found


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", CALLS)
def test_an_error_hides_no_other(name: str) -> None:
    """A traceback shows what the program did, and not how socketpkg found out; a debugger looks at what is hidden."""
    ours = failure(name, socket)
    theirs = failure(name, stdlib)
    if ours.__context__ is not None and not PYPY:
        assert hidden(ours) == hidden(theirs), (repr(ours), repr(ours.__context__))
    # PyPy's BufferedWriter gives the errno that the last system call of anybody left.
    if (number := getattr(theirs, "errno", None)) is not None and not (PYPY and name == "a file, full"):
        assert getattr(ours, "errno", None) == number


@pytest.mark.skipif(PYPY, reason="its collector is the only way to free anything")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", CALLS)
def test_an_error_leaves_nothing_for_the_collector(name: str) -> None:
    """References in a circle keep the sockets of a traceback, and what else is in its frames, for some while."""
    # tests of frameworks look for this, tornado's for one
    for _ in range(3):
        failure(name, socket)
    gc.collect()
    gc.disable()
    flags = gc.get_debug()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(5):
            failure(name, socket)
        gc.collect()
        left = [item for item in gc.garbage if not isinstance(item, types.FrameType)]
        assert not gc.garbage, left
    finally:
        gc.garbage.clear()
        gc.set_debug(flags)
        gc.enable()


def transfers(module: Any) -> None:
    one, two = module.socketpair()
    with one, two:
        one.sendall(b"x" * 100)
        two.recv(10)
        two.recv_into(bytearray(10))
        two.recvfrom(10)
        two.recvfrom_into(bytearray(10))
        two.recvmsg(10, 100)
        two.recvmsg_into([bytearray(5), bytearray(5)], 100)
        one.sendmsg([b"a", bytearray(b"b")], [(module.SOL_SOCKET, module.SCM_RIGHTS, b"\0\0\0\0")][:0])
        with one.makefile("rwb") as file:
            file.write(b"line\n")
            file.flush()
        with two.makefile() as text:
            text.readline()
    with (
        module.create_server((LOCALHOST, 0)) as server,
        module.create_connection(server.getsockname(), 60) as client,
        server.accept()[0] as peer,
    ):
        client.dup().close()
        peer.getsockopt(module.SOL_SOCKET, module.SO_TYPE, 100)
        peer.setsockopt(module.SOL_SOCKET, module.SO_KEEPALIVE, b"\1\0\0\0")


def lookups(module: Any) -> None:
    module.getaddrinfo("localhost", 80)
    module.getnameinfo((LOCALHOST, 80), module.NI_NUMERICHOST | module.NI_NUMERICSERV)
    module.gethostbyname(LOCALHOST)
    module.gethostbyaddr(LOCALHOST)
    module.getservbyname("http")
    module.getservbyport(80)
    module.getprotobyname("tcp")
    module.if_nameindex()
    module.if_indextoname(1)
    module.gethostname()
    module.inet_pton(module.AF_INET6, "::1")


@pytest.mark.skipif(PYPY, reason="its collector is the only way to free anything")
@pytest.mark.parametrize("use", [transfers, lookups])
def test_what_works_leaves_nothing_for_the_collector(use: Callable[[Any], None]) -> None:
    for _ in range(3):
        use(socket)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            use(socket)
        assert gc.collect() == 0
    finally:
        gc.enable()
