"""Bytes from one connection to another, and many connections at once: what proxies and busy servers do all day.

`relay` moves what comes on either of two stream sockets to the other with splice(2), so that it never becomes a Python
object, nor is copied to this process. `accept_many` takes all connections that wait.
"""

from __future__ import annotations

import errno
import os
from _operator import index
from typing import TYPE_CHECKING, NamedTuple

import socketpkg

from . import _socket
from ._engine.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, SupportsIndex

__all__ = ["Relayed", "accept_many", "relay"]

_SYSCALLS = _socket.backend.syscalls
_own = _socket.core.own
_timeout_ns = _socket.core.timeout_ns
_POLLIN, _POLLOUT = 1, 4
#: How much is moved at once: what a pipe of Linux may have without privileges.
_CHUNK = 1 << 20
#: The size of a copy; and what is copied, since it is too little for a splice, which takes two system calls or more.
_COPY = 1 << 16
_LITTLE = 1 << 14
_SPLICE_F_MOVE, _SPLICE_F_NONBLOCK = 1, 2
_F_SETPIPE_SZ = 1031
#: What splice(2) says where it cannot move data between two descriptors.
_NO_SPLICE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_splice: Callable[..., int] | None = getattr(os, "splice", None)


class Relayed(NamedTuple):
    """How many bytes went each way."""

    forward: int
    backward: int


def relay(a: socketpkg.socket, b: socketpkg.socket, *, idle_timeout: float | None = None) -> Relayed:
    """Sends what comes on *a* to *b* and what comes on *b* to *a*, until both have come to their end.

    The end of one direction is passed on (shutdown(SHUT_WR)), while the other goes on. What cannot be sent is not
    received: a slow reader slows the sender down. TimeoutError when nothing has moved for *idle_timeout* seconds, None
    for ever. That, an OSError of one of the sockets and what a handler of a signal raises have in ``relayed`` how many
    bytes had gone each way; after them up to a megabyte may have been received and not sent.

    The sockets stay open, and their timeouts are what they were; meanwhile they do not block. On anything but
    connected stream sockets of this package, and under a layer, it receives and sends instead: TLS is relayed so.
    """
    limit = _timeout_ns(idle_timeout)
    timeouts = a.gettimeout(), b.gettimeout()
    ways = _Way(a, b), _Way(b, a)
    try:
        for way in ways:
            way.begin()
        a.setblocking(False)
        b.setblocking(False)
        _run(ways, limit)
        return Relayed(ways[0].moved, ways[1].moved)
    except BaseException as failure:
        failure.relayed = Relayed(ways[0].moved, ways[1].moved)  # type: ignore[attr-defined]
        raise
    finally:
        for way in ways:
            way.end()
        _restore(a, timeouts[0])
        _restore(b, timeouts[1])


def _restore(sock: Any, timeout: float | None) -> None:
    """Sets the timeout that a socket had. One that has been closed, or that the kernel refuses, has none to be set."""
    if sock.fileno() != -1:
        try:
            sock.settimeout(timeout)
        except OSError:
            pass


