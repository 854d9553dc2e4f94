"""Ancillary data with names: `socketpkg.ancillary` against what the kernel really sends."""

from __future__ import annotations

import os
import struct
import time
from typing import Any

import pytest

from .target import LINUX, LOCALHOST, LOCALHOST_V6, PATIENCE, extension, requires_ipv6, socket, stdlib, udp_pair

pytestmark = [pytest.mark.socketpkg_only, pytest.mark.skipif(not LINUX, reason="the kernel's own items")]
ancillary: Any = extension("ancillary")
if ancillary is not None:
    from_kernel = ancillary.decode

LOOPBACK_INDEX = stdlib.if_nametoindex("lo") if LINUX else 0
FAMILIES = ["AF_INET", pytest.param("AF_INET6", marks=requires_ipv6)]


def received(sock: Any, flags: int = 0, room: int = 1024) -> list[Any]:
    """The items that come with the next message."""
    _, items, _, _ = sock.recvmsg(65536, room, flags)
    decoded = from_kernel(items)
    assert len(decoded) == len(items)
    assert not [item for item in decoded if isinstance(item, ancillary.Unknown)]
    return decoded  # type: ignore[no-any-return]


def stamped(one: Any, two: Any) -> list[Any]:
    """The items of a datagram that has a time: the kernel begins a little after the first socket has asked for it."""
    while True:
        one.sendto(b"x", two.getsockname())
        if items := received(two):
            return items


def host(family: str) -> str:
    return LOCALHOST_V6 if family == "AF_INET6" else LOCALHOST


# -- packets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_packet_info(family: str) -> None:
    with udp_pair(getattr(socket, family)) as (one, two):
        if family == "AF_INET6":
            two.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            two.setsockopt(socket.IPPROTO_IP, socket.IP_PKTINFO, 1)
        one.sendto(b"x", two.getsockname())
        assert received(two) == [ancillary.PacketInfo(LOOPBACK_INDEX, host(family), host(family))]


@pytest.mark.parametrize("source", ["127.0.0.9", "127.1.2.3"])
def test_the_source_of_a_packet_can_be_chosen(dgram: Any, source: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("0.0.0.0", 0))
        dgram.bind((LOCALHOST, 0))
        dgram.settimeout(PATIENCE)
        items = ancillary.encode(ancillary.PacketInfo(0, source), ancillary.TimeToLive(17))
        dgram.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTTL, 1)
        sender.sendmsg([b"x"], items, 0, dgram.getsockname())
        _, received_items, _, address = dgram.recvmsg(100, 100)
        assert address == (source, sender.getsockname()[1])
        assert from_kernel(received_items) == [ancillary.TimeToLive(17)]


@requires_ipv6
def test_the_source_of_an_ipv6_packet(dgram: Any) -> None:
    with udp_pair(socket.AF_INET6) as (one, two):
        items = ancillary.encode(ancillary.PacketInfo(LOOPBACK_INDEX, "::1"), ancillary.HopLimit(9))
        two.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        one.sendmsg([b"x"], items, 0, two.getsockname())
        assert received(two) == [ancillary.HopLimit(9)]


def test_type_of_service_and_ttl() -> None:
    with udp_pair() as (one, two):
        two.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        two.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTTL, 1)
        one.sendmsg([b"x"], ancillary.encode(ancillary.TypeOfService(0xB8)), 0, two.getsockname())
        got = received(two)
        assert ancillary.TypeOfService(0xB8) in got
        assert any(isinstance(item, ancillary.TimeToLive) and item.value > 0 for item in got)
        assert len(got) == 2


@requires_ipv6
def test_traffic_class() -> None:
    with udp_pair(socket.AF_INET6) as (one, two):
        two.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        one.sendmsg([b"x"], ancillary.encode(ancillary.TrafficClass(0x2E)), 0, two.getsockname())
        assert received(two) == [ancillary.TrafficClass(0x2E)]


@pytest.mark.parametrize("option", ["SO_TIMESTAMP", "SO_TIMESTAMPNS", "SO_TIMESTAMP_NEW", "SO_TIMESTAMPNS_NEW"])
def test_timestamps(option: str) -> None:
    with udp_pair() as (one, two):
        two.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        before = time.time_ns()
        (stamp,) = stamped(one, two)
        assert isinstance(stamp, ancillary.Timestamp)
        # A microsecond may be cut off.
        assert before - 1000 <= stamp.nanoseconds <= time.time_ns()


