"""Five scenarios beside what else a program could use: ``python docs/bench/peers.py [TARGET ...]``.

The standard library, each backend, gevent, trio, asyncio and uvloop over the standard library's sockets (those that are
installed), Rust's std (where rustc is), and another interpreter with ``--python NAME=PATH``, on its own socket module.
Each target is a process of its own, and they take turns as in ``python -m socketpkg bench``; a table of the least times
of a turn, in microseconds, and the median of their ratios to the standard library's in single rounds is printed as
Markdown. The peer of the ping-pong is the same for all: a process on the standard library that sends back what it gets.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

SCENARIOS = (
    "TCP ping-pong of 1 byte",
    "UDP sendto + recvfrom",
    "connect + accept + close",
    "16 KiB through a pair",
    "the ping-pong with a timeout of 5 s set",
)
BLOCK = b"x" * 16384
#: The turns before those that count. PyPy's compiler is at work on connect + accept + close until some 4,000.
WARM_UP = 6000

RUST = r"""
use std::io::{prelude::*, stdin};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time::Instant;
fn main() {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
    peer.set_nodelay(true).unwrap();
    let seconds = Some(std::time::Duration::from_secs(5));
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let own = udp.local_addr().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (mut one, mut two) = UnixStream::pair().unwrap();
    let block = [120u8; 16384];
    for line in stdin().lines() {
        let line = line.unwrap();
        let (scenario, turns) = line.split_once(' ').unwrap();
        let turns: u64 = turns.parse().unwrap();
        let mut room = [0u8; 16384];
        let begin = Instant::now();
        peer.set_read_timeout(if scenario == "4" { seconds } else { None }).unwrap();
        for _ in 0..turns {
            match scenario {
                "0" | "4" => { peer.write_all(b"x").unwrap(); peer.read_exact(&mut room[..1]).unwrap(); }
                "1" => { udp.send_to(b"x", own).unwrap(); udp.recv_from(&mut room[..100]).unwrap(); }
                "2" => { let _client = TcpStream::connect(address).unwrap(); drop(listener.accept().unwrap()); }
                _ => { one.write_all(&block).unwrap(); two.read_exact(&mut room).unwrap(); }
            }
        }
        println!("{}", begin.elapsed().as_nanos());
    }
}
"""


def echo() -> None:
    """The peer of all ping-pongs: tells its port, and serves each connection in a process of its own."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        if not os.fork():
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := connection.recv(100):
                connection.sendall(data)
            os._exit(0)
        connection.close()


def blocking(socket: Any, port: int) -> list[Callable[[int], None]]:
    """The scenarios on a module like the standard library's."""
    peer = socket.create_connection(("127.0.0.1", port))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    own = udp.getsockname()
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    one, two = socket.socketpair()

    def ping(turns: int) -> None:
        for _ in range(turns):
            peer.sendall(b"x")
            peer.recv(100)

    def datagrams(turns: int) -> None:
        for _ in range(turns):
            udp.sendto(b"x", own)
            udp.recvfrom(100)

    def connections(turns: int) -> None:
        for _ in range(turns):
            client = socket.socket()
            client.connect(address)
            server, _ = listener.accept()
            server.close()
            client.close()

    def blocks(turns: int) -> None:
        for _ in range(turns):
            one.sendall(BLOCK)
            left = len(BLOCK)
            while left:
                left -= len(two.recv(16384))

    def ping_in_time(turns: int) -> None:
        peer.settimeout(5)
        ping(turns)
        peer.settimeout(None)

    return [ping, datagrams, connections, blocks, ping_in_time]


def awaited(port: int, calls: Any, wrap: Callable[[Any], Any]) -> list[Callable[[int], Awaitable[None]]]:
    """The scenarios on calls that are awaited: sendall, recv, sendto, recvfrom, connect and accept of a socket."""
    import socket

    def ready(sock: Any) -> Any:
        sock.setblocking(False)
        return wrap(sock)

    peer = socket.create_connection(("127.0.0.1", port))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer = ready(peer)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    own = udp.getsockname()
    udp = ready(udp)
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    listener = ready(listener)
    one, two = map(ready, socket.socketpair())

    async def ping(turns: int) -> None:
        for _ in range(turns):
            await calls.sendall(peer, b"x")
            await calls.recv(peer, 100)

    async def datagrams(turns: int) -> None:
        for _ in range(turns):
            await calls.sendto(udp, b"x", own)
            await calls.recvfrom(udp, 100)

    async def connections(turns: int) -> None:
        for _ in range(turns):
            client = ready(socket.socket())
            await calls.connect(client, address)
            server, _ = await calls.accept(listener)
            server.close()
            client.close()

    async def blocks(turns: int) -> None:
        for _ in range(turns):
            await calls.sendall(one, BLOCK)
            left = len(BLOCK)
            while left:
                left -= len(await calls.recv(two, 16384))

    async def ping_in_time(turns: int) -> None:
        raise NotImplementedError  # it is no property of a socket here

    return [ping, datagrams, connections, blocks, ping_in_time]


