"""The names of the module: enums, constants, exceptions, and what programs reach into."""

from __future__ import annotations

import enum
import gc
import importlib
import inspect
import io
import pickle
import sys
import types
from typing import Any

import pytest

from .target import IS_STDLIB, MODULE, PYPY, control_fails, run_python, socket, stdlib

low_level: Any = importlib.import_module("_socket" if IS_STDLIB else f"{MODULE}._socket")
stdlib_low_level: Any = stdlib._socket  # type: ignore[attr-defined]

ENUMS = {
    "AddressFamily": ("AF_", enum.IntEnum),
    "SocketKind": ("SOCK_", enum.IntEnum),
    "MsgFlag": ("MSG_", enum.IntFlag),
    "AddressInfo": ("AI_", enum.IntFlag),
}
FUNCTIONS = sorted(
    name
    for name in stdlib.__all__
    if callable(getattr(stdlib, name)) and not isinstance(getattr(stdlib, name), type) and not name.isupper()
)
CONSTANTS = sorted(
    name
    for name in dir(stdlib)
    # PyPy's module has those of ssl, as old ones of CPython had.
    if name.isupper() and isinstance(getattr(stdlib, name), int) and not name.startswith("SSL_")
)
METHODS = sorted(name for name in dir(stdlib.socket) if not name.startswith("_"))


# -- names ------------------------------------------------------------------------------------------------------------


def test_every_public_name_of_the_standard_library_is_there() -> None:
    missing = sorted(set(stdlib.__all__) - set(dir(socket)))
    assert missing == []


def test_all_names_what_is_there() -> None:
    assert len(socket.__all__) == len(set(socket.__all__))
    for name in socket.__all__:
        assert hasattr(socket, name), name
    assert set(stdlib.__all__) <= set(socket.__all__)


def test_a_star_import() -> None:
    names: dict[str, Any] = {}
    exec(f"from {MODULE} import *", names)
    assert names["socket"] is socket.socket
    assert names["AF_INET"] is socket.AF_INET


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_has_the_value_of_the_standard_library(name: str) -> None:
    assert getattr(socket, name) == getattr(stdlib, name)
    assert type(getattr(socket, name)).__name__ == type(getattr(stdlib, name)).__name__


def test_every_method_is_there() -> None:
    missing = [name for name in METHODS if not hasattr(socket.socket, name)]
    assert missing == []


def test_every_name_of_the_low_level_module_is_there() -> None:
    own = {name for name in dir(stdlib_low_level) if not name.startswith("__")}
    if PYPY:
        own = {name for name in own if name.isupper() or name in stdlib.__all__}
    missing = sorted(own - set(dir(low_level)))
    assert missing == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_docstring(name: str) -> None:
    assert getattr(socket, name).__doc__


@pytest.mark.socketpkg_only
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_signature_of_every_function_can_be_read(name: str) -> None:
    inspect.signature(getattr(socket, name))


@pytest.mark.socketpkg_only
@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("family", "type", "proto", "timeout")])
def test_the_signature_of_every_method_can_be_read(name: str) -> None:
    inspect.signature(getattr(socket.socket, name))


@pytest.mark.parametrize(
    "name",
    [
        "create_connection",
        "create_server",
        "getaddrinfo",
        "getfqdn",
        "fromfd",
        "has_dualstack_ipv6",
        "send_fds",
        "recv_fds",
        "socketpair",
        "socket",
    ],
)
def test_signatures_are_those_of_the_standard_library(name: str) -> None:
    def shape(call: Any) -> list[tuple[str, object]]:
        return [(p.name, p.kind) for p in inspect.signature(call).parameters.values()]

    assert shape(getattr(socket, name)) == shape(getattr(stdlib, name))


PRIVATE = [
    "_GLOBAL_DEFAULT_TIMEOUT",
    "_LOCALHOST",
    "_LOCALHOST_V6",
    "_GiveupOnSendfile",
    "_intenum_converter",
    "_socket",
    "EBADF",
    "EAGAIN",
    "EWOULDBLOCK",
    "errno",
    "os",
    "io",
    "sys",
    "selectors",
    "array",
    "SocketIO",
    "SocketType",
    "SocketKind",
]


