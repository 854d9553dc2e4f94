"""Makes each system call of one engine fail with each errno, and tells as JSON what a program then saw.

    LD_PRELOAD=shim.so python child.py ENGINE [CASES]

For each scene (a call of a program, with what it needs) and each timeout, the scene is played once to see which system
calls it makes. Then once for each of these, each errno that its man page names, and each of: the first such call
fails, the second, all of them. With *CASES*, JSON as it tells it, only these are played.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import gc
import importlib
import json
import os
import signal
import socket as stdlib
import sys
import tempfile
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

#: What the man pages of section 2 name, and for poll, dup, close and fcntl what a socket can have of it.
ERRORS = {
    "accept": "EAGAIN EBADF ECONNABORTED EFAULT EINTR EINVAL EMFILE ENFILE ENOBUFS ENOMEM ENOTSOCK EOPNOTSUPP "
    "EPERM EPROTO",
    "bind": "EACCES EADDRINUSE EBADF EINVAL ENOTSOCK EADDRNOTAVAIL EFAULT ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR "
    "EROFS",
    "close": "EBADF EINTR EIO ENOSPC EDQUOT ECONNRESET",
    "connect": "EACCES EPERM EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNREFUSED EFAULT EISCONN "
    "ENETUNREACH ENOTSOCK EPROTOTYPE ETIMEDOUT",
    "dup": "EBADF EBUSY EINTR EMFILE ENOMEM",
    "fcntl": "EBADF EINTR EINVAL EMFILE EPERM",
    "gethostname": "EFAULT EINVAL ENAMETOOLONG EPERM",
    "getpeername": "EBADF EFAULT EINVAL ENOBUFS ENOTCONN ENOTSOCK",
    "getsockname": "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK",
    "getsockopt": "EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK",
    "ioctl": "EBADF EFAULT EINVAL ENOTTY",
    "listen": "EADDRINUSE EBADF ENOTSOCK EOPNOTSUPP",
    "poll": "EFAULT EINTR EINVAL ENOMEM",
    "recv": "EAGAIN EBADF ECONNREFUSED EFAULT EINTR EINVAL ENOMEM ENOTCONN ENOTSOCK",
    "send": "EACCES EAGAIN EALREADY EBADF ECONNRESET EDESTADDRREQ EFAULT EINTR EINVAL EISCONN EMSGSIZE ENOBUFS ENOMEM "
    "ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE",
    "sendfile": "EAGAIN EBADF EFAULT EINVAL EIO ENOMEM EOVERFLOW ESPIPE",
    "setsockopt": "EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK",
    "shutdown": "EBADF EINVAL ENOTCONN ENOTSOCK",
    "socket": "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT",
    "socketpair": "EAFNOSUPPORT EFAULT EMFILE ENFILE EOPNOTSUPP EPROTONOSUPPORT",
}
ERRORS["recvmsg"] = ERRORS["recv"]
ERRORS["recvmmsg"] = ERRORS["recv"]
ERRORS["sendmsg"] = ERRORS["send"]
ERRORS["sendmmsg"] = ERRORS["send"]

#: Which of the calls fail.
TIMES = {"first": (1, 1), "second": (2, 2), "every": (1, 2**31 - 1)}
#: Whether the engine is a stack.
IS_STACK = "+" in "".join(sys.argv[1:2])
#: Longer than any scene takes that nothing but the alarm ends, and the timeout of sockets that have one, in seconds.
PATIENCE = 0.5 if IS_STACK else 0.2  # a layer makes more calls, in Python
TIMEOUT = 0.03

SENT = b"0123456789"
MUCH = bytes(range(256)) * 2000

module: types.ModuleType


class Interrupted(BaseException):
    """The alarm."""


class Scene:
    """A call of a program: what it needs, the call itself, and what has become of the bytes."""

    #: None where all of it is right, else what is wrong. Called with what `act` gave, None when it raised.
    check: Callable[[Any], str | None]

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.own: list[Any] = []

    def keep(self, *things: Any) -> Any:
        """Closes them when the scene is over."""
        self.own += things
        return things[0] if len(things) == 1 else things

    def end(self) -> None:
        """The scene is over."""
        for thing in self.own:
            with suppress(OSError):
                thing.close()
        self.own.clear()


Play = Callable[[Scene], Callable[[], Any]]
SCENES: dict[str, Play] = {}
#: Scenes of what the standard library lacks.
EXTRA: set[str] = set()
#: Scenes that no timeout matters for.
PLAIN: set[str] = set()


def scene(plain: bool = False, extra: bool = False) -> Callable[[Play], Play]:
    """Adds one."""

    def add(play: Play) -> Play:
        SCENES[play.__name__] = play
        if plain:
            PLAIN.add(play.__name__)
        if extra:
            EXTRA.add(play.__name__)
        return play

    return add


def drained(peer: Any) -> bytes:
    """All that a socket has to receive now."""
    peer.settimeout(0)
    parts = []
    with suppress(BlockingIOError, ConnectionResetError):
        while part := peer.recv(1 << 20):
            parts.append(part)
    return b"".join(parts)


def peers() -> Any:
    """The module that the other sides are made with: a network of a layer has no sockets of the standard library."""
    return module if IS_STACK else stdlib


def pair(scene: Scene, kind: int = stdlib.SOCK_STREAM) -> tuple[Any, Any]:
    """The socket under test, and the other end."""
    one, two = stdlib.socketpair(stdlib.AF_UNIX, kind)
    sock = module.socket(stdlib.AF_UNIX, kind, 0, one.detach())
    scene.keep(sock, two)
    sock.settimeout(scene.timeout)
    return sock, two


def receiving(name: str, call: Callable[[Any], Any], got: Callable[[Any], bytes], extra: bool = False) -> None:
    """A scene of a call that receives what is there already, by one of a stream and one of datagrams."""

    def stream(scene: Scene) -> Callable[[], Any]:
        sock, peer = pair(scene)
        peer.sendall(SENT)

        def check(result: Any) -> str | None:
            whole = (b"" if result is None else got(result)) + drained(sock)
            return None if whole == SENT else f"received {whole!r} of {SENT!r}"

        scene.check = check
        return lambda: call(sock)

    def datagrams(scene: Scene) -> Callable[[], Any]:
        sock, peer = pair(scene, stdlib.SOCK_DGRAM)
        peer.send(SENT[:4])
        peer.send(SENT[4:])

        def check(result: Any) -> str | None:
            whole = (b"" if result is None else got(result)) + drained(sock)
            return None if whole == SENT else f"received {whole!r} of {SENT!r}"

        scene.check = check
        return lambda: call(sock)

    if not extra:
        stream.__name__ = f"{name}_stream"
        scene()(stream)
    datagrams.__name__ = f"{name}_datagrams"
    scene(extra=extra)(datagrams)


room = bytearray(64)
receiving("recv", lambda sock: sock.recv(64), bytes)
receiving("recv_much", lambda sock: sock.recv(300000), bytes)
receiving("recvfrom", lambda sock: sock.recvfrom(64), lambda result: bytes(result[0]))
receiving("recv_into", lambda sock: sock.recv_into(room), lambda count: bytes(room[:count]))
receiving("recvfrom_into", lambda sock: sock.recvfrom_into(room), lambda result: bytes(room[: result[0]]))
receiving("recvmsg", lambda sock: sock.recvmsg(64, 64), lambda result: bytes(result[0]))
receiving("recvmsg_into", lambda sock: sock.recvmsg_into([room], 64), lambda result: bytes(room[: result[0]]))
# The raw file of a non-blocking socket gives None where there is nothing.
receiving("makefile_read", lambda sock: sock.makefile("rb", 0).read(64) or b"", bytes)
receiving("recvmmsg", lambda sock: sock.recvmmsg(4, 64), lambda r: b"".join(data for data, _ in r), extra=True)
receiving("recv_segments", lambda sock: sock.recv_segments(64), lambda r: b"".join(r[0]), extra=True)


def sending(name: str, call: Callable[[Any], Any], count: Callable[[Any], int | None], data: bytes = SENT) -> None:
    """A scene of a call that sends *data*; *count* says how many bytes its result stands for."""

    def stream(scene: Scene) -> Callable[[], Any]:
        sock, peer = pair(scene)

        def check(result: Any) -> str | None:
            got = drained(peer)
            if data[: len(got)] != got:
                return "other bytes arrived than were sent"
            if result is not None and (said := count(result)) != len(got):
                return f"{len(got)} bytes arrived, and the call said {said}"
            return None

        scene.check = check
        return lambda: call(sock)

    stream.__name__ = name
    scene()(stream)


sending("send", lambda sock: sock.send(SENT), int)
sending("send_much", lambda sock: sock.send(MUCH[:100000]), int, MUCH)
sending("sendall", lambda sock: (sock.sendall(SENT), 10), lambda result: result[1])
sending("sendmsg", lambda sock: sock.sendmsg([SENT[:4], SENT[4:]]), int)
sending("sendmsg_one", lambda sock: sock.sendmsg([SENT]), int)
sending("makefile_write", lambda sock: sock.makefile("wb", 0).write(SENT) or 0, int)


@scene()
def sendall_in_rounds(scene: Scene) -> Callable[[], Any]:
    sock, peer = pair(scene)
    got: list[bytes] = []

    def read() -> None:
        while part := os.read(peer.fileno(), 65536):
            got.append(part)

    reader = threading.Thread(target=read)
    reader.start()

    def check(result: Any) -> str | None:
        with suppress(OSError):
            stdlib.socket.shutdown(peer, stdlib.SHUT_RD) if sock.fileno() < 0 else sock.shutdown(stdlib.SHUT_WR)
        reader.join()
        whole = b"".join(got)
        if MUCH[: len(whole)] != whole:
            return "other bytes arrived than were sent"
        return "bytes are missing" if result is not None and whole != MUCH else None

    scene.check = check
    return lambda: (sock.sendall(MUCH), 1)


@scene()
def sendto(scene: Scene) -> Callable[[], Any]:
    one, two = (module.socket(stdlib.AF_INET, stdlib.SOCK_DGRAM) for _ in range(2))
    scene.keep(one, two)
    two.bind(("127.0.0.1", 0))
    one.settimeout(scene.timeout)
    address = two.getsockname()

    def check(result: Any) -> str | None:
        got = drained(two)
        return None if got == (b"" if result is None else SENT) else f"{got!r} arrived"

    scene.check = check
    return lambda: one.sendto(SENT, address)


@scene(extra=True)
def sendmmsg(scene: Scene) -> Callable[[], Any]:
    sock, peer = pair(scene, stdlib.SOCK_DGRAM)

    def check(result: Any) -> str | None:
        got = drained(peer)
        return None if got == b"".join([b"one", b"two", b"three"][: result or 0]) else f"{got!r} arrived"

    scene.check = check
    return lambda: sock.sendmmsg([b"one", b"two", b"three"])


@scene(extra=True)
def send_segments(scene: Scene) -> Callable[[], Any]:
    one, two = (module.socket(stdlib.AF_INET, stdlib.SOCK_DGRAM) for _ in range(2))
    scene.keep(one, two)
    two.bind(("127.0.0.1", 0))
    one.connect(two.getsockname())
    one.settimeout(scene.timeout)

    def check(result: Any) -> str | None:
        got = drained(two)
        # A layer sends them one by one, and UDP may lose some.
        some = got and result and IS_STACK and SENT.startswith(got)
        return None if got == SENT[: result or 0] or some else f"{got!r} arrived"

    scene.check = check
    return lambda: one.send_segments(SENT, 4)


@scene()
def sendfile(scene: Scene) -> Callable[[], Any]:
    sock, peer = pair(scene)
    file = scene.keep(tempfile.TemporaryFile())  # noqa: SIM115  the scene closes it
    file.write(SENT)
    file.seek(0)

    def check(result: Any) -> str | None:
        got = drained(peer)
        wrong = got != SENT if result else got != SENT[: len(got)]
        return f"{got!r} arrived, the call said {result}" if wrong else None

    scene.check = check
    return lambda: sock.sendfile(file)


@scene()
def send_fds(scene: Scene) -> Callable[[], Any]:
    sock, peer = pair(scene)

    def check(result: Any) -> str | None:
        got = drained(peer)
        return None if got == SENT[: result or 0] else f"{got!r} arrived"

    scene.check = check
    return lambda: module.send_fds(sock, [SENT], [0, 1])


@scene()
def recv_fds(scene: Scene) -> Callable[[], Any]:
    sock, peer = pair(scene)
    stdlib.send_fds(peer, [SENT], [0, 1])

    def check(result: Any) -> str | None:
        got = b""
        if result is not None:
            got = result[0]
            for fd in result[1]:
                os.close(fd)
            if len(result[1]) != 2:
                return f"the descriptors {result[1]}"
        whole = got + drained(sock)
        return None if whole == SENT else f"received {whole!r}"

    scene.check = check
    return lambda: module.recv_fds(sock, 64, 4)


def listening(scene: Scene) -> Any:
    """A listener under test."""
    sock = scene.keep(module.socket())
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


@scene()
def accept(scene: Scene) -> Callable[[], Any]:
    sock = listening(scene)
    scene.keep(peers().create_connection(sock.getsockname()))
    sock.settimeout(scene.timeout)

    def check(result: Any) -> str | None:
        return None

    scene.check = check
    return lambda: sock.accept()[0]


@scene()
def connect(scene: Scene) -> Callable[[], Any]:
    listener = scene.keep(peers().create_server(("127.0.0.1", 0)))
    address = listener.getsockname()
    sock = scene.keep(module.socket())
    sock.settimeout(scene.timeout)
    scene.check = lambda result: None
    return lambda: sock.connect(address)


@scene()
def connect_ex(scene: Scene) -> Callable[[], Any]:
    listener = scene.keep(peers().create_server(("127.0.0.1", 0)))
    address = listener.getsockname()
    sock = scene.keep(module.socket())
    sock.settimeout(scene.timeout)
    scene.check = lambda result: None
    return lambda: sock.connect_ex(address)


def by_number(fd: int) -> Any:
    """A socket object that takes over a descriptor; it stays the caller's when that fails."""
    try:
        return module.socket(fileno=fd)
    except BaseException:
        os.close(fd)
        raise


