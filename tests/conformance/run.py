"""Runs the interpreter's own tests of sockets with socketpkg in place of socket; the standard library is the judge.

``python run.py --backend c [--report FILE] [FILE ...]``: see docs/conformance.md. Every test file runs in a process of
its own (child.py), once on the standard library's module and once on the backend; the exit status is 1 if a test that
passes there does not pass here. It needs nothing but the standard library and an installed socketpkg.
``--backend null+c --judge c`` compares a stack of layers with the backend that it stands on.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import ctypes
import fcntl
import fnmatch
import importlib.util
import json
import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path
from typing import BinaryIO

HERE = Path(__file__).resolve().parent
#: The judge, unless another is named: a backend, for a stack of layers over it.
STDLIB = "stdlib"
BACKENDS = ["c", "cffi", "ctypes"]
MAX_KNOWN = 6
MAX_SIMULATED = 20
#: Seconds for one test. The child gives the test up, and goes on with the next one.
TEST_TIMEOUT = 120
#: What the child says of such a test.
GIVEN_UP = "TestTimeout: the test takes too long"
#: How often the baseline runs the tests again that did not pass here, to see whether it passes them always.
CHECKS = 3

# The parts of the multiprocessing tests that are about connections and listeners.
CONNECTIONS = [
    *("*Test*Connection*", "*TestListener*", "*TestPoll*", "*TestWait*", "*.OtherTest.*", "*ChallengeResponse*"),
    *("*.TestInvalidFamily.*", "*.TestSyncManagerTypes.*", "*TestRemoteManager*", "*TestManagerRestart*"),
]

#: The test modules, each with the patterns of the tests that matter (none: all of them). An interpreter that lacks one
#: lacks it: Debian's packages and pyenv leave out different ones.
FILES: dict[str, list[str]] = {
    **{
        f"test_{name}": []
        for name in (
            "socket timeout socketserver selectors select poll epoll ssl httplib ftplib smtplib poplib imaplib"
            " urllib2_localnet xmlrpc wsgiref httpservers logging"
        ).split()
    },
    **{
        f"test_asyncio.test_{name}": []
        for name in (
            "sock_lowlevel selector_events streams server events base_events sendfile unix_events ssl sslproto"
            " buffered_proto"
        ).split()
    },
    # One module up to 3.11, later a package of them.
    **{
        f"test_multiprocessing_{method}{module}": CONNECTIONS
        for method in ("spawn", "fork", "forkserver")
        for module in ("", ".test_processes", ".test_threads", ".test_manager", ".test_misc")
    },
}

#: What is safe where the tests could reach the internet: all but "network" and "urlfetch".
OFFLINE = ["audio", "cpu", "curses", "decimal", "largefile", "subprocess", "tzdata", "walltime"]
#: These need "network" to run at all, and do not leave the machine.
LOCAL_NETWORK = {"test_socketserver"}


def python_name() -> str:
    """What the running interpreter is called in known.toml."""
    prefix = "pypy" if platform.python_implementation() == "PyPy" else ""
    return f"{prefix}{sys.version_info[0]}.{sys.version_info[1]}"


# --- the network ------------------------------------------------------------------------------------------------


def isolate() -> bool:
    """Takes this process into a network of its own with nothing but a loopback that is up; says whether it worked."""
    # First in a child: a namespace that cannot be completed is no place to stay.
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(OSError, AttributeError):
            enter_namespace()
            status = 0
        os._exit(status)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        return False
    enter_namespace()
    return True


def enter_namespace() -> None:
    new_user, new_network = 0x10000000, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(new_network if user == 0 else new_user | new_network):
        raise OSError(ctypes.get_errno(), "unshare")
    if user != 0:
        # The same numbers inside: the tests run as who they are.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = bytearray(struct.pack("16sH22x", b"lo", 0))
        fcntl.ioctl(any_socket, get_flags, request)
        (flags,) = struct.unpack_from("H", request, 16)
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH22x", b"lo", flags | up))


# --- one file on one target -------------------------------------------------------------------------------------


class Runner:
    """Runs test files in child processes."""

    def __init__(self, logs: Path, timeout: float, offline: bool) -> None:
        self.logs = logs
        self.timeout = timeout
        self.offline = offline
        self.alive: set[int] = set()
        self.lock = threading.Lock()
        self.stopped = False

    def environment(self, target: str, folder: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            # Only what says which interpreter this is may differ from the one that the tests expect.
            if not (name.startswith("PYTHON") and name != "PYTHON_GIL")
            and not name.lower().endswith("_proxy")
            and not name.startswith(("SOCKET_BACKEND", "SOCKETPKG_"))
        }
        kept.update(TMPDIR=folder, PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=str(HERE / "bootstrap"))
        if target != STDLIB:
            kept.update(SOCKETPKG_CONFORMANCE="1", SOCKET_BACKEND=target)
        return kept

    def __call__(
        self, target: str, file: str, only: list[str] | None = None, without: list[str] | None = None, note: str = ""
    ) -> dict:
        """The result of a file, or of some of its tests: how it ended, and each test's outcome."""
        # Short, for there are addresses of Unix sockets in it.
        folder = tempfile.mkdtemp(prefix="conf")
        log = self.logs / f"{file}-{target}{note}.log"
        results = Path(folder, "results")
        work = Path(folder, "w")
        work.mkdir()
        options = {"timeout": self.timeout - 10, "patterns": FILES.get(file), "only": only, "without": without}
        if self.offline:
            options["resources"] = OFFLINE + (["network"] if file in LOCAL_NETWORK else [])
        # -bb and -W default as in CPython's own runs.
        command = [
            *(sys.executable, "-bb", "-W", "default", "-X", "faulthandler"),
            *(str(HERE / "child.py"), target, f"test.{file}", str(results), json.dumps(options)),
        ]
        started = time.monotonic()
        try:
            with log.open("wb") as output:
                state = self.run(command, work, self.environment(target, str(work)), output, results)
            lines = results.read_text().splitlines() if results.exists() else []
            result = digest(lines, state)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        result.update(seconds=round(time.monotonic() - started, 1), log=str(log))
        if not result["tests"] and result["state"] != "ended":
            result["state"] += ": " + log.read_text(errors="replace")[-2000:]
        return result

    def run(
        self, command: list[str], folder: Path, environment: dict[str, str], output: BinaryIO, results: Path
    ) -> str:
        """Runs it in a process group, of which nothing is left when this returns."""
        process = None
        try:
            with self.lock:
                if self.stopped:
                    return "not started"
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self.alive.add(process.pid)
            status = self.wait(process, results)
        except subprocess.TimeoutExpired:
            return f"timed out after {self.timeout:.0f} s"
        finally:
            if process is not None:
                kill_group(process.pid)
                process.wait()
                with self.lock:
                    self.alive.discard(process.pid)
        if status < 0:
            with contextlib.suppress(ValueError):
                return f"died of {signal.Signals(-status).name}"
        return "ended" if status == 0 else f"exit status {status}"

    def wait(self, process: subprocess.Popen[bytes], results: Path) -> int:
        """Waits for its end, and tells it when a test takes too long."""
        deadline = time.monotonic() + self.timeout
        size, since = -1, time.monotonic()
        while True:
            try:
                return process.wait(min(1, max(0, deadline - time.monotonic())))
            except subprocess.TimeoutExpired:
                now = time.monotonic()
                if now >= deadline:
                    raise
            # There is a line at the start and at the end of each test.
            written = results.stat().st_size if results.exists() else 0
            if written != size:
                size, since = written, now
            elif written and now - since >= TEST_TIMEOUT:
                process.send_signal(signal.SIGUSR2)
                since = now

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            for pid in self.alive:
                kill_group(pid)


def kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def digest(lines: list[str], state: str) -> dict:
    """What the lines of a child say."""
    tests: dict[str, dict] = {}
    planned: list[str] = []
    current, ended = None, False
    for text in lines:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # the last one of a process that was killed
        if "start" in line:
            current = line["start"]
        elif "tests" in line:
            planned = line["tests"]
        elif "id" in line:
            entry = {key: line[key] for key in ("outcome", "detail", "fixture") if line.get(key)}
            before = tests.get(line["id"])
            if before is None or before["outcome"] != "failed":  # a fixture of a class can fail twice
                tests[line["id"]] = entry
            current = None
        elif "end" in line:
            ended = True
    if state == "ended" and not ended:
        state = "ended early"
    if current is not None and state != "ended":
        tests[current] = {"outcome": "failed", "detail": f"the process {state} in this test"}
    return {"state": state, "planned": planned, "tests": tests}


def counts(result: dict) -> dict[str, int]:
    """Run, passed, failed, skipped: a test is run if it is not skipped. A fixture counts only if it failed."""
    outcomes = [
        test["outcome"] for test in result["tests"].values() if not test.get("fixture") or test["outcome"] == "failed"
    ]
    numbers = {outcome: outcomes.count(outcome) for outcome in ("passed", "failed", "skipped")}
    return {"run": numbers["passed"] + numbers["failed"], **numbers}


