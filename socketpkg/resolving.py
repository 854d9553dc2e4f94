"""Names that take no longer than they may: `getaddrinfo` and `getnameinfo` with a timeout.

The C library's resolver cannot be told how long to take, nor be stopped. So it is asked in a thread, and whoever waits
goes on when the time is up. There are `MAX_THREADS` threads at most, whatever number of name servers hang; a question
that several ask at once is asked once; a thread that has nothing to do ends after a second. The threads are daemons:
they do not keep a program from ending. After a fork the child begins with none.

Ctrl-C works at once, too: the signal finds a Python thread that waits, not one that is in the C library.
"""

from __future__ import annotations

import errno
import os
import threading
from _operator import index
from collections import deque
from typing import TYPE_CHECKING

import socketpkg

from . import _socket
from ._engine.arguments import NANOSECONDS
from ._engine.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

__all__ = ["MAX_THREADS", "getaddrinfo", "getnameinfo"]

#: How many questions are with the resolver at once. Others wait for their turn, and their time counts meanwhile.
MAX_THREADS = 16

#: How long an idle thread waits for another question, in seconds.
_IDLE = 1.0

_CODEC = _socket.backend.address.AddressCodec()
_tell = _socket.core.tell
_timeout_ns = _socket.core.timeout_ns


def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
    *,
    timeout: float | None = None,
) -> list[tuple[Any, Any, int, str, Any]]:
    """socket.getaddrinfo() that takes *timeout* seconds at most; None waits for ever, 0 not at all.

    TimeoutError when the time is up, with the question in ``address`` and in a note. Its other errors, and its result,
    are those of socket.getaddrinfo(). A numeric host and port need no resolver, and no thread.
    """
    deadline = Deadline(_timeout_ns(timeout))
    if _CODEC.numeric(index(family), host, port) is not None:
        return socketpkg.getaddrinfo(host, port, family, type, proto, flags)

    def ask() -> Any:
        return socketpkg.getaddrinfo(host, port, family, type, proto, flags)

    # With the types: 1, 1.0 and True are equal, but are different arguments.
    question = ("getaddrinfo", *((kind.__class__, kind) for kind in (host, port, family, type, proto, flags)))
    return list(_answer(question, ask, deadline, (host, port)))


def getnameinfo(sockaddr: tuple[Any, ...], flags: int, *, timeout: float | None = None) -> tuple[str, str]:
    """socket.getnameinfo() that takes *timeout* seconds at most, as `getaddrinfo`."""
    deadline = Deadline(_timeout_ns(timeout))

    def ask() -> Any:
        return socketpkg.getnameinfo(sockaddr, flags)

    question = ("getnameinfo", *((part.__class__, part) for part in (*sockaddr, flags)))
    return _answer(question, ask, deadline, sockaddr)  # type: ignore[no-any-return]


class _Question:
    """A call that is to be made, or is being made, and those who wait for what it gives."""

    __slots__ = ("answered", "ask", "error", "key", "result", "waiting")

    def __init__(self, key: Hashable, ask: Callable[[], Any]) -> None:
        self.key = key
        self.ask = ask
        self.waiting = 0
        self.answered = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None


class _Threads:
    """The threads, and the questions: those that wait for a thread in order, those under way by their key."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.queue: deque[_Question] = deque()
        self.open: dict[Hashable, _Question] = {}
        self.threads = 0
        self.idle = 0

    def join(self, key: Hashable, ask: Callable[[], Any]) -> _Question:
        """The question of that key, asked if it is not yet."""
        with self.changed:
            question = self.open.get(key)
            if question is None:
                question = _Question(key, ask)
                if self.idle <= len(self.queue) and self.threads < MAX_THREADS:
                    self.start()
                self.open[key] = question
                self.queue.append(question)
                self.changed.notify()
            question.waiting += 1
            return question

    def leave(self, question: _Question) -> None:
        """One less waits for it. A question that nobody waits for, and that no thread has taken, is taken back."""
        with self.changed:
            question.waiting -= 1
            if not question.waiting and question in self.queue:
                self.queue.remove(question)
                del self.open[question.key]

    def start(self) -> None:
        wanted = [True]
        thread = threading.Thread(target=self.run, args=(wanted,), name="socketpkg-resolver", daemon=True)
        self.threads += 1
        try:
            thread.start()
        except RuntimeError as failure:
            self.threads -= 1
            # An existing thread will take the question; without any it is an error.
            if not self.threads:
                raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from failure
        except BaseException:
            # The handler of a signal raised, and the thread may or may not run: if so, it is to end at once.
            self.threads -= 1
            wanted.clear()
            raise

    def run(self, wanted: list[bool]) -> None:
        while True:
            with self.changed:
                if not wanted:
                    return
                if not self.queue:
                    self.idle += 1
                    self.changed.wait(_IDLE)
                    self.idle -= 1
                if not self.queue:
                    self.threads -= 1
                    return
                question = self.queue.popleft()
            try:
                question.result = question.ask()
            except BaseException as error:
                question.error = error
            with self.changed:
                # Whoever asks from now on wants a new answer.
                if self.open.get(question.key) is question:
                    del self.open[question.key]
            question.answered.set()
            del question


_threads = _Threads()


def _begin_anew() -> None:
    global _threads
    _threads = _Threads()


if hasattr(os, "register_at_fork"):
    # The child of a fork has none of the threads, and the lock may be held by one of them.
    os.register_at_fork(after_in_child=_begin_anew)


def _answer(key: tuple[Any, ...], ask: Callable[[], Any], deadline: Deadline, address: Any) -> Any:
    try:
        hash(key)
    except TypeError:
        return ask()  # an argument of a wrong type, which is an error, or bytearray, which is too rare to be shared
    threads = _threads
    question = threads.join(key, ask)
    try:
        left = deadline.left_or_zero()
        seconds = None if left < 0 else min(left / NANOSECONDS, threading.TIMEOUT_MAX)
        if not question.answered.wait(seconds):
            raise _tell(TimeoutError("timed out"), "getaddrinfo" if key[0] == "getaddrinfo" else "getnameinfo", address)
    finally:
        threads.leave(question)
    if question.error is not None:
        raise _copy(question.error)
    return question.result


def _copy(error: BaseException) -> BaseException:
    """An exception of its own for each of those who waited: raising one adds to its traceback."""
    try:
        copy = error.__class__(*error.args)
    except Exception:
        return error
    copy.__dict__.update(error.__dict__)
    copy.__cause__ = error.__cause__
    return copy
