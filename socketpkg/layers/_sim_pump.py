"""Passes on datagrams that found no room at once, or are to be late.

It is what the receive buffer of a UDP socket is on a real network, and the wire of a link with latency.
"""

from __future__ import annotations

import atexit
import os
import select
from _thread import allocate_lock, start_new_thread
from collections import deque
from heapq import heappop, heappush
from time import monotonic, sleep

from ._base import discard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..contract import Syscalls
    from ._names import Names

#: How much a receiver may have waiting: net.core.rmem_default of Linux, in which a datagram counts with its overhead.
_ROOM = 212992
_OVERHEAD = 768
#: How long the end of the process waits for receivers, in seconds.
_PATIENCE = 1.0


class _Target:
    """A receiver that had no room."""

    __slots__ = ("fd", "held", "queue")

    def __init__(self, fd: int) -> None:
        #: A socket that is connected to it: poll tells when there is room.
        self.fd = fd
        self.queue: deque[bytes] = deque()
        self.held = 0


class Pump:
    """The receivers that have no room, and the thread that waits for it."""

    def __init__(self, below: Syscalls, borrow: Callable[[int], Any], names: Names, dontwait: int) -> None:
        self._below = below
        self._borrow = borrow
        self._names = names
        self._dontwait = dontwait
        self._lock = allocate_lock()
        self._targets: dict[bytes, _Target] = {}
        #: What is to be late: when it arrives, a number that tells equal ones apart, the receiver and the datagram.
        self._late: list[tuple[float, int, bytes, bytes]] = []
        self._count = 0
        #: How many datagrams it has passed on.
        self.passed = 0
        #: How much receivers of this process have room for, by sockaddr, where it is not _ROOM.
        self.rooms: dict[bytes, int] = {}
        self._wake: tuple[int, int] = (-1, -1)
        self._pid = 0
        atexit.register(self._drain)

    def forked(self) -> None:
        """In a child after fork: what waits is the parent's to pass on."""
        self._lock = allocate_lock()
        targets, self._targets, self._late = self._targets, {}, []
        for fd in (*(target.fd for target in targets.values()), *self._wake):
            if fd >= 0:
                discard(self._below, fd)
        self._wake, self._pid = (-1, -1), 0

    def holds(self, name: bytes) -> bool:
        """Whether something waits for a receiver, so that what comes later has to wait as well."""
        return name in self._targets

    def flush(self, name: bytes) -> None:
        """Passes on at once what there is room for now."""
        with self._lock:
            if name in self._targets:
                self._pass_on(name)

    def add(self, name: bytes, datagram: bytes, delay: float = 0.0) -> None:
        """Takes a datagram for the receiver with a sockaddr, *delay* seconds late; it is lost when too much waits."""
        with self._lock:
            if delay > 0:
                self._count += 1
                heappush(self._late, (monotonic() + delay, self._count, name, datagram))
            else:
                self._queue(name, datagram)
            if self._pid != os.getpid():
                self._pid = os.getpid()
                self._wake = os.pipe()
                for fd in self._wake:
                    os.set_blocking(fd, False)
                start_new_thread(self._serve, (self._pid,))
            try:
                os.write(self._wake[1], b"x")
            except BlockingIOError:
                pass  # it is awake

    def _queue(self, name: bytes, datagram: bytes) -> None:
        target = self._targets.get(name)
        if target is None:
            fd = self._below.socket(self._names.AF_UNIX, self._names.SOCK_DGRAM, 0)
            if self._below.connect(self._borrow(fd), name, 0):
                discard(self._below, fd)  # nobody is there any more
                return
            target = self._targets[name] = _Target(fd)
        size = len(datagram) + _OVERHEAD
        if target.held + size > self.rooms.get(name, _ROOM) and target.queue:
            return
        target.held += size
        target.queue.append(datagram)

    def _serve(self, pid: int) -> None:
        while True:
            with self._lock:
                if self._pid != pid:
                    return
                while self._late and self._late[0][0] <= monotonic():
                    _, _, name, datagram = heappop(self._late)
                    self._queue(name, datagram)
                if not self._targets and not self._late:
                    # Nothing is left. The next one starts another thread.
                    for fd in self._wake:
                        discard(self._below, fd)
                    self._wake, self._pid = (-1, -1), 0
                    return
                poll = select.poll()
                poll.register(self._wake[0], select.POLLIN)
                by_fd = {target.fd: name for name, target in self._targets.items()}
                for fd in by_fd:
                    poll.register(fd, select.POLLOUT)
                wake = self._wake[0]
                pause = None if not self._late else max(self._late[0][0] - monotonic(), 0) * 1000 + 1
            ready = poll.poll(pause)
            with self._lock:
                if self._pid != pid:
                    return
                for fd, _ in ready:
                    if fd == wake:
                        try:
                            os.read(wake, 4096)
                        except BlockingIOError:
                            pass
                    elif by_fd[fd] in self._targets:
                        self._pass_on(by_fd[fd])

    def _pass_on(self, name: bytes) -> None:
        target = self._targets[name]
        try:
            while target.queue:
                self._below.send(self._borrow(target.fd), target.queue[0], self._dontwait, 0)
                target.held -= len(target.queue.popleft()) + _OVERHEAD
                self.passed += 1
        except BlockingIOError:
            return
        except OSError:
            pass  # nobody is there any more
        del self._targets[name]
        discard(self._below, target.fd)

    def _drain(self) -> None:
        """At the end of the process: what was sent is on its way, as it would be in the kernel."""
        until = monotonic() + _PATIENCE
        while self._pid == os.getpid() and (self._targets or self._late) and monotonic() < until:
            sleep(0.002)
