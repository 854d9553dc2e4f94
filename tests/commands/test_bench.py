"""The benchmark: what it measures, that it checks what arrives, and what it writes. Nothing here looks at a time."""

from __future__ import annotations

import json
import os
import platform
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from socketpkg import backends
from socketpkg._commands.bench import (
    _busy,
    _command,
    _computing,
    _fair,
    _html,
    _late,
    _lockstep,
    _operations,
    _quiet,
    _raw,
    _results,
    _scale,
    _scenario,
    _tables,
    rank,
)
from socketpkg._commands.bench._catalogue import LOOPS, OTHERS, names

ROOT = Path(__file__).resolve().parents[2]
USABLE = [name for name, status in backends.available().items() if status.usable]
TARGETS = ["stdlib", *USABLE]
COMMAND = (sys.executable, "-m", "socketpkg", "bench")
LINUX = sys.platform == "linux"
PYPY = sys.implementation.name == "pypy"

# -- the goals ---------------------------------------------------------------------------------------------------------

#: The table of goals that the project set itself: c, cffi, ctypes.
GOALS: dict[str, tuple[float | None, float | None, float | None]] = {
    "send-recv": (0.85, 1.3, 2.0),
    "send-recv-timeout": (0.55, 0.85, 1.3),
    "eagain": (0.65, 1.2, 1.5),
    "recv-large": (0.25, 0.4, 0.6),
    "recv-into-64k": (1.0, 1.0, 1.0),
    "sendall-1m": (1.0, 1.0, 1.0),
    "udp4": (0.85, 1.3, 2.0),
    "udp6": (0.85, 1.3, 2.0),
    "scm-rights": (0.8, 1.4, 2.0),
    "socket-close": (0.85, 1.2, 1.6),
    "tcp": (0.92, 1.05, 1.2),
    "getsockname": (0.75, 1.3, 2.0),
    "getpeername": (0.75, 1.3, 2.0),
    "getsockopt": (0.75, 1.3, 2.0),
    "setsockopt": (0.75, 1.3, 2.0),
    "getaddrinfo": (0.3, 0.5, 0.6),
    "create-connection": (0.9, 1.0, 1.2),
    "inet_pton": (0.9, 1.5, 2.0),
    "inet_ntop": (0.9, 1.5, 2.0),
    "htons": (0.9, 1.5, 2.0),
    "readline": (0.9, 1.2, 1.6),
    "ping-pong": (0.9, 1.2, 1.6),
    "import": (0.5, 1.0, 1.0),
    "memory": (1.0, None, None),
    "mmsg": (0.7, None, None),
    "segments": (0.06, None, None),
}


def test_the_goals_are_those_that_were_set() -> None:
    kept = {
        name: tuple(scenario.goals.get(target) for target in ("c", "cffi", "ctypes"))
        for name, scenario in LOOPS.items()
        if scenario.goals
    }
    assert kept == GOALS


def test_the_goals_above_the_raw_loop() -> None:
    kept = {name: dict(scenario.over_raw) for name, scenario in LOOPS.items() if scenario.over_raw}
    assert kept == {name: {"c": 150.0} for name in ("send", "recv", "recv-into", "getsockopt")}


def test_the_goals_of_the_other_scenarios() -> None:
    assert (_busy.OF_ITS_OWN, _busy.OF_STDLIB, _busy.BOUND) == (0.4, 1.5, ("c", "ctypes"))
    assert (_fair.NOT_STARVED, _fair.BOUND) == (0.4, ("c", "ctypes"))
    assert _command.FULL.busy.runs == 10
    assert _scale.FEW == 10
    assert (_scale.FLAT, _scale.OF_STDLIB, _scale.SIZES) == (1.15, 0.9, (10, 1_000, 10_000))


@pytest.mark.parametrize(
    ("goal", "reached", "at_least", "met"),
    [
        (0.85, 0.85, False, True),
        (0.85, 0.86, False, False),
        (150.0, -3.0, False, True),
        (1.5, 1.5, True, True),
        (1.5, 1.4, True, False),
        (1.5, 0.0, True, False),
        (0.7, 0.1, False, True),
    ],
)
def test_a_verdict(goal: float, reached: float, at_least: bool, met: bool) -> None:
    found = _results.verdict("x", "X", "c", "measure", goal, reached, at_least)
    assert found["met"] is met
    assert (found["miss"] > 1) is not met


# -- the scenarios -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return _raw.build(tmp_path_factory.mktemp("raw"))
    except _raw.NoCompiler as error:
        pytest.skip(f"no compiler: {error}")


@pytest.fixture(scope="module")
def team() -> Iterator[dict[str, _lockstep.Worker]]:
    with _lockstep.workers(TARGETS) as team:
        yield team


