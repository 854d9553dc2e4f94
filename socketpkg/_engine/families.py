"""The address families of Linux beyond AF_UNIX, AF_INET and AF_INET6.

Few programs use one of them, so `socketpkg._engine._address` imports this module when the first such address comes
along, and no backend compiles it. The layouts are those of the kernel's headers; a number that the kernel keeps in
network order or as a little-endian one is marked at its layout, all others have the machine's order.

The forms are those of the standard library's documentation ("Socket families"), and so are the errors: the texts of
CPython, also where it says the same thing differently from family to family. Beside its form, and for a family that has
none (AF_XDP, AF_MCTP, AF_SMC, ...) in its place, each takes a sockaddr as the bytes that the kernel reads; but for
AF_BLUETOOTH, where bytes may be a form.
"""

from __future__ import annotations

import errno
import sys
from _operator import index
from struct import Struct

from socketpkg._engine.arguments import INT_MAX, UINT_MAX, c_masked, file_system_bytes, plain_bytes
from socketpkg._engine.originals import fsdecode, strerror

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from socketpkg.contract import HasDescriptor, Syscalls

# Each begins with the family, two bytes, and "x" is padding or reserved.
_NETLINK = Struct("=H2xII")  # sockaddr_nl: pid, groups
_QIPCRTR = Struct("=H2xII")  # sockaddr_qrtr: node, port
_VSOCK = Struct("=H2xII4x")  # sockaddr_vm: port, cid; flags
_PACKET = Struct("=H2siHBB8s")  # sockaddr_ll: protocol (network order), ifindex, hatype, pkttype, halen, addr
_PACKET_ADDRESS = 12
_TIPC = Struct("=HBbIII")  # sockaddr_tipc: addrtype, scope and a union of three numbers at most
_CAN = Struct("=H2xi16s")  # sockaddr_can: ifindex and the union of the next two
_CAN_ISOTP = Struct("=II8x")  # rx_id, tx_id
_CAN_J1939 = Struct("=QIB3x")  # name, pgn, addr
_ALG = Struct("=H14sII64s")  # sockaddr_alg: type, feat, mask, name
_L2CAP = Struct("=H2s6s2sBx")  # sockaddr_l2: psm (little-endian), bdaddr, cid (little-endian), bdaddr_type
_RFCOMM = Struct("=H6sBx")  # sockaddr_rc: bdaddr, channel
_HCI = Struct("=HHH")  # sockaddr_hci: dev, channel
_SCO = Struct("=H6s")  # sockaddr_sco: bdaddr

_SOCKADDR_MAX = 128  # sizeof(struct sockaddr_storage)
_ALG_TYPE_SIZE = 14
_ALG_NAME_SIZE = 64
_HARDWARE_ADDRESS_SIZE = 8

_TEXT = 0  # in place of a number of bits

_PACKET_FORM = "AF_PACKET address must be a tuple of two to five elements"
_ALG_FORM = "AF_ALG address must be a tuple (type, name[, feat[, mask]])"


