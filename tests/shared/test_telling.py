"""What an error tells beyond its text: which address failed (`address`, a note), how much was sent."""

from __future__ import annotations

import errno
import io
import os
import pickle
import random
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .target import CLOSED_PORT, LOCALHOST, PATIENCE, Worker, fill, requires_ipv6, socket, stdlib

pytestmark = pytest.mark.socketpkg_only

REFUSED = (LOCALHOST, CLOSED_PORT)


def noted(error: BaseException) -> tuple[Any, list[str]]:
    return getattr(error, "address", None), getattr(error, "__notes__", [])


# -- which address -----------------------------------------------------------------------------------------------------


def test_connect(sock: Any) -> None:
    with pytest.raises(ConnectionRefusedError) as caught:
        sock.connect(REFUSED)
    assert noted(caught.value) == (REFUSED, [f"connect {REFUSED!r}"])
    assert f"connect {REFUSED!r}" in "".join(traceback.format_exception(caught.value))


def test_text_and_arguments_stay(sock: Any, dgram: Any) -> None:
    with stdlib.socket() as other:
        for call in (
            lambda sock: sock.connect(REFUSED),
            lambda sock: sock.bind(("192.0.2.1", 1)),
            lambda sock: sock.connect(("host.invalid.", 80)),
        ):
            errors: list[OSError] = []
            for each in (sock, other):
                with pytest.raises(OSError) as caught:
                    call(each)
                errors.append(caught.value)
            ours, theirs = errors
            assert type(ours) is type(theirs)
            assert (str(ours), ours.args, ours.errno, ours.filename) == (
                *(str(theirs), theirs.args, theirs.errno, theirs.filename),
            )


def test_the_two_argument_forms(sock: Any) -> None:
    with pytest.raises(OSError) as caught:
        sock.connect(LOCALHOST, CLOSED_PORT)
    assert noted(caught.value)[0] == REFUSED
    with pytest.raises(OSError) as caught:
        sock.bind("192.0.2.1", 5)
    assert noted(caught.value) == (("192.0.2.1", 5), ["bind ('192.0.2.1', 5)"])


def test_a_host_that_does_not_resolve(sock: Any) -> None:
    with pytest.raises(socket.gaierror) as caught:
        sock.connect(("host.invalid.", 80))
    assert noted(caught.value)[0] == ("host.invalid.", 80)


def test_a_unix_path(short_dir: Path) -> None:
    path = str(short_dir / "missing")
    with socket.socket(socket.AF_UNIX) as unix, pytest.raises(FileNotFoundError) as caught:
        unix.connect(path)
    assert noted(caught.value) == (path, [f"connect {path!r}"])


def test_a_timeout(sock: Any, listener: Any) -> None:
    with socket.socket() as full:
        full.bind((LOCALHOST, 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError, match="timed out") as caught:
            sock.connect(full.getsockname())
        assert noted(caught.value)[0] == full.getsockname()
        for filler in fillers:
            filler.close()


def test_sendto(dgram: Any) -> None:
    there = ("192.0.2.1", 0)
    with pytest.raises(OSError) as caught:
        dgram.sendto(b"x", there)
    assert noted(caught.value) == (there, [f"sendto {there!r}"])


def test_what_would_have_to_wait_is_no_failure(sock: Any, listener: Any) -> None:
    """asyncio asks for it with each connection."""
    sock.setblocking(False)
    try:
        sock.connect(listener.getsockname())
    except BlockingIOError as error:
        caught: OSError = error
        assert noted(caught) == (None, [])


def test_other_errors_are_not_touched(sock: Any) -> None:
    with pytest.raises(TypeError) as caught:
        sock.connect("text")
    assert noted(caught.value) == (None, [])
    with pytest.raises(OverflowError) as large:
        sock.connect((LOCALHOST, 70000))
    assert noted(large.value) == (None, [])


@pytest.mark.parametrize("all_errors", [False, True])
def test_create_connection(all_errors: bool) -> None:
    with pytest.raises((OSError, ExceptionGroup)) as caught:
        socket.create_connection(REFUSED, all_errors=all_errors)
    if all_errors:
        assert noted(caught.value) == (REFUSED, [f"create_connection {REFUSED!r}"])
        (error,) = caught.value.exceptions  # type: ignore[union-attr]
        assert noted(error) == (REFUSED, [f"connect {REFUSED!r}"])
    else:
        assert noted(caught.value) == (REFUSED, [f"connect {REFUSED!r}"])


def test_create_connection_of_a_name_and_a_source() -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.create_connection(("host.invalid.", 80))
    assert noted(caught.value) == (("host.invalid.", 80), ["create_connection ('host.invalid.', 80)"])
    with pytest.raises(OSError) as bound:
        socket.create_connection(REFUSED, source_address=("192.0.2.1", 0))
    assert noted(bound.value) == (("192.0.2.1", 0), ["bind ('192.0.2.1', 0)"])


def test_create_server() -> None:
    with pytest.raises(OSError, match=r"while attempting to bind on address \('192.0.2.1', 9\)") as caught:
        socket.create_server(("192.0.2.1", 9))
    assert noted(caught.value)[0] == ("192.0.2.1", 9)


@requires_ipv6
def test_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as sock, pytest.raises(OSError) as caught:
        sock.bind(("2001:db8::1", 1, 0, 0))
    assert noted(caught.value) == (("2001:db8::1", 1, 0, 0), ["bind ('2001:db8::1', 1, 0, 0)"])


def test_an_error_can_be_pickled(sock: Any) -> None:
    with pytest.raises(OSError) as caught:
        sock.connect(REFUSED)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.args, copy.address) == (ConnectionRefusedError, caught.value.args, REFUSED)


