"""chaos: correct programs do not notice what is legal, wrong ones do; the same seed does the same."""

from __future__ import annotations

import errno
import os
import random
import re
import socket as stdlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from socketpkg import backends
from socketpkg.layers import LayerError, _chaos_command, chaos

from .conftest import PATIENCE, Programs
from .wrong_programs import PROGRAMS

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

WRONG = Path(__file__).with_name("wrong_programs.py")
SEEDS = 20


def failures(programs: Programs, name: str, kind: str, backend: str, options: str = "") -> list[int]:
    command = [sys.executable, str(WRONG), name, kind, "1", str(SEEDS + 1)]
    done = programs.command(command, f"chaos+{backend}", SOCKETPKG_CHAOS=options)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("name", PROGRAMS)
def test_wrong_programs_fail_and_their_mended_twins_never(programs: Programs, name: str) -> None:
    assert failures(programs, name, "right", "ctypes") == []
    assert failures(programs, name, "wrong", "ctypes") != []
    assert failures(programs, name, "wrong", "ctypes", "rate=0") == [], "without chaos it seems to be right"


@pytest.mark.parametrize("name", ["one_recv_is_one_message", "readiness_is_a_promise", "accept_never_fails"])
def test_every_backend(programs: Programs, backend: str, name: str) -> None:
    assert failures(programs, name, "right", backend) == []
    assert failures(programs, name, "wrong", backend) == failures(programs, name, "wrong", "ctypes")


