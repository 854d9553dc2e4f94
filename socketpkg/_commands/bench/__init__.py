"""``python -m socketpkg bench``: each operation on each backend, beside the standard library's and a plain C loop.

How it measures, and what it found: docs/performance.md.
"""

from __future__ import annotations

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SUMMARY", "add_arguments", "rank", "run"]

SUMMARY = "measure each operation on each backend, beside the standard library's socket"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's own options."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="the scenarios to measure (default: all; see --list)")
    parser.add_argument(
        "--backend", metavar="NAME", nargs="+", action="extend", help="the backends (default: all that can be used)"
    )
    parser.add_argument("--quick", action="store_true", help="less of everything, in under a minute")
    parser.add_argument("--json", metavar="FILE", help="write the results, with every value, in pyperf's format")
    parser.add_argument("--html", metavar="FILE", help="write the tables as a page that stands alone")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables as Markdown; - is the standard output")
    parser.add_argument("--load", metavar="FILE", help="measure nothing; show what --json has written")
    parser.add_argument("--list", action="store_true", help="name the scenarios and their goals")
    parser.set_defaults(parser=parser)


def run(options: argparse.Namespace) -> int:
    """Measures and reports. The status is 1 when a scenario failed, 2 for a wrong request."""
    from . import command

    return command.run(options)


def rank(names: Sequence[str]) -> list[tuple[str, float]]:
    """The usable ones of the backends *names*, the fastest first, each with its time as a ratio to the stdlib's.

    The ratio is the geometric mean over a handful of operations, measured in about two seconds. Needs nothing but the
    standard library. A backend that cannot be used is left out; ValueError when there is none of that name.
    """
    from . import ranking

    return ranking.rank(names)
