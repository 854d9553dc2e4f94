"""`socketpkg.connecting`: Happy Eyeballs, options, one deadline."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import CLOSED_PORT, LINUX, LOCALHOST, LOCALHOST_V6, PATIENCE, Worker, extension, requires_ipv6, socket

pytestmark = [pytest.mark.socketpkg_only, pytest.mark.skipif(not LINUX, reason="hosts that hang, as Linux makes them")]
connecting: Any = extension("connecting")


@pytest.fixture(autouse=True)
def threads_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or each test would wait for them: none may leave one."""
    monkeypatch.setattr(extension("resolving"), "_IDLE", 0.02)


@contextlib.contextmanager
def hanging_host(family: int, host: str) -> Iterator[tuple[Any, ...]]:
    """The address of a host that does not answer: its queue of connections is full, and Linux then drops the SYN."""
    with socket.socket(family, socket.SOCK_STREAM) as listener, contextlib.ExitStack() as stack:
        listener.bind((host, 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


@pytest.fixture
def hanging() -> Iterator[tuple[Any, ...]]:
    with hanging_host(socket.AF_INET, LOCALHOST) as address:
        yield address


@pytest.fixture
def hanging6() -> Iterator[tuple[Any, ...]]:
    with hanging_host(socket.AF_INET6, LOCALHOST_V6) as address:
        yield address


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a name resolve to these addresses."""

    def to(*addresses: tuple[Any, ...]) -> None:
        found = [(socket.AF_INET6 if ":" in a[0] else socket.AF_INET, socket.SOCK_STREAM, 6, "", a) for a in addresses]

        def getaddrinfo(host: Any, port: Any, family: int = 0, *rest: Any) -> Any:
            return [info for info in found if family in (0, info[0])]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return to


def connect(**keywords: Any) -> Any:
    return connecting.create_connection(("name.test", 80), **keywords)


REFUSED = (LOCALHOST, CLOSED_PORT)


def test_it_connects(listener: Any) -> None:
    for keywords in ({}, {"happy_eyeballs": 0.25}, {"timeout": 5}, {"timeout": None}):
        with connecting.create_connection(listener.getsockname(), **keywords) as client:
            assert client.gettimeout() == keywords.get("timeout")
            assert type(client) is socket.socket
            server, address = listener.accept()
            with server:
                assert address == client.getsockname()
                server.sendall(b"hello")
                assert client.recv_exactly(5) == b"hello"
                assert os.get_blocking(client.fileno()) is (client.gettimeout() is None)


def test_the_default_timeout(listener: Any) -> None:
    socket.setdefaulttimeout(7)
    try:
        with connecting.create_connection(listener.getsockname()) as client:
            assert client.gettimeout() == 7
    finally:
        socket.setdefaulttimeout(None)


def test_the_default_is_that_of_the_module(listener: Any, hanging: Any, resolves: Callable[..., None]) -> None:
    """Without happy_eyeballs an address that hangs takes all the time, and the next is not tried."""
    resolves(hanging, listener.getsockname())
    with pytest.raises(TimeoutError):
        connect(timeout=0.3)


# -- Happy Eyeballs ----------------------------------------------------------------------------------------------------


def test_an_address_that_hangs_is_overtaken(listener: Any, hanging: Any, resolves: Callable[..., None]) -> None:
    resolves(hanging, hanging, listener.getsockname())
    begin = time.monotonic()
    with connect(timeout=PATIENCE, happy_eyeballs=0.1) as client:
        assert 0.2 <= time.monotonic() - begin < 10
        assert client.getpeername() == listener.getsockname()


def test_one_that_is_refused_is_followed_at_once(listener: Any, resolves: Callable[..., None]) -> None:
    resolves(REFUSED, REFUSED, listener.getsockname())
    begin = time.monotonic()
    with connect(happy_eyeballs=30) as client:
        assert time.monotonic() - begin < 10
        assert client.getpeername() == listener.getsockname()
    with connect() as client:
        assert client.getpeername() == listener.getsockname()


def test_a_slow_one_may_still_win(resolves: Callable[..., None], hanging: Any) -> None:
    """The first is not given up when the second is tried."""
    with socket.socket() as slow:
        slow.bind((LOCALHOST, 0))
        slow.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        with contextlib.ExitStack() as stack:
            for filler in fillers:
                stack.enter_context(filler)
                filler.setblocking(False)
                filler.connect_ex(slow.getsockname())

            def make_room() -> None:
                time.sleep(0.3)
                for filler in fillers:
                    filler.close()
                while True:
                    with contextlib.suppress(BlockingIOError):
                        slow.accept()[0].close()
                    if done.wait(0.01):
                        return

            slow.setblocking(False)
            done = threading.Event()
            resolves(slow.getsockname(), hanging)
            with Worker(make_room):
                try:
                    # A SYN that was dropped is sent again after a second.
                    with connect(timeout=PATIENCE, happy_eyeballs=0.05) as client:
                        assert client.getpeername() == slow.getsockname()
                finally:
                    done.set()


@requires_ipv6
def test_families_take_turns(listener: Any, hanging6: Any, resolves: Callable[..., None]) -> None:
    resolves(hanging6, hanging6, hanging6, hanging6, hanging6, hanging6, listener.getsockname())
    with connect(timeout=PATIENCE, happy_eyeballs=1.5) as client:
        assert client.family == socket.AF_INET
    order = connecting._in_turn([(6, "a"), (6, "b"), (6, "c"), (4, "d"), (4, "e")])
    assert [name for _, name in order] == ["a", "d", "b", "e", "c"]


@requires_ipv6
def test_one_family_only(listener: Any, hanging6: Any, resolves: Callable[..., None]) -> None:
    resolves(hanging6, listener.getsockname())
    with connect(timeout=PATIENCE, family=socket.AF_INET) as client:
        assert client.family == socket.AF_INET
    with pytest.raises(TimeoutError):
        connect(timeout=0.1, family=socket.AF_INET6)


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", [None, 0.05, 0])
def test_one_deadline_for_all(hanging: Any, resolves: Callable[..., None], delay: float | None) -> None:
    resolves(*[hanging] * 10)
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="timed out") as caught:
        connect(timeout=0.3, happy_eyeballs=delay)
    assert 0.3 <= time.monotonic() - begin < 10
    assert caught.value.address == ("name.test", 80)


def test_the_names_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: release.wait(PATIENCE) and [])
    try:
        with pytest.raises(TimeoutError) as caught:
            connect(timeout=0.1)
        assert caught.value.address == ("name.test", 80)
    finally:
        release.set()


def test_signals(hanging: Any, alarms: Callable[..., list[int]], resolves: Callable[..., None]) -> None:
    resolves(hanging)
    seen = alarms(0.02)
    while len(seen) < 3:  # a busy machine may run the handler once in that time
        with pytest.raises(TimeoutError):
            connect(timeout=0.3, happy_eyeballs=0.1)


def test_a_handler_that_raises(hanging: Any, interruption: Callable[..., Any], resolves: Callable[..., None]) -> None:
    """And nothing is left open: the fixture of all tests looks for that."""
    resolves(hanging, hanging)
    with pytest.raises(KeyboardInterrupt), interruption(KeyboardInterrupt):
        connect(happy_eyeballs=0.01)


# -- errors ------------------------------------------------------------------------------------------------------------


def test_the_last_error(resolves: Callable[..., None]) -> None:
    resolves((LOCALHOST, 1), REFUSED)
    for keywords in ({}, {"happy_eyeballs": 0.25}):
        with pytest.raises(ConnectionRefusedError) as caught:
            connect(**keywords)
        assert caught.value.address == REFUSED
        assert caught.value.args == (errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        assert caught.value.__notes__ == [f"connect {REFUSED!r}"]


def test_all_errors(hanging: Any, resolves: Callable[..., None]) -> None:
    resolves(REFUSED, hanging, REFUSED)
    with pytest.raises(ExceptionGroup) as caught:
        connect(timeout=0.3, happy_eyeballs=0.01, all_errors=True)
    assert [type(error) for error in caught.value.exceptions] == [
        ConnectionRefusedError,
        ConnectionRefusedError,
        TimeoutError,
    ]
    assert [error.address for error in caught.value.exceptions] == [REFUSED, REFUSED, hanging]


def test_no_address(resolves: Callable[..., None]) -> None:
    resolves()
    for all_errors in (False, True):
        with pytest.raises(OSError, match="getaddrinfo returns an empty list"):
            connect(all_errors=all_errors)


def test_a_name_that_does_not_resolve() -> None:
    with pytest.raises(socket.gaierror):
        connecting.create_connection(("name.invalid.", "no such service"), timeout=PATIENCE)


def test_no_descriptor(listener: Any, resolves: Callable[..., None]) -> None:
    import resource

    resolves(listener.getsockname(), listener.getsockname())
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(OSError) as caught:
            connect(happy_eyeballs=0.25)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert caught.value.errno == errno.EMFILE
    assert caught.value.address == listener.getsockname()


def test_wrong_arguments(listener: Any) -> None:
    here = listener.getsockname()
    for keywords, error in (
        ({"timeout": 0}, ValueError),
        ({"timeout": -1}, ValueError),
        ({"timeout": "1"}, TypeError),
        ({"happy_eyeballs": -0.1}, ValueError),
        ({"happy_eyeballs": "1"}, TypeError),
        ({"options": [(1, 2)]}, TypeError),
        ({"options": 5}, TypeError),
        ({"options": [(socket.SOL_SOCKET, 12345, 1)]}, OSError),
    ):
        with pytest.raises(error):
            connecting.create_connection(here, **keywords)
    with pytest.raises(ValueError):
        connecting.create_connection(("a", "b", "c"))


# -- options and source ------------------------------------------------------------------------------------------------


def test_options_are_set_before_connecting(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Watched(socket.socket):  # type: ignore[misc]
        def connect_ex(self, address: Any) -> int:
            seen.append(self.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            return int(super().connect_ex(address))

    monkeypatch.setattr(socket, "socket", Watched)
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, None, 0)]
    with connecting.create_connection(listener.getsockname(), options=iter(options)) as client:
        assert type(client) is Watched
    assert seen == [1]


def test_the_source_address(listener: Any, resolves: Callable[..., None]) -> None:
    with connecting.create_connection(listener.getsockname(), source_address=("127.0.0.5", 0)) as client:
        assert client.getsockname()[0] == "127.0.0.5"
    with pytest.raises(OSError) as caught:
        connecting.create_connection(listener.getsockname(), source_address=("192.0.2.99", 0))
    assert caught.value.errno == errno.EADDRNOTAVAIL
    assert caught.value.address == ("192.0.2.99", 0)


def test_no_thread_for_numeric_hosts(listener: Any) -> None:
    before = threading.active_count()
    with connecting.create_connection(listener.getsockname(), happy_eyeballs=0.25):
        assert threading.active_count() == before