# The workers live as long as this module's tests.
pytestmark = pytest.mark.keeps_descriptors

NOTHING_MUCH = _lockstep.Plan(rounds=2, share=1e-6)


@pytest.mark.parametrize("name", LOOPS)
def test_every_scenario_runs_on_every_target(name: str, team: dict[str, _lockstep.Worker]) -> None:
    turns = []
    result = _lockstep.measure(LOOPS[name], team, NOTHING_MUCH, lambda: turns.append(1))
    assert len(turns) == 2
    for target, series in result.items():
        assert not series.failed, series.reason
        if series.reason:
            assert name in ("mmsg", "segments", "memory", "udp6"), series.reason
            assert target != "stdlib" or name != "mmsg"
        else:
            assert len(series.values) == 2
            assert all(value > 0 for value in series.values)
            assert series.stretches[0].loops >= 1


@pytest.mark.parametrize("name", LOOPS)
def test_several_turns_in_one_round(name: str, team: dict[str, _lockstep.Worker]) -> None:
    for worker in team.values():
        try:
            worker.ask("open", scenario=name)
            # More than a batch, so that the parts which are not timed come between.
            assert worker.ask("run", loops=min(LOOPS[name].most_loops, _operations.BATCH + 3)) > 0
        except _scenario.Skip:
            pass
        finally:
            worker.ask("close")


@pytest.mark.parametrize("name", ["socket", "socketpkg"])
def test_an_import_finds_its_bytecode(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the environment forbids to write any."""
    import socketpkg

    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with _operations.import_module({"socket": socket, "socketpkg": socketpkg}[name]) as loop:
        written = {file.name.split(".")[0] for file in tmp_path.rglob("*.pyc")}
        # The standard library's imports selectors only where it needs it from 3.15 on.
        standard = {"socket", "enum"} | ({"selectors"} & vars(socket).keys())
        assert (standard if name == "socket" else {"__init__", "backends", "_socketio"}) <= written
        assert loop(1) > 0
    assert list(tmp_path.iterdir()) == []


#: In an interpreter of its own: what other tests have left in the heap would serve as well.
ALLOCATES = """
import ctypes
from socketpkg._commands.bench import _operations

library = ctypes.CDLL(None)
library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
size = _operations.LARGE

def mapped(block):
    word = ctypes.c_size_t.from_address(block - ctypes.sizeof(ctypes.c_size_t))
    return bool(word.value & _operations._IS_MMAPPED)

with _operations._large_blocks(2 * size):
    hole, behind = library.malloc(size), library.malloc(64)
    assert not mapped(hole)
    library.free(hole)
with _operations._large_blocks(_operations._MAPPED):
    block = library.malloc(size)
    assert mapped(block)
    library.free(block)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="its allocator")
def test_a_large_block_is_mapped_whatever_the_heap_has_free() -> None:
    subprocess.run([sys.executable, "-c", ALLOCATES], check=True)


def test_every_raw_loop_runs(library: Path) -> None:
    """Each scenario that makes system calls or calls of the C library has one."""
    without = {"htons", "import", "memory", *(() if LINUX else ("mmsg", "segments"))}
    found = set()
    with _lockstep.workers([], library) as team:
        for name, scenario in LOOPS.items():
            series = _lockstep.measure(scenario, team, NOTHING_MUCH)["raw"]
            assert not series.failed, series.reason
            if series.values:
                found.add(name)
            else:
                assert series.reason == "no system call to compare with"
    assert set(LOOPS) - found == without


def test_a_raw_loop_says_what_failed(library: Path) -> None:
    """Without descriptors there are no sockets."""
    code = (
        "import resource, sys; from socketpkg._commands.bench import _raw; library = _raw.Library(sys.argv[1])\n"
        "with library.scenario('send-recv') as loop:\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "    loop(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(library)], capture_output=True, text=True, timeout=60)
    assert "OSError: socketpair(" in done.stderr
    assert "Too many open files" in done.stderr


class _Losing:
    """The standard library's module with sockets that spoil what they receive."""

    def __init__(self, spoil: str) -> None:
        class Spoiling(socket.socket):
            def recv(self, size: int, flags: int = 0) -> bytes:
                data = super().recv(size, flags)
                return b"\0" * len(data) if spoil == "change" else data

            def send(self, data: Any, flags: int = 0) -> int:
                if spoil == "twice":
                    super().send(data, flags)
                return super().send(data, flags)

        self._class = Spoiling

    def socketpair(self, *arguments: int) -> tuple[socket.socket, socket.socket]:
        a, b = socket.socketpair(*arguments)
        return tuple(self._class(fileno=sock.detach()) for sock in (a, b))  # type: ignore[return-value]

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)


