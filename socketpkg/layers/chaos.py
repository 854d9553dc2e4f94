"""``chaos``: does to a program what the network may do to it, from a seed.

Two kinds, and the difference is the point. *Legal* is what a correct kernel may do at any time: a receive that brings
less, a send that takes less, a readiness that turns out to be none, datagrams that are lost, doubled or late, a
connection that was aborted before it is accepted, time that passes. A correct program does not notice. *Faults* are
what breaks: connections refused or reset, no descriptors, no buffers, names that do not resolve.

Every decision comes from the seed, for each socket and each direction in the order of its own calls. A socket is known
by the line of the program that made it and how often that line had made one, and one that was accepted by its listener,
so that threads do not shift each other's faults.
"""

from __future__ import annotations

import errno
import os
import sys
from _random import Random as _Random
from _socket import gaierror
from _thread import RLock, allocate_lock, get_ident, start_new_thread
from time import monotonic_ns, sleep

from . import _options
from ._base import CALLS, CONTRACT, LayerError, descriptor
from ._base import Layer as _Layer
from ._sockets import Kept, Record, TrackingLayer, opened_for_lines, out_of_the_way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any, ClassVar, NoReturn

    from ..contract import Syscalls
    from ._options import Option

#: What a correct kernel may do, and how often it is done at the rate 1.
LEGAL = {
    "short-read": 0.5,
    "short-write": 0.5,
    "split": 0.4,
    "again": 0.2,
    "aborted": 0.1,
    "lost": 0.05,
    "doubled": 0.05,
    "late": 0.15,
    "delay": 0.05,
    "slow-connect": 0.2,
}
#: What breaks.
FAULTS = {
    "refused": 0.2,
    "timed-out": 0.1,
    "reset": 0.2,
    "eof": 0.1,
    "half-closed": 0.1,
    "no-descriptors": 0.05,
    "no-buffers": 0.02,
    "no-name": 0.2,
    "slow-name": 0.2,
}
KINDS = {**LEGAL, **FAULTS}
_FILES = "SOCKETPKG_CHAOS_FILES"
#: poll(2)'s: there is something to accept. It is 1 on every system.
_POLLIN = 0x001
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
#: The longest that a legal delay lasts, in seconds, and that a datagram is late.
DELAY = 0.005
LATE = 0.03
#: The largest payload of a UDP datagram over IPv4: more is an error that must show.
_DATAGRAM_MAX = 65507


