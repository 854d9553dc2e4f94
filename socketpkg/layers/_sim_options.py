"""The options of simulated sockets: those of a UNIX socket are the kernel's, the others are remembered here.

The defaults, the ranges and the errors are those of Linux: tcp(7), ip(7), ipv6(7), udp(7), and net/ipv4 of its source.
"""

from __future__ import annotations

import errno
import struct
import sys

from ._names import Names
from ._sim_names import error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_INT_MAX = 2**31 - 1
#: Of TCP: name, default, the lowest and the highest value. A highest of 1 makes a truth value of any number.
_TCP: tuple[tuple[str, int, int, int], ...] = (
    ("TCP_NODELAY", 0, -_INT_MAX, 1),
    ("TCP_MAXSEG", 536, 88, 32767),
    ("TCP_CORK", 0, -_INT_MAX, 1),
    ("TCP_KEEPIDLE", 7200, 1, 32767),
    ("TCP_KEEPINTVL", 75, 1, 32767),
    ("TCP_KEEPCNT", 9, 1, 127),
    ("TCP_SYNCNT", 6, 1, 127),
    ("TCP_LINGER2", 60, -_INT_MAX, _INT_MAX),
    ("TCP_DEFER_ACCEPT", 0, -_INT_MAX, _INT_MAX),
    ("TCP_WINDOW_CLAMP", 0, 0, _INT_MAX),
    ("TCP_QUICKACK", 1, -_INT_MAX, 1),
    ("TCP_THIN_LINEAR_TIMEOUTS", 0, 0, 1),
    ("TCP_THIN_DUPACK", 0, 0, 1),
    ("TCP_USER_TIMEOUT", 0, 0, _INT_MAX),
    ("TCP_FASTOPEN", 0, 0, _INT_MAX),
    ("TCP_FASTOPEN_CONNECT", 0, 0, 1),
    ("TCP_FASTOPEN_NO_COOKIE", 0, 0, 1),
    ("TCP_NOTSENT_LOWAT", 0, -_INT_MAX, _INT_MAX),
    ("TCP_SAVE_SYN", 0, 0, 2),
    ("TCP_INQ", 0, 0, 1),
    ("TCP_TX_DELAY", 0, 0, _INT_MAX),
)
_IP: tuple[tuple[str, int, int, int], ...] = (
    ("IP_TOS", 0, 0, 255),
    ("IP_TTL", 64, 1, 255),
    ("IP_RECVTTL", 0, -_INT_MAX, 1),
    ("IP_RECVTOS", 0, -_INT_MAX, 1),
    ("IP_PKTINFO", 0, -_INT_MAX, 1),
    ("IP_RECVOPTS", 0, -_INT_MAX, 1),
    ("IP_RETOPTS", 0, -_INT_MAX, 1),
    ("IP_RECVERR", 0, -_INT_MAX, 1),
    ("IP_RECVORIGDSTADDR", 0, -_INT_MAX, 1),
    ("IP_MTU_DISCOVER", 1, 0, 5),
    ("IP_FREEBIND", 0, -_INT_MAX, 1),
    ("IP_BIND_ADDRESS_NO_PORT", 0, -_INT_MAX, 1),
    ("IP_MINTTL", 0, 0, 255),
    ("IP_MULTICAST_TTL", 1, -1, 255),
    ("IP_MULTICAST_LOOP", 1, -_INT_MAX, 1),
    ("IP_MULTICAST_ALL", 1, 0, 1),
    ("IP_MULTICAST_IF", 0, -_INT_MAX, _INT_MAX),
    ("IP_TRANSPARENT", 0, 0, 0),
)
_IPV6: tuple[tuple[str, int, int, int], ...] = (
    ("IPV6_V6ONLY", 0, -_INT_MAX, 1),
    ("IPV6_UNICAST_HOPS", 64, -1, 255),
    ("IPV6_MULTICAST_HOPS", 1, -1, 255),
    ("IPV6_MULTICAST_LOOP", 1, 0, 1),
    ("IPV6_MULTICAST_ALL", 1, 0, 1),
    ("IPV6_MULTICAST_IF", 0, 0, 2),
    ("IPV6_RECVPKTINFO", 0, -_INT_MAX, 1),
    ("IPV6_RECVHOPLIMIT", 0, -_INT_MAX, 1),
    ("IPV6_RECVTCLASS", 0, -_INT_MAX, 1),
    ("IPV6_RECVORIGDSTADDR", 0, -_INT_MAX, 1),
    ("IPV6_RECVRTHDR", 0, -_INT_MAX, 1),
    ("IPV6_RECVHOPOPTS", 0, -_INT_MAX, 1),
    ("IPV6_RECVDSTOPTS", 0, -_INT_MAX, 1),
    ("IPV6_RECVPATHMTU", 0, -_INT_MAX, 1),
    ("IPV6_RECVERR", 0, -_INT_MAX, 1),
    ("IPV6_DONTFRAG", 0, -_INT_MAX, 1),
    ("IPV6_TCLASS", 0, -1, 255),
    ("IPV6_MTU_DISCOVER", 1, 0, 5),
    ("IPV6_FREEBIND", 0, -_INT_MAX, 1),
    ("IPV6_FLOWINFO_SEND", 0, -_INT_MAX, 1),
    ("IPV6_AUTOFLOWLABEL", 1, -_INT_MAX, 1),
)
_UDP: tuple[tuple[str, int, int, int], ...] = (
    ("UDP_CORK", 0, -_INT_MAX, 1),
    ("UDP_SEGMENT", 0, 0, 65535),
    ("UDP_GRO", 0, -_INT_MAX, 1),
    ("UDP_NO_CHECK6_TX", 0, -_INT_MAX, 1),
    ("UDP_NO_CHECK6_RX", 0, -_INT_MAX, 1),
)
_UDPLITE: tuple[tuple[str, int, int, int], ...] = (
    ("UDPLITE_SEND_CSCOV", 0, 0, _INT_MAX),
    ("UDPLITE_RECV_CSCOV", 0, 0, _INT_MAX),
)
#: Of the level SOL_SOCKET those that a UNIX socket has not, or means something else by.
_SOCKET: tuple[tuple[str, int, int, int], ...] = (
    ("SO_REUSEPORT", 0, -_INT_MAX, 1),
    ("SO_MAX_PACING_RATE", -1, -_INT_MAX, _INT_MAX),
    ("SO_TIMESTAMP", 0, -_INT_MAX, 1),
    ("SO_TIMESTAMPNS", 0, -_INT_MAX, 1),
    ("SO_TIMESTAMP_NEW", 0, -_INT_MAX, 1),
    ("SO_TIMESTAMPNS_NEW", 0, -_INT_MAX, 1),
    ("SO_TIMESTAMPING", 0, 0, (1 << 19) - 1),
    ("SO_TIMESTAMPING_NEW", 0, 0, (1 << 19) - 1),
    ("SO_ZEROCOPY", 0, 0, 1),
    ("SO_BINDTOIFINDEX", 0, 0, 2),
)
#: The algorithms of congestion control that may be asked for; there is no congestion.
_CONGESTION = (b"cubic", b"reno", b"bbr")
#: The longest TCP_LINGER2, in seconds (TCP_FIN_TIMEOUT_MAX).
_LINGER2_MOST = 120
#: struct tcp_info (linux/tcp.h): eight bytes, and 24 numbers of 32 bits.
_TCP_INFO = struct.Struct("=8B24I")
ESTABLISHED, SYN_SENT, CLOSE, LISTEN = 1, 2, 7, 10


