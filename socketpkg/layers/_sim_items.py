"""Ancillary items of datagrams on ``sim``: what a receiver asks for, and what a sender says."""

from __future__ import annotations

import errno
import struct
import sys

from ._sim_names import (
    Endpoint,
    error,
    is_any,
    is_broadcast,
    is_loopback,
    is_multicast,
    is_v4,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..contract import Syscalls
    from ._names import Names
    from ._sim_datagrams import Header
    from ._sim_layer import Layer
    from ._sim_state import State

    Items = list[tuple[int, int, bytes]]

_INT = struct.Struct("=i")
_IN_PKTINFO = struct.Struct("=i4s4s")
_IN6_PKTINFO = struct.Struct("=16sI")
_TIME, _TIME64 = struct.Struct("@ll"), struct.Struct("=qq")
#: The options for the time of arrival: what it is written as, and how many nanoseconds the second number counts in.
_TIMES = (
    ("SO_TIMESTAMPNS", _TIME, 1),
    ("SO_TIMESTAMPNS_NEW", _TIME64, 1),
    ("SO_TIMESTAMP", _TIME, 1000),
    ("SO_TIMESTAMP_NEW", _TIME64, 1000),
)
#: SOF_TIMESTAMPING_RX_SOFTWARE and SOF_TIMESTAMPING_SOFTWARE.
_WHEN_RECEIVED = 1 << 3 | 1 << 4


class AncillaryItems:
    """What the options of a receiver and the items of a sender mean here."""

    _layer: Layer
    _below: Syscalls
    _names: Names
    _control_cut: int

    def _read_items(self, state: State, header: Header, ancillary: Any) -> int:
        """Takes what ancillary items say about a datagram. Returns the size of segments, 0 for none."""
        known, constants = self._layer.known, self._names.constants
        segment = known.number_of("UDP_SEGMENT", state.options)
        for level, kind, value in ancillary:
            data = bytes(value)
            number = int.from_bytes(data[:4], sys.byteorder, signed=len(data) >= 4)
            if level == known.socket:
                continue
            if level == known.ip and kind == constants["IP_TTL"]:
                if not 1 <= number <= 255:
                    raise error(errno.EINVAL)
                header.ttl = number
            elif level == known.ip and kind == constants["IP_TOS"]:
                header.tos = number & 255
            elif level == known.ip and kind == constants.get("IP_PKTINFO") and len(data) >= _IN_PKTINFO.size:
                self._take_source(state, header, bytes(10) + b"\xff\xff" + _IN_PKTINFO.unpack_from(data)[1])
            elif level == known.ipv6 and kind == constants.get("IPV6_PKTINFO") and len(data) >= _IN6_PKTINFO.size:
                self._take_source(state, header, _IN6_PKTINFO.unpack_from(data)[0])
            elif level == known.ipv6 and kind == constants.get("IPV6_HOPLIMIT"):
                if not -1 <= number <= 255:
                    raise error(errno.EINVAL)
                header.ttl = header.ttl if number == -1 else number
            elif level == known.ipv6 and kind == constants.get("IPV6_TCLASS"):
                header.tos = header.tos if number == -1 else number & 255
            elif level == known.udp and kind == constants.get("UDP_SEGMENT") and len(data) >= 2:
                segment = int.from_bytes(data[:2], sys.byteorder)
            else:
                raise error(errno.EINVAL)
        return segment

    def _take_source(self, state: State, header: Header, address: bytes) -> None:
        if is_any(address):
            return
        if not self._layer.has(state.host, address):
            raise error(errno.EINVAL)
        header.source = Endpoint(address, header.source.port)

    def items(self, state: State, header: Header | None, room: int) -> tuple[Items, int]:
        """The ancillary items that options of a socket ask for, as far as there is room, and MSG_CTRUNC."""
        found: Items = []
        if header is None:
            return found, 0
        left = room
        for level, kind, data in self._all_items(state, header):
            if left < self._below.cmsg_len(0):
                return found, self._control_cut
            length = self._below.cmsg_len(len(data))
            if length > left:
                found.append((level, kind, data[: left - self._below.cmsg_len(0)]))
                return found, self._control_cut
            found.append((level, kind, data))
            left -= min(self._below.cmsg_space(len(data)), left)
        return found, 0

    def _all_items(self, state: State, header: Header) -> Items:
        known, constants, found = self._layer.known, self._names.constants, []

        def on(name: str) -> int:
            return known.number_of(name, state.options)

        seconds, rest = divmod(header.time, 10**9)
        for name, form, unit in _TIMES:
            if on(name):
                found.append((known.socket, constants[name], form.pack(seconds, rest // unit)))
                break
        for name, form in (("SO_TIMESTAMPING", _TIME), ("SO_TIMESTAMPING_NEW", _TIME64)):
            if on(name) & _WHEN_RECEIVED == _WHEN_RECEIVED:
                found.append((known.socket, constants[name], form.pack(seconds, rest) + bytes(2 * form.size)))
                break
        index = 1 if is_loopback(header.to.address) else 2
        four = is_v4(header.to.address)
        if four:
            if on("IP_PKTINFO"):
                local = header.to.address
                if is_multicast(local) or is_broadcast(local):
                    local = self._layer.network.source(state.host, local) or local
                data = _IN_PKTINFO.pack(index, local[12:], header.to.address[12:])
                found.append((known.ip, constants["IP_PKTINFO"], data))
            if on("IP_RECVTTL"):
                found.append((known.ip, constants["IP_TTL"], _INT.pack(header.ttl)))
            if on("IP_RECVTOS"):
                found.append((known.ip, constants["IP_TOS"], bytes([header.tos])))
            if on("IP_RECVORIGDSTADDR"):
                raw = self._layer.network.codec.sockaddr(self._names.AF_INET, header.to)
                found.append((known.ip, constants["IP_RECVORIGDSTADDR"], raw))
        if state.family == self._names.AF_INET6:
            if on("IPV6_RECVPKTINFO"):
                found.append((known.ipv6, constants["IPV6_PKTINFO"], _IN6_PKTINFO.pack(header.to.address, index)))
            if on("IPV6_RECVHOPLIMIT") and not four:
                found.append((known.ipv6, constants["IPV6_HOPLIMIT"], _INT.pack(header.ttl)))
            if on("IPV6_RECVTCLASS") and not four:
                found.append((known.ipv6, constants["IPV6_TCLASS"], _INT.pack(header.tos)))
            if on("IPV6_RECVORIGDSTADDR"):
                raw = self._layer.network.codec.sockaddr(self._names.AF_INET6, header.to)
                found.append((known.ipv6, constants["IPV6_RECVORIGDSTADDR"], raw))
        return found
