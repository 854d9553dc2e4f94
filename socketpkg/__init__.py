"""Python's socket module, with the engine you choose.

Everything the standard library's ``socket`` has is here under the same name and does the same:
https://docs.python.org/3/library/socket.html is the manual. Underneath, interchangeable backends talk to the kernel;
the environment variable SOCKET_BACKEND names one (``c``, ``cffi``, ``ctypes``), and unset, the best one there is is
taken. `__backend__` tells which one it was, `socketpkg.backends` why.

PYTEST_DONT_REWRITE: pytest looks for no assertions here, and says nothing when this was imported before it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from enum import IntEnum, IntFlag
from types import SimpleNamespace

from . import backends

try:
    if backends.running_as_program():
        backends.prepare_command()
    from . import _socket
except ImportError:
    # `python -m socketpkg` imports this package before it runs, and has to tell what is wrong with the backends.
    if not backends.running_as_program():
        raise
    from .__main__ import main

    raise SystemExit(main(sys.argv[1:])) from None

from ._engine.originals import monotonic_ns as _monotonic_ns
from ._socketio import SocketIO, TextPair
from ._version import __version__ as __version__

__backend__: str = _socket.backend.name
_initialize = _socket.core.initialize
_adopt = _socket.core.adopt
_pair = _socket.core.pair
_tell = _socket.core.tell

TYPE_CHECKING = False
if not TYPE_CHECKING:
    from ._engine.annotations import Any, Iterable, ReadableBuffer, Self, SupportsIndex, WriteableBuffer

    _Address = _Member = _SendableFile = _Socket = object
    _AddressInfoList = list
    # As `from ._socket import *` does, which takes several times as long for so many names.
    globals().update(_socket._EXPORTS)
else:
    from collections.abc import Iterable
    from typing import Any, Literal, Protocol, Self, SupportsIndex, TypeAlias, TypeVar, overload

    from _typeshed import ReadableBuffer, WriteableBuffer

    from . import _enums
    from ._enums import *
    from ._enums import AddressFamily as AddressFamily
    from ._enums import AddressInfo as AddressInfo
    from ._enums import MsgFlag as MsgFlag
    from ._enums import SocketKind as SocketKind
    from ._socket import *

    _Member = TypeVar("_Member", bound=IntEnum)
    _Socket = TypeVar("_Socket", bound="socket")
    _Address: TypeAlias = tuple[Any, ...] | str | ReadableBuffer
    _AddressInfoList: TypeAlias = list[
        tuple[Literal[AddressFamily.AF_INET], SocketKind, int, str, tuple[str, int]]
        | tuple[Literal[AddressFamily.AF_INET6], SocketKind, int, str, tuple[str, int, int, int]]
    ]

    # The modes of makefile(), by what it makes of them.
    _Text: TypeAlias = Literal["r", "w", "rw", "wr", ""]
    _Reader: TypeAlias = Literal["b", "rb", "br"]
    _Writer: TypeAlias = Literal["wb", "bw"]
    _Pair: TypeAlias = Literal["rwb", "rbw", "wrb", "wbr", "brw", "bwr"]

    class _SendableFile(Protocol):
        """What sendfile() needs of a file. It makes use of a descriptor and looks at a mode where there are any."""

        def read(self, size: int, /) -> bytes: ...
        def seek(self, offset: int, /) -> object: ...


EBADF = errno.EBADF
EAGAIN = errno.EAGAIN
EWOULDBLOCK = errno.EWOULDBLOCK

__all__ = [
    "AddressFamily",
    "SocketIO",
    "SocketKind",
    "create_connection",
    "create_server",
    "fromfd",
    "getfqdn",
    "has_dualstack_ipv6",
    "recv_fds",
    "send_fds",
]
__all__ += _socket.__all__
if TYPE_CHECKING:
    # What the stub of the low-level module leaves out, since this one has it in its own way.
    __all__ += ["getaddrinfo", "socket", "socketpair"]
    __all__ += _enums.__all__


def _is_any(name: str) -> bool:
    """The filter of the members of an enum: their prefixes have chosen them, AF_DECnet among them."""
    return True


# The constants become members of enums that print as their names. The low-level module knows the integers only;
# what it returns is turned back into members where a program sees it.
def _make_enums(*enums: tuple[Any, str, str]) -> None:
    # enum would ask a filter for each of our names and for each enum, a good part of the time of the import.
    prefixes = tuple([prefix for _, _, prefix in enums])
    members = [(name, value) for name, value in _socket.core.CONSTANTS.items() if name.startswith(prefixes)]
    for base, enum, prefix in enums:
        constants = {name: value for name, value in members if name.startswith(prefix)}
        base._convert_(enum, __name__, _is_any, SimpleNamespace(**constants))


_make_enums(
    (IntEnum, "AddressFamily", "AF_"),
    (IntEnum, "SocketKind", "SOCK_"),
    (IntFlag, "MsgFlag", "MSG_"),
    (IntFlag, "AddressInfo", "AI_"),
)

# Until 3.12 a write to a text file loses what was read ahead (gh-80109).
_LOSES_READ_AHEAD = sys.version_info < (3, 13)

_LOCALHOST = "127.0.0.1"
_LOCALHOST_V6 = "::1"

# "No timeout was given", which is not None: that one waits for ever.
_GLOBAL_DEFAULT_TIMEOUT: Any = object()

_BLOCKSIZE = 8192
# os.sendfile counts in a C ssize_t, and Linux sends less than 2 GiB at once anyway.
_SENDFILE_MAX = 2**30


def _intenum_converter(value: int, enum_klass: type[_Member]) -> _Member:
    """The member of an enum with that value, or the value itself where the enum has none."""
    # In the enum's own table: calling the enum takes longer than many a system call.
    return enum_klass._value2member_map_.get(value, value)  # type: ignore[arg-type,return-value]


class _GiveupOnSendfile(Exception):
    """os.sendfile() cannot do it: send() has to."""


def _plain_size(file: Any, fileno: int, offset: int) -> int:
    """The size of a file whose descriptor *fileno* gives what its read() gives; 0 when there is nothing at *offset*.

    _GiveupOnSendfile for any other: pipes, sockets and devices have no size, files of /proc say that theirs is 0, and
    what read() makes of the bytes (gzip.GzipFile) is not to be seen in the descriptor.
    """
    status = os.fstat(fileno)
    if not isinstance(getattr(file, "raw", file), io.FileIO):
        reason = "not a plain file"
    elif status.st_mode & 0o170000 != 0o100000:  # stat.S_ISREG; importing stat costs more than all of this
        reason = "not a regular file"
    elif not status.st_size and os.pread(fileno, 1, offset):
        reason = "a file that does not tell its size"
    else:
        return status.st_size
    raise _give_up(file, offset, reason)


def _give_up(file: Any, offset: int, reason: object) -> _GiveupOnSendfile:
    """The exception to raise. A file that has a descriptor is sent from *offset*, wherever it stands."""
    if _is_seekable(file):
        file.seek(offset)
    return _GiveupOnSendfile(reason)


def _is_seekable(file: Any) -> bool:
    if not hasattr(file, "seek"):
        return False
    seekable = getattr(file, "seekable", None)
    return seekable is None or bool(seekable())


class socket(_socket.socket):
    """socket(family=AF_INET, type=SOCK_STREAM, proto=0, fileno=None): an endpoint of communication.

    With *fileno* it takes over that descriptor, and finds out the family, type and protocol that are not given.
    """

    __slots__ = ["__weakref__", "_io_refs", "_closed"]

    def __init__(
        self,
        family: SupportsIndex = -1,
        type: SupportsIndex = -1,
        proto: SupportsIndex = -1,
        fileno: SupportsIndex | None = None,
    ) -> None:
        # Defaults come from this module's names at the time of the call, as in the standard library.
        if fileno is None:
            if family == -1:
                family = AF_INET
            if type == -1:
                type = SOCK_STREAM
            if proto == -1:
                proto = 0
        _initialize(self, family, type, proto, fileno)
        # How many files of makefile() need the descriptor; it is closed with the last of them.
        self._io_refs = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._closed:
            self.close()

    def __repr__(self) -> str:
        """The state, and the addresses of both ends where there are any."""
        cls = self.__class__
        closed = getattr(self, "_closed", False)
        parts = [
            f"<{cls.__module__}.{cls.__qualname__}{' [closed]' if closed else ''} fd={self.fileno()}",
            f"family={self.family!s}",
            f"type={self.type!s}",
            f"proto={self.proto}",
        ]
        if not closed:
            for label, method in (("laddr", self.getsockname), ("raddr", self.getpeername)):
                try:
                    address = method()
                except (OSError, AttributeError):
                    continue
                if address:
                    parts.append(f"{label}={address}")
        return ", ".join(parts) + ">"

    def __getstate__(self) -> Any:
        raise TypeError(f"cannot pickle {self.__class__.__name__!r} object")

    def __reduce__(self) -> Any:
        from ._multiprocessing import reduce

        return reduce(self)

    def dup(self) -> Self:
        """A second socket object on a new descriptor for the same socket; the descriptor is close-on-exec."""
        sock: Self = _adopt(self.__class__, self.family, self.type, self.proto, dup(self.fileno()), self)
        sock.settimeout(self.gettimeout())
        return sock

    def accept(self) -> tuple[socket, Any]:
        """Waits for a connection: (socket object, address of the other end)."""
        fd, address = self._accept()
        # The plain numbers, without a detour over the members of the enums.
        sock = _adopt(socket, super().family, super().type, self.proto, fd, self)
        # Without a default timeout, a connection that a socket with a timeout accepted blocks.
        if getdefaulttimeout() is None and self.gettimeout():
            sock.setblocking(True)
        return sock, address

    def recv_exactly(self, nbytes: SupportsIndex, /) -> bytes:
        """The next *nbytes* bytes of a stream, under one timeout for all of them.

        IncompleteReadError (asyncio's, an EOFError) when the stream ends before; ``partial`` has what came. An OSError
        has it too in that attribute. Where reading must go on after a timeout, `socketpkg.streams.Stream` does it.
        ValueError for another type than SOCK_STREAM.
        """
        from .streams import receive_exactly

        return receive_exactly(self, nbytes)

    def recv_exactly_into(self, buffer: WriteableBuffer, /) -> int:
        """recv_exactly(), into the whole of *buffer*. Returns its length in bytes."""
        from .streams import receive_exactly_into

        return receive_exactly_into(self, buffer)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def makefile(
            self,
            mode: _Reader | _Writer | _Pair,
            buffering: Literal[0],
            *,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
        ) -> SocketIO: ...
        @overload
        def makefile(
            self,
            mode: _Pair,
            buffering: Literal[-1, 1] | None = None,
            *,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
        ) -> io.BufferedRWPair: ...
        @overload
        def makefile(
            self,
            mode: _Reader,
            buffering: Literal[-1, 1] | None = None,
            *,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
        ) -> io.BufferedReader: ...
        @overload
        def makefile(
            self,
            mode: _Writer,
            buffering: Literal[-1, 1] | None = None,
            *,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
        ) -> io.BufferedWriter: ...
        @overload
        def makefile(
            self,
            mode: _Reader | _Writer | _Pair,
            buffering: int,
            *,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
        ) -> io.IOBase: ...
        @overload
        def makefile(
            self,
            mode: _Text = "r",
            buffering: int | None = None,
            *,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
        ) -> io.TextIOWrapper: ...

    def makefile(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        """A file object over the socket, as io.open() would make it.

        The arguments are open()'s, the modes "r", "w", "rw", each with or without "b". The file and the socket are
        closed independently: the descriptor lives until both are.
        """
        if not set(mode) <= {"r", "w", "b"}:
            raise ValueError(f"invalid mode {mode!r} (only r, w, b allowed)")
        writing = "w" in mode
        reading = "r" in mode or not writing
        binary = "b" in mode
        raw_mode: Any = ("r" if reading else "") + ("w" if writing else "")
        raw = SocketIO(self, raw_mode)
        self._io_refs += 1
        if buffering is None or buffering < 0:
            buffering = io.DEFAULT_BUFFER_SIZE
        if buffering == 0:
            if not binary:
                raise ValueError("unbuffered streams must be binary")
            return raw
        buffer: Any
        if reading and writing:
            buffer = io.BufferedRWPair(raw, raw, buffering)
        elif reading:
            buffer = io.BufferedReader(raw, buffering)
        else:
            buffer = io.BufferedWriter(raw, buffering)
        if binary:
            return buffer
        wrapper = TextPair if _LOSES_READ_AHEAD and reading and writing else io.TextIOWrapper
        text = wrapper(buffer, io.text_encoding(encoding), errors, newline)
        text.mode = mode  # type: ignore[misc]
        return text

    if hasattr(os, "sendfile"):

        def _sendfile_use_sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
            import select

            self._check_sendfile_params(file, offset, count)
            sockno = self.fileno()
            try:
                fileno = file.fileno()
                size = _plain_size(file, fileno, offset)
            except (AttributeError, OSError) as failure:  # io.UnsupportedOperation is an OSError
                raise _GiveupOnSendfile(failure) from failure
            if not size:
                return 0
            timeout = self.gettimeout()
            if timeout == 0:
                raise ValueError("non-blocking sockets are not supported")
            poll = select.poll()
            poll.register(sockno, select.POLLOUT)
            milliseconds = None if timeout is None else timeout * 1000
            blocksize = min(count or size, _SENDFILE_MAX)
            total = 0
            try:
                while True:
                    if milliseconds is not None and not poll.poll(milliseconds):
                        raise TimeoutError("timed out")
                    if count:
                        blocksize = min(count - total, blocksize)
                        if blocksize <= 0:
                            break
                    try:
                        sent = os.sendfile(sockno, fileno, offset, blocksize)
                    except BlockingIOError:
                        if milliseconds is None:
                            poll.poll()
                        continue
                    except OSError as failure:
                        if total == 0:
                            # No file that can be mapped, most likely: plain send() takes any.
                            raise _give_up(file, offset, failure) from failure
                        raise
                    if sent == 0:
                        break
                    offset += sent
                    total += sent
                return total
            except BaseException as failure:
                failure.characters_written = total  # type: ignore[attr-defined]
                raise
            finally:
                if total > 0 and hasattr(file, "seek"):
                    file.seek(offset)

    else:

        def _sendfile_use_sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
            raise _GiveupOnSendfile("os.sendfile() not available on this platform")

    def _sendfile_use_send(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        self._check_sendfile_params(file, offset, count)
        if self.gettimeout() == 0:
            raise ValueError("non-blocking sockets are not supported")
        seekable = _is_seekable(file)
        if offset:
            file.seek(offset)
        total = 0
        try:
            while count is None or total < count:
                block = file.read(_BLOCKSIZE if count is None else min(count - total, _BLOCKSIZE))
                if block is None:
                    # A non-blocking file that is not at its end.
                    raise BlockingIOError(EAGAIN, "the file has no data yet")
                if not block:
                    break
                data = memoryview(block)
                while data:
                    try:
                        sent = self.send(data)
                    except BlockingIOError:
                        continue
                    total += sent
                    data = data[sent:]
            return total
        except BaseException as failure:
            failure.characters_written = total  # type: ignore[attr-defined]
            raise
        finally:
            if total > 0 and seekable:
                file.seek(offset + total)

    def _check_sendfile_params(self, file: Any, offset: int, count: int | None) -> None:
        mode = getattr(file, "mode", "b")
        # Before 3.13 the mode of a gzip file is a number.
        if isinstance(mode, str) and "b" not in mode:
            raise ValueError("file should be opened in binary mode")
        if not self.type & SOCK_STREAM:
            raise ValueError("only SOCK_STREAM type sockets are supported")
        if count is not None:
            if not isinstance(count, int):
                raise TypeError(f"count must be a positive integer (got {count!r})")
            if count <= 0:
                raise ValueError(f"count must be a positive integer (got {count!r})")

    def sendfile(self, file: _SendableFile, offset: int = 0, count: int | None = None) -> int:
        """Sends a file opened in binary mode until its end, or *count* bytes of it, by os.sendfile() where it can.

        Returns the count of the bytes that were sent; also after an error, the file's position is behind the last of
        them. The socket must be a stream, and may have a timeout but must not be non-blocking (ValueError).
        """
        try:
            return self._sendfile_use_sendfile(file, offset, count)
        except _GiveupOnSendfile:
            return self._sendfile_use_send(file, offset, count)

    def _decref_socketios(self) -> None:
        if self._io_refs > 0:
            self._io_refs -= 1
        if self._closed:
            self.close()

    def _real_close(self, _ss: type[_socket.socket] = _socket.socket) -> None:
        # The default argument keeps the type alive while the interpreter shuts down.
        _ss.close(self)

    def close(self, *, wake: bool = False) -> None:
        """Closes the socket; its descriptor lives on while a file of makefile() needs it.

        With *wake*, calls on it that wait in other threads end with an OSError, EBADF as a rule. The connection is shut
        down for all who share it, files of makefile() lose it too, and the number of the descriptor is not used again
        before this object has ended.
        """
        if wake:
            from ._closing import close_and_wake

            try:
                # First: a file that another thread closes now would close what is said to be closed, and wake nobody.
                close_and_wake(self)
            finally:
                self._closed = True
            return
        self._closed = True
        if self._io_refs <= 0:
            self._real_close()

    def detach(self) -> int:
        """Closes the socket object without closing the descriptor, which is returned."""
        self._closed = True
        return super().detach()

    @property
    def family(self) -> AddressFamily:
        """The family, as a member of AddressFamily where it has the number."""
        return _intenum_converter(super().family, AddressFamily)

    @property
    def type(self) -> SocketKind:
        """The type, as a member of SocketKind where it has the number."""
        return _intenum_converter(super().type, SocketKind)

    def get_inheritable(self) -> bool:
        """Whether a program that this process executes gets the descriptor."""
        return os.get_inheritable(self.fileno())

    def set_inheritable(self, inheritable: bool) -> None:
        """Sets whether a program that this process executes gets the descriptor."""
        os.set_inheritable(self.fileno(), inheritable)


_socket.core.know_public(socket)


def fromfd(fd: SupportsIndex, family: SupportsIndex, type: SupportsIndex, proto: SupportsIndex = 0) -> socket:
    """A socket object on a duplicate of the descriptor *fd*; the original stays open."""
    return _adopt(socket, family, type, proto, dup(fd))  # type: ignore[no-any-return]


def send_fds(
    sock: socket,
    buffers: Iterable[ReadableBuffer],
    fds: Iterable[int],
    flags: int = 0,
    address: _Address | None = None,
) -> int:
    """Sends *buffers* with the descriptors *fds* over a UNIX socket (SCM_RIGHTS, unix(7)); the count of the bytes."""
    return sock.sendmsg(buffers, [(SOL_SOCKET, SCM_RIGHTS, array.array("i", fds))], flags, address)


def recv_fds(sock: socket, bufsize: int, maxfds: int, flags: int = 0) -> tuple[bytes, list[int], int, Any]:
    """Receives up to *bufsize* bytes and *maxfds* descriptors: (data, descriptors, msg_flags, address)."""
    fds = array.array("i")
    data, ancillary, msg_flags, address = sock.recvmsg(bufsize, CMSG_LEN(maxfds * fds.itemsize), flags)
    try:
        for level, kind, payload in ancillary:
            if level == SOL_SOCKET and kind == SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        return data, list(fds), msg_flags, address
    except BaseException:
        # When memory runs out or the handler of a signal raises, the caller never gets the descriptors.
        _socket.core.close_rights(ancillary)
        raise


def socketpair(
    family: int | None = None, type: SupportsIndex = SOCK_STREAM, proto: SupportsIndex = 0
) -> tuple[socket, socket]:
    """Two connected socket objects; the family is AF_UNIX unless another is given."""
    if family is None:
        family = AF_UNIX
    return _pair(socket, family, type, proto)  # type: ignore[no-any-return]


def _fallback_socketpair(family: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    """socketpair() of two TCP sockets over loopback, for platforms without AF_UNIX."""
    if family == AF_INET:
        host = _LOCALHOST
    elif family == AF_INET6:
        host = _LOCALHOST_V6
    else:
        raise ValueError("Only AF_INET and AF_INET6 socket address families are supported")
    if type != SOCK_STREAM:
        raise ValueError("Only SOCK_STREAM socket type is supported")
    if proto != 0:
        raise ValueError("Only protocol zero is supported")
    with socket(family, type, proto) as listener:
        listener.bind((host, 0))
        listener.listen()
        address = listener.getsockname()[:2]
        client = socket(family, type, proto)
        try:
            client.setblocking(False)
            try:
                client.connect(address)
            except (BlockingIOError, InterruptedError):
                pass
            client.setblocking(True)
            server, _ = listener.accept()
        except BaseException:
            client.close()
            raise
    # Any process may connect to the listener: one that was faster would be at the other end (CVE-2024-3219).
    try:
        if server.getsockname() != client.getpeername() or client.getsockname() != server.getpeername():
            raise ConnectionError("Unexpected peer connection")
    except BaseException:
        server.close()
        client.close()
        raise
    return server, client


def getfqdn(name: str = "") -> str:
    """The fully qualified name of a host; of this one when *name* is empty.

    The first of the host's names that has a dot in it; without any, the name as it is.
    """
    name = name.strip()
    if not name or name in ("0.0.0.0", "::"):
        name = gethostname()
    try:
        hostname, aliases, _ = gethostbyaddr(name)
    except OSError:
        return name
    for candidate in (hostname, *aliases):
        if "." in candidate:
            return candidate
    return hostname


def create_connection(
    address: tuple[str | None, str | bytes | int | None],
    timeout: float | None = _GLOBAL_DEFAULT_TIMEOUT,
    source_address: _Address | None = None,
    *,
    all_errors: bool = False,
) -> socket:
    """Connects to (host, port) over TCP, trying each address that the host has, and returns the socket.

    *timeout* (seconds, None for ever) bounds the attempts together, and stays the socket's timeout; without it the
    default timeout holds. *source_address* is bound to first. When no attempt succeeds, the last error is raised, or
    with *all_errors* an ExceptionGroup of all of them.
    """
    host, port = address
    failures: list[OSError] = []
    limit = getdefaulttimeout() if timeout is _GLOBAL_DEFAULT_TIMEOUT else timeout
    deadline = 0
    try:
        found = getaddrinfo(host, port, 0, SOCK_STREAM)
    except OSError as failure:
        _tell(failure, "create_connection", address)
        raise
    for family, kind, proto, _, target in found:
        sock = None
        try:
            sock = socket(family, kind, proto)
            if timeout is not _GLOBAL_DEFAULT_TIMEOUT:
                sock.settimeout(timeout)
                limit = sock.gettimeout()
            if source_address:
                sock.bind(source_address)
            if limit and failures:
                # Addresses that do not answer must not each take the whole time (gh-106283).
                left = (deadline - _monotonic_ns()) / 1_000_000_000
                if left <= 0:
                    sock.close()
                    break
                sock.settimeout(left)
            elif limit:
                deadline = _monotonic_ns() + int(limit * 1_000_000_000)
            sock.connect(target)
            if failures and limit:
                sock.settimeout(limit)
            # A failure's traceback refers to this frame, and the frame to the failures.
            failures.clear()
            return sock
        except OSError as failure:
            if not all_errors:
                failures.clear()
            failures.append(_tell(failure, "connect", target))
            if sock is not None:
                sock.close()
        except BaseException:
            if sock is not None:
                sock.close()
            raise
    try:
        if not failures:
            raise _tell(OSError("getaddrinfo returns an empty list"), "create_connection", address)
        if all_errors:
            raise _tell(ExceptionGroup("create_connection failed", failures), "create_connection", address)
        raise failures[0]
    finally:
        failures.clear()


def has_dualstack_ipv6() -> bool:
    """Whether one socket can serve IPv6 and IPv4 on this platform."""
    if not has_ipv6:
        return False
    try:
        with socket(AF_INET6, SOCK_STREAM) as sock:
            sock.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0)
            return sock.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY) == 0
    except OSError:
        return False


def create_server(
    address: _Address,
    *,
    family: int = AF_INET,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> socket:
    """A TCP socket that is bound to *address* and listens.

    *family* is AF_INET or AF_INET6. *reuse_port* sets SO_REUSEPORT; *dualstack_ipv6* serves IPv4 clients over an
    AF_INET6 socket as well. Both are ValueErrors where the platform cannot. SO_REUSEADDR is set, so that a server can
    come back while connections of the one before linger.
    """
    if reuse_port and not hasattr(_socket, "SO_REUSEPORT"):
        raise ValueError("SO_REUSEPORT not supported on this platform")
    if dualstack_ipv6:
        if not has_dualstack_ipv6():
            raise ValueError("dualstack_ipv6 not supported on this platform")
        if family != AF_INET6:
            raise ValueError("dualstack_ipv6 requires AF_INET6 family")
    sock = socket(family, SOCK_STREAM)
    try:
        if hasattr(_socket, "SO_REUSEADDR"):
            try:
                sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            except OSError:
                # The server works without it.
                pass
        # Other families than these have no ports (Linux 6.12.9 refuses the option there).
        if reuse_port and family in (AF_INET, AF_INET6):
            sock.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
        if has_ipv6 and family == AF_INET6:
            sock.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0 if dualstack_ipv6 else 1)
        try:
            sock.bind(address)
        except OSError as failure:
            message = f"{failure.strerror} (while attempting to bind on address {address!r})"
            raise _tell(OSError(failure.errno, message), "bind", address) from None
        if backlog is None:
            sock.listen()
        else:
            sock.listen(backlog)
        return sock
    except BaseException:
        sock.close()
        raise


def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> _AddressInfoList:
    """The addresses of a host and a service: a list of (family, type, proto, canonname, sockaddr), getaddrinfo(3).

    *host* is a name, a numeric address or None, *port* a service name, a number or None; *family*, *type* and *proto*
    narrow the list down, *flags* are AI_ constants. Raises gaierror.
    """
    found: list[Any] = []
    for af, kind, protocol, name, target in _socket.getaddrinfo(host, port, family, type, proto, flags):
        member = _intenum_converter(af, AddressFamily)
        found.append((member, _intenum_converter(kind, SocketKind), protocol, name, target))
    return found


def install() -> None:
    """Makes socketpkg what ``import socket`` imports from now on, for everybody in this process.

    `http.client`, `ssl`, `asyncio`, `selectors`, `socketserver`, `multiprocessing` and whatever else uses ``socket``
    then work on the chosen backend. Call it first thing in the program: a module that has imported ``socket`` before
    keeps the standard library's. Such modules go on working among themselves, but their sockets and ours are of two
    classes; a `RuntimeWarning` names them. ``ssl`` among them means that TLS does not take our sockets.

    Processes that are forked from this one have it too. Those that multiprocessing starts afresh (``spawn`` and
    ``forkserver``) run the program's main module again, and have it when that calls `install`.

    It comes before gevent's ``monkey.patch_all()`` and eventlet's ``monkey_patch()``, which make sockets for greenlets
    of those that they find; afterwards it is a RuntimeError.

    Calling it again does nothing. ``python -m socketpkg run`` calls it for a program that never heard of us.
    """
    from ._install import install

    install()


if TYPE_CHECKING:
    import array as array
    import selectors as selectors
else:
    # Attributes of the standard library's socket. Nothing here needs them to be loaded.
    for _name in ("array", "selectors"):
        globals()[_name] = sys.modules.get(_name)
        if globals()[_name] is None:
            from ._lazy import DeferredModule

            globals()[_name] = DeferredModule(_name, globals())
    del _name
