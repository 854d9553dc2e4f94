"""The operations that are measured. Each checks, outside the timed part, that what was sent has arrived."""

from __future__ import annotations

import array
import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter_ns as now
from typing import Any

from .messages import recvmsg_into, scm_rights, send_fds, sendmsg
from .scenario import BATCH, Loop, Scenario, Skip, arrived, counted, timed

LARGE = 1 << 18
BLOCK = 1 << 16
MEBIBYTE = 1 << 20
NUMERIC = "127.0.0.1"
#: The objects whose memory is measured.
OBJECTS = 500


# -- transfer ----------------------------------------------------------------------------------------------------------


@contextmanager
def send_recv(s: Any, timeout: float | None = None) -> Iterator[Loop]:
    """One byte through a socketpair."""
    a, b = s.socketpair()
    with a, b:
        a.settimeout(timeout)
        b.settimeout(timeout)
        yield timed("a.send(b'x')\ndata = b.recv(1)", locals(), lambda found: arrived(found["data"], b"x", b))


def send_recv_timeout(s: Any) -> Any:
    """The same, on sockets with a timeout."""
    return send_recv(s, 30.0)


@contextmanager
def send(s: Any) -> Iterator[Loop]:
    """One byte sent; receiving it is not timed."""
    a, b = s.socketpair()
    with a, b:

        def after(found: dict[str, Any]) -> None:
            arrived(os.read(b.fileno(), found["count"]), b"x" * found["count"], b)

        yield timed("a.send(b'x')", {"a": a}, after, batch=BATCH)


@contextmanager
def recv(s: Any) -> Iterator[Loop]:
    """One byte received; sending it is not timed."""
    a, b = s.socketpair()
    with a, b:
        yield timed(
            "data = b.recv(1)",
            {"b": b},
            lambda found: arrived(found["data"], b"x", b),
            before=lambda count: os.write(a.fileno(), b"x" * count),
            batch=BATCH,
        )


@contextmanager
def recv_into(s: Any) -> Iterator[Loop]:
    """One byte received into a buffer; sending it is not timed."""
    a, b = s.socketpair()
    with a, b:
        buffer = bytearray(1)

        def before(count: int) -> None:
            os.write(a.fileno(), b"x" * count)
            buffer[:] = b"-"

        yield timed(
            "b.recv_into(buffer)",
            {"b": b, "buffer": buffer},
            lambda found: arrived(buffer, b"x", b),
            before,
            batch=BATCH,
        )


_EAGAIN = """
try:
    b.recv(1)
except BlockingIOError:
    pass
else:
    raise RuntimeError("a recv found something where nothing was sent")
"""


@contextmanager
def eagain(s: Any) -> Iterator[Loop]:
    """A non-blocking recv that finds nothing."""
    a, b = s.socketpair()
    with a, b:
        b.setblocking(False)

        def after(_: dict[str, Any]) -> None:
            a.send(b"x")
            arrived(b.recv(2), b"x", b)

        yield timed(_EAGAIN.strip(), {"b": b}, after)


#: mallopt(3): glibc hands out sizes from here on as mappings of their own, which cost system calls and page faults. A
#: program begins with 128 KiB; when it frees a larger block the limit rises to the size of that.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MAPPED = 128 << 10
#: The bit of the size before a block that says that glibc has mapped it (malloc/malloc.c).
_IS_MMAPPED = 2


