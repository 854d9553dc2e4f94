"""The handler of a signal may raise wherever Python runs: a layer loses no descriptor then."""

from __future__ import annotations

import json

import pytest

from .conftest import DRAIN, USABLE, Programs

# Signals are handled where a function of Python begins and where a built-in one comes back. These are the events "call"
# and "c_return" of sys.setprofile(), so a function there that raises is a handler at a place that can be chosen.
PROGRAM = (
    DRAIN
    + """
import os, sys
import socketpkg as socket
from socketpkg import layers

FOLDER = os.path.dirname(layers.__file__) + os.sep

class Stop(Exception):
    pass

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def interrupted(work, nth):
    "Whether an event was there: Stop is raised at the nth one in the code of the layers."
    left = nth
    def handler(frame, event, _):
        nonlocal left
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(FOLDER):
            left -= 1
            if not left:
                sys.setprofile(None)
                raise Stop
    sys.setprofile(handler)
    try:
        work()
    except Stop:
        pass
    finally:
        sys.setprofile(None)
    return left <= 0

def accepts():
    server.accept()[0].close()

def refused():
    sock = socket.socket()
    try:
        sock.connect(silent.getsockname())
    except ConnectionRefusedError:
        pass
    finally:
        sock.close()

def close(pair):
    first, second = pair
    try:
        first.close()
    finally:
        second.close()
        first.close()

server = socket.create_server(("127.0.0.1", 0))
server.settimeout(20)
silent = socket.socket()
silent.bind(("127.0.0.1", 0))
one, two = socket.socketpair()
answer = {}
for name, work in {
    "socket": lambda: socket.socket().close(),
    "socketpair": lambda: close(socket.socketpair()),
    "dup": lambda: one.dup().close(),
    "close": lambda: close(pair),
    "accept": accepts,
    "refused": refused,
}.items():
    nth, lost = 1, []
    while True:
        pair = socket.socketpair() if name == "close" else ()
        before = descriptors() - len(pair)
        client = socket.create_connection(server.getsockname()) if name == "accept" else socket.socket()
        more = interrupted(work, nth)
        drain()
        client.close()
        if descriptors() != before:
            lost.append(nth)
        if not more:
            break
        nth += 1
    answer[name] = [nth, lost]
"""
)


@pytest.mark.skipif("sys.platform != 'linux'", reason="it counts descriptors in /proc")
@pytest.mark.parametrize("stack", ["null+{}", "trace+{}", "chaos+{}", "sim+{}"])
# The layers know two kinds of backend, compiled and interpreted ones: of the latter one is enough.
@pytest.mark.parametrize("backend", [name for name in USABLE if name == "c"] + USABLE[-1:])
def test_no_descriptor_is_lost(programs: Programs, backend: str, stack: str) -> None:
    source = f"import json, warnings\nwarnings.simplefilter('ignore')\n{PROGRAM}\nprint(json.dumps(answer))\n"
    options = {"SOCKETPKG_TRACE": "file=calls.txt", "SOCKETPKG_CHAOS": "rate=0", "SOCKETPKG_GUARD": "allow=*"}
    done = programs.run(stack.format(backend), source, **options)
    # A second place to be interrupted at is __del__, which tells of it on stderr.
    assert done.returncode == 0, done.stderr
    for name, (tried, lost) in json.loads(done.stdout.splitlines()[-1]).items():
        assert not lost, (name, lost)
        assert tried > (4 if "null" not in stack else 0), name
