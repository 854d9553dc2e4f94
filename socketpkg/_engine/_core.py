"""`Socket` and the functions of the low-level module: arguments and state on one side, `Syscalls` on the other.

Everything that CPython's ``_socket`` does between a Python call and a system call is here, once. Cython compiles this
file for the ``c`` backend (``backends/socketpkg_c/_core.pxd`` gives its fields C types); each other backend runs it as
a module of its own package, bound to that package's ``syscalls``.

What the methods take, return and raise is the standard library's: https://docs.python.org/3/library/socket.html.
"""

from __future__ import annotations

import errno
import sys
from _operator import index
from _warnings import warn
from sys import audit

from socketpkg._engine.arguments import (
    INT_MAX,
    IOV_MAX,
    NANOSECONDS,
    UINT_MAX,
    IndexLikeInt,
    contiguous,
)
from socketpkg._engine.buffers import refuses
from socketpkg._engine.originals import PathLike

from ._address import CONSTANTS, SYSCALLS, AddressCodec, host_name, idna, resolve, sockaddr_family

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsFloat, SupportsIndex

    from _typeshed import ReadableBuffer, WriteableBuffer

    # Compiled, these are functions of C, in _core.pxd and conversions.pxd. Interpreted, `interpreted` puts functions of
    # Python there.
    _audit_address: Any
    _audit_lookup: Any
    _audit_new: Any
    _audit_one: Any
    _borrowed: Any
    _check_buffer: Any
    _decoded: Callable[[bytes], str]
    _encoded: Callable[[Any], bytes]
    _index: Any
    _intact: Any
    _is_buffer: Callable[[object], bool]
    _method_of: Any
    _new: Any
    _open: Any
    _opened: Any
    _plain_bytes: Callable[[Any], bytes]
    _plain_str: Callable[[str], str]
    _prepare: Any
    _room: Any
    _saturated: Any
    _set_twins: Any
    _strerror: Callable[[int], str]
    _taken: Any
else:
    from socketpkg._engine.annotations import (
        Any,
        Iterable,
        ReadableBuffer,
        SupportsFloat,
        SupportsIndex,
        WriteableBuffer,
    )

_sys = SYSCALLS
_codec = AddressCodec()

AF_UNSPEC = CONSTANTS["AF_UNSPEC"]
AF_INET = CONSTANTS["AF_INET"]
AF_INET6 = CONSTANTS["AF_INET6"]
SOCK_STREAM = CONSTANTS["SOCK_STREAM"]
SOCK_DGRAM = CONSTANTS["SOCK_DGRAM"]
_SOL_SOCKET = CONSTANTS["SOL_SOCKET"]
_SO_TYPE = CONSTANTS["SO_TYPE"]
_SO_PROTOCOL = CONSTANTS.get("SO_PROTOCOL", -1)
_SO_RCVLOWAT = CONSTANTS["SO_RCVLOWAT"]
_AF_UNIX = CONSTANTS["AF_UNIX"]
_CMSG_CLOEXEC = CONSTANTS.get("MSG_CMSG_CLOEXEC", 0)
_AF_ALG = CONSTANTS.get("AF_ALG", -1)
_SOL_ALG = CONSTANTS.get("SOL_ALG", -1)
_ALG_SET_OP = CONSTANTS.get("ALG_SET_OP", -1)
_ALG_SET_IV = CONSTANTS.get("ALG_SET_IV", -1)
_ALG_SET_AEAD_ASSOCLEN = CONSTANTS.get("ALG_SET_AEAD_ASSOCLEN", -1)
_AF_VSOCK = CONSTANTS.get("AF_VSOCK", -1)
_SOCK_NONBLOCK = CONSTANTS.get("SOCK_NONBLOCK", 0)
_SOCK_FLAGS = _SOCK_NONBLOCK | CONSTANTS.get("SOCK_CLOEXEC", 0)
_AI_NUMERICHOST = CONSTANTS["AI_NUMERICHOST"]

_BUFLEN_MAX = 1024

INT_MIN = -INT_MAX - 1
SSIZE_MAX = sys.maxsize
SSIZE_MIN = -SSIZE_MAX - 1
# Most arguments that can be left out are 0 then, and this one needs no conversion.
_ZERO: Any = 0
# The default of an argument for which None is wrong.
_LEFT_OUT: Any = ...

# A timeout must fit CPython's PyTime_t, which counts nanoseconds in 63 bits: whole seconds, and nanoseconds as a float.
_SECONDS_MAX = 2**63 // NANOSECONDS
_SCALED_END = 2.0**63
# CPython 3.15 takes every real number for a timeout, Decimal and Fraction among them.
_ANY_REAL_NUMBER = sys.version_info >= (3, 15)

# Nanoseconds, or -1 for ever: what new sockets wait (setdefaulttimeout).
_default_timeout = -1


