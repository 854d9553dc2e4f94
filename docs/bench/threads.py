"""One thread's sockets beside other threads of the process, measured in the worker of a target.

A thread that gives up the GIL beside a thread that computes waits for up to the switch interval, 5 ms, to get it back.
A thread that keeps it in calls that cannot block makes others wait instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean, median
from time import perf_counter_ns as now
from time import sleep
from typing import Any

from socketpkg._commands.bench.load import Others
from socketpkg._commands.bench.scenario import arrived, counted

MESSAGE = b"0123456789abcdef"
ROOM = 64
#: The bytes of a message that `fair` sends, and the messages a second when it is not without end.
SIZE, PACE = 64, 500
#: The seconds after which a thread that has done nothing, and data that has not arrived, is an error.
STUCK, PATIENCE = 60.0, 10.0
#: How long the thread that sleeps does so at a time, in seconds.
NAP = 0.001


class Computing(threading.Thread):
    """Computes in pure Python until the block ends; counts how often it did the same piece of work."""

    def __init__(self) -> None:
        super().__init__(name="computing")
        self._going = True
        self.count = self.longest = 0

    def run(self) -> None:
        """The thread's own."""
        value, last = 0, now()
        while self._going:
            for number in range(100):
                value = (value * 3 + number) & 0xFFFF
            self.count += 1
            time = now()
            self.longest = max(self.longest, time - last)
            last = time

    def __enter__(self) -> Computing:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        self.join()

    def watch(self, seconds: float) -> tuple[float, int]:
        """The pieces a second, for at least *seconds* and one piece; and the nanoseconds of the longest one."""
        self.longest = 0
        count, start = self.count, now()
        threading.Event().wait(seconds)
        while self.count == count:
            if now() - start > STUCK * 1e9:
                raise TimeoutError("the computing thread makes no progress")
            threading.Event().wait(0.001)
        return (self.count - count) / (now() - start) * 1e9, self.longest


@contextmanager
def process(code: str, descriptor: int, *arguments: int) -> Iterator[Any]:
    """A process that runs *code* and has one of this one's descriptors."""
    command = [sys.executable, "-I", "-S", "-c", code, str(descriptor), *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, pass_fds=[descriptor], bufsize=0) as started:
        try:
            yield started
        finally:
            started.kill()


@contextmanager
def pinned(one_core: bool) -> Iterator[None]:
    """Restricts this process to one of its cores, if that is wanted and possible."""
    if not (one_core and hasattr(os, "sched_setaffinity")):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, [max(cores)])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


# -- beside a thread that computes -------------------------------------------------------------------------------------


def _stream(a: Any, b: Any, seconds: float) -> float:
    """The nanoseconds of a datagram that is sent and received. There is at least one."""
    number, data = 0, b""
    start = stop = now()
    while not number or stop < start + seconds * 1e9:
        for _ in range(8):
            a.send(MESSAGE)
            data = b.recv(ROOM)
        number += 8
        stop = now()
    arrived(data, MESSAGE, b)
    return (stop - start) / number


def stream(s: Any, seconds: float, one_core: bool) -> dict[str, Any]:
    """Datagrams over a socketpair beside a thread that computes, and right before and after that alone."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_DGRAM)
    with a, b, pinned(one_core), Others() as others:
        before = _stream(a, b, seconds / 4)
        with Computing():
            beside = _stream(a, b, seconds)
        alone = fmean([before, _stream(a, b, seconds / 4)])
    rates = {"rate": 1e9 / beside, "of_its_own": alone / beside}
    return {"beside": beside, "alone": alone, **rates, "others": others.share}


_ECHO = """
import os, sys
descriptor = int(sys.argv[1])
while data := os.read(descriptor, 64):
    os.write(descriptor, data)
