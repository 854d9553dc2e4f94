"""sendmsg, recvmsg and recvmsg_into; ancillary data; descriptors from process to process."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .target import (
    LINUX,
    PATIENCE,
    PYPY,
    Worker,
    control_fails,
    requires_ipv6,
    same_as_stdlib,
    socket,
)

INT = struct.calcsize("i")


@contextlib.contextmanager
def files(count: int) -> Iterator[list[int]]:
    """Descriptors of pipes, each of which holds its own number."""
    readers = []
    try:
        for number in range(count):
            reader, writer = os.pipe()
            readers.append(reader)
            os.write(writer, b"%d" % number)
            os.close(writer)
        yield readers
    finally:
        for reader in readers:
            os.close(reader)


def received(ancillary: Any) -> list[int]:
    """The descriptors among the items of a message."""
    found = array.array("i")
    for level, kind, data in ancillary:
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        found.frombytes(data[: len(data) - len(data) % INT])
    return list(found)


def check_and_close(descriptors: list[int]) -> None:
    try:
        for number, descriptor in enumerate(descriptors):
            assert os.read(descriptor, 10) == b"%d" % number
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def rights(*descriptors: int) -> tuple[int, int, bytes]:
    return (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(descriptors)}i", *descriptors))


# -- data -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "buffers",
    [
        [b"one"],
        [b"one", b"two", b"three"],
        (b"tuple",),
        [b""],
        [],
        [bytearray(b"a"), memoryview(b"b"), array.array("B", b"c")],
        [b"x"] * 100,
    ],
)
def test_buffers_are_gathered(pair: Any, buffers: Any) -> None:
    one, two = pair
    expected = b"".join(bytes(part) for part in buffers)
    assert one.sendmsg(buffers) == len(expected)
    one.close()
    assert two.recvmsg(1000) == (expected, [], 0, None)


def test_buffers_from_a_generator(pair: Any) -> None:
    one, two = pair
    assert one.sendmsg(b"%d" % number for number in range(5)) == 5
    assert two.recv(10) == b"01234"


def test_more_buffers_than_the_kernel_takes(pair: Any) -> None:
    one, two = pair
    one.setblocking(False)
    try:
        count = one.sendmsg([b"x"] * 5000)
    except OSError as error:
        assert error.errno == errno.EMSGSIZE  # noqa: PT017
    else:
        assert two.recv(10_000) == b"x" * count


def test_the_four_parts_of_an_answer(pair: Any) -> None:
    one, two = pair
    one.sendmsg([b"hello"])
    answer = two.recvmsg(10)
    assert type(answer) is tuple
    assert answer == (b"hello", [], 0, None)
    assert [type(part) for part in answer] == [bytes, list, int, type(None)]


def test_addresses_of_datagrams(udp: Any) -> None:
    one, two = udp
    assert one.sendmsg([b"hel", b"lo"], [], 0, two.getsockname()) == 5
    assert two.recvmsg(10) == (b"hello", [], 0, one.getsockname())
    one.sendmsg([b"again"], (), 0, two.getsockname())
    buffer = bytearray(10)
    assert two.recvmsg_into([buffer]) == (5, [], 0, one.getsockname())
    assert buffer[:5] == b"again"


def test_an_address_of_none_is_no_address(pair: Any) -> None:
    one, two = pair
    assert one.sendmsg([b"x"], [], 0, None) == 1
    assert two.recv(1) == b"x"


def test_flags(pair: Any) -> None:
    one, two = pair
    one.sendmsg([b"hello"], [], socket.MSG_NOSIGNAL)
    assert two.recvmsg(3, 0, socket.MSG_PEEK)[0] == b"hel"
    assert two.recvmsg_into([bytearray(3)], 0, socket.MSG_PEEK)[0] == 3
    assert two.recvmsg(10)[0] == b"hello"
    with pytest.raises(BlockingIOError):
        two.recvmsg(10, 0, socket.MSG_DONTWAIT)
    with pytest.raises(BlockingIOError):
        two.recvmsg_into([bytearray(10)], 0, socket.MSG_DONTWAIT)


def test_a_datagram_that_is_cut(udp: Any) -> None:
    one, two = udp
    one.sendto(b"0123456789", two.getsockname())
    data, ancillary, flags, _ = two.recvmsg(4)
    assert (data, ancillary) == (b"0123", [])
    assert flags & socket.MSG_TRUNC


def test_a_record_ends(short_dir: Any) -> None:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, two:
        one.send(b"record")
        data, _, flags, _ = two.recvmsg(100)
        assert data == b"record"
        assert not flags & socket.MSG_TRUNC
        one.send(b"record")
        data, _, flags, _ = two.recvmsg(3)
        assert data == b"rec"
        assert flags & socket.MSG_TRUNC


@pytest.mark.parametrize("method", ["recvmsg", "recvmsg_into"])
def test_the_end_of_the_stream(pair: Any, method: str) -> None:
    one, two = pair
    one.close()
    argument = [bytearray(5)] if method == "recvmsg_into" else 5
    assert getattr(two, method)(argument)[1:] == ([], 0, None)


def test_recvmsg_of_nothing(pair: Any) -> None:
    one, two = pair
    one.send(b"x")
    assert two.recvmsg(0)[0] == b""
    assert two.recv(1) == b"x"


@pytest.mark.parametrize("sizes", [(5,), (1, 2, 3, 4), (0, 3, 0, 7), (100,), (2, 2)])
def test_recvmsg_into_scatters(pair: Any, sizes: tuple[int, ...]) -> None:
    one, two = pair
    one.send(b"0123456789")
    buffers = [bytearray(size) for size in sizes]
    count, ancillary, flags, address = two.recvmsg_into(buffers)
    assert count == min(10, sum(sizes))
    assert b"".join(buffers)[:count] == b"0123456789"[:count]
    assert (ancillary, flags, address) == ([], 0, None)


def test_recvmsg_into_every_kind_of_buffer(pair: Any) -> None:
    one, two = pair
    one.send(b"0123456789")
    numbers = array.array("B", bytes(3))
    store = bytearray(10)
    assert two.recvmsg_into(buffer for buffer in (numbers, memoryview(store)[2:5]))[0] == 6
    assert numbers.tobytes() == b"012"
    assert store == b"\0\x00345\0\0\0\0\0"


def test_recvmsg_into_nowhere(pair: Any) -> None:
    one, two = pair
    one.send(b"x")
    assert two.recvmsg_into([])[0] == 0
    assert two.recv(1) == b"x"


def test_buffers_are_free_after_the_call(pair: Any) -> None:
    one, two = pair
    buffers = [bytearray(b"ab"), bytearray(b"cd")]
    one.sendmsg(buffers)
    two.recvmsg_into(buffers)
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recvmsg_into(buffers)
    with pytest.raises(TypeError):
        two.recvmsg_into([*buffers, b"read only"])
    with pytest.raises(TypeError):
        one.sendmsg([*buffers, "no buffer"])
    for buffer in buffers:
        buffer.append(1)


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (b"bytes are no list of buffers",),
        (None,),
        (3,),
        (["text"],),
        ([b"x", None],),
        ([b"x"], 3),
        ([b"x"], [3]),
        ([b"x"], [(1, 1)]),
        ([b"x"], [(1, 1, b"", b"")]),
        ([b"x"], [("1", 1, b"")]),
        ([b"x"], [(1, None, b"")]),
        ([b"x"], [(1, 1, "text")]),
        ([b"x"], [], "0"),
        ([b"x"], [], 0, "no address"),
        ([b"x"], [], 0, None, 0),
    ],
    ids=repr,
)
def test_wrong_arguments_of_sendmsg(udp: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        udp[0].sendmsg(*arguments)


@pytest.mark.parametrize("arguments", [(), ("1",), (None,), (1, "1"), (1, 1, "0"), (1, 1, 0, 0)])
def test_wrong_arguments_of_recvmsg(pair: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        pair[0].recvmsg(*arguments)


@pytest.mark.parametrize(
    "arguments", [(), (1,), (None,), (bytearray(1),), ([b"x"],), ([1],), ([bytearray(1)], "1"), (["x"],)], ids=repr
)
def test_wrong_arguments_of_recvmsg_into(pair: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        pair[0].recvmsg_into(*arguments)


def test_sizes_out_of_range(pair: Any) -> None:
    one, _ = pair
    with pytest.raises(ValueError, match=r"^negative buffer size in recvmsg\(\)$"):
        one.recvmsg(-1)
    with pytest.raises(ValueError, match="^invalid ancillary data buffer length$"):
        one.recvmsg(1, -1)
    with pytest.raises(ValueError, match="^invalid ancillary data buffer length$"):
        one.recvmsg_into([bytearray(1)], -1)
    with pytest.raises((OverflowError, MemoryError)):
        one.recvmsg(2**80)


def test_texts(pair: Any) -> None:
    one, _ = pair
    with pytest.raises(TypeError, match=r"^sendmsg\(\) argument 1 must be an iterable$"):
        one.sendmsg(3)
    with pytest.raises(TypeError, match=r"^sendmsg\(\) argument 2 must be an iterable$"):
        one.sendmsg([b"x"], 3)
    with pytest.raises(TypeError, match=r"^a bytes-like object is required, not 'str'$"):
        one.sendmsg(["x"])
    with pytest.raises(TypeError, match=r"^recvmsg_into\(\) argument 1 must be an iterable"):
        one.recvmsg_into(3)
    with pytest.raises(TypeError, match=r"^recvmsg_into\(\) argument 1 must be an iterable"):
        one.recvmsg_into([b"x"])


def test_items_that_are_too_large(pair: Any) -> None:
    one, _ = pair
    with pytest.raises(OSError):
        one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, bytes(4 * 300))])
    with pytest.raises(OverflowError):
        one.sendmsg([b"x"], [(2**40, 1, b"")])


def test_an_item_of_an_unknown_kind(pair: Any) -> None:
    with pytest.raises(OSError) as caught:
        pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, 9999, b"data")])
    assert caught.value.errno == errno.EINVAL


# -- lengths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 3, 4, 8, 12, 100, 2**31 - 100])
def test_lengths(length: int) -> None:
    for name in ("CMSG_LEN", "CMSG_SPACE"):
        assert same_as_stdlib(lambda module, name=name: getattr(module, name)(length))[0] == "returns"
    assert socket.CMSG_LEN(length) >= length
    assert socket.CMSG_SPACE(length) >= socket.CMSG_LEN(length)


@pytest.mark.parametrize("length", [-1, -(2**31), 2**31 - 1, 2**31, 2**63 - 1, 2**64])
@pytest.mark.parametrize("name", ["CMSG_LEN", "CMSG_SPACE"])
def test_lengths_out_of_range(name: str, length: int) -> None:
    with pytest.raises(OverflowError):
        getattr(socket, name)(length)


def test_lengths_of_wrong_types() -> None:
    for name in ("CMSG_LEN", "CMSG_SPACE"):
        for bad in (None, "1", 1.5):
            with pytest.raises(TypeError):
                getattr(socket, name)(bad)


# -- descriptors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 10, 253])
def test_passing_descriptors(pair: Any, count: int) -> None:
    one, two = pair
    with files(count) as sent:
        assert one.sendmsg([b"with files"], [rights(*sent)]) == 10
        data, ancillary, flags, _ = two.recvmsg(100, socket.CMSG_SPACE(count * INT))
        assert (data, flags & ~socket.MSG_CMSG_CLOEXEC) == (b"with files", 0)
        got = received(ancillary)
        assert len(got) == count
        check_and_close(got)


def test_passing_descriptors_into_buffers(pair: Any) -> None:
    one, two = pair
    buffer = bytearray(4)
    with files(2) as sent:
        one.sendmsg([b"data"], [rights(*sent)])
        count, ancillary, _, _ = two.recvmsg_into([buffer], socket.CMSG_LEN(2 * INT))
        assert (count, buffer) == (4, b"data")
        check_and_close(received(ancillary))


def test_an_item_in_an_array(pair: Any) -> None:
    one, two = pair
    with files(2) as sent:
        one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", sent))])
        check_and_close(received(two.recvmsg(1, 100)[1]))


def test_items_in_a_generator_and_as_lists(pair: Any) -> None:
    one, two = pair
    with files(1) as sent:
        one.sendmsg([b"x"], ([*rights(descriptor)] for descriptor in sent))
        check_and_close(received(two.recvmsg(1, 100)[1]))


@pytest.mark.skipif(not LINUX, reason="how many items of a kind there may be is the kernel's choice")
def test_several_items(pair: Any) -> None:
    one, two = pair
    with files(2) as sent:
        one.sendmsg([b"x"], [rights(sent[0]), rights(sent[1])])
        check_and_close(received(two.recvmsg(1, socket.CMSG_SPACE(2 * INT) * 2)[1]))


@pytest.mark.skipif(not LINUX, reason="the kernel of Linux lets it pass")
def test_an_item_of_no_length(pair: Any) -> None:
    one, two = pair
    assert one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"")]) == 1
    data, ancillary, _, _ = two.recvmsg(1, 100)
    assert (data, ancillary) == (b"x", [])


@pytest.mark.parametrize("room", [0, 1])
def test_no_room_for_descriptors(pair: Any, room: int) -> None:
    """The data comes, the descriptors are lost, and a flag says so; none is left open."""
    one, two = pair
    with files(2) as sent:
        one.sendmsg([b"data"], [rights(*sent)])
        data, ancillary, flags, _ = two.recvmsg(10, room)
        assert (data, ancillary) == (b"data", [])
        assert flags & socket.MSG_CTRUNC


@pytest.mark.skipif(not LINUX, reason="what is cut is the kernel's choice")
@pytest.mark.parametrize(("room", "count"), [(1, 1), (2, 2), (3, 3)])
def test_room_for_some_descriptors(pair: Any, room: int, count: int) -> None:
    one, two = pair
    with files(4) as sent:
        one.sendmsg([b"data"], [rights(*sent)])
        data, ancillary, flags, _ = two.recvmsg(10, socket.CMSG_LEN(room * INT))
        got = received(ancillary)
        check_and_close(got)
        assert data == b"data"
        assert len(got) in (count, count + 1), "alignment may give room for one more"
        assert flags & socket.MSG_CTRUNC


@pytest.mark.skipif(not LINUX, reason="what is cut is the kernel's choice")
def test_room_for_part_of_a_descriptor(pair: Any) -> None:
    one, two = pair
    with files(1) as sent:
        one.sendmsg([b"data"], [rights(*sent)])
        _, ancillary, flags, _ = two.recvmsg(10, socket.CMSG_LEN(INT) - 1)
        assert flags & socket.MSG_CTRUNC
        assert sum(len(data) for _, _, data in ancillary) < INT


def test_a_closed_descriptor_is_not_passed(pair: Any) -> None:
    with pytest.raises(OSError) as caught:
        pair[0].sendmsg([b"x"], [rights(12345)])
    assert caught.value.errno == errno.EBADF


@control_fails("descriptors received are inheritable")
@pytest.mark.parametrize("method", ["recvmsg", "recvmsg_into", "recv_fds"])
def test_received_descriptors_are_not_inheritable(pair: Any, method: str) -> None:
    one, two = pair
    with files(2) as sent:
        one.sendmsg([b"x"], [rights(*sent)])
        if method == "recv_fds":
            got = socket.recv_fds(two, 10, 2)[1]
        else:
            got = received(getattr(two, method)([bytearray(1)] if method == "recvmsg_into" else 1, 100)[1])
        inheritable = [os.get_inheritable(descriptor) for descriptor in got]
        check_and_close(got)
        assert inheritable == [False, False]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_send_fds_and_recv_fds(pair: Any, count: int) -> None:
    one, two = pair
    with files(count) as sent:
        assert socket.send_fds(one, [b"some ", b"data"], sent) == 9
        data, got, flags, address = socket.recv_fds(two, 100, max(count, 1))
        assert (data, address) == (b"some data", None)
        assert not flags & (socket.MSG_CTRUNC | socket.MSG_TRUNC)
        assert type(got) is list
        assert len(got) == count
        check_and_close(got)


def test_recv_fds_with_room_for_fewer(pair: Any) -> None:
    one, two = pair
    with files(3) as sent:
        socket.send_fds(one, [b"x"], sent)
        data, got, flags, _ = socket.recv_fds(two, 1, 1)
        check_and_close(got)
        assert data == b"x"
        assert flags & socket.MSG_CTRUNC


@control_fails("recv_fds does not pass the flags on, and waits", run=False)
def test_recv_fds_flags(pair: Any) -> None:
    pair[0].settimeout(None)
    with pytest.raises(BlockingIOError):
        socket.recv_fds(pair[0], 10, 1, socket.MSG_DONTWAIT)


def test_send_fds_to_an_address(short_dir: Any) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
        files(1) as sent,
    ):
        two.bind(str(short_dir / "two"))
        one.connect(str(short_dir / "two"))
        socket.send_fds(one, [b"x"], sent)
        check_and_close(socket.recv_fds(two, 10, 1)[1])


def test_a_socket_passed_on_works(pair: Any, tcp: Any) -> None:
    one, two = pair
    client, server = tcp
    socket.send_fds(one, [b"x"], [server.fileno()])
    server.close()
    _, (descriptor,), _, _ = socket.recv_fds(two, 1, 1)
    with socket.socket(fileno=descriptor) as again:
        assert (again.family, again.type) == (socket.AF_INET, socket.SOCK_STREAM)
        again.sendall(b"through another descriptor")
        assert client.recv(100) == b"through another descriptor"


# -- other ancillary data ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(not LINUX, reason="credentials are Linux's")
def test_credentials(pair: Any) -> None:
    one, two = pair
    two.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    one.send(b"x")
    size = struct.calcsize("iII")
    data, ancillary, flags, _ = two.recvmsg(1, socket.CMSG_SPACE(size))
    assert data == b"x"
    assert not flags & socket.MSG_CTRUNC
    ((level, kind, item),) = ancillary
    assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
    assert struct.unpack("iII", item) == (os.getpid(), os.getuid(), os.getgid())


@pytest.mark.skipif(not LINUX, reason="the option is Linux's")
def test_the_hop_limit_of_ipv4(udp: Any) -> None:
    one, two = udp
    ip_recvttl = 12
    two.setsockopt(socket.IPPROTO_IP, ip_recvttl, 1)
    one.sendmsg([b"x"], [(socket.IPPROTO_IP, socket.IP_TTL, struct.pack("i", 17))], 0, two.getsockname())
    _, ancillary, _, address = two.recvmsg(1, 100)
    assert ancillary == [(socket.IPPROTO_IP, socket.IP_TTL, struct.pack("i", 17))]
    assert address == one.getsockname()


@pytest.mark.skipif(not LINUX, reason="the option is Linux's")
def test_an_item_that_is_cut_down_to_nothing(udp: Any) -> None:
    """Unlike descriptors, a number is cut at any byte (put_cmsg() in the kernel), and its head comes even alone."""
    one, two = udp
    ip_recvttl = 12
    two.setsockopt(socket.IPPROTO_IP, ip_recvttl, 1)
    ttl = struct.pack("i", 17)
    for room in range(socket.CMSG_SPACE(len(ttl)) + 1):
        one.sendmsg([b"x"], [(socket.IPPROTO_IP, socket.IP_TTL, ttl)], 0, two.getsockname())
        data, items, flags, _ = two.recvmsg(1, room)
        length = room - socket.CMSG_LEN(0)
        assert data == b"x"
        assert items == ([] if length < 0 else [(socket.IPPROTO_IP, socket.IP_TTL, ttl[:length])])
        assert bool(flags & socket.MSG_CTRUNC) is (length < len(ttl))


@requires_ipv6
def test_hop_limit_and_class_of_ipv6() -> None:
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as two,
    ):
        two.bind(("::1", 0))
        two.settimeout(PATIENCE)
        two.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        two.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        items = [
            (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, struct.pack("i", 33)),
            (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, struct.pack("i", 4)),
        ]
        one.sendmsg([b"x"], items, 0, two.getsockname())
        assert sorted(two.recvmsg(1, 200)[1]) == sorted(items)


def test_a_message_waited_for(pair: Any) -> None:
    one, two = pair
    with files(1) as sent, Worker(two.recvmsg, 10, 100) as worker:
        one.sendmsg([b"late"], [rights(*sent)])
        data, ancillary, _, _ = worker.result()
        assert data == b"late"
        check_and_close(received(ancillary))


# -- the kernel's cryptography ----------------------------------------------------------------------------------------


def test_sendmsg_afalg_needs_another_kind_of_socket(sock: Any) -> None:
    if not hasattr(socket.socket, "sendmsg_afalg"):
        pytest.skip("this system has no AF_ALG")
    with pytest.raises(OSError, match=r"^algset is only supported for AF_ALG$|AF_ALG"):
        sock.sendmsg_afalg([b"x"], op=socket.ALG_OP_ENCRYPT)


def test_wrong_arguments_of_sendmsg_afalg() -> None:
    if not hasattr(socket.socket, "sendmsg_afalg"):
        pytest.skip("this system has no AF_ALG")
    with socket.socket() as sock:
        for keywords in ({}, {"op": None}, {"op": 1, "assoclen": None}, {"op": "1"}):
            with pytest.raises((TypeError, OSError)):
                sock.sendmsg_afalg(**keywords)


# -- more buffers than a system call takes ----------------------------------------------------------------------------

MANY = 3000


def many_buffers() -> list[bytes]:
    """More than IOV_MAX (1024 on Linux), some of them empty."""
    return [bytes([number % 251]) * (number % 7) for number in range(MANY)]


too_many = control_fails("sendmsg(2) takes no more than IOV_MAX buffers")


@too_many
@pytest.mark.parametrize("timeout", [None, PATIENCE, 0])
def test_many_buffers_on_a_stream(stream: Any, timeout: float | None) -> None:
    one, two = stream
    one.settimeout(timeout)
    buffers = many_buffers()
    total = sum(map(len, buffers))
    assert one.sendmsg(buffers) == total
    assert two.recv(total, socket.MSG_WAITALL) == b"".join(buffers)


@too_many
def test_descriptors_go_with_many_buffers(pair: Any) -> None:
    """They go with the first byte, wherever it is, and once."""
    one, two = pair
    with files(1) as sent:
        assert one.sendmsg([b""] * 2000 + [b"x"] + [b"y"] * 2000, [rights(*sent)]) == 2001
        data, ancillary, _, _ = two.recvmsg(1, socket.CMSG_SPACE(INT))
        assert data == b"x"
        check_and_close(received(ancillary))
    rest, ancillary, _, _ = two.recvmsg(3000, socket.CMSG_SPACE(INT), socket.MSG_WAITALL | socket.MSG_DONTWAIT)
    assert rest.strip(b"y") == b""
    assert ancillary == []


@too_many
def test_as_many_buffers_as_there_is_room_for(pair: Any) -> None:
    """The count says how much went; what did not is the next call's."""
    one, two = pair
    one.settimeout(0.1)
    buffers = [b"z" * 4096] * MANY
    sent = one.sendmsg(buffers)
    assert 0 < sent < MANY * 4096
    with pytest.raises(TimeoutError):
        one.sendmsg(buffers)
    two.settimeout(PATIENCE)
    got = 0
    while got < sent:
        got += len(two.recv(1 << 20))
    assert got == sent


