"""One engine: a process that runs programs on the standard library's `socket` or on one backend, and tells all of it.

    python engine.py ENGINE FOLDER IN OUT

A program is a list of lines of Python that know the module as `socket`. Each line is a step; of each the engine tells
what came back or was raised, which audit events and warnings there were, and what then is seen from outside: open
descriptors with O_NONBLOCK and FD_CLOEXEC, the state of each socket object, the buffers that are still exported. What
differs from process to process by nature (ports that the kernel chose, names of the sockets' files) is told by the
order of its appearance, so that what two engines tell can be compared as it is.

`Engine` is the other side: it starts the process and gives it programs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import gc
import io
import linecache
import marshal
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: The stdlib as the reference, then the backends.
ENGINES = ["stdlib", "c", "cffi", "ctypes"]
#: Descriptors of programs are below this number, ours from it on.
OURS = 60
#: So many numbers in a row that are closed: no open one follows.
GAP = 8
#: The name of a program in warnings and tracebacks.
FILE = "<program>"
#: How long a step may take that nothing else ends, and after how long `during` acts, in seconds.
PATIENCE = float(os.environ.get("SOCKETPKG_SAMENESS_PATIENCE", "0.15"))
SOON = 0.012
#: How long a whole program may take.
LIMIT = 60.0

Step = dict[str, Any]


class Interrupted(BaseException):
    """What the handler of the alarm raises out of a call that would wait for ever."""


class Index:
    """A number by __index__ only."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


@functools.lru_cache(maxsize=5000)
def compiled(line: str) -> types.CodeType:
    """A line of a program: many lines are in many programs."""
    return compile(line, FILE, "exec")


class Broken(Exception):
    """The process has ended, or says nothing."""


# -- the side of the tests --------------------------------------------------------------------------------------------


class Engine:
    """The process of one engine, started anew when it breaks."""

    def __init__(self, name: str, folder: Path, command: Sequence[str] = (), limit: float = LIMIT) -> None:
        self.name = name
        self.command = [*command, sys.executable]
        self.limit = limit
        self.folder = folder / name
        self.folder.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def _start(self) -> None:
        given, self.requests = os.pipe()
        self.answers, gives = os.pipe()
        environment = {**os.environ, "SOCKET_BACKEND": "" if self.name == "stdlib" else self.name}
        environment["PYTHONHASHSEED"] = "0"
        environment.pop("PYTHONWARNINGS", None)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the process
        try:
            self.process = subprocess.Popen(
                [*self.command, __file__, self.name, str(self.folder), str(given), str(gives)],
                pass_fds=(given, gives),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=self.errors,
                stderr=self.errors,
            )
        finally:
            os.close(given)
            os.close(gives)

    def give(self, program: Sequence[str]) -> None:
        """Lets the process begin with a program."""
        if self.process is None:
            self._start()
        with contextlib.suppress(BrokenPipeError):
            _send(self.requests, list(program))

    def take(self) -> list[Step]:
        """What the process tells of the program that it was given."""
        try:
            steps: list[Step] = _receive(self.answers, self.limit)
            return steps
        except (EOFError, TimeoutError) as failure:
            assert self.process is not None
            if isinstance(failure, TimeoutError):
                self.process.kill()
            status, text = self.close()
            how = "says nothing" if isinstance(failure, TimeoutError) else f"ended with {status}"
            raise Broken(f"the process of {self.name} {how}\n{text}") from None

    def close(self) -> tuple[int, str]:
        """Ends the process: how it ended, and what it wrote."""
        if self.process is None:
            return 0, ""
        os.close(self.requests)
        os.close(self.answers)
        status = self.process.wait()
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace")
        self.errors.close()
        self.process = None
        return status, text


def _send(fd: int, value: Any) -> None:
    data = marshal.dumps(value)
    data = struct.pack("=Q", len(data)) + data
    while data:
        data = data[os.write(fd, data) :]


def _receive(fd: int, limit: float | None) -> Any:
    def exactly(count: int) -> bytes:
        parts = []
        while count:
            if limit is not None and not select.select([fd], [], [], limit)[0]:
                raise TimeoutError
            part = os.read(fd, count)
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    return marshal.loads(exactly(struct.unpack("=Q", exactly(8))[0]))


