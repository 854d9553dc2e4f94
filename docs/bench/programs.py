"""Whole programs under ``python -m socketpkg run`` beside plain Python: ``python docs/bench/programs.py [NAME ...]``.

Each of them is one of `whole`'s, and a process of its own that never heard of socketpkg. The other end of its
connections is on the standard library, whatever the program is on. What is measured is the time of a request, and the
processor time that the measured process takes for it: no waiting, no other end, and less of what else the machine does.

All targets of a program live side by side and take turns: in each round everyone makes the same number of requests, in
an order that is drawn anew. Both ends stand on one core, which is drawn, too: so neither waits for a core to wake up.
And they are scheduled so that nobody is preempted by whom it wakes, so that a server finds all that is under way.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from socketpkg import backends
from socketpkg._commands.bench import results
from socketpkg._commands.bench.load import Others, processor_time
from socketpkg._commands.bench.lockstep import PATIENCE, Series, WorkerError, environment, interpreter
from socketpkg._commands.bench.scenario import STDLIB, Skip

TITLE = "Whole programs under `run`"
#: What is to be reached, in time and in processor time: a ratio to plain Python's. Of c within the spread.
GOALS = {"c": 1.0, "cffi": 1.15, "ctypes": 1.25}
WITHIN_THE_SPREAD = {"c"}
WHOLE = str(Path(__file__).with_name("whole.py"))
#: The requests before a program's rounds: PyPy's compiler is at work on http.client until some 5,000.
WARM_UP = 6000 if sys.implementation.name == "pypy" else 0
#: The part of a share that warms up what the others have left of the caches, and does not count.
BEGINNING = 0.05


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    #: Rounds of one generation of processes, and how often they are started anew: a memory layout costs some per cent.
    rounds: int
    generations: int
    #: The nanoseconds of one target's share of a round.
    share: float


FULL, QUICK = Plan(50, 3, 20e6), Plan(10, 1, 10e6)


class Given(NamedTuple):
    """What a program needs besides its two ends."""

    #: What both ends get as further arguments.
    arguments: Sequence[str] = ()
    #: Other processes that work for a request.
    pids: Sequence[int] = ()


@contextmanager
def nothing(folder: Path) -> Iterator[Given]:
    """What most programs need."""
    yield Given()


@dataclass(frozen=True)
class Program:
    """A program that is measured, and its other end."""

    title: str
    #: The roles of `whole` with their arguments: the one that listens, and the one that asks.
    server: tuple[str, ...]
    client: tuple[str, ...]
    #: Whether the server is what is measured.
    serves: bool
    #: Opens what both ends need; Skip where it cannot.
    needs: Callable[[Path], AbstractContextManager[Given]] = nothing


@contextmanager
def certificate(folder: Path) -> Iterator[Given]:
    """A key and a certificate for localhost that vouches for itself."""
    if shutil.which("openssl") is None:
        raise Skip("no openssl to make a certificate with")
    files = [str(folder / "key.pem"), str(folder / "certificate.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True)
    yield Given(files)


@contextmanager
def redis_server(folder: Path) -> Iterator[Given]:
    """A Redis server of our own at a UNIX socket."""
    server = shutil.which("redis-server")
    if server is None:
        raise Skip("redis-server is not installed")
    if importlib.util.find_spec("redis") is None:
        raise Skip("redis-py is not installed")
    path = folder / "s"
    command = [
        server,
        "--port",
        "0",
        "--unixsocket",
        str(path),
        "--dir",
        str(folder),
        "--save",
        "",
        "--daemonize",
        "no",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not path.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise WorkerError(f"redis-server does not start: status {process.poll()}")
                time.sleep(0.02)
            yield Given([str(path)], [process.pid])
        finally:
            process.kill()


BLOCKING, FOUR, EIGHT = ("blocking_client",), ("blocking_client", "4"), ("blocking_client", "8")
PROGRAMS = {
    "asyncio-server": Program("asyncio streams: echo server, 8 connections", ("asyncio_server",), EIGHT, True),
    "asyncio-client": Program("asyncio streams: client", ("threading_server",), ("asyncio_client",), False),
    "threading-server": Program("echo server with 4 threads (socketserver)", ("threading_server",), FOUR, True),
    "udp-server": Program("UDP server (socketserver)", ("udp_server",), ("udp_client",), True),
    "udp-loop": Program("UDP server: recvfrom and sendto in a loop", ("udp_loop_server",), ("udp_client",), True),
    "udp-asyncio": Program("UDP server of asyncio", ("asyncio_datagram_server",), ("udp_client",), True),
    "http-server": Program("http.server: GET of 1 KiB", ("http_server",), ("http_client",), True),
    "http-server-new": Program("http.server: GET, a connection each", ("http_server",), ("urllib_client",), True),
    "http-client": Program("http.client: GET of 1 KiB", ("http_server",), ("http_client",), False),
    "urllib": Program("urllib.request: GET, a connection each", ("http_server",), ("urllib_client",), False),
    "tls-server": Program("TLS echo server (ssl)", ("tls_server",), ("tls_client",), True, certificate),
    "tls-client": Program("TLS client (ssl)", ("tls_server",), ("tls_client",), False, certificate),
    "redis": Program("redis-py: SET and GET", (), ("redis_client",), False, redis_server),
}


class Process:
    """A running program of `whole`."""

    def __init__(self, target: str, words: Sequence[str]) -> None:
        runner = [] if target == STDLIB else ["-m", "socketpkg", "run", "--backend", target]
        self.process = subprocess.Popen(
            [*interpreter(), "-P", *runner, WHOLE, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(target),
            process_group=0,  # an interrupt at the terminal is for the benchmark
        )
        self.name = f"{words[0]} on {target}"
        self.module = ["socket", ""] if target == STDLIB else ["socketpkg", target]

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> int:
        """Waits until it is ready; its port."""
        port, *module = json.loads(self.line())
        if module != self.module:
            raise WorkerError(f"{self.name} runs on {module}")
        return int(port)

    def make(self, number: int) -> int:
        """Has it make so many requests; the nanoseconds that they took."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(b"%d\n" % number)
            self.process.stdin.flush()
        except OSError:
            pass  # its end is told in place of an answer
        return int(self.line())

    def line(self) -> bytes:
        """The next line that it prints."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise WorkerError(f"{self.name} does not answer")
        line = self.process.stdout.readline()
        if not line:
            self.process.kill()
            _, errors = self.process.communicate()
            raise WorkerError(f"{self.name} ended: {errors.decode(errors='replace').strip()}")
        return line

    def close(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.communicate()


class Pair:
    """A program on a target, and its other end."""

    measured: Process

    def __init__(self, program: Program, target: str, given: Given, stack: ExitStack) -> None:
        def started(role: str, *words: str, measured: bool) -> tuple[Process, int]:
            process = Process(target if measured else STDLIB, [role, *words, *given.arguments])
            stack.callback(process.close)
            port = process.start()
            os.sched_setscheduler(process.pid, os.SCHED_BATCH, os.sched_param(0))
            self.pids.append(process.pid)
            if measured:
                self.measured = process
            return process, port

        self.pids = list(given.pids)
        words = program.client
        if program.server:
            _, port = started(*program.server, measured=program.serves)
            words = (words[0], str(port), *words[1:])
        self.client, _ = started(*words, measured=not program.serves)

    def share(self, requests: int, core: int) -> tuple[float, float]:
        """The time of a request, and the processor time that the measured process took for it, in nanoseconds."""
        for pid in self.pids:
            pin(pid, core)
        self.client.make(max(1, int(requests * BEGINNING)))
        before = processor_time(self.measured.pid)
        passed = self.client.make(requests)
        return passed / requests, (processor_time(self.measured.pid) - before) / requests


def pin(pid: int, core: int) -> None:
    """Puts every thread of a process on a core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            os.sched_setaffinity(int(thread), [core])
        except ProcessLookupError:
            pass  # it has just ended


