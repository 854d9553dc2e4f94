"""The network interfaces: `socketpkg.interfaces` against what Linux tells in other ways."""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .target import LINUX, extension, requires_ipv6, socket, stdlib

pytestmark = pytest.mark.socketpkg_only
interfaces: Any = extension("interfaces")
NET = Path("/sys/class/net")


def by_name(name: str) -> list[Any]:
    return [entry for entry in interfaces.getifaddrs() if entry.name == name]


def loopback() -> str:
    return "lo" if LINUX else "lo0"


def test_the_loopback() -> None:
    (entry,) = [entry for entry in by_name(loopback()) if entry.address == "127.0.0.1"]
    assert entry.index == stdlib.if_nametoindex(loopback())
    assert interfaces.InterfaceFlag.UP | interfaces.InterfaceFlag.LOOPBACK in entry.flags
    assert interfaces.InterfaceFlag.BROADCAST not in entry.flags
    assert (entry.family, entry.netmask) == (socket.AF_INET, "255.0.0.0")
    assert (entry.broadcast, entry.peer, entry.hardware_address) == (None, None, None)


@requires_ipv6
def test_the_loopback_of_ipv6() -> None:
    (entry,) = [entry for entry in by_name(loopback()) if entry.address == "::1"]
    assert entry.family is socket.AF_INET6
    assert entry.netmask == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


def test_every_interface_is_there() -> None:
    entries = interfaces.getifaddrs()
    assert {entry.name.partition(":")[0] for entry in entries} == {name for _, name in stdlib.if_nameindex()}
    for entry in entries:
        assert entry.index == stdlib.if_nametoindex(entry.name.partition(":")[0])
        assert (entry.address is None) is (entry.family is None)
        if entry.address is None:
            assert (entry.netmask, entry.broadcast, entry.peer) == (None, None, None)
            assert len(by_name(entry.name)) == 1


def test_every_address_can_be_bound_to() -> None:
    tried = 0
    for entry in interfaces.getifaddrs():
        if entry.address and interfaces.InterfaceFlag.UP in entry.flags:
            with socket.socket(entry.family, socket.SOCK_DGRAM) as sock:
                sock.bind((entry.address, 0))
                tried += 1
    assert tried


def test_networks_make_sense() -> None:
    for entry in interfaces.getifaddrs():
        if entry.family is socket.AF_INET:
            network = ipaddress.ip_interface(f"{entry.address}/{entry.netmask}").network
            if entry.broadcast is not None and network.prefixlen < 31 and entry.broadcast != "0.0.0.0":
                assert ipaddress.ip_address(entry.broadcast) in network


@pytest.mark.skipif(not NET.is_dir(), reason="no /sys")
def test_flags_and_hardware_addresses_are_those_of_sysfs() -> None:
    for entry in interfaces.getifaddrs():
        folder = NET / entry.name.partition(":")[0]
        # RUNNING and above are the kernel's state of the moment, which getifaddrs() has and the file has not.
        shown = int((folder / "flags").read_text(), 16)
        wanted = 0x1 | 0x2 | 0x8 | 0x10 | 0x80 | 0x100 | 0x200 | 0x1000
        assert int(entry.flags) & wanted == shown & wanted
        hardware = (folder / "address").read_text().strip()
        assert entry.hardware_address == (hardware if hardware.strip("0:") else None)


@pytest.mark.skipif(shutil.which("ip") is None, reason="no ip(8)")
def test_what_ip_shows() -> None:
    told = json.loads(subprocess.run(["ip", "-json", "address"], capture_output=True, check=True, timeout=20).stdout)
    expected = {(link["ifname"], info["local"]) for link in told for info in link["addr_info"]}
    found = {
        (entry.name.partition(":")[0], entry.address.partition("%")[0])
        for entry in interfaces.getifaddrs()
        if entry.address
    }
    assert found == expected


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("ip") is None, reason="only root can make interfaces")
def test_interfaces_of_other_kinds() -> None:
    """In a network namespace of its own: a point-to-point one, one with a broadcast address, one with nothing."""
    program = f"""
import {socket.__name__} as socket
from {interfaces.__name__} import InterfaceFlag, getifaddrs
for entry in getifaddrs():
    print(entry.name, entry.address, entry.netmask, entry.broadcast, entry.peer, entry.hardware_address, sep="|")
    assert (InterfaceFlag.POINTOPOINT in entry.flags) is (entry.name == "tun7"), entry
"""
    commands = [
        "ip link add veth7 address 02:00:00:00:00:07 type veth peer name veth8 address 02:00:00:00:00:08",
        "ip addr add 192.0.2.5/24 broadcast 192.0.2.255 dev veth7",
        "ip link set veth7 up",
        "ip link set veth8 up",
        "ip addr add fe80::7/64 dev veth7 nodad",
        "ip tuntap add tun7 mode tun",
        "ip addr add 192.0.2.200 peer 198.51.100.9/32 dev tun7",
        'exec "$0" -c "$1"',
    ]
    done = subprocess.run(
        ["unshare", "-n", "sh", "-ec", "\n".join(commands), sys.executable, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip(f"no such interfaces here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    lines = set(done.stdout.splitlines())
    assert "veth7|192.0.2.5|255.255.255.0|192.0.2.255|None|02:00:00:00:00:07" in lines
    assert "veth7|fe80::7%veth7|ffff:ffff:ffff:ffff::|None|None|02:00:00:00:00:07" in lines
    assert "tun7|192.0.2.200|255.255.255.255|None|198.51.100.9|None" in lines
    assert "lo|None|None|None|None|None" in lines


def test_a_failure_of_the_system() -> None:
    """Without a descriptor to ask the kernel with."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(OSError) as caught:
            interfaces.getifaddrs()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert caught.value.errno == errno.EMFILE
