"""How far the benchmark is: a bar where rich is installed, or else a line a scenario. Both on standard error."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """What tells a person how far it is."""

    def show(self, title: str) -> None:
        """Names what is done now."""
        ...

    def advance(self) -> None:
        """Counts one step."""
        ...


class _Lines:
    """For a terminal without rich, and for a log."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def show(self, title: str) -> None:
        print(f"{100 * self._done // max(1, self._total):3}%  {title}", file=sys.stderr, flush=True)

    def advance(self) -> None:
        self._done += 1


@contextmanager
def progress(total: int) -> Iterator[Progress]:
    """Shows it while the block runs."""
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield _Lines(total)
        return
    from . import _rich

    with _rich.bar(total) as bar:
        yield bar
