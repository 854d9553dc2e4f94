"""The codec of addresses, family by family, on every backend: what it makes and takes, compared with

* the structs of the machine's headers, as its C compiler lays them out (``sockaddr_layouts.c``);
* the running standard library: for the families that the kernel has by opening such sockets, for all others by letting
  it bind a socket whose ``bind`` and ``getsockname`` are ours (``sockaddr_exchange.c``).

A backend that is not built is skipped, unless SOCKET_BACKEND asks for it.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import json
import os
import random
import shutil
import socket as stdlib
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from socketpkg import backends

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these families are Linux's")

HERE = Path(__file__).parent
PYPY = sys.implementation.name == "pypy"
CI = bool(os.environ.get("CI"))
MAX32 = 2**32 - 1
MAX64 = 2**64 - 1
LOOPBACK = "lo"
BDADDR = "01:23:45:67:89:AB"
BDADDR_BYTES = "ab8967452301"


class Case(NamedTuple):
    """An address, and what is known of it."""

    family: str
    #: The name of the protocol, or 0.
    proto: str
    address: Any
    #: A line for sockaddr_layouts.c; {lo} is the index of the loopback.
    layout: str
    #: What decoding gives, when it is not the address.
    decoded: Any = None

    @property
    def expected(self) -> Any:
        return self.address if self.decoded is None else self.decoded

    @property
    def id(self) -> str:
        return f"{self.layout.partition(' ')[0]}-{self.address!r:.40}"


CASES = [
    Case("AF_INET", "", ("127.0.0.1", 80), "inet 80 7f000001"),
    Case("AF_INET", "IPPROTO_UDPLITE", ("1.2.3.4", 65535), "inet 65535 01020304"),
    Case("AF_INET", "IPPROTO_SCTP", ("0.0.0.0", 0), "inet 0 00000000"),
    Case("AF_INET", "IPPROTO_MPTCP", ("255.255.255.255", 1), "inet 1 ffffffff"),
    Case("AF_RDS", "", ("10.0.0.1", 4000), "inet 4000 0a000001"),
    Case(
        "AF_INET6",
        "",
        ("fe80::1", 258, 0xABCDE, MAX32),
        f"inet6 258 0xabcde fe800000000000000000000000000001 {MAX32}",
    ),
    Case("AF_INET6", "IPPROTO_SCTP", ("::1", 80), "inet6 80 0 00000000000000000000000000000001 0", ("::1", 80, 0, 0)),
    Case("AF_UNIX", "", "/tmp/ä", "unix " + "/tmp/ä".encode().hex() + "00"),
    Case("AF_UNIX", "", "p" * 107, "unix " + "70" * 107 + "00"),
    Case("AF_UNIX", "", b"\0" + b"a" * 107, "unix 00" + "61" * 107),
    Case("AF_UNIX", "", b"\0a\0", "unix 006100"),
    Case("AF_UNIX", "", "", "unix -"),
    Case("AF_NETLINK", "", (0, 0), "netlink 0 0"),
    Case("AF_NETLINK", "", (1234, MAX32), f"netlink 1234 {MAX32}"),
    Case("AF_NETLINK", "", (-1, -2), "netlink 0xffffffff 0xfffffffe", (MAX32, MAX32 - 1)),
    Case("AF_QIPCRTR", "", (1, 2), "qipcrtr 1 2"),
    Case("AF_QIPCRTR", "", (MAX32, MAX32 - 1), "qipcrtr 0xffffffff 0xfffffffe"),
    Case("AF_VSOCK", "", (2, 1024), "vsock 2 1024"),
    Case("AF_VSOCK", "", (-1, MAX32), "vsock 0xffffffff 0xffffffff", (MAX32, MAX32)),
    Case("AF_PACKET", "", (LOOPBACK, 0), "packet {lo} 0 0 0 -", (LOOPBACK, 0, 0, 0, b"")),
    Case("AF_PACKET", "", (LOOPBACK, 0x0800, 4), "packet {lo} 0x800 4 0 -", (LOOPBACK, 0x0800, 4, 0, b"")),
    Case("AF_PACKET", "", (LOOPBACK, 0x86DD, 4, 772), "packet {lo} 0x86dd 4 772 -", (LOOPBACK, 0x86DD, 4, 772, b"")),
    Case("AF_PACKET", "", (LOOPBACK, 0xFFFF, 255, 0xFFFF, b"12345678"), "packet {lo} 65535 255 65535 3132333435363738"),
    Case("AF_PACKET", "", (LOOPBACK, 3, 0, 1, b"\0\1\2\3\4\5"), "packet {lo} 3 0 1 000102030405"),
    # Wider than the fields: what fits is kept, as by CPython's assignments.
    Case("AF_PACKET", "", (LOOPBACK, 3, 259, 0x10001, b""), "packet {lo} 3 3 1 -", (LOOPBACK, 3, 3, 1, b"")),
    Case("AF_PACKET", "", (LOOPBACK, 3, -1, -1, b""), "packet {lo} 3 255 65535 -", (LOOPBACK, 3, 255, 65535, b"")),
    Case("AF_PACKET", "", (LOOPBACK, 3, 0, 1, bytearray(b"ab")), "packet {lo} 3 0 1 6162", (LOOPBACK, 3, 0, 1, b"ab")),
    Case("AF_TIPC", "", (1, 1000, 2, 300, 3), "tipc-nameseq 3 1000 2 300"),
    Case(
        "AF_TIPC",
        "",
        (1, MAX32, MAX32 - 1, MAX32 - 2),
        f"tipc-nameseq 2 {MAX32} {MAX32 - 1} {MAX32 - 2}",
        (1, MAX32, MAX32 - 1, MAX32 - 2, 2),
    ),
    Case("AF_TIPC", "", (2, 1000, 20, 0, 1), "tipc-name 1 1000 20", (2, 1000, 20, 20, 1)),
    Case("AF_TIPC", "", (3, 17, 18, 0, 0), "tipc-id 0 17 18"),
    Case("AF_TIPC", "", (3, 17, 18, 9, -1), "tipc-id -1 17 18", (3, 17, 18, 0, MAX32)),
    Case("AF_TIPC", "", (3, 17, 18, 9, 128), "tipc-id -128 17 18", (3, 17, 18, 0, MAX32 - 127)),
    Case("AF_CAN", "CAN_RAW", ("",), "can 0"),
    Case("AF_CAN", "CAN_RAW", (LOOPBACK,), "can {lo}"),
    Case("AF_CAN", "CAN_BCM", (os.fsencode(LOOPBACK),), "can {lo}", (LOOPBACK,)),
    Case("AF_CAN", "CAN_BCM", (Path(LOOPBACK),), "can {lo}", (LOOPBACK,)),
    Case("AF_CAN", "CAN_ISOTP", ("", 0x7E0, 0x7E8), "can-isotp 0 0x7e0 0x7e8"),
    Case("AF_CAN", "CAN_ISOTP", (LOOPBACK, MAX32, 0x98DAF110), "can-isotp {lo} 0xffffffff 0x98daf110"),
    # C's unsigned long holds it, and the field takes its lower half.
    Case("AF_CAN", "CAN_ISOTP", ("", 2**32 + 1, -1), "can-isotp 0 1 0xffffffff", ("", 1, MAX32)),
    Case("AF_CAN", "CAN_J1939", (LOOPBACK, 0, 0x40000, 0xFF), "can-j1939 {lo} 0 0x40000 0xff"),
    Case("AF_CAN", "CAN_J1939", ("", MAX64, MAX32, 0), f"can-j1939 0 {MAX64} {MAX32} 0"),
    Case("AF_CAN", "CAN_J1939", ("", -1, -1, -1), f"can-j1939 0 {MAX64} {MAX32} 255", ("", MAX64, MAX32, 255)),
    Case("AF_ALG", "", ("hash", "sha256"), f"alg {b'hash'.hex()} {b'sha256'.hex()} 0 0", ("hash", "sha256", 0, 0)),
    Case("AF_ALG", "", ("aead", "gcm(aes)", 3, 0x1000), f"alg {b'aead'.hex()} {b'gcm(aes)'.hex()} 3 0x1000"),
    Case("AF_ALG", "", ("t" * 13, "n" * 63, 1), f"alg {'74' * 13} {'6e' * 63} 1 0", ("t" * 13, "n" * 63, 1, 0)),
    Case("AF_ALG", "", ("ä" * 6, "", 0, 65535), f"alg {('ä' * 6).encode().hex()} - 0 65535"),
    Case("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 0x1001), f"l2cap {BDADDR_BYTES} 0x1001 0 0"),
    Case("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 0, 4), f"l2cap {BDADDR_BYTES} 0 4 0"),
    Case("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 65535, 65534, 2), f"l2cap {BDADDR_BYTES} 65535 65534 2"),
    Case("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 1, 0, 1), f"l2cap {BDADDR_BYTES} 1 0 1"),
    Case("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 1, 0, 0), f"l2cap {BDADDR_BYTES} 1 0 0", (BDADDR, 1)),
    Case("AF_BLUETOOTH", "BTPROTO_RFCOMM", (BDADDR, 30), f"rfcomm {BDADDR_BYTES} 30"),
    Case("AF_BLUETOOTH", "BTPROTO_RFCOMM", (BDADDR.lower(), 255), f"rfcomm {BDADDR_BYTES} 255", (BDADDR, 255)),
    Case("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1: 2:+3:0x4:5:00f", 0), "rfcomm 0f0504030201 0", ("01:02:03:04:05:0F", 0)),
    Case("AF_BLUETOOTH", "BTPROTO_HCI", 65535, "hci 65535 0"),
    Case("AF_BLUETOOTH", "BTPROTO_HCI", (1,), "hci 1 0", 1),
    Case("AF_BLUETOOTH", "BTPROTO_HCI", (1, 0), "hci 1 0", 1),
    Case("AF_BLUETOOTH", "BTPROTO_HCI", (1, 3), "hci 1 3"),
    Case("AF_BLUETOOTH", "BTPROTO_HCI", True, "hci 1 0", 1),
    Case("AF_BLUETOOTH", "BTPROTO_SCO", BDADDR, f"sco {BDADDR_BYTES}"),
    Case("AF_BLUETOOTH", "BTPROTO_SCO", BDADDR.encode(), f"sco {BDADDR_BYTES}", BDADDR),
]
by_case = pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])

# Numbers out of the range of their field: CPython keeps the bits that fit, and warns from 3.15 on.
MASKED = [
    Case("AF_NETLINK", "", (2**32 + 5, 2**70 + 1), "netlink 5 1", (5, 1)),
    Case("AF_NETLINK", "", (-(2**31) - 1, 0), "netlink 0x7fffffff 0", (2**31 - 1, 0)),
    Case("AF_QIPCRTR", "", (2**32, 0), "qipcrtr 0 0", (0, 0)),
    Case("AF_VSOCK", "", (2**64 + 3, 0), "vsock 3 0", (3, 0)),
    Case("AF_INET6", "", ("::1", 0, 2**32 + 1, 0), "inet6 0 1 00000000000000000000000000000001 0", ("::1", 0, 1, 0)),
    Case("AF_INET6", "", ("::1", 0, 0, 2**33), "inet6 0 0 00000000000000000000000000000001 0", ("::1", 0, 0, 0)),
    Case("AF_TIPC", "", (3, 2**32 + 7, 0, 0, 0), "tipc-id 0 7 0", (3, 7, 0, 0, 0)),
    Case("AF_CAN", "CAN_ISOTP", ("", 2**64 + 9, 0), "can-isotp 0 9 0", ("", 9, 0)),
    Case("AF_CAN", "CAN_J1939", ("", 2**64, 2**32 + 1, 0), "can-j1939 0 0 1 0", ("", 0, 1, 0)),
    Case("AF_CAN", "CAN_J1939", ("", 0, 0, 258), "can-j1939 0 0 0 2", ("", 0, 0, 2)),
    Case("AF_CAN", "CAN_J1939", ("", 0, 0, -129), "can-j1939 0 0 0 127", ("", 0, 0, 127)),
    Case("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 65537), f"l2cap {BDADDR_BYTES} 1 0 0", (BDADDR, 1)),
    Case("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 0, 1, 257), f"l2cap {BDADDR_BYTES} 0 1 1", (BDADDR, 0, 1, 1)),
    Case("AF_BLUETOOTH", "BTPROTO_RFCOMM", (BDADDR, 256), f"rfcomm {BDADDR_BYTES} 0", (BDADDR, 0)),
    Case("AF_BLUETOOTH", "BTPROTO_HCI", 65538, "hci 2 0", 2),
]


# Loaded before the first test: what a library keeps open from then on is nothing that a test left behind.
STATUSES = backends.available()


@pytest.fixture(params=backends.BUILT_IN)
def backend(request: pytest.FixtureRequest) -> backends.Backend:
    """Each backend that comes with socketpkg."""
    status = STATUSES[request.param]
    if not status.usable and os.environ.get("SOCKET_BACKEND", "").strip().lower() != request.param:
        pytest.skip(f"{request.param} is {status.reason}")
    return backends.load(request.param)


class Codec:
    """A backend's codec, with names for the numbers."""

    def __init__(self, backend: backends.Backend) -> None:
        self.constants = backend.syscalls.constants()
        self._codec = backend.address.AddressCodec()

    def number(self, name: str) -> int:
        return self.constants[name] if name else 0

    def encode(self, family: str, proto: str, address: Any) -> bytes:
        raw = self._codec.encode(self.number(family), self.number(proto), address, "bind", None)
        assert type(raw) is bytes
        return raw

    def decode(self, raw: bytes, proto: str) -> Any:
        return self._codec.decode(raw, self.number(proto), None)