@too_many
def test_a_blocking_socket_sends_all_of_many_buffers(pair: Any) -> None:
    one, two = pair
    buffers = [b"z" * 4096] * MANY

    def receive_all() -> int:
        got = 0
        while data := two.recv(1 << 20):
            got += len(data)
        return got

    with Worker(receive_all) as worker:
        assert one.sendmsg(buffers) == MANY * 4096
        one.close()
        assert worker.result() == MANY * 4096


@too_many
def test_an_error_before_the_first_of_many_buffers(pair: Any) -> None:
    one, two = pair
    two.close()
    with pytest.raises(BrokenPipeError):
        one.sendmsg([b"x"] * MANY)


@too_many
def test_receiving_into_many_buffers(pair: Any) -> None:
    one, two = pair
    one.sendall(bytes(range(200)) * 10)
    buffers = [bytearray(1) for _ in range(MANY)]
    count = two.recvmsg_into(buffers)[0]
    assert 0 < count <= 2000
    assert b"".join(buffers)[:count] == (bytes(range(200)) * 10)[:count]


def test_datagrams_are_not_cut_up(udp: Any) -> None:
    """One message is one system call, or none."""
    one, two = udp
    with pytest.raises(OSError) as caught:
        one.sendmsg([b"x"] * MANY, [], 0, two.getsockname())
    assert caught.value.errno == errno.EMSGSIZE


