"""What a program replaces, sets or watches: it reaches what the standard library does in Python, and nothing below.

Libraries for tests and for greenlets (freezegun, pyfakefs, unittest.mock, gevent) replace functions of `os`, `time`,
`select` and `fcntl`: in these modules, and in others by the names that these have for them. The standard library is the
measure: what it does in C they do not reach.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import io
import json
import os
import posix
import select
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import test_errors
from .target import IS_STDLIB, LOCALHOST, PYPY, socket, stdlib, tcp_pair, udp_pair

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
#: What the import system asks of posix at each import: a module that is used for the first time must still be found.
IMPORTING = {"fspath", "fstat", "getcwd", "listdir", "open", "replace", "stat"}


class Replaced(BaseException):
    """What a function raises that has been replaced. Nothing below the public module catches it."""


def _replacement(module: str, name: str) -> Any:
    def replaced(*arguments: Any, **keywords: Any) -> Any:
        raise Replaced(f"{module}.{name}")

    return replaced


@contextlib.contextmanager
def all_replaced() -> Iterator[None]:
    """Every function of these modules raises, under each name that any module has for it.

    ctypes is a backend's own way to the C library, so there only the names in the module itself are replaced. Not on
    PyPy, whose ctypes is written in Python over these names.
    """
    everywhere: dict[int, Any] = {}
    changes: list[tuple[dict[str, Any], str, Any, Any]] = []
    for module in (os, posix, time, select, fcntl, *(() if PYPY else (ctypes, sys.modules["_ctypes"]))):
        for name, value in vars(module).items():
            if not isinstance(value, FUNCTIONS) or (module is posix and name in IMPORTING) or name.startswith("__"):
                continue
            if module.__name__.endswith("ctypes"):
                changes.append((vars(module), name, value, _replacement(module.__name__, name)))
            else:
                everywhere[id(value)] = (value, _replacement(module.__name__, name))
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        if module.__name__ == __name__ or module.__name__.startswith("importlib") or module is posix:
            continue
        for name, value in list(names.items()):
            if id(value) in everywhere:
                changes.append((names, name, *everywhere[id(value)]))
    for name, value in list(vars(posix).items()):
        if id(value) in everywhere and name not in IMPORTING:
            changes.append((vars(posix), name, *everywhere[id(value)]))
    enabled = gc.isenabled()
    gc.disable()
    try:
        for names, name, _, new in changes:
            names[name] = new
        yield
    finally:
        for names, name, old, _ in reversed(changes):
            names[name] = old
        if enabled:
            gc.enable()


def waits() -> None:
    """Each call that can wait does so until its time is over."""
    with udp_pair() as (datagram, _), tcp_pair() as (one, _), socket.create_server((LOCALHOST, 0)) as listener:
        for sock in (datagram, one, listener):
            sock.settimeout(0.002)
        calls: list[Callable[[], Any]] = [
            lambda: one.recv(1),
            lambda: one.recv(1_000_000),
            lambda: one.recv_into(bytearray(1)),
            lambda: one.recv_into(memoryview(bytearray(1))),
            lambda: one.recvmsg(1, 100),
            lambda: one.recvmsg_into([bytearray(1), bytearray(1)]),
            lambda: datagram.recvfrom(1),
            lambda: datagram.recvfrom_into(bytearray(1)),
            lambda: listener.accept(),
            lambda: one.makefile("rb").read(1),
            lambda: one.sendall(b"x" * 30_000_000),
        ]
        if not IS_STDLIB:
            calls += [
                lambda: datagram.recvmmsg(2, 10),
                lambda: datagram.recvmmsg_into([bytearray(1), bytearray(1)]),
                lambda: datagram.recv_segments(),
            ]
        for call in calls:
            with pytest.raises(TimeoutError):
                call()
        # Many wait to be accepted, and nobody does it.
        with contextlib.ExitStack() as stack, socket.socket() as full:
            full.bind((LOCALHOST, 0))
            full.listen(0)

            def crowd() -> None:
                for _ in range(20):
                    client = stack.enter_context(socket.socket())
                    client.settimeout(0.002)
                    client.connect(full.getsockname())

            with pytest.raises(TimeoutError):
                crowd()
            with pytest.raises(TimeoutError):
                socket.create_connection(full.getsockname(), 0.002)


def _forget(objects: list[Any]) -> None:
    objects.clear()
    for _ in range(3 if PYPY else 0):
        gc.collect()


def modes_and_ends() -> None:
    """What changes a descriptor, makes another one of it, and closes it, in each way."""
    one, two = socket.socketpair()
    one.settimeout(5)
    one.setblocking(False)
    one.setblocking(True)
    one.settimeout(None)
    three = one.dup()
    four = socket.fromfd(two.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
    number = socket.dup(two.fileno())
    socket.close(number)
    five = socket.socket(fileno=four.detach())
    with one, two, three:
        pass
    forgotten = [five]
    del five
    with pytest.warns(ResourceWarning):
        _forget(forgotten)
    socket.setdefaulttimeout(5)
    try:
        with socket.socket() as sock:
            assert sock.gettimeout() == 5
    finally:
        socket.setdefaulttimeout(None)
    with tcp_pair() as (client, server):
        assert client.sendfile(io.BytesIO(b"a file")) == 6
        assert server.recv(100) == b"a file"
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""


def many_datagrams() -> None:
    if IS_STDLIB:
        return
    with udp_pair() as (one, two):
        there = two.getsockname()
        assert one.sendmmsg([(b"a", there), (b"b", there), (b"c", there)]) == 3
        assert [data for data, _ in two.recvmmsg(3, 10)] == [b"a", b"b", b"c"]
        assert one.send_segments(b"abcdef", 2, there) == 6
        assert b"".join(two.recv_segments()[0]) in (b"abcdef", b"ab")


def transfers() -> None:
    test_errors.transfers(socket)


def lookups() -> None:
    test_errors.lookups(socket)


USES = [waits, modes_and_ends, many_datagrams, transfers, lookups]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_nothing_below_uses_a_name_that_can_be_replaced(use: Callable[[], None]) -> None:
    # Modules that are imported when they are needed are imported here: pytest's importer works with `os`.
    use()
    with all_replaced():
        use()


def test_no_path_needs_a_name_that_can_be_replaced(short_dir: Any) -> None:
    path = str(short_dir)
    with socket.socket(socket.AF_UNIX) as sock, all_replaced():
        sock.bind(f"{path}/s")
        assert sock.getsockname() == f"{path}/s"
        with pytest.raises(FileNotFoundError):
            sock.connect(f"{path}/nobody".encode())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", sorted(set(test_errors.CALLS) - {"sendfile, text"}))
def test_no_error_needs_a_name_that_can_be_replaced(name: str) -> None:
    expected = test_errors.failure(name, socket)
    with all_replaced():
        found = test_errors.failure(name, socket)
    assert type(found) is type(expected)
    if PYPY and name == "a file, full":
        return  # PyPy's BufferedWriter gives the errno that the last system call of anybody left
    assert getattr(found, "errno", None) == getattr(expected, "errno", None)
    assert str(found).split("0x")[0] == str(expected).split("0x")[0]


def test_the_replacements_are_seen_by_python() -> None:
    """Else none of these tests could fail."""
    with all_replaced():
        for call in (lambda: os.close(-1), lambda: time.monotonic(), lambda: select.poll(), lambda: os.fsencode("x")):
            with pytest.raises(Replaced):
                call()
        with socket.socket() as sock, pytest.raises(Replaced):
            # The standard library's is written in Python.
            sock.get_inheritable()
    os.stat("/")


# -- attributes --------------------------------------------------------------------------------------------------------

#: Names that programs give to what they keep in their subclasses: PySocks, and what else one would think of.
ATTRIBUTES = (
    "_timeout _fd _family _type _proto _sock _socket _address _host _port _closed_ _buffer _state _errorhandler _io"
    " _blocking _peer _name _sockfd _c_fd _c_timeout _fileno _default_timeout _waits _lock fd host port sock state"
).split()


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_subclass_may_keep_any_attribute(name: str) -> None:
    class Mine(socket.socket):  # type: ignore[misc,name-defined]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            setattr(self, name, "before")
            super().__init__(*arguments, **keywords)
            setattr(self, name, "mine")

    assert not hasattr(socket.socket, name)
    with Mine(socket.AF_INET, socket.SOCK_DGRAM, 0) as sock:
        assert sock.fileno() >= 0 and sock.gettimeout() is None
        assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_DGRAM, 0)
        sock.settimeout(5)
        sock.bind((LOCALHOST, 0))
        sock.sendto(b"x", sock.getsockname())
        assert sock.recv(1) == b"x"
        assert getattr(sock, name) == "mine"
        with sock.dup() as other:
            assert other.gettimeout() == 5


@pytest.mark.socketpkg_only
def test_the_names_of_the_state_are_such_as_no_program_has() -> None:
    with socket.socket() as sock:
        names = {name for cls in type(sock).__mro__ for name in vars(cls)}
    known = set(dir(stdlib.socket)) | set(dir(object))
    own = {name for name in names - known if name.startswith("_") and not name.startswith("__")}
    documented = {"_one_address", "_weakref_"}
    assert all(name.startswith("_sp_") for name in own - documented), sorted(own - documented)


# -- audit events ------------------------------------------------------------------------------------------------------

WATCH = """
import json, sys
sys.path.insert(0, {folder!r})
from shared import test_errors
from shared.target import socket

