"""Our sockets in the hands of the standard library, which in these tests keeps its own ``socket``."""

from __future__ import annotations

import asyncio
import copy
import io
import os
import pickle
import select
import selectors
import socket as stdlib
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from multiprocessing import Pipe, get_context, reduction
from pathlib import Path
from typing import Any

import pytest

import socketpkg
from socketpkg import backends

PAYLOAD = os.urandom(100_000)

# multiprocessing leaves the thread that hands descriptors out, and asyncio its executor's.
pytestmark = pytest.mark.keeps_descriptors


@pytest.fixture
def pair() -> Iterator[tuple[socketpkg.socket, socketpkg.socket]]:
    """Two connected sockets of ours."""
    one, two = socketpkg.socketpair()
    with one, two:
        yield one, two


@pytest.fixture
def listener() -> Iterator[socketpkg.socket]:
    """A TCP server's socket of ours."""
    with socketpkg.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def test_it_is_not_installed() -> None:
    assert sys.modules["socket"] is stdlib
    assert stdlib is not socketpkg  # type: ignore[comparison-overlap]


def test_select(pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    one, two = pair
    assert select.select([one], [one], [], 0) == ([], [one], [])
    two.send(b"x")
    assert select.select([one, two], [], [], 5) == ([one], [], [])
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(one, select.POLLIN)
        assert poll.poll(0) == [(one.fileno(), select.POLLIN)]
    if hasattr(select, "epoll"):
        with select.epoll() as epoll:
            epoll.register(one, select.EPOLLIN)
            assert epoll.poll(0) == [(one.fileno(), select.EPOLLIN)]


@pytest.mark.parametrize(
    "name", ["SelectSelector", "PollSelector", "EpollSelector", "DevpollSelector", "KqueueSelector"]
)
def test_selectors(name: str, pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    if not hasattr(selectors, name):
        pytest.skip(f"this platform has no {name}")
    one, two = pair
    with getattr(selectors, name)() as selector:
        key = selector.register(one, selectors.EVENT_READ, "data")
        assert selector.select(0) == []
        two.send(b"x")
        assert selector.select(5) == [(key, selectors.EVENT_READ)]
        assert selector.unregister(one).fileobj is one


def test_a_sub_process_inherits_the_descriptor(pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    one, two = pair
    code = "import os, sys; os.write(int(sys.argv[1]), b'from the child')"
    subprocess.run([sys.executable, "-c", code, str(two.fileno())], pass_fds=[two.fileno()], check=True, timeout=60)
    assert one.recv(100) == b"from the child"
    # As a standard stream the object itself is enough.
    subprocess.run([sys.executable, "-c", "print('printed', flush=True)"], stdout=two, check=True, timeout=60)
    assert one.recv(100) == b"printed\n"


def test_os_functions_on_the_descriptor(pair: tuple[socketpkg.socket, socketpkg.socket], tmp_path: Path) -> None:
    one, two = pair
    file = tmp_path / "file"
    file.write_bytes(PAYLOAD)
    with file.open("rb") as source:
        assert os.sendfile(one.fileno(), source.fileno(), 10, 100) == 100
    assert os.read(two.fileno(), 1000) == PAYLOAD[10:110]
    assert os.get_blocking(one.fileno())
    one.setblocking(False)
    assert not os.get_blocking(one.fileno())


def test_standard_socket_takes_the_descriptor_over(pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    one, two = pair
    with stdlib.socket(fileno=one.detach()) as taken:
        taken.send(b"x")
        assert two.recv(1) == b"x"
        with socketpkg.socket(fileno=taken.detach()) as back:
            back.send(b"y")
            assert two.recv(1) == b"y"


# -- asyncio -----------------------------------------------------------------------------------------------------------


def test_loop_sock_methods(listener: socketpkg.socket, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(PAYLOAD)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        with socketpkg.socket() as client:
            client.setblocking(False)
            _, (server, address) = await asyncio.gather(
                loop.sock_connect(client, listener.getsockname()), loop.sock_accept(listener)
            )
            with server:
                assert isinstance(server, socketpkg.socket)
                assert address == client.getsockname()
                sending = asyncio.ensure_future(loop.sock_sendall(client, PAYLOAD))
                received = b""
                while len(received) < len(PAYLOAD):
                    received += await loop.sock_recv(server, 65536)
                await sending
                assert received == PAYLOAD
                buffer = bytearray(10)
                await loop.sock_sendall(server, b"0123456789")
                assert await loop.sock_recv_into(client, buffer) == 10
                with file.open("rb") as source:
                    count = asyncio.ensure_future(loop.sock_sendfile(server, source))
                    received = b""
                    while len(received) < len(PAYLOAD):
                        received += await loop.sock_recv(client, 65536)
                    assert await count == len(PAYLOAD)
                assert received == PAYLOAD

    asyncio.run(asyncio.wait_for(main(), 60))


def test_loop_datagrams() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with socketpkg.socket(type=socketpkg.SOCK_DGRAM) as one, socketpkg.socket(type=socketpkg.SOCK_DGRAM) as two:
            for sock in (one, two):
                sock.bind(("127.0.0.1", 0))
                sock.setblocking(False)
            assert await loop.sock_sendto(one, b"x", two.getsockname()) == 1
            assert await loop.sock_recvfrom(two, 10) == (b"x", one.getsockname())

    asyncio.run(asyncio.wait_for(main(), 60))


def test_streams_over_our_sockets(listener: socketpkg.socket) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(len(PAYLOAD)))
        await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(echo, sock=listener)
        async with server:
            client = socketpkg.create_connection(listener.getsockname())
            reader, writer = await asyncio.open_connection(sock=client)
            assert writer.get_extra_info("peername") == listener.getsockname()
            assert writer.get_extra_info("socket").family == socketpkg.AF_INET
            writer.write(PAYLOAD)
            assert await reader.read(-1) == PAYLOAD
            writer.close()
            await writer.wait_closed()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_datagram_endpoint() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        received: asyncio.Future[bytes] = loop.create_future()

        class Receiver(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, address: Any) -> None:
                received.set_result(data)

        sock = socketpkg.socket(type=socketpkg.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        transport, _ = await loop.create_datagram_endpoint(Receiver, sock=sock)
        with socketpkg.socket(type=socketpkg.SOCK_DGRAM) as sender:
            sender.sendto(b"datagram", sock.getsockname())
        assert await received == b"datagram"
        transport.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_readers_and_writers(pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    one, two = pair

    async def main() -> None:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(one, readable.set)
        two.send(b"x")
        await readable.wait()
        assert loop.remove_reader(one)

    asyncio.run(asyncio.wait_for(main(), 60))


# -- multiprocessing ---------------------------------------------------------------------------------------------------


def child(sock: socketpkg.socket) -> None:
    """Runs in the other process."""
    with sock:
        sock.sendall(f"{type(sock).__module__} {sock.family.name}".encode())


@pytest.mark.keeps_threads
def test_a_spawned_process_gets_our_socket(
    pair: tuple[socketpkg.socket, socketpkg.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    # The child imports this module by its name.
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(child, "__module__", "test_interop")
    monkeypatch.setitem(sys.modules, "test_interop", sys.modules[__name__])
    process = get_context("spawn").Process(target=child, args=(two,))
    process.start()
    one.settimeout(60)
    assert one.recv(100) == b"socketpkg AF_UNIX"
    process.join()
    assert process.exitcode == 0


@pytest.mark.keeps_threads
def test_a_connection_carries_our_socket(pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    one, two = pair
    here, there = Pipe()
    with here, there:
        here.send({"socket": [two, two.family]})
        arrived, _ = there.recv()["socket"]
        with arrived:
            assert type(arrived) is socketpkg.socket
            assert arrived.fileno() != two.fileno()
            arrived.send(b"x")
            assert one.recv(1) == b"x"


def test_every_other_pickler_refuses(pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    one, _ = pair

    class Own(socketpkg.socket):
        pass

    attempts: list[Callable[[], object]] = [
        *(lambda protocol=protocol: pickle.dumps(one, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),  # type: ignore[misc]
        lambda: pickle._Pickler(io.BytesIO()).dump(one),  # type: ignore[attr-defined]
        lambda: copy.copy(one),
        lambda: copy.deepcopy([one]),
    ]
    for attempt in attempts:
        with pytest.raises(TypeError, match="^cannot pickle 'socket' object$"):
            attempt()
    with Own() as own, pytest.raises(TypeError, match="^cannot pickle 'Own' object$"):
        reduction.ForkingPickler.dumps(own)


def test_descriptors_over_our_socket(pair: tuple[socketpkg.socket, socketpkg.socket], tmp_path: Path) -> None:
    one, two = pair
    with (tmp_path / "file").open("w") as file:
        sender = threading.Thread(target=reduction.sendfds, args=(one, [file.fileno()]))
        sender.start()
        (fd,) = reduction.recvfds(two, 1)
        sender.join()
        os.write(fd, b"written by the other name")
        os.close(fd)
    assert (tmp_path / "file").read_text() == "written by the other name"


@pytest.mark.skipif("compiled-core" not in backends.features, reason="its methods are Python functions")
def test_compiled_methods_are_those_of_the_public_class() -> None:
    # CPython specializes their calls for objects of the class that they belong to.
    own = vars(socketpkg.socket)
    for name, method in vars(socketpkg._socket.socket).items():
        if isinstance(method, types.MethodDescriptorType) and not name.startswith("__"):
            assert name in own
            if isinstance(own[name], types.MethodDescriptorType):
                assert own[name].__objclass__ is socketpkg.socket
                assert own[name].__doc__ == method.__doc__
    assert own["recv"].__objclass__ is socketpkg.socket
    # What the public class does in its own way stays so.
    assert isinstance(own["close"], types.FunctionType)
    assert isinstance(own["detach"], types.FunctionType)


def test_methods_called_by_either_class(pair: tuple[socketpkg.socket, socketpkg.socket]) -> None:
    class Mine(socketpkg.socket):
        pass

    one, two = pair
    mine = Mine(fileno=two.detach())
    with mine:
        for sender in (socketpkg.socket.send, socketpkg._socket.socket.send):
            assert sender(one, b"x") == 1
        for receiver in (socketpkg.socket.recv, socketpkg._socket.socket.recv):
            assert receiver(mine, 1) == b"x"
