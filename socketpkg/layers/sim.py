"""``sim``: a network in memory, as a layer: its hosts, and the network from outside."""

from __future__ import annotations

from contextlib import contextmanager

from ._sim_base import current
from ._sim_layer import Layer
from ._sim_names import packed
from ._sim_view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    #: The network of this process, from outside: its sockets, hosts and links.
    network: View

# `network` is there in a process that has the layer.
__all__ = ["Layer", "host"]


def _layer() -> Layer:
    from . import get

    found: Any = get("sim")
    return found  # type: ignore[no-any-return]


@contextmanager
def host(*found: str) -> Iterator[None]:
    """A ``with`` in which sockets are made by the host that has these addresses, in this thread or task.

    The host is made when no process of the network has one with them. ValueError for a text that is no address,
    LookupError when the layer is not in the stack.
    """
    layer = _layer()
    token = current.set(layer.make_host(tuple(map(packed, found))))
    try:
        yield
    finally:
        current.reset(token)


def __getattr__(name: str) -> View:
    if name == "network":
        return _layer().view()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
