"""Echoes some data over TCP, UDP, UNIX and IPv6 sockets on this machine, both ends in this program.

    SOCKET_BACKEND=cffi python examples/echo.py

It prints the backend that did it and how many bytes went round, and fails when one was lost or changed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import threading

import socketpkg as socket

STREAM_SIZE = 1 << 20
DATAGRAM_SIZE = 1200
DATAGRAMS = 100
TIMEOUT = 10.0


def payload(size: int) -> bytes:
    """Bytes that are not the same anywhere."""
    return hashlib.shake_128(b"socketpkg").digest(size)


def echo_stream(listener: socket.socket) -> None:
    """Serves one connection: sends back what comes until the client has sent all."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(TIMEOUT)
        while data := connection.recv(65536):
            connection.sendall(data)


def stream(listener: socket.socket) -> int:
    """Sends STREAM_SIZE bytes to a server on *listener* and checks what comes back; how many did."""
    listener.settimeout(TIMEOUT)
    server = threading.Thread(target=echo_stream, args=(listener,))
    server.start()
    sent = payload(STREAM_SIZE)
    received = bytearray()
    with socket.socket(listener.family, socket.SOCK_STREAM) as client:
        client.settimeout(TIMEOUT)
        client.connect(listener.getsockname())

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        while data := client.recv(65536):
            received += data
        sender.join()
    server.join()
    if received != sent:
        raise SystemExit(f"{len(received)} of {len(sent)} bytes came back, or not the same")
    return len(received)


def datagrams(family: socket.AddressFamily, host: str) -> int:
    """Sends DATAGRAMS datagrams to a UDP socket that sends each one back; how many bytes came back."""
    count = 0
    with (
        socket.socket(family, socket.SOCK_DGRAM) as server,
        socket.socket(family, socket.SOCK_DGRAM) as client,
    ):
        for sock in (server, client):
            sock.settimeout(TIMEOUT)
            sock.bind((host, 0))
        for number in range(DATAGRAMS):
            sent = number.to_bytes(4, "big") + payload(DATAGRAM_SIZE - 4)
            client.sendto(sent, server.getsockname())
            data, address = server.recvfrom(65536)
            server.sendto(data, address)
            if client.recv(65536) != sent:
                raise SystemExit(f"datagram {number} did not come back as it was sent")
            count += len(sent)
    return count


def tcp() -> int:
    """TCP over IPv4."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return stream(listener)


def udp() -> int:
    """UDP over IPv4."""
    return datagrams(socket.AF_INET, "127.0.0.1")


def unix() -> int:
    """A stream between UNIX sockets."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(os.path.join(folder, "echo"))
        listener.listen()
        return stream(listener)


def ipv6() -> int:
    """TCP and UDP over IPv6."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        return stream(listener) + datagrams(socket.AF_INET6, "::1")


def main() -> None:
    """Runs them all."""
    print(f"backend {socket.__backend__}, Python {sys.version.split()[0]}")
    total = 0
    for title, echo in (("TCP", tcp), ("UDP", udp), ("UNIX", unix), ("IPv6", ipv6)):
        count = echo()
        total += count
        print(f"{title:<5}{count:>10,} bytes went round")
    print(f"{'all':<5}{total:>10,} bytes went round")


if __name__ == "__main__":
    main()
