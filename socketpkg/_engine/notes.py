"""What was tried, told by the exception that came of it (PEP 678). Its text and its arguments stay as they are."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _E = TypeVar("_E", bound=BaseException)

__all__ = ["tell"]


def tell(error: _E, operation: str, address: Any) -> _E:
    """*error* with a note of the operation and its address, and the address as its attribute ``address``.

    The innermost operation counts: an error that has been told of already stays as it is.
    """
    if not hasattr(error, "address"):
        error.address = address  # type: ignore[attr-defined]
        error.add_note(f"{operation} {address!r}")
    return error