THREADS = """
import socketpkg as socket, threading, sys

def work(number):
    one, two = socket.socketpair()
    for _ in range(10):
        one.sendall(b"x" * 50)
        left = 50
        while left:
            left -= len(two.recv(left))
    one.close(), two.close()

threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def faults(text: str) -> list[str]:
    """What was done, without descriptors and ports, in the order of each socket."""
    lines = [re.sub(r"127\.0\.0\.1:\d+", "", line) for line in text.splitlines() if line.startswith("chaos: ")]
    assert all(re.fullmatch(r"chaos: seed \d+, socket .+ \(.*\), \w+(?: #\d+)?: .*, \S+:\d+", line) for line in lines)
    return sorted(lines)


def test_the_same_seed_does_the_same(programs: Programs, backend: str) -> None:
    runs = []
    for seed in ("7", "7", "8"):
        source = THREADS.replace("range(8)", "range(1)") * 2
        done = programs.run(f"chaos+{backend}", source, SOCKETPKG_CHAOS=f"seed={seed} verbose")
        assert done.returncode == 0, done.stderr
        runs.append(faults(done.stderr))
    assert runs[0] == [line.replace("seed 8", "seed 7") for line in runs[0]] and len(runs[0]) > 5
    assert runs[0] == runs[1]
    assert runs[2] != [line.replace("seed 7", "seed 8") for line in runs[0]]


def test_threads_do_not_shift_each_other(programs: Programs) -> None:
    """The faults of eight threads as a whole are the same however they take turns."""
    runs = []
    for interval in (0.005, 0.00001):
        source = f"import sys\nsys.setswitchinterval({interval})\n{THREADS}"
        done = programs.run("chaos+ctypes", source, SOCKETPKG_CHAOS="seed=3 verbose")
        assert done.returncode == 0, done.stderr
        runs.append(faults(done.stderr))
    assert runs[0] == runs[1] and len(runs[0]) > 50


def test_dice_are_the_same_everywhere() -> None:
    dice = chaos.Dice("7/app.py:12#1/in")
    assert [round(dice.chance(), 6) for _ in range(3)] == [round(x, 6) for x in DICE]
    sizes = [chaos.Dice(f"{n}").below(4096) for n in range(2000)]
    assert min(sizes) == 1 and max(sizes) < 4096
    assert len([size for size in sizes if size < 64]) > 500


DICE = [0.43953407495090535, 0.4537857744663216, 0.5944759347576003]


def stack(**options: Any) -> tuple[Any, chaos.Layer]:
    """The core over a chaos layer of its own, and the layer."""
    made = backends.load("chaos+ctypes")
    (layer,) = made.layers
    assert isinstance(layer, chaos.Layer)
    layer.configure(**{"seed": 1, "kinds": "legal", "rate": 1, **options})
    return made.core, layer


@pytest.fixture(autouse=True)
def quiet() -> Any:
    yield
    stack(rate=0)


@pytest.mark.parametrize(
    ("kind", "number"),
    [("refused", errno.ECONNREFUSED), ("timed-out", errno.ETIMEDOUT), ("no-descriptors", errno.EMFILE)],
)
def test_faults_of_connecting(kind: str, number: int) -> None:
    core, layer = stack(kinds=kind, rate=100)
    with stdlib.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(OSError) as caught:
            connects(core, server.getsockname())
        assert caught.value.errno == number
    assert layer.done > 0


def connects(core: Any, address: Any) -> None:
    sock = core.Socket(2, 1, 0)
    try:
        sock.connect(address)
    finally:
        sock.close()


def again_and_again(call: Any, *arguments: Any, found: list[Any] | None = None) -> None:
    """Calls until it fails, or gives nothing more."""
    while (result := call(*arguments)) or result is None:
        if found is not None:
            found.append(result)


def connected(core: Any) -> tuple[Any, Any]:
    with stdlib.create_server(("127.0.0.1", 0)) as server:
        sock = core.Socket(2, 1, 0)
        sock.connect(server.getsockname())
        return sock, server.accept()[0]


def test_a_reset_is_one_for_both_ends() -> None:
    core, _ = stack(kinds="reset", rate=100)
    sock, peer = connected(core)
    with peer:
        peer.settimeout(20)
        with pytest.raises(ConnectionResetError):
            again_and_again(sock.sendall, b"x" * 1000)
        with pytest.raises(BrokenPipeError):
            sock.send(b"x")
        assert sock.recv(10) == b""
        with pytest.raises(ConnectionResetError):
            again_and_again(peer.recv, 65536)
        sock.close()


def test_the_other_faults() -> None:
    core, _ = stack(kinds="eof", rate=100)
    sock, peer = connected(core)
    with peer:
        peer.sendall(b"unread")
        assert [sock.recv(10), sock.recv(10)] == [b"", b""]
        sock.close()
    core, _ = stack(kinds="half-closed", rate=100)
    sock, peer = connected(core)
    with peer:
        peer.settimeout(20)
        for call in (sock.send, sock.sendall, lambda data: sock.sendmsg([data])):
            with pytest.raises(BrokenPipeError):
                call(b"x")
        assert peer.recv(10) == b"", "the peer sees the end of that half"
        peer.sendall(b"the other half")
        assert sock.recv(20) == b"the other half"
        sock.close()
    core, _ = stack(kinds="no-buffers", rate=100)
    sock, peer = connected(core)
    with peer, pytest.raises(OSError) as caught:
        sock.send(b"x")
    assert caught.value.errno == errno.ENOBUFS
    sock.close()
    core, _ = stack(kinds="no-name", rate=100)
    with pytest.raises(stdlib.gaierror) as unknown:
        core.getaddrinfo("localhost", 80)
    assert unknown.value.errno in (stdlib.EAI_NONAME, stdlib.EAI_AGAIN)
    assert core.getaddrinfo("127.0.0.1", 80), "a number is not looked up"


def test_a_datagram_is_lost_doubled_or_late_but_whole() -> None:
    core, _ = stack(kinds="lost+doubled+late", rate=3)
    one, two = core.Socket(2, 2, 0), core.Socket(2, 2, 0)
    two.bind(("127.0.0.1", 0))
    two.settimeout(0.5)
    target = two.getsockname()
    sent = [b"%03d" % number for number in range(300)]
    for data in sent:
        assert one.sendto(data, target) == 3
    one.close()
    found: list[bytes] = []
    with pytest.raises(TimeoutError):
        again_and_again(two.recv, 100, found=found)
    two.close()
    assert set(found) < set(sent), "some are lost, none is invented"
    assert any(found.count(data) == 2 for data in set(found))
    assert found != sorted(found)


def test_unix_datagrams_and_peeks_are_exact() -> None:
    core, layer = stack(rate=100)
    one, two = core.socketpair(stdlib.AF_UNIX, stdlib.SOCK_DGRAM)
    for number in range(50):
        one.send(b"%d" % number)
        assert two.recv(100) == b"%d" % number
    one.close()
    two.close()
    one, two = core.socketpair()
    one.sendall(b"all of it")
    assert two.recv(9, stdlib.MSG_PEEK | stdlib.MSG_WAITALL) == b"all of it"
    assert two.recv(9, stdlib.MSG_WAITALL) == b"all of it"
    one.close()
    two.close()
    assert layer.done


def test_the_byte_that_wakes_an_event_loop_is_taken() -> None:
    """A UNIX socket with room takes it: asyncio, for one, takes EAGAIN for "a byte is on its way already"."""
    core, layer = stack(kinds="again", rate=100)
    before = layer.done
    one, two = core.socketpair()
    one.setblocking(False)
    two.setblocking(False)
    for _ in range(20):
        assert one.send(b"\0") == 1
        with pytest.raises(BlockingIOError):
            two.recv(10)
        assert two.recv(10) == b"\0"
    one.close()
    two.close()
    sock, peer = connected(core)
    sock.setblocking(False)
    with peer, pytest.raises(BlockingIOError):
        sock.send(b"x")
    sock.close()
    assert layer.done - before == 21


def test_no_connection_is_aborted_where_there_is_none(backend: str) -> None:
    """A listener that nobody has connected to says so, whether it waits or not."""
    made = backends.load(f"chaos+{backend}")
    (layer,) = made.layers
    layer.configure(seed=1, kinds="aborted", rate=100)
    before = layer.done
    listener = made.core.Socket(2, 1, 0)
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    for timeout, error in ((0, BlockingIOError), (0.01, TimeoutError)):
        listener.settimeout(timeout)
        with pytest.raises(error):
            listener._accept()
    assert layer.done == before
    for timeout in (0, 20, None):
        with stdlib.create_connection(listener.getsockname()):
            listener.settimeout(timeout)
            with pytest.raises(ConnectionAbortedError):
                listener._accept()
            os.close(listener._accept()[0])
    assert layer.done == before + 3
    listener.settimeout(None)
    listener.shutdown(stdlib.SHUT_RDWR)
    with pytest.raises(OSError) as caught:
        listener._accept()
    assert caught.value.errno == errno.EINVAL, "as the kernel has it"
    listener.close()
    layer.configure(rate=0)


@pytest.mark.parametrize("family", [stdlib.AF_INET, stdlib.AF_UNIX])
def test_who_is_not_connected_is_told_so(family: int) -> None:
    """And not EAGAIN, after which a program would wait for what never comes: the errors are the standard library's."""
    core, _ = stack(kinds="legal+faults+-no-descriptors", rate=100)
    for call, *arguments in (
        ("recv", 10),
        ("recv_into", bytearray(10)),
        ("recvfrom", 10),
        ("recvmsg", 10),
        ("recvmsg_into", [bytearray(10)]),
        ("send", b"x" * 10),
        ("sendall", b"x" * 10),
        ("sendmsg", [b"x" * 10]),
    ):
        told = []
        for made in (core.Socket, stdlib.socket):
            sock = made(family, stdlib.SOCK_STREAM, 0)
            sock.setblocking(False)
            with pytest.raises(OSError) as caught:
                getattr(sock, call)(*arguments)
            sock.close()
            told.append(caught.value.errno)
        assert told[0] == told[1], call


