"""The benchmark: what it measures, that it checks what arrives, and what it writes. Nothing here looks at a time."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from socketpkg import backends
from socketpkg._commands.bench import load as loads
from socketpkg._commands.bench import lockstep, operations, rank, raw, results, scenario
from socketpkg._commands.bench.operations import LOOPS as INSTALLED

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("busy", "fair", "late", "scale", "programs")
USABLE = [name for name, status in backends.available().items() if status.usable]
TARGETS = ["stdlib", *USABLE]
BENCH = ROOT / "docs" / "bench"
COMMAND = (sys.executable, str(BENCH))
LINUX = sys.platform == "linux"
PYPY = sys.implementation.name == "pypy"


def of_the_page(name: str) -> dict[str, scenario.Scenario]:
    """The operations of a file of docs/bench."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.LOOPS)


RELAYING = of_the_page("relaying")
LOOPS = {**INSTALLED, **of_the_page("datagrams"), **RELAYING}

# -- the goals ---------------------------------------------------------------------------------------------------------

#: The table of goals that the project set itself: c, cffi, ctypes.
GOALS: dict[str, tuple[float | None, float | None, float | None]] = {
    "send-recv": (0.85, 1.3, 2.0),
    "send-recv-timeout": (0.55, 0.85, 1.3),
    "recv-large": (0.25, 0.4, 0.6),
    "recv-into-64k": (1.0, 1.0, 1.0),
    "eagain": (0.65, 1.2, 1.5),
    "wait-timeout": (0.9, 1.5, 2.0),
    "sendall-1m": (1.0, 1.0, 1.0),
    "udp4": (0.85, 1.3, 2.0),
    "udp6": (0.85, 1.3, 2.0),
    "sendmsg-1": (1.0, 1.5, 1.5),
    "sendmsg-64": (1.0, 1.5, 1.5),
    "sendmsg-1024": (1.0, 3.0, 3.0),
    "recvmsg-into-1": (1.0, 1.5, 1.5),
    "recvmsg-into-64": (1.0, 1.5, 1.5),
    "recvmsg-into-1024": (1.0, 3.0, 3.0),
    "scm-rights": (0.8, 1.4, 2.0),
    "send-fds": (0.95, 1.5, 2.0),
    "socket-close": (0.85, 1.2, 1.6),
    "with-socket": (0.85, 1.5, 2.0),
    "socketpair": (0.9, 1.5, 2.0),
    "tcp": (0.9, 1.05, 1.2),
    "create-connection": (0.9, 1.0, 1.2),
    "getsockname": (0.75, 1.3, 2.0),
    "getpeername": (0.75, 1.3, 2.0),
    "getsockopt": (0.75, 1.3, 2.0),
    "setsockopt": (0.75, 1.3, 2.0),
    "getaddrinfo": (0.3, 0.5, 0.6),
    "getnameinfo": (1.0, 2.0, 2.0),
    "inet_pton": (0.9, 1.5, 2.0),
    "inet_ntop": (0.9, 1.5, 2.0),
    "htons": (0.9, 1.5, 2.0),
    "readline": (0.9, 1.2, 1.6),
    "ping-pong": (0.9, 1.2, 1.6),
    "import": (0.6, 1.3, 1.5),
    "import-late": (1.2, None, None),
    "memory": (1.0, None, None),
    "mmsg": (0.7, None, None),
    "segments": (0.06, None, None),
}
#: What nothing is to exceed where no other goal is set.
COMMON = (1.0, 1.5, 2.0)


def test_the_goals_are_those_that_were_set() -> None:
    kept = {
        name: tuple(scenario.goals.get(target) for target in ("c", "cffi", "ctypes"))
        for name, scenario in LOOPS.items()
        if scenario.goals
    }
    common = {name: COMMON for name in LOOPS if name not in GOALS and name not in RELAYING}
    assert kept == GOALS | common


def test_the_goals_above_the_raw_loop() -> None:
    kept = {name: dict(scenario.over_raw) for name, scenario in LOOPS.items() if scenario.over_raw}
    assert kept == {name: {"c": 150.0} for name in ("send", "recv", "recv-into", "getsockopt")}


