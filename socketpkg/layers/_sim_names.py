"""How ``sim`` writes addresses: those of the simulated network as names of the UNIX sockets that stand for them.

A socket that others reach (a listener, a datagram socket) is bound to a path in the folder of the network. The client
of a connection, whom nobody reaches, has an abstract name with both of its addresses, and the other side learns them
from it. So the kernel keeps the addresses with the socket itself, for every duplicate and every process.

An address is 16 bytes: one of IPv4 is written as IPv6 maps it (RFC 4291, 2.5.5.2).
"""

from __future__ import annotations

import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from ._names import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAPPED = bytes(10) + b"\xff\xff"
ANY4 = MAPPED + bytes(4)
ANY6 = bytes(16)
LOOPBACK4 = MAPPED + b"\x7f\0\0\1"
LOOPBACK6 = bytes(15) + b"\1"
BROADCAST = MAPPED + b"\xff\xff\xff\xff"
#: What a socket accepts: IPv4 alone, both, or IPv6 alone.
ONLY4, BOTH, ONLY6 = "4", "6", "o"


class Endpoint(NamedTuple):
    """An address of the simulated network, and a port."""

    address: bytes
    port: int

    def __str__(self) -> str:
        text = shown(self.address)
        return f"[{text}]:{self.port}" if ":" in text else f"{text}:{self.port}"


class Bound(NamedTuple):
    """What the name of a UNIX socket says of the simulated one."""

    #: The address of the file, or the abstract name; without the family.
    name: bytes
    host: int
    local: Endpoint
    #: Of the client of a connection: whom it is connected to.
    remote: Endpoint | None
    #: ONLY4, BOTH or ONLY6.
    accepts: str
    #: What was set when it was bound: "a" SO_REUSEADDR, "p" SO_REUSEPORT.
    reuse: str


def is_v4(address: bytes) -> bool:
    return address.startswith(MAPPED)


def is_any(address: bytes) -> bool:
    return address in (ANY4, ANY6)


def is_loopback(address: bytes) -> bool:
    return address == LOOPBACK6 or (address.startswith(MAPPED) and address[12] == 127)


def is_multicast(address: bytes) -> bool:
    return 224 <= address[12] < 240 if address.startswith(MAPPED) else address[0] == 0xFF


def is_broadcast(address: bytes) -> bool:
    """255.255.255.255, or that of a network of 256 addresses, as all networks of hosts here are."""
    return address.startswith(MAPPED) and address[15] == 255 and address[12] != 127 and not is_multicast(address)


def packed(text: str) -> bytes:
    """An address in 16 bytes. ValueError for another text."""
    found = ip_address(text)
    return found.packed if isinstance(found, IPv6Address) else MAPPED + found.packed


def shown(address: bytes) -> str:
    """An address as people write it."""
    return str(ip_address(address[12:] if address.startswith(MAPPED) else address))


def covers(accepts: str, bound: bytes, address: bytes) -> bool:
    """Whether a socket that is bound to *bound* gets what comes to *address*."""
    if bound == address:
        return True
    if accepts == ONLY4:
        return bound == ANY4 and address.startswith(MAPPED)
    return bound == ANY6 and (accepts == BOTH or not address.startswith(MAPPED))


def overlap(accepts: str, bound: bytes, other_accepts: str, other: bytes) -> bool:
    """Whether two sockets at one port would get the same."""
    return covers(accepts, bound, other) or covers(other_accepts, other, bound)


_PATH = struct.Struct("=H")
_IN = struct.Struct("!H4s8x")
_IN6 = struct.Struct("!HI16s")


