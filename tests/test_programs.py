"""Programs of other people against ours: curl with an HTTP server, and redis-py with a Redis server, on our sockets."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import re
import shutil
import signal
import socket as stdlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import socketpkg

RUN = (sys.executable, "-W", "error::ResourceWarning", "-m", "socketpkg", "run")
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name != "PYTHONSAFEPATH" and not name.lower().endswith("_proxy")
}


# -- curl --------------------------------------------------------------------------------------------------------------

CURL = shutil.which("curl")
requires_curl = pytest.mark.skipif(CURL is None, reason="curl is not installed")

#: What a server gets to see of a client that goes away.
GONE = {"BrokenPipeError", "ConnectionResetError"}


@pytest.fixture
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of ``python -m socketpkg run -m http.server`` on a folder of its own."""
    host = getattr(request, "param", "127.0.0.1")
    (tmp_path / "small.txt").write_text("served by socketpkg\n")
    (tmp_path / "large.bin").write_bytes(random.Random(1).randbytes(8 << 20))
    (tmp_path / "folder").mkdir()
    command = [*RUN, "-m", "http.server", "0", "--bind", host, "--protocol", "HTTP/1.1"]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            command, cwd=tmp_path, env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, stderr=log
        ) as server,
    ):
        try:
            assert server.stdout is not None
            line = server.stdout.readline().decode()
            found = re.search(r"port (\d+)", line)
            log.seek(0)
            assert found is not None, line + log.read()
            yield f"http://{f'[{host}]' if ':' in host else host}:{found[1]}"
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                server.kill()
                raise
        log.seek(0)
        said = log.read()
        assert "ResourceWarning" not in said, said
        # A client that goes away is worth a traceback to http.server; nothing else happens here.
        assert set(re.findall(r"^(\w+Error)\b", said, re.MULTILINE)) <= GONE, said
        assert server.returncode == 0


def curl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    assert CURL is not None
    command = [CURL, "--silent", "--show-error", "--noproxy", "*", "--max-time", "60", *arguments]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=120)


@requires_curl
@pytest.mark.parametrize(
    "served",
    ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not socketpkg.has_dualstack_ipv6(), reason="no IPv6"))],
    indirect=True,
)
def test_curl_gets_files(served: str, tmp_path: Path) -> None:
    done = curl("--fail", f"{served}/small.txt")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"served by socketpkg\n", b"")
    done = curl("--fail", f"{served}/large.bin")
    assert (done.returncode, done.stderr) == (0, b"")
    wanted = hashlib.sha256((tmp_path / "large.bin").read_bytes()).hexdigest()
    assert hashlib.sha256(done.stdout).hexdigest() == wanted


@requires_curl
def test_curl_keeps_its_connection(served: str) -> None:
    done = curl("--write-out", "%{num_connects}\n", *([f"{served}/small.txt"] * 3))
    assert done.stdout.decode().splitlines() == ["served by socketpkg", "1"] + ["served by socketpkg", "0"] * 2


@requires_curl
def test_curl_asks_for_other_things(served: str) -> None:
    done = curl("--head", f"{served}/small.txt")
    assert done.stdout.startswith(b"HTTP/1.1 200 OK\r\n") and b"Content-Length: 20\r\n" in done.stdout
    done = curl("--location", f"{served}/folder")
    assert b"Directory listing for /folder/" in done.stdout
    assert curl("--fail", f"{served}/missing").returncode == 22
    done = curl("--data", "x" * 100_000, "--output", os.devnull, "--write-out", "%{http_code}", f"{served}/small.txt")
    assert done.stdout == b"501"


@requires_curl
def test_a_curl_that_goes_away_leaves_the_server_alone(served: str) -> None:
    # Half of it, and then a reset: curl closes with data unread.
    assert curl("--max-filesize", "1000", f"{served}/large.bin").returncode == 63
    assert curl("--fail", f"{served}/small.txt").stdout == b"served by socketpkg\n"


# -- redis-py ----------------------------------------------------------------------------------------------------------

REDIS = shutil.which("redis-server")
requires_redis = [
    pytest.mark.skipif(REDIS is None, reason="redis-server is not installed"),
    pytest.mark.skipif(importlib.util.find_spec("redis") is None, reason="redis-py is not installed"),
]

