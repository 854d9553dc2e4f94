"""Many datagrams in one call: what stands between `Socket` and recvmmsg(2), sendmmsg(2), UDP_SEGMENT and UDP_GRO.

Facts about UDP segmentation that the code relies on (udp(7), net/ipv4/udp.c):

* A send with the control message UDP_SEGMENT (Linux 4.18) is cut by the kernel, or by the device, into datagrams of
  that size, the last one maybe shorter. It takes at most 64 of them, and no more than one IP packet could hold.
* It is refused as a whole, with nothing sent: EIO where the device computes no checksums or the route is encrypted,
  EINVAL where checksums are switched off or a segment does not fit the device's packets (EMSGSIZE in newer kernels,
  which do not fragment segments as they do datagrams).
* A kernel without it ignores the control message, and would send one large datagram: it has to be asked before.
* A socket with the option UDP_GRO (Linux 5.0) may get datagrams of one sender and size, the last maybe shorter, as
  one, with a control message UDP_GRO that holds the size.

Cython compiles this file for the ``c`` backend; each other backend runs it as a module of its own package. It is
loaded when the first of its functions is used.
"""

from __future__ import annotations

import errno
import sys
from sys import audit

from socketpkg._engine.arguments import contiguous
from socketpkg._engine.originals import strerror

from ._address import CONSTANTS, SYSCALLS, AddressCodec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from _typeshed import ReadableBuffer, WriteableBuffer

    from ._core import Socket

    Items = list[tuple[int, int, bytes]]

_sys = SYSCALLS
_codec = AddressCodec()

_SOCK_STREAM = CONSTANTS["SOCK_STREAM"]
_SOCK_DGRAM = CONSTANTS["SOCK_DGRAM"]
_AF_INET = CONSTANTS["AF_INET"]
_AF_INET6 = CONSTANTS["AF_INET6"]
_UDP = CONSTANTS["IPPROTO_UDP"]
_UDP_SEGMENT = CONSTANTS.get("UDP_SEGMENT", -1)
_UDP_GRO = CONSTANTS.get("UDP_GRO", -1)

# What a segmented send takes: UDP_MAX_SEGMENTS, and the payload of the largest IPv4 packet.
_SEGMENTS_MAX = 64
_PAYLOAD_MAX = 65507
_SEGMENT_SIZE_MAX = 0xFFFF

_REFUSED = (errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.ENOPROTOOPT)
_NO_SUCH_OPTION = (errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EINVAL)

# The longest bytes object (its other parts take 33 bytes), and CPython's text for a longer one.
_BYTES_MAX = sys.maxsize - 33
_TOO_LARGE = "byte string is too large"

# Whether this kernel has the options; None until it was asked.
_has_segment: bool | None = None if _UDP_SEGMENT >= 0 else False
_has_gro: bool | None = None if _UDP_GRO >= 0 else False

# A sentinel that is no caller's address, so that the first one always differs.
_NONE_YET: Any = object()


# -- messages ---------------------------------------------------------------------------------------------------------


def receive(sock: Socket, count: int, bufsize: int, ancbufsize: int, flags: int, added: int) -> list[Any]:
    """`Socket.recvmmsg`. An *ancbufsize* of -1 asks for data and address only; *added* are flags that are not the
    caller's."""
    if count < 0:
        raise ValueError("negative count in recvmmsg")
    if bufsize < 0:
        raise ValueError("negative buffersize in recvmmsg")
    if bufsize > _BYTES_MAX:
        raise OverflowError(_TOO_LARGE)
    if count == 0:
        return []
    data, ancillary, msg_flags, raws = _sys.recvmmsg(
        sock, count, bufsize, max(ancbufsize, 0), flags | added, sock._sp_timeout
    )
    return _messages(sock, data, ancillary, msg_flags, added, raws, ancbufsize >= 0)


def receive_into(
    sock: Socket, targets: tuple[WriteableBuffer, ...], ancbufsize: int, flags: int, added: int
) -> list[Any]:
    """`Socket.recvmmsg_into`. An *ancbufsize* of -1 asks for count and address only."""
    if not targets:
        return []
    counts, ancillary, msg_flags, raws = _sys.recvmmsg_into(
        sock, targets, max(ancbufsize, 0), flags | added, sock._sp_timeout
    )
    return _messages(sock, counts, ancillary, msg_flags, added, raws, ancbufsize >= 0)


