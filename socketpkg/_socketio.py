"""The raw file that makefile() puts below its buffers."""

from __future__ import annotations

import errno
import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    from _typeshed import ReadableBuffer, WriteableBuffer

    from . import socket

    _Mode: TypeAlias = Literal["r", "w", "rw", "rb", "wb", "rwb"]
    _BinaryMode: TypeAlias = Literal["rb", "wb", "rwb"]
else:
    from ._engine.annotations import Any, ReadableBuffer, WriteableBuffer
    from ._socket import socket

    _Mode = _BinaryMode = str

_BLOCKING_ERRORS = {errno.EAGAIN, errno.EWOULDBLOCK}


class SocketIO(io.RawIOBase):
    """A stream of a socket as a raw file (io.RawIOBase), readable, writable or both.

    It keeps the socket's descriptor open until it is closed itself, also when the socket object is closed before.
    """

    # A descriptor in non-blocking mode makes read and write return None in place of raising, as RawIOBase wants it.
    # After a timeout the buffers above may have lost data, so reading goes on raising OSError.

    def __init__(self, sock: socket, mode: _Mode) -> None:
        if mode not in ("r", "w", "rw", "rb", "wb", "rwb"):
            raise ValueError(f"invalid mode: {mode!r}")
        io.RawIOBase.__init__(self)
        self._sock: socket | None = sock
        self._mode: _BinaryMode = mode if "b" in mode else mode + "b"  # type: ignore[assignment]
        self._reading = "r" in mode
        self._writing = "w" in mode
        self._timeout_occurred = False

    def readinto(self, b: WriteableBuffer) -> int | None:
        """Reads into *b*: the count, 0 at the end of the stream, None when a non-blocking socket has nothing."""
        if self.closed or not self._reading or self._timeout_occurred or type(self) is not SocketIO:
            self._check_reading()
        try:
            return self._sock.recv_into(b)  # type: ignore[union-attr]
        except TimeoutError:
            self._timeout_occurred = True
            raise
        except OSError as failure:
            if failure.errno in _BLOCKING_ERRORS:
                return None
            raise

    def write(self, b: ReadableBuffer) -> int | None:
        """Writes what the socket takes of *b*: the count, None when a non-blocking socket takes nothing."""
        if self.closed or not self._writing or type(self) is not SocketIO:
            self._check_writing()
        try:
            return self._sock.send(b)  # type: ignore[union-attr]
        except OSError as failure:
            if failure.errno in _BLOCKING_ERRORS:
                return None
            raise

    # What io.RawIOBase checks before a transfer calls `readable` or `writable`, which ask again whether the file is
    # closed. For an object of this very class its own state tells as much, so what gets here is only what is wrong,
    # and subclasses, which may have their own idea of it.

    def _check_reading(self) -> None:
        self._checkClosed()
        self._checkReadable()  # type: ignore[attr-defined]
        if self._timeout_occurred:
            raise OSError("cannot read from timed out object")

    def _check_writing(self) -> None:
        self._checkClosed()
        self._checkWritable()  # type: ignore[attr-defined]

    def readable(self) -> bool:
        """True if the file was opened for reading."""
        if self.closed:
            raise ValueError("I/O operation on closed socket.")
        return self._reading

    def writable(self) -> bool:
        """True if the file was opened for writing."""
        if self.closed:
            raise ValueError("I/O operation on closed socket.")
        return self._writing

    def seekable(self) -> bool:
        """False: a stream has no positions."""
        if self.closed:
            raise ValueError("I/O operation on closed socket.")
        return super().seekable()

    def fileno(self) -> int:
        """The socket's descriptor."""
        self._checkClosed()
        assert self._sock is not None
        return self._sock.fileno()

    @property
    def name(self) -> int:
        """The socket's descriptor, -1 once the file is closed."""
        return -1 if self.closed else self.fileno()

    @property
    def mode(self) -> _BinaryMode:
        """The mode: "rb", "wb" or "rwb"."""
        return self._mode

    def close(self) -> None:
        """Closes the file; the descriptor too, when the socket object is closed and no other file uses it."""
        if self.closed:
            return
        io.RawIOBase.close(self)
        assert self._sock is not None
        self._sock._decref_socketios()
        self._sock = None


class TextPair(io.TextIOWrapper):
    """A text file for reading and writing on one stream, for Pythons before 3.13.

    There a write to an io.TextIOWrapper throws away the text that has been read ahead (gh-80109). Here another wrapper
    on the same buffer does the writing.
    """

    def __init__(self, buffer: Any, encoding: str | None, errors: str | None, newline: str | None) -> None:
        self._output = io.TextIOWrapper(buffer, encoding, errors, newline)
        super().__init__(buffer, encoding, errors, newline)

    def write(self, s: str, /) -> int:
        """Writes *s*: the count of its characters."""
        return self._output.write(s)

    def flush(self) -> None:
        """Writes what is buffered to the socket."""
        self._output.flush()

    def detach(self) -> Any:
        """Gives the buffer back; the text file cannot be used any more."""
        buffer = super().detach()
        self._output.detach()
        return buffer
