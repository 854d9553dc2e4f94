"""Files over sockets: modes, buffering, text, timeouts, and which of the two closes what."""

from __future__ import annotations

import errno
import gc
import io
import os
import random
import warnings
from typing import Any

import pytest

from .target import PATIENCE, PYPY, Worker, control_fails, fill, socket, stdlib

# -- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "buffering", "kind"),
    [
        ("r", None, io.TextIOWrapper),
        ("w", None, io.TextIOWrapper),
        ("rw", None, io.TextIOWrapper),
        ("wr", None, io.TextIOWrapper),
        ("", None, io.TextIOWrapper),
        ("rb", None, io.BufferedReader),
        ("br", None, io.BufferedReader),
        ("b", None, io.BufferedReader),
        ("wb", None, io.BufferedWriter),
        ("rwb", None, io.BufferedRWPair),
        ("brw", None, io.BufferedRWPair),
        ("rb", -1, io.BufferedReader),
        ("rb", 1, io.BufferedReader),
        ("rb", 4096, io.BufferedReader),
        ("wb", 16, io.BufferedWriter),
        ("rwb", 16, io.BufferedRWPair),
        ("rb", 0, "SocketIO"),
        ("wb", 0, "SocketIO"),
        ("rwb", 0, "SocketIO"),
        ("r", 16, io.TextIOWrapper),
    ],
)
def test_the_kind_of_file(pair: Any, mode: str, buffering: int | None, kind: Any) -> None:
    if kind == "SocketIO":
        kind = socket.SocketIO
    with pair[0].makefile(mode, buffering) as file:
        assert isinstance(file, kind)
        assert file.readable() is ("w" not in mode or "r" in mode)
        assert file.writable() is ("w" in mode)
        assert not file.closed
        if kind is io.TextIOWrapper:
            assert file.mode == mode
    assert file.closed


def test_the_default_is_text_for_reading(pair: Any) -> None:
    one, two = pair
    two.sendall("grüße\n".encode())
    two.close()
    with one.makefile(encoding="utf-8") as file:
        assert file.read() == "grüße\n"


@pytest.mark.parametrize("mode", ["a", "x", "r+", "rt", "U", "rwx", "+", "rb+", "z"])
def test_an_invalid_mode(pair: Any, mode: str) -> None:
    with pytest.raises(ValueError, match=r"^invalid mode"):
        pair[0].makefile(mode)


def test_the_text_for_an_invalid_mode(pair: Any) -> None:
    with pytest.raises(ValueError) as caught:
        pair[0].makefile("rx")
    with stdlib.socket() as reference, pytest.raises(ValueError) as expected:
        reference.makefile("rx")
    assert str(caught.value) == str(expected.value)


def test_text_must_be_buffered(pair: Any) -> None:
    with pytest.raises(ValueError, match="^unbuffered streams must be binary$"):
        pair[0].makefile("r", 0)


def test_a_wrong_kind_of_buffering(pair: Any) -> None:
    with pytest.raises(TypeError):
        pair[0].makefile("rb", "line")


