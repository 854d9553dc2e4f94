"""What every test of the project has: a header that says what is being tested, and a check that nothing is left behind.

The module under test is named by ``SOCKETPKG_TEST_TARGET``: ``socketpkg`` (when unset), with the backend that
``SOCKET_BACKEND`` names; ``stdlib``, the interpreter's own ``socket`` as the control of the shared suite; or, for that
suite too, a vendored copy by the name that it is imported by, such as ``myapp._vendor.socketpkg``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

# PyPy finalises in rounds: an object that a finaliser let go of needs another one.
COLLECTIONS = 4 if platform.python_implementation() == "PyPy" else 1
THREAD_GRACE = 10.0


def _target() -> str:
    return os.environ.get("SOCKETPKG_TEST_TARGET") or "socketpkg"


def _gil_state() -> str:
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "with GIL"
    return "GIL on" if getattr(sys, "_is_gil_enabled", lambda: True)() else "GIL off"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "socketpkg_only: what the standard library lacks; deselected for the control")
    config.addinivalue_line("markers", "keeps_descriptors: opens descriptors that the process keeps on purpose")
    config.addinivalue_line("markers", "keeps_threads: the test starts threads that outlive it on purpose")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell without job control starts what runs in its background so, and the programs that the tests interrupt
        # would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    target = _target()
    named = (os.environ.get("SOCKET_BACKEND") or "").strip() if target == "socketpkg" else target != "stdlib"
    if named:
        # A backend or a copy that was asked for and is not there is a failure, never a skip.
        try:
            importlib.import_module(target)
        except ImportError as error:
            raise pytest.UsageError(f"what was asked for cannot be tested: {error}") from error


def pytest_report_header(config: pytest.Config) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}, {_gil_state()}"
    if _target() == "stdlib":
        return f"target: the standard library's socket ({python})"
    target = _target()
    try:
        module = importlib.import_module(target)
    except ImportError as error:
        return f"target: {target}, which cannot be imported: {error} ({python})"
    version = getattr(module, "__version__", "unknown")
    return f"target: {target} {version}, backend {module.__backend__} ({python}), from {module.__file__}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _target() != "stdlib":
        return
    extra = [item for item in items if item.get_closest_marker("socketpkg_only")]
    if extra:
        config.hook.pytest_deselected(items=extra)
        items[:] = [item for item in items if not item.get_closest_marker("socketpkg_only")]


#: Where a sanitizer writes to (nox -s sanitize).
SANITIZER_LOGS = tuple(re.findall("log_path=([^:]+)", os.environ.get("ASAN_OPTIONS", "")))


def _open_descriptors() -> dict[int, str]:
    """Each open descriptor with what it leads to; empty where the system has no way to list them."""
    try:
        names = os.listdir("/proc/self/fd")
    except FileNotFoundError:
        return {}
    found = {}
    for name in names:
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the descriptor with which the folder itself was read
        # libffi keeps its own file open from the first callback on, where its trampolines are static; a sanitizer keeps
        # what it writes to.
        if "libffi" not in target and not target.startswith(SANITIZER_LOGS):
            found[int(name)] = target
    return found


def _collect() -> None:
    for _ in range(COLLECTIONS):
        gc.collect()


@pytest.fixture(autouse=True)
def no_leftovers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a thread running or a descriptor open."""
    threads = set(threading.enumerate())
    descriptors = _open_descriptors()
    yield
    if not request.node.get_closest_marker("keeps_threads"):
        deadline = time.monotonic() + THREAD_GRACE
        while (running := set(threading.enumerate()) - threads) and time.monotonic() < deadline:
            for thread in running:
                try:
                    thread.join(max(0.0, deadline - time.monotonic()))
                except RuntimeError:
                    # The handler of a signal raised in its start(), and it has not come to run yet.
                    time.sleep(0.001)
        left = [thread.name for thread in set(threading.enumerate()) - threads]
        assert not left, f"threads left running: {left}"
    if not request.node.get_closest_marker("keeps_descriptors"):
        leaked = sorted(set(_open_descriptors().items()) - set(descriptors.items()))
        if leaked:
            # What a cycle or PyPy still holds goes now, and warns if it was a socket that nobody had closed.
            _collect()
            deadline = time.monotonic() + THREAD_GRACE
            while leaked := sorted(set(_open_descriptors().items()) - set(descriptors.items())):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.005)  # a thread may be about to close it
        assert not leaked, f"descriptors left open: {leaked}"