@pytest.mark.parametrize("option", ["SO_TIMESTAMPING", "SO_TIMESTAMPING_NEW"])
def test_timestamping(option: str) -> None:
    with udp_pair() as (one, two):
        flags = socket.SOF_TIMESTAMPING_RX_SOFTWARE | socket.SOF_TIMESTAMPING_SOFTWARE
        two.setsockopt(socket.SOL_SOCKET, getattr(socket, option), flags)
        before = time.time_ns()
        (stamp,) = stamped(one, two)
        assert before - 1000 <= stamp.software <= time.time_ns()
        assert stamp.transformed is None and stamp.hardware is None


def test_the_time_when_a_packet_was_sent() -> None:
    """From the error queue: with the record that says which packet it was."""
    with udp_pair() as (one, two):
        flags = socket.SOF_TIMESTAMPING_TX_SOFTWARE | socket.SOF_TIMESTAMPING_SOFTWARE | socket.SOF_TIMESTAMPING_OPT_ID
        one.setsockopt(socket.SOL_SOCKET, socket.SO_TIMESTAMPING, flags)
        one.sendto(b"x", two.getsockname())
        one.sendto(b"y", two.getsockname())
        for sequence in range(2):
            stamp, record = received(one, socket.MSG_ERRQUEUE)
            assert isinstance(stamp, ancillary.Timestamping) and stamp.software
            assert record.origin == socket.SO_EE_ORIGIN_TIMESTAMPING
            assert record.data == sequence
            assert record.offender is None


@pytest.mark.parametrize("family", FAMILIES)
def test_an_error_with_its_offender(family: str) -> None:
    with udp_pair(getattr(socket, family)) as (one, two):
        if family == "AF_INET6":
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVERR, 1)
        else:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_RECVERR, 1)
        there = two.getsockname()
        two.close()
        one.sendto(b"to nobody", there)
        data, items, _, address = one.recvmsg(100, 1024, socket.MSG_ERRQUEUE)
        assert (data, address[:2]) == (b"to nobody", there[:2])
        (failure,) = from_kernel(items)
        assert os.strerror(failure.errno) == "Connection refused"
        if family == "AF_INET6":
            assert (failure.origin, failure.type, failure.code) == (socket.SO_EE_ORIGIN_ICMP6, 1, 4)
            assert failure.offender == ("::1", 0, 0, 0)
        else:
            assert (failure.origin, failure.type, failure.code) == (socket.SO_EE_ORIGIN_ICMP, 3, 3)
            assert failure.offender == (LOCALHOST, 0)


def test_dropped_datagrams_are_counted() -> None:
    with udp_pair() as (one, two):
        two.setsockopt(socket.SOL_SOCKET, socket.SO_RXQ_OVFL, 1)
        two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(50):
            one.sendto(bytes(1000), two.getsockname())
        two.setblocking(False)
        taken = 0
        while True:
            try:
                two.recv(1000)
                taken += 1
            except BlockingIOError:
                break
        assert taken < 50
        two.settimeout(PATIENCE)
        one.sendto(b"last", two.getsockname())
        assert received(two) == [ancillary.Dropped(50 - taken)]


def test_segments() -> None:
    with udp_pair() as (one, two):
        two.setsockopt(socket.IPPROTO_UDP, socket.UDP_GRO, 1)
        try:
            one.sendmsg([b"abcabcab"], ancillary.encode(ancillary.SegmentSize(3)), 0, two.getsockname())
        except OSError as failure:
            pytest.skip(f"the kernel does not cut datagrams here: {failure}")
        data, items, _, _ = two.recvmsg(100, 100)
        if data == b"abcabcab":
            assert from_kernel(items) == [ancillary.SegmentSize(3)]
        else:
            assert data == b"abc"


