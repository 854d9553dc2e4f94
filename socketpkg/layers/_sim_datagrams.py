"""Datagrams of ``sim``: UDP over UNIX datagram sockets.

Each datagram has a header of the layer before its data: both addresses, time to live, type of service, and when it was
sent. So a receiver learns what IP tells it, whoever has passed the datagram on. A UNIX socket holds but a few datagrams
(net.unix.max_dgram_qlen) and lets the sender wait for room. UDP never waits, and a receiver has a buffer of many. What
finds no room is therefore passed on by a thread, as far as it fits into that buffer, and is lost otherwise.
"""

from __future__ import annotations

import errno
import os
import struct
from time import monotonic_ns, time_ns

from ..contract import Syscalls as _Syscalls
from ._sim_groups import Groups, group_file
from ._sim_items import AncillaryItems
from ._sim_names import (
    ANY4,
    ANY6,
    LOOPBACK4,
    LOOPBACK6,
    Bound,
    Endpoint,
    error,
    is_any,
    is_broadcast,
    is_multicast,
    is_v4,
)
from ._sim_pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._sim_layer import Layer
    from ._sim_state import State

#: Mark, kind, time to live, type of service, the two ports, the two addresses, nanoseconds since 1970.
_HEADER = struct.Struct("=BBBBHH16s16sQ")
SIZE = _HEADER.size
_MARK = 0xD5
_DATA, _ERROR = 0, 1
#: The most that a datagram of IPv4 and of IPv6 holds.
_MOST4, _MOST6 = 65507, 65527
#: UDP_MAX_SEGMENTS of Linux.
_MOST_SEGMENTS = 64
#: IOV_MAX of Linux.
_MOST_BUFFERS = 1024
#: How much later a datagram comes that comes behind others, in seconds.
LATE = 0.02


class Header:
    """What stands before the data."""

    __slots__ = ("source", "time", "to", "tos", "ttl")

    def __init__(self, source: Endpoint, to: Endpoint, ttl: int, tos: int, time: int) -> None:
        self.source = source
        self.to = to
        self.ttl = ttl
        self.tos = tos
        self.time = time

    def packed(self) -> bytes:
        source, to = self.source, self.to
        return _HEADER.pack(
            _MARK, _DATA, self.ttl, self.tos, source.port, to.port, source.address, to.address, self.time
        )


