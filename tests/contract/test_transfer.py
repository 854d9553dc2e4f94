"""Sending and receiving: results, errors, timeouts, signals, buffers."""

from __future__ import annotations

import array
import errno
import hashlib
import mmap
import os
import select
import signal
import socket as stdlib
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Descriptors

SECOND = 1_000_000_000
MAX_TIMEOUT = 2**63 - 1

Call = Callable[[Any, int, int], Any]

#: Each way to receive, as (syscalls, fd, timeout).
RECEIVE: dict[str, Call] = {
    "recv": lambda s, fd, t: s.recv(fd, 100, 0, t),
    "recv large": lambda s, fd, t: s.recv(fd, 200_000, 0, t),
    "recv huge": lambda s, fd, t: s.recv(fd, 1_000_000, 0, t),
    "recv_into": lambda s, fd, t: s.recv_into(fd, bytearray(100), 0, 0, t),
    "recv_into large": lambda s, fd, t: s.recv_into(fd, bytearray(200_000), 0, 0, t),
    "recv_into view": lambda s, fd, t: s.recv_into(fd, memoryview(bytearray(100)), 0, 0, t),
    "recvfrom": lambda s, fd, t: s.recvfrom(fd, 100, 0, t),
    "recvfrom large": lambda s, fd, t: s.recvfrom(fd, 200_000, 0, t),
    "recvfrom_into": lambda s, fd, t: s.recvfrom_into(fd, bytearray(100), 0, 0, t),
    "recvmsg": lambda s, fd, t: s.recvmsg(fd, 100, 0, 0, t),
    "recvmsg large": lambda s, fd, t: s.recvmsg(fd, 200_000, 64, 0, t),
    "recvmsg_into": lambda s, fd, t: s.recvmsg_into(fd, (bytearray(10), bytearray(90)), 0, 0, t),
}

#: Each way to send a little, as (syscalls, fd, timeout).
SEND: dict[str, Call] = {
    "send": lambda s, fd, t: s.send(fd, b"x" * 1000, 0, t),
    "send bytearray": lambda s, fd, t: s.send(fd, bytearray(1000), 0, t),
    "sendall": lambda s, fd, t: s.sendall(fd, b"x" * 1000, 0, t),
    "sendto": lambda s, fd, t: s.sendto(fd, b"x" * 1000, 0, b"", t),
    "sendmsg": lambda s, fd, t: s.sendmsg(fd, (b"x" * 500, b"y" * 500), (), 0, b"", t),
}

receive = pytest.mark.parametrize("call", RECEIVE.values(), ids=RECEIVE.keys())
send = pytest.mark.parametrize("call", SEND.values(), ids=SEND.keys())


def fill(syscalls: Any, fd: int) -> int:
    """Sends until the kernel takes no more; leaves the descriptor as it was."""
    blocking = os.get_blocking(fd)
    os.set_blocking(fd, False)
    count = 0
    for size in (65536, 1):
        try:
            while True:
                count += syscalls.send(fd, b"f" * size, 0, 0)
        except BlockingIOError:
            pass
    os.set_blocking(fd, blocking)
    return count


def drain(fd: int, count: int) -> bytes:
    """Receives *count* bytes without the backend."""
    parts = []
    while count:
        parts.append(os.read(fd, min(count, 1 << 20)))
        assert parts[-1]
        count -= len(parts[-1])
    return b"".join(parts)


# -- results -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [-1, 0, SECOND, MAX_TIMEOUT])
def test_send_and_recv(syscalls: Any, fds: Descriptors, timeout: int) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    for data in (b"x", b"\0" * 100, os.urandom(5000)):
        assert syscalls.send(one, data, 0, timeout) == len(data)
        found = syscalls.recv(two, 5000, 0, timeout)
        assert type(found) is bytes and found == data
        assert syscalls.sendall(one, data, 0, timeout) is None
        assert syscalls.recv(two, 5000, 0, timeout) == data
    syscalls.send(one, b"abcdef", 0, timeout)
    assert [syscalls.recv(two, size, 0, timeout) for size in (1, 2, 3)] == [b"a", b"bc", b"def"]


@pytest.mark.parametrize("size", [1, 100, 65536, 65537, 262144, 262145, 3_000_000])
def test_bytes_of_every_size(syscalls: Any, fds: Descriptors, size: int) -> None:
    one, two = fds.pair()
    syscalls.send(one, b"16 bytes of data", 0, -1)
    assert syscalls.recv(two, size, 0, -1) == b"16 bytes of data"[:size]


