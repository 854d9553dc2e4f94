"""Sends more than there is room for while a thread receives, on backends that are built for a platform whose sends do
not heed MSG_DONTWAIT. A backend that kept the GIL in such a send would never end.

Run it with the library of dontwait_ignored.c loaded, and a limit of time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import socketpkg as socket

SIZE, COUNT = 4096, 256


def send_all(sock: socket.socket) -> None:
    for _ in range(COUNT):
        sock.sendall(bytes(SIZE))


def send_messages(sock: socket.socket) -> None:
    for _ in range(COUNT):
        left = SIZE
        while left:
            left -= sock.sendmsg([bytes(left)])


def send_parts(sock: socket.socket) -> None:
    for _ in range(COUNT):
        left = SIZE
        while left:
            left -= sock.send(bytes(left))


def received(send: Callable[[socket.socket], None], timeout: float | None) -> int:
    """How many bytes come through."""
    one, two = socket.socketpair()
    one.settimeout(timeout)
    count = 0

    def receive() -> None:
        nonlocal count
        while data := two.recv(65536):
            count += len(data)

    with one, two:
        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        send(one)
        one.shutdown(socket.SHUT_WR)
        thread.join()
    return count


for send in (send_all, send_messages, send_parts):
    for timeout in (None, 30.0):
        assert received(send, timeout) == SIZE * COUNT
print(socket.__backend__)