class Socket:
    """socket(family=AF_INET, type=SOCK_STREAM, proto=0, fileno=None) -> socket object

    A descriptor with what must be known to use it: family, type, protocol and timeout. It is open from `__init__` on
    and until `close` or `detach`; then its descriptor is -1, and every call on it fails with EBADF. A call reads the
    descriptor before each system call that it makes, and so never uses the number after the socket was closed.
    """

    # A `Descriptor` of socketpkg.contract. CPython's _ssl reads the first six, in this order behind the object's
    # head: see contract.pxd. No name here is one that a program's subclass would use for an attribute of its own.
    __slots__ = ("_sp_fd", "_sp_family", "_sp_type", "_sp_proto", "_sp_errorhandler", "_sp_timeout", "_sp_waits_first")

    def __cinit__(self) -> None:
        # Before __init__ there is no descriptor, and the finalizer must not take 0 for one.
        self._sp_fd = -1
        self._sp_family = 0
        self._sp_type = 0
        self._sp_proto = 0
        self._sp_timeout = -1
        self._sp_waits_first = False
        _set_fd(self, -1)
        _set_timeout(self, -1)
        _prepare(self)

    def __init__(
        self,
        family: SupportsIndex = -1,
        type: SupportsIndex = -1,
        proto: SupportsIndex = -1,
        fileno: SupportsIndex | None = None,
    ) -> None:
        initialize(self, family, type, proto, fileno)

    # -- state -----------------------------------------------------------------------------------------------------

    @property
    def family(self) -> int:
        """the socket family"""
        return self._sp_family

    @property
    def type(self) -> int:
        """the socket type"""
        return self._sp_type

    @property
    def proto(self) -> int:
        """the socket protocol"""
        return self._sp_proto

    @property
    def timeout(self) -> float | None:
        """the socket timeout in seconds, None for a blocking socket"""
        return _seconds(self._sp_timeout)

    def fileno(self) -> int:
        """The descriptor, -1 once the socket is closed or detached."""
        return self._sp_fd

    def detach(self) -> int:
        """Closes the socket object without closing its descriptor, which is returned (-1 if it had none)."""
        return _taken(self)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Closes the socket. Closing it again does nothing. ECONNRESET is no error: the descriptor is closed."""
        _close_socket(self)

    def __del__(self) -> None:
        if self._sp_fd == -1:
            return
        try:
            # At shutdown this module's names may be None already; then the warning is left out.
            if warn is not None:
                warn(f"unclosed {self!r}", ResourceWarning, stacklevel=1, source=self)
        except Exception as failure:
            # At shutdown the warnings machinery may be gone. A warning that was turned into an error must be raised.
            if isinstance(failure, Warning) or not sys.is_finalizing():
                raise
        finally:
            try:
                _close_socket(self)
            except OSError:
                pass  # a finalizer cannot report it, as in the standard library

    def __repr__(self) -> str:
        return (
            f"<socket object, fd={self._sp_fd}, family={self._sp_family}, type={self._sp_type}, proto={self._sp_proto}>"
        )

    def __getstate__(self) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    # -- waiting ---------------------------------------------------------------------------------------------------

    def settimeout(self, value: Any, /) -> None:
        """Sets the timeout of every later call: seconds (0 never waits), or None to wait for ever."""
        timeout = timeout_ns(value)
        _set_timeout(self, timeout)
        _sys.set_blocking(self, timeout < 0)

    def gettimeout(self) -> float | None:
        """The timeout in seconds, None for a blocking socket."""
        return _seconds(self._sp_timeout)

    def setblocking(self, flag: Any, /) -> None:
        """settimeout(None) when *flag* is true, settimeout(0.0) when it is not."""
        blocking = bool(flag)
        _set_timeout(self, -1 if blocking else 0)
        _sys.set_blocking(self, blocking)

    def getblocking(self) -> bool:
        """True unless the timeout is 0."""
        return self._sp_timeout != 0

    # -- connections -----------------------------------------------------------------------------------------------

    def bind(self, address: Any, /, *port: Any) -> None:
        """Binds the socket to *address*; for AF_INET and AF_INET6 also bind(host, port)."""
        if port:
            address = self._one_address(address, port, "bind")
        try:
            raw = _codec.encode(self._sp_family, self._sp_proto, address, "bind", self)
            _audit_address("socket.bind", self, address)
            _sys.bind(self, raw)
        except OSError as failure:
            tell(failure, "bind", address)
            raise

    def connect(self, address: Any, /, *port: Any) -> None:
        """Connects to *address*; for AF_INET and AF_INET6 also connect(host, port)."""
        if port:
            address = self._one_address(address, port, "connect")
        error = 0
        try:
            raw = _codec.encode(self._sp_family, self._sp_proto, address, "connect", self)
            _audit_address("socket.connect", self, address)
            error = _sys.connect(self, raw, self._sp_timeout)
            if error:
                if error < 0:
                    raise TimeoutError("timed out")
                if self._sp_fd < 0:
                    _check_woken(self)
                raise OSError(error, _strerror(error))
        except OSError as failure:
            # A layer that refuses says why.
            note = getattr(error, "note", None)
            if note is not None:
                failure.add_note(note)
            tell(failure, "connect", address)
            raise

    def connect_ex(self, address: Any, /, *port: Any) -> int:
        """As connect, but returns the errno of the system call (0 for success) in place of raising it.

        What is wrong with the address itself, a host that does not resolve among it, is raised all the same.
        """
        if port:
            address = self._one_address(address, port, "connect_ex")
        raw = _codec.encode(self._sp_family, self._sp_proto, address, "connect_ex", self)
        _audit_address("socket.connect", self, address)
        error = _sys.connect(self, raw, self._sp_timeout)
        return errno.EWOULDBLOCK if error < 0 else error

    def _one_address(self, address: Any, port: tuple[Any, ...], caller: str) -> Any:
        if len(port) == 1 and (self._sp_family == AF_INET or self._sp_family == AF_INET6):
            return address, port[0]
        raise TypeError(f"{caller}() takes exactly one argument ({len(port) + 1} given)")

    def listen(self, backlog: SupportsIndex = 128, /) -> None:
        """Lets the socket accept connections. *backlog* is how many may wait; a negative one means 0."""
        _sys.listen(self, max(c_int(backlog), 0))

    def _accept(self) -> tuple[int, Any]:
        """_accept() -> (descriptor, address) of a connection."""
        return _accepted(self)

    def shutdown(self, how: SupportsIndex, /) -> None:
        """Shuts down the reading (SHUT_RD), the writing (SHUT_WR) or both sides (SHUT_RDWR) of the connection."""
        _sys.shutdown(self, c_int(how))

    def sockatmark(self) -> bool:
        """sockatmark() -> whether the stream is at its mark: urgent data (MSG_OOB) comes next

        A receive never goes beyond the mark: what was sent before and after it comes in two calls. sockatmark(3).
        OSError on a socket that has no mark.
        """
        return _sys.sockatmark(self)

    def getsockname(self) -> Any:
        """The socket's own address."""
        return _codec.decode(_sys.getsockname(self), self._sp_proto, self)

    def getpeername(self) -> Any:
        """The address of the other end."""
        return _codec.decode(_sys.getpeername(self), self._sp_proto, self)

    # -- options ---------------------------------------------------------------------------------------------------

    def getsockopt(self, level: SupportsIndex, option: SupportsIndex, buflen: SupportsIndex = 0, /) -> int | bytes:
        """The value of a socket option: an int, or with *buflen* (1 to 1024) as many bytes as the kernel has."""
        level_number = c_int(level)
        number = c_int(option)
        size = 0 if buflen is _ZERO else c_int(buflen)
        if size == 0:
            if self._sp_family == _AF_VSOCK:
                # Its options are 64 bits wide (linux/vm_sockets.h).
                return int.from_bytes(_sys.getsockopt(self, level_number, number, 8), sys.byteorder)
            return _sys.getsockopt_int(self, level_number, number)
        if size < 0 or size > _BUFLEN_MAX:
            raise OSError("getsockopt buflen out of range")
        return _sys.getsockopt(self, level_number, number, size)

    def setsockopt(self, level: Any = ..., option: Any = ..., value: Any = ..., /, *optlen: SupportsIndex) -> None:
        """Sets a socket option to an int or to the bytes of a buffer, or to a null pointer of length *optlen*."""
        # It counts its arguments itself: CPython's tests know the text.
        if value is ... or len(optlen) > 1:
            raise _wrong_count(level, option, value, len(optlen))
        level_number = c_int(level)
        number = c_int(option)
        if optlen:
            if value is not None:
                raise TypeError(
                    f"setsockopt() only takes 4 arguments when the third argument is None (got {type(value).__name__})"
                )
            _sys.setsockopt_null(self, level_number, number, index(optlen[0]) & UINT_MAX)
        elif type(value) is int or hasattr(value, "__index__"):
            if self._sp_family == _AF_VSOCK:
                wide = index(value) & 0xFFFF_FFFF_FFFF_FFFF
                _sys.setsockopt(self, level_number, number, wide.to_bytes(8, sys.byteorder))
            else:
                _sys.setsockopt_int(self, level_number, number, c_int(value))
                if number == _SO_RCVLOWAT and level_number == _SOL_SOCKET:
                    # A try that does not wait would take less (socket(7)).
                    self._sp_waits_first = c_int(value) != 1
        elif value is None:
            raise TypeError("setsockopt() requires 4 arguments when the third argument is None")
        else:
            if type(value) is not bytes and not _is_buffer(value):
                raise TypeError(f"socket option should be int, bytes-like object or None (got {type(value).__name__})")
            _sys.setsockopt(self, level_number, number, value)

    # -- transfer --------------------------------------------------------------------------------------------------

    def recv(self, bufsize: SupportsIndex, flags: SupportsIndex = 0, /) -> bytes:
        """At most *bufsize* bytes from the socket; b'' when the other end has closed."""
        size = c_ssize(bufsize)
        number = 0 if flags is _ZERO else c_int(flags)
        if size <= 0:
            if size < 0:
                raise ValueError("negative buffersize in recv")
            return b""
        return _sys.recv(self, size, number, self._sp_timeout)

    def recv_into(self, buffer: WriteableBuffer, nbytes: SupportsIndex = 0, flags: SupportsIndex = 0) -> int:
        """recv into *buffer*: at most *nbytes* bytes, or as many as it has room for. Returns the count."""
        try:
            size = 0 if nbytes is _ZERO else c_ssize(nbytes)
            number = 0 if flags is _ZERO else c_int(flags)
            if size < 0:
                raise ValueError("negative buffersize in recv_into")
        except Exception:
            _check_writable(buffer, "recv_into")
            raise
        return _sys.recv_into(self, buffer, size, number, self._sp_timeout)

    def recvfrom(self, bufsize: SupportsIndex, flags: SupportsIndex = 0, /) -> tuple[bytes, Any]:
        """recv, with the sender's address."""
        size = c_ssize(bufsize)
        number = 0 if flags is _ZERO else c_int(flags)
        if size < 0:
            raise ValueError("negative buffersize in recvfrom")
        data, raw = _sys.recvfrom(self, size, number, self._sp_timeout)
        return data, _codec.decode(raw, self._sp_proto, self)

    def recvfrom_into(
        self, buffer: WriteableBuffer, nbytes: SupportsIndex = 0, flags: SupportsIndex = 0
    ) -> tuple[int, Any]:
        """recv_into, with the sender's address."""
        try:
            size = 0 if nbytes is _ZERO else c_ssize(nbytes)
            number = 0 if flags is _ZERO else c_int(flags)
            if size < 0:
                raise ValueError("negative buffersize in recvfrom_into")
        except Exception:
            _check_writable(buffer, "recvfrom_into")
            raise
        count, raw = _sys.recvfrom_into(self, buffer, size, number, self._sp_timeout)
        return count, _codec.decode(raw, self._sp_proto, self)

    def send(self, data: ReadableBuffer, flags: SupportsIndex = 0, /) -> int:
        """Sends *data*; returns how many of its bytes the kernel took."""
        return _sys.send(self, data, 0 if flags is _ZERO else _flags_after(data, flags), self._sp_timeout)

    def sendall(self, data: ReadableBuffer, flags: SupportsIndex = 0, /) -> None:
        """Sends all of *data*; the timeout covers the whole. After an error the amount sent is unknown."""
        _sys.sendall(self, data, 0 if flags is _ZERO else _flags_after(data, flags), self._sp_timeout)

    def sendto(self, data: ReadableBuffer, /, *arguments: Any) -> int:
        """sendto(data, [flags,] address) -> count of the bytes that were sent to *address*."""
        given = len(arguments)
        if given == 1:
            address = arguments[0]
            flags = 0
        elif given == 2:
            address = arguments[1]
            flags = _flags_after(data, arguments[0])
        else:
            raise TypeError(f"sendto() takes 2 or 3 arguments ({given + 1} given)")
        if type(data) is not bytes and type(data) is not bytearray:
            # Before a host is looked up.
            _check_buffer(data)
        try:
            raw = _codec.encode(self._sp_family, self._sp_proto, address, "sendto", self)
            _audit_address("socket.sendto", self, address)
            return _sys.sendto(self, data, flags, raw, self._sp_timeout)
        except OSError as failure:
            tell(failure, "sendto", address)
            raise

    def recvmsg(
        self, bufsize: SupportsIndex, ancbufsize: SupportsIndex = 0, flags: SupportsIndex = 0, /
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
        """recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)"""
        size = c_ssize(bufsize)
        ancillary_size = c_ssize(ancbufsize)
        number = 0 if flags is _ZERO else c_int(flags)
        if size < 0:
            raise ValueError("negative buffer size in recvmsg()")
        _check_ancillary_size(ancillary_size)
        added = _close_on_exec(self, number)
        message = _sys.recvmsg(self, size, ancillary_size, number | added, self._sp_timeout)
        return _message(self, message, added)

    def recvmsg_into(
        self,
        buffers: Iterable[WriteableBuffer],
        ancbufsize: SupportsIndex = 0,
        flags: SupportsIndex = 0,
        /,
    ) -> tuple[int, list[tuple[int, int, bytes]], int, Any]:
        """recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)"""
        ancillary_size = c_ssize(ancbufsize)
        number = 0 if flags is _ZERO else c_int(flags)
        targets = _tuple_of(buffers, "recvmsg_into() argument 1 must be an iterable")
        if ancillary_size < 0 or ancillary_size > INT_MAX:
            _check_all_writable(targets)
        _check_ancillary_size(ancillary_size)
        if len(targets) > IOV_MAX and self._sp_type == SOCK_STREAM:
            targets = targets[:IOV_MAX]
        added = _close_on_exec(self, number)
        message = _sys.recvmsg_into(self, targets, ancillary_size, number | added, self._sp_timeout)
        return _message(self, message, added)

    def sendmsg(
        self,
        buffers: Iterable[ReadableBuffer],
        ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
        flags: SupportsIndex = 0,
        address: Any = None,
        /,
    ) -> int:
        """sendmsg(buffers[, ancdata[, flags[, address]]]) -> count of the bytes that were sent"""
        number = 0 if flags is _ZERO else c_int(flags)
        raw = b""
        if address is not None:
            raw = _codec.encode(self._sp_family, self._sp_proto, address, "sendmsg", self)
        # As in the standard library, before the buffers are looked at.
        _audit_address("socket.sendmsg", self, address)
        sources = _tuple_of(buffers, "sendmsg() argument 1 must be an iterable")
        items: tuple[tuple[int, int, Any], ...] = ()
        wrong: Exception | None = None
        try:
            items = _ancillary_items(ancdata)
        except Exception as failure:
            wrong = failure
        if wrong is not None:
            try:
                # What is wrong with the buffers is told first, and has nothing to do with this.
                for source in sources:
                    _check_buffer(source)
                raise wrong
            finally:
                # The exception has this frame in its traceback: it must not refer to itself.
                wrong = None
        if len(sources) > IOV_MAX and self._sp_type == SOCK_STREAM:
            return _send_gathered(self, sources, items, number, raw)
        return _sys.sendmsg(self, sources, items, number, raw, self._sp_timeout)

    def sendmsg_afalg(
        self,
        msg: Iterable[ReadableBuffer] = (),
        *,
        op: int = -1,
        iv: ReadableBuffer = ...,  # type: ignore[assignment]
        assoclen: int = ...,  # type: ignore[assignment]
        flags: SupportsIndex = 0,
    ) -> int:
        """sendmsg() on an operation socket of AF_ALG, with the operation and its parameters as ancillary items."""
        if self._sp_family != _AF_ALG:
            raise OSError("algset is only supported for AF_ALG")
        if not isinstance(op, int):
            raise TypeError(f"sendmsg_afalg() argument 'op' must be int, not {type(op).__name__}")
        data = None if iv is _LEFT_OUT else _plain_bytes(iv)
        if assoclen is not _LEFT_OUT and not isinstance(assoclen, int):
            raise TypeError(f"sendmsg_afalg() argument 'assoclen' must be int, not {type(assoclen).__name__}")
        flag_bits = c_int(flags)
        if op < 0 or op > INT_MAX:
            raise TypeError("Invalid or missing argument 'op'")
        items = [(_SOL_ALG, _ALG_SET_OP, op.to_bytes(4, sys.byteorder))]
        if data is not None:
            # struct af_alg_iv: the length, then the bytes (linux/if_alg.h)
            items.append((_SOL_ALG, _ALG_SET_IV, len(data).to_bytes(4, sys.byteorder) + data))
        if assoclen is not _LEFT_OUT:
            if c_int(assoclen) < 0:
                raise TypeError("assoclen must be positive")
            items.append((_SOL_ALG, _ALG_SET_AEAD_ASSOCLEN, c_int(assoclen).to_bytes(4, sys.byteorder)))
        sources = _tuple_of(msg, "sendmsg_afalg() argument 1 must be an iterable")
        return _sys.sendmsg(self, sources, tuple(items), flag_bits, b"", self._sp_timeout)

    # -- many datagrams at once: extensions, see docs/datagrams.md ---------------------------------------------------

    def recvmmsg(
        self,
        count: SupportsIndex,
        bufsize: SupportsIndex,
        flags: SupportsIndex = 0,
        *,
        ancbufsize: SupportsIndex | None = None,
    ) -> list[Any]:
        """recvmmsg(count, bufsize, flags=0) -> list of (data, address), at least one and at most *count*

        Waits for the first message as recvfrom() does, and takes what else is there (recvmmsg(2)). A message longer
        than *bufsize* is cut. With *ancbufsize*, which may be 0, the list holds (data, ancdata, msg_flags, address)
        as from recvmsg(), and MSG_TRUNC in msg_flags tells that one was cut. An error behind the first message is
        raised by the next call. A *count* of 0 gives [] without a system call.
        """
        messages = c_ssize(count)
        room = c_ssize(bufsize)
        size = -1 if ancbufsize is None else _ancillary_size(ancbufsize)
        number = c_int(flags)
        added = _close_on_exec(self, number)
        return _bulk_functions().receive(self, messages, room, size, number, added)  # type: ignore[no-any-return]

    def recvmmsg_into(
        self,
        buffers: Iterable[WriteableBuffer],
        flags: SupportsIndex = 0,
        *,
        ancbufsize: SupportsIndex | None = None,
    ) -> list[Any]:
        """recvmmsg_into(buffers, flags=0) -> list of (nbytes, address), at least one and at most one for each buffer

        recvmmsg(), each message into a buffer of its own, in their order. With MSG_TRUNC in *flags*, nbytes is the
        length of the message also where the buffer is smaller. With *ancbufsize* the list holds
        (nbytes, ancdata, msg_flags, address), as from recvmsg_into().
        """
        size = -1 if ancbufsize is None else _ancillary_size(ancbufsize)
        number = c_int(flags)
        targets = _tuple_of(buffers, "recvmmsg_into() argument 1 must be an iterable")
        added = _close_on_exec(self, number)
        return _bulk_functions().receive_into(self, targets, size, number, added)  # type: ignore[no-any-return]

    def sendmmsg(self, messages: Iterable[Any], flags: SupportsIndex = 0) -> int:
        """sendmmsg(messages, flags=0) -> how many of the messages were sent

        Each message is data, (data, address) or (data, address, ancdata); None means no address. The data is a
        bytes-like object, or a list or tuple of them that are gathered. A blocking socket sends all of them; one with
        a timeout waits for room for the first, and sends as many as there is room for, as one that never waits does.
        An error is raised when no message was sent; else the count says where it came, and the next call, which
        begins there, raises it if it persists. OSError (EOPNOTSUPP) on a stream, which has no messages.
        """
        return _bulk_functions().send(  # type: ignore[no-any-return]
            self, messages, c_int(flags), _tuple_of, _ancillary_items
        )

    def send_segments(
        self,
        data: ReadableBuffer,
        segment_size: SupportsIndex,
        address: Any = None,
        flags: SupportsIndex = 0,
    ) -> int:
        """send_segments(data, segment_size, address=None, flags=0) -> how many bytes of *data* were sent

        Sends *data* as datagrams of *segment_size* bytes (1 to 65535), the last one maybe shorter, to *address* or to
        the peer of a connected socket: up to 64 of them in one system call where the kernel can cut them
        (UDP_SEGMENT, see udp(7)), else as sendmmsg() does. Fewer bytes than *data* has, always whole segments, are
        sent where sendmmsg() would send fewer messages, and errors are as there. Nothing is sent of empty *data*.
        """
        return _bulk_functions().send_segments(  # type: ignore[no-any-return]
            self, data, c_ssize(segment_size), address, c_int(flags)
        )

    def recv_segments(self, bufsize: SupportsIndex = 65535, flags: SupportsIndex = 0) -> tuple[list[bytes], Any]:
        """recv_segments(bufsize=65535, flags=0) -> (list of datagrams, address of their sender)

        Sets UDP_GRO, with which the kernel joins datagrams of one sender, and takes what it has joined apart again;
        at least one datagram, and without UDP_GRO exactly one. From then on recv() and its kin may get several
        datagrams as one: set the option to 0 before using them. *bufsize* is the room for all of them together; what
        does not fit is lost, and 65535 always do.
        """
        return _bulk_functions().receive_segments(self, c_ssize(bufsize), c_int(flags))  # type: ignore[no-any-return]


def _accepted(sock: Socket) -> tuple[int, Any]:
    """Descriptor and address of a connection."""
    if sock._sp_family == _AF_ALG:
        return _sys.accept_unnamed(sock, sock._sp_timeout), None
    fd, raw = _sys.accept(sock, sock._sp_timeout)
    try:
        return fd, _codec.decode(raw, sock._sp_proto, sock)
    except BaseException:
        _sys.close(fd)
        raise


def _message(sock: Socket, message: tuple[Any, list[Any], int, bytes], added: int) -> tuple[Any, list[Any], int, Any]:
    """What has come, for the program: without the flags that were *added* for it, and with the sender's address."""
    received, ancillary, marks, raw = message
    if not ancillary:
        return received, ancillary, marks & ~added if added else marks, _codec.decode(raw, sock._sp_proto, sock)
    try:
        return received, ancillary, marks & ~added if added else marks, _codec.decode(raw, sock._sp_proto, sock)
    except BaseException:
        # The call fails, so the descriptors that were received cannot be handed over.
        _sys.close_rights(ancillary)
        raise


def know_public(cls: type[Socket]) -> None:
    """Tells which class is the public one. Where this module is compiled, calls of its methods run compiled."""
    if "compiled-core" in _sys.features:
        copy_methods(cls)
    _set_twins(cls)


#: What must be as it was made in the public class for its objects to be made and closed without calls of its methods
#: (compiled, see socketpkg_functions.h).
_TWINS_NEED = (
    *("__init__", "__new__", "__getattribute__", "__getattr__", "__setattr__", "_closed", "_io_refs"),
    *("close", "_real_close", "_accept", "family", "type", "proto", "gettimeout", "setblocking"),
)
#: The public class with twins, and what it had of these then.
_public: Any = None
_made: tuple[tuple[str, Any], ...] = ()


def copy_methods(cls: type[Socket]) -> None:
    """Gives *cls* the compiled methods that it inherits from `Socket` as its own.

    CPython specializes a call of such a method for objects of just the class that the method belongs to. For those of a
    subclass, which is what a program has, every call would be looked up anew: 20 to 45 ns.
    """
    for name, method in vars(Socket).items():
        if type(method) is _METHOD and not name.startswith("__") and name not in vars(cls):
            setattr(cls, name, _method_of(cls, method))


def tell(error: BaseException, operation: str, address: Any) -> BaseException:
    """*error* with a note (PEP 678) of the operation and its address, and the address as its attribute ``address``.

    Its text and its arguments stay as they are. The innermost operation counts. What only says that a call would have
    to wait is no failure, and is told to programs too often for that.
    """
    if not isinstance(error, BlockingIOError) and not hasattr(error, "address"):
        error.address = address  # type: ignore[attr-defined]
        error.add_note(f"{operation} {address!r}")
    return error


def _check_woken(sock: Socket) -> None:
    """Raises EBADF if close(wake=True) ended a wait in the kernel."""
    from socketpkg._engine.woken import check

    check(sock)


#: What a method of a compiled class is.
_METHOD = type(str.join)


def _bulk_functions() -> Any:
    """The functions for many datagrams at once, loaded when the first of them is used."""
    global _bulk
    if _bulk is None:
        from . import _bulk as functions

        _bulk = functions
    return _bulk


_bulk: Any = None


def close_rights(ancillary: list[tuple[int, int, bytes]]) -> None:
    """Closes the descriptors among ancillary items that cannot be handed to the program."""
    _sys.close_rights(ancillary)


def _wrong_count(level: Any, option: Any, value: Any, optlens: int) -> TypeError:
    given = (level is not ...) + (option is not ...) + (value is not ...) + optlens
    allowed = "at least 3" if given < 3 else "at most 4"
    return TypeError(f"setsockopt() takes {allowed} arguments ({given} given)")


def initialize(
    sock: Socket, family: SupportsIndex, type: SupportsIndex, proto: SupportsIndex, fileno: SupportsIndex | None
) -> None:
    """Socket.__init__, which as a slot of the type takes longer to call: a tuple is made of its arguments."""
    family_number = c_int(family)
    kind = c_int(type)
    protocol = c_int(proto)
    _audit_new("socket.__new__", sock, family_number, kind, protocol)
    if fileno is None:
        family_number = AF_INET if family_number == -1 else family_number
        kind = SOCK_STREAM if kind == -1 else kind
        protocol = 0 if protocol == -1 else protocol
        fd = -1
        made = _room()
        try:
            fd = _open(made, family_number, kind, protocol)
            _take_over(sock, family_number, kind, protocol, fd)
        except BaseException:
            fd = _opened(made, fd)
            if fd != -1 and sock._sp_fd != fd:
                _sys.close(fd)
            raise
    else:
        fd = _descriptor(fileno)
        if fd < 0:
            raise ValueError("negative file descriptor")
        # A descriptor that another object gives away is not looked at: that object knows its family, type and protocol.
        known = family_number != -1 and kind != -1 and protocol != -1 and bool(_offered)
        if not known or _offered.get(fd) is None:
            family_number, kind, protocol = _kind_of(fd, family_number, kind, protocol)
        _take_over(sock, family_number, kind, protocol, fd)


def _take_over(sock: Socket, family: int, kind: int, protocol: int, fd: int) -> None:
    """Makes *sock* the owner of *fd*. When that fails, the descriptor is the caller's to close."""
    timeout = 0 if kind & _SOCK_NONBLOCK else _default_timeout
    if timeout >= 0 and not kind & _SOCK_NONBLOCK:
        _sys.set_blocking(_borrowed(fd), False)
    sock._sp_family = family
    sock._sp_type = kind & ~_SOCK_FLAGS
    sock._sp_proto = protocol
    sock._sp_waits_first = False
    _set_timeout(sock, timeout)
    owner = None
    offered = bool(_offered)
    if offered:
        owner = _offered.get(fd)
    # Interpreted, a signal's handler can run after each call that is made here. So no call stands between taking the
    # descriptor from its owner, giving it to the new one, and withdrawing the offer.
    if owner is not None:
        owner._sp_fd = -1
    sock._sp_fd = fd
    if offered:
        _offered.pop(fd, None)
        if owner is not None:
            _set_fd(owner, -1)
    _set_fd(sock, fd)


def _kind_of(fd: int, family: int, kind: int, protocol: int) -> tuple[int, int, int]:
    """Family, type and protocol of a descriptor's socket, each asked of the kernel where it is -1."""
    borrowed = _borrowed(fd)
    try:
        raw = _sys.getsockname(borrowed)
    except OSError as failure:
        # Some families have no such call (AF_ALG); a descriptor that is no socket is wrong in any case.
        if family == -1 or failure.errno in (errno.EBADF, errno.ENOTSOCK):
            raise
    else:
        if family == -1:
            family = sockaddr_family(raw)
    if kind == -1:
        kind = _sys.getsockopt_int(borrowed, _SOL_SOCKET, _SO_TYPE)
    if protocol == -1:
        protocol = _sys.getsockopt_int(borrowed, _SOL_SOCKET, _SO_PROTOCOL) if _SO_PROTOCOL >= 0 else 0
    return family, kind, protocol


# The descriptors that `adopt` offers to an object in the making, and the socket object that owns each until then (None
# for a descriptor without an object).
_offered: dict[int, Socket | None] = {}


def adopt(
    make: Any,
    family: SupportsIndex,
    type: SupportsIndex,
    proto: SupportsIndex,
    source: int | Socket,
    like: Socket | None = None,
) -> Any:
    """A socket object of the class *make* that owns the descriptor *source*, or that of the low-level socket *source*.

    When *make* fails, a number is closed once: here, unless an object has taken it over before (the ``__init__`` of a
    subclass may fail after that). Options that this library keeps for a socket come from *like*.
    """
    owner: Socket | None
    if isinstance(source, Socket):
        owner = source
        fd = owner._sp_fd
    else:
        owner = None
        fd = source
    try:
        _offered[fd] = owner
        if like is not None and _intact(make):
            # It is known to be what *like* is, and nobody's `__init__` is to be called.
            sock = _new(make)
            family_number = c_int(family)
            kind = c_int(type)
            protocol = c_int(proto)
            _audit_new("socket.__new__", sock, family_number, kind, protocol)
            _take_over(sock, family_number, kind, protocol, fd)
        else:
            sock = make(family, type, proto, fileno=fd)
        if like is not None and like._sp_waits_first:
            _inherit(sock, like)
        return sock
    except BaseException:
        if owner is None and fd in _offered:
            _sys.close(fd)
        raise
    finally:
        _offered.pop(fd, None)


def pair(make: Any, family: SupportsIndex, type: SupportsIndex, proto: SupportsIndex) -> tuple[Any, Any]:
    """Two socket objects of the class *make*, connected to each other."""
    family_number = c_int(family)
    kind = c_int(type)
    protocol = c_int(proto)
    if not _intact(make):
        one, other = socketpair(family_number, kind, protocol)
        try:
            a = adopt(make, family, type, proto, one)
            try:
                return a, adopt(make, family, type, proto, other)
            except BaseException:
                a.close()
                raise
        finally:
            one.close()
            other.close()
    a = _new(make)
    b = _new(make)
    _own_pair(a, b, family_number, kind, protocol, True)
    return a, b


def _own_pair(a: Socket, b: Socket, family: int, kind: int, protocol: int, audits: bool) -> None:
    """Makes two sockets, which have no descriptors yet, the owners of a new connected pair.

    With *audits* each raises the audit event of a new socket before it has its descriptor.
    """
    first, second = _sys.socketpair(family, kind, protocol)
    try:
        if audits:
            _audit_new("socket.__new__", a, family, kind, protocol)
        _take_over(a, family, kind, protocol, first)
        if audits:
            _audit_new("socket.__new__", b, family, kind, protocol)
        _take_over(b, family, kind, protocol, second)
    except BaseException:
        if a._sp_fd != first:
            _sys.close(first)
        if b._sp_fd != second:
            _sys.close(second)
        raise


def own(sock: Socket, fd: int, listener: Socket) -> None:
    """Makes *sock*, which has no descriptor yet, the owner of the connection *fd* that *listener* accepted.

    As `adopt` does it, without asking the kernel what it is. When this fails, *sock* has no descriptor.
    """
    _audit_new("socket.__new__", sock, listener._sp_family, listener._sp_type, listener._sp_proto)
    _take_over(sock, listener._sp_family, listener._sp_type, listener._sp_proto, fd)
    if listener._sp_waits_first:
        _inherit(sock, listener)


def _inherit(sock: Socket, like: Socket) -> None:
    sock._sp_waits_first = like._sp_waits_first


def _set_fd(sock: Socket, fd: int) -> None:
    sock._sp_fd = fd


def _set_timeout(sock: Socket, timeout: int) -> None:
    sock._sp_timeout = timeout


# -- arguments --------------------------------------------------------------------------------------------------------


# Most numbers that programs give are small. Interpreted, two comparisons with numbers of 30 bits take less time
# than one with a longer number, and so does one function less.


def c_int(value: SupportsIndex) -> int:
    """*value* as a C int. TypeError for what is no integer, OverflowError for one that does not fit."""
    number = value if type(value) is int else _index(value)
    if 0 <= number <= 0x3FFFFFFF:
        return number
    number = c_long(number)
    if number > INT_MAX:
        raise OverflowError("signed integer is greater than maximum")
    if number < INT_MIN:
        raise OverflowError("signed integer is less than minimum")
    return number


def c_long(value: SupportsIndex) -> int:
    """*value* as a C long (of 64 bits), which CPython makes of it before an int."""
    number = value if type(value) is int else _index(value)
    if number > SSIZE_MAX or number < SSIZE_MIN:
        raise OverflowError("Python int too large to convert to C long")
    return number


def c_ssize(value: SupportsIndex) -> int:
    """*value* as a C ssize_t. TypeError for what is no integer, OverflowError for one that does not fit."""
    number = value if type(value) is int else _index(value)
    if 0 <= number <= 0x3FFFFFFF:
        return number
    if number > SSIZE_MAX or number < SSIZE_MIN:
        raise OverflowError("Python int too large to convert to C ssize_t")
    return number


def c_unsigned(value: SupportsIndex, most: int, c_type: str) -> int:
    """*value* as an unsigned integer of the C type *c_type*, with the errors of CPython 3.14 and later ones."""
    number: int = _saturated(value)
    if number < 0:
        raise ValueError("Cannot convert negative int")
    if number > most:
        raise OverflowError(f"Python int too large for C {c_type}")
    return number


def _descriptor(value: SupportsIndex) -> int:
    """A descriptor, -1 for an impossible number: CPython cuts it to an int, which may be that of another file."""
    number = c_long(value)
    return number if 0 <= number <= INT_MAX else -1


def timeout_ns(value: SupportsFloat | SupportsIndex | None) -> int:
    """Seconds, or None for ever, as nanoseconds of the contract: rounded up, -1 for None.

    ValueError for a negative number or NaN, OverflowError for more than a PyTime_t holds, TypeError for what is no
    real number.
    """
    if value is None:
        return -1
    if type(value) is int or (not isinstance(value, float) and hasattr(value, "__index__")):
        nanoseconds: int = _saturated(value)
        if nanoseconds > _SECONDS_MAX or nanoseconds < -_SECONDS_MAX:
            raise OverflowError("timestamp too large to convert to C PyTime_t")
        nanoseconds *= NANOSECONDS
        negative = nanoseconds < 0
    elif isinstance(value, float) or (_ANY_REAL_NUMBER and hasattr(value, "__float__")):
        scaled = float(value) * NANOSECONDS
        if scaled != scaled:
            raise ValueError("Invalid value NaN (not a number)")
        if scaled <= -_SCALED_END or scaled >= _SCALED_END:
            raise OverflowError("timestamp out of range for C PyTime_t")
        nanoseconds = int(scaled)
        if nanoseconds < scaled:
            nanoseconds += 1
        negative = scaled < 0
    elif _ANY_REAL_NUMBER:
        raise TypeError(f"must be real number, not {type(value).__name__}")
    else:
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    if negative:
        raise ValueError("Timeout value out of range")
    return nanoseconds


def _seconds(timeout: int) -> float | None:
    return None if timeout < 0 else timeout / NANOSECONDS


def _ancillary_size(ancbufsize: SupportsIndex) -> int:
    size = c_ssize(ancbufsize)
    _check_ancillary_size(size)
    return size


def _check_ancillary_size(size: int) -> None:
    # The kernel's msg_controllen is passed as a socklen_t in places.
    if size < 0 or size > INT_MAX:
        raise ValueError("invalid ancillary data buffer length")


# CPython converts its arguments from the first to the last, and raises for the first one that is wrong. Here the
# backend takes the buffers, after all other arguments were converted. So when one of those is wrong, the buffers before
# it are checked first, and the error is the same.


def _flags_after(data: ReadableBuffer, flags: SupportsIndex) -> int:
    """The number of *flags* that are given behind *data*."""
    if type(data) is not bytes:
        _check_buffer(data)
    return c_int(flags)


def _check_all_writable(targets: tuple[WriteableBuffer, ...]) -> None:
    """TypeError unless recvmsg_into() could receive into all of *targets*."""
    for target in targets:
        try:
            view = contiguous(target)
            usable = not view.readonly
            view.release()
        except Exception as failure:
            if not refuses(target, failure):
                raise
            usable = False
        if not usable:
            raise TypeError("recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers")


def _check_writable(buffer: WriteableBuffer, caller: str) -> None:
    """TypeError unless *caller* could receive into *buffer*, whatever the reason."""
    try:
        view = contiguous(buffer)
        usable = not view.readonly
        view.release()
    except Exception as failure:
        if not refuses(buffer, failure):
            raise
        usable = False
    if not usable:
        kind = type(buffer).__name__
        raise TypeError(f"{caller}() argument 1 must be read-write bytes-like object, not {kind}") from None


def _send_gathered(
    sock: Socket, sources: tuple[Any, ...], items: tuple[tuple[int, int, Any], ...], flags: int, raw: bytes
) -> int:
    """sendmsg() of more buffers than one system call takes, on a stream: how many bytes were sent.

    A blocking socket sends all of them. Where fewer are sent the count says so; an error behind the first bytes is the
    next call's.
    """
    sent = 0
    timeout = sock._sp_timeout
    for start in range(0, len(sources), IOV_MAX):
        part = sources[start : start + IOV_MAX]
        size = 0
        for source in part:
            view = contiguous(source)
            size += view.nbytes
            view.release()
        if not size and start + IOV_MAX < len(sources):
            continue  # ancillary data goes with the first byte
        try:
            count = _sys.sendmsg(sock, part, items, flags, raw, timeout)
        except OSError as failure:
            # An exception from the handler of a signal has no errno.
            if sent and failure.errno is not None:
                break
            raise
        sent += count
        if count < size:
            break
        items = ()
        if timeout > 0:
            timeout = 0
    return sent


def _close_on_exec(sock: Socket, flags: int) -> int:
    """What a receive adds to its *flags*, so that descriptors are born close-on-exec. The kernel repeats it in
    msg_flags.

    Only AF_UNIX has them (SCM_RIGHTS), and some families refuse flags that they do not know (AF_PACKET, ISOTP of
    AF_CAN).
    """
    return _CMSG_CLOEXEC & ~flags if sock._sp_family == _AF_UNIX else 0


def _tuple_of(iterable: Iterable[Any], message: str) -> tuple[Any, ...]:
    # A tuple of its own: taking the items' buffers may run Python code, and that may empty a list (gh-143637).
    if type(iterable) is list or type(iterable) is tuple:
        return tuple(iterable)
    iterator = None
    try:
        iterator = iter(iterable)
    except TypeError:
        # Raised in here, the error would have this TypeError as its context.
        pass
    if iterator is None:
        raise TypeError(message)
    return tuple(iterator)


def _ancillary_items(ancdata: Iterable[Any]) -> tuple[tuple[int, int, Any], ...]:
    items = []
    for item in _tuple_of(ancdata, "sendmsg() argument 2 must be an iterable"):
        if type(item) is not tuple and type(item) is not list and not _is_sequence(item):
            raise TypeError(
                f"[sendmsg() ancillary data items]() argument must be 3-item sequence, not {type(item).__name__}"
            )
        parts = tuple(item)
        if len(parts) != 3:
            raise TypeError(
                f"[sendmsg() ancillary data items]() argument must be sequence of length 3, not {len(parts)}"
            )
        level = c_int(parts[0])
        kind = c_int(parts[1])
        data = parts[2]
        if type(data) is not bytes:
            _check_buffer(data)
        if type(parts[0]) is int and type(parts[1]) is int:
            items.append(parts)
        else:
            items.append((level, kind, data))
    return tuple(items)


def _is_sequence(value: Any) -> bool:
    """PySequence_Check(), except that bytes do not count as a sequence of arguments."""
    return hasattr(type(value), "__getitem__") and not isinstance(value, (bytes, dict))


def _close(fd: int) -> None:
    try:
        _sys.close(fd)
    except ConnectionResetError:
        # The peer's reset says nothing about the descriptor, which is closed (bpo-30319).
        pass


def _close_socket(sock: Socket) -> None:
    """Closes the descriptor of a socket object, if it has one."""
    # Interpreted, the handler of a signal can run where a Python function begins. None begins between these two calls:
    # a handler that raises there would leave the descriptor without an owner.
    fd = _taken(sock)
    if fd != -1:
        try:
            _sys.close(fd)
        except ConnectionResetError:
            pass  # as in _close


def _text(value: Any, function: str, position: int) -> str:
    if not isinstance(value, str):
        kind = "None" if value is None else type(value).__name__
        argument = f"argument {position}" if position else "argument"
        raise TypeError(f"{function}() {argument} must be str, not {kind}")
    text: str = _plain_str(value)
    if "\0" in text:
        raise ValueError("embedded null character")
    return text


# -- functions of the module ------------------------------------------------------------------------------------------


def getdefaulttimeout() -> float | None:
    """The timeout of new sockets in seconds, None when they wait for ever."""
    return _seconds(_default_timeout)


def setdefaulttimeout(timeout: Any, /) -> None:
    """Sets the timeout of new sockets: seconds, or None to wait for ever."""
    global _default_timeout
    _default_timeout = timeout_ns(timeout)


def close(fd: SupportsIndex, /) -> None:
    """Closes the descriptor of a socket, as os.close() does for a file. ECONNRESET is no error."""
    _close(_descriptor(fd))


def dup(fd: SupportsIndex, /) -> int:
    """A new descriptor for the same socket, close-on-exec."""
    return _sys.dup(_descriptor(fd))


def socketpair(
    family: SupportsIndex = _AF_UNIX, type: SupportsIndex = SOCK_STREAM, proto: SupportsIndex = 0, /
) -> tuple[Socket, Socket]:
    """socketpair([family[, type[, proto]]]) -> (socket object, socket object), connected to each other"""
    family_number = c_int(family)
    kind = c_int(type)
    protocol = c_int(proto)
    a = Socket.__new__(Socket)
    b = Socket.__new__(Socket)
    _own_pair(a, b, family_number, kind, protocol, False)
    return a, b


def gethostname() -> str:
    """The name of this host."""
    audit("socket.gethostname")
    return _decoded(_sys.gethostname())


def sethostname(name: str | bytes, /) -> None:
    """Sets the name of this host."""
    raw = _encoded(name)
    if b"\0" in raw and not isinstance(name, bytes):
        raise ValueError("embedded null byte")
    audit("socket.sethostname", raw)
    _sys.sethostname(raw)


def _host_argument(host: Any, function: str) -> str:
    if not isinstance(host, (str, bytes, bytearray)):
        kind = "None" if host is None else type(host).__name__
        raise TypeError(f"{function}() argument 1 must be str, bytes or bytearray, not {kind}")
    if ("\0" in host) if isinstance(host, str) else (b"\0" in host):
        raise TypeError(f"{function}() argument 1 must be encoded string without null bytes, not {type(host).__name__}")
    if isinstance(host, str):
        return idna(host).decode("ascii")
    return host_name(host)


def gethostbyname(host: str | bytes, /) -> str:
    """The IPv4 address of *host* as a string, such as '100.50.200.5'. Raises gaierror."""
    name = _host_argument(host, "gethostbyname")
    _audit_one("socket.gethostbyname", host)
    _, packed, _ = resolve(name, AF_INET)
    return _sys.inet_ntop(AF_INET, packed)


def gethostbyname_ex(host: str | bytes, /) -> tuple[str, list[str], list[str]]:
    """gethostbyname_ex(host) -> (name, aliaslist, ipaddrlist) of a host, IPv4 only. Raises gaierror or herror."""
    name = _host_argument(host, "gethostbyname_ex")
    _audit_one("socket.gethostbyname", host)
    resolve(name, AF_INET)
    return _host_entry(_sys.gethostbyname(_encoded(name), AF_INET))


def gethostbyaddr(host: str | bytes, /) -> tuple[str, list[str], list[str]]:
    """gethostbyaddr(host) -> (name, aliaslist, ipaddrlist) of an address, or of a name. Raises gaierror or herror."""
    name = _host_argument(host, "gethostbyaddr")
    _audit_one("socket.gethostbyaddr", host)
    family, packed, _ = resolve(name, AF_UNSPEC)
    return _host_entry(_sys.gethostbyaddr(packed, family))


def _host_entry(entry: tuple[bytes, list[bytes], int, list[bytes]]) -> tuple[str, list[str], list[str]]:
    name, aliases, family, addresses = entry
    return (
        _decoded(name),
        [_decoded(alias) for alias in aliases],
        [_sys.inet_ntop(family, packed) for packed in addresses],
    )


def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: SupportsIndex = 0,
    type: SupportsIndex = 0,
    proto: SupportsIndex = 0,
    flags: SupportsIndex = 0,
) -> list[tuple[int, int, int, str, Any]]:
    """getaddrinfo(host, port[, family, type, proto, flags]) -> list of (family, type, proto, canonname, sockaddr)"""
    family_number = c_int(family)
    kind = c_int(type)
    protocol = c_int(proto)
    flag_bits = c_int(flags)
    if not flag_bits & ~_AI_NUMERIC:
        raw = _codec.numeric(family_number, host, port)
        if raw is not None:
            _audit_lookup("socket.getaddrinfo", host, port, family_number, kind, protocol)
            return _numeric_addresses(host, port, raw, family_number, kind, protocol, flag_bits)  # type: ignore[arg-type]
    name: bytes | None
    if host is None:
        name = None
    elif isinstance(host, str):
        name = idna(host)
    elif isinstance(host, bytes):
        name = _plain_bytes(host)
    else:
        raise TypeError("getaddrinfo() argument 1 must be string or None")
    service: bytes | None
    if port is None:
        service = None
    elif isinstance(port, str):
        service = _plain_str(port).encode()
    elif isinstance(port, bytes):
        service = _plain_bytes(port)
    elif port.__class__ is int or (IndexLikeInt and hasattr(port.__class__, "__index__")):
        # However large: the resolver judges it (gh-74895).
        service = b"%d" % index(port)
    else:
        raise OSError("Int or String expected")
    _audit_lookup("socket.getaddrinfo", host, port, family_number, kind, protocol)
    return [
        (found_family, found_type, found_proto, _decoded(canonname), _codec.decode(raw, found_proto, None))
        for found_family, found_type, found_proto, canonname, raw in _sys.getaddrinfo(
            _until_nul(name), _until_nul(service), family_number, kind, protocol, flag_bits
        )
    ]


