"""Views of what programs hand over as buffers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["is_buffer", "memoryview_of", "refuses"]


def memoryview_of(data: ReadableBuffer) -> memoryview:
    """A view of *data*, or the TypeError that the interpreter's functions in C raise for what is no buffer."""
    try:
        return memoryview(data)
    except TypeError as error:
        # Raised in here, the error would have this one as its context.
        text = str(error).removeprefix("memoryview: ")
    raise TypeError(text)


def is_buffer(data: object) -> bool:
    """Whether *data* is a bytes-like object."""
    try:
        memoryview(data).release()  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def refuses(buffer: object, failure: Exception) -> bool:
    """Whether *failure* is what *buffer* says to being exported, and not what the handler of a signal raised meanwhile.

    What is written in C refuses by these errors. A `__buffer__` that is written in Python (PEP 688) may raise any.
    """
    if isinstance(failure, (BufferError, TypeError, ValueError)):
        return True
    return isinstance(getattr(type(buffer), "__buffer__", None), _FUNCTION) and not isinstance(failure, MemoryError)


_FUNCTION = type(refuses)
