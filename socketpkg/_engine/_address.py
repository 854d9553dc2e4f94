"""Addresses: what Python programs write, and the sockaddr that the kernel reads, for every family.

`AddressCodec.encode` makes a sockaddr of an address, `decode` an address of a sockaddr; the forms are those of the
standard library's documentation ("Socket families"). Both are told family and protocol as plain ints. Names are
resolved here, since a name is only another way to write an address, but a numeric host never enters the resolver.
The families that only Linux has are in `socketpkg._engine.families`.

Cython compiles this file for the ``c`` backend; each other backend runs it as a module of its own package, bound to
that package's ``syscalls``.
"""

from __future__ import annotations

import sys
from _operator import index

from socketpkg._engine.arguments import INT_MAX, UINT_MAX, c_masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from socketpkg._engine.families import RareFamilies
    from socketpkg.contract import HasDescriptor, Syscalls

    SYSCALLS = Syscalls()

    # Compiled, these are functions of C, in conversions.pxd.
    _decoded: Callable[[bytes], str]
    _encoded: Callable[[Any], bytes]
    _plain_bytes: Callable[[Any], bytes]
    _plain_str: Callable[[str], str]
else:
    # The one instance of the backend's class, which socketpkg.backends has made.
    from .syscalls import SYSCALLS

CONSTANTS = SYSCALLS.constants()
_sys = SYSCALLS

_LITTLE_ENDIAN = sys.byteorder == "little"
# The BSDs, macOS among them, begin a sockaddr with its length and have one byte for the family.
_SA_LEN = "sa-len" in SYSCALLS.features

AF_UNSPEC = CONSTANTS["AF_UNSPEC"]
AF_UNIX = CONSTANTS["AF_UNIX"]
AF_INET = CONSTANTS["AF_INET"]
AF_INET6 = CONSTANTS["AF_INET6"]
# These have the addresses of AF_INET: RDS of Linux, divert(4) of FreeBSD.
_AF_RDS = CONSTANTS.get("AF_RDS", -1)
_AF_DIVERT = CONSTANTS.get("AF_DIVERT", -1)
# Here an address depends on the interfaces or on the protocol, too.
_AF_PACKET = CONSTANTS.get("AF_PACKET", -1)
_AF_CAN = CONSTANTS.get("AF_CAN", -1)
_AF_BLUETOOTH = CONSTANTS.get("AF_BLUETOOTH", -1)
AI_PASSIVE = CONSTANTS["AI_PASSIVE"]
SOCK_DGRAM = CONSTANTS["SOCK_DGRAM"]

# sizeof(sun_path): unix(7), and sys/un.h of the BSDs.
_SUN_PATH_SIZE = 104 if _SA_LEN else 108
# The others are Linux, whatever the platform is called (Android has a name of its own).
_ABSTRACT_NAMES = not _SA_LEN
_SUN_PATH = 2

_FLOWINFO_MAX = 0xFFFFF
_BROADCAST = "255.255.255.255"
_SIN_ZERO = bytes(8)


def _header(family: int, size: int) -> bytes:
    """The first two bytes of a sockaddr of *size* bytes."""
    if _SA_LEN:
        return bytes((size, family))
    return bytes((family & 255, family >> 8)) if _LITTLE_ENDIAN else bytes((family >> 8, family & 255))


_HEADER_INET = _header(AF_INET, 16)
_HEADER_INET6 = _header(AF_INET6, 28)


def sockaddr_family(raw: bytes) -> int:
    """The family of a sockaddr that has one."""
    if _SA_LEN:
        return raw[1]
    return raw[0] | raw[1] << 8 if _LITTLE_ENDIAN else raw[0] << 8 | raw[1]


# -- hosts -----------------------------------------------------------------------------------------------------------


def host_name(host: Any) -> str:
    """*host* (str, bytes or bytearray) as text for the resolver: ASCII, or IDNA where it is not.

    TypeError for another type, for a NUL and for what IDNA cannot encode.
    """
    if type(host) is str:
        name = host
    elif isinstance(host, str):
        name = _plain_str(host)
    elif isinstance(host, (bytes, bytearray)):
        name = _decoded(_plain_bytes(host))
    else:
        raise TypeError(f"str, bytes or bytearray expected, not {type(host).__name__}")
    if "\0" in name:
        raise TypeError("host name must not contain null character")
    if isinstance(host, str) and not name.isascii():
        encoded = b""
        try:
            encoded = idna(name)
        except UnicodeError:
            # Raised in here, the error would have this UnicodeError as its context.
            pass
        if not encoded:
            raise TypeError("encoding of hostname failed")
        name = encoded.decode("ascii")
    return name