@contextmanager
def _large_blocks(limit: int) -> Iterator[None]:
    """Keeps that limit while the block runs: what the process happens to have freed before must not decide the figure.

    With the limit of a program that has just begun, the free blocks of that size in its heap are allocated before.
    """
    try:
        library = ctypes.CDLL(None)
        mallopt, malloc_trim, malloc, free = library.mallopt, library.malloc_trim, library.malloc, library.free
    except (AttributeError, OSError):
        yield  # a C library with an allocator of another kind
        return
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    free.argtypes = [ctypes.c_void_p]
    malloc_trim(0)  # what the import of modules has left at the heap's end would serve as well
    mallopt(_M_MMAP_THRESHOLD, limit)
    mallopt(_M_TRIM_THRESHOLD, 2 * limit)  # as glibc does when it moves the limit itself
    taken: list[int] = []
    while limit < LARGE and len(taken) < 1000:
        taken.append(malloc(LARGE))
        if ctypes.c_size_t.from_address(taken[-1] - ctypes.sizeof(ctypes.c_size_t)).value & _IS_MMAPPED:
            break
    try:
        yield
    finally:
        for block in taken:
            free(block)
        mallopt(_M_MMAP_THRESHOLD, _MAPPED)
        mallopt(_M_TRIM_THRESHOLD, 2 * _MAPPED)


def _recv_large(s: Any, limit: int) -> Iterator[Loop]:
    a, b = s.socketpair()
    message = bytes(range(16))
    with a, b, _large_blocks(limit):
        yield timed(
            "data = b.recv(size)",
            {"b": b, "size": LARGE},
            lambda found: arrived(found["data"], message),
            before=lambda count: os.write(a.fileno(), message),
            batch=1,
        )
        arrived(None, None, b)


@contextmanager
def recv_large(s: Any) -> Iterator[Loop]:
    """A receive that allows for much and gets little, in a program that has freed no large block yet."""
    yield from _recv_large(s, _MAPPED)


@contextmanager
def recv_large_later(s: Any) -> Iterator[Loop]:
    """The same in a program that has freed a large block, whose allocator keeps such blocks."""
    yield from _recv_large(s, 2 * LARGE)


