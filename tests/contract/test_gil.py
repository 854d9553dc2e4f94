"""Which calls keep the GIL. Another thread tells: it runs only when a call gives it up, and hands it back at once."""

from __future__ import annotations

import os
import shutil
import socket as stdlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socketpkg import backends

from .conftest import BOUND, Descriptors

SECOND = 1_000_000_000
LITTLE, MUCH = 1_000, 65_536
#: How often a call is made that must never give the GIL up, and at most one that must. The other thread may need more
#: time to wake up than the call takes, so once is not enough.
NEVER, AT_MOST = 5_000, 50_000

pytestmark = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this interpreter has no GIL to keep"
)


def keep_gil_for(syscalls: Any, budget: int) -> None:
    """Sets a fixed budget in nanoseconds, 0 for what a thread finds out itself. ctypes has none: it always keeps it."""
    set_budget = getattr(sys.modules[syscalls.whole.__module__], "keep_gil_for", None)
    if set_budget is not None:
        set_budget(budget)


@pytest.fixture
def turns(syscalls: Any) -> Iterator[Callable[[], int]]:
    """How often the other thread has run. No thread takes the GIL away from another one while this lasts, and the
    budget of kept time has no end."""
    if "keeps-gil" not in syscalls.features:
        pytest.skip("this backend gives the GIL up in every call")
    count, ended = 0, False
    keep_gil_for(syscalls, 10**18)

    def run() -> None:
        nonlocal count
        while not ended:
            count += 1
            os.sched_yield()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1_000)
    thread = threading.Thread(target=run)
    thread.start()
    yield lambda: count
    ended = True
    thread.join()
    keep_gil_for(syscalls, 0)
    sys.setswitchinterval(before)


def send_and_receive(syscalls: Any, one: int, two: int, timeout: int) -> None:
    syscalls.send(one, b"x", 0, timeout)
    syscalls.recv(two, LITTLE, 0, timeout)


def send_all_and_receive_into(syscalls: Any, one: int, two: int, timeout: int) -> None:
    syscalls.sendall(one, b"x", 0, timeout)
    syscalls.recv_into(two, bytearray(LITTLE), 0, 0, timeout)


def ask_for_much_and_get_little(syscalls: Any, one: int, two: int, timeout: int) -> None:
    syscalls.send(one, b"x", 0, timeout)
    syscalls.recv(two, MUCH, 0, timeout)


def names(syscalls: Any, one: int, two: int, timeout: int) -> None:
    syscalls.send(one, b"x", 0, timeout)
    syscalls.recvfrom(two, LITTLE, 0, timeout)
    syscalls.getsockname(one)
    syscalls.getpeername(one)


def messages(syscalls: Any, one: int, two: int, timeout: int) -> None:
    syscalls.sendmsg(one, (b"x", b"y"), (), 0, b"", timeout)
    syscalls.recvmsg(two, LITTLE, 64, 0, timeout)


def options(syscalls: Any, one: int, two: int, timeout: int) -> None:
    syscalls.setsockopt_int(one, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE, 1)
    syscalls.getsockopt_int(one, stdlib.SOL_SOCKET, stdlib.SO_KEEPALIVE)


@pytest.mark.parametrize("timeout", [-1, 20 * SECOND], ids=["blocking", "with a timeout"])
@pytest.mark.parametrize(
    "call", [send_and_receive, send_all_and_receive_into, ask_for_much_and_get_little, names, messages, options]
)
def test_what_cannot_block_keeps_it(
    syscalls: Any, fds: Descriptors, turns: Callable[[], int], call: Callable[..., None], timeout: int
) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    call(syscalls, one, two, timeout)
    before = turns()
    for _ in range(NEVER):
        call(syscalls, one, two, timeout)
    assert turns() == before


def test_what_finds_nothing_keeps_it(syscalls: Any, fds: Descriptors, turns: Callable[[], int]) -> None:
    _, two = fds.pair(blocking=False)
    before = turns()
    for _ in range(NEVER):
        with pytest.raises(BlockingIOError):
            syscalls.recv(two, LITTLE, 0, 0)
    assert turns() == before


