"""The other side of a busy thread: what a thread that receives costs one that computes.

In the worker of a target, one thread computes in pure Python and one receives what another process sends, 64 bytes a
message. That sends either ``paced``, the same number of messages a second to every target and no more than all of them
keep up with, or ``tight``, without end, so that the receiving thread is never idle. Windows of a tenth of a second
follow each other: alone, paced, alone, tight, alone; in those that are "alone" the receiving thread waits, and what the
computing thread does in the two beside a window is what that one is compared with. So a change of the cores' speed does
not pass for a loss; and from rounds in which others wanted the cores too, nothing is concluded (`_quiet`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean, median
from time import perf_counter_ns as now
from time import sleep
from typing import Any

from ._computing import Computing, process
from ._lockstep import Series, Worker
from ._quiet import Others, Patience, quieter
from ._results import verdict
from ._scenario import STDLIB, counted

#: The bytes of a message: a small request's.
SIZE = 64
#: Messages a second: so few that every target keeps up with them, though it may wait 5 ms for the GIL now and then.
PACE = 500
KINDS = ("paced", "tight")
#: The seconds in which what was sent has to arrive.
PATIENCE = 10.0

#: Orders are the messages a second, 0 for without end; the next one makes it stop and say how many bytes it has sent.
_SENDER = f"""
import os, select, sys, time
descriptor, sent = int(sys.argv[1]), 0
os.set_blocking(descriptor, False)
while order := os.read(0, 64):
    rate = int(order)
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
"""


# -- in the worker -----------------------------------------------------------------------------------------------------


class _Receiving(threading.Thread):
    """Receives in a tight loop until the other end is closed; counts what it gets.

    As a context it is over at the end, if it was started: before the socket is closed, and after the other end.
    """

    def __init__(self, sock: Any) -> None:
        super().__init__(name="receiving")
        self._socket = sock
        self.messages = 0
        self.bytes = 0

    def __enter__(self) -> _Receiving:
        return self

    def __exit__(self, *_: object) -> None:
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        receive = self._socket.recv
        while data := receive(SIZE):
            self.messages += 1
            self.bytes += len(data)

    def wait(self, number: int) -> None:
        """Until so many bytes have arrived, in all; LostData if they do not."""
        end = now() + PATIENCE * 1e9
        while self.bytes < number and now() < end:
            sleep(0.0005)
        counted(self.bytes, number, "bytes")


def fair(s: Any, seconds: float, pace: int = PACE) -> dict[str, Any]:
    """One turn of all the windows, of so many seconds each.

    Of each kind: the computing thread's speed as a share of that alone, the messages a second that were received, and
    the longest that the computing thread was kept waiting, in nanoseconds.
    """
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_STREAM)
    # What is left when a window ends is received before the next one begins: it shall be little.
    a.setsockopt(s.SOL_SOCKET, s.SO_SNDBUF, 8192)
    found: dict[str, Any] = {}
    with a, b, _Receiving(b) as receiving, process(_SENDER, a.fileno()) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        a.close()
        receiving.start()
        with Computing() as computing, Others([sender.pid]) as others:
            before = computing.watch(seconds)
            for kind in KINDS:
                sender.stdin.write(b"%d" % (pace if kind == "paced" else 0))
                start, messages = now(), receiving.messages
                while receiving.messages == messages and now() - start < 1_000_000_000:
                    sleep(0.0005)  # until it is at it
                start, messages = now(), receiving.messages
                rate, longest = computing.watch(seconds)
                messages = receiving.messages - messages
                passed = now() - start
                computing.hold()
                sender.stdin.write(b"stop")
                receiving.wait(int(sender.stdout.readline()))
                computing.resume()
                after = computing.watch(seconds)
                found[kind] = {
                    "share": rate / fmean([before[0], after[0]]),
                    "messages": messages / (passed / 1e9),
                    "longest": longest,
                    "longest_alone": max(before[1], after[1]),
                }
                before = after
    return {**found, "others": others.share}


# -- in the command ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FairPlan:
    """How much is measured: the rounds, and the seconds of one window."""

    rounds: int
    seconds: float


#: The backends that the goals hold for, as beside a busy thread.
BOUND = ("c", "ctypes")
#: The least that is left to a thread that computes, of its speed alone: as much as the streams are to keep of theirs.
NOT_STARVED = 0.4

SLOWER = f"time for the same work at {PACE:,} messages a second, to the stdlib's"
LOST = "time lost a message in a tight loop, to the stdlib's"
KEPT = "speed kept beside a tight loop"


def steps(plan: FairPlan, targets: int) -> int:
    """The steps that `measure` advances by."""
    return plan.rounds * targets


def measure(
    team: Mapping[str, Worker], plan: FairPlan, patience: Patience, advance: Callable[[], None]
) -> dict[str, Any]:
    """All rounds; in each one every target has its windows, in turns."""
    order = list(team)
    shuffle = random.Random(plan.rounds).shuffle
    found: dict[str, list[dict[str, Any]]] = {target: [] for target in team}
    for _ in range(plan.rounds):
        shuffle(order)
        for target in order:
            patience.wait()
            found[target].append(team[target].ask("fair", seconds=plan.seconds, pace=PACE))
            advance()
    return {"rounds": found, "targets": {target: _sum_up(turns) for target, turns in found.items()}}


def _sum_up(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """One target's figures: the medians of its quieter rounds."""
    turns = quieter(turns)
    result: dict[str, Any] = {"others": median(turn["others"] for turn in turns)}
    for kind in KINDS:
        own = {fact: median(turn[kind][fact] for turn in turns) for fact in turns[0][kind]}
        # The computing time, in nanoseconds, that is lost a message.
        own["lost"] = (1.0 - own["share"]) * 1e9 / own["messages"] if own["messages"] else 0.0
        result[kind] = own
    return result


def verdicts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goals of the part of the document that `measure` made."""
    found = []
    base = facts["targets"][STDLIB]
    for target in BOUND:
        own = facts["targets"].get(target)
        if own is not None:
            title = "a thread that computes beside one that receives"
            # In hundredths, which is as far as these figures can be told apart.
            slower = round(base["paced"]["share"] / own["paced"]["share"], 2)
            found.append(verdict("fair", title, target, SLOWER, 1.0, slower))
            if base["tight"]["lost"] > 0:
                lost = round(own["tight"]["lost"] / base["tight"]["lost"], 2)
                found.append(verdict("fair", title, target, LOST, 1.0, lost))
            found.append(verdict("fair", title, target, KEPT, NOT_STARVED, own["tight"]["share"], True))
    return found


def values(facts: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Series]]]:
    """The times for a piece of work, that alone as one nanosecond, as `document` takes them."""
    return {
        f"fair-{kind}": (
            "ns",
            {
                target: Series.of([1.0 / turn[kind]["share"] for turn in turns])
                for target, turns in facts["rounds"].items()
            },
        )
        for kind in KINDS
    }
