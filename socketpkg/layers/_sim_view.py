"""What is in a network of ``sim``, for people and tests: its sockets as ``ss`` shows them, its hosts and links."""

from __future__ import annotations

import os
from typing import NamedTuple

from ._sim_names import MAPPED, Bound, host_number, packed, shown
from ._sim_network import WHOLE, Link, Unix, unix_sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._sim_network import Network


class Entry(NamedTuple):
    """A socket of the network."""

    #: "tcp" or "udp".
    protocol: str
    #: "LISTEN", "ESTAB", "CLOSE" (bound and not connected), or "UNCONN" of UDP.
    state: str
    #: The host that has it, by its first address.
    host: str
    local: str
    #: "*" where there is none.
    peer: str
    #: The processes of this user that have it, as "name/pid".
    processes: tuple[str, ...]


class View:
    """A network from outside. It is `sim.network`, and what ``python -m socketpkg sim`` uses."""

    def __init__(self, network: Network, names: dict[str, tuple[bytes, ...]] | None = None) -> None:
        self._network = network
        self._names = names or {}

    # -- sockets -------------------------------------------------------------------------------------------------

    def sockets(self) -> list[Entry]:
        """The sockets of all processes of the network: listeners, then connections (both ends), then UDP."""
        self._network.read_hosts()
        processes = _processes()
        found: set[Entry] = set()
        for sock in unix_sockets():
            name = b"\0" + sock.name[1:] if sock.name.startswith(b"@") else sock.name
            bound = self._network.codec.parse(self._network.codec.unix(name))
            if bound is not None:
                found.update(self._entries(sock, bound, processes.get(sock.inode, ())))
        order = {"LISTEN": 0, "ESTAB": 1, "CLOSE": 2, "UNCONN": 3}
        return sorted(found, key=lambda entry: (entry.protocol, order[entry.state], entry.local, entry.peer))

    def _entries(self, sock: Unix, bound: Bound, processes: tuple[str, ...]) -> Iterator[Entry]:
        host, local = self._host(bound.host), str(bound.local)
        ends = (bound.local, bound.remote) if bound.remote is not None else self._network.beside(bound)
        if sock.datagram:
            connected = ends is not None and ends[1] is not None
            peer = str(ends[1]) if ends is not None and connected else "*"
            yield Entry("udp", "ESTAB" if connected else "UNCONN", host, local, peer, processes)
        elif sock.listens:
            yield Entry("tcp", "LISTEN", host, local, "*", processes)
        elif ends is not None and ends[1] is not None and sock.connected:
            # The other end shows the name of its listener only; what it is follows from this one.
            owner = self._network.owner(ends[1].address)
            yield Entry("tcp", "ESTAB", host, str(ends[0]), str(ends[1]), processes)
            yield Entry("tcp", "ESTAB", host if owner is None else self._host(owner), str(ends[1]), str(ends[0]), ())
        elif not sock.connected and bound.remote is None:
            yield Entry("tcp", "CLOSE", host, local, "*", processes)

    def _host(self, number: int) -> str:
        own = self._network.hosts.get(number, ())
        # One that no process has made is known by its address.
        return shown(own[0] if own else MAPPED + number.to_bytes(4, "big"))

    def __str__(self) -> str:
        """The sockets as a table, and the links that are not whole."""
        heads = ("Netid", "State", "Host", "Local Address:Port", "Peer Address:Port", "Process")
        rows = [heads, *((*entry[:5], " ".join(entry.processes)) for entry in self.sockets())]
        widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        for host, other, link in self._network.links():
            lines.append(f"link {self._host(host)} - {self._host(other)}: {link}")
        return "\n".join(lines)

    # -- hosts and links -----------------------------------------------------------------------------------------

    def hosts(self) -> dict[str, tuple[str, ...]]:
        """The hosts by their first address, with all of their addresses."""
        self._network.read_hosts()
        return {shown(own[0]): tuple(map(shown, own)) for own in self._network.hosts.values() if own}

    def _number(self, host: str) -> int:
        named = self._names.get(host.rstrip(".").lower())
        address = named[0] if named else packed(host)
        owner = self._network.owner(address)
        return host_number((address,)) if owner is None else owner

    def link(self, host: str, other: str) -> Link:
        """How the link between two hosts is. Hosts are names or addresses; ValueError for another text."""
        return self._network.link(self._number(host), self._number(other))

    def set_link(
        self,
        host: str,
        other: str,
        *,
        cut: bool | None = None,
        latency: float | None = None,
        bandwidth: int | None = None,
        loss: float | None = None,
        reorder: float | None = None,
    ) -> Link:
        """Changes the link between two hosts in every process, from now on; what is None stays. Returns what it is.

        *latency* is in milliseconds each way. *bandwidth* is in bytes a second each way, of connections; 0 is no limit.
        Both are for connections that are made afterwards. Of the datagrams *loss* are lost and *reorder* come late,
        from 0 to 1. ValueError for a value that there cannot be.
        """
        given: dict[str, Any] = {
            "cut": cut,
            "latency": latency,
            "bandwidth": bandwidth,
            "loss": loss,
            "reorder": reorder,
        }
        ends = self._number(host), self._number(other)
        link = self._network.link(*ends)._replace(**{key: value for key, value in given.items() if value is not None})
        link.check()
        self._network.set_link(*ends, link)
        return link

    def partition(self, host: str, other: str) -> None:
        """Cuts the link between two hosts: nothing passes until `heal`."""
        self.set_link(host, other, cut=True)

    def heal(self, host: str | None = None, other: str | None = None) -> None:
        """Mends the link between two hosts; without them all links."""
        if host is not None and other is not None:
            self._network.set_link(self._number(host), self._number(other), WHOLE)
            return
        for first, second, _ in self._network.links():
            self._network.set_link(first, second, WHOLE)


def _processes() -> dict[int, tuple[str, ...]]:
    """The processes of this user by the inodes of the sockets that they have."""
    found: dict[int, tuple[str, ...]] = {}
    for pid in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                word = f"{file.read().strip()}/{pid}"
            for entry in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{entry}")
                if target.startswith("socket:["):
                    inode = int(target[8:-1])
                    if word not in found.get(inode, ()):
                        found[inode] = (*found.get(inode, ()), word)
        except OSError:
            continue  # another user's, or it has ended
    return found
