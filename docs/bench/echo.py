"""The two programs of the scale experiment: ``echo.py serve MODULE`` and ``echo.py load PORT CONNECTIONS``.

``serve`` prints its port and echoes by epoll what its connections send, until its standard input ends. For every line
there it prints the number of its connections.

``load`` prints ``ready`` when all are connected. For every line of its standard input, a number of messages and how
many of the connections to use, it sends that many, ten at a time, and checks that each comes back.
"""

from __future__ import annotations

import importlib
import os
import random
import resource
import select
import socket
import struct
import sys
from typing import Any

#: The messages that are under way at a time, whatever the number of connections.
WINDOW = 10


def serve(module: str) -> None:
    """The server."""
    connections: dict[int, Any] = {}
    listener = importlib.import_module(module).create_server(("127.0.0.1", 0), backlog=1024)
    with listener, select.epoll() as epoll:
        listener.setblocking(False)
        for descriptor in (0, listener.fileno()):
            epoll.register(descriptor, select.EPOLLIN)
        print(listener.getsockname()[1], flush=True)
        while True:
            for descriptor, _event in epoll.poll():
                connection = connections.get(descriptor)
                if connection is not None:
                    try:
                        data = connection.recv(4096)
                        if data:
                            connection.send(data)
                    except ConnectionError:  # the load was interrupted
                        data = b""
                    if not data:
                        connections.pop(descriptor).close()
                elif descriptor:
                    try:
                        connection, _address = listener.accept()
                    except BlockingIOError:
                        continue
                    connection.setblocking(False)
                    connections[connection.fileno()] = connection
                    epoll.register(connection.fileno(), select.EPOLLIN)
                elif os.read(0, 1 << 10):
                    print(len(connections), flush=True)
                else:
                    return


def load(port: str, number: str) -> None:
    """The load."""
    connections = []
    for _ in range(int(number)):
        connection = socket.create_connection(("127.0.0.1", int(port)))
        # Closed by a reset, so that ten thousand ports do not stay in TIME_WAIT.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.append(connection)
    descriptors = [connection.fileno() for connection in connections]
    random.Random(number).shuffle(descriptors)
    print("ready", flush=True)
    position = 0
    for line in sys.stdin:
        messages, used = map(int, line.split())
        for turn in range(messages // WINDOW):
            message = b"%064d" % turn
            group = [descriptors[(position + offset) % used] for offset in range(WINDOW)]
            position = (position + WINDOW) % used
            for descriptor in group:
                os.write(descriptor, message)
            for descriptor in group:
                if (answer := os.read(descriptor, 4096)) != message:
                    raise SystemExit(f"sent {message!r}, got {answer!r} back")
        print("done", flush=True)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        {"serve": serve, "load": load}[sys.argv[1]](*sys.argv[2:])
    except (BrokenPipeError, ConnectionError):
        os._exit(1)  # the benchmark was interrupted, and nobody listens any more
