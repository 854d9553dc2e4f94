"""``trace``: tells each call that a program makes of the network, as strace does, and what it moved.

The calls come from the contract: one that is added there is traced without a change here. What is known of a call
beyond its name is known by the names of its parameters (an ``address`` is shown as an address), and `_MOVES` says which
calls carry data. The schema of the JSON lines is in docs/layers.md.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import weakref
from _socket import inet_ntop
from _thread import allocate_lock, get_ident, get_native_id
from time import localtime, monotonic_ns, strftime, time_ns

from . import _options
from ._base import CALLS, CONTRACT, LayerError
from ._names import is_numeric, printable, quoted
from ._sockets import Closing, Record, TrackingLayer, opened_for_lines, out_of_the_way, try_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType
    from typing import Any, ClassVar

    from ..contract import Syscalls
    from ._options import Option
    from ._pcap import Capture

#: Calls that only compute: nobody outside the process is asked. And one whose parts are told, each by itself.
SILENT = frozenset("constants cmsg_len cmsg_space inet_pton inet_ntop inet_aton close_rights accept_many".split())
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_FILES = "SOCKETPKG_TRACE_FILES"

#: The kinds of data that a call moves: (direction, where the bytes are).
_RESULT, _FIRST_OF_RESULT, _BUFFER, _BUFFERS, _DATA, _ALL_DATA, _GATHERED, _LIST, _LIST_BUFFERS, _LIST_DATA = range(10)
_MOVES: dict[str, tuple[str, int]] = {
    "recv": ("in", _RESULT),
    "recv_into": ("in", _BUFFER),
    "recvfrom": ("in", _FIRST_OF_RESULT),
    "recvfrom_into": ("in", _BUFFER),
    "recvmsg": ("in", _FIRST_OF_RESULT),
    "recvmsg_into": ("in", _BUFFERS),
    "recvmmsg": ("in", _LIST),
    "recvmmsg_into": ("in", _LIST_BUFFERS),
    "recv_segments": ("in", _LIST),
    "send": ("out", _DATA),
    "sendall": ("out", _ALL_DATA),
    "sendto": ("out", _DATA),
    "sendmsg": ("out", _GATHERED),
    "sendmmsg": ("out", _LIST_DATA),
}


class _Seen(Record):
    """A socket with what was moved over it."""

    __slots__ = ("flow", "received", "sent", "started")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.sent: int = 0
        self.received: int = 0
        self.started: int = 0
        self.flow: Any = None


class Call:
    """A call as listeners get it."""

    __slots__ = ("arguments", "error", "name", "result", "socket", "took")

    def __init__(self, name: str, socket: str, arguments: dict[str, str], result: Any, error: Any, took: int) -> None:
        self.name: str = name
        #: What the socket is, as lines show it; empty for a call without one.
        self.socket: str = socket
        #: By the names of the parameters, as lines show them.
        self.arguments: dict[str, str] = arguments
        self.result: Any = result
        #: The exception, None when it went well.
        self.error: Any = error
        #: In nanoseconds.
        self.took: int = took

    def __repr__(self) -> str:
        words = ", ".join(f"{key}={text}" for key, text in self.arguments.items())
        return f"<{self.name}({words}) = {self.result if self.error is None else repr(self.error)}>"


class _Peer:
    """A line of the summary."""

    __slots__ = ("connect", "connections", "errors", "received", "sent", "wait")

    def __init__(self) -> None:
        self.connections: int = 0
        self.sent: int = 0
        self.received: int = 0
        self.connect: int = 0
        self.wait: int = 0
        self.errors: dict[str, int] = {}


class Layer(TrackingLayer[_Seen]):
    """Tells each call: time, arguments by their names, result, time taken."""

    NAME: ClassVar[str] = "trace"
    SUMMARY: ClassVar[str] = "tells each call"
    RECORD = _Seen
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "lines": _options.Option(_options._read_flag, True, "yes or no", "write a line for each call"),
        "file": _options.path("write to this file in place of stderr; %p is the process id"),
        "format": _options.choice(("text", "json"), "text for people, or a JSON object a line"),
        "data": _options.size(48, "how many bytes of the data a line shows"),
        "python": _options.flag("add the line of the program that makes the call"),
        "stuck": _options.number(0, "tell of a call that has waited so many seconds, with the stack of its thread"),
        "summary": _options.flag("at the end, tell of each peer: connections, bytes, times, errors"),
        "signal": _options.text("", "write the summary also when this signal comes, such as USR1"),
        "pcap": _options.path("write what is moved to this pcapng file, for Wireshark; %p is the process id"),
    }

    def __init__(self, below: Syscalls) -> None:
        #: Functions that get a `Call` for each call, in the thread that makes it.
        self.listeners: list[Callable[[Call], object]] = []
        self._lock = allocate_lock()
        self._fd = -1
        self._target: str | None = None
        self._colour = False
        self._capture: Capture | None = None
        self._captured_to = ""
        self._waiting: dict[int, tuple[int, str, str, tuple[Any, ...]]] = {}
        self._watcher_of = 0
        self._peers: dict[str, _Peer] = {}
        self._lookups: dict[str, list[int]] = {}
        self._summing = False
        self._signal = 0
        super().__init__(below)

    # -- options -------------------------------------------------------------------------------------------------

    def configured(self) -> None:
        options = self.options
        # What can be wrong comes first: a file that cannot be written, or a signal that cannot be used, must not leave
        # another file emptied or the lines going to another place.
        for key, current in (("file", self._target or ""), ("pcap", self._captured_to)):
            if options[key] not in ("", current):
                try:
                    try_lines(options[key])
                except OSError as error:
                    raise self._cannot_write(key, error) from error
        if options["signal"]:
            self._listen(options["signal"])
        if options["file"] != self._target:
            self._open(options["file"])
        if options["pcap"] != self._captured_to:
            self._open_capture(options["pcap"])
        if options["summary"] and not self._summing:
            self._summing = True
            itself = weakref.ref(self)
            home = os.getpid()

            def finish() -> None:
                layer = itself()
                if layer is not None and layer.options["summary"] and (os.getpid() == home or layer._peers):
                    layer.write_summary()

            atexit.register(finish)

    def _cannot_write(self, key: str, error: OSError) -> LayerError:
        return LayerError(f"the layer 'trace', option {key!r}: cannot write to {self.options[key]!r}: {error.strerror}")

    def _open(self, path: str) -> None:
        if path:
            try:
                fd = opened_for_lines(path, _FILES)
            except OSError as error:
                raise self._cannot_write("file", error) from error
            colour = False
        else:
            try:
                fd = out_of_the_way(os.dup(2))
                colour = os.isatty(fd) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
            except OSError:
                fd, colour = -1, False  # the program has no stderr
        old, self._fd, self._colour, self._target = self._fd, fd, colour, path
        if old >= 0:
            os.close(old)

    def _open_capture(self, path: str) -> None:
        capture = None
        if path:
            from ._pcap import Capture

            try:
                capture = Capture(path, self.names)
            except OSError as error:
                raise self._cannot_write("pcap", error) from error
        old, self._capture, self._captured_to = self._capture, capture, path
        if old is not None:
            old.close()

    def _listen(self, name: str) -> None:
        import signal

        word = name.upper()
        number = getattr(signal, word if word.startswith("SIG") else f"SIG{word}", None)
        if not isinstance(number, signal.Signals):
            raise LayerError(f"the layer 'trace', option 'signal': there is no signal {name!r}")
        if number != self._signal:
            try:
                signal.signal(number, lambda _number, _frame: self.write_summary())
            except (ValueError, OSError) as error:
                reason = getattr(error, "strerror", None) or error
                text = f"the layer 'trace', option 'signal': the signal {name!r} cannot be used: {reason}"
                raise LayerError(text) from None
            self._signal = number

    # -- a call --------------------------------------------------------------------------------------------------

    def closes(self, closing: Closing) -> None:
        if self._enabled:
            self._call("close", (int(closing),), closing)
        else:
            super().closes(closing)

    def _call(self, name: str, arguments: tuple[Any, ...], closing: Closing | None = None) -> Any:
        """Makes the call *name*, and tells of it."""
        with_socket = _WITH_SOCKET[name]
        record: _Seen | None = None
        if with_socket:
            record = self.record(arguments[0])
        elif name in ("close", "dup"):
            record = self._records.get(arguments[0])
        shown = ""
        if name == "close":
            shown = self.shown(record) if record is not None else str(arguments[0])
        stuck = self.options["stuck"]
        me = 0
        if stuck:
            me = get_ident()
            self._waiting[me] = (monotonic_ns(), name, self.shown(record) if record is not None else "", arguments)
            self._watch()
        error: BaseException | None = None
        result: Any = None
        when = time_ns()
        start = monotonic_ns()
        try:
            if closing is not None:
                super().closes(closing)
                closing.finish()
            elif name in _TRACKED:
                result = getattr(super(), name)(*arguments)
            else:
                result = getattr(self.below, name)(*arguments)
            return result
        except BaseException as failure:
            error = failure
            raise
        finally:
            try:
                took = monotonic_ns() - start
                if stuck:
                    self._waiting.pop(me, None)
                self._tell(name, arguments, record, shown, result, error, when, took)
            except BaseException:
                # The handler of a signal: what was made cannot be handed over.
                if error is None and name in _MAKES:
                    self.discard(
                        *[part for part in (result if isinstance(result, tuple) else (result,)) if type(part) is int]
                    )
                raise
            finally:
                # The traceback of an error keeps this frame.
                del arguments, record, result, error

    def _tell(
        self,
        name: str,
        arguments: tuple[Any, ...],
        record: _Seen | None,
        shown: str,
        result: Any,
        error: BaseException | None,
        when: int,
        took: int,
    ) -> None:
        failed = error is not None
        if record is not None and not failed:
            self._follow(name, arguments, record, result)
        pieces: list[tuple[Any, bytes]] = []
        if name in _MOVES and not failed:
            pieces = _moved(name, arguments, result)
        if record is not None:
            if name in _MOVES or name in ("connect", "accept"):
                self._count(name, arguments, record, pieces, result, error, took)
            if self._capture is not None and not _peeks(name, arguments):
                self._capture.event(self, name, arguments, record, pieces, result, error)
        elif name == "socketpair" and not failed and self._capture is not None:
            self._capture.pair(*(self._records.get(fd) for fd in result))
        elif name in ("getaddrinfo", "gethostbyname"):
            host = arguments[0]
            if host is not None and not is_numeric(host):
                self._lookups.setdefault(printable(host), []).append(took)
        if record is not None and not shown and (self.listeners or self.options["lines"]):
            shown = self.shown(record)
        if self.listeners:
            texts = dict(self._arguments(name, arguments, shown, pieces))
            call = Call(name, shown if record is not None else "", texts, result, error, took)
            for listener in self.listeners:
                listener(call)
        if not self.options["lines"] or self._fd < 0:
            return
        if self.options["format"] == "json":
            self._write(self._as_json(name, arguments, record, shown, pieces, result, error, when, took))
        else:
            self._write(self._as_text(name, arguments, shown, pieces, result, error, when, took))

    def _follow(self, name: str, arguments: tuple[Any, ...], record: _Seen, result: Any) -> None:
        """Keeps what is known of the socket's addresses true."""
        if name == "connect":
            record.local = record.peer = None
            if result in (0, _EINPROGRESS):
                record.peer = arguments[1]
                self.locate(record, arguments[0])
        elif name in ("bind", "listen"):
            record.listening = record.listening or name == "listen"
            record.local = None
            self.locate(record, arguments[0])
        elif name == "accept":
            new = self._records.get(result[0])
            if new is not None:
                self.locate(new)
        elif name not in ("close", "dup") and (record.local is None or (record.peer is None and record.type == 1)):
            self.locate(record, arguments[0])

    # -- lines ---------------------------------------------------------------------------------------------------

    def _write(self, text: str) -> None:
        try:
            os.write(self._fd, text.encode("utf-8", "backslashreplace") + b"\n")
        except OSError:
            pass  # the reader is gone; the program goes on

    def _as_text(
        self,
        name: str,
        arguments: tuple[Any, ...],
        shown: str,
        pieces: list[tuple[Any, bytes]],
        result: Any,
        error: BaseException | None,
        when: int,
        took: int,
    ) -> str:
        seconds, rest = divmod(when, 1_000_000_000)
        head = f"{strftime('%H:%M:%S', localtime(seconds))}.{rest // 1000:06d} {_who()}"
        words = ", ".join(text for _, text in self._arguments(name, arguments, shown, pieces))
        outcome = self.names.error(error) if error is not None else self._result(name, result)
        call = name
        if self._colour:
            call = f"\x1b[1m{name}\x1b[0m"
            if error is not None:
                outcome = f"\x1b[31m{outcome}\x1b[0m"
        where = f" {self._where()}" if self.options["python"] else ""
        return f"{head} {call}({words}) = {outcome} <{took / 1e9:.6f}>{where}"

    def _as_json(
        self,
        name: str,
        arguments: tuple[Any, ...],
        record: _Seen | None,
        shown: str,
        pieces: list[tuple[Any, bytes]],
        result: Any,
        error: BaseException | None,
        when: int,
        took: int,
    ) -> str:
        facts: dict[str, Any] = {"time": when / 1e9, "pid": os.getpid(), "thread": get_native_id(), "call": name}
        if record is not None:
            facts["fd"] = record.fd
            facts["socket"] = record.number
            facts["what"] = shown.partition("<")[2].removesuffix(">")
        facts["arguments"] = {
            key: text
            for key, text in self._arguments(name, arguments, shown, [])
            if key not in ("fd", "sock") or record is None
        }
        if pieces:
            limit = self.options["data"]
            facts["bytes"] = sum(len(data) for data, _ in pieces)
            facts["data"] = [bytes(data[:limit]).decode("latin-1") for data, _ in pieces]
        if error is None:
            facts["result"] = self._result(name, result)
        else:
            facts["error"] = self.names.error(error).removeprefix("-1 ").removeprefix("? ")
        facts["took"] = took / 1e9
        if self.options["python"]:
            facts["where"] = self._where()
        return json.dumps(facts)

    def _arguments(
        self, name: str, arguments: tuple[Any, ...], shown: str, pieces: list[tuple[Any, bytes]]
    ) -> Iterator[tuple[str, str]]:
        """Each argument as (name, text); the data of a receive stands where the kernel would put it."""
        names = self.names
        limit = self.options["data"]
        receives = _MOVES.get(name, ("", 0))[0] == "in"
        level = 0
        put = False
        for key, value in zip(_PARAMETERS[name], arguments, strict=False):
            if key in ("fd", "sock"):
                yield key, shown or str(value)
            elif key == "timeout":
                if value >= 0:
                    yield key, f"timeout={value / 1e9:g}"
            elif key in ("buffer", "buffers", "data") and receives:
                put = True
                yield key, self._data(pieces, limit) if pieces else "..."
            elif key == "data" and isinstance(value, list):
                yield key, self._data(pieces, limit) if pieces else f"[{len(value)} messages]"
            elif key in ("data", "value"):
                yield key, _quoted(value, limit)
            elif key == "buffers":
                yield key, "[" + ", ".join(_quoted(buffer, limit) for buffer in value) + "]"
            elif key in ("bufsize", "count", "nbytes") and receives and not put:
                put = True
                if pieces:
                    yield "data", self._data(pieces, limit)
                yield key, str(value)
            elif key == "address":
                yield key, names.address(value)
            elif key == "addresses":
                yield key, "[" + ", ".join(map(names.address, value)) + "]"
            elif key == "ancillary":
                if value:
                    yield key, self._ancillary(value)
            elif key == "family":
                yield key, names.family(value)
            elif key == "type":
                yield key, names.type(value)
            elif key == "proto" and isinstance(value, int):
                yield key, names.protocol(value)
            elif key == "flags":
                kind = {"getaddrinfo": "ai", "getnameinfo": "ni"}.get(name, "msg")
                yield key, names.flags(kind, value)
            elif key == "level":
                level = value
                yield key, names.level(value)
            elif key == "option":
                yield key, names.option(level, value)
            elif key == "how":
                yield key, names.shutdown(value)
            elif isinstance(value, (bytes, bytearray)):
                yield key, quoted(value, 256)
            else:
                yield key, str(value)

    def _data(self, pieces: list[tuple[Any, bytes]], limit: int) -> str:
        shown = [quoted(data, limit) for data, _ in pieces[:8]]
        if len(shown) == 1:
            return shown[0]
        return "[" + ", ".join(shown) + (", ..." if len(pieces) > 8 else "") + "]"

    def _ancillary(self, items: Any) -> str:
        names = self.names
        words = [f"{names.level(i[0])} {names.control(i[0], i[1])} {_quoted(i[2], 32)}" for i in items]
        return "[" + ", ".join(words) + "]"

    def _result(self, name: str, result: Any) -> str:
        names = self.names
        if result is None:
            return "0"
        if name == "connect":
            if not result:
                return "0"
            return names.error(TimeoutError("timed out") if result < 0 else OSError(result, ""))
        if isinstance(result, int):
            return str(result)
        move = _MOVES.get(name, ("", -1))
        if name == "accept":
            new = self._records.get(result[0])
            return f"{self.shown(new) if new is not None else result[0]} {names.address(result[1])}"
        if name == "socketpair":
            return str(list(result))
        if name in ("getsockname", "getpeername"):
            return names.address(result)
        if move[0] == "in":
            if isinstance(result, bytes):
                return str(len(result))
            count = result[0]
            words = [str([len(x) if isinstance(x, bytes) else x for x in count]) if isinstance(count, list) else ""]
            words[0] = words[0] or str(len(count) if isinstance(count, bytes) else count)
            for part in result[1:]:
                if isinstance(part, bytes):
                    words.append(names.address(part))
                elif isinstance(part, list) and part and isinstance(part[0], bytes):
                    words.append("[" + ", ".join(map(names.address, part)) + "]")
                elif isinstance(part, list) and part and isinstance(part[0], tuple):
                    words.append(self._ancillary(part))
                elif isinstance(part, int) and part:
                    words.append(names.flags("msg", part))
            return " ".join(words)
        if name == "getaddrinfo":
            found = dict.fromkeys(names.address(entry[4]) for entry in result)
            return "[" + ", ".join(found) + "]"
        if name in ("gethostbyname", "gethostbyaddr"):
            shown = [printable(name) for name in (result[0], *result[1])]
            return " ".join([*shown, *(inet_ntop(result[2], packed) for packed in result[3])])
        if isinstance(result, bytes):
            return _quoted(result, 64)
        return printable(repr(result).encode())

    def _where(self) -> str:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<frozen")):
            frame = frame.f_back
        return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"

    # -- what hangs ----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Sees to it that a thread of this process watches the calls that wait."""
        pid = os.getpid()
        if self._watcher_of == pid:
            return
        with self._lock:
            if self._watcher_of == pid:
                return
            self._watcher_of = pid
        from _thread import start_new_thread

        start_new_thread(_watch, (weakref.ref(self), pid))

    def tell_stuck(self, told: set[tuple[int, int]]) -> None:
        """Tells of the calls that wait too long; *told* are those that were told already."""
        import traceback

        limit = self.options["stuck"] * 1e9
        now = monotonic_ns()
        for thread, (start, name, shown, arguments) in list(self._waiting.items()):
            if not limit or now - start < limit or (thread, start) in told:
                continue
            told.add((thread, start))
            frame = sys._current_frames().get(thread)
            stack = [s for s in traceback.extract_stack(frame) if not s.filename.startswith(_PACKAGE)] if frame else []
            seconds = (now - start) / 1e9
            call = f"{name}({', '.join(t for _, t in self._arguments(name, arguments, shown, []))})"
            if self.options["format"] == "json":
                places = [f"{s.filename}:{s.lineno} {s.name}" for s in stack]
                facts = {
                    "time": time_ns() / 1e9,
                    "pid": os.getpid(),
                    "stuck": call,
                    "seconds": seconds,
                    "stack": places,
                }
                self._write(json.dumps(facts))
            else:
                lines = [f"{os.getpid()} stuck: {call} has waited {seconds:.1f} s in"]
                lines += [f"    {s.filename}:{s.lineno} {s.name}: {s.line}" for s in stack]
                self._write("\n".join(lines))

    # -- summary -------------------------------------------------------------------------------------------------

    def _count(
        self,
        name: str,
        arguments: tuple[Any, ...],
        record: _Seen,
        pieces: list[tuple[Any, bytes]],
        result: Any,
        error: BaseException | None,
        took: int,
    ) -> None:
        outward = _MOVES.get(name, ("", 0))[0]
        if name == "accept":
            self._peers_entry(self._peer_name(record, b"")).wait = max(
                took, self._peers_entry(self._peer_name(record, b"")).wait
            )
            if error is None:
                self._peers_entry(self._peer_name(record, b"")).connections += 1
                record = self._records.get(result[0], record)
            return
        if name == "connect":
            peer = self._peers_entry(self.names.address(arguments[1]))
            peer.connections += 1
            peer.connect += took
            if result:
                word = "timed out" if result < 0 else _errorcode(result)
                if word != "EINPROGRESS":
                    peer.errors[word] = peer.errors.get(word, 0) + 1
            return
        if error is not None:
            peer = self._peers_entry(self._peer_name(record, b""))
            word = _errorcode(getattr(error, "errno", None)) or type(error).__name__
            if word != "EAGAIN":
                peer.errors[word] = peer.errors.get(word, 0) + 1
            peer.wait = max(peer.wait, took)
            return
        for data, address in pieces:
            peer = self._peers_entry(self._peer_name(record, address))
            peer.wait = max(peer.wait, took)
            if _peeks(name, arguments):
                continue
            if outward == "out":
                peer.sent += len(data)
                record.sent += len(data)
            else:
                peer.received += len(data)
                record.received += len(data)

    def _peers_entry(self, name: str) -> _Peer:
        found = self._peers.get(name)
        return self._peers.setdefault(name, _Peer()) if found is None else found

    def _peer_name(self, record: _Seen, address: bytes) -> str:
        """What the summary calls the other end: its address, or for connections that were accepted the server's own."""
        if record.listening:
            return f"clients of {self.names.address(record.local or b'')}"
        if record.started < 0 and record.local:
            return f"clients of {self.names.address(record.local)}"
        raw = address or record.peer or b""
        if not raw or self._is_empty(raw):
            return self.names.kind(record.family, record.type)
        return self.names.address(raw)

    def accept(self, sock: Any, timeout: int) -> tuple[int, bytes]:
        if not self._enabled:
            return super().accept(sock, timeout)
        found: tuple[int, bytes] = self._call("accept", (sock, timeout))
        try:
            record = self._records.get(found[0])
            if record is not None:
                record.started = -1
        except BaseException:
            self.discard(found[0])
            raise
        return found

    def summary(self) -> str:
        """What was moved so far: a table for people, at most 80 columns wide."""
        rows = [("peer", "conns", "sent", "received", "connect", "longest", "")]
        for name, peer in sorted(self._peers.items()):
            average = peer.connect / max(peer.connections, 1) if peer.connect else 0
            errors = " ".join(f"{word}:{count}" for word, count in sorted(peer.errors.items()))
            rows.append(
                (
                    name if len(name) <= 32 else name[:14] + "..." + name[-15:],
                    str(peer.connections),
                    _bytes(peer.sent),
                    _bytes(peer.received),
                    _time(average),
                    _time(peer.wait),
                    errors,
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        lines = []
        for row in rows:
            cells = [row[0].ljust(widths[0]), *(row[c].rjust(widths[c]) for c in range(1, 6))]
            lines.append("  ".join(cells).rstrip())
            if row[6]:
                lines.append(f"    errors: {row[6]}")
        for host, times in sorted(self._lookups.items()):
            lines.append(f"resolved {host}: {len(times)} times, {_time(sum(times) / len(times))} on average")
        return "\n".join(lines)

    def write_summary(self) -> None:
        """Writes the summary where the lines go."""
        if self.options["format"] == "json":
            peers = {
                name: {
                    "connections": peer.connections,
                    "sent": peer.sent,
                    "received": peer.received,
                    "connect": peer.connect / 1e9,
                    "longest": peer.wait / 1e9,
                    "errors": peer.errors,
                }
                for name, peer in self._peers.items()
            }
            resolved = {host: {"times": len(t), "took": sum(t) / 1e9} for host, t in self._lookups.items()}
            self._write(
                json.dumps({"time": time_ns() / 1e9, "pid": os.getpid(), "summary": peers, "resolved": resolved})
            )
        else:
            self._write(f"-- summary of {os.getpid()} {'-' * 20}\n{self.summary()}")


def _watch(itself: weakref.ref[Layer], pid: int) -> None:
    """The thread that tells of the calls that wait too long."""
    from time import sleep

    told: set[tuple[int, int]] = set()
    while True:
        layer = itself()
        if layer is None or sys.is_finalizing() or os.getpid() != pid:
            return
        pause = min(max(layer.options["stuck"] / 8, 0.01), 0.25)
        layer.tell_stuck(told)
        if len(told) > 1000:
            told.clear()
        del layer
        sleep(pause)


# -- the calls, from the contract --------------------------------------------------------------------------------------

_PARAMETERS: dict[str, tuple[str, ...]] = {}
_WITH_SOCKET: dict[str, bool] = {}
_TRACKED = TrackingLayer.ALWAYS
_MAKES = _TRACKED - {"close"}


def _traced(name: str) -> Callable[..., Any]:
    if name in _TRACKED:
        tracking = getattr(TrackingLayer, name)

        def call(self: Layer, *arguments: Any) -> Any:
            return self._call(name, arguments) if self._enabled else tracking(self, *arguments)
    else:

        def call(self: Layer, *arguments: Any) -> Any:
            return self._call(name, arguments)

    call.__name__ = name
    call.__doc__ = CONTRACT[name].__doc__
    return call


def _trace_calls() -> None:
    """Gives the layer a method for each call of the contract that is told."""
    for name in CALLS:
        if name not in SILENT:
            code = CONTRACT[name].__code__
            _PARAMETERS[name] = code.co_varnames[1 : code.co_argcount]
            _WITH_SOCKET[name] = _PARAMETERS[name][:1] in (("fd",), ("sock",)) and name not in ("close", "dup")
            if name not in ("accept", "close"):
                setattr(Layer, name, _traced(name))


_trace_calls()


# -- small things ------------------------------------------------------------------------------------------------------

from errno import EINPROGRESS as _EINPROGRESS  # noqa: E402
from errno import errorcode as _errorcodes  # noqa: E402


def _errorcode(number: int | None) -> str:
    return "" if number is None else _errorcodes.get(number, str(number))


def _who() -> str:
    pid, thread = os.getpid(), get_native_id()
    return str(pid) if pid == thread else f"{pid}/{thread}"


def _view(data: Any) -> Any:
    if isinstance(data, bytes):
        return data
    view = memoryview(data)
    return view if view.format == "B" and view.ndim == 1 else view.cast("B") if view.c_contiguous else view.tobytes()


def _quoted(data: Any, limit: int) -> str:
    try:
        return quoted(_view(data), limit)
    except (TypeError, BufferError, ValueError):
        return repr(data)[:limit]  # what the call refused


def _peeks(name: str, arguments: tuple[Any, ...]) -> bool:
    if name in _MOVES:
        flags = arguments[_PARAMETERS[name].index("flags")]
        return bool(flags & _NOT_MOVED)
    return False


#: With these flags (MSG_PEEK, and MSG_ERRQUEUE of Linux) a receive takes nothing off the stream.
_NOT_MOVED = 0x2 | (0x2000 if sys.platform.startswith("linux") else 0)


def _moved(name: str, arguments: tuple[Any, ...], result: Any) -> list[tuple[Any, bytes]]:
    """What a call that went well has moved: (bytes, address) of each message. The bytes are copies where they came into
    the program's own buffer."""
    kind = _MOVES[name][1]
    if kind == _RESULT:
        return [(result, b"")]
    if kind == _FIRST_OF_RESULT:
        return [(result[0], result[-1])]
    if kind == _BUFFER:
        count, address = result if isinstance(result, tuple) else (result, b"")
        return [(bytes(_view(arguments[1])[:count]), address)]
    if kind == _BUFFERS:
        return [(_gathered(arguments[1], result[0]), result[-1])]
    if kind == _DATA:
        return [(_view(arguments[1])[:result], arguments[3] if name == "sendto" else b"")]
    if kind == _ALL_DATA:
        return [(_view(arguments[1]), b"")]
    if kind == _GATHERED:
        return [(_gathered(arguments[1], result), arguments[4])]
    if kind == _LIST:
        if name == "recv_segments":
            return [(data, result[1]) for data in result[0]]
        return list(zip(result[0], result[3], strict=True))
    if kind == _LIST_BUFFERS:
        found = zip(arguments[1], result[0], result[3], strict=False)
        return [(bytes(_view(buffer)[:count]), address) for buffer, count, address in found]
    sent = []
    for data, address in list(zip(arguments[1], arguments[3], strict=True))[:result]:
        sent.append((_gathered(data, sys.maxsize) if isinstance(data, tuple) else _view(data), address))
    return sent


def _gathered(buffers: Any, count: int) -> bytes:
    parts = []
    for buffer in buffers:
        view = _view(buffer)
        part = bytes(view[:count])
        parts.append(part)
        count -= len(part)
        if count <= 0:
            break
    return b"".join(parts)


def _bytes(number: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 10000:
            return f"{number} {unit}"
        number //= 1024
    return f"{number} GiB"


def _time(nanoseconds: float) -> str:
    if not nanoseconds:
        return "-"
    if nanoseconds < 1e6:
        return f"{nanoseconds / 1e3:.0f} us"
    return f"{nanoseconds / 1e6:.1f} ms" if nanoseconds < 1e9 else f"{nanoseconds / 1e9:.2f} s"
