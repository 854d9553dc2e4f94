"""Messages over stream sockets: `socketpkg.streams`, recv_exactly and recv_exactly_into."""

from __future__ import annotations

import random
import sys
import time
from asyncio import IncompleteReadError, LimitOverrunError
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import PATIENCE, Worker, extension, fill, run_python, socket, until_it_fails

pytestmark = pytest.mark.socketpkg_only
streams: Any = extension("streams")

#: A reader's call, what it gives, and the bytes that it takes for that.
MESSAGES: list[tuple[str, tuple[Any, ...], bytes]] = [
    ("read_exactly", (7,), b"seven b"),
    ("read_until", (b"\r\n\r\n",), b"head: value\r\n\r\n"),
    ("readline", (), b"a line\n"),
    ("read_exactly", (1,), b"x"),
    ("read_until", (b"aab",), b"aaaaab"),
    ("read_until", (), b"\n"),
    ("read_exactly", (0,), b""),
    ("readline", (), b"\r\n"),
]


class Foreign:
    """An object with the methods that `Stream` needs, and that is no socket of ours: as TLS connections are."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.calls = 0

    def recv_into(self, buffer: Any) -> int:
        self.calls += 1
        return int(self._sock.recv_into(buffer))

    def send(self, data: Any) -> int:
        self.calls += 1
        return int(self._sock.send(data))

    def gettimeout(self) -> float | None:
        return self._sock.gettimeout()  # type: ignore[no-any-return]

    def settimeout(self, value: float | None) -> None:
        self._sock.settimeout(value)

    def close(self) -> None:
        self._sock.close()


class Overriding(socket.socket):  # type: ignore[misc]
    """A subclass that changes what is received: `Stream` must go through it."""

    def recv_into(self, buffer: Any, *arguments: Any) -> int:
        count = int(super().recv_into(buffer, *arguments))
        buffer[:count] = bytes(buffer[:count]).upper()
        return count


@pytest.fixture(params=["plain", "foreign"])
def ends(request: pytest.FixtureRequest, stream: tuple[Any, Any]) -> tuple[Any, Any]:
    """What a Stream is made of, and the socket at the other end."""
    one, two = stream
    one.settimeout(PATIENCE)
    two.settimeout(PATIENCE)
    return (Foreign(one) if request.param == "foreign" else one), two


def read(stream: Any, message: tuple[str, tuple[Any, ...], bytes], **timeout: Any) -> bytes:
    name, arguments, _ = message
    return bytes(getattr(stream, name)(*arguments, **timeout))


# -- nothing is lost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 0.001])
def test_a_timeout_at_every_byte_loses_nothing(ends: tuple[Any, Any], timeout: float) -> None:
    """The peer sends one byte at a time, and before each of them the reader gives up once."""
    reader, peer = streams.Stream(ends[0]), ends[1]
    expected = BlockingIOError if timeout == 0 else TimeoutError
    for message in MESSAGES:
        for position in range(len(message[2])):
            with pytest.raises(expected):
                read(reader, message, timeout=timeout)
            assert reader.buffered == position
            peer.sendall(message[2][position : position + 1])
            while reader.peek(position + 1) != message[2][: position + 1]:
                pass
        assert read(reader, message, timeout=timeout) == message[2]
        assert reader.buffered == 0


def cuts(generator: random.Random, size: int) -> Iterator[slice]:
    position = 0
    while position < size:
        step = generator.choice([1, 1, 2, 3, 7, 20, 100])
        yield slice(position, position + step)
        position += step


@pytest.mark.parametrize("seed", range(12))
def test_random_cuts_and_timeouts(ends: tuple[Any, Any], seed: int) -> None:
    generator = random.Random(seed)
    messages = [generator.choice(MESSAGES) for _ in range(60)]
    data = b"".join(content for _, _, content in messages)
    pieces = [data[cut] for cut in cuts(generator, len(data))]
    reader, peer = streams.Stream(ends[0]), ends[1]
    got = []
    for message in messages:
        while True:
            try:
                got.append(read(reader, message, timeout=generator.choice([0, 0.0001])))
                break
            except (TimeoutError, BlockingIOError):
                if pieces:
                    peer.sendall(pieces.pop(0))
    assert got == [content for _, _, content in messages]


def test_a_large_message_after_timeouts(ends: tuple[Any, Any]) -> None:
    """More than what is read ahead: it is received straight into its place."""
    data = random.Random(5).randbytes(400_000)
    reader, peer = streams.Stream(ends[0]), ends[1]
    with Worker(peer.sendall, data[:200_000]):
        for _ in range(5):
            with pytest.raises(TimeoutError):
                reader.read_exactly(len(data), timeout=0.02)
    with Worker(peer.sendall, data[200_000:] + b"next"):
        assert reader.read_exactly(len(data)) == data
        assert reader.read_exactly(4) == b"next"


def test_signals_lose_nothing(ends: tuple[Any, Any], alarms: Callable[..., list[int]]) -> None:
    reader, peer = streams.Stream(ends[0]), ends[1]
    parts = [b"12", b"34", b"56", b"78"]
    seen = alarms(0.02, lambda: peer.sendall(parts.pop(0)) if parts else None)
    assert reader.read_exactly(8) == b"12345678"
    assert len(seen) >= 4


def test_a_handler_that_raises_gets_through(ends: tuple[Any, Any], interruption: Callable[..., Any]) -> None:
    reader, peer = streams.Stream(ends[0]), ends[1]
    peer.sendall(b"begun")
    reader.peek(5)
    with pytest.raises(ZeroDivisionError), interruption(ZeroDivisionError):
        reader.read_exactly(10)
    peer.sendall(b" done")
    assert reader.read_exactly(10) == b"begun done"


# -- one deadline ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["read_exactly", "read_until", "readline", "peek"])
def test_bytes_that_trickle_do_not_move_the_deadline(ends: tuple[Any, Any], call: str) -> None:
    reader, peer = streams.Stream(ends[0]), ends[1]
    done = False

    def trickle() -> None:
        while not done:
            peer.sendall(b".")
            time.sleep(0.02)

    with Worker(trickle):
        begin = time.monotonic()
        try:
            with pytest.raises(TimeoutError, match="timed out"):
                getattr(reader, call)(*([1000] if call in ("read_exactly", "peek") else []), timeout=0.2)
            assert 0.2 <= time.monotonic() - begin < 10
            assert reader.buffered > 1
        finally:
            done = True


def test_the_timeout_of_the_socket_holds_and_stays(ends: tuple[Any, Any]) -> None:
    ends[0].settimeout(0.05)
    reader = streams.Stream(ends[0])
    with pytest.raises(TimeoutError):
        reader.readline()
    assert ends[0].gettimeout() == 0.05
    with pytest.raises(BlockingIOError):
        reader.readline(timeout=0)
    assert ends[0].gettimeout() == 0.05
    ends[1].sendall(b"line\n")
    assert reader.readline(timeout=None) == b"line\n"
    assert ends[0].gettimeout() == 0.05
    ends[0].settimeout(0)
    with pytest.raises(BlockingIOError):
        reader.readline()
    assert ends[0].gettimeout() == 0


def test_the_timeout_of_another_thread_is_not_touched(pair: tuple[Any, Any]) -> None:
    """While one thread reads with a timeout, another sees and uses the socket's own."""
    one, two = pair
    reader = streams.Stream(one)

    def wait() -> None:
        with pytest.raises(TimeoutError):
            reader.read_exactly(1, timeout=0.1)

    with Worker(wait) as worker:
        for _ in range(50):
            assert one.gettimeout() is None
            time.sleep(0.001)
        worker.result()
    two.sendall(b"x")
    assert reader.read_exactly(1) == b"x"