class RareFamilies:
    """Encoding and decoding over one backend's constants and calls; the interface of `AddressCodec`."""

    def __init__(self, constants: Mapping[str, int], syscalls: Syscalls) -> None:
        self._constants = constants
        self._sys = syscalls
        #: The families that the headers know.
        self._named = frozenset([number for name, number in constants.items() if name.startswith("AF_") and number > 0])
        self._codecs: dict[int, tuple[Callable[..., bytes], Callable[..., Any]]] = {}
        if "sa-len" not in syscalls.features:
            for name, encode, decode in (
                ("AF_NETLINK", self._encode_netlink, self._decode_netlink),
                ("AF_PACKET", self._encode_packet, self._decode_packet),
                ("AF_VSOCK", self._encode_vsock, self._decode_vsock),
                ("AF_CAN", self._encode_can, self._decode_can),
                ("AF_ALG", self._encode_alg, self._decode_alg),
                ("AF_TIPC", self._encode_tipc, self._decode_tipc),
                ("AF_QIPCRTR", self._encode_qipcrtr, self._decode_qipcrtr),
                ("AF_BLUETOOTH", self._encode_bluetooth, self._decode_bluetooth),
            ):
                if name in constants:
                    self._codecs[constants[name]] = encode, decode

    def encode(self, family: int, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        """The sockaddr of *address* for a socket of *family* and *proto*."""
        codec = self._codecs.get(family)
        if isinstance(address, bytes) and family != self._constants.get("AF_BLUETOOTH"):
            if len(address) > _SOCKADDR_MAX:
                raise OSError(f"{caller}(): sockaddr too long")
            return plain_bytes(address)
        if codec is None:
            raise OSError(f"{caller}(): bad family")
        return codec[0](proto, address, caller, sock)

    def decode(self, family: int, proto: int, raw: bytes, sock: HasDescriptor | None) -> Any:
        """The address in a sockaddr of *family*, of a socket with the protocol *proto*."""
        codec = self._codecs.get(family)
        if codec is not None:
            return codec[1](proto, raw, sock)
        if family in self._named:
            # The form that `encode` takes for it.
            return raw
        return family, raw[2:16].ljust(14, b"\0")

    # -- interfaces --------------------------------------------------------------------------------------------------

    # A socket has the interfaces of its network namespace, whatever the namespace of the thread is.

    def _interface_index(self, name: bytes, sock: HasDescriptor | None) -> int:
        if len(name) >= self._constants["IFNAMSIZ"]:
            # musl would look for the beginning of the name.
            raise OSError(errno.ENODEV, strerror(errno.ENODEV))
        return self._sys.if_nametoindex(name) if sock is None else self._sys.interface_index(sock, name)

    def _interface_name(self, number: int, sock: HasDescriptor | None) -> str:
        """Empty for 0, which is any interface, and for an interface that is gone."""
        if number:
            try:
                if sock is None:
                    return fsdecode(self._sys.if_indextoname(number & UINT_MAX))
                return fsdecode(self._sys.interface_name(sock, number))
            except OSError:
                pass
        return ""

    # -- AF_NETLINK: (pid, groups) -----------------------------------------------------------------------------------

    def _encode_netlink(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        items = _tuple(address, f"{caller}(): AF_NETLINK")
        if len(items) != 2:
            raise TypeError("AF_NETLINK address must be a pair (pid, groups)")
        return _NETLINK.pack(self._constants["AF_NETLINK"], *(c_masked(item, 32) for item in items))

    def _decode_netlink(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> tuple[int, int]:
        _, pid, groups = _unpack(_NETLINK, raw)
        return pid, groups

    # -- AF_QIPCRTR: (node, port) ------------------------------------------------------------------------------------

    def _encode_qipcrtr(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        items = _tuple(address, "getsockaddrarg: AF_QIPCRTR")
        node, port = _pair_of_numbers(items)
        return _QIPCRTR.pack(self._constants["AF_QIPCRTR"], node, port)

    def _decode_qipcrtr(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> tuple[int, int]:
        _, node, port = _unpack(_QIPCRTR, raw)
        return node, port

    # -- AF_VSOCK: (cid, port) ---------------------------------------------------------------------------------------

    def _encode_vsock(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        items = _tuple(address, "getsockaddrarg: AF_VSOCK")
        cid, port = _pair_of_numbers(items)
        return _VSOCK.pack(self._constants["AF_VSOCK"], port, cid)

    def _decode_vsock(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> tuple[int, int]:
        _, port, cid = _unpack(_VSOCK, raw)
        return cid, port

    # -- AF_PACKET: (ifname, proto[, pkttype[, hatype[, addr]]]) -----------------------------------------------------

    def _encode_packet(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        items = _tuple(address, f"{caller}(): AF_PACKET")
        if not 2 <= len(items) <= 5:
            raise TypeError(_PACKET_FORM)
        # The file system's encoding, as for every other interface name, so that what decoding gives can be given back.
        name = _text(items[0], _PACKET_FORM, file_system_bytes)
        numbers = [0, self._constants["PACKET_HOST"], 0]
        for at, item in enumerate(items[1:4]):
            numbers[at] = index(item)
            if not -INT_MAX - 1 <= numbers[at] <= INT_MAX:
                raise OverflowError(f"{caller}(): address argument out of range")
        ethertype, packet_type, hardware_type = numbers
        hardware = plain_bytes(items[4]) if len(items) > 4 else b""
        number = self._interface_index(name, sock)
        if len(hardware) > _HARDWARE_ADDRESS_SIZE:
            raise ValueError("Hardware address must be 8 bytes or less")
        if not 0 <= ethertype <= 0xFFFF:
            raise OverflowError(f"{caller}(): proto must be 0-65535.")
        return _PACKET.pack(
            self._constants["AF_PACKET"],
            ethertype.to_bytes(2, "big"),
            number,
            hardware_type & 0xFFFF,
            packet_type & 0xFF,
            len(hardware),
            hardware,
        )

    def _decode_packet(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> tuple[str, int, int, int, bytes]:
        _, ethertype, number, hardware_type, packet_type, size, _ = _unpack(_PACKET, raw)
        return (
            self._interface_name(number, sock),
            int.from_bytes(ethertype, "big"),
            packet_type,
            hardware_type,
            # It can be longer than the struct has room for: InfiniBand's has 20 bytes (packet(7)).
            raw[_PACKET_ADDRESS : _PACKET_ADDRESS + size].ljust(size, b"\0"),
        )

    # -- AF_TIPC: (addr_type, v1, v2, v3[, scope]) -------------------------------------------------------------------

    def _encode_tipc(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        items = _tuple(address, f"{caller}(): AF_TIPC")
        if not 4 <= len(items) <= 5:
            raise TypeError("AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])")
        # A list: PyPy replaces the error that comes out of a generator while it is unpacked.
        kind, one, two, three, *rest = [c_masked(item, 32) for item in items]
        scope = rest[0] if rest else self._constants["TIPC_CLUSTER_SCOPE"]
        if kind == self._constants["TIPC_ADDR_NAMESEQ"]:
            union = one, two, three
        elif kind == self._constants["TIPC_ADDR_NAME"]:
            union = one, two, 0  # the third is the domain of a look-up, which has no place in the tuple
        elif kind == self._constants["TIPC_ADDR_ID"]:
            union = two, one, 0  # the struct has the reference before the node
        else:
            raise TypeError("Invalid address type")
        scope = (scope & 0x7F) - (scope & 0x80)  # a signed char
        return _TIPC.pack(self._constants["AF_TIPC"], kind, scope, *union)

    def _decode_tipc(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> tuple[int, int, int, int, int]:
        _, kind, scope, one, two, three = _unpack(_TIPC, raw)
        scope &= UINT_MAX
        if kind == self._constants["TIPC_ADDR_NAMESEQ"]:
            return kind, one, two, three, scope
        if kind == self._constants["TIPC_ADDR_NAME"]:
            return kind, one, two, two, scope
        if kind == self._constants["TIPC_ADDR_ID"]:
            return kind, two, one, 0, scope
        raise ValueError("Invalid address type")

    # -- AF_CAN: (interface,), for CAN_ISOTP with (rx_id, tx_id), for CAN_J1939 with (name, pgn, addr) ---------------

    def _encode_can(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        constants = self._constants
        if proto == constants["CAN_RAW"] or proto == constants["CAN_BCM"]:
            items = _tuple(address, f"{caller}(): AF_CAN")
            if len(items) != 1:
                raise TypeError("AF_CAN address must be a tuple (interface, )")
            name = _interface(items[0])
            union = b""
        elif proto == constants["CAN_ISOTP"]:
            items = _tuple(address, f"{caller}(): AF_CAN", 3)
            name = _interface(items[0])
            union = _CAN_ISOTP.pack(*(_long(items, at, sys.maxsize.bit_length() + 1) & UINT_MAX for at in (1, 2)))
        elif proto == constants["CAN_J1939"]:
            items = _tuple(address, f"{caller}(): AF_CAN", 4)
            name = _interface(items[0])
            union = _CAN_J1939.pack(_long(items, 1, 64), c_masked(items[2], 32), c_masked(items[3], 8))
        else:
            raise OSError(f"{caller}(): unsupported CAN protocol")
        if len(name) >= constants["IFNAMSIZ"]:
            raise OSError("AF_CAN interface name too long")
        return _CAN.pack(constants["AF_CAN"], self._interface_index(name, sock) if name else 0, union)

    def _decode_can(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> tuple[Any, ...]:
        _, number, union = _unpack(_CAN, raw)
        name = self._interface_name(number, sock)
        if proto == self._constants["CAN_ISOTP"]:
            return name, *_CAN_ISOTP.unpack(union)
        if proto == self._constants["CAN_J1939"]:
            return name, *_CAN_J1939.unpack(union)
        return (name,)

    # -- AF_ALG: (type, name[, feat[, mask]]) ------------------------------------------------------------------------

    def _encode_alg(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        items = _tuple(address, f"{caller}(): AF_ALG")
        if not 2 <= len(items) <= 4:
            raise TypeError(_ALG_FORM)
        kind = _text(items[0], _ALG_FORM)
        name = _text(items[1], _ALG_FORM)
        # CPython keeps the lower 16 bits of these; documented, and in the kernel, are 32.
        feat = c_masked(items[2], 32) if len(items) > 2 else 0
        mask = c_masked(items[3], 32) if len(items) > 3 else 0
        # Both end with a NUL in the struct. One that is cut off would name another algorithm (bpo-35050).
        if len(kind) >= _ALG_TYPE_SIZE:
            raise ValueError("AF_ALG type too long.")
        if len(name) >= _ALG_NAME_SIZE:
            raise ValueError("AF_ALG name too long.")
        return _ALG.pack(self._constants["AF_ALG"], kind, feat, mask, name)

    def _decode_alg(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> tuple[str, str, int, int]:
        _, kind, feat, mask, name = _unpack(_ALG, raw)
        return kind.partition(b"\0")[0].decode(), name.partition(b"\0")[0].decode(), feat, mask

    # -- AF_BLUETOOTH ------------------------------------------------------------------------------------------------
    # BTPROTO_L2CAP (bdaddr, psm[, cid[, bdaddr_type]]), BTPROTO_RFCOMM (bdaddr, channel),
    # BTPROTO_HCI dev or (dev[, channel]), BTPROTO_SCO bdaddr

    def _encode_bluetooth(self, proto: int, address: Any, caller: str, sock: HasDescriptor | None) -> bytes:
        constants = self._constants
        family = constants["AF_BLUETOOTH"]
        if proto == constants["BTPROTO_L2CAP"]:
            text, psm, cid, kind = _items(address, (_TEXT, 16, 16, 8), (0, constants["BDADDR_BREDR"]), caller)
            return _L2CAP.pack(family, psm.to_bytes(2, "little"), _bdaddr(text), cid.to_bytes(2, "little"), kind)
        if proto == constants["BTPROTO_RFCOMM"]:
            text, channel = _items(address, (_TEXT, 8), (), caller)
            return _RFCOMM.pack(family, _bdaddr(text), channel)
        if proto == constants["BTPROTO_HCI"]:
            if hasattr(address, "__index__"):
                return _HCI.pack(family, c_masked(address, 16), constants["HCI_CHANNEL_RAW"])
            return _HCI.pack(family, *_items(address, (16, 16), (constants["HCI_CHANNEL_RAW"],), caller))
        if proto == constants["BTPROTO_SCO"]:
            if isinstance(address, bytes):
                if b"\0" in address:
                    raise ValueError("embedded null byte")
                return _SCO.pack(family, _bdaddr(address))
            if isinstance(address, str):
                return _SCO.pack(family, _bdaddr(_text(address, "")))
            raise OSError(f"{caller}(): wrong format")
        raise OSError(f"{caller}(): unknown Bluetooth protocol")

    def _decode_bluetooth(self, proto: int, raw: bytes, sock: HasDescriptor | None) -> Any:
        constants = self._constants
        if proto == constants["BTPROTO_L2CAP"]:
            _, packed_psm, bdaddr, packed_cid, kind = _unpack(_L2CAP, raw)
            text = _bdaddr_text(bdaddr)
            psm = int.from_bytes(packed_psm, "little")
            cid = int.from_bytes(packed_cid, "little")
            # The shortest form: programs written before there were more fields expect a pair.
            if kind != constants["BDADDR_BREDR"]:
                return text, psm, cid, kind
            return (text, psm, cid) if cid else (text, psm)
        if proto == constants["BTPROTO_RFCOMM"]:
            _, bdaddr, channel = _unpack(_RFCOMM, raw)
            return _bdaddr_text(bdaddr), channel
        if proto == constants["BTPROTO_HCI"]:
            _, device, channel = _unpack(_HCI, raw)
            return device if channel == constants["HCI_CHANNEL_RAW"] else (device, channel)
        if proto == constants["BTPROTO_SCO"]:
            _, bdaddr = _unpack(_SCO, raw)
            return _bdaddr_text(bdaddr)
        raise ValueError("Unknown Bluetooth protocol")


def _unpack(layout: Struct, raw: bytes) -> tuple[Any, ...]:
    """The fields of a sockaddr; what the kernel left out at its end is zero."""
    size = layout.size
    return layout.unpack_from(raw if len(raw) >= size else raw.ljust(size, b"\0"))


def _tuple(address: Any, what: str, count: int = -1) -> tuple[Any, ...]:
    """*address*, which must be a tuple, and of *count* items if that is given."""
    if not isinstance(address, tuple):
        raise TypeError(f"{what} address must be tuple, not {type(address).__name__}")
    if count >= 0 and len(address) != count:
        raise TypeError(f"function takes exactly {count} arguments ({len(address)} given)")
    return address


def _pair_of_numbers(items: tuple[Any, ...]) -> tuple[int, int]:
    if len(items) != 2:
        raise TypeError(f"getsockaddrarg() takes exactly 2 arguments ({len(items)} given)")
    return c_masked(items[0], 32), c_masked(items[1], 32)


def _long(items: tuple[Any, ...], at: int, bits: int) -> int:
    """Item *at*: a C unsigned long or unsigned long long, for which CPython has an error of its own."""
    if not hasattr(items[at], "__index__"):
        raise TypeError(f"argument {at + 1} must be int, not {type(items[at]).__name__}")
    return c_masked(items[at], bits)


def _text(value: Any, form: str, encode: Callable[[str], bytes] = str.encode) -> bytes:
    """A str without a NUL; TypeError(*form*) for another type."""
    if not isinstance(value, str):
        raise TypeError(form)
    encoded = encode(value)
    if b"\0" in encoded:
        raise ValueError("embedded null character")
    return encoded


def _interface(value: Any) -> bytes:
    """The name of an interface: str, bytes or a path-like object."""
    name = file_system_bytes(value)
    if b"\0" in name:
        raise ValueError("embedded null byte")
    return name


def _items(address: Any, kinds: tuple[int, ...], defaults: tuple[int, ...], caller: str) -> tuple[Any, ...]:
    """A tuple whose items are texts or unsigned numbers of so many bits, as *kinds* says; *defaults* are its last ones.

    Whatever is wrong with it, CPython has one error.
    """
    try:
        items = _tuple(address, "AF_BLUETOOTH")
        least = len(kinds) - len(defaults)
        if not least <= len(items) <= len(kinds):
            raise TypeError(f"it has {len(items)} items")
        given = [
            _text(item, "not str") if kinds[at] == _TEXT else c_masked(item, kinds[at]) for at, item in enumerate(items)
        ]
    except Exception as error:
        raise OSError(f"{caller}(): wrong format") from error
    return *given, *defaults[len(given) - least :]


def _bdaddr(text: bytes) -> bytes:
    """The six bytes of a Bluetooth address, the last one first. The numbers are such as C's scanf takes for %X."""
    try:
        digits = [part.lstrip().removeprefix(b"+") for part in text.split(b":")]
        if len(digits) == 6 and all(part.isalnum() for part in digits):
            return bytes(int(part, 16) for part in reversed(digits))
    except ValueError:  # no number, or one that is no byte
        pass
    raise OSError("bad bluetooth address")


def _bdaddr_text(packed: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in reversed(packed))