@pytest.mark.parametrize("spoil", ["change", "twice"])
def test_what_is_lost_or_changed_is_noticed(spoil: str) -> None:
    with _operations.send_recv(_Losing(spoil)) as loop, pytest.raises(_scenario.LostData):
        loop(3)


def test_a_sender_that_loses_bytes_is_noticed() -> None:
    class Short(_Losing):
        def socketpair(self, *arguments: int) -> tuple[socket.socket, socket.socket]:
            a, b = socket.socketpair(*arguments)

            class Shortening(socket.socket):
                def sendall(self, data: Any, flags: int = 0) -> None:
                    super().sendall(b"y" + data[1:], flags)

            return Shortening(fileno=a.detach()), b

    with pytest.raises(_scenario.LostData), _operations.sendall(Short("")):
        pass


def test_a_failure_is_told_and_does_not_stop_the_others(team: dict[str, _lockstep.Worker]) -> None:
    """A scenario that only one target cannot do."""

    @contextmanager
    def nothing(_: Any) -> Iterator[_scenario.Loop]:
        yield lambda loops: loops

    unknown = _scenario.Scenario("no-such", "no such scenario", nothing)
    result = _lockstep.measure(unknown, team, NOTHING_MUCH)
    assert all(series.failed and "KeyError" in series.reason for series in result.values())
    again = _lockstep.measure(LOOPS["send-recv"], team, NOTHING_MUCH)
    assert not any(series.failed for series in again.values())


def test_a_worker_that_dies_is_told() -> None:
    with _lockstep.workers(["stdlib"]) as team:
        worker = team["stdlib"]
        worker.ask("open", scenario="send-recv")
        os.kill(worker.pid, 9)
        with pytest.raises(_lockstep.WorkerError, match=r"status -9|cannot be reached"):
            worker.ask("run", loops=1)


NO_PATIENCE = _quiet.Patience(0)


def test_a_stream_beside_a_busy_thread(team: dict[str, _lockstep.Worker]) -> None:
    for target in ("stdlib", USABLE[0]):
        found = team[target].ask("busy", measure="stream", seconds=0.02)
        for number, seconds in (found["alone"], found["beside"]):
            assert number > 0
            assert seconds > 0
        assert 0 <= found["others"] <= 1


def test_a_stream_of_no_time_has_datagrams_too() -> None:
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        number, seconds = _busy._stream(a, b, 0)
    assert number > 0
    assert seconds > 0


def test_answers_beside_a_busy_thread(team: dict[str, _lockstep.Worker]) -> None:
    for target in ("stdlib", USABLE[0]):
        found = team[target].ask("busy", measure="answer", seconds=0.02)
        assert len(found["times"]) >= 10
        assert min(found["times"]) > 0


def test_the_runs_beside_a_busy_thread(team: dict[str, _lockstep.Worker]) -> None:
    pair = {target: team[target] for target in ("stdlib", USABLE[-1])}
    plan = _busy.BusyPlan(runs=2, slices=2, stream_seconds=0.02, answer_seconds=0.02)
    turns: list[int] = []
    found = _busy.measure(pair, plan, NO_PATIENCE, lambda: turns.append(1))
    assert len(turns) == _busy.steps(plan, 2)
    assert len(found["runs"]) == 2
    json.dumps(found)
    for target, places in found["targets"].items():
        assert "all cores" in places
        for place, own in places.items():
            assert own["answers"] == sum(run[target][place]["answers"] for run in found["runs"]) >= 40
        if target == "stdlib":
            assert places["all cores"]["of_stdlib"] == 1.0
    judged = {(v["target"], v["measure"]) for v in _busy.verdicts(found)}
    assert len(judged) == (3 if USABLE[-1] in _busy.BOUND else 0)


