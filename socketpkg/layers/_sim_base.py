"""What the layer ``sim`` knows: its options, the hosts, the names, and the addresses of each socket."""

from __future__ import annotations

import errno
import os
import random
from contextvars import ContextVar

from . import _options
from ._base import LayerError
from ._names import Names
from ._options import Option
from ._relay import Relay
from ._sim_names import ANY4, ANY6, Bound, Endpoint, addresses, error, host_number, is_loopback, shown
from ._sim_network import Network, choose
from ._sim_options import Options
from ._sim_resolver import Resolver
from ._sim_state import State, States
from ._sim_view import View
from ._sockets import ClosingLayer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set
    from typing import Any, ClassVar

    from ..contract import Syscalls
    from ._sim_datagrams import Datagrams


#: The address of the host that a program is on, when nothing else is said.
DEFAULT_HOST = "10.0.0.1"

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


class Base(ClosingLayer):
    """Its options, its hosts, and what it knows of each socket."""

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

    #: What it does about UDP; set by the whole layer.
    _datagrams: Datagrams

    def __init__(self, below: Syscalls) -> None:
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
        #: Whether there was a connection to another host, whose link may be cut.
        self._crossing = False
        self._relay: Relay | None = None
        self._relayed: dict[int, str] = {}
        self._random = random.Random(0)
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        if self.network is not None:
            self.network.forked()
        self._datagrams.forked()

    # -- options -----------------------------------------------------------------------------------------------------

    @classmethod
    def read_options(cls, given: Iterable[tuple[str, Any]], where: str, typed: str = "") -> dict[str, Any]:
        """As of every layer, and ``db.test=10.0.0.5`` needs no key: what is no option is a name, when an address stands
        behind it."""
        pairs = []
        for key, value in given:
            if key.replace("-", "_") not in cls.OPTIONS and value is not None and _is_addresses(str(value)):
                key, value = "name", f"{key}={value}"
            pairs.append((key, value))
        return super().read_options(pairs, where, typed)

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

    # -- hosts -------------------------------------------------------------------------------------------------------

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

    def _is_alive(self, name: bytes) -> bool:
        """Whether a UNIX socket is bound to a path: to connect a datagram socket is refused in another way then."""
        fd = self.below.socket(self.names.AF_UNIX, self.names.SOCK_DGRAM, 0)
        try:
            status = self.below.connect(self.borrow(fd), self.network.codec.unix(name), 0)
        finally:
            self.below.close(fd)
        return status not in (errno.ECONNREFUSED, errno.ENOENT)

    # -- addresses ---------------------------------------------------------------------------------------------------

    def bound(self, sock: Any, state: State) -> Bound | None:
        """What the UNIX socket of a socket is bound to."""
        if state.bound is None:
            state.bound = self.network.codec.parse(self.below.getsockname(sock))
        return state.bound

    def ends(self, sock: Any, state: State) -> tuple[Endpoint, Endpoint] | None:
        """The address of a socket and that of its peer; None when it is not connected."""
        if state.ends is None and state.waiting is None:
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

    def any(self, state: State) -> bytes:
        return ANY4 if state.family == self.names.AF_INET else ANY6

    def checked(self, state: State, address: bytes) -> Endpoint:
        """The address that bind, sendto and connect are given. OSError when it is of another family."""
        to = self.network.codec.endpoint(address)
        family = self.names.sockaddr_family(address)
        if to is None or (family != state.family and state.family == self.names.AF_INET):
            raise error(errno.EAFNOSUPPORT)
        if family != state.family:
            raise error(errno.EINVAL)
        return to

    # -- names -------------------------------------------------------------------------------------------------------

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

    def interface_index(self, sock: Any, name: bytes) -> int:
        return self._resolver.if_nametoindex(name)

    def interface_name(self, sock: Any, index: int) -> bytes:
        return self._resolver.if_indextoname(index)

    def getifaddrs(self) -> list[tuple[bytes, int, bytes, bytes, bytes]]:
        return self._resolver.getifaddrs(self.own())


def _is_addresses(text: str) -> bool:
    try:
        addresses(text)
    except ValueError:
        return False
    return True
