"""What ``sim`` knows of each socket. It belongs to the socket, and not to the number of a descriptor.

Every socket of the kernel has a number of its own that is never given again (SO_COOKIE): by it a process finds what it
remembers. What another process, or a duplicate that came from somewhere else, has to know is with the socket itself: a
mark of 64 bits in SO_MAX_PACING_RATE, which means nothing to a UNIX socket, and the name that it is bound to.
"""

from __future__ import annotations

import os
import sys

from ._names import Names
from ._sim_names import BOTH, ONLY4, ONLY6, Bound, Endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..contract import Syscalls

#: The mark: these 16 bits, 16 of flags, and the number of the host.
_MAGIC = 0x5350
_SIX, _DATAGRAM, _LITE, _ONLY6 = 1, 2, 4, 8
#: What a stream may hold on its way, in bytes. TCP lets its buffers grow to some megabytes; of UNIX sockets the kernel
#: takes what net.core.wmem_max allows, which is twice the default at least.
_ROOM = 1 << 22
#: How many sockets are remembered before those are looked for that were closed behind our back.
_MANY = 4096


class State:
    """A simulated socket."""

    __slots__ = (
        "bound", "broken", "cookie", "early", "ends", "error", "failed", "family", "groups", "host", "left", "options",
        "other", "pending", "proto", "references", "shut", "type", "waiting",
    )  # fmt: skip

    def __init__(self, cookie: bytes, family: int, type: int, proto: int, host: int) -> None:
        self.cookie: bytes = cookie
        self.family: int = family
        #: SOCK_STREAM or SOCK_DGRAM.
        self.type: int = type
        self.proto: int = proto
        self.host: int = host
        #: The options that were set, by level and number.
        self.options: dict[tuple[int, int], Any] = {}
        #: What its UNIX socket is bound to; None when it is not, or was not asked.
        self.bound: Bound | None = None
        #: Its address and its peer's, when it is connected.
        self.ends: tuple[Endpoint, Endpoint] | None = None
        #: What a connect which was refused has left it as its address; None is nothing.
        self.left: Endpoint | None = None
        #: The halves that were shut before there was a connection: 1 is receiving, 2 is sending.
        self.early: int = 0
        #: Whether a connect that did not wait in the kernel was refused, and nothing has ended that yet: "connecting",
        #: or "disconnecting" after a shutdown, as the kernel calls it; empty for no.
        self.failed: str = ""
        #: How a connect that must not wait ended, until the program asks.
        self.pending: int | None = None
        #: Something while a connect that must not wait is to go on as soon as there is room: each such connect has its
        #: own.
        self.waiting: object = None
        #: Of a datagram socket: what the next call is told.
        self.error: int = 0
        #: The groups of multicast that it wants.
        self.groups: set[bytes] = set()
        #: Of a connection: the other host, when it is another.
        self.other: int | None = None
        #: Of a connection: its own sending half is shut; and the peer's answer to what it cannot take has come.
        self.shut: bool = False
        self.broken: bool = False
        #: How many descriptors of this process have it, as far as is known.
        self.references: int = 1


class States:
    """The sockets of the process by their numbers."""

    def __init__(self, below: Syscalls, names: Names, borrow: Callable[[int], Any]) -> None:
        self._below = below
        self._names = names
        self._borrow = borrow
        constants = names.constants
        self._socket = constants["SOL_SOCKET"]
        self._cookie = constants.get("SO_COOKIE", 57)
        self._mark = constants.get("SO_MAX_PACING_RATE", 47)
        self._v6only = constants["IPPROTO_IPV6"], constants["IPV6_V6ONLY"]
        self._known: dict[bytes, State] = {}
        self._limit = _MANY

    def made(self, fd: int, family: int, type: int, proto: int, host: int) -> State:
        """Marks a new UNIX socket as a simulated one."""
        sock = self._borrow(fd)
        state = State(self._below.getsockopt(sock, self._socket, self._cookie, 8), family, type, proto, host)
        self.mark(sock, state)
        if type == self._names.SOCK_STREAM:
            self.widen(sock)
        if len(self._known) >= self._limit:
            self._forget_closed()
        self._known[state.cookie] = state
        return state

    def widen(self, sock: Any) -> None:
        """Gives a new stream as much room as the kernel allows, until the program says how much it wants."""
        self._below.setsockopt_int(sock, self._socket, self._names.constants["SO_SNDBUF"], _ROOM)

    def mark(self, sock: Any, state: State) -> None:
        """Writes what other processes have to know to the socket itself."""
        flags = _SIX * (state.family == self._names.AF_INET6) | _DATAGRAM * (state.type == self._names.SOCK_DGRAM)
        flags |= _LITE * (state.proto == 136) | _ONLY6 * (self.accepts(state) == ONLY6)
        number = _MAGIC << 48 | flags << 32 | state.host
        self._below.setsockopt(sock, self._socket, self._mark, number.to_bytes(8, sys.byteorder))

    def accepts(self, state: State) -> str:
        """What comes to it when it is bound to all addresses."""
        if state.family == self._names.AF_INET:
            return ONLY4
        return ONLY6 if state.options.get(self._v6only) else BOTH

    def of(self, sock: Any) -> State | None:
        """What is known of a socket; None when it is not simulated. OSError for a descriptor that is closed or none of
        a socket."""
        if getattr(sock, "_sp_family", None) == self._names.AF_UNIX:
            return None
        cookie = self._below.getsockopt(sock, self._socket, self._cookie, 8)
        found = self._known.get(cookie)
        return self._read(sock, cookie) if found is None else found

    def _read(self, sock: Any, cookie: bytes) -> State | None:
        raw = self._below.getsockopt(sock, self._socket, self._mark, 8)
        number = int.from_bytes(raw, sys.byteorder)
        if len(raw) < 8 or number >> 48 != _MAGIC:
            return None
        flags = number >> 32
        names = self._names
        family = names.AF_INET6 if flags & _SIX else names.AF_INET
        stream = not flags & _DATAGRAM
        proto = 6 if stream else 136 if flags & _LITE else 17
        state = State(cookie, family, names.SOCK_STREAM if stream else names.SOCK_DGRAM, proto, number & 0xFFFFFFFF)
        if flags & _ONLY6:
            state.options[self._v6only] = 1
        return self._known.setdefault(cookie, state)

    def known(self, fd: int) -> State | None:
        """What is known of a descriptor, if anything is; it raises nothing."""
        try:
            return self._known.get(self._below.getsockopt(self._borrow(fd), self._socket, self._cookie, 8))
        except OSError:
            return None

    def forget(self, state: State) -> None:
        self._known.pop(state.cookie, None)

    def renewed(self, sock: Any, state: State) -> None:
        """After another UNIX socket was put in place of the one that a socket had."""
        self._known.pop(state.cookie, None)
        state.cookie = self._below.getsockopt(sock, self._socket, self._cookie, 8)
        self.mark(sock, state)
        self._known[state.cookie] = state

    def _forget_closed(self) -> None:
        """Forgets the sockets that no descriptor of the process has: they were closed by os.close or in C."""
        open_ones = set()
        for name in os.listdir("/proc/self/fd"):
            try:
                open_ones.add(self._below.getsockopt(self._borrow(int(name)), self._socket, self._cookie, 8))
            except OSError:
                pass
        for cookie in [cookie for cookie in list(self._known) if cookie not in open_ones]:
            self._known.pop(cookie, None)
        self._limit = max(_MANY, 2 * len(self._known))
