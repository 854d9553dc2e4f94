"""The contract's calls over the C library that the process has loaded anyway."""

from __future__ import annotations

import os
import sys

from socketpkg.backends import BackendUnavailable

if not sys.platform.startswith("linux"):
    raise BackendUnavailable(
        f"the ctypes backend has no layouts and constants for the platform {sys.platform!r}; it knows Linux"
    )

try:
    import ctypes
except ModuleNotFoundError as error:
    raise BackendUnavailable(
        "this Python was made without ctypes; install libffi with its headers (apt install libffi-dev, for one),"
        " and build Python anew"
    ) from error

import posix
import struct
from _socket import gaierror, herror, htons, ntohs
from _thread import allocate_lock
from ctypes import (
    POINTER,
    addressof,
    byref,
    c_char,
    c_char_p,
    c_int,
    c_uint,
    c_uint64,
    c_void_p,
    cast,
    pointer,
)
from errno import EINTR, ENOSYS, ERANGE
from types import MappingProxyType

from socketpkg._engine.buffers import memoryview_of
from socketpkg._engine.originals import strerror
from socketpkg_ffi import NAME_SIZE, POLLIN
from socketpkg_ffi.calls import LARGE, SCRATCH, SPARES, ForeignSyscalls

from ._constants_linux import MACHINES, constants_of

MACHINE = os.uname().machine
#: Whether this is a 32-bit program.
NARROW = sys.maxsize < 2**32
if NARROW:
    # The kernel tells what it is itself, which may be a 64-bit one.
    MACHINE = {"x86_64": "i386", "i686": "i386", "i586": "i386", "aarch64": "armv7l", "armv8l": "armv7l"}.get(
        MACHINE, MACHINE
    )

if MACHINE not in MACHINES or (MACHINE in ("armv7l", "i386")) != NARROW:
    raise BackendUnavailable(
        f"the ctypes backend has no table of constants for {sys.platform} on the machine {MACHINE!r}"
        f"{' in 32-bit mode' if NARROW else ''}; it has one for {', '.join(sorted(MACHINES))}"
    )

