"""A layer puts another descriptor under a socket's number while another thread closes the socket: nobody is hit."""

from __future__ import annotations

import sys

import pytest

from .conftest import DRAIN, USABLE, Programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it counts descriptors in /proc")

# Threads change where a function begins, where a built-in one is called (it lets go of the GIL) and where one comes
# back. These are the events of sys.setprofile(), so a function there that lets another thread close the socket, and
# open files, does what the worst luck would do, at each place once, of those that have to do with it.
PROGRAM = (
    DRAIN
    + """
import errno, os, sys, threading, time
import socketpkg as socket
from socketpkg import layers

FOLDER = os.path.dirname(layers.__file__) + os.sep
# What looks at the number, puts another descriptor there, and is told of a close meanwhile.
PLACES = {"_renew", "_crosses", "_connect_later", "_relayed", "take", "renewed"}
PLACES |= {"__init__", "__enter__", "__exit__", "_end"}
SELF = os.stat(sys.executable)

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def closed_at(work, sock, nth):
    "Whether an event was there: at the nth one in the code of the layers a thread closes the socket and opens files."
    left, strangers = nth, []

    def close():
        sock.close()
        strangers.extend(os.open(sys.executable, os.O_RDONLY) for _ in range(3))

    def luck(frame, event, _):
        nonlocal left
        if frame.f_code.co_name in PLACES and frame.f_code.co_filename.startswith(FOLDER):
            left -= 1
            if not left:
                sys.setprofile(None)
                thread = threading.Thread(target=close)
                thread.start()
                thread.join()
    sys.setprofile(luck)
    try:
        work(sock)
    except OSError as failure:
        told.add(errno.errorcode.get(failure.errno, str(failure)))
    else:
        told.add("done")
    finally:
        sys.setprofile(None)
    hit = 0
    for stranger in strangers:
        try:
            hit += not os.path.samestat(os.fstat(stranger), SELF)
            os.close(stranger)
        except OSError:
            hit += 1
    sock.close()
    return left <= 0, hit

def back_to(number):
    "Whether that many descriptors are open as soon as the relay has noticed the end of its connections."
    until = time.monotonic() + 20
    while descriptors() != number:
        drain()
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True

def made(blocking=True):
    sock = socket.socket()
    sock.setblocking(blocking)
    return sock

def run(make, work):
    nth, hits, lost = 1, [], []
    while True:
        more, hit = closed_at(work, make(), nth)
        if hit:
            hits.append(nth)
        if not back_to(quiet):
            lost.append(nth)
        if not more:
            return [nth, hits, lost, sorted(told)]
        nth += 1
"""
)

SIM = """
from socketpkg.layers import sim

with sim.host("10.0.0.5"):
    closed = socket.socket()
    closed.bind(("", 81))
    server = socket.create_server(("", 80))
    full = socket.create_server(("", 82), backlog=0)
socket.create_connection(("10.0.0.5", 80)).close()
drain()
quiet = descriptors()
answer = {}
told = set()
answer["refused"] = run(made, lambda sock: sock.connect(("10.0.0.5", 81)))
sim.network.set_link("10.0.0.1", "10.0.0.5", latency=1)
socket.create_connection(("10.0.0.5", 80)).close()
quiet += 2  # the relay keeps a pipe
assert back_to(quiet)
told = set()
answer["slow link"] = run(made, lambda sock: sock.connect(("10.0.0.5", 80)))
sim.network.set_link("10.0.0.1", "10.0.0.5", latency=0)
waiting = socket.create_connection(("10.0.0.5", 82))
quiet += 1
told = set()
answer["no room"] = run(lambda: made(False), lambda sock: sock.connect(("10.0.0.5", 82)))
for sock in (closed, server, full, waiting):
    sock.close()
"""

CHAOS = """
server = socket.create_server(("127.0.0.1", 0))
where = server.getsockname()
quiet = descriptors() + 2  # the relay keeps a pipe
socket.create_connection(where).close()
assert back_to(quiet)
answer = {}
told = set()
answer["slow link"] = run(made, lambda sock: sock.connect(where))
server.close()
"""


@pytest.mark.parametrize(("stack", "source"), [("sim+{}", SIM), ("chaos+{}", CHAOS)], ids=["sim", "chaos"])
# The layers know two kinds of backend, compiled and interpreted ones: of the latter one is enough.
@pytest.mark.parametrize("backend", [name for name in USABLE if name == "c"] + USABLE[-1:])
def test_a_close_meanwhile_hits_no_strangers_file(programs: Programs, backend: str, stack: str, source: str) -> None:
    found = programs.answer(stack.format(backend), PROGRAM + source, SOCKETPKG_CHAOS="rate=0 latency=1")
    for name, (tried, hits, lost, told) in found.items():
        assert tried > 15, name
        assert not hits, (name, hits)
        assert not lost, (name, lost)
        assert set(told) <= {"EBADF", "ECONNREFUSED" if name == "refused" else "done", "EINPROGRESS"}, (name, told)
