"""Ancillary data with names: what recvmsg() receives and sendmsg() sends beside the data, as tuples in place of bytes.

`decode` makes of each item ``(level, type, data)`` a named tuple of this module, and `encode` makes items of those that
can be sent. An item that this module does not know, or that was cut off, is an `Unknown`, so nothing is lost.

The layouts are those of ip(7), ipv6(7) and RFC 3542, unix(7), socket(7) and udp(7), and of Linux's
Documentation/networking/timestamping.rst.
"""

from __future__ import annotations

from struct import Struct, calcsize, error
from sys import byteorder
from typing import TYPE_CHECKING, Any, NamedTuple

import socketpkg

from . import _socket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from _typeshed import ReadableBuffer

    Item: TypeAlias = tuple[int, int, bytes]

__all__ = [
    "Credentials",
    "Descriptors",
    "Dropped",
    "FragmentSize",
    "HopLimit",
    "Mark",
    "OriginalDestination",
    "PacketInfo",
    "PidDescriptor",
    "QueuedBytes",
    "ReceiveError",
    "SecurityLabel",
    "SegmentSize",
    "TimeToLive",
    "Timestamp",
    "Timestamping",
    "TrafficClass",
    "TransmitTime",
    "TypeOfService",
    "Unknown",
    "decode",
    "encode",
]

_CONSTANTS = _socket.core.CONSTANTS
_CODEC = _socket.backend.address.AddressCodec()
_SECOND = 10**9

_SOL_SOCKET: int = _CONSTANTS["SOL_SOCKET"]
_IP: int = _CONSTANTS["IPPROTO_IP"]
_IPV6: int = _CONSTANTS["IPPROTO_IPV6"]
_UDP: int = _CONSTANTS["IPPROTO_UDP"]
_TCP: int = _CONSTANTS["IPPROTO_TCP"]

_INT = Struct("@i")
_UINT = Struct("@I")
_UCRED = Struct("@iII")  # struct ucred of unix(7)
_IN_PKTINFO = Struct("@i4s4s")  # struct in_pktinfo of ip(7)
_IN6_PKTINFO = Struct("@16sI")  # struct in6_pktinfo of RFC 3542
_SOCK_EXTENDED_ERR = Struct("@IBBBBII")  # linux/errqueue.h


class Unknown(NamedTuple):
    """An item that this module does not know, or that was cut off, as it was received."""

    level: int
    type: int
    data: bytes


class PacketInfo(NamedTuple):
    """IP_PKTINFO and IPV6_PKTINFO: the interface and the local address of a packet.

    Received, *address* is the destination that stands in the packet, and *local* the address of the machine that an
    answer should come from (IPv4 only, where the destination may be a broadcast; of IPv6 it is the destination again).
    Sent, *address* is the source that the packet shall have. '0.0.0.0' and '::' leave the choice to the kernel, and so
    does an *interface* of 0.
    """

    interface: int
    address: str
    local: str = ""


class TimeToLive(NamedTuple):
    """IP_TTL: how many more routers an IPv4 packet may pass, 1 to 255."""

    value: int


class HopLimit(NamedTuple):
    """IPV6_HOPLIMIT: how many more routers an IPv6 packet may pass, 0 to 255, or -1 for the default when sent."""

    value: int


class TypeOfService(NamedTuple):
    """IP_TOS: the byte of an IPv4 packet with the service (DSCP, the upper six bits) and congestion (ECN) marks."""

    value: int


class TrafficClass(NamedTuple):
    """IPV6_TCLASS: that byte of an IPv6 packet; -1 for the default when sent."""

    value: int


class Timestamp(NamedTuple):
    """SO_TIMESTAMP and SO_TIMESTAMPNS: when the kernel received a packet, in nanoseconds since 1970."""

    nanoseconds: int


