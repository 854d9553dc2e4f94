"""The module under test, and what the tests of the shared suite have in common."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import platform
import select
import socket as stdlib
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_TARGET = os.environ.get("SOCKETPKG_TEST_TARGET") or "socketpkg"
IS_STDLIB = _TARGET == "stdlib"
#: The name that it is imported by: the standard library's, ours, or that of a vendored copy.
MODULE = "socket" if IS_STDLIB else _TARGET
#: Whether the layer sim stands above the backend: its network has no error queue, for one.
ON_SIM = "sim" in getattr(importlib.import_module(MODULE), "__backend__", "").split("+")
PYPY = platform.python_implementation() == "PyPy"
LINUX = sys.platform == "linux"

#: The module under test: every test says ``from .target import socket``.
socket: Any = importlib.import_module(MODULE)

#: How long a test waits for what must happen. Generous, for no test measures speed.
PATIENCE = int(os.environ.get("SOCKETPKG_TEST_BOUND", "40")) / 2

LOCALHOST = "127.0.0.1"
LOCALHOST_V6 = "::1"

__all__ = [
    "CLOSED_PORT",
    "IS_STDLIB",
    "LINUX",
    "LOCALHOST",
    "LOCALHOST_V6",
    "MODULE",
    "ON_SIM",
    "PATIENCE",
    "PYPY",
    "Worker",
    "control_fails",
    "extension",
    "fd_is_nonblocking",
    "fill",
    "full_backlog",
    "outcome",
    "requires_ipv6",
    "run_python",
    "same_as_stdlib",
    "socket",
    "stdlib",
    "tcp_pair",
    "udp_pair",
    "until_it_fails",
]


def extension(name: str) -> Any:
    """A module of the package under test that the standard library has no like of; None for the control."""
    return None if IS_STDLIB else importlib.import_module(f"{MODULE}.{name}")


def _has_ipv6() -> bool:
    try:
        with stdlib.socket(stdlib.AF_INET6, stdlib.SOCK_STREAM) as sock:
            sock.bind((LOCALHOST_V6, 0))
    except OSError:
        return False
    return True


requires_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="the machine has no IPv6 loopback")


def control_fails(
    reason: str, *, fixed: tuple[int, ...] | None = None, since: tuple[int, ...] = (), run: bool = True
) -> pytest.MarkDecorator:
    """The standard library is known to fail the test, of old or until it was *fixed*; socketpkg must pass it."""
    known = IS_STDLIB and sys.version_info >= since and (fixed is None or sys.version_info < fixed)
    # Not strict: a distribution may carry the correction earlier.
    return pytest.mark.xfail(known, reason=f"the standard library: {reason}", strict=False, run=run)


def outcome(call: Callable[[Any], Any], module: Any) -> tuple[Any, ...]:
    """What *call* does with *module*: its result, or the class and number of its error."""
    try:
        return ("returns", call(module))
    except Exception as error:
        return ("raises", type(error), getattr(error, "errno", None))


def same_as_stdlib(call: Callable[[Any], Any]) -> Any:
    """*call* does with the module under test what it does with the interpreter's own; gives what it did.

    PyPy's own module is no measure: it differs from CPython's, which socketpkg follows.
    """
    ours = outcome(call, socket)
    if not PYPY:
        assert ours == outcome(call, stdlib)
    return ours


def fd_is_nonblocking(sock: Any) -> bool:
    return not os.get_blocking(sock.fileno())


@contextlib.contextmanager
def tcp_pair(family: int | None = None) -> Iterator[tuple[Any, Any]]:
    """A connected client and the server's end of the connection."""
    family = socket.AF_INET if family is None else family
    host = LOCALHOST_V6 if family == socket.AF_INET6 else LOCALHOST
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        listener.listen()
        client = socket.socket(family, socket.SOCK_STREAM)
        with client:
            client.connect(listener.getsockname())
            server = accepted(listener)
            with server:
                yield client, server


def accepted(listener: Any) -> Any:
    """A connection. One that was aborted before it was accepted is told once (accept(2)); the layer chaos does so."""
    try:
        return listener.accept()[0]
    except ConnectionAbortedError:
        return listener.accept()[0]


@contextlib.contextmanager
def full_backlog() -> Iterator[tuple[Any, tuple[str, int]]]:
    """A listener that leaves a further connection waiting until somebody accepts, and its address."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((LOCALHOST, 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
            select.select([], [client], [], 0.1)
        yield listener, address


@contextlib.contextmanager
def udp_pair(family: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Two datagram sockets, each bound to a port of its own; neither is connected."""
    family = socket.AF_INET if family is None else family
    host = LOCALHOST_V6 if family == socket.AF_INET6 else LOCALHOST
    with socket.socket(family, socket.SOCK_DGRAM) as one, socket.socket(family, socket.SOCK_DGRAM) as two:
        one.bind((host, 0))
        two.bind((host, 0))
        one.settimeout(PATIENCE)
        two.settimeout(PATIENCE)
        yield one, two


_refusing = stdlib.socket(stdlib.AF_INET, stdlib.SOCK_STREAM)
_refusing.bind((LOCALHOST, 0))
atexit.register(_refusing.close)
#: A TCP port of the loopback that refuses every connection: it is taken for the whole process, and nobody listens.
CLOSED_PORT: int = _refusing.getsockname()[1]


def fill(sock: Any) -> int:
    """Sends until the kernel takes no more; gives the count and leaves the timeout as it was.

    TCP goes on moving what was sent to the peer's buffer, which makes room again: see `until_it_fails`.
    """
    timeout = sock.gettimeout()
    sock.setblocking(False)
    sent = 0
    try:
        while True:
            sent += sock.send(b"\0" * 65536)
    except BlockingIOError:
        return sent
    finally:
        sock.settimeout(timeout)


def until_it_fails(call: Callable[[], Any]) -> None:
    """Makes the call again and again: at last there is no room left for what it sends."""
    while True:
        call()


class Worker:
    """A function in a thread, whose result or exception comes back when it is joined; also at the end of a with."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(function, args), daemon=True)
        self._thread.start()

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            self._result = function(*args)
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the thread did not end"
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._result

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is None:
            self.result()
        else:
            self._thread.join(PATIENCE)


def run_python(code: str, *arguments: str, options: tuple[str, ...] = (), **environment: str) -> str:
    """Runs *code* in a new interpreter in which ``socket`` is the module under test; gives what it printed.

    It must end with status 0 and write nothing to its standard error.
    """
    program = f"import {MODULE} as socket\n{textwrap.dedent(code)}"
    done = subprocess.run(
        [sys.executable, *options, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        env={**os.environ, **environment},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
