"""What the ctypes and the cffi backend share: trying, waiting, errors, buffers, ancillary data.

Neither of them has a compiler below its Python, so here is where the contract is kept; a subclass only brings the
*raw* functions of the C library and the handful of ways in which it makes memory that C can see. Conventions of a raw
function:

* It makes one call of the C library. Its result is negative when that failed, and `_errno` says why.
* A *target* is what a raw function takes for a pointer; its memory lives as long as the target does. A *view* is the
  same memory to be sliced by Python: ``view[:n]`` gives bytes.
* There are two of every function that can block. The quick one (``_recv``) is called when the call cannot block, the
  patient one (``_recv_patiently``) when it can, or when it copies so much that others should run meanwhile. On CPython
  that is the difference between keeping and releasing the GIL; on PyPy, which always releases it, they are one.
* A function that gives a name (an address) gives its length as well: alone, or where there is another result too, both
  in one number, ``result << 8 | length``. An object for the length would cost more than the name. A name is what
  `_new_name` has made of it.

A target of the caller's buffer keeps that buffer exported. Tracebacks keep frames, and frames keep their locals, so
every frame that holds such a target drops it in a ``finally`` before an exception passes through.
"""

import os
from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from errno import EAFNOSUPPORT, EAGAIN, EINPROGRESS, EINTR, EISCONN, EWOULDBLOCK
from select import POLLIN, POLLOUT, poll
from struct import Struct
from time import monotonic_ns

from ._syscalls import Syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from typing import Any, NoReturn

    from _typeshed import ReadableBuffer, WriteableBuffer

    from ._syscalls import Items

    Raw = Callable[..., int]
else:
    # What collections has, without the modules that it imports: they take longer than all of ours.
    from _collections import deque

__all__ = ["ForeignSyscalls"]

#: Transfers of more than this are worth a release of the GIL, whether they can block or not.
LARGE = 65536
#: Room in a scratch buffer; a receive that asks for more makes memory of its own.
SCRATCH = 262144
#: Room in a buffer for ancillary items; a receive that asks for more makes memory of its own.
CONTROL_SIZE = 1024
#: How many idle buffers of a kind are kept.
SPARES = 8
#: Room for an address: a sockaddr_storage.
NAME_SIZE = 128
#: Of a receive that takes no ancillary items.
_NO_CONTROL: "tuple[Any, Any]" = (b"", b"")
#: What a buffer for ancillary items holds that waits for its next use.
_NO_ITEMS = bytes(CONTROL_SIZE)
#: strerror() of it takes longer than to make the exception.
_NOTHING_YET = os.strerror(EAGAIN)
#: Also the longest wait that poll(2) takes, in milliseconds.
_INT_MAX = 2**31 - 1