def idna(name: str) -> bytes:
    """*name* in IDNA, as the "idna" codec encodes it: UnicodeError for an empty label, or one of more than 63 bytes.

    The codec's time grows with the square of the length of a label (CVE-2022-45061), so what cannot be a host name is
    refused before. A label has 63 bytes at most (RFC 1035 2.3.4), and no character takes less than one.
    """
    name = _plain_str(name)
    if name.isascii():
        if len(name) < 64 and ".." not in name and name[:1] != ".":
            return name.encode("ascii")  # as the codec does, which takes modules that few programs need
    else:
        for label in name.replace("\u3002", ".").replace("\uff0e", ".").replace("\uff61", ".").split("."):
            if len(label) > 63:
                raise UnicodeEncodeError("idna", name, 0, len(name), "label too long")
    return name.encode("idna")


def resolve(host: str, family: int) -> tuple[int, bytes, int]:
    """The first address of *host*: its family, the packed address (4 or 16 bytes) and the scope id.

    ``''`` is the wildcard address and ``'<broadcast>'`` INADDR_BROADCAST. *family* is AF_INET, AF_INET6 or AF_UNSPEC.
    Raises gaierror when the name has no address of that family.
    """
    if not host:
        found = _sys.getaddrinfo(None, b"0", family, SOCK_DGRAM, 0, AI_PASSIVE)
        if len(found) > 1 and family == AF_UNSPEC:
            raise OSError("wildcard resolved to multiple address")
        return _packed(found[0][4])
    if host == "<broadcast>" or host == _BROADCAST:
        if family != AF_INET and family != AF_UNSPEC:
            raise OSError("address family mismatched")
        return AF_INET, b"\xff\xff\xff\xff", 0
    if host.isascii():
        if family != AF_INET6:
            packed = _sys.inet_pton(AF_INET, host)
            if packed is not None:
                return AF_INET, packed, 0
        if family != AF_INET and ":" in host:
            numeric, _, scope = host.partition("%")
            packed = _sys.inet_pton(AF_INET6, numeric)
            if packed is not None:
                if not scope and numeric is not host and len(numeric) != len(host):
                    packed = None  # "fe80::1%" names no scope: let the resolver refuse it
                else:
                    number = _scope_id(scope)
                    if number >= 0:
                        return AF_INET6, packed, number
    # Names that are no ASCII come from bytes; the resolver gets back the bytes they were.
    found = _sys.getaddrinfo(_encoded(host), None, family, 0, 0, 0)
    return _packed(found[0][4])


def _packed(raw: bytes) -> tuple[int, bytes, int]:
    family = sockaddr_family(raw)
    if family == AF_INET:
        return AF_INET, raw[4:8], 0
    if family == AF_INET6:
        return AF_INET6, raw[8:24], int.from_bytes(raw[24:28], sys.byteorder)
    raise OSError("unknown address family")


def _scope_id(scope: str) -> int:
    """The interface index that *scope* names (RFC 4007 11), 0 for an empty one, -1 when there is no such interface."""
    if not scope:
        return 0
    if scope.isdecimal():
        number = int(scope)
        return number if number <= 0xFFFFFFFF else -1
    try:
        return _sys.if_nametoindex(_encoded(scope))
    except OSError:
        return -1


def _port(port: Any, caller: str, name: str, family: int) -> int:
    number = index(port)
    if number < 0 or number > 0xFFFF:
        if -INT_MAX - 1 <= number <= INT_MAX:
            # What is wrong with the host is told first, as in the standard library.
            resolve(name, family)
        raise OverflowError(f"{caller}(): port must be 0-65535.")
    return number


def _unsigned(value: Any) -> int:
    number = index(value)
    return number if 0 <= number <= UINT_MAX else c_masked(number, 32)


# -- encode ----------------------------------------------------------------------------------------------------------


