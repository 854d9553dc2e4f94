"""How layers show what passes through them: addresses, descriptors, flags, options and errors by their names."""

from __future__ import annotations

import _socket
import errno
import os
import sys
from _socket import inet_ntop, inet_pton

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..contract import Syscalls

_FLAGS = {"type": "SOCK_", "msg": "MSG_", "ai": "AI_", "ni": "NI_"}
#: Prefixes of the options of each level, and names among them that are no options.
_LEVELS = {
    "SOL_SOCKET": "SO_",
    "IPPROTO_IP": "IP_",
    "IPPROTO_TCP": "TCP_",
    "IPPROTO_IPV6": "IPV6_",
    "IPPROTO_UDP": "UDP_",
    "IPPROTO_UDPLITE": "UDPLITE_",
    "IPPROTO_SCTP": "SCTP_",
    "IPPROTO_ICMP": "ICMP_",
    "SOL_ALG": "ALG_SET_",
    "SOL_TIPC": "TIPC_",
    "SOL_RDS": "RDS_",
    "SOL_CAN_RAW": "CAN_RAW_",
    "SOL_NETLINK": "NETLINK_",
    "SOL_PACKET": "PACKET_",
    "SOL_VSOCK": "SO_VM_SOCKETS_",
}


class Names:
    """The names of numbers, from the constants of the backend."""

    def __init__(self, below: Syscalls) -> None:
        constants = below.constants()
        self.constants: Mapping[str, int] = constants
        self._sa_len = "sa-len" in below.features
        self.AF_UNIX: int = constants["AF_UNIX"]
        self.AF_INET: int = constants["AF_INET"]
        self.AF_INET6: int = constants["AF_INET6"]
        self.SOCK_STREAM: int = constants["SOCK_STREAM"]
        self.SOCK_DGRAM: int = constants["SOCK_DGRAM"]
        self.IPPROTO_UDP: int = constants["IPPROTO_UDP"]
        self._families = self._by_value("AF_")
        if constants.get("AF_NETLINK") == constants.get("AF_ROUTE"):
            self._families[constants.get("AF_NETLINK", -1)] = "AF_NETLINK"
        self._protocols = self._by_value("IPPROTO_")
        self._options: dict[int, dict[int, str]] = {}
        self._level_names: dict[int, str] = {}
        for level, prefix in _LEVELS.items():
            if level in constants:
                self._level_names.setdefault(constants[level], level)
                self._options.setdefault(constants[level], self._by_value(prefix))
        self._control = self._by_value("SCM_")
        self._sock_types = {v: n for n, v in constants.items() if n.startswith("SOCK_") and 0 < v < 16}
        self._bits = {
            kind: sorted((v, n) for n, v in constants.items() if n.startswith(prefix) and v > 0 and not v & (v - 1))
            for kind, prefix in _FLAGS.items()
        }
        self._gai = {v: n for n, v in constants.items() if n.startswith("EAI_")}

    def _by_value(self, prefix: str) -> dict[int, str]:
        """Of several names for a number the one that the standard library knows, else the shortest."""
        found: dict[int, str] = {}
        names = [name for name in self.constants if name.startswith(prefix)]
        for name in sorted(names, key=lambda name: (not hasattr(_socket, name), len(name))):
            found.setdefault(self.constants[name], name)
        return found

    # -- numbers -------------------------------------------------------------------------------------------------

    def family(self, number: int) -> str:
        return self._families.get(number, str(number))

    def type(self, number: int) -> str:
        """A type with its flags."""
        base = number & 15
        rest = number & ~15
        name = self._sock_types.get(base, str(base))
        return "|".join([name, *self._flags("type", rest)]) if rest else name

    def protocol(self, number: int) -> str:
        return self._protocols.get(number, str(number)) if number else "0"

    def flags(self, kind: str, number: int) -> str:
        return "|".join(self._flags(kind, number)) or "0"

    def _flags(self, kind: str, number: int) -> list[str]:
        found = []
        for value, name in self._bits[kind]:
            if number & value:
                found.append(name)
                number &= ~value
        if number:
            found.append(hex(number))
        return found

    def level(self, number: int) -> str:
        return self._level_names.get(number) or self.protocol(number)

    def option(self, level: int, number: int) -> str:
        return self._options.get(level, {}).get(number, str(number))

    def control(self, level: int, number: int) -> str:
        if level == self.constants["SOL_SOCKET"]:
            return self._control.get(number, str(number))
        return self.option(level, number)

    def shutdown(self, how: int) -> str:
        return ("SHUT_RD", "SHUT_WR", "SHUT_RDWR")[how] if 0 <= how <= 2 else str(how)

    def error(self, error: BaseException) -> str:
        """An exception as a system call's result."""
        number = getattr(error, "errno", None)
        if isinstance(number, int):
            if type(error).__name__ == "gaierror":
                return f"-1 {self._gai.get(number, number)} ({getattr(error, 'strerror', '')})"
            if type(error).__name__ != "herror":
                return f"-1 {errno.errorcode.get(number, number)} ({os.strerror(number)})"
        return f"? {type(error).__name__} ({error})"

    # -- addresses -----------------------------------------------------------------------------------------------

    def sockaddr_family(self, raw: bytes) -> int:
        if len(raw) < 2:
            return -1
        return raw[1] if self._sa_len else int.from_bytes(raw[:2], sys.byteorder)

    def ip(self, raw: bytes) -> tuple[bytes, int, int] | None:
        """The packed address, the port and the scope id of a sockaddr of AF_INET or AF_INET6."""
        family = self.sockaddr_family(raw)
        if family == self.AF_INET and len(raw) >= 8:
            return raw[4:8], int.from_bytes(raw[2:4], "big"), 0
        if family == self.AF_INET6 and len(raw) >= 24:
            return raw[8:24], int.from_bytes(raw[2:4], "big"), int.from_bytes(raw[24:28], sys.byteorder)
        return None

    def address(self, raw: bytes) -> str:
        """A sockaddr in few characters: 127.0.0.1:80, [::1]:80, /path, @abstract."""
        found = self.ip(raw)
        if found is not None:
            packed, port, scope = found
            if len(packed) == 4:
                return f"{packed[0]}.{packed[1]}.{packed[2]}.{packed[3]}:{port}"
            return f"[{inet_ntop(self.AF_INET6, packed)}{f'%{scope}' if scope else ''}]:{port}"
        family = self.sockaddr_family(raw)
        if family == self.AF_UNIX:
            path = raw[2:]
            if not path:
                return "unnamed"
            if path[0] == 0:
                return "@" + printable(path[1:])
            return printable(path.partition(b"\0")[0])
        return f"{self.family(family)}:{raw[2:].hex()}" if raw else "none"

    def kind(self, family: int, type: int) -> str:
        """What a socket is, in a word: TCP, UDP, UNIX, ..."""
        base = type & 15
        if family in (self.AF_INET, self.AF_INET6):
            word = {self.SOCK_STREAM: "TCP", self.SOCK_DGRAM: "UDP"}.get(base, self.type(base).removeprefix("SOCK_"))
            return word + ("v6" if family == self.AF_INET6 else "")
        if family == self.AF_UNIX:
            return "UNIX" if base == self.SOCK_STREAM else f"UNIX-{self.type(base).removeprefix('SOCK_')}"
        return self.family(family).removeprefix("AF_")


def is_numeric(host: bytes) -> bool:
    """Whether a host is an address and no name, so that no resolver is asked for it."""
    text = host.decode("ascii", "replace").partition("%")[0]
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


def printable(data: bytes) -> str:
    """Bytes as text on one line."""
    return data.decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii")


_ESCAPES = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}
_CHARACTERS = [_ESCAPES.get(c, chr(c) if 32 <= c < 127 else f"\\x{c:02x}") for c in range(256)]


def quoted(data: Any, limit: int) -> str:
    """The first *limit* bytes in quotation marks, as C writes them; dots behind them when there are more."""
    shown = bytes(data[:limit])
    return '"' + "".join([_CHARACTERS[c] for c in shown]) + '"' + ("..." if len(data) > limit else "")