@pytest.fixture
def alarms() -> Iterator[Callable[..., list[int]]]:
    """Starts a timer whose signals come again and again; gives the list that grows with each of them.

    ``call`` is what the handler does at every signal, ``once`` what it does at one: the first that finds ``after`` of
    them in the list. A handler is entered anew while it runs, wherever Python looks for signals; if it compared the
    list's length with a number, it could find that number twice or never.
    """
    before = signal.getsignal(signal.SIGALRM)

    def start(
        interval: float = 0.02,
        call: Callable[[], object] | None = None,
        once: Callable[[], object] | None = None,
        after: int = 3,
    ) -> list[int]:
        seen: list[int] = []
        turns = itertools.count()

        def handler(number: int, frame: object) -> None:
            seen.append(number)
            if call is not None:
                call()
            if once is not None and len(seen) >= after and next(turns) == 0:
                once()

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, interval, interval)
        return seen

    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def interruption() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """Makes a ``with`` in which a signal comes whose handler raises what it is given, and after which none comes.

    It stands behind the ``pytest.raises``: on a busy machine the signal can come before anything else happens.
    """

    @contextlib.contextmanager
    def interrupt(error: Callable[[], BaseException]) -> Iterator[None]:
        def handler(number: int, frame: object) -> None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise error()

        before = signal.signal(signal.SIGALRM, handler)
        try:
            # Again and again: one that comes just before a system call does not interrupt it.
            signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return interrupt


class Strace:
    """Watches which sockets a command and its children make."""

    def __init__(self, tracer: list[str], path: Path) -> None:
        self._tracer = tracer
        self._path = path

    def command(self, words: list[str]) -> list[str]:
        """The command that does what *words* do, and is watched."""
        return [*self._tracer, "-o", str(self._path), *words]

    def families(self) -> set[str]:
        """The address families of the sockets that were made."""
        return set(re.findall(r"\bsocket(?:pair)?\((AF_\w+)", self._path.read_text(errors="replace")))


@pytest.fixture
def strace(tmp_path: Path) -> Strace:
    """What sockets programs make, by strace; the test is skipped where that is missing or may not trace."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not here")
    # With the filter in the kernel only those calls stop, and not each of them; older ones have not got it.
    for fast in (["--seccomp-bpf"], []):
        tracer = ["strace", "-f", *fast, "-q", "-e", "trace=socket,socketpair"]
        if subprocess.run([*tracer, "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0:
            return Strace(tracer, tmp_path / "calls")
    pytest.skip("strace may not trace here")


@pytest.fixture
def stop_before() -> Callable[..., bool]:
    """Runs an operation, and something else before one of its steps (of bytecode): see `_stop_before`."""
    if platform.python_implementation() != "CPython":
        pytest.skip("only CPython can be stopped before each step")
    return _stop_before


def _stop_before(step: int, operation: Callable[[], object], interruption: Callable[[], object], place: str) -> bool:
    """Runs *interruption* before the *step*-th step of *operation* in files whose path has *place* in it, counted from
    1; False when there are not so many. What the interruption raises, the step raises."""
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., object] | None:
        nonlocal steps
        if place not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            steps += 1
            if steps == step:
                sys.settrace(None)
                interruption()
        return trace

    # CPython 3.12 has no steps for a tracer that is set before the first frame has asked for them.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        operation()
    finally:
        sys.settrace(None)
    return steps >= step
