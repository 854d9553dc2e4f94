"""chaos' latency and bandwidth: connections pass a relay, and selectors see it. Nothing is lost, and little is held.

The other end is the standard library's. Times are only compared with what they are at least: a machine may be slow.
"""

from __future__ import annotations

import socket as stdlib
import threading

import pytest

from .conftest import Programs

PEER = """
import errno, os, select, socket as stdlib, struct, time
import socketpkg as socket
from socketpkg import layers

server = stdlib.create_server(("127.0.0.1", 0), backlog=200)
place = server.getsockname()

def connected(timeout=60):
    sock = socket.create_connection(place, timeout=timeout)
    peer = server.accept()[0]
    peer.settimeout(60)
    return sock, peer

def all_of(sock):
    found = b""
    while part := sock.recv(65536):
        found += part
    return found
"""

STREAMS = """
answer = {}
sock, peer = connected()
with sock, peer:
    answer["names"] = [sock.getpeername() == place, sock.getsockname() == peer.getpeername(), sock.type == 1]
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answer["option"] = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    start = time.monotonic()
    sock.sendall(b"ping")
    assert peer.recv(4) == b"ping"
    sent = time.monotonic() - start
    peer.sendall(b"pong")
    sock.setblocking(False)
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    # A call that does not wait, does not wait: there is nothing, and later the selector tells.
    try:
        answer["at once"] = sock.recv(4).decode()
    except BlockingIOError:
        answer["at once"] = "nothing"
    assert poll.poll(60_000)
    answer["times"] = [sent >= 0.05, time.monotonic() - start >= 0.1]
    assert sock.recv(4) == b"pong"
    # Half-closed, in both directions.
    sock.settimeout(60)
    sock.sendall(b"the end")
    sock.shutdown(socket.SHUT_WR)
    answer["half"] = all_of(peer).decode()
    peer.sendall(b"still here")
    peer.close()
    answer["other half"] = all_of(sock).decode()
sock, peer = connected()
with sock, peer:
    peer.sendall(b"before")
    answer["before"] = sock.recv(6).decode()
    peer.setsockopt(stdlib.SOL_SOCKET, stdlib.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    try:
        answer["reset"] = all_of(sock).decode()
    except ConnectionResetError:
        answer["reset"] = "ConnectionResetError"
sock, peer = connected()
with peer:
    sock.sendall(b"said before the close")
    sock.close()
    answer["close"] = all_of(peer).decode()
server.close()
"""


def test_streams(programs: Programs, backend: str) -> None:
    assert programs.answer(f"chaos+{backend}", PEER + STREAMS, SOCKETPKG_CHAOS="rate=0 latency=50") == {
        "names": [True, True, True],
        "option": True,
        "at once": "nothing",
        "times": [True, True],
        "half": "the end",
        "other half": "still here",
        "before": "before",
        "reset": "ConnectionResetError",
        "close": "said before the close",
    }


CONNECTING = """
answer = {}
with socket.socket() as sock:
    sock.setblocking(False)
    start = time.monotonic()
    answer["status"] = errno.errorcode[sock.connect_ex(place)]
    try:
        answer["send"] = sock.send(b"x")
    except BlockingIOError:
        answer["send"] = "EAGAIN"
    assert select.select([], [sock], [], 60)[1]
    answer["time"] = time.monotonic() - start >= 0.1
    answer["error"] = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    sock.send(b"the first")
    with server.accept()[0] as peer:
        peer.settimeout(60)
        answer["data"] = peer.recv(100).decode()
with stdlib.create_server(("127.0.0.1", 0)) as gone:
    nowhere = gone.getsockname()
with socket.socket() as sock:
    sock.setblocking(False)
    answer["refused"] = errno.errorcode[sock.connect_ex(nowhere)]
    if answer["refused"] == "EINPROGRESS":
        assert select.select([], [sock], [], 60)[1]
        answer["refused"] = errno.errorcode[sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
try:
    socket.create_connection(nowhere, 60)
except ConnectionRefusedError:
    answer["refused at once"] = True
server.close()
"""


def test_connecting(programs: Programs, backend: str) -> None:
    assert programs.answer(f"chaos+{backend}", PEER + CONNECTING, SOCKETPKG_CHAOS="rate=0 latency=50") == {
        "status": "EINPROGRESS",
        "send": "EAGAIN",
        "time": True,
        "error": 0,
        "data": "the first",
        "refused": "ECONNREFUSED",
        "refused at once": True,
    }