# -- several buffers, which the interpreted backends may copy ----------------------------------------------------------


@pytest.mark.parametrize("timeout", [None, PATIENCE, 0])
def test_buffers_of_several_kinds_are_gathered(pair: Any, timeout: float | None) -> None:
    one, two = pair
    one.settimeout(timeout)
    numbers = array.array("I", [1, 2, 3])
    buffers = [b"ab", bytearray(b"cd"), memoryview(b"xefx")[1:3], memoryview(numbers), numbers, b""]
    assert one.sendmsg(buffers) == 6 + 2 * 12
    assert two.recv(100) == b"abcdef" + numbers.tobytes() * 2
    for wrong in (memoryview(b"abcd")[::2], "ab", memoryview(b"").release):
        with pytest.raises((TypeError, BufferError)):
            one.sendmsg([b"ab", wrong])
    released = memoryview(b"ab")
    released.release()
    with pytest.raises(ValueError, match="released"):
        one.sendmsg([b"ab", released])
    two.settimeout(0)
    with pytest.raises(BlockingIOError):
        two.recv(1)


@pytest.mark.parametrize("timeout", [None, PATIENCE, 0])
def test_buffers_of_several_kinds_are_filled(pair: Any, timeout: float | None) -> None:
    one, two = pair
    two.settimeout(timeout)
    buffer = bytearray(6)
    numbers = array.array("H", [0, 0])
    grid = memoryview(bytearray(4)).cast("B", (2, 2))
    same = bytearray(3)
    one.send(b"abcdef" + b"ghij" + b"klmn" + b"opq" + b"rst" + b"u")
    view = memoryview(buffer)
    targets = [view[:2], bytearray(), view[2:], memoryview(numbers), grid, same, same, bytearray(9)]
    assert two.recvmsg_into(targets)[0] == 21
    assert (buffer, numbers.tobytes(), grid.tobytes()) == (b"abcdef", b"ghij", b"klmn")
    # Later buffers are filled later.
    assert (same, targets[-1]) == (b"rst", b"u" + bytes(8))
    one.send(b"abc")
    for wrong in (memoryview(b"abcd"), view[::2], b"abcd"):
        with pytest.raises(TypeError):
            two.recvmsg_into([bytearray(1), wrong])
    assert two.recvmsg_into([buffer, bytearray(1)], 0, socket.MSG_PEEK)[0] == 3
    assert two.recv(100) == b"abc"
    if timeout == 0:
        with pytest.raises(BlockingIOError):
            two.recvmsg_into([buffer, bytearray(1)])