# -- the end of the stream ---------------------------------------------------------------------------------------------


def test_the_end(ends: tuple[Any, Any]) -> None:
    reader, peer = streams.Stream(ends[0]), ends[1]
    peer.sendall(b"one\nhalf")
    peer.shutdown(socket.SHUT_WR)
    assert list(reader) == [b"one\n", b"half"]
    assert reader.readline() == b"" == reader.read_some() == reader.peek(3)
    assert reader.read_exactly(0) == b""


@pytest.mark.parametrize(("call", "expected"), [(("read_exactly", 9), 9), (("read_until", b";"), None)])
def test_the_end_in_the_middle(ends: tuple[Any, Any], call: tuple[Any, ...], expected: int | None) -> None:
    reader, peer = streams.Stream(ends[0]), ends[1]
    peer.sendall(b"part")
    peer.shutdown(socket.SHUT_WR)
    with pytest.raises(IncompleteReadError) as caught:
        getattr(reader, call[0])(*call[1:])
    assert (caught.value.partial, caught.value.expected) == (b"part", expected)
    assert isinstance(caught.value, EOFError)
    assert reader.buffered == 0
    with pytest.raises(IncompleteReadError) as again:
        getattr(reader, call[0])(*call[1:])
    assert again.value.partial == b""


def test_the_errors_are_those_of_asyncio() -> None:
    assert streams.IncompleteReadError is IncompleteReadError
    assert streams.LimitOverrunError is LimitOverrunError
    with pytest.raises(AttributeError):
        _ = streams.nothing