def simple(name: str, call: Callable[[Any], Any]) -> None:
    """A scene of a call on one end of a connection that moves no bytes."""

    def play(scene: Scene) -> Callable[[], Any]:
        sock, _ = pair(scene)
        scene.check = lambda result: None
        return lambda: call(sock)

    play.__name__ = name
    scene(plain=True)(play)


simple("shutdown", lambda sock: sock.shutdown(stdlib.SHUT_RDWR))
simple("getsockname", lambda sock: sock.getsockname())
simple("getpeername", lambda sock: sock.getpeername())
simple("getsockopt", lambda sock: sock.getsockopt(stdlib.SOL_SOCKET, stdlib.SO_TYPE))
simple("getsockopt_bytes", lambda sock: sock.getsockopt(stdlib.SOL_SOCKET, stdlib.SO_TYPE, 4))
simple("setsockopt", lambda sock: sock.setsockopt(stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE, 1))
simple("setsockopt_bytes", lambda sock: sock.setsockopt(stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE, bytes(4)))
simple("setsockopt_null", lambda sock: sock.setsockopt(stdlib.SOL_SOCKET, 77, None, 4))
simple("settimeout", lambda sock: sock.settimeout(1))
simple("setblocking", lambda sock: sock.setblocking(False))
simple("close", lambda sock: sock.close())
simple("dup", lambda sock: sock.dup())
simple("fromfd", lambda sock: module.fromfd(sock.fileno(), stdlib.AF_UNIX, stdlib.SOCK_STREAM))
simple("fileno", lambda sock: by_number(os.dup(sock.fileno())))
simple("repr", lambda sock: repr(sock))
simple("module_dup", lambda sock: module.close(module.dup(sock.fileno())))
simple("makefile", lambda sock: sock.makefile("rwb").close())
simple("get_inheritable", lambda sock: sock.get_inheritable())
simple("set_inheritable", lambda sock: sock.set_inheritable(True))
simple("socketpair", lambda sock: module.socketpair())
simple("socket", lambda sock: module.socket())
simple("socket_nonblocking", lambda sock: module.socket(type=stdlib.SOCK_STREAM | stdlib.SOCK_NONBLOCK))
simple("create_server", lambda sock: module.create_server(("127.0.0.1", 0)))
simple("create_server_dualstack", lambda sock: module.create_server(("", 0), family=10, dualstack_ipv6=True))
simple("has_dualstack", lambda sock: module.has_dualstack_ipv6())
simple("gethostname", lambda sock: module.gethostname())