events = None

def hook(event, arguments):
    if events is not None:
        events.append(event)

sys.addaudithook(hook)

def watched(name, call):
    global events
    events = []
    try:
        call()
    except BaseException:
        pass
    seen, events = events, None
    return seen

found = {{}}
for turn in ("first", "second"):
    calls = {{name: (lambda name=name: test_errors.failure(name, socket)) for name in test_errors.CALLS}}
    calls["transfers"] = lambda: test_errors.transfers(socket)
    calls["lookups"] = lambda: test_errors.lookups(socket)
    calls["socketpair"] = lambda: [end.close() for end in socket.socketpair()]
    found[turn] = {{name: watched(name, call) for name, call in calls.items()}}
print(json.dumps(found))
"""
#: What the import of a module of our own raises that is loaded when it is used.
OF_IMPORTS = {"import", "open", "exec", "compile", "marshal.loads", "os.listdir", "code.__new__", "sys._getframe"}


def _events(target: str) -> Any:
    code = WATCH.format(folder=str(Path(__file__).parent.parent))
    environment = {**os.environ, "SOCKETPKG_TEST_TARGET": target}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(PYPY, reason="its own module is no measure")
@pytest.mark.socketpkg_only
def test_every_call_raises_the_audit_events_of_the_standard_library_and_no_others() -> None:
    """A program that forbids ctypes, or mmap, or what else a backend may use, still has its sockets."""
    ours = _events(os.environ.get("SOCKETPKG_TEST_TARGET") or "socketpkg")
    theirs = _events("stdlib")
    wrong = {}
    for name, expected in theirs["second"].items():
        if ours["second"][name] != expected:
            wrong[name] = (ours["second"][name], expected)
        late = set(ours["first"][name]) - OF_IMPORTS - set(theirs["first"][name])
        if late:
            wrong[f"{name}, at first"] = (sorted(late), [])
    assert not wrong


FORBIDS = """
import sys