def test_importing_it_imports_no_asyncio() -> None:
    """It would import the standard library's socket, which install() then warns of."""
    module = streams.__name__
    program = f"import sys, {module}\nprint(sorted({{'asyncio', 'selectors', 'ssl'}} & set(sys.modules)))"
    assert run_python(program) == "[]\n"


# -- limits ------------------------------------------------------------------------------------------------------------


def test_an_endless_line(ends: tuple[Any, Any]) -> None:
    reader, peer = streams.Stream(ends[0], limit=1000), ends[1]
    with Worker(peer.sendall, b"x" * 2500 + b"\n"):
        for call in (reader.readline, reader.read_until):
            with pytest.raises(LimitOverrunError) as caught:
                call()
            assert caught.value.consumed == 1000
            assert 1000 <= reader.buffered <= 1000 + 65536
        # What can be skipped is said, so that a program gets to the next line.
        skipped = 0
        while True:
            try:
                rest = reader.readline()
                break
            except LimitOverrunError as overrun:
                skipped += len(reader.read_exactly(overrun.consumed))
        assert skipped + len(rest) == 2501


def test_a_line_as_long_as_the_limit(ends: tuple[Any, Any]) -> None:
    reader, peer = streams.Stream(ends[0], limit=5), ends[1]
    peer.sendall(b"1234\n12345\n")
    assert reader.readline() == b"1234\n"
    with pytest.raises(LimitOverrunError) as caught:
        reader.readline()
    assert caught.value.consumed == 5
    assert reader.readline(6) == b"12345\n"


def test_a_separator_across_the_limit_is_not_skipped(ends: tuple[Any, Any]) -> None:
    reader, peer = streams.Stream(ends[0]), ends[1]
    peer.sendall(b"12345\r\n")
    with pytest.raises(LimitOverrunError) as caught:
        reader.read_until(b"\r\n", 6)
    assert reader.read_exactly(caught.value.consumed) == b"12345"
    assert reader.read_until(b"\r\n", 6) == b"\r\n"


def test_a_length_that_a_stranger_names_costs_nothing(pair: tuple[Any, Any]) -> None:
    reader = streams.Stream(pair[0])
    with pytest.raises(TimeoutError):
        reader.read_exactly(sys.maxsize, timeout=0.01)
    pair[0].settimeout(0.01)
    with pytest.raises(TimeoutError):
        pair[0].recv_exactly(sys.maxsize)


# -- the other calls ---------------------------------------------------------------------------------------------------


def test_read_some_and_peek(ends: tuple[Any, Any]) -> None:
    reader, peer = streams.Stream(ends[0]), ends[1]
    peer.sendall(b"abcdef")
    assert reader.peek(6) == b"abcdef"
    assert reader.peek(2) == b"ab"
    assert reader.read_some(2) == b"ab"
    assert reader.read_some() == b"cdef"
    assert reader.read_some(0) == b""
    peer.sendall(b"ghi")
    assert reader.read_some(1) == b"g"
    assert reader.read_some(1_000_000) == b"hi"