@pytest.mark.parametrize("timeout", [-1, 20 * SECOND], ids=["blocking", "with a timeout"])
@pytest.mark.parametrize("direction", ["send", "receive"])
def test_what_copies_much_gives_it_up(
    syscalls: Any, fds: Descriptors, turns: Callable[[], int], direction: str, timeout: int
) -> None:
    one, two = fds.pair(blocking=timeout < 0)
    size = 2 * MUCH
    for fd in (one, two):
        syscalls.setsockopt_int(fd, stdlib.SOL_SOCKET, stdlib.SO_SNDBUF, 8 * size)
    data, room = bytes(size), bytearray(size)
    for _ in range(AT_MOST):
        before = turns()
        sent = syscalls.send(one, data, 0, timeout)
        between = turns()
        received = 0
        while received < sent:
            received += syscalls.recv_into(two, room, 0, 0, timeout)
        after = turns()
        if before != between if direction == "send" else between != after:
            return
    pytest.fail("the other thread has never run")


def test_a_receive_that_has_brought_much_and_then_little_keeps_it_again(
    syscalls: Any, fds: Descriptors, turns: Callable[[], int]
) -> None:
    one, two = fds.pair()
    data = bytes(MUCH)
    syscalls.setsockopt_int(one, stdlib.SOL_SOCKET, stdlib.SO_SNDBUF, 8 * MUCH)
    for _ in range(3):
        syscalls.sendall(one, data, 0, -1)
        received = 0
        while received < MUCH:
            received += len(syscalls.recv(two, MUCH, 0, -1))
    ask_for_much_and_get_little(syscalls, one, two, -1)
    before = turns()
    for _ in range(NEVER):
        ask_for_much_and_get_little(syscalls, one, two, -1)
    assert turns() == before


def test_what_waits_gives_it_up(syscalls: Any, fds: Descriptors, turns: Callable[[], int]) -> None:
    _, two = fds.pair(blocking=False)
    before = turns()
    # On a busy machine the other thread may have no core for longer than one wait.
    for _ in range(100):
        with pytest.raises(TimeoutError):
            syscalls.recv(two, LITTLE, 0, SECOND // 20)
        if turns() > before:
            return
    pytest.fail("the other thread has never run")


@pytest.mark.parametrize("timeout", [-1, 0, 20 * SECOND], ids=["blocking", "never waits", "with a timeout"])
def test_what_no_flag_keeps_from_blocking_gives_it_up(
    syscalls: Any, fds: Descriptors, turns: Callable[[], int], timeout: int
) -> None:
    """accept and connect: O_NONBLOCK is no argument of theirs, and others can clear it."""
    listener, address = fds.listener(blocking=timeout < 0)
    calls = {"connect": 0, "accept": 0}
    for _ in range(AT_MOST):
        client = fds.socket()
        before = turns()
        assert syscalls.connect(client, address, -1) == 0
        between = turns()
        connection, _ = syscalls.accept(listener, timeout)
        calls["connect"] += between != before
        calls["accept"] += turns() != between
        os.close(connection)
        fds.close(client)
        if all(calls.values()):
            return
    pytest.fail(f"the other thread has run so often: {calls}")


def test_a_thread_gives_it_up_when_its_budget_is_used_up(
    syscalls: Any, fds: Descriptors, turns: Callable[[], int]
) -> None:
    if not hasattr(sys.modules[syscalls.whole.__module__], "keep_gil_for"):
        pytest.skip("this backend has no budget")
    one, two = fds.pair()
    for budget, ever in ((50_000, True), (10**18, False)):
        keep_gil_for(syscalls, budget)
        # What was released before counts for the budget before.
        for _ in range(200):
            send_and_receive(syscalls, one, two, -1)
        before = turns()
        for _ in range(AT_MOST):
            send_and_receive(syscalls, one, two, -1)
            if ever and turns() != before:
                break
        assert (turns() != before) is ever


# -- threads whose calls always find data ------------------------------------------------------------------------------

BUDGETS = """
import os, signal, sys, threading, time, types
os.environ["SOCKET_BACKEND"] = sys.argv[1]
import socketpkg
keep_gil_for = sys.modules[sys.argv[2] + ".syscalls"].keep_gil_for
ended = False

def transfer(rounds=10**9):
    one, two = socketpkg.socketpair()
    while rounds and not ended:
        one.send(b"x")
        two.recv(10)
        rounds -= 1
"""


def program(backend: str, source: str, *arguments: str) -> str:
    """What a program prints that has *BUDGETS* above it, a backend with budgets, and writes nothing to stderr."""
    found = backends.load(backend)
    package = found.package
    if "keeps-gil" not in found.features or not hasattr(sys.modules[f"{package}.syscalls"], "keep_gil_for"):
        pytest.skip("this backend has no budget")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BUDGETS + source, backend, package, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND - 5)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_only_the_first_of_the_queue_asks_for_the_gil(backend: str) -> None:
    """For the interpreter serves those that ask in no order."""
    printed = program(
        backend,
        """
gil_waiting = sys.modules[sys.argv[2] + ".syscalls"].gil_waiting
keep_gil_for(50_000)
turns, seen = [], set()

def work(number, one, two):
    while len(turns) < 400:
        one.send(b"x")
        two.recv(10)
        # Whoever counts has the GIL, and none of the others makes another call than these two.
        seen.add(gil_waiting())
        if not turns or turns[-1] != number:
            turns.append(number)

pairs = [socketpkg.socketpair() for _ in range(8)]
team = [threading.Thread(target=work, args=(number, *pair)) for number, pair in enumerate(pairs)]
for thread in team:
    thread.start()
for thread in team:
    thread.join()
print(*sorted(seen))
""",
    )
    assert printed == "0 1\n"


