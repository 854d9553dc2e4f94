"""TLS over our sockets: ``ssl`` in a program that runs on socketpkg."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from socketpkg import backends

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")

SERVER = """
import errno, socket, ssl, sys, threading

KEY, CERTIFICATE = sys.argv[1:3]
server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_context.load_cert_chain(CERTIFICATE, KEY)
client_context = ssl.create_default_context(cafile=CERTIFICATE)

def tls_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        raw = socket.create_connection(listener.getsockname(), 60)
        peer, _ = listener.accept()
    result = []
    def accept():
        result.append(server_context.wrap_socket(peer, server_side=True))
    thread = threading.Thread(target=accept)
    thread.start()
    client = client_context.wrap_socket(raw, server_hostname="localhost")
    thread.join()
    return client, result[0]
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate for localhost that vouches for itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, crt = folder / "key.pem", folder / "crt.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(crt)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return key, crt


def run(tmp_path: Path, certificate: tuple[Path, Path], source: str) -> str:
    """Runs a program that never heard of us, after SERVER."""
    file = tmp_path / "program.py"
    file.write_text(SERVER + source)
    command = [sys.executable, "-W", "error", "-m", "socketpkg", "run", str(file), *map(str, certificate)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_tls_socket_is_one_of_ours(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    backend = run(
        tmp_path,
        certificate,
        """
import socketpkg
client, server = tls_pair()
with client, server:
    assert isinstance(client, socket.socket) and isinstance(client, socketpkg.socket)
    assert client.version() == "TLSv1.3", client.version()
    client.sendall(b"x" * 300000)
    received = 0
    while received < 300000:
        received += len(server.recv(65536))
    server.sendall(b"y")
    assert client.recv(10) == b"y"
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
print(socketpkg.__backend__)
""",
    )
    wanted = os.environ.get("SOCKET_BACKEND", "").strip()
    assert not wanted or backend.strip() == wanted


def test_timeouts_reach_the_tls_layer(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    run(
        tmp_path,
        certificate,
        """
import time
client, server = tls_pair()
with client, server:
    client.settimeout(0.05)
    before = time.monotonic()
    try:
        client.recv(1)
    except TimeoutError:
        # PyPy's ssl hands what is left of the timeout to its select.poll, which cuts it to whole milliseconds.
        least = 0.049 if sys.implementation.name == "pypy" else 0.05
        assert time.monotonic() - before >= least
    else:
        raise AssertionError
    client.setblocking(False)
    try:
        client.recv(1)
    except ssl.SSLWantReadError:
        pass
    else:
        raise AssertionError
    client.settimeout(None)
    threading.Timer(0.1, server.sendall, [b"late"]).start()
    assert client.recv(4) == b"late"
    # A default timeout is known to the TLS layer from the beginning.
    socket.setdefaulttimeout(0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as raw:
        raw.connect(listener.getsockname())
        try:
            client_context.wrap_socket(raw, server_hostname="localhost")
        except TimeoutError:
            pass
        else:
            raise AssertionError
""",
    )


def test_errors_of_the_system_come_through(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    run(
        tmp_path,
        certificate,
        """
import struct
with socket.create_server(("127.0.0.1", 0)) as listener:
    raw = socket.create_connection(listener.getsockname(), 60)
    peer, _ = listener.accept()
def reset():
    peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
thread = threading.Thread(target=reset)
thread.start()
with raw:
    try:
        client_context.wrap_socket(raw, server_hostname="localhost")
    except ConnectionResetError as error:
        assert error.errno == errno.ECONNRESET
    else:
        raise AssertionError
thread.join()
# A descriptor that is gone is known to be gone.
client, server = tls_pair()
with client, server:
    tls = client._sslobj
    client._sslobj = None
    socket.socket.close(client)
    client._sslobj = tls
    try:
        tls.read(1)
    except OSError:
        pass
    else:
        raise AssertionError
""",
    )


def test_urllib_over_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    text = run(
        tmp_path,
        certificate,
        """
import http.server, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *arguments):
        pass
with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
    server.socket = server_context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=client_context)
    )
    with opener.open(f"https://localhost:{server.server_port}/", timeout=60) as answer:
        print(answer.read().decode())
    server.shutdown()
""",
    )
    assert text == "hello\n"


def test_asyncio_over_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    text = run(
        tmp_path,
        certificate,
        """
import asyncio
async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context, server_hostname="localhost"
        )
        writer.write(b"there and back\\n")
        print((await reader.readline()).decode(), end="")
        writer.close()
        await writer.wait_closed()
asyncio.run(main())
""",
    )
    assert text == "there and back\n"


def test_messages_over_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """`socketpkg.streams` reads what was encrypted, not what is on the wire; so does recv_exactly()."""
    done = run(
        tmp_path,
        certificate,
        """
from socketpkg.streams import Stream

client, server = tls_pair()
with client, server:
    server.settimeout(60)
    stream = Stream(server)
    client.sendall(b"a line\\nhel")
    assert stream.readline() == b"a line\\n"
    for _ in range(2):
        try:
            stream.read_exactly(5, timeout=0.05)
        except TimeoutError:
            pass
        else:
            raise AssertionError("nothing was there")
    assert server.gettimeout() == 60
    client.sendall(b"loexact")
    assert stream.read_exactly(5) == b"hello"
    rest = stream.detach()
    assert rest + server.recv_exactly(5 - len(rest)) == b"exact"
    stream = Stream(client)
    stream.write(b"x" * 100_000)
    assert server.recv_exactly(100_000) == b"x" * 100_000
print("done")
""",
    )
    assert done == "done\n"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="ssl of PyPy calls methods")
@pytest.mark.parametrize(("stack", "answer"), [("null+c", "refused"), ("cffi", "taken"), ("null+cffi", "taken")])
def test_ssl_without_ctypes(stack: str, answer: str) -> None:
    """cffi makes the capsule for ssl in C. Where none can be made (layers over c, which take ctypes for it), ssl can be
    imported, and refuses our sockets alone."""
    if not backends.available()[stack.rpartition("+")[2]].usable:
        pytest.skip(f"of the stack {stack}")
    code = """
import sys
sys.modules["_ctypes"] = None
import socketpkg
socketpkg.install()
import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
one, two = socketpkg.socketpair()
try:
    with context.wrap_socket(one, do_handshake_on_connect=False) as wrapped:
        wrapped.setblocking(False)
        try:
            wrapped.do_handshake()
        except ssl.SSLWantReadError:
            # It has found the descriptor, and that the socket does not wait.
            assert two.recv(1) == b"\\x16"
            print("taken")
except TypeError:
    print("refused")
one.close(), two.close()
"""
    environment = {**os.environ, "SOCKET_BACKEND": stack}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"{answer}\n"