@pytest.fixture
def codec(backend: backends.Backend) -> Codec:
    """The codec of each backend."""
    return Codec(backend)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1 is not True here, nor b'' a bytearray."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


# -- the compiler's layouts --------------------------------------------------------------------------------------------


def compiled(source: str, target: Path, *options: str) -> Path:
    """Compiles a file that stands beside this one."""
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)
    if compiler is None:
        if CI:
            pytest.fail("a C compiler is missing")
        pytest.skip("no C compiler")
    include = HERE.parents[1] / "backends" / "include"
    command = [compiler, *("-std=c99", "-Wall", "-Wextra", "-Werror"), f"-I{include}", *options]
    done = subprocess.run(
        [*command, str(HERE / source), "-o", str(target)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], bytes]]:
    """What the compiler makes of a line for sockaddr_layouts.c."""
    program = compiled("sockaddr_layouts.c", tmp_path_factory.mktemp("layouts") / "layouts")
    loopback = stdlib.if_nametoindex(LOOPBACK)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(line: str) -> bytes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(line.format(lo=loopback) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline().strip()
            if answer == "absent":
                pytest.skip("the machine has no header with this struct")
            return bytes.fromhex(answer)

        yield ask
        process.communicate()


@by_case
def test_encoding_makes_the_struct_of_the_headers(codec: Codec, layout: Callable[[str], bytes], case: Case) -> None:
    assert codec.encode(case.family, case.proto, case.address).hex() == layout(case.layout).hex()


@by_case
def test_decoding_reads_the_struct_of_the_headers(codec: Codec, layout: Callable[[str], bytes], case: Case) -> None:
    decoded = codec.decode(layout(case.layout), case.proto)
    assert same(decoded, case.expected), (decoded, case.expected)


@pytest.mark.parametrize("case", MASKED, ids=[case.id for case in MASKED])
def test_a_number_that_is_too_large_loses_its_higher_bits(
    codec: Codec, layout: Callable[[str], bytes], case: Case
) -> None:
    """gh-111178: each field has a width of its own, and no number is written over the next field."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        raw = codec.encode(case.family, case.proto, case.address)
    assert raw.hex() == layout(case.layout).hex()
    assert same(codec.decode(raw, case.proto), case.expected)
    expected = [(DeprecationWarning, "integer value out of range", __file__)] if sys.version_info >= (3, 15) else []
    assert {(found.category, str(found.message), found.filename) for found in caught} == set(expected)


# -- round trips -------------------------------------------------------------------------------------------------------


def random_addresses(seed: int) -> Iterator[tuple[str, str, Any]]:
    """Addresses of every family, in the longest form, which is what decoding gives."""
    draw = random.Random(seed)

    def number(bits: int) -> int:
        return draw.choice((0, 1, 2**bits - 1, draw.getrandbits(bits)))

    def text(most: int) -> str:
        return "".join(draw.choices("abcdefgh-()_", k=draw.randint(1, most)))

    def bdaddr() -> str:
        return ":".join(f"{draw.getrandbits(8):02X}" for _ in range(6))

    interface = draw.choice(("", LOOPBACK))
    hardware = draw.randbytes(draw.randint(0, 8))
    yield "AF_INET", "", (".".join(str(draw.getrandbits(8)) for _ in range(4)), number(16))
    address6 = stdlib.inet_ntop(stdlib.AF_INET6, draw.randbytes(16))
    yield "AF_INET6", "", (address6, number(16), number(20), number(32))
    yield "AF_UNIX", "", text(107)
    yield "AF_UNIX", "", b"\0" + draw.randbytes(draw.randint(0, 107))
    yield "AF_NETLINK", "", (number(32), number(32))
    yield "AF_QIPCRTR", "", (number(32), number(32))
    yield "AF_VSOCK", "", (number(32), number(32))
    yield "AF_PACKET", "", (LOOPBACK, number(16), number(8), number(16), hardware)
    yield "AF_TIPC", "", (1, number(32), number(32), number(32), number(7))
    instance = number(32)
    yield "AF_TIPC", "", (2, number(32), instance, instance, number(7))
    yield "AF_TIPC", "", (3, number(32), number(32), 0, number(7))
    yield "AF_CAN", "CAN_RAW", (interface,)
    yield "AF_CAN", "CAN_BCM", (interface,)
    yield "AF_CAN", "CAN_ISOTP", (interface, number(32), number(32))
    yield "AF_CAN", "CAN_J1939", (interface, number(64), number(32), number(8))
    yield "AF_ALG", "", (text(13), text(63), number(16), number(16))
    yield "AF_BLUETOOTH", "BTPROTO_L2CAP", (bdaddr(), number(16))
    yield "AF_BLUETOOTH", "BTPROTO_L2CAP", (bdaddr(), number(16), draw.randint(1, 65535))
    yield "AF_BLUETOOTH", "BTPROTO_L2CAP", (bdaddr(), number(16), number(16), draw.randint(1, 255))
    yield "AF_BLUETOOTH", "BTPROTO_RFCOMM", (bdaddr(), number(8))
    yield "AF_BLUETOOTH", "BTPROTO_HCI", number(16)
    yield "AF_BLUETOOTH", "BTPROTO_HCI", (number(16), draw.randint(1, 65535))
    yield "AF_BLUETOOTH", "BTPROTO_SCO", bdaddr()


def test_round_trips(codec: Codec) -> None:
    for seed in range(100):
        for family, proto, address in random_addresses(seed):
            decoded = codec.decode(codec.encode(family, proto, address), proto)
            assert same(decoded, address), (family, proto, decoded, address)


def test_what_is_cut_off_counts_as_zero(codec: Codec) -> None:
    """The kernel may give less than the whole struct; nothing behind it is read."""

    def outcome(raw: bytes, proto: str) -> Any:
        try:
            return codec.decode(raw, proto)
        except ValueError as error:  # a character that is cut through; in TIPC, the type 0
            return str(error).partition(":")[0]

    for case in CASES:
        raw = codec.encode(case.family, case.proto, case.address)
        for size in range(2, len(raw)):
            decoded = outcome(raw[:size], case.proto)
            if case.family not in ("AF_INET", "AF_INET6", "AF_RDS", "AF_UNIX"):
                assert decoded == outcome(raw[:size].ljust(len(raw), b"\0"), case.proto), (case, size)
        assert codec.decode(raw[:1], case.proto) is None
    assert codec.decode(b"", "") is None


@pytest.mark.parametrize("name", ["AF_KEY", "AF_XDP", "AF_MCTP", "AF_SMC"])
def test_a_family_without_a_form(codec: Codec, name: str) -> None:
    """The bytes that it is given are the bytes that it gives."""
    raw = codec.number(name).to_bytes(2, sys.byteorder) + bytes(range(20))
    assert codec.decode(raw, "") == raw
    assert codec.encode(name, "", raw) == raw


@pytest.mark.parametrize("number", [0, 99, 0x7FFF])
def test_the_bytes_of_a_family_that_is_not_known(codec: Codec, number: int) -> None:
    """As in the standard library: the family and the 14 bytes of a struct sockaddr, not more and not less."""
    raw = number.to_bytes(2, sys.byteorder) + bytes(range(20))
    assert codec.decode(raw, "") == (number, bytes(range(14)))
    assert codec.decode(raw[:4], "") == (number, bytes([0, 1, *[0] * 12]))


def test_decoding_what_no_address_is(codec: Codec) -> None:
    tipc = codec.number("AF_TIPC").to_bytes(2, sys.byteorder)
    with pytest.raises(ValueError, match=r"^Invalid address type$"):
        codec.decode(tipc + b"\x09".ljust(14, b"\0"), "")
    bluetooth = codec.number("AF_BLUETOOTH").to_bytes(2, sys.byteorder)
    with pytest.raises(ValueError, match=r"^Unknown Bluetooth protocol$"):
        codec.decode(bluetooth + bytes(12), "BTPROTO_BNEP")


def test_an_interface_that_is_gone_has_no_name(codec: Codec) -> None:
    for family, proto, address in (
        ("AF_PACKET", "", (LOOPBACK, 3)),
        ("AF_CAN", "CAN_RAW", (LOOPBACK,)),
        ("AF_CAN", "CAN_J1939", (LOOPBACK, 1, 2, 3)),
    ):
        raw = codec.encode(family, proto, address)
        for number in (2**31 - 1, -1):
            gone = raw[:4] + number.to_bytes(4, sys.byteorder, signed=True) + raw[8:]
            decoded = codec.decode(gone, proto)
            assert decoded[0] == ""
            assert decoded[1:] == codec.decode(raw, proto)[1:]


def test_a_long_hardware_address(codec: Codec) -> None:
    """InfiniBand's has 20 bytes, which go on behind the struct."""
    raw = codec.encode("AF_PACKET", "", (LOOPBACK, 3, 0, 32, b""))
    raw = raw[:11] + b"\x14" + bytes(range(20))
    assert codec.decode(raw, "") == (LOOPBACK, 3, 0, 32, bytes(range(20)))
    assert codec.decode(raw[:20], "") == (LOOPBACK, 3, 0, 32, bytes(range(8)) + bytes(12))


# -- errors ------------------------------------------------------------------------------------------------------------

NO_DEVICE = (OSError, os.strerror(errno.ENODEV))
NETLINK_FORM = (TypeError, "AF_NETLINK address must be a pair (pid, groups)")
PACKET_FORM = (TypeError, "AF_PACKET address must be a tuple of two to five elements")
TIPC_FORM = (TypeError, "AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])")
CAN_FORM = (TypeError, "AF_CAN address must be a tuple (interface, )")
ALG_FORM = (TypeError, "AF_ALG address must be a tuple (type, name[, feat[, mask]])")
WRONG_FORMAT = (OSError, "bind(): wrong format")
BAD_BDADDR = (OSError, "bad bluetooth address")
STRING_NUMBER = (TypeError, "'str' object cannot be interpreted as an integer")
FLOAT_NUMBER = (TypeError, "'float' object cannot be interpreted as an integer")


def expects(count: int, given: int, name: str = "function") -> tuple[type[Exception], str]:
    return TypeError, f"{name} takes exactly {count} arguments ({given} given)"


def no_tuple(family: str, kind: str = "str", caller: str = "bind(): ") -> tuple[type[Exception], str]:
    return TypeError, f"{caller}{family} address must be tuple, not {kind}"


ERRORS: list[tuple[str, str, Any, tuple[type[Exception], str]]] = [
    ("AF_NETLINK", "", "x", no_tuple("AF_NETLINK")),
    ("AF_NETLINK", "", [1, 2], no_tuple("AF_NETLINK", "list")),
    ("AF_NETLINK", "", None, no_tuple("AF_NETLINK", "NoneType")),
    ("AF_NETLINK", "", (), NETLINK_FORM),
    ("AF_NETLINK", "", (1,), NETLINK_FORM),
    ("AF_NETLINK", "", (1, 2, 3), NETLINK_FORM),
    ("AF_NETLINK", "", ("1", 2), STRING_NUMBER),
    ("AF_NETLINK", "", (1, 2.0), FLOAT_NUMBER),
    ("AF_QIPCRTR", "", "x", no_tuple("AF_QIPCRTR", caller="getsockaddrarg: ")),
    ("AF_QIPCRTR", "", (1,), expects(2, 1, "getsockaddrarg()")),
    ("AF_QIPCRTR", "", (1, 2, 3), expects(2, 3, "getsockaddrarg()")),
    ("AF_QIPCRTR", "", (1, "2"), STRING_NUMBER),
    ("AF_VSOCK", "", "x", no_tuple("AF_VSOCK", caller="getsockaddrarg: ")),
    ("AF_VSOCK", "", (), expects(2, 0, "getsockaddrarg()")),
    ("AF_VSOCK", "", ("1", 2), STRING_NUMBER),
    ("AF_PACKET", "", "x", no_tuple("AF_PACKET")),
    ("AF_PACKET", "", (LOOPBACK,), PACKET_FORM),
    ("AF_PACKET", "", (LOOPBACK, 1, 2, 3, b"", 5), PACKET_FORM),
    ("AF_PACKET", "", (os.fsencode(LOOPBACK), 1), PACKET_FORM),
    ("AF_PACKET", "", (LOOPBACK, "1"), STRING_NUMBER),
    ("AF_PACKET", "", (LOOPBACK, 1.0), FLOAT_NUMBER),
    ("AF_PACKET", "", (LOOPBACK, 2**31), (OverflowError, "bind(): address argument out of range")),
    ("AF_PACKET", "", (LOOPBACK, 1, -(2**31) - 1), (OverflowError, "bind(): address argument out of range")),
    ("AF_PACKET", "", (LOOPBACK, 1, 0, 2**70), (OverflowError, "bind(): address argument out of range")),
    ("AF_PACKET", "", (LOOPBACK, -1), (OverflowError, "bind(): proto must be 0-65535.")),
    ("AF_PACKET", "", (LOOPBACK, 65536), (OverflowError, "bind(): proto must be 0-65535.")),
    ("AF_PACKET", "", (LOOPBACK, 1, 0, 0, "x"), (TypeError, "a bytes-like object is required, not 'str'")),
    ("AF_PACKET", "", (LOOPBACK, 1, 0, 0, None), (TypeError, "a bytes-like object is required, not 'NoneType'")),
    (
        "AF_PACKET",
        "",
        (LOOPBACK, 1, 0, 0, memoryview(b"abcd")[::2]),
        (BufferError, "memoryview: underlying buffer is not C-contiguous"),
    ),
    ("AF_PACKET", "", (LOOPBACK, 1, 0, 0, b"123456789"), (ValueError, "Hardware address must be 8 bytes or less")),
    ("AF_PACKET", "", (LOOPBACK, 70000, 0, 0, b"123456789"), (ValueError, "Hardware address must be 8 bytes or less")),
    ("AF_PACKET", "", ("nodev0", 70000, 0, 0, b"123456789"), NO_DEVICE),
    ("AF_PACKET", "", ("", 1), NO_DEVICE),
    ("AF_PACKET", "", ("x" * 15, 1), NO_DEVICE),
    ("AF_PACKET", "", ("x" * 16, 1), NO_DEVICE),
    ("AF_PACKET", "", ("x" * 5000, 1), NO_DEVICE),
    ("AF_PACKET", "", ("l\0o", 1), (ValueError, "embedded null character")),
    ("AF_TIPC", "", 1, no_tuple("AF_TIPC", "int")),
    ("AF_TIPC", "", (1, 2, 3), TIPC_FORM),
    ("AF_TIPC", "", (1, 2, 3, 4, 5, 6), TIPC_FORM),
    ("AF_TIPC", "", (1, 2, 3, "4"), STRING_NUMBER),
    ("AF_TIPC", "", (4, 2, 3, 4), (TypeError, "Invalid address type")),
    ("AF_TIPC", "", (0, 2, 3, 4), (TypeError, "Invalid address type")),
    ("AF_TIPC", "", (257, 2, 3, 4), (TypeError, "Invalid address type")),
    ("AF_CAN", "CAN_RAW", LOOPBACK, no_tuple("AF_CAN")),
    ("AF_CAN", "CAN_RAW", (), CAN_FORM),
    ("AF_CAN", "CAN_BCM", (LOOPBACK, 1), CAN_FORM),
    ("AF_CAN", "CAN_RAW", (5,), (TypeError, "expected str, bytes or os.PathLike object, not int")),
    ("AF_CAN", "CAN_RAW", ("a\0",), (ValueError, "embedded null byte")),
    ("AF_CAN", "CAN_RAW", ("nodev0",), NO_DEVICE),
    ("AF_CAN", "CAN_RAW", ("x" * 15,), NO_DEVICE),
    ("AF_CAN", "CAN_RAW", ("x" * 16,), (OSError, "AF_CAN interface name too long")),
    ("AF_CAN", "CAN_ISOTP", (LOOPBACK, 1), expects(3, 2)),
    ("AF_CAN", "CAN_ISOTP", (LOOPBACK, 1, 2, 3), expects(3, 4)),
    ("AF_CAN", "CAN_ISOTP", (LOOPBACK, "1", 2), (TypeError, "argument 2 must be int, not str")),
    ("AF_CAN", "CAN_ISOTP", (LOOPBACK, 1, 2.0), (TypeError, "argument 3 must be int, not float")),
    ("AF_CAN", "CAN_ISOTP", (None, "1", 2), (TypeError, "expected str, bytes or os.PathLike object, not NoneType")),
    ("AF_CAN", "CAN_ISOTP", ("x" * 1024, 1, 2), (OSError, "AF_CAN interface name too long")),
    ("AF_CAN", "CAN_ISOTP", ("nodev0", 1, 2), NO_DEVICE),
    ("AF_CAN", "CAN_J1939", (LOOPBACK, 1, 2), expects(4, 3)),
    ("AF_CAN", "CAN_J1939", (LOOPBACK, "1", 2, 3), (TypeError, "argument 2 must be int, not str")),
    ("AF_CAN", "CAN_J1939", (LOOPBACK, 1, "2", 3), STRING_NUMBER),
    ("AF_CAN", "CAN_J1939", (LOOPBACK, 1, 2, 3.0), FLOAT_NUMBER),
    # bpo-45228
    ("AF_CAN", "CAN_J1939", ("x" * 16, 1, 2, 3), (OSError, "AF_CAN interface name too long")),
    ("AF_CAN", "CAN_J1939", ("x" * 1024, 1, 2, 3), (OSError, "AF_CAN interface name too long")),
    ("AF_CAN", "CAN_J1939", ("nodev0", 1, 2, 3), NO_DEVICE),
    ("AF_CAN", "", ("",), (OSError, "bind(): unsupported CAN protocol")),
    ("AF_CAN", "AF_KEY", "x", (OSError, "bind(): unsupported CAN protocol")),
    ("AF_ALG", "", "hash", no_tuple("AF_ALG")),
    ("AF_ALG", "", ("hash",), ALG_FORM),
    ("AF_ALG", "", ("a", "b", 1, 2, 3), ALG_FORM),
    ("AF_ALG", "", (b"hash", "x"), ALG_FORM),
    ("AF_ALG", "", ("hash", None), ALG_FORM),
    ("AF_ALG", "", ("a", "b", "c"), STRING_NUMBER),
    ("AF_ALG", "", ("a", "b", 1, 2.0), FLOAT_NUMBER),
    ("AF_ALG", "", ("a\0", "b"), (ValueError, "embedded null character")),
    # bpo-35050
    ("AF_ALG", "", ("t" * 14, "n"), (ValueError, "AF_ALG type too long.")),
    ("AF_ALG", "", ("t", "n" * 64), (ValueError, "AF_ALG name too long.")),
    ("AF_ALG", "", ("ä" * 7, "n"), (ValueError, "AF_ALG type too long.")),
    ("AF_ALG", "", ("t" * 1000, "n" * 1000), (ValueError, "AF_ALG type too long.")),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", BDADDR, WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", [BDADDR, 1], WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR,), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, 1, 2, 3, 4), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR.encode(), 1), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR, "1"), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", (BDADDR + "\0", 1), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_L2CAP", ("zz", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", (BDADDR,), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", (BDADDR, 1, 2), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", (BDADDR, None), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:6:7", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:6 ", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:100", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:-1", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:1_1", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:g", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_RFCOMM", ("1:2:3:4:5:\u0666", 1), BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_HCI", "x", WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_HCI", BDADDR.encode(), WRONG_FORMAT),  # bpo-31927
    ("AF_BLUETOOTH", "BTPROTO_HCI", 1.0, WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_HCI", (), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_HCI", (1, 2, 3), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_HCI", ("1",), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_SCO", (BDADDR,), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_SCO", bytearray(BDADDR.encode()), WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_SCO", 5, WRONG_FORMAT),
    ("AF_BLUETOOTH", "BTPROTO_SCO", "x", BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_SCO", b"x", BAD_BDADDR),
    ("AF_BLUETOOTH", "BTPROTO_SCO", "1\0", (ValueError, "embedded null character")),
    ("AF_BLUETOOTH", "BTPROTO_SCO", b"1\0", (ValueError, "embedded null byte")),
    ("AF_BLUETOOTH", "BTPROTO_BNEP", (BDADDR, 1), (OSError, "bind(): unknown Bluetooth protocol")),
    ("AF_RDS", "", "x", no_tuple("AF_INET")),
    ("AF_RDS", "", ("127.0.0.1", 65536), (OverflowError, "bind(): port must be 0-65535.")),
    ("AF_UNIX", "", "x" * 108, (OSError, "AF_UNIX path too long")),  # nix#1763: 107 and the NUL
    ("AF_UNIX", "", b"\0" * 109, (OSError, "AF_UNIX path too long")),
    ("AF_UNIX", "", 5, (TypeError, "a bytes-like object is required, not 'int'")),
    ("AF_KEY", "", ("", 1), (OSError, "bind(): bad family")),
    ("AF_XDP", "", ("", 1), (OSError, "bind(): bad family")),
]
by_error = pytest.mark.parametrize(
    ("family", "proto", "address", "expected"),
    ERRORS,
    ids=[f"{family}-{proto}-{address!r:.30}".replace("\0", "0") for family, proto, address, _ in ERRORS],
)