QUEUE = """
#include <sched.h>
#include <stdio.h>
#include "socketpkg_gil_queue.h"

enum { THREADS = 8 };
static int numbers[THREADS], served;

static void *wait_for_a_turn(void *number)
{
    int waited = sp_gil_queue_enter();
    printf("%d%s ", *(int *)number, waited ? "" : " did not wait");
    served++;
    sp_gil_queue_leave();
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    sp_gil_queue_enter();
    for (int i = 0; i < THREADS; i++) {
        sp_gil_place *before = sp_gil_queue.last, *last = before;
        numbers[i] = i;
        pthread_create(&threads[i], NULL, wait_for_a_turn, &numbers[i]);
        while (last == before) {
            sched_yield();
            pthread_mutex_lock(&sp_gil_queue.lock);
            last = sp_gil_queue.last;
            pthread_mutex_unlock(&sp_gil_queue.lock);
        }
    }
    printf("%d: ", served);
    sp_gil_queue_leave();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_queue_serves_threads_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    source, program = tmp_path / "queue.c", tmp_path / "queue"
    source.write_text(QUEUE, encoding="utf-8")
    headers = Path(__file__).resolve().parents[2] / "backends" / "include"
    subprocess.run(["cc", f"-I{headers}", "-o", str(program), str(source), "-pthread"], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=BOUND - 5, check=True)
    assert done.stdout == "0: 0 1 2 3 4 5 6 7 "


def test_a_child_has_an_empty_queue(backend: str) -> None:
    """Those that waited when it was made are not in it."""
    printed = program(
        backend,
        """
keep_gil_for(50_000)
team = [threading.Thread(target=transfer) for _ in range(8)]
for thread in team:
    thread.start()
for _ in range(20):
    pid = os.fork()
    if not pid:
        signal.alarm(30)
        team = [threading.Thread(target=transfer, args=(2_000,)) for _ in range(4)]
        for thread in team:
            thread.start()
        for thread in team:
            thread.join()
        os._exit(0)
    print(os.waitpid(pid, 0)[1], end=" ")
ended = True
""",
    )
    assert printed.split() == ["0"] * 20


def test_a_thread_that_ends_in_the_queue_holds_nobody_up(backend: str) -> None:
    """At the interpreter's end a daemon thread ends where it asks for the GIL."""
    printed = program(
        backend,
        """
class Late:
    def __init__(self):
        self.one, self.two = socketpkg.socketpair()

    def __del__(self, keep_gil_for=keep_gil_for, print=print):
        for _ in range(20_000):
            self.one.send(b"x")
            self.two.recv(10)
        print("ended", flush=True)

keep_gil_for(20_000)
for _ in range(8):
    threading.Thread(target=transfer, daemon=True).start()
sys.modules["ends_late"] = types.ModuleType("ends_late")
sys.modules["ends_late"].late = Late()
time.sleep(0.05)
""",
    )
    assert printed == "ended\n"
