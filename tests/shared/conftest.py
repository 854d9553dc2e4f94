"""Fixtures of the shared suite: pairs of connected sockets, and a place for UNIX sockets."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .target import (
    IS_STDLIB,
    ON_SIM,
    PATIENCE,
    PYPY,
    full_backlog,
    requires_ipv6,
    socket,
    tcp_pair,
    udp_pair,
)

#: What PyPy's own module is known to do otherwise than CPython's: a name of a test (without parameters) in each line.
PYPY_DIFFERS = Path(__file__).with_name("pypy_control.txt")
#: What the layer sim does otherwise than the kernel: a reason in each comment, and the tests that show it below.
SIM_DIFFERS = Path(__file__).with_name("sim_differs.txt")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expects failures of PyPy's own module as the control; socketpkg has to pass the same tests on PyPy. On the layer
    sim those fail that are listed, and no others."""
    if ON_SIM:
        expect_differences_of_sim(items)
    if not (IS_STDLIB and PYPY):
        return
    lines = [line.split("#")[0].split() for line in PYPY_DIFFERS.read_text().splitlines()]
    known = {words[0]: words[1:] for words in lines if words}
    for item in items:
        name = f"{item.path.stem}::{getattr(item, 'originalname', item.name)}"
        if item.path.parent == PYPY_DIFFERS.parent and name in known:
            # Not strict, for a parameter more or less makes no difference here.
            mark = pytest.mark.xfail(reason="PyPy's own socket", strict=False, run="crash" not in known[name])
            item.add_marker(mark, append=False)


def expect_differences_of_sim(items: list[pytest.Item]) -> None:
    """Marks the tests in the list. One that passes all the same is a failure, unless its reason begins with Perhaps."""
    reasons: dict[str, str] = {}
    reason = ""
    for line in SIM_DIFFERS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            reason = line.strip("# ")
        elif line:
            reasons[line] = reason
    for item in items:
        if item.path.parent != SIM_DIFFERS.parent:
            continue
        for name in (item.name, getattr(item, "originalname", item.name)):
            if why := reasons.get(f"{item.path.stem}::{name}", ""):
                item.add_marker(pytest.mark.xfail(reason=why, strict=not why.startswith("Perhaps")), append=False)
                break


@pytest.fixture(scope="session", autouse=True)
def relay_of_sim() -> None:
    """The layer sim has a thread for connections that wait for room, from the first of them to the process's end."""
    if ON_SIM:
        with full_backlog():
            pass


#: Longer than any test waits for what must happen. What is built with sanitizers, or emulated, takes several times as
#: long.
BOUND = int(os.environ.get("SOCKETPKG_TEST_BOUND", "40"))


@pytest.fixture(autouse=True)
def bounded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ends a test that hangs. Those that want the alarm for themselves set it anew, and are bounded by the runner."""

    def give_up(number: int, frame: object) -> None:
        pytest.fail(f"the test did not end in {BOUND} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(BOUND)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """The two ends of a socketpair."""
    one, two = socket.socketpair()
    with one, two:
        yield one, two


@pytest.fixture
def tcp() -> Iterator[tuple[Any, Any]]:
    """A TCP client and the server's end of its connection."""
    with tcp_pair() as ends:
        yield ends


@pytest.fixture
def udp() -> Iterator[tuple[Any, Any]]:
    """Two bound UDP sockets with a timeout."""
    with udp_pair() as ends:
        yield ends


@pytest.fixture(params=["tcp", pytest.param("tcp6", marks=requires_ipv6), "unix"])
def stream(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """Two connected stream sockets of each family."""
    if request.param == "unix":
        one, two = socket.socketpair()
        with one, two:
            yield one, two
    else:
        with tcp_pair(socket.AF_INET6 if request.param == "tcp6" else socket.AF_INET) as ends:
            yield ends


@pytest.fixture
def sock() -> Iterator[Any]:
    """A TCP socket that nothing was done with."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as new:
        yield new


@pytest.fixture
def dgram() -> Iterator[Any]:
    """A UDP socket that nothing was done with."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as new:
        yield new


@pytest.fixture
def listener() -> Iterator[Any]:
    """A TCP socket that listens on the loopback, with a timeout."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as new:
        new.bind(("127.0.0.1", 0))
        new.listen()
        new.settimeout(PATIENCE)
        yield new


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder with a path short enough for the address of a UNIX socket."""
    path = Path(tempfile.mkdtemp(prefix="skt"))
    yield path
    shutil.rmtree(path)
