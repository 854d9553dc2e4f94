"""The benchmark of whole programs, docs/bench/programs.py: each runs on what it says, and answers are checked.

Nothing here looks at a time.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from socketpkg import backends
from socketpkg._commands.bench import lockstep, results

BENCH = Path(__file__).resolve().parents[2] / "docs" / "bench"
NAMES = (
    *("asyncio-server", "asyncio-client", "threading-server", "udp-server", "udp-loop", "udp-asyncio", "http-server"),
    *("http-server-new", "http-client", "urllib", "tls-server", "tls-client", "redis"),
)
USABLE = [name for name in backends.ORDER if backends.available()[name].usable]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads the processor time of another process")


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module."""
    monkeypatch.syspath_prepend(str(BENCH))
    module = importlib.import_module("programs")
    monkeypatch.setattr(module, "WARM_UP", 0)
    yield module
    del sys.modules["programs"]


def measured(own: Any, name: str, targets: list[str]) -> None:
    program = own.PROGRAMS[name]
    try:
        found, others = own.measure(program, targets, own.Plan(rounds=2, generations=1, share=1.0))
    except own.Skip as reason:
        pytest.skip(str(reason))
    assert 0 <= others <= 1
    assert list(found) == targets
    for both in found.values():
        for series in both:
            assert len(series.values) == 2
            assert all(value > 0 for value in series.values)


# All on one backend each, and together on all of them; the rest of the targets in the slow test.
@pytest.mark.parametrize(("name", "target"), [(name, USABLE[n % len(USABLE)]) for n, name in enumerate(NAMES)])
def test_a_program_runs(own: Any, name: str, target: str) -> None:
    measured(own, name, ["stdlib", target])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_program_runs_on_every_target(own: Any, name: str) -> None:
    measured(own, name, ["stdlib", *USABLE])


def test_these_are_all_programs(own: Any) -> None:
    assert tuple(own.PROGRAMS) == NAMES


def spoilt(data: bytes, stream: Any) -> bytes:
    """An answer that is another one than that to the request, of the same length."""
    if data.startswith(b"GET "):
        while not data.endswith(b"\r\n\r\n"):
            data += stream.recv(4096)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + b"." * 1024
    if data.startswith(b"*"):  # redis-py
        if b"GET" in data:
            return b"$64\r\n" + b"." * 64 + b"\r\n"
        first = b"%1\r\n$5\r\nproto\r\n:3\r\n" if b"HELLO" in data else b"+OK\r\n"
        return first + b"+OK\r\n" * (data.count(b"*") - 1)
    return data.replace(b"0", b".", 1)


class Spoiling(socketserver.BaseRequestHandler):
    """Answers otherwise."""

    def handle(self) -> None:
        if isinstance(self.request, tuple):
            self.request[1].sendto(spoilt(self.request[0], None), self.client_address)
            return
        while data := self.request.recv(4096):
            self.request.sendall(spoilt(data, self.request))


