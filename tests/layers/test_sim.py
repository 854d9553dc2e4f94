"""The layer ``sim``: a program in a network of its own, and what the machine sees of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sim needs abstract names and SO_COOKIE of Linux")
SCENARIOS = Path(__file__).with_name("sim_scenarios.py")


def scenarios(programs: Programs, stack: str) -> dict[str, object]:
    """What each scenario tells on a stack."""
    done = programs.command([sys.executable, "-W", "error::Warning", str(SCENARIOS)], stack)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_scenarios_are_told_as_on_the_loopback(programs: Programs, over: str) -> None:
    different: dict[str, tuple[object, object]] = {}
    # Another program may have a port on one address that the kernel has just given on another one: a scenario has to be
    # told otherwise each time.
    for _ in range(3):
        real, simulated = scenarios(programs, over), scenarios(programs, f"sim+{over}")
        assert len(real) > 15
        different = {name: (told, simulated[name]) for name, told in real.items() if simulated[name] != told}
        if not different:
            return
    assert different == {}


@pytest.mark.parametrize("length", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_short_programs_about_a_refused_connect_are_told_as_on_the_loopback(
    programs: Programs, over: str, length: str
) -> None:
    command = [sys.executable, "-X", "faulthandler", str(SCENARIOS.with_name("sim_sequences.py")), length]
    real, simulated = (what_is_told(programs, command, f"{sim}{over}") for sim in ("", "sim+"))
    assert len(real) >= 66
    assert {calls: simulated[calls] for calls in real} == real


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 121, 10))
def test_random_programs_are_told_as_on_the_loopback(programs: Programs, over: str, first: int) -> None:
    count = 10
    begin = [sys.executable, "-X", "faulthandler", "-W", "ignore", str(SCENARIOS.with_name("sim_random.py"))]
    command = [*begin, str(first), str(count)]
    # What the load of the machine changes is no difference: a program has to be told otherwise each time.
    for _ in range(3):
        real, simulated = (what_is_told(programs, command, f"{sim}{over}") for sim in ("", "sim+"))
        different = [seed for seed in real if real[seed] != simulated[seed]]
        if not different:
            break
    assert len(real) == count
    seed = different[0] if different else ""
    assert not different, [(one, two) for one, two in zip(real[seed], simulated[seed], strict=True) if one != two][:1]


def what_is_told(programs: Programs, command: list[str], stack: str) -> dict[str, list[object]]:
    """What each program of a collection tells on a stack."""
    done = programs.command(command, stack)
    # A number below 0 is the signal that has ended it.
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


def test_the_machine_sees_no_socket_of_the_internet(programs: Programs, over: str, strace: Any) -> None:
    done = programs.command(strace.command([sys.executable, str(SCENARIOS)]), f"sim+{over}")
    assert done.returncode == 0, done.stderr
    assert strace.families() == {"AF_UNIX"}


SERVER = """
    import socketpkg as socket
    import sys
    server = socket.create_server(("127.0.0.1", 8000))
    print("ready", flush=True)
    sys.stdin.readline()
    socket.create_connection(("127.0.0.1", 8000)).close()
    server.accept()[0].close()
    server.close()
