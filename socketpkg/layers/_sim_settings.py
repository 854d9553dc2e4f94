"""Options of the sockets of ``sim``: what is remembered of them, and what the kernel is told."""

from __future__ import annotations

import errno
import sys

from ._sim_names import error
from ._sim_options import CLOSE, ESTABLISHED, LISTEN, SYN_SENT
from ._sim_state import State
from ._sim_transfer import Transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Settings(Transfer):
    """Gets and sets options."""

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
        if state.pending:
            status, state.pending = state.pending, None
            return _int_bytes(status)
        return None

    def _tcp_state(self, sock: Any, state: State) -> int:
        if self._listens(sock):
            return LISTEN
        if state.waiting is not None:
            return SYN_SENT
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


def _int_bytes(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder, signed=True)
