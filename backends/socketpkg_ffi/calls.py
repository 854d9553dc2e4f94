"""What the ctypes and the cffi backend share: trying, waiting, errors, buffers, ancillary data.

Neither of them has a compiler below its Python, so here is where the contract is kept; a subclass only brings the
*raw* functions of the C library and the handful of ways in which it makes memory that C can see. Conventions of a raw
function:

* It makes one call of the C library. Its result is negative when that failed, and `_errno` says why.
* A *target* is what a raw function takes for a pointer; its memory lives as long as the target does. A *view* is the
  same memory to be sliced by Python: ``view[:n]`` gives bytes.
* There are two of every transfer. One holds the GIL (``_recv``): it is given MSG_DONTWAIT, and so cannot block. The
  other releases it (``_recv_released``), for a call that may block, or that copies so much that others should run
  meanwhile. On PyPy, which always releases it, they are one.
* A function that gives a name (an address) and another result gives the length of the name in the same number,
  ``result << 8 | length``. An object for the length would cost more than the name. A name is what `_new_name` has made.

All transfers go through one loop, `_transfer`. Only the first tries of recv, recvfrom, recv_into, send and sendall,
which are what programs do most, stand by themselves: here for the first two, in the subclasses for the others, since
what makes them fast differs.

A target of the caller's buffer keeps that buffer exported. Tracebacks keep frames, and frames keep their locals, so
every frame that holds such a target drops it in a ``finally`` before an exception passes through.
"""

from __future__ import annotations

import posix
import sys
from _io import BytesIO
from _operator import attrgetter
from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from errno import EAFNOSUPPORT, EAGAIN, EBADF, EINPROGRESS, EINTR, EISCONN
from struct import Struct

from socketpkg._engine.arguments import IOV_MAX, plain_bytes
from socketpkg._engine.buffers import refuses
from socketpkg._engine.originals import strerror
from socketpkg.contract import Syscalls

from . import POLLIN, POLLOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from typing import Any, NoReturn

    from _typeshed import ReadableBuffer, WriteableBuffer

    from socketpkg.contract import HasDescriptor, Items

    RawFunction = Callable[..., int]
else:
    # The C deque: to import collections takes longer than to import all of ours.
    from _collections import deque

__all__ = ["ForeignSyscalls"]

#: Transfers of more than this are worth a release of the GIL, whether they can block or not.
LARGE = 65536
#: Room in a scratch buffer; a receive that asks for more makes memory of its own.
SCRATCH = 262144
#: Room in a buffer for ancillary items; a receive that asks for more makes memory of its own.
CONTROL_SIZE = 1024
#: The longest bytes object: its other parts take 33 bytes.
_BYTES_MAX = sys.maxsize - 33
#: After so many waits in a row that ended at once, with nothing to do, a receive rests for a millisecond each time:
#: poll(2) reports a datagram socket that was shut down as ready for ever. And what is not at once any more, in
#: nanoseconds.
VAIN_WAITS, VAIN_NS = 4, 100_000
#: How many idle buffers of a kind are kept.
SPARES = 8
#: Of a receive that takes no ancillary items.
_NO_CONTROL: tuple[Any, Any] = (b"", b"")
#: What a buffer for ancillary items holds that waits for its next use.
_NO_ITEMS = bytes(CONTROL_SIZE)
#: The types of buffers that are joined: no code of a program runs when their bytes are taken.
_JOINED = frozenset((bytes, bytearray, memoryview))
_BYTES = frozenset((bytes,))
#: For many views at once, without a bytecode for each: their sizes, and whether they can be written to.
_nbytes = attrgetter("nbytes")
_NOTHING = BytesIO()
#: The types of buffers that a receive is copied to.
_COPIED_TO = frozenset((bytearray, memoryview))
#: Cached: strerror() costs more than raising the exception.
_NOTHING_YET = strerror(EAGAIN)
#: Also the longest wait that poll(2) takes, in milliseconds.
_INT_MAX = 2**31 - 1

#: The functions of the C library that never block, and that the shared code below calls as they are.
PLAIN = ("socket", "socketpair", "bind", "listen", "shutdown", "sockatmark", "getsockopt", "setsockopt")


