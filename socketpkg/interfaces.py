"""The network interfaces of this machine: `getifaddrs`, as getifaddrs(3)."""

from __future__ import annotations

import os
from enum import IntFlag
from typing import TYPE_CHECKING, NamedTuple

import socketpkg

from . import _socket

if TYPE_CHECKING:
    from typing import Any

__all__ = ["InterfaceAddress", "InterfaceFlag", "getifaddrs"]

_CONSTANTS = _socket.core.CONSTANTS
_CODEC = _socket.backend.address.AddressCodec()
_AF_PACKET: int = _CONSTANTS.get("AF_PACKET", -1)
_AF_LINK: int = _CONSTANTS.get("AF_LINK", -1)
_POINT_TO_POINT: int = _CONSTANTS.get("IFF_POINTOPOINT", 0x10)
_BROADCAST: int = _CONSTANTS.get("IFF_BROADCAST", 0x2)


class InterfaceFlag(IntFlag):
    """What netdevice(7) says of an interface."""

    UP = _CONSTANTS.get("IFF_UP", 0x1)
    BROADCAST = _BROADCAST
    LOOPBACK = _CONSTANTS.get("IFF_LOOPBACK", 0x8)
    POINTOPOINT = _POINT_TO_POINT
    RUNNING = _CONSTANTS.get("IFF_RUNNING", 0x40)
    NOARP = _CONSTANTS.get("IFF_NOARP", 0x80)
    PROMISC = _CONSTANTS.get("IFF_PROMISC", 0x100)
    ALLMULTI = _CONSTANTS.get("IFF_ALLMULTI", 0x200)
    MULTICAST = _CONSTANTS.get("IFF_MULTICAST", 0x1000)


class InterfaceAddress(NamedTuple):
    """One address of an interface; an interface without any has one of these all the same, with an address of None."""

    name: str
    index: int  # type: ignore[assignment]
    flags: InterfaceFlag
    #: AF_INET or AF_INET6, None without an address.
    family: socketpkg.AddressFamily | None
    #: Numeric; a link-local address of IPv6 has the interface behind a '%', as connect() wants it.
    address: str | None
    netmask: str | None
    #: The broadcast address of the network, or the address of the other end of a point-to-point interface.
    broadcast: str | None
    peer: str | None
    #: Such as '02:42:ac:11:00:02'; None for an interface without one, as the loopback.
    hardware_address: str | None


def getifaddrs() -> list[InterfaceAddress]:
    """The addresses of this machine's interfaces, in the system's order, those without an address behind the others.

    OSError as of getifaddrs(3).
    """
    hardware: dict[str, str | None] = {}
    flags: dict[str, int] = {}
    found: list[tuple[str, int, bytes, bytes, bytes]] = []
    for raw_name, marks, address, netmask, other in _socket.backend.syscalls.getifaddrs():
        # A name of an alias ("eth0:1") is a label of the address.
        name = os.fsdecode(raw_name)
        flags.setdefault(name.partition(":")[0], marks)
        family = _family(address)
        if family in (_AF_PACKET, _AF_LINK):
            hardware[name] = _hardware(address, family)
        elif family in (socketpkg.AF_INET, socketpkg.AF_INET6):
            found.append((name, marks, address, netmask, other))
    result = [_entry(*entry, hardware) for entry in found]
    with_addresses = {entry.name.partition(":")[0] for entry in result}
    for name, marks in flags.items():
        if name not in with_addresses:
            result.append(
                InterfaceAddress(
                    name, _index(name), InterfaceFlag(marks), None, None, None, None, None, hardware.get(name)
                )
            )
    return result


def _entry(
    name: str, marks: int, raw: bytes, netmask: bytes, other: bytes, hardware: dict[str, str | None]
) -> InterfaceAddress:
    family = socketpkg.AddressFamily(_family(raw))
    device = name.partition(":")[0]
    # One member of struct ifaddrs is both, and the flags say which.
    further = _host(other, device)
    return InterfaceAddress(
        name,
        _index(device),
        InterfaceFlag(marks),
        family,
        _host(raw, device),
        _host(netmask, ""),
        further if marks & _BROADCAST else None,
        further if marks & _POINT_TO_POINT and not marks & _BROADCAST else None,
        hardware.get(device),
    )


def _index(name: str) -> int:
    try:
        return socketpkg.if_nametoindex(name)
    except OSError:
        return 0  # it has gone meanwhile


def _family(raw: bytes) -> int:
    return _socket.backend.address.sockaddr_family(raw) if len(raw) >= 2 else -1


def _host(raw: bytes, device: str) -> str | None:
    if not raw:
        return None
    address: Any = _CODEC.decode(raw, 0, None)
    host: str = address[0]
    return f"{host}%{device}" if device and len(address) == 4 and address[3] else host


def _hardware(raw: bytes, family: int) -> str | None:
    if family == _AF_PACKET:
        # struct sockaddr_ll of packet(7)
        address = raw[12 : 12 + raw[11]] if len(raw) > 11 else b""
    else:
        # struct sockaddr_dl of the BSDs: the address stands behind the name.
        address = raw[8 + raw[5] : 8 + raw[5] + raw[6]] if len(raw) > 8 else b""
    return address.hex(":") if any(address) else None
