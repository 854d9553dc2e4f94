"""Modules that are attributes of the standard library's ``socket``, and that hardly any program asks for there."""

from __future__ import annotations

from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DeferredModule"]


class DeferredModule(ModuleType):
    """Stands for a module that is slow to import, in *namespace* under its name, until somebody uses it.

    Then the module is imported and takes this object's place there. A ``__getattr__`` of the namespace's own module
    would do so as well, but with one the interpreter looks up *every* name of a module the slow way: CPython
    specializes LOAD_ATTR only for modules without it, and ``socket.htons(80)`` took 1.7 times as long.
    """

    def __init__(self, name: str, namespace: dict[str, Any]) -> None:
        super().__init__(name)
        super().__setattr__("namespace", namespace)

    def __getattribute__(self, name: str) -> Any:
        return getattr(_imported(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(_imported(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_imported(self), name)

    def __dir__(self) -> list[str]:
        return dir(_imported(self))


def _imported(deferred: DeferredModule) -> ModuleType:
    own = ModuleType.__getattribute__(deferred, "__dict__")
    name, namespace = own["__name__"], own["namespace"]
    module = __import__(name)
    if namespace.get(name) is deferred:
        namespace[name] = module
    return module