@pytest.mark.parametrize("name", PRIVATE)
def test_private_names_that_programs_use(name: str) -> None:
    if not hasattr(stdlib, name):
        pytest.skip(f"this Python's own module has no {name}")
    ours, theirs = getattr(socket, name), getattr(stdlib, name)
    if isinstance(theirs, (int, str)):
        assert ours == theirs
    elif isinstance(theirs, types.ModuleType) and name != "_socket":
        # One that is slow to import is so once it is used.
        assert vars(ours) is vars(theirs)
        assert getattr(socket, name) is theirs


def test_private_names_of_the_class() -> None:
    for name in ("_accept", "_real_close", "_decref_socketios", "_sendfile_use_sendfile", "_sendfile_use_send"):
        if hasattr(stdlib.socket, name):
            assert callable(getattr(socket.socket, name)), name
    with socket.socket() as sock:
        assert sock._io_refs == 0
        assert sock._closed is False
    assert sock._closed is True


def test_the_module_is_the_low_level_ones_user() -> None:
    assert socket._socket is low_level
    assert socket.SocketType is low_level.socket
    assert sys.modules[low_level.__name__] is low_level


# -- exceptions -------------------------------------------------------------------------------------------------------


def test_exceptions_are_the_interpreters_own() -> None:
    import _socket

    assert socket.error is OSError
    assert socket.timeout is TimeoutError
    assert socket.gaierror is _socket.gaierror is stdlib.gaierror
    assert socket.herror is _socket.herror is stdlib.herror
    assert issubclass(socket.gaierror, OSError)
    assert low_level.error is OSError
    assert low_level.timeout is TimeoutError
    assert low_level.gaierror is socket.gaierror


def test_other_peoples_code_catches_our_errors() -> None:
    with pytest.raises(stdlib.gaierror):
        socket.getaddrinfo("host.invalid", 80)
    with pytest.raises(stdlib.error), socket.socket() as sock:
        sock.recv(1)


# -- enums ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_the_enums(name: str) -> None:
    prefix, base = ENUMS[name]
    kind = getattr(socket, name)
    assert issubclass(kind, base)
    assert kind.__name__ == name
    # The standard library leaves out AF_DECnet, which is not in capitals (gh-127544).
    members = {key for key in dir(low_level) if key.startswith(prefix) and (key.isupper() or not IS_STDLIB)}
    assert set(kind.__members__) == members
    assert set(getattr(stdlib, name).__members__) <= members
    for key in members:
        member = getattr(socket, key)
        assert type(member) is kind, key
        assert member is kind[key]
        assert type(getattr(low_level, key)) is int


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_enums_can_be_pickled(name: str) -> None:
    for member in getattr(socket, name):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(member, protocol)) is member


def test_enums_look_like_the_standard_librarys() -> None:
    assert repr(socket.AF_INET) == repr(stdlib.AF_INET)
    assert str(socket.SOCK_STREAM) == str(stdlib.SOCK_STREAM)
    assert repr(socket.MSG_PEEK | socket.MSG_OOB) == repr(stdlib.MSG_PEEK | stdlib.MSG_OOB)
    assert socket.AF_INET == stdlib.AF_INET
    assert {socket.AF_INET: 1}[stdlib.AF_INET] == 1


def test_conversion_back() -> None:
    assert socket._intenum_converter(2, socket.AddressFamily) is socket.AF_INET
    assert socket._intenum_converter(9999, socket.AddressFamily) == 9999
    if not PYPY:
        assert type(socket._intenum_converter(9999, socket.AddressFamily)) is int


def test_a_family_without_a_name() -> None:
    with socket.socket() as sock:
        other = socket.socket(200, 77, fileno=sock.fileno())
        try:
            assert (other.family, other.type) == (200, 77)
            assert type(other.family) is int
            assert type(other.type) is int
        finally:
            other.detach()


# -- the low-level class ----------------------------------------------------------------------------------------------


def test_the_low_level_repr() -> None:
    sock = low_level.socket(socket.AF_INET, socket.SOCK_DGRAM)
    descriptor = sock.fileno()
    assert repr(sock) == f"<socket object, fd={descriptor}, family=2, type=2, proto=0>"
    sock.close()
    assert repr(sock) == "<socket object, fd=-1, family=2, type=2, proto=0>"


def test_the_low_level_attributes_are_plain_ints() -> None:
    sock = low_level.socket()
    try:
        assert (type(sock.family), type(sock.type), type(sock.proto)) == (int, int, int)
        assert sock.timeout is None
    finally:
        sock.close()


