"""Messages over a stream socket: so many bytes, or up to a separator, and nothing lost by a timeout.

TCP and UNIX streams have no messages: what one end sends in one piece can arrive in many. `Stream` reads what was
meant: ``read_exactly(n)`` for a length, ``read_until(separator)`` and ``readline`` for an end mark. Its names and its
errors are those of asyncio's StreamReader (https://docs.python.org/3/library/asyncio-stream.html).

A call that fails keeps what it has read: after a TimeoutError, or a BlockingIOError of a socket that does not wait, the
same call can be made again, and goes on where that one stopped. A file of ``makefile()`` cannot do that: it loses what
it had, and refuses every read that follows.
"""

from __future__ import annotations

from _operator import index

import socketpkg

from . import _socket
from ._engine.arguments import NANOSECONDS
from ._engine.deadline import NOT_GIVEN, Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    # asyncio takes longer to import than this whole package, and imports socket: see __getattr__.
    from asyncio.exceptions import IncompleteReadError as IncompleteReadError
    from asyncio.exceptions import LimitOverrunError as LimitOverrunError
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any, Protocol, Self, SupportsIndex

    from _typeshed import ReadableBuffer, WriteableBuffer

    class StreamSocket(Protocol):
        """What `Stream` needs of a socket: those of socketpkg have it, and so do TLS connections."""

        def recv_into(self, buffer: bytearray | memoryview, /) -> int: ...
        def send(self, data: memoryview, /) -> int: ...
        def gettimeout(self) -> float | None: ...
        def settimeout(self, value: float | None, /) -> None: ...
        def close(self) -> None: ...


__all__ = ["IncompleteReadError", "LimitOverrunError", "Stream", "StreamSocket"]  # pyright: ignore

_SYSCALLS = _socket.backend.syscalls
_timeout_ns = _socket.core.timeout_ns
#: How much is read ahead.
_CHUNK = 65536
#: The longest line or message up to a separator, unless another limit is given: that of asyncio's.
_LIMIT = 65536

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in ("IncompleteReadError", "LimitOverrunError"):
            from asyncio import exceptions

            found = globals()[name] = getattr(exceptions, name)
            return found
        if name == "StreamSocket":
            return socketpkg.socket
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# -- below: one system call, with a timeout of its own ---------------------------------------------------------------


class _Plain:
    """Transfers of a socket of this package, whose system calls take the timeout as an argument.

    So the timeout of the socket object stays as it is, also for another thread that uses it meanwhile.
    """

    __slots__ = ("_sock",)

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def recv_into(self, view: memoryview, timeout: int) -> int:
        return _SYSCALLS.recv_into(self._sock, view, 0, 0, timeout)

    def recv(self, size: int, timeout: int) -> bytes:
        return _SYSCALLS.recv(self._sock, size, 0, timeout)

    def send(self, view: memoryview, timeout: int) -> int:
        return _SYSCALLS.send(self._sock, view, 0, timeout)


class _Foreign:
    """Transfers of an object that has a socket's methods in its own way, such as a TLS connection."""

    __slots__ = ("_sock", "_timeout", "_users")

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        # How many calls are in progress, in several threads, and the timeout that the first of them found.
        self._users = 0
        self._timeout: float | None = None

    def recv_into(self, view: memoryview, timeout: int) -> int:
        return self._bounded(self._sock.recv_into, view, timeout)  # type: ignore[no-any-return]

    def recv(self, size: int, timeout: int) -> bytes:
        buffer = bytearray(size)
        count = self._bounded(self._sock.recv_into, buffer, timeout)
        return bytes(memoryview(buffer)[:count])

    def send(self, view: memoryview, timeout: int) -> int:
        return self._bounded(self._sock.send, view, timeout)  # type: ignore[no-any-return]

    def _bounded(self, call: Any, buffer: Any, timeout: int) -> Any:
        if not self._users:
            self._timeout = self._sock.gettimeout()
        self._users += 1
        deadline = Deadline(timeout)
        try:
            while True:
                left = deadline.left()
                self._sock.settimeout(None if left < 0 else left / NANOSECONDS)
                try:
                    return call(buffer)
                except TimeoutError:
                    # Another thread may have set a shorter one for itself just after us.
                    if timeout >= 0 and deadline.passed():
                        raise
        finally:
            self._users -= 1
            if not self._users:
                self._sock.settimeout(self._timeout)


