"""Socket options with types, in place of numbers and bytes.

Each option that this module knows is an `Option` with the values it takes: ``options.TCP_NODELAY.set(sock, True)``,
``options.TCP_USER_TIMEOUT.get(sock)``. Times are seconds whatever the kernel counts in. `KNOWN` has all by name.
What takes more than one option, or a struct, is a function: keepalive, multicast groups, the peer of a UNIX socket, the
address that a redirected connection was meant for.

They work on any object with the methods ``getsockopt`` and ``setsockopt``, TLS connections among them. The options are
those of socket(7), ip(7), ipv6(7), tcp(7), udp(7) and unix(7). An option that the platform lacks is OSError
(ENOPROTOOPT), what the kernel says of one that it does not know.
"""

from __future__ import annotations

import errno
import os
from _operator import index
from struct import Struct, calcsize
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

import socketpkg

from . import _socket
from ._engine.arguments import INT_MAX, NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import SupportsIndex

__all__ = [
    "IPV6_DONTFRAG",
    "IPV6_FREEBIND",
    "IPV6_MTU",
    "IPV6_MTU_DISCOVER",
    "IPV6_MULTICAST_HOPS",
    "IPV6_MULTICAST_LOOP",
    "IPV6_RECVERR",
    "IPV6_RECVHOPLIMIT",
    "IPV6_RECVORIGDSTADDR",
    "IPV6_RECVPKTINFO",
    "IPV6_RECVTCLASS",
    "IPV6_TCLASS",
    "IPV6_TRANSPARENT",
    "IPV6_UNICAST_HOPS",
    "IPV6_V6ONLY",
    "IP_BIND_ADDRESS_NO_PORT",
    "IP_FREEBIND",
    "IP_HDRINCL",
    "IP_MINTTL",
    "IP_MTU",
    "IP_MTU_DISCOVER",
    "IP_MULTICAST_ALL",
    "IP_MULTICAST_LOOP",
    "IP_MULTICAST_TTL",
    "IP_PKTINFO",
    "IP_RECVERR",
    "IP_RECVORIGDSTADDR",
    "IP_RECVTOS",
    "IP_RECVTTL",
    "IP_TOS",
    "IP_TRANSPARENT",
    "IP_TTL",
    "KNOWN",
    "SO_ACCEPTCONN",
    "SO_BINDTODEVICE",
    "SO_BROADCAST",
    "SO_BUSY_POLL",
    "SO_COOKIE",
    "SO_DOMAIN",
    "SO_DONTROUTE",
    "SO_ERROR",
    "SO_INCOMING_CPU",
    "SO_INCOMING_NAPI_ID",
    "SO_KEEPALIVE",
    "SO_LINGER",
    "SO_MARK",
    "SO_MAX_PACING_RATE",
    "SO_NETNS_COOKIE",
    "SO_NO_CHECK",
    "SO_OOBINLINE",
    "SO_PASSCRED",
    "SO_PASSPIDFD",
    "SO_PEEK_OFF",
    "SO_PRIORITY",
    "SO_PROTOCOL",
    "SO_RCVBUF",
    "SO_RCVLOWAT",
    "SO_RCVTIMEO",
    "SO_REUSEADDR",
    "SO_REUSEPORT",
    "SO_RXQ_OVFL",
    "SO_SNDBUF",
    "SO_SNDTIMEO",
    "SO_TIMESTAMP",
    "SO_TIMESTAMPING",
    "SO_TIMESTAMPNS",
    "SO_TYPE",
    "SO_ZEROCOPY",
    "TCP_CONGESTION",
    "TCP_CORK",
    "TCP_DEFER_ACCEPT",
    "TCP_FASTOPEN",
    "TCP_FASTOPEN_CONNECT",
    "TCP_INQ",
    "TCP_KEEPCNT",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_LINGER2",
    "TCP_MAXSEG",
    "TCP_NODELAY",
    "TCP_NOTSENT_LOWAT",
    "TCP_QUICKACK",
    "TCP_SYNCNT",
    "TCP_ULP",
    "TCP_USER_TIMEOUT",
    "TCP_WINDOW_CLAMP",
    "UDP_CORK",
    "UDP_GRO",
    "UDP_SEGMENT",
    "HasOptions",
    "Keepalive",
    "Option",
    "PeerCredentials",
    "get_bytes",
    "get_keepalive",
    "join_group",
    "leave_group",
    "original_destination",
    "peer_credentials",
    "peer_groups",
    "peer_pidfd",
    "set_keepalive",
    "set_multicast_interface",
]

