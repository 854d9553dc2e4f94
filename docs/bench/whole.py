"""The programs that `programs` measures, and their other ends: ``whole.py ROLE [ARGUMENT ...]``.

They are written for the standard library, and import what programs of their kind import. A server prints a line of JSON
when it listens: its port, and what its ``socket`` is. A client gets the server's port as its argument. It connects,
prints such a line, and makes as many requests as each line of its standard input says; then it prints how many
nanoseconds that took. Each request is another one, and a client ends with an error when the answer to one is not the
one to it.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter_ns as now
from typing import Any

HOST = "127.0.0.1"
#: The bytes of a request and its answer, but for HTTP; and those of the body of an answer there.
SIZE, BODY = 64, 1024


def ready(port: int = 0) -> None:
    """Says that this program is there, and on what."""
    print(json.dumps([port, socket.__name__, getattr(socket, "__backend__", "")]), flush=True)


def message(number: int) -> bytes:
    """A line that is another one for each number."""
    return b"%0*d\n" % (SIZE - 1, number)


def same(answer: bytes, expected: bytes) -> None:
    """Ends the program when an answer is not what it should be."""
    if answer != expected:
        raise SystemExit(f"got {bytes(answer)[:80]!r} in place of {expected[:80]!r}")


def orders() -> Iterator[range]:
    """The numbers of the requests that are asked for, line by line; says after each line how long they took."""
    ready()
    first = 0
    for line in sys.stdin:
        numbers = range(first, first := first + int(line))
        start = now()
        yield numbers
        print(now() - start, flush=True)


def requests(request: Callable[[int], object]) -> None:
    """Makes one *request* after the other, as many as are asked for."""
    for numbers in orders():
        for number in numbers:
            request(number)


def received(sock: Any, size: int) -> bytes:
    """So many bytes from a stream, or fewer at its end."""
    data: bytes = sock.recv(4096)
    while len(data) < size and (more := sock.recv(4096)):
        data += more
    return data


# -- asyncio -----------------------------------------------------------------------------------------------------------


def asyncio_server() -> None:
    """Echoes lines by asyncio's streams."""
    import asyncio

    async def echo(reader: Any, writer: Any) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(echo, HOST, 0)
        ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def asyncio_client(port: int) -> None:
    """Sends lines by asyncio's streams."""
    import asyncio

    async def main() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for numbers in orders():
            for number in numbers:
                line = message(number)
                writer.write(line)
                await writer.drain()
                same(await reader.readline(), line)

    asyncio.run(main())


def asyncio_datagram_server() -> None:
    """Echoes datagrams by a protocol of asyncio."""
    import asyncio

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data, addr)

    async def main() -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Echo, (HOST, 0))
        ready(transport.get_extra_info("sockname")[1])
        forever: Awaitable[None] = asyncio.get_running_loop().create_future()
        await forever

    asyncio.run(main())


# -- threads and blocking sockets --------------------------------------------------------------------------------------


def _threading_server(wrap: Callable[[Any], Any]) -> None:
    """Echoes in a thread for each connection."""
    import socketserver

    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = wrap(self.request)
            while data := connection.recv(4096):
                connection.sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server((HOST, 0), Echo) as server:
        ready(server.server_address[1])
        server.serve_forever()


def threading_server() -> None:
    """A thread and a blocking socket for each connection."""
    _threading_server(lambda request: request)


def blocking_client(port: int, connections: int = 1) -> None:
    """Sends to all of its connections in turn, and waits for the answers of all: a request for each connection."""
    socks = [socket.create_connection((HOST, port)) for _ in range(connections)]
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for numbers in orders():
        for first in range(numbers.start, numbers.stop, connections):
            group = socks[: numbers.stop - first]
            for number, sock in enumerate(group, first):
                sock.sendall(message(number))
            for number, sock in enumerate(group, first):
                same(received(sock, SIZE), message(number))


# -- UDP ---------------------------------------------------------------------------------------------------------------


def udp_server() -> None:
    """Echoes datagrams by socketserver."""
    import socketserver

    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            sock.sendto(data, self.client_address)

    with socketserver.UDPServer((HOST, 0), Echo) as server:
        ready(server.server_address[1])
        server.serve_forever()


def udp_loop_server() -> None:
    """Echoes datagrams by two calls in a loop."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, 0))
    ready(sock.getsockname()[1])
    while True:
        data, address = sock.recvfrom(4096)
        sock.sendto(data, address)


def udp_client(port: int) -> None:
    """Sends datagrams. The kernel drops none on the loopback while one is under way at a time."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((HOST, port))

    def request(number: int) -> None:
        sock.send(message(number))
        same(sock.recv(4096), message(number))

    requests(request)


# -- HTTP --------------------------------------------------------------------------------------------------------------


def body(path: str) -> bytes:
    """What stands at a path."""
    return path.encode().rjust(BODY, b".")


def http_server() -> None:
    """Answers GET, in a thread for each connection."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # The head and the body are two calls, and without it the second one waits for the acknowledgement of the first.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            content = body(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        ready(server.server_address[1])
        server.serve_forever()


def http_client(port: int) -> None:
    """Asks again and again on one connection."""
    from http.client import HTTPConnection

    connection = HTTPConnection(HOST, port)

    def request(number: int) -> None:
        connection.request("GET", f"/{number}")
        same(connection.getresponse().read(), body(f"/{number}"))

    requests(request)


def urllib_client(port: int) -> None:
    """Asks on a new connection each time."""
    from urllib.request import ProxyHandler, build_opener

    opener = build_opener(ProxyHandler({}))

    def request(number: int) -> None:
        with opener.open(f"http://{HOST}:{port}/{number}") as answer:
            same(answer.read(), body(f"/{number}"))

    requests(request)


# -- TLS ---------------------------------------------------------------------------------------------------------------


def tls_server(key: str, certificate: str) -> None:
    """Echoes over TLS, in a thread for each connection."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    _threading_server(lambda request: context.wrap_socket(request, server_side=True))


def tls_client(port: int, key: str, certificate: str) -> None:
    """Sends over TLS."""
    import ssl

    context = ssl.create_default_context(cafile=certificate)
    sock = context.wrap_socket(socket.create_connection((HOST, port)), server_hostname="localhost")

    def request(number: int) -> None:
        sock.sendall(message(number))
        same(received(sock, SIZE), message(number))

    requests(request)


# -- Redis -------------------------------------------------------------------------------------------------------------


def redis_client(path: str) -> None:
    """Sets a value and gets it back: two commands of redis-py to a server at a UNIX socket."""
    import redis

    client = redis.Redis(unix_socket_path=path)

    def request(number: int) -> None:
        client.set("key", message(number))
        same(client.get("key"), message(number))

    requests(request)


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    try:
        globals()[role](*(int(word) if word.isdigit() else word for word in words))
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)  # the benchmark was interrupted, and nobody listens any more
