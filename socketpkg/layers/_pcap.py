"""``pcap``: what a traced program moved, as the packets that would have moved it, in a pcapng file.

The layer sees calls and no packets, so handshake, sequence numbers, FIN and RST are made up around the data, which is
true: its bytes, their order, the addresses, the time of each call. A connection whose two ends are both in this process
is written once. Format: draft-ietf-opsawg-pcapng; link type LINKTYPE_RAW, packets that begin with their IP header.

Each block goes to the file by one write, so a program that is killed leaves a readable file, and children can append.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock
from errno import ECONNRESET as _ECONNRESET
from errno import EINPROGRESS
from struct import pack
from time import time_ns

from ._sockets import opened_for_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._names import Names

_FILES = "SOCKETPKG_TRACE_CAPTURES"
_LINKTYPE_RAW = 101
#: The data of a packet: with the headers of IPv6 and TCP it stays below 64 KiB.
_SEGMENT = 65000
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_TCP, _UDP = 6, 17


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return pack("=II", kind, size) + body + pack("=I", size)


def _option(code: int, value: bytes) -> bytes:
    return pack("=HH", code, len(value)) + value + bytes(-len(value) % 4)


def checksum(*parts: bytes) -> int:
    """The Internet checksum (RFC 1071) of the parts together, each but the last of an even length.

    The one's complement sum of 16-bit words is their number modulo 65535, which Python finds fast.
    """
    total = 0
    for part in parts:
        total += int.from_bytes(part + b"\0" if len(part) & 1 else part, "big") % 65535
    return 65535 - (total % 65535 or (65535 if any(map(any, parts)) else 0))


class Flow:
    """A connection, or the datagrams between two addresses: what was written of it."""

    __slots__ = ("closed", "comment", "ends", "moved", "open", "written")

    def __init__(self, ends: tuple[tuple[bytes, int], tuple[bytes, int]], comment: str) -> None:
        self.ends = ends
        self.comment = comment
        self.open = False
        #: By direction (index of the sender): bytes that are in the file, and bytes that an end has sent or received.
        self.written = [0, 0]
        self.moved = {("out", 0): 0, ("out", 1): 0, ("in", 0): 0, ("in", 1): 0}
        self.closed = [False, False]


class Capture:
    """A pcapng file that packets are appended to."""

    def __init__(self, path: str, names: Names) -> None:
        self._path = path
        self._names = names
        self._lock = allocate_lock()
        self._flows: dict[Any, Flow] = {}
        #: Addresses of datagram sockets of this process: what one of them sends, another one need not tell again.
        self._datagrams: set[tuple[bytes, int]] = set()
        self._unix = 0
        self._fd = opened_for_lines(path, _FILES)
        self._pid = os.getpid()
        self._begin()

    def _begin(self) -> None:
        section = pack("=IHHq", 0x1A2B3C4D, 1, 0, -1) + _option(4, b"socketpkg trace") + _option(0, b"")
        program = " ".join(sys.argv)[:200].encode("utf-8", "replace")
        interface = pack("=HHI", _LINKTYPE_RAW, 0, 0) + _option(2, f"pid {os.getpid()}".encode())
        interface += _option(3, program) + _option(9, b"\x09") + _option(0, b"")
        self._put(_block(0x0A0D0D0A, section) + _block(1, interface))

    def _put(self, data: bytes) -> None:
        try:
            os.write(self._fd, data)
        except OSError:
            pass  # a full disk is no reason for the program to fail

    def close(self) -> None:
        """Closes the file."""
        fd, self._fd = self._fd, -1
        os.close(fd)

    # -- events --------------------------------------------------------------------------------------------------

    def event(
        self,
        layer: Any,
        name: str,
        arguments: tuple[Any, ...],
        record: Any,
        pieces: list[tuple[Any, bytes]],
        result: Any,
        error: BaseException | None,
    ) -> None:
        """A call of the program: writes the packets that it stands for."""
        if self._fd < 0 or record.family not in (self._names.AF_INET, self._names.AF_INET6, self._names.AF_UNIX):
            return
        with self._lock:
            if self._pid != os.getpid():
                # A child has a section of its own in its parent's file, or a file of its own.
                self._pid = os.getpid()
                if "%p" in self._path:
                    self._fd = opened_for_lines(self._path, _FILES)
                self._begin()
            if record.type == self._names.SOCK_STREAM:
                self._stream(layer, name, arguments, record, pieces, result, error)
            elif record.type == self._names.SOCK_DGRAM and record.family != self._names.AF_UNIX:
                self._datagram(name, record, pieces)

    def _stream(
        self,
        layer: Any,
        name: str,
        arguments: tuple[Any, ...],
        record: Any,
        pieces: list[tuple[Any, bytes]],
        result: Any,
        error: BaseException | None,
    ) -> None:
        if name == "accept":
            if error is None:
                new = layer._records.get(result[0])
                if new is not None:
                    flow, end = self._flow(new)
                    if flow is not None:
                        self._handshake(flow, 1 - end)
            return
        if name == "connect":
            if result in (0, EINPROGRESS) and error is None:
                flow, end = self._flow(record)
                if flow is not None and result == 0:
                    self._handshake(flow, end)
            elif result and result > 0 and error is None and record.family != self._names.AF_UNIX:
                self._refused(arguments[1], record, layer, arguments[0])
            return
        flow, end = self._flow(record)
        if flow is None:
            return
        if pieces:
            self._handshake(flow, end)
            outward = name.startswith("send")
            for data, _ in pieces:
                self._data(flow, end if outward else 1 - end, "out" if outward else "in", data)
                if not outward and not len(data) and name != "recv_into":
                    self._finish(flow, 1 - end)
        elif error is not None and getattr(error, "errno", None) == _ECONNRESET and flow.open:
            self._packet(flow, 1 - end, _RST | _ACK, b"")
            flow.open = False
            flow.closed = [True, True]
        if (name == "shutdown" and error is None and arguments[1] in (1, 2)) or name == "close":
            self._finish(flow, end)
            if name == "close":
                record.flow = None

    def pair(self, one: Any, two: Any) -> None:
        """The two ends of a socketpair are one connection."""
        if one is not None and two is not None and one.family == self._names.AF_UNIX:
            with self._lock:
                one.flow = (self._unnamed("UNIX socketpair"), 0)
                two.flow = (one.flow[0], 1)

    def _unnamed(self, comment: str) -> Flow:
        # Made-up addresses of TEST-NET-1 (RFC 5737): UNIX sockets have none that a packet could hold.
        self._unix += 1
        port = self._unix % 60000 + 1024
        return Flow(((b"\xc0\0\2\1", port), (b"\xc0\0\2\2", port)), comment)

    def _flow(self, record: Any) -> tuple[Flow | None, int]:
        """The flow of a stream socket, and which of its ends the socket is."""
        if record.flow is None:
            if not record.peer or record.local is None:
                return None, 0
            if record.family == self._names.AF_UNIX:
                text = f"UNIX {self._names.address(record.local)} -> {self._names.address(record.peer)}"
                record.flow = (self._unnamed(text), 0)
            else:
                here, there = self._names.ip(record.local), self._names.ip(record.peer)
                if here is None or there is None or not here[1]:
                    return None, 0
                mine, other = here[:2], there[:2]
                key = (mine, other) if mine <= other else (other, mine)
                found = self._flows.get(key)
                if found is None or (found.closed[0] and found.closed[1]):
                    if len(self._flows) > 4096:
                        self._flows = {k: f for k, f in self._flows.items() if not (f.closed[0] and f.closed[1])}
                    found = self._flows[key] = Flow(key, "")
                record.flow = (found, 0 if key[0] == mine else 1)
        return record.flow  # type: ignore[no-any-return]

    def _handshake(self, flow: Flow, end: int) -> None:
        if flow.open or flow.closed[0] or flow.closed[1]:
            return
        flow.open = True
        self._packet(flow, end, _SYN, b"", flow.comment)
        self._packet(flow, 1 - end, _SYN | _ACK, b"")
        self._packet(flow, end, _ACK, b"")

    def _data(self, flow: Flow, sender: int, side: str, data: Any) -> None:
        # Sender and receiver may both be in this process. Whoever comes first with a byte writes it.
        start = flow.moved[side, sender]
        flow.moved[side, sender] = end = start + len(data)
        new = flow.written[sender]
        if end <= new:
            return
        rest = data[new - start :] if new > start else data
        for offset in range(0, len(rest), _SEGMENT):
            self._packet(flow, sender, _PSH | _ACK, bytes(rest[offset : offset + _SEGMENT]))

    def _finish(self, flow: Flow, sender: int) -> None:
        if flow.open and not flow.closed[sender]:
            self._packet(flow, sender, _FIN | _ACK, b"")
            flow.closed[sender] = True
            if flow.closed[1 - sender]:
                self._packet(flow, 1 - sender, _ACK, b"")

    def _refused(self, address: bytes, record: Any, layer: Any, sock: Any) -> None:
        there = self._names.ip(address)
        if there is None:
            return
        try:
            here = self._names.ip(layer.below.getsockname(sock))
        except OSError:
            here = None
        mine = here[:2] if here is not None else (bytes(len(there[0])), 0)
        flow = Flow((mine, there[:2]), "")
        self._packet(flow, 0, _SYN, b"")
        self._packet(flow, 1, _RST | _ACK, b"")

    # -- packets -------------------------------------------------------------------------------------------------

    def _packet(self, flow: Flow, sender: int, flags: int, data: bytes, comment: str = "") -> None:
        (source, sport), (target, dport) = flow.ends[sender], flow.ends[1 - sender]
        opened = 0 if flags & _SYN else 1
        sequence = (1000 + opened + flow.written[sender] + flow.closed[sender]) & 0xFFFFFFFF
        acknowledged = 0
        if flags & _ACK:
            acknowledged = (1001 + flow.written[1 - sender] + flow.closed[1 - sender]) & 0xFFFFFFFF
        head = pack("!HHIIBBHHH", sport, dport, sequence, acknowledged, 5 << 4, flags, 65535, 0, 0)
        check = checksum(self._pseudo(source, target, _TCP, 20 + len(data)), head, data)
        head = head[:16] + pack("!H", check) + head[18:]
        flow.written[sender] += len(data)
        self._ip(source, target, _TCP, head + data, comment)

    def _datagram(self, name: str, record: Any, pieces: list[tuple[Any, bytes]]) -> None:
        if not pieces or record.local is None:
            return
        here = self._names.ip(record.local)
        if here is None:
            return
        outward = name.startswith("send")
        for data, address in pieces:
            there = self._names.ip(address or record.peer or b"")
            if there is None:
                continue
            mine, other = here[:2], there[:2]
            if not any(mine[0]):
                mine = ((b"\x7f\0\0\1" if len(other[0]) == 4 else bytes(15) + b"\1"), mine[1])
            if outward:
                self._datagrams.add(mine)
                if len(self._datagrams) > 10000:
                    self._datagrams.clear()
            elif other in self._datagrams:
                continue  # its sender has told it
            sender, receiver = (mine, other) if outward else (other, mine)
            size = 8 + len(data)
            if size > 65535 - 20:
                continue
            head = pack("!HHHH", sender[1], receiver[1], size, 0)
            body = bytes(data)
            check = checksum(self._pseudo(sender[0], receiver[0], _UDP, size), head, body) or 65535
            self._ip(sender[0], receiver[0], _UDP, head[:6] + pack("!H", check) + body)

    def _pseudo(self, source: bytes, target: bytes, protocol: int, size: int) -> bytes:
        if len(source) == 4:
            return source + target + pack("!HH", protocol, size)
        return source + target + pack("!II", size, protocol)

    def _ip(self, source: bytes, target: bytes, protocol: int, body: bytes, comment: str = "") -> None:
        if len(source) == 4:
            head = pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0, source, target)
            head = head[:10] + pack("!H", checksum(head)) + head[12:]
        else:
            head = pack("!IHBB16s16s", 6 << 28, len(body), protocol, 64, source, target)
        data = head + body
        now = time_ns()
        packet = pack("=IIIII", 0, now >> 32, now & 0xFFFFFFFF, len(data), len(data)) + data + bytes(-len(data) % 4)
        if comment:
            packet += _option(1, comment.encode("utf-8", "backslashreplace")) + _option(0, b"")
        self._put(_block(6, packet))