# --- the verdict ------------------------------------------------------------------------------------------------


def outcome(result: dict, test: str) -> str:
    return result["tests"].get(test, {"outcome": "not run"})["outcome"]


def hung(result: dict) -> list[str]:
    """The tests that the child gave up."""
    return [name for name, test in result["tests"].items() if GIVEN_UP in test.get("detail", "")]


def regressions(baseline: dict, ours: dict) -> list[str]:
    """The tests that are worse here: not passed though the baseline passes them, or failed and unknown to it."""
    found = []
    for test in dict.fromkeys([*baseline["tests"], *ours["tests"]]):
        there, here = outcome(baseline, test), outcome(ours, test)
        if (there == "passed" and here != "passed") or (here == "failed" and there == "not run"):
            found.append(test)
    return found


def doubtful(baseline: dict, ours: dict) -> list[str]:
    """The tests for which it matters whether the baseline always does what it did: those that failed here."""
    return [
        name
        for name, test in ours["tests"].items()
        if test["outcome"] == "failed"
        and outcome(baseline, name) in ("passed", "failed")
        # What hung there will do so again.
        and name not in hung(baseline)
    ]


def read_known(path: Path, python: str, most: int = MAX_KNOWN) -> dict[str, dict]:
    """The tests that may fail on this Python: the name of the test, and the reason and the backends."""
    known: dict[str, dict] = {}
    for name, entries in tomllib.loads(path.read_text()).items():
        if len(entries) > most:
            sys.exit(f"{path}: more than {most} lines for {name}")
        for test, value in entries.items():
            entry = {"reason": value} if isinstance(value, str) else value
            if not entry.get("reason") or set(entry) - {"reason", "backends", "steady"}:
                sys.exit(f"{path}: {test}: wants a reason, and at most a list of backends and steady beside it")
            if name == python:
                known[test] = {"backends": BACKENDS, **entry}
    return known


def known_here(path: Path, python: str, backend: str) -> dict[str, dict]:
    """The tests that may fail on this Python and backend; on a simulated network those of its own list too."""
    known = read_known(path, python)
    if "sim" in backend.split("+"):
        more = read_known(HERE / "simulated.toml", python, MAX_SIMULATED)
        known |= {test: {**entry, "simulated": True} for test, entry in more.items()}
    names = {backend, backend.rpartition("+")[2]}
    return {test: entry for test, entry in known.items() if names & set(entry["backends"])}


def compare_results(file: str, baseline: dict, ours: dict, known: dict[str, dict], unstable: dict[str, str]) -> dict:
    """What is wrong with a file's result, test by test."""
    problems = {}
    if baseline["state"] != "ended":
        problems[f"test.{file}"] = f"the baseline gives nothing to compare with, it {baseline['state']}"
    if ours["state"] != "ended":
        problems[f"test.{file} (process)"] = f"it {ours['state']}"
        if baseline["state"] == ours["state"] and not ours["tests"]:
            del problems[f"test.{file} (process)"]
    worse = regressions(baseline, ours)
    for test in worse:
        if test not in known and test not in unstable:
            detail = ours["tests"].get(test, {}).get("detail", "")
            problems[test] = f"{outcome(baseline, test)} in the baseline, {outcome(ours, test)} here\n{detail}".rstrip()
    for test, entry in known.items():
        # AF_VSOCK is not on every machine.
        unjudged = (entry.get("simulated") and outcome(baseline, test) != "passed") or not entry.get("steady", True)
        if test.startswith(f"test.{file}.") and test not in worse and not unjudged:
            problems[test] = f"listed as failing ({entry['reason']}), but {outcome(ours, test)} here"
    return {
        "problems": problems,
        "known": {test: known[test]["reason"] for test in worse if test in known},
        "hung": [test for test in hung(baseline) if outcome(ours, test) == "not run"],
        "unstable": {test: unstable[test] for test in doubtful(baseline, ours) if test in unstable},
        **{
            kind: [
                test for test in ours["tests"] if outcome(ours, test) == "failed" and outcome(baseline, test) == there
            ]
            for kind, there in (("shared", "failed"), ("unjudged", "skipped"))
        },
    }