@contextlib.contextmanager
def disguised(kind: Any, family: int, proto: int) -> Iterator[Any]:
    """A socket that takes itself for one of *family*: what it encodes goes to the kernel with another's descriptor."""
    with stdlib.socket(stdlib.AF_UNIX, stdlib.SOCK_DGRAM) as real:
        sock = kind(family, stdlib.SOCK_RAW, proto, fileno=real.fileno())
        try:
            yield sock
        finally:
            sock.detach()


def error_of(kind: Any, family: int, proto: int, address: Any) -> tuple[type[Exception], str]:
    """The error of bind()."""
    with disguised(kind, family, proto) as sock:
        try:
            sock.bind(address)
        except Exception as error:
            return type(error), error.strerror if isinstance(error, OSError) and error.errno else str(error)
    pytest.fail("there was no error")


@by_error
def test_errors(
    backend: backends.Backend, family: str, proto: str, address: Any, expected: tuple[type[Exception], str]
) -> None:
    codec = Codec(backend)
    assert error_of(backend.core.Socket, codec.number(family), codec.number(proto), address) == expected


@pytest.mark.skipif(PYPY, reason="PyPy's socket has other texts")
@by_error
def test_the_errors_are_the_standard_librarys(
    family: str, proto: str, address: Any, expected: tuple[type[Exception], str]
) -> None:
    """The control of the table above, where the running standard library has the family."""
    bluetooth = family == "AF_BLUETOOTH"
    missing = [name for name in (family, proto) if name and not hasattr(stdlib, name)]
    if family not in ("AF_KEY", "AF_XDP") and missing:
        pytest.skip(f"this standard library has no {missing[0]}")
    if bluetooth and sys.version_info < (3, 14):
        pytest.skip("the forms of Bluetooth's addresses are those of 3.14")
    found = error_of(stdlib.socket, getattr(stdlib, family, 44), getattr(stdlib, proto) if proto else 0, address)
    assert found == expected


