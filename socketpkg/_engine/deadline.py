"""One deadline over several system calls, in monotonic time."""

from __future__ import annotations

from .originals import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["NOT_GIVEN", "Deadline"]

#: "No timeout was given": the socket's own holds. None is another answer, and waits for ever.
NOT_GIVEN: Any = object()


class Deadline:
    """What is left of a timeout. Its time begins when the object is made."""

    __slots__ = ("_end", "_timeout")

    def __init__(self, timeout: int) -> None:
        """*timeout* is one of the contract's: nanoseconds, negative for ever, 0 for never."""
        self._timeout = timeout
        self._end = monotonic_ns() + timeout if timeout > 0 else timeout

    def left(self) -> int:
        """The timeout of the next system call. TimeoutError when the time is up.

        A peer that sends a byte now and then would else keep a call going for ever, since each byte is there in time.
        """
        if self._timeout <= 0:
            return self._timeout
        left = self._end - monotonic_ns()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def passed(self) -> bool:
        """Whether the time is up; also for a timeout of 0."""
        return self._timeout == 0 or (self._timeout > 0 and monotonic_ns() >= self._end)

    def left_or_zero(self) -> int:
        """As `left`, with 0 in place of the TimeoutError."""
        if self._timeout <= 0:
            return self._timeout
        return max(self._end - monotonic_ns(), 0)