# -- how much was sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 0.05])
@pytest.mark.parametrize("size", [1_000, 30_000, 30_000_000])
def test_sendall_says_how_much_was_sent(stream: tuple[Any, Any], timeout: float, size: int) -> None:
    """By what arrives at the other end: the rest is sent from there, and nothing is missing or doubled."""
    one, two = stream
    data = random.Random(size).randbytes(size)
    one.settimeout(timeout)
    sent = 0
    rounds = 0
    error: OSError | None = None
    while error is None:
        try:
            one.sendall(data)
            rounds += 1
        except OSError as failure:
            error = failure
    assert isinstance(error, BlockingIOError if timeout == 0 else TimeoutError)
    sent = error.characters_written  # type: ignore[attr-defined]
    assert 0 <= sent < size
    one.settimeout(PATIENCE)
    with Worker(one.sendall, data[sent:]):
        received = two.recv_exactly((rounds + 1) * size)
    assert received == data * (rounds + 1)


def test_sendall_of_a_broken_connection(stream: tuple[Any, Any]) -> None:
    one, two = stream
    two.close()
    for _ in range(3):
        try:
            one.sendall(b"abc")
        except OSError as error:
            failure = error
    assert failure.characters_written == 0  # type: ignore[attr-defined]
    one.close()
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        one.sendall(b"abc")
    assert caught.value.characters_written == 0


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_handler_that_raises(
    stream: tuple[Any, Any], interruption: Callable[..., Any], timeout: float | None
) -> None:
    one, two = stream
    one.settimeout(timeout)
    data = random.Random(9).randbytes(50_000_000)
    with pytest.raises(KeyboardInterrupt) as caught, interruption(KeyboardInterrupt):
        one.sendall(data)
    # Without the attribute it came before the first byte.
    sent = getattr(caught.value, "characters_written", 0)
    assert sent < len(data)
    one.shutdown(socket.SHUT_WR)
    received = bytearray()
    while part := two.recv(1 << 20):
        received += part
    assert received == data[:sent]


def test_sendall_of_the_wrong_thing(pair: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError) as caught:
        pair[0].sendall("text")
    assert not hasattr(caught.value, "characters_written")


@pytest.mark.parametrize("form", ["file", "memory"])
def test_sendfile(stream: tuple[Any, Any], tmp_path: Path, form: str) -> None:
    one, two = stream
    data = random.Random(4).randbytes(30_000_000)
    path = tmp_path / "data"
    path.write_bytes(data)
    one.settimeout(0.1)
    with path.open("rb") if form == "file" else io.BytesIO(data) as file:
        with pytest.raises(TimeoutError) as caught:
            one.sendfile(file, 10)
        sent = caught.value.characters_written
        assert 0 < sent < len(data)
        assert file.tell() == 10 + sent
    one.shutdown(socket.SHUT_WR)
    received = bytearray()
    while part := two.recv(1 << 20):
        received += part
    assert received == data[10 : 10 + sent]


def test_sendmsg_gives_what_was_sent(pair: tuple[Any, Any]) -> None:
    """A blocking sendmsg of several system calls has no error then: what was taken is its result."""
    one, two = pair
    worker = Worker(one.sendmsg, [bytes(10_000_000), bytes(10)])
    got = len(two.recv(100_000))
    two.close()
    assert 0 < got <= worker.result() < 10_000_010
    with pytest.raises(OSError) as caught:
        one.sendmsg([b"x"])
    assert caught.value.errno in (errno.EPIPE, errno.ECONNRESET)


def test_full(pair: tuple[Any, Any]) -> None:
    fill(pair[0])
    pair[0].settimeout(0)
    with pytest.raises(BlockingIOError) as caught:
        pair[0].sendall(b"x")
    assert caught.value.characters_written == 0
    assert caught.value.args == (errno.EAGAIN, os.strerror(errno.EAGAIN))