# What the C library gives for a numeric host, apart from the address, depends only on what was asked for. It is asked
# once for each such question: (type, protocol) of its answers.
_numeric_kinds: dict[tuple[int, int, int, int, int], tuple[tuple[int, int], ...]] = {}
# The flags that change nothing for a numeric host and port.
_AI_NUMERIC = _AI_NUMERICHOST | CONSTANTS.get("AI_NUMERICSERV", 0) | CONSTANTS["AI_PASSIVE"]


def _numeric_addresses(
    host: str, port: int, raw: bytes, family: int, kind: int, protocol: int, flags: int
) -> list[tuple[int, int, int, str, Any]]:
    """What getaddrinfo() gives for a numeric host and port, of which *raw* is the sockaddr."""
    version = sockaddr_family(raw)
    question = (version, family, kind, protocol, flags)
    kinds = _numeric_kinds.get(question)
    if kinds is None:
        found = _sys.getaddrinfo(host.encode(), b"%d" % port, family, kind, protocol, flags)
        kinds = tuple([(found_type, found_proto) for _, found_type, found_proto, _, _ in found])
        _numeric_kinds[question] = kinds
    address = _codec.decode(raw, 0, None)
    return [(version, found_type, found_proto, "", address) for found_type, found_proto in kinds]


def _until_nul(text: bytes | None) -> bytes | None:
    """A C string ends at its first NUL."""
    if text is not None and b"\0" in text:
        return text[: text.index(b"\0")]
    return text