@pytest.mark.parametrize(
    ("goal", "reached", "at_least", "shown"),
    [
        (0.85, 0.85, False, "x (0.85) ✓"),
        (0.85, 0.86, False, "x (0.85) ✗"),
        (1.5, 1.5, True, "x (1.5) ✓"),
        (1.5, 1.4, True, "x (1.5) ✗"),
        (None, 0.1, False, "x"),
    ],
)
def test_a_figure_with_its_goal(goal: float | None, reached: float, at_least: bool, shown: str) -> None:
    assert results.judged("x", reached, goal, at_least) == shown


# -- the scenarios -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return raw.build(tmp_path_factory.mktemp("raw"), BENCH / "datagrams.c")
    except raw.NoCompiler as error:
        pytest.skip(f"no compiler: {error}")


@pytest.fixture(scope="module")
def team() -> Iterator[dict[str, lockstep.Worker]]:
    with lockstep.workers(TARGETS) as team:
        yield team


# The workers live as long as this module's tests.
pytestmark = pytest.mark.keeps_descriptors

NOTHING_MUCH = lockstep.Plan(rounds=2, share=1e-6)


@pytest.mark.parametrize("name", LOOPS)
def test_every_scenario_runs_on_every_target(name: str, team: dict[str, lockstep.Worker]) -> None:
    result = lockstep.measure(LOOPS[name], team, NOTHING_MUCH)
    for target, series in result.items():
        assert not series.failed, series.reason
        if series.reason:
            assert name in ("mmsg", "segments", "memory", "udp6"), series.reason
            assert target != "stdlib" or name != "mmsg"
        else:
            assert len(series.values) == 2
            assert all(value > 0 for value in series.values)
            assert series.loops[0] >= 1


@pytest.mark.parametrize("name", LOOPS)
def test_several_turns_in_one_round(name: str, team: dict[str, lockstep.Worker]) -> None:
    several_turns(name, team.values())


def several_turns(name: str, workers: Iterable[lockstep.Worker]) -> None:
    for worker in workers:
        try:
            worker.ask("open", scenario=name, file=LOOPS[name].file)
            # More than a batch, so that the parts which are not timed come between.
            assert worker.ask("run", loops=min(LOOPS[name].most_loops, scenario.BATCH + 3)) > 0
        except scenario.Skip:
            pass
        finally:
            worker.ask("close")


@pytest.mark.parametrize("pause", [1, 8, 512])
def test_a_pause_does_not_make_the_shares_short(pause: int) -> None:
    """An import by the first turn, as that of send_fds makes, or a collection of garbage later."""

    class Paused:
        told = False

        def ask(self, operation: str, loops: int) -> int:
            assert operation == "run"
            paused = not self.told and loops == pause
            self.told = self.told or paused
            return loops * 1000 + 10_000_000 * paused

    plan = lockstep.Plan(rounds=1, share=0.002)
    assert lockstep._calibrate(LOOPS["send-fds"], Paused(), plan) == 2000  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["socket", "socketpkg"])
def test_an_import_finds_its_bytecode(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the environment forbids to write any."""
    import socketpkg

    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with operations.import_module({"socket": socket, "socketpkg": socketpkg}[name]) as loop:
        written = {file.name.split(".")[0] for file in tmp_path.rglob("*.pyc")}
        # The standard library's imports selectors only where it needs it from 3.15 on.
        standard = {"socket", "enum"} | ({"selectors"} & vars(socket).keys())
        assert (standard if name == "socket" else {"__init__", "backends", "_socketio"}) <= written
        assert loop(1) > 0
    assert list(tmp_path.iterdir()) == []


#: In an interpreter of its own: what other tests have left in the heap would serve as well.
ALLOCATES = """
import ctypes
from socketpkg._commands.bench import operations

library = ctypes.CDLL(None)
library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
size = operations.LARGE

def mapped(block):
    word = ctypes.c_size_t.from_address(block - ctypes.sizeof(ctypes.c_size_t))
    return bool(word.value & operations._IS_MMAPPED)

with operations._large_blocks(2 * size):
    hole, behind = library.malloc(size), library.malloc(64)
    assert not mapped(hole)
    library.free(hole)
with operations._large_blocks(operations._MAPPED):
    block = library.malloc(size)
    assert mapped(block)
    library.free(block)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="its allocator")
