"""Closing where a handler or another thread comes between any two steps, tried before every step on CPython."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from socketpkg._engine import interrupted


class Sock:
    """What is closed of a socket."""

    def __init__(self) -> None:
        self._sp_fd = self._sp_c_fd = os.open(os.devnull, os.O_RDONLY)


def set_fd(sock: Any, fd: int) -> None:
    sock._sp_fd = sock._sp_c_fd = fd


TAKE, TAKEN = interrupted.taker(with_fields=True)
CLOSE = interrupted.closer(os.close, TAKE, set_fd)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


class Stop(Exception):
    pass


@pytest.mark.parametrize("error", [Stop, TimeoutError, ConnectionResetError, KeyboardInterrupt])
def test_a_handler_that_raises_leaves_the_descriptor_to_the_socket_or_closed(
    stop_before: Callable[..., bool], error: type[BaseException]
) -> None:
    def handler() -> None:
        raise error

    step = 1
    going_on = True
    while going_on:
        sock = Sock()
        fd = sock._sp_fd
        try:
            going_on = stop_before(step, lambda sock=sock: CLOSE(sock), handler, interrupted.__file__)
        except error:
            pass
        assert is_open(fd) == (sock._sp_fd == fd == sock._sp_c_fd), f"step {step}"
        CLOSE(sock)
        assert not is_open(fd)
        assert sock._sp_fd == -1
        step += 1
    assert step > 20


def test_a_failing_close_is_told_and_the_descriptor_is_gone() -> None:
    sock = Sock()
    os.close(sock._sp_fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        CLOSE(sock)
    assert sock._sp_fd == -1
    CLOSE(sock)


def test_a_reset_is_no_failure() -> None:
    def reset(fd: int) -> None:
        os.close(fd)
        raise ConnectionResetError

    sock = Sock()
    interrupted.closer(reset, TAKE, set_fd)(sock)
    assert sock._sp_fd == -1


def test_what_is_taken_is_taken_once() -> None:
    sock = Sock()
    fd = sock._sp_fd
    assert TAKEN(sock) == fd
    assert TAKEN(sock) == sock._sp_fd == sock._sp_c_fd == -1
    os.close(fd)