def getnameinfo(sockaddr: tuple[Any, ...], flags: SupportsIndex, /) -> tuple[str, str]:
    """getnameinfo(sockaddr, flags) -> (host, port) of an address of AF_INET or AF_INET6. Raises gaierror."""
    if not isinstance(sockaddr, tuple):
        # No frame of the traceback may keep the argument: CPython's tests count the references to it.
        del sockaddr, flags
        raise TypeError("getnameinfo() argument 1 must be a tuple")
    flag_bits = c_int(flags)
    size = len(sockaddr)
    if size < 2 or size > 4 or not isinstance(sockaddr[0], str):
        raise TypeError("getnameinfo(): illegal sockaddr argument")
    host = sockaddr[0]
    if "\0" in host:
        raise ValueError("embedded null character")
    port = c_int(sockaddr[1])
    flowinfo = index(sockaddr[2]) & UINT_MAX if size > 2 else 0
    scope_id = index(sockaddr[3]) & UINT_MAX if size > 3 else 0
    if flowinfo > 0xFFFFF:
        raise OverflowError("getnameinfo(): flowinfo must be 0-1048575.")
    _audit_one("socket.getnameinfo", sockaddr)
    raw = _codec.numeric(AF_UNSPEC, host, port)
    if raw is None:
        # In a form that only the C library knows, or with a scope.
        found = _sys.getaddrinfo(host.encode(), b"%d" % port, AF_UNSPEC, SOCK_DGRAM, 0, _AI_NUMERICHOST)
        if len(found) > 1:
            raise OSError("sockaddr resolved to multiple addresses")
        raw = found[0][4]
    family = sockaddr_family(raw)
    if family == AF_INET and size != 2:
        raise OSError("IPv4 sockaddr must be 2 tuple")
    if family == AF_INET6 and (flowinfo or scope_id):
        # A scope that the host names ("fe80::1%eth0") holds unless the tuple has one of its own.
        address = _codec.decode(raw, 0, None)
        whole = address[0], address[1], flowinfo, scope_id or address[3]
        raw = _codec.encode(AF_INET6, 0, whole, "getnameinfo", None)
    name, service = _sys.getnameinfo(raw, flag_bits)
    return _decoded(name), _decoded(service)