# --- the run ----------------------------------------------------------------------------------------------------


def is_there(name: str) -> bool:
    """Does the interpreter have this test file? Without importing it, or the packages above it."""
    spec = importlib.util.find_spec("test")
    folders = [] if spec is None else spec.submodule_search_locations or []
    path = name.replace(".", "/")
    return any(Path(folder, end).exists() for folder in folders for end in (f"{path}.py", f"{path}/__init__.py"))


def existing(chosen: list[str]) -> tuple[list[str], list[str]]:
    """The files to run, and those that the interpreter lacks."""
    wanted = []
    for pattern in chosen or ["*"]:
        pattern = pattern.removeprefix("test.").removesuffix(".py").replace("/", ".")
        matching = [name for name in FILES if fnmatch.fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")]
        if not matching and not is_there(pattern):
            sys.exit(f"there is no test file {pattern!r}")
        wanted += matching or [pattern]
    there, missing = [], []
    for name in dict.fromkeys(wanted):
        if not is_there(name):
            missing.append(name)
        # A package of test files has no tests of its own.
        elif not any(other.startswith(f"{name}.") and is_there(other) for other in FILES):
            there.append(name)
    return there, missing


def check_baseline(
    run: Runner, pool: concurrent.futures.Executor, judge: str, pairs: dict[str, tuple[dict, dict]]
) -> dict[str, str]:
    """Which of the tests that failed here does the baseline not always pass, or not always fail?

    Only the judge is asked again: what failed here once has failed. A test that the standard library's own module does
    not always pass says nothing about ours.
    """
    unstable = {}
    jobs = []
    for file, (baseline, ours) in pairs.items():
        only = doubtful(baseline, ours)
        if only and baseline["state"] == "ended":
            jobs += [
                (file, baseline, only, pool.submit(run, judge, file, only, note=f"-again{number}"))
                for number in range(1, CHECKS + 1)
            ]
    for _, baseline, only, job in jobs:
        again = job.result()
        for test in only:
            first, then = outcome(baseline, test), outcome(again, test)
            if then != first and then in ("passed", "failed"):
                unstable[test] = f"the baseline {first} it, and {then} it when it ran again"
    return unstable


def table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)


def stack(name: str) -> str:
    """A backend, or layers over one that is named: which backend it is decides what is known of it."""
    if name.rpartition("+")[2] not in BACKENDS:
        raise argparse.ArgumentTypeError(f"{name!r} does not end in one of {', '.join(BACKENDS)}")
    return name


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="the interpreter's own tests of sockets, on socketpkg")
    parser.add_argument("files", nargs="*", metavar="FILE", help="test_socket, test_asyncio, 'test_multi*', ...")
    parser.add_argument("--backend", required=True, type=stack, help="c, cffi, ctypes, or layers over one (null+c)")
    parser.add_argument(
        "--judge", default=STDLIB, choices=[STDLIB, *BACKENDS], help="whose result counts (%(default)s)"
    )
    parser.add_argument("--report", type=Path, default=Path("conformance.json"), help="where the JSON goes")
    parser.add_argument("--baseline", type=Path, help="the baseline of this run: it lacks nothing afterwards")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one file (%(default)s)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes (%(default)s)")
    parser.add_argument("--known", type=Path, default=HERE / "known.toml", help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="name the files that this interpreter has, and stop")
    return parser.parse_args(arguments)


def read_baseline(path: Path | None, judge: str) -> dict[str, dict]:
    if path is None or not path.exists():
        return {}
    saved = json.loads(path.read_text())
    if saved["python"] != sys.version:
        sys.exit(f"{path} is the baseline of another Python: {saved['python']}")
    if saved["judge"] != judge:
        sys.exit(f"{path} is the baseline of another judge: {saved['judge']}")
    files: dict[str, dict] = saved["files"]
    return files


