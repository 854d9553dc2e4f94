"""The layer ``sim``: every socket of AF_INET and AF_INET6 is a UNIX socket with another address.

So readiness, buffers, waiting, threads, fork and several processes are the kernel's own work, and only addresses and
options are translated. What TCP and UDP do and UNIX sockets do not is done here and in the modules ``_sim_*``.
"""

from __future__ import annotations

import errno
import os
import random
import struct
import sys
from contextvars import ContextVar
from time import monotonic_ns, sleep

from . import _options
from ._base import Layer as _Layer
from ._base import LayerError, discard
from ._names import Names
from ._options import Option
from ._relay import Relay
from ._sim_datagrams import Datagrams
from ._sim_names import (
    ANY4,
    ANY6,
    LOOPBACK4,
    LOOPBACK6,
    Bound,
    Endpoint,
    addresses,
    error,
    host_number,
    is_any,
    is_broadcast,
    is_loopback,
    is_multicast,
    is_v4,
    refused,
    shown,
)
from ._sim_network import EPHEMERAL, Network, choose
from ._sim_options import CLOSE, ESTABLISHED, LISTEN, Options
from ._sim_resolver import Resolver
from ._sim_state import State, States
from ._sim_view import View
from ._sockets import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Set
    from typing import Any, ClassVar

    from ..contract import Syscalls

#: The address of the host that a program is on, when nothing else is said.
DEFAULT_HOST = "10.0.0.1"
#: How many connections wait to be accepted, whatever listen is told (the kernel's own limit is somaxconn).
BACKLOG = 4096
#: How long a connect that finds no room waits before it tries again, in seconds.
PAUSE = 0.002

#: How long a connect tries to reach a host behind a cut link: tcp_syn_retries of 6, in nanoseconds.
SYN_PATIENCE = 127 * 10**9
#: What the kernel calls a socket whose connect has failed while nobody waited for it, before and after a shutdown.
CONNECTING, DISCONNECTING = "connecting", "disconnecting"
#: struct linger: on, and of 0 seconds. A close is a reset then.
_RESETS = struct.pack("=ii", 1, 0)

#: Whose sockets are made: a host by its number, None for the one of the options.
current: ContextVar[int | None] = ContextVar("socketpkg_sim_host", default=None)


class _Wrong(ValueError):
    """A name or an address that cannot be read; the text says why."""

    explains = True


def _read_name(text: str) -> tuple[str, tuple[bytes, ...]]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise _Wrong("it is NAME=ADDRESS, or NAME=ADDRESS+ADDRESS")
    return name.rstrip(".").lower(), _read_addresses(value)


def _read_addresses(text: str) -> tuple[bytes, ...]:
    try:
        return addresses(text)
    except ValueError as failure:
        raise _Wrong(str(failure)) from None


