"""Latency and bandwidth of connections: what a program sends and receives passes a relay.

The program's descriptor becomes one end of a pair of UNIX sockets, the relay has the other end and the connection. So
the kernel itself tells select, poll and epoll what there is, and no call that does not wait has to sleep. One thread
serves all connections. It reads no more of a direction than `ROOM` bytes that it has not passed on: whoever sends too
much is stopped by full buffers, as by a slow network.
"""

from __future__ import annotations

import atexit
import os
import select
from _thread import allocate_lock, start_new_thread
from collections import deque
from time import monotonic_ns, sleep

from ._base import discard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..contract import Syscalls

#: How many bytes of a direction are held at most.
ROOM = 256 * 1024
#: The buffers of the pair.
_BUFFER = 64 * 1024
#: How much is read at once.
_CHUNK = 64 * 1024
#: What is read at once lasts no longer than this at the bandwidth, in seconds: data trickles.
_TRICKLE = 0.02
#: The end of a stream, and of a connection that was reset.
_END, _RESET = b"", b"reset"
#: How long it waits before it tries again to connect, in nanoseconds.
PAUSE = 5_000_000
#: How long the end of the process waits for what was sent, in seconds.
_PATIENCE = 30


class Pipe:
    """One direction: from one descriptor to another, after some time."""

    __slots__ = ("ended", "free", "held", "queue", "shut", "source", "target")

    def __init__(self, source: int, target: int) -> None:
        self.source = source
        self.target = target
        #: (when it is passed on, bytes); the last may be _END or _RESET.
        self.queue: deque[tuple[int, bytes]] = deque()
        self.held = 0
        #: When all that was read so far has left at the bandwidth.
        self.free = 0
        #: Nothing more comes from the source.
        self.ended = False
        #: The end was passed on, or nobody takes anything.
        self.shut = False

    def wants(self) -> bool:
        """Whether it reads on."""
        return not self.ended and self.held < ROOM

    def due(self, now: int) -> bool:
        """Whether something is to be passed on now."""
        return bool(self.queue) and not self.shut and self.queue[0][0] <= now


class Connection:
    """A connection of the program, and the relay's end of the pair that the program has for it."""

    __slots__ = (
        "attempt", "failed", "filler", "inner", "inward", "known", "latency", "lost", "opens", "outer", "outward",
        "rate",
    )  # fmt: skip

    def __init__(
        self,
        inner: int,
        outer: int,
        latency: int,
        rate: int,
        filler: int,
        attempt: Callable[[int, int], bool | None] | None,
    ) -> None:
        self.inner = inner
        self.outer = outer
        #: Nanoseconds each way, and bytes a second; 0 is none.
        self.latency = latency
        self.rate = rate
        self.outward = Pipe(inner, outer)
        self.inward = Pipe(outer, inner)
        #: Bytes that keep the program from writing until the connection stands. They are not the program's.
        self.filler = filler
        #: Tries to connect; whether it is connected, None for not yet.
        self.attempt = attempt
        #: When the connection is told to stand; 0 before the kernel has it, -1 afterwards.
        self.opens = 0 if filler else -1
        #: It never stood.
        self.failed = False
        #: It is broken, and the program knows.
        self.lost = False
        #: What the poll object knows: events by descriptor, None for one that is not waited for.
        self.known: dict[int, int | None] = {inner: None, outer: None}


