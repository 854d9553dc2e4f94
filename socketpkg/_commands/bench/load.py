"""The share of the machine that other programs take while something is measured."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

#: The clock of the processor time of a process, as Linux numbers them: its complement in the upper bits, and this.
_PROCESS_CLOCK = 2


class Others:
    """The share of the machine's processor time that others took while the block ran.

    Others are all but this process and those with the numbers *pids*, which live as long as the block. `share` is a
    fraction of what all cores have to give; 0.0 where the system does not tell.
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
            own = time.process_time() + children + sum(map(processor_time, self._pids)) / 1e9
        except (OSError, ValueError):
            return None
        return time.monotonic() * (os.cpu_count() or 1), (idle + waiting) / os.sysconf("SC_CLK_TCK"), own


def processor_time(pid: int) -> int:
    """The nanoseconds of processor time that all threads of a process have had, on Linux. OSError when it is gone."""
    return time.clock_gettime_ns(~pid << 3 | _PROCESS_CLOCK)