class Options:
    """What there is to set, by level and number."""

    def __init__(self, names: Names) -> None:
        constants = names.constants
        self._names = names
        self._int: dict[tuple[int, int], tuple[int, int, int]] = {}
        self.number: dict[str, tuple[int, int]] = {}
        levels = {"": "SOL_SOCKET", "TCP": "IPPROTO_TCP", "IP": "IPPROTO_IP", "IPV6": "IPPROTO_IPV6"}
        for word, table in (
            ("", _SOCKET), ("TCP", _TCP), ("IP", _IP), ("IPV6", _IPV6), ("UDP", _UDP), ("UDPLITE", _UDPLITE)
        ):  # fmt: skip
            level = constants.get(levels.get(word, "IPPROTO_UDP" if word == "UDP" else "IPPROTO_UDPLITE"), -1)
            for name, default, lowest, highest in table:
                if name in constants:
                    self._int[level, constants[name]] = default, lowest, highest
                    self.number[name] = level, constants[name]
        self.socket: int = constants["SOL_SOCKET"]
        self.tcp: int = constants["IPPROTO_TCP"]
        self.ip: int = constants["IPPROTO_IP"]
        self.ipv6: int = constants["IPPROTO_IPV6"]
        self.udp: int = constants["IPPROTO_UDP"]
        self.udplite: int = constants.get("IPPROTO_UDPLITE", 136)
        self._congestion = self.tcp, constants.get("TCP_CONGESTION", -1)
        self.info: tuple[int, int] = self.tcp, constants.get("TCP_INFO", -1)

    def has(self, level: int, option: int, family: int, protocol: int) -> bool:
        """Whether a socket of a family and protocol has it, and it is remembered here."""
        if level == self.ipv6 and family != self._names.AF_INET6:
            return False
        if level in (self.tcp, self.udp, self.udplite) and level != protocol:
            return level == self.udp and protocol == self.udplite and (level, option) in self._int
        return (level, option) in self._int or (level, option) == self._congestion

    def value(self, level: int, option: int, values: Mapping[tuple[int, int], Any]) -> bytes:
        """What getsockopt gives of one that is remembered."""
        key = level, option
        if key == self._congestion:
            return bytes(values.get(key, b"cubic")).ljust(16, b"\0")
        return int(values.get(key, self._int[key][0])).to_bytes(4, sys.byteorder, signed=True)

    def number_of(self, name: str, values: Mapping[tuple[int, int], Any]) -> int:
        """The value of an option by its name."""
        key = self.number.get(name)
        return 0 if key is None else int(values.get(key, self._int[key][0]))

    def checked(
        self, level: int, option: int, value: Any, stream: bool, values: Mapping[tuple[int, int], Any]
    ) -> int | bytes:
        """What is to be remembered of a value. OSError as of setsockopt."""
        key = level, option
        if key == self._congestion:
            name = bytes(value).partition(b"\0")[0]
            if name not in _CONGESTION:
                raise error(errno.ENOENT)
            return name
        if not isinstance(value, int):
            raw = bytes(value)
            if len(raw) < 4 and not (level == self.ip and raw):
                raise error(errno.EINVAL)
            value = int.from_bytes(raw[:4], sys.byteorder, signed=len(raw) >= 4)
        default, lowest, highest = self._int[key]
        if highest == 1:
            if lowest == 0 and value not in (0, 1):
                raise error(errno.EINVAL)
            return int(value != 0)
        if stream and key in (self.number["IP_MULTICAST_TTL"], self.number["IP_MULTICAST_IF"]):
            raise error(errno.EINVAL)
        if key == self.number["IP_TOS"]:
            # TCP keeps the two bits of congestion (RFC 3168) to itself.
            return int(value) & 255 if not stream else int(value) & 252 | int(values.get(key, 0)) & 3
        if key == self.number["TCP_LINGER2"]:
            return min(int(value), _LINGER2_MOST)
        if value == -1 and lowest >= 0 and default == 64:
            return default
        if not lowest <= value <= highest:
            raise error(errno.EINVAL)
        if value == -1 and lowest == -1:
            return default
        return int(value)

    def priority(self, tos: int) -> int:
        """The SO_PRIORITY that a type of service brings along."""
        return (0, 2, 6, 4)[(tos & 0x1E) >> 3]

    def tcp_info(self, state: int, values: Mapping[tuple[int, int], Any]) -> bytes:
        """struct tcp_info of a connection without a wire: the state is true, and nothing is lost or sent again."""
        mss = 32741 if state == ESTABLISHED else 536
        large = _INT_MAX
        numbers = (
            200_000,
            40_000,
            mss,
            mss,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            65535,
            65483,
            20,
            10,
            large,
            10,
            65483,
            3,
            0,
            65483,
            0,
        )
        return _TCP_INFO.pack(state, 0, 0, 0, 0, 0, 0x77, 0, *numbers) + bytes(128)
