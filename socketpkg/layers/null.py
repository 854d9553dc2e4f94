"""``null``: a layer that changes nothing. With it the tests show that the pass-through is true."""

from __future__ import annotations

from ._base import Layer as _Layer


class Layer(_Layer):
    """Passes every call on."""

    NAME = "null"
    SUMMARY = "changes nothing: what the stack itself costs and does"
