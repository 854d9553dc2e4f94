"""sendfile: by the kernel where the file allows it, by send where not."""

from __future__ import annotations

import importlib
import io
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .target import LINUX, PATIENCE, Worker, control_fails, socket

SIZE = 3_000_000
DATA = random.Random(8).randbytes(SIZE)
METHODS = ["sendfile", "_sendfile_use_sendfile", "_sendfile_use_send"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = tmp_path_factory.mktemp("sendfile") / "data"
    name.write_bytes(DATA)
    return name


@pytest.fixture
def file(path: Path) -> Iterator[io.BufferedReader]:
    with path.open("rb") as opened:
        yield opened


def receive(sock: Any) -> bytes:
    received = bytearray()
    while data := sock.recv(1 << 20):
        received += data
    return bytes(received)


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[None, PATIENCE])
def ends(request: pytest.FixtureRequest, tcp: Any) -> Any:
    for sock in tcp:
        sock.settimeout(request.param)
    return tcp


def test_a_whole_file(ends: Any, file: Any, method: str) -> None:
    client, server = ends
    with Worker(receive, server) as worker:
        assert getattr(client, method)(file) == SIZE
        assert file.tell() == SIZE
        client.shutdown(socket.SHUT_WR)
        assert worker.result() == DATA


@pytest.mark.parametrize(("offset", "count"), [(0, None), (5000, None), (0, 100_007), (5000, 1_000_007), (SIZE, None)])
def test_a_part_of_a_file(tcp: Any, file: Any, method: str, offset: int, count: int | None) -> None:
    client, server = tcp
    expected = DATA[offset:] if count is None else DATA[offset : offset + count]
    with Worker(receive, server) as worker:
        assert getattr(client, method)(file, offset, count) == len(expected)
        client.shutdown(socket.SHUT_WR)
        assert worker.result() == expected
    if expected:
        assert file.tell() == offset + len(expected)


def test_more_than_there_is(tcp: Any, file: Any, method: str) -> None:
    client, server = tcp
    with Worker(receive, server) as worker:
        assert getattr(client, method)(file, 0, SIZE * 2) == SIZE
        client.shutdown(socket.SHUT_WR)
        assert worker.result() == DATA


def test_beyond_the_end(tcp: Any, file: Any, method: str) -> None:
    client, server = tcp
    assert getattr(client, method)(file, SIZE + 10) == 0
    client.close()
    assert server.recv(1) == b""


