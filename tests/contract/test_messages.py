"""recvmsg, recvmsg_into, sendmsg and ancillary data."""

from __future__ import annotations

import array
import errno
import os
import socket as stdlib
from typing import Any

import pytest

from socketpkg_ffi.calls import ForeignSyscalls

from .conftest import Descriptors, Interrupting

SECOND = 1_000_000_000
RIGHTS = (stdlib.SOL_SOCKET, stdlib.SCM_RIGHTS)


def numbers(data: bytes) -> list[int]:
    return list(array.array("i", data[: len(data) // 4 * 4]))


def open_descriptors() -> set[str]:
    return set(os.listdir("/dev/fd"))


def test_plain(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    assert syscalls.sendmsg(one, (b"ab", bytearray(b"cd"), b"", memoryview(b"ef")), (), 0, b"", -1) == 6
    data, items, flags, address = syscalls.recvmsg(two, 100, 0, 0, -1)
    assert (data, items, flags, address) == (b"abcdef", [], 0, b"")
    assert [type(value) for value in (data, items, flags, address)] == [bytes, list, int, bytes]


def test_scattered(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    os.write(one, b"abcdefgh")
    parts = (bytearray(2), bytearray(), memoryview(bytearray(4)), array.array("i", [0, 0]))
    assert syscalls.recvmsg_into(two, parts, 0, 0, -1) == (8, [], 0, b"")
    assert [bytes(part) for part in parts] == [b"ab", b"", b"cdef", b"gh" + bytes(6)]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 100, 1024])
def test_many_buffers(syscalls: Any, fds: Descriptors, count: int) -> None:
    one, two = fds.pair()
    assert syscalls.sendmsg(one, tuple(b"%04d" % i for i in range(count)), (), 0, b"", -1) == 4 * count
    parts = tuple(bytearray(4) for _ in range(count))
    assert syscalls.recvmsg_into(two, parts, 0, 0, -1)[0] == 4 * count
    assert [int(part) for part in parts] == list(range(count))


def test_too_many_buffers(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    with pytest.raises(OSError) as caught:
        syscalls.sendmsg(one, (b"x",) * 1025, (), 0, b"", -1)
    assert caught.value.errno == errno.EMSGSIZE
    with pytest.raises(OSError) as caught:
        syscalls.recvmsg_into(two, tuple(bytearray(1) for _ in range(1025)), 0, 0, -1)
    assert caught.value.errno == errno.EMSGSIZE


def test_no_buffers(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(stdlib.SOCK_DGRAM)
    assert syscalls.sendmsg(one, (), (), 0, b"", -1) == 0
    assert syscalls.recvmsg_into(two, (), 0, 0, -1)[:3] == (0, [], 0)


def test_addresses(syscalls: Any, fds: Descriptors) -> None:
    one, one_address = fds.udp()
    two, two_address = fds.udp()
    assert syscalls.sendmsg(one, (b"ab", b"cd"), (), 0, two_address, -1) == 4
    assert syscalls.recvmsg(two, 3, 0, 0, -1) == (b"abc", [], stdlib.MSG_TRUNC, one_address)
    assert syscalls.sendmsg(one, (), (), 0, two_address, -1) == 0
    assert syscalls.recvmsg_into(two, (bytearray(3),), 0, 0, -1) == (0, [], 0, one_address)
    with pytest.raises(OSError) as caught:
        syscalls.sendmsg(one, (b"ab",), (), 0, b"", -1)
    assert caught.value.errno == errno.EDESTADDRREQ


#: Without it they would be those of a program that this process executes, too. The kernel gives it back in msg_flags.
CLOEXEC = stdlib.MSG_CMSG_CLOEXEC


@pytest.mark.parametrize("timeout", [-1, 0, SECOND])
def test_descriptors(syscalls: Any, fds: Descriptors, timeout: int) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    for data in (array.array("i", [one, two]), array.array("i", [one, two]).tobytes()):
        assert syscalls.sendmsg(one, (b"x",), ((*RIGHTS, data),), 0, b"", timeout) == 1
        received, items, flags, _ = syscalls.recvmsg(two, 10, syscalls.cmsg_space(8), CLOEXEC, timeout)
        assert (received, flags & ~CLOEXEC) == (b"x", 0)
        assert [item[:2] for item in items] == [RIGHTS]
        assert type(items[0]) is tuple and [type(value) for value in items[0]] == [int, int, bytes]
        for fd, original in zip(numbers(items[0][2]), (one, two), strict=True):
            fds.keep(fd)
            assert not os.get_inheritable(fd)
            assert os.fstat(fd).st_ino == os.fstat(original).st_ino


def test_descriptors_into(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    syscalls.sendmsg(one, (b"x",), ((*RIGHTS, array.array("i", [one])),), 0, b"", -1)
    count, items, flags, _ = syscalls.recvmsg_into(two, (bytearray(10),), syscalls.cmsg_len(4), CLOEXEC, -1)
    assert (count, flags & ~CLOEXEC) == (1, 0)
    fd = fds.keep(numbers(items[0][2])[0])
    assert not os.get_inheritable(fd)


# With 32 bits the header is shorter, and three descriptors fit into 24 bytes.
@pytest.mark.parametrize("room", [r for r in (0, 1, 10, 16, 17, 19, 20, 23, 24) if r < stdlib.CMSG_LEN(3 * 4)])
def test_truncated_descriptors(syscalls: Any, fds: Descriptors, room: int) -> None:
    one, two = fds.pair()
    before = open_descriptors()
    for call in (
        lambda: syscalls.recvmsg(two, 10, room, 0, -1),
        lambda: syscalls.recvmsg_into(two, (bytearray(10),), room, 0, -1),
    ):
        syscalls.sendmsg(one, (b"x",), ((*RIGHTS, array.array("i", [one, two, one])),), 0, b"", -1)
        _, items, flags, _ = call()
        assert flags & stdlib.MSG_CTRUNC
        total = 0
        for level, kind, data in items:
            assert (level, kind) == RIGHTS
            total += len(data)
            for fd in numbers(data):
                os.close(fd)
        assert total <= max(0, room - syscalls.cmsg_len(0))
        assert open_descriptors() == before


def test_descriptors_of_a_message_that_is_lost(
    syscalls: Any, fds: Descriptors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gh-80931: what fails after the kernel has handed descriptors over must not leave them open."""
    if not isinstance(syscalls, ForeignSyscalls):
        pytest.skip("nothing can be made to fail between C's recvmsg and its result")
    one, two = fds.pair()
    before = open_descriptors()
    syscalls.sendmsg(one, (b"x",), ((*RIGHTS, array.array("i", [one, two])),), 0, b"", -1)
    items, calls = type(syscalls)._items, []

    def lost(self: Any, control: bytes) -> Any:
        calls.append(control)
        if len(calls) == 1:
            raise MemoryError
        return items(self, control)

    monkeypatch.setattr(type(syscalls), "_items", lost)
    with pytest.raises(MemoryError):
        syscalls.recvmsg(two, 10, syscalls.cmsg_space(8), 0, -1)
    assert open_descriptors() == before
    assert len(items(syscalls, calls[0])[0][2]) == 8  # they were there


def test_a_failed_receive_closes_nothing_of_an_earlier_one(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair(blocking=False)
    rights = ((*RIGHTS, array.array("i", [one, two])),)
    for receive in (
        lambda: syscalls.recvmsg(two, 10, 64, 0, 0),
        lambda: syscalls.recvmsg_into(two, (bytearray(10),), 64, 0, 0),
    ):
        syscalls.sendmsg(one, (b"x",), rights, 0, b"", 0)
        received = [fds.keep(fd) for fd in numbers(receive()[1][0][2])]
        with pytest.raises(BlockingIOError):
            receive()
        assert len({os.fstat(fd).st_ino for fd in received}) == 2
        os.write(one, b"y")
        assert receive()[1] == []


@pytest.mark.parametrize("pool", ["_scratches", "_controls", "_names"])
@pytest.mark.parametrize("room", [64, 4096])
def test_descriptors_of_an_interrupted_receive_are_closed_once(
    syscalls: Any, fds: Descriptors, room: int, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(syscalls, ForeignSyscalls):
        pytest.skip("no handler runs between C's recvmsg and its result")
    one, two = fds.pair()
    before = open_descriptors()
    syscalls.sendmsg(one, (b"x",), ((*RIGHTS, array.array("i", [one, two])),), 0, b"", -1)
    closed: list[int] = []
    monkeypatch.setattr(syscalls, "close", lambda fd: closed.append(fd) or os.close(fd), raising=False)
    monkeypatch.setattr(syscalls, pool, Interrupting())
    if pool == "_controls" and room > 1024:
        pytest.skip("so much room is not kept")
    with pytest.raises(KeyboardInterrupt):
        syscalls.recvmsg(two, 10, room, 0, -1)
    assert open_descriptors() == before
    assert len(closed) == len(set(closed)) == 2


def test_several_items(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    syscalls.setsockopt_int(two, stdlib.SOL_SOCKET, stdlib.SO_PASSCRED, 1)
    credentials = array.array("i", [os.getpid(), os.getuid(), os.getgid()])
    items = ((stdlib.SOL_SOCKET, stdlib.SCM_CREDENTIALS, credentials), (*RIGHTS, array.array("i", [one])))
    assert syscalls.sendmsg(one, (b"x",), items, 0, b"", -1) == 1
    _, found, flags, _ = syscalls.recvmsg(two, 10, 1000, 0, -1)
    assert flags == 0
    by_kind = {kind: data for _, kind, data in found}
    assert by_kind[stdlib.SCM_CREDENTIALS] == credentials.tobytes()
    fds.keep(numbers(by_kind[stdlib.SCM_RIGHTS])[0])
    assert set(by_kind) == {stdlib.SCM_CREDENTIALS, stdlib.SCM_RIGHTS}


def test_item_of_no_length(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    assert syscalls.sendmsg(one, (b"x",), ((*RIGHTS, b""),), 0, b"", -1) == 1
    assert syscalls.recvmsg(two, 10, 100, 0, -1)[:3] == (b"x", [], 0)
    assert syscalls.sendmsg(one, (b"y",), ((*RIGHTS, b""), (*RIGHTS, array.array("i", [one]))), 0, b"", -1) == 1
    items = syscalls.recvmsg(two, 10, 100, 0, -1)[1]
    fds.keep(numbers(items[0][2])[0])


def test_wrong_items(syscalls: Any, fds: Descriptors) -> None:
    one, _ = fds.pair()
    for items, number in ((((*RIGHTS, array.array("i", [-1])),), errno.EBADF), (((*RIGHTS, b"x" * 5000),), None)):
        with pytest.raises(OSError) as caught:
            syscalls.sendmsg(one, (b"x",), items, 0, b"", -1)
        assert number in (None, caught.value.errno)
    for wrong in (5, "text", None):
        with pytest.raises(TypeError):
            syscalls.sendmsg(one, (b"x",), ((*RIGHTS, wrong),), 0, b"", -1)


def test_integers_of_the_kernel(syscalls: Any, fds: Descriptors) -> None:
    one, _ = fds.udp()
    two, address = fds.udp()
    syscalls.setsockopt_int(two, stdlib.IPPROTO_IP, stdlib.IP_RECVTOS, 1)
    syscalls.setsockopt_int(one, stdlib.IPPROTO_IP, stdlib.IP_TOS, 0x10)
    syscalls.sendto(one, b"x", 0, address, -1)
    items = syscalls.recvmsg(two, 10, 100, 0, -1)[1]
    assert items == [(stdlib.IPPROTO_IP, stdlib.IP_TOS, b"\x10")]


@pytest.mark.parametrize("length", [0, 1, 3, 4, 7, 8, 9, 100, 65536, 2**31 - 1])
def test_lengths(syscalls: Any, length: int) -> None:
    if length < 2**30:
        assert syscalls.cmsg_len(length) == stdlib.CMSG_LEN(length)
        assert syscalls.cmsg_space(length) == stdlib.CMSG_SPACE(length)
    assert syscalls.cmsg_len(length) >= length
    assert syscalls.cmsg_space(length) >= syscalls.cmsg_len(length)
    assert type(syscalls.cmsg_len(length)) is type(syscalls.cmsg_space(length)) is int