def getservbyname(servicename: str, /, *protocolname: str) -> int:
    """The port of a service, by its name and, if given, its protocol ('tcp' or 'udp')."""
    name = _text(servicename, "getservbyname", 1)
    proto = _protocol(protocolname, "getservbyname")
    audit("socket.getservbyname", servicename, proto)
    port = _sys.getservbyname(name.encode(), None if proto is None else proto.encode())
    if port < 0:
        raise OSError("service/proto not found")
    return port


def getservbyport(port: SupportsIndex, /, *protocolname: str) -> str:
    """The name of the service at a port, if given of that protocol ('tcp' or 'udp')."""
    number = c_int(port)
    proto = _protocol(protocolname, "getservbyport")
    if number < 0 or number > 0xFFFF:
        raise OverflowError("getservbyport: port must be 0-65535.")
    audit("socket.getservbyport", number, proto)
    name = _sys.getservbyport(number, None if proto is None else proto.encode())
    if name is None:
        raise OSError("port/proto not found")
    return _decoded(name)


def _protocol(given: tuple[str, ...], function: str) -> str | None:
    """The optional second argument of a function. Passing None is not the same as leaving it out: TypeError."""
    if len(given) > 1:
        raise TypeError(f"{function}() takes at most 2 arguments ({len(given) + 1} given)")
    return _text(given[0], function, 2) if given else None


