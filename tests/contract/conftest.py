"""Fixtures of the contract tests: every backend's Syscalls, one after another in one process.

A backend that cannot be loaded fails its tests. Which ones there have to be is the interpreter's matter (the Cython
backend is for CPython). ``SOCKETPKG_TEST_BACKENDS`` names others: "ctypes,cffi" where nothing was compiled, or the name
of any backend that is registered, however its package is called.
"""

from __future__ import annotations

import importlib
import inspect
import os
import signal
import socket as stdlib
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from socketpkg import backends
from socketpkg.contract import Syscalls as Contract

#: Longer than any test waits for what must happen.
BOUND = int(os.environ.get("SOCKETPKG_TEST_BOUND", "40"))

BACKENDS = ["c", "cffi", "ctypes"] if sys.implementation.name == "cpython" else ["cffi", "ctypes"]
if os.environ.get("SOCKETPKG_TEST_BACKENDS", "").strip():
    BACKENDS = [name.strip() for name in os.environ["SOCKETPKG_TEST_BACKENDS"].split(",")]


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of a backend."""
    name: str = request.param
    return name


#: The calls that take a socket.
ON_SOCKETS = [
    name
    for name, function in inspect.getmembers(Contract, inspect.isfunction)
    if list(inspect.signature(function).parameters)[1:2] == ["sock"]
]


def with_numbers(backend: str) -> Any:
    """An instance of a backend's Syscalls whose calls on sockets take a plain number, too: most tests need no more.

    Its class stands above the backend's own, which is ``whole``.
    """
    found = backends.load(backend)
    module = importlib.import_module(f"{found.package}.syscalls")
    # A compiled core has its own class of the name, which its compiled Syscalls wants.
    compiled = "compiled-core" in found.features
    descriptor = importlib.import_module(f"{found.package if compiled else 'socketpkg'}.contract").Descriptor

    def on_a_number(name: str) -> Any:
        call = getattr(module.Syscalls, name)

        def called(self: Any, sock: Any, *arguments: Any) -> Any:
            return call(self, descriptor(sock) if isinstance(sock, int) else sock, *arguments)

        return called

    names = {name: on_a_number(name) for name in ON_SOCKETS}
    return type("Syscalls", (module.Syscalls,), {**names, "descriptor": descriptor, "whole": module.Syscalls})()


@pytest.fixture(scope="session")
def syscalls(backend: str) -> Any:
    """The backend's calls."""
    return with_numbers(backend)


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Ends a test that hangs."""

    def give_up(number: int, frame: object) -> None:
        pytest.fail(f"the test did not end in {BOUND} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(BOUND)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


class Interrupting(deque[Any]):
    """Idle buffers that a signal's handler interrupts when one is put back: the last moment of a receive."""

    def append(self, item: Any) -> None:
        raise KeyboardInterrupt


class Descriptors:
    """Makes descriptors and closes those that a test has left open."""

    def __init__(self, syscalls: Any) -> None:
        self.syscalls = syscalls
        self.fds: list[int] = []

    def keep(self, fd: int) -> int:
        """Closes *fd* at the end of the test."""
        self.fds.append(fd)
        return fd

    def close(self, fd: int) -> None:
        """Closes it now."""
        self.fds.remove(fd)
        os.close(fd)

    def pair(self, kind: int = stdlib.SOCK_STREAM, blocking: bool = True) -> tuple[int, int]:
        """A socketpair."""
        one, two = self.syscalls.socketpair(stdlib.AF_UNIX, kind, 0)
        for fd in (one, two):
            self.keep(fd)
            if not blocking:
                self.syscalls.set_blocking(fd, False)
        return one, two

    def socket(self, family: int = stdlib.AF_INET, kind: int = stdlib.SOCK_STREAM, blocking: bool = True) -> int:
        """A new socket."""
        fd = self.keep(self.syscalls.socket(family, kind, 0))
        if not blocking:
            self.syscalls.set_blocking(fd, False)
        return fd

    def listener(self, blocking: bool = True) -> tuple[int, bytes]:
        """A TCP listener on loopback, with its address."""
        fd = self.socket(blocking=blocking)
        self.syscalls.bind(fd, inet("127.0.0.1", 0))
        self.syscalls.listen(fd, 16)
        return fd, self.syscalls.getsockname(fd)

    def tcp(self, blocking: bool = True) -> tuple[int, int]:
        """A TCP client and the server's end of its connection."""
        listener, address = self.listener()
        client = self.socket()
        assert self.syscalls.connect(client, address, -1) == 0
        server = self.keep(self.syscalls.accept(listener, -1)[0])
        for fd in (client, server):
            self.syscalls.set_blocking(fd, blocking)
        return client, server

    def udp(self, blocking: bool = True) -> tuple[int, bytes]:
        """A UDP socket bound on loopback, with its address."""
        fd = self.socket(kind=stdlib.SOCK_DGRAM, blocking=blocking)
        self.syscalls.bind(fd, inet("127.0.0.1", 0))
        return fd, self.syscalls.getsockname(fd)


@pytest.fixture
def fds(syscalls: Any) -> Iterator[Descriptors]:
    """Makes descriptors that end with the test."""
    descriptors = Descriptors(syscalls)
    yield descriptors
    for fd in descriptors.fds:
        os.close(fd)


def inet(host: str, port: int) -> bytes:
    """A sockaddr_in."""
    if sys.platform == "darwin" or "bsd" in sys.platform:
        head = bytes([16, stdlib.AF_INET])
    else:
        head = int(stdlib.AF_INET).to_bytes(2, sys.byteorder)
    return head + port.to_bytes(2, "big") + stdlib.inet_aton(host) + bytes(8)


def unix(path: bytes) -> bytes:
    """A sockaddr_un."""
    if sys.platform == "darwin" or "bsd" in sys.platform:
        return bytes([len(path) + 2, stdlib.AF_UNIX]) + path
    return int(stdlib.AF_UNIX).to_bytes(2, sys.byteorder) + path
