"""trace: its lines against strace's of the same run, JSON, summary, what hangs, captures against tshark."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from socketpkg import backends
from socketpkg.contract import Syscalls
from socketpkg.layers import _base, _pcap, trace

from .conftest import PATIENCE, Programs

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

STRACE = shutil.which("strace")
TSHARK = shutil.which("tshark")

needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

LINE = re.compile(r"(?P<time>\d\d:\d\d:\d\d\.\d{6}) (?P<who>\d+(?:/\d+)?) (?P<call>\w+)\((?P<arguments>.*)\) = "
                  r"(?P<result>.*) <(?P<took>\d+\.\d{6})>(?: (?P<where>\S+))?")  # fmt: skip

SCRIPT = """
import socketpkg as socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", 0))
server.listen(7)
port = server.getsockname()[1]
client = socket.socket(socket.AF_INET6 if False else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
client.connect(("127.0.0.1", port))
ours, _ = server.accept()
client.send(b"one")
assert ours.recv(10) == b"one"
ours.sendall(b'two "quoted"\\n')
buffer = bytearray(20)
assert client.recv_into(buffer) == 13
client.sendmsg([b"three ", b"parts"])
assert ours.recvmsg(100)[0] == b"three parts"
assert not client.setblocking(False)
try:
    client.recv(1)
except BlockingIOError:
    pass
client.shutdown(socket.SHUT_WR)
assert ours.recv(5) == b""
ours.close()
client.close()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
udp.sendto(b"datagram", udp.getsockname())
assert udp.recvfrom(100)[0] == b"datagram"
udp.close()
refused = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.close()
assert refused.connect_ex(("127.0.0.1", port)) == 111
refused.close()
one, two = socket.socketpair()
one.send(b"unix")
assert two.recv(2, socket.MSG_PEEK) == b"un"
one.close()
two.close()
"""


def lines(text: str) -> list[re.Match[str]]:
    """The lines of a trace, each of which must be whole."""
    found = []
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        assert match is not None, f"no line of a trace: {line!r}"
        found.append(match)
    return found


# -- beside strace -----------------------------------------------------------------------------------------------------

#: What the kernel's call is called in the contract, without the addresses that mean nothing on a stream.
_CALLS = {"accept4": "accept", "sendto": "sendto", "recvfrom": "recvfrom"}
#: trace asks for the addresses of sockets itself, so these are in strace's output more often.
_ASKED = ("getsockname", "getpeername")
_SENDS = {"send": "sendto", "sendall": "sendto"}
_RECEIVES = {"recv": "recvfrom", "recv_into": "recvfrom", "recvfrom_into": "recvfrom", "recvmsg_into": "recvmsg"}
_OPTIONS = {"setsockopt_int": "setsockopt", "getsockopt_int": "getsockopt"}


def ours_as_kernels(text: str) -> list[tuple[str, str, str, str]]:
    """(call, descriptor, what it says of addresses and data, result) of each of our lines."""
    found = []
    for line in lines(text):
        call = {**_SENDS, **_RECEIVES, **_OPTIONS}.get(line["call"], line["call"])
        if call in (*_ASKED, "close", "set_blocking", "dup"):
            continue
        arguments = line["arguments"]
        fd = re.match(r"(\d+)<", arguments)
        result = line["result"].split(" ")[0]
        if line["result"].startswith("-1 "):
            result = line["result"].split(" ")[1]
        elif line["call"] == "accept":
            result = result.partition("<")[0]
        elif line["call"] == "sendall":
            result = "all"
        elif call == "socketpair":
            result = line["result"]
        port = (
            re.search(r"127\.0\.0\.1:(\d+)$|127\.0\.0\.1:(\d+)[,)]", arguments) if call in ("bind", "connect") else None
        )
        port = port and (port[1] or port[2])
        found.append((call, fd[1] if fd else "", port or _data_of(arguments) or _words_of(arguments), result))
    return found


def kernels(text: str) -> list[tuple[str, str, str, str]]:
    """The same of strace's lines. Tries that found nothing and were made again are one call with the one after them."""
    found: list[tuple[str, str, str, str]] = []
    for line in text.splitlines():
        match = re.match(r"\d+ +(\w+)\((.*)\) += (-?\d+|\?)(?:<[^>]*>)?(?: ([A-Z]+))?", line)
        if match is None or match[1] in _ASKED:
            continue
        call = _CALLS.get(match[1], match[1])
        arguments = match[2]
        fd = re.match(r"(\d+)<", arguments)
        result = match[4] or match[3]
        if call == "socketpair":
            pair = re.search(r"\[(\d+)<.*?>, (\d+)<", arguments)
            assert pair is not None
            result = f"[{pair[1]}, {pair[2]}]"
        value = re.search(r", \[(-?\d+)\], \[", arguments)
        if call == "getsockopt" and value is not None:
            result = value[1]
        port = re.search(r"sin_port=htons\((\d+)\)", arguments) if call in ("bind", "connect") else None
        entry = (call, fd[1] if fd else "", (port and port[1]) or _data_of(arguments) or _words_of(arguments), result)
        if found and found[-1][3] == "EAGAIN" and found[-1][:2] == entry[:2]:
            found.pop()
        found.append(entry)
    return found


def _data_of(arguments: str) -> str:
    """What is in quotation marks, which is written alike."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', re.sub(r"inet_addr\([^)]*\)", "", arguments)))


def _words_of(arguments: str) -> str:
    """The names of constants, but for what our calls add on their own."""
    words = re.findall(r"\b(?:AF|SOCK|IPPROTO|SOL|SO|TCP|SHUT)_\w+", re.sub(r"\{[^}]*\}", "", arguments))
    return " ".join(w.replace("SOL_TCP", "IPPROTO_TCP") for w in words if w not in ("SOCK_CLOEXEC", "IPPROTO_IP"))


@needs_strace
def test_the_same_calls_as_strace(programs: Programs, backend: str) -> None:
    script = programs.write(SCRIPT)
    output = programs.folder / "strace"
    command = [STRACE or "", "-f", "-e", "trace=%network", "-yy", "-s", "48", "-o", str(output)]
    done = programs.command(
        [*command, sys.executable, str(script)], f"trace+{backend}", SOCKETPKG_TRACE=f"file={programs.folder}/ours"
    )
    if done.returncode and "PTRACE" in done.stderr:
        pytest.skip("strace may not trace here")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ours = ours_as_kernels((programs.folder / "ours").read_text())
    theirs = kernels(output.read_text())
    theirs = theirs[next(i for i, entry in enumerate(theirs) if entry[0] == "socket") :]
    assert [entry[:2] for entry in ours] == [entry[:2] for entry in theirs]
    for mine, kernel in zip(ours, theirs, strict=True):
        assert mine[2] == kernel[2], (mine, kernel)
        # sendall has no count, and a receive's result begins with it.
        assert mine[3] in ("all", kernel[3]), (mine, kernel)
    assert len(ours) > 25


# -- lines -------------------------------------------------------------------------------------------------------------


def test_lines_show_names(programs: Programs, backend: str) -> None:
    done = programs.run(f"trace+{backend}", SCRIPT)
    assert (done.returncode, done.stdout) == (0, "")
    text = "\n".join(f"{line['call']}({line['arguments']}) = {line['result']}" for line in lines(done.stderr))
    text = re.sub(r"127\.0\.0\.1:[1-9]\d*", "HERE", text)
    for wanted in (
        "setsockopt_int(3<TCP>, SOL_SOCKET, SO_REUSEADDR, 1) = 0",
        "bind(3<TCP HERE>, 127.0.0.1:0) = 0",
        "connect(4<TCP HERE->HERE>, HERE) = 0",
        "accept(3<TCP HERE>) = 5<TCP HERE->HERE> HERE",
        'send(4<TCP HERE->HERE>, "one", 0) = 3',
        'recv(5<TCP HERE->HERE>, "one", 10, 0) = 3',
        'sendall(5<TCP HERE->HERE>, "two \\"quoted\\"\\n", 0) = 0',
        'recv_into(4<TCP HERE->HERE>, "two \\"quoted\\"\\n", 0, 0) = 13',
        'sendmsg(4<TCP HERE->HERE>, ["three ", "parts"], 0, none) = 11',
        "recv(4<TCP HERE->HERE>, 1, 0, timeout=0) = -1 EAGAIN (Resource temporarily unavailable)",
        "shutdown(4<TCP HERE->HERE>, SHUT_WR) = 0",
        'recv(5<TCP HERE->HERE>, "", 5, 0) = 0',
        'sendto(3<UDP HERE>, "datagram", 0, HERE) = 8' if "4<UDP" not in text else "sendto(4<UDP HERE>",
        "HERE) = -1 ECONNREFUSED (Connection refused)",
        '"un", 2, MSG_PEEK) = 2',
    ):
        assert wanted in text, f"{wanted}\n{text}"


def test_the_line_of_the_program(programs: Programs) -> None:
    done = programs.run("trace+ctypes", SCRIPT, SOCKETPKG_TRACE="python")
    program = programs.folder / "program.py"
    source = program.read_text().splitlines()
    for line in lines(done.stderr):
        path, _, number = line["where"].rpartition(":")
        assert path == str(program)
        if line["call"] in ("listen", "shutdown", "sendmsg"):
            assert f".{line['call']}(" in source[int(number) - 1]


def test_json(programs: Programs, backend: str) -> None:
    done = programs.run(f"trace+{backend}", SCRIPT, SOCKETPKG_TRACE="format=json python summary data=5")
    *calls, summary = [json.loads(line) for line in done.stderr.splitlines()]
    for call in calls:
        assert {"time", "pid", "thread", "call", "arguments", "took", "where"} <= set(call)
        assert ("result" in call) != ("error" in call)
        assert abs(call["time"] - time.time()) < 600 and 0 <= call["took"] < 60
    sent = next(call for call in calls if call["call"] == "sendall")
    assert (sent["bytes"], sent["data"], sent["result"]) == (13, ['two "'], "0")
    assert sent["what"].startswith("TCP 127.0.0.1:")
    failed = [call["error"] for call in calls if "error" in call]
    assert failed == ["EAGAIN (Resource temporarily unavailable)"]
    assert next(iter(summary["summary"].values()))["connections"] in (0, 1, 2)
    assert {"summary", "resolved", "pid", "time"} == set(summary)


def test_summary_counts(programs: Programs, backend: str) -> None:
    done = programs.run(f"trace+{backend}", SCRIPT, SOCKETPKG_TRACE="lines=no summary format=json")
    (summary,) = [json.loads(line)["summary"] for line in done.stderr.splitlines()]
    (client,) = [p for name, p in summary.items() if not name.startswith("clients of") and p["connections"] == 2]
    (clients,) = [p for name, p in summary.items() if name.startswith("clients of")]
    assert (client["sent"], client["received"], client["errors"]) == (14, 13, {"ECONNREFUSED": 1})
    assert (clients["sent"], clients["received"], clients["connections"]) == (13, 14, 1)
    assert summary["UNIX"]["sent"] == 4 and summary["UNIX"]["received"] == 0, "what is peeked at is not taken"
    text = programs.run(f"trace+{backend}", SCRIPT, SOCKETPKG_TRACE="lines=no summary").stderr
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "ECONNREFUSED:1" in text


def test_summary_on_a_signal(programs: Programs) -> None:
    source = "import os, signal, socketpkg\na, b = socketpkg.socketpair()\na.send(b'12345')\n"
    source += "os.kill(os.getpid(), signal.SIGUSR1)\na.close(), b.close()\n"
    done = programs.run("trace+ctypes", source, SOCKETPKG_TRACE="lines=no signal=usr1")
    assert "summary" in done.stderr and "5 B" in done.stderr


def test_what_hangs_is_told(programs: Programs, backend: str) -> None:
    source = """
        import socketpkg, threading, time
        a, b = socketpkg.socketpair()
        def waits():
            b.recv(1)
        thread = threading.Thread(target=waits)
        thread.start()
        time.sleep(1.0)
        a.send(b"x")
        thread.join()
        a.close(), b.close()
    """
    done = programs.run(f"trace+{backend}", source, SOCKETPKG_TRACE="lines=no stuck=0.2")
    assert done.stderr.count("stuck: recv(") == 1, done.stderr
    assert "waits: b.recv(1)" in done.stderr


def test_off_and_on(programs: Programs) -> None:
    source = """
        import socketpkg
        from socketpkg import layers
        trace = layers.get("trace")
        a, b = socketpkg.socketpair()
        trace.enabled = False
        a.send(b"unseen")
        c, d = socketpkg.socketpair()
        trace.enabled = True
        c.send(b"seen")
        for sock in (a, b, c, d):
            sock.close()
    """
    done = programs.run("trace+ctypes", source)
    assert "seen" in done.stderr and "unseen" not in done.stderr
    assert len([line for line in lines(done.stderr) if line["call"] == "socketpair"]) == 1


def test_children_append_to_the_file(programs: Programs) -> None:
    source = """
        import os, socketpkg, subprocess, sys
        if len(sys.argv) > 1:
            socketpkg.socket().close()
        else:
            socketpkg.socket().close()
            if not os.fork():
                socketpkg.socket().close()
                os._exit(0)
            os.wait()
            subprocess.run([sys.executable, __file__, "child"], check=True)
    """
    options = f"file={programs.folder}/lines"
    for _ in range(2):  # the second run empties the file
        done = programs.run("trace+ctypes", source, SOCKETPKG_TRACE=options)
        assert (done.returncode, done.stderr) == (0, "")
        found = lines((programs.folder / "lines").read_text())
        assert [line["call"] for line in found] == ["socket", "close"] * 3
        assert len({line["who"] for line in found}) == 3
    programs.run("trace+ctypes", source, SOCKETPKG_TRACE=f"file={programs.folder}/of-%p")
    assert len(list(programs.folder.glob("of-*"))) == 2  # the forked one shares its parent's


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("file=/no/such/folder/x", "cannot write to '/no/such/folder/x': No such file or directory"),
        ("pcap=/no/such/folder/x", "cannot write to '/no/such/folder/x'"),
        ("format=xml", "it is one of text, json"),
        ("signal=NONSENSE", "there is no signal 'NONSENSE'"),
        ("signal=KILL", "the signal 'KILL' cannot be used"),
        ("stuck=soon", "it is a number from 0"),
    ],
)
def test_wrong_options(programs: Programs, options: str, why: str) -> None:
    done = programs.run("trace+ctypes", "import socketpkg", SOCKETPKG_TRACE=options)
    assert done.returncode == 1 and why in done.stderr.splitlines()[-1]
    key, _, value = options.partition("=")
    done = programs.under_run([f"--trace-{key}", value], "print('should not run')")
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert why in last
    # What is named is what was typed, and not the variables that it goes through.
    assert f"--trace-{key}" in last or "chosen by the command line" in last
    assert "SOCKET_BACKEND" not in last and "SOCKETPKG_TRACE" not in last


@pytest.mark.parametrize("wrong", ["pcap=/no/such/folder/x", "signal=KILL", "signal=NONSENSE", "pcap=.", "data=x"])
def test_a_wrong_option_leaves_all_as_it_was(programs: Programs, wrong: str) -> None:
    """Of files and options: at the start, and when a layer that runs is configured."""
    old, new = programs.folder / "old", programs.folder / "new"
    old.write_text("what was there")
    for path in (old, new):
        done = programs.run("trace+ctypes", "import socketpkg", SOCKETPKG_TRACE=f"file={path} {wrong}")
        assert done.returncode == 1 and "LayerError" in done.stderr
    done = programs.run("chaos+trace+ctypes", "import socketpkg", SOCKETPKG_TRACE=f"file={old}", SOCKETPKG_CHAOS="x=1")
    assert done.returncode == 1 and "there is no option 'x'" in done.stderr
    assert old.read_text() == "what was there" and not new.exists()
    source = """
        import sys, socketpkg
        from socketpkg import layers
        trace = layers.get("trace")
        before = dict(trace.options)
        try:
            trace.configure(sys.argv[1])
        except layers.LayerError:
            answer = trace.options == before
        socketpkg.socket().close()
    """
    assert programs.answer(
        "trace+ctypes", source, f"file={new} {wrong}", SOCKETPKG_TRACE=f"file={programs.folder}/kept"
    )
    assert not new.exists() and "socket(AF_INET" in (programs.folder / "kept").read_text()


def test_options_of_run(programs: Programs) -> None:
    source = (
        "import socket, sys\na, b = socket.socketpair()\na.close(), b.close()\nprint(socket.__backend__, sys.argv[1:])"
    )
    programs.write(source)
    command = [
        sys.executable,
        "-m",
        "socketpkg",
        "run",
        "--backend",
        "ctypes",
        "--trace",
        "--summary",
        "program.py",
        "--x",
    ]
    done = programs.command(command, None)
    assert done.stdout == "trace+ctypes ['--x']\n"
    assert "socketpair(AF_UNIX, SOCK_STREAM, 0)" in done.stderr and "-- summary of" in done.stderr
    assert done.stderr.count("socketpair(") == 1


def test_no_colour_in_a_pipe(programs: Programs) -> None:
    assert "\x1b" not in programs.run("trace+ctypes", SCRIPT).stderr


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_on_a_terminal(programs: Programs, variables: dict[str, str], coloured: bool) -> None:
    import pty

    program = programs.write("import socketpkg\nsocketpkg.socket().close()")
    ours, theirs = pty.openpty()
    env = programs.environment("trace+ctypes", **{"TERM": "xterm", **variables})
    if "NO_COLOR" not in variables:
        env.pop("NO_COLOR", None)
    with subprocess.Popen([sys.executable, str(program)], env=env, stderr=theirs) as process:
        os.close(theirs)
        found = b""
        try:
            while part := os.read(ours, 65536):
                found += part
        except OSError:
            pass  # Linux: the other end is closed
        os.close(ours)
    assert process.returncode == 0 and b"socket" in found
    assert (b"\x1b[" in found) is coloured, found


def test_a_flag_that_is_on_can_be_switched_off(programs: Programs) -> None:
    programs.write("import socket\nsocket.socket().close()")
    words = ["--backend", "ctypes", "--trace-no-lines", "--summary", "program.py"]
    done = programs.command([sys.executable, "-m", "socketpkg", "run", *words], None)
    assert done.returncode == 0 and done.stderr.startswith("-- summary of"), done.stderr


def test_every_call_is_traced_or_silent() -> None:
    layer = next(iter(backends.load("trace+ctypes").layers))
    assert isinstance(layer, trace.Layer)
    for name in _base.CALLS:
        # accept_many is told as the accepts that it is made of.
        assert (layer.defines(name) and name != "accept_many") == (name not in trace.SILENT), name
    # All that moves data is known: a call with a buffer or a size.
    for name, call in _base.CONTRACT.items():
        names = call.__code__.co_varnames[: call.__code__.co_argcount]
        if "timeout" in names and {"data", "buffers", "buffer", "bufsize"} & set(names):
            assert name in trace._MOVES
    assert issubclass(trace.Layer, Syscalls)


# -- captures ----------------------------------------------------------------------------------------------------------


def tshark(path: Path, *options: str) -> list[list[str]]:
    """What tshark shows of a capture: the fields asked for, a list for each packet."""
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    command = [TSHARK or "", "-r", str(path), *checks, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def fields(path: Path, *names: str, only: str = "") -> list[list[str]]:
    options = ["-T", "fields", *(word for name in names for word in ("-e", name))]
    return tshark(path, *(["-Y", only] if only else []), *options)


HTTP = """
import hashlib, http.server, threading, urllib.request, socket, sys
size = int(sys.argv[1])
body = bytes(range(256)) * (size // 256)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever).start()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/path") as answer:
        print(hashlib.sha256(answer.read()).hexdigest() == hashlib.sha256(body).hexdigest())
    server.shutdown()
with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
    two.bind(("127.0.0.1", 0))
    query = b"\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7example\\4test\\0\\0\\1\\0\\1"
    one.sendto(query, two.getsockname())
    two.sendto(two.recv(100), one.getsockname())
    print(one.recv(100) == query, two.getsockname()[1])
try:
    with socket.create_connection(("127.0.0.1", server.server_port)):
        pass
except ConnectionRefusedError:
    print("refused")
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@needs_tshark
def test_a_capture_of_http_and_dns(programs: Programs, backend: str) -> None:
    capture = programs.folder / "capture.pcapng"
    options = ["--backend", backend, "--pcap", str(capture), "--trace-file", "lines"]
    programs.write(HTTP)
    done = programs.command([sys.executable, "-m", "socketpkg", "run", *options, "program.py", "102400"], None)
    assert done.stderr == ""
    whole, echoed, refused, _ = done.stdout.splitlines()
    port = echoed.split()[1]
    assert (whole, echoed.split()[0], refused) == ("True", "True", "refused")
    assert (
        fields(capture, "frame.number", only="_ws.malformed || tcp.analysis.flags || _ws.expert.severity >= error")
        == []
    )
    ((method, uri),) = fields(capture, "http.request.method", "http.request.uri", only="http.request")
    assert (method, uri) == ("GET", "/path")
    ((code, length),) = fields(capture, "http.response.code", "http.content_length", only="http.response")
    assert (code, length) == ("200", "102400")
    flags = [flag for (flag,) in fields(capture, "tcp.flags.str", only="tcp.stream == 0")]
    letters = ["".join(re.findall(r"[A-Z]", flag)) for flag in flags]
    assert letters[:3] == ["S", "AS", "A"] and letters.count("AF") == 2
    names = tshark(capture, "-d", f"udp.port=={port},dns", "-Y", "dns", "-T", "fields", "-e", "dns.qry.name")
    assert names == [["example.test"], ["example.test"]]
    ((flag,),) = fields(capture, "tcp.flags.reset", only="tcp.flags.reset == 1")
    assert flag in ("1", "True")
    assert fields(capture, "frame.number", only="tcp.checksum.status == 0 || udp.checksum.status == 0") == []


@needs_tshark
def test_64_mib_keep_their_hash_and_no_memory(programs: Programs) -> None:
    capture = programs.folder / "capture.pcapng"
    programs.write(HTTP)
    command = [sys.executable, "-m", "socketpkg", "run", "--pcap", str(capture), "--trace-file", "lines", "program.py"]
    memory = []
    for size in (16, 64):
        done = programs.command([*command, str(size * 2**20)], None)
        assert done.stdout.splitlines()[0] == "True", done.stderr
        memory.append(int(done.stdout.splitlines()[-1]))
    assert capture.stat().st_size > 64 * 2**20
    # The program itself holds the body and what it has received: twice the size, and a third while it joins them.
    assert memory[1] - memory[0] < 4 * 48 * 1024
    assert len(fields(capture, "frame.number", only="http.response.code == 200")) == 1


RESET = """
import socket, struct
with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
    with socket.create_connection(server.getsockname()[:2]) as client:
        connection, _ = server.accept()
        client.sendall(b"before")
        assert connection.recv(10) == b"before"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        fd = connection.detach()
        socket.close(fd)
        try:
            client.recv(1)
        except ConnectionResetError:
            print("reset")
one, two = socket.socketpair()
one.sendall(b"unix")
two.recv(9)
one.close()
two.close()
"""


@needs_tshark
def test_a_reset_and_a_unix_stream(programs: Programs, backend: str) -> None:
    capture = programs.folder / "capture.pcapng"
    done = programs.under_run(["--backend", backend, "--pcap", str(capture), "--trace-file", "lines"], RESET)
    assert done.stdout == "reset\n", done.stderr
    flags = ["".join(re.findall(r"[A-Z]", flag)) for (flag,) in fields(capture, "tcp.flags.str", only="ipv6")]
    assert flags[:4] == ["S", "AS", "A", "AP"] and "AR" in flags
    assert fields(capture, "frame.number", only="_ws.malformed") == []
    ((comment,),) = fields(capture, "frame.comment", only="frame.comment")
    assert comment.startswith("UNIX ")


@needs_tshark
def test_a_killed_program_leaves_whole_lines_and_a_readable_capture(programs: Programs) -> None:
    source = """
        import socket
        one, two = socket.socketpair()
        while True:
            one.sendall(b"x" * 1000)
            two.recv(1000)
            print(flush=True)
    """
    programs.write(source)
    command = [sys.executable, "-m", "socketpkg", "run", "--pcap", "capture", "--trace-file", "lines", "program.py"]
    environment = programs.environment(None)
    with subprocess.Popen(command, cwd=programs.folder, env=environment, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        for _ in range(200):
            running.stdout.readline()
        running.send_signal(signal.SIGKILL)
        running.wait(PATIENCE)
    assert len(lines((programs.folder / "lines").read_text())) > 400
    packets = tshark(programs.folder / "capture")
    assert len(packets) > 200


def test_checksums() -> None:
    def slowly(data: bytes) -> int:
        total = 0
        for position in range(0, len(data), 2):
            total += int.from_bytes(data[position : position + 2].ljust(2, b"\0"), "big")
            total = (total & 0xFFFF) + (total >> 16)
        return total ^ 0xFFFF

    for size in range(64):
        for _ in range(50):
            data = os.urandom(size)
            assert _pcap.checksum(data) == slowly(data)
    assert _pcap.checksum(b"\xff\xff") == 0 and _pcap.checksum(b"\0\0") == 0xFFFF
    assert _pcap.checksum(b"\x12\x34", b"\x56\x78") == slowly(b"\x12\x34\x56\x78")


def test_many_threads_and_asyncio(programs: Programs, backend: str) -> None:
    source = """
        import socketpkg
        socketpkg.install()
        import asyncio
        async def serve(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
        async def ask(port, number):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"%d\\n" % number)
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return int(answer) == number
        async def main():
            server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=300)
            port = server.sockets[0].getsockname()[1]
            good = await asyncio.gather(*(ask(port, n) for n in range(200)))
            server.close()
            return all(good), len(good)
        print(asyncio.run(main()))
    """
    done = programs.run(f"trace+{backend}", source, SOCKETPKG_TRACE=f"file={programs.folder}/lines summary")
    assert done.stdout == "(True, 200)\n", done.stderr
    text = (programs.folder / "lines").read_text().partition("-- summary")[0]
    calls = [line["call"] for line in lines(text)]
    assert calls.count("connect") == 200
    assert len([line for line in lines(text) if line["call"] == "accept" and line["result"][0] != "-"]) == 200
