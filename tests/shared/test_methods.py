"""The methods that the standard library writes in Python: what replaces and watches them works, as it does there."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import pytest

from .target import LOCALHOST, run_python, socket


def _closed_below() -> Any:
    sock = socket.socket()
    os.close(sock.fileno())
    return sock


def _exit() -> None:
    with _closed_below():
        pass


def _accept() -> None:
    with socket.create_server((LOCALHOST, 0)) as listener:
        listener.setblocking(False)
        listener.accept()


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: socket.socket(-7), ["__init__"]),
        (lambda: socket.socket(socket.AF_INET, "x"), ["__init__"]),
        (lambda: _closed_below().close(), ["close", "_real_close"]),
        (_exit, ["__exit__", "close", "_real_close"]),
        (_accept, ["accept"]),
        (lambda: socket.socket.__new__(socket.socket).close(), ["close"]),
        (lambda: socket.socket.__new__(socket.socket).__exit__(), ["__exit__"]),
    ],
)
def test_an_error_shows_the_functions_that_it_came_through(call: Callable[[], Any], names: list[str]) -> None:
    with pytest.raises((OSError, TypeError, AttributeError)) as failure:
        call()
    frames = traceback.extract_tb(failure.value.__traceback__)
    assert [frame.name for frame in frames if frame.filename == socket.__file__] == names


@pytest.mark.parametrize("name", ["__init__", "__enter__", "__exit__", "accept", "close", "_real_close"])
def test_they_are_functions(name: str) -> None:
    function = vars(socket.socket)[name]
    assert type(function) is types.FunctionType
    assert function.__code__.co_name == name
    assert next(iter(inspect.signature(function).parameters)) == "self"


def test_another_real_close_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    original = socket.socket._real_close

    def real_close(self: Any, *arguments: Any) -> None:
        closed.append(self)
        original(self, *arguments)

    before, within = socket.socket(), socket.socket()
    before.close()
    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "_real_close", real_close)
        with within:
            pass
        assert closed == [within]
    after = socket.socket()
    after.close()
    assert closed == [within]
    assert [sock.fileno() for sock in (before, within, after)] == [-1, -1, -1]


def test_another_close_is_called_by_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    with socket.socket() as sock:
        monkeypatch.setattr(socket.socket, "close", lambda self: closed.append(self))
    assert closed == [sock]
    assert sock.fileno() >= 0
    monkeypatch.undo()
    sock.close()


def test_another_init_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    original = socket.socket.__init__
    made = []

    def init(self: Any, *arguments: Any, **keywords: Any) -> None:
        made.append(keywords.get("fileno"))
        original(self, *arguments, **keywords)

    with socket.create_server((LOCALHOST, 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        monkeypatch.setattr(socket.socket, "__init__", init)
        server, _ = listener.accept()
        with server, client.dup() as copy:
            assert made == [server.fileno(), copy.fileno()]
        one, other = socket.socketpair()
        with one, other:
            assert len(made) == 4


def test_defaults_are_the_names_of_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "AF_INET", socket.AF_UNIX)
    monkeypatch.setattr(socket, "SOCK_STREAM", socket.SOCK_DGRAM)
    with socket.socket() as sock:
        assert (sock.family, sock.type) == (socket.AF_UNIX, socket.SOCK_DGRAM)


def test_accept_makes_what_the_module_calls_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(socket.socket):
        pass

    with socket.create_server((LOCALHOST, 0)) as listener, socket.create_connection(listener.getsockname()):
        monkeypatch.setattr(socket, "socket", Own)
        server, address = listener.accept()
        with server:
            assert type(server) is Own
            assert address == server.getpeername()


@pytest.mark.parametrize("default", [None, 5.0])
@pytest.mark.parametrize("own", [None, 3.0])
def test_what_accept_makes_has_the_timeout_of_new_sockets(default: float | None, own: float | None) -> None:
    with socket.create_server((LOCALHOST, 0)) as listener, socket.create_connection(listener.getsockname()):
        listener.settimeout(own)
        socket.setdefaulttimeout(default)
        try:
            server, _ = listener.accept()
        finally:
            socket.setdefaulttimeout(None)
        with server:
            assert server.gettimeout() == default
            assert os.get_blocking(server.fileno()) is (default is None)


def test_a_changed_function_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(self: Any, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        raise LookupError(family)

    monkeypatch.setattr(socket.socket.__init__, "__code__", init.__code__)
    with pytest.raises(LookupError, match="-1"):
        socket.socket()
    monkeypatch.undo()
    monkeypatch.setattr(socket.socket.__init__, "__defaults__", (socket.AF_UNIX, -1, -1, None))
    with socket.socket() as sock:
        assert sock.family == socket.AF_UNIX


def test_a_profiler_sees_them() -> None:
    seen = []

    def profile(frame: Any, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename == socket.__file__:
            seen.append(frame.f_code.co_name)

    with socket.create_server((LOCALHOST, 0)) as listener, socket.create_connection(listener.getsockname()):
        sys.setprofile(profile)
        try:
            server, _ = listener.accept()
            with server:
                pass
        finally:
            sys.setprofile(None)
    assert {"accept", "__init__", "__enter__", "__exit__", "close", "_real_close"} <= set(seen)


@pytest.mark.socketpkg_only
def test_what_is_no_function_of_python_is_left_as_it_is() -> None:
    """Compilers of whole programs, such as Nuitka, put functions of their own into the public class."""
    code = """
        from functools import partial

        class Compiled(socket.socket):
            __slots__ = ()

        for name in ("__init__", "close", "_real_close", "__exit__", "accept"):
            setattr(Compiled, name, partial(getattr(socket.socket, name)))
        low_level = socket._socket
        low_level.core.know_public(Compiled)
        one, two = socket.socketpair()
        one.send(b"x")
        print(two.recv(1))
        for sock in (one, two):
            sock.close()
        """
    assert run_python(code) == "b'x'\n"