class OfLoop:
    """The calls of an event loop of asyncio."""

    def __init__(self, loop: Any) -> None:
        self.sendall, self.recv, self.sendto = loop.sock_sendall, loop.sock_recv, loop.sock_sendto
        self.recvfrom, self.connect, self.accept = loop.sock_recvfrom, loop.sock_connect, loop.sock_accept


class OfTrio:
    """The calls of trio's sockets."""

    async def sendall(self, sock: Any, data: bytes) -> None:
        while data:
            data = data[await sock.send(data) :]

    def __getattr__(self, name: str) -> Any:
        return lambda sock, *arguments: getattr(sock, name)(*arguments)


def serve(runs: list[Callable[[int], Any]], awaits: Callable[[Any], Any] | None = None) -> None:
    """Runs scenarios as asked, ``number turns`` on a line, and tells how many nanoseconds each took."""
    for line in sys.stdin:
        number, turns = map(int, line.split())
        begin = time.perf_counter_ns()
        try:
            if awaits is None:
                runs[number](turns)
            else:
                awaits((runs[number], turns))
        except NotImplementedError:  # of uvloop's sock_sendto, too
            print(0, flush=True)
        else:
            print(time.perf_counter_ns() - begin, flush=True)


def work(target: str, port: int) -> None:
    """The process of a target."""
    if target in ("asyncio", "uvloop"):
        module: Any = importlib.import_module(target)
        loop = module.new_event_loop()
        serve(awaited(port, OfLoop(loop), lambda sock: sock), lambda run: loop.run_until_complete(run[0](run[1])))
    elif target == "trio":
        trio: Any = importlib.import_module("trio")
        serve(awaited(port, OfTrio(), trio.socket.from_stdlib_socket), lambda run: trio.run(*run))
    elif target == "gevent":
        serve(blocking(importlib.import_module("gevent.socket"), port))
    elif target in ("c", "cffi", "ctypes"):
        os.environ["SOCKET_BACKEND"] = target
        serve(blocking(importlib.import_module("socketpkg"), port))
    else:
        serve(blocking(importlib.import_module("socket"), port))


class Target:
    """A process that is measured."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, scenario: int, turns: int) -> float:
        """Nanoseconds a turn."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{scenario} {turns}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / turns


def measure(targets: dict[str, Target], rounds: int) -> None:
    """Prints the table."""
    print(f"| turn, in µs | {' | '.join(targets)} |", "|---|" + "---:|" * len(targets), sep="\n")
    for number, name in enumerate(SCENARIOS):
        times: dict[str, list[float]] = {target: [] for target in targets}
        # A share of 10 ms.
        for process in targets.values():
            process.run(number, WARM_UP)
        firsts = {target: process.run(number, 200) for target, process in targets.items()}
        shares = {target: max(1, int(10e6 / first)) if first else 1 for target, first in firsts.items()}
        for _ in range(rounds):
            for target in random.sample(sorted(targets), len(targets)):
                times[target].append(targets[target].run(number, shares[target]))
        cells = []
        for values in times.values():
            ratios = [value / base for value, base in zip(values, times["stdlib"], strict=True)]
            cells.append(f"{min(values) / 1000:.2f} ({statistics.median(ratios):.2f})" if any(values) else "-")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all that are there if none is named")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="another interpreter")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        if options.work[0] == "echo":
            echo()
        work(options.work[0], int(options.work[1]))
        return
    peers = [name for name in ("gevent", "trio", "uvloop") if importlib.util.find_spec(name)]
    names = options.targets or ["stdlib", "c", "cffi", "ctypes", *peers, "asyncio", "rust"]
    this = [sys.executable, __file__, "--work"]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([*this, "echo", "0"], stdout=subprocess.PIPE, text=True)
        running = [server]
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            commands = {name: [*this, name, port] for name in names if name != "rust"}
            if "rust" in names and shutil.which("rustc"):
                source = Path(folder) / "peer.rs"
                source.write_text(RUST)
                subprocess.run(["rustc", "-O", "-o", f"{folder}/peer", str(source)], check=True)
                commands["rust"] = [f"{folder}/peer", port]
            for entry in options.python:
                name, _, path = entry.partition("=")
                commands[name] = [path, __file__, "--work", name, port]
            targets = {name: Target(command) for name, command in commands.items()}
            running += [target.process for target in targets.values()]
            load = os.getloadavg()
            measure(targets, options.rounds)
            print(f"\nLoad average {load[0]:.1f} before and {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores.")
        finally:
            for process in running:
                process.kill()


if __name__ == "__main__":
    main()
