"""``null``: a layer that changes nothing. With it the tests show that the pass-through is true."""

from __future__ import annotations

from ._base import Layer as _Layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class Layer(_Layer):
    """Passes every call on."""

    NAME: ClassVar[str] = "null"
    SUMMARY: ClassVar[str] = "changes nothing: what the stack itself costs and does"