class Dice:
    """Random numbers that only the seed and a name decide, on every Python and machine."""

    __slots__ = ("_random",)

    def __init__(self, seed: str) -> None:
        number = 0xCBF29CE484222325
        for byte in seed.encode("utf-8", "backslashreplace"):  # FNV-1a: what hash() gives differs from run to run
            number = (number ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        self._random = _Random(number)

    def chance(self) -> float:
        """From 0 to 1, without 1."""
        return self._random.random()

    def below(self, size: int) -> int:
        """A size from 1 to *size* - 1, where small ones are as likely as large ones."""
        bits = 1 + int(self.chance() * (size - 1).bit_length())
        return 1 + int(self.chance() * min((1 << bits) - 1, size - 1))


class _Shaken(Record):
    """A socket with its dice and what has been done to it."""

    __slots__ = (
        *("accepted", "bytes_left", "calls", "dice", "end", "eof", "half", "held", "identity", "last", "real", "reset"),
    )

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.identity: str = ""
        self.dice: dict[str, Dice] = {}
        #: Calls by name, for the report.
        self.calls: dict[str, int] = {}
        #: What was done last by kind of call: a false readiness does not come twice in a row.
        self.last: dict[str, str] = {}
        self.accepted: int = 0
        #: Datagrams that are late: (data, flags, address).
        self.held: list[tuple[bytes, int, bytes]] = []
        #: How many bytes may pass before a reset; -1 for ever, None not thrown yet.
        self.bytes_left: int | None = None
        self.reset: int = 0
        self.eof: bool = False
        #: The sending half was closed.
        self.half: bool = False
        #: With a relay: a descriptor of the connection, and the relay's end of what the program has in its place.
        self.real: int = -1
        self.end: int = -1


def _kinds(text: str) -> frozenset[str]:
    chosen: set[str] = set()
    for word in text.replace("|", "+").split("+"):
        if word in ("legal", "faults"):
            chosen |= set(LEGAL if word == "legal" else FAULTS)
        elif word.removeprefix("-") in KINDS:
            chosen = chosen - {word[1:]} if word.startswith("-") else chosen | {word}
        else:
            error = ValueError(f"{word!r} is no kind; the kinds are legal ({', '.join(LEGAL)}) and faults"
                               f" ({', '.join(FAULTS)})")  # fmt: skip
            error.explains = True  # type: ignore[attr-defined]
            raise error
    return frozenset(chosen)


class Layer(TrackingLayer[_Shaken]):
    """Does what the network may do, from a seed."""

    NAME: ClassVar[str] = "chaos"
    SUMMARY: ClassVar[str] = "does what the network may do, from a seed"
    RECORD = _Shaken
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "seed": _options.integer(0, "where all decisions come from"),
        "kinds": _options.Option(
            _kinds, frozenset(LEGAL), "kinds joined by +", "legal, faults, single kinds, joined by +; -KIND is without"
        ),
        "rate": _options.number(1, "how often in relation to the usual", 0, 100),
        "latency": _options.number(0, "how many milliseconds data on TCP connections takes more, each way", 0, 60_000),
        "bandwidth": _options.size(0, "how many bytes a second TCP connections carry each way, 0 for all they can"),
        "log": _options.path("write each thing done to this file; %p is the process id"),
        "verbose": _options.flag("write each thing done to stderr"),
    }

    def __init__(self, below: Syscalls) -> None:
        self._fd = -1
        self._target = ""
        self._places: dict[str, int] = {}
        self._lookups: dict[str, Dice] = {}
        self._late: list[tuple[int, _Shaken]] = []
        self._late_lock = allocate_lock()
        self._late_thread = 0
        self._relay: Any = None
        #: Descriptors of the program by the relay's ends.
        self._ends: dict[int, int] = {}
        self._ends_lock = RLock()
        #: How many things were done.
        self.done: int = 0
        super().__init__(below)
        names = self.names.constants
        self._dontwait = names.get("MSG_DONTWAIT", 0)
        #: With these flags a receive means something else than to take what is there.
        self._exact = sum(names.get(f"MSG_{n}", 0) for n in ("WAITALL", "OOB", "ERRQUEUE", "TRUNC", "PEEK"))
        self._whole = sum(names.get(f"MSG_{n}", 0) for n in ("OOB", "ZEROCOPY", "FASTOPEN"))

    # -- options -------------------------------------------------------------------------------------------------

    def configured(self) -> None:
        target = self.options["log"] or ("stderr" if self.options["verbose"] else "")
        if target != self._target:
            fd = -1
            try:
                if self.options["log"]:
                    fd = opened_for_lines(target, _FILES)
                elif target:
                    fd = out_of_the_way(os.dup(2))
            except OSError as error:
                if self.options["log"]:
                    text = f"the layer 'chaos', option 'log': cannot write to {target!r}: {error.strerror}"
                    raise LayerError(text) from error
            old, self._fd, self._target = self._fd, fd, target
            if old >= 0:
                os.close(old)

    def restart(self, seed: int) -> None:
        """Begins anew with another seed, and forgets what it has counted: for many seeds in one process."""
        self.configure(seed=seed)
        self._places.clear()
        self._lookups.clear()

    # -- deciding ------------------------------------------------------------------------------------------------

    def born(self, fd: int, family: int, type: int, proto: int) -> _Shaken:
        old = self._records.get(fd)
        if old is not None:
            self._without_relay(old)  # closed by others
        record = super().born(fd, family, type, proto)
        place = _place() + _thread_name()
        count = self._places[place] = self._places.get(place, 0) + 1
        record.identity = f"{place}#{count}"
        return record

    def _dice(self, record: _Shaken, direction: str) -> Dice:
        found = record.dice.get(direction)
        if found is None:
            found = record.dice[direction] = Dice(f"{self.options['seed']}/{record.identity}/{direction}")
        return found

    def _happens(self, record: _Shaken, direction: str, *kinds: str) -> str:
        """Which of *kinds* happens to this call, empty for none. The same number of throws whatever it is."""
        dice = self._dice(record, direction)
        rate = self.options["rate"]
        chosen = self.options["kinds"]
        happening = ""
        for kind in kinds:
            thrown = dice.chance()
            if kind in chosen and not happening and thrown < KINDS[kind] * rate:
                happening = kind
        return happening

    def _again(self, record: _Shaken, direction: str, flags: int, timeout: int) -> None:
        """A readiness that turns out to be none, but never twice: a program that polls gets on."""
        if timeout and not flags & self._dontwait:
            if (timeout < 0 or timeout > 50_000_000) and self._happens(record, direction, "delay"):
                seconds = self._dice(record, direction).chance() * DELAY
                self._tell(record, direction, f"{seconds * 1000:.1f} ms late")
                sleep(seconds)
            return
        if self._happens(record, direction, "again") and record.last.get(direction) != "again":
            record.last[direction] = "again"
            self._tell(record, direction, "EAGAIN")
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        record.last[direction] = ""

    def _tell(self, record: _Shaken | None, call: str, what: str) -> None:
        self.done += 1
        if self._fd < 0:
            return
        text = f"chaos: seed {self.options['seed']}, "
        if record is not None:
            if record.local is None or record.peer is None:
                self.locate(record)
            shown = self.shown(record).partition("<")[2].removesuffix(">") or str(record.fd)
            text += f"socket {record.identity} ({shown}), "
            if call in record.calls:
                call += f" #{record.calls[call]}"
        text += f"{call}: {what}, {_place()}\n"
        try:
            os.write(self._fd, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass

    def _counted(self, sock: Any, call: str) -> _Shaken:
        record = self.record(sock)
        record.calls[call] = record.calls.get(call, 0) + 1
        return record

    def _is_stream(self, record: _Shaken) -> bool:
        return record.type == self.names.SOCK_STREAM

    # -- receiving -----------------------------------------------------------------------------------------------

    def _receives(self, sock: Any, call: str, size: int, flags: int, timeout: int) -> int:
        """How much a receive may bring at most; -1 when it brings the end of the stream. Raises what happens to it."""
        record = self._counted(sock, call)
        if record.reset or record.eof:
            self._broken(record, "in")
            return -1
        if flags & self._exact or size < 1:
            return size
        stream = self._is_stream(record)
        if stream and record.peer is None:
            self.locate(record, sock)
        if stream and record.peer is not None:
            self._breaks(record, sock, "in", size)
            if self._happens(record, "in", "eof"):
                record.eof = True
                self._tell(record, call, "the end of the stream")
                return -1
        if record.peer is not None or not stream:  # else the kernel says ENOTCONN
            self._again(record, "in", flags, timeout)
        if stream and size > 1 and self._happens(record, "in", "short-read"):
            less = self._dice(record, "in").below(size)
            self._tell(record, call, f"{less} of {size} bytes at most")
            return less
        return size

    def recv(self, sock: Any, bufsize: int, flags: int, timeout: int) -> bytes:
        size = self._receives(sock, "recv", bufsize, flags, timeout)
        return b"" if size < 0 else self.below.recv(sock, size, flags, timeout)

    def recv_into(self, sock: Any, buffer: Any, nbytes: int, flags: int, timeout: int) -> int:
        room = _size(buffer)
        if room < 0 or nbytes > room:
            return self.below.recv_into(sock, buffer, nbytes, flags, timeout)
        size = self._receives(sock, "recv_into", nbytes or room, flags, timeout)
        if size < 0:
            return 0
        return self.below.recv_into(sock, buffer, nbytes if size == (nbytes or room) else size, flags, timeout)

    def recvfrom(self, sock: Any, bufsize: int, flags: int, timeout: int) -> tuple[bytes, bytes]:
        size = self._receives(sock, "recvfrom", bufsize, flags, timeout)
        return (b"", b"") if size < 0 else self.below.recvfrom(sock, size, flags, timeout)

    def recvfrom_into(self, sock: Any, buffer: Any, nbytes: int, flags: int, timeout: int) -> tuple[int, bytes]:
        room = _size(buffer)
        if room < 0 or nbytes > room:
            return self.below.recvfrom_into(sock, buffer, nbytes, flags, timeout)
        size = self._receives(sock, "recvfrom_into", nbytes or room, flags, timeout)
        if size < 0:
            return 0, b""
        return self.below.recvfrom_into(sock, buffer, nbytes if size == (nbytes or room) else size, flags, timeout)

    def recvmsg(self, sock: Any, bufsize: int, ancbufsize: int, flags: int, timeout: int) -> Any:
        size = self._receives(sock, "recvmsg", bufsize, flags, timeout)
        return (b"", [], 0, b"") if size < 0 else self.below.recvmsg(sock, size, ancbufsize, flags, timeout)

    def recvmsg_into(self, sock: Any, buffers: tuple[Any, ...], ancbufsize: int, flags: int, timeout: int) -> Any:
        room = _size(buffers[0]) if buffers else -1
        size = self._receives(sock, "recvmsg_into", room, flags, timeout)
        if size < 0 and room >= 0:
            return 0, [], 0, b""
        if size < room:
            with memoryview(buffers[0]) as view, view.cast("B") as octets, octets[:size] as part:
                return self.below.recvmsg_into(sock, (part,), ancbufsize, flags, timeout)
        return self.below.recvmsg_into(sock, buffers, ancbufsize, flags, timeout)

    # -- sending -------------------------------------------------------------------------------------------------

    def _sends(self, sock: Any, call: str, size: int, flags: int, timeout: int) -> int:
        """How much of a send on a stream is taken. Raises what happens to it."""
        record = self._counted(sock, call)
        if record.reset:
            self._broken(record, "out")
        if not self._is_stream(record) or flags & self._whole or size < 1:
            return size
        if record.peer is None:
            self.locate(record, sock)
        if record.peer is not None:
            self._breaks(record, sock, "out", size)
            if record.half or self._happens(record, "half", "half-closed"):
                if not record.half:
                    record.half = True
                    self._tell(record, call, "the sending half is closed")
                    self.below.shutdown(sock, 1)
                _raise(errno.EPIPE)
            if self._happens(record, "out", "no-buffers"):
                self._tell(record, call, "ENOBUFS")
                raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        # A UNIX socket with room takes what it is given. Event loops wake themselves with a byte and take EAGAIN for
        # "one is on its way already".
        roomy = not timeout and record.family == self.names.AF_UNIX
        if (call != "sendall" or timeout) and not roomy and record.peer is not None:
            self._again(record, "out", flags, timeout)
        kind = "split" if call == "sendall" else "short-write"
        if size > 1 and self._happens(record, "out", kind):
            less = self._dice(record, "out").below(size)
            self._tell(record, call, f"{less} of {size} bytes" + (" first" if call == "sendall" else ""))
            return less
        return size

    def send(self, sock: Any, data: Any, flags: int, timeout: int) -> int:
        size = _size(data)
        if size < 0:
            return self.below.send(sock, data, flags, timeout)
        record = self.record(sock)
        if self._is_datagram(record):
            return self._datagram(sock, record, "send", data, size, flags, b"", timeout)
        less = self._sends(sock, "send", size, flags, timeout)
        if less == size:
            return self.below.send(sock, data, flags, timeout)
        with memoryview(data) as view, view.cast("B") as octets, octets[:less] as part:
            return self.below.send(sock, part, flags, timeout)

    def sendall(self, sock: Any, data: Any, flags: int, timeout: int) -> None:
        size = _size(data)
        if size < 0:
            return self.below.sendall(sock, data, flags, timeout)
        sent = 0
        try:
            less = self._sends(sock, "sendall", size, flags, timeout)
            if less == size or not timeout:
                return self.below.sendall(sock, data, flags, timeout)
            start = monotonic_ns()
            with memoryview(data) as view, view.cast("B") as octets:
                with octets[:less] as part:
                    self.below.sendall(sock, part, flags, timeout)
                sent = less
                if timeout > 0:
                    timeout = max(timeout - (monotonic_ns() - start), 1)
                with octets[less:] as part:
                    self.below.sendall(sock, part, flags, timeout)
        except BaseException as failure:
            # The error says how much was sent, of both parts.
            if sent or isinstance(failure, OSError):
                failure.characters_written = sent + getattr(failure, "characters_written", 0)  # type: ignore[attr-defined]
            raise
        return None

    def sendto(self, sock: Any, data: Any, flags: int, address: bytes, timeout: int) -> int:
        size = _size(data)
        record = self.record(sock)
        if size >= 0 and self._is_datagram(record):
            return self._datagram(sock, record, "sendto", data, size, flags, address, timeout)
        return self.below.sendto(sock, data, flags, address, timeout)

    def sendmsg(
        self, sock: Any, buffers: tuple[Any, ...], ancillary: Any, flags: int, address: bytes, timeout: int
    ) -> int:
        sizes = [_size(buffer) for buffer in buffers]
        record = self.record(sock)
        if not sizes or min(sizes) < 0 or (ancillary and not self._is_stream(record)):
            return self.below.sendmsg(sock, buffers, ancillary, flags, address, timeout)
        size = sum(sizes)
        if self._is_datagram(record):
            if len(buffers) == 1:
                return self._datagram(sock, record, "sendmsg", buffers[0], size, flags, address, timeout)
            return self.below.sendmsg(sock, buffers, ancillary, flags, address, timeout)
        less = self._sends(sock, "sendmsg", size, flags, timeout)
        if less < size and not ancillary:
            parts = []
            for buffer, length in zip(buffers, sizes, strict=True):
                with memoryview(buffer) as view, view.cast("B") as octets:
                    parts.append(bytes(octets[: min(length, less)]))
                less -= min(length, less)
                if not less:
                    break
            buffers = tuple(parts)
        return self.below.sendmsg(sock, buffers, ancillary, flags, address, timeout)

    # -- datagrams -----------------------------------------------------------------------------------------------

    def _is_datagram(self, record: _Shaken) -> bool:
        """Whether what it sends may be lost: those of AF_UNIX may not."""
        return record.type == self.names.SOCK_DGRAM and record.family in (self.names.AF_INET, self.names.AF_INET6)

    def _datagram(
        self, sock: Any, record: _Shaken, call: str, data: Any, size: int, flags: int, address: bytes, timeout: int
    ) -> int:
        self._counted(sock, call)
        happens = self._happens(record, "out", "lost", "doubled", "late") if 0 < size <= _DATAGRAM_MAX else ""
        reaches = bool(address) or self._has_peer(record, sock)
        if happens and reaches and not flags & ~self._dontwait:
            self._tell(record, call, f"a datagram of {size} bytes is {happens}")
            if happens == "lost":
                return size
            if happens == "late":
                self._hold(record, bytes(data), flags, address)
                return size
            self._deliver(sock, bytes(data), flags, address, 0)
        sent = self._deliver(sock, data, flags, address, timeout)
        self._release(record)
        return sent

    def _has_peer(self, record: _Shaken, sock: Any) -> bool:
        record.peer = None
        self.locate(record, sock)
        return record.peer is not None

    def _deliver(self, sock: Any, data: Any, flags: int, address: bytes, timeout: int) -> int:
        if address:
            return self.below.sendto(sock, data, flags, address, timeout)
        return self.below.send(sock, data, flags, timeout)

    def _hold(self, record: _Shaken, data: bytes, flags: int, address: bytes) -> None:
        with self._late_lock:
            record.held.append((data, flags, address))
            self._late.append((monotonic_ns() + int(LATE * 1e9), record))
            if self._late_thread != os.getpid():
                self._late_thread = os.getpid()
                start_new_thread(self._run_late, (os.getpid(),))

    def _release(self, record: _Shaken) -> None:
        """Sends the late datagrams of a socket, after one that was sent later."""
        with self._late_lock:
            held, record.held = record.held, []
            for data, flags, address in held:
                # In the lock, so that the socket is not closed meanwhile; it cannot block.
                try:
                    self._deliver(self.borrow(record.fd), data, flags | self._dontwait, address, 0)
                except OSError:
                    pass  # a datagram may be lost

    def _run_late(self, pid: int) -> None:
        while os.getpid() == pid and not sys.is_finalizing():
            with self._late_lock:
                if not self._late:
                    self._late_thread = 0
                    return
                when, record = self._late.pop(0)
            sleep(max(when - monotonic_ns(), 0) / 1e9)
            self._release(record)

    def forget(self, fd: int) -> _Shaken | None:
        record = super().forget(fd)
        if record is not None:
            if record.held:
                self._release(record)
            self._without_relay(record)
        return record

    # -- the relay -----------------------------------------------------------------------------------------------

    def _relayed(self, sock: Any, record: _Shaken, connecting: bool) -> None:
        """Lets what goes over a new connection pass the relay, if there is latency or bandwidth."""
        latency, rate = int(self.options["latency"] * 1e6), self.options["bandwidth"]
        if not (latency or rate) or record.family not in (self.names.AF_INET, self.names.AF_INET6):
            return
        if self._relay is None:
            from ._relay import Relay

            bottom: Syscalls = self.below
            while isinstance(bottom, _Layer):
                bottom = bottom.below
            self._relay = Relay(bottom, self.borrow, self.names.constants, self._was_reset)
        with Kept(self, sock) as fd:
            record.real, record.end = self._relay.take(fd, latency, rate, connecting)
            self._ends[record.end] = fd

    def _was_reset(self, end: int) -> None:
        """Called by the relay, in its thread, before it closes *end*: unread data there makes a reset of it."""
        with self._ends_lock:
            fd = self._ends.pop(end, -1)
            if fd >= 0:
                try:
                    self.below.send(self.borrow(fd), b"x", 0, 0)
                except OSError:
                    pass  # it is full, which is as good; or the program sends nothing more, and gets the end

    def _without_relay(self, record: _Shaken) -> None:
        with self._ends_lock:
            self._ends.pop(record.end, None)
        real, record.real = record.real, -1
        if real >= 0:
            os.close(real)

    def _connection(self, sock: Any) -> Any:
        """What stands for the connection of a socket: the socket, or behind a relay another descriptor."""
        record = self._records.get(descriptor(sock))
        return sock if record is None or record.real < 0 else self.borrow(record.real)

    def locate(self, record: _Shaken, sock: Any = None) -> None:
        super().locate(record, sock if record.real < 0 else self.borrow(record.real))

    def dup(self, fd: int) -> int:
        new = super().dup(fd)
        try:
            old, record = self._records.get(fd), self._records.get(new)
            if old is not None and record is not None and old.real >= 0:
                record.real = os.dup(old.real)
        except BaseException:
            self.discard(new)
            raise
        return new

    # -- connecting ----------------------------------------------------------------------------------------------

    def connect(self, sock: Any, address: bytes, timeout: int) -> int:
        record = self._counted(sock, "connect")
        record.local = record.peer = None
        if not self._is_stream(record):
            return self.below.connect(sock, address, timeout)
        happens = self._happens(record, "connect", "refused", "timed-out", "slow-connect")
        if happens == "refused":
            self._tell(record, "connect", "ECONNREFUSED")
            return errno.ECONNREFUSED
        if happens == "timed-out":
            self._tell(record, "connect", "ETIMEDOUT")
            return errno.ETIMEDOUT
        if happens and (timeout < 0 or timeout > 100_000_000):
            seconds = self._dice(record, "connect").chance() * DELAY * 4
            self._tell(record, "connect", f"takes {seconds * 1000:.1f} ms more")
            sleep(seconds)
            if timeout > 0:
                timeout -= int(seconds * 1e9)
        known = record.real >= 0
        status = self.below.connect(self._connection(sock), address, timeout)
        if not known and status in (0, errno.EINPROGRESS):
            self._relayed(sock, record, status != 0)
            if record.real >= 0 and not status:
                sleep(
                    2 * self.options["latency"] / 1000
                    if timeout < 0
                    else min(2 * self.options["latency"] / 1000, timeout / 1e9)
                )
        return status

    def accept(self, sock: Any, timeout: int) -> tuple[int, bytes]:
        if not self._enabled:
            return super().accept(sock, timeout)
        record = self._counted(sock, "accept")
        self._again(record, "accept", 0, timeout)
        happens = self._happens(record, "accept", "aborted", "no-descriptors")
        if happens == "aborted" and not self._somebody_waits(sock, timeout):
            # No connection, so none that was aborted: the kernel says that, or that the time is up.
            return super().accept(sock, min(timeout, 1) if timeout > 0 else timeout)
        if happens and record.last.get("abort") != "1":
            record.last["abort"] = "1"
            number = errno.ECONNABORTED if happens == "aborted" else errno.EMFILE
            self._tell(record, "accept", errno.errorcode[number])
            # The connection stays: this one was aborted by an unknown peer.
            raise OSError(number, os.strerror(number))
        record.last["abort"] = ""
        found = super().accept(sock, timeout)
        try:
            new = self._records.get(found[0])
            if new is not None:
                record.accepted += 1
                new.identity = f"{record.identity}/{record.accepted}"
                new.dice.clear()
                self._relayed(self.borrow(found[0]), new, False)
        except BaseException:
            self.discard(found[0])
            raise
        return found

    def _somebody_waits(self, sock: Any, timeout: int) -> bool:
        """Whether there is a connection to accept before the time is up; not when the listener was shut down."""
        ready = self.below.poll([(descriptor(sock), _POLLIN)], timeout)
        return [events for _, events in ready] == [_POLLIN]

    def socket(self, family: int, type: int, proto: int) -> int:
        fd = super().socket(family, type, proto)
        try:
            record = self._records.get(fd) if self._enabled else None
            if record is not None and self._happens(record, "socket", "no-descriptors"):
                self._tell(record, "socket", "EMFILE")
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        except BaseException:
            self.discard(fd)
            raise
        return fd

    # -- what breaks ---------------------------------------------------------------------------------------------

    def _breaks(self, record: _Shaken, sock: Any, direction: str, size: int) -> None:
        """Lets bytes pass until the connection is reset, if it ever is."""
        if "reset" not in self.options["kinds"]:
            return
        if record.bytes_left is None:
            dice = self._dice(record, "reset")
            thrown, left = dice.chance(), dice.below(65536)
            record.bytes_left = left if thrown < FAULTS["reset"] * self.options["rate"] else -1
        if record.bytes_left < 0:
            return
        record.bytes_left -= min(size, record.bytes_left + 1)
        if record.bytes_left < 0:
            self._tell(record, "recv" if direction == "in" else "send", "the connection is reset")
            record.reset = 1
            try:
                # connect(2) to AF_UNSPEC takes a TCP connection down with a RST: the peer sees it too.
                self.below.connect(self._connection(sock), bytes(16), 0)
            except OSError:
                pass
            self._broken(record, direction)

    def _broken(self, record: _Shaken, direction: str) -> None:
        """What the kernel gives on a connection that was reset: the error once, then the end, and EPIPE."""
        if not record.reset:
            return
        first, record.reset = record.reset == 1, 2
        if first:
            _raise(errno.ECONNRESET)
        if direction == "out":
            _raise(errno.EPIPE)

    def getaddrinfo(
        self, host: bytes | None, service: bytes | None, family: int, type: int, proto: int, flags: int
    ) -> list[tuple[int, int, int, bytes, bytes]]:
        from ._names import is_numeric

        if host and not is_numeric(host):
            name = host.decode("utf-8", "backslashreplace")
            dice = self._lookups.get(name)
            if dice is None:
                dice = self._lookups[name] = Dice(f"{self.options['seed']}/name/{name}")
            fails, slow, which = dice.chance(), dice.chance(), dice.chance()
            rate, chosen = self.options["rate"], self.options["kinds"]
            if "slow-name" in chosen and slow < FAULTS["slow-name"] * rate:
                self._tell(None, f"getaddrinfo {name}", "200 ms late")
                sleep(0.2)
            if "no-name" in chosen and fails < FAULTS["no-name"] * rate:
                word = "EAI_NONAME" if which < 0.5 else "EAI_AGAIN"
                self._tell(None, f"getaddrinfo {name}", word)
                text = "Name or service not known" if which < 0.5 else "Temporary failure in name resolution"
                raise gaierror(self.names.constants[word], text)
        return self.below.getaddrinfo(host, service, family, type, proto, flags)


def _about_the_connection(name: str) -> Any:
    """A call of the contract about the connection itself, which may stand behind a relay."""

    def call(self: Layer, sock: Any, *arguments: Any) -> Any:
        return getattr(self.below, name)(self._connection(sock), *arguments)

    call.__name__ = name
    call.__doc__ = CONTRACT[name].__doc__
    return call


for _name in CALLS:
    if _name.startswith(("getsock", "setsock", "getpeer")):
        setattr(Layer, _name, _about_the_connection(_name))


def _raise(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


def _size(buffer: Any) -> int:
    """How many bytes a buffer has; -1 for an object without a buffer, or one in pieces."""
    if type(buffer) is bytes:
        return len(buffer)
    try:
        with memoryview(buffer) as view:
            return view.nbytes if view.c_contiguous and view.ndim == 1 and len(view.format) == 1 else -1
    except (TypeError, BufferError, ValueError):
        return -1


def _thread_name() -> str:
    """The name of a thread that is not the main one: threads that make sockets at one line do not shift each other."""
    threading: Any = sys.modules.get("threading")
    if threading is None:
        return ""
    thread = threading._active.get(get_ident())
    return "" if thread is None or thread is threading.main_thread() else f"[{thread.name}]"


def _place() -> str:
    """The file and line of the program that makes the call."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<frozen")):
        frame = frame.f_back
    return "?" if frame is None else f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
