"""Programs of other people against ours: curl, redis-py, and libraries that use sockets or patch what is below them."""

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
import textwrap
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


# -- programs that reach into Python, and libraries of sockets ---------------------------------------------------------


def needs(*modules: str) -> None:
    """Skips a test whose packages are not installed. Where ``CI`` is set they have to be: the extra "programs"."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        reason = f"not installed: {', '.join(missing)} (pip install .[programs])"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)


def run_program(source: str, folder: Path, *options: str, status: int = 0) -> str:
    """Runs a program under ``python -m socketpkg run``: what it printed, and wrote to stderr if it must fail."""
    program = folder / "program.py"
    program.write_text(textwrap.dedent(source))
    command = [RUN[0], *RUN[1:3], *options, *RUN[3:], str(program)]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr if not status else "") == (status, ""), done.stdout + done.stderr
    return done.stdout + done.stderr


def test_pysocks_reaches_a_server_through_its_proxy(tmp_path: Path) -> None:
    """Its socket is a subclass that keeps attributes of its own, ``_timeout`` among them: requests[socks] and pip."""
    needs("socks")
    run_program(
        r"""
        import socket, threading
        import socks

        assert issubclass(socks.socksocket, socket.socket) and socket.__name__ == "socketpkg"
        HELLO, CONNECTED = b"\5\0", b"\5\0\0\1\x7f\0\0\1\0\x50"

        def serve(listener):
            # The server's side of SOCKS5 (RFC 1928), and then the far end itself.
            with listener.accept()[0] as peer:
                assert peer.recv(100) == b"\5\1\0"
                peer.sendall(HELLO)
                assert peer.recv(100) == b"\5\1\0\1\x7f\0\0\1\0\x50"
                peer.sendall(CONNECTED)
                peer.sendall(b"through the proxy: " + peer.recv(100))

        with socket.create_server(("127.0.0.1", 0)) as listener:
            proxy = threading.Thread(target=serve, args=(listener,))
            proxy.start()
            with socks.socksocket() as sock:
                assert sock.gettimeout() is None
                sock.set_proxy(socks.SOCKS5, *listener.getsockname())
                sock.settimeout(60)
                sock.connect(("127.0.0.1", 80))
                assert sock.gettimeout() == 60
                assert sock.get_proxy_peername() is None or sock.get_proxy_peername()[1] == 80
                sock.sendall(b"hello")
                with sock.makefile("rb") as file:
                    assert file.read() == b"through the proxy: hello"
            proxy.join()
        """,
        tmp_path,
    )


def test_freezegun_does_not_stop_the_clock_of_a_timeout(tmp_path: Path) -> None:
    """It replaces the functions of `time` in every module that has them."""
    needs("freezegun")
    run_program(
        """
        import faulthandler, os, socket, time
        import freezegun

        faulthandler.dump_traceback_later(60, exit=True)

        def fill(sock):
            while True:
                sock.sendall(b"x" * 1_000_000)

        def crowd(connect):
            # Nobody accepts: the first connections wait in the queue, and then no more are taken.
            with socket.socket() as server:
                server.bind(("127.0.0.1", 0))
                server.listen(0)
                waiting = []
                try:
                    while True:
                        waiting.append(connect(server.getsockname()))
                finally:
                    for sock in waiting:
                        sock.close()

        def connect(address):
            sock = socket.socket()
            try:
                sock.settimeout(0.1)
                sock.connect(address)
            except BaseException:
                sock.close()
                raise
            return sock

        frozen = time.time()
        for freeze in (freezegun.freeze_time("2020-01-01"), freezegun.freeze_time("2020-01-01", tick=True)):
            with freeze:
                assert abs(time.time() - 1577836800) < 60
                one, two = socket.socketpair()
                datagram = socket.socket(type=socket.SOCK_DGRAM)
                datagram.bind(("127.0.0.1", 0))
                listener = socket.create_server(("127.0.0.1", 0))
                for sock in (one, datagram, listener):
                    sock.settimeout(0.1)
                calls = {
                    "recv": lambda: one.recv(1),
                    "recv_into": lambda: one.recv_into(bytearray(1)),
                    "recvmsg": lambda: one.recvmsg(1),
                    "recvmsg_into": lambda: one.recvmsg_into([bytearray(1)]),
                    "recvfrom": lambda: datagram.recvfrom(1),
                    "recvfrom_into": lambda: datagram.recvfrom_into(bytearray(1)),
                    "recvmmsg": lambda: datagram.recvmmsg(2, 1),
                    "accept": lambda: listener.accept(),
                    "read": lambda: one.makefile("rb").read(1),
                    "sendall": lambda: fill(one),
                    "sendfile": lambda: one.sendfile(open(__file__, "rb")),
                    "connect": lambda: crowd(connect),
                    "create_connection": lambda: crowd(lambda address: socket.create_connection(address, 0.1)),
                }
                for name, call in calls.items():
                    began = os.times().elapsed
                    try:
                        call()
                    except TimeoutError:
                        assert os.times().elapsed - began >= 0.05, name
                    else:
                        raise AssertionError(name)
                for sock in (one, two, datagram, listener):
                    sock.close()
        """,
        tmp_path,
        "-W",
        "ignore::ResourceWarning",
    )


def test_pyfakefs_does_not_get_the_descriptors(tmp_path: Path) -> None:
    """It replaces the functions of `os` and `fcntl` in every module that has them."""
    needs("pyfakefs")
    run_program(
        """
        import os, socket
        from pyfakefs.fake_filesystem_unittest import Patcher

        def still_open(numbers):
            return [number for number in numbers if os.path.exists(f"/proc/self/fd/{number}")]

        for options in ({}, {"additional_skip_names": ["socketpkg"]}):
            opened = []
            def kept(sock):
                opened.append(sock.fileno())
                return sock
            with Patcher(**options):
                one, two = map(kept, socket.socketpair())
                one.settimeout(60)
                one.setblocking(False)
                one.setblocking(True)
                three = kept(one.dup())
                four = kept(socket.fromfd(two.fileno(), socket.AF_UNIX, socket.SOCK_STREAM))
                five = kept(socket.create_server(("127.0.0.1", 0)))
                six = kept(socket.create_connection(five.getsockname(), timeout=60))
                seven = kept(five.accept()[0])
                three.sendall(b"x")
                assert four.recv(1) == b"x"
                with six.makefile("rwb") as file:
                    file.write(b"line\\n")
                assert seven.makefile("rb").readline() == b"line\\n"
                assert socket.gethostname() and socket.if_nameindex()
                for sock in (one, two, three, four, five, six, seven):
                    sock.close()
                left = socket.socket().detach()
                opened.append(left)
                socket.close(left)
            assert len(opened) == 8 and not still_open(opened), opened
        """,
        tmp_path,
    )


GEVENT = """
import faulthandler
faulthandler.dump_traceback_later(60, exit=True)

