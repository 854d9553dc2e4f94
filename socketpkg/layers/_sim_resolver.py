"""The names of the network of ``sim``, and the interfaces of its hosts. No resolver of the machine is asked."""

from __future__ import annotations

import errno
import struct
from _socket import gaierror, herror

from ._names import Names, is_numeric
from ._sim_names import ANY4, ANY6, LOOPBACK4, LOOPBACK6, MAPPED, Codec, Endpoint, error, is_v4
from .guard import _is_old_numeric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..contract import Syscalls

#: The interfaces of every host: number, name and flags.
_UP_LOOPBACK_RUNNING = 0x1 | 0x8 | 0x40
_UP_BROADCAST_RUNNING_MULTICAST = 0x1 | 0x2 | 0x40 | 0x1000
INTERFACES = ((1, b"lo", _UP_LOOPBACK_RUNNING), (2, b"eth0", _UP_BROADCAST_RUNNING_MULTICAST))
LOOPBACK, ETHERNET = 1, 2
#: The widths of their networks.
_PREFIX = {LOOPBACK4: 8, LOOPBACK6: 128}

Found = tuple[int, int, int, bytes, bytes]


class Resolver:
    """Answers look-ups from a table."""

    def __init__(self, below: Syscalls, names: Names, codec: Codec) -> None:
        self._below = below
        self._names = names
        self._codec = codec
        #: Host names in lower case, with their addresses.
        self.table: dict[str, tuple[bytes, ...]] = {}
        constants = names.constants
        self._numeric = constants["AI_NUMERICHOST"]
        self._passive = constants["AI_PASSIVE"]
        self._canonical = constants["AI_CANONNAME"]
        self._configured = constants.get("AI_ADDRCONFIG", 0)
        self._mapped = constants.get("AI_V4MAPPED", 0)

    # -- by name -------------------------------------------------------------------------------------------------

    def addresses(self, name: bytes, own: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
        """The addresses of a host name, for a host that has the addresses *own*; None when there is no such name."""
        text = name.decode("utf-8", "backslashreplace").rstrip(".").lower()
        found = self.table.get(text)
        if found is not None:
            return found
        # RFC 6761 6.3
        if text in ("localhost", "ip6-localhost") or text.endswith(".localhost"):
            return (LOOPBACK6, LOOPBACK4)
        return own if text == self._below.gethostname().decode("utf-8", "backslashreplace").lower() else None

    def getaddrinfo(
        self,
        host: bytes | None,
        service: bytes | None,
        family: int,
        type: int,
        proto: int,
        flags: int,
        own: tuple[bytes, ...],
    ) -> list[Found]:
        # glibc asks the machine's interfaces for AI_ADDRCONFIG, and to sort more than one address.
        kept = flags & ~self._configured
        if host is not None and (is_numeric(host) or _is_old_numeric(host)):
            return self._below.getaddrinfo(self._scoped(host), service, family, type, proto, kept)
        if host is None or kept & self._numeric:
            addresses: tuple[bytes, ...] = (ANY4, ANY6) if kept & self._passive else (LOOPBACK6, LOOPBACK4)
            if host is not None:
                return self._below.getaddrinfo(host, service, family, type, proto, kept)
            if service is None:
                raise self._gaierror("EAI_NONAME")
        else:
            known = self.addresses(host, own)
            if known is None:
                raise self._gaierror("EAI_NONAME")
            addresses = known
        found: list[Found] = []
        for address in addresses:
            short = is_v4(address)
            if family == self._names.AF_INET6 and short and kept & self._mapped and not found:
                text = b"::ffff:" + self._text(address)
            elif family in (0, self._names.AF_INET if short else self._names.AF_INET6):
                text = self._text(address)
            else:
                continue
            flag_bits = kept & ~self._canonical | self._numeric
            found += self._below.getaddrinfo(text, service, family, type, proto, flag_bits)
        if not found:
            # A family that there is not is refused by the C library.
            self._below.getaddrinfo(
                b"127.0.0.1" if family != self._names.AF_INET6 else b"::1", service, family, type, proto, kept
            )
            raise self._gaierror("EAI_NODATA")
        if kept & self._canonical and host is not None:
            first = found[0]
            found[0] = (*first[:3], host, first[4])
        return found

    def _text(self, address: bytes) -> bytes:
        if is_v4(address):
            return self._below.inet_ntop(self._names.AF_INET, address[12:]).encode()
        return self._below.inet_ntop(self._names.AF_INET6, address).encode()

    def _scoped(self, host: bytes) -> bytes:
        """An address with the number of an interface in place of its name."""
        address, percent, zone = host.partition(b"%")
        for index, name, _ in INTERFACES:
            if zone == name:
                return b"%s%%%d" % (address, index)
        if percent and not zone.isdigit():
            raise self._gaierror("EAI_NONAME")
        return host

    def gethostbyname(
        self, name: bytes, family: int, own: tuple[bytes, ...]
    ) -> tuple[bytes, list[bytes], int, list[bytes]]:
        if is_numeric(name) or _is_old_numeric(name):
            return self._below.gethostbyname(name, family)
        four = family == self._names.AF_INET
        known = self.addresses(name, own)
        found = [address[12:] if four else address for address in known or () if is_v4(address) == four]
        if not found:
            raise herror(1, "Unknown host")
        return name, [], family, found

    def _gaierror(self, name: str) -> gaierror:
        texts = {"EAI_NONAME": "Name or service not known", "EAI_NODATA": "No address associated with hostname"}
        return gaierror(self._names.constants[name], texts[name])

    # -- by address ----------------------------------------------------------------------------------------------

    def name_of(self, address: bytes, own: tuple[bytes, ...]) -> bytes | None:
        """The name of an address; None when it has none."""
        for name, addresses in self.table.items():
            if address in addresses:
                return name.encode()
        if address in (LOOPBACK4, LOOPBACK6):
            return b"localhost"
        return self._below.gethostname() if address in own else None

    def gethostbyaddr(
        self, packed: bytes, family: int, own: tuple[bytes, ...]
    ) -> tuple[bytes, list[bytes], int, list[bytes]]:
        name = self.name_of(MAPPED + packed if len(packed) == 4 else packed, own)
        if name is None:
            raise herror(1, "Unknown host")
        return name, [], family, [packed]

    def getnameinfo(self, raw: bytes, flags: int, own: tuple[bytes, ...]) -> tuple[bytes, bytes]:
        numeric = self._names.constants["NI_NUMERICHOST"]
        needed = self._names.constants["NI_NAMEREQD"]
        endpoint = self._codec.endpoint(raw)
        if endpoint is None or flags & numeric:
            return self._below.getnameinfo(raw, flags)
        service = self._below.getnameinfo(raw, (flags | numeric) & ~needed)
        name = self.name_of(endpoint.address, own)
        if name is None:
            if flags & needed:
                raise self._gaierror("EAI_NONAME")
            return service
        return name, service[1]

    # -- interfaces ----------------------------------------------------------------------------------------------

    def if_nameindex(self) -> list[tuple[int, bytes]]:
        return [(index, name) for index, name, _ in INTERFACES]

    def if_nametoindex(self, name: bytes) -> int:
        for index, known, _ in INTERFACES:
            if name == known:
                return index
        raise error(errno.ENODEV)

    def if_indextoname(self, index: int) -> bytes:
        for known, name, _ in INTERFACES:
            if index == known:
                return name
        raise error(errno.ENXIO)

    def getifaddrs(self, own: tuple[bytes, ...]) -> list[tuple[bytes, int, bytes, bytes, bytes]]:
        """The loopback with its addresses, and an interface with those of the host, in networks of 256 addresses."""
        found = []
        packet = self._names.constants.get("AF_PACKET", 17)
        for index, name, flags in INTERFACES:
            # struct sockaddr_ll of packet(7); ARPHRD_LOOPBACK is 772, ARPHRD_ETHER 1.
            hardware = bytes(6) if index == LOOPBACK else b"\2\0" + (own[0][12:] if own else bytes(4))
            raw = struct.pack("=HHiHBB8s", packet, 0, index, 772 if index == LOOPBACK else 1, 0, 6, hardware)
            found.append((name, flags, raw, b"", b""))
        for index, name, flags in INTERFACES:
            for address in (LOOPBACK4, LOOPBACK6) if index == LOOPBACK else own:
                width = _PREFIX.get(address, 24 if is_v4(address) else 64) + (96 if is_v4(address) else 0)
                mask = (2**128 - 2 ** (128 - width)).to_bytes(16, "big")
                if is_v4(address):
                    mask = MAPPED + mask[12:]
                family = self._names.AF_INET if is_v4(address) else self._names.AF_INET6
                other = b""
                if is_v4(address) and index == ETHERNET:
                    other = self._codec.sockaddr(family, Endpoint(address[:15] + b"\xff", 0))
                found.append(
                    (
                        name,
                        flags,
                        self._codec.sockaddr(family, Endpoint(address, 0)),
                        self._codec.sockaddr(family, Endpoint(mask, 0)),
                        other,
                    )
                )
        return found
