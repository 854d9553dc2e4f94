"""Relaying between two connections, and accepting many: `socketpkg.relaying`."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import PATIENCE, Worker, extension, fill, socket, tcp_pair, until_it_fails

pytestmark = pytest.mark.socketpkg_only
relaying: Any = extension("relaying")


class Copying(socket.socket):  # type: ignore[misc]
    """A socket that receives in its own way, so that nothing may be spliced past it."""

    def recv(self, *arguments: Any) -> bytes:
        return bytes(super().recv(*arguments))


@pytest.fixture(params=["tcp", "unix", "mixed", "copied"])
def proxy(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any, Any, Any]]:
    """(client, the proxy's end to it, the proxy's end to the server, server)"""
    with contextlib.ExitStack() as stack:
        if request.param == "unix":
            client, a = map(stack.enter_context, socket.socketpair())
            server, b = map(stack.enter_context, socket.socketpair())
        else:
            client, a = stack.enter_context(tcp_pair())
            if request.param == "mixed":
                server, b = map(stack.enter_context, socket.socketpair())
            else:
                server, b = stack.enter_context(tcp_pair())
        if request.param == "copied":
            a = stack.enter_context(Copying(fileno=a.detach()))
        for sock in (client, server):
            sock.settimeout(PATIENCE)
        yield client, a, b, server


def everything(sock: Any) -> bytes:
    parts = []
    while data := sock.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


def test_both_directions_and_half_close(proxy: tuple[Any, Any, Any, Any]) -> None:
    client, a, b, server = proxy
    request, answer = random.Random(1).randbytes(700_000), random.Random(2).randbytes(3_000_000)
    with Worker(relaying.relay, a, b) as relayed:

        def ask() -> None:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)

        with Worker(ask):
            assert everything(server) == request
        # The end has come through, and the other way is still open.
        with Worker(server.sendall, answer) as sending:
            got = client.recv_exactly(len(answer))
            sending.result()
        assert got == answer
        server.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        assert relayed.result() == relaying.Relayed(len(request), len(answer)) == (len(request), len(answer))
    assert a.gettimeout() is None and os.get_blocking(a.fileno())
    assert b.gettimeout() is None and os.get_blocking(b.fileno())


def test_at_once(proxy: tuple[Any, Any, Any, Any]) -> None:
    """Both sides send without reading first: neither direction may hold up the other."""
    client, a, b, server = proxy
    there, back = random.Random(3).randbytes(2_000_000), random.Random(4).randbytes(2_000_000)

    def talk(sock: Any, data: bytes) -> bytes:
        def send() -> None:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

        with Worker(send):
            return everything(sock)

    with Worker(relaying.relay, a, b) as relayed, Worker(talk, client, there) as one, Worker(talk, server, back) as two:
        assert one.result() == back
        assert two.result() == there
        assert relayed.result() == (len(there), len(back))


def test_single_bytes(proxy: tuple[Any, Any, Any, Any]) -> None:
    client, a, b, server = proxy
    with Worker(relaying.relay, a, b):
        for number in range(50):
            client.sendall(bytes([number]))
            assert server.recv(10) == bytes([number])
            server.sendall(b"-")
            assert client.recv(10) == b"-"
        client.shutdown(socket.SHUT_WR)
        server.shutdown(socket.SHUT_WR)


def test_a_slow_reader_slows_the_sender_down(proxy: tuple[Any, Any, Any, Any]) -> None:
    client, a, b, server = proxy
    with Worker(relaying.relay, a, b):
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            until_it_fails(lambda: client.sendall(bytes(1 << 20)))
        # Not all that the client could send in half a second: what the buffers hold.
        taken = 0
        client.shutdown(socket.SHUT_WR)
        while data := server.recv(1 << 20):
            taken += len(data)
        assert taken < 200_000_000
        server.shutdown(socket.SHUT_WR)


def test_idle(proxy: tuple[Any, Any, Any, Any]) -> None:
    client, a, b, server = proxy
    a.settimeout(3)
    done = threading.Event()

    def talk() -> None:
        while not done.wait(0.05):
            client.sendall(b"x")

    begin = time.monotonic()
    with Worker(talk):
        threading.Timer(0.5, done.set).start()
        with pytest.raises(TimeoutError, match="timed out") as caught:
            relaying.relay(a, b, idle_timeout=0.25)
    assert time.monotonic() - begin >= 0.5
    assert caught.value.relayed.forward > 0 and caught.value.relayed.backward == 0
    assert server.recv(1000).strip(b"x") == b""
    assert (a.gettimeout(), b.gettimeout()) == (3, None)
    assert not os.get_blocking(a.fileno()) and os.get_blocking(b.fileno())


def test_a_reset(proxy: tuple[Any, Any, Any, Any]) -> None:
    client, a, b, server = proxy
    if client.family == socket.AF_UNIX:
        pytest.skip("a UNIX stream has no reset")
    with Worker(relaying.relay, a, b) as relayed:
        client.sendall(b"hello")
        assert server.recv_exactly(5) == b"hello"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        with pytest.raises(ConnectionResetError) as caught:
            relayed.result()
        assert caught.value.relayed == (5, 0)


def test_signals(proxy: tuple[Any, Any, Any, Any], alarms: Callable[..., list[int]]) -> None:
    client, a, b, server = proxy
    ends = (client.shutdown, server.shutdown)
    seen = alarms(0.02, once=lambda: [end(socket.SHUT_WR) for end in ends], after=5)
    client.sendall(b"hello")
    assert relaying.relay(a, b) == (5, 0)
    assert len(seen) >= 5


def test_a_handler_that_raises(proxy: tuple[Any, Any, Any, Any], interruption: Callable[..., Any]) -> None:
    client, a, b, _ = proxy
    client.sendall(b"hello")
    with pytest.raises(KeyboardInterrupt) as caught, interruption(KeyboardInterrupt):
        relaying.relay(a, b)
    # Unless the signal came first.
    assert caught.value.relayed in ((5, 0), (0, 0))
    assert a.gettimeout() is None


def test_without_splice(proxy: tuple[Any, Any, Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems that have no splice(2), and where it is refused: while receiving, and while sending."""
    client, a, b, server = proxy
    real = relaying._splice
    if real is None:
        pytest.skip("no splice(2) here")

    receives = False

    def refused(fd_in: int, fd_out: int, count: int, flags: int) -> int:
        if fd_out in (a.fileno(), b.fileno()) or not receives:
            raise OSError(22, "Invalid argument")
        return int(real(fd_in, fd_out, count, flags=flags))

    for replaced in (refused, refused, None):
        receives = not receives
        monkeypatch.setattr(relaying, "_splice", replaced)
        with Worker(idle_relay, a, b) as relayed:
            client.sendall(b"there" * 1000)
            server.sendall(b"back" * 1000)
            assert server.recv_exactly(5000) == b"there" * 1000
            assert client.recv_exactly(4000) == b"back" * 1000
            assert relayed.result() == (5000, 4000)


