"""Many datagrams in one call: recvmmsg, recvmmsg_into, sendmmsg, send_segments, recv_segments."""

from __future__ import annotations

import array
import errno
import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .target import LINUX, LOCALHOST, LOCALHOST_V6, PATIENCE, Worker, requires_ipv6, socket, udp_pair

pytestmark = pytest.mark.socketpkg_only

INT = struct.calcsize("i")
UDP_SEGMENT = getattr(socket, "UDP_SEGMENT", -1)
UDP_GRO = getattr(socket, "UDP_GRO", -1)


def _has_segments() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
            sock.getsockopt(socket.IPPROTO_UDP, UDP_SEGMENT)
        except OSError:
            return False
    return True


requires_segments = pytest.mark.skipif(not _has_segments(), reason="the kernel has no UDP_SEGMENT and UDP_GRO")


@pytest.fixture
def dgrams() -> Iterator[tuple[Any, Any]]:
    """The two ends of a pair of UNIX sockets for datagrams."""
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, two:
        one.settimeout(PATIENCE)
        two.settimeout(PATIENCE)
        yield one, two


def module_of_bulk() -> Any:
    """The module whose functions these methods are."""
    return socket._socket.core._bulk_functions()


# -- sending and receiving --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [None, PATIENCE, 0])
def test_there_and_back(udp: Any, timeout: float | None) -> None:
    one, two = udp
    one.settimeout(timeout)
    two.settimeout(timeout)
    messages = [(b"%d" % number * number, two.getsockname()) for number in range(10)]
    assert one.sendmmsg(messages) == 10
    got = two.recvmmsg(20, 100)
    assert got == [(data, one.getsockname()) for data, _ in messages]
    assert type(got) is list
    assert {type(message) for message in got} == {tuple}
    assert {type(message[0]) for message in got} == {bytes}


@requires_ipv6
def test_ipv6() -> None:
    with udp_pair(socket.AF_INET6) as (one, two):
        assert one.sendmmsg([(b"a", two.getsockname()), (b"b", (LOCALHOST_V6, two.getsockname()[1]))]) == 2
        assert two.recvmmsg(2, 10) == [(b"a", one.getsockname()), (b"b", one.getsockname())]


def test_a_connected_pair(dgrams: Any) -> None:
    one, two = dgrams
    assert one.sendmmsg([b"a", bytearray(b"bc"), memoryview(b"xdefx")[1:4], array.array("B", b"g"), b""]) == 5
    assert two.recvmmsg(5, 10) == [(data, None) for data in (b"a", b"bc", b"def", b"g", b"")]


def test_data_is_gathered(dgrams: Any) -> None:
    one, two = dgrams
    messages = [[b"a", b"b"], ([b"c", bytearray(b"d")], None), ((b"e", b"", memoryview(b"f")), None, []), ([], None)]
    assert one.sendmmsg(messages) == 4
    assert [data for data, _ in two.recvmmsg(4, 10)] == [b"ab", b"cd", b"ef", b""]


def test_messages_come_from_any_iterable(dgrams: Any) -> None:
    one, two = dgrams
    assert one.sendmmsg(b"%d" % number for number in range(3)) == 3
    assert one.sendmmsg({b"last": 1}.keys()) == 1
    assert [data for data, _ in two.recvmmsg(10, 10)] == [b"0", b"1", b"2", b"last"]


def test_each_message_has_its_own_address() -> None:
    with udp_pair() as (one, two), udp_pair() as (three, four):
        to = [sock.getsockname() for sock in (two, three, four)]
        assert one.sendmmsg([(b"%d" % i, to[i % 3]) for i in range(9)]) == 9
        for position, sock in enumerate((two, three, four)):
            assert [data for data, _ in sock.recvmmsg(5, 9)] == [b"%d" % i for i in range(position, 9, 3)]


def test_each_message_says_who_sent_it() -> None:
    with udp_pair() as (one, two), udp_pair() as (three, four):
        for sock in (one, three, three, four, one):
            sock.sendto(b"x", two.getsockname())
        senders = [address for _, address in two.recvmmsg(9, 9)]
        assert senders == [sock.getsockname() for sock in (one, three, three, four, one)]