from ._errno import last_error, put_back
from ._prototypes import (
    CMSG_HEADER,
    IOVEC,
    LIBC,
    MMSGHDR,
    Addrinfo,
    Hostent,
    InterfaceAddress,
    Iovec,
    Msghdr,
    Overlay,
    Pollfd,
    Servent,
    Timespec,
    gil_held,
    gil_released,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping
    from typing import Any

    from _typeshed import ReadableBuffer, WriteableBuffer

    from socketpkg.contract import HasDescriptor
else:
    from _collections import deque

__all__ = ["Syscalls"]

#: PyPy's ctypes copies bytes one by one, and has no way to let go of a buffer.
_CPYTHON = sys.implementation.name == "cpython"
#: A receive of no more than this into a bytearray is copied there.
_COPIED = 16384
#: The resolver's answers are tried in this much memory first.
_ANSWER = 2048
#: NI_MAXHOST and NI_MAXSERV; the headers have them only as macros of their own.
_HOST_SIZE = 1025
_SERVICE_SIZE = 32
#: IF_NAMESIZE
_INTERFACE_SIZE = 16
#: NO_RECOVERY of <netdb.h>, the h_errno of failures that have no other.
_NO_RECOVERY = 3
if NARROW and LIBC == "musl":
    raise BackendUnavailable("the ctypes backend has no layouts for musl in 32-bit mode")


def _has_wide_time() -> bool:
    """Whether this is a 32-bit program whose time_t has 64 bits."""
    if not NARROW:
        return False
    of_python = getattr(ctypes, "c_time_t", None)  # since Python 3.12
    if of_python is not None:
        return ctypes.sizeof(of_python) == 8
    from sysconfig import get_config_var

    size: int = get_config_var("SIZEOF_TIME_T")
    return size == 8


CONSTANTS = constants_of(MACHINE, LIBC.partition(" ")[0], _has_wide_time())
_EAI_SYSTEM = CONSTANTS["EAI_SYSTEM"]
_SOCK_CLOEXEC = CONSTANTS["SOCK_CLOEXEC"]
_DONTWAIT = CONSTANTS["MSG_DONTWAIT"]
_CMSG_CLOEXEC = CONSTANTS["MSG_CMSG_CLOEXEC"]
_WAITFORONE = CONSTANTS["MSG_WAITFORONE"]
#: Where a mmsghdr has its msg_len.
_MSG_LEN = ctypes.sizeof(Msghdr)
_recv = gil_held.recv
_send = gil_held.send
_getsockopt = gil_held.getsockopt
_setsockopt = gil_held.setsockopt

# getprotobyname(3) answers in memory of its own, and musl has no other.
_protocols = allocate_lock()


class _PyBuffer(ctypes.Structure):
    """Py_buffer, of the stable ABI since Python 3.11."""

    _fields_ = (
        ("buf", c_void_p),
        ("obj", c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", c_int),
        ("ndim", c_int),
        ("format", c_char_p),
        ("shape", c_void_p),
        ("strides", c_void_p),
        ("suboffsets", c_void_p),
        ("internal", c_void_p),
    )


#: From CPython's headers: what PyObject_GetBuffer is asked for.
_SIMPLE, _WRITABLE = 0, 1

if _CPYTHON:
    # ctypes has ways of its own to the memory of an object, but each of them raises an audit event, and so a program
    # that forbids ctypes would not have our calls. A call of a function raises none.
    _get_buffer = ctypes.pythonapi["PyObject_GetBuffer"]
    _get_buffer.argtypes = [ctypes.py_object, c_void_p, c_int]
    _release_buffer = ctypes.pythonapi["PyBuffer_Release"]
    _release_buffer.argtypes = [c_void_p]
    _release_buffer.restype = None
    _new_bytes = ctypes.pythonapi["PyBytes_FromStringAndSize"]
    _new_bytes.argtypes = [c_void_p, ctypes.c_ssize_t]
    _new_bytes.restype = ctypes.py_object

    class _Pinned(c_void_p):
        """The address of a buffer, which stays exported until `_release_target`."""

        pin: tuple[_PyBuffer, Any]

    def _pinned(data: ReadableBuffer, kind: int) -> tuple[Any, int]:
        """(target, size) of a buffer. Raises what the interpreter's functions in C do when there is none."""
        try:
            pin = _pins.pop()
        except IndexError:
            buffer = _PyBuffer()
            pin = buffer, byref(buffer)
        buffer, pointer = pin
        try:
            _get_buffer(data, pointer, kind)
            target = _Pinned(buffer.buf)
            target.pin = pin
            return target, buffer.len
        except BaseException:
            # Nothing happens when nothing was exported.
            _release_buffer(pointer)
            raise
        finally:
            del data

else:

    class _Held:
        """The address of a buffer, which stays exported until its view is released."""

        __slots__ = ("_as_parameter_", "value", "view")

        def __init__(self, view: memoryview) -> None:
            self.view = view
            self.value: int = view._pypy_raw_address()  # type: ignore[attr-defined]
            self._as_parameter_ = self.value

    class _View:
        """Slices of a bytearray, as bytes."""

        __slots__ = ("memory",)

        def __init__(self, memory: bytearray) -> None:
            self.memory = memory

        def __getitem__(self, index: slice) -> bytes:
            return bytes(memoryview(self.memory)[index])

        def __setitem__(self, index: slice, content: bytes) -> None:
            memoryview(self.memory)[index] = content


#: Larger than any sane receive.
_HUGE = 2**30


def _to(target: Any) -> Any:
    """What a function that takes a pointer is given for an object, which must live as long."""
    # PyPy's takes an array for any pointer, but no reference.
    return byref(target) if _CPYTHON else Overlay.from_address(addressof(target))


# As in `ForeignSyscalls`: spare objects, which take longer to make than to use.
_options: deque[tuple[Any, Any, Any]] = deque(maxlen=SPARES)
_messages: deque[tuple[Any, Any, Any]] = deque(maxlen=SPARES)
_pins: deque[tuple[Any, Any]] = deque(maxlen=SPARES)
_answers: deque[tuple[Any, Any]] = deque(maxlen=SPARES)


#: An int of 0 and behind it its length, as one number.
_EMPTY_OPTION = int.from_bytes(struct.pack("@iI", 0, 4), sys.byteorder)


class _Option(ctypes.Union):
    """An int with its length behind it: as one number, and the int alone."""

    _fields_ = (("whole", c_uint64), ("value", c_int))


def _new_option() -> tuple[Any, Any, Any]:
    """An option, and pointers to its value and to its length."""
    option = _Option()
    if _CPYTHON:
        return option, byref(option), byref(option, 4)
    return option, _to(option), Overlay.from_address(addressof(option) + 4)


# -- raw functions as `ForeignSyscalls` wants them, of those of the C library ------------------------------------------


def _naming(call: Any) -> Any:
    """getsockname(2) or getpeername(2)."""

    def ask(fd: int, name: Any) -> int:
        pointer, length, to_length, _ = name
        length.value = NAME_SIZE
        result: int = call(fd, pointer, to_length)
        return result if result < 0 else min(length.value, NAME_SIZE)

    return staticmethod(ask)


_accept, _accept4 = gil_released.accept, gil_released.accept4
_set_inheritable = posix.set_inheritable
_poll = gil_released.poll
_getnameinfo = gil_released.getnameinfo
_clock_gettime = gil_held.clock_gettime
_memmove = ctypes.memmove
#: Of linux/time.h.
_CLOCK_MONOTONIC = 1


#: What `_name` gives, of no name.
_NOWHERE = None, c_uint(), None, None


def _is_missing() -> bool:
    """Whether the call that has just failed is one that the kernel, or a sandbox, does not have."""
    error = last_error()
    if error == ENOSYS:
        return True
    put_back(error)
    return False


def _many(call: Any, one: Any, *more: Any) -> Any:
    """recvmmsg(2) or sendmmsg(2); where it is missing, *one* for each message."""

    def many(fd: int, target: Any, count: int, flags: int) -> int:
        result: int = call(fd, target, count, flags, *more)
        if result >= 0 or not _is_missing():
            return result
        waits_for_one = flags & _WAITFORONE
        flags &= ~_WAITFORONE
        address = _address(target, []) or 0
        for i in range(count):
            header = address + i * MMSGHDR.size
            result = one(fd, c_void_p(header), flags)
            if result < 0:
                if i:
                    last_error()
                return i or result
            _memmove(header + _MSG_LEN, result.to_bytes(4, sys.byteorder), 4)
            if waits_for_one:
                flags |= _DONTWAIT
        return count

    return staticmethod(many)


def _receiving_from(call: Any) -> Any:
    def recvfrom(fd: int, target: Any, size: int, flags: int, name: Any) -> int:
        pointer, length, to_length, _ = name
        length.value = NAME_SIZE
        result: int = call(fd, target, size, flags, pointer, to_length)
        return result if result < 0 else result << 8 | min(length.value, NAME_SIZE)

    return staticmethod(recvfrom)


def _message() -> tuple[Any, Any, Any]:
    """A msghdr of one buffer, its iovec, and a pointer to it. The caller's pointers are cleared before it goes back."""
    try:
        return _messages.pop()
    except IndexError:
        message, vector = Msghdr(), Iovec()
        message.msg_iov = pointer(vector) if _CPYTHON else addressof(vector)
        message.msg_iovlen = 1
        return message, vector, _to(message)


def _sending(call: Any, one: bool) -> Any:
    """sendmsg(2) of one buffer, or of vectors."""

    def sendmsg(
        fd: int, target: Any, count: int, flags: int, address: bytes, length: int, control: bytes, control_size: int
    ) -> int:
        message, vector, to_message = spare = _message()
        keep: list[Any] = []
        try:
            if one:
                vector.iov_base = _location(target, keep)
                vector.iov_len = count
            else:
                message.msg_iov = target if _CPYTHON else addressof(target)
                message.msg_iovlen = count
            message.msg_name = _location(address, keep) if length else None
            message.msg_namelen = length
            message.msg_control = _location(control, keep) if control_size else None
            message.msg_controllen = control_size
            result: int = call(fd, to_message, flags)
            if one:
                # Drop the references: the idle message would keep the buffers alive.
                vector.iov_base = message.msg_name = message.msg_control = None
                _messages.append(spare)
            return result
        finally:
            del target, keep

    return staticmethod(sendmsg)


def _receiving(call: Any, one: bool) -> Any:
    """recvmsg(2) into one buffer, or into vectors."""

    def recvmsg(
        fd: int,
        target: Any,
        count: int,
        flags: int,
        name: Any,
        control: Any,
        control_size: int,
        results: list[int],
    ) -> int:
        message, vector, to_message = spare = _message()
        keep: list[Any] = []
        try:
            if one:
                vector.iov_base = _location(target, keep)
                vector.iov_len = count
            else:
                message.msg_iov = target if _CPYTHON else addressof(target)
                message.msg_iovlen = count
            message.msg_name = name[3]
            message.msg_namelen = NAME_SIZE
            message.msg_control = _location(control, keep) if control_size else None
            message.msg_controllen = control_size
            result: int = call(fd, to_message, flags)
            if result >= 0:
                results[1] = min(message.msg_namelen, NAME_SIZE)
                results[2] = min(message.msg_controllen, control_size)
                results[3] = message.msg_flags
            if one:
                # Drop the references: the idle message would keep the buffers alive.
                vector.iov_base = message.msg_control = None
                _messages.append(spare)
            return result
        finally:
            del target

    return staticmethod(recvmsg)


class Syscalls(ForeignSyscalls, plain=lambda name: getattr(gil_held, name)):
    """The calls of the C library, through ctypes."""

    features = frozenset({"keeps-gil"} if gil_held is not gil_released else ())

    _dontwait = _DONTWAIT
    _tries_first = True
    _nonblocking_flags = (
        _DONTWAIT | CONSTANTS["MSG_PEEK"] | CONSTANTS["MSG_TRUNC"] | CONSTANTS["MSG_NOSIGNAL"] | _CMSG_CLOEXEC
    )
    _sol_socket = CONSTANTS["SOL_SOCKET"]
    _so_error = CONSTANTS["SO_ERROR"]
    _scm_rights = CONSTANTS["SCM_RIGHTS"]
    _msg_trunc = CONSTANTS["MSG_TRUNC"]
    _cloexec = _SOCK_CLOEXEC
    _cmsg_header = CMSG_HEADER
    _cmsg_align = ctypes.sizeof(ctypes.c_size_t)

    _recv = _recv
    _recv_released = gil_released.recv
    _recvfrom = _receiving_from(gil_held.recvfrom)
    _recvfrom_released = _receiving_from(gil_released.recvfrom)
    _recvmsg = _receiving(gil_held.recvmsg, True)
    _recvmsg_released = _receiving(gil_released.recvmsg, True)
    _recvmsg_of = _receiving(gil_held.recvmsg, False)
    _recvmsg_of_released = _receiving(gil_released.recvmsg, False)
    _send = _send
    _send_released = gil_released.send
    _sendto = gil_held.sendto
    _sendto_released = gil_released.sendto
    _sendmsg = _sending(gil_held.sendmsg, True)
    _sendmsg_released = _sending(gil_released.sendmsg, True)
    _sendmsg_of = _sending(gil_held.sendmsg, False)
    _sendmsg_of_released = _sending(gil_released.sendmsg, False)
    _connect = gil_released.connect
    _getsockname = _naming(gil_held.getsockname)
    _getpeername = _naming(gil_held.getpeername)

    def constants(self) -> Mapping[str, int]:
        return MappingProxyType(CONSTANTS)

    def describe(self) -> dict[str, str]:
        return {"libc": LIBC, "machine": MACHINE}

    # -- memory and errors ---------------------------------------------------------------------------------------

    def _errno(self, result: int) -> int:
        # ctypes keeps errno for the thread. The handler of a signal can have run since the call returned, and have
        # made calls itself; reading sets it to 0, and then finding a 0 means that another call's failure was read in
        # between. That is told as EINTR, which makes the call be repeated.
        return last_error() or EINTR

    if _CPYTHON:
        # Memory is a bytes object that nobody else has seen, as in the interpreter's own functions that receive: ctypes
        # takes it for a pointer, nothing is as fast to take bytes from, and pages that nothing has been written to cost
        # nothing. It is longer than it has to be, for a slice of the whole would be the very object.

        def _memory(self, size: int) -> tuple[Any, Any]:
            memory = _new_bytes(None, min(size + 2, sys.maxsize))
            return memory, memory

        def _zeros(self, size: int) -> tuple[Any, Any]:
            memory = bytes(size + 2)
            return memory, memory

        def _write(self, target: Any, view: Any, start: int, content: bytes) -> None:
            _memmove(self._at_offset(target, start) if start else target, content, len(content))

        _must_release = True

        def _release_target(self, target: Any) -> None:
            if type(target) is _Pinned:
                pin = target.pin
                _release_buffer(pin[1])
                _pins.append(pin)

    else:
        # PyPy makes a slice of an array byte by byte, and unmaps a map at the next collection only.
        _must_release = True

        def _memory(self, size: int) -> tuple[Any, Any]:
            if size > _HUGE:
                # A bytearray that no memory has is a MemoryError, but a crash once PyPy has compiled the line.
                import mmap

                try:
                    pages = mmap.mmap(-1, size)
                except (OSError, OverflowError, ValueError) as error:
                    raise MemoryError from error
                return Overlay.from_buffer(pages), pages
            memory = bytearray(size or 1)
            return Overlay.from_buffer(memory), _View(memory)

        _zeros = _memory

        def _release_target(self, target: Any) -> None:
            if isinstance(target, _Held):
                target.view.release()

    def _ints(self, count: int) -> Any:
        return _INTS[count](*[-1] * count)

    def _length(self, size: int) -> Any:
        return _Length(size)

    def _new_name(self) -> tuple[Any, Any, Any]:
        memory, view = self._zeros(NAME_SIZE)
        length = c_uint()
        return (memory, length, _to(length), _location(memory, [])), view, [-1] * 4

    def _readable(self, data: ReadableBuffer) -> tuple[Any, int]:
        if _CPYTHON:
            return (data, len(data)) if type(data) is bytes else _pinned(data, _SIMPLE)
        view = memoryview_of(data)
        if not view.c_contiguous:
            raise BufferError("memoryview: underlying buffer is not C-contiguous")
        size = view.nbytes
        return (_Held(view) if size else b""), size

    def _writable(self, buffer: WriteableBuffer) -> tuple[Any, int]:
        if _CPYTHON:
            return _pinned(buffer, _WRITABLE)
        view = memoryview(buffer)
        if view.readonly or not view.c_contiguous:
            raise BufferError("the buffer is read-only, or in pieces")
        size = view.nbytes
        return (_Held(view) if size else _EMPTY), size

    def _at_offset(self, target: Any, offset: int) -> Any:
        return c_void_p((_address(target, []) or 0) + offset)

    def _vectors(self, targets: list[tuple[Any, int]]) -> tuple[Any, Any]:
        keep: list[Any] = []
        count = len(targets)
        # Of a power of two, so that there are few types.
        vectors = _VECTORS[1 << max(count - 1, 0).bit_length()]()
        for i, (target, size) in enumerate(targets):
            vectors[i].iov_base = _location(target, keep)
            vectors[i].iov_len = size
        return vectors, keep

    def _accept(self, fd: int, room: tuple[Any, Any, Any] | None, made: list[int]) -> int:
        pointer, length, to_length, _ = _NOWHERE if room is None else room[0]
        length.value = NAME_SIZE
        made.extend(map(_accept4, (fd,), (pointer,), (to_length,), (_SOCK_CLOEXEC,)))
        if made[0] < 0 and _is_missing():
            del made[:]
            length.value = NAME_SIZE
            made.extend(map(_accept, (fd,), (pointer,), (to_length,)))
            if made[0] >= 0:
                _set_inheritable(made[0], False)
        size: int = min(length.value, NAME_SIZE)
        return size

    def _poll(self, fd: int, events: int, milliseconds: int) -> int:
        descriptor = Pollfd(fd, events)
        result: int = _poll(_to(descriptor), 1, milliseconds)
        return descriptor.revents if result > 0 else result

    def _now(self) -> int:
        now = Timespec()
        _clock_gettime(_CLOCK_MONOTONIC, _to(now))
        return now.tv_sec * 1000000000 + now.tv_nsec  # type: ignore[no-any-return]

    # -- options that are an int -----------------------------------------------------------------------------------

    def getsockopt_int(self, sock: HasDescriptor, level: int, option: int) -> int:
        try:
            room = _options.pop()
        except IndexError:
            room = _new_option()
        option_room, to_value, to_length = room
        # An option smaller than an int is a number all the same.
        option_room.whole = _EMPTY_OPTION
        result = _getsockopt(sock._sp_fd, level, option, to_value, to_length)
        number: int = option_room.value
        _options.append(room)
        if result < 0:
            self._fail(result)
        return number

    def setsockopt_int(self, sock: HasDescriptor, level: int, option: int, value: int) -> None:
        try:
            room = _options.pop()
        except IndexError:
            room = _new_option()
        room[0].value = value
        result = _setsockopt(sock._sp_fd, level, option, room[1], 4)
        _options.append(room)
        if result < 0:
            self._fail(result)

    # -- the first try -------------------------------------------------------------------------------------------

    def recv_into(self, sock: HasDescriptor, buffer: WriteableBuffer, nbytes: int, flags: int, timeout: int) -> int:
        if type(buffer) is bytearray and not flags and nbytes <= len(buffer) and not sock._sp_waits_first:
            size = nbytes or len(buffer)
            if 0 < size <= _COPIED:
                # A copy of a little takes less time than to have the address of a bytearray.
                try:
                    scratch = self._scratches.pop()
                except IndexError:
                    scratch = self._memory(SCRATCH)
                result: int = _recv(sock._sp_fd, scratch[0], size, _DONTWAIT)
                if result >= 0:
                    buffer[:result] = scratch[1][:result]
                    self._scratches.append(scratch)
                    return result
                self._scratches.append(scratch)
                target, room = self._writable(buffer)
                recv, released = self._recv, self._recv_released
                try:
                    # Another thread may have shortened the buffer.
                    size = min(size, room)
                    return self._transfer(
                        sock, POLLIN, recv, released, target, size, size, flags, timeout, tried=result
                    )
                finally:
                    if self._must_release:
                        self._release_target(target)
                    del target
        return super().recv_into(sock, buffer, nbytes, flags, timeout)

    def send(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> int:
        if _CPYTHON and type(data) is bytes and not flags:
            size = len(data)
            if size <= LARGE:
                result: int = _send(sock._sp_fd, data, size, _DONTWAIT)
                if result == size:
                    return result
                return self._send_target(sock, data, size, flags, timeout, result)
        return super().send(sock, data, flags, timeout)

    def sendall(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> None:
        if _CPYTHON and type(data) is bytes and not flags:
            size = len(data)
            if size <= LARGE:
                result: int = _send(sock._sp_fd, data, size, _DONTWAIT)
                if result != size:
                    self._send_all(sock, data, size, flags, timeout, result)
                return
        super().sendall(sock, data, flags, timeout)

    # -- many messages at once -----------------------------------------------------------------------------------

    _waitforone = _WAITFORONE
    _mmsghdr = MMSGHDR
    _iovec = IOVEC
    _recvmmsg = _many(gil_held.recvmmsg, gil_held.recvmsg, None)
    _recvmmsg_released = _many(gil_released.recvmmsg, gil_released.recvmsg, None)
    _sendmmsg = _many(gil_held.sendmmsg, gil_held.sendmsg)
    _sendmmsg_released = _many(gil_released.sendmmsg, gil_released.sendmsg)

    def _place(self, target: Any, keep: list[Any]) -> int:
        return _address(target, keep) or 0

    # -- names and numbers ---------------------------------------------------------------------------------------

    def getaddrinfo(
        self, host: bytes | None, service: bytes | None, family: int, type: int, proto: int, flags: int
    ) -> list[tuple[int, int, int, bytes, bytes]]:
        hints = Addrinfo(ai_flags=flags, ai_family=family, ai_socktype=type, ai_protocol=proto)
        head = _ToAddrinfo()
        code = gil_released.getaddrinfo(host, service, byref(hints), byref(head))
        if code:
            raise _resolver_error(code)
        try:
            results = []
            item = head
            while item:
                entry = item.contents
                results.append(
                    (
                        entry.ai_family,
                        entry.ai_socktype,
                        entry.ai_protocol,
                        entry.ai_canonname or b"",
                        entry.ai_addr[: entry.ai_addrlen],
                    )
                )
                item = entry.ai_next
            return results
        finally:
            gil_released.freeaddrinfo(head)

    def getnameinfo(self, address: bytes, flags: int) -> tuple[bytes, bytes]:
        try:
            room = _answers.pop()
        except IndexError:
            room = _HostName(), _ServiceName()
        host, service = room
        code = _getnameinfo(address, len(address), host, _HOST_SIZE, service, _SERVICE_SIZE, flags)
        names = host.value, service.value
        _answers.append(room)
        if code:
            raise _resolver_error(code)
        return names

    def gethostbyname(self, name: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        return _ask_host(gil_released.gethostbyname2_r, name, family)

    def gethostbyaddr(self, packed: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        return _ask_host(gil_released.gethostbyaddr_r, packed, len(packed), family)

    def getservbyname(self, name: bytes, proto: bytes | None) -> int:
        entry = _ask_service(gil_released.getservbyname_r, name, proto)
        return -1 if entry is None else entry[1]

    def getservbyport(self, port: int, proto: bytes | None) -> bytes | None:
        entry = _ask_service(gil_released.getservbyport_r, htons(port), proto)
        return None if entry is None else entry[0]

    def getprotobyname(self, name: bytes) -> int:
        with _protocols:
            entry = gil_released.getprotobyname(name)
            return entry.contents.p_proto if entry else -1

    def if_nameindex(self) -> list[tuple[int, bytes]]:
        head = gil_released.if_nameindex()
        if not head:
            self._fail(-1)
        try:
            results = []
            i = 0
            while head[i].if_index or head[i].if_name is not None:
                results.append((head[i].if_index, head[i].if_name))
                i += 1
            return results
        finally:
            gil_released.if_freenameindex(head)

    def getifaddrs(self) -> list[tuple[bytes, int, bytes, bytes, bytes]]:
        head = _InterfaceAddresses()
        if gil_released.getifaddrs(head) < 0:
            self._fail(-1)
        try:
            found = []
            entry = head
            while entry:
                item = entry.contents
                addresses = [_sockaddr(address) for address in (item.ifa_addr, item.ifa_netmask, item.ifa_ifu)]
                found.append((item.ifa_name, item.ifa_flags, *addresses))
                entry = item.ifa_next
            return found
        finally:
            if head:
                gil_released.freeifaddrs(head)

    def if_nametoindex(self, name: bytes) -> int:
        index: int = gil_released.if_nametoindex(name)
        if not index:
            self._fail(-1)
        return index

    def if_indextoname(self, index: int) -> bytes:
        name: bytes | None = gil_released.if_indextoname(index, _InterfaceName())
        if name is None:
            self._fail(-1)
        return name

    def interface_index(self, sock: HasDescriptor, name: bytes) -> int:
        request = _InterfaceRequest()
        request.value = name
        if gil_held.ioctl(sock._sp_fd, _SIOCGIFINDEX, request) < 0:
            self._fail(-1)
        return int.from_bytes(request.raw[_IFNAMSIZ : _IFNAMSIZ + 4], sys.byteorder)

    def interface_name(self, sock: HasDescriptor, index: int) -> bytes:
        content = bytes(_IFNAMSIZ) + index.to_bytes(4, sys.byteorder, signed=True)
        request = _InterfaceRequest.from_buffer_copy(content.ljust(ctypes.sizeof(_InterfaceRequest), b"\0"))
        if gil_held.ioctl(sock._sp_fd, _SIOCGIFNAME, request) < 0:
            self._fail(-1)
        return request.value

    def inet_aton(self, text: str) -> bytes | None:
        packed = _In6Address()
        return packed.raw[:4] if gil_held.inet_aton(text.encode(), packed) else None

    def sethostname(self, name: bytes) -> None:
        result = gil_held.sethostname(name, len(name))
        if result < 0:
            self._fail(result)


class _Arrays(dict):  # type: ignore[type-arg]
    """The types of arrays of one kind by their length, each made when it is first needed and kept."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    def __missing__(self, length: int) -> Any:
        return self.setdefault(length, self.kind * length)


_ARRAYS = _Arrays(c_char)
_VECTORS = _Arrays(Iovec)
_INTS = _Arrays(c_int)
_Length = c_uint * 1
_ToAddrinfo = POINTER(Addrinfo)
_ToHostent = POINTER(Hostent)
_ToServent = POINTER(Servent)
_HostName = c_char * _HOST_SIZE
_ServiceName = c_char * _SERVICE_SIZE
_InterfaceName = c_char * _INTERFACE_SIZE
#: struct ifreq of netdevice(7): a name, and the union in which an index is.
_IFNAMSIZ = CONSTANTS["IFNAMSIZ"]
_InterfaceRequest = c_char * 40
# The same on every architecture (linux/sockios.h).
_SIOCGIFNAME = 0x8910
_SIOCGIFINDEX = 0x8933
_InterfaceAddresses = ctypes.POINTER(InterfaceAddress)
#: How many bytes a sockaddr has, by its family: of sockaddr_in and sockaddr_in6.
_SIZES = {CONSTANTS["AF_INET"]: 16, CONSTANTS["AF_INET6"]: 28}
_AF_PACKET = CONSTANTS["AF_PACKET"]


def _sockaddr(address: Any) -> bytes:
    """An address that the C library has made."""
    if not address:
        return b""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family == _AF_PACKET:
        # struct sockaddr_ll: sll_halen is its 12th byte, and there is room for longer addresses than its 8.
        return address[: 12 + address[:12][11]]  # type: ignore[no-any-return]
    return address[: _SIZES.get(family, 2)]  # type: ignore[no-any-return]


_In6Address = c_char * 16
_EMPTY = Overlay()


def _location(target: Any, keep: list[Any]) -> Any:
    """A target as a member of a structure takes it; what must live as long is added to *keep*."""
    return target if _CPYTHON and type(target) is bytes else _address(target, keep)


def _address(target: Any, keep: list[Any]) -> int | None:
    """The address of a target, which must live for as long as it is used; on PyPy what is added to *keep* as well."""
    if isinstance(target, c_void_p):
        return target.value
    if _CPYTHON:
        return cast(target, c_void_p).value
    if isinstance(target, _Held):
        return target.value
    if type(target) is not bytes:
        return addressof(target)
    text = c_char_p(target)
    keep.append(text)
    return cast(text, c_void_p).value


def _resolver_error(code: int) -> OSError:
    if code == _EAI_SYSTEM:
        error = last_error()
        return OSError(error, strerror(error))
    text = gil_held.gai_strerror(code)
    return gaierror(code, text.decode(errors="replace"))


def _names(pointer: Any) -> list[bytes]:
    """The strings of an array that ends with a null pointer, which may itself be null."""
    names: list[bytes] = []
    while pointer and pointer[len(names)] is not None:
        names.append(pointer[len(names)])
    return names


def _ask_host(function: Any, *question: Any) -> tuple[bytes, list[bytes], int, list[bytes]]:
    """gethostby*_r(3), with as much memory as the answer takes."""
    entry = Hostent()
    result = _ToHostent()
    trouble = c_int()
    size = _ANSWER
    while True:
        memory = _ARRAYS[size]()
        code = function(*question, byref(entry), memory, size, byref(result), byref(trouble))
        if code != ERANGE or size > 1 << 24:
            break
        size *= 4
    if not result:
        # h_errno itself is not set by these functions.
        error = trouble.value or _NO_RECOVERY
        raise herror(error, gil_held.hstrerror(error).decode(errors="replace"))
    addresses = entry.h_addr_list
    packed: list[bytes] = []
    while addresses and addresses[len(packed)]:
        packed.append(addresses[len(packed)][: entry.h_length])
    return entry.h_name or b"", _names(entry.h_aliases), entry.h_addrtype, packed


def _ask_service(function: Any, *question: Any) -> tuple[bytes, int] | None:
    """getservby*_r(3): name and port in host byte order."""
    entry = Servent()
    result = _ToServent()
    size = _ANSWER
    while True:
        memory = _ARRAYS[size]()
        code = function(*question, byref(entry), memory, size, byref(result))
        if code != ERANGE or size > 1 << 24:
            break
        size *= 4
    if code or not result:
        return None
    return entry.s_name, ntohs(entry.s_port & 0xFFFF)
