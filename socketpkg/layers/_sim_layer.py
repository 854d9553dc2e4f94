"""The layer ``sim``: every socket of AF_INET and AF_INET6 is a UNIX socket with another address.

So readiness, buffers, waiting, threads, fork and several processes are the kernel's own work, and only addresses and
options are translated. What TCP and UDP do and UNIX sockets do not is done here and in the modules ``_sim_*``.
"""

from __future__ import annotations

import errno
import struct

from ._base import discard
from ._sim_datagrams import Datagrams
from ._sim_names import error
from ._sim_settings import Settings
from ._sockets import Closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..contract import Syscalls

#: struct linger: on, and of 0 seconds. A close is a reset then.
_RESETS = struct.pack("=ii", 1, 0)


class Layer(Settings):
    """Puts the sockets of a program into a network in memory."""

    def __init__(self, below: Syscalls) -> None:
        super().__init__(below)
        self._datagrams = Datagrams(self)

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
        try:
            state = self._states.known(fd)
        except BaseException:
            discard(self.below, new)
            raise
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