def test_the_low_level_accept(listener: Any) -> None:
    with socket.socket() as client:
        client.connect(listener.getsockname())
        descriptor, address = listener._accept()
        socket.socket(fileno=descriptor).close()
        assert type(descriptor) is int
        assert address == client.getsockname()


def test_a_low_level_socket_dropped_open_warns() -> None:
    text = None

    def drop() -> None:
        nonlocal text
        sock = low_level.socket()
        text = repr(sock)
        del sock
        for _ in range(3):
            gc.collect()

    with pytest.warns(ResourceWarning) as caught:
        drop()
    assert str(caught[0].message) == f"unclosed {text}"


@pytest.mark.skipif(PYPY, reason="PyPy has no capsules")
def test_the_capsule_for_ssl() -> None:
    assert "_socket.CAPI" in repr(low_level.CAPI)


@pytest.mark.skipif(PYPY, reason="PyPy collects otherwise")
@control_fails("the class was not made at run time before 3.12", fixed=(3, 12))
def test_the_low_level_class_is_tracked_by_the_collector() -> None:
    class Other:
        """CPython 3.13 without a GIL makes all classes immortal with its first thread: the collector forgets them."""

    assert gc.is_tracked(low_level.socket) or not gc.is_tracked(Other)


def test_creation_has_two_steps() -> None:
    """The object in __new__, the descriptor in __init__."""
    sock = socket.socket.__new__(socket.socket)
    assert sock.fileno() == -1
    sock.__init__()
    assert sock.fileno() >= 0
    sock.close()


# -- look-ups in the module's globals ---------------------------------------------------------------------------------


class Patched(socket.socket):  # type: ignore[misc,name-defined]
    """What takes the place of the class."""


def test_functions_make_what_stands_in_the_module(monkeypatch: pytest.MonkeyPatch, listener: Any) -> None:
    monkeypatch.setattr(socket, "socket", Patched)
    with socket.create_connection(listener.getsockname()) as client:
        assert type(client) is Patched
        server, _ = listener.accept()
        with server:
            assert type(server) is Patched
    with socket.create_server(("127.0.0.1", 0)) as created:
        assert type(created) is Patched
        with socket.fromfd(created.fileno(), socket.AF_INET, socket.SOCK_STREAM) as twin:
            assert type(twin) is Patched
    one, two = socket.socketpair()
    with one, two:
        assert type(one) is type(two) is Patched


def test_create_connection_uses_the_getaddrinfo_of_the_module(monkeypatch: pytest.MonkeyPatch, listener: Any) -> None:
    asked = []

    def getaddrinfo(*arguments: Any) -> Any:
        asked.append(arguments)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    socket.create_connection(("example.invalid", 4)).close()
    assert asked == [("example.invalid", 4, 0, socket.SOCK_STREAM)]


def test_mock_patches_of_other_peoples_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    from unittest import mock

    with mock.patch(f"{MODULE}.socket") as fake, mock.patch(f"{MODULE}.getaddrinfo") as resolve:
        resolve.return_value = [(2, 1, 6, "", ("127.0.0.1", 80))]
        sock = socket.create_connection(("anywhere", 80), timeout=3)
        assert sock is fake.return_value
        sock.settimeout.assert_called_once_with(3)
        sock.connect.assert_called_once_with(("127.0.0.1", 80))


def test_importing_in_a_clean_interpreter() -> None:
    code = """
    import sys
    print(socket.socket.__name__, isinstance(socket.AF_INET, int))
    """
    assert run_python(code, options=("-W", "error")) == "socket True\n"


def test_socketio_is_a_raw_file() -> None:
    assert issubclass(socket.SocketIO, io.RawIOBase)
    assert isinstance(socket.SocketIO.__doc__, str)


def test_the_name_of_the_low_level_type() -> None:
    """It tells no backend."""
    assert low_level.socket is low_level.SocketType is socket.SocketType
    assert (low_level.socket.__name__, low_level.socket.__qualname__) == ("socket", "socket")
    assert low_level.socket.__module__ == low_level.__name__
    assert repr(low_level.socket) == f"<class '{low_level.__name__}.socket'>"


def test_exit_takes_whatever_it_is_given() -> None:
    for arguments in ((), (None,), (None, None, None), (1, 2, 3, 4)):
        sock = socket.socket()
        assert sock.__exit__(*arguments) is None
        assert sock.fileno() == -1
