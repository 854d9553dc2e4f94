"""What else the machine does while something is measured, and how to keep clear of it.

A figure that two threads or two processes make together has no minimum to take: it is bad as soon as somebody else
wants a core. So such a measurement waits for a quiet moment, notes how much others took all the same, and says so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

_Round = TypeVar("_Round", bound="dict[str, Any]")

#: The share of the machine that others may take of a moment that counts as quiet.
QUIET = 0.15
#: The seconds of a look at the machine, whose clock for this ticks a hundred times a second.
_LOOK = 0.05


class Others:
    """The share of the machine's processor time that others took while the block ran.

    Others are all but this process and those with the numbers *pids*, of one thread each, which live as long as the
    block. `share` is a fraction of what all cores have to give; 0.0 where the system does not tell.
    """

    def __init__(self, pids: Iterable[int] = ()) -> None:
        self._pids = list(pids)
        self.share = 0.0

    def __enter__(self) -> Others:
        self._before = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        after = self._read()
        if after is not None and self._before is not None:
            there, idle, own = (new - old for new, old in zip(after, self._before, strict=True))
            self.share = min(1.0, max(0.0, (there - idle - own) / there))

    def _read(self) -> tuple[float, float, float] | None:
        """The seconds that the cores have had, have been idle, and have worked for us; None if that is not told."""
        try:
            with open("/proc/stat") as file:
                idle, waiting = map(int, file.readline().split()[4:6])
            own = time.process_time() + sum(map(_used, self._pids))
        except (OSError, ValueError):
            return None
        return time.monotonic() * (os.cpu_count() or 1), (idle + waiting) / os.sysconf("SC_CLK_TCK"), own


def _used(pid: int) -> float:
    """The processor time, in seconds, of a process of one thread."""
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.readline().split()[0]) / 1e9


class Patience:
    """Waits for quiet moments, but in all no longer than *seconds*."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def wait(self) -> None:
        """Returns when others leave the machine alone, or when patience has come to its end."""
        while self._left > 0:
            with Others() as others:
                time.sleep(_LOOK)
            if others.share < QUIET:
                return
            self._left -= _LOOK


def quieter(rounds: Sequence[_Round]) -> list[_Round]:
    """Those of the rounds that were quiet, by what is kept under ``"others"``; at least the quietest third."""
    ordered = sorted(rounds, key=lambda one: one["others"])
    quiet = sum(one["others"] < QUIET for one in ordered)
    return ordered[: max(quiet, (len(ordered) + 2) // 3)]