def test_a_large_block_is_mapped_whatever_the_heap_has_free() -> None:
    subprocess.run([sys.executable, "-c", ALLOCATES], check=True)


def test_every_raw_loop_runs(library: Path) -> None:
    """Each scenario that makes system calls or calls of the C library has one."""
    without = {"htons", "import", "import-late", "memory", "accept-many", "relay"}
    # Its peer is a process of Python, the same for every module.
    without |= {"wait", "wait-timeout", *(() if LINUX else ("mmsg", "segments"))}
    found = set()
    with lockstep.workers([], library) as team:
        for name, scenario in LOOPS.items():
            series = lockstep.measure(scenario, team, NOTHING_MUCH)["raw"]
            assert not series.failed, series.reason
            several_turns(name, team.values())
            if series.values:
                found.add(name)
            else:
                assert series.reason == "no system call to compare with"
    assert set(LOOPS) - found == without


def test_a_raw_loop_says_what_failed(library: Path) -> None:
    """Without descriptors there are no sockets."""
    code = (
        "import resource, sys; from socketpkg._commands.bench import raw; library = raw.Library(sys.argv[1])\n"
        "with library.scenario('send-recv') as loop:\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "    loop(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(library)], capture_output=True, text=True, timeout=60)
    assert "OSError: pair(0): Too many open files" in done.stderr


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
    with operations.send_recv(_Losing(spoil)) as loop, pytest.raises(scenario.LostData):
        loop(3)


def test_a_sender_that_loses_bytes_is_noticed() -> None:
    class Short(_Losing):
        def socketpair(self, *arguments: int) -> tuple[socket.socket, socket.socket]:
            a, b = socket.socketpair(*arguments)

            class Shortening(socket.socket):
                def sendall(self, data: Any, flags: int = 0) -> None:
                    super().sendall(b"y" + data[1:], flags)

            return Shortening(fileno=a.detach()), b

    with pytest.raises(scenario.LostData), operations.sendall(Short("")):
        pass


def test_a_failure_is_told_and_does_not_stop_the_others(team: dict[str, lockstep.Worker]) -> None:
    """A scenario that only one target cannot do."""

    @contextmanager
    def nothing(_: Any) -> Iterator[scenario.Loop]:
        yield lambda loops: loops

    unknown = scenario.Scenario("no-such", "no such scenario", nothing)
    result = lockstep.measure(unknown, team, NOTHING_MUCH)
    assert all(series.failed and "KeyError" in series.reason for series in result.values())
    again = lockstep.measure(LOOPS["send-recv"], team, NOTHING_MUCH)
    assert not any(series.failed for series in again.values())


def test_a_worker_that_dies_is_told() -> None:
    with lockstep.workers(["stdlib"]) as team:
        worker = team["stdlib"]
        worker.ask("open", scenario="send-recv")
        os.kill(worker.pid, 9)
        with pytest.raises(lockstep.WorkerError, match=r"status -9|cannot be reached"):
            worker.ask("run", loops=1)