# Programs send to the same addresses again and again. The sockaddr of a numeric one never changes, so those used last
# are kept; a name's may change, and is looked up every time. The addresses that programs hear from are kept likewise.
#
# Each cache is a pair of dicts: the recent one, and the older one, which is asked second. A full recent one becomes the
# older one, and what that one had is forgotten. So up to _RECENT_MAX addresses are always found, with more of them the
# share of those that are not grows slowly, and no cache has more than twice as many. The dicts themselves stay the
# same: without the GIL, one thread may read them while another one fills them.
_RECENT_MAX = 16384
_recent_inet: dict[Any, bytes] = {}
_older_inet: dict[Any, bytes] = {}
_recent_inet6: dict[Any, bytes] = {}
_older_inet6: dict[Any, bytes] = {}
_recent_heard: dict[bytes, Any] = {}
_older_heard: dict[bytes, Any] = {}


def _keep(recent: dict[Any, Any], older: dict[Any, Any], key: Any, value: Any) -> None:
    """Puts a value into a cache."""
    if len(recent) >= _RECENT_MAX:
        older.clear()
        older.update(recent)
        recent.clear()
    recent[key] = value


def _is_plain(address: Any) -> bool:
    """Whether *address* is a tuple of a str and ints, nothing that is only equal to one (1.0, True)."""
    if type(address) is not tuple or not address or type(address[0]) is not str:
        return False
    if len(address) == 2:
        return type(address[1]) is int
    for part in address[1:]:  # noqa: SIM110  # a generator would cost more than the rest
        if type(part) is not int:
            return False
    return True


def _is_numeric(host: str, family: int) -> bool:
    return host.isascii() and "\0" not in host and _sys.inet_pton(family, host) is not None


def _encode_inet(address: Any, caller: str) -> bytes:
    plain = _is_plain(address)
    if plain:
        known = _recent_inet.get(address)
        if known is not None:
            return known
        known = _older_inet.get(address)
        if known is not None:
            _keep(_recent_inet, _older_inet, address, known)
            return known
    if not isinstance(address, tuple):
        raise TypeError(f"{caller}(): AF_INET address must be tuple, not {type(address).__name__}")
    if len(address) != 2:
        raise TypeError("AF_INET address must be a pair (host, port)")
    name = host_name(address[0])
    port = _port(address[1], caller, name, AF_INET)
    _, packed, _ = resolve(name, AF_INET)
    raw = _HEADER_INET + bytes((port >> 8, port & 255)) + packed + _SIN_ZERO
    if plain and _is_numeric(address[0], AF_INET):
        _keep(_recent_inet, _older_inet, address, raw)
    return raw


def _encode_inet6(address: Any, caller: str) -> bytes:
    plain = _is_plain(address)
    if plain:
        known = _recent_inet6.get(address)
        if known is not None:
            return known
        known = _older_inet6.get(address)
        if known is not None:
            _keep(_recent_inet6, _older_inet6, address, known)
            return known
    if not isinstance(address, tuple):
        raise TypeError(f"{caller}(): AF_INET6 address must be tuple, not {type(address).__name__}")
    size = len(address)
    if size < 2 or size > 4:
        raise TypeError("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])")
    name = host_name(address[0])
    port = _port(address[1], caller, name, AF_INET6)
    flowinfo = _unsigned(address[2]) if size > 2 else 0
    scope_id = _unsigned(address[3]) if size > 3 else 0
    if flowinfo > _FLOWINFO_MAX:
        raise OverflowError(f"{caller}(): flowinfo must be 0-1048575.")
    _, packed, scope_of_host = resolve(name, AF_INET6)
    if not scope_id:
        # A scope that the host names ("fe80::1%eth0") holds unless the tuple has one of its own.
        scope_id = scope_of_host
    raw = (
        _HEADER_INET6
        + bytes((port >> 8, port & 255))
        + flowinfo.to_bytes(4, "big")
        + packed
        + scope_id.to_bytes(4, sys.byteorder)
    )
    if plain and _is_numeric(address[0], AF_INET6):
        _keep(_recent_inet6, _older_inet6, address, raw)
    return raw