class ForeignSyscalls(Syscalls):
    """The contract over raw functions that a subclass takes from the C library."""

    # What a subclass brings. (fd, target, size, flags) for recv and send; with (name) after it for recvfrom, with
    # (address, length) for sendto. After (fd, target, size, flags) comes (address, length, control, control_size) for
    # sendmsg and (name, control, control_size, results) for recvmsg, which sets results[1:] to the lengths of the name
    # and of the control data and the message's flags. Those in _of take (vectors, count) for (target, size).
    _recv: RawFunction
    _recv_released: RawFunction
    _recvfrom: RawFunction
    _recvfrom_released: RawFunction
    _recvmsg: RawFunction
    _recvmsg_released: RawFunction
    _recvmsg_of: RawFunction
    _recvmsg_of_released: RawFunction
    _send: RawFunction
    _send_released: RawFunction
    _sendto: RawFunction
    _sendto_released: RawFunction
    _sendmsg: RawFunction
    _sendmsg_released: RawFunction
    _sendmsg_of: RawFunction
    _sendmsg_of_released: RawFunction
    _connect: RawFunction  # (fd, address, length); it releases the GIL, for no flag keeps it from blocking
    _poll: RawFunction  # (fd, events, milliseconds) of one descriptor: 0 when the time is over
    _now: RawFunction  # () the monotonic clock in nanoseconds
    _getsockname: RawFunction  # (fd, name)
    _getpeername: RawFunction
    # Those of `PLAIN`, which a subclass names all at once: the C library's functions, with its arguments.
    _socket: RawFunction
    _socketpair: RawFunction
    _bind: RawFunction
    _listen: RawFunction
    _shutdown: RawFunction
    _sockatmark: RawFunction
    _getsockopt: RawFunction
    _setsockopt: RawFunction

    #: recvfrom of a socket in blocking mode in one call, (fd, target, size, name), where there is one: it tries first,
    #: and gives the GIL up to wait.
    _recvfrom_waiting: RawFunction | None = None
    #: MSG_DONTWAIT, with which a call cannot block.
    _dontwait: int
    #: Whether a call of a socket in blocking mode begins with a try that holds the GIL.
    _tries_first: bool
    #: Whether send(2) and its kin heed MSG_DONTWAIT.
    _sends_heed_dontwait = True
    #: The flags with which a try that cannot block has the result that a blocking call would have.
    _nonblocking_flags: int
    _msg_trunc: int
    _sol_socket: int
    _so_error: int
    _scm_rights: int
    _cloexec: int
    #: The head of a cmsghdr as it lies in memory (length, level, type), with the padding before the data.
    _cmsg_header: Struct
    #: What the whole of it is rounded up to.
    _cmsg_align: int

    def __init_subclass__(cls, plain: Callable[[str], RawFunction] | None = None) -> None:
        """*plain* gives a function of the C library by its name. It never blocks, and need not release the GIL."""
        if plain is not None:
            for name in PLAIN:
                setattr(cls, f"_{name}", plain(name))

    def __init__(self) -> None:
        #: All other flags, computed once: ~ is slow on a large int.
        self._other_flags = ~(self._nonblocking_flags | self._waitforone)
        #: Whether a try holds the GIL, and one of a send.
        self._holds = "keeps-gil" in self.features
        self._holds_sends = self._holds and self._sends_heed_dontwait
        # Idle buffers, for the next call that needs one. pop() and append() are atomic, so that threads need no lock.
        self._scratches: deque[tuple[Any, Any]] = deque(maxlen=SPARES)
        self._names: deque[tuple[Any, Any, Any]] = deque(maxlen=SPARES)
        self._controls: deque[tuple[Any, Any]] = deque(maxlen=SPARES)
        self._blocks: deque[Any] = deque(maxlen=SPARES)

    # -- what a subclass can do with memory ----------------------------------------------------------------------

    def _errno(self, result: int) -> int:
        """Why the raw call that has just returned *result* failed."""
        raise NotImplementedError

    def _memory(self, size: int) -> tuple[Any, Any]:
        """(target, view) of *size* bytes with anything in them, that `_write` writes to."""
        raise NotImplementedError

    def _write(self, target: Any, view: Any, start: int, content: bytes) -> None:
        """Writes to what `_memory` has made."""
        view[start : start + len(content)] = content

    def _zeros(self, size: int) -> tuple[Any, Any]:
        """(target, view) of *size* bytes of zeros, at least one."""
        raise NotImplementedError

    def _ints(self, count: int) -> Any:
        """An array of C ints, -1 each."""
        raise NotImplementedError

    def _new_name(self) -> tuple[Any, Any, Any]:
        """(name, view, results): memory for a name, to be filled by a raw function, and four results, -1 each."""
        raise NotImplementedError

    def _readable(self, data: ReadableBuffer) -> tuple[Any, int]:
        """(target, size) of a buffer that is only read."""
        raise NotImplementedError

    def _writable(self, buffer: WriteableBuffer) -> tuple[Any, int]:
        """(target, size) of a buffer that is written to; TypeError or BufferError when that cannot be."""
        raise NotImplementedError

    def _writable_of(self, caller: str, buffer: WriteableBuffer) -> tuple[Any, int]:
        """The same with the standard library's error."""
        try:
            return self._writable(buffer)
        except Exception as failure:
            # Raised in here, the error would have this one as its context.
            if not refuses(buffer, failure):
                raise
        raise TypeError(f"{caller}() argument 1 must be read-write bytes-like object, not {type(buffer).__name__}")

    def _writable_all(self, caller: str, buffers: tuple[WriteableBuffer, ...], targets: list[tuple[Any, int]]) -> None:
        """Adds those of several buffers to *targets*."""
        buffer: Any = None
        try:
            for buffer in buffers:
                targets.append(self._writable(buffer))
            return
        except Exception as failure:
            if not refuses(buffer, failure):
                raise
        raise TypeError(f"{caller}() argument 1 must be an iterable of single-segment read-write buffers")

    #: Whether a target must be released by `_release_target`: dropping the last reference does not end the export.
    _must_release = False

    def _release_target(self, target: Any) -> None:
        """Ends the export of the buffer that a target was made of."""
        raise NotImplementedError

    def _release_targets(self, targets: list[Any]) -> None:
        if self._must_release:
            for target, _ in targets:
                self._release_target(target)
        targets.clear()

    def _at_offset(self, target: Any, offset: int) -> Any:
        """A target *offset* bytes after *target*, which the caller keeps."""
        raise NotImplementedError

    def _length(self, size: int) -> Any:
        """An array of one socklen_t, of that value."""
        raise NotImplementedError

    def _vectors(self, targets: list[tuple[Any, int]]) -> tuple[Any, Any]:
        """An array of iovec for (target, size) each, and what must be kept for as long as it is used."""
        raise NotImplementedError

    # -- errors and waiting --------------------------------------------------------------------------------------

    def _fail(self, result: int) -> NoReturn:
        """Raises for a raw call that failed."""
        error = self._errno(result)
        raise OSError(error, strerror(error))

    def _refusal(self, result: int) -> OSError | None:
        """What to raise for a raw call that failed in a call that never waits; None when it is to be made again.

        The caller raises it: each frame that an exception passes through costs as much as a call.
        """
        error = self._errno(result)
        if error == EAGAIN:
            # To a program that polls this is a result like others.
            return BlockingIOError(EAGAIN, _NOTHING_YET)
        return None if error == EINTR else OSError(error, strerror(error))

    def _must_wait(self, result: int, timeout: int) -> bool:
        """After a raw call that failed: whether to wait before it is made again. Raises when it is not to be made."""
        error = self._errno(result)
        if error == EAGAIN:
            if timeout:
                return True
            raise BlockingIOError(EAGAIN, _NOTHING_YET)
        if error == EINTR:
            return False
        raise OSError(error, strerror(error))

    def _wait(self, sock: HasDescriptor, events: int, timeout: int, deadline: int | None) -> int | None:
        """Waits until the socket is ready, in error or closed. The result is the deadline in monotonic nanoseconds.

        Before the first wait of a call *deadline* is None, and is made of *timeout* here. A negative *timeout* waits
        for ever, without a deadline; TimeoutError when the deadline passes. What ended the wait shows itself in the
        next try.
        """
        while True:
            fd = sock._sp_fd
            if fd < 0:
                return deadline
            milliseconds = -1
            if timeout >= 0:
                now = self._now()
                if deadline is None:
                    deadline = now + timeout
                elif now >= deadline:
                    raise TimeoutError("timed out")
                # Rounded up: a wait that ends early would only be followed by another one.
                milliseconds = min(-(-(deadline - now) // 1000000), _INT_MAX)
            result = self._poll(fd, events, milliseconds)
            if result > 0:
                return deadline
            if result < 0:
                error = self._errno(result)
                if error != EINTR:
                    raise OSError(error, strerror(error))

    def _transfer(
        self,
        sock: HasDescriptor,
        events: int,
        held: RawFunction,
        released: RawFunction,
        target: Any,
        count: int,
        size: int,
        flags: int,
        timeout: int,
        *more: Any,
        tried: int = 0,
    ) -> int:
        """One transfer of *size* bytes: tries first and waits second, as the contract says. The raw call's result.

        *count* is what the raw call takes behind *target*, *more* what it takes behind the flags. A negative *tried* is
        the result of a first try, made with MSG_DONTWAIT.
        """
        try:
            waits_first = events == POLLIN and sock._sp_waits_first
            may_hold = size <= LARGE and (events == POLLIN or self._sends_heed_dontwait)
            if timeout < 0:
                if not tried and may_hold and self._tries_first and not flags & self._other_flags and not waits_first:
                    tried = held(sock._sp_fd, target, count, flags | self._dontwait, *more)
                    if tried >= 0:
                        return tried
                if tried:
                    self._must_wait(tried, timeout)
                while True:
                    result = released(sock._sp_fd, target, count, flags, *more)
                    if result > 0 or not self._is_to_be_repeated(sock, result):
                        return result
            # MSG_DONTWAIT, since O_NONBLOCK is not ours alone: whoever shares the open file description can clear it.
            mode = flags | self._dontwait
            call = held if may_hold else released
            deadline = None
            if (self._must_wait(tried, timeout) if tried else waits_first) and timeout:
                deadline = self._wait(sock, events, timeout, None)
            vain = 0
            while True:
                result = call(sock._sp_fd, target, count, mode, *more)
                if result >= 0:
                    return result
                if self._must_wait(result, timeout):
                    began = 0
                    if vain:
                        if vain >= VAIN_WAITS and events == POLLIN:
                            self._poll(-1, 0, 1)
                        began = self._now()
                    deadline = self._wait(sock, events, timeout, deadline)
                    vain = vain + 1 if not began or self._now() - began < VAIN_NS else 0
        finally:
            del target

    def _check_woken(self, sock: HasDescriptor) -> None:
        """Raises EBADF if close(wake=True) ended a wait in the kernel. Loaded when a socket was closed in a wait."""
        from socketpkg._engine.woken import check

        check(sock)

    # -- descriptors ---------------------------------------------------------------------------------------------

    def socket(self, family: int, type: int, proto: int) -> int:
        made: list[int] = []
        try:
            return self.socket_into(made, family, type, proto)
        except BaseException:
            self._discard(made)
            raise

    def socket_into(self, made: list[int], family: int, type: int, proto: int) -> int:
        """A new descriptor, added to *made* first, from where the caller closes it when a signal's handler raises.

        A descriptor that is returned has no owner until the caller has stored it, and PyPy runs handlers between any
        two steps of a program.
        """
        # extend() and map() are built in: no handler of a signal runs between the call and the list that keeps its
        # result. The call itself may be followed by one, whose exception takes the place of the result.
        made.extend(map(self._socket, (family,), (type | self._cloexec,), (proto,)))
        fd = made[0]
        if fd < 0:
            self._fail(made.pop())
        return fd

    def socketpair(self, family: int, type: int, proto: int) -> tuple[int, int]:
        results = self._ints(2)
        try:
            result = self._socketpair(family, type | self._cloexec, proto, results)
            if result < 0:
                self._fail(result)
            return results[0], results[1]
        except BaseException:
            self._discard(results)
            raise

    def _accept(self, fd: int, room: tuple[Any, Any, Any] | None, made: list[int]) -> int:
        """accept4(2), which releases the GIL: adds the descriptor or the failed call's result to *made*, as `socket`
        does, and gives the length of the name in *room*. Without a room the kernel is asked for no name."""
        raise NotImplementedError

    def accept(self, sock: HasDescriptor, timeout: int) -> tuple[int, bytes]:
        return self._accepted(sock, timeout, self._name())

    def accept_unnamed(self, sock: HasDescriptor, timeout: int) -> int:
        # There is always a descriptor, and poll(2) does not report it: so never wait.
        return self._accepted(sock, min(timeout, 0), None)[0]

    def _accepted(self, sock: HasDescriptor, timeout: int, room: tuple[Any, Any, Any] | None) -> tuple[int, bytes]:
        """What is accepted: its descriptor, and its name in *room* if there is one."""
        made: list[int] = []
        deadline = None
        try:
            if timeout > 0:
                # accept has no flags, and O_NONBLOCK may have been cleared by others: only a wait keeps the deadline.
                deadline = self._wait(sock, POLLIN, timeout, None)
            while True:
                length = self._accept(sock._sp_fd, room, made)
                if made[0] >= 0:
                    break
                if sock._sp_fd < 0:
                    self._check_woken(sock)
                if self._must_wait(made.pop(), max(timeout, 0)):
                    deadline = self._wait(sock, POLLIN, timeout, deadline)
            address = b""
            if room is not None:
                address = room[1][:length]
                spare = room
                room = None
                self._names.append(spare)
            return made[0], address
        except BaseException:
            self._discard(made)
            if room is not None:
                self._names.append(room)
            raise

    #: The interpreter's own function, here where nothing replaces it. It is built in: no handler of a signal runs
    #: between its call and what it does.
    close = staticmethod(posix.close)  # pyright: ignore[reportAssignmentType]

    def _discard(self, descriptors: Any) -> None:
        """Closes the descriptors that cannot be handed over."""
        for fd in descriptors:
            if fd >= 0:
                try:
                    self.close(fd)
                except OSError:
                    pass

    # -- addresses -----------------------------------------------------------------------------------------------

    def _name(self) -> tuple[Any, Any, Any]:
        """(name, view, results) for an address that the kernel gives."""
        try:
            return self._names.pop()
        except IndexError:
            return self._new_name()

    def bind(self, sock: HasDescriptor, address: bytes) -> None:
        result = self._bind(sock._sp_fd, address, len(address))
        if result < 0:
            self._fail(result)

    def connect(self, sock: HasDescriptor, address: bytes, timeout: int) -> int:
        result = self._connect(sock._sp_fd, address, len(address))
        if result >= 0:
            return 0
        error = self._errno(result)
        if error == EINTR:
            # The kernel goes on with a connection whose caller was interrupted; a second connect() would fail.
            if timeout == 0:
                return error
        elif error != EINPROGRESS or timeout <= 0:
            return error
        try:
            self._wait(sock, POLLOUT, timeout, None)
        except TimeoutError:
            return -1
        if sock._sp_fd < 0:
            return EBADF
        error = self.getsockopt_int(sock, self._sol_socket, self._so_error)
        return 0 if error == EISCONN else error

    def listen(self, sock: HasDescriptor, backlog: int) -> None:
        result = self._listen(sock._sp_fd, backlog)
        if result < 0:
            self._fail(result)

    def shutdown(self, sock: HasDescriptor, how: int) -> None:
        result = self._shutdown(sock._sp_fd, how)
        if result < 0:
            self._fail(result)

    def sockatmark(self, sock: HasDescriptor) -> bool:
        result = self._sockatmark(sock._sp_fd)
        if result < 0:
            self._fail(result)
        return result > 0

    def getsockname(self, sock: HasDescriptor) -> bytes:
        return self._ask_name(self._getsockname, sock)

    def getpeername(self, sock: HasDescriptor) -> bytes:
        return self._ask_name(self._getpeername, sock)

    def _ask_name(self, call: RawFunction, sock: HasDescriptor) -> bytes:
        try:
            room = self._names.pop()
        except IndexError:
            room = self._new_name()
        try:
            result = call(sock._sp_fd, room[0])
            if result < 0:
                self._fail(result)
            return room[1][:result]  # type: ignore[no-any-return]
        finally:
            self._names.append(room)

    # -- options -------------------------------------------------------------------------------------------------

    def getsockopt(self, sock: HasDescriptor, level: int, option: int, buflen: int) -> bytes:
        target, view = self._zeros(buflen)
        length = self._length(buflen)
        result = self._getsockopt(sock._sp_fd, level, option, target, length)
        if result < 0:
            self._fail(result)
        return view[: min(length[0], buflen)]  # type: ignore[no-any-return]

    def setsockopt(self, sock: HasDescriptor, level: int, option: int, value: ReadableBuffer) -> None:
        target, size = self._readable(value)
        try:
            result = self._setsockopt(sock._sp_fd, level, option, target, size)
            if result < 0:
                self._fail(result)
        finally:
            if self._must_release:
                self._release_target(target)
            del target

    def setsockopt_null(self, sock: HasDescriptor, level: int, option: int, optlen: int) -> None:
        result = self._setsockopt(sock._sp_fd, level, option, self._null, optlen)
        if result < 0:
            self._fail(result)

    #: A null pointer.
    _null: Any = None

    # -- receiving -----------------------------------------------------------------------------------------------

    # A first try: one raw call that cannot block, with nothing looked up that need not be. When it fails, its result
    # goes to `_transfer`, which goes on as if it had made it.

    def recv(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int) -> bytes:
        if bufsize > LARGE or flags or sock._sp_waits_first:
            return self._receive(sock, bufsize, flags, timeout)
        try:
            scratch = self._scratches.pop()
        except IndexError:
            scratch = self._memory(SCRATCH)
        result = self._recv(sock._sp_fd, scratch[0], bufsize, self._dontwait)
        if result < 0:
            self._scratches.append(scratch)
            return self._receive_later(sock, bufsize, timeout, result)
        data: bytes = scratch[1][:result]
        self._scratches.append(scratch)
        return data

    def _receive_later(self, sock: HasDescriptor, bufsize: int, timeout: int, tried: int) -> bytes:
        """recv without flags after a first try that failed."""
        if not timeout:
            refusal = self._refusal(tried)
            if refusal is not None:
                try:
                    raise refusal
                finally:
                    # The exception's traceback has this frame: a reference back would keep the socket alive.
                    del refusal
            tried = 0
        return self._receive(sock, bufsize, 0, timeout, tried)

    def _is_to_be_repeated(self, sock: HasDescriptor, result: int) -> bool:
        """After a call that could wait and gave nothing: whether a signal ended it.

        Raises for what is the caller's to see. EAGAIN is, too: it comes from SO_RCVTIMEO or from somebody else's
        O_NONBLOCK.
        """
        if sock._sp_fd < 0:
            self._check_woken(sock)
        if result < 0:
            self._must_wait(result, 0)
        return result < 0

    def _receive(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int, tried: int = 0) -> bytes:
        target, view = scratch = self._scratch(bufsize, flags)
        recv, released = self._recv, self._recv_released
        try:
            result = self._transfer(sock, POLLIN, recv, released, target, bufsize, bufsize, flags, timeout, tried=tried)
            # With MSG_TRUNC the result is the datagram's length, which may be more than was received; behind that the
            # buffer has data of other sockets.
            data: bytes = view[: min(result, bufsize)]
        finally:
            self._put_back(scratch, bufsize)
        return data

    def _scratch(self, size: int, flags: int) -> tuple[Any, Any]:
        """(target, view) of at least *size* bytes, with anything in them."""
        if size > SCRATCH:
            if size > _BYTES_MAX:
                raise OverflowError("byte string is too large")
            return self._zeros(size) if flags & self._msg_trunc else self._memory(size)
        try:
            scratch = self._scratches.pop()
        except IndexError:
            scratch = self._memory(SCRATCH)
        if flags & self._msg_trunc:
            # With it a stream counts bytes that it does not write (tcp(7)): what is in the memory must be no other
            # socket's data.
            self._write(*scratch, 0, bytes(size))
        return scratch

    def _put_back(self, scratch: tuple[Any, Any], size: int) -> None:
        """Keeps a scratch buffer for the next one that needs it."""
        if size <= SCRATCH:
            self._scratches.append(scratch)

    def recv_into(self, sock: HasDescriptor, buffer: WriteableBuffer, nbytes: int, flags: int, timeout: int) -> int:
        target, size = self._writable_of("recv_into", buffer)
        try:
            if nbytes:
                if nbytes > size:
                    raise ValueError("buffer too small for requested bytes")
                size = nbytes
            if not size:
                return 0
            recv, released = self._recv, self._recv_released
            return self._transfer(sock, POLLIN, recv, released, target, size, size, flags, timeout)
        finally:
            if self._must_release:
                self._release_target(target)
            del target

    def recvfrom(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int) -> tuple[bytes, bytes]:
        waiting = self._recvfrom_waiting if timeout < 0 else None
        if bufsize > LARGE or flags or sock._sp_waits_first or not (waiting or self._holds):
            return self._receive_data_from(sock, bufsize, flags, timeout)
        try:
            scratch = self._scratches.pop()
        except IndexError:
            scratch = self._memory(SCRATCH)
        try:
            room = self._names.pop()
        except IndexError:
            room = self._new_name()
        try:
            if waiting:
                result = waiting(sock._sp_fd, scratch[0], bufsize, room[0])
                if result <= 0 and self._is_to_be_repeated(sock, result):
                    return self._receive_data_from(sock, bufsize, 0, timeout)
            else:
                result = self._recvfrom(sock._sp_fd, scratch[0], bufsize, self._dontwait, room[0])
                if result < 0:
                    recv, released, more = self._recvfrom, self._recvfrom_released, room[0]
                    call = sock, POLLIN, recv, released, scratch[0], bufsize, bufsize, 0, timeout, more
                    result = self._transfer(*call, tried=result)
            return scratch[1][: result >> 8], room[1][: result & 255]
        finally:
            self._names.append(room)
            self._scratches.append(scratch)

    def _receive_data_from(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int) -> tuple[bytes, bytes]:
        """recvfrom with any arguments."""
        target, view = scratch = self._scratch(bufsize, flags)
        try:
            result, address = self._receive_from(sock, target, bufsize, flags, timeout)
            return view[: min(result, bufsize)], address
        finally:
            self._put_back(scratch, bufsize)

    def recvfrom_into(
        self, sock: HasDescriptor, buffer: WriteableBuffer, nbytes: int, flags: int, timeout: int
    ) -> tuple[int, bytes]:
        target, size = self._writable_of("recvfrom_into", buffer)
        try:
            if nbytes:
                if nbytes > size:
                    raise ValueError("nbytes is greater than the length of the buffer")
                size = nbytes
            return self._receive_from(sock, target, size, flags, timeout)
        finally:
            if self._must_release:
                self._release_target(target)
            del target

    def _receive_from(self, sock: HasDescriptor, target: Any, size: int, flags: int, timeout: int) -> tuple[int, bytes]:
        """recvfrom(2) to a target."""
        room = self._name()
        recvfrom, released = self._recvfrom, self._recvfrom_released
        try:
            result = self._transfer(sock, POLLIN, recvfrom, released, target, size, size, flags, timeout, room[0])
            return result >> 8, room[1][: result & 255]
        finally:
            self._names.append(room)
            del target

    # -- sending -------------------------------------------------------------------------------------------------

    def send(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> int:
        target, size = self._readable(data)
        try:
            return self._send_target(sock, target, size, flags, timeout)
        finally:
            if self._must_release:
                self._release_target(target)
            del target

    def _send_target(
        self, sock: HasDescriptor, target: Any, size: int, flags: int, timeout: int, tried: int = 0
    ) -> int:
        """send(2) of a target; *tried* is the result of a first try that did not take all of it, 0 without one."""
        send, released = self._send, self._send_released
        try:
            sent = tried
            if tried <= 0:
                sent = self._transfer(sock, POLLOUT, send, released, target, size, size, flags, timeout, tried=tried)
            # A blocking call of more than LARGE takes less only when a signal interrupts it: that count is the result.
            if sent < size <= LARGE and timeout < 0:
                return self._send_rest(sock, target, size, flags, sent)
            return sent
        finally:
            del target

    def _send_rest(self, sock: HasDescriptor, target: Any, size: int, flags: int, sent: int) -> int:
        """Goes on with a blocking send that took *sent* bytes: the count of it all, as the kernel's own call gives it.

        What was taken counts, an error comes with the next call, and a signal cuts it short as it does the kernel's.
        """
        rest = None
        try:
            rest = self._at_offset(target, sent)
            result = self._send_released(sock._sp_fd, rest, size - sent, flags)
            return sent + max(result, 0)
        finally:
            del target, rest

    def sendall(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> None:
        target, size = self._readable(data)
        try:
            self._send_all(sock, target, size, flags, timeout)
        finally:
            if self._must_release:
                self._release_target(target)
            del target

    def _send_all(self, sock: HasDescriptor, target: Any, size: int, flags: int, timeout: int, tried: int = 0) -> None:
        """sendall of a target; *tried* is the result of a first try that did not take all of it, 0 without one."""
        # What was taken is in this list when the call is over. A result in a variable would be lost to a handler of a
        # signal that raises just then; nothing runs between a call of map() and extend().
        taken: list[int] = [max(tried, 0)]

        def send(*arguments: Any) -> int:
            try:
                taken.extend(map(self._send, *[(argument,) for argument in arguments]))
                return taken[-1]
            finally:
                del arguments  # a target among them

        def released(*arguments: Any) -> int:
            try:
                taken.extend(map(self._send_released, *[(argument,) for argument in arguments]))
                return taken[-1]
            finally:
                del arguments  # a target among them

        rest = target
        # One deadline for all the rounds, also for those that need not wait.
        deadline = self._now() + timeout if timeout > 0 else None
        left = size
        try:
            while True:
                if tried <= 0:
                    tried = self._transfer(sock, POLLOUT, send, released, rest, left, left, flags, timeout, tried=tried)
                left -= tried
                if left <= 0:
                    return
                rest = self._at_offset(target, size - left)
                tried = 0
                if deadline is not None:
                    timeout = deadline - self._now()
                    if timeout <= 0:
                        raise TimeoutError("timed out")
        except BaseException as failure:
            failure.characters_written = sum([count for count in taken if count > 0])  # type: ignore[attr-defined]
            raise
        finally:
            del target, rest, send, released

    def sendto(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, address: bytes, timeout: int) -> int:
        tried = 0
        if type(data) is bytes and not flags and len(data) <= LARGE and self._holds_sends:
            tried = self._sendto(sock._sp_fd, data, len(data), self._dontwait, address, len(address))
            if tried == len(data):
                return tried
        target, size = self._readable(data)
        sendto, released = self._sendto, self._sendto_released
        try:
            sent = tried
            if tried <= 0:
                more = address, len(address)
                sent = self._transfer(
                    sock, POLLOUT, sendto, released, target, size, size, flags, timeout, *more, tried=tried
                )
            if sent < size and timeout < 0:
                # Only a stream takes a part, and it ignores the address or is not connected and takes nothing.
                return self._send_rest(sock, target, size, flags, sent)
            return sent
        finally:
            if self._must_release:
                self._release_target(target)
            del target

    # -- names and numbers ---------------------------------------------------------------------------------------

    # No backend's business, for no kernel is asked: the interpreter's own functions are nearer than the C library's.

    def inet_pton(self, family: int, text: str) -> bytes | None:
        if family != AF_INET and family != AF_INET6:
            raise OSError(EAFNOSUPPORT, strerror(EAFNOSUPPORT))
        try:
            return inet_pton(family, text)
        except OSError:
            return None

    def inet_ntop(self, family: int, packed: bytes) -> str:
        if family != AF_INET and family != AF_INET6:
            raise OSError(EAFNOSUPPORT, strerror(EAFNOSUPPORT))
        return inet_ntop(family, packed)

    # -- messages ------------------------------------------------------------------------------------------------

    def recvmsg(
        self, sock: HasDescriptor, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, bytes]:
        target, view = scratch = self._scratch(bufsize, flags)
        calls = self._recvmsg, self._recvmsg_released
        items: list[tuple[int, int, bytes]] = []
        is_kept = False
        try:
            result, items, msg_flags, address = self._receive_message(
                sock, calls, target, bufsize, bufsize, ancbufsize, flags, timeout
            )
            data: bytes = view[: min(result, bufsize)]
            is_kept = True
            self._put_back(scratch, bufsize)
            return data, items, msg_flags, address
        except BaseException:
            self.close_rights(items)
            if not is_kept:
                self._put_back(scratch, bufsize)
            raise

    def recvmsg_into(
        self,
        sock: HasDescriptor,
        buffers: tuple[WriteableBuffer, ...],
        ancbufsize: int,
        flags: int,
        timeout: int,
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        targets: list[Any] = []
        vectors = keep = None
        size = self._scattered_size(buffers, flags)
        if size and not sock._sp_waits_first:
            # This call cannot wait, so no other code runs that could notice that the buffers are not exported.
            try:
                return self._receive_and_scatter(sock, buffers, size, ancbufsize, flags)
            except BlockingIOError as failure:
                # What the handler of a signal raises has no errno.
                if not timeout or failure.errno is None:
                    raise
        try:
            self._writable_all("recvmsg_into", buffers, targets)
            vectors, keep = self._vectors(targets)
            size = sum([size for _, size in targets])
            calls = self._recvmsg_of, self._recvmsg_of_released
            return self._receive_message(sock, calls, vectors, len(targets), size, ancbufsize, flags, timeout)
        finally:
            self._release_targets(targets)
            del vectors, keep

    def _scattered_size(self, buffers: tuple[WriteableBuffer, ...], flags: int) -> int:
        """The size of buffers to which a copy takes less time than a vector for each; 0 where that is not so.

        It needs a try that holds the GIL. Not with MSG_TRUNC, with which the kernel may write less than it counts.
        """
        if len(buffers) > IOV_MAX or flags & (self._other_flags | self._msg_trunc) or not self._holds:
            return 0
        if len(buffers) == 1 and type(buffers[0]) is bytearray:
            return size if (size := len(buffers[0])) <= LARGE else 0
        if not _COPIED_TO.issuperset(map(type, buffers)):
            return 0
        try:
            views = [buffer for buffer in buffers if type(buffer) is memoryview]
            if not views:
                size = sum(map(len, buffers))  # type: ignore[arg-type]
            else:
                size = sum([len(buffer) for buffer in buffers if type(buffer) is bytearray])
                size += sum(map(_nbytes, views))
                # Nothing is written to them, but it raises where it could not be.
                deque(map(_NOTHING.readinto, views), 0)
        except (BufferError, TypeError, ValueError):
            # A view that is released, read-only or in pieces: taking the buffers one at a time raises the right error.
            return 0
        return size if size <= LARGE else 0

    def _receive_and_scatter(
        self, sock: HasDescriptor, buffers: tuple[WriteableBuffer, ...], size: int, ancbufsize: int, flags: int
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        """recvmsg_into that does not wait, by way of a scratch buffer."""
        target, view = scratch = self._scratch(size, 0)
        calls = self._recvmsg, self._recvmsg_released
        try:
            message = self._receive_message(sock, calls, target, size, size, ancbufsize, flags, 0)
            received = message[0]
            try:
                if len(buffers) == 1 and type(buffers[0]) is bytearray:
                    buffers[0][:received] = view[:received]
                else:
                    # Each takes as much as it has room for. A deque of length 0 consumes the iterator.
                    deque(map(BytesIO(view[:received]).readinto, buffers), 0)
            except BaseException:
                self.close_rights(message[1])
                raise
            return message
        finally:
            self._put_back(scratch, size)

    def _receive_message(
        self,
        sock: HasDescriptor,
        calls: tuple[RawFunction, RawFunction],
        target: Any,
        count: int,
        size: int,
        ancbufsize: int,
        flags: int,
        timeout: int,
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        """recvmsg(2) to a target of *count* bytes or to *count* vectors, *size* bytes in all."""
        held, released = calls
        room = self._name()
        name, name_view, results = room
        control, control_view = spare = self._control_room(ancbufsize) if ancbufsize else _NO_CONTROL
        items: list[tuple[int, int, bytes]] = []
        # Whether the memory may be another thread's again.
        is_kept = False
        try:
            result = -1
            tried = 0
            if size <= LARGE and self._holds and not flags & self._other_flags and not sock._sp_waits_first:
                dontwait = flags | self._dontwait
                result = tried = held(sock._sp_fd, target, count, dontwait, name, control, ancbufsize, results)
            if result < 0:
                call = sock, POLLIN, held, released, target, count, size, flags, timeout
                try:
                    result = self._transfer(*call, name, control, ancbufsize, results, tried=tried)
                finally:
                    del call
            if used := results[2]:
                items = self._items(control_view[:used])
                if ancbufsize <= CONTROL_SIZE:
                    self._write(control, control_view, 0, _NO_ITEMS)
            address: bytes = name_view[:used] if (used := results[1]) else b""
            marks: int = results[3]
            is_kept = True
            if 0 < ancbufsize <= CONTROL_SIZE:
                self._controls.append(spare)
            self._names.append(room)
            return result, items, marks, address
        except BaseException:
            if is_kept:
                self.close_rights(items)
            else:
                if ancbufsize:
                    self.close_rights(items or self._items(control_view[:ancbufsize]))
                if 0 < ancbufsize <= CONTROL_SIZE:
                    self._write(control, control_view, 0, _NO_ITEMS)
                    self._controls.append(spare)
                self._names.append(room)
            raise
        finally:
            del target

    def _control_room(self, size: int) -> tuple[Any, Any]:
        """(target, view) of at least *size* zeros for ancillary items. It is cleared before it goes back to the pool.

        Of zeros: an item that the kernel has not written has no length, so that none is made up of what is there when
        the handler of a signal raises.
        """
        if size > CONTROL_SIZE:
            return self._zeros(size)
        try:
            return self._controls.pop()
        except IndexError:
            # Its slices are faster than those of what _zeros() gives.
            target, view = self._memory(CONTROL_SIZE)
            self._write(target, view, 0, _NO_ITEMS)
            return target, view

    def _items(self, control: bytes) -> list[tuple[int, int, bytes]]:
        """The ancillary items in what the kernel has left in the control buffer."""
        items = []
        header = self._cmsg_header
        start = header.size
        end = len(control)
        offset = 0
        while offset + start <= end:
            length, level, type = header.unpack_from(control, offset)
            if length < start:
                break
            items.append((level, type, control[offset + start : offset + length]))
            offset += length + -length % self._cmsg_align
        return items

    def cmsg_len(self, length: int) -> int:
        return self._cmsg_header.size + length

    def cmsg_space(self, length: int) -> int:
        return self._cmsg_header.size + length + -length % self._cmsg_align

    def sendmsg(
        self,
        sock: HasDescriptor,
        buffers: tuple[ReadableBuffer, ...],
        ancillary: tuple[tuple[int, int, ReadableBuffer], ...],
        flags: int,
        address: bytes,
        timeout: int,
    ) -> int:
        targets: list[Any] = []
        what = keep = None
        tried = 0
        try:
            joined = self._joined(buffers, flags)
            if joined is None:
                for buffer in buffers:
                    targets.append(self._readable(buffer))
            control = self._control(ancillary) if ancillary else b""
            more = address, len(address), control, len(control)
            if joined is not None:
                size = len(joined)
                if self._holds_sends:
                    # This call cannot wait, so no other code runs that could notice the copy. A call that waits
                    # exports the buffers themselves, which keeps others from resizing them.
                    tried = self._sendmsg(sock._sp_fd, joined, size, flags | self._dontwait, *more)
                    if tried == size or (timeout >= 0 and tried >= 0):
                        return tried
                for buffer in (joined,) if _BYTES.issuperset(map(type, buffers)) else buffers:
                    targets.append(self._readable(buffer))
                if self._holds_sends and tried >= 0:
                    return self._send_targets(sock, [(joined, size)], flags, tried)
            if len(targets) == 1:
                held, released = self._sendmsg, self._sendmsg_released
                what, count = targets[0]
                size = count
            else:
                held, released = self._sendmsg_of, self._sendmsg_of_released
                what, keep = self._vectors(targets)
                count = len(targets)
                size = sum([size for _, size in targets])
            call = sock, POLLOUT, held, released, what, count, size, flags, timeout
            sent = self._transfer(*call, *more, tried=tried)
            if sent == size or timeout >= 0 or size > LARGE:
                return sent
            return self._send_targets(sock, targets, flags, sent)
        finally:
            if self._must_release:
                self._release_targets(targets)
            del targets, what, keep

    def _joined(self, buffers: tuple[ReadableBuffer, ...], flags: int) -> bytes | None:
        """The bytes of several buffers in one, where the copy takes less time than a vector for each; None elsewhere.

        Not with a flag like MSG_ZEROCOPY, by which the kernel goes on reading them. Those that may change are joined
        only where the first try holds the GIL.
        """
        if len(buffers) == 1 and type(buffers[0]) is bytes and not flags & self._other_flags:
            return buffers[0] if len(buffers[0]) <= LARGE else None
        # The kernel refuses a message of more buffers than IOV_MAX; joined, it would be sent.
        if not 0 < len(buffers) <= IOV_MAX or flags & self._other_flags:
            return None
        if not (_JOINED if self._holds_sends else _BYTES).issuperset(map(type, buffers)):
            return None
        try:
            if sum(map(len, buffers)) > LARGE:  # type: ignore[arg-type]
                return None
            joined = b"".join(buffers)
        except (BufferError, TypeError, ValueError):
            # A view in pieces, without a length or released: taking them one at a time raises the right error.
            return None
        return joined if len(joined) <= LARGE else None

    def _send_targets(self, sock: HasDescriptor, targets: list[tuple[Any, int]], flags: int, sent: int) -> int:
        """Goes on with a blocking sendmsg of a stream that took *sent* bytes and with them the ancillary items."""
        target = None
        skip = sent
        try:
            for target, size in targets:
                if skip >= size:
                    skip -= size
                    continue
                taken = self._send_rest(sock, target, size, flags, skip)
                sent += taken - skip
                if taken < size:
                    break
                skip = 0
            return sent
        finally:
            del targets, target

    def _control(self, ancillary: tuple[tuple[int, int, ReadableBuffer], ...]) -> bytes:
        """A control buffer with these items."""
        parts: list[bytes] = []
        total = 0
        header = self._cmsg_header
        start = header.size
        align = self._cmsg_align
        for level, type, data in ancillary:
            content = plain_bytes(data)
            length = start + len(content)
            space = length + -length % align
            parts.append(header.pack(length, level, type) + content)
            if space != length:
                parts.append(bytes(space - length))
            total += space
            if total > _INT_MAX:
                raise OSError("ancillary data item too large" if len(content) > _INT_MAX else "too much ancillary data")
        return b"".join(parts)

    # -- many messages at once -----------------------------------------------------------------------------------

    _recvmmsg: RawFunction  # (fd, target, count, flags); likewise sendmmsg
    _recvmmsg_released: RawFunction
    _sendmmsg: RawFunction
    _sendmmsg_released: RawFunction
    #: Whether there are these calls.
    _has_mmsg = True
    #: MSG_WAITFORONE
    _waitforone = 0
    #: A mmsghdr as it lies in memory: the members of its msghdr in their order in Linux, and msg_len. And an iovec.
    _mmsghdr: Struct
    _iovec: Struct

    def _place(self, target: Any, keep: list[Any]) -> int:
        """The address of a target as a number; what must live for as long as it is used is added to *keep*."""
        raise NotImplementedError

    def recvmmsg(
        self, sock: HasDescriptor, count: int, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> tuple[list[bytes], list[Items], list[int], list[bytes]]:
        if not self._has_mmsg:
            return super().recvmmsg(sock, count, bufsize, ancbufsize, flags, timeout)
        from .bulk import receive_many

        return receive_many(self, sock, count, bufsize, None, ancbufsize, flags, timeout)

    def recvmmsg_into(
        self, sock: HasDescriptor, buffers: tuple[WriteableBuffer, ...], ancbufsize: int, flags: int, timeout: int
    ) -> tuple[list[int], list[Items], list[int], list[bytes]]:
        if not self._has_mmsg:
            return super().recvmmsg_into(sock, buffers, ancbufsize, flags, timeout)
        from .bulk import receive_many

        return receive_many(self, sock, len(buffers), 0, buffers, ancbufsize, flags, timeout)

    def sendmmsg(
        self,
        sock: HasDescriptor,
        data: list[ReadableBuffer | tuple[ReadableBuffer, ...]],
        ancillary: list[tuple[tuple[int, int, ReadableBuffer], ...]],
        addresses: list[bytes],
        flags: int,
        timeout: int,
    ) -> int:
        if not self._has_mmsg:
            return super().sendmmsg(sock, data, ancillary, addresses, flags, timeout)
        from .bulk import send_many

        return send_many(self, sock, data, ancillary, addresses, flags, timeout)
