"""Sandboxes and kernels without accept4(2), recvmmsg(2) or sendmmsg(2): ENOSYS is no error of the program's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from socketpkg import backends

from . import sandbox

HERE = Path(__file__).parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "SOCKET_BACKEND"}
CALLS = ("accept4", "recvmmsg", "sendmmsg")
USABLE = [name for name, status in backends.available().items() if status.usable]

#: That the calls are missing is seen first, or the rest would show nothing.
PROGRAM = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
for name in "accept4", "recvmmsg", "sendmmsg":
    assert libc[name](-1, None, 0, 0, None) == -1 and ctypes.get_errno() == errno.ENOSYS, name

import socketpkg as socket
for timeout in None, 5:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(timeout)
        with socket.create_connection(listener.getsockname()) as client:
            connection, peer = listener.accept()
            with connection:
                assert peer == client.getsockname()
                assert not os.get_inheritable(connection.fileno())
                assert os.get_blocking(connection.fileno())
        listener.setblocking(False)
        try:
            listener.accept()
        except BlockingIOError as error:
            assert error.errno == errno.EAGAIN
        else:
            raise AssertionError
for timeout in None, 0, 5:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, two:
        one.settimeout(timeout), two.settimeout(timeout)
        count = one.sendmmsg([b"a", b"bc", b""])
        received = two.recvmmsg(9, 16)
        assert (count, [message[0] for message in received]) == (3, [b"a", b"bc", b""]), received
        one.send(b"def")
        room = bytearray(8)
        assert two.recvmmsg_into([room, bytearray(8)])[0][0] == 3 and room[:3] == b"def"
        two.setblocking(False)
        try:
            two.recvmmsg(1, 1)
        except BlockingIOError:
            pass
        else:
            raise AssertionError
        full = 0
        one.setblocking(False)
        while True:
            try:
                full += one.sendmmsg([b"x" * 512] * 64)
            except BlockingIOError:
                break
        assert full > 0
print(socket.__backend__)
"""


def without(calls: tuple[str, ...], *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a command where these system calls are missing."""
    words = [sys.executable, str(HERE / "sandbox.py"), *calls, "--", *command]
    done = subprocess.run(words, env={**ENVIRONMENT, **env}, capture_output=True, text=True, timeout=300)
    if done.returncode == sandbox.UNKNOWN:
        pytest.skip("no filters of system calls here")
    return done


@pytest.mark.parametrize("backend", USABLE)
def test_missing_calls_are_made_of_others(backend: str) -> None:
    done = without(CALLS, sys.executable, "-c", PROGRAM, SOCKET_BACKEND=backend)
    assert (done.returncode, done.stdout) == (0, f"{backend}\n"), done.stderr


@pytest.mark.skipif("c" not in USABLE, reason="once is enough: the tests have every backend in them")
def test_the_contract_holds_without_them() -> None:
    """What the tests of the contract ask of accepting and of many messages."""
    tests = HERE.parent
    paths = [str(tests / "contract" / name) for name in ("test_bulk.py", "test_descriptors.py")]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        str(tests.parent / "pyproject.toml"),
    ]
    done = without(CALLS, *command, *paths)
    assert done.returncode == 0, done.stdout[-4000:]
