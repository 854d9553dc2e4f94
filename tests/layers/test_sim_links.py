"""The layer ``sim``: its network from outside, links that are cut, slow and lossy, and pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sim needs abstract names and SO_COOKIE of Linux")

HOSTS = """
    import socketpkg as socket
    socket.install()
    import asyncio, errno, threading, time
    from socketpkg.layers import sim

    with sim.host("10.0.0.5"):
        server = socket.create_server(("", 5432))
        receiver = socket.socket(type=socket.SOCK_DGRAM)
        receiver.bind(("", 53))
        receiver.settimeout(10)
    sender = socket.socket(type=socket.SOCK_DGRAM)
    answer = []

    def outcome(call, *arguments):
        try:
            result = call(*arguments)
        except OSError as failure:
            return errno.errorcode.get(failure.errno, type(failure).__name__)
        return None if isinstance(result, socket.socket) else result
"""


def test_a_partition_and_its_healing(programs: Programs, over: str) -> None:
    source = """
    client = socket.create_connection(("db.test", 5432))
    connection, _ = server.accept()
    client.settimeout(0.05)
    sim.network.partition("db.test", "10.0.0.1")
    answer.append(str(sim.network.link("10.0.0.1", "10.0.0.5")))
    answer += [outcome(client.send, b"x"), outcome(client.sendall, b"x"), outcome(client.sendmsg, [b"x"])]
    answer.append(outcome(socket.create_connection, ("db.test", 5432), 0.05))
    answer.append(sender.sendto(b"lost", ("db.test", 53)))
    client.setblocking(False)
    answer.append(outcome(client.send, b"x"))
    waiting = socket.socket()
    waiting.setblocking(False)
    answer += [waiting.connect_ex(("db.test", 5432)), waiting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
    with sim.host("10.0.0.6"):  # the others are not cut off
        socket.create_connection(("db.test", 5432)).close()
    server.accept()[0].close()
    client.settimeout(10)
    threading.Timer(0.05, sim.network.heal).start()
    client.sendall(b"afterwards")
    answer.append(connection.recv(100).decode())
    answer.append(waiting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    server.accept()[0].close()
    sender.sendto(b"heard", ("db.test", 53))
    answer.append(receiver.recv(100).decode())
    for sock in (client, connection, waiting, server, sender, receiver):
        sock.close()
    """
    found = programs.answer(f"sim+{over}", HOSTS + source, SOCKETPKG_SIM="db.test=10.0.0.5")
    assert found == ["cut=1", *["TimeoutError"] * 4, 4, "EAGAIN", 115, 0, "afterwards", 0, "heard"]


def test_latency_is_seen_through_readiness(programs: Programs, over: str) -> None:
    source = """
    sim.network.set_link("10.0.0.1", "10.0.0.5", latency=40)
    begin = time.monotonic()
    client = socket.create_connection(("10.0.0.5", 5432))
    connection, address = server.accept()
    answer += [client.getsockname() == address, client.getpeername(), time.monotonic() - begin >= 0.08]
    begin = time.monotonic()
    client.sendall(b"ping")
    connection.sendall(connection.recv(4))
    answer += [client.recv(4).decode(), time.monotonic() - begin >= 0.08]
    begin = time.monotonic()
    sender.sendto(b"late", ("10.0.0.5", 53))
    answer += [receiver.recv(10).decode(), time.monotonic() - begin >= 0.04]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    connection.close()
    answer.append(outcome(client.recv, 1))
    client.close()

    async def talk():
        begin = asyncio.get_running_loop().time()
        reader, writer = await asyncio.open_connection("10.0.0.5", 5432)
        connection, _ = server.accept()
        connection.sendall(b"hello")
        connection.close()
        data = await reader.read()
        writer.close()
        return data.decode(), asyncio.get_running_loop().time() - begin >= 0.08

    answer += asyncio.run(talk())
    for sock in (server, sender, receiver):
        sock.close()
    """
    found = programs.answer(f"sim+{over}", HOSTS + source)
    assert found == [True, ["10.0.0.5", 5432], True, "ping", True, "late", True, "ECONNRESET", "hello", True]


def test_loss_and_order_come_from_the_seed(programs: Programs) -> None:
    source = """
    sim.network.set_link("10.0.0.1", "10.0.0.5", loss=0.3, reorder=0.2)
    for number in range(60):
        sender.sendto(b"%d" % number, ("10.0.0.5", 53))
    sim.network.heal()
    time.sleep(0.1)  # a datagram that is late comes 20 ms later
    sender.sendto(b"end", ("10.0.0.5", 53))
    while (data := receiver.recv(10)) != b"end":
        answer.append(int(data))
    for sock in (server, sender, receiver):
        sock.close()
    """
    first, again, other = (
        programs.answer("sim+ctypes", HOSTS + source, SOCKETPKG_SIM=f"seed={seed}") for seed in (3, 3, 4)
    )
    assert sorted(first) == sorted(again)
    assert sorted(first) != sorted(other)
    assert 30 < len(first) < 55
    assert first != sorted(first)


def test_a_wrong_link_is_told(programs: Programs) -> None:
    source = """
    for values in ({"loss": 2}, {"latency": -1}):
        try:
            sim.network.set_link("10.0.0.1", "10.0.0.5", **values)
        except ValueError as failure:
            answer.append(str(failure).partition(":")[2])
    answer.append(str(sim.network.link("10.0.0.1", "10.0.0.5")))
    for sock in (server, sender, receiver):
        sock.close()
    """
    wrong = "loss and reorder are from 0 to 1, others from 0"
    found = programs.answer("sim+ctypes", HOSTS + source)
    assert [text.endswith(wrong) for text in found] == [True, True, False]
    assert found[2] == ""


LISTED = """
import socket, sys
server = socket.create_server(("", 8000))
client = socket.create_connection(("127.0.0.1", 8000))
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.bind(("::", 53))
bound = socket.socket()
bound.bind(("127.0.0.1", 9000))
print(client.getsockname()[1], flush=True)
sys.stdin.readline()
"""


def test_the_command_lists_a_running_network(programs: Programs, over: str) -> None:
    path = programs.write(LISTED)
    name = f"listed-{os.getpid()}-{over}"
    env = programs.environment(f"sim+{over}", SOCKETPKG_SIM=f"network={name}")
    command = [sys.executable, "-W", "ignore", "-m", "socketpkg"]

    def sim(*words: str) -> subprocess.CompletedProcess[str]:
        return programs.command([*command, "sim", "--network", name, *words], None)

    assert sim("ss").returncode == 1
    program = [*command, "run", str(path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as running:
        assert running.stdout is not None
        port = running.stdout.readline().strip()
        assert port.isdigit()
        shown = sim("ss").stdout
        assert sim("partition", "10.0.0.1", "10.0.0.5").returncode == 0
        cut = sim("ss").stdout.splitlines()[-1]
        assert sim("link", "10.0.0.1", "10.0.0.5", "latency=x").returncode == 2
        assert sim("heal").returncode == 0
        healed = sim("ss").stdout
        running.communicate("\n", timeout=60)
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    # Its processes are not known in every sandbox.
    lines = [re.sub(r" \S+/\d+$", "", line) for line in lines]
    assert lines == [
        f"network {name}",
        "Netid State Host Local Address:Port Peer Address:Port Process",
        "tcp LISTEN 10.0.0.1 0.0.0.0:8000 *",
        *sorted(
            [
                f"tcp ESTAB 10.0.0.1 127.0.0.1:{port} 127.0.0.1:8000",
                f"tcp ESTAB 10.0.0.1 127.0.0.1:8000 127.0.0.1:{port}",
            ],
            key=lambda line: line.split()[3],
        ),
        "tcp CLOSE 10.0.0.1 127.0.0.1:9000 *",
        "udp UNCONN 10.0.0.1 [::]:53 *",
    ]
    assert cut == "link 10.0.0.1 - 10.0.0.5: cut=1"
    assert healed == shown


PAGE = (Path(__file__).parents[2] / "docs" / "sim.md").read_text(encoding="utf-8")


def test_one_port_in_parallel_tests(programs: Programs, over: str) -> None:
    pytest.importorskip("xdist")
    found = re.search(r"```python\n# test_shop.py\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    programs.write(found[1], "test_shop.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "test_shop.py"]
    done = programs.command([*command, f"--socket=sim+{over}", "--socket-sim-name=shop.test=10.0.0.1"], None)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_an_unmodified_program_and_its_network(programs: Programs, over: str) -> None:
    assert "python -m socketpkg run --sim-network demo -m http.server 8000" in PAGE
    name = f"demo-{os.getpid()}-{over}"
    (programs.folder / "hello.txt").write_text("hello")
    command = [sys.executable, "-u", "-W", "ignore", "-m", "socketpkg"]
    program = [*command, "run", "--backend", over, "--sim-network", name]
    env = programs.environment(None)
    fetch = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000/hello.txt').read().decode())"
    with subprocess.Popen(
        [*program, "-m", "http.server", "8000"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env, cwd=programs.folder,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            assert "port 8000" in server.stdout.readline()
            listed = programs.command([*command, "sim", "--network", name, "ss"], None).stdout
            assert re.search(r"^tcp +LISTEN +10.0.0.1 +0.0.0.0:8000 +\*", listed, re.MULTILINE), listed
            assert programs.command([*program, "-c", fetch], None).stdout == "hello\n"
        finally:
            server.kill()


#: The recipes of the page, each as a program; the third is its command lines, started from a program.
RECIPES = {
    "one port": (
        "import pytest, sys\n"
        "options = ['-q', '-p', 'no:cacheprovider', '--socket=sim+auto', '--socket-sim-name=shop.test=10.0.0.1']\n"
        "sys.exit(pytest.main([*options, 'test_shop.py']))\n"
    ),
    "three hosts": re.findall(r"### Three hosts.*?```python\n(.*?)```", PAGE, re.DOTALL)[0],
    "unmodified": """
import os, subprocess, sys

run = [sys.executable, "-u", "-W", "ignore", "-m", "socketpkg", "run", "--sim-network", "seen-%d" % os.getpid()]
fetch = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000/').read() != b'')"
with subprocess.Popen([*run, "-m", "http.server", "8000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
    server.stdout.readline()
    told = subprocess.run([*run, "-c", fetch], capture_output=True, check=False).stdout
    server.kill()
assert told == b"True\\n", told
""",
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_machine_sees_no_socket_of_the_recipes(programs: Programs, recipe: str, strace: Any) -> None:
    programs.write(re.findall(r"```python\n# test_shop.py\n(.*?)```", PAGE, re.DOTALL)[0], "test_shop.py")
    path = programs.write(RECIPES[recipe])
    done = programs.command(strace.command([sys.executable, str(path)]), None)
    assert done.returncode == 0, done.stdout + done.stderr
    assert strace.families() == {"AF_UNIX"}