class _Told:
    """In the place of a worker: answers with what it was told to."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self._answers = list(answers)

    def ask(self, operation: str, **_: Any) -> Any:
        return None if operation == "pin" else self._answers.pop(0)


def test_a_run_is_judged_by_its_own_slices() -> None:
    """The rate alone is that of the same slices, and the worst run counts."""

    def slices(alone: int, beside: int) -> list[dict[str, Any]]:
        stream = {"alone": (alone, 1.0), "beside": (beside, 1.0), "others": 0.0}
        return [stream, {"times": [3, 1, 2], "others": 0.0}] * len(_busy._places())

    team: Any = {
        "stdlib": _Told(*slices(100, 10), *slices(100, 50)),
        "c": _Told(*slices(100, 90), *slices(1000, 80)),
    }
    found = _busy.measure(team, _busy.BusyPlan(2, 1, 1.0, 1.0), NO_PATIENCE, lambda: None)
    own = found["targets"]["c"]["all cores"]
    assert (own["of_its_own"], own["of_stdlib"]) == (0.08, 1.6)
    assert (own["rate_least"], own["rate_most"], own["answers"]) == (80, 90, 6)
    assert (own["p50"], own["p99"]) == (2, 3)


# -- the other side ----------------------------------------------------------------------------------------------------


def test_a_speed_is_never_none() -> None:
    """On a machine with other work to do, a window can pass without a piece of work."""
    with _computing.Computing() as computing:
        computing.hold()
        while True:  # until it rests
            count = computing.count
            time.sleep(0.01)
            if computing.count == count:
                break
        threading.Timer(0.1, computing.resume).start()
        rate, _ = computing.watch(0.001)
    assert rate > 0


def test_a_thread_that_is_stuck_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_computing, "STUCK", 10_000_000)
    with pytest.raises(TimeoutError, match="does not get on"):
        _computing.Computing().watch(0.001)


def test_what_a_receiver_costs(team: dict[str, _lockstep.Worker]) -> None:
    pair: Any = {target: team[target] for target in ("stdlib", USABLE[0])}
    turns: list[int] = []
    found = _fair.measure(pair, _fair.FairPlan(2, 0.1), NO_PATIENCE, lambda: turns.append(1))
    assert len(turns) == _fair.steps(_fair.FairPlan(2, 0.1), 2) == 4
    json.dumps(found)
    for target in pair:
        for kind in _fair.KINDS:
            own = found["targets"][target][kind]
            assert own["share"] > 0
            assert own["messages"] > 0
            assert own["longest"] > 0
            assert len(_fair.values(found)[f"fair-{kind}"][1][target].values) == 2
    # It is never offered more than its pace, but for what a late sender catches up on.
    assert found["targets"]["stdlib"]["paced"]["messages"] < 4 * _fair.PACE


def test_a_receiver_that_loses_bytes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fair, "PATIENCE", 0.1)

    class Forgetful(_Losing):
        def socketpair(self, *arguments: int) -> tuple[socket.socket, socket.socket]:
            a, b = socket.socketpair(*arguments)

            class Forgetting(socket.socket):
                def recv(self, size: int, flags: int = 0) -> bytes:
                    return super().recv(size, flags)[1:] or super().recv(size, flags)

            return a, Forgetting(fileno=b.detach())

    with pytest.raises(_scenario.LostData):
        _fair.fair(Forgetful(""), 0.01)


def window(share: float, messages: float = 1000.0) -> dict[str, float]:
    return {"share": share, "messages": messages, "longest": 1e6, "longest_alone": 1e5}


def test_only_quiet_rounds_count() -> None:
    """Two of these six: in one of the others somebody has taken nearly everything."""
    turns = [
        {"paced": window(share), "tight": window(share / 2, 1e6), "others": others}
        for share, others in ((0.9, 0.01), (0.1, 0.9), (0.8, 0.02), (0.3, 0.5), (0.2, 0.6), (0.1, 0.7))
    ]
    team: Any = {"stdlib": _Told(*turns), "c": _Told(*turns)}
    found = _fair.measure(team, _fair.FairPlan(6, 1.0), NO_PATIENCE, lambda: None)
    own = found["targets"]["c"]
    assert own["paced"]["share"] == pytest.approx(0.85)
    assert own["tight"]["lost"] == pytest.approx((1 - 0.425) * 1e9 / 1e6)
    assert own["others"] == pytest.approx(0.015)
    assert [round(one["others"], 2) for one in _quiet.quieter(turns[2:])] == [0.02, 0.5]
    assert [one["others"] for one in _quiet.quieter(turns[:1] * 5)] == [0.01] * 5


def test_the_verdicts_on_what_a_receiver_costs() -> None:
    def rounds(paced: float, tight: float, messages: float) -> list[dict[str, Any]]:
        return [{"paced": window(paced), "tight": window(tight, messages), "others": 0.0}]

    def judged(stdlib: list[dict[str, Any]], own: list[dict[str, Any]]) -> dict[str, tuple[float, bool]]:
        team: Any = {"stdlib": _Told(*stdlib), "c": _Told(*own)}
        found = _fair.measure(team, _fair.FairPlan(1, 1.0), NO_PATIENCE, lambda: None)
        return {v["measure"]: (v["reached"], v["met"]) for v in _fair.verdicts(found)}

    slow = judged(rounds(0.9, 0.9, 1e3), rounds(0.6, 0.3, 1e6))
    assert slow == {_fair.SLOWER: (1.5, False), _fair.LOST: (0.01, True), _fair.KEPT: (0.3, False)}
    # Nothing that the standard library would lose: there is nothing to compare with.
    fine = judged(rounds(0.999, 1.01, 1e3), rounds(1.0, 0.5, 1e6))
    assert fine == {_fair.SLOWER: (1.0, True), _fair.KEPT: (0.5, True)}


def test_a_thread_that_computes_rests_while_it_is_held() -> None:
    with _computing.Computing() as computing:
        rate, longest = computing.watch(0.05)
        assert rate > 0
        assert longest > 0
        computing.hold()
        time.sleep(0.05)
        before = computing.count
        time.sleep(0.05)
        assert computing.count == before
        computing.resume()
        assert computing.watch(0.05)[0] > 0


@pytest.mark.skipif(not LINUX, reason="/proc")
def test_others_are_seen() -> None:
    """What this process does is its own, what another one does is not, unless it is one of ours."""
    code = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout is not None
            busy.stdout.readline()
            with _quiet.Others() as counted, _quiet.Others([busy.pid]) as ours:
                time.sleep(0.5)
        finally:
            busy.kill()
    assert counted.share > ours.share


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    class Loud:
        share = 1.0

        def __enter__(self) -> Loud:
            looks.append(1)
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(_quiet, "Others", Loud)
    patience = _quiet.Patience(0.12)
    patience.wait()
    assert len(looks) == 3
    patience.wait()
    assert len(looks) == 3
    monkeypatch.setattr(Loud, "share", 0.0)
    _quiet.Patience(10).wait()
    assert len(looks) == 4


# -- the echo server ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not LINUX, reason="epoll")
def test_the_echo_server(library: Path) -> None:
    turns: list[int] = []
    targets = ["stdlib", USABLE[0]]
    plan = _scale.ScalePlan(rounds=2, messages=40)
    found = _scale.measure(targets, library, plan, [10, 30], lambda: turns.append(1))
    assert len(turns) == _scale.steps(plan) == 2
    assert set(found["targets"]) == {*targets, "raw"}
    for cases in found["targets"].values():
        assert set(cases) == {"10", "30", "30, 10 used"}
        for own in cases.values():
            assert len(own["costs"]) == 2
            assert own["cost"] > 0
            assert own["peak"] > 1 << 20
        assert cases["30"]["growth"] == cases["30"]["cost"] / cases["10"]["cost"]
        assert cases["30"]["ratio"] == cases["30"]["cost"] / found["targets"]["stdlib"]["30"]["cost"]
    assert {(v["target"], v["measure"]) for v in _scale.verdicts({**found, "sizes": [10, 30]})} == {
        (USABLE[0], _scale.GROWTH),
        *({("c", _scale.RATIO)} if USABLE[0] == "c" else set()),
    }


@contextmanager
def pair(target: str, size: int, library: Path | None = None) -> Iterator[_scale._Pair]:
    with ExitStack() as stack:
        made = _scale._Pair(target, size, library, stack)
        made.start(10)
        yield made


@pytest.mark.skipif(not LINUX, reason="epoll")
@pytest.mark.parametrize("target", ["stdlib", USABLE[0], "raw"])
def test_a_server_that_has_lost_a_connection(target: str, library: Path) -> None:
    with pair(target, 20, library if target == "raw" else None) as made:
        assert made.end() > 1 << 20
        made.size = 21
        with pytest.raises(_lockstep.WorkerError, match="20 of 21 connections are left"):
            made.end()


@pytest.mark.skipif(not LINUX, reason="epoll")
def test_only_the_servers_own_time_counts() -> None:
    """Not what passes, and not the load's."""
    core = _scale.cores()[0]
    with pair("stdlib", 10) as made:
        first = made._clock()
        cost = made.share(1000, 10, core)
        assert 0 < cost * 1000 <= made._clock() - first
        time.sleep(0.2)  # the server waits again
        idle = made._clock()
        time.sleep(0.01)
        assert made._clock() == idle