def idle_relay(a: Any, b: Any) -> Any:
    with pytest.raises(TimeoutError) as caught:
        relaying.relay(a, b, idle_timeout=0.3)
    return caught.value.relayed


def test_no_descriptor_for_the_pipes(proxy: tuple[Any, Any, Any, Any]) -> None:
    import resource

    _, a, b, _ = proxy
    if relaying._splice is None or isinstance(a, Copying) or "+" in socket.__backend__:
        pytest.skip("no pipes here")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            relaying.relay(a, b)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert a.gettimeout() is None


def test_closed_meanwhile(proxy: tuple[Any, Any, Any, Any]) -> None:
    client, a, b, _ = proxy
    a.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        relaying.relay(a, b)
    with pytest.raises(OSError, match="Bad file descriptor"):
        relaying.relay(b, a)
    assert b.gettimeout() is None
    client.close()


def test_wrong_arguments(pair: tuple[Any, Any]) -> None:
    for timeout, error in ((-1, ValueError), ("1", TypeError)):
        with pytest.raises(error):
            relaying.relay(*pair, idle_timeout=timeout)


# -- accepting many ----------------------------------------------------------------------------------------------------


def taken(listener: Any, count: int, limit: int) -> list[Any]:
    """Of connections that wait, *count* or *limit*: at once, unless the layer chaos has some of them aborted."""
    found: list[Any] = []
    while len(found) < count:
        with contextlib.suppress(*((ConnectionAbortedError,) if "chaos" in socket.__backend__ else ())):
            found += relaying.accept_many(listener, limit - len(found))
        if "chaos" not in socket.__backend__:
            break
    return found


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_accept_many(listener: Any, timeout: float | None) -> None:
    listener.settimeout(timeout)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(10)]
        first = taken(listener, 4, 4)
        rest = taken(listener, 6, 64)
        for sock, _ in (*first, *rest):
            stack.callback(sock.close)
        assert (len(first), len(rest)) == (4, 6)
        for (sock, address), client in zip((*first, *rest), clients, strict=True):
            assert type(sock) is socket.socket
            assert (sock.family, sock.type, sock.proto) == (listener.family, listener.type, listener.proto)
            assert address == client.getsockname()
            assert sock.gettimeout() is None and os.get_blocking(sock.fileno())
            assert not sock.get_inheritable()
            client.sendall(b"hello")
            assert sock.recv_exactly(5) == b"hello"
    assert listener.gettimeout() == timeout


