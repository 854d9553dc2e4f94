"""Every scenario, by its name."""

from __future__ import annotations

from ._many import MANY
from ._operations import OPERATIONS
from ._scenario import Scenario

#: What one loop on one target makes a row of.
LOOPS: dict[str, Scenario] = {scenario.name: scenario for scenario in (*OPERATIONS, *MANY)}

#: Those with a procedure and a table of their own.
BUSY = "busy"
FAIR = "fair"
LATE = "late"
SCALE = "scale"
OTHERS = {
    BUSY: "sockets beside a thread that computes",
    FAIR: "a thread that computes beside one that receives",
    LATE: "how late a thread wakes beside threads that transfer",
    SCALE: "an epoll echo server with 10, 1,000 and 10,000 connections",
}


def names() -> list[str]:
    """What the command line takes, in the order in which it is measured."""
    return [*LOOPS, *OTHERS]