class Timestamping(NamedTuple):
    """SO_TIMESTAMPING: times of a packet in nanoseconds, None for those that there are not.

    *software* is the kernel's, since 1970; *hardware* that of the network card's own clock; *transformed*, which old
    drivers gave, the card's in the time of the machine.
    """

    software: int | None
    transformed: int | None
    hardware: int | None


class Credentials(NamedTuple):
    """SCM_CREDENTIALS: who sent a message over a UNIX socket. The kernel checks what a process says of itself."""

    pid: int
    uid: int
    gid: int


class Descriptors(NamedTuple):
    """SCM_RIGHTS: descriptors over a UNIX socket. Those received are close-on-exec, and the receiver's to close."""

    fds: tuple[int, ...]


class PidDescriptor(NamedTuple):
    """SCM_PIDFD: a descriptor of the process that sent a message (SO_PASSPIDFD). It is the receiver's to close."""

    fd: int


class ReceiveError(NamedTuple):
    """IP_RECVERR and IPV6_RECVERR: an error of something sent, from MSG_ERRQUEUE.

    *origin* is one of ``SO_EE_ORIGIN_*``, *type* and *code* are those of the ICMP message, *info* is its further
    information (the MTU for EMSGSIZE), *data* the sequence number of a timestamp or of zero-copy. *offender* is the
    address of the host that sent the error, None where the kernel names none.
    """

    errno: int
    origin: int
    type: int
    code: int
    info: int
    data: int
    offender: Any


class Dropped(NamedTuple):
    """SO_RXQ_OVFL: how many datagrams this socket has dropped since it was made, for its queue was full."""

    datagrams: int


class SegmentSize(NamedTuple):
    """UDP_GRO: the size of the datagrams that were joined. Sent (UDP_SEGMENT), the size to cut the data into."""

    size: int


class FragmentSize(NamedTuple):
    """IP_RECVFRAGSIZE and IPV6_RECVFRAGSIZE: the size of the largest fragment of a packet that came in fragments."""

    size: int


class OriginalDestination(NamedTuple):
    """IP_ORIGDSTADDR and IPV6_ORIGDSTADDR: where a datagram was going before it was redirected."""

    address: Any


class QueuedBytes(NamedTuple):
    """TCP_CM_INQ: how many bytes are in the receive queue behind those of this call."""

    size: int


class Mark(NamedTuple):
    """SO_MARK: the packet's mark in the firewall."""

    value: int


class SecurityLabel(NamedTuple):
    """SCM_SECURITY: the label of the sender's security context, such as SELinux's."""

    label: bytes


class TransmitTime(NamedTuple):
    """SCM_TXTIME: when to send a packet, in nanoseconds of the clock that SO_TXTIME names."""

    nanoseconds: int


# -- decoding ----------------------------------------------------------------------------------------------------------
# Each takes the data of an item, and raises struct.error or ValueError when it is too short for what it should hold.


def _int(data: bytes) -> int:
    """A C int, of which some items have only the first byte or two."""
    if len(data) not in (1, 2, 4):
        raise ValueError
    return int.from_bytes(data, byteorder, signed=len(data) == 4)


def _uint(data: bytes) -> int:
    return int(_UINT.unpack(data)[0])


def _times(data: bytes, count: int, unit: int) -> list[int]:
    """So many times of a timespec (*unit* 1) or timeval (1000): of 64 bits, or of 32 on an old 32-bit system."""
    for code in "qi":
        if len(data) == calcsize(f"={2 * count}{code}"):
            parts = Struct(f"={2 * count}{code}").unpack(data)
            return [second * _SECOND + part * unit for second, part in zip(parts[::2], parts[1::2], strict=True)]
    raise ValueError


def _microseconds(data: bytes) -> Timestamp:
    return Timestamp(_times(data, 1, 1000)[0])


def _nanoseconds(data: bytes) -> Timestamp:
    return Timestamp(_times(data, 1, 1)[0])


def _timestamping(data: bytes) -> Timestamping:
    return Timestamping(*[time or None for time in _times(data, 3, 1)])


