"""recvmmsg, recvmmsg_into, sendmmsg, recv_segments and close_rights: the system's calls, and the loops without them."""

from __future__ import annotations

import array
import errno
import os
import select
import socket as stdlib
import struct
import sys
from collections.abc import Callable
from typing import Any

import pytest

from socketpkg.contract import UDP_GRO
from socketpkg.contract import Syscalls as Contract
from socketpkg_ffi.calls import ForeignSyscalls

from .conftest import Descriptors, Interrupting

SECOND = 1_000_000_000
RIGHTS = (stdlib.SOL_SOCKET, stdlib.SCM_RIGHTS)
CALLS = ("recvmmsg", "recvmmsg_into", "sendmmsg", "recv_segments")


class Looping(Contract):
    """The contract's own calls over those of a backend: what a platform without recvmmsg(2) gets."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def __getattribute__(self, name: str) -> Any:
        if name in CALLS or name in ("backend", "close_rights"):
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "backend"), name)


@pytest.fixture(params=["system", "loop"])
def bulk(request: pytest.FixtureRequest, syscalls: Any) -> Any:
    """A backend as it is, and with the calls of the contract in place of its own."""
    return syscalls if request.param == "system" else Looping(syscalls)


def open_descriptors() -> set[str]:
    return set(os.listdir("/dev/fd"))


def numbers(items: Any) -> list[int]:
    return [fd for _, _, data in items for fd in array.array("i", data)]


def test_the_loop_is_no_backends_own_call(syscalls: Any) -> None:
    """Else half of this file would test the same thing twice."""
    if sys.platform == "linux":
        for name in ("recvmmsg", "recvmmsg_into", "sendmmsg"):
            assert getattr(syscalls.whole, name) is not getattr(Contract, name)


@pytest.mark.parametrize("timeout", [-1, 0, SECOND])
def test_there_and_back(bulk: Any, fds: Descriptors, timeout: int) -> None:
    one, one_address = fds.udp(blocking=timeout < 0)
    two, two_address = fds.udp(blocking=timeout < 0)
    data = [b"a", bytearray(b"bc"), (b"d", b"", memoryview(b"ef")), (), b""]
    assert bulk.sendmmsg(one, data, [], [two_address] * 5, 0, timeout) == 5
    result = bulk.recvmmsg(two, 9, 2, 0, 0, timeout)
    cut = [0, 0, stdlib.MSG_TRUNC, 0, 0]
    assert result == ([b"a", b"bc", b"de", b"", b""], [], cut, [one_address] * 5)
    assert type(result) is tuple and [type(part) for part in result] == [list] * 4
    assert {type(part) for part in result[0]} == {bytes}
    assert bulk.sendmmsg(one, [b"abc", b"d"], [], [two_address] * 2, 0, timeout) == 2
    buffers = (bytearray(2), memoryview(bytearray(2)), bytearray(2))
    counts, items, flags, addresses = bulk.recvmmsg_into(two, buffers, 0, 0, timeout)
    assert (counts, items, flags, addresses) == ([2, 1], [], [stdlib.MSG_TRUNC, 0], [one_address] * 2)
    assert [bytes(buffer) for buffer in buffers] == [b"ab", b"d\0", b"\0\0"]


def test_one_object_for_one_sender(syscalls: Any, fds: Descriptors) -> None:
    """The reader of the lists decodes an address once for all the messages that came from there in a row."""
    (one, first), (three, third) = fds.udp(), fds.udp()
    two, address = fds.udp()
    for fd in (one, one, three, one):
        syscalls.sendto(fd, b"x", 0, address, -1)
    addresses = syscalls.recvmmsg(two, 9, 9, 0, 0, -1)[3]
    assert addresses == [first, first, third, first]
    assert addresses[0] is addresses[1]


def test_no_address(bulk: Any, fds: Descriptors) -> None:
    one, two = fds.pair(stdlib.SOCK_DGRAM)
    assert bulk.sendmmsg(one, [b"a", b"b"], [], [b"", b""], 0, -1) == 2
    assert bulk.recvmmsg(two, 2, 5, 0, 0, -1) == ([b"a", b"b"], [], [0, 0], [b"", b""])


def test_the_length_of_what_is_cut(bulk: Any, fds: Descriptors) -> None:
    one, _ = fds.udp()
    two, address = fds.udp()
    syscalls = bulk
    syscalls.sendmmsg(one, [b"abcdef"], [], [address], 0, -1)
    assert syscalls.recvmmsg(two, 1, 3, 0, stdlib.MSG_TRUNC, -1)[0] == [b"abc"]


@pytest.mark.parametrize("timeout", [-1, 0, SECOND])
def test_descriptors(bulk: Any, fds: Descriptors, timeout: int) -> None:
    one, two = fds.pair(stdlib.SOCK_DGRAM, blocking=timeout < 0)
    rights = [((*RIGHTS, array.array("i", [one])),), (), ((*RIGHTS, struct.pack("ii", two, one)),)]
    cloexec = stdlib.MSG_CMSG_CLOEXEC
    for into in (False, True):
        assert bulk.sendmmsg(one, [b"x", b"y", b"z"], rights, [b""] * 3, 0, timeout) == 3
        if into:
            _, items, flags, _ = bulk.recvmmsg_into(two, tuple(bytearray(3) for _ in range(4)), 100, cloexec, timeout)
        else:
            _, items, flags, _ = bulk.recvmmsg(two, 4, 3, 100, cloexec, timeout)
        assert [mark & ~cloexec for mark in flags] == [0, 0, 0]
        got = [numbers(part) for part in items]
        for fd in (fd for part in got for fd in part):
            fds.keep(fd)
            assert not os.get_inheritable(fd)
        assert [[os.fstat(fd).st_ino for fd in part] for part in got] == [
            [os.fstat(fd).st_ino for fd in part] for part in ([one], [], [two, one])
        ]


def test_an_old_message_lends_no_items_to_a_new_one(bulk: Any, fds: Descriptors) -> None:
    one, two = fds.pair(stdlib.SOCK_DGRAM)
    for _ in range(3):
        assert bulk.sendmmsg(one, [b"x"] * 2, [((*RIGHTS, array.array("i", [one])),)] * 2, [b""] * 2, 0, -1) == 2
        for part in bulk.recvmmsg(two, 2, 9, 64, 0, -1)[1]:
            assert len(numbers(part)) == 1
            fds.keep(numbers(part)[0])
        assert bulk.sendmmsg(one, [b"x"] * 2, [], [b""] * 2, 0, -1) == 2
        assert bulk.recvmmsg(two, 2, 9, 64, 0, -1)[1] == [[], []]


def test_descriptors_of_an_interrupted_receive_are_closed_once(
    syscalls: Any, fds: Descriptors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread may have opened a file under the number of one that is closed twice."""
    if not isinstance(syscalls, ForeignSyscalls) or not syscalls._has_mmsg:
        pytest.skip("no handler runs between the system's call and its result")
    one, two = fds.pair(stdlib.SOCK_DGRAM)
    before = open_descriptors()
    assert syscalls.sendmmsg(one, [b"x"] * 2, [((*RIGHTS, array.array("i", [one])),)] * 2, [b""] * 2, 0, -1) == 2
    closed: list[int] = []
    monkeypatch.setattr(syscalls, "close", lambda fd: closed.append(fd) or os.close(fd), raising=False)
    monkeypatch.setattr(syscalls, "_blocks", Interrupting())
    with pytest.raises(KeyboardInterrupt):
        syscalls.recvmmsg(two, 2, 9, 64, 0, -1)
    assert open_descriptors() == before
    assert len(closed) == len(set(closed)) == 2