@pytest.mark.skipif(PYPY, reason="a bytearray of PyPy can always be resized")
@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("method", ["sendmsg", "recvmsg_into"])
def test_buffers_cannot_be_resized_while_a_call_waits(pair: Any, method: str, timeout: float | None) -> None:
    one, two = pair
    filled = 0
    one.setblocking(False)
    if method == "sendmsg":
        with contextlib.suppress(BlockingIOError):
            while True:
                filled += one.send(bytes(1000))
    one.settimeout(timeout)
    buffers = [bytearray(b"ab"), bytearray(b"cd")]
    with Worker(getattr(one, method), buffers) as worker:
        deadline = time.monotonic() + PATIENCE
        refused = False
        while not refused and time.monotonic() < deadline:
            try:
                buffers[1].append(0)
                buffers[1].pop()
            except BufferError:
                refused = True
        if method == "sendmsg":
            while filled > 0:
                filled -= len(two.recv(min(filled, 65536)))
        else:
            two.send(b"abcd")
        result = worker.result()
    assert refused
    if method == "sendmsg":
        assert two.recv(100) == b"".join(buffers)[:result]
    else:
        assert result[0] == 4
        assert b"".join(buffers)[:4] == b"abcd"
    buffers[1].append(0)


# -- several small buffers: some backends copy them, and nobody sees it -----------------------------------------------


