"""Host and port as two arguments, as the programs of the module's first manual pass them."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from .target import CLOSED_PORT, LOCALHOST, LOCALHOST_V6, PATIENCE, requires_ipv6, socket

pytestmark = pytest.mark.socketpkg_only


def test_the_pair_of_programs_of_the_manual() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind("", 0)
        server.listen(1)
        server.settimeout(PATIENCE)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.connect("localhost", server.getsockname()[1])
            connection, address = server.accept()
            with connection:
                assert address == client.getsockname()
                client.send(b"Hello, world")
                connection.send(connection.recv(1024))
                assert client.recv(1024) == b"Hello, world"


def test_bind(sock: Any) -> None:
    assert sock.bind(LOCALHOST, 0) is None
    assert sock.getsockname()[0] == LOCALHOST


@requires_ipv6
def test_ipv6() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as server:
        server.bind(LOCALHOST_V6, 0)
        server.listen()
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as client:
            client.connect(LOCALHOST_V6, server.getsockname()[1])
            assert client.getpeername() == server.getsockname()


def test_connect_ex(listener: Any, sock: Any) -> None:
    assert sock.connect_ex(LOCALHOST, listener.getsockname()[1]) == 0
    assert sock.getpeername() == listener.getsockname()
    with socket.socket() as other:
        assert other.connect_ex(LOCALHOST, CLOSED_PORT) == errno.ECONNREFUSED


def test_the_tuple_is_taken_as_ever(sock: Any) -> None:
    sock.bind((LOCALHOST, 0))
    assert sock.getsockname()[0] == LOCALHOST


@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
def test_what_is_refused(sock: Any, method: str) -> None:
    call = getattr(sock, method)
    with pytest.raises(OverflowError, match=r"port must be 0-65535"):
        call(LOCALHOST, 65536)
    for arguments in [(LOCALHOST, "80"), (LOCALHOST, None), (None, 80), ((LOCALHOST, 80), 80), (LOCALHOST, 80, 0), ()]:
        with pytest.raises(TypeError):
            call(*arguments)


@pytest.mark.parametrize("method", ["bind", "connect", "connect_ex"])
def test_other_families_take_one_argument(method: str) -> None:
    with socket.socket(socket.AF_UNIX) as sock, pytest.raises(TypeError):
        getattr(sock, method)("/tmp/path", 0)