def test_detach_gives_back_what_was_read_ahead(pair: tuple[Any, Any]) -> None:
    one, two = pair
    reader = streams.Stream(one)
    two.sendall(b"line\nrest")
    assert reader.readline() == b"line\n"
    rest = reader.detach()
    while len(rest) < 4:
        rest += one.recv(4)
    assert rest == b"rest"
    assert reader.buffered == 0
    with pytest.raises(ValueError, match="detached"):
        reader.readline()
    with pytest.raises(ValueError, match="detached"):
        reader.write(b"x")
    with reader:
        pass
    assert one.fileno() >= 0


def test_close_and_with(pair: tuple[Any, Any]) -> None:
    one, two = pair
    with streams.Stream(one) as reader:
        assert reader.sock is one
        two.sendall(b"rest of it\n.")
        reader.readline()
        assert "read ahead" in repr(reader)
    assert one.fileno() == -1
    with pytest.raises(OSError):
        reader.readline()


def test_a_subclass_that_receives_in_its_own_way(pair: tuple[Any, Any]) -> None:
    own = Overriding(fileno=pair[0].detach())
    with own:
        own.settimeout(PATIENCE)
        pair[1].sendall(b"quiet\nexact")
        assert streams.Stream(own, limit=100).readline() == b"QUIET\n"
    one, two = socket.socketpair()
    with two, Overriding(fileno=one.detach()) as own:
        two.sendall(b"exactinto")
        assert own.recv_exactly(5) == b"EXACT"
        buffer = bytearray(4)
        assert own.recv_exactly_into(buffer) == 4
        assert buffer == b"INTO"


@pytest.mark.parametrize("kind", ["SOCK_DGRAM", "SOCK_SEQPACKET"])
def test_only_streams(kind: str) -> None:
    one, two = socket.socketpair(socket.AF_UNIX, getattr(socket, kind))
    with one, two:
        for call in (
            streams.Stream,
            lambda sock: sock.recv_exactly(1),
            lambda sock: sock.recv_exactly_into(bytearray(1)),
        ):
            with pytest.raises(ValueError, match="only SOCK_STREAM type sockets are supported"):
                call(one)


@pytest.mark.parametrize("call", ["read_exactly", "read_some", "peek"])
def test_wrong_counts(pair: tuple[Any, Any], call: str) -> None:
    reader = streams.Stream(pair[0])
    with pytest.raises(ValueError, match="negative"):
        getattr(reader, call)(-1)
    with pytest.raises(TypeError):
        getattr(reader, call)("1")
    with pytest.raises(TypeError):
        getattr(reader, call)(1.0)