def test_bytes_that_wait_behind() -> None:
    with socket.create_server((LOCALHOST, 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        server, _ = listener.accept()
        with server:
            server.settimeout(PATIENCE)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_INQ, 1)
            client.sendall(b"abcdef")
            while len(server.recv(6, socket.MSG_PEEK)) < 6:
                pass
            data, items, _, _ = server.recvmsg(2, 100)
            assert data == b"ab"
            assert from_kernel(items) == [ancillary.QueuedBytes(4)]


# -- UNIX sockets ------------------------------------------------------------------------------------------------------


def test_credentials(pair: tuple[Any, Any]) -> None:
    one, two = pair
    two.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    one.sendall(b"x")
    own = ancillary.Credentials(os.getpid(), os.getuid(), os.getgid())
    assert received(two) == [own]
    one.sendmsg([b"x"], ancillary.encode(own))
    assert received(two) == [own]
    if os.getuid() != 0:
        with pytest.raises(PermissionError):
            one.sendmsg([b"x"], ancillary.encode(own._replace(uid=0)))


def test_a_descriptor_of_the_sender(pair: tuple[Any, Any]) -> None:
    one, two = pair
    try:
        two.setsockopt(socket.SOL_SOCKET, socket.SO_PASSPIDFD, 1)
    except OSError:
        pytest.skip("the kernel has no SO_PASSPIDFD")
    one.sendall(b"x")
    (item,) = received(two)
    try:
        assert isinstance(item, ancillary.PidDescriptor)
        with open(f"/proc/self/fdinfo/{item.fd}") as facts:
            assert f"Pid:\t{os.getpid()}\n" in facts.read()
    finally:
        os.close(item.fd)


def test_descriptors(pair: tuple[Any, Any]) -> None:
    one, two = pair
    inside, outside = os.pipe()
    try:
        one.sendmsg([b"x"], ancillary.encode(ancillary.Descriptors((inside, outside))))
        (item,) = received(two)
    finally:
        os.close(inside)
        os.close(outside)
    try:
        assert len(item.fds) == 2
        os.write(item.fds[1], b"through")
        assert os.read(item.fds[0], 10) == b"through"
    finally:
        for fd in item.fds:
            os.close(fd)


# -- what is wrong -----------------------------------------------------------------------------------------------------


def test_unknown_and_short_items_pass_as_bytes() -> None:
    items = [
        (1234, 5, b"abc"),
        (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, b"short"),
        (socket.IPPROTO_IP, socket.IP_PKTINFO, b""),
        (socket.IPPROTO_IP, socket.IP_RECVERR, bytes(15)),
        (socket.SOL_SOCKET, socket.SO_TIMESTAMPNS, bytes(7)),
        (socket.IPPROTO_IP, socket.IP_TTL, bytes(3)),
    ]
    decoded = from_kernel(items)
    assert decoded == [ancillary.Unknown(*item) for item in items]
    assert all(isinstance(item, ancillary.Unknown) for item in decoded)
    assert ancillary.encode(*decoded, (1, 2, b"3")) == [*items, (1, 2, b"3")]
    assert from_kernel([]) == []


def test_descriptors_that_were_cut_off_are_told() -> None:
    data = struct.pack("@2i", 7, 8) + b"\0\0"
    assert from_kernel([(socket.SOL_SOCKET, socket.SCM_RIGHTS, data)]) == [ancillary.Descriptors((7, 8))]


def test_an_error_without_an_offender() -> None:
    record = struct.pack("@IBBBBII", 90, 1, 0, 0, 0, 1400, 0)
    for raw in (b"", bytes(16)):
        (item,) = from_kernel([(socket.IPPROTO_IP, socket.IP_RECVERR, record + raw)])
        assert item == (90, 1, 0, 0, 1400, 0, None)


def test_times_of_32_bits() -> None:
    data = struct.pack("=2i", 5, 7)
    assert from_kernel([(socket.SOL_SOCKET, socket.SO_TIMESTAMPNS, data)]) == [ancillary.Timestamp(5 * 10**9 + 7)]
    assert from_kernel([(socket.SOL_SOCKET, socket.SO_TIMESTAMP, data)]) == [ancillary.Timestamp(5 * 10**9 + 7000)]


def test_original_destinations() -> None:
    """A redirected packet needs a firewall; the item is a sockaddr."""
    raw = struct.pack("@H", socket.AF_INET) + struct.pack("!H", 8080) + bytes([192, 0, 2, 1]) + bytes(8)
    item = (socket.IPPROTO_IP, socket.IP_ORIGDSTADDR, raw)
    assert from_kernel([item]) == [ancillary.OriginalDestination(("192.0.2.1", 8080))]


def test_what_cannot_be_sent() -> None:
    for item in (ancillary.Dropped(1), ancillary.Timestamp(1), ancillary.PidDescriptor(1)):
        with pytest.raises(ValueError, match="can only be received"):
            ancillary.encode(item)
    with pytest.raises(OverflowError):
        ancillary.encode(ancillary.SegmentSize(70000))
    with pytest.raises(OverflowError):
        ancillary.encode(ancillary.Descriptors((1, 2**31)))
    with pytest.raises(TypeError):
        ancillary.encode(ancillary.TimeToLive("1"))
    with pytest.raises(TypeError):
        ancillary.encode("abc")
    with pytest.raises(OSError):
        ancillary.encode(ancillary.PacketInfo(0, "localhost"))