_T = TypeVar("_T")


class HasOptions(Protocol):
    """What has options: a socket, or an object that passes these calls on to one, as TLS connections do."""

    def getsockopt(self, level: int, option: int, buflen: int, /) -> bytes:
        """Gives at most *buflen* bytes of an option's value."""
        ...

    def setsockopt(self, level: int, option: int, value: int | bytes, /) -> None:
        """Sets an option."""
        ...

    def fileno(self) -> int:
        """The descriptor."""
        ...


_CONSTANTS = _socket.core.CONSTANTS
_timeout_ns = _socket.core.timeout_ns
_LEVELS = {
    "SO": "SOL_SOCKET",
    "IP": "IPPROTO_IP",
    "IPV6": "IPPROTO_IPV6",
    "IP6T": "IPPROTO_IPV6",
    "TCP": "IPPROTO_TCP",
    "UDP": "IPPROTO_UDP",
    "MCAST": "",
}

_INT = Struct("@i")
_LINGER = Struct("@ii")  # struct linger of socket(7)
_UCRED = Struct("@iII")  # struct ucred of unix(7)
_TIMEVAL = Struct("@ll")
_UINT64 = Struct("@Q")
_TEXT_MAX = 256


def _missing(name: str) -> OSError:
    return OSError(errno.ENOPROTOOPT, f"{os.strerror(errno.ENOPROTOOPT)}: {name}")


class Option(Generic[_T]):
    """One option: its name, its level and number, and the values that it takes and gives."""

    __slots__ = ("_decode", "_encode", "_size", "level", "name", "number")

    def __init__(
        self,
        name: str,
        decode: Callable[[Any], _T],
        encode: Callable[[_T], int | bytes] | None,
        size: int = 0,
        *others: str,
    ) -> None:
        self.name: str = name
        #: As for getsockopt(); None where the platform lacks the option.
        self.level: int | None = None
        self.number: int | None = None
        for candidate in (name, *others):
            if candidate in _CONSTANTS:
                self.level = _CONSTANTS[_LEVELS[candidate.partition("_")[0]]]
                self.number = _CONSTANTS[candidate]
                break
        self._decode = decode
        self._encode = encode
        self._size = size

    def __repr__(self) -> str:
        return f"<socket option {self.name}>"

    def get(self, sock: HasOptions) -> _T:
        """The value that it has on *sock*. OSError as of getsockopt(2)."""
        if self.level is None or self.number is None:
            raise _missing(self.name)
        return self._decode(sock.getsockopt(self.level, self.number, self._size))

    def set(self, sock: HasOptions, value: _T) -> None:
        """Sets it on *sock*. OSError as of setsockopt(2), TypeError for one that can only be read.

        Numbers of a wrong type or out of range are the errors of setsockopt(), times those of settimeout().
        """
        if self._encode is None:
            raise TypeError(f"{self.name} can only be read")
        if self.level is None or self.number is None:
            raise _missing(self.name)
        sock.setsockopt(self.level, self.number, self._encode(value))


# -- kinds of values ---------------------------------------------------------------------------------------------------

#: All options by name.
KNOWN: dict[str, Option[Any]] = {}


def _known(option: Option[_T]) -> Option[_T]:
    KNOWN[option.name] = option
    return option


def _flag(name: str, writable: bool = True) -> Option[bool]:
    return _known(Option(name, bool, (lambda value: int(bool(value))) if writable else None))


def _number(name: str, writable: bool = True) -> Option[int]:
    return _known(Option(name, int, (lambda value: value) if writable else None))


