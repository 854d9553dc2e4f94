"""Signals: a handler that returns lets the call go on with the time that is left, one that raises ends it (PEP 475)."""

from __future__ import annotations

import errno
import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import PATIENCE, Worker, fill, full_backlog, socket

INTERVAL = 0.02
#: So many signals must arrive while a call waits.
SIGNALS = 3


class Interrupted(Exception):
    """What a handler raises."""


class Alarm:
    """Counts the signals that arrived; after some of them something happens in another thread."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.turns = itertools.count(1)
        self.enough = threading.Event()

    @property
    def count(self) -> int:
        return len(self.seen)

    def handler(self, number: int, frame: object) -> None:
        self.seen.append(number)
        # Once: a handler that is entered while another one is in here would wait for its lock, and for ever.
        if next(self.turns) == SIGNALS:
            self.enough.set()


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """A signal every now and then, from the start of the timer to the end of the test."""
    state = Alarm()
    before = signal.signal(signal.SIGALRM, state.handler)
    try:
        yield state
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def start() -> None:
    """Signals again and again: one that comes just before the system call does not interrupt it."""
    signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)


def stop() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


RECEIVING: dict[str, Callable[[Any], Any]] = {
    "recv": lambda sock: sock.recv(10),
    "recv_into": lambda sock: sock.recv_into(bytearray(10)),
    "recvfrom": lambda sock: sock.recvfrom(10)[0],
    "recvfrom_into": lambda sock: sock.recvfrom_into(bytearray(10))[0],
    "recvmsg": lambda sock: sock.recvmsg(10)[0],
    "recvmsg_into": lambda sock: sock.recvmsg_into([bytearray(10)])[0],
}


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("method", sorted(RECEIVING))
def test_receiving_goes_on(pair: Any, alarm: Alarm, method: str, timeout: float | None) -> None:
    one, two = pair
    one.settimeout(timeout)

    def later() -> None:
        assert alarm.enough.wait(PATIENCE)
        two.send(b"hello")

    with Worker(later):
        start()
        result = RECEIVING[method](one)
        stop()
    assert result in (b"hello", 5)
    assert alarm.count >= SIGNALS


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("method", sorted(RECEIVING))
def test_receiving_ends_with_what_the_handler_raises(
    pair: Any, interruption: Any, method: str, timeout: float | None
) -> None:
    one, two = pair
    one.settimeout(timeout)
    with pytest.raises(Interrupted), interruption(Interrupted):
        RECEIVING[method](one)
    two.send(b"fine")
    assert one.recv(10) == b"fine", "the socket is as good as before"


def test_a_timeout_is_kept_in_spite_of_signals(pair: Any, alarm: Alarm) -> None:
    one, _ = pair
    one.settimeout(INTERVAL * 10)
    before = time.monotonic()
    start()
    with pytest.raises(TimeoutError, match="^timed out$"):
        one.recv(1)
    took = time.monotonic() - before
    stop()
    assert alarm.count >= 2
    assert INTERVAL * 9 <= took < PATIENCE


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_accept_goes_on(listener: Any, alarm: Alarm, timeout: float | None) -> None:
    listener.settimeout(timeout)
    with socket.socket() as client:

        def later() -> None:
            assert alarm.enough.wait(PATIENCE)
            client.connect(listener.getsockname())

        with Worker(later):
            start()
            server, address = listener.accept()
            stop()
        server.close()
        assert address == client.getsockname()


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_accept_ends_with_what_the_handler_raises(listener: Any, interruption: Any, timeout: float | None) -> None:
    listener.settimeout(timeout)
    with pytest.raises(Interrupted), interruption(Interrupted):
        listener.accept()
    with socket.socket() as client:
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        server.close()


SENDING: dict[str, Callable[[Any, bytes], Any]] = {
    "send": lambda sock, data: sock.send(data),
    "sendall": lambda sock, data: sock.sendall(data),
    "sendmsg": lambda sock, data: sock.sendmsg([data]),
}


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("method", sorted(SENDING))
def test_sending_goes_on(pair: Any, alarm: Alarm, method: str, timeout: float | None) -> None:
    one, two = pair
    before = fill(one)
    one.settimeout(timeout)
    data = b"z" * 2_000_000
    taken = bytearray()
    sent = threading.Event()

    def later() -> None:
        assert alarm.enough.wait(PATIENCE)
        two.settimeout(INTERVAL)
        while True:
            try:
                taken.extend(two.recv(1 << 20))
            except TimeoutError:
                if sent.is_set():
                    return

    with Worker(later):
        start()
        result = SENDING[method](one, data)
        stop()
        sent.set()
    count = len(data) if result is None else result
    assert 0 < count <= len(data)
    assert len(taken) == before + count
    assert alarm.count >= SIGNALS


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("method", sorted(SENDING))
def test_sending_ends_with_what_the_handler_raises(
    pair: Any, interruption: Any, method: str, timeout: float | None
) -> None:
    one, _ = pair
    fill(one)
    one.settimeout(timeout)
    with pytest.raises(Interrupted), interruption(Interrupted):
        SENDING[method](one, b"x" * 100)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_sendall_ends_with_what_the_handler_raises_when_a_part_was_sent(
    pair: Any, interruption: Any, timeout: float | None
) -> None:
    one, _ = pair
    one.settimeout(timeout)
    with pytest.raises(Interrupted), interruption(Interrupted):
        one.sendall(b"x" * (64 << 20))


def test_sendall_runs_handlers_while_it_is_busy(pair: Any, interruption: Any) -> None:
    """A reader that is never slow must not keep the handler from running."""
    one, two = pair
    finished = threading.Event()

    def drain() -> None:
        two.settimeout(INTERVAL)
        while not finished.is_set():
            try:
                two.recv(1 << 20)
            except TimeoutError:
                pass

    def send_on() -> None:
        while True:
            one.sendall(data)

    with Worker(drain):
        data = memoryview(bytes(64 << 20))
        try:
            with pytest.raises(Interrupted), interruption(Interrupted):
                send_on()
        finally:
            finished.set()


@pytest.fixture
def backlog() -> Iterator[tuple[Any, tuple[str, int]]]:
    with full_backlog() as found:
        yield found


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_connect_goes_on(backlog: Any, alarm: Alarm, timeout: float | None) -> None:
    listener, address = backlog
    accepted = []
    connected = threading.Event()

    def later() -> None:
        assert alarm.enough.wait(PATIENCE)
        listener.settimeout(INTERVAL)
        while not connected.is_set():
            try:
                accepted.append(listener.accept()[0])
            except TimeoutError:
                pass

    try:
        with socket.socket() as sock:
            sock.settimeout(timeout)
            with Worker(later):
                try:
                    start()
                    sock.connect(address)
                    stop()
                finally:
                    connected.set()
            assert sock.getpeername() == address
    finally:
        for server in accepted:
            server.close()
    assert alarm.count >= SIGNALS


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_connect_ends_with_what_the_handler_raises(
    backlog: Any, interruption: Any, timeout: float | None, method: str
) -> None:
    _, address = backlog
    with socket.socket() as sock:
        sock.settimeout(timeout)
        with pytest.raises(Interrupted), interruption(Interrupted):
            getattr(sock, method)(address)


def test_connect_keeps_its_timeout_in_spite_of_signals(backlog: Any, alarm: Alarm) -> None:
    _, address = backlog
    with socket.socket() as sock:
        sock.settimeout(INTERVAL * 10)
        start()
        with pytest.raises(TimeoutError) as caught:
            sock.connect(address)
        stop()
        assert str(caught.value) == "timed out"
    with socket.socket() as sock:
        sock.settimeout(INTERVAL * 10)
        start()
        assert sock.connect_ex(address) == errno.EAGAIN
        stop()
    assert alarm.count >= 2


def test_a_signal_for_this_very_thread(pair: Any, alarm: Alarm) -> None:
    one, two = pair
    main = threading.get_ident()
    waiting = threading.Event()

    def later() -> None:
        waiting.wait(PATIENCE)
        while not alarm.enough.wait(INTERVAL):
            signal.pthread_kill(main, signal.SIGALRM)
        two.send(b"now")

    with Worker(later):
        waiting.set()
        assert one.recv(10) == b"now"
    assert alarm.count >= SIGNALS


def test_a_handler_that_uses_the_same_socket(pair: Any) -> None:
    one, two = pair
    seen = []

    def handler(number: int, frame: object) -> None:
        stop()
        if not seen:
            two.send(b"from the handler")
        seen.append(number)

    before = signal.signal(signal.SIGALRM, handler)
    try:
        start()
        assert one.recv(100) == b"from the handler"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert set(seen) == {signal.SIGALRM}


def test_a_handler_that_closes_the_socket(pair: Any) -> None:
    """What is left is a closed descriptor: an error, no crash and no wait."""
    one, _ = pair
    one.settimeout(PATIENCE)
    before = signal.signal(signal.SIGALRM, lambda number, frame: one.close())
    try:
        start()
        with pytest.raises(OSError) as caught:
            one.recv(1)
        assert caught.value.errno == errno.EBADF
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_keyboard_interrupt(pair: Any, interruption: Any) -> None:
    one, _ = pair
    with pytest.raises(KeyboardInterrupt), interruption(KeyboardInterrupt):
        one.recv(1)


def test_wakeup_descriptors_work(pair: Any, alarm: Alarm) -> None:
    """asyncio's way to learn of signals: a descriptor that the interpreter writes to."""
    one, two = pair
    two.setblocking(False)
    old = signal.set_wakeup_fd(two.fileno())
    try:
        start()
        assert one.recv(1) == bytes([signal.SIGALRM])
    finally:
        signal.set_wakeup_fd(old)