_OWN = {name: getattr(socketpkg.socket, name) for name in ("recv", "recv_into", "send")}


def _transfers(sock: Any) -> _Plain | _Foreign:
    if isinstance(sock, _socket.socket):
        kind = type(sock)
        if sock.type != socketpkg.SOCK_STREAM:
            raise ValueError("only SOCK_STREAM type sockets are supported")
        if all(getattr(kind, name) is method for name, method in _OWN.items()):
            return _Plain(sock)
    return _Foreign(sock)


def _deadline(sock: Any, timeout: Any) -> Deadline:
    return Deadline(_timeout_ns(sock.gettimeout() if timeout is NOT_GIVEN else timeout))


def _count(value: SupportsIndex, caller: str) -> int:
    number = index(value)
    if number < 0:
        raise ValueError(f"negative buffersize in {caller}")
    return number


def _octets(data: ReadableBuffer) -> memoryview:
    """The bytes of *data*; TypeError and BufferError as those of sendall()."""
    try:
        view = memoryview(data)
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not '{type(data).__name__}'") from None
    if not view.c_contiguous:
        view.release()
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    try:
        return view.cast("B") if view.nbytes else memoryview(b"")
    finally:
        view.release()


def _incomplete(partial: bytes, expected: int | None) -> EOFError:
    from asyncio.exceptions import IncompleteReadError

    return IncompleteReadError(partial, expected)


# -- the methods of socket -------------------------------------------------------------------------------------------


def receive_exactly(sock: Any, nbytes: SupportsIndex) -> bytes:
    """socket.recv_exactly()"""
    wanted = _count(nbytes, "recv_exactly")
    transfers = _transfers(sock)
    deadline = _deadline(sock, NOT_GIVEN)
    # The buffer grows with what arrives: a length that an untrusted peer has named must not allocate memory.
    data = bytearray()
    try:
        while len(data) < wanted:
            if not _fill(transfers, data, wanted - len(data), deadline):
                raise _incomplete(bytes(data), wanted)
    except OSError as failure:
        failure.partial = bytes(data)  # type: ignore[attr-defined]
        raise
    return bytes(data)


def receive_exactly_into(sock: Any, buffer: WriteableBuffer) -> int:
    """socket.recv_exactly_into()"""
    transfers = _transfers(sock)
    with memoryview(buffer) as whole:
        if whole.readonly:
            raise TypeError(
                f"recv_exactly_into() argument must be read-write bytes-like object, not {type(buffer).__name__}"
            )
        if not whole.c_contiguous:
            raise BufferError("memoryview: underlying buffer is not C-contiguous")
        if not whole.nbytes:
            return 0
        with whole.cast("B") as octets:
            wanted = len(octets)
            filled = 0
            deadline = _deadline(sock, NOT_GIVEN)
            try:
                while filled < wanted:
                    with octets[filled:] as rest:
                        count = transfers.recv_into(rest, deadline.left())
                    if not count:
                        raise _incomplete(bytes(octets[:filled]), wanted)
                    filled += count
            except OSError as failure:
                failure.partial = bytes(octets[:filled])  # type: ignore[attr-defined]
                raise
            return wanted