@pytest.mark.skipif(not LINUX, reason="epoll")
def test_the_load_uses_as_many_connections_as_it_is_told() -> None:
    """And notices what comes back changed."""
    script = str(Path(_scale.__file__).with_name("_echo_load.py"))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        port = str(listener.getsockname()[1])
        command = [sys.executable, script, port, "20"]
        load = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with load, ExitStack() as stack:
            assert load.stdin is not None
            assert load.stdout is not None
            sockets = [stack.enter_context(listener.accept()[0]) for _ in range(20)]
            assert load.stdout.readline() == "ready\n"
            print("30 10", file=load.stdin, flush=True)
            used = set()
            for _ in range(3):
                seen = 0
                while seen < 10:
                    for ready in select.select(sockets, [], [], 30)[0]:
                        ready.sendall(ready.recv(4096))
                        used.add(ready)
                        seen += 1
            assert int(load.stdout.readline()) > 0
            assert len(used) == 10
            print("10 20", file=load.stdin, flush=True)
            load.stdin.close()
            while load.poll() is None:
                for ready in select.select(sockets, [], [], 0.1)[0]:
                    try:
                        if ready.recv(4096):
                            ready.sendall(b"other")
                        else:
                            sockets.remove(ready)
                    except ConnectionError:
                        sockets.remove(ready)
            assert load.stdout.read() == ""
            assert "got b'other' back" in load.stderr.read()  # type: ignore[union-attr]


