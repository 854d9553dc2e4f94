"""Connections of ``sim``: how sockets get names, listen, accept and connect, and what ends a connection."""

from __future__ import annotations

import errno
import os
import random
import struct
from time import monotonic_ns, sleep

from ._base import discard
from ._relay import Relay
from ._sim_base import Base
from ._sim_names import (
    LOOPBACK4,
    LOOPBACK6,
    Bound,
    Endpoint,
    error,
    is_any,
    is_broadcast,
    is_loopback,
    is_multicast,
    is_v4,
    refused,
    shown,
)
from ._sim_network import EPHEMERAL
from ._sim_state import State
from ._sockets import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: A backlog below this is kept: such a program may want to see a full one. From here on so many connections wait, for
#: one that finds no room costs a relay, where TCP tries again after a second.
SHORT_BACKLOG, BACKLOG = 16, 4096
#: How long a connect that finds no room waits before it tries again, in seconds.
PAUSE = 0.002
#: SO_SNDTIMEO of a connect that may wait: some milliseconds, whatever the kernel counts in.
_SHORTLY = struct.pack("ll", 0, 1000)
#: How long a connect tries to reach a host behind a cut link: tcp_syn_retries of 6, in nanoseconds.
SYN_PATIENCE = 127 * 10**9
#: What the kernel calls a socket whose connect has failed while nobody waited for it, before and after a shutdown.
CONNECTING, DISCONNECTING = "connecting", "disconnecting"