def all_of(sock: Any, size: int) -> bytes:
    """So many bytes of a stream."""
    data = b""
    while len(data) < size:
        data += sock.recv(size - len(data))
    return data


@pytest.mark.parametrize(
    "wrong", ["text", 3, None, memoryview(bytearray(8))[::2]], ids=["text", "number", "None", "not contiguous"]
)
def test_one_that_is_wrong_among_several_sends_nothing(pair: Any, wrong: Any) -> None:
    one, two = pair
    with pytest.raises((TypeError, BufferError)):
        one.sendmsg([b"a", wrong, b"b"])
    two.settimeout(0)
    with pytest.raises(BlockingIOError):
        two.recv(1)


def test_what_a_message_does_not_fill_stays_as_it_is(pair: Any) -> None:
    one, two = pair
    buffers = [bytearray(b"..."), bytearray(), bytearray(b"....."), bytearray(b"..")]
    one.sendall(b"abcde")
    assert two.recvmsg_into(buffers)[0] == 5
    assert buffers == [b"abc", b"", b"de...", b".."]


def test_a_wait_that_ends_in_an_error_lets_go_of_several_buffers(pair: Any) -> None:
    _, two = pair
    two.settimeout(0.01)
    buffers = [bytearray(2), bytearray(2)]
    with pytest.raises(TimeoutError) as caught:
        two.recvmsg_into(buffers)
    for buffer in buffers:
        buffer.append(0)
    del caught


@pytest.mark.skipif(not LINUX, reason="tcp(7): Linux alone does so")
def test_a_stream_that_throws_away_leaves_several_buffers_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as one:
        two, _ = server.accept()
        with two:
            one.sendall(b"abcd")
            buffers = [bytearray(b".."), bytearray(b"..")]
            assert two.recvmsg_into(buffers, 0, socket.MSG_TRUNC | socket.MSG_WAITALL)[0] == 4
            assert buffers == [b"..", b".."]


@pytest.mark.skipif(not hasattr(socket, "MSG_ZEROCOPY"), reason="no MSG_ZEROCOPY in this module")
def test_the_kernel_goes_on_to_read_the_callers_own_memory() -> None:
    """A copy would be gone by then: what the kernel sends is what the program has in its buffer at that time."""
    zero_copy = socket.MSG_ZEROCOPY
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as one:
        two, _ = server.accept()
        with two:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_ZEROCOPY, 1)
            parts = [bytearray(b"a" * 100), b"b" * 100]
            assert one.sendmsg(parts, [], zero_copy) == 200
            assert all_of(two, 200) == b"a" * 100 + b"b" * 100
