"""Audit events: each once, with the arguments that are documented.

A hook stays for ever, so that each test has a process of its own.
"""

from __future__ import annotations

import pytest

from .target import control_fails, run_python

PRELUDE = """
import sys
events = []

def hook(event, arguments):
    if event.startswith("socket."):
        events.append((event, arguments))

sys.addaudithook(hook)

def show():
    for event, arguments in events:
        print(event, *(item if not hasattr(item, "fileno") else "self" for item in arguments), sep=" | ")
    events.clear()
"""


def audited(code: str) -> list[str]:
    return run_python(PRELUDE + code + "\nshow()\n").splitlines()


CONNECTED = """
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
sock = socket.socket()
"""
UNNUMBERED = """
events[:] = [(event, (arguments[0], arguments[1][0])) for event, arguments in events]
sock.close()
listener.close()
"""
DATAGRAM = "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); events.clear(); "
CALLS = {
    "creation": (
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 17); s.close()",
        ["socket.__new__ | self | 2 | 2 | 17"],
    ),
    "creation by default": ("s = socket.socket(); s.close()", ["socket.__new__ | self | 2 | 1 | 0"]),
    "bind": (
        "s = socket.socket(); events.clear(); s.bind(('127.0.0.1', 0)); s.close()",
        ["socket.bind | self | ('127.0.0.1', 0)"],
    ),
    "connect": (
        f"{CONNECTED}events.clear(); sock.connect(listener.getsockname()){UNNUMBERED}",
        ["socket.connect | self | 127.0.0.1"],
    ),
    "connect_ex": (
        f"{CONNECTED}events.clear(); sock.connect_ex(listener.getsockname()){UNNUMBERED}",
        ["socket.connect | self | 127.0.0.1"],
    ),
    "connect to a path": (
        "s = socket.socket(socket.AF_UNIX); events.clear(); s.connect_ex('/nowhere'); s.close()",
        ["socket.connect | self | /nowhere"],
    ),
    "sendto": (
        f"{DATAGRAM}s.sendto(b'x', ('127.0.0.1', 9)); s.close()",
        ["socket.sendto | self | ('127.0.0.1', 9)"],
    ),
    "sendto with flags": (
        f"{DATAGRAM}s.sendto(b'x', 0, ('127.0.0.1', 9)); s.close()",
        ["socket.sendto | self | ('127.0.0.1', 9)"],
    ),
    "sendmsg": (
        f"{DATAGRAM}s.sendmsg([b'x'], [], 0, ('127.0.0.1', 9)); s.close()",
        ["socket.sendmsg | self | ('127.0.0.1', 9)"],
    ),
    "sendmsg without an address": (
        "a, b = socket.socketpair(); events.clear(); a.sendmsg([b'x']); a.close(); b.close()",
        ["socket.sendmsg | self | None"],
    ),
    "getaddrinfo": (
        "socket.getaddrinfo('127.0.0.1', 80, socket.AF_INET, socket.SOCK_STREAM, 6, 4)",
        ["socket.getaddrinfo | 127.0.0.1 | 80 | 2 | 1 | 6"],
    ),
    "getaddrinfo of bytes": (
        "socket.getaddrinfo(b'127.0.0.1', '80')",
        ["socket.getaddrinfo | b'127.0.0.1' | 80 | 0 | 0 | 0"],
    ),
    "gethostbyname": ("socket.gethostbyname('127.0.0.1')", ["socket.gethostbyname | 127.0.0.1"]),
    "gethostbyname of bytes": ("socket.gethostbyname(b'127.0.0.1')", ["socket.gethostbyname | b'127.0.0.1'"]),
    "gethostbyname_ex": ("socket.gethostbyname_ex('127.0.0.1')", ["socket.gethostbyname | 127.0.0.1"]),
    "gethostbyaddr": ("socket.gethostbyaddr('127.0.0.1')", ["socket.gethostbyaddr | 127.0.0.1"]),
    "gethostname": ("socket.gethostname()", ["socket.gethostname"]),
    "getservbyname": ("socket.getservbyname('http', 'tcp')", ["socket.getservbyname | http | tcp"]),
    "getservbyname alone": ("socket.getservbyname('http')", ["socket.getservbyname | http | None"]),
    "getservbyport": ("socket.getservbyport(80, 'tcp')", ["socket.getservbyport | 80 | tcp"]),
    "getservbyport alone": ("socket.getservbyport(80)", ["socket.getservbyport | 80 | None"]),
    "getnameinfo": ("socket.getnameinfo(('127.0.0.1', 80), 3)", ["socket.getnameinfo | ('127.0.0.1', 80)"]),
    "quiet ones": (
        """
a, b = socket.socketpair()
a.send(b"x")
b.recv(1)
a.dup().close()
a.getsockname()
a.settimeout(1)
a.setsockopt(1, 2, 1)
socket.inet_aton("1.2.3.4")
socket.if_nameindex()
a.close()
b.close()
events[:] = [event for event in events if event[0] != "socket.__new__"]
""",
        [],
    ),
    "an accepted socket": (
        f"""{CONNECTED}
sock.connect(listener.getsockname())
events.clear()
listener.accept()[0].close()
sock.close()
listener.close()
""",
        ["socket.__new__ | self | 2 | 1 | 0"],
    ),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_events(name: str) -> None:
    code, expected = CALLS[name]
    assert audited(code) == expected


