"""Making sockets, addresses, connecting and options."""

from __future__ import annotations

import errno
import os
import select
import socket as stdlib
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import BOUND, Descriptors, inet, unix

SECOND = 1_000_000_000


def test_socket(syscalls: Any, fds: Descriptors) -> None:
    fd = fds.keep(syscalls.socket(stdlib.AF_INET, stdlib.SOCK_DGRAM, 0))
    assert type(fd) is int
    assert not os.get_inheritable(fd)
    assert os.get_blocking(fd)
    assert syscalls.getsockopt_int(fd, stdlib.SOL_SOCKET, stdlib.SO_TYPE) == stdlib.SOCK_DGRAM


def test_socket_flags_of_the_type(syscalls: Any, fds: Descriptors) -> None:
    fd = fds.keep(syscalls.socket(stdlib.AF_INET, stdlib.SOCK_DGRAM | stdlib.SOCK_NONBLOCK, 0))
    assert not os.get_blocking(fd)
    assert not os.get_inheritable(fd)


@pytest.mark.parametrize("arguments", [(9999, 1, 0), (stdlib.AF_INET, 9, 0), (stdlib.AF_INET, 1, 17), (-1, -1, -1)])
def test_socket_fails(syscalls: Any, arguments: tuple[int, int, int]) -> None:
    with pytest.raises(OSError) as wanted:
        stdlib.socket(*arguments) if -1 not in arguments else os.close(-1)
    with pytest.raises(OSError) as found:
        syscalls.socket(*arguments)
    if -1 not in arguments:
        assert found.value.args == wanted.value.args
    assert found.value.strerror == os.strerror(found.value.errno)
    assert found.value.filename is None


def test_socketpair(syscalls: Any, fds: Descriptors) -> None:
    pair = syscalls.socketpair(stdlib.AF_UNIX, stdlib.SOCK_STREAM, 0)
    assert type(pair) is tuple
    for fd in pair:
        fds.keep(fd)
        assert type(fd) is int
        assert not os.get_inheritable(fd)
        assert os.get_blocking(fd)
    with pytest.raises(OSError) as caught:
        syscalls.socketpair(stdlib.AF_INET, stdlib.SOCK_STREAM, 0)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_dup_and_close(syscalls: Any, fds: Descriptors) -> None:
    one, _ = fds.pair()
    copy = syscalls.dup(one)
    assert not os.get_inheritable(copy)
    assert os.fstat(copy).st_ino == os.fstat(one).st_ino
    syscalls.close(copy)
    for call in (syscalls.dup, syscalls.close):
        with pytest.raises(OSError) as caught:
            call(copy)
        assert caught.value.errno == errno.EBADF
    assert syscalls.send(one, b"x", 0, -1) == 1


def test_set_blocking(syscalls: Any, fds: Descriptors) -> None:
    one, _ = fds.pair()
    assert syscalls.set_blocking(one, False) is None
    assert not os.get_blocking(one)
    syscalls.set_blocking(one, True)
    assert os.get_blocking(one)


@pytest.mark.parametrize("timeout", [-1, 0, 5 * SECOND])
def test_accept(syscalls: Any, fds: Descriptors, timeout: int) -> None:
    listener, address = fds.listener(blocking=timeout < 0)
    client = fds.socket()
    assert syscalls.connect(client, address, -1) == 0
    fd, peer = syscalls.accept(listener, timeout)
    fds.keep(fd)
    assert type(fd) is int and type(peer) is bytes
    assert not os.get_inheritable(fd)
    assert os.get_blocking(fd), "whatever the mode of the listener is"
    assert peer == syscalls.getsockname(client) == syscalls.getpeername(fd)
    assert syscalls.getsockname(fd) == address == syscalls.getpeername(client)


def test_accept_of_an_unnamed_peer(syscalls: Any, fds: Descriptors, tmp_path: Path) -> None:
    listener = fds.socket(stdlib.AF_UNIX)
    path = os.path.relpath(tmp_path / "s") if len(str(tmp_path)) > 90 else str(tmp_path / "s")
    syscalls.bind(listener, unix(os.fsencode(path) + b"\0"))
    syscalls.listen(listener, 1)
    assert syscalls.getsockname(listener) == unix(os.fsencode(path) + b"\0")
    client = fds.socket(stdlib.AF_UNIX)
    assert syscalls.connect(client, unix(os.fsencode(path) + b"\0"), -1) == 0
    fd, peer = syscalls.accept(listener, -1)
    fds.keep(fd)
    assert peer in (b"", unix(b""))


