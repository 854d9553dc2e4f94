"""Every short program of calls about a connect that is refused: `test_sim.py` runs them on the loopback and on ``sim``.

``python sim_sequences.py LENGTH`` prints what each of them told, as JSON. Each begins with a socket, in each mode of
waiting, that was refused or has done nothing yet.
"""

from __future__ import annotations

import itertools
import json
import select
import sys
from pathlib import Path
from typing import Any

import socketpkg as socket

if __package__:
    from .sim_scenarios import told
else:  # as a program, also where PYTHONSAFEPATH keeps its folder out
    sys.path.insert(0, str(Path(__file__).parent))
    from sim_scenarios import told


class Calls:
    """The calls on a socket; nobody listens at *closed*, and *server* listens."""

    def __init__(self, sock: Any, server: Any, closed: Any) -> None:
        self.sock, self.server, self.closed = sock, server, closed

    def at_once(self, call: Any, *arguments: Any) -> Any:
        """What a call tells that does not wait for a peer, who says nothing."""
        mode = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            return told(call, *arguments)
        finally:
            self.sock.settimeout(mode)

    def connect_closed(self) -> Any:
        status = told(self.sock.connect_ex, self.closed)
        if status == 115:
            # Until it is known how it ends.
            select.select([], [self.sock], [], 10)
        return status

    def connect_open(self) -> Any:
        status = told(self.sock.connect_ex, self.server.getsockname())
        if status == 115:
            select.select([], [self.sock], [], 10)
        return status

    def receive(self) -> Any:
        found = self.at_once(self.sock.recv, 1)
        return len(found) if isinstance(found, bytes) else found

    def receive_message(self) -> Any:
        found = self.at_once(self.sock.recvmsg_into, [bytearray(1)])
        return found if isinstance(found, str) else found[0]

    def send(self) -> Any:
        return told(self.sock.send, b"x")

    def error(self) -> Any:
        return told(self.sock.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)

    def shut_write(self) -> Any:
        return told(self.sock.shutdown, socket.SHUT_WR)

    def shut_both(self) -> Any:
        return told(self.sock.shutdown, socket.SHUT_RDWR)

    def listen(self) -> Any:
        return told(self.sock.listen)

    def bind(self) -> Any:
        return told(self.sock.bind, ("127.0.0.1", 0))

    def names(self) -> Any:
        name, peer = self.sock.getsockname(), told(self.sock.getpeername)
        return name[0], name[1] > 0, peer if isinstance(peer, str) else peer == self.server.getsockname()


CALLS = [name for name in vars(Calls) if not name.startswith("_") and name != "at_once"]


def run(mode: float | None, first: str, calls: tuple[str, ...], closed: Any) -> list[Any]:
    """What the calls of a program tell."""
    with socket.socket() as server, socket.socket() as sock:
        server.bind(("127.0.0.1", 0))
        server.listen()
        sock.settimeout(mode)
        program = Calls(sock, server, closed)
        return [getattr(program, name)() for name in filter(None, (first, *calls))]


def differs(calls: tuple[str, ...]) -> bool:
    """What is not simulated: a listener that was shut is an idle socket again, and so is the port that the system chose
    in bind as soon as a connect was refused."""
    text = " ".join(calls)
    return "listen shut_both" in text or "bind connect_closed bind" in text


def main(length: int) -> dict[str, list[Any]]:
    with socket.socket() as listener:
        # Bound, and it does not listen: nobody else has the port meanwhile.
        listener.bind(("127.0.0.1", 0))
        closed = listener.getsockname()
        return {
            f"{mode} {first} {' '.join(calls)}": run(mode, first, calls, closed)
            for mode in (None, 10, 0)
            for first in ("", "connect_closed")
            for calls in itertools.product(CALLS, repeat=length)
            if not differs(calls)
        }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
