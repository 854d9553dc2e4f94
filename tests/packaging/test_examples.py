"""The example programs, run as a reader would run them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import socketpkg

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PORT = 50007
LISTEN = "0A"
PATIENCE = 30.0


def is_listening(port: int) -> bool:
    """Whether a TCP socket of this machine listens on *port*; asking it by connecting would use it up."""
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = row.split()
        if state == LISTEN and int(local.rpartition(":")[2], 16) == port:
            return True
    return False


def test_the_manual_s_pair() -> None:
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / "echo_server.py")], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            deadline = time.monotonic() + PATIENCE
            while not is_listening(PORT):
                assert server.poll() is None, "the server ended before it listened"
                assert time.monotonic() < deadline, "the server does not listen"
                time.sleep(0.01)
            client = subprocess.run(
                [sys.executable, str(EXAMPLES / "echo_client.py")],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=True,
            )
            said, _ = server.communicate(timeout=PATIENCE)
        finally:
            server.kill()
    assert client.stdout == "Received b'Hello, world'\n"
    assert said.startswith("Connected by ('127.0.0.1', ")
    assert server.returncode == 0


def test_echo_over_every_transport() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "echo.py")], capture_output=True, text=True, timeout=PATIENCE * 2, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"backend {socketpkg.__backend__}, Python ")
    counts = {line.split()[0]: int(line.split()[1].replace(",", "")) for line in lines[1:]}
    assert set(counts) == {"TCP", "UDP", "UNIX", "IPv6", "all"}
    assert all(counts.values())
    assert counts.pop("all") == sum(counts.values())