@scene(plain=True)
def bind(scene: Scene) -> Callable[[], Any]:
    sock = scene.keep(module.socket())
    scene.check = lambda result: None
    return lambda: sock.bind(("127.0.0.1", 0))


@scene(plain=True)
def listen(scene: Scene) -> Callable[[], Any]:
    sock = scene.keep(module.socket())
    scene.check = lambda result: None
    return lambda: sock.listen()


@scene(plain=True)
def socket_with_default_timeout(scene: Scene) -> Callable[[], Any]:
    scene.check = lambda result: None
    scene.own.append(types.SimpleNamespace(close=lambda: module.setdefaulttimeout(None)))
    module.setdefaulttimeout(1)
    return lambda: module.socket()


@scene()
def create_connection(scene: Scene) -> Callable[[], Any]:
    listener = scene.keep(peers().create_server(("127.0.0.1", 0)))
    address = listener.getsockname()
    scene.check = lambda result: None
    if scene.timeout is None:
        return lambda: module.create_connection(address)
    return lambda: module.create_connection(address, scene.timeout)


# -- what the standard library's module does not have ------------------------------------------------------------------


def extension(name: str) -> Any:
    """A module of ours."""
    return importlib.import_module(f"socketpkg.{name}")


@scene(extra=True)
def accept_many(scene: Scene) -> Callable[[], Any]:
    sock = listening(scene)
    for _ in range(3):
        scene.keep(peers().create_connection(sock.getsockname()))
    sock.settimeout(scene.timeout)
    scene.check = lambda result: None if result is None or 1 <= len(result) <= 3 else f"{len(result)} connections"
    return lambda: tuple(connection for connection, _ in extension("relaying").accept_many(sock))