def enough(pair: Pair, share: float) -> int:
    """How many requests take about *share* nanoseconds."""
    requests, warm = 8, WARM_UP
    while True:
        passed = pair.client.make(requests)
        warm -= requests
        if passed >= share / 2 and warm <= 0:
            return max(1, round(requests * share / passed))
        if passed < share / 2:
            requests *= 2


def measure(program: Program, targets: Sequence[str], plan: Plan) -> tuple[dict[str, tuple[Series, Series]], float]:
    """By target the times and the processor times of a request; and what others took of the machine."""
    found = {target: (Series(), Series()) for target in targets}
    draw = random.Random(program.title)
    shares = []
    for _ in range(plan.generations):
        with tempfile.TemporaryDirectory(prefix="socketpkg-") as folder, ExitStack() as stack:
            given = stack.enter_context(program.needs(Path(folder)))
            pairs = {target: Pair(program, target, given, stack) for target in targets}
            requests, *_ = [enough(pair, plan.share) for pair in pairs.values()]  # all of them warm up
            runs: dict[str, tuple[list[float], list[float]]] = {target: ([], []) for target in targets}
            with Others({pid for pair in pairs.values() for pid in pair.pids}) as others:
                for _ in range(plan.rounds):
                    core = draw.choice(sorted(os.sched_getaffinity(0)))
                    for target in draw.sample(list(targets), len(targets)):
                        for values, value in zip(runs[target], pairs[target].share(requests, core), strict=True):
                            values.append(value)
            shares.append(others.share)
            for target, values in runs.items():
                for series, run in zip(found[target], values, strict=True):
                    series.add(Series([run], [requests]))
    return found, sum(shares) / len(shares)