def test_no_more_than_asked_for(udp: Any) -> None:
    one, two = udp
    assert one.sendmmsg([(b"%d" % i, two.getsockname()) for i in range(5)]) == 5
    assert [data for data, _ in two.recvmmsg(2, 9)] == [b"0", b"1"]
    assert [data for data, _ in two.recvmmsg(1, 9)] == [b"2"]
    assert [data for data, _ in two.recvmmsg(9, 9)] == [b"3", b"4"]


@pytest.mark.parametrize("count", [1023, 1024, 1025, 2500])
def test_more_than_the_kernel_takes_at_once(udp: Any, count: int) -> None:
    one, two = udp
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    if two.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < count * 1024:
        pytest.skip("the system gives no buffer of that size")
    assert one.sendmmsg([(b"%d" % i, two.getsockname()) for i in range(count)]) == count
    got = two.recvmmsg(10_000, 10)
    assert [int(data) for data, _ in got] == list(range(count))
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recvmmsg(1, 1)


def test_large_buffers_are_received_in_parts(udp: Any) -> None:
    one, two = udp
    assert one.sendmmsg([(b"%d" % i, two.getsockname()) for i in range(200)]) == 200
    assert [int(data) for data, _ in two.recvmmsg(300, 65536)] == list(range(200))


def test_a_count_that_no_memory_could_hold(udp: Any) -> None:
    one, two = udp
    one.sendto(b"x", two.getsockname())
    assert two.recvmmsg(sys.maxsize // 8, 100) == [(b"x", one.getsockname())]


def test_nothing_asked_for(udp: Any, dgrams: Any) -> None:
    assert udp[0].recvmmsg(0, 100) == []
    assert udp[0].recvmmsg_into([]) == []
    assert dgrams[0].sendmmsg([]) == 0


def test_no_room(udp: Any) -> None:
    one, two = udp
    assert one.sendmmsg([(b"abc", two.getsockname())] * 2) == 2
    assert two.recvmmsg(5, 0) == [(b"", one.getsockname())] * 2


def test_flags(udp: Any) -> None:
    one, two = udp
    one.sendmmsg([(b"abc", two.getsockname())] * 2)
    # Each peek is at the head of the queue.
    assert two.recvmmsg(2, 9, socket.MSG_PEEK) == [(b"abc", one.getsockname())] * 2
    assert two.recvmmsg(2, 9, flags=socket.MSG_DONTWAIT) == [(b"abc", one.getsockname())] * 2
    with pytest.raises(OSError) as caught:
        one.sendmmsg([(b"abc", two.getsockname())], socket.MSG_OOB)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_what_is_cut_can_be_seen(udp: Any) -> None:
    one, two = udp
    address = one.getsockname()

    def send() -> None:
        assert one.sendmmsg([(b"abcdef", two.getsockname()), (b"abc", two.getsockname())]) == 2

    send()
    assert two.recvmmsg(2, 4) == [(b"abcd", address), (b"abc", address)]
    send()
    assert two.recvmmsg(2, 4, socket.MSG_TRUNC) == [(b"abcd", address), (b"abc", address)]
    send()
    expected = [(b"abcd", [], socket.MSG_TRUNC, address), (b"abc", [], 0, address)]
    assert two.recvmmsg(2, 4, ancbufsize=0) == expected
    send()
    buffers = [bytearray(4), bytearray(4)]
    assert two.recvmmsg_into(buffers, socket.MSG_TRUNC) == [(6, address), (3, address)]
    assert buffers == [b"abcd", b"abc\0"]
    send()
    assert two.recvmmsg_into(buffers, ancbufsize=0) == [(4, [], socket.MSG_TRUNC, address), (3, [], 0, address)]


# -- into buffers -----------------------------------------------------------------------------------------------------


def test_into_buffers(udp: Any) -> None:
    one, two = udp
    one.sendmmsg([(data, two.getsockname()) for data in (b"a", b"bcd", b"", b"12345678", b"left")])
    buffers = (bytearray(3), memoryview(bytearray(5))[1:4], bytearray(), array.array("i", [0, 0]))
    address = one.getsockname()
    assert two.recvmmsg_into(buffers) == [(1, address), (3, address), (0, address), (8, address)]
    assert [bytes(buffer) for buffer in buffers] == [b"a\0\0", b"bcd", b"", b"12345678"]
    assert two.recv(10) == b"left"


def test_more_buffers_than_messages(udp: Any) -> None:
    one, two = udp
    one.sendto(b"x", two.getsockname())
    buffers = [bytearray(b"----") for _ in range(3)]
    assert two.recvmmsg_into(iter(buffers)) == [(1, one.getsockname())]
    assert buffers == [b"x---", b"----", b"----"]


def test_more_buffers_than_the_kernel_takes_at_once(udp: Any) -> None:
    one, two = udp
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    if two.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < 1500 * 1024:
        pytest.skip("the system gives no buffer of that size")
    assert one.sendmmsg([(b"%04d" % i, two.getsockname()) for i in range(1500)]) == 1500
    buffers = [bytearray(4) for _ in range(1600)]
    assert two.recvmmsg_into(buffers) == [(4, one.getsockname())] * 1500
    assert [int(buffer) for buffer in buffers[:1500]] == list(range(1500))


def test_buffers_are_free_afterwards(udp: Any) -> None:
    one, two = udp
    one.sendto(b"x", two.getsockname())
    buffers = [bytearray(1), bytearray(1)]
    two.recvmmsg_into(buffers)
    with pytest.raises(TypeError):
        two.recvmmsg_into([*buffers, b"read-only"])
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recvmmsg_into(buffers)
    source = bytearray(b"x")
    one.sendmmsg([(source, two.getsockname())])
    with pytest.raises(TypeError):
        one.sendmmsg([(source, two.getsockname()), (5, two.getsockname())])
    one.send_segments(source, 1, two.getsockname())
    for buffer in (*buffers, source):
        buffer.clear()


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_nothing_there(udp: Any) -> None:
    _, two = udp
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recvmmsg(5, 100)
    with pytest.raises(BlockingIOError):
        two.recvmmsg_into([bytearray(5)])
    with pytest.raises(BlockingIOError):
        two.recv_segments()
    two.settimeout(0.05)
    for call in (lambda: two.recvmmsg(5, 100), lambda: two.recvmmsg_into([bytearray(5)]), two.recv_segments):
        before = time.monotonic()
        with pytest.raises(TimeoutError, match=r"^timed out$"):
            call()
        assert time.monotonic() - before >= 0.04


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("size", [100, 100_000])
def test_the_first_message_is_waited_for(udp: Any, timeout: float | None, size: int) -> None:
    one, two = udp
    two.settimeout(timeout)
    with Worker(two.recvmmsg, 5, size) as worker:
        time.sleep(0.05)
        one.sendto(b"late", two.getsockname())
        # The others are not: there are none, and the call ends.
        assert worker.result() == [(b"late", one.getsockname())]


def test_sending_when_there_is_no_room(dgrams: Any) -> None:
    one, two = dgrams
    one.setblocking(False)
    total = one.sendmmsg([b"x" * 1000] * 5000)
    assert 0 < total < 5000, "a part is sent, and told"
    with pytest.raises(BlockingIOError):
        one.sendmmsg([b"x"])
    one.settimeout(0.05)
    with pytest.raises(TimeoutError, match=r"^timed out$"):
        one.sendmmsg([b"x", b"y"])
    assert sum(len(two.recvmmsg(1, 1000)) for _ in range(total)) == total


@pytest.mark.parametrize("count", [400, 3000])
def test_a_blocking_socket_sends_everything(dgrams: Any, count: int) -> None:
    one, two = dgrams
    one.settimeout(None)
    with Worker(one.sendmmsg, [b"%d" % i for i in range(count)]) as worker:
        got: list[bytes] = []
        while len(got) < count:
            got += [data for data, _ in two.recvmmsg(7, 10)]
        assert [int(data) for data in got] == list(range(count))
        assert worker.result() == count


def test_one_with_a_timeout_waits_for_the_first_only(dgrams: Any) -> None:
    one, two = dgrams
    one.setblocking(False)
    total = one.sendmmsg([b"x"] * 5000)
    one.settimeout(PATIENCE)
    with Worker(one.sendmmsg, [b"y"] * 5000) as worker:
        time.sleep(0.05)
        got = [data for data, _ in two.recvmmsg(total, 10)]
        assert 1 <= worker.result() < 5000
    assert got == [b"x"] * total


# -- errors -----------------------------------------------------------------------------------------------------------


def refusing() -> Any:
    """A UDP address at which nobody is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOCALHOST, 0))
        return sock.getsockname()


def test_a_message_that_fails_ends_the_call(udp: Any) -> None:
    one, two = udp
    there = two.getsockname()
    messages = [(b"a", there), (b"b", there), (bytes(70_000), there), (b"d", there)]
    assert one.sendmmsg(messages) == 2
    with pytest.raises(OSError) as caught:
        one.sendmmsg(messages[2:])
    assert caught.value.errno == errno.EMSGSIZE
    assert [data for data, _ in two.recvmmsg(9, 9)] == [b"a", b"b"]


def test_no_address(udp: Any) -> None:
    one, two = udp
    assert one.sendmmsg([(b"a", two.getsockname()), b"b"]) == 1
    with pytest.raises(OSError) as caught:
        one.sendmmsg([b"b"])
    assert caught.value.errno == errno.EDESTADDRREQ


@pytest.mark.skipif(not LINUX, reason="what a socket is told is the system's choice")
def test_an_error_that_is_pending_is_raised_and_gone(udp: Any) -> None:
    one, _ = udp
    one.connect(refusing())
    one.send(b"x")
    with pytest.raises(ConnectionRefusedError):
        one.recvmmsg(5, 100)
    one.setblocking(False)
    with pytest.raises(BlockingIOError):
        one.recvmmsg(5, 100)


@pytest.mark.parametrize("method", ["recvmmsg", "recvmmsg_into", "sendmmsg", "send_segments", "recv_segments"])
def test_a_closed_socket(udp: Any, method: str) -> None:
    one, two = udp
    arguments: dict[str, tuple[Any, ...]] = {
        "recvmmsg": (1, 1),
        "recvmmsg_into": ([bytearray(1)],),
        "sendmmsg": ([(b"x", two.getsockname())],),
        "send_segments": (b"xy", 1, two.getsockname()),
        "recv_segments": (),
    }
    one.close()
    with pytest.raises(OSError) as caught:
        getattr(one, method)(*arguments[method])
    assert caught.value.errno == errno.EBADF


def test_wrong_arguments(udp: Any) -> None:
    one, two = udp
    there = two.getsockname()
    with pytest.raises(ValueError, match=r"^negative count in recvmmsg$"):
        one.recvmmsg(-1, 1)
    with pytest.raises(ValueError, match=r"^negative buffersize in recvmmsg$"):
        one.recvmmsg(1, -1)
    with pytest.raises(ValueError, match=r"^negative buffersize in recv_segments$"):
        one.recv_segments(-1)
    # With 32 bits there is no number between the two limits.
    for ancbufsize in (-1, 2**31) if sys.maxsize > 2**32 else (-1,):
        with pytest.raises(ValueError, match=r"^invalid ancillary data buffer length$"):
            one.recvmmsg(1, 1, ancbufsize=ancbufsize)
        with pytest.raises(ValueError, match=r"^invalid ancillary data buffer length$"):
            one.recvmmsg_into([bytearray(1)], ancbufsize=ancbufsize)
    with pytest.raises(OverflowError):
        one.recvmmsg(2**80, 1)
    with pytest.raises(OverflowError):
        one.recvmmsg(1, 1, 2**40)
    # With 32 bits there may be room for the largest size that there is.
    if sys.maxsize > 2**32:
        with pytest.raises(MemoryError):
            one.recvmmsg(1, 2**62)
    with pytest.raises(TypeError, match=r"^recvmmsg_into\(\) argument 1 must be an iterable$"):
        one.recvmmsg_into(5)
    with pytest.raises(TypeError, match=r"^recvmmsg_into\(\) argument 1 must be an iterable of single-segment"):
        one.recvmmsg_into([b"x"])
    with pytest.raises(TypeError, match=r"^sendmmsg\(\) argument 1 must be an iterable of messages$"):
        one.sendmmsg(5)
    for text in ("x", ("x", there), (["x"], there)):
        with pytest.raises(TypeError, match=r"^a bytes-like object is required, not 'str'$"):
            one.sendmmsg([(b"x", there), text])
    for message in ((), (b"x",), (b"x", there, (), 0)):
        with pytest.raises(TypeError, match=r"^a message of sendmmsg\(\) must be data, \(data, address\) or"):
            one.sendmmsg([(b"x", there), message])
    with pytest.raises(TypeError, match=r"^sendmmsg\(\): AF_INET address must be tuple, not str$"):
        one.sendmmsg([(b"x", there), (b"x", "there")])
    with pytest.raises(OverflowError, match=r"^sendmmsg\(\): port must be 0-65535.$"):
        one.sendmmsg([(b"x", (LOCALHOST, 65536))])
    with pytest.raises(TypeError):
        one.sendmmsg([(b"x", there, 5)])
    with pytest.raises(BufferError):
        one.sendmmsg([(memoryview(b"abcd")[::2], there)])
    for size in (0, -1, 65536, sys.maxsize):
        with pytest.raises(ValueError, match=r"^segment_size must be 1-65535$"):
            one.send_segments(b"x", size, there)
    with pytest.raises(TypeError, match=r"^a bytes-like object is required, not 'str'$"):
        one.send_segments("text", 1, there)
    with pytest.raises(TypeError, match=r"^send_segments\(\): AF_INET address must be tuple, not str$"):
        one.send_segments(b"x", 1, "there")
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recv(1)


def test_streams(tcp: Any) -> None:
    client, server = tcp
    server.settimeout(PATIENCE)
    for call in (lambda: client.sendmmsg([b"x"]), lambda: client.send_segments(b"xy", 1)):
        with pytest.raises(OSError, match=r"needs a socket of datagrams") as caught:
            call()
        assert caught.value.errno == errno.EOPNOTSUPP
    client.sendall(b"abcde")
    client.close()
    # Each message is what one recv() gives, and the end comes once.
    got = [data for data, _ in server.recvmmsg(10, 2)]
    assert got[:3] == [b"ab", b"cd", b"e"]
    assert got[3:] in ([], [b""])
    assert server.recvmmsg(10, 2) == [(b"", None)]
    assert server.recvmmsg_into([bytearray(2), bytearray(2)]) == [(0, None)]
    assert server.recv_segments() == ([b""], None)


@pytest.mark.skipif(not LINUX, reason="abstract names are Linux's")
def test_unix_addresses() -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
    ):
        one.bind("")
        two.bind("")
        two.settimeout(PATIENCE)
        assert one.sendmmsg([(b"a", two.getsockname()), (b"b", two.getsockname())]) == 2
        assert two.recvmmsg(3, 3) == [(b"a", one.getsockname()), (b"b", one.getsockname())]
        assert one.send_segments(b"abcde", 2, two.getsockname()) == 5
        assert [two.recv_segments() for _ in range(3)] == [([p], one.getsockname()) for p in (b"ab", b"cd", b"e")]


# -- signals ----------------------------------------------------------------------------------------------------------


class Interrupted(Exception):
    """What a handler raises."""


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("method", ["recvmmsg", "recvmmsg_into", "recv_segments"])
def test_receiving_goes_on_after_a_signal(udp: Any, alarms: Any, method: str, timeout: float | None) -> None:
    one, two = udp
    two.settimeout(timeout)
    seen = alarms(once=lambda: one.sendto(b"x", two.getsockname()))
    if method == "recvmmsg":
        assert two.recvmmsg(5, 5) == [(b"x", one.getsockname())]
    elif method == "recvmmsg_into":
        assert two.recvmmsg_into([bytearray(5)]) == [(1, one.getsockname())]
    else:
        assert two.recv_segments() == ([b"x"], one.getsockname())
    assert len(seen) >= 3


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_handler_that_raises_ends_the_call(udp: Any, interruption: Any, timeout: float | None) -> None:
    one, two = udp
    two.settimeout(timeout)
    for call in (lambda: two.recvmmsg(5, 5), lambda: two.recvmmsg_into([bytearray(5)] * 2), two.recv_segments):
        with pytest.raises(Interrupted), interruption(Interrupted):
            call()
    one.sendto(b"x", two.getsockname())
    assert two.recvmmsg(5, 5) == [(b"x", one.getsockname())]


def test_sending_goes_on_after_a_signal(dgrams: Any, alarms: Any) -> None:
    one, two = dgrams
    one.settimeout(None)
    received: list[bytes] = []
    go = threading.Event()

    def receive() -> None:
        go.wait(PATIENCE)
        while len(received) < 2000:
            received.extend(data for data, _ in two.recvmmsg(100, 10))

    with Worker(receive):
        alarms(once=go.set)
        assert one.sendmmsg([b"%d" % i for i in range(2000)]) == 2000
    assert [int(data) for data in received] == list(range(2000))


def test_a_handler_that_raises_an_oserror_ends_sending(dgrams: Any, interruption: Any) -> None:
    """Its error is not taken for one of the socket."""
    one, _ = dgrams
    one.settimeout(None)
    with pytest.raises(TimeoutError, match="of the handler"), interruption(lambda: TimeoutError("of the handler")):
        one.sendmmsg([b"x"] * 5000)


# -- ancillary data ---------------------------------------------------------------------------------------------------


def rights(*descriptors: int) -> tuple[int, int, bytes]:
    return socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(descriptors)}i", *descriptors)


def numbers(ancillary: Any) -> list[int]:
    return [number for _, _, data in ancillary for (number,) in struct.iter_unpack("i", data)]


@pytest.mark.parametrize("method", ["recvmmsg", "recvmmsg_into"])
def test_descriptors(dgrams: Any, method: str) -> None:
    one, two = dgrams
    messages = [(b"a", None, [rights(one.fileno())]), b"b", ([b"c", b"d"], None, [rights(two.fileno(), one.fileno())])]
    assert one.sendmmsg(messages) == 3
    if method == "recvmmsg":
        got = two.recvmmsg(5, 5, ancbufsize=100)
        assert [message[0] for message in got] == [b"a", b"b", b"cd"]
    else:
        got = two.recvmmsg_into([bytearray(5) for _ in range(3)], ancbufsize=100)
        assert [message[0] for message in got] == [1, 1, 2]
    fds = [numbers(ancillary) for _, ancillary, _, _ in got]
    try:
        assert [len(part) for part in fds] == [1, 0, 2]
        assert [message[2:] for message in got] == [(0, None)] * 3
        for part, originals in ((fds[0], [one]), (fds[2], [two, one])):
            for fd, original in zip(part, originals, strict=True):
                assert os.fstat(fd).st_ino == os.fstat(original.fileno()).st_ino
                assert not os.get_inheritable(fd)
    finally:
        for part in fds:
            for fd in part:
                os.close(fd)


@pytest.mark.parametrize("ancbufsize", [None, 0])
def test_no_room_for_descriptors(dgrams: Any, ancbufsize: int | None) -> None:
    one, two = dgrams
    assert one.sendmmsg([(b"a", None, [rights(one.fileno())])] * 2) == 2
    got = two.recvmmsg(5, 5, ancbufsize=ancbufsize)
    if ancbufsize is None:
        assert got == [(b"a", None)] * 2
    else:
        assert got == [(b"a", [], socket.MSG_CTRUNC, None)] * 2


def test_an_item_for_one_of_many(udp: Any) -> None:
    one, two = udp
    two.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    there = two.getsockname()
    item = (socket.IPPROTO_IP, socket.IP_TOS, struct.pack("i", 0x10))
    assert one.sendmmsg([(b"a", there), (b"b", there, [item]), (b"c", there, ())]) == 3
    kinds = [ancillary for _, ancillary, _, _ in two.recvmmsg(5, 5, ancbufsize=100)]
    assert kinds == [[(socket.IPPROTO_IP, socket.IP_TOS, bytes([tos]))] for tos in (0, 0x10, 0)]


class Unreadable(Exception):
    """What an address raises that cannot be told."""


@pytest.mark.parametrize("method", ["recvmsg", "recvmsg_into", "recvmmsg", "recvmmsg_into"])
def test_descriptors_are_closed_when_the_address_cannot_be_told(
    dgrams: Any, short_dir: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    address_codec = socket._socket.backend.address
    if not hasattr(address_codec, "_decoded"):
        pytest.skip("C decodes it, which fails where there is no memory: tests/faults")
    one, two = dgrams
    one.bind(str(short_dir / "one"))
    arguments: dict[str, tuple[tuple[Any, ...], dict[str, int]]] = {
        "recvmsg": ((10, 100), {}),
        "recvmsg_into": (([bytearray(10)], 100), {}),
        "recvmmsg": ((5, 10), {"ancbufsize": 100}),
        "recvmmsg_into": (([bytearray(10), bytearray(10)],), {"ancbufsize": 100}),
    }
    positional, keywords = arguments[method]
    before = set(os.listdir("/dev/fd"))
    count = 2 if method.startswith("recvmmsg") else 1
    assert one.sendmmsg([(b"a", None, [rights(one.fileno(), two.fileno())])] * count) == count

    def decoded(name: Any) -> str:
        raise Unreadable

    with monkeypatch.context() as patch:
        patch.setattr(address_codec, "_decoded", decoded)
        with pytest.raises(Unreadable):
            getattr(two, method)(*positional, **keywords)
    assert set(os.listdir("/dev/fd")) == before


# -- audit ------------------------------------------------------------------------------------------------------------


def test_audit_events_tell_every_address() -> None:
    from .target import run_python

    code = """
    import sys
    one, two, three = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    for sock in (two, three):
        sock.bind(("127.0.0.1", 0))
    a, b = two.getsockname(), three.getsockname()
    events = []
    sys.addaudithook(lambda name, arguments: events.append(arguments) if name == "socket.sendmsg" else None)
    assert one.sendmmsg([(b"x", a), (b"x", a), (b"x", b), (b"x", a)]) == 4
    assert events == [(one, a), (one, b), (one, a)], events
    events.clear()
    assert one.send_segments(b"abc", 1, b) == 3
    assert events == [(one, b)], events
    for sock in (one, two, three):
        sock.close()
    """
    run_python(code)


# -- segments ---------------------------------------------------------------------------------------------------------


def joined(sock: Any, total: int) -> list[bytes]:
    """Datagrams from recv_segments until they have *total* bytes."""
    found: list[bytes] = []
    while sum(len(data) for data in found) < total:
        found += sock.recv_segments()[0]
    return found


@pytest.mark.parametrize("timeout", [None, PATIENCE, 0])
@pytest.mark.parametrize(
    ("total", "size"),
    [(10, 3), (10, 10), (10, 11), (1, 1), (64, 1), (65, 1), (1000, 7), (65507, 1200), (100_000, 1400), (9, 65535)],
)
def test_segments(udp: Any, timeout: float | None, total: int, size: int) -> None:
    one, two = udp
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    for sock in (one, two):
        sock.settimeout(timeout)
    data = bytes(i * 31 % 251 for i in range(total))
    expected = [data[i : i + size] for i in range(0, total, size)]
    assert one.send_segments(data, size, two.getsockname()) == total
    # As any receiver sees them.
    assert [got for got, _ in two.recvmmsg(2000, 65535)] == expected
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recv(1)
    two.settimeout(timeout)
    two.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    for source in (data, bytearray(data), memoryview(b"-" + data)[1:]):
        assert one.send_segments(source, size, two.getsockname()) == total
        assert joined(two, total) == expected


@requires_segments
def test_segments_come_joined(udp: Any) -> None:
    one, two = udp
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recv_segments()
    assert one.send_segments(b"abcdefgh", 3, two.getsockname()) == 8
    assert two.recv_segments() == ([b"abc", b"def", b"gh"], one.getsockname())
    assert one.send_segments(b"abcdef", 3, two.getsockname()) == 6
    assert two.recv_segments() == ([b"abc", b"def"], one.getsockname())
    # What the documents warn of.
    assert one.send_segments(b"abcdef", 3, two.getsockname()) == 6
    assert two.recv(100) == b"abcdef"
    one.send_segments(b"abcdef", 3, two.getsockname())
    assert two.recv_segments(4) == ([b"abc", b"d"], one.getsockname())


@requires_segments
@requires_ipv6
def test_segments_of_ipv6() -> None:
    with udp_pair(socket.AF_INET6) as (one, two):
        two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        two.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        data = bytes(range(250)) * 280
        assert one.send_segments(data, 1200, two.getsockname()) == len(data)
        assert b"".join(joined(two, len(data))) == data


def test_segments_of_nothing(udp: Any) -> None:
    one, two = udp
    assert one.send_segments(b"", 5, two.getsockname()) == 0
    one.sendto(b"", two.getsockname())
    assert two.recv_segments() == ([b""], one.getsockname())


def test_segments_to_the_peer(udp: Any) -> None:
    one, two = udp
    one.connect(two.getsockname())
    assert one.send_segments(b"abcde", 2) == 5
    assert joined(two, 5) == [b"ab", b"cd", b"e"]


def test_a_datagram_alone(udp: Any) -> None:
    one, two = udp
    two.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    one.sendto(b"abc", two.getsockname())
    assert two.recv_segments() == ([b"abc"], one.getsockname())


@pytest.mark.skipif(not LINUX, reason="the option that refuses segments is Linux's")
def test_where_the_kernel_refuses_segments(udp: Any) -> None:
    """UDP without a checksum cannot be segmented (EINVAL): each datagram is sent by itself."""
    one, two = udp
    one.setsockopt(socket.SOL_SOCKET, socket.SO_NO_CHECK, 1)
    with pytest.raises(OSError) as caught:
        one.sendmsg([b"abcde"], [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", 2))], 0, two.getsockname())
    assert caught.value.errno == errno.EINVAL
    assert one.send_segments(b"abcde", 2, two.getsockname()) == 5
    assert [data for data, _ in two.recvmmsg(9, 9)] == [b"ab", b"cd", b"e"]


@requires_segments
def test_segments_larger_than_a_packet(udp: Any) -> None:
    """The kernel does not fragment segments; datagrams it does."""
    one, two = udp
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    data = bytes(60_000) + b"y" * 60_000
    assert one.send_segments(data, 40_000, two.getsockname()) == len(data)
    assert b"".join(joined(two, len(data))) == data


@pytest.mark.skipif(not LINUX, reason="which options there are is Linux's choice")
def test_a_kernel_without_segments(udp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has not the options is asked once; it would take the control message for nothing."""
    bulk = module_of_bulk()
    monkeypatch.setattr(bulk, "_has_segment", False)
    monkeypatch.setattr(bulk, "_has_gro", False)
    one, two = udp
    assert one.send_segments(b"abcde", 2, two.getsockname()) == 5
    assert [two.recv_segments() for _ in range(3)] == [([part], one.getsockname()) for part in (b"ab", b"cd", b"e")]
    assert two.getsockopt(socket.IPPROTO_UDP, UDP_GRO) == 0


def test_segments_when_there_is_no_room(dgrams: Any) -> None:
    one, _ = dgrams
    one.setblocking(False)
    data = bytes(5000)
    sent = one.send_segments(data, 1)
    assert 0 < sent < 5000
    with pytest.raises(BlockingIOError):
        one.send_segments(data, 1)


def test_an_error_behind_segments_that_are_sent(udp: Any) -> None:
    one, two = udp
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    # One datagram that fits, and one that no packet holds.
    with pytest.raises(OSError) as caught:
        one.send_segments(bytes(65535 * 2), 65535, two.getsockname())
    assert caught.value.errno == errno.EMSGSIZE
    with pytest.raises(OSError) as caught:
        one.send_segments(bytes(3000), 1000, (LOCALHOST, 0))
    assert caught.value.errno == errno.EINVAL