def test_accept_times(syscalls: Any, fds: Descriptors) -> None:
    listener, _ = fds.listener(blocking=False)
    with pytest.raises(BlockingIOError) as would_block:
        syscalls.accept(listener, 0)
    assert would_block.value.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
    start = time.monotonic()
    with pytest.raises(TimeoutError, match="^timed out$") as caught:
        syscalls.accept(listener, SECOND // 20)
    assert caught.value.errno is None
    assert 0.05 <= time.monotonic() - start < 5


def test_accept_waits(syscalls: Any, fds: Descriptors) -> None:
    for blocking in (True, False):
        listener, address = fds.listener(blocking=blocking)
        client = fds.socket()
        timer = threading.Timer(0.1, syscalls.connect, (client, address, -1))
        timer.start()
        fds.keep(syscalls.accept(listener, -1 if blocking else 10 * SECOND)[0])
        timer.join()


def test_blocking_accept_of_a_descriptor_that_others_made_non_blocking(syscalls: Any, fds: Descriptors) -> None:
    listener, _ = fds.listener(blocking=False)
    with pytest.raises(BlockingIOError):
        syscalls.accept(listener, -1)


@pytest.mark.parametrize("call", ["getsockname", "getpeername"])
def test_names_fail(syscalls: Any, fds: Descriptors, call: str) -> None:
    read, write = os.pipe()
    fds.keep(read), fds.keep(write)
    with pytest.raises(OSError) as caught:
        getattr(syscalls, call)(read)
    assert caught.value.errno == errno.ENOTSOCK
    with pytest.raises(OSError) as caught:
        getattr(syscalls, call)(-1)
    assert caught.value.errno == errno.EBADF
    if call == "getpeername":
        with pytest.raises(OSError) as caught:
            syscalls.getpeername(fds.socket())
        assert caught.value.errno == errno.ENOTCONN


def test_names_of_every_length(syscalls: Any, fds: Descriptors) -> None:
    for length in (2, 50, 108):
        fd = fds.socket(stdlib.AF_UNIX, stdlib.SOCK_DGRAM)
        address = unix(b"\0" + os.urandom(length - 1))
        syscalls.bind(fd, address)
        assert syscalls.getsockname(fd) == address
        # A long name leaves nothing behind for a shorter one.
        assert syscalls.getsockname(fds.socket(stdlib.AF_UNIX)) == unix(b"")


def test_bind_fails(syscalls: Any, fds: Descriptors) -> None:
    _, address = fds.listener()
    with pytest.raises(OSError) as caught:
        syscalls.bind(fds.socket(), address)
    assert caught.value.args == (errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    with pytest.raises(OSError) as caught:
        syscalls.bind(fds.socket(), b"")
    assert caught.value.errno == errno.EINVAL
    assert syscalls.bind(fds.socket(), inet("127.0.0.1", 0)) is None


def test_the_mark_of_urgent_data(syscalls: Any, fds: Descriptors) -> None:
    client, server = fds.tcp()
    assert syscalls.sockatmark(server) is False
    assert syscalls.send(client, b"!", stdlib.MSG_OOB, -1) == 1
    assert select.select([], [], [server], BOUND)[2] == [server]
    assert syscalls.sockatmark(server) is True
    with pytest.raises(OSError) as caught:
        syscalls.sockatmark(fds.socket(kind=stdlib.SOCK_DGRAM))
    assert caught.value.errno in (errno.ENOTTY, errno.EINVAL)
    with pytest.raises(OSError) as caught:
        syscalls.sockatmark(-1)
    assert caught.value.errno == errno.EBADF


def test_listen_and_shutdown(syscalls: Any, fds: Descriptors) -> None:
    one, two = fds.pair()
    assert syscalls.shutdown(one, stdlib.SHUT_WR) is None
    assert syscalls.recv(two, 1, 0, -1) == b""
    with pytest.raises(BrokenPipeError):
        syscalls.send(one, b"x", 0, -1)
    with pytest.raises(OSError) as caught:
        syscalls.shutdown(fds.socket(), stdlib.SHUT_RD)
    assert caught.value.errno == errno.ENOTCONN
    with pytest.raises(OSError) as caught:
        syscalls.listen(fds.socket(kind=stdlib.SOCK_DGRAM), 1)
    assert caught.value.errno == errno.EOPNOTSUPP
    fd = fds.socket()
    syscalls.bind(fd, inet("127.0.0.1", 0))
    assert syscalls.listen(fd, 0) is None


# -- connect -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [-1, 10 * SECOND])
def test_connect(syscalls: Any, fds: Descriptors, timeout: int) -> None:
    listener, address = fds.listener()
    client = fds.socket(blocking=timeout < 0)
    assert syscalls.connect(client, address, timeout) == 0
    assert syscalls.getpeername(client) == address
    fds.keep(syscalls.accept(listener, -1)[0])
    # Linux tells the first time that a connection that was made in the background is there.
    assert syscalls.connect(client, address, timeout) in ((errno.EISCONN,) if timeout < 0 else (0, errno.EISCONN))
    assert syscalls.connect(client, address, timeout) == errno.EISCONN


@pytest.mark.parametrize("timeout", [-1, 10 * SECOND])
def test_connect_refused_does_not_raise(syscalls: Any, fds: Descriptors, timeout: int) -> None:
    listener, address = fds.listener()
    fds.close(listener)
    assert syscalls.connect(fds.socket(blocking=timeout < 0), address, timeout) == errno.ECONNREFUSED
    assert syscalls.connect(-1, address, timeout) == errno.EBADF


def test_connect_in_the_background(syscalls: Any, fds: Descriptors) -> None:
    listener, address = fds.listener()
    client = fds.socket(blocking=False)
    assert syscalls.connect(client, address, 0) in (errno.EINPROGRESS, 0)
    fds.keep(syscalls.accept(listener, -1)[0])
    assert syscalls.connect(client, address, 0) in (errno.EISCONN, 0)


@pytest.fixture
def full_listener(syscalls: Any, fds: Descriptors) -> bytes:
    """The address of a listener that takes no more connections."""
    listener = fds.socket()
    syscalls.bind(listener, inet("127.0.0.1", 0))
    syscalls.listen(listener, 0)
    address: bytes = syscalls.getsockname(listener)
    for _ in range(4):
        syscalls.connect(fds.socket(blocking=False), address, 0)
    return address


def test_connect_times_out(syscalls: Any, fds: Descriptors, full_listener: bytes) -> None:
    client = fds.socket(blocking=False)
    start = time.monotonic()
    assert syscalls.connect(client, full_listener, SECOND // 10) == -1
    assert 0.1 <= time.monotonic() - start < 5


def test_connect_goes_on_after_signals(
    syscalls: Any, fds: Descriptors, full_listener: bytes, alarms: Callable[..., list[int]]
) -> None:
    client = fds.socket(blocking=False)
    seen = alarms()
    start = time.monotonic()
    assert syscalls.connect(client, full_listener, SECOND // 5) == -1
    assert 0.2 <= time.monotonic() - start < 5
    assert seen


def test_a_handler_gets_its_exception_through_connect(
    syscalls: Any, fds: Descriptors, full_listener: bytes, interruption: Any
) -> None:
    for blocking in (True, False):
        client = fds.socket(blocking=blocking)
        with pytest.raises(ZeroDivisionError), interruption(ZeroDivisionError):
            syscalls.connect(client, full_listener, -1 if blocking else 20 * SECOND)


# -- options -----------------------------------------------------------------------------------------------------------


def test_integer_options(syscalls: Any, fds: Descriptors) -> None:
    fd = fds.socket()
    assert syscalls.setsockopt_int(fd, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE, 1) is None
    value = syscalls.getsockopt_int(fd, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE)
    assert type(value) is int and value
    syscalls.setsockopt_int(fd, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE, 0)
    assert syscalls.getsockopt_int(fd, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE) == 0
    # The kernel stores one byte of it.
    fd = fds.socket(kind=stdlib.SOCK_DGRAM)
    syscalls.setsockopt_int(fd, stdlib.IPPROTO_IP, stdlib.IP_MULTICAST_TTL, 7)
    assert syscalls.getsockopt_int(fd, stdlib.IPPROTO_IP, stdlib.IP_MULTICAST_TTL) == 7
    with pytest.raises(OSError) as caught:
        syscalls.setsockopt_int(fd, stdlib.IPPROTO_IP, stdlib.IP_MULTICAST_TTL, 1000)
    assert caught.value.errno == errno.EINVAL


def test_options_of_bytes(syscalls: Any, fds: Descriptors) -> None:
    fd = fds.socket()
    linger = struct.pack("ii", 1, 5)
    for value in (linger, bytearray(linger), memoryview(linger), memoryview(bytearray(linger))):
        syscalls.setsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_LINGER, struct.pack("ii", 0, 0))
        assert syscalls.setsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_LINGER, value) is None
        found = syscalls.getsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_LINGER, 8)
        assert type(found) is bytes and found == linger
    assert syscalls.getsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_LINGER, 1024) == linger, "as many as the kernel gave"
    assert syscalls.getsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE, 1) == b"\0"
    with pytest.raises(OSError) as caught:
        syscalls.setsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_LINGER, b"")
    assert caught.value.errno == errno.EINVAL
    export = bytearray(1)
    with pytest.raises(OSError) as caught:
        syscalls.setsockopt(fd, stdlib.SOL_SOCKET, stdlib.SO_LINGER, export)
    export.append(1)


def test_option_of_nothing(syscalls: Any, fds: Descriptors) -> None:
    fd = fds.socket()
    with pytest.raises(OSError) as caught:
        syscalls.setsockopt_null(fd, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE, 4)
    assert caught.value.errno == errno.EFAULT
    with pytest.raises(OSError) as caught:
        syscalls.setsockopt_null(fd, stdlib.SOL_SOCKET, 9999, 2**32 - 1)
    assert caught.value.errno in (errno.ENOPROTOOPT, errno.EINVAL, errno.EFAULT)


def test_unknown_option(syscalls: Any, fds: Descriptors) -> None:
    fd = fds.socket()
    for call in (
        lambda: syscalls.getsockopt_int(fd, stdlib.SOL_SOCKET, 9999),
        lambda: syscalls.getsockopt(fd, stdlib.SOL_SOCKET, 9999, 8),
        lambda: syscalls.setsockopt_int(fd, stdlib.SOL_SOCKET, 9999, 1),
    ):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.args == (errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
