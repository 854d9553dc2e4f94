"""accept_many: the calls of the compiled backends, and the loop that the contract has for others."""

from __future__ import annotations

import os
import signal
import socket as stdlib
from collections.abc import Iterator
from typing import Any

import pytest

from socketpkg.contract import Syscalls as Contract

SECOND = 1_000_000_000


class Looping(Contract):
    """The contract's own call over those of a backend."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def __getattribute__(self, name: str) -> Any:
        if name in ("accept_many", "backend"):
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "backend"), name)


class Handle:
    """What the contract's call takes for a socket, where the backend takes numbers."""

    def __init__(self, fd: int) -> None:
        self._sp_fd = fd


class Numbers:
    """A backend whose `accept` takes a `Handle` too."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.poll = backend.poll

    def accept(self, sock: Handle, timeout: int) -> Any:
        return self.backend.accept(sock._sp_fd, timeout)


@pytest.fixture(params=["system", "loop"])
def accept_many(request: pytest.FixtureRequest, syscalls: Any) -> Any:
    """The call of a backend, and the contract's over it. Gives what was found."""

    def call(fd: int, count: int, timeout: int, found: list[tuple[int, bytes]] | None = None) -> Any:
        found = [] if found is None else found
        if request.param == "system":
            syscalls.accept_many(fd, count, timeout, found)
        else:
            loop: Any = Looping(Numbers(syscalls))
            loop.accept_many(Handle(fd), count, timeout, found)
        return found

    return call


@pytest.fixture(params=["blocking", "not blocking"])
def listener(request: pytest.FixtureRequest) -> Iterator[stdlib.socket]:
    """A listener of the standard library's."""
    with stdlib.create_server(("127.0.0.1", 0), backlog=200) as sock:
        sock.setblocking(request.param == "blocking")
        yield sock


def clients_of(listener: stdlib.socket, count: int) -> list[stdlib.socket]:
    return [stdlib.create_connection(listener.getsockname()) for _ in range(count)]


def close_all(clients: list[stdlib.socket], found: list[tuple[int, bytes]]) -> None:
    for client in clients:
        client.close()
    for fd, _ in found:
        os.close(fd)


@pytest.mark.parametrize("timeout", [-1, 20 * SECOND])
@pytest.mark.parametrize("count", [1, 3, 64, 65, 130])
def test_up_to_a_count(accept_many: Any, listener: stdlib.socket, count: int, timeout: int) -> None:
    clients = clients_of(listener, count + 2)
    found = accept_many(listener.fileno(), count, timeout)
    assert len(found) == count
    accept_many(listener.fileno(), 10, timeout, found)
    try:
        # In their order, each with its own name, close-on-exec and blocking.
        ports = [int.from_bytes(raw[2:4], "big") for _, raw in found]
        assert ports == [client.getsockname()[1] for client in clients]
        for fd, raw in found:
            assert len(raw) == 16
            assert not os.get_inheritable(fd)
            assert os.get_blocking(fd)
    finally:
        close_all(clients, found)


def test_nobody_waits(accept_many: Any, listener: stdlib.socket) -> None:
    with pytest.raises(TimeoutError, match="timed out"):
        accept_many(listener.fileno(), 5, SECOND // 50)
    if not listener.getblocking():
        with pytest.raises(BlockingIOError):
            accept_many(listener.fileno(), 5, 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        accept_many(-1, 5, -1)


def test_no_descriptor_but_those_that_are_given(accept_many: Any, listener: stdlib.socket) -> None:
    clients = clients_of(listener, 3)
    before = os.listdir("/dev/fd")
    found = accept_many(listener.fileno(), 100, 20 * SECOND)
    assert len(os.listdir("/dev/fd")) == len(before) + len(found)
    close_all([], found)
    assert os.listdir("/dev/fd") == before
    close_all(clients, [])


def test_the_error_of_a_later_one_is_left_for_the_next_call(accept_many: Any, listener: stdlib.socket) -> None:
    import resource

    clients = clients_of(listener, 4)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    found: list[tuple[int, bytes]] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, before[1]))
    try:
        accept_many(listener.fileno(), 4, 20 * SECOND, found)
        assert len(found) == 1
        with pytest.raises(OSError, match="Too many open files"):
            accept_many(listener.fileno(), 4, 20 * SECOND, found)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    accept_many(listener.fileno(), 4, 20 * SECOND, found)
    assert len(found) == 4
    close_all(clients, found)


def test_signals(accept_many: Any, listener: stdlib.socket) -> None:
    """A handler that returns, one with which a connection comes, and one that raises."""
    seen: list[int] = []
    clients: list[stdlib.socket] = []

    def handler(number: int, frame: object) -> None:
        seen.append(number)
        if len(seen) == 3:
            clients.extend(clients_of(listener, 2))

    def raises(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    found: list[tuple[int, bytes]] = []
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while len(found) < 2:
        accept_many(listener.fileno(), 2 - len(found), 20 * SECOND, found)
    assert len(seen) >= 3
    signal.signal(signal.SIGALRM, raises)
    with pytest.raises(KeyboardInterrupt):
        accept_many(listener.fileno(), 5, 20 * SECOND, found)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(found) == 2
    close_all(clients, found)