# -- beside other threads, and the echo server -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("stream", {"one_core": False}),
        ("stream", {"one_core": True}),
        ("answer", {"one_core": False}),
        ("fair", {"pace": 0}),
        ("fair", {"pace": 500}),
        ("late", {"threads": 2}),
    ],
)
def test_what_is_measured_beside_other_threads(
    function: str, arguments: dict[str, Any], team: dict[str, lockstep.Worker]
) -> None:
    file = str(BENCH / "threads.py")
    for target in ("stdlib", USABLE[0]):
        # On a machine under load nothing may happen in a short time.
        for seconds in (0.02, 0.2, 2, 20):
            found = team[target].ask("call", file=file, function=function, arguments={"seconds": seconds, **arguments})
            assert 0 <= found.pop("others") <= 1
            if all(value > 0 for fact, value in found.items() if fact not in ("lost", "share", "late")):
                break
        else:
            raise AssertionError(found)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports a module of docs/bench."""
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module
    for name in (
        "bridge",
        "calls",
        "datagrams",
        "experiment",
        "instructions",
        "page",
        "programs",
        "relaying",
        "scale",
        "threads",
        "whole",
    ):
        sys.modules.pop(name, None)


def test_every_call_beside_the_standard_library(own: Any) -> None:
    calls = own("calls")
    command = [sys.executable, str(BENCH / "calls.py"), "--rounds", "1", *USABLE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    head, line, *rows = done.stdout.splitlines()
    assert head.count("|") == line.count("|") == 3 + len(USABLE)
    assert sorted(row[3 : row.index("` | ")].replace("\\|", "|") for row in rows) == sorted(calls.CALLS)
    ratios = [[float(word) for word in row.split(" ns |")[1].strip(" |").split(" | ")] for row in rows]
    assert [row[0] for row in ratios] == sorted((row[0] for row in ratios), reverse=True)
    assert all(0 < ratio < 1000 for row in ratios for ratio in row)


def test_a_receiver_that_loses_bytes_is_noticed(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = own("threads")
    monkeypatch.setattr(threads, "PATIENCE", 0.1)

    class Forgetful(_Losing):
        def socketpair(self, *arguments: int) -> tuple[socket.socket, socket.socket]:
            a, b = socket.socketpair(*arguments)

            class Forgetting(socket.socket):
                def recv(self, size: int, flags: int = 0) -> bytes:
                    # Closed by the one that noticed it.
                    with contextlib.suppress(OSError):
                        return super().recv(size, flags)[1:] or super().recv(size, flags)
                    return b""

            return a, Forgetting(fileno=b.detach())

    # The error may be that of the package's module or of this test's: the file is loaded by its path.
    with pytest.raises(scenario.LostData):
        threads.fair(Forgetful(""), 0.01, 0)


def test_a_thread_that_is_stuck_is_noticed(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = own("threads")
    monkeypatch.setattr(threads, "STUCK", 0.01)
    with pytest.raises(TimeoutError, match="makes no progress"):
        threads.Computing().watch(0.001)


def test_the_quieter_rounds_count_and_the_worst_of_them_where_it_is_said(own: Any) -> None:
    experiment = own("experiment")

    def rounds(*values: tuple[float, float]) -> list[dict[str, float]]:
        return [{"x": value, "others": others} for value, others in values]

    assert len(experiment.quieter(rounds((1, 0.01), (2, 0.9), (3, 0.02), (4, 0.5), (5, 0.6), (6, 0.7)))) == 2
    assert len(experiment.quieter(rounds(*[(1, 0.01)] * 5))) == 5
    found = {
        "stdlib": {"case": rounds((10, 0.0), (10, 0.0), (9, 0.9))},
        "c": {"case": rounds((20, 0.0), (14, 0.0), (1, 0.9))},
    }
    part = experiment.Experiment("", "", "f", {"case": {}}, [], 1, 1.0)
    shown = "{:g}".format
    for column, said in (
        (experiment.Column("", "x", shown), "17 ±4.5"),
        (experiment.Column("", "x", shown, True, {"c": 1.5}, at_least=True, pick=min), "1.4 ±0.45 (1.5) ✗"),
        (experiment.Column("", "x", shown, True, {"c": 1.5}, at_least=True), "1.7 ±0.45 (1.5) ✓"),
        (experiment.Column("", "x", shown, goals={"c": 3.0}, or_times=1.5), "17 ±4.5 (15) ✗"),
        (experiment.Column("", "x", shown, goals={"c": 18.0}, or_times=1.5), "17 ±4.5 (18) ✓"),
        (experiment.Column("", "x", shown, goals={"c": 3.0}, unjudged=["case"]), "17 ±4.5"),
    ):
        assert part._cell(column, found, "c", "case", False) == said
        assert "(" not in part._cell(column, found, "c", "case", True)  # no goals in a quick run
    assert part._cell(experiment.Column("", "x", shown, True), found, "stdlib", "case", False) == ""


@pytest.mark.skipif(not LINUX, reason="/proc")
def test_others_are_seen() -> None:
    """This process is not counted; another one is, unless it is one of ours."""
    code = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout is not None
            busy.stdout.readline()
            with loads.Others() as counted, loads.Others([busy.pid]) as ours:
                time.sleep(0.5)
        finally:
            busy.kill()
    assert counted.share > ours.share


@pytest.mark.skipif(not LINUX, reason="epoll")
def test_the_echo_server(own: Any) -> None:
    (table,), values = own("scale").perform(["stdlib", USABLE[0]], True, [10, 30])
    assert [row[:2] for row in table["rows"]] == [
        [target, case] for target in ("stdlib", USABLE[0]) for case in ("10", "30", "30, 10 used")
    ]
    assert "✓" not in str(table)
    assert set(values) == {"scale-10", "scale-30", "scale-30-10-used"}
    assert all(value > 0 for _unit, series in values.values() for one in series.values() for value in one.values)


@pytest.mark.skipif(not LINUX, reason="epoll")
def test_a_lost_connection_is_noticed_and_only_the_servers_own_time_counts(own: Any) -> None:
    with ExitStack() as stack:
        pair = own("scale").Pair(USABLE[0], 20, stack)
        pair.start(10)
        first = pair.clock()
        cost = pair.share(1000, 10, min(os.sched_getaffinity(0)))
        assert 0 < cost * 1000 <= pair.clock() - first
        assert pair.end() > 1 << 20
        pair.size = 21
        with pytest.raises(lockstep.WorkerError, match="20 of 21 connections are there"):
            pair.end()


@pytest.mark.skipif(not LINUX, reason="epoll")
def test_the_load_notices_what_comes_back_changed() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        command = [sys.executable, str(BENCH / "echo.py"), "load", str(listener.getsockname()[1]), "10"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as load, ExitStack() as stack:
            servers = [stack.enter_context(listener.accept()[0]) for _ in range(10)]
            assert load.stdin is not None
            print("10 10", file=load.stdin, flush=True)
            for server in servers:
                server.recv(4096)
                server.sendall(b"other")
            _, errors = load.communicate(timeout=60)
    assert "got b'other" in errors


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
        "import sys; from socketpkg._commands.bench import rank, ranking; print(*({'pyperf', 'rich'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("\n", "")


# -- the command -------------------------------------------------------------------------------------------------------


def bench(*arguments: str, command: Sequence[str] = COMMAND, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments], env={**os.environ, **env}, capture_output=True, text=True, timeout=300
    )


def test_list() -> None:
    done = bench("--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [*LOOPS, *OTHERS]
    assert "c 0.85, cffi 1.3, ctypes 2" in done.stdout
    installed = bench("--list", command=(sys.executable, "-m", "socketpkg", "bench"))
    assert [line.split()[0] for line in installed.stdout.splitlines()] == [*INSTALLED]


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


@pytest.mark.usefixtures("library", "written")
def test_the_installed_command_has_its_own_raw_loops() -> None:
    done = bench(
        *("getsockopt", "--quick", "--backend", USABLE[-1]), command=(sys.executable, "-m", "socketpkg", "bench")
    )
    assert done.returncode == 0, done.stderr
    assert f"{USABLE[-1]} - raw" in done.stdout


def test_what_the_terminal_shows(written: Path) -> None:
    shown = (written / "stdout").read_text()
    assert re.search(r"Other programs took \d+ % of the machine", shown)
    assert f"{USABLE[-1]} - raw" in shown
    (row,) = (line for line in shown.splitlines() if "socketpair send + recv of 1 byte" in line)
    assert re.search(r"\d\.\d\d ±\d\.\d\d", row)
    assert not {"✓", "✗", "("} & set(row)


def test_the_json(written: Path) -> None:
    import pyperf

    suite = pyperf.BenchmarkSuite.load(str(written / "r.json"))
    have = set(suite.get_benchmark_names())
    assert {f"{name}: {target}" for name in ("send-recv", "mmsg") for target in ("stdlib", USABLE[-1])} <= have
    facts = json.loads((written / "r.json").read_text())["socketpkg"]
    assert facts["format"] == results.FORMAT
    assert facts["quick"] is True
    assert [row["name"] for row in facts["operations"]] == ["send-recv", "getsockopt", "mmsg"]
    row = facts["operations"][0]
    own, base = row["targets"][USABLE[-1]], row["targets"]["stdlib"]
    assert own["ratio"] == own["minimum"] / base["minimum"]
    assert base["ratio"] == 1.0
    assert own["minimum"] <= own["median"]
    values = suite.get_benchmark(f"send-recv: {USABLE[-1]}").get_values()
    assert min(values) == pytest.approx(own["minimum"] / 1e9)


def test_the_html_stands_alone(written: Path) -> None:
    text = (written / "r.html").read_text()
    assert "socketpair send + recv of 1 byte" in text
    assert not re.findall(r"<(?:script|link|iframe|img|object)|url\(|@import|https?://", text)


def test_the_markdown_has_a_table(written: Path) -> None:
    lines = (written / "r.md").read_text().splitlines()
    (head,) = (number for number, line in enumerate(lines) if re.match(r"\| operation +\|", line))
    assert re.fullmatch(r"\|(-+:?\|)+", lines[head + 1])
    assert lines[head + 2].startswith("| socketpair send + recv")


def test_a_stored_result_shows_the_same(written: Path) -> None:
    again = bench("--load", str(written / "r.json"), "--html", str(written / "again.html"))
    assert again.returncode == 0
    assert again.stdout == (written / "stdout").read_text()
    assert (written / "again.html").read_text() == (written / "r.html").read_text()


@pytest.mark.usefixtures("written")
def test_without_a_compiler() -> None:
    done = bench("send-recv", "--quick", "--backend", "ctypes", CC="/no/such/cc")
    assert done.returncode == 0
    assert (
        "note: There is no raw C column, since datagrams.c does not compile here: /no/such/cc: No such file"
        in done.stdout
    )
    assert "raw C  " not in done.stdout


# -- the page ----------------------------------------------------------------------------------------------------------


def test_what_is_met_and_what_is_missed() -> None:
    series = {"stdlib": [1000.0, 1100.0], "raw": [500.0, 600.0], "c": [600.0, 1320.0], "ctypes": [4000.0, 8800.0]}
    for quick, goals in ((True, ["", "", "", ""]), (False, [" (0.75) ✓", " (2) ✗", " (150) ✓", ""])):
        facts = results.about(list(series), quick, [])
        row = results.operation(LOOPS["getsockopt"], {t: lockstep.Series([v]) for t, v in series.items()})
        facts["operations"].append(row)
        table = results.operations([LOOPS["getsockopt"]], facts, 0.25)
        assert table["note"].endswith("Other programs took 25 % of the machine.")
        assert ("the goal in brackets" in table["note"]) is not quick
        figures = ("0.60 ±0.45", "4.00 ±3.00", "100 ns", "3.5 µs")
        marked = [f"{figure}{goal}" for figure, goal in zip(figures, goals, strict=True)]
        assert table["rows"] == [["getsockopt", "1 µs", "500 ns", *marked]]


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [(0, "0 ns"), (-3.4, "-3 ns"), (999, "999 ns"), (-1234, "-1.23 µs"), (123_456, "123 µs"), (2.5e9, "2.5 s")],
)
def test_a_duration(nanoseconds: float, shown: str) -> None:
    assert results.duration(nanoseconds) == shown


def tables_of_the_page(first: str) -> dict[str, list[list[str]]]:
    """Each table of docs/performance.md that begins with this head, by the heading above it."""
    found: dict[str, list[list[str]]] = {}
    heading, head = "", False
    for line in (ROOT / "docs" / "performance.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("## "):
            heading, head = line[3:], False
        elif line.startswith("|") and cells[0] == first:
            head = True
            found[heading] = [cells]
        elif head and line.startswith("| "):
            found[heading].append(cells)
        elif head and not line.startswith("|"):
            head = False
    return found


def test_the_page_has_every_row_with_its_goals() -> None:
    pages = tables_of_the_page("operation")
    for python in ("CPython 3.11", "CPython 3.13", "PyPy"):
        assert any(heading.startswith(python) for heading in pages)
    by_title = {one.title: one for one in LOOPS.values()}
    for heading, (head, *rows) in pages.items():
        if heading.startswith("PyPy"):  # where each row takes a second to be compiled: those that have goals there, too
            assert {"tcp", "recv-16k", "getnameinfo", "import"} <= {by_title[row[0]].name for row in rows}
        else:
            assert [row[0] for row in rows] == list(by_title)
        for row in rows:
            one = by_title[row[0]]
            cells = dict(zip(head, row, strict=True))
            for target in ("c", "cffi", "ctypes"):
                if target not in cells:
                    assert target == "c" and heading.startswith("PyPy")
                    continue
                goal = re.search(r"\(([\d.]+)\)", cells[target])
                if goal is not None or (target in one.goals and cells[target] != "-"):
                    assert goal is not None
                    assert float(goal[1]) == one.goals[target]


def test_the_page_says_why_each_goal_is_missed() -> None:
    reasons = tables_of_the_page("missed")
    for heading, (head, *rows) in tables_of_the_page("operation").items():
        missed = [
            (row[0], target)
            for row in rows
            for target, cell in zip(head, row, strict=True)
            if target in ("c", "cffi", "ctypes") and cell.endswith("✗")
        ]
        assert [(row[0], row[1]) for row in reasons[heading][1:]] == missed
        assert all(row[-1] for row in reasons[heading][1:])


# -- the instructions of a turn ----------------------------------------------------------------------------------------


INSTRUCTIONS = (sys.executable, str(BENCH / "instructions.py"))
COUNTED = [name for name, scenario in INSTALLED.items() if scenario.alone]


def test_the_page_has_the_instructions_of_every_row() -> None:
    pages = tables_of_the_page("instructions of a turn")
    assert {heading[:12] for heading in pages} == {"CPython 3.11", "CPython 3.13"}
    for _, *rows in pages.values():
        assert [row[0] for row in rows] == [INSTALLED[name].title for name in COUNTED]
    listed = subprocess.run([*INSTRUCTIONS, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert listed == COUNTED


def test_instructions_say_what_they_need(tmp_path: Path) -> None:
    done = subprocess.run(INSTRUCTIONS, capture_output=True, text=True, env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "this counts below valgrind, which is not installed (apt install valgrind, for one)"
    ]


needs_valgrind = pytest.mark.skipif(
    shutil.which("valgrind") is None or PYPY, reason="it counts CPython's instructions below valgrind"
)


@needs_valgrind
def test_instructions_of_a_turn_are_counted() -> None:
    command = [*INSTRUCTIONS, "--target", "stdlib", "getsockopt"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (number,) = re.findall(r"^\| getsockopt \| ([\d,]+) \|$", done.stdout, re.MULTILINE)
    assert 200 < int(number.replace(",", "")) < 100_000


@pytest.mark.slow
@needs_valgrind
def test_instructions_are_those_of_the_backend_and_of_its_bridge(tmp_path: Path) -> None:
    interpreted = USABLE[-1]
    targets = ["stdlib", interpreted, f"{interpreted}'s bridge"]
    command = [*INSTRUCTIONS, *(f"--target={target}" for target in targets), "getsockopt", "socket-close"]
    done = subprocess.run([*command, "--json", str(tmp_path / "i.json")], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 4
    counts = json.loads((tmp_path / "i.json").read_text())["instructions"]
    assert list(counts) == targets
    base, own, bridge = counts.values()
    # A call is some hundred instructions, whatever the interpreter; an object that is made and closed takes more. What
    # the bare calls of the bridge take is a part of its backend's.
    for of_target in (base, own):
        assert 200 < of_target["getsockopt"] < of_target["socket-close"] < 100_000
    assert bridge["getsockopt"] < own["getsockopt"] > base["getsockopt"]
    assert bridge["socket-close"] < own["socket-close"]


@pytest.mark.parametrize(
    ("reached", "raw", "counts", "reason"),
    [
        ((1.31, 0.02), 0.7, {}, "within the spread"),
        ((1.4, 0.5), 0.7, {}, "see above"),
        ((1.4, 0.02), 1.35, {}, "the system calls alone take 1.35"),
        ((1.4, 0.02), 0.7, {"stdlib": 1000, "own": 900}, "of instructions it takes 0.90"),
        ((1.4, 0.02), 0.7, {"stdlib": 1000, "own": 4000, "bridge": 1400}, "the bare calls of the bridge take 1.40"),
        ((1.4, 0.02), 0.7, {"stdlib": 1000, "own": 4000, "bridge": 900}, "3,100 instructions around the bare calls"),
        ((1.4, 0.02), None, {"stdlib": 1000, "own": 4000}, "4,000 instructions, against 1,000"),
    ],
)
def test_why_a_goal_is_missed(
    own: Any, reached: tuple[float, float], raw: float | None, counts: dict[str, int], reason: str
) -> None:
    base = {} if raw is None else {"ratio": raw}
    page = own("page")
    assert page.why({"ratio": reached[0], "spread": reached[1]}, 1.3, base, counts).startswith(reason)