def _time(name: str, unit: int, *others: str) -> Option[float]:
    """Seconds, of which the kernel counts *unit* nanoseconds as one."""

    def decode(value: int) -> float:
        return value * unit / NANOSECONDS

    def encode(value: float) -> int:
        if value is None:
            raise TypeError("'NoneType' object cannot be interpreted as an integer")
        # Rounded up, as all times are: a short one must not become 0.
        nanoseconds: int = _timeout_ns(value)
        return -(-nanoseconds // unit)

    return _known(Option(name, decode, encode, 0, *others))


def _wide(name: str, writable: bool = True) -> Option[int]:
    """A number of 64 bits."""

    def encode(value: int) -> bytes:
        number = index(value)
        if not 0 <= number < 1 << 64:
            raise OverflowError("Python int too large to convert to C unsigned 64-bit integer")
        return _UINT64.pack(number)

    def decode(data: bytes) -> int:
        # Kernels before a width was raised give 32 bits.
        return int(_UINT64.unpack(data)[0] if len(data) == 8 else Struct("@I").unpack(data)[0])

    return _known(Option(name, decode, encode if writable else None, 8))


def _text(name: str) -> Option[str]:
    def decode(data: bytes) -> str:
        return os.fsdecode(data.partition(b"\0")[0])

    return _known(Option(name, decode, os.fsencode, _TEXT_MAX))


def _timeval(name: str) -> Option[float | None]:
    """A time for the kernel's own waiting; None for ever. socketpkg's timeouts are another thing (settimeout)."""

    def decode(data: bytes) -> float | None:
        seconds, microseconds = _TIMEVAL.unpack(data)
        return seconds + microseconds / 10**6 if seconds or microseconds else None

    def encode(value: float | None) -> bytes:
        # 0 means "for ever" to the kernel, so a timeout of 0 becomes its least one, a microsecond.
        microseconds = 0 if value is None else max(1, -(-_timeout_ns(value) // 1000))
        return _TIMEVAL.pack(*divmod(microseconds, 10**6))

    return _known(Option(name, decode, encode, _TIMEVAL.size))


def _lingering(name: str) -> Option[int | None]:
    def decode(data: bytes) -> int | None:
        on, seconds = _LINGER.unpack(data)
        return seconds if on else None

    def encode(value: int | None) -> bytes:
        if value is None:
            return _LINGER.pack(0, 0)
        seconds = index(value)
        if seconds < 0:
            raise ValueError("Timeout value out of range")
        if seconds > INT_MAX:
            raise OverflowError("signed integer is greater than maximum")
        return _LINGER.pack(1, seconds)

    return _known(Option(name, decode, encode, _LINGER.size))


# -- the options -------------------------------------------------------------------------------------------------------

SO_ACCEPTCONN: Option[bool] = _flag("SO_ACCEPTCONN", writable=False)
SO_BROADCAST: Option[bool] = _flag("SO_BROADCAST")
SO_DONTROUTE: Option[bool] = _flag("SO_DONTROUTE")
SO_KEEPALIVE: Option[bool] = _flag("SO_KEEPALIVE")
SO_NO_CHECK: Option[bool] = _flag("SO_NO_CHECK")
SO_OOBINLINE: Option[bool] = _flag("SO_OOBINLINE")
SO_PASSCRED: Option[bool] = _flag("SO_PASSCRED")
SO_PASSPIDFD: Option[bool] = _flag("SO_PASSPIDFD")
SO_REUSEADDR: Option[bool] = _flag("SO_REUSEADDR")
SO_REUSEPORT: Option[bool] = _flag("SO_REUSEPORT")
SO_RXQ_OVFL: Option[bool] = _flag("SO_RXQ_OVFL")
SO_TIMESTAMP: Option[bool] = _flag("SO_TIMESTAMP")
SO_TIMESTAMPNS: Option[bool] = _flag("SO_TIMESTAMPNS")
SO_ZEROCOPY: Option[bool] = _flag("SO_ZEROCOPY")
SO_DOMAIN: Option[int] = _number("SO_DOMAIN", writable=False)
#: The errno of an error that is pending, 0 for none; reading it takes it away.
SO_ERROR: Option[int] = _number("SO_ERROR", writable=False)
SO_INCOMING_CPU: Option[int] = _number("SO_INCOMING_CPU")
SO_INCOMING_NAPI_ID: Option[int] = _number("SO_INCOMING_NAPI_ID", writable=False)
SO_MARK: Option[int] = _number("SO_MARK")
SO_PEEK_OFF: Option[int] = _number("SO_PEEK_OFF")
SO_PRIORITY: Option[int] = _number("SO_PRIORITY")
SO_PROTOCOL: Option[int] = _number("SO_PROTOCOL", writable=False)
#: Bytes. Linux doubles what is set, and gives the doubled number (socket(7)).
SO_RCVBUF: Option[int] = _number("SO_RCVBUF")
SO_SNDBUF: Option[int] = _number("SO_SNDBUF")
SO_RCVLOWAT: Option[int] = _number("SO_RCVLOWAT")
SO_TIMESTAMPING: Option[int] = _number("SO_TIMESTAMPING")
SO_TYPE: Option[int] = _number("SO_TYPE", writable=False)
#: Seconds, of which the kernel counts microseconds.
SO_BUSY_POLL: Option[float] = _time("SO_BUSY_POLL", 1000)
#: Seconds that a close waits for what is still to be sent, None for not at all; 0 resets the connection.
SO_LINGER: Option[int | None] = _lingering("SO_LINGER")
SO_RCVTIMEO: Option[float | None] = _timeval("SO_RCVTIMEO")
SO_SNDTIMEO: Option[float | None] = _timeval("SO_SNDTIMEO")
SO_COOKIE: Option[int] = _wide("SO_COOKIE", writable=False)
SO_NETNS_COOKIE: Option[int] = _wide("SO_NETNS_COOKIE", writable=False)
#: Bytes in a second.
SO_MAX_PACING_RATE: Option[int] = _wide("SO_MAX_PACING_RATE")
#: The name of an interface, '' for none.
SO_BINDTODEVICE: Option[str] = _text("SO_BINDTODEVICE")

IP_BIND_ADDRESS_NO_PORT: Option[bool] = _flag("IP_BIND_ADDRESS_NO_PORT")
IP_FREEBIND: Option[bool] = _flag("IP_FREEBIND")
IP_HDRINCL: Option[bool] = _flag("IP_HDRINCL")
IP_MULTICAST_ALL: Option[bool] = _flag("IP_MULTICAST_ALL")
IP_MULTICAST_LOOP: Option[bool] = _flag("IP_MULTICAST_LOOP")
IP_PKTINFO: Option[bool] = _flag("IP_PKTINFO")
IP_RECVERR: Option[bool] = _flag("IP_RECVERR")
IP_RECVORIGDSTADDR: Option[bool] = _flag("IP_RECVORIGDSTADDR")
IP_RECVTOS: Option[bool] = _flag("IP_RECVTOS")
IP_RECVTTL: Option[bool] = _flag("IP_RECVTTL")
IP_TRANSPARENT: Option[bool] = _flag("IP_TRANSPARENT")
IP_MINTTL: Option[int] = _number("IP_MINTTL")
IP_MTU: Option[int] = _number("IP_MTU", writable=False)
IP_MTU_DISCOVER: Option[int] = _number("IP_MTU_DISCOVER")
IP_MULTICAST_TTL: Option[int] = _number("IP_MULTICAST_TTL")
IP_TOS: Option[int] = _number("IP_TOS")
IP_TTL: Option[int] = _number("IP_TTL")

IPV6_DONTFRAG: Option[bool] = _flag("IPV6_DONTFRAG")
IPV6_FREEBIND: Option[bool] = _flag("IPV6_FREEBIND")
IPV6_MULTICAST_LOOP: Option[bool] = _flag("IPV6_MULTICAST_LOOP")
IPV6_RECVERR: Option[bool] = _flag("IPV6_RECVERR")
IPV6_RECVHOPLIMIT: Option[bool] = _flag("IPV6_RECVHOPLIMIT")
IPV6_RECVORIGDSTADDR: Option[bool] = _flag("IPV6_RECVORIGDSTADDR")
IPV6_RECVPKTINFO: Option[bool] = _flag("IPV6_RECVPKTINFO")
IPV6_RECVTCLASS: Option[bool] = _flag("IPV6_RECVTCLASS")
IPV6_TRANSPARENT: Option[bool] = _flag("IPV6_TRANSPARENT")
IPV6_V6ONLY: Option[bool] = _flag("IPV6_V6ONLY")
IPV6_MTU: Option[int] = _number("IPV6_MTU")
IPV6_MTU_DISCOVER: Option[int] = _number("IPV6_MTU_DISCOVER")
IPV6_MULTICAST_HOPS: Option[int] = _number("IPV6_MULTICAST_HOPS")
IPV6_TCLASS: Option[int] = _number("IPV6_TCLASS")
IPV6_UNICAST_HOPS: Option[int] = _number("IPV6_UNICAST_HOPS")

TCP_CORK: Option[bool] = _flag("TCP_CORK")
TCP_FASTOPEN_CONNECT: Option[bool] = _flag("TCP_FASTOPEN_CONNECT")
TCP_INQ: Option[bool] = _flag("TCP_INQ")
TCP_NODELAY: Option[bool] = _flag("TCP_NODELAY")
TCP_QUICKACK: Option[bool] = _flag("TCP_QUICKACK")
TCP_FASTOPEN: Option[int] = _number("TCP_FASTOPEN")
TCP_KEEPCNT: Option[int] = _number("TCP_KEEPCNT")
TCP_MAXSEG: Option[int] = _number("TCP_MAXSEG")
TCP_NOTSENT_LOWAT: Option[int] = _number("TCP_NOTSENT_LOWAT")
TCP_SYNCNT: Option[int] = _number("TCP_SYNCNT")
TCP_WINDOW_CLAMP: Option[int] = _number("TCP_WINDOW_CLAMP")
#: Seconds, rounded up to what the kernel counts: whole ones, and milliseconds for TCP_USER_TIMEOUT.
TCP_DEFER_ACCEPT: Option[float] = _time("TCP_DEFER_ACCEPT", NANOSECONDS)
TCP_KEEPIDLE: Option[float] = _time("TCP_KEEPIDLE", NANOSECONDS, "TCP_KEEPALIVE")
TCP_KEEPINTVL: Option[float] = _time("TCP_KEEPINTVL", NANOSECONDS)
TCP_LINGER2: Option[float] = _time("TCP_LINGER2", NANOSECONDS)
TCP_USER_TIMEOUT: Option[float] = _time("TCP_USER_TIMEOUT", 10**6)
#: Names, such as 'cubic', and 'tls'.
TCP_CONGESTION: Option[str] = _text("TCP_CONGESTION")
TCP_ULP: Option[str] = _text("TCP_ULP")

UDP_CORK: Option[bool] = _flag("UDP_CORK")
UDP_GRO: Option[bool] = _flag("UDP_GRO")
UDP_SEGMENT: Option[int] = _number("UDP_SEGMENT")


def get_bytes(sock: HasOptions, level: int, option: int, size: SupportsIndex) -> bytes:
    """The bytes of any option: as many as the kernel gives, *size* at most, which may be more than 1024.

    socket.getsockopt() refuses that (gh-112740). OSError for a *size* that is not positive.
    """
    number = index(size)
    if number <= 0 or number > INT_MAX:
        raise OSError("getsockopt buflen out of range")
    if number <= 1024 or not isinstance(sock, _socket.socket):
        return sock.getsockopt(level, option, number)
    plain: Any = sock
    return _socket.backend.syscalls.getsockopt(plain, index(level), index(option), number)


# -- keepalive and lingering -------------------------------------------------------------------------------------------


class Keepalive(NamedTuple):
    """How a TCP connection is probed while nothing is sent. None for what the platform does not tell."""

    enabled: bool
    #: Seconds without data until the first probe.
    idle: float | None
    #: Seconds between probes.
    interval: float | None
    #: How many probes without an answer end the connection.
    probes: int | None


def get_keepalive(sock: HasOptions) -> Keepalive:
    """Whether and how *sock*, a TCP socket, is probed."""
    return Keepalive(
        SO_KEEPALIVE.get(sock),
        None if TCP_KEEPIDLE.number is None else TCP_KEEPIDLE.get(sock),
        None if TCP_KEEPINTVL.number is None else TCP_KEEPINTVL.get(sock),
        None if TCP_KEEPCNT.number is None else TCP_KEEPCNT.get(sock),
    )


def set_keepalive(
    sock: HasOptions,
    idle: float | None = None,
    interval: float | None = None,
    probes: int | None = None,
    *,
    enabled: bool = True,
) -> None:
    """Probes the connection of *sock* after *idle* seconds without data, each *interval* seconds, *probes* times.

    What is None stays as it is. Seconds are rounded up to whole ones. With *enabled* false it is not probed. Nothing is
    switched on when one of the numbers is refused.
    """
    if idle is not None:
        TCP_KEEPIDLE.set(sock, idle)
    if interval is not None:
        TCP_KEEPINTVL.set(sock, interval)
    if probes is not None:
        TCP_KEEPCNT.set(sock, probes)
    SO_KEEPALIVE.set(sock, enabled)


# -- multicast ---------------------------------------------------------------------------------------------------------

# struct group_req and group_source_req of RFC 3678: a 32-bit index, and sockaddr_storage at the next multiple of the
# alignment of a pointer.
_STORAGE = 128
_GROUP_PADDING = calcsize("@P") - 4
_IP_MREQN = Struct("@4s4si")


def join_group(
    sock: socketpkg.socket, group: str, interface: str | SupportsIndex | None = None, source: str | None = None
) -> None:
    """Receives on *sock*, an UDP socket, what is sent to the multicast address *group*.

    *interface* is where it comes from: a name, an index, or one of the interface's own addresses; None leaves the
    choice to the kernel. With *source*, an address, only what that host sends (source-specific multicast); one
    group can be joined for several sources. OSError for an invalid address, or one of another family than the
    socket's (EINVAL), for an interface that there is not (ENODEV), and as of setsockopt(2).
    """
    _group(sock, "MCAST_JOIN_GROUP" if source is None else "MCAST_JOIN_SOURCE_GROUP", group, interface, source)


def leave_group(
    sock: socketpkg.socket, group: str, interface: str | SupportsIndex | None = None, source: str | None = None
) -> None:
    """Takes a `join_group` of the same arguments back. OSError (EADDRNOTAVAIL) when there was none."""
    _group(sock, "MCAST_LEAVE_GROUP" if source is None else "MCAST_LEAVE_SOURCE_GROUP", group, interface, source)


def set_multicast_interface(sock: socketpkg.socket, interface: str | SupportsIndex) -> None:
    """Sends multicast packets of *sock* by that interface: a name, an index or an address as for `join_group`."""
    number = _interface_index(sock, interface)
    if sock.family == socketpkg.AF_INET6:
        sock.setsockopt(_CONSTANTS["IPPROTO_IPV6"], _CONSTANTS["IPV6_MULTICAST_IF"], number)
    else:
        data = _IP_MREQN.pack(bytes(4), bytes(4), number)
        sock.setsockopt(_CONSTANTS["IPPROTO_IP"], _CONSTANTS["IP_MULTICAST_IF"], data)


def _group(sock: socketpkg.socket, name: str, group: str, interface: Any, source: str | None) -> None:
    if name not in _CONSTANTS:
        raise _missing(name)
    family = sock.family
    number = _interface_index(sock, interface)
    data = Struct("@I").pack(number) + bytes(_GROUP_PADDING) + _storage(family, group)
    if source is not None:
        data += _storage(family, source)
    level = _CONSTANTS["IPPROTO_IPV6" if family == socketpkg.AF_INET6 else "IPPROTO_IP"]
    sock.setsockopt(level, _CONSTANTS[name], data)


def _storage(family: int, host: str) -> bytes:
    """A sockaddr_storage of a numeric address of that family. Names are not looked up."""
    if family not in (socketpkg.AF_INET, socketpkg.AF_INET6):
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    try:
        socketpkg.inet_pton(family, host)
    except OSError:
        raise OSError(errno.EINVAL, f"{os.strerror(errno.EINVAL)}: {host!r} is no address of the family") from None
    raw: bytes = _CODEC.encode(family, 0, (host, 0), "join_group", None)
    return raw.ljust(_STORAGE, b"\0")


_CODEC = _socket.backend.address.AddressCodec()


def _interface_index(sock: socketpkg.socket, interface: Any) -> int:
    """The index of an interface in the network namespace of *sock*."""
    if interface is None:
        return 0
    if not isinstance(interface, (str, bytes)):
        number = index(interface)
        if not 0 <= number <= INT_MAX:
            raise OverflowError("interface index is out of range")
        return number
    name = os.fsencode(interface)
    # As a call of the contract has it.
    descriptor: Any = sock
    try:
        if b"\0" in name or len(name) >= _CONSTANTS["IFNAMSIZ"] or not isinstance(sock, _socket.socket):
            return socketpkg.if_nametoindex(interface)
        return _socket.backend.syscalls.interface_index(descriptor, name)
    except OSError as failure:
        # The BSDs' if_nametoindex() has ENXIO.
        if failure.errno not in (errno.ENODEV, errno.ENXIO):
            raise
        # No interface has this name: it may be the address of one.
        from .interfaces import getifaddrs

        for entry in getifaddrs():
            if entry.address is not None and entry.address == interface:
                return entry.index
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from failure


# -- the peer ----------------------------------------------------------------------------------------------------------


class PeerCredentials(NamedTuple):
    """Who was at the other end of a UNIX stream when it was connected (SO_PEERCRED of unix(7))."""

    pid: int
    uid: int
    gid: int


def peer_credentials(sock: HasOptions) -> PeerCredentials:
    """Process, user and group at the other end of a connected UNIX socket or a socketpair, as the kernel noted them.

    OSError (ENOPROTOOPT) where the platform or the family has no such thing. Without a peer Linux says pid 0 and -1.
    """
    if "SO_PEERCRED" not in _CONSTANTS:
        raise _missing("SO_PEERCRED")
    pid, uid, gid = _UCRED.unpack(sock.getsockopt(_CONSTANTS["SOL_SOCKET"], _CONSTANTS["SO_PEERCRED"], _UCRED.size))
    return PeerCredentials(pid, uid, gid)


def peer_groups(sock: HasOptions) -> tuple[int, ...]:
    """The supplementary groups of the process at the other end of a UNIX socket (SO_PEERGROUPS)."""
    if "SO_PEERGROUPS" not in _CONSTANTS:
        raise _missing("SO_PEERGROUPS")
    size = 1024
    while True:
        try:
            data = get_bytes(sock, _CONSTANTS["SOL_SOCKET"], _CONSTANTS["SO_PEERGROUPS"], size)
            break
        except OSError as failure:
            # Linux has 65,536 groups a process at most (NGROUPS_MAX).
            if failure.errno != errno.ERANGE or size > 65536 * 4:
                raise
            size *= 4
    return Struct(f"@{len(data) // 4}I").unpack(data)


def peer_pidfd(sock: HasOptions) -> int:
    """A descriptor of the process at the other end of a UNIX socket (SO_PEERPIDFD, Linux 6.5), which is the caller's
    to close. Unlike a pid it can never come to mean another process. It is close-on-exec."""
    if "SO_PEERPIDFD" not in _CONSTANTS:
        raise _missing("SO_PEERPIDFD")
    (fd,) = _INT.unpack(sock.getsockopt(_CONSTANTS["SOL_SOCKET"], _CONSTANTS["SO_PEERPIDFD"], _INT.size))
    return int(fd)


def original_destination(sock: socketpkg.socket) -> Any:
    """The address that a connection was made to before the firewall redirected it here (SO_ORIGINAL_DST).

    For AF_INET and AF_INET6. OSError (ENOENT) when the firewall knows nothing of the connection, ENOPROTOOPT when it
    does not look at connections.
    """
    six = sock.family == socketpkg.AF_INET6
    name = "IP6T_SO_ORIGINAL_DST" if six else "SO_ORIGINAL_DST"
    if name not in _CONSTANTS:
        raise _missing(name)
    level = _CONSTANTS["IPPROTO_IPV6" if six else "IPPROTO_IP"]
    return _CODEC.decode(sock.getsockopt(level, _CONSTANTS[name], 28 if six else 16), 0, None)
