"""The share of the machine that other programs take while something is measured."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable


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
            children = sum(os.times()[2:4])  # those that have ended
            own = time.process_time() + children + sum(map(_used, self._pids))
        except (OSError, ValueError):
            return None
        return time.monotonic() * (os.cpu_count() or 1), (idle + waiting) / os.sysconf("SC_CLK_TCK"), own


def _used(pid: int) -> float:
    """The processor time, in seconds, of a process of one thread."""
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.readline().split()[0]) / 1e9