def test_rights_that_are_not_wanted(bulk: Any, fds: Descriptors) -> None:
    one, _ = fds.pair()
    before = open_descriptors()
    copies = [os.dup(one) for _ in range(3)]
    bulk.close_rights([
        (*RIGHTS, array.array("i", copies[:2]).tobytes()),
        (stdlib.SOL_SOCKET, 77, array.array("i", [one]).tobytes()),
        (*RIGHTS, array.array("i", copies[2:]).tobytes() + b"\0\0\0"),
    ])  # fmt: skip
    assert open_descriptors() == before
    # Whoever closed one before is no reason to leave the others open.
    copy = os.dup(one)
    bulk.close_rights([(*RIGHTS, array.array("i", [copies[0], copy]).tobytes())])
    assert open_descriptors() == before


@pytest.mark.parametrize("timeout", [0, SECOND // 20])
def test_nothing_there(bulk: Any, fds: Descriptors, timeout: int) -> None:
    fd, _ = fds.udp(blocking=False)
    expected: type[Exception] = TimeoutError if timeout else BlockingIOError
    for call in (
        lambda: bulk.recvmmsg(fd, 5, 5, 0, 0, timeout),
        lambda: bulk.recvmmsg(fd, 50, 50_000, 100, 0, timeout),
        lambda: bulk.recvmmsg_into(fd, (bytearray(5),), 0, 0, timeout),
        lambda: bulk.recv_segments(fd, 5, 0, timeout),
    ):
        with pytest.raises(expected):
            call()


def test_errors(bulk: Any, fds: Descriptors) -> None:
    one, _ = fds.udp()
    two, address = fds.udp()
    assert bulk.sendmmsg(one, [b"a", b"b", b"c"], [], [address, b"", address], 0, -1) == 1
    with pytest.raises(OSError) as caught:
        bulk.sendmmsg(one, [b"b"], [], [b""], 0, -1)
    assert caught.value.errno == errno.EDESTADDRREQ
    assert bulk.recvmmsg(two, 5, 5, 0, 0, -1)[0] == [b"a"]
    closed = os.dup(one)
    os.close(closed)
    for call in (
        lambda: bulk.sendmmsg(closed, [b"a"], [], [address], 0, -1),
        lambda: bulk.recvmmsg(closed, 1, 1, 0, 0, -1),
        lambda: bulk.recvmmsg_into(closed, (bytearray(1),), 0, 0, -1),
        lambda: bulk.recv_segments(closed, 1, 0, -1),
    ):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == errno.EBADF
    for wrong in (5, "text", None):
        with pytest.raises(TypeError):
            bulk.sendmmsg(one, [wrong], [], [address], 0, -1)


@pytest.mark.skipif(sys.platform != "linux", reason="what a socket is told is the system's choice")
def test_an_error_does_not_cost_what_is_there(syscalls: Any, fds: Descriptors) -> None:
    free, nobody = fds.udp()
    fds.close(free)
    one, address = fds.udp(blocking=False)
    two, _ = fds.udp()
    assert syscalls.sendmmsg(two, [b"x"] * 5, [], [address] * 5, 0, -1) == 5
    assert syscalls.connect(one, nobody, -1) == 0
    syscalls.send(one, b"to nobody", 0, 0)
    poller = select.poll()
    poller.register(one, 0)
    assert poller.poll(5000)
    with pytest.raises(ConnectionRefusedError):
        syscalls.recvmmsg(one, 9, 9, 0, 0, 0)
    assert syscalls.recvmmsg(one, 9, 9, 0, 0, 0)[0] == [b"x"] * 5


def test_segments(bulk: Any, fds: Descriptors) -> None:
    one, sender = fds.udp()
    two, address = fds.udp()
    try:
        bulk.setsockopt_int(two, stdlib.IPPROTO_UDP, UDP_GRO, 1)
        bulk.getsockopt_int(one, stdlib.IPPROTO_UDP, UDP_GRO - 1)
    except OSError:
        pytest.skip("the kernel has no UDP_SEGMENT and UDP_GRO")
    for data, size in ((b"abcdefgh", 3), (b"abcdef", 3), (b"abc", 3), (bytes(range(200)) * 300, 1000)):
        item = ((stdlib.IPPROTO_UDP, UDP_GRO - 1, struct.pack("H", size)),)
        assert bulk.sendmsg(one, (data,), item, 0, address, -1) == len(data)
        expected = [data[i : i + size] for i in range(0, len(data), size)]
        assert bulk.recv_segments(two, 65535, 0, -1) == (expected, sender)
    bulk.sendto(one, b"", 0, address, -1)
    assert bulk.recv_segments(two, 65535, 0, -1) == ([b""], sender)
    bulk.sendto(one, b"abc", 0, address, -1)
    assert bulk.recv_segments(two, 2, stdlib.MSG_TRUNC, -1) == ([b"ab"], sender)


@pytest.mark.parametrize("timeout", [-1, 5 * SECOND])
def test_signals(bulk: Any, fds: Descriptors, alarms: Callable[..., list[int]], timeout: int) -> None:
    one, _ = fds.udp()
    two, address = fds.udp(blocking=timeout < 0)
    for call in (
        lambda: bulk.recvmmsg(two, 5, 5, 0, 0, timeout)[0],
        lambda: bulk.recvmmsg(two, 50, 5000, 0, 0, timeout)[0],
        lambda: bulk.recv_segments(two, 5, 0, timeout)[0],
    ):
        seen = alarms(once=lambda: bulk.sendto(one, b"x", 0, address, -1))
        assert call() == [b"x"]
        assert len(seen) >= 3
