"""Programs of other people in the network of the layer ``sim``: unmodified, on ports and with names of their own.

``nox -s simulated`` runs them with everything that they need; elsewhere those run whose packages are there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from socketpkg import backends

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="sim needs abstract names and SO_COOKIE of Linux"),
]
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("SOCKET_BACKEND", "SOCKETPKG_SIM", "PYTHONSAFEPATH"))
    and not name.lower().endswith("_proxy")
}
#: The session says over which backend; without it that is each one that can be used.
SESSION = os.environ.get("SOCKETPKG_SIMULATED")
USABLE = [SESSION] if SESSION else [name for name in ("c", "cffi", "ctypes") if backends.available()[name].usable]
#: How long a program may take, in seconds.
PATIENCE = 150


@pytest.fixture(params=USABLE)
def over(request: pytest.FixtureRequest) -> str:
    """The backend that sim stands on."""
    name: str = request.param
    return name


def needs(*modules: str) -> None:
    """Skips the test when a package is missing; in the session that is for it, that is an error."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing and SESSION:
        pytest.fail(f"missing: {', '.join(missing)}")
    for name in missing:
        pytest.skip(f"{name} is not installed")


def command(over: str, options: str, *words: str) -> list[str]:
    """What runs a program in a network; *options* are those of sim, as the command takes them."""
    return [sys.executable, "-m", "socketpkg", "run", "--backend", f"sim+{over}", *options.split(), *words]