def wait(fd: int, events: int, deadline: int) -> None:
    """Waits until *fd* is ready or in error. A negative *deadline* is none; TimeoutError when it passes.

    poll() of the standard library runs the handlers of signals and goes on with the time that is left.
    """
    poller = poll()
    poller.register(fd, events)
    if deadline < 0:
        while not poller.poll():
            pass  # PyPy's comes back with nothing after a signal
        return
    while True:
        left = deadline - monotonic_ns()
        if left < 0:
            left = 0
        # Rounded up: a wait that ends early would only be followed by another one.
        if poller.poll(min(-(-left // 1000000), _INT_MAX)):
            return
        if monotonic_ns() >= deadline:
            raise TimeoutError("timed out")


class ForeignSyscalls(Syscalls):
    """The contract over raw functions that a subclass takes from the C library."""

    # What a subclass brings. (fd, target, size, flags) for recv and send; with (name) after it for recvfrom, with
    # (address, length) for sendto. After (fd, target, size, flags) comes (address, length, control, control_size) for
    # sendmsg and (name, control, control_size, results) for recvmsg, which adds MSG_CMSG_CLOEXEC, and sets results[1:]
    # to the lengths of the name and of the control data and the message's flags without it. Those in _of take
    # (vectors, count) for (target, size).
    _recv: "Raw"
    _recv_patiently: "Raw"
    _recvfrom: "Raw"
    _recvfrom_patiently: "Raw"
    _recvmsg: "Raw"
    _recvmsg_patiently: "Raw"
    _recvmsg_of: "Raw"
    _recvmsg_of_patiently: "Raw"
    _send: "Raw"
    _send_patiently: "Raw"
    _sendto: "Raw"
    _sendto_patiently: "Raw"
    _sendmsg: "Raw"
    _sendmsg_patiently: "Raw"
    _sendmsg_of: "Raw"
    _sendmsg_of_patiently: "Raw"
    _accept: "Raw"  # (fd, name, results): the descriptor is also stored in results[0]
    _accept_patiently: "Raw"
    _connect: "Raw"  # (fd, address, length)
    _connect_patiently: "Raw"
    _socket: "Raw"
    _socketpair: "Raw"  # (family, type, proto, results)
    _bind: "Raw"
    _listen: "Raw"
    _shutdown: "Raw"
    _getsockname: "Raw"  # (fd, name)
    _getpeername: "Raw"
    _getsockopt: "Raw"  # (fd, level, option, target, length)
    _setsockopt: "Raw"

    #: Makes the quick try on a blocking descriptor return at once; 0 when there is no quick try.
    _dontwait: int
    #: 0 when a call without a timeout begins with a quick try, -1 when it is made as it stands.
    _first: int
    #: The flags with which a quick try has the result that a blocking call would have.
    _harmless: int
    _sol_socket: int
    _so_error: int
    _scm_rights: int
    _cloexec: int
    #: The head of a cmsghdr as it lies in memory (length, level, type), with the padding before the data.
    _cmsg_header: Struct
    #: What the whole of it is rounded up to.
    _cmsg_align: int

    def __init__(self) -> None:
        #: All other flags: ~ is an operation on large numbers.
        self._harmful = ~self._harmless
        # Idle buffers, for the next call that needs one. pop() and append() are atomic, so that threads need no lock.
        self._scratches: deque[tuple[Any, Any]] = deque(maxlen=SPARES)
        self._names: deque[tuple[Any, Any, Any]] = deque(maxlen=SPARES)
        self._controls: deque[tuple[Any, Any]] = deque(maxlen=SPARES)
        self._blocks: deque[Any] = deque(maxlen=SPARES)

    # -- what a subclass can do with memory ----------------------------------------------------------------------

    def _errno(self, result: int) -> int:
        """Why the raw call that has just returned *result* failed."""
        raise NotImplementedError

    def _memory(self, size: int) -> "tuple[Any, Any]":
        """(target, view) of *size* bytes with anything in them."""
        raise NotImplementedError

    def _zeros(self, size: int) -> "tuple[Any, Any]":
        """(target, view) of *size* bytes of zeros, at least one."""
        raise NotImplementedError

    def _ints(self, count: int) -> "Any":
        """An array of C ints, -1 each."""
        raise NotImplementedError

    def _new_name(self) -> "tuple[Any, Any, Any]":
        """(name, view, results): memory for a name, to be filled by a raw function, and four results, -1 each."""
        raise NotImplementedError

    def _readable(self, data: "ReadableBuffer") -> "tuple[Any, int]":
        """(target, size) of a buffer that is only read."""
        raise NotImplementedError

    def _writable(self, buffer: "WriteableBuffer") -> "tuple[Any, int]":
        """(target, size) of a buffer that is written to; TypeError or BufferError when that cannot be."""
        raise NotImplementedError

    def _writable_of(self, caller: str, buffer: "WriteableBuffer") -> "tuple[Any, int]":
        """The same with the standard library's error."""
        try:
            return self._writable(buffer)
        except (TypeError, BufferError):
            text = f"{caller}() argument 1 must be read-write bytes-like object, not {type(buffer).__name__}"
            raise TypeError(text) from None

    #: Whether the last reference to a target is not enough for the buffer to be exported no longer.
    _must_let_go = False

    def _let_go(self, target: "Any") -> None:
        """Ends the export of the buffer that a target was made of."""
        raise NotImplementedError

    def _let_go_all(self, targets: "list[Any]") -> None:
        if self._must_let_go:
            for target, _ in targets:
                self._let_go(target)
        targets.clear()

    def _beyond(self, target: "Any", offset: int) -> "Any":
        """A target *offset* bytes after *target*, which the caller keeps."""
        raise NotImplementedError

    def _length(self, size: int) -> "Any":
        """An array of one socklen_t, of that value."""
        raise NotImplementedError

    def _vectors(self, targets: "list[tuple[Any, int]]") -> "tuple[Any, Any]":
        """An array of iovec for (target, size) each, and what must be kept for as long as it is used."""
        raise NotImplementedError

    # -- errors and waiting --------------------------------------------------------------------------------------

    def _fail(self, result: int) -> "NoReturn":
        """Raises for a raw call that failed."""
        error = self._errno(result)
        raise OSError(error, os.strerror(error))

    def _refusal(self, result: int) -> OSError | None:
        """What to raise for a raw call that failed in a call that never waits; None when it is to be made again.

        The caller raises it: each frame that an exception passes through costs as much as a call.
        """
        error = self._errno(result)
        if error == EAGAIN:
            # To a program that polls this is a result like others.
            return BlockingIOError(EAGAIN, _NOTHING_YET)
        return None if error == EINTR else OSError(error, os.strerror(error))

    def _pause(self, result: int, fd: int, events: int, timeout: int, deadline: int) -> int:
        """After a raw call that failed: waits when that helps, else raises.

        *deadline* is 0 in the first round. The result is that of the next one: negative when the next call is to be
        made as it stands, without the flag that keeps it from blocking.
        """
        error = self._errno(result)
        if error == EINTR:
            return deadline
        if error != EAGAIN and error != EWOULDBLOCK:
            raise OSError(error, os.strerror(error))
        if timeout < 0 and deadline == 0:
            return -1
        if timeout <= 0:
            # A blocking call says so too, when SO_RCVTIMEO is set or someone else has set O_NONBLOCK.
            raise OSError(error, os.strerror(error))
        if deadline == 0:
            deadline = monotonic_ns() + timeout
        wait(fd, events, deadline)
        return deadline

    # -- descriptors ---------------------------------------------------------------------------------------------

    def socket(self, family: int, type: int, proto: int) -> int:
        result = self._socket(family, type | self._cloexec, proto)
        if result < 0:
            self._fail(result)
        return result

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

    def accept(self, fd: int, timeout: int) -> tuple[int, bytes]:
        call = self._accept
        deadline = 0
        if timeout < 0:
            # accept has no flags: only the descriptor's own mode could keep a first try from blocking.
            call = self._accept_patiently
            deadline = -1
        name, view, results = room = self._name()
        taken = -1
        try:
            while True:
                result = call(fd, name, results)
                if result >= 0:
                    break
                deadline = self._pause(result, fd, POLLIN, timeout, deadline)
            address: bytes = view[: result & 255]
            taken = result >> 8
            # From here on it is that of another call.
            results[0] = -1
            self._names.append(room)
        except BaseException:
            self._discard([results[0] if taken < 0 else taken])
            raise
        return taken, address

    def _discard(self, descriptors: "Any") -> None:
        """Closes the descriptors that cannot be handed over."""
        for fd in descriptors:
            if fd >= 0:
                try:
                    self.close(fd)
                except OSError:
                    pass

    # -- addresses -----------------------------------------------------------------------------------------------

    def _name(self) -> "tuple[Any, Any, Any]":
        """(name, view, results) for an address that the kernel gives."""
        try:
            return self._names.pop()
        except IndexError:
            return self._new_name()

    def bind(self, fd: int, address: bytes) -> None:
        result = self._bind(fd, address, len(address))
        if result < 0:
            self._fail(result)

    def connect(self, fd: int, address: bytes, timeout: int) -> int:
        if timeout < 0:
            result = self._connect_patiently(fd, address, len(address))
        else:
            result = self._connect(fd, address, len(address))
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
            wait(fd, POLLOUT, -1 if timeout < 0 else monotonic_ns() + timeout)
        except TimeoutError:
            return -1
        error = self.getsockopt_int(fd, self._sol_socket, self._so_error)
        return 0 if error == EISCONN else error

    def listen(self, fd: int, backlog: int) -> None:
        result = self._listen(fd, backlog)
        if result < 0:
            self._fail(result)

    def shutdown(self, fd: int, how: int) -> None:
        result = self._shutdown(fd, how)
        if result < 0:
            self._fail(result)

    def getsockname(self, fd: int) -> bytes:
        return self._ask_name(self._getsockname, fd)

    def getpeername(self, fd: int) -> bytes:
        return self._ask_name(self._getpeername, fd)

    def _ask_name(self, call: "Raw", fd: int) -> bytes:
        try:
            room = self._names.pop()
        except IndexError:
            room = self._new_name()
        result = call(fd, room[0])
        if result < 0:
            self._fail(result)
        address: bytes = room[1][:result]
        self._names.append(room)
        return address

    # -- options -------------------------------------------------------------------------------------------------

    def getsockopt(self, fd: int, level: int, option: int, buflen: int) -> bytes:
        target, view = self._zeros(buflen)
        length = self._length(buflen)
        result = self._getsockopt(fd, level, option, target, length)
        if result < 0:
            self._fail(result)
        return view[: min(length[0], buflen)]  # type: ignore[no-any-return]

    def setsockopt(self, fd: int, level: int, option: int, value: "ReadableBuffer") -> None:
        target, size = self._readable(value)
        try:
            result = self._setsockopt(fd, level, option, target, size)
            if result < 0:
                self._fail(result)
        finally:
            if self._must_let_go:
                self._let_go(target)
            del target

    def setsockopt_null(self, fd: int, level: int, option: int, optlen: int) -> None:
        result = self._setsockopt(fd, level, option, self._null, optlen)
        if result < 0:
            self._fail(result)

    #: A null pointer.
    _null: "Any" = None

    # -- receiving -----------------------------------------------------------------------------------------------

    # recv, recv_into, send and sendall are what programs do most, and begin with a first try: one raw call that cannot
    # block, with nothing looked up that need not be. (`_dontwait` changes nothing for a descriptor in non-blocking
    # mode.) When it fails, its result goes to `_fill`, `_push` and `_push_all`, which go on as if they had made it.

    def recv(self, fd: int, bufsize: int, flags: int, timeout: int) -> bytes:
        if bufsize > LARGE or flags:
            return self._receive(fd, bufsize, flags, timeout)
        try:
            scratch = self._scratches.pop()
        except IndexError:
            scratch = self._memory(SCRATCH)
        result = self._recv(fd, scratch[0], bufsize, self._dontwait)
        if result >= 0:
            data: bytes = scratch[1][:result]
            self._scratches.append(scratch)
            return data
        self._scratches.append(scratch)
        if not timeout:
            refusal = self._refusal(result)
            if refusal is not None:
                try:
                    raise refusal
                finally:
                    # Or it would refer to itself by its traceback, whose frames keep the socket alive.
                    del refusal
            result = 0
        return self._receive(fd, bufsize, flags, timeout, result)

    def _receive(self, fd: int, bufsize: int, flags: int, timeout: int, result: int = 0) -> bytes:
        target, view = scratch = self._scratch(bufsize)
        result = self._fill(fd, target, bufsize, flags, timeout, result)
        # MSG_TRUNC gives the length of the datagram, and behind the data lies what other sockets have received.
        data: bytes = view[: min(result, bufsize)]
        self._put_back(scratch, bufsize)
        return data

    def _scratch(self, size: int) -> "tuple[Any, Any]":
        """(target, view) of at least *size* bytes, with anything in them."""
        if size > SCRATCH:
            return self._memory(size)
        try:
            return self._scratches.pop()
        except IndexError:
            return self._memory(SCRATCH)

    def _put_back(self, scratch: "tuple[Any, Any]", size: int) -> None:
        """Keeps a scratch buffer for the next one that needs it."""
        if size <= SCRATCH:
            self._scratches.append(scratch)

    def recv_into(self, fd: int, buffer: "WriteableBuffer", nbytes: int, flags: int, timeout: int) -> int:
        target, size = self._writable_of("recv_into", buffer)
        try:
            if nbytes:
                if nbytes > size:
                    raise ValueError("buffer too small for requested bytes")
                size = nbytes
            if not size:
                return 0
            return self._fill(fd, target, size, flags, timeout)
        finally:
            if self._must_let_go:
                self._let_go(target)
            del target

    def _fill(self, fd: int, target: "Any", size: int, flags: int, timeout: int, result: int = 0) -> int:
        """recv(2) to a target; a negative *result* is that of a first try."""
        try:
            call = self._recv
            mode = flags
            deadline = 0
            if timeout < 0:
                if size > LARGE or flags & self._harmful:
                    call = self._recv_patiently
                    deadline = -1
                else:
                    mode |= self._dontwait
                    deadline = self._first
            elif size > LARGE:
                call = self._recv_patiently
            while True:
                if result < 0:
                    deadline = self._pause(result, fd, POLLIN, timeout, deadline)
                    if deadline < 0:
                        call = self._recv_patiently
                        mode = flags
                result = call(fd, target, size, mode)
                if result >= 0:
                    return result
        finally:
            del target

    def recvfrom(self, fd: int, bufsize: int, flags: int, timeout: int) -> tuple[bytes, bytes]:
        target, view = scratch = self._scratch(bufsize)
        result, address = self._fill_from(fd, target, bufsize, flags, timeout)
        data: bytes = view[: min(result, bufsize)]
        self._put_back(scratch, bufsize)
        return data, address

    def recvfrom_into(
        self, fd: int, buffer: "WriteableBuffer", nbytes: int, flags: int, timeout: int
    ) -> tuple[int, bytes]:
        target, size = self._writable_of("recvfrom_into", buffer)
        try:
            if nbytes:
                if nbytes > size:
                    raise ValueError("buffer too small for requested bytes")
                size = nbytes
            return self._fill_from(fd, target, size, flags, timeout)
        finally:
            if self._must_let_go:
                self._let_go(target)
            del target

    def _fill_from(self, fd: int, target: "Any", size: int, flags: int, timeout: int) -> tuple[int, bytes]:
        """recvfrom(2) to a target."""
        try:
            call = self._recvfrom
            mode = flags
            deadline = 0
            if size > LARGE or (timeout < 0 and flags & self._harmful):
                call = self._recvfrom_patiently
                if timeout < 0:
                    deadline = -1
            elif timeout < 0:
                mode |= self._dontwait
                deadline = self._first
            try:
                room = self._names.pop()
            except IndexError:
                room = self._new_name()
            while True:
                result = call(fd, target, size, mode, room[0])
                if result >= 0:
                    address: bytes = room[1][: result & 255]
                    self._names.append(room)
                    return result >> 8, address
                deadline = self._pause(result, fd, POLLIN, timeout, deadline)
                if deadline < 0:
                    call = self._recvfrom_patiently
                    mode = flags
        finally:
            del target

    # -- sending -------------------------------------------------------------------------------------------------

    def send(self, fd: int, data: "ReadableBuffer", flags: int, timeout: int) -> int:
        target, size = self._readable(data)
        try:
            return self._push(fd, target, size, flags, timeout)
        finally:
            if self._must_let_go:
                self._let_go(target)
            del target

    def _push(self, fd: int, target: "Any", size: int, flags: int, timeout: int, result: int | None = None) -> int:
        """send(2) of a target; *result* is that of a first try, if one was made."""
        try:
            call = self._send if size <= LARGE else self._send_patiently
            if timeout >= 0:
                deadline = 0
                if result is None:
                    result = call(fd, target, size, flags)
                while result < 0:
                    deadline = self._pause(result, fd, POLLOUT, timeout, deadline)
                    result = call(fd, target, size, flags)
                return result
            mode = flags
            if size > LARGE or flags & self._harmful:
                call = self._send_patiently
                deadline = -1
            else:
                mode |= self._dontwait
                deadline = self._first
            if result is None:
                result = call(fd, target, size, mode)
            if result == size:
                return result
            return self._send_rest(fd, target, size, flags, result, deadline)
        finally:
            del target

    def _send_rest(self, fd: int, target: "Any", size: int, flags: int, result: int, deadline: int) -> int:
        """Goes on with a blocking send whose first call took a part or failed; returns the count of it all."""
        rest = target
        try:
            if result < 0:
                self._pause(result, fd, POLLOUT, -1, deadline)
                sent = 0
            else:
                sent = result
            while sent < size or not size:
                if sent:
                    rest = self._beyond(target, sent)
                result = self._send_patiently(fd, rest, size - sent, flags)
                if result >= 0:
                    if not size:
                        break
                    sent += result
                    continue
                error = self._errno(result)
                if error == EINTR:
                    continue
                if sent:
                    # As in the kernel: what was taken counts, and the error comes with the next call.
                    break
                raise OSError(error, os.strerror(error))
            return sent
        finally:
            del target, rest

    def sendall(self, fd: int, data: "ReadableBuffer", flags: int, timeout: int) -> None:
        target, size = self._readable(data)
        try:
            self._push_all(fd, target, size, flags, timeout)
        finally:
            if self._must_let_go:
                self._let_go(target)
            del target

    def _push_all(self, fd: int, target: "Any", size: int, flags: int, timeout: int, result: int | None = None) -> None:
        """sendall of a target; *result* is that of a first try, if one was made."""
        rest = target
        try:
            call = self._send if size <= LARGE else self._send_patiently
            mode = flags
            deadline = 0
            if timeout < 0:
                if size > LARGE or flags & self._harmful:
                    call = self._send_patiently
                    deadline = -1
                else:
                    mode |= self._dontwait
                    deadline = self._first
            elif timeout:
                # One deadline for all the rounds, also for those that need not wait.
                deadline = monotonic_ns() + timeout
            left = size
            while True:
                if result is None:
                    result = call(fd, rest, left, mode)
                if result == left:
                    return
                if result >= 0:
                    left -= result
                    rest = self._beyond(target, size - left)
                    if deadline > 0 and monotonic_ns() >= deadline:
                        raise TimeoutError("timed out")
                else:
                    deadline = self._pause(result, fd, POLLOUT, timeout, deadline)
                    if deadline < 0:
                        call = self._send_patiently
                        mode = flags
                result = None
        finally:
            del target, rest

    def sendto(self, fd: int, data: "ReadableBuffer", flags: int, address: bytes, timeout: int) -> int:
        target, size = self._readable(data)
        try:
            call = self._sendto if size <= LARGE else self._sendto_patiently
            mode = flags
            deadline = 0
            if timeout < 0:
                if size > LARGE or flags & self._harmful:
                    call = self._sendto_patiently
                    deadline = -1
                else:
                    mode |= self._dontwait
                    deadline = self._first
            while True:
                result = call(fd, target, size, mode, address, len(address))
                if result >= 0:
                    break
                deadline = self._pause(result, fd, POLLOUT, timeout, deadline)
                if deadline < 0:
                    call = self._sendto_patiently
                    mode = flags
            if result < size and timeout < 0:
                # Only a stream takes a part, and it ignores the address or is not connected and takes nothing.
                return self._send_rest(fd, target, size, flags, result, deadline)
            return result
        finally:
            if self._must_let_go:
                self._let_go(target)
            del target

    # -- names and numbers ---------------------------------------------------------------------------------------

    # No backend's business, for no kernel is asked: the interpreter's own functions are nearer than the C library's.

    def inet_pton(self, family: int, text: str) -> bytes | None:
        try:
            return inet_pton(family, text)
        except OSError:
            if family != AF_INET and family != AF_INET6:
                raise OSError(EAFNOSUPPORT, os.strerror(EAFNOSUPPORT)) from None
            return None

    def inet_ntop(self, family: int, packed: bytes) -> str:
        if family != AF_INET and family != AF_INET6:
            raise OSError(EAFNOSUPPORT, os.strerror(EAFNOSUPPORT))
        return inet_ntop(family, packed)

    # -- messages ------------------------------------------------------------------------------------------------

    def recvmsg(
        self, fd: int, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, bytes]:
        target, view = scratch = self._scratch(bufsize)
        call, patiently = self._recvmsg, self._recvmsg_patiently
        result, items, msg_flags, address = self._receive_message(
            fd, call, patiently, target, bufsize, bufsize, ancbufsize, flags, timeout
        )
        data: bytes = view[: min(result, bufsize)]
        self._put_back(scratch, bufsize)
        return data, items, msg_flags, address

    def recvmsg_into(
        self, fd: int, buffers: "tuple[WriteableBuffer, ...]", ancbufsize: int, flags: int, timeout: int
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        targets: list[Any] = []
        vectors = keep = None
        try:
            try:
                for buffer in buffers:
                    targets.append(self._writable(buffer))
            except (TypeError, BufferError):
                text = "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers"
                raise TypeError(text) from None
            vectors, keep = self._vectors(targets)
            size = sum([size for _, size in targets])
            call, patiently = self._recvmsg_of, self._recvmsg_of_patiently
            return self._receive_message(fd, call, patiently, vectors, len(targets), size, ancbufsize, flags, timeout)
        finally:
            self._let_go_all(targets)
            del vectors, keep

    def _receive_message(
        self,
        fd: int,
        call: "Raw",
        patiently: "Raw",
        target: "Any",
        count: int,
        size: int,
        ancbufsize: int,
        flags: int,
        timeout: int,
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        """recvmsg(2) to a target of *count* bytes or to *count* vectors, *size* bytes in all."""
        try:
            room = self._names.pop()
        except IndexError:
            room = self._new_name()
        name, name_view, results = room
        control, control_view = spare = self._control_room(ancbufsize) if ancbufsize else _NO_CONTROL
        items: list[tuple[int, int, bytes]] = []
        try:
            mode = flags
            deadline = 0
            if size > LARGE or (timeout < 0 and flags & self._harmful):
                call = patiently
                if timeout < 0:
                    deadline = -1
            elif timeout < 0:
                mode |= self._dontwait
                deadline = self._first
            while True:
                result = call(fd, target, count, mode, name, control, ancbufsize, results)
                if result >= 0:
                    break
                deadline = self._pause(result, fd, POLLIN, timeout, deadline)
                if deadline < 0:
                    call = patiently
                    mode = flags
            if used := results[2]:
                items = self._items(control_view[:used])
                if ancbufsize <= CONTROL_SIZE:
                    control_view[:] = _NO_ITEMS
            if 0 < ancbufsize <= CONTROL_SIZE:
                self._controls.append(spare)
            address: bytes = name_view[:used] if (used := results[1]) else b""
            marks: int = results[3]
            self._names.append(room)
            return result, items, marks, address
        except BaseException:
            if ancbufsize:
                self.close_rights(items or self._items(control_view[:ancbufsize]))
            raise
        finally:
            del target

    def _control_room(self, size: int) -> "tuple[Any, Any]":
        """(target, view) of at least *size* zeros for ancillary items. Whoever puts it back has cleared it.

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
            view[:] = _NO_ITEMS
            return target, view

    #: MSG_CMSG_CLOEXEC
    _cmsg_cloexec: int

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
        fd: int,
        buffers: "tuple[ReadableBuffer, ...]",
        ancillary: "tuple[tuple[int, int, ReadableBuffer], ...]",
        flags: int,
        address: bytes,
        timeout: int,
    ) -> int:
        targets: list[Any] = []
        what = keep = None
        try:
            if len(buffers) == 1:
                call, patiently = self._sendmsg, self._sendmsg_patiently
                what, count = self._readable(buffers[0])
                targets = [(what, count)]
                size = count
            else:
                call, patiently = self._sendmsg_of, self._sendmsg_of_patiently
                for buffer in buffers:
                    targets.append(self._readable(buffer))
                what, keep = self._vectors(targets)
                count = len(targets)
                size = sum([size for _, size in targets])
            control = self._control(ancillary) if ancillary else b""
            mode = flags
            deadline = 0
            if size > LARGE or (timeout < 0 and flags & self._harmful):
                call = patiently
                if timeout < 0:
                    deadline = -1
            elif timeout < 0:
                mode |= self._dontwait
                deadline = self._first
            while True:
                result = call(fd, what, count, mode, address, len(address), control, len(control))
                if result >= 0:
                    break
                deadline = self._pause(result, fd, POLLOUT, timeout, deadline)
                if deadline < 0:
                    call = patiently
                    mode = flags
            if result == size or timeout >= 0:
                return result
            return self._send_targets(fd, targets, flags, result)
        finally:
            if self._must_let_go:
                self._let_go_all(targets)
            del targets, what, keep

    def _send_targets(self, fd: int, targets: "list[tuple[Any, int]]", flags: int, sent: int) -> int:
        """Goes on with a blocking sendmsg of a stream that took *sent* bytes and with them the ancillary items."""
        target = None
        skip = sent
        try:
            for target, size in targets:
                if skip >= size:
                    skip -= size
                    continue
                try:
                    taken = self._send_rest(fd, target, size, flags, skip, -1)
                except OSError:
                    break
                sent += taken - skip
                if taken < size:
                    break
                skip = 0
            return sent
        finally:
            del targets, target

    def _control(self, ancillary: "tuple[tuple[int, int, ReadableBuffer], ...]") -> bytes:
        """A control buffer with these items."""
        parts: list[bytes] = []
        total = 0
        header = self._cmsg_header
        start = header.size
        align = self._cmsg_align
        for level, type, data in ancillary:
            view = memoryview(data)
            try:
                content = view.tobytes()
            finally:
                view.release()
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

    _recvmmsg: "Raw"  # (fd, target, count, flags); likewise sendmmsg
    _recvmmsg_patiently: "Raw"
    _sendmmsg: "Raw"
    _sendmmsg_patiently: "Raw"
    #: Whether there are these calls.
    _has_mmsg = True
    #: MSG_WAITFORONE
    _waitforone: int
    #: A mmsghdr as it lies in memory: the members of its msghdr in their order in Linux, and msg_len. And an iovec.
    _mmsghdr: Struct
    _iovec: Struct

    def _place(self, target: "Any", keep: "list[Any]") -> int:
        """The address of a target as a number; what must live for as long as it is used is added to *keep*."""
        raise NotImplementedError

    def recvmmsg(
        self, fd: int, count: int, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> "tuple[list[bytes], list[Items], list[int], list[bytes]]":
        if not self._has_mmsg:
            return super().recvmmsg(fd, count, bufsize, ancbufsize, flags, timeout)
        from ._ffi_bulk import receive_many

        return receive_many(self, fd, count, bufsize, None, ancbufsize, flags, timeout)

    def recvmmsg_into(
        self, fd: int, buffers: "tuple[WriteableBuffer, ...]", ancbufsize: int, flags: int, timeout: int
    ) -> "tuple[list[int], list[Items], list[int], list[bytes]]":
        if not self._has_mmsg:
            return super().recvmmsg_into(fd, buffers, ancbufsize, flags, timeout)
        from ._ffi_bulk import receive_many

        return receive_many(self, fd, len(buffers), 0, buffers, ancbufsize, flags, timeout)

    def sendmmsg(
        self,
        fd: int,
        data: "list[ReadableBuffer | tuple[ReadableBuffer, ...]]",
        ancillary: "list[tuple[tuple[int, int, ReadableBuffer], ...]]",
        addresses: list[bytes],
        flags: int,
        timeout: int,
    ) -> int:
        if not self._has_mmsg:
            return super().sendmmsg(fd, data, ancillary, addresses, flags, timeout)
        from ._ffi_bulk import send_many

        return send_many(self, fd, data, ancillary, addresses, flags, timeout)