def test_what_is_no_tuple_is_a_type_error(codec: Codec) -> None:
    """CPython reports its own mistake (SystemError) for these two."""
    for proto in ("CAN_ISOTP", "CAN_J1939"):
        with pytest.raises(TypeError, match=r"^bind\(\): AF_CAN address must be tuple, not str$"):
            codec.encode("AF_CAN", proto, LOOPBACK)


def test_the_error_names_the_method(backend: backends.Backend) -> None:
    number = Codec(backend).number("AF_NETLINK")
    with disguised(backend.core.Socket, number, 0) as sock:
        for name, call in (
            ("bind", lambda: sock.bind("x")),
            ("connect", lambda: sock.connect("x")),
            ("connect_ex", lambda: sock.connect_ex("x")),
            ("sendto", lambda: sock.sendto(b"", "x")),
            ("sendmsg", lambda: sock.sendmsg([b""], [], 0, "x")),
        ):
            with pytest.raises(TypeError, match=rf"^{name}\(\): AF_NETLINK address must be tuple, not str$"):
                call()


def test_the_feature_and_mask_of_an_algorithm_have_32_bits(codec: Codec, layout: Callable[[str], bytes]) -> None:
    """As documented; CPython keeps 16."""
    raw = codec.encode("AF_ALG", "", ("hash", "md5", MAX32 - 1, MAX32))
    assert raw == layout(f"alg {b'hash'.hex()} {b'md5'.hex()} {MAX32 - 1} {MAX32}")
    assert codec.decode(raw, "") == ("hash", "md5", MAX32 - 1, MAX32)