def _read_network(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise _Wrong("it is made of letters, digits, - and _")
    return text


class Layer(_Layer):
    """Puts the sockets of a program into a network in memory."""

    NAME: ClassVar[str] = "sim"
    SUMMARY: ClassVar[str] = "a network in memory: nothing reaches the machine's"
    ALWAYS: ClassVar[Set[str]] = frozenset({"close", "dup"})
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "folder": _options.path("put the networks of this user there; it is short, and only the user can enter it"),
        "host": Option(_read_addresses, addresses(DEFAULT_HOST), "an address, or some joined by +", "be this host"),
        "name": Option(
            _read_name, [], "NAME=ADDRESS", "let a host name have an address, or some joined by +", many=True
        ),
        "seed": _options.integer(1, "decide by this which datagrams a link loses"),
        "network": Option(_read_network, "", "a word", "share the network of this name with other programs"),
    }

    def __init__(self, below: Syscalls) -> None:
        self._closing = type("Closing", (Closing,), {"layer": self})
        super().__init__(below)
        self.names: Names = Names(below)
        self._states = States(below, self.names, self.borrow)
        self.known: Options = Options(self.names)
        #: The network; None until the options are read.
        self.network: Network = None  # type: ignore[assignment]
        self._resolver: Resolver = None  # type: ignore[assignment]
        names = self.names
        self._families = (names.AF_INET, names.AF_INET6)
        constants = names.constants
        self._linger = constants["SOL_SOCKET"], constants["SO_LINGER"]
        self._passed = {names.AF_UNIX, constants.get("AF_ALG", -1)}
        self._datagrams = Datagrams(self)
        #: Whether there was a connection to another host, whose link may be cut.
        self._crossing = False
        self._relay: Relay | None = None
        self._relayed: dict[int, str] = {}
        self._random = random.Random(0)
        os.register_at_fork(after_in_child=self._forked)

    def _bind(self) -> None:
        super()._bind()
        vars(self)["close"] = self._closing

    def _forked(self) -> None:
        if self.network is not None:
            self.network.forked()
        self._datagrams.forked()

    # -- options -------------------------------------------------------------------------------------------------

    def _apply(self, given: list[tuple[str, Any]], where: str) -> None:
        # ``db.test=10.0.0.5`` needs no key: what is no option is a name, when an address stands behind it.
        pairs = []
        for key, value in given:
            if key.replace("-", "_") not in self.OPTIONS and value is not None and _is_addresses(str(value)):
                key, value = "name", f"{key}={value}"
            pairs.append((key, value))
        super()._apply(pairs, where)

    def configured(self) -> None:
        if self.network is None:
            name = self.options["network"]
            self.network = Network(self.names, choose(self.options["folder"], name), self._is_alive, name)
            self._resolver = Resolver(self.below, self.names, self.network.codec)
        elif self.options["network"] != self.network.name:
            raise LayerError("the layer 'sim': the network is chosen at the start, and stays the same")
        self._host = self.make_host(self.options["host"])
        for _, found in self.options["name"]:
            for address in found:
                if not is_loopback(address) and self.network.owner(address) is None:
                    self.make_host((address,))
        self._resolver.table = dict(self.options["name"])
        self._random.seed(self.options["seed"])

    def state(self) -> str:
        shown_names = [f"{name}={'+'.join(map(shown, found))}" for name, found in self.options["name"]]
        network = f"network={self.network.name}" if self.network is not None and self.network.name else ""
        return " ".join(filter(None, ["on" if self._enabled else "off", network, *shown_names]))

    # -- hosts ---------------------------------------------------------------------------------------------------

    def make_host(self, found: tuple[bytes, ...]) -> int:
        """The number of the host that has these addresses, which is made if there is none."""
        known = {self.network.owner(address) for address in found} - {None}
        host = known.pop() if len(known) == 1 else host_number(found)
        assert host is not None
        self.network.add_host(host, found)
        return host

    def chance(self) -> float:
        """The next number of the seed, from 0 to 1."""
        return self._random.random()

    def view(self) -> View:
        """The network from outside."""
        return View(self.network, self._resolver.table)

    def current(self) -> int:
        """The host whose sockets are made here."""
        chosen = current.get()
        return self._host if chosen is None else chosen

    def own(self) -> tuple[bytes, ...]:
        """The addresses of the current host, without the loopback's."""
        return self.network.hosts.get(self.current(), ())

    def has(self, host: int, address: bytes) -> bool:
        return is_loopback(address) or self.network.owner(address) == host

    # -- making and closing --------------------------------------------------------------------------------------

    def socket(self, family: int, type: int, proto: int) -> int:
        if family in self._passed:
            return self.below.socket(family, type, proto)
        if family not in self._families:
            raise error(errno.EAFNOSUPPORT, "the network of the layer sim has AF_INET and AF_INET6 only")
        proto = self._protocol(type & 15, proto)
        fd = self.below.socket(self.names.AF_UNIX, type, 0)
        try:
            self._states.made(fd, family, type & 15, proto, self.current())
        except BaseException:
            discard(self.below, fd)
            raise
        return fd

    def _protocol(self, kind: int, proto: int) -> int:
        constants = self.names.constants
        if kind == self.names.SOCK_STREAM and proto in (0, self.known.tcp, constants.get("IPPROTO_MPTCP", -1)):
            return proto or self.known.tcp
        if kind == self.names.SOCK_DGRAM and proto in (0, self.known.udp, self.known.udplite):
            return proto or self.known.udp
        if kind == constants["SOCK_RAW"]:
            raise error(errno.EPERM, "the network of the layer sim has no raw sockets")
        if kind not in (self.names.SOCK_STREAM, self.names.SOCK_DGRAM):
            raise error(errno.ESOCKTNOSUPPORT if 0 < kind < 11 else errno.EINVAL)
        raise error(errno.EPROTONOSUPPORT)

    def socketpair(self, family: int, type: int, proto: int) -> tuple[int, int]:
        if family in self._families:
            raise error(errno.EOPNOTSUPP)
        return self.below.socketpair(family, type, proto)

    def dup(self, fd: int) -> int:
        new = self.below.dup(fd)
        state = self._states.known(fd)
        if state is not None:
            state.references += 1
        return new

    def closes(self, closing: Closing) -> None:
        """What the layer does about a close."""
        state = self._states.known(int(closing))
        if state is None:
            return
        state.references -= 1
        if state.references:
            return
        sock = self.borrow(int(closing))
        self._states.forget(state)
        if state.type == self.names.SOCK_STREAM and bytes(state.options.get(self._linger, b"")[:8]) == _RESETS:
            self._reset(sock, state)
        bound = state.bound
        closing.finish()
        if bound is not None and bound.remote is None:
            self._datagrams.closed(bound)
            self.network.release(bound.name)

    def _is_alive(self, name: bytes) -> bool:
        """Whether a UNIX socket is bound to a path: to connect a datagram socket is refused in another way then."""
        fd = self.below.socket(self.names.AF_UNIX, self.names.SOCK_DGRAM, 0)
        try:
            status = self.below.connect(self.borrow(fd), self.network.codec.unix(name), 0)
        finally:
            self.below.close(fd)
        return status not in (errno.ECONNREFUSED, errno.ENOENT)

    # -- addresses -----------------------------------------------------------------------------------------------

    def bound(self, sock: Any, state: State) -> Bound | None:
        """What the UNIX socket of a socket is bound to."""
        if state.bound is None:
            state.bound = self.network.codec.parse(self.below.getsockname(sock))
        return state.bound

    def ends(self, sock: Any, state: State) -> tuple[Endpoint, Endpoint] | None:
        """The address of a socket and that of its peer; None when it is not connected."""
        if state.ends is None:
            state.ends = self._find_ends(sock, state)
        return state.ends

    def _find_ends(self, sock: Any, state: State) -> tuple[Endpoint, Endpoint] | None:
        bound = self.bound(sock, state)
        if bound is None or state.type == self.names.SOCK_DGRAM:
            return None if bound is None else self.network.beside(bound)
        try:
            peer = self.network.codec.parse(self.below.getpeername(sock))
        except OSError:
            return None
        if bound.remote is not None:
            return bound.local, bound.remote
        if peer is not None and peer.remote is not None:
            return peer.remote, peer.local
        # One of the two was bound before it connected, and has written whom to.
        own = self.network.beside(bound)
        if own is None and peer is not None:
            other = self.network.beside(peer)
            own = None if other is None else (other[1], other[0])
        return own

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

    def any(self, state: State) -> bytes:
        return ANY4 if state.family == self.names.AF_INET else ANY6

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

    def checked(self, state: State, address: bytes) -> Endpoint:
        """The address that bind, sendto and connect are given. OSError when it is of another family."""
        to = self.network.codec.endpoint(address)
        family = self.names.sockaddr_family(address)
        if to is None or (family != state.family and state.family == self.names.AF_INET):
            raise error(errno.EAFNOSUPPORT)
        if family != state.family:
            raise error(errno.EINVAL)
        return to

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

    # -- listening -----------------------------------------------------------------------------------------------

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
        self.below.listen(sock, max(backlog, BACKLOG))
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

    # -- connecting ----------------------------------------------------------------------------------------------

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
            return self._go_on(sock, state)
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
        if self.network.link(state.host, host).cut:
            if not timeout:
                state.waiting = to
                return errno.EINPROGRESS
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
        until = -1 if timeout < 0 else monotonic_ns() + timeout
        for candidate in candidates:
            status = self._connect_to(sock, candidate, timeout, until)
            if status == errno.EAGAIN:
                state.waiting = to
                return errno.EINPROGRESS
            if not status and host != state.host:
                self._crosses(sock, state, host, timeout)
            if status not in (errno.ECONNREFUSED, errno.ENOENT):
                return status
        if bound is None:
            self._renew(sock, state)
        return nobody

    def _connect_to(self, sock: Any, candidate: Bound, timeout: int, until: int) -> int:
        """connect(2), which waits for room among those that are to be accepted."""
        while True:
            status = self.below.connect(sock, self.network.codec.unix(candidate.name), timeout)
            if status != errno.EAGAIN or not timeout:
                return status
            if 0 <= until <= monotonic_ns():
                return -1
            sleep(PAUSE)

    def _go_on(self, sock: Any, state: State) -> int:
        """Tries again to connect where there was no room. Returns the errno; EINPROGRESS when there still is none."""
        to, state.waiting = state.waiting, None
        return 0 if to is None else self._reach(sock, state, to, 0)

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
        if self._relay is None:
            self._relay = Relay(self.below, self.borrow, self.names.constants, self._relay_was_reset)
        ends = self.ends(sock, state)
        assert ends is not None
        real, far = self._relay.take(sock._sp_fd, latency, rate, not timeout)
        discard(self.below, real)
        self._relayed[far] = self._connection(state.host, ends)
        self._states.renewed(sock, state)
        if timeout:
            sleep(2 * latency / 1e9 if timeout < 0 else min(2 * latency, timeout) / 1e9)

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
        fd = sock._sp_fd
        new = self.below.socket(self.names.AF_UNIX, self.names.SOCK_STREAM, 0)
        try:
            self._states.widen(self.borrow(new))
            for key, value in state.options.items():
                if key[0] == self.known.socket and not self.known.has(*key, state.family, state.proto):
                    self.below.setsockopt(self.borrow(new), *key, value)
            os.set_blocking(new, os.get_blocking(fd))
            os.dup2(new, fd, os.get_inheritable(fd))
        finally:
            discard(self.below, new)
        state.bound = state.ends = None
        self._states.renewed(sock, state)

    # -- what ends a connection ----------------------------------------------------------------------------------

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

    # -- transfer ------------------------------------------------------------------------------------------------

    def _datagram(self, sock: Any) -> State | None:
        """What is known of a datagram socket; None for every other socket."""
        if getattr(sock, "_sp_type", None) == self.names.SOCK_STREAM:
            return None
        state = self._states.of(sock)
        return state if state is not None and state.type == self.names.SOCK_DGRAM else None

    def recv(self, sock: Any, bufsize: int, flags: int, timeout: int) -> bytes:
        datagram = self._datagram(sock)
        if datagram is not None:
            return self._datagrams.recv(sock, datagram, bufsize, flags, timeout)[0]
        data: bytes = self._receive(b"", sock, self.below.recv, bufsize, flags, timeout)
        if not data:
            self._ended(sock)
        return data

    def recv_into(self, sock: Any, buffer: Any, nbytes: int, flags: int, timeout: int) -> int:
        datagram = self._datagram(sock)
        if datagram is not None:
            with memoryview(buffer) as view:
                # Without room for a byte there is no system call.
                return self.recvfrom_into(sock, view, nbytes, flags, timeout)[0] if view.nbytes or nbytes else 0
        count: int = self._receive(0, sock, self.below.recv_into, buffer, nbytes, flags, timeout)
        if not count:
            self._ended(sock)
        return count

    def recvfrom(self, sock: Any, bufsize: int, flags: int, timeout: int) -> tuple[bytes, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvfrom(sock, bufsize, flags, timeout)
        if state.type == self.names.SOCK_STREAM:
            return self.recv(sock, bufsize, flags, timeout), b""
        data, header, _ = self._datagrams.recv(sock, state, bufsize, flags, timeout)
        return data, self._datagrams.address(state, header)

    def recvfrom_into(self, sock: Any, buffer: Any, nbytes: int, flags: int, timeout: int) -> tuple[int, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvfrom_into(sock, buffer, nbytes, flags, timeout)
        if state.type == self.names.SOCK_STREAM:
            return self.recv_into(sock, buffer, nbytes, flags, timeout), b""
        with memoryview(buffer) as view, view.cast("B") as octets:
            if nbytes > len(octets):
                raise ValueError("buffer too small for requested bytes")
            with octets[: nbytes or len(octets)] as target:
                count, header, _ = self._datagrams.recv_into(sock, state, (target,), flags, timeout)
        return count, self._datagrams.address(state, header)

    def recvmsg(
        self, sock: Any, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvmsg(sock, bufsize, ancbufsize, flags, timeout)
        if state.type == self.names.SOCK_DGRAM:
            data, header, marks = self._datagrams.recv(sock, state, bufsize, flags, timeout)
            items, cut = self._datagrams.items(state, header, ancbufsize)
            return data, items, marks | cut, self._datagrams.address(state, header)
        data, items, marks, _ = self._receive(
            (b"", [], 0, b""), sock, self.below.recvmsg, bufsize, ancbufsize, flags, timeout
        )
        if not data and bufsize:
            self._ended(sock)
        return data, items, marks, b""

    def recvmsg_into(
        self, sock: Any, buffers: tuple[Any, ...], ancbufsize: int, flags: int, timeout: int
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvmsg_into(sock, buffers, ancbufsize, flags, timeout)
        if state.type == self.names.SOCK_DGRAM:
            count, header, marks = self._datagrams.recv_into(sock, state, buffers, flags, timeout)
            items, cut = self._datagrams.items(state, header, ancbufsize)
            return count, items, marks | cut, self._datagrams.address(state, header)
        count, items, marks, _ = self._receive(
            (0, [], 0, b""), sock, self.below.recvmsg_into, buffers, ancbufsize, flags, timeout
        )
        if not count and buffers:
            self._ended(sock)
        return count, items, marks, b""

    # What the contract makes of others is made of ours; sockets that are not simulated have their own.

    def _messages(self, sock: Any) -> Any:
        """Who takes a call of many messages."""
        return self.below if self._states.of(sock) is None else self._datagrams

    def recvmmsg(self, sock: Any, count: int, bufsize: int, ancbufsize: int, flags: int, timeout: int) -> Any:
        return self._messages(sock).recvmmsg(sock, count, bufsize, ancbufsize, flags, timeout)

    def recvmmsg_into(self, sock: Any, buffers: Any, ancbufsize: int, flags: int, timeout: int) -> Any:
        return self._messages(sock).recvmmsg_into(sock, buffers, ancbufsize, flags, timeout)

    def sendmmsg(self, sock: Any, data: Any, ancillary: Any, addresses: Any, flags: int, timeout: int) -> Any:
        return self._messages(sock).sendmmsg(sock, data, ancillary, addresses, flags, timeout)

    def recv_segments(self, sock: Any, bufsize: int, flags: int, timeout: int) -> Any:
        return self._messages(sock).recv_segments(sock, bufsize, flags, timeout)

    def _receive(self, end: Any, sock: Any, call: Callable[..., Any], *arguments: Any) -> Any:
        """A receive of the layer below on a stream, with TCP's errors; *end* is what it gives at the end."""
        try:
            return call(sock, *arguments)
        except OSError as failure:
            if self._receive_failed(sock, failure):
                return end
            raise
        finally:
            del arguments  # a buffer among them

    def _receive_failed(self, sock: Any, failure: OSError) -> bool:
        """Raises what TCP says where a UNIX socket has failed. True when TCP is at the end, False when the error
        stands."""
        # It does not raise *failure*: an error whose traceback leads to itself would keep the socket alive.
        if failure.errno == errno.ECONNRESET:
            state = self._states.of(sock)
            if state is not None:
                state.broken = True
        elif failure.errno == errno.EINVAL:
            state = self._states.of(sock)
            if state is not None:
                status, state.pending = state.pending, None
                if status or not (state.failed or state.early & 1):
                    raise error(status or errno.ENOTCONN) from None
                return True
        return False

    def _ended(self, sock: Any) -> None:
        """At the end of a stream: a reset connection ends with an error."""
        state = self._states.of(sock) if sock._sp_fd >= 0 else None
        if state is not None and self._was_reset(sock, state):
            raise error(errno.ECONNRESET)

    def send(self, sock: Any, data: Any, flags: int, timeout: int) -> int:
        datagram = self._datagram(sock)
        if datagram is not None:
            return self._datagrams.send(sock, datagram, (data,), (), flags, b"")
        if self._crossing:
            timeout = self._passable(sock, flags, timeout)
        try:
            return self.below.send(sock, data, flags, timeout)
        except OSError as failure:
            if not self._send_failed(sock, failure):
                raise
            return memoryview(data).nbytes

    def sendall(self, sock: Any, data: Any, flags: int, timeout: int) -> None:
        datagram = self._datagram(sock)
        if datagram is not None:
            if memoryview(data).nbytes:
                self._datagrams.send(sock, datagram, (data,), (), flags, b"")
            return
        if self._crossing:
            timeout = self._passable(sock, flags, timeout)
        try:
            self.below.sendall(sock, data, flags, timeout)
        except OSError as failure:
            if not self._send_failed(sock, failure):
                raise

    def sendto(self, sock: Any, data: Any, flags: int, address: bytes, timeout: int) -> int:
        state = self._states.of(sock)
        if state is None:
            return self.below.sendto(sock, data, flags, address, timeout)
        if state.type == self.names.SOCK_DGRAM:
            return self._datagrams.send(sock, state, (data,), (), flags, address)
        return self.send(sock, data, flags, timeout)

    def sendmsg(
        self, sock: Any, buffers: tuple[Any, ...], ancillary: Any, flags: int, address: bytes, timeout: int
    ) -> int:
        state = self._states.of(sock)
        if state is None:
            return self.below.sendmsg(sock, buffers, ancillary, flags, address, timeout)
        if state.type == self.names.SOCK_DGRAM:
            return self._datagrams.send(sock, state, buffers, ancillary, flags, address)
        if self._crossing:
            timeout = self._passable(sock, flags, timeout)
        try:
            return self.below.sendmsg(sock, buffers, (), flags, b"", timeout)
        except OSError as failure:
            if not self._send_failed(sock, failure):
                raise
            return sum(memoryview(buffer).nbytes for buffer in buffers)

    def _passable(self, sock: Any, flags: int, timeout: int) -> int:
        """Waits while the link of a connection is cut, as a sender does whose buffers are full. Returns what is left of
        the time. BlockingIOError and TimeoutError as of send."""
        state = self._states.of(sock)
        if state is None or state.other is None or not self.network.link(state.host, state.other).cut:
            return timeout
        if not timeout or flags & self.names.constants["MSG_DONTWAIT"]:
            raise error(errno.EAGAIN)
        while timeout:
            left = self._wait_for_link(state, state.other, timeout)
            if left is not None:
                return left
            if timeout > 0:
                break
        raise TimeoutError("timed out")

    def _send_failed(self, sock: Any, failure: OSError) -> bool:
        """Raises what TCP says where a UNIX socket has failed. False when the error stands, True when TCP would not
        know of it yet: the first thing that is sent to a peer which has closed is taken, and its answer is a reset."""
        state = self._states.of(sock) if failure.errno in (errno.ENOTCONN, errno.EPIPE) else None
        if state is None:
            return False
        if state.pending:
            status, state.pending = state.pending, None
            raise error(status) from None
        if failure.errno == errno.ENOTCONN or state.shut or state.broken:
            raise error(errno.EPIPE) from None
        state.broken = True
        number = self.below.getsockopt_int(sock, self.known.socket, self.names.constants["SO_ERROR"])
        if number or self._was_reset(sock, state):
            raise error(number or errno.ECONNRESET) from None
        return True

    # -- options of sockets --------------------------------------------------------------------------------------

    def getsockopt_int(self, sock: Any, level: int, option: int) -> int:
        state = self._states.of(sock)
        if state is None:
            return self.below.getsockopt_int(sock, level, option)
        found = self._option(sock, state, level, option)
        if found is None:
            return self.below.getsockopt_int(sock, level, option)
        return int.from_bytes(found[:4], sys.byteorder, signed=True)

    def getsockopt(self, sock: Any, level: int, option: int, buflen: int) -> bytes:
        state = self._states.of(sock)
        found = None if state is None else self._option(sock, state, level, option)
        return self.below.getsockopt(sock, level, option, buflen) if found is None else found[:buflen]

    def _option(self, sock: Any, state: State, level: int, option: int) -> bytes | None:
        """What getsockopt gives; None when the kernel knows."""
        if self.known.has(level, option, state.family, state.proto):
            return self.known.value(level, option, state.options)
        if (level, option) == self.known.info and state.proto == self.known.tcp:
            return self.known.tcp_info(self._tcp_state(sock, state), state.options)
        if level != self.known.socket:
            raise self._no_option(level, state, errno.EOPNOTSUPP)
        constants = self.names.constants
        if option == constants.get("SO_DOMAIN"):
            return _int_bytes(state.family)
        if option == constants.get("SO_PROTOCOL"):
            return _int_bytes(state.proto)
        if option == constants["SO_ERROR"]:
            return self._pending_error(sock, state)
        if option == constants.get("SO_PEERCRED"):
            return bytes(4) + b"\xff" * 8
        if option in (constants.get("SO_PASSCRED"), constants.get("SO_PASSSEC")):
            raise error(errno.EOPNOTSUPP)
        return None

    def _pending_error(self, sock: Any, state: State) -> bytes | None:
        if state.error:
            number, state.error = state.error, 0
            return _int_bytes(number)
        if state.waiting is not None:
            return _int_bytes(self._go_on(sock, state))
        if state.pending:
            status, state.pending = state.pending, None
            return _int_bytes(status)
        return None

    def _tcp_state(self, sock: Any, state: State) -> int:
        if self._listens(sock):
            return LISTEN
        return CLOSE if self.ends(sock, state) is None else ESTABLISHED

    def _no_option(self, level: int, state: State, of_others: int) -> OSError:
        """The error for an option that there is not; *of_others* is that for a level which the socket has not."""
        mine = {self.known.ip, state.proto} if state.family == self.names.AF_INET else {level}
        return error(errno.ENOPROTOOPT if level in mine else of_others)

    def setsockopt_int(self, sock: Any, level: int, option: int, value: int) -> None:
        state = self._states.of(sock)
        if state is None or not self._set(sock, state, level, option, value):
            self.below.setsockopt_int(sock, level, option, value)
            if state is not None:
                self._was_set(sock, state, (level, option), _int_bytes(value))

    def setsockopt(self, sock: Any, level: int, option: int, value: Any) -> None:
        state = self._states.of(sock)
        if state is None or not self._set(sock, state, level, option, value):
            self.below.setsockopt(sock, level, option, value)
            if state is not None:
                self._was_set(sock, state, (level, option), bytes(value))

    def _was_set(self, sock: Any, state: State, key: tuple[int, int], value: bytes) -> None:
        """After the kernel took an option: a connection inherits it, and a sender asks how much there is room for."""
        state.options[key] = value
        if state.type == self.names.SOCK_DGRAM:
            self._datagrams.measure(sock, state)

    def setsockopt_null(self, sock: Any, level: int, option: int, optlen: int) -> None:
        if self._states.of(sock) is not None and level != self.known.socket:
            raise error(errno.EFAULT if optlen else errno.EINVAL)
        self.below.setsockopt_null(sock, level, option, optlen)

    def _set(self, sock: Any, state: State, level: int, option: int, value: Any) -> bool:
        """Remembers an option; False when the kernel is to be told."""
        if self._datagrams.joins(sock, state, level, option, value):
            return True
        if self.known.has(level, option, state.family, state.proto):
            stream = state.type == self.names.SOCK_STREAM
            checked = self.known.checked(level, option, value, stream, state.options)
            if (level, option) == self.known.number["IP_TOS"]:
                priority = self.known.priority(int(checked))
                self.below.setsockopt_int(sock, self.known.socket, self.names.constants["SO_PRIORITY"], priority)
            if (level, option) == self.known.number["IPV6_V6ONLY"]:
                if self.bound(sock, state) is not None:
                    raise error(errno.EINVAL)
                state.options[level, option] = checked
                self._states.mark(sock, state)
            state.options[level, option] = checked
            return True
        if level != self.known.socket:
            raise self._no_option(level, state, errno.ENOPROTOOPT)
        constants = self.names.constants
        if option in (constants.get("SO_PASSCRED"), constants.get("SO_PASSSEC")):
            raise error(errno.EOPNOTSUPP)
        if option == constants.get("SO_BINDTODEVICE"):
            raise error(errno.ENOPROTOOPT, "the layer sim has no SO_BINDTODEVICE")
        return False

    # -- names ---------------------------------------------------------------------------------------------------

    def getaddrinfo(
        self, host: bytes | None, service: bytes | None, family: int, type: int, proto: int, flags: int
    ) -> list[tuple[int, int, int, bytes, bytes]]:
        return self._resolver.getaddrinfo(host, service, family, type, proto, flags, self.own())

    def getnameinfo(self, address: bytes, flags: int) -> tuple[bytes, bytes]:
        return self._resolver.getnameinfo(address, flags, self.own())

    def gethostbyname(self, name: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        return self._resolver.gethostbyname(name, family, self.own())

    def gethostbyaddr(self, packed: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        return self._resolver.gethostbyaddr(packed, family, self.own())

    def if_nameindex(self) -> list[tuple[int, bytes]]:
        return self._resolver.if_nameindex()

    def if_nametoindex(self, name: bytes) -> int:
        return self._resolver.if_nametoindex(name)

    def if_indextoname(self, index: int) -> bytes:
        return self._resolver.if_indextoname(index)

    def getifaddrs(self) -> list[tuple[bytes, int, bytes, bytes, bytes]]:
        return self._resolver.getifaddrs(self.own())


def _int_bytes(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder, signed=True)


def _is_addresses(text: str) -> bool:
    try:
        addresses(text)
    except ValueError:
        return False
    return True