@pytest.mark.parametrize(
    ("timeout", "error"), [(-1, ValueError), (float("nan"), ValueError), ("1", TypeError), (1e300, OverflowError)]
)
def test_wrong_timeouts(ends: tuple[Any, Any], timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        streams.Stream(ends[0]).readline(timeout=timeout)


def test_wrong_separators_and_limits(pair: tuple[Any, Any]) -> None:
    reader = streams.Stream(pair[0])
    with pytest.raises(ValueError):
        reader.read_until(b"")
    with pytest.raises(TypeError):
        reader.read_until("\n")
    for wrong in (0, -1):
        with pytest.raises(ValueError):
            reader.readline(wrong)
        with pytest.raises(ValueError):
            streams.Stream(pair[0], limit=wrong)


# -- writing -----------------------------------------------------------------------------------------------------------


def test_write(ends: tuple[Any, Any]) -> None:
    writer, peer = streams.Stream(ends[0]), ends[1]
    writer.write(b"")
    writer.write(memoryview(b"abcdefgh").cast("I"))
    writer.write(bytearray(b"ij"))
    assert peer.recv_exactly(10) == b"abcdefghij"
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
        writer.write("text")
    with pytest.raises(BufferError):
        writer.write(memoryview(b"abcd")[::2])


@pytest.mark.parametrize("timeout", [0, 0.05])
def test_a_write_says_how_much_was_sent(ends: tuple[Any, Any], timeout: float) -> None:
    writer, peer = streams.Stream(ends[0]), ends[1]
    data = random.Random(1).randbytes(30_000_000)
    with pytest.raises(BlockingIOError if timeout == 0 else TimeoutError) as caught:
        writer.write(data, timeout=timeout)
    sent = caught.value.characters_written
    assert 0 < sent < len(data)
    with Worker(writer.write, memoryview(data)[sent:]):
        assert peer.recv_exactly(len(data)) == data


def test_nothing_was_written(pair: tuple[Any, Any]) -> None:
    fill(pair[0])
    writer = streams.Stream(pair[0])
    with pytest.raises(TimeoutError) as caught:
        writer.write(b"more", timeout=0.01)
    assert caught.value.characters_written == 0
    pair[1].close()
    with pytest.raises(OSError) as broken:
        until_it_fails(lambda: writer.write(b"x"))
    assert broken.value.characters_written == 0


# -- the methods of socket ---------------------------------------------------------------------------------------------


def test_recv_exactly(stream: tuple[Any, Any]) -> None:
    one, two = stream
    one.settimeout(PATIENCE)
    data = random.Random(2).randbytes(300_000)
    with Worker(two.sendall, data + b"rest"):
        assert one.recv_exactly(7) == data[:7]
        assert one.recv_exactly(299_993) == data[7:]
        assert one.recv_exactly(0) == b""
        # Nothing is read ahead.
        assert one.recv_exactly(1) == b"r"
    assert one.recv(10) == b"est"


def test_recv_exactly_into(stream: tuple[Any, Any]) -> None:
    one, two = stream
    two.sendall(b"abcdefgh+")
    buffer = bytearray(8)
    assert one.recv_exactly_into(memoryview(buffer).cast("I")) == 8
    assert buffer == b"abcdefgh"
    assert one.recv_exactly_into(bytearray()) == 0
    assert one.recv(5) == b"+"
    with pytest.raises(TypeError):
        one.recv_exactly_into(b"12345")
    with pytest.raises(BufferError):
        one.recv_exactly_into(memoryview(bytearray(8))[::2])


def exactly(sock: Any, count: int) -> Any:
    return sock.recv_exactly(count)


def exactly_into(sock: Any, count: int) -> Any:
    return sock.recv_exactly_into(bytearray(count))


@pytest.mark.parametrize("call", [exactly, exactly_into])
def test_what_came_is_in_the_error(stream: tuple[Any, Any], call: Callable[[Any, int], Any]) -> None:
    one, two = stream
    one.settimeout(0.05)
    two.sendall(b"abc")
    with pytest.raises(TimeoutError) as late:
        call(one, 10)
    assert late.value.partial == b"abc"
    one.settimeout(PATIENCE)
    two.sendall(b"de")
    two.shutdown(socket.SHUT_WR)
    with pytest.raises(IncompleteReadError) as early:
        call(one, 10)
    assert (early.value.partial, early.value.expected) == (b"de", 10)


@pytest.mark.parametrize("call", [exactly, exactly_into])
def test_one_timeout_for_all_of_it(stream: tuple[Any, Any], call: Callable[[Any, int], Any]) -> None:
    one, two = stream
    one.settimeout(0.2)
    done = False

    def trickle() -> None:
        while not done:
            two.sendall(b".")
            time.sleep(0.02)

    with Worker(trickle):
        try:
            with pytest.raises(TimeoutError) as caught:
                call(one, 1000)
            assert 1 < len(caught.value.partial) < 1000
        finally:
            done = True


def test_recv_exactly_of_a_closed_socket(sock: Any) -> None:
    sock.close()
    with pytest.raises(OSError):
        sock.recv_exactly(1)
    with pytest.raises(ValueError, match="negative"):
        sock.recv_exactly(-1)
