"""One deadline over several system calls, in monotonic time."""

from __future__ import annotations

import time

from .arguments import timeout_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["NOT_GIVEN", "Deadline", "monotonic"]

#: "No timeout was given": the socket's own holds. None is another answer, and waits for ever.
NOT_GIVEN: Any = object()

if hasattr(time, "clock_gettime_ns"):

    def monotonic(_read: Any = time.clock_gettime_ns, _clock: int = time.CLOCK_MONOTONIC) -> int:
        """Nanoseconds of a clock that nothing sets back. Programs that replace time.monotonic() do not stop it."""
        return _read(_clock)  # type: ignore[no-any-return]

else:

    def monotonic(_read: Any = time.monotonic_ns, _clock: int = 0) -> int:
        """Nanoseconds of a clock that nothing sets back."""
        return _read()  # type: ignore[no-any-return]


class Deadline:
    """What is left of a timeout. Its time begins when the object is made."""

    __slots__ = ("_end", "_timeout")

    def __init__(self, timeout: int) -> None:
        """*timeout* is one of the contract's: nanoseconds, negative for ever, 0 for never."""
        self._timeout = timeout
        self._end = monotonic() + timeout if timeout > 0 else timeout

    @classmethod
    def of(cls, seconds: Any) -> Deadline:
        """The deadline of a timeout in seconds, or None. Wrong ones are the errors of settimeout()."""
        return cls(timeout_ns(seconds))

    def left(self) -> int:
        """The timeout of the next system call. TimeoutError when the time is up.

        A peer that sends a byte now and then would else keep a call going for ever, since each byte is there in time.
        """
        if self._timeout <= 0:
            return self._timeout
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def passed(self) -> bool:
        """Whether the time is up; also for a timeout of 0."""
        return self._timeout == 0 or (self._timeout > 0 and monotonic() >= self._end)

    def left_or_zero(self) -> int:
        """As `left`, with 0 in the place of the TimeoutError."""
        if self._timeout <= 0:
            return self._timeout
        return max(self._end - monotonic(), 0)