def _descriptors(data: bytes) -> Descriptors:
    # Of an item that was cut off, the descriptors that arrived: they are open.
    count = len(data) // _INT.size
    return Descriptors(Struct(f"@{count}i").unpack(data[: count * _INT.size]))


def _packet_info(data: bytes) -> PacketInfo:
    interface, local, address = _IN_PKTINFO.unpack(data)
    return PacketInfo(interface, socketpkg.inet_ntoa(address), socketpkg.inet_ntoa(local))


def _packet_info6(data: bytes) -> PacketInfo:
    packed, interface = _IN6_PKTINFO.unpack(data)
    address = socketpkg.inet_ntop(socketpkg.AF_INET6, packed)
    return PacketInfo(interface, address, address)


def _receive_error(data: bytes) -> ReceiveError:
    number, origin, kind, code, _, info, more = _SOCK_EXTENDED_ERR.unpack_from(data)
    raw = data[_SOCK_EXTENDED_ERR.size :]
    # AF_UNSPEC when no host told it.
    offender = _CODEC.decode(raw, 0, None) if len(raw) > 2 and any(raw[:2]) else None
    return ReceiveError(number, origin, kind, code, info, more, offender)


def _original(data: bytes) -> OriginalDestination:
    if len(data) < 16:
        raise ValueError
    return OriginalDestination(_CODEC.decode(data, 0, None))


def _decoders() -> dict[tuple[int, int], Callable[[bytes], Any]]:
    known: list[tuple[int, str, Callable[[bytes], Any]]] = [
        (_SOL_SOCKET, "SCM_RIGHTS", _descriptors),
        (_SOL_SOCKET, "SCM_CREDENTIALS", lambda data: Credentials(*_UCRED.unpack(data))),
        (_SOL_SOCKET, "SCM_PIDFD", lambda data: PidDescriptor(*_INT.unpack(data))),
        (_SOL_SOCKET, "SCM_SECURITY", SecurityLabel),
        (_SOL_SOCKET, "SO_RXQ_OVFL", lambda data: Dropped(_uint(data))),
        (_SOL_SOCKET, "SO_MARK", lambda data: Mark(_uint(data))),
        (_UDP, "UDP_GRO", lambda data: SegmentSize(_int(data))),
        (_TCP, "TCP_CM_INQ", lambda data: QueuedBytes(*_INT.unpack(data))),
        (_IP, "IP_PKTINFO", _packet_info),
        (_IP, "IP_TTL", lambda data: TimeToLive(_int(data))),
        (_IP, "IP_TOS", lambda data: TypeOfService(_int(data) & 0xFF)),
        (_IP, "IP_RECVERR", _receive_error),
        (_IP, "IP_ORIGDSTADDR", _original),
        (_IP, "IP_RECVFRAGSIZE", lambda data: FragmentSize(*_INT.unpack(data))),
        (_IPV6, "IPV6_PKTINFO", _packet_info6),
        (_IPV6, "IPV6_HOPLIMIT", lambda data: HopLimit(*_INT.unpack(data))),
        (_IPV6, "IPV6_TCLASS", lambda data: TrafficClass(*_INT.unpack(data))),
        (_IPV6, "IPV6_RECVERR", _receive_error),
        (_IPV6, "IPV6_ORIGDSTADDR", _original),
        (_IPV6, "IPV6_RECVFRAGSIZE", lambda data: FragmentSize(*_INT.unpack(data))),
    ]
    # What is received has the number of the option that asked for it, of which there are two since times have 64 bits.
    for suffix in ("", "_OLD", "_NEW"):
        for prefix in ("SO_", "SCM_"):
            known += [
                (_SOL_SOCKET, f"{prefix}TIMESTAMP{suffix}", _microseconds),
                (_SOL_SOCKET, f"{prefix}TIMESTAMPNS{suffix}", _nanoseconds),
                (_SOL_SOCKET, f"{prefix}TIMESTAMPING{suffix}", _timestamping),
            ]
    return {(level, _CONSTANTS[name]): decoder for level, name, decoder in known if name in _CONSTANTS}


