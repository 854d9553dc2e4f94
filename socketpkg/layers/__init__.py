"""Layers between a program and its backend: they watch, refuse or disturb what the program asks of the network.

``SOCKET_BACKEND=chaos+trace+cffi`` names a stack; the program's call meets the leftmost layer first. Without a backend
at the end, the one below is chosen as always. Each layer reads its options from a variable of its own
(`SOCKETPKG_TRACE`). This module gives the layers of the running process, to be configured and switched on and off::

    from socketpkg import layers

    layers.get("trace").enabled = False

Layers of others are subclasses of `Layer`, registered under the entry-point group ``socketpkg.layers`` with
``module`` or ``module:class`` as the value.
"""

from __future__ import annotations

from .. import _config, backends
from ._base import Layer, descriptor
from ._options import LayerError, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["Layer", "LayerError", "Option", "available", "descriptor", "get", "off", "stack"]


def stack() -> tuple[Layer, ...]:
    """The layers of this process, the one that a call meets first before the others. Empty when none was named."""
    return backends.current().layers  # type: ignore[return-value]


def get(name: str) -> Layer:
    """The layer *name* of this process. LookupError when it is not in the stack."""
    for layer in stack():
        if name == layer.NAME:
            return layer
    raise LookupError(f"the stack {backends.selected()!r} has no layer {name!r}")


def available() -> tuple[str, ...]:
    """The names of the layers that there are: those of socketpkg, and those that are registered."""
    return tuple(sorted({*_config.LAYERS, *backends.registered(backends.LAYERS_GROUP)}))


def off(*names: str) -> AbstractContextManager[None]:
    """A ``with`` in which the layers *names* (by default all) are switched off, for every thread."""
    from contextlib import contextmanager

    chosen = [get(name) for name in names] if names else list(stack())

    @contextmanager
    def switched_off():  # type: ignore[no-untyped-def]
        before = [layer.enabled for layer in chosen]
        for layer in chosen:
            layer.enabled = False
        try:
            yield
        finally:
            for layer, enabled in zip(chosen, before, strict=True):
                layer.enabled = enabled

    return switched_off()