@scene(extra=True, plain=True)
def relay(scene: Scene) -> Callable[[], Any]:
    (a, client), (b, server) = pair(scene), pair(scene)
    # Enough to be spliced, and as much as a socket has room for while nobody reads.
    client.sendall(MUCH[:100000])
    server.sendall(SENT)
    for end in (client, server):
        end.shutdown(stdlib.SHUT_WR)

    def check(result: Any) -> str | None:
        moved = result or (len(MUCH), len(SENT))
        for got, data, count in ((drained(server), MUCH, moved[0]), (drained(client), SENT, moved[1])):
            if data[: len(got)] != got or (result and len(got) != count):
                return f"{len(got)} bytes arrived, and the call said {result}"
        if result and result != (100000, len(SENT)):
            return f"it ended after {result}"
        return None if (a.gettimeout(), b.gettimeout()) == (None, None) else "the timeouts are others"

    scene.check = check
    return lambda: tuple(extension("relaying").relay(a, b, idle_timeout=PATIENCE * 3))


def exactly(name: str, call: Callable[[Any, Any], Any]) -> None:
    """A scene of a call that reads a message of a stream: after a failure, what came is there."""

    def play(scene: Scene) -> Callable[[], Any]:
        sock, peer = pair(scene)
        peer.sendall(SENT)
        stream = extension("streams").Stream(sock)

        def check(result: Any) -> str | None:
            rest = stream.detach() + drained(sock)
            # What recv_exactly raises has it; nothing came before the only system call failed.
            return None if (b"" if result is None else bytes(result)) + rest == SENT else f"the rest is {rest!r}"

        scene.check = check
        return lambda: call(sock, stream)

    play.__name__ = name
    scene(extra=True)(play)


