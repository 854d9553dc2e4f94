"""`socketpkg.server`: the standard library's servers, on our sockets from the listener to the handler."""

from __future__ import annotations

import http.client
import http.server
import inspect
import os
import socket as stdlib
import socketserver
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import socketpkg
from socketpkg import server

PATIENCE = 30.0
STREAM = ["TCPServer", "ThreadingTCPServer", "ForkingTCPServer"]
DATAGRAM = ["UDPServer", "ThreadingUDPServer", "ForkingUDPServer"]
UNIX_STREAM = ["UnixStreamServer", "ThreadingUnixStreamServer", "ForkingUnixStreamServer"]
UNIX_DATAGRAM = ["UnixDatagramServer", "ThreadingUnixDatagramServer", "ForkingUnixDatagramServer"]

#: The type of the socket that each request came by and where it was handled: a line each, in a file, since a handler
#: may run in another process.
log: Path


@pytest.fixture(autouse=True)
def _log(tmp_path: Path) -> None:
    global log
    log = tmp_path / "log"


@pytest.fixture
def folder() -> Iterator[str]:
    """A folder with a short name: an address of AF_UNIX has hardly more than 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="sp-") as name:
        yield name


def note(sock: object) -> None:
    kind = type(sock)
    with log.open("a") as file:
        print(f"{kind.__module__}.{kind.__qualname__}", os.getpid(), threading.get_ident(), file=file)


class Echo(server.StreamRequestHandler):
    """Sends a line back."""

    timeout = PATIENCE

    def handle(self) -> None:
        note(self.request)
        self.wfile.write(self.rfile.readline())


class DatagramEcho(server.DatagramRequestHandler):
    """Sends a datagram back."""

    def handle(self) -> None:
        note(self.socket)
        self.wfile.write(self.rfile.read())


def connected(address: Any, family: int, kind: int) -> socketpkg.socket:
    client = socketpkg.socket(family, kind)
    client.settimeout(PATIENCE)
    try:
        if family == socketpkg.AF_UNIX and kind == socketpkg.SOCK_DGRAM:
            client.bind(f"{address}.client")
        client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


def served(running: Any, client: socketpkg.socket, text: bytes) -> bytes:
    """The answer to *text*. The request waits in the kernel until the server is asked to handle one."""
    client.sendall(text)
    with warnings.catch_warnings():
        # Python 3.12 and later warn of fork() when the process has threads, which another test may have left behind.
        warnings.simplefilter("ignore", DeprecationWarning)
        running.handle_request()
    return client.recv(4096)


# -- names -------------------------------------------------------------------------------------------------------------


def test_it_has_all_names_of_the_standard_library() -> None:
    missing = set(socketserver.__all__) - set(server.__all__)
    assert not missing
    # Python 3.12 got the last two; here every Python has them.
    assert set(server.__all__) - set(socketserver.__all__) <= {"ForkingUnixDatagramServer", "ForkingUnixStreamServer"}
    assert all(hasattr(server, name) for name in server.__all__)


def test_it_is_imported_on_request_only() -> None:
    program = "import sys, socketpkg; print('socketpkg.server' in sys.modules, 'socketserver' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", sorted(server.__all__))
def test_each_class_stands_for_the_one_of_the_standard_library(name: str) -> None:
    ours = getattr(server, name)
    if not hasattr(socketserver, name):
        assert issubclass(ours, server.ForkingMixIn)
        return
    theirs = getattr(socketserver, name)
    # The classes that are combined have no other content than their bases.
    for base in theirs.__mro__[1:-1] if theirs.__name__.startswith(("Forking", "Threading")) else [theirs]:
        assert issubclass(ours, base)
        assert issubclass(ours, getattr(server, base.__name__))
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
    for attribute in ("address_family", "socket_type", "request_queue_size", "allow_reuse_address", "max_packet_size"):
        assert getattr(ours, attribute, None) == getattr(theirs, attribute, None)


# -- serving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STREAM + DATAGRAM + UNIX_STREAM + UNIX_DATAGRAM)
def test_an_echo(name: str, folder: str) -> None:
    kind = socketpkg.SOCK_DGRAM if name in DATAGRAM + UNIX_DATAGRAM else socketpkg.SOCK_STREAM
    family = socketpkg.AF_UNIX if "Unix" in name else socketpkg.AF_INET
    address: Any = os.path.join(folder, "server") if family == socketpkg.AF_UNIX else ("127.0.0.1", 0)
    handler: Any = DatagramEcho if kind == socketpkg.SOCK_DGRAM else Echo
    with getattr(server, name)(address, handler) as running:
        assert type(running.socket) is socketpkg.socket
        assert running.fileno() == running.socket.fileno()
        assert (running.socket.family, running.socket.type) == (family, kind)
        assert running.server_address == running.socket.getsockname()
        with connected(running.server_address, family, kind) as client:
            assert served(running, client, b"hello\n") == b"hello\n"
    assert running.socket.fileno() == -1
    type_, process, thread = log.read_text().split()
    assert type_ == "socketpkg.socket"
    assert (int(process) == os.getpid()) is not name.startswith("Forking")
    if not name.startswith("Forking"):
        assert (int(thread) == threading.get_ident()) is not name.startswith("Threading")


def test_serving_for_ever_in_a_thread() -> None:
    with server.ThreadingTCPServer(("127.0.0.1", 0), Echo) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            for text in (b"one\n", b"two\n"):
                with socketpkg.create_connection(running.server_address, PATIENCE) as client:
                    client.sendall(text)
                    assert client.recv(4096) == text
        finally:
            running.shutdown()
            thread.join()
    assert log.read_text().count("socketpkg.socket ") == 2


def test_clients_of_the_standard_library_are_served() -> None:
    with server.TCPServer(("127.0.0.1", 0), Echo) as running, stdlib.socket() as client:
        client.settimeout(PATIENCE)
        client.connect(running.server_address)
        assert served(running, client, b"hello\n") == b"hello\n"  # type: ignore[arg-type]


def test_ipv6_by_the_class_attribute() -> None:
    if not socketpkg.has_ipv6:
        pytest.skip("no IPv6")

    class Server(server.TCPServer):
        address_family = socketpkg.AF_INET6

    try:
        running = Server(("::1", 0), Echo)
    except OSError:
        pytest.skip("no ::1")
    with running, connected(running.server_address, socketpkg.AF_INET6, socketpkg.SOCK_STREAM) as client:
        assert served(running, client, b"hello\n") == b"hello\n"


def test_a_server_of_another_module_on_our_sockets() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            note(self.request)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class HTTPServer(server.ThreadingTCPServer, http.server.HTTPServer):
        pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.handle_request)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", running.server_port, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"hello"
        finally:
            connection.close()
            thread.join()
    assert log.read_text().startswith("socketpkg.socket ")


# -- making one --------------------------------------------------------------------------------------------------------


def test_no_socket_of_the_standard_library_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **keywords: Any) -> None:
        raise AssertionError("the standard library's socket was made")

    monkeypatch.setattr(stdlib, "socket", fail)
    server.TCPServer(("127.0.0.1", 0), Echo).server_close()
    server.UDPServer(("127.0.0.1", 0), DatagramEcho).server_close()


def test_a_socket_class_that_was_replaced_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Special(socketpkg.socket):
        pass

    monkeypatch.setattr(socketpkg, "socket", Special)
    with server.TCPServer(("127.0.0.1", 0), Echo) as running:
        assert type(running.socket) is Special


def test_without_binding() -> None:
    with server.TCPServer(("127.0.0.1", 0), Echo, bind_and_activate=False) as running:
        assert running.server_address == ("127.0.0.1", 0)
        assert running.socket.getsockname()[1] == 0
        running.server_bind()
        running.server_activate()
        assert running.server_address[1] != 0
        assert running.socket.getsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_ACCEPTCONN) == 1


def test_a_failed_start_closes_the_socket() -> None:
    made: list[server.TCPServer] = []

    class Server(server.TCPServer):
        def server_bind(self) -> None:
            made.append(self)
            super().server_bind()

    with socketpkg.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Server(taken.getsockname(), Echo)
    assert made[0].socket.fileno() == -1


@pytest.mark.parametrize("option", ["SO_REUSEADDR", "SO_REUSEPORT"])
@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("base", [server.TCPServer, server.UDPServer])
def test_reusing_an_address_or_a_port(option: str, wanted: bool, base: type[server.TCPServer]) -> None:
    number = getattr(socketpkg, option)
    attribute = {"SO_REUSEADDR": "allow_reuse_address", "SO_REUSEPORT": "allow_reuse_port"}[option]
    Server: Callable[..., server.TCPServer] = type("Server", (base,), {attribute: wanted})
    with Server(("127.0.0.1", 0), Echo) as running:
        assert bool(running.socket.getsockopt(socketpkg.SOL_SOCKET, number)) is wanted


def test_two_servers_share_a_port() -> None:
    class Server(server.TCPServer):
        allow_reuse_port = True

    with Server(("127.0.0.1", 0), Echo) as one, Server(one.server_address, Echo) as two:
        assert one.server_address == two.server_address


# -- forking -----------------------------------------------------------------------------------------------------------


def test_children_are_collected() -> None:
    with server.ForkingTCPServer(("127.0.0.1", 0), Echo) as running:
        for text in (b"one\n", b"two\n"):
            with connected(running.server_address, socketpkg.AF_INET, socketpkg.SOCK_STREAM) as client:
                assert served(running, client, text) == text
                assert client.recv(4096) == b""
        children = running.active_children
        assert children
    assert not children
    processes = {line.split()[1] for line in log.read_text().splitlines()}
    assert len(processes) == 2
    assert str(os.getpid()) not in processes


def test_an_error_in_a_handler_is_reported_and_the_client_is_let_go(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(server.BaseRequestHandler):
        def handle(self) -> None:
            raise ZeroDivisionError("on purpose")

    with (
        server.TCPServer(("127.0.0.1", 0), Broken) as running,
        connected(running.server_address, socketpkg.AF_INET, socketpkg.SOCK_STREAM) as client,
    ):
        assert served(running, client, b"hello\n") == b""
    assert "on purpose" in capsys.readouterr().err
