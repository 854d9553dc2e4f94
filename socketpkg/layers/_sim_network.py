"""The network that ``sim`` puts sockets in: a folder that only its user can enter, and what is where in it.

``t/8000/`` and ``u/8000/`` hold the UNIX sockets that are bound to a port of TCP and UDP, ``h/`` the hosts by address,
``l/`` the links that are not as they were, ``r/`` the connections that were reset. The files are what processes share;
everything else the kernel keeps with the sockets.

Every process of a network holds a shared lock on its file ``alive``. A folder whose lock nobody holds is left behind by
programs that were killed: the next one removes it.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import os
import random
import shutil
import stat
from _thread import allocate_lock
from contextlib import contextmanager
from typing import NamedTuple

from ._names import Names
from ._options import LayerError
from ._sim_names import (
    ANY6,
    Bound,
    Codec,
    Endpoint,
    covers,
    error,
    is_v4,
    long,
    number,
    overlap,
    short,
)
from ._sockets import out_of_the_way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Where a program without a named network finds that of its parent.
INHERITED = "SOCKETPKG_SIM_FOLDER"
#: The longest folder: the name of a socket has to fit behind it into a sockaddr_un.
LONGEST = 55
#: Ports that connect and bind choose of (ip_local_port_range).
EPHEMERAL = range(32768, 61000)
#: How many files a process makes before it looks for those that nobody needs.
SWEEP = 512


class Link(NamedTuple):
    """The link between two hosts."""

    #: Nothing passes.
    cut: bool = False
    #: Milliseconds each way, and bytes a second each way; 0 is none and no limit.
    latency: float = 0.0
    bandwidth: int = 0
    #: How many of the datagrams are lost, and how many come late, behind others, from 0 to 1.
    loss: float = 0.0
    reorder: float = 0.0

    def __str__(self) -> str:
        changed = [f"{key}={value:g}" for key, value in self._asdict().items() if value != getattr(WHOLE, key)]
        return " ".join(changed)

    @classmethod
    def parse(cls, text: str) -> Link:
        """What `str` has made of one. ValueError for another text."""
        values = dict(word.split("=", 1) for word in text.split())
        unknown = set(values) - set(cls._fields)
        if unknown:
            raise ValueError(f"a link has no {', '.join(sorted(unknown))}; it has {', '.join(cls._fields)}")
        link = cls(
            bool(float(values.get("cut", 0))),
            float(values.get("latency", 0)),
            int(float(values.get("bandwidth", 0))),
            float(values.get("loss", 0)),
            float(values.get("reorder", 0)),
        )
        link.check()
        return link

    def check(self) -> None:
        """ValueError for a value that there cannot be."""
        if not (self.latency >= 0 and self.bandwidth >= 0 and 0 <= self.loss <= 1 and 0 <= self.reorder <= 1):
            raise ValueError(f"a link cannot have {self._asdict()}: loss and reorder are from 0 to 1, others from 0")


#: A link that nothing was done to.
WHOLE = Link()


def base_folder(folder: str) -> str:
    """Where the networks of this user are, *folder* if it is not empty."""
    return folder or f"/tmp/socketpkg-sim-{os.getuid()}"


def choose(folder: str, name: str) -> str:
    """The folder of the network *name*, or without a name of that of the parent or of a new one.

    LayerError when it cannot be used. What programs that were killed have left is removed.
    """
    base = base_folder(folder)
    inherited = "" if name else os.environ.get(INHERITED, "")
    if inherited and (os.path.dirname(inherited) != base or not os.path.isdir(inherited)):
        inherited = ""
    _private(base)
    for entry in os.listdir(base):
        _remove_if_dead(f"{base}/{entry}")
    chosen = inherited or (f"{base}/n-{name}" if name else f"{base}/{number()}")
    if len(os.fsencode(chosen)) > LONGEST:
        raise LayerError(f"the layer 'sim': the folder {chosen!r} is longer than {LONGEST} bytes")
    if not name:
        os.environ[INHERITED] = chosen
    return chosen


def running(folder: str) -> list[str]:
    """The folders of the networks of this user that have a process."""
    base = base_folder(folder)
    try:
        entries = sorted(os.listdir(base))
    except OSError:
        return []
    for entry in entries:
        _remove_if_dead(f"{base}/{entry}")
    return [path for path in (f"{base}/{entry}" for entry in entries) if os.path.isdir(path)]


class Network:
    """A network, as a process of it sees it."""

    def __init__(self, names: Names, folder: str, alive: Callable[[bytes], bool], name: str = "") -> None:
        """*folder* is that of the network (`choose`); *alive* tells whether a UNIX socket is bound to a path."""
        self._alive = alive
        self._lock = allocate_lock()
        self._owner = os.getpid()
        self._made = 0
        self.folder = folder
        #: What it is called, empty for that of one program and its children.
        self.name = name
        self._held = self._join()
        self.codec: Codec = Codec(names, self.folder, os.readlink(f"{self.folder}/key"))
        #: The hosts by number, with their addresses.
        self.hosts: dict[int, tuple[bytes, ...]] = {}
        self._owners: dict[bytes, int] = {}
        atexit.register(self._leave)

    # -- coming and going ----------------------------------------------------------------------------------------

    def _join(self) -> int:
        """Makes the folder if it is missing, and holds it. Returns the descriptor of the lock."""
        while True:
            _private(self.folder)
            fd = os.open(f"{self.folder}/alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(fd, fcntl.LOCK_SH)
            try:
                same = os.path.samestat(os.fstat(fd), os.stat(f"{self.folder}/alive"))
            except OSError:
                same = False
            if same:
                break
            os.close(fd)  # it was removed between the two
        for kind in "tuhlr":
            os.makedirs(f"{self.folder}/{kind}", 0o700, exist_ok=True)
        try:
            # What the abstract names of the network begin with.
            os.symlink(number(), f"{self.folder}/key")
        except FileExistsError:
            pass
        return out_of_the_way(fd)

    def _leave(self) -> None:
        """At the end of the process: the last one takes the folder away."""
        if self._owner != os.getpid():
            return
        try:
            os.close(self._held)
        except OSError:
            pass
        _remove_if_dead(self.folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process and thread at a time. Nothing that is done in it waits."""
        with self._lock:
            fd = os.open(f"{self.folder}/table", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                yield
            finally:
                os.close(fd)

    def forked(self) -> None:
        """In a child after fork: another thread of the parent may have held the lock."""
        self._lock = allocate_lock()

    # -- hosts ---------------------------------------------------------------------------------------------------

    def add_host(self, host: int, addresses: tuple[bytes, ...]) -> None:
        """Lets a host have *addresses*. OSError (EADDRINUSE) when one is another's."""
        for address in addresses:
            path = f"{self.folder}/h/{short(address)}"
            try:
                os.symlink(f"{host:08x}", path)
            except FileExistsError:
                if int(os.readlink(path), 16) != host:
                    raise error(errno.EADDRINUSE, "the address is that of another host of the network") from None
            self._owners[address] = host
        self.hosts[host] = tuple(dict.fromkeys((*self.hosts.get(host, ()), *addresses)))

    def owner(self, address: bytes) -> int | None:
        """The host that an address belongs to."""
        found = self._owners.get(address)
        if found is None:
            self.read_hosts()
            found = self._owners.get(address)
        return found

    def read_hosts(self) -> None:
        """Looks which hosts other processes have made."""
        with os.scandir(f"{self.folder}/h") as entries:
            for entry in sorted(entries, key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns):
                address, host = long(entry.name), int(os.readlink(entry.path), 16)
                if self._owners.get(address) is None:
                    self._owners[address] = host
                    self.hosts[host] = (*self.hosts.get(host, ()), address)

    # -- links ---------------------------------------------------------------------------------------------------

    def link(self, host: int, other: int) -> Link:
        """How the link between two hosts is."""
        if host == other:
            return WHOLE
        try:
            return Link.parse(os.readlink(f"{self.folder}/l/{_link(host, other)}"))
        except OSError:
            return WHOLE

    def set_link(self, host: int, other: int, link: Link) -> None:
        """Changes the link between two hosts, for every process of the network."""
        path = f"{self.folder}/l/{_link(host, other)}"
        if link == WHOLE:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
            return
        temporary = f"{self.folder}/{number()}"
        os.symlink(str(link), temporary)
        os.replace(temporary, path)

    def links(self) -> list[tuple[int, int, Link]]:
        """The links that are not whole."""
        found = []
        for entry in sorted(os.listdir(f"{self.folder}/l")):
            host, _, other = entry.partition("-")
            found.append((int(host, 16), int(other, 16), self.link(int(host, 16), int(other, 16))))
        return found

    def source(self, host: int, destination: bytes) -> bytes | None:
        """The address that a host sends from; None when it has none of the family."""
        own = self.hosts.get(host, ())
        if destination in own:
            return destination
        return next((address for address in own if is_v4(address) == is_v4(destination)), None)

    # -- ports ---------------------------------------------------------------------------------------------------

    def at(self, kind: str, port: int) -> list[Bound]:
        """What is bound to a port (of "t" or "u"), also what nobody holds any more."""
        folder = f"{self.folder}/{kind}/{port}"
        try:
            files = os.listdir(folder)
        except FileNotFoundError:
            return []
        found = (self.codec.parse_file(os.fsencode(f"{folder}/{file}"), str(port), file) for file in files)
        return [bound for bound in found if bound is not None]

    def reachable(self, kind: str, host: int, to: Endpoint) -> list[Bound]:
        """The sockets that get what comes to an address, the closest fit before the others."""
        found = [
            bound
            for bound in self.at(kind, to.port)
            if bound.host == host and covers(bound.accepts, bound.local.address, to.address)
        ]
        if len(found) > 1:
            # Sockets that share an address take turns by chance, as the kernel's hash does it.
            random.shuffle(found)
            found.sort(key=lambda bound: (bound.local.address != to.address, bound.local.address == ANY6))
        return found

    def bind(
        self,
        kind: str,
        host: int,
        to: Endpoint,
        accepts: str,
        reuse: str,
        bind: Callable[[bytes], None],
    ) -> Bound:
        """Binds by *bind*, which takes the path. OSError (EADDRINUSE) when the port is another's."""
        with self.locked():
            port = to.port or self.free_port(kind)
            conflict = self.conflict(kind, host, Endpoint(to.address, port), accepts, reuse) if to.port else None
            if conflict is not None:
                raise error(errno.EADDRINUSE)
            folder = f"{self.folder}/{kind}/{port}"
            os.makedirs(folder, 0o700, exist_ok=True)
            file = self.codec.file_name(host, to.address, accepts, reuse)
            path = os.fsencode(f"{folder}/{file}")
            bind(path)
        bound = self.codec.parse_file(path, str(port), file)
        assert bound is not None
        self._count()
        return bound

    def conflict(
        self, kind: str, host: int, to: Endpoint, accepts: str, reuse: str, own: bytes = b"", listening: bool = False
    ) -> Bound | None:
        """The socket that keeps another one from being bound to *to*, or with *listening* from listening there."""
        for other in self.at(kind, to.port):
            if other.name == own or other.host != host:
                continue
            if not overlap(accepts, to.address, other.accepts, other.local.address):
                continue
            if "p" in reuse and "p" in other.reuse:
                continue
            if not self._alive(other.name):
                self.unlink(other.name)
                continue
            if kind == "u":
                if "a" in reuse and "a" in other.reuse:
                    continue
            elif (listening or ("a" in reuse and "a" in other.reuse)) and other.name not in listeners():
                continue
            return other
        return None

    def free_port(self, kind: str) -> int:
        """A port that nothing is bound to. OSError (EADDRINUSE) when there is none."""
        for port in random.sample(EPHEMERAL, 64):
            if not os.path.lexists(f"{self.folder}/{kind}/{port}"):
                return port
        self.sweep()
        for port in random.sample(EPHEMERAL, len(EPHEMERAL)):
            if not os.path.lexists(f"{self.folder}/{kind}/{port}"):
                return port
        raise error(errno.EADDRINUSE)

    # -- files ---------------------------------------------------------------------------------------------------

    def unlink(self, name: bytes) -> None:
        """Takes away the files of a socket that nobody holds."""
        folder, file = os.path.split(name)
        try:
            for entry in os.listdir(folder):
                if entry.startswith(file):
                    os.unlink(os.path.join(folder, entry))
            os.rmdir(folder)
        except OSError:
            pass  # another process does the same, or somebody has come

    def release(self, name: bytes) -> None:
        """After a socket was closed here: takes its files away, unless somebody else holds it."""
        if not self._alive(name):
            self.unlink(name)

    def _count(self) -> None:
        self._made += 1
        if self._made % SWEEP == 0:
            self.sweep()

    def sweep(self) -> None:
        """Takes away the files of all sockets that nobody holds."""
        for kind in "tu":
            for port in os.listdir(f"{self.folder}/{kind}"):
                for bound in self.at(kind, int(port)):
                    self.release(bound.name)

    def beside(self, bound: Bound) -> tuple[Endpoint, Endpoint] | None:
        """The two addresses of a socket that was bound first and connected afterwards."""
        try:
            return self.codec.parse_pair(os.readlink(os.fsdecode(bound.name) + ".to"))
        except OSError:
            return None

    def write_beside(self, bound: Bound, ends: tuple[Endpoint, Endpoint] | None) -> None:
        """Writes what `beside` reads; None takes it away."""
        path = os.fsdecode(bound.name) + ".to"
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        if ends is not None:
            os.symlink(self.codec.pair(*ends), path)

    def mark_reset(self, connection: str) -> None:
        """Remembers that a connection was reset by one of its ends."""
        try:
            os.symlink("r", f"{self.folder}/r/{connection}")
        except FileExistsError:
            pass

    def clear_reset(self, connection: str) -> None:
        try:
            os.unlink(f"{self.folder}/r/{connection}")
        except FileNotFoundError:
            pass

    def was_reset(self, connection: str) -> bool:
        return os.path.lexists(f"{self.folder}/r/{connection}")


def _link(host: int, other: int) -> str:
    """The file of a link."""
    return f"{min(host, other):08x}-{max(host, other):08x}"


def _private(folder: str) -> None:
    """Makes a folder that only its user can enter. LayerError when somebody else has one of that name."""
    while True:
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            pass
        except OSError as failure:
            raise LayerError(f"the layer 'sim': cannot make the folder {folder!r}: {failure.strerror}") from failure
        try:
            found = os.lstat(folder)
        except FileNotFoundError:
            continue  # the last process of that network has just left
        break
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LayerError(f"the layer 'sim': {folder!r} is not a folder that only this user can enter")


def _remove_if_dead(folder: str) -> None:
    """Removes the folder of a network that has no process."""
    try:
        fd = os.open(f"{folder}/alive", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The file goes first: who has opened it meanwhile finds that it is another one's, and begins again.
        os.unlink(f"{folder}/alive")
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        pass
    finally:
        os.close(fd)


class Unix(NamedTuple):
    """A UNIX socket that has a name, as /proc/net/unix tells of it (proc(5))."""

    listens: bool
    connected: bool
    datagram: bool
    inode: int
    name: bytes


def unix_sockets() -> list[Unix]:
    """The UNIX sockets of the machine that have a name."""
    found = []
    try:
        with open("/proc/net/unix", "rb") as file:
            for line in file.readlines()[1:]:
                fields = line.rstrip(b"\n").split(None, 7)
                if len(fields) == 8:
                    flags, kind, state = (int(field, 16) for field in fields[3:6])
                    # __SO_ACCEPTCON, SOCK_DGRAM, and SS_CONNECTED or SS_CONNECTING: that is to be accepted.
                    found.append(Unix(bool(flags & 0x10000), state in (2, 3), kind == 2, int(fields[6]), fields[7]))
    except OSError:
        pass
    return found


def listeners() -> set[bytes]:
    """The paths of the UNIX sockets that listen."""
    return {sock.name for sock in unix_sockets() if sock.listens}
