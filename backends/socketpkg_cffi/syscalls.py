"""The contract's calls over the functions of _source.c."""

from __future__ import annotations

import sys
from _socket import gaierror, herror
from _thread import allocate_lock
from struct import Struct
from types import MappingProxyType

from socketpkg._engine.buffers import memoryview_of
from socketpkg._engine.originals import strerror
from socketpkg.backends import BackendUnavailable
from socketpkg_ffi import NAME_SIZE, POLLIN
from socketpkg_ffi.calls import LARGE, SCRATCH, SPARES, ForeignSyscalls

try:
    from ._cffi import ffi, lib  # pyright: ignore[reportMissingImports]
except ModuleNotFoundError as error:
    if error.name != "_cffi_backend":
        raise
    raise BackendUnavailable("its module needs cffi, which is not installed (pip install cffi)") from error

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

_CFFI = f"{__package__}._cffi"
#: The module with make_head, make_immutable and make_capsule, which `socketpkg._engine.capi` describes; None on PyPy.
HEAD_FUNCTIONS = sys.modules[_CFFI] if lib.held_add_head_functions(_CFFI.encode()) == 0 else None

_recv = lib.held_recv
_recv_waiting = lib.held_recv_waiting
_send = lib.held_send
_getsockopt = lib.held_getsockopt
_getsockopt_int = lib.held_getsockopt_int
_setsockopt_int = lib.held_setsockopt_int
#: What held_getsockopt_int gives for a failure, less its errno: below every int.
_FAILURES: int = lib.SP_FAILURES
_string = ffi.string
_new = ffi.new
_from_buffer = ffi.from_buffer
_release = ffi.release
#: Memory that is not filled with zeros, for what the kernel writes.
_allocate = ffi.new_allocator(should_clear_after_alloc=False)
_CHARS = ffi.typeof("char[]")
_INTS = ffi.typeof("int[]")
_LENGTH = ffi.typeof("socklen_t[1]")
_LENGTHS = ffi.typeof("socklen_t[]")
_VECTORS = ffi.typeof("struct iovec[]")

#: The resolver's answers are tried in this much memory first, and given up beyond that.
_ANSWER = 2048
_ANSWER_LIMIT = 1 << 24
_HOST_SIZE = 1025
_SERVICE_SIZE = 64
_INTERFACE_SIZE = 64
#: How many connections are accepted in one call, and the room for the name of each.
_BURST = 64
_NAME_SIZE: int = lib.SP_NAME_SIZE