def _encode_unix(address: Any) -> bytes:
    if type(address) is not bytes and (isinstance(address, str) or hasattr(type(address), "__fspath__")):
        path = _encoded(address)
    else:
        path = _plain_bytes(address)
    if _ABSTRACT_NAMES and (not path or path[0] == 0):
        # An abstract name has no NUL behind it; an empty one asks bind(2) to choose one (autobind, unix(7)).
        if len(path) > _SUN_PATH_SIZE:
            raise OSError("AF_UNIX path too long")
        return _header(AF_UNIX, _SUN_PATH + len(path)) + path
    if len(path) >= _SUN_PATH_SIZE:
        raise OSError("AF_UNIX path too long")
    return _header(AF_UNIX, _SUN_PATH + len(path) + 1) + path + b"\0"


def _decode_inet(raw: bytes, family: int) -> Any:
    port = raw[2] << 8 | raw[3]
    if family == AF_INET:
        return f"{raw[4]}.{raw[5]}.{raw[6]}.{raw[7]}", port
    return (
        _sys.inet_ntop(AF_INET6, raw[8:24]),
        port,
        int.from_bytes(raw[4:8], "big"),
        int.from_bytes(raw[24:28], sys.byteorder),
    )


def _decode_unix(raw: bytes) -> Any:
    if len(raw) == _SUN_PATH:
        return ""
    if _ABSTRACT_NAMES and raw[_SUN_PATH] == 0:
        return raw[_SUN_PATH:]
    return _decoded(raw[_SUN_PATH:].partition(b"\0")[0])


def _families() -> RareFamilies:
    """The codec of the other families, made when the first of them is used."""
    global _others
    if _others is None:
        from socketpkg._engine.families import RareFamilies

        _others = RareFamilies(CONSTANTS, SYSCALLS)
    return _others


_others: RareFamilies | None = None


class AddressCodec:
    """Addresses of Python to sockaddr and back. It has no state; it is a class so that compiled code calls it fast."""

    def encode(self, family: int, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        """The sockaddr of *address* for a socket of *family* and *proto*; *caller* names the method in the errors. The
        interfaces in it are those of the network namespace of *sock*, or of the thread where there is no socket.

        Raises TypeError for an address of another form, OverflowError for numbers out of range, gaierror for a host
        that does not resolve, OSError for what the family cannot express.
        """
        if family == AF_INET:
            return _encode_inet(address, caller)
        if family == AF_INET6:
            return _encode_inet6(address, caller)
        if family == AF_UNIX:
            return _encode_unix(address)
        if family in (_AF_RDS, _AF_DIVERT):
            return _encode_inet(address, caller)
        return _families().encode(family, proto, address, caller, sock)

    def numeric(self, family: int, host: Any, port: Any) -> bytes | None:
        """The sockaddr of *host* and *port* if both are plain and numeric, without a scope, else None.

        *family* is that of the host, or AF_UNSPEC.
        """
        if type(host) is not str or type(port) is not int:
            return None
        version = AF_INET6 if ":" in host else AF_INET
        if family != version and family != AF_UNSPEC:
            return None
        address = (host, port)
        raw = (_recent_inet if version == AF_INET else _recent_inet6).get(address)
        if raw is None:
            if not _is_numeric(host, version) or not 0 <= port <= 0xFFFF:
                return None
            raw = self.encode(version, 0, address, "", None)
        return raw

    def decode(self, raw: bytes, proto: int, sock: HasDescriptor | None) -> Any:
        """The address that a sockaddr holds, of a socket with the protocol *proto*; None for an empty one. The
        interfaces in it are those of the network namespace of *sock*, or of the thread where there is no socket.

        A family that is not known gives ``(family, bytes)``, as in the standard library.
        """
        if not raw:
            return None
        address = _recent_heard.get(raw)
        if address is not None:
            return address
        address = _older_heard.get(raw)
        if address is None:
            size = len(raw)
            if size < 2:
                return None
            family = sockaddr_family(raw)
            if (family == AF_INET and size >= 8) or (family == AF_INET6 and size >= 24):
                address = _decode_inet(raw, family)
            elif family == AF_UNIX:
                address = _decode_unix(raw)
            else:
                address = _families().decode(family, proto, raw, sock)
                if family in (_AF_PACKET, _AF_CAN, _AF_BLUETOOTH):
                    return address  # by the sockaddr alone it is not known
        _keep(_recent_heard, _older_heard, raw, address)
        return address


if "_port" in globals():
    # Interpreted only: compiled, a function that the .pxd declares, such as _port, is no name of the module.
    from socketpkg._engine.arguments import IN_C

    globals().update(IN_C)
