"""Each family is used, by the standard library's module and by ours, and the same comes of it."""

from __future__ import annotations

import errno
import hashlib
import socket as stdlib
import struct
import sys
import time
from typing import Any

import pytest

import socketpkg

from .uses import USES, Missing, Opened, in_another_namespace

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="families of Linux")


@pytest.mark.parametrize("name", USES)
def test_use(name: str) -> None:
    use = USES[name]
    try:
        expected = use(stdlib)
    except Missing as missing:
        pytest.skip(str(missing))
    except PermissionError as refused:
        pytest.skip(f"only root may: {refused}")
    assert use(socketpkg) == expected


def test_what_is_ours_asks_for_interfaces_in_the_namespace_of_the_socket() -> None:
    from socketpkg import options
    from socketpkg.layers.guard import Layer

    with Opened(socketpkg) as opened:
        try:
            sock = in_another_namespace(lambda: opened.socket(socketpkg.AF_INET6, socketpkg.SOCK_DGRAM))
        except (Missing, PermissionError) as reason:
            pytest.skip(str(reason))
        options.join_group(sock, "ff15::7", "inside")
        options.leave_group(sock, "ff15::7", 1)
        with pytest.raises(OSError) as caught:
            options.join_group(sock, "ff15::7", "lo")
        assert caught.value.errno == errno.ENODEV
        guard = Layer(socketpkg.backends.current().syscalls)
        guard.configure(allow="fe80::1%inside")
        raw = struct.pack("=HH4x16sI", stdlib.AF_INET6, 0, stdlib.inet_pton(stdlib.AF_INET6, "fe80::1"), 1)
        assert guard.verdict(raw, sock)[0]
        assert not guard.verdict(raw)[0]


@pytest.mark.parametrize("timeout", [0, 5, None])
def test_alg_with_a_timeout(timeout: float | None) -> None:
    """A hash is there at once. The standard library asks poll(2) first, which never says so."""
    with Opened(socketpkg) as opened:
        try:
            sock = opened.socket(socketpkg.AF_ALG, socketpkg.SOCK_SEQPACKET, 0)
        except Missing as missing:
            pytest.skip(str(missing))
        sock.bind(("hash", "sha256"))
        sock.settimeout(timeout)
        operation, address = sock.accept()
        opened.add(operation)
        operation.settimeout(timeout)
        assert address is None
        assert operation.family == socketpkg.AF_ALG
        operation.sendall(b"abc")
        assert operation.recv(64) == hashlib.sha256(b"abc").digest()


# -- families that have no form: the standard library has nothing to compare with -------------------------------------


def test_xdp() -> None:
    """Packets of the loopback by AF_XDP, whose sockaddr is given as bytes (Documentation/networking/af_xdp.rst)."""
    import ctypes
    import mmap

    sol_xdp, umem_reg, fill_ring, completion_ring, rx_ring, copy = 283, 4, 5, 6, 2, 2
    with Opened(socketpkg) as opened:
        try:
            sock = opened.socket(socketpkg.AF_XDP, socketpkg.SOCK_RAW)
        except (Missing, PermissionError) as missing:
            pytest.skip(str(missing))
        frames = mmap.mmap(-1, 16 * 4096)
        start = ctypes.addressof(ctypes.c_char.from_buffer(frames))
        sock.setsockopt(sol_xdp, umem_reg, struct.pack("=QQIIII", start, len(frames), 4096, 0, 0, 0))
        for ring in (fill_ring, completion_ring, rx_ring):
            sock.setsockopt(sol_xdp, ring, 16)
        index = socketpkg.if_nametoindex("lo")
        address = struct.pack("=HHIII", socketpkg.AF_XDP, copy, index, 0, 0)
        # A device's queue belongs to one socket on the whole machine, for some time after that is closed, and other
        # tests may run beside these.
        deadline = time.monotonic() + 20
        while (error := bound(sock, address)) == errno.EBUSY and time.monotonic() < deadline:
            time.sleep(0.05)
        assert error == 0
        assert bound(sock, address) in (errno.EBUSY, errno.EINVAL)  # bound already


def bound(sock: Any, address: bytes) -> int:
    """0, or the errno of the bind that failed."""
    try:
        assert sock.bind(address) is None
    except OSError as error:
        return error.errno or -1
    return 0


def disguised(family: int) -> Any:
    """A UDP socket that says that it is of *family*."""
    udp = socketpkg.socket(socketpkg.AF_INET, socketpkg.SOCK_DGRAM)
    sock = socketpkg.socket(family, socketpkg.SOCK_DGRAM, 0, fileno=udp.detach())
    sock.settimeout(5)
    return sock


@pytest.mark.parametrize("family", ["AF_XDP", "AF_MCTP", "AF_SMC", "AF_KCM", "AF_VSOCK", "AF_NETLINK", "AF_QIPCRTR"])
@pytest.mark.parametrize("kind", [bytes, type("Bytes", (bytes,), {})])
def test_a_sockaddr_as_bytes(family: str, kind: type[bytes]) -> None:
    number = getattr(socketpkg, family, None)
    if number is None:
        pytest.skip(f"the headers do not know {family}")
    with socketpkg.socket(socketpkg.AF_INET, socketpkg.SOCK_DGRAM) as peer, disguised(number) as sock:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        raw = kind(struct.pack("=HH4s8x", socketpkg.AF_INET, socketpkg.htons(peer.getsockname()[1]), b"\x7f\0\0\1"))
        assert sock.sendto(b"one", raw) == 3
        assert sock.sendmsg([b"two"], [], 0, raw) == 3
        sock.connect(raw)
        assert sock.connect_ex(raw) == 0
        assert [peer.recv(9), peer.recv(9)] == [b"one", b"two"]
        assert peer.connect(sock.getsockname()) is None


@pytest.mark.parametrize("bad", [None, 5, "text", (1, 2), bytearray(16), b"x" * 129])
def test_what_is_no_sockaddr(bad: Any) -> None:
    with disguised(socketpkg.AF_KCM) as sock, pytest.raises(OSError):
        sock.connect(bad)


def test_a_sockaddr_that_comes_is_given_as_it_is_taken() -> None:
    """A family that the headers know and that has no form; one that they do not know is as in the standard library."""
    codec = sys.modules[f"{socketpkg.backends.load(socketpkg.__backend__).package}._address"].AddressCodec()
    raw = struct.pack("=H14s", socketpkg.AF_KCM, b"fourteen bytes")
    assert codec.decode(raw, 0, None) == raw
    assert codec.encode(socketpkg.AF_KCM, 0, codec.decode(raw, 0, None), "test", None) == raw
    assert codec.decode(struct.pack("=H4s", 99, b"four"), 0, None) == (99, b"four" + bytes(10))
