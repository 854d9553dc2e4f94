"""What a layer knows of each socket: one record a descriptor, from the call that makes it to the one that closes it."""

from __future__ import annotations

import errno
import itertools
import os
from _thread import get_ident
from typing import Generic, TypeVar

from ._base import Layer, descriptor, discard
from ._names import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set
    from typing import Any, ClassVar

    from ..contract import Syscalls


class Record:
    """A socket as a layer knows it."""

    __slots__ = ("family", "fd", "listening", "local", "number", "peer", "proto", "type")

    def __init__(self, number: int, fd: int, family: int, type: int, proto: int) -> None:
        #: Counts the sockets of the process, from 1.
        self.number: int = number
        self.fd: int = fd
        self.family: int = family
        #: Without flags.
        self.type: int = type & 15
        self.proto: int = proto
        #: Raw addresses, None when they have not been asked for or may have changed.
        self.local: bytes | None = None
        self.peer: bytes | None = None
        self.listening: bool = False


R = TypeVar("R", bound=Record)


class ClosingLayer(Layer):
    """A layer that has something to do before a descriptor is closed (`closes`), or puts another one in its place
    (`Kept`)."""

    ALWAYS: ClassVar[Set[str]] = frozenset({"close"})

    def __init__(self, below: Syscalls) -> None:
        #: The number and the thread of each `Kept` that has not ended, by the id of that.
        self.kept: dict[int, tuple[int, int]] = {}
        self._closing = type("Closing", (Closing,), {"layer": self})
        super().__init__(below)
        os.register_at_fork(after_in_child=self._forget_kept)

    def _forget_kept(self) -> None:
        """In a child after fork there is one thread."""
        for key, (_, thread) in list(self.kept.items()):
            if thread != get_ident():
                del self.kept[key]

    def close(self, fd: int) -> None:
        self._closing(fd)

    def closes(self, closing: Closing) -> None:
        """What the layer does about a close. It may close by ``closing.finish()``, else that is done behind it."""

    def _bind(self) -> None:
        super()._bind()
        # Not as a method: one begins in Python.
        vars(self)["close"] = self._closing


class TrackingLayer(ClosingLayer, Generic[R]):
    """A layer with a record of each socket. What makes and closes sockets it gets also while it is switched off."""

    ALWAYS: ClassVar[Set[str]] = frozenset({"socket", "socketpair", "accept", "accept_many", "dup", "close"})
    RECORD: ClassVar[type[Any]] = Record

    def __init__(self, below: Syscalls) -> None:
        #: By the number of the descriptor. Entries are made and taken out by single, atomic operations.
        self._records: dict[int, R] = {}
        self._numbers = itertools.count(1)
        super().__init__(below)
        self.names: Names = Names(below)
        self._sol_socket = self.names.constants["SOL_SOCKET"]
        self._so_type = self.names.constants["SO_TYPE"]
        self._so_protocol = self.names.constants.get("SO_PROTOCOL", -1)

    # -- records -------------------------------------------------------------------------------------------------

    def born(self, fd: int, family: int, type: int, proto: int) -> R:
        """A new record for a new descriptor."""
        record: R = self.RECORD(next(self._numbers), fd, family, type, proto)
        self._records[fd] = record
        return record

    def record(self, sock: Any) -> R:
        """The record of a socket; one that another module has made is asked what it is."""
        fd = descriptor(sock)
        found = self._records.get(fd)
        return self._adopted(sock, fd) if found is None else found

    def _adopted(self, sock: Any, fd: int) -> R:
        family = kind = proto = 0
        try:
            family = self.names.sockaddr_family(self.below.getsockname(sock))
            kind = self.below.getsockopt_int(sock, self._sol_socket, self._so_type)
            if self._so_protocol >= 0:
                proto = self.below.getsockopt_int(sock, self._sol_socket, self._so_protocol)
        except OSError:
            # Closed, no socket, or a family without such calls: nothing that is worth remembering.
            if not kind:
                unknown: R = self.RECORD(0, fd, family, kind, proto)
                return unknown
        return self.born(fd, family, kind, proto)

    def forget(self, fd: int) -> R | None:
        """Takes the record out, before the descriptor is closed and its number may be another socket's."""
        return self._records.pop(fd, None)

    def locate(self, record: R, sock: Any = None) -> None:
        """Asks for the addresses that are not known."""
        if record.family not in (self.names.AF_INET, self.names.AF_INET6, self.names.AF_UNIX):
            return
        handle = self.borrow(record.fd) if sock is None else sock
        try:
            if record.local is None:
                record.local = self.below.getsockname(handle)
            if record.peer is None and not record.listening:
                record.peer = self.below.getpeername(handle)
        except OSError:
            pass

    def shown(self, record: R) -> str:
        """The descriptor as strace -yy shows it: 5<TCP 127.0.0.1:51276->127.0.0.1:8000>."""
        names = self.names
        if not record.type:
            return str(record.fd)
        text = names.kind(record.family, record.type)
        if record.local is not None and (record.peer is not None or not self._is_empty(record.local)):
            text += f" {names.address(record.local)}"
        if record.peer is not None:
            text += f"->{names.address(record.peer)}"
        return f"{record.fd}<{text}>"

    def _is_empty(self, raw: bytes) -> bool:
        found = self.names.ip(raw)
        return found[1] == 0 and not any(found[0]) if found is not None else len(raw) <= 2

    # -- the calls that make and close sockets -------------------------------------------------------------------

    # The handler of a signal may raise after each call that is made here: what cannot be handed over is closed.

    def socket(self, family: int, type: int, proto: int) -> int:
        fd = self.below.socket(family, type, proto)
        try:
            self.born(fd, family, type, proto)
        except BaseException:
            self.discard(fd)
            raise
        return fd

    def socketpair(self, family: int, type: int, proto: int) -> tuple[int, int]:
        pair = self.below.socketpair(family, type, proto)
        try:
            for fd in pair:
                self.born(fd, family, type, proto)
        except BaseException:
            self.discard(*pair)
            raise
        return pair

    def accept(self, sock: Any, timeout: int) -> tuple[int, bytes]:
        listener = self.record(sock)
        found = self.below.accept(sock, timeout)
        try:
            record = self.born(found[0], listener.family, listener.type, listener.proto)
            record.peer = found[1]
        except BaseException:
            self.discard(found[0])
            raise
        return found

    def accept_many(self, sock: Any, count: int, timeout: int, found: list[tuple[int, bytes]]) -> None:
        # One by one: each of them is to be seen.
        super().accept_many(sock, count, timeout, found)

    def dup(self, fd: int) -> int:
        new = self.below.dup(fd)
        try:
            old = self._records.get(fd)
            if old is not None:
                record = self.born(new, old.family, old.type, old.proto)
                record.local, record.peer, record.listening = old.local, old.peer, old.listening
        except BaseException:
            self.discard(new)
            raise
        return new

    def discard(self, *fds: int) -> None:
        """Closes descriptors that cannot be handed over."""
        for fd in fds:
            self.forget(fd)
            discard(self.below, fd)

    def closes(self, closing: Closing) -> None:
        self.forget(int(closing))