#: What every program below begins with. They never heard of us, but for the check that they run on us.
BEGINNING = """
import socket, sys, threading, time
import redis

assert socket.__name__ == "socketpkg", socket
HOST, PORT, PATH = "127.0.0.1", int(sys.argv[1]), sys.argv[2]

def connections(client):
    return list(client.connection_pool._available_connections)

def check_sockets(client, family):
    assert connections(client)
    for connection in connections(client):
        assert type(connection._sock) is socket.socket, connection._sock
        assert connection._sock.family == family
"""


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """A Redis server of our own: its port, and the path of its UNIX socket."""
    assert REDIS is not None
    log = tmp_path_factory.mktemp("redis") / "log"
    # A path of a UNIX socket has to be short.
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        path = os.path.join(folder, "s")
        for _ in range(5):
            # It cannot be told to take any port: this one is free now, and if not in a moment, we take another.
            with stdlib.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", path, "--dir", folder]
            command += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
            with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
                try:
                    while server.poll() is None and "Ready to accept" not in log.read_text():
                        time.sleep(0.02)
                    if server.poll() is None:
                        yield port, path
                        return
                finally:
                    server.terminate()
        pytest.fail(f"redis-server does not start:\n{log.read_text()}")


def run_redis(source: str, server: tuple[int, str], folder: Path) -> None:
    """Runs a program that uses redis-py under ``python -m socketpkg run``."""
    program = folder / "program.py"
    program.write_text(BEGINNING + source)
    command = [*RUN, str(program), *map(str, server)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class TestRedis:
    pytestmark = requires_redis

    def test_values_come_back(self, redis_server: tuple[int, str], tmp_path: Path) -> None:
        run_redis(
            """
large = bytes(range(256)) * 20_000
for client, family in (
    (redis.Redis(HOST, PORT), socket.AF_INET),
    (redis.Redis(unix_socket_path=PATH, socket_timeout=60), socket.AF_UNIX),
    (redis.Redis(HOST, PORT, socket_timeout=60, socket_connect_timeout=60, socket_keepalive=True,
                 socket_keepalive_options={socket.TCP_KEEPIDLE: 30}), socket.AF_INET),
):
    with client:
        client.flushall()
        assert client.ping() is True
        assert client.set("small", "word") and client.get("small") == b"word"
        assert client.set("large", large) and client.get("large") == large
        assert client.get("missing") is None
        assert client.incr("number") == 1
        client.hset("hash", mapping={"a": 1, "b": 2})
        assert client.hgetall("hash") == {b"a": b"1", b"b": b"2"}
        assert sorted(client.scan_iter("*")) == [b"hash", b"large", b"number", b"small"]
        try:
            client.incr("small")
        except redis.ResponseError:
            pass
        else:
            raise AssertionError
        check_sockets(client, family)
""",
            redis_server,
            tmp_path,
        )

    def test_pipelines(self, redis_server: tuple[int, str], tmp_path: Path) -> None:
        run_redis(
            """
with redis.Redis(HOST, PORT) as client:
    client.flushall()
    # More than the kernel's buffers hold in one direction, and then in the other.
    with client.pipeline(transaction=False) as pipeline:
        for number in range(20_000):
            pipeline.set(f"key{number}", b"x" * 400)
        assert pipeline.execute() == [True] * 20_000
        for number in range(20_000):
            pipeline.get(f"key{number}")
        assert pipeline.execute() == [b"x" * 400] * 20_000
    with client.pipeline() as pipeline:
        pipeline.watch("watched")
        client.set("watched", "changed by somebody else")
        pipeline.multi()
        pipeline.set("watched", "mine")
        try:
            pipeline.execute()
        except redis.WatchError:
            pass
        else:
            raise AssertionError
    assert client.get("watched") == b"changed by somebody else"
    check_sockets(client, socket.AF_INET)
""",
            redis_server,
            tmp_path,
        )

    def test_publish_and_subscribe(self, redis_server: tuple[int, str], tmp_path: Path) -> None:
        run_redis(
            """
with redis.Redis(HOST, PORT) as publisher, redis.Redis(HOST, PORT) as client:
    with client.pubsub() as subscription:
        subscription.subscribe("news")
        subscription.psubscribe("weather.*")
        kinds = [subscription.get_message(timeout=60)["type"] for _ in range(2)]
        assert kinds == ["subscribe", "psubscribe"], kinds
        # Nothing comes: it waits that long, and the connection stays whole.
        assert subscription.get_message(timeout=0.05) is None
        assert subscription.get_message() is None
        received = []
        def listen():
            for message in subscription.listen():
                received.append((message["type"], message["channel"], message["data"]))
                if message["data"] == b"end":
                    return
        thread = threading.Thread(target=listen)
        thread.start()
        for number in range(1000):
            assert publisher.publish("news", str(number)) == 1
        publisher.publish("weather.today", b"rain")
        publisher.publish("news", "end")
        thread.join(60)
        assert received == [
            *(("message", b"news", str(number).encode()) for number in range(1000)),
            ("pmessage", b"weather.today", b"rain"),
            ("message", b"news", b"end"),
        ]
        assert type(subscription.connection._sock) is socket.socket
    with client.pubsub() as subscription:
        seen = threading.Event()
        subscription.subscribe(news=lambda message: seen.set())
        worker = subscription.run_in_thread(sleep_time=0.01)
        while not publisher.publish("news", "x"):
            time.sleep(0.01)
        assert seen.wait(60)
        worker.stop()
        worker.join(60)
        assert not worker.is_alive()
""",
            redis_server,
            tmp_path,
        )

    def test_waiting_and_losing_the_connection(self, redis_server: tuple[int, str], tmp_path: Path) -> None:
        run_redis(
            """
from redis.backoff import NoBackoff
from redis.retry import Retry

never = Retry(NoBackoff(), 0)
with redis.Redis(HOST, PORT) as client, redis.Redis(HOST, PORT, socket_timeout=0.1, retry=never) as hasty:
    client.flushall()
    threading.Timer(0.1, redis.Redis(HOST, PORT, single_connection_client=True).lpush, ["list", "late"]).start()
    assert client.blpop("list", timeout=60) == (b"list", b"late")
    assert client.blpop("list", timeout=1) is None
    hasty.ping()
    try:
        hasty.blpop("list", timeout=30)
    except redis.TimeoutError as error:
        assert "Timeout" in str(error), error
    else:
        raise AssertionError
    assert hasty.ping() is True
    # The server hangs up on it: that is said once, and the next command connects anew.
    with redis.Redis(HOST, PORT, retry=never) as lost:
        number = lost.client_id()
        assert client.execute_command("CLIENT", "KILL", "ID", number) == 1
        assert lost.ping() is True and lost.client_id() != number
# Nobody listens at an address that is taken.
taken = socket.socket()
taken.bind((HOST, 0))
for kwargs in ({"port": taken.getsockname()[1]}, {"unix_socket_path": PATH + "-missing"}):
    with redis.Redis("127.0.0.1", retry=never, **kwargs) as nobody:
        try:
            nobody.ping()
        except redis.ConnectionError as error:
            assert isinstance(error.__context__ or error.__cause__, OSError), error
        else:
            raise AssertionError
taken.close()
""",
            redis_server,
            tmp_path,
        )

    def test_asyncio(self, redis_server: tuple[int, str], tmp_path: Path) -> None:
        run_redis(
            """
import asyncio
import redis.asyncio

async def main():
    async with redis.asyncio.Redis(host=HOST, port=PORT) as client:
        await client.flushall()
        answers = await asyncio.gather(*(client.incr("number") for _ in range(50)))
        assert sorted(answers) == list(range(1, 51))
        async with client.pipeline(transaction=True) as pipeline:
            assert await pipeline.set("a", "1").get("a").execute() == [True, b"1"]
        async with client.pubsub() as subscription:
            await subscription.subscribe("news")
            assert (await subscription.get_message(timeout=60))["type"] == "subscribe"
            await client.publish("news", "hello")
            assert (await subscription.get_message(timeout=60))["data"] == b"hello"
    async with redis.asyncio.Redis(unix_socket_path=PATH) as client:
        assert await client.get("a") == b"1"

asyncio.run(main())
""",
            redis_server,
            tmp_path,
        )