def test_an_empty_file(tcp: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    with empty.open("rb") as opened:
        assert tcp[0].sendfile(opened) == 0


def test_keywords(tcp: Any, file: Any) -> None:
    client, server = tcp
    assert client.sendfile(file=file, offset=10, count=20) == 20
    assert server.recv(20, socket.MSG_WAITALL) == DATA[10:30]


def test_the_position_of_the_file_does_not_count(tcp: Any, file: Any, method: str) -> None:
    """It is sent from the offset, 0 when there is none."""
    client, server = tcp
    file.seek(1234)
    with Worker(receive, server) as worker:
        getattr(client, method)(file, 0, 100)
        client.shutdown(socket.SHUT_WR)
        received = worker.result()
    # The send loop starts where the file stands when the offset is 0.
    assert received in (DATA[:100], DATA[1234:1334])
    assert received == DATA[:100] or method != "_sendfile_use_sendfile"


def test_a_file_without_a_descriptor(tcp: Any) -> None:
    client, server = tcp
    with Worker(receive, server) as worker:
        assert client.sendfile(io.BytesIO(DATA), 7, 1_000_000) == 1_000_000
        client.shutdown(socket.SHUT_WR)
        assert worker.result() == DATA[7:1_000_007]


def test_to_a_unix_socket(pair: Any, file: Any) -> None:
    one, two = pair
    with Worker(receive, two) as worker:
        assert one.sendfile(file) == SIZE
        one.shutdown(socket.SHUT_WR)
        assert worker.result() == DATA


def test_wrong_arguments(tcp: Any, file: Any, dgram: Any, path: Path) -> None:
    client, _ = tcp
    with pytest.raises(ValueError, match="^only SOCK_STREAM type sockets are supported$"):
        dgram.sendfile(file)
    binary = "^file should be opened in binary mode$"
    with path.open(encoding="latin-1") as text, pytest.raises(ValueError, match=binary):
        client.sendfile(text)
    for count in (0, -1):
        with pytest.raises(ValueError, match="^count must be a positive integer"):
            client.sendfile(file, count=count)
    for count in (1.5, "5"):
        with pytest.raises(TypeError, match="^count must be a positive integer"):
            client.sendfile(file, count=count)
    with pytest.raises((AttributeError, TypeError)):
        client.sendfile(None)


def test_non_blocking_sockets_are_refused(tcp: Any, file: Any, method: str) -> None:
    client, _ = tcp
    client.setblocking(False)
    with pytest.raises(ValueError, match="^non-blocking sockets are not supported$"):
        getattr(client, method)(file)


def test_giving_up_on_the_kernel(tcp: Any) -> None:
    with pytest.raises(socket._GiveupOnSendfile):
        tcp[0]._sendfile_use_sendfile(io.BytesIO(b"x"))


def test_a_timeout(tcp: Any, file: Any, method: str, tmp_path: Path) -> None:
    client, _ = tcp
    client.settimeout(0.05)
    with (tmp_path / "large").open("w+b") as large:
        large.truncate(64 << 20)
        with pytest.raises(TimeoutError, match="^timed out$"):
            getattr(client, method)(large)
        assert 0 < large.tell() < 64 << 20


@pytest.mark.parametrize("method", ["sendfile", "_sendfile_use_send"])
def test_a_peer_that_goes(tcp: Any, method: str, tmp_path: Path) -> None:
    client, server = tcp
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    with (tmp_path / "large").open("w+b") as large:
        large.truncate(64 << 20)
        with pytest.raises(ConnectionError):
            getattr(client, method)(large)


# -- files that are no plain files ------------------------------------------------------------------------------------

not_in_stdlib = control_fails("what is no plain file is not sent, and nothing is said")


def sent(sock: Any, peer: Any, method: str, file: Any, *arguments: Any) -> tuple[Any, bytes]:
    """What sending a file came to: its result and what arrived."""
    with Worker(receive, peer) as worker:
        result = getattr(sock, method)(file, *arguments)
        sock.shutdown(socket.SHUT_WR)
        return result, worker.result()


def piped(content: bytes) -> Any:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return open(reading, "rb", buffering=0)


@pytest.mark.skipif(not LINUX, reason="/proc of Linux")
@not_in_stdlib
@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_file_of_proc(tcp: Any, buffering: int) -> None:
    """Its size is 0 until it is read."""
    content = Path("/proc/self/limits").read_bytes()
    with open("/proc/self/limits", "rb", buffering=buffering) as file:
        assert sent(*tcp, "sendfile", file) == (len(content), content)
        assert file.tell() == len(content)


@pytest.mark.skipif(not LINUX, reason="/proc of Linux")
@not_in_stdlib
def test_a_part_of_a_file_of_proc(tcp: Any) -> None:
    content = Path("/proc/self/limits").read_bytes()
    with open("/proc/self/limits", "rb") as file:
        file.seek(99)  # which does not count, as for a file of the disk
        assert sent(*tcp, "sendfile", file, 10, 50) == (50, content[10:60])
        assert file.tell() == 60


@not_in_stdlib
@pytest.mark.parametrize("count", [None, 5, 10, 99])
def test_a_pipe(tcp: Any, count: int | None) -> None:
    content = b"piped data"[:count]
    with piped(b"piped data") as file:
        assert sent(*tcp, "sendfile", file, 0, count) == (len(content), content)


@not_in_stdlib
def test_a_pipe_of_much(tcp: Any) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as file:
            file.write(DATA)

    with Worker(write), open(reading, "rb") as file:
        assert sent(*tcp, "sendfile", file) == (SIZE, DATA)


@not_in_stdlib
def test_a_pipe_that_has_nothing_yet(tcp: Any) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with open(reading, "rb", buffering=0) as file, open(writing, "wb"), pytest.raises(BlockingIOError):
        tcp[0].sendfile(file)


@not_in_stdlib
def test_the_file_of_another_socket(tcp: Any, pair: Any) -> None:
    one, two = pair
    one.sendall(b"from a socket")
    one.shutdown(socket.SHUT_WR)
    with two.makefile("rb") as file:
        assert sent(*tcp, "sendfile", file) == (13, b"from a socket")


class Unseekable(io.RawIOBase):
    """A file that can only be read."""

    def __init__(self, content: bytes) -> None:
        self.inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        return self.inner.readinto(target)


@pytest.mark.parametrize("method", ["sendfile", "_sendfile_use_send"])
@pytest.mark.parametrize("count", [None, 3])
@control_fails("it raises when all is sent")
def test_a_file_without_positions(tcp: Any, method: str, count: int | None) -> None:
    content = b"stream"[:count]
    assert sent(*tcp, method, Unseekable(b"stream"), 0, count) == (len(content), content)


def test_a_file_without_seekable(tcp: Any) -> None:
    class File:
        def __init__(self) -> None:
            self.position = -1
            self.blocks = [b"one", b"two", b""]

        def read(self, size: int) -> bytes:
            return self.blocks.pop(0)

        def seek(self, position: int) -> None:
            self.position = position

    file = File()
    assert sent(*tcp, "sendfile", file) == (6, b"onetwo")
    assert file.position == 6


@not_in_stdlib
@pytest.mark.parametrize("module", ["gzip", "bz2", "lzma"])
def test_a_compressed_file(tcp: Any, module: str, tmp_path: Path) -> None:
    """What read() gives is sent, not what the descriptor has."""
    opener = importlib.import_module(module).open
    with opener(tmp_path / "file", "wb") as file:
        file.write(b"plain " * 5000)
    with opener(tmp_path / "file", "rb") as file:
        assert file.fileno() >= 0
        assert sent(*tcp, "sendfile", file) == (30000, b"plain " * 5000)


def test_a_temporary_file(tcp: Any) -> None:
    """A wrapper of a plain file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(DATA)
        file.flush()
        file.seek(5)
        assert sent(*tcp, "_sendfile_use_sendfile", file) == (SIZE, DATA)


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_file_is_sent_by_each_method(tcp: Any, method: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as file:
        assert sent(*tcp, method, file) == (0, b"")
        assert file.tell() == 0