# -- the standard library as it stands ---------------------------------------------------------------------------------

# Reads cases, as Python's literals, and says what the standard library makes of each: the encoded bytes and what it
# decodes from them.
EXCHANGE = """
import ast, ctypes, json, os, socket, sys
exchange = ctypes.CDLL(sys.argv[1])
buffer = ctypes.create_string_buffer(256)
answers = []
for family, proto, address in ast.literal_eval(sys.stdin.read()):
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as real:
            sock = socket.socket(family, socket.SOCK_RAW, proto, fileno=os.dup(real.fileno()))
        with sock:
            sock.bind(address)
            size = exchange.exchange_read(buffer, len(buffer))
            answers.append((buffer.raw[:size].hex(), repr(sock.getsockname())))
    except Exception as error:
        answers.append((type(error).__name__, str(error)))
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Any]], list[tuple[str, str]]]:
    """What the standard library makes of addresses: (bytes, decoded) of each."""
    library = compiled("sockaddr_exchange.c", tmp_path_factory.mktemp("exchange") / "exchange.so", "-shared", "-fPIC")

    def ask(cases: list[Any]) -> list[tuple[str, str]]:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", EXCHANGE, str(library)],
            input=repr(cases),
            capture_output=True,
            text=True,
            env={**os.environ, "LD_PRELOAD": str(library)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [tuple(answer) for answer in json.loads(done.stdout)]

    return ask


def is_literal(value: Any) -> bool:
    """Whether *value* can be sent as text."""
    try:
        ast.literal_eval(repr(value))
    except (SyntaxError, ValueError):
        return False
    return True


@pytest.mark.skipif(PYPY, reason="PyPy's socket knows few of the families")
def test_the_bytes_are_the_standard_librarys(
    codec: Codec, exchange: Callable[[list[Any]], list[tuple[str, str]]]
) -> None:
    asked = [(case.family, case.proto, case.address) for case in CASES + MASKED if is_literal(case.address)]
    for seed in range(20):
        asked += random_addresses(seed)
    asked = [entry for entry in asked if entry[0] != "AF_BLUETOOTH" or sys.version_info >= (3, 14)]
    asked = [entry for entry in asked if all(hasattr(stdlib, name) for name in entry[:2] if name)]
    numbers = [(codec.number(family), codec.number(proto), address) for family, proto, address in asked]
    ours = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for family, proto, address in asked:
            raw = codec.encode(family, proto, address)
            ours.append((raw.hex(), repr(codec.decode(raw, proto))))
    theirs = exchange(numbers)
    assert {family for family, _, _ in asked} >= {"AF_NETLINK", "AF_PACKET", "AF_CAN", "AF_ALG", "AF_TIPC", "AF_VSOCK"}
    for entry, (raw_hex, decoded), (their_hex, their_decoded) in zip(asked, ours, theirs, strict=True):
        if sys.version_info < (3, 14):
            # The padding was whatever was there.
            family, proto, _ = entry
            their_hex = codec.encode(family, proto, codec.decode(bytes.fromhex(their_hex), proto)).hex()
        assert (raw_hex, decoded) == (their_hex, their_decoded), entry


@pytest.fixture
def opened(backend: backends.Backend) -> Iterator[Callable[..., tuple[Any, Any]]]:
    """Two sockets of a family, the standard library's and ours; skips where the kernel does not give them."""
    with contextlib.ExitStack() as stack:

        def opened(family: str, kind: int, proto: int = 0) -> tuple[Any, Any]:
            if PYPY:
                pytest.skip("PyPy's socket knows few of the families")
            try:
                theirs = stack.enter_context(stdlib.socket(getattr(stdlib, family), kind, proto))
            except OSError as error:
                pytest.skip(f"{family}: {error.strerror}")
            ours = stack.enter_context(contextlib.closing(backend.core.Socket(theirs.family, kind, proto)))
            for sock in (theirs, ours):
                sock.settimeout(20)
            return theirs, ours

        yield opened


