"""Names that take no longer than they may: `socketpkg.resolving`."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import MODULE, PATIENCE, Worker, extension, run_python, socket

pytestmark = pytest.mark.socketpkg_only
resolving: Any = extension("resolving")


@pytest.fixture(autouse=True)
def threads_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or each test would wait for them: none may leave one."""
    monkeypatch.setattr(extension("resolving"), "_IDLE", 0.02)


class Resolver:
    """Stands for a resolver that hangs: a name is answered once it is let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.error: Exception | None = None

    def __call__(self, *arguments: Any) -> Any:
        self.asked.append(arguments)
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", arguments[1]))]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    yield resolver
    resolver.gate.set()


def lookup(name: str, timeout: float | None = None) -> Any:
    return resolving.getaddrinfo(name, 80, timeout=timeout)


# -- what it gives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("localhost", 80),
        ("localhost", "http"),
        (b"localhost", None, 0, 1),
        ("127.0.0.1", 80),
        ("127.0.0.1", "80"),
        ("::1", 80, 0, 0, 0, 4),
        (None, 80),
        (None, 0, 2, 1, 6, 1),
    ],
)
@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_the_result_is_that_of_the_function_without_a_timeout(arguments: Any, timeout: float | None) -> None:
    assert resolving.getaddrinfo(*arguments, timeout=timeout) == socket.getaddrinfo(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("host.invalid.", 80, 0, 0, 0, 4),
        ("localhost", "no such service"),
        ("a" * 64 + ".é", 80),
        (7, 80),
        ("localhost", 1.5),
        ("localhost", 80, "family"),
        (bytearray(b"localhost"), 80),
        ("local\0host", 80),
    ],
)
def test_its_errors_are_those_of_the_function_without_a_timeout(arguments: Any) -> None:
    found: list[Any] = []
    for call in (socket.getaddrinfo, resolving.getaddrinfo):
        try:
            found.append(call(*arguments))
        except Exception as error:
            found.append((type(error), error.args))
    if isinstance(found[0], tuple) and found[0][0] in (TypeError, ValueError):
        assert found[0][0] is found[1][0]  # numbers of the family are looked at first
    else:
        assert found[0] == found[1]


def test_getnameinfo() -> None:
    for arguments in ((("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV), (("127.0.0.1", 80), 0)):
        assert resolving.getnameinfo(*arguments, timeout=PATIENCE) == socket.getnameinfo(*arguments)
    with pytest.raises(TypeError):
        resolving.getnameinfo(("127.0.0.1", "x"), 0)


@pytest.mark.parametrize(("timeout", "error"), [(-1, ValueError), ("1", TypeError), (float("nan"), ValueError)])
def test_wrong_timeouts(timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        lookup("localhost", timeout)


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 0.1, 1e-9])
def test_a_name_that_takes_too_long(hanging: Resolver, timeout: float) -> None:
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="timed out") as caught:
        lookup("slow.test", timeout)
    assert timeout <= time.monotonic() - begin < 10
    assert caught.value.address == ("slow.test", 80)
    assert caught.value.__notes__ == ["getaddrinfo ('slow.test', 80)"]


def test_a_numeric_host_needs_no_thread(hanging: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving.threading, "Thread", None)
    hanging.gate.set()
    assert lookup("192.0.2.1", 0)[0][4] == ("192.0.2.1", 80)


def test_the_same_question_is_asked_once(hanging: Resolver) -> None:
    workers = [Worker(lookup, "same.test", PATIENCE) for _ in range(8)]
    assert hanging.begun.acquire(timeout=PATIENCE)
    others = [Worker(lookup, "same.test"), Worker(resolving.getaddrinfo, "same.test", 81)]
    assert hanging.begun.acquire(timeout=PATIENCE)
    # One who has given up takes nothing from those who wait on.
    with pytest.raises(TimeoutError):
        lookup("same.test", 0.01)
    hanging.gate.set()
    results = [worker.result() for worker in [*workers, *others]]
    # Whoever came late may have begun a question of his own, so no exact count for each; but nothing like ten.
    assert 2 <= len(hanging.asked) <= 4
    assert results[0] == results[1]
    results[0].clear()
    assert results[1], "each has a list of its own"


def test_answers_are_not_kept(hanging: Resolver) -> None:
    hanging.gate.set()
    lookup("name.test")
    lookup("name.test")
    assert len(hanging.asked) == 2


def test_each_has_an_error_of_his_own(hanging: Resolver) -> None:
    hanging.error = socket.gaierror(socket.EAI_AGAIN, "try again")
    workers = [Worker(lookup, "same.test") for _ in range(2)]
    assert hanging.begun.acquire(timeout=PATIENCE)
    hanging.gate.set()
    errors = []
    for worker in workers:
        with pytest.raises(socket.gaierror, match="try again") as caught:
            worker.result()
        errors.append(caught.value)
        assert caught.value.errno == socket.EAI_AGAIN
    assert errors[0] is not errors[1]


def test_the_threads_are_bounded(hanging: Resolver) -> None:
    before = threading.active_count()
    for number in range(resolving.MAX_THREADS + 20):
        with pytest.raises(TimeoutError):
            lookup(f"n{number}.test", 0.005)
    assert threading.active_count() - before <= resolving.MAX_THREADS
    assert len(hanging.asked) <= resolving.MAX_THREADS
    # Questions that nobody waits for any more, and that no thread has begun, are forgotten.
    assert not resolving._threads.queue
    worker = Worker(lookup, "waits.test")
    hanging.gate.set()
    assert worker.result()


def test_a_thread_ends_when_it_is_idle(hanging: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "_IDLE", 0.05)
    hanging.gate.set()
    lookup("name.test")
    deadline = time.monotonic() + PATIENCE
    while resolving._threads.threads:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    lookup("name.test")


def test_no_thread_can_be_started(hanging: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving._begin_anew()

    def refuse(self: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(BlockingIOError):
            lookup("name.test", 1)
        assert not resolving._threads.open
    hanging.gate.set()
    assert lookup("name.test", PATIENCE)


@pytest.mark.parametrize("begun", [False, True])
def test_a_start_that_a_signal_ends_takes_up_no_thread(
    hanging: Resolver, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """Before the thread is there, and after."""
    resolving._begin_anew()
    start = threading.Thread.start

    def interrupted(self: Any) -> None:
        if begun:
            start(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        for _ in range(resolving.MAX_THREADS):
            with pytest.raises(KeyboardInterrupt):
                lookup("name.test", 1)
    assert not resolving._threads.threads
    hanging.gate.set()
    assert lookup("name.test", PATIENCE)


def test_an_error_leaves_no_cycle(hanging: Resolver) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                lookup("slow.test", 0.001)
        del _
    finally:
        gc.enable()


# -- signals, forks, ends ----------------------------------------------------------------------------------------------


def test_ctrl_c_works_at_once(hanging: Resolver, interruption: Callable[..., Any]) -> None:
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interruption(KeyboardInterrupt):
        lookup("slow.test")
    assert time.monotonic() - begin < 10


def test_signals_do_not_end_it(hanging: Resolver, alarms: Callable[..., list[int]]) -> None:
    seen = alarms(0.02, once=hanging.gate.set)
    assert lookup("slow.test", PATIENCE)
    assert len(seen) >= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_begins_with_no_threads(hanging: Resolver) -> None:
    worker = Worker(lookup, "parents.test")
    assert hanging.begun.acquire(timeout=PATIENCE)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(20)
            hanging.gate = threading.Event()
            hanging.gate.set()
            # The parent's question is open for ever here; the child has to ask it anew.
            status = 0 if lookup("parents.test", 10) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    hanging.gate.set()
    assert worker.result()


def test_a_program_ends_while_a_name_is_looked_up() -> None:
    printed = run_python(
        f"""
        import threading, time
        import {MODULE}.resolving as resolving
        socket.getaddrinfo = lambda *arguments: time.sleep(1000)
        try:
            resolving.getaddrinfo("slow.test", 80, timeout=0.05)
        except TimeoutError as error:
            print(error)
        """
    )
    assert printed == "timed out\n"


HANGING_SERVER = """
    import socket as stdlib, subprocess, sys, time
    import {module} as socket, {module}.resolving as resolving, {module}.connecting as connecting
    server = stdlib.socket(stdlib.AF_INET, stdlib.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))  # it takes questions and never answers
    begin = time.monotonic()
    for call in (
        lambda: resolving.getaddrinfo("slow.example.com", 80, timeout=0.3),
        lambda: connecting.create_connection(("slow.example.com", 80), timeout=0.3),
    ):
        try:
            call()
        except TimeoutError as error:
            print(error, error.address)
    assert 0.6 <= time.monotonic() - begin < 9, time.monotonic() - begin
    server.settimeout(5)
    assert b"slow" in server.recv(512)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0 or shutil.which("unshare") is None,
    reason="only root can give a process another name server",
)
def test_a_name_server_that_hangs(tmp_path: Any) -> None:
    """The C library's own resolver, with a name server on the loopback that never answers."""
    config = tmp_path / "resolv.conf"
    config.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:1\n")
    switch = tmp_path / "nsswitch.conf"
    switch.write_text("hosts: files dns\n")
    commands = f"""
        ip link set lo up
        mount --bind {config} /etc/resolv.conf
        if [ -e /etc/nsswitch.conf ]; then mount --bind {switch} /etc/nsswitch.conf; fi
        exec "$0" -c "$1"
    """
    program = textwrap.dedent(HANGING_SERVER.format(module=MODULE))
    done = subprocess.run(
        ["unshare", "-n", "-m", "sh", "-ec", commands, sys.executable, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr}")
    assert done.stderr == ""
    assert done.stdout == "timed out ('slow.example.com', 80)\n" * 2
