"""Groups of multicast on ``sim``: which sockets have joined, and how senders know."""

from __future__ import annotations

import errno
import os
import sys

from ._sim_names import (
    ANY4,
    ANY6,
    MAPPED,
    Bound,
    error,
    is_any,
    is_multicast,
    short,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._names import Names
    from ._sim_layer import Layer
    from ._sim_state import State


class Groups:
    """The options of sockets that are about groups."""

    _layer: Layer
    _names: Names

    def joins(self, sock: Any, state: State, level: int, option: int, value: Any) -> bool:
        """setsockopt of an option about groups of multicast; False for another one."""
        found = self._request(state, level, option, b"" if isinstance(value, int) else bytes(value))
        if found is None:
            return False
        group, interface, index, add = found
        if not is_any(interface) and not self._layer.has(state.host, interface):
            raise error(errno.ENODEV)
        if not 0 <= index <= 2:
            raise error(errno.ENODEV)
        if not is_multicast(group):
            raise error(errno.EINVAL)
        if add and group in state.groups:
            raise error(errno.EADDRINUSE)
        if not add and group not in state.groups:
            raise error(errno.EADDRNOTAVAIL)
        (state.groups.add if add else state.groups.discard)(group)
        self.write_groups(sock, state)
        return True

    def _request(self, state: State, level: int, option: int, raw: bytes) -> tuple[bytes, bytes, int, bool] | None:
        """What a membership option asks for: the group, the address and the number of the interface (one of them is
        none), and whether to join. None for another option; OSError (EINVAL) for one that is too short."""
        constants, known = self._names.constants, self._layer.known
        if level == known.ip and option in (constants["IP_ADD_MEMBERSHIP"], constants["IP_DROP_MEMBERSHIP"]):
            if len(raw) < 8:
                raise error(errno.EINVAL)
            # struct ip_mreq, or ip_mreqn with a number behind it
            index = int.from_bytes(raw[8:12], sys.byteorder, signed=True)
            add = option == constants["IP_ADD_MEMBERSHIP"]
            return MAPPED + raw[:4], ANY4 if index else MAPPED + raw[4:8], index, add
        if level == known.ipv6 and option in (constants["IPV6_JOIN_GROUP"], constants["IPV6_LEAVE_GROUP"]):
            if len(raw) < 20 or state.family != self._names.AF_INET6:
                raise error(errno.EINVAL)
            index = int.from_bytes(raw[16:20], sys.byteorder)
            return raw[:16], ANY6, index, option == constants["IPV6_JOIN_GROUP"]
        join, leave = constants.get("MCAST_JOIN_GROUP", -1), constants.get("MCAST_LEAVE_GROUP", -1)
        if level in (known.ip, known.ipv6) and option in (join, leave):
            # struct group_req
            group = self._layer.network.codec.endpoint(raw[8:])
            if group is None:
                raise error(errno.EINVAL)
            return group.address, ANY6, int.from_bytes(raw[:4], sys.byteorder), option == join
        return None

    def write_groups(self, sock: Any, state: State) -> None:
        """Lets senders know which groups a socket has joined: a symbolic link for each stands beside its own file."""
        bound = self._layer.bound(sock, state)
        if bound is None:
            return
        folder, file = os.path.split(os.fsdecode(bound.name))
        there = {entry for entry in os.listdir(folder) if entry.startswith(f"{file}.g")}
        wanted = {f"{file}.g{short(group)}" for group in state.groups}
        for entry in wanted - there:
            os.symlink("g", f"{folder}/{entry}")
        for entry in there - wanted:
            os.unlink(f"{folder}/{entry}")


def group_file(bound: Bound, group: bytes) -> str:
    return f"{os.fsdecode(bound.name)}.g{short(group)}"