def cell(own: Series, base: Series, target: str, quick: bool) -> str:
    """The ratio to plain Python's: the median of the rounds' with its spread, that of the least, and the goal."""
    of_rounds = [one / other for one, other in zip(own.values, base.values, strict=True)]
    reached, spread = median(of_rounds), results.spread(of_rounds)
    text = f"{reached:.2f} ±{spread:.2f}, least {own.minimum / base.minimum:.2f}"
    if quick or target not in GOALS:
        return text
    # As it is shown, so that the mark is never against the figure.
    within = round(spread, 2) if target in WITHIN_THE_SPREAD else 0.0
    return results.judged(text, round(round(reached, 2) - within, 2), GOALS[target])


def perform(
    targets: Sequence[str], quick: bool, names: Sequence[str] = (), plan: Plan | None = None
) -> tuple[list[dict[str, Any]], dict[str, tuple[str, dict[str, Series]]]]:
    """All rounds of the programs *names*, or of all: the tables, and the values as pyperf takes them."""
    if sys.platform != "linux":
        return [], {}
    rows: tuple[list[list[str]], list[list[str]]] = ([], [])
    values: dict[str, tuple[str, dict[str, Series]]] = {}
    shares = []
    for name in names or PROGRAMS:
        program = PROGRAMS[name]
        print(f"      {program.title}", file=sys.stderr, flush=True)
        try:
            found, others = measure(program, targets, plan or (QUICK if quick else FULL))
        except (Skip, WorkerError) as error:
            failed = not isinstance(error, Skip)
            for table in rows:
                table.append(
                    [program.title, f"FAILED: {error}" if failed else f"- ({error})", *[""] * len(targets[1:])]
                )
            nothing = {target: Series(reason=str(error), failed=failed) for target in targets}
            values[f"program-{name}"] = values[f"program-{name}-cpu"] = ("ns", nothing)
            continue
        shares.append(others)
        for number, (table, kind) in enumerate(zip(rows, ("", "-cpu"), strict=True)):
            series = {target: of[number] for target, of in found.items()}
            base = series[STDLIB]
            cells = [cell(own, base, target, quick) for target, own in series.items() if target != STDLIB]
            table.append([program.title, results.duration(base.minimum), *cells])
            values[f"program-{name}{kind}"] = ("ns", series)
    load = results.load(sum(shares) / len(shares)) if shares else ""
    note = (
        "The medians of the ratios to plain Python in single rounds, ± half the middle half, and the ratio of the least"
    )
    note += f"{'' if quick else '; goals in brackets, that of c to be met within the spread'}. The first column is the"
    note += f" least on plain Python. The other end is on the standard library. {load}"
    head = ["program", STDLIB, *(target for target in targets if target != STDLIB)]
    titles = (f"{TITLE}: time of a request", f"{TITLE}: processor time of the measured process for a request")
    return [{"title": t, "note": note, "head": head, "rows": r} for t, r in zip(titles, rows, strict=True)], values


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="the programs (default: all; see --list)")
    parser.add_argument("--backend", nargs="+", metavar="NAME", help="the backends (default: all that can be used)")
    parser.add_argument("--quick", action="store_true", help="less of everything, and no marks at the goals")
    parser.add_argument("--json", metavar="FILE", help="write the results, with every value, in pyperf's format")
    parser.add_argument("--load", metavar="FILE", help="measure nothing; show what --json has written")
    parser.add_argument("--list", action="store_true", help="name the programs")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name:18} {program.title}" for name, program in PROGRAMS.items()))
        return 0
    for name in options.names:
        if name not in PROGRAMS:
            parser.error(f"there is no program {name!r}; --list names them")
    if options.load:
        facts = results.read(options.load)[results.KEY]
    else:
        usable = [name for name in backends.ORDER if backends.available()[name].usable]
        targets = [STDLIB, *(options.backend or usable)]
        facts = results.about(targets, options.quick, [])
        facts["tables"], values = perform(targets, options.quick, options.names)
        facts["failures"] = [
            series.reason for _, of in values.values() for series in of.values() if series.failed and series.reason
        ]
        if options.json:
            document = results.document(facts, values)
            Path(options.json).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(results.shown(facts, "markdown"))
    return 1 if facts.get("failures") else 0


if __name__ == "__main__":
    raise SystemExit(main())