def patch():
    from gevent import monkey
    monkey.patch_all()

def main():
    import gevent, socket
    import socketpkg
    assert socket.SocketType is socketpkg.SocketType
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with server.accept()[0] as peer:
                while data := peer.recv(100):
                    peer.sendall(data)
        def ask():
            with socket.create_connection(server.getsockname()) as sock:
                sock.sendall(b"hello")
                return sock.recv(100)
        jobs = [gevent.spawn(serve), gevent.spawn(ask)]
        gevent.joinall(jobs, raise_error=True)
        assert jobs[1].value == b"hello"
    # The other end sees that a socket was closed, and its port is free again.
    one, two = socket.socketpair()
    one.close()
    assert two.recv(1) == b""
    two.close()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address = sock.getsockname()
    with socket.socket() as sock:
        sock.bind(address)
    # Greenlets wait beside each other.
    began = gevent.get_hub().loop.now()
    pairs = [socket.socketpair() for _ in range(10)]
    def wait(sock):
        sock.settimeout(0.2)
        try:
            sock.recv(1)
        except TimeoutError:
            return True
    jobs = [gevent.spawn(wait, one) for one, _ in pairs]
    gevent.joinall(jobs, raise_error=True)
    assert all(job.value for job in jobs)
    for pair in pairs:
        for sock in pair:
            sock.close()
    print("works")
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="what it needs is compiled for CPython")
class TestGevent:
    def test_patched_after_our_sockets_took_their_place(self, tmp_path: Path) -> None:
        needs("gevent")
        assert run_program(f"{GEVENT}\npatch()\nmain()\n", tmp_path) == "works\n"

    def test_our_sockets_take_their_place_in_the_program(self, tmp_path: Path) -> None:
        needs("gevent")
        program = tmp_path / "program.py"
        program.write_text(f"import socketpkg\nsocketpkg.install()\n{GEVENT}\npatch()\nmain()\n")
        done = subprocess.run(
            [sys.executable, str(program)], env=ENVIRONMENT, capture_output=True, text=True, timeout=120
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "works\n", "")

    def test_patched_before_our_sockets_take_their_place(self, tmp_path: Path) -> None:
        """One error says that this is the wrong order; it would hang, with the sockets of two kinds of waiting."""
        needs("gevent")
        program = tmp_path / "program.py"
        program.write_text(f"{GEVENT}\npatch()\nimport socketpkg\nsocketpkg.install()\nmain()\n")
        done = subprocess.run(
            [sys.executable, str(program)], env=ENVIRONMENT, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.splitlines()[-1].startswith(
            "RuntimeError: socketpkg.install() must be called before gevent.monkey.patch_all()"
        )

    def test_our_module_beside_the_patched_one(self, tmp_path: Path) -> None:
        """Without install() the program has both: gevent's sockets, and ours which block the thread."""
        needs("gevent")
        source = f"""{GEVENT}
patch()
import socketpkg
one, two = socketpkg.socketpair()
one.settimeout(0.1)
try:
    one.recv(1)
except TimeoutError:
    pass
two.sendall(b"x")
assert one.recv(1) == b"x"
one.close()
assert two.recv(1) == b""
two.close()
with socketpkg.create_server(("127.0.0.1", 0)) as server:
    with socketpkg.create_connection(server.getsockname(), timeout=60) as sock:
        sock.dup().close()
print("works")
"""
        program = tmp_path / "program.py"
        program.write_text(source)
        command = [sys.executable, "-W", "error::ResourceWarning", str(program)]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stdout, done.stderr) == (0, "works\n", "")