def getprotobyname(name: str, /) -> int:
    """The number of a protocol by its name."""
    number = _sys.getprotobyname(_text(name, "getprotobyname", 1).encode())
    if number < 0:
        raise OSError("protocol not found")
    return number


def if_nameindex() -> list[tuple[int, str]]:
    """A list of (index, name) of the network interfaces."""
    return [(index, _decoded(name)) for index, name in _sys.if_nameindex()]


def if_nametoindex(oname: str | bytes | PathLike[Any], /) -> int:
    """The index of the interface with that name."""
    name = _encoded(oname)
    if b"\0" in name:
        raise ValueError("embedded null byte")
    return _sys.if_nametoindex(name)


def if_indextoname(index: SupportsIndex, /) -> str:
    """The name of the interface with that index."""
    if not IndexLikeInt and not isinstance(index, int):
        raise TypeError("an integer is required")
    return _decoded(_sys.if_indextoname(_unsigned_int(index, "unsigned int", "index is too large")))


def htons(x: SupportsIndex, /) -> int:
    """A 16-bit number from host to network byte order."""
    return _swap16(_short(x, "htons"))


def ntohs(x: SupportsIndex, /) -> int:
    """A 16-bit number from network to host byte order."""
    return _swap16(_short(x, "ntohs"))