def test_netlink_in_the_kernel(opened: Callable[..., tuple[Any, Any]]) -> None:
    theirs, ours = opened("AF_NETLINK", stdlib.SOCK_RAW)
    assert ours.getsockname() == theirs.getsockname() == (0, 0)
    for sock in (theirs, ours):
        sock.bind((0, 1))  # any port, the group of changes to interfaces
    for sock in (theirs, ours):
        port, groups = sock.getsockname()
        assert port != 0
        assert groups == 1
    assert theirs.getsockname()[0] != ours.getsockname()[0]
    # RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, and a struct ifinfomsg of zeros
    request = b"".join(
        number.to_bytes(size, sys.byteorder) for number, size in ((32, 4), (18, 2), (0x301, 2), (1, 4), (0, 4), (0, 16))
    )
    for sock in (theirs, ours):
        assert sock.sendto(request, (0, 0)) == len(request)
        answer, sender = sock.recvfrom(65536)
        assert sender == (0, 0)
        assert sock.getsockname()[0] == int.from_bytes(answer[12:16], sys.byteorder)
        sock.connect((0, 0))
        assert sock.getpeername() == (0, 0)


def test_packet_in_the_kernel(opened: Callable[..., tuple[Any, Any]]) -> None:
    theirs, ours = opened("AF_PACKET", stdlib.SOCK_DGRAM)
    assert ours.getsockname() == theirs.getsockname() == ("", 0, 0, 0, b"")
    experiment = 0x88B5  # for local experiments, IEEE 802
    for sock in (theirs, ours):
        sock.bind((LOOPBACK, experiment))
    assert ours.getsockname() == theirs.getsockname() == (LOOPBACK, experiment, 0, 772, bytes(6))
    for sender in (theirs, ours):
        assert sender.sendto(b"a frame", (LOOPBACK, experiment, 0, 772, bytes(6))) == 7
    for _ in range(2):
        for receiver in (theirs, ours):
            assert receiver.recvfrom(100) == (b"a frame", (LOOPBACK, experiment, 0, 772, bytes(6)))
    for sock in (theirs, ours):
        with pytest.raises(OSError) as caught:
            sock.bind(("nodev0", experiment))
        assert caught.value.errno == errno.ENODEV


