"""The pytest plugin: inert until asked, options, marks, fixtures, workers of xdist."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import PATIENCE, USABLE, Programs

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

TESTS = """
import socket
import pytest

def code(address):
    with socket.socket() as sock:
        return sock.connect_ex(address)

def test_plain():
    assert code(("127.0.0.1", 1)) == 111

def test_refused():
    with pytest.raises(PermissionError, match="denied") as caught:
        socket.create_connection(("127.0.0.2", 1))
    assert "socketpkg guard refused connect to 127.0.0.2:1" in caught.value.__notes__[0]

@pytest.mark.socket_allow("127.0.0.2")
def test_another_rule():
    assert code(("127.0.0.2", 1)) == 111
    assert code(("127.0.0.1", 1)) == 13

def test_the_rules_are_back():
    assert code(("127.0.0.1", 1)) == 111
    assert code(("127.0.0.2", 1)) == 13
"""


def run_pytest(
    programs: Programs, source: str, *options: str, stack: str | None = None
) -> subprocess.CompletedProcess[str]:
    programs.write(source, "test_it.py")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *options, "test_it.py"]
    env = {key: value for key, value in programs.environment(stack).items() if not key.startswith("PYTEST")}
    return subprocess.run(
        command, cwd=programs.folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_inert_without_an_option(programs: Programs) -> None:
    source = """
import sys
def test_it():
    import socket
    assert socket.__name__ == "socket" and not hasattr(socket, "__backend__")
    assert [name for name in sys.modules if name.partition(".")[0] == "socketpkg"] == []
    assert "socketpkg_pytest" in sys.modules
"""
    done = run_pytest(programs, source)
    assert done.returncode == 0, done.stdout
    assert "socket:" not in done.stdout


def test_guard(programs: Programs, backend: str) -> None:
    done = run_pytest(programs, TESTS, f"--socket=guard+{backend}", "--socket-allow=127.0.0.1")
    assert done.returncode == 0, done.stdout
    assert f"socket: guard+{backend}; guard on allow=127.0.0.1" in done.stdout
    assert "4 passed" in done.stdout


def test_an_option_of_a_layer_names_it(programs: Programs) -> None:
    done = run_pytest(programs, TESTS, "--socket-allow=127.0.0.1")
    assert done.returncode == 0, done.stdout
    assert "socket: guard+" in done.stdout


FAILS = """
import socket

def test_one_message():
    for _ in range(20):
        one, two = socket.socketpair()
        with one, two:
            one.sendall(b"a message")
            assert two.recv(100) == b"a message"
"""


@pytest.mark.parametrize("root", ["here", "above"])
def test_chaos_and_the_command_that_repeats(programs: Programs, root: str) -> None:
    # pytest names a test from the root of the tests, which is the folder of its configuration.
    (programs.folder if root == "here" else programs.folder.parent).joinpath("pytest.ini").write_text("[pytest]\n")
    done = run_pytest(programs, FAILS, "--socket", "chaos+ctypes", "--socket-chaos-seed=7")
    assert done.returncode == 1, done.stdout
    assert "chaos on seed=7" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("socket: to repeat"))
    command = line.partition("failure: ")[2]
    assert command == "pytest --socket chaos+ctypes --socket-chaos-seed=7 test_it.py::test_one_message"
    again = run_pytest(programs, FAILS, *command.split()[1:-1])
    assert again.returncode == 1
    assert run_pytest(programs, FAILS, "--socket=null+ctypes").returncode == 0


MARKED = """
import socket
import pytest

def exchange():
    one, two = socket.socketpair()
    with one, two:
        one.sendall(b"a message")
        return two.recv(9)

@pytest.mark.socket_chaos(seed=3, rate=100, kinds="short-read")
def test_marked():
    assert exchange() != b"a message"

@pytest.mark.socket_chaos(seed=3, rate=0)
def test_unmarked():
    assert exchange() == b"a message"

def test_trace(socket_trace):
    assert exchange()
    assert [call.name for call in socket_trace.of("send", "sendall", "recv")] == ["sendall", "recv"]
    (sent,) = socket_trace.of("sendall")
    assert sent.arguments["data"] == '"a message"' and sent.error is None and sent.took > 0
    assert sent.socket.endswith("<UNIX unnamed->unnamed>")
    assert len(socket_trace.of("close")) == 2
"""


def test_marks_and_the_trace(programs: Programs, backend: str) -> None:
    done = run_pytest(programs, MARKED, f"--socket=chaos+trace+{backend}", "--socket-chaos-kinds=short-write")
    assert "3 passed" in done.stdout, done.stdout


def test_a_mark_without_its_layer_is_an_error(programs: Programs) -> None:
    done = run_pytest(programs, MARKED, "--socket=null+ctypes")
    assert done.returncode != 0
    assert "needs the layer chaos; run pytest with --socket=chaos+auto" in done.stdout + done.stderr


def test_one_suite_over_backends(programs: Programs) -> None:
    source = """
import pytest

@pytest.mark.socket_backend("c", "cffi", "ctypes", "trace+ctypes")
def test_it(socket_backend):
    one, two = socket_backend.socketpair()
    one.sendall(b"x")
    assert two.recv(5) == b"x"
    one.close(), two.close()

def test_each(socket_backend):
    assert socket_backend.Socket
"""
    done = run_pytest(programs, source)
    assert done.returncode == 0, done.stdout
    for name in USABLE:
        assert f"PASSED test_it.py::test_it[{name}]" in done.stdout
        assert f"PASSED test_it.py::test_each[{name}]" in done.stdout
    assert "PASSED test_it.py::test_it[trace+ctypes]" in done.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--socket=nonsense+ctypes"], "no layer or backend 'nonsense'"),
        (["--socket=guard+ctypes", "--socket-allow=10.0.0.0/99"], "--socket-allow cannot be '10.0.0.0/99'"),
        (["--socket-chaos-seed=x"], "chosen by an option of pytest: --socket-chaos-seed cannot be 'x'"),
        (["--socket-trace=/no/such"], "--socket-trace: cannot write to '/no/such': No such file or directory"),
        (["--socket=trace+nope"], "chosen by --socket=trace+nope: there is no layer or backend 'nope'"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(programs: Programs, options: list[str], why: str) -> None:
    done = run_pytest(programs, TESTS, *options)
    assert done.returncode == 4
    assert why in done.stderr and "Traceback" not in done.stderr


def test_pytest_under_run_warns_of_nothing(programs: Programs) -> None:
    """It looks for assertions in each package of a distribution that has a plugin, and warns of what is imported."""
    programs.write("import socket\n\ndef test_it():\n    assert socket.__name__ == 'socketpkg'\n", "test_it.py")
    command = [sys.executable, "-m", "socketpkg", "run", "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"]
    done = programs.command([*command, "test_it.py"], None)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


def test_xdist(programs: Programs) -> None:
    pytest.importorskip("xdist")
    done = run_pytest(programs, TESTS, "--socket=guard+ctypes", "--socket-allow=127.0.0.1", "-n", "2")
    assert "4 passed" in done.stdout, done.stdout
    assert os.environ.get("SOCKETPKG_GUARD") is None