def htonl(x: SupportsIndex, /) -> int:
    """A 32-bit number from host to network byte order."""
    return _swap32(_word(x))


def ntohl(x: SupportsIndex, /) -> int:
    """A 32-bit number from network to host byte order."""
    return _swap32(_word(x))


def _short(x: SupportsIndex, function: str) -> int:
    value = x if type(x) is int else _index(x)
    number: int = _saturated(value)
    if 0 <= number <= 0xFFFF:
        return number
    if IndexLikeInt:
        return c_unsigned(value, 0xFFFF, "uint16_t")  # raises what is wrong
    if INT_MIN <= number < 0:
        raise OverflowError(f"{function}: can't convert negative Python int to C 16-bit unsigned integer")
    if INT_MIN <= number <= INT_MAX:
        raise OverflowError(f"{function}: Python int too large to convert to C 16-bit unsigned integer")
    if _GENERATED:
        raise OverflowError("Python int too large to convert to C int")
    return c_int(value)  # raises what is wrong


# CPython 3.13 generates the code that converts the arguments of some functions. Its errors differ: the same text for
# what is too large for an int and for a long, and a single argument is not called "argument 1".
_GENERATED = sys.version_info >= (3, 13)


def _word(x: SupportsIndex) -> int:
    if not IndexLikeInt and not isinstance(x, int):
        raise TypeError(f"expected int, {type(x).__name__} found")
    return _unsigned_int(x, "uint32_t", "int larger than 32 bits")


