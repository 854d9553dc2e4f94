"""Which backend is the fastest on this machine, found out in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean

from ... import backends
from .lockstep import Plan, WorkerError, measure, workers
from .operations import LOOPS
from .scenario import STDLIB

#: What most programs do most of the time.
SCENARIOS = ("send-recv", "send-recv-timeout", "eagain", "recv-large", "udp4", "socket-close", "tcp", "readline")
PLAN = Plan(rounds=15, share=0.002)


def rank(names: Sequence[str]) -> list[tuple[str, float]]:
    """See `socketpkg._commands.bench.rank`."""
    if isinstance(names, str):
        raise TypeError("names must be a sequence of names, not one str")
    known = backends.available()
    wanted = list(dict.fromkeys(name.strip().lower() for name in names))
    for name in wanted:
        if name not in known:
            raise ValueError(f"there is no backend {name!r}; there are {', '.join(known)}")
    usable = [name for name in wanted if known[name].usable]
    if not usable:
        return []
    ratios: dict[str, list[float]] = {name: [] for name in usable}
    with workers([STDLIB, *usable]) as team:
        for name in SCENARIOS:
            result = measure(LOOPS[name], team, PLAN)
            for target, series in result.items():
                if series.failed:
                    raise WorkerError(f"{name} on {target}: {series.reason}")
            for target in usable:
                ratios[target].append(result[target].minimum / result[STDLIB].minimum)
    return sorted(((name, geometric_mean(ratios[name])) for name in usable), key=lambda item: item[1])