def test_the_event_of_sethostname() -> None:
    """The name is set to what it is, in case the test may do that."""
    lines = audited(
        """
name = socket.gethostname()
events.clear()
try:
    socket.sethostname(name)
except OSError:
    pass
import os
print(events[0][0], [os.fsdecode(item) for item in events[0][1]] == [name])
events.clear()
"""
    )
    assert lines == ["socket.sethostname True"]


@pytest.mark.parametrize(
    "call",
    [
        "sock.bind(('127.0.0.1', 0))",
        "sock.connect(('127.0.0.1', 9))",
        "sock.connect_ex(('127.0.0.1', 9))",
        "sock.sendto(b'x', ('127.0.0.1', 9))",
        "sock.sendmsg([b'x'], [], 0, ('127.0.0.1', 9))",
        "socket.getaddrinfo('127.0.0.1', 80)",
        "socket.gethostbyname('127.0.0.1')",
        "socket.gethostbyname_ex('127.0.0.1')",
        "socket.gethostbyaddr('127.0.0.1')",
        "socket.gethostname()",
        "socket.getservbyname('http')",
        "socket.getservbyport(80)",
        "socket.getnameinfo(('127.0.0.1', 80), 3)",
        "socket.socket()",
    ],
)
def test_a_hook_that_raises_stops_the_call(call: str) -> None:
    code = f"""
import sys
armed = False

def hook(event, arguments):
    if armed and event.startswith("socket."):
        raise PermissionError("not today")

sys.addaudithook(hook)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
armed = True
try:
    {call}
except PermissionError as error:
    print(error)
armed = False
print(sock.getsockname())
sock.close()
"""
    assert run_python(code, options=("-W", "error")) == "not today\n('0.0.0.0', 0)\n"


def test_the_event_comes_after_the_arguments_were_judged() -> None:
    code = """
sock = socket.socket()
events.clear()
for call in (
    lambda: sock.bind("wrong"),
    lambda: sock.connect(("127.0.0.1", 70000)),
    lambda: socket.getservbyport(-1),
    lambda: socket.gethostbyname(5),
):
    try:
        call()
    except (TypeError, OverflowError):
        pass
sock.close()
"""
    assert audited(code) == []


@control_fails("a reference is lost to a hook that raises (gh-146245)", fixed=(3, 14, 10))
def test_a_hook_that_raises_leaves_the_buffer_free() -> None:
    code = """
import sys
armed = False

def hook(event, arguments):
    if armed and event.startswith("socket."):
        raise PermissionError

sys.addaudithook(hook)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
data = bytearray(b"data")
armed = True
for call in (
    lambda: sock.sendto(data, ("127.0.0.1", 9)),
    lambda: sock.sendto(data, 0, ("127.0.0.1", 9)),
    lambda: sock.sendmsg([data], [], 0, ("127.0.0.1", 9)),
):
    try:
        call()
    except PermissionError:
        pass
armed = False
sock.close()
data.append(1)
print("free")
"""
    assert run_python(code) == "free\n"


def test_a_socket_that_outlives_its_module() -> None:
    """A hook keeps the names of its module, and so the socket, until the interpreter itself is cleared."""
    code = """
import sys

def hook(event, arguments):
    pass

sys.addaudithook(hook)
sock = socket.socket()
print("end")
"""
    assert run_python(code) == "end\n"
