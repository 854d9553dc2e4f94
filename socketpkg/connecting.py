"""`create_connection` with what the standard library's cannot have: Happy Eyeballs, options, one deadline over it all.

Happy Eyeballs (RFC 8305): a host with addresses of IPv6 and IPv4 is connected to by the first that answers. The next
address is tried when the one before has failed, or has not answered within a quarter of a second, and none is given up
before another has won.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import socketpkg

from . import _socket
from ._engine.deadline import NOT_GIVEN, Deadline
from ._engine.originals import monotonic_ns
from .resolving import getaddrinfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

__all__ = ["create_connection"]

_SYSCALLS = _socket.backend.syscalls
_tell = _socket.core.tell
_timeout_ns = _socket.core.timeout_ns
_POLLOUT = 4
#: Not EAGAIN: from connect it means that no port is left (connect(2)), and no connection is in progress.
_UNDER_WAY = {errno.EINPROGRESS, errno.EINTR}


def create_connection(
    address: tuple[str | None, str | bytes | int | None],
    timeout: float | None = NOT_GIVEN,
    source_address: tuple[Any, ...] | None = None,
    *,
    all_errors: bool = False,
    happy_eyeballs: float | None = None,
    family: int = 0,
    options: Iterable[tuple[Any, ...]] = (),
) -> socketpkg.socket:
    """Connects to (host, port) over TCP and returns the socket, which has *timeout* as its timeout.

    *timeout* (seconds, None for ever, the default timeout when left out) is one deadline for looking up the host and
    for all attempts together; TimeoutError when it passes. *source_address* and *all_errors* are those of
    socket.create_connection().

    *happy_eyeballs* is how many seconds one address is waited for before the next is tried beside it, families in turn
    (RFC 8305 recommends 0.25); None tries one after the other in the resolver's order. *family*, AF_INET or AF_INET6,
    restricts the addresses. *options* are arguments of setsockopt(), which is called before each attempt.

    When no attempt succeeds the last error is raised, or with *all_errors* an ExceptionGroup of all. Each has the
    address in its attribute ``address`` and in a note.
    """
    host, port = address
    limit = socketpkg.getdefaulttimeout() if timeout is NOT_GIVEN else timeout
    deadline = Deadline(_timeout_ns(limit))
    if limit == 0:
        raise ValueError("non-blocking sockets are not supported")
    delay = None if happy_eyeballs is None else _timeout_ns(happy_eyeballs)
    settings = [tuple(option) for option in options]
    left = deadline.left()
    found = getaddrinfo(
        host, port, family, socketpkg.SOCK_STREAM, timeout=None if left < 0 else left / 10**9 if left else 0
    )
    attempts = _Attempts(list(found) if delay is None else list(_in_turn(found)), source_address, settings)
    try:
        sock = attempts.first(deadline, delay)
        if sock is not None:
            sock.settimeout(limit)
            attempts.forget(sock)
            return sock
        raise attempts.failure(address, all_errors)
    finally:
        attempts.close()


def _in_turn(found: Iterable[Any]) -> Iterator[Any]:
    """The addresses with their families in turn, beginning with that of the first (RFC 8305 4)."""
    families: dict[int, list[Any]] = {}
    for info in found:
        families.setdefault(info[0], []).append(info)
    for position in range(max(map(len, families.values()), default=0)):
        for infos in families.values():
            if position < len(infos):
                yield infos[position]


def _end(sock: socketpkg.socket) -> None:
    """Closes a connection that lost the race. An error of close(2) is ignored: the connection is not used."""
    try:
        sock.close()
    except OSError:
        pass


class _Attempts:
    """Attempts to connect: what is still to be tried, what is under way, and what has failed."""

    def __init__(self, queue: list[Any], source_address: Any, options: list[tuple[Any, ...]]) -> None:
        self.queue = queue
        self.source_address = source_address
        self.options = options
        self.pending: dict[int, tuple[socketpkg.socket, Any]] = {}
        self.failures: list[OSError] = []
        self.late = False

    def close(self) -> None:
        for sock, _ in self.pending.values():
            _end(sock)
        self.pending.clear()
        # A failure's traceback refers to a frame that refers to the failures.
        self.failures = []

    def forget(self, sock: socketpkg.socket) -> None:
        """The winner is the caller's."""
        del self.pending[sock.fileno()]

    def first(self, deadline: Deadline, delay: int | None) -> socketpkg.socket | None:
        """The first socket that is connected, None when all have failed or the time is up."""
        due = monotonic_ns()
        while True:
            left = deadline.left_or_zero()
            if not left:
                self.late = True
                return None
            now = monotonic_ns()
            if self.queue and (not self.pending or (delay is not None and now >= due)):
                sock = self.begin(self.queue.pop(0))
                if sock is not None:
                    return sock
                due = monotonic_ns() + (delay or 0)
                continue
            if not self.pending:
                return None
            if self.queue and delay is not None:
                left = due - now if left < 0 else min(left, due - now)
            for fd, _ in _SYSCALLS.poll([(fd, _POLLOUT) for fd in self.pending], left):
                sock, target = self.pending[fd]
                error = sock.getsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_ERROR)
                if not error:
                    return sock
                self.failed(sock, OSError(error, os.strerror(error)), target)
                # After a failure the next attempt begins at once.
                due = monotonic_ns()

    def begin(self, info: Any) -> socketpkg.socket | None:
        """Starts an attempt; the socket if it is connected at once."""
        family, kind, proto, _, target = info
        try:
            sock = socketpkg.socket(family, kind, proto)
        except OSError as failure:
            self.failures.append(_tell(failure, "connect", target))
            return None
        self.pending[sock.fileno()] = sock, target
        try:
            for option in self.options:
                sock.setsockopt(*option)
            if self.source_address:
                try:
                    sock.bind(self.source_address)
                except OSError as failure:
                    raise _tell(failure, "bind", self.source_address) from None
            sock.setblocking(False)
            error = sock.connect_ex(target)
            if error and error not in _UNDER_WAY:
                raise OSError(error, os.strerror(error))
        except OSError as failure:
            self.failed(sock, failure, target)
            return None
        return None if error else sock

    def failed(self, sock: socketpkg.socket, failure: OSError, target: Any) -> None:
        del self.pending[sock.fileno()]
        _end(sock)
        self.failures.append(_tell(failure, "connect", target))

    def failure(self, address: Any, all_errors: bool) -> Any:
        """What to raise."""
        if self.late:
            for _, target in self.pending.values():
                self.failures.append(_tell(TimeoutError("timed out"), "connect", target))
            if not self.failures or not all_errors:
                return _tell(TimeoutError("timed out"), "create_connection", address)
        if not self.failures:
            return _tell(OSError("getaddrinfo returns an empty list"), "create_connection", address)
        if all_errors:
            return _tell(ExceptionGroup("create_connection failed", self.failures), "create_connection", address)
        return self.failures[-1]