@pytest.mark.skipif(not LINUX, reason="epoll")
@pytest.mark.skipif(PYPY, reason="pyperf needs psutil, which has no wheel for PyPy")
def test_the_results_of_the_echo_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scale, "SIZES", (10, 20))
    little = _command.Effort(
        NOTHING_MUCH,
        _busy.BusyPlan(1, 1, 0.01, 0.01),
        _fair.FairPlan(1, 0.01),
        _late.LatePlan(1, 0.01),
        _scale.ScalePlan(2, 40),
        0.0,
    )
    result = _command.perform(["scale"], [USABLE[0]], little, quick=True)
    facts = result["socketpkg"]
    assert facts["operations"] == []
    assert facts["scale"]["sizes"] == [10, 20]
    targets = facts["targets"]
    assert {benchmark["metadata"]["name"] for benchmark in result["benchmarks"]} == {
        f"scale-{case}: {target}" for case in ("10", "20", "20-10-used") for target in targets
    }
    (table,) = (table for table in _tables.tables(facts) if table.title.startswith("Scale"))
    assert {(row[0].text, row[1].text) for row in table.rows} == {
        (_tables.SHOWN.get(target, target), case) for target in targets for case in ("10", "20", "20, 10 used")
    }
    assert "<svg" not in _html.page(facts)


def test_the_sizes_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 4096))
    sizes, notes = _scale.fitting()
    assert sizes == [10, 1_000]
    assert notes == ["The echo server with 10,000 connections is left out: only 4,096 open files are allowed."]


# -- the ranking -------------------------------------------------------------------------------------------------------


def test_rank() -> None:
    ranked = rank([*USABLE, USABLE[0].upper()])
    assert sorted(name for name, _ in ranked) == sorted(USABLE)
    ratios = [ratio for _, ratio in ranked]
    assert ratios == sorted(ratios)
    assert all(ratio > 0 for ratio in ratios)


def test_rank_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="there is no backend 'turbo'; there are c, cffi, ctypes"):
        rank(["ctypes", "turbo"])
    with pytest.raises(TypeError):
        rank("c")
    assert rank([]) == []


def test_nothing_else_is_needed_to_rank() -> None:
    code = (
        "import sys; from socketpkg._commands.bench import rank, _rank; print(*({'pyperf', 'rich'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("\n", "")


# -- the command -------------------------------------------------------------------------------------------------------


def bench(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env={**os.environ, **env}, capture_output=True, text=True, timeout=300
    )


def test_list() -> None:
    done = bench("--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == names()
    assert "c 0.85, cffi 1.3, ctypes 2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such",), "there is no scenario 'no-such'; there are send-recv, "),
        (("--backend", "turbo"), "there is no backend 'turbo'; there are c, cffi, ctypes"),
        (
            ("--backend", "ctypes", "udp4"),
            "there is no backend 'udp4'; there are c, cffi, ctypes; the names of scenarios",
        ),
        (("--json", "/no/such/folder/x.json"), "cannot write /no/such/folder/x.json: No such file or directory"),
        (("--html", "/"), "cannot write /: Is a directory"),
        (("--load", "/no/such.json"), "--load /no/such.json: No such file or directory"),
        (("--load", str(ROOT / "pyproject.toml")), "not JSON"),
        (("send-recv", "--load", "x.json"), "--load measures nothing"),
    ],
)
def test_a_request_that_makes_no_sense(arguments: tuple[str, ...], said: str) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_backend_that_cannot_be_used(tmp_path: Path) -> None:
    """One of somebody's that is registered and not there."""
    info = tmp_path / "other-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[socketpkg.backends]\nother = no_such_package\n")
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(tmp_path)]))
    done = bench("send-recv", "--backend", "other", PYTHONPATH=path)
    assert done.returncode == 2
    assert "the backend 'other' cannot be used: " in done.stderr