def write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def main() -> int:
    options = parse()
    files, missing = existing(options.files)
    if options.list:
        print(*files, sep="\n")
        return 0
    python, backend, judge = python_name(), options.backend, options.judge
    # What no backend can pass, a backend that is the judge does not pass either.
    known = known_here(options.known, python, backend) if judge == STDLIB else {}
    isolated = isolate()
    if not isolated:
        print(
            "conformance: no network namespace could be made (that takes root, or user namespaces): the tests run on"
            " the machine's own network, without those that would leave it, such as most of test_timeout.",
            file=sys.stderr,
        )
    logs = options.report.absolute().with_suffix(".logs")
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    # An end from outside takes the children along, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    # Ignored, as a shell has it for what runs in its background, the children would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = Runner(logs, options.timeout, not isolated)
    baselines = read_baseline(options.baseline, judge)
    print(f"{platform.python_implementation()} {platform.python_version()}, {backend}, judged by {judge}", flush=True)

    def both(file: str) -> dict:
        # One after the other: the ports of VSOCK are the machine's, whatever the network namespace.
        if file not in baselines:
            baselines[file] = run(judge, file)
        # What hangs on the standard library's module is nothing to wait for again, and nothing to judge by.
        return run(backend, file, without=hung(baselines[file]))

    pairs: dict[str, tuple[dict, dict]] = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        try:
            started = {file: pool.submit(both, file) for file in files}
            for file, job in started.items():
                ours = job.result()
                pairs[file] = (baselines[file], ours)
                numbers = counts(ours)
                shown = ", ".join(f"{number} {name}" for name, number in numbers.items())
                print(f"{file}: {shown} ({ours['seconds']} s, {ours['state'].partition(':')[0]})", flush=True)
                for test in regressions(*pairs[file]):
                    print(f"    {outcome(ours, test)} here, {outcome(baselines[file], test)} there: {test}", flush=True)
            unstable = check_baseline(run, pool, judge, pairs)
        except BaseException:
            run.stop()
            pool.shutdown(cancel_futures=True)
            raise
    if options.baseline is not None:
        write(options.baseline, {"python": sys.version, "judge": judge, "files": baselines})

    verdicts = {file: compare_results(file, *pair, known, unstable) for file, pair in pairs.items()}
    names = ["run", "passed", "failed", "skipped"]
    rows = [["", judge, *names, backend, *names, "worse"]]
    totals = [[0] * 4, [0] * 4]
    for file, pair in pairs.items():
        row = [file]
        for total, result in zip(totals, pair, strict=True):
            numbers = list(counts(result).values())
            total[:] = [before + number for before, number in zip(total, numbers, strict=True)]
            row += ["", *map(str, numbers)]
        rows.append([*row, str(len(verdicts[file]["problems"]))])
    problems = {test: text for verdict in verdicts.values() for test, text in verdict["problems"].items()}
    rows.append(["all", "", *map(str, totals[0]), "", *map(str, totals[1]), str(len(problems))])
    print()
    print(table(rows))
    for kind, title in (
        ("shared", "failed in the baseline, too"),
        ("hung", "hung in the baseline, and was not run here"),
        ("unjudged", "failed, and the baseline skips it"),
        ("unstable", "not counted: the baseline is not stable"),
        ("known", "failed as listed"),
    ):
        for verdict in verdicts.values():
            for test in verdict[kind]:
                print(f"{title}: {test}" + (f": {verdict[kind][test]}" if kind in ("unstable", "known") else ""))
    if missing:
        print(f"not on this Python: {', '.join(missing)}")
    for test, text in problems.items():
        print(f"\nWORSE: {test}: {text}")
    write(
        options.report,
        {
            "python": sys.version,
            "backend": backend,
            "isolated": isolated,
            "missing": missing,
            "judge": judge,
            "total": {judge: totals[0], backend: totals[1]},
            "files": {
                file: {
                    judge: {**counts(pair[0]), **pair[0]},
                    backend: {**counts(pair[1]), **pair[1]},
                    **verdicts[file],
                }
                for file, pair in pairs.items()
            },
        },
    )
    print(f"\n{len(problems)} worse than the baseline. The report: {options.report.absolute()}; the output: {logs}")
    return 1 if problems or not totals[1][0] else 0


if __name__ == "__main__":
    sys.exit(main())