def _run(ways: tuple[_Way, _Way], limit: int) -> None:
    from select import poll

    poller = poll()
    watched: dict[int, int] = {}
    while True:
        wanted: dict[int, int] = {}
        waiting: dict[int, list[_Way]] = {}
        for way in ways:
            if not way.done:
                fd, events = way.waits_for()
                if fd < 0:
                    raise OSError(errno.EBADF, os.strerror(errno.EBADF))
                wanted[fd] = wanted.get(fd, 0) | events
                waiting.setdefault(fd, []).append(way)
        if not wanted:
            return
        if wanted != watched:
            for fd in watched.keys() - wanted.keys():
                poller.unregister(fd)
            for fd, events in wanted.items():
                poller.register(fd, events)
            watched = wanted
        changed = False
        idle = Deadline(limit)
        while not changed:
            # In whole milliseconds, rounded up: poll(2) must not return before the deadline.
            milliseconds = None if limit < 0 else min(-(-idle.left_or_zero() // 1_000_000), 2**31 - 1)
            ready = poller.poll(milliseconds)
            # On PyPy it comes back with nothing after a signal too.
            if not ready and idle.passed():
                raise TimeoutError("timed out")
            for fd, _ in ready:
                for way in waiting[fd]:
                    if not way.done and way.step():
                        changed = True


class _Way:
    """One direction: bytes of *source* that go to *target*."""

    def __init__(self, source: Any, target: Any) -> None:
        self.source = source
        self.target = target
        self.moved = 0
        self.done = False
        self.ended = False
        #: What was received and not sent: bytes in the pipe, or here.
        self.held = 0
        self.data = memoryview(b"")
        self.pipe: tuple[int, int] | None = None
        self.splices = False
        self.recv = source.recv
        self.send = target.send

    def begin(self) -> None:
        if _splice is None or not all(map(_is_plain, (self.source, self.target))):
            return
        self.pipe = os.pipe()
        try:
            import fcntl

            fcntl.fcntl(self.pipe[1], _F_SETPIPE_SZ, _CHUNK)
        except (ImportError, OSError):
            pass  # it has 64 KiB

    def end(self) -> None:
        if self.pipe is not None:
            pipe, self.pipe = self.pipe, None
            for fd in pipe:
                try:
                    os.close(fd)
                except OSError:
                    pass  # the descriptor is closed all the same, and what the pipe held is not wanted
        self.splices = False

    def waits_for(self) -> tuple[int, int]:
        if self.held:
            return self.target.fileno(), _POLLOUT
        return self.source.fileno(), _POLLIN

    def step(self) -> bool:
        """Receives what is there and sends it, as far as neither has to wait; whether it waits for something else now.

        Little is copied, which is one system call less; what comes in full chunks is spliced.
        """
        waited_to_send = bool(self.held)
        try:
            if not waited_to_send and not self.splices:
                # Kept short: small messages take this path only.
                data = self.recv(_COPY)
                size = len(data)
                if size:
                    try:
                        sent = self.send(data) if size < _COPY else 0
                    except BlockingIOError:
                        sent = 0
                    self.moved += sent
                    if sent == size:
                        return False
                    self.data = memoryview(data)[sent:]
                    self.held = size - sent
                    self.splices = size == _COPY and self.pipe is not None
                else:
                    self.ended = True
            elif not waited_to_send:
                self.splice_in()
            if self.held:
                if self.data:
                    self.copy_out()
                else:
                    self.splice_out()
        except BlockingIOError:
            pass
        if self.ended and not self.held:
            self.done = True
            try:
                self.target.shutdown(socketpkg.SHUT_WR)
            except OSError as failure:
                if failure.errno != errno.ENOTCONN:
                    raise
            return True
        return bool(self.held) is not waited_to_send

    def copy_in(self) -> None:
        self.data = memoryview(self.source.recv(_COPY))
        self.held = len(self.data)
        self.ended = not self.held
        self.splices = self.held == _COPY and self.pipe is not None

    def copy_out(self) -> None:
        sent = self.send(self.data)
        self.data = self.data[sent:]
        self.held -= sent
        self.moved += sent

    def splice_in(self) -> None:
        # The pipe is empty: EAGAIN means that there is nothing to receive.
        assert self.pipe is not None and _splice is not None
        try:
            flags = _SPLICE_F_MOVE | _SPLICE_F_NONBLOCK
            self.held = _splice(self.source.fileno(), self.pipe[1], _CHUNK, flags=flags)
        except OSError as failure:
            if failure.errno not in _NO_SPLICE:
                raise
            self.end()
            self.copy_in()
            return
        self.ended = not self.held
        self.splices = self.held >= _LITTLE

    def splice_out(self) -> None:
        assert self.pipe is not None and _splice is not None
        try:
            flags = _SPLICE_F_MOVE | _SPLICE_F_NONBLOCK
            sent = _splice(self.pipe[0], self.target.fileno(), self.held, flags=flags)
        except OSError as failure:
            if failure.errno not in _NO_SPLICE:
                raise
            self.data = memoryview(b"".join(_read(self.pipe[0], self.held)))
            self.end()
            self.copy_out()
            return
        self.held -= sent
        self.moved += sent


def _read(fd: int, size: int) -> Iterator[bytes]:
    while size:
        data = os.read(fd, size)
        size -= len(data)
        yield data


_OWN = {name: getattr(socketpkg.socket, name) for name in ("recv", "send")}


def _is_plain(sock: Any) -> bool:
    """Whether the descriptor has what the methods of the socket give, and no layer wants to see it."""
    return (
        isinstance(sock, _socket.socket)
        and "+" not in _socket.backend.name
        and all(getattr(type(sock), name) is method for name, method in _OWN.items())
    )


def accept_many(listener: socketpkg.socket, limit: SupportsIndex = 64) -> list[tuple[socketpkg.socket, Any]]:
    """The connections that wait at *listener*, up to *limit*, as accept() gives each: at least one.

    The first is waited for as accept() waits for it; of the others what is there is taken. An error behind the first is
    left for the next call. ValueError for a *limit* that is not positive.

    accept(2) cannot be told not to wait. Where other threads or processes accept on the same listener, give it a
    timeout, however long: without one, a connection that another takes in the same instant is waited for.
    """
    most = index(limit)
    if most <= 0:
        raise ValueError("limit must be positive")
    if not _accepts_plainly(listener):
        return _accepted_one_by_one(listener, most)
    accepted: list[tuple[int, bytes]] = []
    made: list[Any] = []
    found: list[tuple[socketpkg.socket, Any]] = []
    cls = socketpkg.socket
    proto = listener.proto
    # As a call of the contract has it.
    descriptor: Any = listener
    try:
        _SYSCALLS.accept_many(descriptor, most, _timeout_ns(listener.gettimeout()), accepted)
        for fd, raw in accepted:
            address = _CODEC.decode(raw, proto, None)
            # As __init__ of the class does it, without asking the kernel for the family and type, which are known.
            sock: Any = cls.__new__(cls)
            sock._io_refs = 0
            sock._closed = False
            made.append(sock)
            # It blocks, as accept4(2) made it, or has the default timeout.
            _own(sock, fd, listener)
            found.append((sock, address))
        return found
    except BaseException:
        owned = {sock.fileno() for sock in made}
        for sock in made:
            sock.close()
        for fd, _ in accepted:
            if fd not in owned:
                try:
                    _SYSCALLS.close(fd)
                except OSError:
                    pass
        raise


_CODEC = _socket.backend.address.AddressCodec()
_CLASS = socketpkg.socket
_METHODS = {name: vars(_CLASS)[name] for name in ("__init__", "accept")}
_AF_ALG = getattr(socketpkg, "AF_ALG", None)


def _accepts_plainly(listener: Any) -> bool:
    """Whether nothing that a program has replaced is to be called for a connection, and its kind has names."""
    return (
        isinstance(listener, _socket.socket)
        and socketpkg.socket is _CLASS
        and vars(_CLASS)["__init__"] is _METHODS["__init__"]
        and type(listener).accept is _METHODS["accept"]
        and listener.family != _AF_ALG
    )


def _accepted_one_by_one(listener: Any, most: int) -> list[tuple[Any, Any]]:
    """What accept_many() gives, of the listener's own accept()."""
    found = [listener.accept()]
    try:
        while len(found) < most and _SYSCALLS.poll([(listener.fileno(), _POLLIN)], 0):
            try:
                found.append(listener.accept())
            except OSError as failure:
                # What the handler of a signal raises has no errno.
                if failure.errno is None:
                    raise
                break
    except BaseException:
        for sock, _ in found:
            sock.close()
        raise
    return found