def test_without_the_extra(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['pyperf'] = None\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = bench("send-recv", PYTHONPATH=path)
    assert done.returncode == 2
    assert 'pip install "socketpkg[bench]"' in done.stderr


def test_the_goals_of_lateness() -> None:
    def facts(median: float, longest: float, share: float) -> dict[str, Any]:
        own = {"median": median, "longest": longest, "share": share}
        return {"targets": {"stdlib": {"4": base, "16": base}, "c": {"4": own, "16": own}}}

    base = {"median": 1e6, "longest": 20e6, "share": 0.8}
    for own, met in (
        ((9e6, 59e6, 0.5), [True, True, True]),
        ((11e6, 61e6, 0.4), [False, False, False]),
        ((0.1e6, 10e6, 0.9), [True, True, True]),
    ):
        found = _late.verdicts(facts(*own))
        assert [v["target"] for v in found] == ["c"] * 6
        assert [v["met"] for v in found] == met * 2
        assert [v["measure"] for v in found][:3] == [_late.LATE, _late.LATEST, _late.SHARED]


def test_a_result_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    done = bench("send-recv", "--json", str(tmp_path / "x.json"), "--html", str(tmp_path / "no" / "x.html"))
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(PYPY, reason="pyperf needs psutil, which has no wheel for PyPy")
@pytest.mark.parametrize("scenario", ["send-recv", "busy", "fair", "late", *(["scale"] if LINUX else [])])
def test_an_interrupt_ends_it(tmp_path: Path, scenario: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, scenario, "--backend", USABLE[0], "--json", str(tmp_path / "x.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stderr is not None
        first = process.stderr.readline()  # it measures
        assert first.startswith("  0%")
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().endswith("interrupted; nothing is written")
    assert "Traceback" not in errors
    assert not output
    assert list(tmp_path.iterdir()) == []


class _Page(HTMLParser):
    """What a page would load, and its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "line", "rect", "circle"):
            self.open.append(tag)
        self.loads += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "data", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "rect", "circle"):
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run of some scenarios has written."""
    if PYPY:
        pytest.importorskip("pyperf", reason="the extra bench is not installed, for psutil has no wheel for PyPy")
    folder = tmp_path_factory.mktemp("written")
    done = bench(
        *(
            "send-recv",
            "getsockopt",
            "mmsg",
            "busy",
            "fair",
            "late",
            "--quick",
            "--backend",
            USABLE[-1],
            "--json",
            str(folder / "r.json"),
        ),
        *("--html", str(folder / "r.html"), "--markdown", str(folder / "r.md")),
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    return folder


def test_what_the_terminal_shows(written: Path) -> None:
    shown = (written / "stdout").read_text()
    assert "socketpair send + recv of 1 byte" in shown
    assert "Beside a busy thread: datagrams a second" in shown
    assert "The other side: computing beside a thread that receives in a tight loop" in shown
    assert "A thread that sleeps 1 ms at a time, beside threads that transfer" in shown
    assert re.search(r"\d+ of \d+ goals met$", shown.strip())


def test_the_json(written: Path) -> None:
    import pyperf

    suite = pyperf.BenchmarkSuite.load(str(written / "r.json"))
    have = set(suite.get_benchmark_names())
    assert {f"send-recv: {target}" for target in ("stdlib", USABLE[-1])} <= have
    assert {f"busy-stream-all-cores: {USABLE[-1]}", "mmsg: stdlib"} <= have
    facts = json.loads((written / "r.json").read_text())["socketpkg"]
    assert facts["format"] == 2
    assert facts["quick"] is True
    assert [row["name"] for row in facts["operations"]] == ["send-recv", "getsockopt", "mmsg"]
    row = facts["operations"][0]
    assert set(row) == {"name", "title", "unit", "goals", "over_raw", "targets"}
    own, base = row["targets"][USABLE[-1]], row["targets"]["stdlib"]
    assert own["ratio"] == own["minimum"] / base["minimum"]
    assert base["ratio"] == 1.0
    assert own["minimum"] <= own["median"]
    values = suite.get_benchmark(f"send-recv: {USABLE[-1]}").get_values()
    assert min(values) == pytest.approx(own["minimum"] / 1e9)
    for verdict in facts["verdicts"]:
        keys = {"scenario", "title", "target", "measure", "goal", "at_least", "reached", "met", "miss"}
        assert set(verdict) == keys
    assert {v["scenario"] for v in facts["verdicts"]} >= {"send-recv", "getsockopt"}


def test_the_html_stands_alone(written: Path) -> None:
    text = (written / "r.html").read_text()
    page = _Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert page.loads == []
    assert "svg" in page.tags
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]  # a name, that nobody loads
    assert "prefers-color-scheme: dark" in text


def test_a_stored_result_shows_the_same(written: Path) -> None:
    again = bench("--load", str(written / "r.json"), "--html", str(written / "again.html"))
    assert again.returncode == 0
    assert again.stdout == (written / "stdout").read_text()
    assert (written / "again.html").read_text() == (written / "r.html").read_text()


@pytest.mark.usefixtures("written")
def test_without_a_compiler() -> None:
    done = bench("send-recv", "--quick", "--backend", "ctypes", CC="/no/such/cc")
    assert done.returncode == 0
    assert "note: There is no raw C column, since raw.c does not compile here: /no/such/cc: No such file" in done.stdout
    assert "raw C  " not in done.stdout


# -- the page ----------------------------------------------------------------------------------------------------------


def facts_of(**ratios: float) -> dict[str, Any]:
    """Results of one scenario, made up."""
    series = {
        "stdlib": _lockstep.Series.of([1000.0, 1100.0]),
        "raw": _lockstep.Series.of([500.0, 600.0]),
        **{target: _lockstep.Series.of([1000 * ratio, 2000 * ratio]) for target, ratio in ratios.items()},
    }
    facts = _results.about(list(series), False, [])
    row = _results.operation(LOOPS["getsockopt"], series)
    facts["operations"].append(row)
    facts["verdicts"] += _results.operation_verdicts(row)
    return facts


def test_what_is_met_and_what_is_missed() -> None:
    facts = facts_of(c=0.6, cffi=1.3, ctypes=4.0)
    text = _tables.text(facts)
    (line,) = (line for line in text.splitlines() if line.startswith("getsockopt  ") and "µs" in line)
    assert re.split("  +", line) == [
        *("getsockopt", "1 µs", "500 ns", "0.60 (0.75) ✓", "1.30 (1.3) ✓", "4.00 (2) ✗", "100 ns (150) ✓")
    ]
    (table,) = (table for table in _tables.tables(facts) if table.title == "Goals")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["c", "2", "2", "0", "0", "0"],
        ["cffi", "1", "1", "0", "0", "0"],
        ["ctypes", "1", "0", "0", "0", "1"],
    ]
    assert _tables.summary(facts) == "3 of 4 goals met"


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [(0, "0 ns"), (-3.4, "-3 ns"), (999, "999 ns"), (-1234, "-1.23 µs"), (123_456, "123 µs"), (2.5e9, "2.5 s")],
)
def test_a_duration(nanoseconds: float, shown: str) -> None:
    assert _tables.duration(nanoseconds) == shown


def test_the_chart_shows_the_limit() -> None:
    drawing = _html.chart(facts_of(c=0.6, cffi=1.3, ctypes=4.0))
    assert "<title>getsockopt, raw C: 0.50</title>" in drawing
    assert "<title>getsockopt, ctypes: 4.00, goal 2</title>" in drawing


def test_names_are_escaped() -> None:
    facts = facts_of(**{"<b>&": 0.5})
    page = _Page()
    page.feed(_html.page(facts))
    assert "b" not in page.tags
    assert page.open == []


def rows_of_the_page() -> dict[str, list[list[str]]]:
    """Each table of operations of docs/performance.md, by the heading above it."""
    found: dict[str, list[list[str]]] = {}
    heading, head = "", False
    for line in (ROOT / "docs" / "performance.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading, head = line[3:], False
        elif line.startswith("| operation |"):
            head = True
            found[heading] = [[cell.strip() for cell in line.strip("|").split("|")]]
        elif head and line.startswith("| "):
            found[heading].append([cell.strip() for cell in line.strip("|").split("|")])
        elif head and not line.startswith("|"):
            head = False
    return found


def test_the_page_has_every_row_with_its_goals() -> None:
    pages = rows_of_the_page()
    assert any("3.11" in heading for heading in pages)
    assert any("3.13" in heading for heading in pages)
    for head, *rows in pages.values():
        assert [row[0] for row in rows] == [scenario.title for scenario in LOOPS.values()]
        for row, scenario in zip(rows, LOOPS.values(), strict=True):
            cells = dict(zip(head, row, strict=True))
            for target in ("c", "cffi", "ctypes"):
                goal = re.search(r"\(([\d.]+)\)", cells[target])
                if goal is not None or (target in scenario.goals and cells[target] != "-"):
                    assert goal is not None
                    assert float(goal[1]) == scenario.goals[target]


def test_the_page_shows_the_other_scenarios() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for title in ("Beside a busy thread: datagrams a second", "Scale: an epoll echo server"):
        assert text.count(f"**{title}.**") == len(rows_of_the_page())
    # The other two: `fair`, whose tables have titles of their own, and `late`, which the page does not show yet.
    assert set(OTHERS) == {"busy", "scale", "fair", "late"}


def test_the_chart_of_the_page() -> None:
    drawing = (ROOT / "docs" / "performance.svg").read_text(encoding="utf-8")
    for scenario in LOOPS.values():
        assert _html.escape(scenario.title) in drawing