"""


def answer(s: Any, seconds: float, one_core: bool) -> dict[str, Any]:
    """The time from a request to its answer by another process, beside a thread that computes."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_STREAM)
    times: list[int] = []
    with a, b, pinned(one_core), process(_ECHO, b.fileno()) as echo:
        b.close()
        a.sendall(MESSAGE)
        arrived(a.recv(ROOM), MESSAGE)  # the process has started
        with Computing(), Others([echo.pid]) as others:
            stop = start = now()
            end = start + seconds * 1e9
            while stop < end or len(times) < 10:
                start = now()
                a.sendall(MESSAGE)
                data = a.recv(ROOM)
                stop = now()
                times.append(stop - start)
                arrived(data, MESSAGE)
        arrived(None, None, a)
    times.sort()
    return {"p50": median(times), "p99": times[len(times) * 99 // 100], "others": others.share}


# -- what receiving costs a thread that computes -----------------------------------------------------------------------

#: Begins at an order, with so many messages a second, 0 for without end; the next order makes it stop and say how many
#: bytes it has sent.
_SENDER = f"""
import os, select, sys, time
descriptor, sent = int(sys.argv[1]), 0
os.set_blocking(descriptor, False)
rate = int(sys.argv[2])
os.write(1, b"ready\\n")
os.read(0, 64)
step = max(0.001, 1 / rate) if rate else 0
block = bytes({SIZE} * (round(rate * step) if rate else 64))
due = time.perf_counter()
while True:
    try:
        sent += os.write(descriptor, block)
    except BlockingIOError:
        pass
    if rate:
        due = max(due + step, time.perf_counter() - 20 * step)
        if select.select([0], [], [], max(0, due - time.perf_counter()))[0]:
            break
    elif select.select([0], [descriptor], [])[0]:
        break
os.read(0, 64)
os.write(1, b"%d\\n" % sent)
os.read(0, 64)
"""


class _Receiving(threading.Thread):
    """Receives until the other end is closed; counts what it gets."""

    def __init__(self, sock: Any) -> None:
        super().__init__(name="receiving")
        self._socket = sock
        self.messages = self.bytes = 0

    def run(self) -> None:
        receive = self._socket.recv
        while data := receive(SIZE):
            self.messages += 1
            self.bytes += len(data)

    def wait(self, number: int) -> None:
        """Until *number* bytes have arrived; LostData if they do not."""
        end = now() + PATIENCE * 1e9
        while self.bytes < number and now() < end:
            sleep(0.0005)
        counted(self.bytes, number, "bytes")


def fair(s: Any, seconds: float, pace: int) -> dict[str, Any]:
    """The speed of a computing thread while another one receives *pace* messages a second, to its speed without."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_STREAM)
    a.setsockopt(s.SOL_SOCKET, s.SO_SNDBUF, 8192)  # little shall be left when the window ends
    receiving = _Receiving(b)
    with b, Computing() as computing:
        with a, process(_SENDER, a.fileno(), pace) as sender, Others([sender.pid]) as others:
            a.close()
            sender.stdout.readline()
            receiving.start()
            before, _ = computing.watch(seconds)
            sender.stdin.write(b"start")
            start = now()
            while not receiving.messages:
                if now() - start > STUCK * 1e9:
                    raise TimeoutError("nothing is received")
                sleep(0.0005)
            start, messages = now(), receiving.messages
            rate, longest = computing.watch(seconds)
            messages, passed = receiving.messages - messages, now() - start
            sender.stdin.write(b"stop")
            receiving.wait(int(sender.stdout.readline()))
            after, _ = computing.watch(seconds)
        receiving.join()
    share = rate / fmean([before, after])
    facts = {"work": 1 / share, "share": share, "longest": longest, "messages": messages / passed * 1e9}
    lost = (1 - share) * passed / messages if messages else 0.0
    return {**facts, "lost": lost, "others": others.share}


# -- how late a thread wakes beside threads that transfer --------------------------------------------------------------


def late(s: Any, seconds: float, threads: int) -> dict[str, Any]:
    """How late a thread that sleeps wakes, and how equally the threads that send and receive share the GIL."""
    ended = False
    counts = [0] * threads

    def transfer(number: int) -> None:
        a, b = s.socketpair()
        with a, b:
            send, recv = a.send, b.recv
            while not ended:
                send(b"x")
                recv(10)
                counts[number] += 1

    team = [threading.Thread(target=transfer, args=(number,)) for number in range(threads)]
    found: list[int] = []
    with Others() as others:
        for thread in team:
            thread.start()
        begin = now()
        while (start := now()) - begin < seconds * 1e9:
            sleep(NAP)
            found.append(now() - start - round(NAP * 1e9))
        ended = True
        for thread in team:
            thread.join()
    facts = {"late": median(found), "longest": max(found), "turns": sum(counts) / seconds}
    return {**facts, "share": min(counts) / max(1, *counts), "others": others.share}