class Relay:
    """The connections of a process that have latency or bandwidth, and the thread that serves them."""

    def __init__(
        self, below: Syscalls, borrow: Callable[[int], Any], constants: Mapping[str, int], fails: Callable[[int], None]
    ) -> None:
        self._below = below
        self._borrow = borrow
        self._constants = constants
        #: Called with the relay's end of a pair when the connection was reset.
        self._fails = fails
        self._pid = 0
        self._lock = allocate_lock()
        self._new: list[Connection] = []
        self._wake: tuple[int, int] = (-1, -1)
        self._served: dict[int, Connection] = {}
        os.register_at_fork(after_in_child=self._forked)
        atexit.register(self._drain)

    def take(
        self,
        fd: int,
        latency: int,
        rate: int,
        connecting: bool,
        attempt: Callable[[int, int], bool | None] | None = None,
    ) -> tuple[int, int]:
        """Puts the end of a pair in place of the connection *fd*, with its flags. Returns a descriptor of the
        connection, which is the caller's, and the number of the relay's end.

        With *attempt* it is none yet: the relay calls it with a descriptor and the number of its end until it returns
        whether the descriptor is connected, and not None. The program cannot write before that.
        """
        names = self._constants
        made = list(self._below.socketpair(names["AF_UNIX"], names["SOCK_STREAM"], 0))
        try:
            near, far = made
            for end in made:
                self._below.setsockopt_int(self._borrow(end), names["SOL_SOCKET"], names["SO_SNDBUF"], _BUFFER)
            filler = 0
            while connecting:
                try:
                    filler += self._below.send(self._borrow(near), bytes(4096), 0, 0)
                except BlockingIOError:
                    break
            os.set_blocking(near, os.get_blocking(fd))
            made += [os.dup(fd), os.dup(fd)]
            connection = Connection(far, made[3], latency, rate, filler, attempt)
            os.dup2(near, fd, os.get_inheritable(fd))
        except BaseException:
            for end in made:
                discard(self._below, end)
            raise
        discard(self._below, near)
        with self._lock:
            if self._pid != os.getpid():
                self._wake = os.pipe()
                for end in self._wake:
                    os.set_blocking(end, False)
                self._pid = os.getpid()
                start_new_thread(self._serve, (self._pid, self._wake[0]))
            self._new.append(connection)
            try:
                os.write(self._wake[1], b"x")
            except BlockingIOError:
                pass  # it is awake
        return made[2], far

    def _forked(self) -> None:
        """In a child after fork: the connections are the parent's to serve. Its ends here would keep them open."""
        self._lock = allocate_lock()
        if not self._pid:
            return
        self._pid = 0
        for connection in (*self._served.values(), *self._new):
            discard(self._below, connection.inner)
            discard(self._below, connection.outer)
        for fd in self._wake:
            discard(self._below, fd)
        self._served, self._new = {}, []

    def _drain(self) -> None:
        """At the end of the process: what the program has sent is on its way, as it would be in the kernel."""
        until = monotonic_ns() + _PATIENCE * 1_000_000_000
        while self._pid == os.getpid() and monotonic_ns() < until:
            waiting = [*self._new, *self._served.values()]
            if not any(self._owes(connection) for connection in waiting):
                return
            sleep(0.005)

    def _owes(self, connection: Connection) -> bool:
        """Whether the program has sent what has not left."""
        if connection.lost or connection.failed or connection.outward.shut:
            return False
        poll = select.poll()
        poll.register(connection.inner, select.POLLIN)
        ready = any(events & select.POLLIN for _, events in poll.poll(0))
        return bool(connection.outward.queue) or (ready and not connection.outward.ended and connection.opens < 0)

    # -- the thread ----------------------------------------------------------------------------------------------

    def _serve(self, pid: int, wake: int) -> None:
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        served: dict[int, Connection] = {}
        while self._pid == pid:
            with self._lock:
                new, self._new = self._new, []
                for connection in new:
                    self._served[connection.inner] = connection
            for connection in new:
                served[connection.inner] = served[connection.outer] = connection
            for connection in list(self._served.values()):
                if connection.attempt is not None:
                    self._try(connection, connection.attempt)
            now = monotonic_ns()
            for connection in list(self._served.values()):
                self._watch(poll, connection, now)
            for fd, events in poll.poll(self._pause(now)):
                if fd == wake:
                    try:
                        os.read(wake, 4096)
                    except BlockingIOError:
                        pass
                elif fd in served:
                    self._read(served[fd], fd, events)
            now = monotonic_ns()
            for connection in list(self._served.values()):
                self._write(connection, connection.outward, now)
                self._write(connection, connection.inward, now)
                if connection.lost or (connection.outward.shut and connection.inward.shut):
                    self._finish(poll, served, connection)

    def _try(self, connection: Connection, attempt: Callable[[int, int], bool | None]) -> None:
        """Tries to connect what is not connected yet."""
        connected = attempt(connection.outer, connection.inner)
        if connected is not None:
            connection.attempt = None
            connection.failed = not connected
            connection.opens = monotonic_ns() + 2 * connection.latency

    def _watch(self, poll: Any, connection: Connection, now: int) -> None:
        """Lets the poll object wait for what the connection can go on with."""
        wanted = {connection.inner: 0, connection.outer: 0}
        if connection.attempt is not None:
            pass
        elif connection.opens == 0:
            wanted[connection.outer] = select.POLLOUT
        elif connection.opens < 0:
            for pipe in (connection.outward, connection.inward):
                if pipe.wants():
                    wanted[pipe.source] |= select.POLLIN
                if pipe.due(now):
                    wanted[pipe.target] |= select.POLLOUT
        for fd, events in wanted.items():
            # Poll tells of a hang-up unasked. The program's is told, until it is known.
            tells = connection.opens < 0 or connection.attempt is not None
            hang_up = fd == connection.inner and tells and not connection.inward.shut
            new = events if events or hang_up else None
            if new == connection.known[fd]:
                continue
            if new is None:
                poll.unregister(fd)
            else:
                poll.register(fd, new)
            connection.known[fd] = new

    def _pause(self, now: int) -> int | None:
        """How long nothing is due, in milliseconds; None for ever."""
        times = [
            pipe.queue[0][0]
            for connection in self._served.values()
            for pipe in (connection.outward, connection.inward)
            if pipe.queue and not pipe.shut and pipe.queue[0][0] > now
        ]
        times += [connection.opens for connection in self._served.values() if connection.opens > 0]
        times += [now + PAUSE for connection in self._served.values() if connection.attempt is not None]
        return None if not times else max(min(times) - now + 999_999, 0) // 1_000_000

    def _read(self, connection: Connection, fd: int, events: int) -> None:
        if connection.attempt is not None:
            connection.lost = True  # the program has closed it
            return
        if connection.opens == 0:
            # It stands or has failed. That is told after the time that it takes there and back.
            connection.failed = bool(events & (select.POLLERR | select.POLLHUP))
            connection.opens = monotonic_ns() + 2 * connection.latency
            return
        pipe = connection.outward if fd == connection.inner else connection.inward
        if fd == connection.inner and events & select.POLLHUP:
            connection.inward.shut = True  # the program has closed it
        if not pipe.wants() or not events & ~select.POLLOUT:
            return
        size = min(_CHUNK, ROOM - pipe.held)
        if connection.rate:
            size = max(1, min(size, int(connection.rate * _TRICKLE)))
        try:
            data = self._below.recv(self._borrow(fd), size, 0, 0)
        except BlockingIOError:
            return
        except OSError:
            data = _RESET
        pipe.ended = data is _RESET or not data
        length = 0 if pipe.ended else len(data)
        pipe.free = max(monotonic_ns(), pipe.free)
        if connection.rate:
            pipe.free += length * 1_000_000_000 // connection.rate
        pipe.queue.append((pipe.free + connection.latency, data))
        pipe.held += length

    def _write(self, connection: Connection, pipe: Pipe, now: int) -> None:
        if connection.opens >= 0:
            if connection.opens and connection.opens <= now:
                self._open(connection)
            return
        while pipe.due(now):
            when, data = pipe.queue[0]
            try:
                if data is _RESET and pipe is connection.inward:
                    connection.lost = True
                    self._fails(connection.inner)
                    return
                if data is _RESET or not data:
                    pipe.shut = True
                    self._below.shutdown(self._borrow(pipe.target), 1)
                    return
                sent = self._below.send(self._borrow(pipe.target), data, 0, 0)
            except BlockingIOError:
                return
            except OSError:
                pipe.shut = True  # nobody takes it any more; the other direction says why
                return
            pipe.held -= sent
            if sent < len(data):
                pipe.queue[0] = (when, data[sent:])
            else:
                pipe.queue.popleft()

    def _open(self, connection: Connection) -> None:
        """Tells the program that its connection stands: it can write."""
        connection.opens = -1
        if connection.failed:
            connection.lost = True
            return
        while connection.filler > 0:
            connection.filler -= len(self._below.recv(self._borrow(connection.inner), connection.filler, 0, 0))

    def _finish(self, poll: Any, served: dict[int, Connection], connection: Connection) -> None:
        with self._lock:
            self._served.pop(connection.inner, None)
        for fd, events in connection.known.items():
            if events is not None:
                poll.unregister(fd)
            served.pop(fd, None)
        discard(self._below, connection.inner)
        discard(self._below, connection.outer)
