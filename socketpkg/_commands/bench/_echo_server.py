"""The server of the scale scenario, a program of its own: ``_echo_server.py MODULE``, or with ``raw LIBRARY``.

It prints its port and echoes what its connections send, by epoll, until its standard input ends. For every line there
it prints the number of its connections. With "raw" the loop is raw.c's.
"""

import importlib
import os
import resource
import select
import sys
from typing import Any

CONTROL = 0


def main(module: str, *library: str) -> None:
    """Serves."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    socket = importlib.import_module("socket" if library else module)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener, select.epoll() as epoll:
        listener.setblocking(False)
        epoll.register(CONTROL, select.EPOLLIN)
        epoll.register(listener.fileno(), select.EPOLLIN)
        print(listener.getsockname()[1], flush=True)
        if library:
            _serve_raw(library[0], listener, epoll)
        else:
            _serve(listener, epoll)


def _serve(listener: Any, epoll: Any) -> None:
    entrance = listener.fileno()
    connections: dict[int, Any] = {}
    while True:
        for descriptor, _event in epoll.poll():
            connection = connections.get(descriptor)
            if connection is not None:
                try:
                    data = connection.recv(4096)
                    if data:
                        connection.send(data)
                except ConnectionError:
                    # The load was interrupted.
                    data = b""
                if not data:
                    connections.pop(descriptor).close()
            elif descriptor == entrance:
                try:
                    connection, _address = listener.accept()
                except BlockingIOError:
                    continue
                connection.setblocking(False)
                connections[connection.fileno()] = connection
                epoll.register(connection.fileno(), select.EPOLLIN)
            else:
                if not os.read(CONTROL, 1 << 10):
                    return
                print(len(connections), flush=True)


def _serve_raw(path: str, listener: Any, epoll: Any) -> None:
    import ctypes

    from socketpkg._commands.bench import _raw

    library = _raw.Library(path)
    connections = ctypes.c_longlong(0)
    while True:
        library.echo(epoll.fileno(), listener.fileno(), CONTROL, connections)
        if not os.read(CONTROL, 1 << 10):
            return
        print(connections.value, flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BrokenPipeError:
        os._exit(1)  # the benchmark was interrupted, and nobody listens any more