_DECODERS = _decoders()


def decode(ancdata: Iterable[tuple[int, int, bytes]]) -> list[Any]:
    """The items of recvmsg() as named tuples of this module, in their order."""
    decoded: list[Any] = []
    for level, kind, data in ancdata:
        decoder = _DECODERS.get((level, kind))
        try:
            decoded.append(Unknown(level, kind, data) if decoder is None else decoder(data))
        except (error, ValueError):
            decoded.append(Unknown(level, kind, data))
    return decoded


# -- encoding ----------------------------------------------------------------------------------------------------------


def _encode_packet_info(item: PacketInfo) -> tuple[int, str, bytes]:
    if ":" in item.address:
        packed = socketpkg.inet_pton(socketpkg.AF_INET6, item.address)
        return _IPV6, "IPV6_PKTINFO", _IN6_PKTINFO.pack(packed, item.interface)
    # ip(7): ipi_spec_dst is the source address; ipi_addr is ignored.
    packed = socketpkg.inet_pton(socketpkg.AF_INET, item.address)
    return _IP, "IP_PKTINFO", _IN_PKTINFO.pack(item.interface, packed, bytes(4))


_ENCODERS: dict[type, Callable[[Any], tuple[int, str, bytes]]] = {
    PacketInfo: _encode_packet_info,
    TimeToLive: lambda item: (_IP, "IP_TTL", _INT.pack(*item)),
    TypeOfService: lambda item: (_IP, "IP_TOS", _INT.pack(*item)),
    HopLimit: lambda item: (_IPV6, "IPV6_HOPLIMIT", _INT.pack(*item)),
    TrafficClass: lambda item: (_IPV6, "IPV6_TCLASS", _INT.pack(*item)),
    Credentials: lambda item: (_SOL_SOCKET, "SCM_CREDENTIALS", _UCRED.pack(*item)),
    Descriptors: lambda item: (_SOL_SOCKET, "SCM_RIGHTS", Struct(f"@{len(item.fds)}i").pack(*item.fds)),
    SegmentSize: lambda item: (_UDP, "UDP_SEGMENT", Struct("@H").pack(*item)),
    Mark: lambda item: (_SOL_SOCKET, "SO_MARK", _UINT.pack(*item)),
    TransmitTime: lambda item: (_SOL_SOCKET, "SCM_TXTIME", Struct("@Q").pack(*item)),
}


def encode(*items: Any) -> list[tuple[int, int, ReadableBuffer]]:
    """The ancillary items for sendmsg() of named tuples of this module; items (level, type, data) are left as they are.

    PacketInfo, TimeToLive, TypeOfService, HopLimit, TrafficClass, Credentials, Descriptors, SegmentSize, Mark,
    TransmitTime and Unknown can be sent. ValueError for another one and where the platform has no such item,
    OverflowError for a number that does not fit into its place, OSError for an invalid address.
    """
    encoded: list[tuple[int, int, ReadableBuffer]] = []
    for item in items:
        encoder = _ENCODERS.get(type(item))
        if encoder is not None:
            try:
                level, name, data = encoder(item)
            except error:
                numbers = {Descriptors: item[0], PacketInfo: item[:1]}.get(type(item), item)
                if not all(hasattr(number, "__index__") for number in numbers):
                    raise TypeError(f"{item!r} has a field that is not an integer") from None
                raise OverflowError(f"{item!r} has a number that is out of range") from None
            if name not in _CONSTANTS:
                raise ValueError(f"this platform has no {name}")
            encoded.append((level, _CONSTANTS[name], data))
        elif type(item) in (tuple, Unknown) and len(item) == 3:
            encoded.append(tuple(item))
        elif type(item).__module__ == __name__:
            raise ValueError(f"{type(item).__name__} can only be received")
        else:
            raise TypeError(f"an ancillary item or a tuple (level, type, data) is required, not {type(item).__name__}")
    return encoded
