"""The example programs, run as a reader would run them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import socketpkg

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PORT = "PORT = 50007 "
LISTEN = "0A"
PATIENCE = 30.0
#: How many ports are tried: between its choice and its use another program may take one.
TRIES = 5


def is_listening(port: int) -> bool:
    """Whether a TCP socket of this machine listens on *port*; asking it by connecting would use it up."""
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = row.split()
        if state == LISTEN and int(local.rpartition(":")[2], 16) == port:
            return True
    return False


def pair(folder: Path, port: int) -> list[str]:
    """The manual's server and client with another port than the one that they name, which another run may have."""
    paths = []
    for name in ("echo_server.py", "echo_client.py"):
        source = (EXAMPLES / name).read_text(encoding="utf-8")
        assert source.count(PORT) == 1
        paths.append(folder / name)
        paths[-1].write_text(source.replace(PORT, f"PORT = {port} "), encoding="utf-8")
    return [str(path) for path in paths]


def listens(server: subprocess.Popen[str], port: int) -> bool:
    """Waits until *server* listens; whether it does, for it ends where another program has the port."""
    deadline = time.monotonic() + PATIENCE
    while not is_listening(port):
        if server.poll() is not None:
            assert server.stderr is not None
            assert (told := server.stderr.read()).rstrip().endswith(f"bind ('', {port})"), told
            assert "Address already in use" in told
            return False
        assert time.monotonic() < deadline, "the server does not listen"
        time.sleep(0.01)
    return True


def test_the_manual_s_pair(tmp_path: Path) -> None:
    for _ in range(TRIES):
        with socketpkg.create_server(("", 0)) as chosen:
            port = chosen.getsockname()[1]
        server_path, client_path = pair(tmp_path, port)
        with subprocess.Popen(
            [sys.executable, server_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as server:
            try:
                if not listens(server, port):
                    continue
                client = subprocess.run(
                    [sys.executable, client_path], capture_output=True, text=True, timeout=PATIENCE, check=True
                )
                said, told = server.communicate(timeout=PATIENCE)
            finally:
                server.kill()
        assert client.stdout == "Received b'Hello, world'\n"
        assert said.startswith("Connected by ('127.0.0.1', ")
        assert (server.returncode, told) == (0, "")
        return
    raise AssertionError(f"no port was free {TRIES} times")


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
