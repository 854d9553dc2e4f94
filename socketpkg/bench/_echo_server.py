"""The server of the scale scenario, a program of its own: ``_echo_server.py MODULE``.

It prints its port and echoes what its connections send, by epoll, until its standard input ends. For every line there
it prints, as JSON, the processor time it has used and its peak memory.
"""

import importlib
import json
import os
import resource
import select
import sys
import time
from typing import Any


def peak() -> int:
    """The most memory that this process has had, in bytes. ru_maxrss would count what its parent had at the fork."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def main(module: str) -> None:
    """Serves."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    socket = importlib.import_module(module)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener, select.epoll() as epoll:
        listener.setblocking(False)
        entrance = listener.fileno()
        connections: dict[int, Any] = {}
        epoll.register(0, select.EPOLLIN)
        epoll.register(entrance, select.EPOLLIN)
        print(listener.getsockname()[1], flush=True)
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
                    if not os.read(0, 1 << 10):
                        return
                    facts = {"cpu": time.process_time_ns(), "peak": peak(), "connections": len(connections)}
                    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