class Closing(int):
    """close(2) of a layer: called with a descriptor, it closes that, whatever handler of a signal raises meanwhile.

    A method would lose the descriptor when a handler raises as its first line is about to run. Here int.__new__, which
    is built in, has the number before any Python runs: where the rest does not come to it, ``__del__`` closes.
    """

    layer: ClassVar[ClosingLayer]
    done: bool = False

    def __init__(self, fd: int) -> None:
        try:
            if not (self.layer.kept and self._leave()):
                self.layer.closes(self)
        finally:
            if not self.done and not (self.layer.kept and self._leave()):
                self.done = True
                self.layer.below.close(self)

    def _leave(self) -> bool:
        """Leaves the close to who keeps the number, if somebody does."""
        kept = self.layer.kept
        for key, (number, _) in list(kept.items()):
            if number == self:
                try:
                    # No handler runs between these two either.
                    del kept[key]
                    self.done = True
                except KeyError:
                    continue  # it has ended meanwhile
                return True
        return False

    def finish(self) -> None:
        """Closes."""
        # No handler runs between these two: there is no call between them.
        self.done = True
        self.layer.below.close(self)

    def __del__(self) -> None:
        if not self.done and not (self.layer.kept and self._leave()):
            self.done = True
            discard(self.layer.below, self)


class Kept:
    """``with Kept(layer, sock) as fd``: the number *fd* stays the socket's, whoever closes the socket meanwhile.

    For a layer that puts another descriptor under the number: between its look at the number and its dup2(2) another
    thread might close the socket, and the number be a stranger's. Nobody waits for anybody, for a close may come from
    the handler of a signal in the midst of this: who closes leaves the close to the end of this, and goes on.

    First the number is noted here, then the socket is asked whether it still has it. Who closes takes the number from
    the socket first, and then looks whether it is noted. So one of the two sees the other. EBADF for a socket that is
    closed. (os.close of a number that was detached goes past all this, as it goes past every call.)
    """

    done: bool = True

    def __init__(self, layer: ClosingLayer, sock: Any) -> None:
        self.layer: ClosingLayer = layer
        self.fd: int = descriptor(sock)
        self._key = id(self)
        noted = self.fd, get_ident()
        # No handler runs between these two: there is no call between them.
        layer.kept[self._key] = noted
        self.done = False
        if self.fd < 0 or descriptor(sock) != self.fd:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def __enter__(self) -> int:
        return self.fd

    def __exit__(self, *exception: object) -> None:
        self._end()

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        if self.done:
            return
        try:
            del self.layer.kept[self._key]
            self.done = True
        except KeyError:
            self.done = True
            # The socket was closed meanwhile. Who did that has been told that it is done.
            try:
                self.layer.close(self.fd)
            except OSError:
                pass


def _place_of(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path.replace("%p", str(os.getpid()))))


def try_lines(path: str) -> None:
    """Raises the OSError that `opened_for_lines` would raise for *path*. What is there stays as it is, and nothing new
    is left there."""
    path = _place_of(path)
    new = not os.path.lexists(path)
    if new or os.path.isfile(path) or os.path.isdir(path):  # others may block, or have a reader who sees it
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
    if new:
        os.unlink(path)


def opened_for_lines(path: str, mark: str) -> int:
    """A descriptor to append to the file *path*, in which ``%p`` stands for the process id. OSError when it cannot be.

    The first process of a family empties the file; *mark* is the variable by which its children know.
    """
    path = _place_of(path)
    known = os.environ.get(mark, "").split(os.pathsep)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    fd = os.open(path, flags if path in known else flags | os.O_TRUNC, 0o600)
    if path not in known:
        os.environ[mark] = os.pathsep.join([*filter(None, known), path])
    return out_of_the_way(fd)


def out_of_the_way(fd: int) -> int:
    """*fd* under a high number, so that the program's own descriptors are those that it would have without us."""
    import fcntl

    for lowest in (500, 100, 20):
        try:
            high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
        except OSError:
            continue
        os.close(fd)
        return high
    return fd