def test_an_error_of_sendall_says_how_much_was_sent() -> None:
    """Of both parts, when chaos makes two of it, and when the error is chaos's own."""
    data = bytes(range(256)) * 65536
    for rate in (0, 100):
        core, layer = stack(kinds="split", rate=rate)
        before = layer.done
        one, two = core.socketpair()
        one.settimeout(0.05)
        with pytest.raises(TimeoutError) as caught:
            one.sendall(data)
        one.close()
        found = bytearray()
        while part := two.recv(65536):
            found += part
        two.close()
        assert caught.value.characters_written == len(found) > 0  # type: ignore[attr-defined]
        assert found == data[: len(found)]
        assert bool(layer.done - before) == bool(rate)
    for kind, number in (("no-buffers", errno.ENOBUFS), ("half-closed", errno.EPIPE), ("reset", errno.ECONNRESET)):
        core, layer = stack(kinds=kind, rate=100)
        sock, peer = connected(core)
        with peer, pytest.raises(OSError) as failed:
            sock.sendall(bytes(100_000))
        sock.close()
        assert (failed.value.errno, failed.value.characters_written) == (number, 0)  # type: ignore[attr-defined]


def test_nothing_is_lost_on_a_stream(backend: str) -> None:
    made = backends.load(f"chaos+{backend}")
    (layer,) = made.layers
    layer.configure(seed=5, kinds="legal", rate=2)
    one, two = made.core.socketpair()
    data = random.Random(1).randbytes(100_000)
    one.settimeout(20)
    two.settimeout(20)
    found = bytearray()
    position = 0
    rng = random.Random(2)
    while len(found) < len(data):
        if position < len(data):
            part = data[position : position + rng.randrange(1, 5000)]
            way = rng.randrange(3)
            if way == 0:
                position += one.send(part)
            elif way == 1:
                one.sendall(bytearray(part))
                position += len(part)
            else:
                position += one.sendmsg([part[:10], memoryview(part)[10:]])
        way = rng.randrange(4)
        buffer = bytearray(3000)
        if way == 0:
            found += two.recv(3000)
        elif way == 1:
            found += buffer[: two.recv_into(buffer)]
        elif way == 2:
            found += two.recvmsg(3000)[0]
        else:
            found += buffer[: two.recvmsg_into([buffer])[0]]
    assert bytes(found) == data and layer.done > 50
    layer.configure(rate=0)
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("seed=x", "the option 'seed' cannot be 'x': it is a whole number"),
        ("kinds=nonsense", "'nonsense' is no kind; the kinds are legal (short-read"),
        ("rate=-1", "it is a number from 0 to 100"),
        ("log=/no/such/folder/x", "cannot write to '/no/such/folder/x'"),
    ],
)
def test_wrong_options(programs: Programs, options: str, why: str) -> None:
    done = programs.run("chaos+ctypes", "import socketpkg", SOCKETPKG_CHAOS=options)
    assert done.returncode == 1 and why in done.stderr.splitlines()[-1]
    with pytest.raises(LayerError, match=re.escape(why[:20])):
        stack()[1].configure(options)