"""


def test_two_programs_have_one_port_at_once(programs: Programs, over: str) -> None:
    path = programs.write(SERVER)
    command = [sys.executable, str(path)]
    env = programs.environment(f"sim+{over}")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env}
    with (
        subprocess.Popen(command, **pipes) as first,  # type: ignore[call-overload]
        subprocess.Popen(command, **pipes) as second,  # type: ignore[call-overload]
    ):
        try:
            assert [process.stdout.readline() for process in (first, second)] == ["ready\n"] * 2
            for process in (first, second):
                process.communicate("go\n", timeout=60)
                assert process.returncode == 0
        finally:
            first.kill()
            second.kill()


def test_programs_with_one_name_share_a_network(programs: Programs, over: str) -> None:
    path = programs.write(
        """
        import socketpkg as socket
        server = socket.create_server(("", 8000))
        print("ready", flush=True)
        sock, address = server.accept()
        sock.sendall(repr((address[0], sock.getsockname())).encode())
        sock.close()
        server.close()
        """,
        "server.py",
    )
    network = f"test-{os.getpid()}-{over}"
    env = programs.environment(f"sim+{over}", SOCKETPKG_SIM=f"network={network} host=10.0.0.5")
    with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True, env=env) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        source = """
            import socketpkg as socket
            sock = socket.create_connection(("db.test", 8000))
            answer = sock.recv(100).decode(), sock.getpeername(), sock.getsockname()[0]
            sock.close()
            try:
                socket.create_connection(("127.0.0.1", 8000))
            except ConnectionRefusedError as failure:
                answer += (failure.__notes__[0].split(";")[0],)
        """
        found = programs.answer(f"sim+{over}", source, SOCKETPKG_SIM=f"db.test=10.0.0.5 network={network}")
        assert found == [
            "('10.0.0.1', ('10.0.0.5', 8000))",
            ["10.0.0.5", 8000],
            "10.0.0.1",
            "nobody listens at 127.0.0.1:8000 in the network of the layer sim",
        ]
        assert server.wait(60) == 0


def test_names_are_those_of_the_table(programs: Programs, over: str) -> None:
    source = """
        import socketpkg as socket

        def name(call, *arguments):
            try:
                return call(*arguments)
            except OSError as failure:
                return type(failure).__name__, failure.errno

        answer = [
            name(socket.gethostbyname_ex, "cache.test"),
            name(socket.gethostbyname, "DB.test."),
            name(socket.getaddrinfo, "six.test", 80, 0, socket.SOCK_STREAM),
            name(socket.getaddrinfo, "six.test", 80, socket.AF_INET),
            name(socket.getaddrinfo, "db.test", 80, 0, socket.SOCK_STREAM, 0, socket.AI_CANONNAME),
            name(socket.gethostbyaddr, "10.0.0.7"),
            name(socket.getnameinfo, ("10.0.0.5", 80), socket.NI_NUMERICSERV),
            name(socket.getnameinfo, ("192.0.2.1", 80), socket.NI_NAMEREQD),
            name(socket.gethostbyname, "python.org"),
            name(socket.gethostbyname, socket.gethostname()),
            name(socket.create_connection, ("192.0.2.1", 80)),
            [name for _, name in socket.if_nameindex()],
        ]
    """
    table = "db.test=10.0.0.5, cache.test=10.0.0.6+10.0.0.7 six.test=fd00::1"
    assert programs.answer(f"sim+{over}", source, SOCKETPKG_SIM=table) == [
        ["cache.test", [], ["10.0.0.6", "10.0.0.7"]],
        "10.0.0.5",
        [[10, 1, 6, "", ["fd00::1", 80, 0, 0]]],
        ["gaierror", -5],
        [[2, 1, 6, "db.test", ["10.0.0.5", 80]]],
        ["cache.test", [], ["10.0.0.7"]],
        ["db.test", "80"],
        ["gaierror", -2],
        ["gaierror", -2],
        "10.0.0.1",
        ["OSError", 101],
        ["lo", "eth0"],
    ]


def test_hosts_have_addresses_and_a_loopback_of_their_own(programs: Programs, over: str) -> None:
    source = """
        import asyncio, threading
        import socketpkg as socket
        from socketpkg.layers import sim
        from socketpkg.interfaces import getifaddrs

        answer = []
        with sim.host("10.0.0.5", "fd00::5"):
            server = socket.create_server(("", 8000))
            local = socket.create_server(("127.0.0.1", 9000))
            answer.append([entry.address for entry in getifaddrs()])
            socket.create_connection(("127.0.0.1", 9000)).close()

        def refusal(*address):
            try:
                socket.create_connection(address).close()
            except OSError as failure:
                return failure.errno
            return 0

        answer += [refusal("10.0.0.5", 8000), refusal("127.0.0.1", 8000), refusal("127.0.0.1", 9000)]
        answer.append(refusal("10.0.0.5", 9000))
        sock, address = server.accept()
        answer += [address[0], sock.getsockname()[0]]
        here = socket.create_server(("127.0.0.1", 8000))  # the port of another host is free on this one
        try:
            socket.create_server(("10.0.0.5", 8001))
        except OSError as failure:
            answer.append(failure.errno)

        async def make(host):
            with sim.host(host):
                await asyncio.sleep(0)
                sock = socket.socket()
                sock.bind((host, 0))
                sock.close()
                return host

        async def both():
            return await asyncio.gather(make("10.0.0.8"), make("10.0.0.9"))

        answer.append(asyncio.run(both()))
        for sock in (server, local, sock, here):
            sock.close()
    """
    assert programs.answer(f"sim+{over}", source) == [
        ["127.0.0.1", "::1", "10.0.0.5", "fd00::5"],
        *[0, 111, 111, 111],
        *["10.0.0.1", "10.0.0.5"],
        99,
        ["10.0.0.8", "10.0.0.9"],
    ]


def test_what_a_killed_program_leaves_goes_with_the_next(programs: Programs, tmp_path: Path) -> None:
    folder = f"/tmp/sp-{os.getpid()}"
    options = {"SOCKETPKG_SIM": f"folder={folder}"}
    source = """
        import os, signal
        import socketpkg as socket
        server = socket.create_server(("", 8000))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    try:
        assert programs.run("sim+ctypes", source, **options).returncode == -9
        left = os.listdir(folder)
        assert len(left) == 1
        assert os.stat(folder).st_mode & 0o777 == 0o700
        assert programs.answer("sim+ctypes", "import socketpkg\nanswer = 1", **options) == 1
        assert os.listdir(folder) == []
    finally:
        shutil.rmtree(folder)