def _messages(
    sock: Socket,
    data: list[Any],
    ancillary: list[Items],
    msg_flags: list[int],
    added: int,
    raws: list[bytes],
    full: bool,
) -> list[Any]:
    """The lists of the contract as one list of messages, without the flags that were *added*."""
    messages: list[Any] = []
    address: Any = None
    last: bytes | None = None
    if sock._sp_fd < 0 and not data[0]:
        # A wait in the kernel that close(wake=True) has ended looks like the end of a stream.
        from socketpkg._engine.woken import check

        check(sock)
    try:
        for position in range(len(data)):
            raw = raws[position]
            if raw is not last:
                address = _codec.decode(raw, sock._sp_proto, sock)
                last = raw
            if full:
                items = ancillary[position] if ancillary else []
                messages.append((data[position], items, msg_flags[position] & ~added, address))
            else:
                messages.append((data[position], address))
    except BaseException:
        for items in ancillary:
            _sys.close_rights(items)
        raise
    if sock._sp_type == _SOCK_STREAM:
        # Every receive at the end of a stream gives an empty message. One is enough.
        while len(messages) > 1 and not messages[-1][0] and not messages[-2][0]:
            messages.pop()
    return messages


def send(
    sock: Socket,
    messages: Iterable[Any],
    flags: int,
    tuple_of: Callable[[Any, str], tuple[Any, ...]],
    items_of: Callable[[Any], Any],
) -> int:
    """`Socket.sendmmsg`. *tuple_of* and *items_of* are the core's, which read an iterable and ancillary data."""
    _refuse_stream(sock, "sendmmsg")
    data: list[Any] = []
    ancillary: list[tuple[tuple[int, int, Any], ...]] = []
    raws: list[bytes] = []
    some_ancillary = False
    last = _NONE_YET
    raw = b""
    for message in tuple_of(messages, "sendmmsg() argument 1 must be an iterable of messages"):
        items: tuple[tuple[int, int, Any], ...] = ()
        if isinstance(message, tuple):
            size = len(message)
            if size < 2 or size > 3:
                raise TypeError(
                    "a message of sendmmsg() must be data, (data, address) or (data, address, ancdata),"
                    f" not a tuple of {size} items"
                )
            source = message[0]
            address = message[1]
            if size == 3:
                items = items_of(message[2])
                some_ancillary = True
        else:
            source = message
            address = None
        if address is not last:
            # Many messages to one address are looked up, and seen by audit hooks, as one.
            last = address
            raw = b"" if address is None else _codec.encode(sock._sp_family, sock._sp_proto, address, "sendmmsg", sock)
            audit("socket.sendmsg", sock, address)
        data.append(tuple(source) if isinstance(source, (list, tuple)) else source)
        ancillary.append(items)
        raws.append(raw)
    if not data:
        return 0
    return _sys.sendmmsg(sock, data, ancillary if some_ancillary else [], raws, flags, sock._sp_timeout)


def _refuse_stream(sock: Socket, caller: str) -> None:
    """A stream may take a part of a message, and a count of messages could not tell."""
    if sock._sp_type == _SOCK_STREAM:
        raise OSError(errno.EOPNOTSUPP, f"{strerror(errno.EOPNOTSUPP)}: {caller}() needs a socket of datagrams")


# -- segments ---------------------------------------------------------------------------------------------------------


def _is_udp(sock: Socket) -> bool:
    if sock._sp_type != _SOCK_DGRAM or (sock._sp_proto and sock._sp_proto != _UDP):
        return False
    return sock._sp_family == _AF_INET or sock._sp_family == _AF_INET6


def _knows_segments(sock: Socket) -> bool:
    """Whether the kernel has UDP_SEGMENT, asked of a UDP socket."""
    global _has_segment
    if _has_segment is None:
        try:
            _sys.getsockopt_int(sock, _UDP, _UDP_SEGMENT)
        except OSError as failure:
            if failure.errno not in _NO_SUCH_OPTION:
                raise
            _has_segment = False
        else:
            _has_segment = True
    return _has_segment