@contextmanager
def recv_into_block(s: Any) -> Iterator[Loop]:
    """64 KiB received into a buffer; sending them is not timed."""
    a, b = s.socketpair()
    with a, b:
        block = bytes(range(256)) * (BLOCK // 256)
        buffer = bytearray(BLOCK)

        def before(_: int) -> None:
            buffer[:1] = buffer[-1:] = b"-"
            counted(os.write(a.fileno(), block), BLOCK, "bytes")

        def after(found: dict[str, Any]) -> None:
            counted(found["got"], BLOCK, "bytes")
            arrived(buffer[:1] + buffer[-1:], block[:1] + block[-1:])

        yield timed("got = b.recv_into(buffer)", {"b": b, "buffer": buffer}, after, before, batch=1)
        arrived(buffer, block, b)


def _recv_full(size: int) -> Any:
    """A recv of *size* bytes that gets them all; sending them is not timed."""

    @contextmanager
    def setup(s: Any) -> Iterator[Loop]:
        a, b = s.socketpair()
        with a, b:
            block = bytes(range(256)) * (size // 256)
            yield timed(
                "data = b.recv(size)",
                {"b": b, "size": size},
                lambda found: arrived(found["data"], block),
                before=lambda count: counted(os.write(a.fileno(), block * count), count * size, "bytes"),
                batch=2 * BLOCK // size,  # what a socketpair takes at once
            )
            arrived(None, None, b)

    return setup


#: Sends back what it gets, on a descriptor; in a process of its own, the same for every target.
_ECHO = """
import os, sys
descriptor = int(sys.argv[1])
while data := os.read(descriptor, 1):
    os.write(descriptor, data)
"""


def _waiting(timeout: float | None) -> Any:
    """A byte to another process, and the receive that has to wait for it to come back."""

    @contextmanager
    def setup(s: Any) -> Iterator[Loop]:
        with ExitStack() as stack:
            a, b = s.socketpair()
            with a:
                with b:
                    command = [sys.executable, "-I", "-S", "-c", _ECHO, str(b.fileno())]
                    peer = stack.enter_context(subprocess.Popen(command, pass_fds=[b.fileno()]))
                a.settimeout(timeout)
                yield timed("a.send(b'x')\ndata = a.recv(1)", {"a": a}, lambda found: arrived(found["data"], b"x", a))
            peer.wait()

    return setup


#: Reads as many bytes as an order says, looks at each of them if it says so, and answers with what it has counted.
_READER = """
import os, sys
source, buffer = int(sys.argv[1]), bytearray(1 << 18)
while order := os.read(0, 9):
    look, wanted = order[0], int.from_bytes(order[1:], "big")
    left, right = wanted, 0
    while left and (got := os.readv(source, [buffer])):
        left -= got
        right += buffer.count(b"x", 0, got) if look else got
    os.write(1, b"%d %d\\n" % (wanted - left, right))
"""


@contextmanager
def sendall(s: Any) -> Iterator[Loop]:
    """1 MiB sent to another process, which is the same for every target. Timed until that process has all of it."""
    a, b = s.socketpair()
    with a, b, ExitStack() as stack:
        command = [sys.executable, "-I", "-S", "-c", _READER, str(b.fileno())]
        pipe = subprocess.PIPE
        reader = stack.enter_context(
            subprocess.Popen(command, stdin=pipe, stdout=pipe, pass_fds=[b.fileno()], bufsize=0)
        )
        stack.callback(reader.kill)
        b.close()
        orders: Any = reader.stdin
        answers: Any = reader.stdout
        data = b"x" * MEBIBYTE

        def transfer(times: int, look: bool = False) -> int:
            size = times * MEBIBYTE
            orders.write(bytes([look]) + size.to_bytes(8, "big"))
            start = now()
            for _ in range(times):
                a.sendall(data)
            answer = answers.readline()
            elapsed = now() - start
            arrived(answer, b"%d %d\n" % (size, size))
            return elapsed

        transfer(1, look=True)
        yield transfer


def _udp(s: Any, family: int, host: str) -> Iterator[Loop]:
    try:
        a, b = s.socket(family, s.SOCK_DGRAM), s.socket(family, s.SOCK_DGRAM)
        with a, b:
            a.bind((host, 0))
            b.bind((host, 0))
            message, address, source = b"0123456789abcdef", b.getsockname(), a.getsockname()
            yield timed(
                "a.sendto(message, address)\nreceived = b.recvfrom(1024)",
                {"a": a, "b": b, "message": message, "address": address},
                lambda found: arrived(found["received"], (message, source), b),
            )
    except OSError as error:
        raise Skip(f"no UDP over {host}: {error}") from error


@contextmanager
def udp4(s: Any) -> Iterator[Loop]:
    """A datagram over IPv4."""
    yield from _udp(s, s.AF_INET, "127.0.0.1")


@contextmanager
def udp6(s: Any) -> Iterator[Loop]:
    """A datagram over IPv6."""
    yield from _udp(s, s.AF_INET6, "::1")


# -- sockets and connections -------------------------------------------------------------------------------------------


@contextmanager
def socket_close(s: Any) -> Iterator[Loop]:
    """A socket made and closed."""
    yield timed("sock = s.socket()\nsock.close()", {"s": s}, lambda found: arrived(found["sock"].fileno(), -1))


@contextmanager
def with_socket(s: Any) -> Iterator[Loop]:
    """A socket in a with statement that has nothing to do."""
    yield timed("with s.socket() as sock:\n    pass", {"s": s}, lambda found: arrived(found["sock"].fileno(), -1))


@contextmanager
def socketpair(s: Any) -> Iterator[Loop]:
    """A pair made, and both of its ends closed."""
    after = lambda found: arrived((found["a"].fileno(), found["b"].fileno()), (-1, -1))  # noqa: E731
    yield timed("a, b = s.socketpair()\na.close()\nb.close()", {"s": s}, after)


@contextmanager
def dup(s: Any) -> Iterator[Loop]:
    """A socket duplicated, and the duplicate closed."""
    with s.socket() as sock:
        after = lambda found: arrived((found["other"].fileno(), sock.fileno() >= 0), (-1, True))  # noqa: E731
        yield timed("other = sock.dup()\nother.close()", {"sock": sock}, after)


def _listener(s: Any) -> Any:
    """A listener whose connections end by a reset when this side closes them: none stays behind in TIME_WAIT."""
    listener = s.create_server((NUMERIC, 0), backlog=2 * BATCH)
    listener.setsockopt(s.SOL_SOCKET, s.SO_LINGER, array.array("i", [1, 0]).tobytes())  # the accepted ones inherit it
    return listener


_TCP = """
client = s.socket(family, kind)
client.connect(address)
server, peer = listener.accept()
server.close()
client.close()
"""


@contextmanager
def tcp(s: Any) -> Iterator[Loop]:
    """A connection over TCP loopback: made, accepted, closed."""
    with _listener(s) as listener:
        address = listener.getsockname()

        def after(_: dict[str, Any]) -> None:
            with s.create_connection(address) as client, listener.accept()[0] as server:
                client.sendall(b"x")
                arrived((server.recv(2), server.getpeername()), (b"x", client.getsockname()), listener, server)

        names = {"s": s, "listener": listener, "address": address, "family": s.AF_INET, "kind": s.SOCK_STREAM}
        yield timed(_TCP.strip(), names, after)


@contextmanager
def create_connection(s: Any) -> Iterator[Loop]:
    """create_connection to a numeric address, and close. Accepting is not timed."""
    with _listener(s) as listener:
        address = listener.getsockname()

        def after(found: dict[str, Any]) -> None:
            for _ in range(found["count"]):
                with listener.accept()[0] as server:
                    arrived(server.recv(1), b"")
            arrived(None, None, listener)

        yield timed("s.create_connection(address).close()", {"s": s, "address": address}, after, batch=BATCH)


def _connected(s: Any, stack: ExitStack) -> tuple[Any, Any]:
    listener = stack.enter_context(_listener(s))
    client = stack.enter_context(s.create_connection(listener.getsockname()))
    return client, stack.enter_context(listener.accept()[0])


def _name(method: str, of_peer: str) -> Any:
    """The method of a TCP socket that returns an address, which the method *of_peer* of the other end returns too."""

    @contextmanager
    def setup(s: Any) -> Iterator[Loop]:
        with ExitStack() as stack:
            client, server = _connected(s, stack)
            expected = getattr(server, of_peer)()
            after = lambda found: arrived(found["name"], expected)  # noqa: E731
            yield timed(f"name = client.{method}()", {"client": client}, after)

    return setup


getsockname = _name("getsockname", "getpeername")
getpeername = _name("getpeername", "getsockname")


@contextmanager
def getsockopt(s: Any) -> Iterator[Loop]:
    """An option that is an int."""
    with s.socket() as sock:
        names = {"sock": sock, "level": s.SOL_SOCKET, "option": s.SO_TYPE}
        after = lambda found: arrived(found["value"], s.SOCK_STREAM)  # noqa: E731
        yield timed("value = sock.getsockopt(level, option)", names, after)


@contextmanager
def setsockopt(s: Any) -> Iterator[Loop]:
    """The same, set."""
    with s.socket() as sock:
        level, option = s.SOL_SOCKET, s.SO_KEEPALIVE
        yield timed(
            "sock.setsockopt(level, option, 1)",
            {"sock": sock, "level": level, "option": option},
            lambda found: arrived(bool(sock.getsockopt(level, option)), True),
            before=lambda count: sock.setsockopt(level, option, 0),
        )


def _settimeout(seconds: float) -> Any:
    """A timeout set, on a socket that has one. The kernel is told all the same, by every module."""

    @contextmanager
    def setup(s: Any) -> Iterator[Loop]:
        with s.socket() as sock:
            sock.settimeout(1.0)
            after = lambda found: arrived(sock.gettimeout(), seconds)  # noqa: E731
            yield timed("sock.settimeout(seconds)", {"sock": sock, "seconds": seconds}, after)

    return setup


# -- functions ---------------------------------------------------------------------------------------------------------


@contextmanager
def getaddrinfo(s: Any) -> Iterator[Loop]:
    """A host and a port that are numbers."""
    expected = [(s.AF_INET, s.SOCK_STREAM, s.IPPROTO_TCP, "", (NUMERIC, 80))]
    names = {"s": s, "host": NUMERIC, "kind": s.SOCK_STREAM}
    yield timed("result = s.getaddrinfo(host, 80, 0, kind)", names, lambda found: arrived(found["result"], expected))


@contextmanager
def getnameinfo(s: Any) -> Iterator[Loop]:
    """The way back: nothing is looked up."""
    names = {"s": s, "address": (NUMERIC, 80), "flags": s.NI_NUMERICHOST | s.NI_NUMERICSERV}
    expected = (NUMERIC, "80")
    yield timed("result = s.getnameinfo(address, flags)", names, lambda found: arrived(found["result"], expected))


def _function(call: str, expected: Any) -> Any:
    """A function of the module, with constants for arguments."""

    @contextmanager
    def setup(s: Any) -> Iterator[Loop]:
        names = {"s": s, "family": s.AF_INET}
        yield timed(f"result = s.{call}", names, lambda found: arrived(found["result"], expected))

    return setup


inet_pton = _function("inet_pton(family, '192.0.2.33')", b"\xc0\0\2\x21")
inet_ntop = _function("inet_ntop(family, b'\\xc0\\0\\2\\x21')", "192.0.2.33")
htons = _function("htons(8080)", int.from_bytes((8080).to_bytes(2, "big"), sys.byteorder))


# -- files -------------------------------------------------------------------------------------------------------------


@contextmanager
def readline(s: Any) -> Iterator[Loop]:
    """A line through makefile(), each in a message of its own."""
    a, b = s.socketpair()
    with a, b, b.makefile("rb") as file:
        line = b"GET / HTTP/1.1\r\n"
        names = {"a": a, "file": file, "line": line}
        yield timed("a.sendall(line)\ndata = file.readline()", names, lambda found: arrived(found["data"], line, b))


_PING_PONG = r"""
client.sendall(b'GET / HTTP/1.1\r\n')
request = requests.readline()
server.sendall(b'HTTP/1.1 200 OK\r\n')
answer = answers.readline()
"""


@contextmanager
def ping_pong(s: Any) -> Iterator[Loop]:
    """A request and its answer over TCP loopback, both read as lines."""
    with ExitStack() as stack:
        client, server = _connected(s, stack)
        for sock in (client, server):
            sock.setsockopt(s.IPPROTO_TCP, s.TCP_NODELAY, 1)
        requests = stack.enter_context(server.makefile("rb"))
        answers = stack.enter_context(client.makefile("rb"))
        lines = b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n"
        names = {"client": client, "server": server, "requests": requests, "answers": answers}
        after = lambda found: arrived((found["request"], found["answer"]), lines, client, server)  # noqa: E731
        yield timed(_PING_PONG.strip(), names, after)


# -- the module and its objects ----------------------------------------------------------------------------------------

#: The import in an interpreter as bare as one can be: with what `site` has imported, and nothing that the finder of an
#: editable installation or a .pth file brings in, which would be there already for some of what is measured.
_IMPORT = """
import site, sys
sys.pycache_prefix = {cache!r}
sys.path += [entry for entry in {path!r} if entry not in sys.path]
from time import perf_counter_ns as now
{before}
start = now()
import {name}
print(now() - start, {name}.__name__)
"""


def _found_in(modules: Iterable[Any]) -> list[str]:
    """The folders of the path, and those in which the packages of *modules* are, which a finder may have found."""
    files = [module.__file__ for module in modules if getattr(module, "__path__", None) and "." not in module.__name__]
    return [*filter(None, sys.path), *sorted({os.path.dirname(os.path.dirname(file)) for file in files if file})]


def _import(s: Any, before: str = "") -> Iterator[Loop]:
    with tempfile.TemporaryDirectory(prefix="socketpkg-bench-") as cache:
        path = _found_in(list(sys.modules.values()))
        # -I: the environment may say that no bytecode is to be written.
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            _IMPORT.format(cache=cache, path=path, before=before, name=s.__name__),
        ]

        def loop(loops: int) -> int:
            elapsed = 0
            for _ in range(loops):
                done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
                nanoseconds, name = done.stdout.split()
                arrived(name, s.__name__)
                elapsed += int(nanoseconds)
            return elapsed

        loop(1)  # leaves the bytecode in its cache, and the files in the kernel's
        yield loop


@contextmanager
def import_module(s: Any) -> Iterator[Loop]:
    """The import in a fresh interpreter, with the bytecode cached as after an installation: timed within it."""
    yield from _import(s)


@contextmanager
def import_late(s: Any) -> Iterator[Loop]:
    """The same in a program that has imported before what most programs have."""
    yield from _import(s, "import re, selectors, array")


@contextmanager
def memory(s: Any) -> Iterator[Loop]:
    """The memory of one open socket in this process, as its allocators count it; the kernel's part is not in it."""
    try:
        import tracemalloc
    except ImportError:
        raise Skip("this Python has no tracemalloc") from None

    def loop(loops: int) -> int:
        s.socket().close()
        total = 0
        for _ in range(loops):
            sockets = [None] * OBJECTS
            tracemalloc.start()
            try:
                before = tracemalloc.get_traced_memory()[0]
                for position in range(OBJECTS):
                    sockets[position] = s.socket()
                after = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
                opened = 0
                for sock in sockets:
                    if sock is not None:
                        opened += sock.fileno() >= 0
                        sock.close()
            counted(opened, OBJECTS, "sockets")
            total += (after - before) // OBJECTS
        return total

    yield loop


def _goals(c: float, cffi: float, ctypes: float) -> dict[str, float]:
    return {"c": c, "cffi": cffi, "ctypes": ctypes}


#: The nanoseconds a call that the c backend may cost above the raw loop.
THIN = {"c": 150.0}
#: What no row is to exceed where nothing stricter is set.
COMMON = _goals(1.0, 1.5, 2.0)
#: What several buffers are to cost: as long as they fit into some KiB, and beyond.
FEW_KIB, MORE = _goals(1.0, 1.5, 1.5), _goals(1.0, 3.0, 3.0)

OPERATIONS = (
    Scenario("send-recv", "socketpair send + recv of 1 byte", send_recv, _goals(0.85, 1.3, 2.0)),
    Scenario("send-recv-timeout", "the same with a timeout set", send_recv_timeout, _goals(0.55, 0.85, 1.3)),
    Scenario("send", "send of 1 byte, alone", send, COMMON, THIN),
    Scenario("recv", "recv of 1 byte, alone", recv, COMMON, THIN),
    Scenario("recv-4k", "recv of a full 4 KiB", _recv_full(4096), COMMON),
    Scenario("recv-16k", "recv of a full 16 KiB", _recv_full(16384), COMMON),
    Scenario("recv-64k", "recv of a full 64 KiB", _recv_full(BLOCK), COMMON),
    Scenario("recv-large", "recv(262144) that gets 16 bytes", recv_large, _goals(0.25, 0.4, 0.6), alone=False),
    Scenario("recv-large-later", "recv(262144) after a large block was freed", recv_large_later, COMMON, alone=False),
    Scenario("recv-into", "recv_into of 1 byte, alone", recv_into, COMMON, THIN),
    Scenario("recv-into-64k", "recv_into of 64 KiB", recv_into_block, _goals(1.0, 1.0, 1.0), alone=False),
    Scenario("eagain", "non-blocking recv that finds nothing", eagain, _goals(0.65, 1.2, 1.5)),
    Scenario("wait", "send, and a recv that waits for the answer", _waiting(None), COMMON),
    Scenario("wait-timeout", "the same with a timeout", _waiting(30.0), _goals(0.9, 1.5, 2.0)),
    Scenario("sendall-1m", "sendall of 1 MiB", sendall, _goals(1.0, 1.0, 1.0), alone=False),
    Scenario("udp4", "UDP sendto + recvfrom, IPv4", udp4, _goals(0.85, 1.3, 2.0)),
    Scenario("udp6", "UDP sendto + recvfrom, IPv6", udp6, _goals(0.85, 1.3, 2.0)),
    Scenario("sendmsg-1", "sendmsg of 1 buffer of 16 bytes", sendmsg(1), FEW_KIB),
    Scenario("sendmsg-64", "sendmsg of 64", sendmsg(64), FEW_KIB),
    Scenario("sendmsg-1024", "sendmsg of 1,024", sendmsg(1024), MORE),
    Scenario("recvmsg-into-1", "recvmsg_into of 1 buffer of 16 bytes", recvmsg_into(1), FEW_KIB),
    Scenario("recvmsg-into-64", "recvmsg_into of 64", recvmsg_into(64), FEW_KIB),
    Scenario("recvmsg-into-1024", "recvmsg_into of 1,024", recvmsg_into(1024), MORE),
    Scenario("scm-rights", "sendmsg + recvmsg with one SCM_RIGHTS", scm_rights, _goals(0.8, 1.4, 2.0)),
    Scenario("send-fds", "send_fds + recv_fds of one descriptor", send_fds, _goals(0.95, 1.5, 2.0)),
    Scenario("socket-close", "socket() + close()", socket_close, _goals(0.85, 1.2, 1.6)),
    Scenario("with-socket", "with socket()", with_socket, _goals(0.85, 1.5, 2.0)),
    Scenario("socketpair", "socketpair() + close() of both", socketpair, _goals(0.9, 1.5, 2.0)),
    Scenario("dup", "dup() + close()", dup, COMMON),
    Scenario("tcp", "connect + accept + close over TCP loopback", tcp, _goals(0.9, 1.05, 1.2)),
    Scenario("create-connection", "create_connection to a numeric address", create_connection, _goals(0.9, 1.0, 1.2)),
    Scenario("getsockname", "getsockname", getsockname, _goals(0.75, 1.3, 2.0)),
    Scenario("getpeername", "getpeername", getpeername, _goals(0.75, 1.3, 2.0)),
    Scenario("getsockopt", "getsockopt", getsockopt, _goals(0.75, 1.3, 2.0), THIN),
    Scenario("setsockopt", "setsockopt", setsockopt, _goals(0.75, 1.3, 2.0)),
    Scenario("settimeout", "settimeout(5)", _settimeout(5), COMMON),
    Scenario("settimeout-float", "settimeout(2.5)", _settimeout(2.5), COMMON),
    Scenario("getaddrinfo", "getaddrinfo of a numeric host and port", getaddrinfo, _goals(0.3, 0.5, 0.6)),
    Scenario("getnameinfo", "getnameinfo of a numeric host and port", getnameinfo, _goals(1.0, 2.0, 2.0)),
    Scenario("inet_pton", "inet_pton", inet_pton, _goals(0.9, 1.5, 2.0)),
    Scenario("inet_ntop", "inet_ntop", inet_ntop, _goals(0.9, 1.5, 2.0)),
    Scenario("htons", "htons", htons, _goals(0.9, 1.5, 2.0)),
    Scenario("readline", "makefile('rb').readline", readline, _goals(0.9, 1.2, 1.6)),
    Scenario("ping-pong", "request and answer ping-pong, by lines", ping_pong, _goals(0.9, 1.2, 1.6)),
    Scenario(
        "import",
        "import of the module",
        import_module,
        _goals(0.6, 1.3, 1.5),
        alone=False,
        most_loops=1,
        most_rounds=15,
    ),
    Scenario(
        "import-late",
        "the same after import re, selectors, array",
        import_late,
        {"c": 1.2},
        alone=False,
        most_loops=1,
        most_rounds=15,
    ),
    Scenario(
        "memory",
        "memory of one socket object",
        memory,
        {"c": 1.0},
        alone=False,
        unit="byte",
        most_loops=1,
        most_rounds=3,
    ),
)

#: By name, in the order in which they are measured.
LOOPS: dict[str, Scenario] = {scenario.name: scenario for scenario in OPERATIONS}