def _unsigned_int(value: SupportsIndex, c_type: str, too_large: str) -> int:
    """*value* as a C unsigned int, with the errors of the running Python: of 3.14 for that type, of older ones this."""
    if IndexLikeInt:
        return c_unsigned(value, UINT_MAX, c_type)
    number: int = _saturated(value)
    if number < 0:
        raise OverflowError("can't convert negative value to unsigned int")
    if number > UINT_MAX:
        if index(value) > _ULONG_MAX:
            raise OverflowError("Python int too large to convert to C unsigned long")
        raise OverflowError(too_large)
    return number


# A C long has as many bits as a pointer on all of these platforms.
_ULONG_MAX = 2 * sys.maxsize + 1


_LITTLE_ENDIAN = sys.byteorder == "little"


def _swap16(number: int) -> int:
    if _LITTLE_ENDIAN:
        return (number & 0xFF) << 8 | number >> 8
    return number


def _swap32(number: int) -> int:
    if _LITTLE_ENDIAN:
        return (number & 0xFF) << 24 | (number & 0xFF00) << 8 | number >> 8 & 0xFF00 | number >> 24
    return number


def inet_aton(ip_addr: str, /) -> bytes:
    """Four packed bytes of an IPv4 address in any form that the C library's inet_aton(3) takes."""
    packed = _sys.inet_aton(_text(ip_addr, "inet_aton", 0 if _GENERATED else 1))
    if packed is None:
        raise OSError("illegal IP address string passed to inet_aton")
    return packed


def inet_ntoa(packed_ip: ReadableBuffer, /) -> str:
    """The text of an IPv4 address of four packed bytes."""
    packed: bytes = _plain_bytes(packed_ip)
    if len(packed) != 4:
        raise OSError("packed IP wrong length for inet_ntoa")
    return _sys.inet_ntop(AF_INET, packed)


def inet_pton(address_family: SupportsIndex, ip_string: str, /) -> bytes:
    """The packed bytes of an IP address of AF_INET or AF_INET6."""
    family = c_int(address_family)
    packed = _sys.inet_pton(family, _text(ip_string, "inet_pton", 2))
    if packed is None:
        raise OSError("illegal IP address string passed to inet_pton")
    return packed


def inet_ntop(address_family: SupportsIndex, packed_ip: ReadableBuffer, /) -> str:
    """The text of a packed IP address of AF_INET or AF_INET6."""
    family = c_int(address_family)
    packed: bytes = _plain_bytes(packed_ip)
    if family == AF_INET:
        expected = 4
    elif family == AF_INET6:
        expected = 16
    else:
        raise ValueError(f"unknown address family {family}")
    if len(packed) != expected:
        raise ValueError("invalid length of packed IP address string")
    return _sys.inet_ntop(family, packed)


def CMSG_LEN(length: SupportsIndex, /) -> int:
    """CMSG_LEN(length) -> length of an ancillary item with so much data, without padding behind it"""
    number = c_ssize(length)
    if number < 0 or number > INT_MAX - _sys.cmsg_len(0):
        raise OverflowError("CMSG_LEN() argument out of range")
    return _sys.cmsg_len(number)


def CMSG_SPACE(length: SupportsIndex, /) -> int:
    """CMSG_SPACE(length) -> room that recvmsg() needs for an ancillary item with so much data, padding included"""
    number = c_ssize(length)
    if number < 0 or number > INT_MAX - _sys.cmsg_space(1):
        raise OverflowError("CMSG_SPACE() argument out of range")
    return _sys.cmsg_space(number)


if "__cinit__" in vars(Socket):
    # Interpreted, nothing calls __cinit__ by itself, and slots are no C fields: this class is only the pattern. And the
    # interpreter has some of the functions in C. Compiled, nothing of it is loaded.
    from socketpkg._engine.interpreted import interpreted

    globals().update(interpreted(globals()))
