"""What connections cost on ``sim`` beside the loopback: ``python docs/bench/simulated.py [--rounds N] [--backend B]``.

Both stand in one process, on low-level sockets of the same backend, and take turns round by round. A figure is the
processor time of a round by its operations; the ratios are those of neighbouring rounds, so that what else the machine
does meets both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from socketpkg import backends

AF_INET, SOCK_STREAM = 2, 1
IPPROTO_TCP, TCP_NODELAY = 6, 1
BLOCK = 64 * 1024


def listener(core: Any) -> Any:
    """A listening socket on a free port."""
    sock = core.Socket(AF_INET, SOCK_STREAM, 0)
    sock.bind(("127.0.0.1", 0))
    sock.listen(64)
    return sock


def connected(core: Any, server: Any) -> tuple[Any, Any]:
    """The two ends of a new connection."""
    client = core.Socket(AF_INET, SOCK_STREAM, 0)
    client.connect(server.getsockname())
    fd, _ = server._accept()
    return client, core.Socket(AF_INET, SOCK_STREAM, 0, fd)


def ping_pong(core: Any) -> Callable[[], None]:
    """A byte there and back."""
    a, b = connected(core, listener(core))
    for sock in (a, b):
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    def turn() -> None:
        a.send(b"x")
        b.recv(1)
        b.send(b"x")
        a.recv(1)

    return turn


def block(core: Any) -> Callable[[], None]:
    """64 KiB one way."""
    a, b = connected(core, listener(core))
    data, room = bytes(BLOCK), bytearray(BLOCK)

    def turn() -> None:
        a.sendall(data)
        left = BLOCK
        while left:
            left -= b.recv_into(room, left)

    return turn


def connection(core: Any) -> Callable[[], None]:
    """connect, accept, and close of both ends."""
    server = listener(core)

    def turn() -> None:
        for sock in connected(core, server):
            sock.close()

    return turn


OPERATIONS: dict[str, tuple[Callable[[Any], Callable[[], None]], int]] = {
    "a byte there and back": (ping_pong, 400),
    "64 KiB one way": (block, 100),
    "connect, accept, close": (connection, 60),
}


def taken(turn: Callable[[], None], turns: int) -> float:
    """Microseconds of the processor for a turn."""
    begin = time.process_time_ns()
    for _ in range(turns):
        turn()
    return (time.process_time_ns() - begin) / turns / 1000


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--backend", default="c")
    options = parser.parse_args()
    names = options.backend, f"sim+{options.backend}"
    print(
        f"| operation | `{names[0]}`, loopback | `{names[1]}` | ratio | middle half of the ratios |",
        "|---|---|---|---|---|",
        sep="\n",
    )
    for title, (make, turns) in OPERATIONS.items():
        both = [make(backends.load(name).core) for name in names]
        rounds = []
        for number in range(options.rounds):
            order = (0, 1) if number % 2 else (1, 0)
            found = {which: taken(both[which], turns) for which in order}
            rounds.append((found[0], found[1]))
        real, simulated = (min(times) for times in zip(*rounds, strict=True))
        low, middle, high = statistics.quantiles([two / one for one, two in rounds], n=4)
        print(f"| {title} | {real:.1f} µs | {simulated:.1f} µs | {middle:.2f} | {low:.2f} to {high:.2f} |", flush=True)


if __name__ == "__main__":
    main()