def test_accept_many_with_a_default_timeout(listener: Any) -> None:
    with socket.create_connection(listener.getsockname()), socket.create_connection(listener.getsockname()):
        socket.setdefaulttimeout(9)
        try:
            found = relaying.accept_many(listener)
        finally:
            socket.setdefaulttimeout(None)
        for sock, _ in found:
            with sock:
                assert sock.gettimeout() == 9
                assert not os.get_blocking(sock.fileno())
        assert len(found) == 2


def test_nobody_comes(listener: Any, interruption: Callable[..., Any]) -> None:
    listener.settimeout(0.05)
    with pytest.raises(TimeoutError):
        relaying.accept_many(listener)
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        relaying.accept_many(listener)
    listener.settimeout(None)
    with pytest.raises(KeyboardInterrupt), interruption(KeyboardInterrupt):
        relaying.accept_many(listener)
    listener.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        relaying.accept_many(listener)


def test_wrong_limits(listener: Any) -> None:
    for limit in (0, -1):
        with pytest.raises(ValueError):
            relaying.accept_many(listener, limit)
    with pytest.raises(TypeError):
        relaying.accept_many(listener, 1.5)


def test_no_more_descriptors(listener: Any) -> None:
    """The first connection is given; the error comes with the next call."""
    import resource

    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, before[1]))
        try:
            found = relaying.accept_many(listener)
            stack.callback(found[0][0].close)
            assert len(found) == 1
            with pytest.raises(OSError, match="Too many open files"):
                relaying.accept_many(listener)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_more_than_are_accepted_in_one_call_of_the_backend(listener: Any) -> None:
    listener.listen(200)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(130)]
        found = taken(listener, 129, 129)
        for sock, _ in (*found, *taken(listener, 1, 129)):
            stack.callback(sock.close)
        assert [address for _, address in found] == [client.getsockname() for client in clients[:129]]


def test_a_listener_whose_mode_another_has_changed(listener: Any) -> None:
    """O_NONBLOCK belongs to the open file description: a child may have cleared it, and accept(2) would wait."""
    listener.settimeout(PATIENCE)
    os.set_blocking(listener.fileno(), True)
    with socket.create_connection(listener.getsockname()):
        ((sock, _),) = relaying.accept_many(listener)
        sock.close()


def test_accept_many_of_unix_sockets(tmp_path: Any) -> None:
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("no AF_UNIX here")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
        listener.bind(str(tmp_path / "s"))
        listener.listen(5)
        for number in range(3):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.bind(str(tmp_path / f"client{number}"))
            client.connect(str(tmp_path / "s"))
        found = relaying.accept_many(listener)
        for sock, _ in found:
            stack.callback(sock.close)
        assert [address for _, address in found] == [str(tmp_path / f"client{number}") for number in range(3)]


def test_what_cannot_be_handed_over_is_closed(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong after the connections were accepted."""
    real = relaying._own
    made: list[int] = []

    def fails(sock: Any, fd: int, like: Any) -> None:
        if len(made) == 2:
            raise MemoryError
        real(sock, fd, like)
        made.append(fd)

    monkeypatch.setattr(relaying, "_own", fails)
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        before = set(os.listdir("/dev/fd"))
        with pytest.raises(MemoryError):
            relaying.accept_many(listener)
        assert len(made) == 2
        assert set(os.listdir("/dev/fd")) == before


def test_a_replaced_class_makes_the_sockets(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(socket.socket):  # type: ignore[misc]
        pass

    listener.settimeout(PATIENCE)
    with socket.create_connection(listener.getsockname()), socket.create_connection(listener.getsockname()):
        monkeypatch.setattr("socketpkg.socket", Mine)
        found = relaying.accept_many(listener)
        monkeypatch.undo()
        for sock, _ in found:
            sock.close()
        assert [type(sock) for sock, _ in found] == [Mine, Mine]


def test_a_replaced_accept_is_used(listener: Any) -> None:
    calls: list[int] = []

    class Counting(socket.socket):  # type: ignore[misc]
        def accept(self) -> Any:
            calls.append(1)
            return super().accept()

    with (
        Counting(fileno=listener.detach()) as counting,
        socket.create_connection(counting.getsockname()),
        socket.create_connection(counting.getsockname()),
    ):
        counting.settimeout(PATIENCE if not counting.gettimeout() else None)
        for sock, _ in relaying.accept_many(counting, 2):
            sock.close()
    assert len(calls) == 2


def test_backlog_is_empty_after(listener: Any) -> None:
    with contextlib.closing(socket.create_connection(listener.getsockname())) as client:
        ((sock, _),) = relaying.accept_many(listener)
        with sock:
            fill(client)
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
