"""The layer ``sim`` under load: much data by its hash, and many connections."""

from __future__ import annotations

import resource
import sys

import pytest

from .conftest import Programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sim needs abstract names and SO_COOKIE of Linux")

STREAMS = """
    import hashlib, sys, threading
    import socketpkg as socket

    SIZE, CHUNK = int(sys.argv[1]) << 20, 1 << 16

    def send(sock, seed, digests):
        made = hashlib.sha256()
        for number in range(SIZE // CHUNK):
            data = (b"%d/%d " % (seed, number) * CHUNK)[:CHUNK]
            made.update(data)
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        digests[seed] = made.hexdigest()

    def receive(sock, seed, digests):
        got, buffer = hashlib.sha256(), bytearray(100_000)
        while count := sock.recv_into(buffer):
            got.update(memoryview(buffer)[:count])
        digests[seed] = got.hexdigest()

    listener = socket.create_server(("", 8000))
    client = socket.create_connection(("127.0.0.1", 8000))
    server, _ = listener.accept()
    sent, received = {}, {}
    threads = [
        threading.Thread(target=target, args=arguments)
        for target, arguments in (
            (send, (client, 1, sent)), (send, (server, 2, sent)),
            (receive, (server, 1, received)), (receive, (client, 2, received)),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer = [sent == received, len(sent)]
    for sock in (listener, client, server):
        sock.close()
"""

ASYNC = """
    import hashlib, sys
    import socketpkg
    socketpkg.install()
    import asyncio

    SIZE, CHUNK = int(sys.argv[1]) << 20, 1 << 16

    async def send(writer, seed):
        made = hashlib.sha256()
        for number in range(SIZE // CHUNK):
            data = (b"%d/%d " % (seed, number) * CHUNK)[:CHUNK]
            made.update(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        return made.hexdigest()

    async def receive(reader):
        got = hashlib.sha256()
        while data := await reader.read(100_000):
            got.update(data)
        return got.hexdigest()

    async def main():
        accepted = asyncio.get_running_loop().create_future()

        async def serve(reader, writer):
            accepted.set_result(await asyncio.gather(send(writer, 2), receive(reader)))
            writer.close()

        server = await asyncio.start_server(serve, "localhost", 8000)
        reader, writer = await asyncio.open_connection("localhost", 8000)
        mine = await asyncio.gather(send(writer, 1), receive(reader))
        theirs = await accepted
        writer.close()
        server.close()
        return mine[0] == theirs[1] and mine[1] == theirs[0]

    answer = [asyncio.run(main()), 2]
"""

MANY = """
    import os, sys
    import socketpkg
    socketpkg.install()
    import asyncio

    COUNT = int(sys.argv[1])

    async def serve():
        served, last = 0, asyncio.Event()

        async def answer(reader, writer):
            nonlocal served
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
            served += 1
            if served == COUNT:
                last.set()

        async with await asyncio.start_server(answer, "127.0.0.1", 8000, backlog=100):
            os.write(listening, b"x")
            await last.wait()

    async def ask():
        done, opened, ready = 0, 0, asyncio.Event()

        async def one(number):
            nonlocal done, opened
            reader, writer = await asyncio.open_connection("127.0.0.1", 8000)
            opened += 1
            if opened == COUNT:
                ready.set()
            await ready.wait()  # all of them are open at once
            writer.write(b"%d\\n" % number)
            answered = int(await reader.readline()) == number
            done += answered
            writer.close()

        await asyncio.gather(*(one(number) for number in range(COUNT)))
        return done

    # Two processes, for one may have no more descriptors than the machine allows.
    told, listening = os.pipe()
    child = os.fork()
    if not child:
        asyncio.run(serve())
        os._exit(0)
    os.read(told, 1)
    answer = [asyncio.run(ask()), os.waitpid(child, 0)[1]]
"""


@pytest.mark.parametrize("source", [STREAMS, ASYNC], ids=["threads", "asyncio"])
@pytest.mark.parametrize("size", ["4", pytest.param("64", marks=pytest.mark.slow)])
def test_much_data_in_both_directions(programs: Programs, over: str, source: str, size: str) -> None:
    assert programs.answer(f"sim+{over}", source, size) == [True, 2]


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_connections_at_once(programs: Programs, over: str, count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + 100
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), max(hard, needed)))
    except ValueError:
        pytest.skip(f"no more than {hard} descriptors are allowed here")
    try:
        assert programs.answer(f"sim+{over}", MANY, str(count)) == [count, 0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