MANY = """
import socketpkg
socketpkg.install()
import asyncio, hashlib, os

async def serve(reader, writer):
    while data := await reader.read(10_000):
        writer.write(data)
        await writer.drain()
    writer.close()

async def one(place, number):
    reader, writer = await asyncio.open_connection(*place)
    data = bytes([number]) + os.urandom(50_000)

    async def send():
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    found = await reader.read(-1)
    await sending
    writer.close()
    await writer.wait_closed()
    return hashlib.sha256(found).digest() == hashlib.sha256(data).digest()

async def main():
    here = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=200)
    async with here:
        place = here.sockets[0].getsockname()
        return await asyncio.gather(*(one(place, number) for number in range(100)))

found = asyncio.run(main())
answer = [len(found), all(found)]
"""


def test_a_hundred_connections_at_once(programs: Programs, backend: str) -> None:
    options = "rate=0 latency=20 bandwidth=10m"
    assert programs.answer(f"chaos+{backend}", MANY, SOCKETPKG_CHAOS=options) == [100, True]


BOUNDED = """
from socketpkg.layers import _relay

def held():
    return sum(c.outward.held for c in layers.get("chaos")._relay._served.values())

sock, peer = connected()
with sock, peer:
    # The peer takes nothing: the sender is stopped.
    sock.setblocking(False)
    taken = most = 0
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while poll.poll(1000):
        try:
            taken += sock.send(bytes(65536))
        except BlockingIOError:
            pass
        most = max(most, held())
    answer = [0 < most <= _relay.ROOM, taken < 64 << 20]
    # And nothing of it is lost.
    sock.shutdown(socket.SHUT_WR)
    answer.append(len(all_of(peer)) == taken)
sock, peer = connected()
with sock, peer:
    layers.get("chaos").configure(bandwidth=200_000)
sock, peer = connected()
with sock, peer:
    start = time.monotonic()
    sock.sendall(bytes(100_000))
    sock.shutdown(socket.SHUT_WR)
    answer += [len(all_of(peer)), time.monotonic() - start >= 0.5]
server.close()
"""


def test_memory_is_bounded_and_bandwidth_kept(programs: Programs) -> None:
    found = programs.answer("chaos+ctypes", PEER + BOUNDED, SOCKETPKG_CHAOS="rate=0 latency=1")
    assert found == [True, True, True, 100_000, True]


PROCESSES = """
sock, peer = connected()
child = os.fork()
if not child:
    # The connection is the parent's to serve; the child has its own relay for new ones.
    sock.sendall(b"from the child")
    mine = socket.create_connection(place, 60)
    mine.sendall(b"another")
    layers.get("chaos")._relay._drain()
    os._exit(0)
sock.close()
assert os.waitpid(child, 0)[1] == 0
second = server.accept()[0]
second.settimeout(60)
answer = [all_of(peer).decode(), all_of(second).decode()]
"""


@pytest.mark.skipif("not hasattr(os, 'fork')", reason="it forks")
def test_fork(programs: Programs, backend: str) -> None:
    found = programs.answer(f"chaos+{backend}", "import warnings\nwarnings.simplefilter('ignore')" + PEER + PROCESSES,
                            SOCKETPKG_CHAOS="rate=0 latency=5")  # fmt: skip
    assert found == ["from the child", "another"]


def test_what_was_sent_before_the_end_arrives(programs: Programs) -> None:
    """The process may end right behind a send, as it may with the kernel's own buffers."""
    source = """
    import socketpkg as socket, sys
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sock.sendall(b"goodbye" * 1000)
    sock.close()
    """
    found: list[bytes] = []
    with stdlib.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with server.accept()[0] as peer:
                while part := peer.recv(65536):
                    found.append(part)

        thread = threading.Thread(target=take)
        thread.start()
        options = "rate=0 latency=100 bandwidth=100k"
        done = programs.run("chaos+ctypes", source, str(server.getsockname()[1]), SOCKETPKG_CHAOS=options)
        thread.join(60)
    assert (done.returncode, done.stderr) == (0, "")
    assert b"".join(found) == b"goodbye" * 1000