def test_vsock_in_the_kernel(opened: Callable[..., tuple[Any, Any]]) -> None:
    theirs, ours = opened("AF_VSOCK", stdlib.SOCK_STREAM)
    assert ours.getsockname() == theirs.getsockname() == (MAX32, MAX32)
    outcomes = []
    for sock in (theirs, ours):
        try:
            sock.bind((-1, -1))  # VMADDR_CID_ANY, VMADDR_PORT_ANY
        except OSError as error:
            outcomes.append(error.errno)
        else:
            cid, port = sock.getsockname()
            assert 0 < port < MAX32
            outcomes.append(cid)
    assert outcomes[0] == outcomes[1]


def test_a_socket_tells_the_codec_its_protocol(backend: backends.Backend) -> None:
    """The same tuple is right for one protocol and wrong for another; the kernel refuses what is not for its socket."""
    codec = Codec(backend)
    family = codec.number("AF_CAN")
    for proto, address in (
        ("CAN_RAW", (LOOPBACK,)),
        ("CAN_ISOTP", (LOOPBACK, 1, 2)),
        ("CAN_J1939", (LOOPBACK, 1, 2, 3)),
    ):
        with disguised(backend.core.Socket, family, codec.number(proto)) as sock:
            for call in (sock.bind, sock.connect, lambda to, sock=sock: sock.sendto(b"", to)):
                with pytest.raises(OSError) as caught:
                    call(address)
                assert caught.value.errno == errno.EINVAL
            for wrong in {1: (LOOPBACK, 1, 2), 3: (LOOPBACK, 1, 2, 3), 4: (LOOPBACK,)}[len(address)], ():
                with pytest.raises(TypeError):
                    sock.bind(wrong)