def run(folder: Path, over: str, source: str, options: str = "", through: Callable[..., list[str]] = list) -> str:
    """Runs a program that never heard of us, which must end well. Returns what it printed.

    *through* makes of its command the one that is run.
    """
    path = folder / "program.py"
    path.write_text(textwrap.dedent(source))
    done = subprocess.run(
        through(command(over, options, str(path))),
        env=ENVIRONMENT, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def started(folder: Path, words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A program that runs meanwhile."""
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(words, env=ENVIRONMENT, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


SHOP = """
    import socket, threading
    import flask, requests
    from werkzeug.serving import make_server

    assert socket.__name__ == "socketpkg"
    app = flask.Flask("shop")

    @app.post("/orders")
    def order():
        return {"ordered": flask.request.json["what"], "from": flask.request.remote_addr}

    @app.get("/catalogue")
    def catalogue():
        return flask.Response((b"x" * 1000 for _ in range(1000)), mimetype="text/plain")

    server = make_server("0.0.0.0", 80, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with requests.Session() as session:
        print(session.post("http://shop.test/orders", json={"what": "tea"}, timeout=40).json())
        print(len(session.get("http://shop.test/catalogue", timeout=40).content))
        try:
            session.get("http://other.test/", timeout=40)
        except requests.ConnectionError as failure:
            print("Name or service not known" in str(failure))
    server.shutdown()
    thread.join()
    """
SHOP_TELLS = ["{'from': '10.0.0.1', 'ordered': 'tea'}", "1000000", "True"]


def test_requests_to_flask(tmp_path: Path, over: str) -> None:
    needs("flask", "requests")
    told = run(tmp_path, over, SHOP, "--sim-name shop.test=10.0.0.1")
    assert told.splitlines() == SHOP_TELLS


def test_the_machine_sees_no_socket_of_requests_and_flask(tmp_path: Path, over: str, strace: Any) -> None:
    needs("flask", "requests")
    told = run(tmp_path, over, SHOP, "--sim-name shop.test=10.0.0.1", strace.command)
    assert told.splitlines() == SHOP_TELLS
    assert strace.families() == {"AF_UNIX"}


def test_a_name_server_on_port_53(tmp_path: Path, over: str) -> None:
    needs("dns")
    source = """
    import socket, threading
    import dns.message, dns.flags, dns.query, dns.resolver, dns.rrset

    TABLE = {("db.test.", "A"): "10.0.0.5", ("db.test.", "AAAA"): "fd00::5"}

    def answer(wire):
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        found = TABLE.get((question.name.to_text(), kind))
        if found is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, found))
        return response.to_wire()

    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind(("", 53))
    tcp = socket.create_server(("", 53))

    def serve_udp():
        for _ in range(3):
            wire, client = udp.recvfrom(4096)
            udp.sendto(answer(wire), client)

    def serve_tcp():
        connection, _ = tcp.accept()
        with connection, connection.makefile("rwb") as file:
            wire = answer(file.read(int.from_bytes(file.read(2), "big")))
            file.write(len(wire).to_bytes(2, "big") + wire)

    threads = [threading.Thread(target=target) for target in (serve_udp, serve_tcp)]
    for thread in threads:
        thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["10.0.0.1"]
    resolver.lifetime = resolver.timeout = 40
    for kind in ("A", "AAAA"):
        print(resolver.resolve("db.test", kind)[0].address)
    try:
        resolver.resolve("nobody.test", "A")
    except dns.resolver.NXDOMAIN:
        print("NXDOMAIN")
    print(dns.query.tcp(dns.message.make_query("db.test", "A"), "10.0.0.1", timeout=40).answer[0][0].address)
    for thread in threads:
        thread.join()
    """
    assert run(tmp_path, over, source).split() == ["10.0.0.5", "fd00::5", "NXDOMAIN", "10.0.0.5"]


def test_a_manager_of_multiprocessing(tmp_path: Path, over: str) -> None:
    source = """
    import multiprocessing, socket
    from multiprocessing.managers import BaseManager, SyncManager

    def work(address, key, number):
        class Manager(BaseManager):
            pass

        Manager.register("queue")
        manager = Manager(address=address, authkey=key)
        manager.connect()
        manager.queue().put((number, number ** 2))

    class Manager(SyncManager):
        pass

    import queue
    shared = queue.Queue()

    def get():
        return shared

    if __name__ == "__main__":
        Manager.register("queue", callable=get)
        context = multiprocessing.get_context("fork")
        with Manager(address=("127.0.0.1", 50000), authkey=b"key", ctx=context) as manager:
            numbers = manager.dict()
            spawn = multiprocessing.get_context("spawn")
            children = [spawn.Process(target=work, args=(manager.address, b"key", number)) for number in range(3)]
            for child in children:
                child.start()
            found = manager.queue()
            for _ in children:
                number, square = found.get()
                numbers[number] = square
            for child in children:
                child.join()
            print(sorted(numbers.items()), [child.exitcode for child in children])
    """
    assert run(tmp_path, over, source) == "[(0, 0), (1, 1), (2, 4)] [0, 0, 0]\n"


def test_a_scheduler_and_workers_of_dask(tmp_path: Path, over: str) -> None:
    """The scheduler and two workers are programs of their own, each on a host of its own."""
    needs("distributed")
    network = f"--sim-network dask-{os.getpid()}-{over} --sim-name boss.test=10.0.0.1"
    scheduler = command(over, f"{network} --sim-host 10.0.0.1", "-m", "distributed.cli.dask_scheduler")
    scheduler += ["--host", "10.0.0.1", "--port", "8786", "--no-dashboard", "--no-show"]
    workers = [
        [
            *command(over, f"{network} --sim-host {host}", "-m", "distributed.cli.dask_worker", "tcp://boss.test:8786"),
            *("--host", host, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--name", host),
        ]
        for host in ("10.0.0.2", "10.0.0.3")
    ]
    source = """
    from distributed import Client

    def where(number):
        import socket
        assert socket.__name__ == "socketpkg"
        return number * number

    if __name__ == "__main__":
        with Client("tcp://boss.test:8786", timeout=40) as client:
            client.wait_for_workers(2, timeout=40)
            print(sum(client.gather(client.map(where, range(50)))))
            print(sorted(address for address in client.scheduler_info(n_workers=-1)["workers"]) != [])
            print(sorted({address.split(":")[1] for address in client.run(int)}))
    """
    folders = [tmp_path / name for name in ("scheduler", "one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        started(folders[0], scheduler),
        started(folders[1], workers[0]),
        started(folders[2], workers[1]),
    ):
        told = run(tmp_path, over, source, f"{network} --sim-host 10.0.0.4")
    assert told == "40425\nTrue\n['//10.0.0.2', '//10.0.0.3']\n"


def test_redis_in_c_is_not_in_the_network(tmp_path: Path, over: str) -> None:
    """A real redis-server listens on the machine: a program in the network is refused, and told why."""
    needs("redis")
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    words = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with started(tmp_path, words) as process:
        assert process.stdout is not None
        assert any("Ready to accept connections" in line for line in process.stdout)
        source = f"""
        import redis
        try:
            redis.Redis("127.0.0.1", {port}, retry=None).ping()
        except redis.ConnectionError as failure:
            seen = failure
            while seen is not None and not getattr(seen, "__notes__", None):
                seen = seen.__cause__ or seen.__context__
            print(str(failure).split(" ")[1], *getattr(seen, "__notes__", []))
        """
        told = run(tmp_path, over, source)
    assert told.startswith(
        f"111 nobody listens at 127.0.0.1:{port} in the network of the layer sim; programs that do not use socketpkg"
        " (such as a server written in C) are not in it"
    )


def free_port() -> int:
    """A port of the machine that nobody has."""
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_two_runs_of_tests_have_port_8000_at_once(tmp_path: Path, over: str) -> None:
    """Two runs of pytest, each of two workers; each of the four waits until the others have the port too."""
    (tmp_path / "test_port.py").write_text(
        textwrap.dedent(
            """
            import os, pathlib, socket, sys, time

            import pytest

            @pytest.mark.parametrize("number", range(2))
            def test_port(number):
                with socket.create_server(("127.0.0.1", 8000)) as server:
                    worker = os.environ["PYTEST_XDIST_WORKER"]
                    pathlib.Path(f"{os.environ['RUN']}-{worker}").touch()
                    # All of them have the port at once.
                    until = time.monotonic() + 120
                    while len(list(pathlib.Path(".").glob("run?-gw?"))) < 4:
                        assert time.monotonic() < until
                        time.sleep(0.01)
                    with socket.create_connection(("127.0.0.1", 8000)) as client, server.accept()[0] as peer:
                        client.sendall(b"hello")
                        assert peer.recv(100) == b"hello"
            """
        )
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", f"--socket=sim+{over}"]
    processes = [
        subprocess.Popen(
            [*words, "test_port.py"], env={**ENVIRONMENT, "RUN": f"run{number}"}, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for number in range(2)
    ]  # fmt: skip
    try:
        for process in processes:
            told, _ = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0 and "2 passed" in told, told
    finally:
        for process in processes:
            process.kill()
            process.communicate()
