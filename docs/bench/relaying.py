"""`socketpkg.relaying` against the loops that programs write with the standard library's socket.

Processor time of the thread that does it, for its peers are threads of the same process.
"""

from __future__ import annotations

import socket as stdlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import repeat
from time import thread_time_ns as now
from typing import Any

from socketpkg._commands.bench.scenario import Loop, Scenario, Skip, arrived, counted

#: Connections in a burst, and how much is relayed, in blocks of this size.
BURST = 50
BLOCKS = 8
BLOCK = 1 << 20


def _call(s: Any, name: str) -> Callable[..., Any] | None:
    """The function of a target, None for the standard library, which has a loop in its place."""
    if s.__name__ == "socket":
        return None
    if s.__name__ != "socketpkg":
        raise Skip("it has no module for it")
    found: Callable[..., Any] = getattr(import_module("socketpkg.relaying"), name)
    return found


def _accept_loop(listener: Any, count: int) -> list[Any]:
    return [listener.accept() for _ in range(count)]


@contextmanager
def accept_many(s: Any) -> Iterator[Loop]:
    """A burst of connections that wait already. That they are made and closed is not timed."""
    take = _call(s, "accept_many") or _accept_loop
    with s.create_server(("127.0.0.1", 0), backlog=BURST) as listener:
        listener.settimeout(30.0)
        address = listener.getsockname()
        # A reset at the end, which the connections inherit: none stays behind in TIME_WAIT.
        listener.setsockopt(stdlib.SOL_SOCKET, stdlib.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        def loop(loops: int) -> int:
            elapsed = 0
            for _ in repeat(None, loops):
                with ExitStack() as stack:
                    clients = [stack.enter_context(stdlib.create_connection(address)) for _ in range(BURST)]
                    start = now()
                    found = take(listener, BURST)
                    elapsed += now() - start
                    for sock, _peer in found:
                        stack.callback(sock.close)
                    arrived([peer for _, peer in found], [client.getsockname() for client in clients], listener)
            return elapsed

        yield loop


def _relay_loop(a: Any, b: Any) -> None:
    """As a proxy does it: a selector, recv and sendall."""
    import selectors

    with selectors.DefaultSelector() as selector:
        selector.register(a, selectors.EVENT_READ, b)
        selector.register(b, selectors.EVENT_READ, a)
        while selector.get_map():
            for key, _ in selector.select():
                source: Any = key.fileobj
                data = source.recv(65536)
                if data:
                    key.data.sendall(data)
                else:
                    selector.unregister(source)
                    key.data.shutdown(stdlib.SHUT_WR)


def _pair(s: Any, stack: ExitStack) -> tuple[Any, Any]:
    """Both ends of a connection of TCP: the peer's, which is the standard library's, and the proxy's."""
    with s.create_server(("127.0.0.1", 0)) as listener:
        peer = stack.enter_context(stdlib.create_connection(listener.getsockname()))
        return peer, stack.enter_context(listener.accept()[0])


@contextmanager
def relay(s: Any) -> Iterator[Loop]:
    """Through a proxy, from a server that sends much to a client that sends nothing."""
    run = _call(s, "relay") or _relay_loop

    def loop(loops: int) -> int:
        elapsed = 0
        for _ in repeat(None, loops):
            received: list[int] = []
            with ExitStack() as stack:
                client, a = _pair(s, stack)
                server, b = _pair(s, stack)

                def send(server: stdlib.socket = server) -> None:
                    block = bytes(BLOCK)
                    for _ in range(BLOCKS):
                        server.sendall(block)
                    server.shutdown(stdlib.SHUT_WR)

                def receive(client: stdlib.socket = client, received: list[int] = received) -> None:
                    buffer = bytearray(BLOCK)
                    while size := client.recv_into(buffer):
                        received.append(size)

                client.shutdown(stdlib.SHUT_WR)
                threads = [threading.Thread(target=target) for target in (send, receive)]
                for thread in threads:
                    thread.start()
                start = now()
                run(a, b)
                elapsed += now() - start
                for thread in threads:
                    thread.join()
            counted(sum(received), BLOCKS * BLOCK, "bytes")
        return elapsed

    yield loop


ACCEPT_MANY = Scenario(
    "accept-many",
    "accept_many of 50 connections, against accept",
    accept_many,
    calls=BURST,
    most_loops=100,
    file=__file__,
)
RELAY = Scenario("relay", "relay of 1 MiB, against recv and sendall", relay, calls=BLOCKS, most_loops=4, file=__file__)
LOOPS = {scenario.name: scenario for scenario in (ACCEPT_MANY, RELAY)}
