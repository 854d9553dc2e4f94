"""The bar and the tables where rich is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from . import _tables

STYLES = {None: "", True: "green", False: "bold red"}


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def show(self, title: str) -> None:
        self._bars.update(self._task, description=title)

    def advance(self) -> None:
        self._bars.advance(self._task)


@contextmanager
def bar(total: int) -> Iterator[_Bar]:
    """A bar that goes away at the end."""
    columns = (BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    # Drawn seldom, for drawing takes time from what is measured.
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=2) as bars:
        yield _Bar(bars, bars.add_task("", total=total))


def show(facts: Mapping[str, Any]) -> None:
    """Prints the tables."""
    console = Console()
    console.print(_tables.where(facts), highlight=False)
    for note in facts["notes"]:
        console.print(f"note: {note}", markup=False)
    for table in _tables.tables(facts):
        shown = Table(title=table.title, title_justify="left", title_style="bold", caption=table.note or None)
        for column, name in enumerate(table.head):
            shown.add_column(name, justify="right" if column else "left")
        for row in table.rows:
            shown.add_row(*(Text(cell.plain, style=STYLES[cell.met]) for cell in row))
        console.print(shown)
    console.print(_tables.summary(facts), highlight=False)