class _Open:
    """A guard that excludes no thread."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *failure: object) -> None:
        pass


def _guard(reentrant: int) -> Any:
    """Keeps other threads out of a function that answers in memory of its own, where there is no other."""
    return _Open() if reentrant else allocate_lock()


#: What a socket option has room for without memory of its own; programs may ask for no more.
_VALUE_SIZE = 1024
_ZEROS = bytes(_VALUE_SIZE)
#: Rooms for options: target, view, length.
_values: deque[tuple[Any, Any, Any]] = deque(maxlen=SPARES)
#: Rooms for the answers of getnameinfo(3), as `ForeignSyscalls` keeps idle buffers: host, service, errno.
_answers: deque[tuple[Any, Any, Any]] = deque(maxlen=SPARES)

_hosts = _guard(lib.SP_HAVE_GETHOSTBYNAME2_R and lib.SP_HAVE_GETHOSTBYADDR_R)


def _constants() -> dict[str, int]:
    count = _new(_INTS, 1)
    size = lib.sp_constants(count, ffi.NULL, ffi.NULL)
    values, names = _new("long long[]", count[0]), _new(_CHARS, size)
    lib.sp_constants(count, values, names)
    return dict(zip(ffi.unpack(names, size).decode("ascii").split(), ffi.unpack(values, count[0]), strict=True))


def _cmsg_header() -> Struct:
    """cmsg_len, cmsg_level and cmsg_type where the compiler puts them: libraries differ in the width of the first,
    and in where they put the padding that makes up for it."""
    size = ffi.sizeof("sp_cmsg_len_t")
    before = ffi.offsetof("struct cmsghdr", "cmsg_len")
    after = ffi.offsetof("struct cmsghdr", "cmsg_level") - before - size
    # And where the data begins.
    padding = lib.sp_cmsg_len(0) - ffi.sizeof("struct cmsghdr")
    return Struct(f"={before}x{'Q' if size == 8 else 'I'}{after}xii{padding}x")


def _layout(type: str, *members: str) -> Struct:
    """The members of a structure, unsigned, where the compiler puts them. A dot leads to a member of a member."""
    text = "="
    end = 0
    for member in members:
        path = member.split(".")
        kind = ffi.typeof(type)
        for name in path:
            kind = dict(kind.fields)[name].type
        offset = ffi.offsetof(type, *path)
        text += f"{offset - end}x{'Q' if ffi.sizeof(kind) == 8 else 'I'}"
        end = offset + ffi.sizeof(kind)
    return Struct(f"{text}{ffi.sizeof(type) - end}x")


_MMSGHDR = (
    *("msg_hdr.msg_name", "msg_hdr.msg_namelen", "msg_hdr.msg_iov", "msg_hdr.msg_iovlen"),
    *("msg_hdr.msg_control", "msg_hdr.msg_controllen", "msg_hdr.msg_flags", "msg_len"),
)


_DONTWAIT: int = lib.MSG_DONTWAIT
#: Whether a socket in blocking mode has a first try of send(2).
_SENDS_FIRST: bool = bool(lib.SP_KEEPS_GIL and lib.SP_SENDS_HEED_DONTWAIT)


class Syscalls(ForeignSyscalls, plain=lambda name: getattr(lib, f"held_{name}")):
    """The calls of the C library, through a module that cffi has made."""

    # On PyPy a call always releases the GIL, and one in blocking mode is made as it stands.
    features = frozenset(({"keeps-gil"} if lib.SP_KEEPS_GIL else set()) | ({"sa-len"} if lib.SP_HAVE_SA_LEN else set()))

    _dontwait = _DONTWAIT
    _tries_first = bool(lib.SP_KEEPS_GIL)
    _sends_heed_dontwait = bool(lib.SP_SENDS_HEED_DONTWAIT)
    _nonblocking_flags = lib.SP_NONBLOCKING_FLAGS
    _msg_trunc = lib.MSG_TRUNC
    _sol_socket = lib.SOL_SOCKET
    _so_error = lib.SO_ERROR
    _scm_rights = lib.SCM_RIGHTS
    #: sp_socket and sp_socketpair set it.
    _cloexec = 0
    _cmsg_header = _cmsg_header()
    _cmsg_align = lib.sp_cmsg_space(1) - lib.sp_cmsg_space(0)
    _null = ffi.NULL

    _recv = _recv
    _recv_released = lib.sp_recv
    _recvfrom = lib.held_recvfrom
    _recvfrom_released = lib.sp_recvfrom
    _recvfrom_waiting = lib.held_recvfrom_waiting
    _recvmsg = lib.held_recvmsg
    _recvmsg_released = lib.sp_recvmsg
    _recvmsg_of = lib.held_recvmsg_of
    _recvmsg_of_released = lib.sp_recvmsg_of
    _send = _send
    _send_released = lib.sp_send
    _sendto = lib.held_sendto
    _sendto_released = lib.sp_sendto
    _sendmsg = lib.held_sendmsg
    _sendmsg_released = lib.sp_sendmsg
    _sendmsg_of = lib.held_sendmsg_of
    _sendmsg_of_released = lib.sp_sendmsg_of
    _connect = lib.sp_connect
    _poll = lib.sp_poll
    _now = lib.held_now
    _getsockname = lib.held_getsockname
    _getpeername = lib.held_getpeername

    # CPython takes back the export of a buffer with the last reference to it.
    _must_release = sys.implementation.name != "cpython"

    def constants(self) -> Mapping[str, int]:
        return MappingProxyType(_constants())

    def describe(self) -> dict[str, str]:
        import _cffi_backend

        return {
            "libc": _string(lib.sp_libc()).decode(),
            "compiler": _string(lib.sp_compiler()).decode(),
            "cffi": _cffi_backend.__version__,
        }

    # -- memory and errors ---------------------------------------------------------------------------------------

    def _errno(self, result: int) -> int:
        return -result

    def _memory(self, size: int) -> tuple[Any, Any]:
        target = _allocate(_CHARS, size or 1)
        return target, ffi.buffer(target)

    def _zeros(self, size: int) -> tuple[Any, Any]:
        target = _new(_CHARS, size or 1)
        return target, ffi.buffer(target)

    def _ints(self, count: int) -> Any:
        return _new(_INTS, [-1] * count)

    def _length(self, size: int) -> Any:
        return _new(_LENGTH, [size])

    def _new_name(self) -> tuple[Any, Any, Any]:
        name = _new(_CHARS, NAME_SIZE)
        return name, ffi.buffer(name), _new(_INTS, [-1] * 4)

    def _readable(self, data: ReadableBuffer) -> tuple[Any, int]:
        if type(data) is bytes:
            return data, len(data)
        try:
            target = _from_buffer(_CHARS, data)
        except TypeError:
            # cffi's text differs from the interpreter's. Raised in here, the error would have this one as its context.
            target = None
        if target is None:
            target = _from_buffer(_CHARS, memoryview_of(data))
        return target, len(target)

    def _writable(self, buffer: WriteableBuffer) -> tuple[Any, int]:
        target = _from_buffer(_CHARS, buffer, True)
        return target, len(target)

    def _release_target(self, target: Any) -> None:
        if type(target) is not bytes:
            _release(target)

    def _at_offset(self, target: Any, offset: int) -> Any:
        if type(target) is bytes:
            # The pointer alone would not keep the memory where it is.
            return _from_buffer(memoryview(target)[offset:])
        return target + offset

    def _vectors(self, targets: list[tuple[Any, int]]) -> tuple[Any, Any]:
        # cffi fills the array from its parts at once. They keep the memory of bytes where it is.
        parts = [(_from_buffer(_CHARS, target) if type(target) is bytes else target, size) for target, size in targets]
        return _new(_VECTORS, parts), parts

    def _accept(self, fd: int, room: tuple[Any, Any, Any] | None, made: list[int]) -> int:
        if room is None:
            made.extend(map(lib.sp_accept, (fd,), (ffi.NULL,), (ffi.NULL,)))
            return 0
        name, _, results = room
        made.extend(map(lib.sp_accept, (fd,), (name,), (results,)))
        return results[0]  # type: ignore[no-any-return]

    def accept_many(self, sock: HasDescriptor, count: int, timeout: int, found: list[tuple[int, bytes]]) -> None:
        found.extend(map(self.accept, (sock,), (timeout,)))
        own: list[int] = []
        fds: list[int] = []
        try:
            # Several system calls are made without a look at the socket, which another thread may close. So they have
            # a descriptor that is theirs alone.
            own.extend(map(self.dup, (sock._sp_fd,)))
            while count > 1:
                most = min(count - 1, _BURST)
                fds = self._ints(most)
                names = _allocate(_CHARS, most * _NAME_SIZE)
                sizes = _new(_LENGTHS, most)
                waiting = lib.sp_accept_many(own[0], most, fds, names, sizes)
                if waiting > 0:
                    view = ffi.buffer(names)
                    starts = range(0, waiting * _NAME_SIZE, _NAME_SIZE)
                    found.extend([(fds[i], view[start : start + sizes[i]]) for i, start in enumerate(starts)])
                fds = []
                if waiting < most:
                    break
                count -= waiting
        except OSError as failure:
            # Of dup(2). What the handler of a signal raises has no errno.
            if failure.errno is None:
                raise
        finally:
            handed_over = {fd for fd, _ in found}
            self._discard([*own, *[fd for fd in fds if fd not in handed_over]])

    # -- options of numbers, without memory for them ---------------------------------------------------------------

    def getsockopt_int(self, sock: HasDescriptor, level: int, option: int) -> int:
        result: int = _getsockopt_int(sock._sp_fd, level, option)
        if result <= _FAILURES:
            self._fail(result - _FAILURES)
        return result

    def setsockopt_int(self, sock: HasDescriptor, level: int, option: int, value: int) -> None:
        result = _setsockopt_int(sock._sp_fd, level, option, value)
        if result < 0:
            self._fail(result)

    def getsockopt(self, sock: HasDescriptor, level: int, option: int, buflen: int) -> bytes:
        if buflen > _VALUE_SIZE:
            return super().getsockopt(sock, level, option, buflen)
        try:
            room = _values.pop()
        except IndexError:
            room = *self._zeros(_VALUE_SIZE), _new(_LENGTH)
        target, view, length = room
        length[0] = buflen
        result = _getsockopt(sock._sp_fd, level, option, target, length)
        if result < 0:
            _values.append(room)
            self._fail(result)
        size = min(length[0], buflen)
        value: bytes = view[:size]
        # Of zeros for the next one: some options leave a gap in what they write.
        view[:size] = _ZEROS[:size]
        _values.append(room)
        return value

    # -- the first try -------------------------------------------------------------------------------------------

    def recv(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int) -> bytes:
        if bufsize > LARGE or flags or sock._sp_waits_first:
            return self._receive(sock, bufsize, flags, timeout)
        try:
            scratch = self._scratches.pop()
        except IndexError:
            scratch = self._memory(SCRATCH)
        if timeout < 0:
            result = _recv_waiting(sock._sp_fd, scratch[0], bufsize)
            if result <= 0:
                self._scratches.append(scratch)
                return self._receive(sock, bufsize, 0, timeout) if self._is_to_be_repeated(sock, result) else b""
        else:
            result = _recv(sock._sp_fd, scratch[0], bufsize, _DONTWAIT)
            if result < 0:
                self._scratches.append(scratch)
                return self._receive_later(sock, bufsize, timeout, result)
        data: bytes = scratch[1][:result]
        self._scratches.append(scratch)
        return data

    def recv_into(self, sock: HasDescriptor, buffer: WriteableBuffer, nbytes: int, flags: int, timeout: int) -> int:
        if type(buffer) is not bytearray or not buffer or flags or sock._sp_waits_first:
            return super().recv_into(sock, buffer, nbytes, flags, timeout)
        target = _from_buffer(_CHARS, buffer)
        try:
            # Its length counts from now on: until here another thread could shorten it.
            size = len(target)
            if nbytes:
                if nbytes > size:
                    raise ValueError("buffer too small for requested bytes")
                size = nbytes
            tried: int = 0
            if size <= LARGE:
                tried = _recv(sock._sp_fd, target, size, _DONTWAIT)
                if tried >= 0:
                    return tried
            recv, released = self._recv, self._recv_released
            return self._transfer(sock, POLLIN, recv, released, target, size, size, flags, timeout, tried=tried)
        finally:
            if self._must_release:
                _release(target)
            del target

    def send(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> int:
        if type(data) is bytes and not flags and _SENDS_FIRST:
            size = len(data)
            if size <= LARGE:
                result: int = _send(sock._sp_fd, data, size, _DONTWAIT)
                if result == size:
                    return result
                return self._send_target(sock, data, size, flags, timeout, result)
        return super().send(sock, data, flags, timeout)

    def sendall(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> None:
        if type(data) is bytes and not flags and _SENDS_FIRST:
            size = len(data)
            if size <= LARGE:
                result: int = _send(sock._sp_fd, data, size, _DONTWAIT)
                if result != size:
                    self._send_all(sock, data, size, flags, timeout, result)
                return
        elif not lib.SP_KEEPS_GIL and timeout < 0 and type(data) is bytes and not flags:
            # Where nothing keeps the GIL, a call in blocking mode is made as it stands, and mostly takes all. Its
            # result is in a list before the handler of a signal can raise, as in _send_all.
            size = len(data)
            taken: list[int] = []
            try:
                taken.extend(map(_send, (sock._sp_fd,), (data,), (size,), (0,)))
                result = taken[0]
                if result <= 0:
                    self._is_to_be_repeated(sock, result)
                if result != size:
                    self._send_all(sock, data, size, flags, timeout, max(result, 0))
            except BaseException as failure:
                if getattr(failure, "characters_written", None) is None:
                    failure.characters_written = max(taken[0], 0) if taken else 0  # type: ignore[attr-defined]
                raise
            return
        super().sendall(sock, data, flags, timeout)

    # -- many messages at once -----------------------------------------------------------------------------------

    _has_mmsg = bool(lib.SP_HAVE_MMSG)
    _waitforone = lib.SP_MSG_WAITFORONE
    _mmsghdr = _layout("struct mmsghdr", *_MMSGHDR)
    _iovec = _layout("struct iovec", "iov_base", "iov_len")
    _recvmmsg = lib.held_receive_many
    _recvmmsg_released = lib.sp_receive_many
    _sendmmsg = lib.held_send_many
    _sendmmsg_released = lib.sp_send_many

    def _place(self, target: Any, keep: list[Any]) -> int:
        return int(ffi.cast("uintptr_t", _pointer(target, keep)))

    # -- names and numbers ---------------------------------------------------------------------------------------

    def getaddrinfo(
        self, host: bytes | None, service: bytes | None, family: int, type: int, proto: int, flags: int
    ) -> list[tuple[int, int, int, bytes, bytes]]:
        hints = _new("struct addrinfo *")
        hints.ai_flags = flags
        hints.ai_family = family
        hints.ai_socktype = type
        hints.ai_protocol = proto
        head = _new("struct addrinfo **")
        error = _new("int *")
        null = ffi.NULL
        code = lib.sp_getaddrinfo(
            null if host is None else host, null if service is None else service, hints, head, error
        )
        if code:
            raise _resolver_error(code, error[0])
        try:
            results = []
            item = head[0]
            while item:
                results.append(
                    (
                        item.ai_family,
                        item.ai_socktype,
                        item.ai_protocol,
                        _string(item.ai_canonname) if item.ai_canonname else b"",
                        ffi.buffer(item.ai_addr, item.ai_addrlen)[:],
                    )
                )
                item = item.ai_next
            return results
        finally:
            lib.freeaddrinfo(head[0])

    def getnameinfo(self, address: bytes, flags: int) -> tuple[bytes, bytes]:
        try:
            room = _answers.pop()
        except IndexError:
            room = _new(_CHARS, _HOST_SIZE), _new(_CHARS, _SERVICE_SIZE), _new(_INTS, 1)
        host, service, error = room
        code = lib.sp_getnameinfo(address, len(address), host, _HOST_SIZE, service, _SERVICE_SIZE, flags, error)
        if code:
            number = error[0]
            _answers.append(room)
            raise _resolver_error(code, number)
        names = _string(host), _string(service)
        _answers.append(room)
        return names

    def gethostbyname(self, name: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        return _ask_host(lib.sp_gethostbyname, name, family)

    def gethostbyaddr(self, packed: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        return _ask_host(lib.sp_gethostbyaddr, packed, len(packed), family)

    def getservbyname(self, name: bytes, proto: bytes | None) -> int:
        return lib.sp_getservbyname(name, ffi.NULL if proto is None else proto)  # type: ignore[no-any-return]

    def getservbyport(self, port: int, proto: bytes | None) -> bytes | None:
        size = 256
        while True:
            name = _new(_CHARS, size)
            length = lib.sp_getservbyport(port, ffi.NULL if proto is None else proto, name, size)
            if length < 0:
                return None
            if length <= size:
                return ffi.unpack(name, length)  # type: ignore[no-any-return]
            size = length

    def getprotobyname(self, name: bytes) -> int:
        return lib.sp_getprotobyname(name)  # type: ignore[no-any-return]

    def if_nameindex(self) -> list[tuple[int, bytes]]:
        head = _new("struct if_nameindex **")
        result = lib.sp_if_nameindex(head)
        if result < 0:
            self._fail(result)
        try:
            results = []
            item = head[0]
            while item.if_index or item.if_name:
                results.append((item.if_index, _string(item.if_name)))
                item += 1
            return results
        finally:
            lib.if_freenameindex(head[0])

    def getifaddrs(self) -> list[tuple[bytes, int, bytes, bytes, bytes]]:
        head = _new("struct ifaddrs **")
        result = lib.sp_getifaddrs(head)
        if result < 0:
            self._fail(result)
        try:
            found = []
            entry = head[0]
            while entry:
                addresses = [
                    ffi.buffer(address, lib.sp_sockaddr_size(address))[:] if address else b""
                    for address in (entry.ifa_addr, entry.ifa_netmask, lib.sp_ifa_other(entry))
                ]
                found.append((_string(entry.ifa_name), entry.ifa_flags, *addresses))
                entry = entry.ifa_next
            return found
        finally:
            if head[0]:
                lib.freeifaddrs(head[0])

    def if_nametoindex(self, name: bytes) -> int:
        index = _new("unsigned int *")
        result = lib.sp_if_nametoindex(name, index)
        if result < 0:
            self._fail(result)
        return index[0]  # type: ignore[no-any-return]

    def if_indextoname(self, index: int) -> bytes:
        name = _new(_CHARS, _INTERFACE_SIZE)
        result = lib.sp_if_indextoname(index, name)
        if result < 0:
            self._fail(result)
        return _string(name)  # type: ignore[no-any-return]

    def interface_index(self, sock: HasDescriptor, name: bytes) -> int:
        index: int = lib.held_interface_index(sock._sp_fd, name)
        if index < 0:
            self._fail(index)
        return index

    def interface_name(self, sock: HasDescriptor, index: int) -> bytes:
        name = _new(_CHARS, _INTERFACE_SIZE)
        result = lib.held_interface_name(sock._sp_fd, index, name)
        if result < 0:
            self._fail(result)
        return _string(name)  # type: ignore[no-any-return]

    def inet_aton(self, text: str) -> bytes | None:
        packed = _new(_CHARS, 4)
        if not lib.inet_aton(text.encode(), packed):
            return None
        return ffi.unpack(packed, 4)  # type: ignore[no-any-return]

    def sethostname(self, name: bytes) -> None:
        result = lib.sp_sethostname(name, len(name))
        if result < 0:
            self._fail(result)


def _pointer(target: Any, keep: list[Any]) -> Any:
    """A target that can be stored in a struct; what must live as long is added to *keep*."""
    if type(target) is bytes:
        target = _from_buffer(_CHARS, target)
        keep.append(target)
    return target


def _resolver_error(code: int, error: int) -> OSError:
    if code == lib.EAI_SYSTEM:
        return OSError(error, strerror(error))
    return gaierror(code, _string(lib.gai_strerror(code)).decode(errors="replace"))


def _names(pointer: Any) -> list[bytes]:
    """The strings of an array that ends with a null pointer, which may itself be null."""
    names: list[bytes] = []
    while pointer and pointer[len(names)]:
        names.append(_string(pointer[len(names)]))
    return names


def _ask_host(function: Any, *question: Any) -> tuple[bytes, list[bytes], int, list[bytes]]:
    """gethostby*(3), with as much memory as the answer takes."""
    entry = _new("struct hostent *")
    size = _ANSWER
    with _hosts:
        while True:
            memory = _allocate(_CHARS, size)
            code = function(*question, entry, memory, size)
            if code != lib.SP_BUFFER_TOO_SMALL or size > _ANSWER_LIMIT:
                break
            size *= 4
        if code:
            raise herror(code, _string(lib.hstrerror(code)).decode(errors="replace"))
        addresses = entry.h_addr_list
        packed: list[bytes] = []
        while addresses and addresses[len(packed)]:
            packed.append(ffi.buffer(addresses[len(packed)], entry.h_length)[:])
        return _string(entry.h_name), _names(entry.h_aliases), entry.h_addrtype, packed


def keep_gil_for(budget: int) -> None:
    """Fixes for how many nanoseconds a thread keeps the GIL; with 0 it measures that itself again. For tests."""
    lib.held_keep_gil_for(budget)


def gil_waiting() -> int:
    """How many threads wait in calls of this backend to get the GIL back. For tests."""
    waiting: int = lib.held_gil_waiting()
    return waiting
