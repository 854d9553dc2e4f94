"""The constants: one list of names, and values that the backends, the standard library and the headers agree on."""

from __future__ import annotations

import _socket
import importlib.util
import os
import platform
import re
import shlex
import shutil
import socket as stdlib
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

import socketpkg
from socketpkg import backends
from socketpkg._engine.constants import ELSEWHERE, NAMES
from socketpkg._engine.strings import STRINGS

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "backends" / "_build.py"
INCLUDE = ROOT / "backends" / "include"
GLIBC = sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
needs_glibc = pytest.mark.skipif(not GLIBC, reason="of Linux with glibc")


def numbers(module: ModuleType) -> dict[str, int]:
    """The constants of a module: integers with a name in capitals (AF_DECnet is one, has_ipv6 none)."""
    return {
        name: int(value)
        for name, value in vars(module).items()
        if name[0].isupper() and isinstance(value, int) and not isinstance(value, bool)
    }


def compiler() -> list[str]:
    """The C compiler of this Python, or whatever is called cc. The test is skipped when there is none."""
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    for candidate in (command, ["cc"], ["gcc"]):
        if candidate and shutil.which(candidate[0]):
            return candidate
    pytest.skip("no C compiler")


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The helper backends/_build.py as a module."""
    spec = importlib.util.spec_from_file_location("_socketpkg_build", BUILD)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def backend_constants(name: str) -> Mapping[str, int]:
    """What a backend has; the test is skipped when it isn't built or not for this machine, and fails when it is broken
    or was asked for."""
    status = backends.available()[name]
    asked_for = os.environ.get("SOCKET_BACKEND", "").strip().lower()
    if not status.usable and name != asked_for and status.reason.startswith(("not built", "not usable")):
        pytest.skip(f"{name}: {status.reason}")
    return backends.load(name).syscalls.constants()


# -- the list ----------------------------------------------------------------------------------------------------------


def test_the_names_are_sorted_and_unique() -> None:
    assert list(NAMES) == sorted(set(NAMES))
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9_]*", name) for name in NAMES)


@needs_glibc
def test_a_name_is_linux_s_or_known_to_be_elsewhere_s() -> None:
    have = set(backend_constants(backends.selected()))
    assert set(NAMES) - have == ELSEWHERE
    assert have <= set(NAMES)


def test_no_name_is_both_a_number_and_a_string() -> None:
    assert set(STRINGS).isdisjoint(NAMES)


@needs_linux
def test_every_row_of_linux_numbers_is_in_the_list_once(build: ModuleType) -> None:
    text = (INCLUDE / "socketpkg_linux.h").read_text(encoding="ascii")
    rows = re.findall(r"^SP_\w+\((\w+),", text, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == set(build.rows())
    assert set(rows) <= set(NAMES)
    assert ELSEWHERE.isdisjoint(rows)


# -- the values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(backends.BUILT_IN))
def test_a_backend_agrees_with_the_chosen_one(name: str) -> None:
    chosen = dict(backend_constants(backends.selected()))
    assert dict(backend_constants(name)) == chosen
    assert all(type(value) is int for value in chosen.values())


def test_every_constant_of_the_standard_library_has_its_value() -> None:
    expected = numbers(_socket)
    assert set(expected) <= set(NAMES)
    have = dict(backend_constants(backends.selected()))
    # SOMAXCONN went from 128 to 4096 in glibc 2.31, and this Python may have been built with an older one.
    if GLIBC:
        assert expected.pop("SOMAXCONN") in (128, have["SOMAXCONN"])
    # The enums have no name that hides another, so that this finds a number with two names, too.
    assert {name: have.get(name) for name in expected} == expected
    assert {name: int(getattr(socketpkg, name)) for name in expected} == expected


def test_the_string_constants_are_the_standard_library_s() -> None:
    expected = {name: value for name, value in vars(_socket).items() if name.isupper() and isinstance(value, str)}
    assert expected.items() <= STRINGS.items()
    assert all(getattr(socketpkg, name) == value for name, value in expected.items())


@pytest.mark.parametrize("enum", ["AddressFamily", "SocketKind", "MsgFlag", "AddressInfo"])
def test_a_name_of_ours_does_not_push_a_member_of_the_standard_library_aside(enum: str) -> None:
    for member in getattr(stdlib, enum):
        assert repr(getattr(socketpkg, enum)(member.value)) == repr(member)
        assert repr(getattr(socketpkg, member.name)) == repr(getattr(stdlib, member.name))


# What CPython 3.14 and 3.15 have and older ones lack; the kernel and glibc have no other numbers for them.
NEWEST = {
    "BT_CODEC": 19,
    "BT_ISO_QOS": 17,
    "BT_PHY_LE_CODED_RX": 0x4000,
    "BDADDR_LE_RANDOM": 2,
    "CAN_ISOTP_DEFAULT_FRAME_TXTIME": 50000,
    "CAN_ISOTP_SF_BROADCAST": 0x800,
    "CAN_ISOTP_TX_STMIN": 3,
    "HCI_CHANNEL_LOGGING": 4,
    "IPV6_HDRINCL": 36,
    "IPV6_RECVERR": 25,
    "IP_FREEBIND": 15,
    "IP_RECVERR": 11,
    "IP_RECVTTL": 12,
    "L2CAP_LM_SECURE": 0x20,
    "SOL_BLUETOOTH": 274,
    "SOL_RFCOMM": 18,
    "SO_ORIGINAL_DST": 80,
    "SO_PASSRIGHTS": 83,
}

# What the standard library lacks and programs want.
WANTED = {
    "AF_XDP": 44,
    "IPV6_MTU_DISCOVER": 23,
    "IP_MTU_DISCOVER": 10,
    "IP_PMTUDISC_PROBE": 3,
    "IP_UNICAST_IF": 50,
    "MPTCP_INFO": 1,
    "MSG_WAITFORONE": 0x10000,
    "MSG_ZEROCOPY": 0x4000000,
    "NETLINK_EXT_ACK": 11,
    "PACKET_FANOUT": 18,
    "PACKET_MR_PROMISC": 1,
    "SCM_PIDFD": 4,
    "SCM_SECURITY": 3,
    "SOF_TIMESTAMPING_OPT_ID": 0x80,
    "SOL_TLS": 282,
    "SOL_VSOCK": 287,
    "SOL_XDP": 283,
    "TCP_AO_ADD_KEY": 38,
    "TCP_CM_INQ": 36,
    "TCP_ESTABLISHED": 1,
    "TCP_LISTEN": 10,
    "UDP_CORK": 1,
    "UDP_GRO": 104,
    "UDP_SEGMENT": 103,
    "XDP_ZEROCOPY": 4,
}
# These have another number on a few architectures.
WANTED_GENERIC = {
    "SCM_TXTIME": 61,
    "SO_ATTACH_REUSEPORT_EBPF": 52,
    "SO_BUSY_POLL": 46,
    "SO_COOKIE": 57,
    "SO_PEERGROUPS": 59,
    "SO_PEERPIDFD": 77,
    "SO_RXQ_OVFL": 40,
    "SO_TIMESTAMPNS_NEW": 64,
    "SO_TXTIME": 61,
    "SO_ZEROCOPY": 60,
}


@needs_linux
@pytest.mark.parametrize("name", list(backends.BUILT_IN))
def test_the_constants_that_other_pythons_or_none_have(name: str) -> None:
    wanted = NEWEST | WANTED
    if not re.match("alpha|mips|parisc|sparc", platform.machine()):
        wanted |= WANTED_GENERIC
    have = backend_constants(name)
    assert {name: have.get(name) for name in wanted} == wanted
    assert {"SO_TIMESTAMP", "SO_TIMESTAMPING", "SO_TIMESTAMPNS", "SCM_TIMESTAMPNS"} <= set(have)


def test_the_numbers_above_a_c_int_s_are_positive() -> None:
    have = backend_constants(backends.selected())
    for name in ("INADDR_BROADCAST", "INADDR_NONE", "VMADDR_CID_ANY", "VMADDR_PORT_ANY", "VM_SOCKETS_INVALID_VERSION"):
        assert have.get(name, 0xFFFFFFFF) == 0xFFFFFFFF
    assert have.get("CAN_EFF_FLAG", 0x80000000) == 0x80000000
    assert have.get("MSG_CMSG_CLOEXEC", 1) > 0
    assert have["EAI_NONAME"] != 0


@needs_linux
def test_socket_options_of_ours_mean_what_they_say() -> None:
    """The kernel takes the numbers for what the names say they are."""
    with socketpkg.socket(socketpkg.AF_INET, socketpkg.SOCK_DGRAM) as sock:
        sock.setsockopt(socketpkg.IPPROTO_IP, socketpkg.IP_MTU_DISCOVER, socketpkg.IP_PMTUDISC_PROBE)
        assert sock.getsockopt(socketpkg.IPPROTO_IP, socketpkg.IP_MTU_DISCOVER) == socketpkg.IP_PMTUDISC_PROBE
        sock.setsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_TIMESTAMPNS, 1)
        assert sock.getsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_TIMESTAMPNS) == 1
        cookie = sock.getsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_COOKIE, 8)
        assert isinstance(cookie, bytes) and len(cookie) == 8


# -- the table and the headers -----------------------------------------------------------------------------------------


@needs_linux
def test_the_table_of_the_ctypes_backend_is_not_stale() -> None:
    compiler()
    command = [sys.executable, str(BUILD), "table", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_table_s_differences_are_none_of_the_table_s_own() -> None:
    table = importlib.import_module("socketpkg_ctypes._constants_linux")
    assert list(table.CONSTANTS) == sorted(table.CONSTANTS)
    assert "x86_64" in table.MACHINES
    assert set(table.MACHINE) <= set(table.MACHINES)
    for difference in (table.MUSL, *table.MACHINE.values()):
        assert all(table.CONSTANTS.get(name) != value for name, value in difference.items())
    musl = table.constants_of("x86_64", "musl")
    assert "NI_IDN" not in musl and musl["NI_MAXHOST"] == 255
    assert table.constants_of("x86_64", "glibc") == table.CONSTANTS


PROGRAM = """\
#include "socketpkg_constants.h"
#include <stdio.h>
int main(void)
{
    int i;
    for (i = 0; i < socketpkg_constants_count; i++)
        printf("%s %lld\\n", socketpkg_constants[i].name, socketpkg_constants[i].value);
    return socketpkg_constants[socketpkg_constants_count].name != NULL;
}
"""


@pytest.mark.parametrize("standard", ["c99", "gnu17"])
def test_the_headers_compile_without_a_warning(build: ModuleType, tmp_path: Path, standard: str) -> None:
    command = compiler()
    path = build.write_constants_def(tmp_path / "include")
    before = path.stat().st_mtime_ns
    assert build.write_constants_def(str(tmp_path / "include")) == path
    assert path.stat().st_mtime_ns == before
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text(PROGRAM)
    warnings = [f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    command += [*warnings, f"-I{INCLUDE}", f"-I{path.parent}", "-o", str(program), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    listing = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    values = {name: int(value) for name, value in (line.split() for line in listing.splitlines())}
    assert values == dict(backend_constants(backends.selected()))