# -- the process ------------------------------------------------------------------------------------------------------


class Runner:
    """Runs programs on a module."""

    def __init__(self, module: types.ModuleType, folder: Path) -> None:
        self.socket = module
        self.base = module.SocketType
        self.folder = folder
        self.token = f"sp{os.getpid():07d}"
        self.events: list[Any] | None = None
        self.warned: list[Any] = []
        self.ports: dict[int, str] = {}
        self.code: types.CodeType | None = None
        self.plan: Callable[[], Any] | None = None
        sys.addaudithook(self._audit)
        sys.unraisablehook = self._unraisable
        warnings.simplefilter("always")
        warnings.showwarning = self._warn  # type: ignore[assignment]
        signal.signal(signal.SIGALRM, self._alarm)
        # Programs get descriptors from 3 on.
        self.low, self.high = struct.unpack("II", struct.pack("II", 32768, 60999))
        with contextlib.suppress(OSError):
            self.low, self.high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())

    # what is noticed while a step runs

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        events = self.events
        if events is None or (event == "exec" and arguments and arguments[0] is self.code):
            return
        # What the telling itself does is no part of the step.
        self.events = None
        try:
            events.append([event, *map(self.told, arguments)])
        finally:
            self.events = events

    def _warn(self, message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        self.warned.append([category.__name__, self.text(str(message)), filename, lineno])

    def _unraisable(self, failure: Any) -> None:
        self.warned.append(["unraisable", self.error(failure.exc_value)])

    def _alarm(self, number: int, frame: Any) -> None:
        if self.events is None:
            return  # too late: the step has ended
        plan, self.plan = self.plan, None
        if plan is None:
            raise Interrupted
        # The rest of the step must not wait for ever either.
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
        plan()

    # what programs have besides `socket`

    def names(self) -> dict[str, Any]:
        """The names that programs know."""
        token = self.token

        def path(number: int) -> str:
            """The name of a file for a socket."""
            return f"{token}-{number}"

        def abstract(number: int) -> str:
            """An abstract name for a socket."""
            return f"\0{token}-{number}"

        def during(call: Callable[[], Any], action: Callable[[], Any]) -> Any:
            """The result of *call*, with *action* done by a signal's handler while it waits, or else behind it."""
            outcome: list[Any] = []

            def act() -> None:
                outcome.append(action())

            self.plan = act
            result = failure = None
            signal.setitimer(signal.ITIMER_REAL, SOON)
            try:
                result = call()
            except BaseException as raised:
                failure = raised
            signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
            try:
                if self.plan is not None:
                    self.plan = None
                    act()
                if failure is not None:
                    raise failure
            finally:
                # It has this frame in its traceback.
                failure = None
            return result, outcome

        def interrupt() -> None:
            """Raises what no handler catches."""
            raise Interrupted

        def file(content: bytes) -> Any:
            """A regular file with some bytes in it."""
            made = open("content", "w+b")  # noqa: SIM115  the program closes it
            made.write(content)
            made.flush()
            made.seek(0)
            return made

        def nonblock(fd: int, on: bool) -> None:
            """Sets or clears O_NONBLOCK behind the back of the socket objects."""
            os.set_blocking(fd, not on)

        return {
            "socket": self.socket,
            "path": path,
            "abstract": abstract,
            "during": during,
            "interrupt": interrupt,
            "file": file,
            "nonblock": nonblock,
            "Index": Index,
            "io": io,
            "errno": errno,
            "struct": struct,
            "bytes": bytes,
        }

    # telling

    def text(self, text: str) -> str:
        """A text without what differs from process to process."""
        text = text.replace(self.token, "sp#").replace("socketpkg.", "socket.").replace("_socket.", "socket.")
        # The kernel names a socket of AF_NETLINK by its process.
        text = re.sub(rf"\b{os.getpid()}\b", "process#", text)
        text = re.sub(r" at 0x[0-9a-f]+", " at 0x#", text)
        return re.sub(r"\b\d{5}\b", lambda found: self.port(int(found[0])) or found[0], text)

    def port(self, number: int) -> str | None:
        """The name of a port that the kernel chose; None for another number."""
        if not self.low <= number <= self.high:
            return None
        return self.ports.setdefault(number, f"port{len(self.ports)}")

    def told(self, value: Any) -> Any:
        """A value as something that can be sent and compared: the type where it matters, and the content."""
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return "process#" if value == os.getpid() else self.port(value) or value
        if kind is str:
            return self.text(value)
        if kind is bytes:
            # The five digits by which the kernel names a socket that is bound to nothing are of all processes.
            shown = value.replace(self.token.encode(), b"sp#")
            return b"\0autobind" if re.fullmatch(rb"\0[0-9a-f]{5}", shown) else shown
        if kind in (list, tuple, set, frozenset):
            return [kind.__name__, *map(self.told, value)]
        if kind is dict:
            return ["dict", *([self.told(key), self.told(item)] for key, item in value.items())]
        if isinstance(value, int):
            return [kind.__name__, int(value), self.text(repr(value))]
        if kind in (bytearray, memoryview, str, bytes):
            return [kind.__name__, self.told(bytes(value)) if kind is bytearray or value.nbytes else b""]
        if isinstance(value, BaseException):
            return self.error(value)
        if isinstance(value, self.base):
            return self.sock(value)
        if isinstance(value, type):
            return ["type", self.text(f"{value.__module__}.{value.__qualname__}")]
        return [kind.__name__]

    def sock(self, sock: Any) -> Any:
        """The state of a socket object."""
        own = self.base
        numbers = [getter.__get__(sock) for getter in (own.family, own.type, own.proto)]
        return ["socket", type(sock).__name__, *numbers, own.fileno(sock), own.gettimeout(sock), own.getblocking(sock)]

    def error(self, failure: BaseException, depth: int = 0) -> Any:
        """An exception: type, errno, text, and what would be shown as its reason."""
        kind = type(failure)
        reason = failure.__cause__
        if reason is None and not failure.__suppress_context__:
            reason = failure.__context__
        return [
            "raised",
            self.text(f"{kind.__module__}.{kind.__qualname__}"),
            getattr(failure, "errno", None) if isinstance(failure, OSError) else None,
            self.text(str(failure)),
            self.error(reason, depth + 1) if reason is not None and depth < 3 else None,
        ]

    def descriptors(self) -> list[list[Any]]:
        """The open descriptors of the program: number, O_NONBLOCK, FD_CLOEXEC."""
        found = []
        closed = 0
        for fd in range(3, OURS):
            try:
                flags = fcntl.fcntl(fd, fcntl.F_GETFD)
            except OSError:
                # The kernel gives the lowest number that is free.
                closed += 1
                if closed == GAP:
                    break
                continue
            closed = 0
            nonblocking = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
            found.append([fd, bool(nonblocking), bool(flags & fcntl.FD_CLOEXEC)])
        return found

    def exported(self, names: dict[str, Any]) -> list[str]:
        """The names of the bytearrays that somebody still has a view of."""
        held = []
        for name, value in names.items():
            if type(value) is bytearray:
                try:
                    value.append(0)
                    value.pop()
                except BufferError:
                    held.append(name)
        return held

    def run(self, program: Sequence[str]) -> list[Step]:
        """Runs a program; tells of each step."""
        names = self.names()
        own = set(names)
        self.ports.clear()
        told: list[Step] = []
        before: set[int] = set()
        received: set[int] = set()
        try:
            for line in program:
                told.append(self.step(names, line))
                mine = {name: value for name, value in names.items() if name not in own}
                descriptors = self.descriptors()
                now = {fd for fd, _, _ in descriptors}
                fresh = [[fd, cloexec] for fd, _, cloexec in descriptors if fd not in before]
                if "recvm" in line or "recv_fds" in line:
                    told[-1]["received"] = fresh
                    received.update(fd for fd, _ in fresh)
                received &= now
                before = now
                told[-1]["descriptors"] = [[fd, nb, None if fd in received else ce] for fd, nb, ce in descriptors]
                told[-1]["exported"] = self.exported(mine)
                told[-1]["sockets"] = sorted(
                    (name, self.base.fileno(value), self.base.gettimeout(value))
                    for name, value in mine.items()
                    if isinstance(value, self.base)
                )
        finally:
            self.clear(names)
        return told

    def step(self, names: dict[str, Any], line: str) -> Step:
        """Runs one line: a statement, or an assignment to names."""
        code = compiled(line)
        targets = re.match(r"([a-z]\d+(?:, [a-z]\d+)*) = ", line)
        events: list[Any] = []
        self.warned = []
        self.code = code
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
        try:
            self.events = events
            try:
                exec(code, names)
            finally:
                self.events = None
                self.plan = None
                signal.setitimer(signal.ITIMER_REAL, 0)
            outcome = [self.told(names[name]) for name in targets[1].split(", ")] if targets else None
        except BaseException as failure:
            outcome = self.error(failure)
            # Its frames keep what the step had in its hands.
            failure.__traceback__ = None
        return {"line": line, "outcome": outcome, "events": events, "warnings": self.warned}

    def clear(self, names: dict[str, Any]) -> None:
        """Makes the process as it was before a program."""
        self.warned = []
        for value in list(names.values()):
            if isinstance(value, self.base):
                fd = value.detach()
                if fd >= 0:
                    # A connection that is reset leaves no port behind that waits.
                    with contextlib.suppress(OSError):
                        self.linger(fd)
                        os.close(fd)
            elif isinstance(value, io.IOBase):
                with contextlib.suppress(Exception):
                    value.close()
        names.clear()
        gc.collect()
        os.closerange(3, OURS)
        self.socket.setdefaulttimeout(None)
        self.warned = []
        for entry in os.scandir(self.folder):
            os.unlink(entry)

    def linger(self, fd: int) -> None:
        """SO_LINGER of no time."""
        import _socket

        sock = _socket.socket(fileno=fd)
        try:
            sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            sock.detach()


#: What makes an engine load what it loads at first use. Its events are no part of a program.
WARM_UP = [
    "s0 = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "r0 = s0.getsockname()",
    "s1, s2 = socket.socketpair()",
    "r0 = socket.send_fds(s1, [b'x'], [1])",
    "r0 = socket.recv_fds(s2, 1, 1)",
    "f0 = s1.makefile('rw', encoding='utf-8')",
    "f0.write('x')",
    "f0.close()",
    "f1 = file(b'x')",
    "s1.sendfile(f1)",
    "s3 = socket.create_server(('127.0.0.1', 0))",
    "s3.settimeout(0.001)",
    "s4 = socket.create_connection(s3.getsockname())",
    "s5, a0 = s3.accept()",
    "s5.sendmsg([b''])",
    "r0 = repr(s5)",
    "r0 = socket.getaddrinfo('127.0.0.1', 80)",
    "r0 = socket.getaddrinfo('localhost', 80)",
    "r0 = socket.getnameinfo(('127.0.0.1', 80), 3)",
    "r0 = socket.getfqdn('127.0.0.1')",
    "s6 = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "r0 = s6.getsockname()",
    "r0 = socket.if_nameindex()",
    "r0 = 'é'.encode('idna')",
    "r0 = socket.has_dualstack_ipv6()",
    "warned = s6.dup()",
    "del s6",
]


def main(engine: str, folder: str, given: int, gives: int) -> None:
    """Takes programs from one descriptor and tells of them on another, until there are no more."""
    requests, answers = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, OURS) for fd in (given, gives))
    if engine == "stdlib":
        import socket as module
    else:
        import socketpkg as module  # type: ignore[no-redef]

        assert module.__backend__ == engine
    # A line of a warning's source is looked for on the disk.
    linecache.getline = lambda *_: ""  # type: ignore[assignment]
    os.chdir(folder)
    os.closerange(3, OURS)
    runner = Runner(module, Path(folder))
    for _ in range(2):
        runner.run(WARM_UP)
    gc.collect()
    gc.freeze()
    while True:
        try:
            program = _receive(requests, None)
        except EOFError:
            break
        _send(answers, runner.run(program))


def folder_for_engines() -> Path:
    """An empty folder, with a short name: a socket's path has little room."""
    return Path(tempfile.mkdtemp(prefix="sp"))


def remove(folder: Path) -> None:
    """Removes it."""
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
