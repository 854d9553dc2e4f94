"""Where urgent data begins: `sockatmark`, which the standard library does not have."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import pytest

from .target import socket

pytestmark = pytest.mark.socketpkg_only


@pytest.fixture
def connected() -> Iterator[tuple[Any, Any]]:
    """A client and the server's end, which takes urgent data in line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    for sock in (client, server):
        sock.settimeout(20)
    with client, server:
        yield client, server


def test_the_mark_is_between_two_receives(connected: tuple[Any, Any]) -> None:
    client, server = connected
    client.sendall(b"before")
    client.send(b"!", socket.MSG_OOB)
    client.sendall(b"after")
    client.shutdown(socket.SHUT_WR)
    assert server.sockatmark() is False
    before = b""
    while len(before) < 6:
        before += server.recv(100)
    assert before == b"before"
    # The mark is known when the urgent byte has come.
    assert server.recv(1, socket.MSG_PEEK) == b"!"
    assert server.sockatmark() is True
    rest = b""
    while data := server.recv(100):
        rest += data
    assert rest == b"!after"
    assert server.sockatmark() is False


def test_no_mark_without_urgent_data(connected: tuple[Any, Any]) -> None:
    client, server = connected
    client.sendall(b"plain")
    assert server.recv(1) == b"p"
    assert server.sockatmark() is False


def test_errors(connected: tuple[Any, Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(OSError) as caught:
        sock.sockatmark()
    assert caught.value.errno in (errno.ENOTTY, errno.EINVAL)
    client, server = connected
    client.close()
    with pytest.raises(OSError) as caught:
        client.sockatmark()
    assert caught.value.errno == errno.EBADF
    with pytest.raises(TypeError):
        server.sockatmark(1)