def test_a_folder_that_others_can_enter_is_refused(programs: Programs) -> None:
    folder = Path(f"/tmp/sp-open-{os.getpid()}")
    folder.mkdir(0o755)
    try:
        done = programs.run("sim+ctypes", "import socketpkg", SOCKETPKG_SIM=f"folder={folder}")
    finally:
        folder.rmdir()
    assert done.returncode == 1
    assert "only this user can enter" in done.stderr


def test_children_are_in_the_network_of_their_parent(programs: Programs, over: str) -> None:
    source = """
        import multiprocessing, subprocess, sys
        import socketpkg as socket

        CHILD = "import socketpkg; socketpkg.create_connection(('127.0.0.1', 8000)).sendall(b'spawned')"

        if __name__ == "__main__":
            server = socket.create_server(("127.0.0.1", 8000))
            subprocess.run([sys.executable, "-W", "ignore", "-c", CHILD], check=True)
            sock, _ = server.accept()
            answer = sock.recv(100).decode()
            sock.close()
            server.close()
    """
    assert programs.answer(f"sim+{over}", source) == "spawned"


def test_a_number_that_is_used_again_meets_no_state(programs: Programs, over: str) -> None:
    source = """
        import os
        import socketpkg as socket

        first = socket.socket()
        first.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first.bind(("127.0.0.1", 0))
        number = first.detach()
        os.close(number)  # the layer does not see it
        second = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        answer = [second.fileno() == number, second.getsockname(), second.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)]
        copy = second.dup()
        second.bind(("::1", 7000))
        answer += [copy.getsockname(), socket.socket(fileno=os.dup(copy.fileno())).family]
        copy.close()
        second.close()
    """
    found = programs.run(f"sim+{over}", f"{_dedented(source)}\nprint(answer)\n")
    assert found.stdout == "[True, ('::', 0, 0, 0), 2, ('::1', 7000, 0, 0), <AddressFamily.AF_INET6: 10>]\n", found


def _dedented(source: str) -> str:
    import textwrap

    return textwrap.dedent(source)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("network=a/b", "letters, digits"),
        ("host=nowhere", "nowhere"),
        ("name=x", "NAME=ADDRESS"),
        ("wrong=1", "there is no option 'wrong'; its options are: folder, host, name, network, seed"),
    ],
)
def test_a_wrong_option_is_told(programs: Programs, options: str, words: str) -> None:
    done = programs.run("sim+ctypes", "import socketpkg", SOCKETPKG_SIM=options)
    assert done.returncode == 1
    assert words in done.stderr
