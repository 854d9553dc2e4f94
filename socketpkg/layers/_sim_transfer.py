"""Transfer of ``sim``: what is sent and received, on streams with TCP's errors."""

from __future__ import annotations

import errno

from ._sim_connections import Connections
from ._sim_names import error
from ._sim_state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Transfer(Connections):
    """Sends and receives."""

    def _datagram(self, sock: Any) -> State | None:
        """What is known of a datagram socket; None for every other socket."""
        if getattr(sock, "_sp_type", None) == self.names.SOCK_STREAM:
            return None
        state = self._states.of(sock)
        return state if state is not None and state.type == self.names.SOCK_DGRAM else None

    def recv(self, sock: Any, bufsize: int, flags: int, timeout: int) -> bytes:
        datagram = self._datagram(sock)
        if datagram is not None:
            return self._datagrams.recv(sock, datagram, bufsize, flags, timeout)[0]
        data: bytes = self._receive(b"", sock, self.below.recv, bufsize, flags, timeout)
        if not data:
            self._ended(sock)
        return bytes(len(data)) if flags and self._throws_away(flags) else data

    def recv_into(self, sock: Any, buffer: Any, nbytes: int, flags: int, timeout: int) -> int:
        datagram = self._datagram(sock)
        if datagram is not None:
            with memoryview(buffer) as view:
                # Without room for a byte there is no system call.
                return self.recvfrom_into(sock, view, nbytes, flags, timeout)[0] if view.nbytes or nbytes else 0
        if flags and self._throws_away(flags):
            return len(self.recv(sock, nbytes or memoryview(buffer).nbytes, flags, timeout))
        count: int = self._receive(0, sock, self.below.recv_into, buffer, nbytes, flags, timeout)
        if not count:
            self._ended(sock)
        return count

    def recvfrom(self, sock: Any, bufsize: int, flags: int, timeout: int) -> tuple[bytes, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvfrom(sock, bufsize, flags, timeout)
        if state.type == self.names.SOCK_STREAM:
            return self.recv(sock, bufsize, flags, timeout), b""
        data, header, _ = self._datagrams.recv(sock, state, bufsize, flags, timeout)
        return data, self._datagrams.address(state, header)

    def recvfrom_into(self, sock: Any, buffer: Any, nbytes: int, flags: int, timeout: int) -> tuple[int, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvfrom_into(sock, buffer, nbytes, flags, timeout)
        if state.type == self.names.SOCK_STREAM:
            return self.recv_into(sock, buffer, nbytes, flags, timeout), b""
        with memoryview(buffer) as view, view.cast("B") as octets:
            if nbytes > len(octets):
                raise ValueError("buffer too small for requested bytes")
            with octets[: nbytes or len(octets)] as target:
                count, header, _ = self._datagrams.recv_into(sock, state, (target,), flags, timeout)
        return count, self._datagrams.address(state, header)

    def recvmsg(
        self, sock: Any, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvmsg(sock, bufsize, ancbufsize, flags, timeout)
        if state.type == self.names.SOCK_DGRAM:
            data, header, marks = self._datagrams.recv(sock, state, bufsize, flags, timeout)
            items, cut = self._datagrams.items(state, header, ancbufsize)
            return data, items, marks | cut, self._datagrams.address(state, header)
        data, items, marks, _ = self._receive(
            (b"", [], 0, b""), sock, self.below.recvmsg, bufsize, ancbufsize, flags, timeout
        )
        if not data and bufsize:
            self._ended(sock)
        return bytes(len(data)) if flags and self._throws_away(flags) else data, items, marks, b""

    def recvmsg_into(
        self, sock: Any, buffers: tuple[Any, ...], ancbufsize: int, flags: int, timeout: int
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        state = self._states.of(sock)
        if state is None:
            return self.below.recvmsg_into(sock, buffers, ancbufsize, flags, timeout)
        if state.type == self.names.SOCK_DGRAM:
            count, header, marks = self._datagrams.recv_into(sock, state, buffers, flags, timeout)
            items, cut = self._datagrams.items(state, header, ancbufsize)
            return count, items, marks | cut, self._datagrams.address(state, header)
        if flags and self._throws_away(flags):
            size = sum(memoryview(buffer).nbytes for buffer in buffers)
            data, items, marks, name = self.recvmsg(sock, size, ancbufsize, flags, timeout)
            return len(data), items, marks, name
        count, items, marks, _ = self._receive(
            (0, [], 0, b""), sock, self.below.recvmsg_into, buffers, ancbufsize, flags, timeout
        )
        if not count and buffers:
            self._ended(sock)
        return count, items, marks, b""

    # What the contract makes of others is made of ours; sockets that are not simulated have their own.

    def _messages(self, sock: Any) -> Any:
        """Who takes a call of many messages."""
        return self.below if self._states.of(sock) is None else self._datagrams

    def recvmmsg(self, sock: Any, count: int, bufsize: int, ancbufsize: int, flags: int, timeout: int) -> Any:
        return self._messages(sock).recvmmsg(sock, count, bufsize, ancbufsize, flags, timeout)

    def recvmmsg_into(self, sock: Any, buffers: Any, ancbufsize: int, flags: int, timeout: int) -> Any:
        return self._messages(sock).recvmmsg_into(sock, buffers, ancbufsize, flags, timeout)

    def sendmmsg(self, sock: Any, data: Any, ancillary: Any, addresses: Any, flags: int, timeout: int) -> Any:
        return self._messages(sock).sendmmsg(sock, data, ancillary, addresses, flags, timeout)

    def recv_segments(self, sock: Any, bufsize: int, flags: int, timeout: int) -> Any:
        return self._messages(sock).recv_segments(sock, bufsize, flags, timeout)

    def _throws_away(self, flags: int) -> bool:
        """Whether a receive on a stream counts bytes and does not keep them, as tcp(7) says of MSG_TRUNC."""
        return bool(flags & self.names.constants["MSG_TRUNC"])

    def _receive(self, end: Any, sock: Any, call: Callable[..., Any], *arguments: Any) -> Any:
        """A receive of the layer below on a stream, with TCP's errors; *end* is what it gives at the end."""
        try:
            return call(sock, *arguments)
        except OSError as failure:
            if self._receive_failed(sock, failure):
                return end
            raise
        finally:
            del arguments  # a buffer among them

    def _receive_failed(self, sock: Any, failure: OSError) -> bool:
        """Raises what TCP says where a UNIX socket has failed. True when TCP is at the end, False when the error
        stands."""
        # It does not raise *failure*: an error whose traceback leads to itself would keep the socket alive.
        if failure.errno == errno.ECONNRESET:
            state = self._states.of(sock)
            if state is not None:
                state.broken = True
        elif failure.errno == errno.EINVAL:
            state = self._states.of(sock)
            if state is not None:
                status, state.pending = state.pending, None
                if status or not (state.failed or state.early & 1):
                    raise error(status or errno.ENOTCONN) from None
                return True
        return False

    def _ended(self, sock: Any) -> None:
        """At the end of a stream: a reset connection ends with an error."""
        state = self._states.of(sock) if sock._sp_fd >= 0 else None
        if state is None:
            return
        if state.pending:
            status, state.pending = state.pending, None
            raise error(status)
        if self._was_reset(sock, state):
            raise error(errno.ECONNRESET)

    def send(self, sock: Any, data: Any, flags: int, timeout: int) -> int:
        datagram = self._datagram(sock)
        if datagram is not None:
            return self._datagrams.send(sock, datagram, (data,), (), flags, b"")
        if self._crossing:
            timeout = self._passable(sock, flags, timeout)
        try:
            return self.below.send(sock, data, flags, timeout)
        except OSError as failure:
            if not self._send_failed(sock, failure):
                raise
            return memoryview(data).nbytes

    def sendall(self, sock: Any, data: Any, flags: int, timeout: int) -> None:
        datagram = self._datagram(sock)
        if datagram is not None:
            if memoryview(data).nbytes:
                self._datagrams.send(sock, datagram, (data,), (), flags, b"")
            return
        if self._crossing:
            timeout = self._passable(sock, flags, timeout)
        try:
            self.below.sendall(sock, data, flags, timeout)
        except OSError as failure:
            try:
                if not self._send_failed(sock, failure):
                    raise
            except OSError as told:
                told.characters_written = getattr(failure, "characters_written", 0)  # type: ignore[attr-defined]
                raise

    def sendto(self, sock: Any, data: Any, flags: int, address: bytes, timeout: int) -> int:
        state = self._states.of(sock)
        if state is None:
            return self.below.sendto(sock, data, flags, address, timeout)
        if state.type == self.names.SOCK_DGRAM:
            return self._datagrams.send(sock, state, (data,), (), flags, address)
        return self.send(sock, data, flags, timeout)

    def sendmsg(
        self, sock: Any, buffers: tuple[Any, ...], ancillary: Any, flags: int, address: bytes, timeout: int
    ) -> int:
        state = self._states.of(sock)
        if state is None:
            return self.below.sendmsg(sock, buffers, ancillary, flags, address, timeout)
        if state.type == self.names.SOCK_DGRAM:
            return self._datagrams.send(sock, state, buffers, ancillary, flags, address)
        if self._crossing:
            timeout = self._passable(sock, flags, timeout)
        try:
            return self.below.sendmsg(sock, buffers, (), flags, b"", timeout)
        except OSError as failure:
            if not self._send_failed(sock, failure):
                raise
            return sum(memoryview(buffer).nbytes for buffer in buffers)

    def sockatmark(self, sock: Any) -> bool:
        if self._datagram(sock) is not None:
            raise error(errno.ENOTTY)
        return self.below.sockatmark(sock)

    def _passable(self, sock: Any, flags: int, timeout: int) -> int:
        """Waits while the link of a connection is cut, as a sender does whose buffers are full. Returns what is left of
        the time. BlockingIOError and TimeoutError as of send."""
        state = self._states.of(sock)
        if state is None or state.other is None or not self.network.link(state.host, state.other).cut:
            return timeout
        if not timeout or flags & self.names.constants["MSG_DONTWAIT"]:
            raise error(errno.EAGAIN)
        while timeout:
            left = self._wait_for_link(state, state.other, timeout)
            if left is not None:
                return left
            if timeout > 0:
                break
        raise TimeoutError("timed out")

    def _send_failed(self, sock: Any, failure: OSError) -> bool:
        """Raises what TCP says where a UNIX socket has failed. False when the error stands, True when TCP would not
        know of it yet: the first thing that is sent to a peer which has closed is taken, and its answer is a reset."""
        state = self._states.of(sock) if failure.errno in (errno.ENOTCONN, errno.EPIPE) else None
        if state is None:
            return False
        if state.pending:
            status, state.pending = state.pending, None
            raise error(status) from None
        if failure.errno == errno.ENOTCONN or state.shut or state.broken:
            raise error(errno.EPIPE) from None
        state.broken = True
        number = self.below.getsockopt_int(sock, self.known.socket, self.names.constants["SO_ERROR"])
        if number or self._was_reset(sock, state):
            raise error(number or errno.ECONNRESET) from None
        return True
