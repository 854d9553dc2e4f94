"""A thread that computes in pure Python, as the scenarios beside a busy thread have it, and its companions."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns as now
from typing import Any

#: After how many nanoseconds a thread that has done nothing is given up.
STUCK = 60_000_000_000


class Computing(threading.Thread):
    """Computes until the block ends; counts how often it did the same piece of work, of some microseconds."""

    def __init__(self) -> None:
        super().__init__(name="computing")
        self._going = True
        self._held = False
        self._gate = threading.Event()
        self._longest = 0
        self.count = 0

    def run(self) -> None:
        """The thread's own."""
        value = 0
        last = now()
        while self._going:
            for number in range(100):
                value = (value * 3 + number) & 0xFFFF
            self.count += 1
            time = now()
            if time - last > self._longest:
                self._longest = time - last
            last = time
            if self._held:
                self._gate.wait()
                last = now()

    def __enter__(self) -> Computing:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        self.resume()
        self.join()

    def hold(self) -> None:
        """Lets it rest."""
        self._gate.clear()
        self._held = True

    def resume(self) -> None:
        """Lets it go on."""
        self._held = False
        self._gate.set()

    def watch(self, seconds: float) -> tuple[float, int]:
        """The pieces that it does in a second, seen for so many; and the nanoseconds of the one that took longest.

        It looks on until one piece is done, so that a speed is never none. TimeoutError when that takes a minute.
        """
        self._longest = 0
        count, start = self.count, now()
        threading.Event().wait(seconds)
        while self.count == count:
            if now() - start > STUCK:
                raise TimeoutError("the computing thread does not get on")
            threading.Event().wait(0.001)
        return (self.count - count) / (now() - start) * 1e9, self._longest


@contextmanager
def process(code: str, descriptor: int, *arguments: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs *code* and has one of this one's descriptors. Where this one is pinned, so is that."""
    command = [sys.executable, "-I", "-S", "-c", code, str(descriptor), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[descriptor], bufsize=0
    ) as started:
        try:
            yield started
        finally:
            started.kill()