class Datagrams(AncillaryItems, Groups):
    """What the layer does about sockets of UDP and UDPLITE."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._below = layer.below
        self._names = layer.names
        self._dontwait: int = layer.names.constants["MSG_DONTWAIT"]
        self._peek: int = layer.names.constants["MSG_PEEK"]
        self._truncated: int = layer.names.constants["MSG_TRUNC"]
        self._control_cut: int = layer.names.constants["MSG_CTRUNC"]
        self._error_queue: int = layer.names.constants.get("MSG_ERRQUEUE", 0)
        self._pump = Pump(layer.below, layer.borrow, layer.names, self._dontwait)

    def forked(self) -> None:
        self._pump.forked()

    # -- connecting ----------------------------------------------------------------------------------------------

    def connect(self, sock: Any, state: State, address: bytes) -> None:
        layer = self._layer
        bound = layer.bound(sock, state)
        if self._names.sockaddr_family(address) == 0:  # AF_UNSPEC
            state.ends = None
            if bound is not None:
                layer.network.write_beside(bound, None)
            return
        to, _, source = self._route(sock, state, layer.checked(state, address))
        if bound is None:
            bound = layer.bind_to(sock, state, Endpoint(layer.any(state), 0))
        local = Endpoint(source if is_any(bound.local.address) else bound.local.address, bound.local.port)
        state.ends = local, to
        layer.network.write_beside(bound, state.ends)

    def _route(self, sock: Any, state: State, to: Endpoint) -> tuple[Endpoint, int | None, bytes]:
        """Where a datagram goes: the address, its host (None for more than one), and where it comes from."""
        address = to.address
        if is_broadcast(address):
            option = self._layer.known.socket, self._names.constants["SO_BROADCAST"]
            if not self._below.getsockopt_int(sock, *option):
                raise error(errno.EACCES)
        elif not is_multicast(address):
            return self._layer.target(state, to)
        own = self._layer.network.source(state.host, address)
        return to, None, own or (LOOPBACK4 if is_v4(address) else LOOPBACK6)

    # -- sending -------------------------------------------------------------------------------------------------

    def send(
        self, sock: Any, state: State, buffers: tuple[Any, ...], ancillary: Any, flags: int, address: bytes
    ) -> int:
        layer = self._layer
        self._raise_error(state)
        if flags & layer.names.constants["MSG_OOB"]:
            raise error(errno.EOPNOTSUPP)
        if len(buffers) > _MOST_BUFFERS:
            raise error(errno.EMSGSIZE)
        views = [_view(buffer) for buffer in buffers]
        size = sum(view.nbytes for view in views)
        ends = layer.ends(sock, state)
        # It has a port from here on, whether the datagram goes anywhere or not.
        bound = layer.bound(sock, state) or layer.bind_to(sock, state, Endpoint(layer.any(state), 0))
        if address:
            to, host, source = self._route(sock, state, layer.checked(state, address))
        elif ends is not None:
            to, host, source = self._route(sock, state, ends[1])
        else:
            raise error(errno.EDESTADDRREQ)
        if state.shut:
            raise error(errno.EPIPE)
        if not to.port:
            raise error(errno.EINVAL)
        if ends is not None:
            source = ends[0].address
        elif not is_any(bound.local.address) and not is_multicast(bound.local.address):
            source = bound.local.address
        header = self._header(state, Endpoint(source, bound.local.port), to)
        segment = self._read_items(state, header, ancillary)
        most = _MOST4 if is_v4(to.address) else _MOST6
        if size > most or (segment and size > segment * _MOST_SEGMENTS):
            raise error(errno.EMSGSIZE)
        if segment and size > segment:
            whole = b"".join(view.cast("B") if view.c_contiguous else view.tobytes() for view in views)
            for start in range(0, size, segment):
                try:
                    self._deliver(sock, state, header, host, (whole[start : start + segment],))
                except OSError:
                    if not start:
                        raise
                    break  # the kernel sends all of them or none: the rest is lost on the way
        else:
            self._deliver(sock, state, header, host, buffers)
        return size

    def _header(self, state: State, source: Endpoint, to: Endpoint) -> Header:
        number = self._layer.known.number_of
        if state.family == self._names.AF_INET or is_v4(to.address):
            ttl = number("IP_MULTICAST_TTL" if is_multicast(to.address) else "IP_TTL", state.options)
            tos = number("IP_TOS", state.options)
        else:
            ttl = number("IPV6_MULTICAST_HOPS" if is_multicast(to.address) else "IPV6_UNICAST_HOPS", state.options)
            tos = number("IPV6_TCLASS", state.options)
        return Header(source, to, ttl, tos, time_ns())

    def _deliver(self, sock: Any, state: State, header: Header, host: int | None, buffers: tuple[Any, ...]) -> None:
        to = header.to
        # One more than the kernel takes at once would be refused (IOV_MAX).
        parts = (header.packed(), *(buffers if len(buffers) < _MOST_BUFFERS else (b"".join(buffers),)))
        if host is None:
            for bound in self._group(state, to):
                self._put(sock, state, bound, parts)
            return
        link = self._layer.network.link(state.host, host)
        if link.cut:
            return
        for bound in self._closest(host, header):
            if self._put(sock, state, bound, parts):
                return
        if state.ends is not None:
            # On a real network ICMP tells that nobody is there.
            self._tell_error(sock, state, errno.ECONNREFUSED)

    def _closest(self, host: int, header: Header) -> list[Bound]:
        """The sockets that get a datagram, the best before the others: one that is connected to its sender."""
        network = self._layer.network
        connected, others = [], []
        for bound in network.reachable("u", host, header.to):
            ends = network.beside(bound)
            if ends is None:
                others.append(bound)
            elif ends[1] == header.source and ends[0].address == header.to.address:
                connected.append(bound)
        return connected + others

    def _group(self, state: State, to: Endpoint) -> list[Bound]:
        """The sockets that a datagram to a group or to all comes to."""
        network, found = self._layer.network, []
        several = is_multicast(to.address)
        loop = self._layer.known.number_of(
            "IP_MULTICAST_LOOP" if is_v4(to.address) else "IPV6_MULTICAST_LOOP", state.options
        )
        for bound in network.at("u", to.port):
            if bound.local.address not in (to.address, ANY4, ANY6) or (is_v4(to.address) and bound.accepts == "o"):
                continue
            if network.link(state.host, bound.host).cut:
                continue
            if several:
                if not os.path.lexists(group_file(bound, to.address)) or (bound.host == state.host and not loop):
                    continue
            elif to.address[12:] != b"\xff\xff\xff\xff" and not any(
                address[:15] == to.address[:15] for address in network.hosts.get(bound.host, ())
            ):
                continue
            found.append(bound)
        return found

    def _put(self, sock: Any, state: State, bound: Bound, parts: tuple[Any, ...]) -> bool:
        """Passes a datagram on; False when nobody is there any more."""
        name = self._layer.network.codec.unix(bound.name)
        link = self._layer.network.link(state.host, bound.host)
        if link.loss and self._layer.chance() < link.loss:
            return True
        late = link.reorder and self._layer.chance() < link.reorder
        if link.latency or late:
            self._pump.add(name, b"".join(parts), link.latency / 1000 + (LATE if late else 0))
            return True
        if self._pump.holds(name):
            self._pump.add(name, b"".join(parts))
            return True
        try:
            self._below.sendmsg(sock, parts, (), self._dontwait, name, 0)
        except BlockingIOError:
            self._pump.add(name, b"".join(parts))
        except OSError as failure:
            if failure.errno in (errno.ECONNREFUSED, errno.ENOENT):
                self._layer.network.release(bound.name)
                return False
            if failure.errno in (errno.EMSGSIZE, errno.ENOBUFS):
                self._pump.add(name, b"".join(parts))
                return True
            raise
        return True

    # -- errors --------------------------------------------------------------------------------------------------

    def _tell_error(self, sock: Any, state: State, number: int) -> None:
        """Lets the next call of a socket fail. A datagram to itself makes it ready, and wakes who waits."""
        state.error = number
        bound = self._layer.bound(sock, state)
        if bound is not None:
            note = _HEADER.pack(_MARK, _ERROR, 0, 0, 0, 0, ANY6, ANY6, 0)
            try:
                self._below.sendmsg(sock, (note,), (), self._dontwait, self._layer.network.codec.unix(bound.name), 0)
            except OSError:
                pass  # its queue is full: it is ready already

    def _raise_error(self, state: State) -> None:
        number, state.error = state.error, 0
        if number:
            raise error(number)

    def measure(self, sock: Any, state: State) -> None:
        """Lets senders in this process know how large the buffer of a receiver is."""
        key = self._layer.known.socket, self._names.constants["SO_RCVBUF"]
        bound = self._layer.bound(sock, state)
        if bound is not None and key in state.options:
            self._pump.rooms[self._layer.network.codec.unix(bound.name)] = self._below.getsockopt_int(sock, *key)

    def closed(self, bound: Bound) -> None:
        """After a socket was closed."""
        self._pump.rooms.pop(self._layer.network.codec.unix(bound.name), None)

    # -- receiving -----------------------------------------------------------------------------------------------

    def recv(self, sock: Any, state: State, bufsize: int, flags: int, timeout: int) -> tuple[bytes, Header | None, int]:
        """Data, header and msg_flags of a datagram."""
        self._refuse(flags)
        until = monotonic_ns() + timeout
        while True:
            self._raise_error(state)
            passed = self._pump.passed
            try:
                data, _, marks, _ = self._below.recvmsg(sock, bufsize + SIZE, 0, flags, timeout)
            except BlockingIOError:
                if not self._flush(sock, state, passed):
                    raise
                continue
            header, kind = _unpack(data)
            if kind != _ERROR:
                return data if header is None else data[SIZE:], header, marks
            timeout = self._again(sock, flags, timeout, until)

    def recv_into(
        self, sock: Any, state: State, buffers: tuple[Any, ...], flags: int, timeout: int
    ) -> tuple[int, Header | None, int]:
        """As recv, with the count in place of the data."""
        self._refuse(flags)
        until = monotonic_ns() + timeout
        head = bytearray(SIZE)
        while True:
            self._raise_error(state)
            passed = self._pump.passed
            try:
                count, _, marks, _ = self._below.recvmsg_into(sock, (head, *buffers), 0, flags, timeout)
            except BlockingIOError:
                if not self._flush(sock, state, passed):
                    raise
                continue
            header, kind = _unpack(head if count >= SIZE else b"")
            if kind != _ERROR:
                return max(count - SIZE, 0), header, marks
            timeout = self._again(sock, flags, timeout, until)

    def _flush(self, sock: Any, state: State, passed: int) -> bool:
        """Lets come what waits for room in this very process. False when nothing has come since *passed* had."""
        bound = self._layer.bound(sock, state)
        if bound is not None:
            self._pump.flush(self._layer.network.codec.unix(bound.name))
        return self._pump.passed != passed

    def _refuse(self, flags: int) -> None:
        if flags & self._error_queue:
            raise error(errno.EAGAIN)
        if flags & self._names.constants["MSG_OOB"]:
            raise error(errno.EOPNOTSUPP)

    def _again(self, sock: Any, flags: int, timeout: int, until: int) -> int:
        """After the note of an error that was told already: how long is left."""
        if flags & self._peek:
            self._below.recv(sock, 1, self._dontwait, 0)
        return timeout if timeout <= 0 else max(until - monotonic_ns(), 1)

    def address(self, state: State, header: Header | None) -> bytes:
        """The sockaddr of the sender."""
        return b"" if header is None else self._layer.network.codec.sockaddr(state.family, header.source)

    # -- many at once --------------------------------------------------------------------------------------------

    def recvmmsg(self, *arguments: Any) -> Any:
        return _Syscalls.recvmmsg(self._layer, *arguments)

    def recvmmsg_into(self, sock: Any, buffers: tuple[Any, ...], *arguments: Any) -> Any:
        # All of them are looked at before anything is received.
        for buffer in buffers:
            try:
                with memoryview(buffer) as view:
                    wrong = view.readonly or not view.c_contiguous
            except TypeError:
                wrong = True
            if wrong:
                words = "recvmmsg_into() argument 1 must be an iterable of single-segment read-write buffers"
                raise TypeError(words)
        return _Syscalls.recvmmsg_into(self._layer, sock, buffers, *arguments)

    def sendmmsg(self, sock: Any, data: list[Any], *arguments: Any) -> int:
        # All of them are looked at before anything is sent.
        for source in data:
            for buffer in source if isinstance(source, tuple) else (source,):
                with _view(buffer) as view:
                    if not view.c_contiguous:
                        raise BufferError("memoryview: underlying buffer is not C-contiguous")
        return _Syscalls.sendmmsg(self._layer, sock, data, *arguments)

    def recv_segments(self, *arguments: Any) -> Any:
        return _Syscalls.recv_segments(self._layer, *arguments)


def _view(buffer: Any) -> memoryview:
    try:
        return memoryview(buffer)
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not '{type(buffer).__name__}'") from None


def _unpack(data: Any) -> tuple[Header | None, int]:
    """The header of a datagram, None when it has none, and its kind."""
    if len(data) < SIZE or data[0] != _MARK:
        return None, _DATA
    _, kind, ttl, tos, from_port, to_port, source, to, time = _HEADER.unpack_from(data)
    return Header(Endpoint(source, from_port), Endpoint(to, to_port), ttl, tos, time), kind
