"""The load of the scale scenario, a program of its own, the same for every target: ``_echo_load.py PORT CONNECTIONS``.

It prints ``ready`` when all are connected. For every line of its standard input, a number of messages and how many of
the connections to use, it sends so many, ten at a time, checks that each comes back, and prints the nanoseconds that
it took.
"""

import os
import random
import resource
import select
import socket
import struct
import sys
import time

#: The messages that are under way at a time: the same for every number of connections.
WINDOW = 10


def main(port: int, number: int) -> None:
    """Connects and sends."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    connections = []
    for _ in range(number):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
        except ConnectionError:
            if select.select([0], [], [], 0)[0]:
                return  # no order comes before all are connected: the benchmark was interrupted, and so is gone
            raise
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
        start = time.perf_counter_ns()
        for turn in range(messages // WINDOW):
            message = b"%064d" % turn
            group = [descriptors[(position + offset) % used] for offset in range(WINDOW)]
            position = (position + WINDOW) % used
            for descriptor in group:
                os.write(descriptor, message)
            for descriptor in group:
                answer = os.read(descriptor, 4096)
                if answer != message:
                    raise SystemExit(f"sent {message!r}, got {answer!r} back")
        print(time.perf_counter_ns() - start, flush=True)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]))
    except BrokenPipeError:
        os._exit(1)  # the benchmark was interrupted, and nobody listens any more
