"""What makes sockets for a program: create_connection, create_server, has_dualstack_ipv6, socketpair."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from .target import (
    CLOSED_PORT,
    LINUX,
    LOCALHOST,
    LOCALHOST_V6,
    PATIENCE,
    requires_ipv6,
    socket,
    stdlib,
)

# -- create_connection ------------------------------------------------------------------------------------------------


def test_create_connection(listener: Any) -> None:
    with socket.create_connection(listener.getsockname()) as client:
        server, address = listener.accept()
        with server:
            assert type(client) is socket.socket
            assert address == client.getsockname()
            assert client.gettimeout() is None


@pytest.mark.parametrize("timeout", [None, 5, 0.5])
def test_the_timeout_of_create_connection(listener: Any, timeout: float | None) -> None:
    with socket.create_connection(listener.getsockname(), timeout) as client:
        assert client.gettimeout() == timeout
        listener.accept()[0].close()


def test_the_default_timeout_in_create_connection(listener: Any) -> None:
    socket.setdefaulttimeout(7)
    try:
        with socket.create_connection(listener.getsockname()) as client:
            assert client.gettimeout() == 7
        with socket.create_connection(listener.getsockname(), None) as client:
            assert client.gettimeout() is None
    finally:
        socket.setdefaulttimeout(None)


def test_the_source_address_of_create_connection(listener: Any) -> None:
    with socket.create_connection(listener.getsockname(), timeout=PATIENCE, source_address=("127.0.0.2", 0)) as client:
        assert client.getsockname()[0] == "127.0.0.2"
    with pytest.raises(OSError) as caught:
        socket.create_connection(listener.getsockname(), source_address=(LOCALHOST, listener.getsockname()[1]))
    assert caught.value.errno == errno.EADDRINUSE


def test_create_connection_by_name(listener: Any) -> None:
    with socket.create_connection(("localhost", listener.getsockname()[1]), PATIENCE) as client:
        assert client.getpeername() == listener.getsockname()


def test_create_connection_refused() -> None:
    with pytest.raises(ConnectionRefusedError) as caught:
        socket.create_connection((LOCALHOST, CLOSED_PORT))
    assert caught.value.errno == errno.ECONNREFUSED
    assert caught.value.__cause__ is None


def test_create_connection_with_all_errors() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        socket.create_connection((LOCALHOST, CLOSED_PORT), all_errors=True)
    assert caught.value.message == "create_connection failed"
    assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError]


def test_create_connection_to_what_does_not_resolve() -> None:
    with pytest.raises(socket.gaierror):
        socket.create_connection(("host.invalid", 80))
    with pytest.raises(socket.gaierror):
        socket.create_connection(("host.invalid", 80), all_errors=True)


def test_create_connection_tries_every_answer(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_: [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (LOCALHOST, CLOSED_PORT)),
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", listener.getsockname()),
        ],
    )
    with socket.create_connection(("whatever", 1)) as client:
        assert client.getpeername() == listener.getsockname()


def test_create_connection_with_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])
    with pytest.raises(OSError) as caught:
        socket.create_connection(("whatever", 1))
    assert str(caught.value) == "getaddrinfo returns an empty list"


def test_create_connection_raises_the_last_or_all(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (LOCALHOST, CLOSED_PORT)) for _ in range(2)]
    answers.append((250, socket.SOCK_STREAM, 0, "", (LOCALHOST, 1)))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: answers)
    with pytest.raises(OSError) as first:
        socket.create_connection(("whatever", 1))
    with pytest.raises(ExceptionGroup) as every:
        socket.create_connection(("whatever", 1), all_errors=True)
    numbers = [error.errno for error in every.value.exceptions]  # type: ignore[union-attr]
    assert numbers == [errno.ECONNREFUSED, errno.ECONNREFUSED, errno.EAFNOSUPPORT]
    assert first.value.errno in numbers


def test_wrong_arguments_of_create_connection() -> None:
    for arguments in [(), ("host",), (80,), ((LOCALHOST, 1, 2),)]:
        with pytest.raises((TypeError, ValueError)):
            socket.create_connection(*arguments)
    with pytest.raises(TypeError):
        socket.create_connection((LOCALHOST, 1), 1, None, True)


# -- create_server ----------------------------------------------------------------------------------------------------


def test_create_server() -> None:
    with socket.create_server((LOCALHOST, 0)) as server:
        assert (server.family, server.type) == (socket.AF_INET, socket.SOCK_STREAM)
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        assert server.getsockname()[0] == LOCALHOST
        with socket.create_connection(server.getsockname()) as client:
            accepted, address = server.accept()
            accepted.close()
            assert address == client.getsockname()


def test_create_server_on_every_address() -> None:
    with socket.create_server(("", 0)) as server:
        assert server.getsockname()[0] == "0.0.0.0"


@requires_ipv6
def test_create_server_of_ipv6() -> None:
    with socket.create_server((LOCALHOST_V6, 0), family=socket.AF_INET6) as server:
        assert server.family == socket.AF_INET6
        assert server.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
        with socket.create_connection(server.getsockname()[:2]):
            server.accept()[0].close()


@requires_ipv6
def test_create_server_of_both() -> None:
    assert socket.has_dualstack_ipv6() is True
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        assert server.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0
        port = server.getsockname()[1]
        for host, seen in ((LOCALHOST, "::ffff:127.0.0.1"), (LOCALHOST_V6, LOCALHOST_V6)):
            with socket.create_connection((host, port), PATIENCE):
                accepted, address = server.accept()
                accepted.close()
                assert address[0] == seen


@pytest.mark.parametrize("reuse", [True, False])
def test_reuse_port_of_create_server(reuse: bool) -> None:
    with socket.create_server((LOCALHOST, 0), reuse_port=reuse) as server:
        assert bool(server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)) is reuse
        if reuse:
            socket.create_server(server.getsockname(), reuse_port=True).close()


def test_create_server_keywords_only() -> None:
    with pytest.raises(TypeError):
        socket.create_server((LOCALHOST, 0), socket.AF_INET)
    with socket.create_server((LOCALHOST, 0), family=socket.AF_INET, backlog=3, reuse_port=False, dualstack_ipv6=False):
        pass


def test_errors_of_create_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="^dualstack_ipv6 requires AF_INET6 family$"):
        socket.create_server((LOCALHOST, 0), dualstack_ipv6=True)
    with socket.create_server((LOCALHOST, 0)) as server:
        with pytest.raises(OSError, match="while attempting to bind on address") as caught:
            socket.create_server(server.getsockname())
        assert caught.value.errno == errno.EADDRINUSE
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with pytest.raises(ValueError, match="^dualstack_ipv6 not supported on this platform$"):
        socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)


def test_create_server_for_a_port_that_lingers() -> None:
    """SO_REUSEADDR lets a server come back while old connections are still winding down."""
    with socket.create_server((LOCALHOST, 0)) as server:
        address = server.getsockname()
        client = socket.create_connection(address)
        accepted, _ = server.accept()
        accepted.close()
        assert client.recv(1) == b""
        client.close()
    socket.create_server(address).close()


def test_has_dualstack_ipv6() -> None:
    assert socket.has_dualstack_ipv6() is stdlib.has_dualstack_ipv6()
    assert socket.has_ipv6 is stdlib.has_ipv6


# -- socketpair -------------------------------------------------------------------------------------------------------


def test_socketpair_defaults() -> None:
    one, two = socket.socketpair()
    with one, two:
        for sock in (one, two):
            assert type(sock) is socket.socket
            assert (sock.family, sock.type, sock.proto) == (socket.AF_UNIX, socket.SOCK_STREAM, 0)
            assert sock.gettimeout() is None
            assert not sock.get_inheritable()
        one.send(b"ping")
        assert two.recv(4) == b"ping"


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"])
def test_socketpair_types(kind: str) -> None:
    for arguments, keywords in [
        ((socket.AF_UNIX, getattr(socket, kind)), {}),
        ((None, getattr(socket, kind), 0), {}),
        ((), {"family": socket.AF_UNIX, "type": getattr(socket, kind), "proto": 0}),
    ]:
        one, two = socket.socketpair(*arguments, **keywords)
        with one, two:
            assert one.type is two.type is getattr(socket, kind)
            one.send(b"first")
            one.send(b"second")
            assert two.recv(100) == (b"firstsecond" if kind == "SOCK_STREAM" else b"first")


@pytest.mark.skipif(not LINUX, reason="the flag is Linux's")
def test_socketpair_flags() -> None:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with one, two:
        assert one.type is socket.SOCK_STREAM
        assert (one.gettimeout(), two.gettimeout()) == (0.0, 0.0)


def test_socketpair_of_a_family_that_has_none() -> None:
    with pytest.raises(OSError) as caught:
        socket.socketpair(socket.AF_INET, socket.SOCK_STREAM)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_wrong_arguments_of_socketpair() -> None:
    for arguments in [("AF_UNIX",), (1, "SOCK_STREAM"), (1, 1, "0"), (1, 1, 0, 0)]:
        with pytest.raises(TypeError):
            socket.socketpair(*arguments)