def exactly_into(sock: Any) -> bytes:
    buffer = bytearray(5)
    sock.recv_exactly_into(buffer)
    return bytes(buffer)


exactly("recv_exactly", lambda sock, stream: sock.recv_exactly(5))
exactly("recv_exactly_into", lambda sock, stream: exactly_into(sock))
exactly("stream_read_exactly", lambda sock, stream: stream.read_exactly(5))
exactly("stream_read_until", lambda sock, stream: stream.read_until(b"4"))
exactly("stream_read_some", lambda sock, stream: stream.read_some(5))


@scene(extra=True)
def stream_write(scene: Scene) -> Callable[[], Any]:
    sock, peer = pair(scene)
    stream = extension("streams").Stream(sock)

    def check(result: Any) -> str | None:
        got = drained(peer)
        return None if got == (b"" if result is None else SENT) else f"{got!r} arrived"

    scene.check = check
    return lambda: (stream.write(SENT), 1)


def connecting(name: str, **arguments: Any) -> None:
    """A scene of a connection by the names' addresses."""

    def play(scene: Scene) -> Callable[[], Any]:
        address = scene.keep(peers().create_server(("127.0.0.1", 0))).getsockname()
        scene.check = lambda result: None
        more = {**arguments, "options": [(stdlib.IPPROTO_TCP, stdlib.TCP_NODELAY, 1)]}
        return lambda: extension("connecting").create_connection(address, timeout=PATIENCE * 3, **more)

    play.__name__ = name
    scene(extra=True, plain=True)(play)


