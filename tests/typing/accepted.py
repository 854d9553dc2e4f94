"""Ours is accepted where the standard library's is asked for: type-checked only, without one error."""

from __future__ import annotations

import asyncio
import socket
import ssl

import socketpkg


def wants(sock: socket.socket) -> None: ...
def family(value: socket.AddressFamily, kind: socket.SocketKind, flag: socket.MsgFlag) -> None: ...


async def main(context: ssl.SSLContext) -> None:
    sock = socketpkg.socket()
    wants(sock)
    context.wrap_socket(sock)
    loop = asyncio.get_running_loop()
    await loop.sock_recv(sock, 5)
    await loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=sock)
    family(sock.family, socketpkg.SOCK_STREAM, socketpkg.MSG_PEEK)
    family(socketpkg.AF_INET, sock.type, socketpkg.MSG_PEEK)