def hook(event, arguments):
    if event.startswith("ctypes."):
        raise RuntimeError(f"{event} is forbidden")

if %r == "before":
    sys.addaudithook(hook)
import socketpkg
if %r == "after":
    sys.addaudithook(hook)
one, two = socketpkg.socketpair()
with one, two:
    one.settimeout(5)
    one.sendall(b"x")
    assert two.recv(2) == b"x"
assert socketpkg.gethostbyname("127.0.0.1") == "127.0.0.1"
socketpkg.install()
import ssl
"""


@pytest.mark.skipif(PYPY, reason="its ctypes raises no such events")
@pytest.mark.socketpkg_only
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hook_may_forbid_ctypes(when: str) -> None:
    name = socket.backends.current().name
    backend = name.rpartition("+")[2]  # the one below the layers
    done = subprocess.run([sys.executable, "-c", FORBIDS % (when, when)], capture_output=True, text=True, timeout=120)
    if (backend, when) == ("ctypes", "before"):
        said = "ImportError: socketpkg cannot use the backend 'ctypes'"
        if name != backend:
            said = f"socketpkg.backends.LayerError: socketpkg cannot use the stack {name!r}"
        assert done.stderr.splitlines()[-1].startswith(said)
        assert "ctypes.dlopen is forbidden" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
