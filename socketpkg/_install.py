"""What `socketpkg.install` does: the rest of the program on our sockets, whether it knows of them or not.

Loaded by its first call: most programs that import socketpkg by its name never make it.
"""

from __future__ import annotations

import sys
from _warnings import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

#: The name of this package, which in a vendored copy is another one.
_OWN = __name__.rpartition(".")[0]
#: What is replaced, by what.
_PLACES = {"socket": _OWN, "_socket": f"{_OWN}._socket"}
#: Libraries that have greenlets wait where a thread would: the module and the function that tell whether a module of
#: the standard library is theirs, and the call that makes it so.
_GREENLETS = {
    "gevent.monkey": ("is_module_patched", "gevent.monkey.patch_all()"),
    "eventlet.patcher": ("is_monkey_patched", "eventlet.monkey_patch()"),
}
_OWN_LOW_LEVEL = _PLACES["_socket"]


def install() -> None:
    """What `socketpkg.install` does. It calls this, and is what a warning is about."""
    public = sys.modules[_OWN]
    if sys.modules.get("socket") is public:
        return
    for name, (tells, patch) in _GREENLETS.items():
        library = sys.modules.get(name)
        if library is not None and getattr(library, tells)("socket"):
            # Ours would block every greenlet, and the program would hang.
            raise RuntimeError(
                f"{_OWN}.install() must be called before {patch}, which has made its sockets of the standard library's"
            )
    replaced = [sys.modules[name] for name in _PLACES if name in sys.modules]
    for name, replacement in _PLACES.items():
        sys.modules[name] = sys.modules[replacement]
    left = _holders(replaced)
    if left:
        warn(
            f"{_OWN}.install() came too late for modules that had imported socket before, and that go on using the"
            f" standard library's: {', '.join(left)}",
            RuntimeWarning,
            stacklevel=3,
        )


def _holders(replaced: list[ModuleType]) -> list[str]:
    """The names of the modules that hold one of the modules in *replaced*, or something that is made there.

    Not what both they and socketpkg have: exceptions, numbers.
    """
    ours = [vars(sys.modules[name]) for name in _PLACES.values()]
    theirs = {id(module) for module in replaced}
    for module in replaced:
        for name, value in vars(module).items():
            # Most are numbers, which callable() tells in less time than they take to have no __module__.
            if not callable(value) or getattr(value, "__module__", None) not in _PLACES:
                continue
            if not any(names.get(name) is value for names in ours):
                theirs.add(id(value))
    # The backend is not replaced: it uses the standard library's module on purpose.
    exempt = {*_PLACES, _OWN, f"{_OWN}_ffi"}
    backend = sys.modules[_OWN_LOW_LEVEL].backend
    while backend is not None:
        # Its own package, and those of the classes that it is made of.
        for name in (backend.package, *(cls.__module__ for cls in type(backend.syscalls).__mro__)):
            if not f"{name}.".startswith(f"{_OWN}."):
                exempt.add(name.partition(".")[0])
        backend = backend.below
    within = tuple([f"{package}." for package in exempt])
    found = []
    for name, module in list(sys.modules.items()):
        if name in exempt or name.startswith(within) or module in replaced:
            continue
        # Every start of `run` comes here, with some thousands of values in all modules.
        if not theirs.isdisjoint(map(id, list(getattr(module, "__dict__", {}).values()))):
            found.append(name)
    return sorted(found)
