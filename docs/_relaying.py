"""Measures `socketpkg.relaying` beside the loop that programs write with the standard library's socket.

    python docs/_relaying.py [ROUNDS]

A proxy relays a connection of TCP over the loopback, a large answer or many small messages; or a listener takes a burst
of connections. What is compared is the processor time of who does it, not the elapsed time, for the machine may be busy
otherwise; beside a thread that computes it is the elapsed time, for that is what the GIL costs. The two take turns in
one process; printed are the median of the ratios and their quartiles.
"""

from __future__ import annotations

import os
import socket as stdlib
import statistics
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import socketpkg
from socketpkg.relaying import accept_many, relay

LARGE = 64 << 20
MESSAGES = 3000
BURST = 100


def pair(module) -> tuple:
    with module.create_server(("127.0.0.1", 0)) as listener:
        one = module.create_connection(listener.getsockname())
        two, _ = listener.accept()
    for sock in (one, two):
        sock.setsockopt(stdlib.IPPROTO_TCP, stdlib.TCP_NODELAY, 1)
    return one, two


def loop(a, b) -> None:
    """As a proxy does it: a selector, recv and sendall."""
    import selectors

    with selectors.DefaultSelector() as selector:
        selector.register(a, selectors.EVENT_READ, b)
        selector.register(b, selectors.EVENT_READ, a)
        while selector.get_map():
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)
                if data:
                    key.data.sendall(data)
                else:
                    selector.unregister(key.fileobj)
                    key.data.shutdown(stdlib.SHUT_WR)


def proxied(module, run: Callable, large: bool) -> float:
    """Processor seconds of a process that relays."""
    client, a = pair(module)
    b, server = pair(module)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # The proxy, a process of its own: no thread of the peers has its share of the interpreter.
        client.close()
        server.close()
        begin = time.process_time()
        run(a, b)
        os.write(writer, struct.pack("d", time.process_time() - begin))
        os._exit(0)
    a.close()
    b.close()

    def answer() -> None:
        block = bytes(1 << 20)
        if large:
            for _ in range(LARGE >> 20):
                server.sendall(block)
        else:
            while data := server.recv(1000):
                server.sendall(data)
        server.shutdown(stdlib.SHUT_WR)

    with client, server:
        thread = threading.Thread(target=answer)
        thread.start()
        if large:
            client.shutdown(stdlib.SHUT_WR)
            buffer = bytearray(1 << 20)
            while client.recv_into(buffer):
                pass
        else:
            for _ in range(MESSAGES):
                client.sendall(b"x" * 200)
                client.recv(1000)
            client.shutdown(stdlib.SHUT_WR)
            client.recv(1)
        thread.join()
    (spent,) = struct.unpack("d", os.read(reader, 8))
    os.close(reader)
    os.close(writer)
    os.waitpid(child, 0)
    return float(spent)


def accept_loop(listener, count: int) -> list:
    """As a server does it that accepts until nobody waits."""
    return [listener.accept() for _ in range(count)]


def select_loop(listener, count: int) -> list:
    """As socketserver and other servers with a selector do it: one for each time that the listener is ready."""
    import selectors

    found = []
    with selectors.PollSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while len(found) < count:
            selector.select(1)
            found.append(listener.accept())
    return found


def burst(module, take: Callable, clock: Callable[[], float]) -> float:
    """Seconds of a clock to take a burst of connections that wait."""
    with module.create_server(("127.0.0.1", 0), backlog=BURST) as listener:
        listener.settimeout(10)
        address = listener.getsockname()
        clients = [stdlib.create_connection(address) for _ in range(BURST)]
        begin = clock()
        found = take(listener, BURST)
        spent = clock() - begin
        assert len(found) == BURST
        for sock, _ in found:
            sock.close()
        for client in clients:
            client.close()
    return spent


@contextmanager
def computing() -> Iterator[None]:
    """A thread that computes."""
    ended = threading.Event()

    def compute() -> None:
        while not ended.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def compare(name: str, ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> None:
    ours(), theirs()
    ratios = []
    for _ in range(rounds):
        mine = ours()
        ratios.append(theirs() / mine)
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"{name:44} {middle:5.2f} times less   ({low:.2f} to {high:.2f})")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"{socketpkg.__backend__}, Python {sys.version.split()[0]}: processor time of the loop by ours")
    for name, large in (("relay, 64 MiB", True), ("relay, messages of 200 bytes", False)):
        compare(name, lambda: proxied(socketpkg, relay, large), lambda: proxied(stdlib, loop, large), rounds)  # noqa: B023
    for name, loop_of_a_server in (("accept", accept_loop), ("select and accept", select_loop)):
        compare(
            f"accept_many of {BURST}, {name}",
            lambda: burst(socketpkg, accept_many, time.thread_time),
            lambda: burst(stdlib, loop_of_a_server, time.thread_time),  # noqa: B023
            rounds * 4,
        )
    print("and elapsed time beside a thread that computes")
    with computing():
        compare(
            f"accept_many of {BURST}, accept",
            lambda: burst(socketpkg, accept_many, time.perf_counter),
            lambda: burst(stdlib, accept_loop, time.perf_counter),
            5,
        )


if __name__ == "__main__":
    main()