def test_end_of_the_stream(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    fds.close(one)
    assert syscalls.recv(two, 10, 0, -1) == b""
    assert syscalls.recv_into(two, bytearray(10), 0, 0, -1) == 0
    assert syscalls.recvmsg(two, 10, 10, 0, -1)[:3] == (b"", [], 0)


def test_nothing_is_asked_for(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(stdlib.SOCK_DGRAM)
    for _ in range(3):
        assert syscalls.send(one, b"abc", 0, -1) == 3
    # The call is made: a datagram goes each time.
    assert syscalls.recvfrom(two, 0, 0, -1)[0] == b""
    assert syscalls.recvmsg(two, 0, 0, 0, -1)[:3] == (b"", [], stdlib.MSG_TRUNC)
    # Here it is not made.
    for empty in (bytearray(), memoryview(bytearray()), array.array("i")):
        assert syscalls.recv_into(two, empty, 0, 0, -1) == 0
    assert syscalls.recv(two, 10, 0, -1) == b"abc"
    for empty in (bytearray(), memoryview(bytearray()), array.array("i")):
        assert syscalls.recv_into(two, empty, 0, 0, -1) == 0


def test_nothing_is_sent(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(stdlib.SOCK_DGRAM)
    for data in (b"", bytearray(), memoryview(b""), memoryview(bytearray())):
        assert syscalls.send(one, data, 0, -1) == 0
        assert syscalls.sendall(one, data, 0, -1) is None
        assert syscalls.sendto(one, data, 0, b"", -1) == 0
        assert syscalls.sendmsg(one, (data,), (), 0, b"", -1) == 0
    assert syscalls.sendmsg(one, (), (), 0, b"", -1) == 0
    syscalls.set_blocking(two, False)
    assert [syscalls.recv(two, 10, 0, 0) for _ in range(17)] == [b""] * 17
    with pytest.raises(BlockingIOError):
        syscalls.recv(two, 10, 0, 0)
    stream, _ = fds.pair()
    assert syscalls.send(stream, b"", 0, -1) == 0
    assert syscalls.sendmsg(stream, (b"", b""), (), 0, b"", -1) == 0


BUFFERS: dict[str, Callable[[], Any]] = {
    "bytearray": lambda: bytearray(12),
    "memoryview": lambda: memoryview(bytearray(12)),
    "slice": lambda: memoryview(bytearray(20))[5:17],
    "array": lambda: array.array("i", [0, 0, 0]),
    "cast": lambda: memoryview(bytearray(12)).cast("i"),
    "two dimensions": lambda: memoryview(bytearray(12)).cast("B", (3, 4)),
    "mmap": lambda: mmap.mmap(-1, 12),
}


@pytest.mark.parametrize("make", BUFFERS.values(), ids=BUFFERS.keys())
def test_buffers(syscalls: Any, fds: Descriptors, make: Callable[[], Any]) -> None:
    one, two = fds.pair()
    for call in (
        lambda b, n: syscalls.recv_into(two, b, n, 0, -1),
        lambda b, n: syscalls.recvfrom_into(two, b, n, 0, -1)[0],
    ):
        buffer = make()
        syscalls.send(one, b"0123456789ab", 0, -1)
        assert call(buffer, 5) == 5
        assert memoryview(buffer).tobytes() == b"01234" + bytes(7)
        assert call(buffer, 0) == 7
        assert memoryview(buffer).tobytes() == b"56789ab" + bytes(5)
        with pytest.raises(
            ValueError, match="^(buffer too small for requested bytes|nbytes is greater than the length of the buffer)$"
        ):
            call(buffer, 13)


@pytest.mark.parametrize("make", BUFFERS.values(), ids=BUFFERS.keys())
def test_sending_from_buffers(syscalls: Any, fds: Descriptors, make: Callable[[], Any]) -> None:
    one, two = fds.pair()
    buffer = make()
    os.write(one, b"0123456789ab")
    assert syscalls.recv_into(two, buffer, 0, 0, -1) == 12
    for data in (buffer, memoryview(buffer).toreadonly()):
        assert syscalls.send(one, data, 0, -1) == 12
        assert drain(two, 12) == b"0123456789ab"
        assert syscalls.sendall(one, data, 0, -1) is None
        assert drain(two, 12) == b"0123456789ab"
        assert syscalls.sendto(one, data, 0, b"", -1) == 12
        assert drain(two, 12) == b"0123456789ab"
        assert syscalls.sendmsg(one, (data, b"!"), (), 0, b"", -1) == 13
        assert drain(two, 13) == b"0123456789ab!"


@pytest.mark.parametrize("wrong", [b"1234", memoryview(b"1234"), memoryview(bytearray(8))[::2], "text", 5, None])
def test_buffers_that_cannot_be_written_to(syscalls: Any, fds: Descriptors, wrong: Any) -> None:
    _, two = fds.pair(blocking=False)
    text = f"argument 1 must be read-write bytes-like object, not {type(wrong).__name__}$"
    with pytest.raises(TypeError, match=r"^recv_into\(\) " + text):
        syscalls.recv_into(two, wrong, 0, 0, 0)
    with pytest.raises(TypeError, match=r"^recvfrom_into\(\) " + text):
        syscalls.recvfrom_into(two, wrong, 0, 0, 0)
    with pytest.raises(TypeError, match=r"^recvmsg_into\(\) argument 1 must be an iterable of single-segment"):
        syscalls.recvmsg_into(two, (bytearray(1), wrong), 0, 0, 0)


@pytest.mark.parametrize("wrong", ["text", 5, None])
def test_buffers_that_cannot_be_read(syscalls: Any, fds: Descriptors, wrong: Any) -> None:
    one, _ = fds.pair()
    for call in (
        lambda: syscalls.send(one, wrong, 0, -1),
        lambda: syscalls.sendall(one, wrong, 0, -1),
        lambda: syscalls.sendto(one, wrong, 0, b"", -1),
        lambda: syscalls.sendmsg(one, (b"", wrong), (), 0, b"", -1),
        lambda: syscalls.setsockopt(one, 1, 1, wrong),
    ):
        with pytest.raises(TypeError, match=f"^a bytes-like object is required, not '{type(wrong).__name__}'$"):
            call()
    with pytest.raises(BufferError):
        syscalls.send(one, memoryview(b"12345678")[::2], 0, -1)


def test_datagrams(syscalls: Any, fds: Descriptors) -> None:
    one, one_address = fds.udp()
    two, two_address = fds.udp()
    for data in (b"", b"x", os.urandom(9000)):
        assert syscalls.sendto(one, data, 0, two_address, -1) == len(data)
        assert syscalls.recvfrom(two, 9000, 0, -1) == (data, one_address)
    buffer = bytearray(10)
    syscalls.sendto(one, b"abcdef", 0, two_address, -1)
    assert syscalls.recvfrom_into(two, buffer, 4, 0, -1) == (4, one_address)
    assert buffer == b"abcd" + bytes(6), "the rest of the datagram is gone"
    assert syscalls.connect(one, two_address, -1) == 0
    assert syscalls.send(one, b"ab", 0, -1) == 2
    assert syscalls.recvfrom(two, 9000, 0, -1) == (b"ab", one_address)


def test_no_sender(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.tcp()
    syscalls.send(one, b"abcd", 0, -1)
    assert syscalls.recvfrom(two, 2, 0, -1) == (b"ab", b"")
    assert syscalls.recvfrom_into(two, bytearray(9), 0, 0, -1) == (2, b"")


def test_flags(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(stdlib.SOCK_DGRAM)
    syscalls.send(one, b"abcdef", 0, -1)
    peek, trunc = stdlib.MSG_PEEK, stdlib.MSG_TRUNC
    assert syscalls.recv(two, 3, peek, -1) == b"abc"
    assert syscalls.recv(two, 3, peek | trunc, -1) == b"abc", "no bytes that were not received"
    assert syscalls.recvfrom(two, 3, peek | trunc, -1)[0] == b"abc"
    assert syscalls.recvmsg(two, 3, 0, peek | trunc, -1)[0] == b"abc"
    buffer = bytearray(3)
    assert syscalls.recv_into(two, buffer, 0, peek | trunc, -1) == 6, "the length of the datagram"
    assert buffer == b"abc"
    assert syscalls.recv(two, 100, 0, -1) == b"abcdef"
    with pytest.raises(BlockingIOError):
        syscalls.recv(two, 100, stdlib.MSG_DONTWAIT, -1)
    with pytest.raises(OSError) as caught:
        syscalls.recv(two, 1, stdlib.MSG_OOB, -1)
    assert caught.value.errno == errno.EOPNOTSUPP
    one, two = fds.tcp()
    assert syscalls.send(one, b"!", stdlib.MSG_OOB, -1) == 1
    deadline = time.monotonic() + 10
    while True:
        try:
            found = syscalls.recv(two, 1, stdlib.MSG_OOB, -1)
            break
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EAGAIN) or time.monotonic() > deadline:
                raise
    assert found == b"!"


def test_all_that_was_asked_for(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    waitall = stdlib.MSG_WAITALL
    for call in (
        lambda: syscalls.recv(two, 6, waitall, -1),
        lambda: syscalls.recvfrom(two, 6, waitall, -1)[0],
        lambda: syscalls.recvmsg(two, 6, 0, waitall, -1)[0],
        lambda: b"abcdef" if syscalls.recv_into(two, bytearray(6), 0, waitall, -1) == 6 else b"",
        lambda: b"abcdef" if syscalls.recvmsg_into(two, (bytearray(6),), 0, waitall, -1)[0] == 6 else b"",
    ):
        syscalls.send(one, b"abc", 0, -1)
        timer = threading.Timer(0.05, syscalls.send, (one, b"def", 0, -1))
        timer.start()
        assert call() == b"abcdef"
        timer.join()


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [-1, 0, SECOND])
@pytest.mark.parametrize("call", [*RECEIVE.values(), *SEND.values()], ids=[*RECEIVE, *SEND])
def test_bad_descriptors(syscalls: Any, fds: Descriptors, call: Call, timeout: int) -> None:
    read, write = os.pipe()
    fds.keep(read), fds.keep(write)
    for fd, number in ((-1, errno.EBADF), (read, errno.ENOTSOCK)):
        with pytest.raises(OSError) as caught:
            call(syscalls, fd, timeout)
        assert type(caught.value) is OSError
        assert caught.value.args == (number, os.strerror(number))


def test_reset(syscalls: Any, fds: Descriptors) -> None:
    for call in (RECEIVE["recv"], RECEIVE["recv_into"], RECEIVE["recvmsg"]):
        one, two = fds.tcp()
        syscalls.setsockopt(one, stdlib.SOL_SOCKET, stdlib.SO_LINGER, struct.pack("ii", 1, 0))
        fds.close(one)
        with pytest.raises(ConnectionResetError):
            call(syscalls, two, -1)


def test_too_long_for_a_datagram(syscalls: Any, fds: Descriptors) -> None:
    one, _ = fds.udp()
    _, address = fds.udp()
    for timeout in (-1, 0):
        syscalls.set_blocking(one, timeout < 0)
        with pytest.raises(OSError) as caught:
            syscalls.sendto(one, bytes(70000), 0, address, timeout)
        assert caught.value.errno == errno.EMSGSIZE


# -- time --------------------------------------------------------------------------------------------------------------


@receive
def test_no_time_to_receive(syscalls: Any, fds: Descriptors, call: Call) -> None:
    _, two = fds.pair(blocking=False)
    with pytest.raises(BlockingIOError) as caught:
        call(syscalls, two, 0)
    assert caught.value.args == (errno.EAGAIN, os.strerror(errno.EAGAIN))


@receive
def test_receiving_times_out(syscalls: Any, fds: Descriptors, call: Call) -> None:
    _, two = fds.pair(blocking=False)
    for timeout in (1, SECOND // 20):
        start = time.monotonic_ns()
        with pytest.raises(TimeoutError, match="^timed out$") as caught:
            call(syscalls, two, timeout)
        assert timeout <= time.monotonic_ns() - start < 5 * SECOND
        assert caught.value.args == ("timed out",)
        assert caught.value.errno is None


@receive
@pytest.mark.parametrize("timeout", [-1, 20 * SECOND, MAX_TIMEOUT])
def test_receiving_waits(syscalls: Any, fds: Descriptors, call: Call, timeout: int) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    timer = threading.Timer(0.03, os.write, (one, b"late"))
    timer.start()
    result = call(syscalls, two, timeout)
    timer.join()
    data = result[0] if type(result) is tuple else result
    assert data in (b"late", 4)


@receive
def test_receiving_waits_for_the_end(syscalls: Any, fds: Descriptors, call: Call) -> None:
    one, two = fds.pair(blocking=False)
    timer = threading.Timer(0.03, fds.close, (one,))
    timer.start()
    result = call(syscalls, two, 20 * SECOND)
    timer.join()
    data = result[0] if type(result) is tuple else result
    assert data in (b"", 0)


@send
def test_no_time_to_send(syscalls: Any, fds: Descriptors, call: Call) -> None:
    one, _ = fds.pair(blocking=False)
    fill(syscalls, one)
    with pytest.raises(BlockingIOError):
        call(syscalls, one, 0)
    start = time.monotonic_ns()
    with pytest.raises(TimeoutError, match="^timed out$"):
        call(syscalls, one, SECOND // 20)
    assert SECOND // 20 <= time.monotonic_ns() - start < 5 * SECOND


@send
@pytest.mark.parametrize("timeout", [-1, 20 * SECOND, MAX_TIMEOUT])
def test_sending_waits(syscalls: Any, fds: Descriptors, call: Call, timeout: int) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    count = fill(syscalls, one)
    timer = threading.Timer(0.03, drain, (two, count))
    timer.start()
    assert call(syscalls, one, timeout) in (1000, None)
    timer.join()
    assert len(drain(two, 1000)) == 1000


def test_one_deadline_for_all_of_sendall(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(blocking=False)
    stop = threading.Event()

    def trickle() -> None:
        # Each of these would start a new wait, if every wait had all of the time.
        while not stop.wait(0.02):
            os.read(two, 20000)

    thread = threading.Thread(target=trickle)
    os.set_blocking(two, True)
    thread.start()
    start = time.monotonic()
    try:
        with pytest.raises(TimeoutError, match="^timed out$"):
            syscalls.sendall(one, bytes(50_000_000), 0, SECOND // 4)
        assert 0.25 <= time.monotonic() - start < 5
    finally:
        stop.set()
        syscalls.shutdown(one, stdlib.SHUT_RDWR)
        thread.join()


def test_sendall_with_no_time_takes_what_fits(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(blocking=False)
    data = os.urandom(5_000_000)
    with pytest.raises(BlockingIOError):
        syscalls.sendall(one, data, 0, 0)
    found = os.read(two, 1000)
    assert found == data[: len(found)]


def test_the_kernel_has_its_own_timeouts(syscalls: Any, fds: Descriptors) -> None:
    one, _ = fds.pair()
    for option in (stdlib.SO_RCVTIMEO, stdlib.SO_SNDTIMEO):
        syscalls.setsockopt(one, stdlib.SOL_SOCKET, option, struct.pack("ll", 0, 50_000))
    for call in (RECEIVE["recv"], RECEIVE["recv_into"], RECEIVE["recvfrom"], RECEIVE["recvmsg"], RECEIVE["recv huge"]):
        start = time.monotonic()
        with pytest.raises(BlockingIOError):
            call(syscalls, one, -1)
        assert 0.04 < time.monotonic() - start < 5
    fill(syscalls, one)
    for call in SEND.values():
        start = time.monotonic()
        with pytest.raises(BlockingIOError):
            call(syscalls, one, -1)
        assert 0.04 < time.monotonic() - start < 5


@pytest.mark.parametrize("call", [*RECEIVE.values(), *SEND.values()], ids=[*RECEIVE, *SEND])
def test_a_descriptor_that_others_made_non_blocking(syscalls: Any, fds: Descriptors, call: Call) -> None:
    one, _ = fds.pair(blocking=False)
    fill(syscalls, one)
    with pytest.raises(BlockingIOError):
        call(syscalls, one, -1)


# -- much --------------------------------------------------------------------------------------------------------------

DATA = os.urandom(1 << 16) * 64 + b"end"

LARGE_SENDS: dict[str, Call] = {
    "sendall": lambda s, fd, t: s.sendall(fd, DATA, 0, t),
    "sendall bytearray": lambda s, fd, t: s.sendall(fd, bytearray(DATA), 0, t),
    "sendall view": lambda s, fd, t: s.sendall(fd, memoryview(DATA), 0, t),
    "send": lambda s, fd, t: s.send(fd, DATA, 0, t),
    "send bytearray": lambda s, fd, t: s.send(fd, bytearray(DATA), 0, t),
    "send view": lambda s, fd, t: s.send(fd, memoryview(DATA), 0, t),
    "sendto": lambda s, fd, t: s.sendto(fd, DATA, 0, b"", t),
    "sendmsg": lambda s, fd, t: s.sendmsg(fd, (DATA[:7], b"", bytearray(DATA[7:9999]), DATA[9999:]), (), 0, b"", t),
    "small sendmsg": lambda s, fd, t: s.sendmsg(fd, (DATA[:7], DATA[7:30], DATA[30:60000]), (), 0, b"", t),
    "small send": lambda s, fd, t: s.send(fd, DATA[:60000], 0, t),
    "small bytearray": lambda s, fd, t: s.send(fd, bytearray(DATA[:60000]), 0, t),
    "small sendall": lambda s, fd, t: s.sendall(fd, DATA[:60000], 0, t),
    "small sendto": lambda s, fd, t: s.sendto(fd, DATA[:60000], 0, b"", t),
}


@pytest.mark.parametrize("name", LARGE_SENDS)
def test_a_blocking_send_of_a_stream_takes_everything(syscalls: Any, fds: Descriptors, name: str) -> None:
    one, two = fds.pair()
    size = 60000 if name.startswith("small") else len(DATA)
    # Room for a part, so that the first try takes that part.
    before = fill(syscalls, one)
    drain(two, 100_000)
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(drain(two, before - 100_000 + size)))
    timer = threading.Timer(0.03, thread.start)
    timer.start()
    result = LARGE_SENDS[name](syscalls, one, -1)
    timer.join()
    thread.join()
    assert result in (size, None)
    assert found[0][before - 100_000 :] == DATA[:size]


@pytest.mark.parametrize("name", ["sendall", "sendall bytearray", "sendall view"])
def test_sendall_with_a_timeout(syscalls: Any, fds: Descriptors, name: str) -> None:
    one, two = fds.pair()
    syscalls.set_blocking(one, False)
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(drain(two, len(DATA))))
    thread.start()
    assert LARGE_SENDS[name](syscalls, one, 30 * SECOND) is None
    thread.join()
    assert found == [DATA]


def test_send_with_a_timeout_takes_what_fits(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(blocking=False)
    for data in (DATA, memoryview(DATA), bytearray(DATA)):
        count = syscalls.send(one, data, 0, SECOND)
        assert 0 < count < len(DATA)
        assert drain(two, count) == DATA[:count]
        count = syscalls.sendmsg(one, (data[:100000], data[100000:]), (), 0, b"", SECOND)
        assert 0 < count < len(DATA)
        assert drain(two, count) == DATA[:count]


def test_error_after_a_part(syscalls: Any, fds: Descriptors) -> None:
    def hang_up(fd: int) -> None:
        # Not before a part has come, however late the sender is; then it has a moment to fill the rest, and to wait.
        select.select([fd], [], [])
        time.sleep(0.1)
        fds.close(fd)

    for call in (LARGE_SENDS["send"], LARGE_SENDS["sendmsg"], LARGE_SENDS["sendto"]):
        one, two = fds.pair()
        thread = threading.Thread(target=hang_up, args=(two,))
        thread.start()
        assert 0 < call(syscalls, one, -1) < len(DATA), "the count comes first"
        thread.join()
        with pytest.raises(BrokenPipeError):
            call(syscalls, one, -1)
        one, two = fds.pair()
        thread = threading.Thread(target=hang_up, args=(two,))
        thread.start()
        with pytest.raises(BrokenPipeError):
            syscalls.sendall(one, DATA, 0, -1)
        thread.join()


def received_into(syscalls: Any, fd: int, size: int) -> bytes:
    """What a recv_into gets."""
    buffer = bytearray(size)
    return bytes(buffer[: syscalls.recv_into(fd, buffer, 0, 0, -1)])


MEGABYTES: dict[str, Callable[[Any, int, int], bytes]] = {
    "recv": lambda s, fd, size: s.recv(fd, size, 0, -1),
    "recv_into": received_into,
    "recvfrom": lambda s, fd, size: s.recvfrom(fd, size, 0, -1)[0],
    "recvmsg": lambda s, fd, size: s.recvmsg(fd, size, 0, 0, -1)[0],
}


@pytest.mark.parametrize("size", [1000, 60000, 200_000, 1_000_000])
@pytest.mark.parametrize("name", MEGABYTES)
def test_megabytes(syscalls: Any, fds: Descriptors, name: str, size: int) -> None:
    one, two = fds.tcp()

    def feed() -> None:
        for _ in range(2):
            syscalls.sendall(one, DATA, 0, -1)
        syscalls.shutdown(one, stdlib.SHUT_WR)

    thread = threading.Thread(target=feed)
    thread.start()
    found = hashlib.sha256()
    while data := MEGABYTES[name](syscalls, two, size):
        found.update(data)
    thread.join()
    assert found.digest() == hashlib.sha256(DATA * 2).digest()


def test_threads_do_not_mix_up_data(syscalls: Any, fds: Descriptors) -> None:
    wrong: list[bytes] = []

    def talk(number: int, one: int, two: int) -> None:
        data = bytes([number]) * 3000
        for i in range(300):
            syscalls.send(one, data, 0, -1)
            found = syscalls.recvfrom(two, 3000, 0, -1)[0] if i % 2 else syscalls.recv(two, 3000, 0, -1)
            if found != data:
                wrong.append(found)

    threads = [threading.Thread(target=talk, args=(i, *fds.pair(stdlib.SOCK_DGRAM))) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# -- exports -----------------------------------------------------------------------------------------------------------


def test_exports_end_with_the_call(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(blocking=False)
    buffer = bytearray(10)
    calls: list[Callable[[int], Any]] = [
        lambda t: syscalls.recv_into(two, buffer, 0, 0, t),
        lambda t: syscalls.recvfrom_into(two, buffer, 0, 0, t),
        lambda t: syscalls.recvmsg_into(two, (bytearray(5), buffer), 50, 0, t),
        lambda t: syscalls.recv_into(two, buffer, 1000, 0, t),
        lambda t: syscalls.recvfrom_into(two, buffer, 1000, 0, t),
        lambda t: syscalls.recvmsg_into(two, (buffer, b"read-only"), 0, 0, t),
    ]
    for call in calls:
        for timeout in (0, SECOND // 100):
            try:
                call(timeout)
            except (OSError, ValueError, TypeError):
                # As long as the error lives, so do the frames.
                buffer.append(0)
            else:
                pytest.fail("there was nothing to receive")
    count = fill(syscalls, one)
    calls = [
        lambda t: syscalls.send(one, buffer, 0, t),
        lambda t: syscalls.sendall(one, buffer, 0, t),
        lambda t: syscalls.sendto(one, buffer, 0, b"", t),
        lambda t: syscalls.sendmsg(one, (b"", buffer), (), 0, b"", t),
        lambda t: syscalls.sendmsg(one, (b"x",), ((1, 1, buffer),), 0, b"", t),
    ]
    for call in calls:
        for timeout in (0, SECOND // 100):
            try:
                call(timeout)
            except OSError:
                buffer.append(0)
            else:
                pytest.fail("there was no room")
    drain(two, count)
    syscalls.send(one, buffer, 0, 0)
    buffer.append(0)
    syscalls.sendmsg(one, (buffer,), (), 0, b"", 0)
    buffer.append(0)
    syscalls.recv_into(two, buffer, 0, 0, 0)
    buffer.append(0)
    syscalls.recvmsg_into(two, (buffer,), 0, 0, 0)
    buffer.append(0)


INTO: dict[str, Callable[[Any, int, bytearray, int], object]] = {
    "recv_into": lambda s, fd, buffer, t: s.recv_into(fd, buffer, 0, 0, t),
    "recvfrom_into": lambda s, fd, buffer, t: s.recvfrom_into(fd, buffer, 0, 0, t),
    "recvmsg_into": lambda s, fd, buffer, t: s.recvmsg_into(fd, (buffer,), 0, 0, t),
}


@pytest.mark.parametrize("timeout", [-1, 20 * SECOND])
@pytest.mark.parametrize("name", INTO)
def test_buffers_stay_exported_during_the_call(syscalls: Any, fds: Descriptors, name: str, timeout: int) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    buffer = bytearray(10)
    thread = threading.Thread(target=INTO[name], args=(syscalls, two, buffer, timeout))
    thread.start()
    deadline = time.monotonic() + 10
    try:
        # It takes a moment until the thread waits.
        while time.monotonic() < deadline:
            buffer.append(0)
            time.sleep(0.01)
        pytest.fail("the buffer can be resized while the kernel writes to it")
    except BufferError:
        pass
    finally:
        os.write(one, b"x")
        thread.join()
    buffer.append(0)
    assert buffer[0] == ord("x")


# -- signals -----------------------------------------------------------------------------------------------------------


@receive
@pytest.mark.parametrize("timeout", [-1, 20 * SECOND])
def test_receiving_goes_on_after_signals(
    syscalls: Any, fds: Descriptors, alarms: Callable[..., list[int]], call: Call, timeout: int
) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    quiet, _ = fds.pair(blocking=False)

    def use_the_backend() -> None:
        # What a handler does must not be taken for what happened to the call that it interrupted.
        with pytest.raises(BlockingIOError):
            syscalls.recv(quiet, 10, 0, 0)

    alarms(call=use_the_backend, once=lambda: os.write(one, b"late"), after=4)
    result = call(syscalls, two, timeout)
    signal.setitimer(signal.ITIMER_REAL, 0)
    data = result[0] if type(result) is tuple else result
    assert data in (b"late", 4)


@receive
@pytest.mark.parametrize("timeout", [-1, 20 * SECOND])
def test_a_handler_gets_its_exception_through(
    syscalls: Any, fds: Descriptors, interruption: Any, call: Call, timeout: int
) -> None:
    _, two = fds.pair(blocking=timeout < 0)
    with pytest.raises(ZeroDivisionError), interruption(ZeroDivisionError):
        call(syscalls, two, timeout)


def test_signals_do_not_prolong_a_timeout(syscalls: Any, fds: Descriptors, alarms: Callable[..., list[int]]) -> None:
    _, two = fds.pair(blocking=False)
    seen = alarms(0.03)
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        syscalls.recv(two, 10, 0, SECOND // 5)
    assert 0.2 <= time.monotonic() - start < 5
    assert seen


@pytest.mark.parametrize("name", ["sendall", "sendall bytearray", "send", "sendto", "sendmsg"])
def test_sending_goes_on_after_signals(
    syscalls: Any, fds: Descriptors, alarms: Callable[..., list[int]], name: str
) -> None:
    one, two = fds.pair()
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(drain(two, len(DATA))))
    alarms(once=thread.start, after=4)
    result = LARGE_SENDS[name](syscalls, one, -1)
    sent = len(DATA) if result is None else result
    if sent < len(DATA):
        # The kernel gives the count of a send that a signal has ended.
        syscalls.sendall(one, DATA[sent:], 0, -1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    thread.join()
    assert found == [DATA]


def test_a_handler_ends_sendall(syscalls: Any, fds: Descriptors, interruption: Any) -> None:
    for blocking in (True, False):
        one, _ = fds.pair(blocking=blocking)
        buffer = bytearray(DATA)
        try:
            with interruption(ZeroDivisionError):
                syscalls.sendall(one, buffer, 0, -1 if blocking else 20 * SECOND)
        except ZeroDivisionError:
            buffer.append(0)
        else:
            pytest.fail("the handler's exception got lost")


FAILING: dict[str, Callable[[Any, int, int], object]] = {
    "recv": lambda calls, fd, listener: calls.recv(fd, 10, 0, 0),
    "recv, with a flag": lambda calls, fd, listener: calls.recv(fd, 10, stdlib.MSG_PEEK, 0),
    "recv, with a timeout": lambda calls, fd, listener: calls.recv(fd, 10, 0, 1),
    "recvfrom": lambda calls, fd, listener: calls.recvfrom(fd, 10, 0, 0),
    "recvfrom, with a flag": lambda calls, fd, listener: calls.recvfrom(fd, 10, stdlib.MSG_PEEK, 0),
    "recvfrom, with a timeout": lambda calls, fd, listener: calls.recvfrom(fd, 10, 0, 1),
    "recvfrom, waiting": lambda calls, fd, listener: calls.recvfrom(listener, 10, 0, -1),
    "recvfrom_into": lambda calls, fd, listener: calls.recvfrom_into(fd, bytearray(10), 0, 0, 0),
    "recvmsg": lambda calls, fd, listener: calls.recvmsg(fd, 10, 0, 0, 0),
    "recvmsg, with ancillary data": lambda calls, fd, listener: calls.recvmsg(fd, 10, 100, 0, 0),
    "recvmsg_into": lambda calls, fd, listener: calls.recvmsg_into(fd, (bytearray(10), bytearray(5)), 100, 0, 0),
    "accept": lambda calls, fd, listener: calls.accept(listener, 0),
    "getpeername": lambda calls, fd, listener: calls.getpeername(fd),
    "getsockopt": lambda calls, fd, listener: calls.getsockopt(fd, 1, 9999, 8),
    "getsockopt_int": lambda calls, fd, listener: calls.getsockopt_int(fd, 1, 9999),
    "setsockopt_int": lambda calls, fd, listener: calls.setsockopt_int(fd, 1, 9999, 1),
    "getnameinfo": lambda calls, fd, listener: calls.getnameinfo(b"\1", 0),
}


@pytest.mark.parametrize("failing", FAILING)
def test_a_call_that_fails_gives_its_memory_back(syscalls: Any, fds: Descriptors, failing: str) -> None:
    """A program that polls makes many calls that find nothing. Each would cost a buffer for the largest receive."""
    module = sys.modules[type(syscalls).whole.__module__]

    def pools() -> dict[str, int]:
        both = (*vars(module).items(), *getattr(syscalls, "__dict__", {}).items())
        return {name: len(value) for name, value in both if type(value) is deque}

    if not pools():
        pytest.skip("this backend has its memory on the stack")
    fd, address = fds.udp(blocking=False)
    listener, _ = fds.listener(blocking=False)
    # What works puts one of each kind there.
    syscalls.sendto(fd, b"x", 0, address, -1)
    syscalls.recvmsg(fd, 10, 100, 0, -1)
    syscalls.getsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_LINGER, 8)
    syscalls.getsockopt_int(fd, stdlib.SOL_SOCKET, stdlib.SO_TYPE)
    syscalls.getnameinfo(address, stdlib.NI_NUMERICHOST)
    before = pools()
    with pytest.raises(OSError):
        FAILING[failing](syscalls, fd, listener)
    after = pools()
    assert {name for name, count in before.items() if after[name] < count} == set()