class Threading(socketserver.ThreadingMixIn):
    block_on_close = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client has ended."""


class TCP(Threading, socketserver.TCPServer):
    pass


class UDP(Threading, socketserver.UDPServer):
    pass


class UNIX(Threading, socketserver.UnixStreamServer):
    pass


@pytest.mark.parametrize(
    "role", ["asyncio_client", "blocking_client", "http_client", "urllib_client", "tls_client", "udp_client", "redis"]
)
def test_a_changed_answer_is_noticed(own: Any, role: str, tmp_path: Path) -> None:
    given: list[str] = []
    with ExitStack() as stack:
        if role == "udp_client":
            server: Any = stack.enter_context(UDP(("127.0.0.1", 0), Spoiling))
        elif role == "redis":
            pytest.importorskip("redis")
            given = [str(tmp_path / "s")]
            server = stack.enter_context(UNIX(given[0], Spoiling))
        else:
            server = stack.enter_context(TCP(("127.0.0.1", 0), Spoiling))
        if role == "tls_client":
            ssl = pytest.importorskip("ssl")
            if shutil.which("openssl") is None:
                pytest.skip("no openssl to make a certificate with")
            given = stack.enter_context(own.certificate(tmp_path)).arguments
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(given[1], given[0])
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        words = ["redis_client"] if role == "redis" else [role, str(server.server_address[1])]
        client = own.Process("stdlib", [*words, *given])
        stack.callback(client.close)
        client.start()
        with pytest.raises(lockstep.WorkerError, match=r"on stdlib ended: got b'.* in place of b'"):
            client.make(1)


def test_a_program_on_another_target_is_noticed(own: Any) -> None:
    server = own.Process("stdlib", ["udp_loop_server"])
    server.module = ["socketpkg", "c"]
    try:
        with pytest.raises(lockstep.WorkerError, match=r"udp_loop_server on stdlib runs on \['socket', ''\]"):
            server.start()
    finally:
        server.close()


def test_only_the_time_of_the_measured_process_counts(own: Any) -> None:
    with ExitStack() as stack:
        program = own.PROGRAMS["udp-loop"]
        pair = own.Pair(program, USABLE[0], own.Given(), stack)
        first = own.processor_time(pair.measured.pid)
        time, cost = pair.share(100, min(os.sched_getaffinity(0)))
        assert 0 < cost * 100 <= own.processor_time(pair.measured.pid) - first
        assert pair.measured.name == f"udp_loop_server on {USABLE[0]}"
        assert time > 0


def series(*values: float) -> lockstep.Series:
    return lockstep.Series([list(values)])


def test_what_is_met_and_what_is_missed(own: Any) -> None:
    base = series(100, 100, 100, 200)
    for target, own_values, shown in (
        ("c", (103, 95, 104, 208), "1.04 ±0.04, least 0.95 (1) ✓"),
        ("c", (103, 103, 103, 206), "1.03 ±0.00, least 1.03 (1) ✗"),
        ("cffi", (115, 115, 115, 230), "1.15 ±0.00, least 1.15 (1.15) ✓"),
        ("cffi", (105, 117, 117, 260), "1.17 ±0.09, least 1.05 (1.15) ✗"),
        ("ctypes", (126, 126, 126, 252), "1.26 ±0.00, least 1.26 (1.25) ✗"),
    ):
        assert own.cell(series(*own_values), base, target, False) == shown
        assert own.cell(series(*own_values), base, target, True) == shown.partition(" (")[0]


def test_the_tables(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(program: Any, targets: list[str], plan: Any) -> Any:
        if "TLS" in program.title:
            raise own.Skip("no openssl")
        if "UDP" in program.title:
            raise lockstep.WorkerError("lost")
        return {t: (series(10.0 + n, 20.0), series(5.0, 6.0)) for n, t in enumerate(targets)}, 0.25

    monkeypatch.setattr(own, "measure", measure)
    names = ["redis", "tls-client", "udp-loop"]
    tables, values = own.perform(["stdlib", "c"], False, names)
    titles = [own.PROGRAMS[name].title for name in names]
    for table, least, cells in zip(
        tables, ("10 ns", "5 ns"), ("1.05 ±0.08, least 1.10", "1.00 ±0.00, least 1.00"), strict=True
    ):
        assert table["head"] == ["program", "stdlib", "c"]
        assert table["rows"] == [
            [titles[0], least, f"{cells} (1) ✓"],
            [titles[1], "- (no openssl)", ""],
            [titles[2], "FAILED: lost", ""],
        ]
        assert table["note"].endswith("Other programs took 25 % of the machine.")
    assert [values[f"program-{name}"][1]["c"].failed for name in names] == [False, False, True]


def test_the_command(own: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyperf")
    pytest.importorskip("rich")
    command = [sys.executable, str(BENCH / "programs.py")]
    listed = subprocess.run([*command, "--list"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(NAMES)
    unknown = subprocess.run([*command, "no-such"], capture_output=True, text=True)
    assert unknown.returncode == 2
    assert "there is no program 'no-such'" in unknown.stderr
    file = tmp_path / "result.json"
    command += ["--quick", "--backend", USABLE[0], "--json", str(file), "udp-loop"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"| {own.PROGRAMS['udp-loop'].title}") == 2
    again = subprocess.run([*command[:2], "--load", str(file)], capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout
    kept = json.loads(file.read_text())
    assert {table["title"] for table in kept[results.KEY]["tables"]} == {
        "Whole programs under `run`: time of a request",
        "Whole programs under `run`: processor time of the measured process for a request",
    }
    assert {one["metadata"]["name"] for one in kept["benchmarks"]} == {
        f"program-udp-loop{kind}: {target}" for kind in ("", "-cpu") for target in ("stdlib", USABLE[0])
    }


def test_the_other_end_closes(own: Any) -> None:
    """A server that ends is told with what it says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = own.Process("stdlib", ["blocking_client", str(listener.getsockname()[1])])
        try:
            client.start()
            listener.accept()[0].close()
            with pytest.raises(lockstep.WorkerError, match="blocking_client on stdlib ended"):
                client.make(1)
        finally:
            client.close()