def test_tornado_finds_no_circular_references(tmp_path: Path) -> None:
    """Its own test, which fails when a request leaves anything behind for the collector."""
    needs("tornado")
    command = [*RUN, "-m", "tornado.test.runtests", "tornado.test.circlerefs_test"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and re.search(r"^Ran [1-9]", done.stderr, re.MULTILINE), done.stdout + done.stderr


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="what it needs is compiled for CPython")
def test_a_client_of_paramiko_and_its_server(tmp_path: Path) -> None:
    """SSH over our sockets on both sides: a login, a command with much output, a port forwarded, a time-out."""
    needs("paramiko")
    run_program(
        """
        import socket, threading
        import paramiko

        assert socket.__name__ == "socketpkg"
        KEY = paramiko.ECDSAKey.generate()
        MUCH = bytes(range(256)) * 4096

        class Server(paramiko.ServerInterface):
            def __init__(self):
                self.command = threading.Event()

            def check_auth_password(self, name, password):
                right = (name, password) == ("user", "secret")
                return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

            def get_allowed_auths(self, name):
                return "password"

            def check_channel_request(self, kind, number):
                return paramiko.OPEN_SUCCEEDED

            def check_channel_exec_request(self, channel, command):
                self.thread = threading.Thread(target=self.execute, args=(channel, command))
                self.thread.start()
                return True

            def execute(self, channel, command):
                if command == b"silence":
                    self.command.wait(60)
                else:
                    assert command == b"echo"
                    asked = channel.makefile("rb").read()
                    channel.sendall(asked + MUCH)
                channel.send_exit_status(7)
                channel.close()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            for password in ("wrong", "secret"):
                with paramiko.SSHClient() as client:
                    started = threading.Event()
                    server = Server()

                    def serve():
                        global transport
                        transport = paramiko.Transport(listener.accept()[0])
                        transport.add_server_key(KEY)
                        transport.start_server(server=server)
                        started.set()

                    thread = threading.Thread(target=serve)
                    thread.start()
                    host, port = listener.getsockname()
                    client.get_host_keys().add(f"[{host}]:{port}", KEY.get_name(), KEY)
                    options = {"timeout": 60, "allow_agent": False, "look_for_keys": False}
                    try:
                        client.connect(host, port, "user", password, **options)
                    except paramiko.AuthenticationException:
                        assert password == "wrong"
                    else:
                        assert password == "secret"
                        assert type(client.get_transport().sock) is socket.socket
                        stdin, stdout, stderr = client.exec_command("echo", timeout=60)
                        stdin.write(b"question")
                        stdin.channel.shutdown_write()
                        assert stdout.read() == b"question" + MUCH
                        assert stdout.channel.recv_exit_status() == 7
                        stdin, stdout, stderr = client.exec_command("silence", timeout=0.2)
                        try:
                            stdout.read()
                        except TimeoutError:
                            pass
                        else:
                            raise AssertionError
                        # The command ends before its client goes: to send its status would fail in a thread.
                        server.command.set()
                        assert stdout.channel.recv_exit_status() == 7
                        server.thread.join(60)
                    thread.join(60)
                    assert started.is_set()
                transport.close()
                transport.join(60)
                transport.sock.close()
        """,
        tmp_path,
    )


def _may_sniff() -> bool:
    try:
        stdlib.socket(stdlib.AF_PACKET, stdlib.SOCK_RAW, 0).close()
    except (OSError, AttributeError):
        return False
    return True


@pytest.mark.skipif(not _may_sniff(), reason="only root may see the packets of Linux")
def test_scapy_sniffs_on_the_loopback(tmp_path: Path) -> None:
    needs("scapy")
    printed = run_program(
        """
        import socket
        assert socket.__name__ == "socketpkg"
        from scapy.all import IP, UDP, Raw, conf, sniff

        conf.use_pcap = False
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            address = sock.getsockname()

            def send():
                for number in range(3):
                    sock.sendto(b"datagram %d" % number, address)

            def ours(packet):
                return UDP in packet and packet[UDP].dport == address[1]

            def last(packet):
                return packet[Raw].load == b"datagram 2"

            # The loopback may show a packet twice, on its way out and on its way in.
            found = sniff(iface="lo", timeout=60, started_callback=send, lfilter=ours, stop_filter=last)
            print(sorted({bytes(packet[Raw].load).decode() for packet in found}))
            assert all(packet[IP].src == "127.0.0.1" for packet in found)
        """,
        tmp_path,
        "-W",
        "ignore::ResourceWarning",
    )
    assert printed == "['datagram 0', 'datagram 1', 'datagram 2']\n"