def send_segments(sock: Socket, data: ReadableBuffer, size: int, address: Any, flags: int) -> int:
    """`Socket.send_segments`."""
    _refuse_stream(sock, "send_segments")
    if size < 1 or size > _SEGMENT_SIZE_MAX:
        raise ValueError(f"segment_size must be 1-{_SEGMENT_SIZE_MAX}")
    raw = b"" if address is None else _codec.encode(sock._sp_family, sock._sp_proto, address, "send_segments", sock)
    if type(data) is bytes:
        audit("socket.sendmsg", sock, address)
        return _send_segments(sock, data, size, raw, flags)
    # Each view has a name and is released: on PyPy a temporary one would export the buffer until the collector runs.
    with contiguous(data) as view, view.cast("B") as content:
        audit("socket.sendmsg", sock, address)
        return _send_segments(sock, content, size, raw, flags)


def _send_segments(sock: Socket, data: bytes | memoryview, size: int, raw: bytes, flags: int) -> int:
    timeout = sock._sp_timeout
    total = len(data)
    chunk = _PAYLOAD_MAX // size
    if chunk > _SEGMENTS_MAX:
        chunk = _SEGMENTS_MAX
    chunk *= size
    segmented = chunk > size and _is_udp(sock) and _knows_segments(sock)
    items = _segment_items(size)
    sent = 0
    while sent < total:
        left = total - sent
        try:
            if not segmented or left <= size:
                return sent + _send_plain(sock, data, sent, size, raw, flags, timeout)
            if left == total and left <= chunk:
                sent += _sys.sendmsg(sock, (data,), items, flags, raw, timeout)
            else:
                with memoryview(data) as view, view[sent : sent + chunk] as part:
                    sent += _sys.sendmsg(sock, (part,), items, flags, raw, timeout)
        except OSError as failure:
            if segmented and failure.errno in _REFUSED:
                segmented = False
                continue
            # Keep the partial count. An exception from a signal handler has no errno.
            if sent and failure.errno is not None:
                break
            raise
        if timeout > 0:
            timeout = 0
    return sent


# The last one made: a program's segments have one size, or few.
_recent_items: tuple[int, tuple[tuple[int, int, bytes]]] | None = None


def _segment_items(size: int) -> tuple[tuple[int, int, bytes]]:
    """The ancillary items that ask for segments of *size* bytes."""
    global _recent_items
    recent = _recent_items
    if recent is None or recent[0] != size:
        recent = size, ((_UDP, _UDP_SEGMENT, size.to_bytes(2, sys.byteorder)),)
        _recent_items = recent
    return recent[1]


def _send_plain(
    sock: Socket, data: bytes | memoryview, start: int, size: int, raw: bytes, flags: int, timeout: int
) -> int:
    """Sends each segment from *start* on as a datagram of its own."""
    total = len(data)
    count = 0
    with memoryview(data) as view:
        parts: list[Any] = [view[position : position + size] for position in range(start, total, size)]
        try:
            count = _sys.sendmmsg(sock, parts, [], [raw] * len(parts), flags, timeout)
        finally:
            for part in parts:
                part.release()
    return min(count * size, total - start)


def receive_segments(sock: Socket, bufsize: int, flags: int) -> tuple[list[bytes], Any]:
    """`Socket.recv_segments`."""
    global _has_gro
    if bufsize < 0:
        raise ValueError("negative buffersize in recv_segments")
    if bufsize > _BYTES_MAX:
        raise OverflowError(_TOO_LARGE)
    gro = _has_gro is not False and _is_udp(sock)
    if gro:
        # Set in every call: other objects and processes may set options of the same socket.
        try:
            _sys.setsockopt_int(sock, _UDP, _UDP_GRO, 1)
            _has_gro = True
        except OSError as failure:
            if failure.errno not in _NO_SUCH_OPTION:
                raise
            _has_gro = gro = False
    if not gro:
        data, raw = _sys.recvfrom(sock, bufsize, flags, sock._sp_timeout)
        return [data], _codec.decode(raw, sock._sp_proto, sock)
    segments, raw = _sys.recv_segments(sock, bufsize, flags, sock._sp_timeout)
    return segments, _codec.decode(raw, sock._sp_proto, sock)