connecting("connecting")
connecting("connecting_happy_eyeballs", happy_eyeballs=0.01)


def asking(name: str, kind: int, call: Callable[[Any], Any]) -> None:
    """A scene of a call that asks or sets something of a socket."""

    def play(scene: Scene) -> Callable[[], Any]:
        if kind == stdlib.SOCK_DGRAM:
            sock = scene.keep(module.socket(stdlib.AF_INET, kind))
        elif kind:
            listener = scene.keep(peers().create_server(("127.0.0.1", 0)))
            sock = scene.keep(module.socket())
            sock.connect(listener.getsockname())
        else:
            sock, _ = pair(scene)
        scene.check = lambda result: None
        return lambda: call(sock)

    play.__name__ = name
    scene(extra=True, plain=True)(play)


asking("tcp_info", stdlib.SOCK_STREAM, lambda sock: extension("tcpinfo").tcp_info(sock))
asking("keepalive", stdlib.SOCK_STREAM, lambda sock: extension("options").set_keepalive(sock, idle=9, interval=9))
asking("get_keepalive", stdlib.SOCK_STREAM, lambda sock: extension("options").get_keepalive(sock))
asking("join_group", stdlib.SOCK_DGRAM, lambda sock: extension("options").join_group(sock, "239.1.2.3", "127.0.0.1"))
asking("peer_credentials", 0, lambda sock: extension("options").peer_credentials(sock))
asking("get_bytes", 0, lambda sock: extension("options").get_bytes(sock, stdlib.SOL_SOCKET, stdlib.SO_TYPE, 2000))
asking("close_and_wake", 0, lambda sock: sock.close(wake=True))
asking("sockatmark", stdlib.SOCK_STREAM, lambda sock: sock.sockatmark())


# -- playing ----------------------------------------------------------------------------------------------------------


class Shim:
    """The functions of the shim."""

    def __init__(self) -> None:
        shim = ctypes.CDLL(None)
        self.arm = shim.fault_arm
        self.disarm = shim.fault_disarm
        self.count = shim.fault_count
        self.name = shim.fault_name
        self.name.restype = ctypes.c_char_p

    def called(self) -> dict[str, int]:
        """How often each function was called since it was armed."""
        found = {}
        for position in range(64):
            if (name := self.name(position)) is None:
                break
            found[name.decode()] = self.count(name)
        return found


def descriptors() -> set[int]:
    """The open ones."""
    found = set()
    for fd in range(3, 80):
        with suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_GETFD)
            found.add(fd)
    return found


#: What is open between two scenes.
resting: set[int] = set()


def rest() -> None:
    """Waits until nothing is open but what stays.

    A relay of a layer closes its descriptors in a thread, some time after the program has closed the socket: no scene
    is to see those go that the one before had.
    """
    until = time.monotonic() + 10
    while (more := descriptors() - resting) and time.monotonic() < until:
        time.sleep(0.001)
    resting.update(more)


def released(result: Any) -> None:
    """Closes the sockets that a call gave."""
    for thing in result if isinstance(result, tuple) else (result,):
        if isinstance(thing, module.SocketType):
            thing.close()


def told(failure: BaseException) -> list[Any]:
    """An exception as something to compare."""
    number = failure.errno if isinstance(failure, OSError) else None
    return [type(failure).__name__, errno.errorcode.get(number or 0, number)]


