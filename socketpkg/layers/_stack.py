"""Puts a stack together: ``chaos+trace+cffi`` is the layer chaos over the layer trace over the backend cffi.

The stack is a backend of its own, with its own instance of the interpreted core, in a package that exists only in
`sys.modules`: ``socketpkg.layers.chaos+trace+cffi``.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from .. import _config, backends
from ._base import Layer, discard
from ._options import LayerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..contract import Syscalls

_PACKAGE = __name__.rpartition(".")[0]


def load(name: str) -> backends.Backend:
    """The stack *name*, whose parts are in lower case. LayerError, or the ImportError of its backend."""
    words, backend = split(name)
    below = backends.load(backend) if backend else backends.first()
    canonical = "+".join([*words, below.name])
    known = backends.loaded(canonical)
    if known is not None:
        return known
    classes = [_layer(word) for word in words]
    # Taken once, for a file of options may be a pipe; and all are judged before a layer opens a file, which a wrong
    # option of another must not leave empty.
    given = [cls.given() for cls in classes]
    for cls, options in zip(classes, given, strict=True):
        cls.read_options(options, cls.variable())
    top: Syscalls = _Kept(below.syscalls) if "compiled-core" in below.features else below.syscalls
    layers: list[Layer] = []
    for cls, options in zip(reversed(classes), reversed(given), strict=True):
        layer = cls(top)
        layer.start(options)
        layers.insert(0, layer)
        top = layer
    return _instance(canonical, below, tuple(layers), top)


class _Kept(Layer):
    """Stands on compiled calls: what they make is in a list before the handler of a signal can run.

    The interpreter looks for signals when a function written in C has come back to it, and if a handler raises, the
    result is lost. list.extend() and map() are C, and stand between.
    """

    def _keep(self, call: Any, *arguments: Any) -> Any:
        results: list[Any] = []
        try:
            results.extend(map(call, *[(argument,) for argument in arguments]))
            return results[0]
        except BaseException:
            for result in results:
                for part in result if isinstance(result, tuple) else (result,):
                    if isinstance(part, int):
                        discard(self.below, part)
            raise

    def socket(self, family: int, type: int, proto: int) -> int:
        return self._keep(self.below.socket, family, type, proto)  # type: ignore[no-any-return]

    def socketpair(self, family: int, type: int, proto: int) -> tuple[int, int]:
        return self._keep(self.below.socketpair, family, type, proto)  # type: ignore[no-any-return]

    def accept(self, sock: Any, timeout: int) -> tuple[int, bytes]:
        return self._keep(self.below.accept, sock, timeout)  # type: ignore[no-any-return]

    def accept_unnamed(self, sock: Any, timeout: int) -> int:
        return self._keep(self.below.accept_unnamed, sock, timeout)  # type: ignore[no-any-return]

    def dup(self, fd: int) -> int:
        return self._keep(self.below.dup, fd)  # type: ignore[no-any-return]

    def describe(self) -> dict[str, str]:
        return dict(self.below.describe())


def split(name: str) -> tuple[list[str], str]:
    """The layers of a stack, from the top, and the backend, empty when none is named."""
    words = [word.strip() for word in name.split("+")]
    if "" in words:
        raise LayerError("it has an empty part; it is written as in chaos+trace+cffi")
    backend = ""
    if not backends.is_layer(words[-1]) and (words[-1] == "auto" or backends.is_backend(words[-1])):
        backend = words.pop()
        backend = "" if backend == "auto" else backend
    for position, word in enumerate(words):
        if backends.is_layer(word):
            if word in words[:position]:
                raise LayerError(f"it has the layer {word!r} twice")
        elif word == "auto" or backends.is_backend(word):
            raise LayerError(f"it goes on below {word!r}, which is a backend and comes last")
        else:
            raise LayerError(f"there is no layer or backend {word!r}. {known_names()}")
    if not words:
        raise LayerError("it has no layer")
    return words, backend


def known_names() -> str:
    """What a stack can be made of, in a sentence."""
    layers = ", ".join(sorted({*_config.LAYERS, *backends.registered(backends.LAYERS_GROUP)}))
    others = ", ".join([*_config.BUILT_IN, *sorted(backends.registered(backends.GROUP))])
    return f"The layers are: {layers}; the backends are: {others}"


def _layer(name: str) -> type[Layer]:
    """The class of a layer."""
    modules = [_config.LAYERS[name]] if name in _config.LAYERS else backends.registered(backends.LAYERS_GROUP)[name]
    if len(modules) > 1:
        raise LayerError(f"more than one module registers the layer {name!r}: {', '.join(modules)}")
    own = name in _config.LAYERS
    try:
        found: Any = importlib.import_module(f"{_PACKAGE}.{modules[0]}" if own else modules[0].partition(":")[0])
        cls = getattr(found, "Layer" if own else modules[0].partition(":")[2] or "Layer", None)
    except Exception as error:
        text = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise LayerError(f"the layer {name!r} is broken: {text}") from error
    if not isinstance(cls, type) or not issubclass(cls, Layer):
        raise LayerError(f"the layer {name!r} is broken: {modules[0]} has no subclass of socketpkg.layers.Layer")
    if name != cls.NAME:
        raise LayerError(f"the layer {name!r} is broken: its class says that it is {cls.NAME!r}")
    return cls


def _instance(name: str, below: backends.Backend, layers: tuple[Layer, ...], top: Syscalls) -> backends.Backend:
    """The core over *top*, as a backend."""
    package = f"{_PACKAGE}.{name}"
    module = ModuleType(package, f"The stack {name}.")
    module.__path__ = []
    syscalls = ModuleType(f"{package}.syscalls", f"The calls of the stack {name}.")
    syscalls.SYSCALLS = top  # type: ignore[attr-defined]
    # The type that a compiled backend demands of a socket, and what makes the one that _ssl reads.
    for attribute in ("Head", "HEAD_FUNCTIONS"):
        found = getattr(sys.modules[f"{below.package}.syscalls"], attribute, None)
        if found is not None:
            setattr(syscalls, attribute, found)
    made = [package, syscalls.__name__, f"{package}._address", f"{package}._core"]
    sys.modules[package] = module
    sys.modules[syscalls.__name__] = syscalls
    backends.serve(package)
    try:
        address = importlib.import_module(made[2])
        core = importlib.import_module(made[3])
    except BaseException:
        for entry in made:
            sys.modules.pop(entry, None)
        raise
    return backends.Backend(name, package, core, address, layers, below)
