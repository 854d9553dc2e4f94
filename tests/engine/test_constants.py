"""The constants: one list of names, and values that the backends, the standard library and the headers agree on."""

from __future__ import annotations

import _socket
import importlib.util
import os
import platform
import re
import runpy
import shlex
import shutil
import socket as stdlib
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import socketpkg
from socketpkg import backends
from socketpkg._engine.constants import ELSEWHERE, NAMES
from socketpkg._engine.strings import STRINGS

ROOT = Path(__file__).resolve().parents[2]
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


def test_the_numbers_above_a_c_int_s_are_those_of_a_c_long() -> None:
    """Positive, but for a long of 32 bits."""
    have = backend_constants(backends.selected())
    lost = 0 if sys.maxsize > 2**32 else 2**32
    for name in ("INADDR_BROADCAST", "INADDR_NONE", "VMADDR_CID_ANY", "VMADDR_PORT_ANY", "VM_SOCKETS_INVALID_VERSION"):
        assert have.get(name, 0xFFFFFFFF - lost) == 0xFFFFFFFF - lost
    assert have.get("CAN_EFF_FLAG", 0x80000000 - lost) == 0x80000000 - lost
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


@pytest.mark.parametrize("machine", ["armv7l", "i386"])
def test_32_bit_machines_have_constants_as_longs(machine: str) -> None:
    """CPython's module makes a C long of each, and times may be wide."""
    table = importlib.import_module("socketpkg_ctypes._constants_linux")
    narrow, wide = (table.constants_of(machine, "glibc", wide_time) for wide_time in (False, True))
    assert narrow.keys() == table.constants_of("x86_64", "glibc").keys()
    for name, value in table.CONSTANTS.items():
        assert narrow[name] == (value - 2**32 if 2**31 <= value < 2**32 else value), name
    assert (narrow["SO_TIMESTAMP"], wide["SO_TIMESTAMP"]) == (wide["SO_TIMESTAMP_OLD"], wide["SO_TIMESTAMP_NEW"])
    assert (narrow["SO_RCVTIMEO"], wide["SO_RCVTIMEO"]) == (wide["SO_RCVTIMEO_OLD"], wide["SO_RCVTIMEO_NEW"])
    assert {name for name in wide if wide[name] != narrow[name]} == set(table.WIDE_TIME)


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


# -- adding one --------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the command reads and writes."""
    if not BUILD.is_file():
        pytest.skip("no source tree")
    for folder in ("backends", "socketpkg"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so", "layers", "_commands")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def adding(tree: Path, *arguments: str, compilers: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs the command that docs/contributing.md names."""
    env = dict(os.environ) if compilers else {"PATH": str(tree)}
    command = [sys.executable, str(tree / "backends" / "_build.py"), "add", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)


def row(tree: Path, line: str) -> None:
    path = tree / "backends" / "include" / "socketpkg_linux.h"
    path.write_text(path.read_text() + line + "\n")


def table_of(tree: Path) -> dict[str, Any]:
    return runpy.run_path(str(tree / "backends" / "socketpkg_ctypes" / "_constants_linux.py"))


def test_a_constant_is_added_without_a_compiler(tree: Path) -> None:
    """Its number is that of the row on every machine, and nothing else changes."""
    row(tree, "SP_NUMBER(UDP_FROM_A_TEST, 4711)")
    before = table_of(tree)
    done = adding(tree, "UDP_FROM_A_TEST", compilers=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "UDP_FROM_A_TEST = 4711" in done.stdout
    after = table_of(tree)
    for machine in before["MACHINES"]:
        for libc in ("glibc", "musl"):
            expected = {**before["constants_of"](machine, libc), "UDP_FROM_A_TEST": 4711}
            assert after["constants_of"](machine, libc) == expected
    names = runpy.run_path(str(tree / "socketpkg" / "_engine" / "constants.py"))["NAMES"]
    assert set(names) == {*NAMES, "UDP_FROM_A_TEST"}
    assert len(names) == len(NAMES) + 1
    assert "UDP_FROM_A_TEST: Final[int]" in (tree / "socketpkg" / "_socket.pyi").read_text()
    assert max(map(len, (tree / "socketpkg" / "_engine" / "constants.py").read_text().splitlines())) <= 120
    # What the compiled backends read has it too.
    build = runpy.run_path(str(tree / "backends" / "_build.py"))
    assert "SP_NUMBER(UDP_FROM_A_TEST, 4711)" in build["constants_def"]()


def test_a_member_of_an_enum_is_added(tree: Path) -> None:
    row(tree, "SP_NUMBER(MSG_FROM_A_TEST, 0x7fffff)")
    assert adding(tree, "MSG_FROM_A_TEST", compilers=False).returncode == 0
    assert "    MSG_FROM_A_TEST = ..." in (tree / "socketpkg" / "_enums.pyi").read_text()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("UDP_WITHOUT_A_NUMBER", "has no number"),
        ("SO_REUSEADDR", "is in the list"),
        ("nothing", "is not written as a constant"),
        ("QQQ_OF_NO_GROUP", "no group of constants.py"),
        ("AF_ALIAS", "has the number of AF_UNIX"),
    ],
)
def test_a_constant_that_cannot_be_added(tree: Path, name: str, reason: str) -> None:
    """The files stay as they are."""
    row(tree, "SP_NUMBER(AF_ALIAS, 1)")
    paths = [*(tree / "socketpkg").rglob("*.py*"), *(tree / "backends").rglob("*.py")]
    before = {path: path.read_bytes() for path in paths}
    done = adding(tree, name, compilers=False)
    assert done.returncode == 2
    assert reason in done.stderr
    assert {path: path.read_bytes() for path in paths} == before


@pytest.mark.skipif(shutil.which("cc") is None and shutil.which("gcc") is None, reason="no C compiler")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the table is Linux's")
def test_a_constant_of_the_machine_s_own_headers(tree: Path) -> None:
    """Without a row its number is known here, and the command says for which machines it is not."""
    header = tree / "backends" / "include" / "socketpkg_platform.h"
    header.write_text(header.read_text() + "\n#define UDP_FROM_A_HEADER 815\n")
    done = adding(tree, "UDP_FROM_A_HEADER")
    assert done.returncode == 0, done.stderr
    table = table_of(tree)
    told = {line for line in done.stdout.splitlines() if "the number of UDP_FROM_A_HEADER on" in line}
    for machine in table["MACHINES"]:
        known = table["constants_of"](machine, "glibc").get("UDP_FROM_A_HEADER")
        assert known == 815 or any(f" {machine} with glibc" in line for line in told), machine


def test_the_enums_are_named_once() -> None:
    """The stubs take them from the public module."""
    if not BUILD.is_file():
        pytest.skip("no source tree")
    stubs = runpy.run_path(str(BUILD.with_name("_stubs.py")))["ENUMS"]
    for name, (base, prefix) in stubs.items():
        enum = getattr(socketpkg, name)
        assert base in [cls.__name__ for cls in enum.__mro__]
        assert all(member.startswith(prefix) for member in enum.__members__)
    assert len(stubs) == 4