class Codec:
    """The sockaddr of both worlds, and the names of one network."""

    def __init__(self, names: Names, folder: str, key: str) -> None:
        self._names = names
        self._unix = _PATH.pack(names.AF_UNIX)
        self._inet = _PATH.pack(names.AF_INET)
        self._inet6 = _PATH.pack(names.AF_INET6)
        self.folder: bytes = os.fsencode(folder) + b"/"
        self.prefix: bytes = b"\0sp-sim/" + key.encode() + b"/"

    # -- of AF_INET and AF_INET6 ---------------------------------------------------------------------------------

    def endpoint(self, raw: bytes) -> Endpoint | None:
        """The address in a sockaddr; None when it is of another family."""
        found = self._names.ip(raw)
        if found is None:
            return None
        address = found[0]
        return Endpoint(MAPPED + address if len(address) == 4 else address, found[1])

    def sockaddr(self, family: int, endpoint: Endpoint) -> bytes:
        """The sockaddr that a socket of *family* shows for an address."""
        address, port = endpoint
        if family == self._names.AF_INET:
            return self._inet + _IN.pack(port, address[12:] if address.startswith(MAPPED) else bytes(4))
        if address == ANY4:
            address = ANY6
        return self._inet6 + _IN6.pack(port, 0, address) + bytes(4)

    # -- of AF_UNIX ----------------------------------------------------------------------------------------------

    def unix(self, name: bytes) -> bytes:
        """The sockaddr of a path or of an abstract name."""
        return self._unix + name + (b"" if name.startswith(b"\0") else b"\0")

    def client_name(self, host: int, local: Endpoint, remote: Endpoint) -> bytes:
        """The name of the client of a connection."""
        ends = b"%s%04x%s%04x" % (_short(local.address), local.port, _short(remote.address), remote.port)
        return b"%s%08x%s" % (self.prefix, host, ends)

    def file_name(self, host: int, address: bytes, accepts: str, reuse: str) -> str:
        """The name of the file of a socket that others reach, in the folder of its port."""
        return f"{host:08x}{_short(address).decode()}{accepts}{reuse}~{number()}"

    def parse(self, raw: bytes) -> Bound | None:
        """What a sockaddr of AF_UNIX says; None when it is none of this network."""
        name = raw[2:]
        if name.startswith(self.prefix):
            text = name[len(self.prefix) :].decode("ascii", "replace")
            if len(text) != 60:
                return None
            local = Endpoint(_long(text[8:30]), int(text[30:34], 16))
            remote = Endpoint(_long(text[34:56]), int(text[56:60], 16))
            return Bound(name, int(text[:8], 16), local, remote, ONLY4, "")
        name = name.partition(b"\0")[0]
        if not name.startswith(self.folder):
            return None
        kind, _, rest = name[len(self.folder) :].decode("ascii", "replace").partition("/")
        port, _, file = rest.partition("/")
        return self.parse_file(name, port, file) if kind in ("t", "u") else None

    def parse_file(self, name: bytes, port: str, file: str) -> Bound | None:
        """What the name of a file says; None for one that stands beside it, or is of another kind."""
        head, _, tail = file.partition("~")
        if len(tail) != 8 or len(head) < 31:
            return None
        local = Endpoint(_long(head[8:30]), int(port))
        return Bound(name, int(head[:8], 16), local, None, head[30], head[31:])

    # -- beside the file of a socket -----------------------------------------------------------------------------

    def pair(self, local: Endpoint, remote: Endpoint) -> str:
        """Two addresses as the text of a symbolic link."""
        return (b"%s%04x%s%04x" % (_short(local.address), local.port, _short(remote.address), remote.port)).decode()

    def parse_pair(self, text: str) -> tuple[Endpoint, Endpoint]:
        return (
            Endpoint(_long(text[:22]), int(text[22:26], 16)),
            Endpoint(_long(text[26:48]), int(text[48:52], 16)),
        )


def number() -> str:
    """Eight characters that tell a name from every other."""
    return urlsafe_b64encode(os.urandom(6)).decode()


def _short(address: bytes) -> bytes:
    return urlsafe_b64encode(address)[:22]


def _long(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


def short(address: bytes) -> str:
    """An address in 22 characters that a file's name may hold."""
    return _short(address).decode()


def long(text: str) -> bytes:
    """The address of `short`."""
    return _long(text)


def host_number(addresses: tuple[bytes, ...]) -> int:
    """What a host is known by: its first address of IPv4, or what is made of one of IPv6."""
    for address in addresses:
        if is_v4(address):
            return int.from_bytes(address[12:], "big")
    from zlib import crc32

    return crc32(addresses[0])


def error(number: int, note: str = "") -> OSError:
    """An error of the system, with a note that says what it is about here."""
    failure = OSError(number, os.strerror(number))
    if note:
        failure.add_note(note)
    return failure


class Refused(int):
    """The errno of a connect that failed, with the reason: connect() adds it to its error as a note."""

    note: str


def refused(number: int, note: str) -> Refused:
    """A `Refused`."""
    made = Refused(number)
    made.note = note
    return made


def addresses(text: str) -> tuple[bytes, ...]:
    """The addresses in ``10.0.0.6+10.0.0.7``. ValueError when one is wrong."""
    return tuple(packed(word) for word in text.split("+"))


def ip(raw: Any) -> str:
    """An address for people, of text, `ipaddress` or bytes."""
    return shown(raw if isinstance(raw, bytes) else packed(str(raw)))