def _fill(transfers: _Plain | _Foreign, data: bytearray, most: int, deadline: Deadline) -> int:
    """Receives what is there, *most* bytes of it, behind *data*: the count, 0 at the end of the stream."""
    if most <= _CHUNK:
        received = transfers.recv(most, deadline.left())
        data += received
        return len(received)
    # Received in place. The buffer doubles at most: filling it with zeros first must not cost more than the receive.
    filled = len(data)
    data.extend(bytes(min(most, max(_CHUNK, filled))))
    count = 0
    try:
        with memoryview(data) as view, view[filled:] as rest:
            count = transfers.recv_into(rest, deadline.left())
    finally:
        del data[filled + count :]
    return count


# -- Stream ----------------------------------------------------------------------------------------------------------


class Stream:
    """Reads and writes messages over *sock*, a connected stream socket.

    Each call has one deadline for all that it does: *timeout* in seconds (None waits for ever, 0 never), or else the
    socket's own timeout, which is left as it is. When the time is up it raises TimeoutError, and when the socket does
    not wait BlockingIOError. **What it has read stays in the stream**, for the same call again or for another.

    *limit* is the longest message, separator included, of `read_until` and `readline`; a peer that never sends a
    separator gets no more memory than that and the chunk of 64 KiB that is read ahead.

    One thread may read while another writes. After an exception that a signal handler raised, a chunk may be lost that
    arrived in the same instant.

    ValueError for a socket of another type than SOCK_STREAM.
    """

    __slots__ = ("_data", "_limit", "_sock", "_transfers")

    def __init__(self, sock: StreamSocket, *, limit: SupportsIndex = _LIMIT) -> None:
        self._transfers: _Plain | _Foreign | None = _transfers(sock)
        self._sock = sock
        self._data = bytearray()
        self._limit = _positive(limit)

    @property
    def sock(self) -> StreamSocket:
        """The socket. What is received on it directly may come behind what this stream has read ahead."""
        return self._sock

    @property
    def buffered(self) -> int:
        """How many bytes were read ahead. They are no longer in the socket: select() and its kin do not see them."""
        return len(self._data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._transfers is not None:
            self.close()

    def __repr__(self) -> str:
        state = "detached" if self._transfers is None else f"{len(self._data)} bytes read ahead"
        return f"<{type(self).__module__}.{type(self).__qualname__} of {self._sock!r}, {state}>"

    def close(self) -> None:
        """Closes the socket, and forgets what was read ahead."""
        self._data.clear()
        self._sock.close()

    def detach(self) -> bytes:
        """Gives back what was read ahead and is not yet read. The socket is the caller's, and this stream unusable."""
        self._usable()
        rest = bytes(self._data)
        self._data.clear()
        self._transfers = None
        return rest

    # -- reading -----------------------------------------------------------------------------------------------------

    def read_exactly(self, n: SupportsIndex, *, timeout: float | None = NOT_GIVEN) -> bytes:
        """The next *n* bytes.

        IncompleteReadError when the stream ends before; its ``partial`` has what came, which is taken out of the
        stream. ValueError for a negative *n*.
        """
        wanted = _count(n, "read_exactly")
        if not self._wait_for(wanted, timeout):
            partial = self._take(len(self._data))
            raise _incomplete(partial, wanted)
        return self._take(wanted)

    def read_until(
        self,
        separator: ReadableBuffer = b"\n",
        limit: SupportsIndex | None = None,
        *,
        timeout: float | None = NOT_GIVEN,
    ) -> bytes:
        """The bytes up to and with the next *separator*.

        LimitOverrunError when it does not come within *limit* bytes (the stream's limit unless given): nothing is
        taken then, and the error's ``consumed`` says how many bytes can be skipped without touching a separator.
        IncompleteReadError as of `read_exactly`, with an ``expected`` of None. ValueError for an empty separator.
        """
        found = self._find(separator, limit, timeout)
        if found < 0:
            raise _incomplete(self._take(len(self._data)), None)
        return self._take(found)

    def readline(self, limit: SupportsIndex | None = None, *, timeout: float | None = NOT_GIVEN) -> bytes:
        """The next line with its newline; without one at the end of the stream, and b'' behind that.

        LimitOverrunError for a line of more than *limit* bytes, as of `read_until`.
        """
        found = self._find(b"\n", limit, timeout)
        return self._take(len(self._data) if found < 0 else found)

    def __iter__(self) -> Iterator[bytes]:
        """The lines up to the end of the stream."""
        while line := self.readline():
            yield line

    def read_some(self, n: SupportsIndex = _CHUNK, *, timeout: float | None = NOT_GIVEN) -> bytes:
        """What is there, at least one byte and at most *n*; b'' at the end of the stream."""
        most = _count(n, "read_some")
        transfers = self._usable()
        if not self._data and most:
            deadline = _deadline(self._sock, timeout)
            if most <= _CHUNK:
                return transfers.recv(most, deadline.left())
            _fill(transfers, self._data, most, deadline)
        return self._take(min(most, len(self._data)))

    def peek(self, n: SupportsIndex = 1, *, timeout: float | None = NOT_GIVEN) -> bytes:
        """The next *n* bytes, which stay in the stream; fewer only at its end."""
        wanted = _count(n, "peek")
        self._wait_for(wanted, timeout)
        with memoryview(self._data) as view, view[:wanted] as part:
            return bytes(part)

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, data: ReadableBuffer, *, timeout: float | None = NOT_GIVEN) -> None:
        """Sends all of *data*.

        An OSError has in its attribute ``characters_written`` how many bytes were sent: the rest is
        ``data[error.characters_written:]``, in bytes.
        """
        transfers = self._usable()
        with _octets(data) as octets:
            deadline = _deadline(self._sock, timeout)
            sent = 0
            try:
                while sent < len(octets):
                    with octets[sent:] as rest:
                        sent += transfers.send(rest, deadline.left())
            except OSError as failure:
                failure.characters_written = sent  # type: ignore[attr-defined]
                raise

    # -- the buffer --------------------------------------------------------------------------------------------------

    def _usable(self) -> _Plain | _Foreign:
        if self._transfers is None:
            raise ValueError("the socket was detached from this stream")
        return self._transfers

    def _take(self, count: int) -> bytes:
        # PyPy has a buffer exported until each view of it is released.
        with memoryview(self._data) as view, view[:count] as part:
            taken = bytes(part)
        del self._data[:count]
        return taken

    def _wait_for(self, wanted: int, timeout: Any) -> bool:
        """Whether *wanted* bytes are there; False when the stream ends before."""
        transfers = self._usable()
        data = self._data
        if len(data) < wanted:
            deadline = _deadline(self._sock, timeout)
            while len(data) < wanted:
                if not _fill(transfers, data, max(wanted - len(data), _CHUNK), deadline):
                    return False
        return True

    def _find(self, separator: ReadableBuffer, limit: SupportsIndex | None, timeout: Any) -> int:
        """The count of bytes up to the end of the separator, -1 when the stream ends before."""
        transfers = self._usable()
        with _octets(separator) as octets:
            mark = bytes(octets)
        if not mark:
            raise ValueError("Separator should be at least one-byte string")
        most = self._limit if limit is None else _positive(limit)
        data = self._data
        seen = 0
        deadline: Deadline | None = None
        while True:
            found = data.find(mark, seen, most)
            if found >= 0:
                return found + len(mark)
            seen = max(0, len(data) - len(mark) + 1)
            if len(data) >= most:
                from asyncio.exceptions import LimitOverrunError

                safe = max(0, most - len(mark) + 1)
                raise LimitOverrunError(f"there is no separator in the first {most} bytes", safe)
            if deadline is None:
                deadline = _deadline(self._sock, timeout)
            if not _fill(transfers, data, _CHUNK, deadline):
                return -1


def _positive(limit: SupportsIndex) -> int:
    number = index(limit)
    if number <= 0:
        raise ValueError("Limit cannot be <= 0")
    return number