@pytest.mark.parametrize("keyword", [{"encoding": "utf-8"}, {"errors": "strict"}, {"newline": ""}])
def test_text_arguments_are_keywords_only(pair: Any, keyword: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        pair[0].makefile("r", None, *keyword.values())
    with pair[0].makefile("r", None, **keyword) as file:
        assert file.readable()


def test_failing_makefile_leaves_the_socket(pair: Any) -> None:
    """The count of files that keep the socket open goes back."""
    one, two = pair
    with pytest.raises(ValueError, match="^unbuffered"):
        one.makefile("r", 0)
    with pytest.raises(LookupError):
        one.makefile("r", encoding="no such encoding")
    for _ in range(3):
        gc.collect()
    one.close()
    if socket is not stdlib:
        # The standard library keeps the count of a file that was not to be.
        assert one.fileno() == -1
        assert two.recv(1) == b""
    one.detach()


# -- reading and writing ----------------------------------------------------------------------------------------------


def test_lines(stream: Any) -> None:
    one, two = stream
    with one.makefile("rb") as reader, two.makefile("wb") as writer:
        for number in range(1000):
            writer.write(b"line %d\n" % number)
        writer.flush()
        two.shutdown(socket.SHUT_WR)
        assert reader.readline() == b"line 0\n"
        assert reader.readline(4) == b"line"
        assert reader.read(3) == b" 1\n"
        assert [*reader] == [b"line %d\n" % number for number in range(2, 1000)]
        assert reader.read() == b""
        assert reader.readline() == b""


@pytest.mark.parametrize("buffering", [None, 0, 1, 2, 7, 100_000])
def test_readline_from_a_slow_peer(pair: Any, buffering: int | None) -> None:
    one, two = pair
    pieces = [b"a", b"bc", b"\nde", b"f", b"", b"g\n", b"tail"]

    def write() -> None:
        for piece in pieces:
            two.sendall(piece)
        two.close()

    with one.makefile("rb", buffering) as file, Worker(write):
        assert file.readline() == b"abc\n"
        assert file.readline() == b"defg\n"
        assert file.readline() == b"tail"
        assert file.readline() == b""


def test_one_request_at_a_time(pair: Any) -> None:
    """A reader does not wait for more than was sent: one answer goes with one question."""
    one, two = pair
    one.settimeout(PATIENCE)
    two.settimeout(PATIENCE)

    def answer() -> None:
        with two.makefile("rwb") as file:
            for line in file:
                file.write(line.upper())
                file.flush()

    with Worker(answer):
        with one.makefile("rwb") as file:
            for number in range(20):
                file.write(b"question %d\n" % number)
                file.flush()
                assert file.readline() == b"QUESTION %d\n" % number
        one.shutdown(socket.SHUT_WR)


def test_read1_and_peek(pair: Any) -> None:
    one, two = pair
    two.sendall(b"hello")
    with one.makefile("rb") as file:
        assert file.peek()[:5] == b"hello"
        assert file.read1(3) == b"hel"
        assert file.read1() == b"lo"


def test_readinto(pair: Any) -> None:
    one, two = pair
    two.sendall(b"hello")
    buffer = bytearray(8)
    with one.makefile("rb", 0) as file:
        assert file.readinto(buffer) == 5
        assert buffer == b"hello\0\0\0"


@pytest.mark.parametrize("newline", [None, "", "\n", "\r", "\r\n"])
def test_newlines_are_as_in_any_file(pair: Any, newline: str | None) -> None:
    one, two = pair
    two.sendall(b"a\nb\r\nc\rd")
    two.close()
    with one.makefile("r", newline=newline, encoding="ascii") as file:
        expected = io.TextIOWrapper(io.BytesIO(b"a\nb\r\nc\rd"), newline=newline, encoding="ascii").readlines()
        assert file.readlines() == expected


@pytest.mark.parametrize("newline", [None, "", "\n", "\r", "\r\n"])
def test_newlines_written(pair: Any, newline: str | None) -> None:
    one, two = pair
    with one.makefile("w", newline=newline, encoding="ascii") as file:
        file.write("a\nb\n")
    sink = io.BytesIO()
    wrapper = io.TextIOWrapper(sink, newline=newline, encoding="ascii")
    wrapper.write("a\nb\n")
    wrapper.flush()
    assert two.recv(100) == sink.getvalue()


@pytest.mark.parametrize(
    ("encoding", "errors", "data", "text"),
    [
        ("utf-8", None, "ü€".encode(), "ü€"),
        ("latin-1", None, b"\xfc", "ü"),
        ("utf-16", None, "ü".encode("utf-16"), "ü"),
        ("ascii", "replace", b"a\xff", "a\ufffd"),
        ("ascii", "ignore", b"a\xff", "a"),
        ("utf-8", "surrogateescape", b"\xff", "\udcff"),
    ],
)
def test_encodings(pair: Any, encoding: str, errors: str | None, data: bytes, text: str) -> None:
    one, two = pair
    two.sendall(data)
    two.close()
    with one.makefile("r", encoding=encoding, errors=errors) as file:
        assert file.read() == text
        assert file.encoding == encoding


def test_an_encoding_error(pair: Any) -> None:
    one, two = pair
    two.sendall(b"\xff")
    two.close()
    with one.makefile("r", encoding="ascii") as file, pytest.raises(UnicodeDecodeError):
        file.read()


def test_line_buffering_of_text_written(pair: Any) -> None:
    """As the standard library has it: buffering=1 is a buffer of one byte, not of one line."""
    one, two = pair
    with one.makefile("w", buffering=1, encoding="ascii") as file:
        assert file.line_buffering is False
        file.write("text\n")
        file.flush()
        assert two.recv(10) == b"text\n"


def test_a_buffered_writer_holds_back(pair: Any) -> None:
    one, two = pair
    two.setblocking(False)
    with one.makefile("wb") as file:
        file.write(b"small")
        with pytest.raises(BlockingIOError):
            two.recv(10)
        file.flush()
        assert two.recv(10) == b"small"
        file.write(b"at the end")
    assert two.recv(100) == b"at the end"


def test_an_unbuffered_writer_does_not(pair: Any) -> None:
    one, two = pair
    with one.makefile("wb", 0) as file:
        assert file.write(b"at once") == 7
        assert two.recv(10) == b"at once"


def test_megabytes_through_files(stream: Any) -> None:
    one, two = stream
    data = random.Random(5).randbytes(4 << 20)

    def write() -> None:
        with one.makefile("wb", 1000) as file:
            for start in range(0, len(data), 77_777):
                file.write(data[start : start + 77_777])
        one.shutdown(socket.SHUT_WR)

    with Worker(write), two.makefile("rb", 3000) as file:
        assert file.read(1_234_567) == data[:1_234_567]
        assert file.read() == data[1_234_567:]


@control_fails("gh-80109, what was read ahead of a write was lost", fixed=(3, 13))
def test_a_text_file_for_both_keeps_what_it_read_ahead(pair: Any) -> None:
    one, two = pair
    one.settimeout(PATIENCE / 4)
    two.sendall(b"first\nsecond\n")
    with one.makefile("rw", encoding="ascii") as file:
        assert file.readline() == "first\n"
        file.write("answer\n")
        file.flush()
        assert two.recv(100) == b"answer\n"
        assert file.readline() == "second\n"


def test_a_binary_file_for_both_keeps_what_it_read_ahead(pair: Any) -> None:
    one, two = pair
    one.settimeout(PATIENCE)
    two.sendall(b"first\nsecond\n")
    with one.makefile("rwb") as file:
        assert file.readline() == b"first\n"
        file.write(b"answer\n")
        file.flush()
        assert two.recv(100) == b"answer\n"
        assert file.readline() == b"second\n"


# -- timeouts ---------------------------------------------------------------------------------------------------------


def test_a_timeout_in_a_file(pair: Any) -> None:
    one, two = pair
    one.settimeout(0.05)
    with one.makefile("rb") as file:
        with pytest.raises(TimeoutError, match="^timed out$"):
            file.readline()
        two.sendall(b"too late\n")
        for _ in range(2):
            with pytest.raises(OSError, match="^cannot read from timed out object$"):
                file.readline()
    with one.makefile("rb") as another:
        assert another.readline() == b"too late\n", "a new file reads on"


def test_a_timeout_of_writing(pair: Any) -> None:
    one, _ = pair
    one.settimeout(0.05)
    with one.makefile("wb", 0) as file:
        fill(one)
        with pytest.raises(TimeoutError, match="^timed out$"):
            file.write(bytes(1 << 20))


def test_a_file_over_a_nonblocking_socket(pair: Any) -> None:
    one, two = pair
    one.setblocking(False)
    with one.makefile("rwb", 0) as file:
        assert file.read(10) is None
        assert file.readinto(bytearray(1)) is None
        two.sendall(b"now")
        assert file.read(10) == b"now"
        written = 0
        while (count := file.write(bytes(1 << 20))) is not None:
            written += count
        assert written > 0
    two.setblocking(False)


def test_a_buffered_file_over_a_nonblocking_socket(pair: Any) -> None:
    one, _ = pair
    one.setblocking(False)
    with one.makefile("rb") as file:
        assert file.read(10) is None


# -- the object under the file ----------------------------------------------------------------------------------------


def test_attributes_of_socketio(pair: Any) -> None:
    one, _ = pair
    with one.makefile("rwb", 0) as file:
        assert isinstance(file, io.RawIOBase)
        assert file.name == one.fileno()
        assert file.fileno() == one.fileno()
        assert file.mode == "rwb"
        assert file.readable() is True
        assert file.writable() is True
        assert file.seekable() is False
        assert file._sock is one
        assert not file.isatty()
    assert file.name == -1
    for call in (file.fileno, file.readable, file.writable, file.seekable):
        with pytest.raises(ValueError, match=r"I/O operation on closed"):
            call()
    for call in (file.read, lambda: file.readinto(bytearray(1)), lambda: file.write(b"x")):
        with pytest.raises(ValueError, match=r"I/O operation on closed|closed file"):
            call()
    assert file._sock is None


@pytest.mark.parametrize("mode", ["r", "w"])
def test_socketio_refuses_the_other_direction(pair: Any, mode: str) -> None:
    one, two = pair
    two.sendall(b"not for it")
    with one.makefile(mode + "b", 0) as file:
        call, wrong = (
            (lambda: file.write(b"x"), "writable") if mode == "r" else (lambda: file.readinto(bytearray(1)), "readable")
        )
        stop = "" if PYPY else r"\."  # the text is io's, and PyPy's has none
        with pytest.raises(io.UnsupportedOperation, match=rf"^File or stream is not {wrong}{stop}$"):
            call()


def test_socketio_that_was_closed_as_a_plain_raw_file(pair: Any) -> None:
    one, two = pair
    two.sendall(b"too late")
    with one.makefile("rwb", 0) as file:
        io.RawIOBase.close(file)
        for call in (lambda: file.readinto(bytearray(1)), lambda: file.write(b"x")):
            with pytest.raises(ValueError, match="I/O operation on closed file"):
                call()
        one._decref_socketios()


def test_a_subclass_of_socketio_says_itself_what_it_can(pair: Any) -> None:
    class Mute(socket.SocketIO):  # type: ignore[misc, name-defined]
        def readable(self) -> bool:
            return False

        def writable(self) -> bool:
            return False

    one, two = pair
    two.sendall(b"not for it")
    one._io_refs += 1
    with Mute(one, "rwb") as file:
        for call in (lambda: file.readinto(bytearray(1)), lambda: file.write(b"x")):
            with pytest.raises(io.UnsupportedOperation, match="^File or stream is not"):
                call()


@pytest.mark.parametrize("mode", ["r", "w", "rw", "rb", "wb", "rwb"])
def test_the_mode_of_socketio_is_binary(pair: Any, mode: str) -> None:
    one, _ = pair
    one._io_refs += 1
    with socket.SocketIO(one, mode) as file:
        assert file.mode == (mode if mode.endswith("b") else mode + "b")
        assert file.readable() is ("r" in mode)
        assert file.writable() is ("w" in mode)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("mode", ["", "x", "b", "wr", "a", "r+"])
def test_an_invalid_mode_of_socketio(pair: Any, mode: str) -> None:
    # What is left of the object complains in the standard library, when it goes, that it has no socket.
    with pytest.raises(ValueError, match="^invalid mode"):
        socket.SocketIO(pair[0], mode)
    gc.collect()


@pytest.mark.parametrize(("mode", "call"), [("rb", "write"), ("wb", "read"), ("wb", "readinto")])
def test_the_wrong_direction(pair: Any, mode: str, call: str) -> None:
    with pair[0].makefile(mode, 0) as file:
        arguments = {"write": (b"x",), "read": (1,), "readinto": (bytearray(1),)}[call]
        with pytest.raises(io.UnsupportedOperation, match="File or stream is not"):
            getattr(file, call)(*arguments)


@pytest.mark.parametrize("mode", ["r", "w", "rb", "wb", "rwb"])
def test_no_file_of_a_socket_can_be_sought(pair: Any, mode: str) -> None:
    with pair[0].makefile(mode) as file:
        assert not file.seekable()
        with pytest.raises(OSError):
            file.seek(0)


def test_name_of_buffered_files(pair: Any) -> None:
    with pair[0].makefile("rb") as reader, pair[0].makefile("wb") as writer:
        assert reader.name == writer.name == pair[0].fileno()
        assert isinstance(reader.raw, socket.SocketIO)
        assert reader.fileno() == pair[0].fileno()


# -- closing ----------------------------------------------------------------------------------------------------------


def test_the_socket_outlives_its_file(pair: Any) -> None:
    one, two = pair
    one.makefile("rb").close()
    one.makefile("rwb", 0).close()
    one.sendall(b"still open")
    assert two.recv(100) == b"still open"


def test_the_file_outlives_its_socket(pair: Any) -> None:
    one, two = pair
    file = one.makefile("rwb")
    descriptor = one.fileno()
    one.close()
    assert one.fileno() == descriptor, "the descriptor closes with the last file"
    assert "[closed]" in repr(one)
    two.sendall(b"hello\n")
    assert file.readline() == b"hello\n"
    file.write(b"answer")
    file.flush()
    assert two.recv(10) == b"answer"
    file.close()
    assert one.fileno() == -1
    assert two.recv(1) == b""
    with pytest.raises(OSError):
        os.fstat(descriptor)


def test_every_file_counts(pair: Any) -> None:
    one, two = pair
    files = [one.makefile("rb"), one.makefile("wb", 0), one.makefile("rw")]
    one.close()
    for file in files:
        assert one.fileno() >= 0
        file.close()
        file.close()
    assert one.fileno() == -1
    assert two.recv(1) == b""


def test_dropping_the_file_closes_it(pair: Any) -> None:
    one, two = pair
    file = one.makefile("rb")
    one.close()
    with warnings.catch_warnings():
        # 3.14 made a warning of it when an unbuffered file is dropped.
        warnings.simplefilter("ignore", ResourceWarning)
        del file
        for _ in range(3):
            gc.collect()
    assert one.fileno() == -1
    assert two.recv(1) == b""


def test_a_file_keeps_the_socket_alive() -> None:
    one, two = socket.socketpair()
    with two:
        file = one.makefile("rb")
        descriptor = one.fileno()
        del one
        gc.collect()
        os.fstat(descriptor)
        two.sendall(b"x")
        assert file.read(1) == b"x"
        sock = file.raw._sock
        file.close()
        sock.close()


def test_io_refs(pair: Any) -> None:
    one, _ = pair
    assert one._io_refs == 0
    assert one._closed is False
    first = one.makefile("rb")
    second = one.makefile("wb")
    assert one._io_refs == 2
    first.close()
    assert one._io_refs == 1
    one.close()
    assert one._closed is True
    assert one.fileno() >= 0
    second.close()
    assert one._io_refs == 0
    assert one.fileno() == -1


def test_real_close_is_called_when_the_last_goes() -> None:
    calls = []

    class Mine(socket.socket):  # type: ignore[misc,name-defined]
        def _real_close(self, *arguments: Any) -> None:
            calls.append(arguments)
            super()._real_close(*arguments)

    with Mine() as sock:
        file = sock.makefile("rb")
        sock.close()
        assert calls == []
        file.close()
        assert len(calls) == 1
    assert sock.fileno() == -1


def test_closing_a_file_flushes_it(pair: Any) -> None:
    one, two = pair
    file = one.makefile("w", encoding="ascii")
    file.write("flushed by closing")
    one.close()
    file.close()
    assert two.recv(100) == b"flushed by closing"
    assert two.recv(1) == b""


def test_closing_a_file_that_cannot_be_flushed(pair: Any) -> None:
    one, two = pair
    file = one.makefile("wb")
    file.write(b"nobody will read it")
    two.close()
    with pytest.raises(BrokenPipeError):
        file.close()
    assert file.closed
    assert one._io_refs == 0


def test_detaching_the_socket_under_a_file(pair: Any) -> None:
    one, _ = pair
    with one.makefile("rb", 0) as file:
        os.close(one.detach())
        with pytest.raises(OSError) as caught:
            file.read(1)
        assert caught.value.errno == errno.EBADF


def test_with_blocks_in_either_order(pair: Any) -> None:
    one, two = pair
    with one, one.makefile("wb") as file:
        file.write(b"one")
    assert one.fileno() == -1
    assert two.recv(10) == b"one"


def test_text_file_keeps_the_underlying_pieces(pair: Any) -> None:
    with pair[0].makefile("rw", encoding="ascii") as file:
        assert isinstance(file.buffer, io.BufferedRWPair)


@pytest.mark.skipif(PYPY, reason="PyPy finalises at another time")
def test_a_socket_dropped_with_a_file_warns_once_and_for_the_socket() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        one, two = socket.socketpair()
        file = one.makefile("rb")
        del one
        file.close()
        del file
        gc.collect()
        two.close()
    assert [w.category for w in caught] == [ResourceWarning]