class Connections(Base):
    """Binds, listens, accepts, connects and shuts."""

    # -- names and binding -------------------------------------------------------------------------------------------

    def getsockname(self, sock: Any) -> bytes:
        state = self._states.of(sock)
        if state is None:
            return self.below.getsockname(sock)
        ends = self.ends(sock, state)
        bound = self.bound(sock, state)
        if ends is not None:
            local = ends[0]
        elif bound is not None:
            local = bound.local
        else:
            local = state.left or Endpoint(self.any(state), 0)
        return self.network.codec.sockaddr(state.family, local)

    def getpeername(self, sock: Any) -> bytes:
        state = self._states.of(sock)
        if state is None:
            return self.below.getpeername(sock)
        if state.type == self.names.SOCK_STREAM:
            self.below.getpeername(sock)
        ends = self.ends(sock, state)
        if ends is None or (state.type == self.names.SOCK_STREAM and self._is_reset(sock, state)):
            raise error(errno.ENOTCONN)
        return self.network.codec.sockaddr(state.family, ends[1])

    def bind(self, sock: Any, address: bytes) -> None:
        state = self._states.of(sock)
        if state is None:
            return self.below.bind(sock, address)
        to = self.checked(state, address)
        if self.bound(sock, state) is not None:
            raise error(errno.EINVAL)
        wide = is_any(to.address)
        if not wide and not self.has(state.host, to.address):
            datagram = state.type == self.names.SOCK_DGRAM
            if not (datagram and (is_multicast(to.address) or is_broadcast(to.address))):
                note = f"the host of the layer sim has {', '.join(map(shown, self.network.hosts[state.host]))}"
                raise error(errno.EADDRNOTAVAIL, note)
        self.bind_to(sock, state, to)
        return None

    def bind_to(self, sock: Any, state: State, to: Endpoint) -> Bound:
        accepts = self._states.accepts(state)
        reuse = "a" if self.below.getsockopt_int(sock, self.known.socket, self.names.constants["SO_REUSEADDR"]) else ""
        reuse += "p" if self.known.number_of("SO_REUSEPORT", state.options) else ""
        kind = "t" if state.type == self.names.SOCK_STREAM else "u"

        def bind(path: bytes) -> None:
            self.below.bind(sock, self.network.codec.unix(path))

        state.bound = bound = self.network.bind(kind, state.host, to, accepts, reuse, bind)
        if state.family == self.names.AF_INET6 and not is_any(to.address) and not is_v4(to.address):
            # As the kernel has it: the address alone keeps IPv4 out.
            state.options[self.known.number["IPV6_V6ONLY"]] = 1
        if state.type == self.names.SOCK_DGRAM:
            if state.groups:
                self._datagrams.write_groups(sock, state)
            self._datagrams.measure(sock, state)
        return bound

    # -- listening ---------------------------------------------------------------------------------------------------

    def listen(self, sock: Any, backlog: int) -> None:
        state = self._states.of(sock)
        if state is None:
            return self.below.listen(sock, backlog)
        if state.type != self.names.SOCK_STREAM:
            raise error(errno.EOPNOTSUPP)
        bound = self.bound(sock, state)
        if state.failed:
            raise error(errno.EINVAL)
        if bound is None:
            self.bind_to(sock, state, Endpoint(self.any(state), 0))
        elif bound.remote is None:
            with self.network.locked():
                other = self.network.conflict(
                    "t", state.host, bound.local, bound.accepts, bound.reuse, bound.name, listening=True
                )
            if other is not None:
                raise error(errno.EADDRINUSE)
        if bound is not None and self.ends(sock, state) is not None:
            raise error(errno.EINVAL)
        self.below.listen(sock, backlog if 0 <= backlog < SHORT_BACKLOG else max(backlog, BACKLOG))
        state.early = 0
        return None

    def accept(self, sock: Any, timeout: int) -> tuple[int, bytes]:
        fd, raw = self.below.accept(sock, timeout)
        try:
            listener = self._states.of(sock)
            if listener is None:
                return fd, raw
            state = self._states.made(fd, listener.family, listener.type, listener.proto, listener.host)
            self._inherit(fd, state, listener)
            peer = self.network.codec.parse(raw)
            if peer is not None:
                ends = (peer.local, peer.remote) if peer.remote is not None else self.network.beside(peer)
                state.ends = None if ends is None or ends[1] is None else (ends[1], ends[0])
                if peer.host != state.host:
                    state.other, self._crossing = peer.host, True
            remote = Endpoint(self.any(state), 0) if state.ends is None else state.ends[1]
            return fd, self.network.codec.sockaddr(state.family, remote)
        except BaseException:
            discard(self.below, fd)
            raise

    def _inherit(self, fd: int, state: State, listener: State) -> None:
        """Gives a connection the options of its listener, as TCP does."""
        for key, value in listener.options.items():
            state.options[key] = value
            if key[0] == self.known.socket and not self.known.has(*key, state.family, state.proto):
                self.below.setsockopt(self.borrow(fd), *key, value)

    def accept_many(self, sock: Any, count: int, timeout: int, found: list[tuple[int, bytes]]) -> None:
        super().accept_many(sock, count, timeout, found)

    # -- connecting --------------------------------------------------------------------------------------------------

    def connect(self, sock: Any, address: bytes, timeout: int) -> int:
        try:
            state = self._states.of(sock)
            if state is None:
                return self.below.connect(sock, address, timeout)
            if state.type == self.names.SOCK_DGRAM:
                self._datagrams.connect(sock, state, address)
                return 0
            if self.names.sockaddr_family(address) == 0:
                return self._abort(sock, state)
            return self._connect_stream(sock, state, self.checked(state, address), timeout)
        except OSError as failure:
            if failure.errno is None:
                raise
            notes = getattr(failure, "__notes__", [])
            return refused(failure.errno, notes[0]) if notes else failure.errno

    def _connect_stream(self, sock: Any, state: State, to: Endpoint, timeout: int) -> int:
        if state.waiting is not None:
            return errno.EALREADY
        if state.failed == DISCONNECTING:
            raise error(errno.EINVAL)
        if state.pending is not None:
            status, state.pending = state.pending, None
            self._disconnected(state)
            return status
        if state.failed:
            self._disconnected(state)
            return errno.ECONNABORTED
        if self.ends(sock, state) is not None or self._listens(sock):
            return errno.EISCONN
        status = self._reach(sock, state, to, timeout)
        if not status and state.early:
            # What was shut before there was a connection is shut now.
            state.shut = state.early > 1
            self.below.shutdown(sock, state.early - 1)
        if timeout < 0:
            self._disconnected(state)
            return status
        # With a timeout a connect does not wait in the kernel, which goes on with it until it is asked how it ended.
        if status == errno.ECONNREFUSED:
            state.failed = CONNECTING
        if status not in (0, errno.ECONNREFUSED):
            return status
        if not timeout:
            state.pending = status
            return errno.EINPROGRESS
        if not status:
            state.pending = 0
        return status

    def _disconnected(self, state: State) -> None:
        """After the program was told how a connect has ended."""
        state.failed, state.early = "", 0
        if state.left is not None:
            state.left = Endpoint(self.any(state), state.left.port)

    def _listens(self, sock: Any) -> bool:
        return bool(self.below.getsockopt_int(sock, self.known.socket, self.names.constants["SO_ACCEPTCONN"]))

    def _abort(self, sock: Any, state: State) -> int:
        """connect to AF_UNSPEC: the connection is reset."""
        if self.ends(sock, state) is not None:
            self._reset(sock, state)
            self.below.shutdown(sock, 2)
        return 0

    def target(self, state: State, to: Endpoint) -> tuple[Endpoint, int, bytes]:
        """Where what is sent to an address goes: that address, its host, and the one that it comes from."""
        address = to.address
        if is_any(address):
            # To nowhere is to itself.
            address = LOOPBACK4 if is_v4(address) else LOOPBACK6
            if not is_v4(address) and state.family == self.names.AF_INET:
                address = LOOPBACK4
        if state.family == self.names.AF_INET6 and is_v4(address) and self._states.accepts(state) == "o":
            raise error(errno.ENETUNREACH)
        if is_loopback(address):
            return Endpoint(address, to.port), state.host, LOOPBACK4 if is_v4(address) else LOOPBACK6
        host = self.network.owner(address)
        source = self.network.source(state.host, address)
        if host is None or source is None:
            note = f"no host of the network of the layer sim has the address {shown(address)}"
            raise error(errno.ENETUNREACH, note)
        return Endpoint(address, to.port), host, source

    def _reach(self, sock: Any, state: State, to: Endpoint, timeout: int) -> int:
        if not is_v4(to.address) and is_multicast(to.address):
            raise error(errno.ENETUNREACH)
        to, host, source = self.target(state, to)
        bound = self.bound(sock, state)
        if bound is not None and not is_any(bound.local.address):
            source = bound.local.address
        elif bound is not None and is_v4(to.address) != is_v4(source):
            raise error(errno.ENETUNREACH)
        cut = self.network.link(state.host, host).cut
        if cut and timeout:
            left = self._wait_for_link(state, host, timeout)
            if left is None:
                return errno.ETIMEDOUT if timeout < 0 else -1
            timeout = left
        candidates = self.network.reachable("t", host, to)
        nobody = refused(
            errno.ECONNREFUSED,
            f"nobody listens at {to} in the network of the layer sim; programs that do not use socketpkg (such as a"
            " server written in C) are not in it",
        )
        if bound is None:
            # The kernel chooses a port before it hears that nobody is there.
            state.left = Endpoint(source, self.network.free_port("t"))
        if not candidates:
            return nobody
        if bound is None:
            self._name_client(sock, state, source, to)
        elif bound.remote is None:
            self.network.write_beside(bound, (Endpoint(source, bound.local.port), to))
        status = errno.EAGAIN if cut and not timeout else -1
        try:
            if status != errno.EAGAIN:
                status = self._connect_to(sock, candidates, timeout)
        finally:
            # Its UNIX socket has the name of a connection that there is not.
            if status not in (0, errno.EAGAIN) and bound is None and sock._sp_fd >= 0:
                self._renew(sock, state)
        if status == errno.EAGAIN:
            self._connect_later(sock, state, host, candidates)
            return errno.EINPROGRESS
        if not status and host != state.host:
            self._crosses(sock, state, host, timeout)
        return nobody if status in (errno.ECONNREFUSED, errno.ENOENT) else status

    def _connect_to(self, sock: Any, candidates: list[Bound], timeout: int) -> int:
        """connect(2) to the first of those that takes it. It waits for room among those that are to be accepted; with a
        timeout of 0 it returns EAGAIN when there is none, and -1 when the timeout is over."""
        until = -1 if timeout < 0 else monotonic_ns() + timeout
        # An interrupted connect of a UNIX socket has not begun, where that of TCP goes on: so it never waits for long
        # in the kernel.
        limit = (self.known.socket, self.names.constants["SO_SNDTIMEO"]) if timeout < 0 else None
        before = b"" if limit is None else self.below.getsockopt(sock, *limit, len(_SHORTLY))
        if limit is not None:
            self.below.setsockopt(sock, *limit, _SHORTLY)
        try:
            while True:
                status = errno.ECONNREFUSED
                for candidate in candidates:
                    status = self.below.connect(sock, self.network.codec.unix(candidate.name), 0)
                    if status not in (errno.ECONNREFUSED, errno.ENOENT):
                        break
                if status not in (errno.EAGAIN, errno.EINTR) or not timeout:
                    return status
                if 0 <= until <= monotonic_ns():
                    return -1
                sleep(PAUSE)
        finally:
            if limit is not None and sock._sp_fd >= 0:
                self.below.setsockopt(sock, *limit, before)

    def _connect_later(self, sock: Any, state: State, host: int, candidates: list[Bound]) -> None:
        """Lets the relay connect as soon as there is room and the link is whole. Until then nothing can be written."""
        waiting = object()
        until = monotonic_ns() + SYN_PATIENCE
        link = self.network.link(state.host, host)

        def attempt(fd: int, far: int) -> bool | None:
            status = errno.EAGAIN
            try:
                if not self.network.link(state.host, host).cut:
                    status = self._connect_to(self.borrow(fd), candidates, 0)
            except OSError as failure:
                status = failure.errno or errno.EIO
            if status in (errno.EAGAIN, errno.EINTR):
                if monotonic_ns() < until:
                    return None
                status = errno.ETIMEDOUT
            if not status:
                state.ends = self._find_ends(self.borrow(fd), state)
                self._relayed[far] = self._connection(state.host, state.ends) if state.ends is not None else ""
            elif status == errno.ENOENT:
                status = errno.ECONNREFUSED
            if state.waiting is waiting:
                state.waiting, state.pending = None, status
            return not status

        state.waiting = waiting
        if host != state.host:
            state.other, self._crossing = host, True
        latency = int(link.latency * 1e6)
        with Kept(self, sock) as fd:
            real, _ = self._relay_made().take(fd, latency, link.bandwidth, connecting=True, attempt=attempt)
            discard(self.below, real)
            self._states.renewed(self.borrow(fd), state)

    def _wait_for_link(self, state: State, host: int, timeout: int) -> int | None:
        """Waits until the link to a host is whole, no longer than *timeout*. Returns what is left of it, or None."""
        until = monotonic_ns() + (SYN_PATIENCE if timeout < 0 else timeout)
        while self.network.link(state.host, host).cut:
            if monotonic_ns() >= until:
                return None
            sleep(PAUSE)
        return timeout if timeout <= 0 else max(until - monotonic_ns(), 1)

    def _crosses(self, sock: Any, state: State, host: int, timeout: int) -> None:
        """After a connection to another host was made: it takes the time that the link takes."""
        state.other = host
        self._crossing = True
        link = self.network.link(state.host, host)
        latency, rate = int(link.latency * 1e6), link.bandwidth
        if not latency and not rate:
            return
        with Kept(self, sock) as fd:
            ends = self.ends(self.borrow(fd), state)
            assert ends is not None
            real, far = self._relay_made().take(fd, latency, rate, not timeout)
            discard(self.below, real)
            self._relayed[far] = self._connection(state.host, ends)
            self._states.renewed(self.borrow(fd), state)
        if timeout:
            sleep(2 * latency / 1e9 if timeout < 0 else min(2 * latency, timeout) / 1e9)

    def _relay_made(self) -> Relay:
        if self._relay is None:
            self._relay = Relay(self.below, self.borrow, self.names.constants, self._relay_was_reset)
        return self._relay

    def _relay_was_reset(self, far: int) -> None:
        connection = self._relayed.pop(far, None)
        if connection is not None:
            self.network.mark_reset(connection)

    def _name_client(self, sock: Any, state: State, source: bytes, to: Endpoint) -> None:
        """Gives a client a port, and its UNIX socket the name that has both addresses."""
        codec = self.network.codec
        for _ in range(4 * len(EPHEMERAL)):
            port = random.choice(EPHEMERAL)
            if os.path.lexists(f"{self.network.folder}/t/{port}"):
                continue
            name = codec.client_name(state.host, Endpoint(source, port), to)
            try:
                self.below.bind(sock, codec.unix(name))
            except OSError as failure:
                if failure.errno != errno.EADDRINUSE:
                    raise
                continue
            self.network.clear_reset(self._connection(state.host, (Endpoint(source, port), to)))
            return
        raise error(errno.EADDRNOTAVAIL)

    def _renew(self, sock: Any, state: State) -> None:
        """Puts another UNIX socket in place of one whose name says that it is connected, and is not."""
        with Kept(self, sock) as fd:
            new = self.below.socket(self.names.AF_UNIX, self.names.SOCK_STREAM, 0)
            try:
                self._states.widen(self.borrow(new))
                for key, value in state.options.items():
                    if key[0] == self.known.socket and not self.known.has(*key, state.family, state.proto):
                        self.below.setsockopt(self.borrow(new), *key, value)
                os.set_blocking(new, os.get_blocking(fd))
                os.dup2(new, fd, os.get_inheritable(fd))
            finally:
                self.below.close(new)
            state.bound = state.ends = None
            self._states.renewed(self.borrow(fd), state)

    # -- what ends a connection --------------------------------------------------------------------------------------

    def _connection(self, host: int, ends: tuple[Endpoint, Endpoint]) -> str:
        """What a connection is known by at both of its ends: the addresses, the client's first."""
        return f"{host:08x}{self.network.codec.pair(*ends)}"

    def _connection_of(self, sock: Any, state: State) -> str | None:
        ends = self.ends(sock, state)
        if ends is None:
            return None
        bound = self.bound(sock, state)
        client = bound is not None and (bound.remote is not None or self.network.beside(bound) is not None)
        if client:
            return self._connection(state.host, ends)
        try:
            peer = self.network.codec.parse(self.below.getpeername(sock))
        except OSError:
            return None
        return None if peer is None else self._connection(peer.host, (ends[1], ends[0]))

    def _reset(self, sock: Any, state: State) -> None:
        connection = self._connection_of(sock, state)
        if connection is not None:
            self.network.mark_reset(connection)

    def _is_reset(self, sock: Any, state: State) -> bool:
        """Whether there is no connection any more."""
        connection = None if state.broken else self._connection_of(sock, state)
        return state.broken or (connection is not None and self.network.was_reset(connection))

    def _was_reset(self, sock: Any, state: State) -> bool:
        """Whether the peer has reset the connection; it is told once."""
        connection = self._connection_of(sock, state)
        if connection is None or not self.network.was_reset(connection):
            return False
        self.network.clear_reset(connection)
        state.broken = True
        return True

    def shutdown(self, sock: Any, how: int) -> None:
        state = self._states.of(sock)
        if state is not None and 0 <= how <= 2:
            state.shut = state.shut or how != 0
            if state.type == self.names.SOCK_DGRAM and self.ends(sock, state) is None:
                # It says so, and wakes who waits all the same.
                self.below.shutdown(sock, how)
                raise error(errno.ENOTCONN)
            if state.type == self.names.SOCK_STREAM and not self._listens(sock) and self.ends(sock, state) is None:
                state.shut = False
                state.early |= how + 1
                state.failed = state.failed and DISCONNECTING
                raise error(errno.ENOTCONN)
            # Whoever shuts a connection knows that there is one.
            state.pending = state.pending or None
        self.below.shutdown(sock, how)