def play(shim: Shim, name: str, timeout: float | None, fault: tuple[str, int, int, int]) -> dict[str, Any]:
    """Plays one scene with one fault."""
    if IS_STACK:
        rest()
    made = Scene(timeout)
    act = SCENES[name](made)
    before = descriptors()
    failure: list[Any] | None = None
    result = None
    call, number, first, last = fault
    as_bytes = call.encode()
    shim.arm(as_bytes, number, first, last)
    try:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        result = act()
        signal.setitimer(signal.ITIMER_REAL, 0)
        if result is None:
            result = True
    except BaseException as raised:
        shim.disarm()
        signal.setitimer(signal.ITIMER_REAL, 0)
        failure = told(raised)
        del raised
    finally:
        shim.disarm()
    calls = shim.called()
    shown = result if isinstance(result, (int, bytes)) and name == "connect_ex" else None
    try:
        wrong = made.check(result)
    except Exception as raised:
        wrong = f"the check failed: {raised!r}"
    released(result)
    del result, act
    leaked = sorted(descriptors() - before)
    if leaked:
        gc.collect()
        leaked = sorted(descriptors() - before)
    gone = sorted(before - descriptors()) if name != "close" else []
    made.end()
    if leaked and IS_STACK:
        # A relay of a layer has descriptors for as long as the program has the socket, and closes them in a thread.
        until = time.monotonic() + 2
        while (leaked := sorted(descriptors() - before)) and time.monotonic() < until:
            time.sleep(0.005)
    for fd in leaked:
        os.close(fd)
    return {
        "raised": failure,
        "result": errno.errorcode.get(shown, shown) if shown is not None else None,
        "wrong": wrong,
        "leaked": leaked,
        "gone": gone,
        "calls": calls,
    }


def stories(engine: str) -> Iterator[tuple[str, float | None]]:
    """The scenes of an engine, with their timeouts."""
    for name in SCENES:
        if engine == "stdlib" and name in EXTRA:
            continue
        yield from ((name, timeout) for timeout in ([None] if name in PLAIN else [None, TIMEOUT, 0]))


def main(engine: str, cases: list[dict[str, Any]] | None = None) -> None:
    """Plays all, or some cases."""
    global module
    if engine == "stdlib":
        module = stdlib
    else:
        import socketpkg

        module = socketpkg
        assert module.__backend__ == engine

    def alarm(number: int, frame: Any) -> None:
        raise Interrupted

    signal.signal(signal.SIGALRM, alarm)
    warnings.simplefilter("ignore")
    if engine != "stdlib":
        # Before the first scene: an import may take longer than its alarm.
        for name in ("relaying", "streams", "connecting", "tcpinfo", "options"):
            extension(name)
        extension("streams").IncompleteReadError  # noqa: B018  it imports asyncio's
    if IS_STACK:
        from socketpkg import layers

        resting.update(descriptors())
        # A connect that finds no room begins what a layer has from there to the end of the process.
        with module.create_server(("127.0.0.1", 0), backlog=0) as listener:
            for _ in range(2):
                with module.socket() as waiting:
                    waiting.setblocking(False)
                    waiting.connect_ex(listener.getsockname())
        relays = [getattr(layers.get(name), "_relay", None) for name in engine.split("+")[:-1]]
        resting.update(*(relay._wake for relay in relays if relay is not None))
    shim = Shim()
    nothing = ("", 0, 0, 0)
    records: list[dict[str, Any]] = []

    def record(name: str, timeout: float | None, call: str, code: str, when: str) -> None:
        first, last = TIMES[when]
        shown = play(shim, name, timeout, (call, getattr(errno, code), first, last))
        if shown["calls"].get(call, 0) >= first:
            case = {"scene": name, "timeout": timeout, "call": call, "errno": code, "when": when}
            records.append({**case, **shown})

    if cases is not None:
        for case in cases:
            play(shim, case["scene"], case["timeout"], nothing)
            record(case["scene"], case["timeout"], case["call"], case["errno"], case["when"])
        json.dump(records, sys.stdout)
        return
    for name, timeout in stories(engine):
        play(shim, name, timeout, nothing)  # loads what is loaded at first use
        plain = play(shim, name, timeout, nothing)
        records.append({"scene": name, "timeout": timeout, "call": "", "errno": "", "when": "", **plain})
        for call, count in plain["calls"].items():
            for code in ERRORS[call].split():
                for when in TIMES:
                    if when != "second" or count > 1 or code in ("EINTR", "EAGAIN"):
                        record(name, timeout, call, code, when)
    json.dump(records, sys.stdout)


if __name__ == "__main__":
    os.chdir(Path(tempfile.gettempdir()))
    main(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else None)