# -- the addresses that are kept ---------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[str]]:
    """The interpreted codec's module with empty caches, and the numeric hosts that it has the C library read."""
    module = backends.load("ctypes").address
    read: list[str] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(module.SYSCALLS, name)

        def inet_pton(self, family: int, text: str) -> bytes | None:
            read.append(text)
            packed: bytes | None = module.SYSCALLS.inet_pton(family, text)
            return packed

    monkeypatch.setattr(module, "_sys", Counting())
    for name in ("_recent_inet", "_older_inet", "_recent_inet6", "_older_inet6", "_recent_heard", "_older_heard"):
        monkeypatch.setattr(module, name, {})
    return module, read


def peers(count: int) -> list[tuple[str, int]]:
    return [(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 5000) for number in range(count)]


@pytest.mark.parametrize("count", [200, 256, 300, 1000, 10_000])
def test_no_number_of_peers_is_one_too_many(counted: tuple[Any, list[str]], count: int) -> None:
    """What was sent to or heard from is found again, whatever the order."""
    module, read = counted
    codec = module.AddressCodec()
    order = peers(count)
    first = [codec.encode(stdlib.AF_INET, 0, address, "sendto", None) for address in order]
    heard = [codec.decode(raw, 0, None) for raw in first]
    assert heard == order
    read.clear()
    for number in random.Random(count).choices(range(count), k=2 * count):
        assert codec.encode(stdlib.AF_INET, 0, order[number], "sendto", None) is first[number]
        assert codec.decode(first[number], 0, None) is heard[number]
    assert read == []


def test_the_addresses_that_are_kept_are_bounded(counted: tuple[Any, list[str]]) -> None:
    """With more peers than are kept, what was used last is found, and memory stays as it is."""
    module, read = counted
    codec = module.AddressCodec()
    most = module._RECENT_MAX
    order = peers(3 * most)
    raws = [codec.encode(stdlib.AF_INET, 0, address, "sendto", None) for address in order]
    for raw in raws:
        codec.decode(raw, 0, None)
    for cache in ("inet", "heard"):
        assert len(getattr(module, f"_recent_{cache}")) <= most
        assert len(getattr(module, f"_older_{cache}")) <= most
    read.clear()
    for address, raw in zip(order[-most:], raws[-most:], strict=True):
        assert codec.encode(stdlib.AF_INET, 0, address, "sendto", None) is raw
    assert read == []
    codec.encode(stdlib.AF_INET, 0, order[0], "sendto", None)
    assert set(read) == {order[0][0]}, "the oldest are forgotten"