# -- the command -------------------------------------------------------------------------------------------------------

READS_ONCE = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    while True:
        try:
            connection, _ = server.accept()
        except ConnectionAbortedError:
            continue
        break
    with connection:
        client.sendall(b"one message")
        assert connection.recv(100) == b"one message"
"""


def command(programs: Programs, *words: str) -> subprocess.CompletedProcess[str]:
    return programs.command([sys.executable, "-m", "socketpkg", "chaos", *words], None)


def test_the_command_finds_the_seed_and_repeats_it(programs: Programs) -> None:
    programs.write(READS_ONCE)
    done = command(programs, "--seeds", "6", "--backend", "ctypes", "--", "python", "program.py")
    assert done.returncode == 1, done.stderr
    seeds = [int(seed) for seed in re.findall(r"chaos: seed (\d+) FAILED with status 1", done.stderr)]
    assert seeds and f"failed: {', '.join(map(str, seeds))}" in done.stderr.splitlines()[-1]
    assert "bytes" in done.stderr
    (repeat,) = re.findall(rf"to repeat it: (python -m socketpkg chaos --seed {seeds[0]} .*)", done.stderr)
    again = programs.command([sys.executable, *repeat.split()[1:]], None)
    assert again.returncode == 1 and f"chaos: seed {seeds[0]} FAILED" in again.stderr
    good = next(seed for seed in range(1, 7) if seed not in seeds) if len(seeds) < 6 else None
    if good is not None:
        assert (
            command(programs, "--seed", str(good), "--backend", "ctypes", "--", "python", "program.py").returncode == 0
        )


def test_the_command_and_what_is_wrong(programs: Programs) -> None:
    programs.write("raise SystemExit(3)")
    done = command(programs, "--seeds", "1", "--", sys.executable, "program.py")
    assert done.returncode == 2 and "without chaos the command fails already, with status 3" in done.stderr
    for words, why in (
        ([], "the command to run is missing"),
        (["--seeds", "0", "--", "true"], "--seeds is 1 or more"),
        (["--seed", "x", "--", "true"], "the option '--seed' cannot be 'x': it is a whole number"),
        (["--kinds", "x", "--", "true"], "is no kind"),
        (["--", "/no/such"], "chaos: cannot run '/no/such': No such file or directory"),
        (["--no-control", "--", "/no/such"], "chaos: cannot run '/no/such': No such file or directory"),
        (["--backend", "foo", "--", "true"], "the stack below, 'foo': there is no layer or backend 'foo'. The layers"),
        (["--backend", "c+trace", "--", "true"], "it goes on below 'c', which is a backend and comes last"),
        (["--backend", "chaos+c", "--", "true"], "it has the layer 'chaos' twice"),
        (["--", "true"], "chaos: the command started nothing that uses socketpkg, so nothing was tried; start its"),
    ):
        done = command(programs, *words)
        assert done.returncode == 2 and why in done.stderr.splitlines()[-1]
        assert "/no/such" not in words or len(done.stderr.splitlines()) == 1
    # However it is written, a number of seeds is one.
    for words in (["--seed=3", "--seeds=2"], ["--seeds", "2", "--seed", "3"]):
        done = command(programs, "--no-control", *words, "--", "python", "-c", "pass")
        assert done.stderr.splitlines()[-1] == "chaos: 2 of 2 seeds passed", done.stderr
    done = command(programs, "--seed", "3", "--", "python", "-c", "pass", "--seeds", "2")
    assert done.stderr.splitlines()[-1] == "chaos: 1 of 1 seeds passed", done.stderr


def test_where_run_stands_in_a_command(tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text(f"#!{sys.executable}\n")
    script.chmod(0o755)
    run = ["-m", "socketpkg", "run"]
    for words, wanted in (
        (["python", "a.py", "-m"], ["python", *run, "a.py", "-m"]),
        (["python3.13", "-X", "dev", "-m", "pytest"], ["python3.13", "-X", "dev", *run, "-m", "pytest"]),
        (["python", "-c", "pass"], ["python", *run, "-c", "pass"]),
        (["python", "-B", "-c", "pass", "x"], ["python", "-B", *run, "-c", "pass", "x"]),
        (["python", "-m", "socketpkg", "run", "x"], ["python", "-m", "socketpkg", "run", "x"]),
        ([str(script), "x"], [sys.executable, *run, str(script), "x"]),
        (["/bin/true", "x"], ["/bin/true", "x"]),
    ):
        assert _chaos_command.through_run(list(words)) == wanted
    assert PATIENCE
