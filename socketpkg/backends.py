"""Which backend does the work, and why.

A backend is a package with a module ``syscalls`` and in it a class ``Syscalls``, a complete implementation of the
contract in `socketpkg.contract`. Three come with socketpkg: ``c``, ``cffi`` and ``ctypes``. Others register
themselves under the entry-point group ``socketpkg.backends``, with the name of their package as the value.

The environment variable ``SOCKET_BACKEND`` chooses; case and blanks around the name don't matter:

* unset, empty or ``auto``: the first usable one of c, cffi, ctypes (of cffi, ctypes on PyPy);
* a name: that backend or `ImportError`, never another.

A copy in the tree of another program (``python -m socketpkg vendor``) has one backend and reads neither the variable
nor entry points: `socketpkg._config`.

Layers stand between a program and its backend: ``chaos+trace+cffi`` is a stack of two over the backend cffi, and
``trace`` alone stands over the one that the rules above choose. See `socketpkg.layers`; without the name of a layer
nothing of it is loaded.

A backend can fail in three ways, and only the first two let ``auto`` go on to the next one:

* *not built*: one of its own modules is missing;
* *not usable here*: it says so itself (`BackendUnavailable`), or cannot live in this interpreter;
* *built but broken*: everything else, an incomplete ``Syscalls`` too. It is raised, because it is a bug to see.

The module is on the path of ``import socketpkg``, so it imports nothing that is slow to import.
"""

from __future__ import annotations

import os
import sys

from . import _engine
from ._config import BOUND, COMMANDS, LAYERS, VENDORED_AS
from ._config import BUILT_IN as BUILT_IN
from ._config import ORDER as ORDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Final

    from . import contract
else:
    from _collections_abc import Sequence
    from _frozen_importlib import ModuleSpec
    from types import ModuleType

__all__ = [
    "Backend",
    "BackendStatus",
    "BackendUnavailable",
    "LayerError",
    "available",
    "current",
    "features",
    "load",
    "rule",
    "running_as_program",
    "selected",
]

#: The capability names of the chosen backend. Made on first access, since that may have to load the backend.
features: frozenset[str]

VARIABLE: Final = "SOCKET_BACKEND"
#: What has set the variable for this process, where its user has not: words for `rule` and for errors.
asked_by: str = ""
GROUP: Final = "socketpkg.backends"
LAYERS_GROUP: Final = "socketpkg.layers"

#: What an extension module says that cannot be loaded into a second interpreter of the process. Neither CPython nor
#: Cython gives these errors a type or an attribute of their own to tell them by.
_ONE_INTERPRETER = ("does not support loading in subinterpreters", "Interpreter change detected")

#: The modules of `socketpkg._engine` that each backend has its own instance of. They import one another and the
#: backend's ``syscalls`` relatively, so they run as modules of the backend's package.
SHARED = ("_address", "_bulk", "_core")


class BackendUnavailable(ImportError):
    """Raised by a backend's ``syscalls`` module when it is imported: this backend is whole but cannot work here.

    An example is a table of the C library's layouts that knows nothing of this machine.
    """


class LayerError(ImportError):
    """A stack of layers that cannot be: an unknown layer, a wrong option, a file that cannot be opened."""


class Backend:
    """A backend that is loaded and fulfils the contract."""

    __slots__ = ("address", "below", "core", "features", "layers", "name", "package", "syscalls")

    def __init__(
        self,
        name: str,
        package: str,
        core: ModuleType,
        address: ModuleType,
        layers: tuple[contract.Syscalls, ...] = (),
        below: Backend | None = None,
    ) -> None:
        #: Its name, as `SOCKET_BACKEND` takes it.
        self.name: Final = name
        #: The name of the package that it is.
        self.package: Final = package
        #: Its instance of `socketpkg._engine._core`: the module with `Socket` over this backend's calls.
        self.core: Final = core
        #: Its instance of `socketpkg._engine._address`.
        self.address: Final = address
        #: The one instance of its ``Syscalls``.
        self.syscalls: Final[contract.Syscalls] = core.SYSCALLS
        #: The names of its capabilities.
        self.features: Final = frozenset(self.syscalls.features)
        #: The layers of a stack, from the top, and the backend that they stand on.
        self.layers: Final = layers
        self.below: Final = below

    def __repr__(self) -> str:
        return f"<socketpkg backend {self.name!r} of package {self.package!r}>"


class BackendStatus:
    """What `available` says of a backend."""

    __slots__ = ("name", "reason", "usable")

    def __init__(self, name: str, usable: bool, reason: str) -> None:
        self.name: Final = name
        #: Whether `load` gives it.
        self.usable: Final = usable
        #: Why it cannot be used; empty when it can.
        self.reason: Final = reason

    def __repr__(self) -> str:
        return f"<socketpkg backend {self.name!r}: {'usable' if self.usable else self.reason}>"


class _Failure:
    """Why a backend did not load. Kept, so that it is looked for once."""

    __slots__ = ("_reason", "cause", "expected", "listed", "package")

    def __init__(self, package: str, expected: bool, reason: str, cause: Exception | None, listed: bool = True) -> None:
        self.package = package
        #: Whether ``auto`` may go on to the next backend.
        self.expected = expected
        self.cause = cause
        #: Whether the error names the other backends.
        self.listed = listed
        self._reason = reason

    @property
    def reason(self) -> str:
        """The reason in words. Where none was given the backend's own module is missing; why is found out here, at the
        first look, since choosing with ``auto`` does not need it."""
        return self._reason or _why_missing(self.package, self.cause)


def _why_missing(package: str, cause: Exception | None) -> str:
    """Why a backend is not here, and what can be done about it."""
    if getattr(sys, "frozen", False) or "__compiled__" in globals():  # the latter is Nuitka's mark
        return (
            f"not in this frozen program: {cause}; tell what froze it to include the whole packages"
            f" {__package__} and {package}"
        )
    written = ""
    if VENDORED_AS is None:
        try:
            # Written by the installation. It is not there in a source tree in which nothing was built.
            __import__(f"{__package__}._not_built")
        except ImportError:
            pass
        else:
            reasons: dict[str, str] = sys.modules[f"{__package__}._not_built"].REASONS
            if package in BUILT_IN.values() and package not in reasons:
                return (
                    f"not here, though it was built when {__package__} was installed: {cause};"
                    " modules of another Python do not serve, and a zip file can hold none"
                )
            written = reasons.get(package, "")
    return f"not built: {written or cause}"


class _Incomplete(Exception):
    """A backend that imports well but does not fulfil the contract."""


class _Instances:
    """Finds ``_core`` and its companions for a backend that has none of its own: socketpkg's, under that name.

    Last on `sys.meta_path`, so a module that the package does have goes first. Doing it as a finder leaves the
    import system to lock, to clean up after a failure, to share the cached bytecode and to know about zip files.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The finder's one call, as `importlib.abc.MetaPathFinder` describes it."""
        package, _, module = fullname.rpartition(".")
        if package in _interpreted and module in SHARED:
            return _found(fullname, _engine.__path__)
        return None


#: The packages of the backends that `_Instances` serves.
_interpreted: set[str] = set()

# No lock guards these: one held while importing would deadlock with a thread that holds an import lock and waits for
# ours. Each outcome is set once by an atomic setdefault, and two threads at it at once do the same work twice.
_outcomes: dict[str, Backend | _Failure] = {}
_choice: tuple[Backend, str] | None = None


def load(name: str) -> Backend:
    """The backend *name*, loaded and checked. ImportError when it cannot be used; the message says why, and what else
    there is."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a backend is a str, not {type(name).__name__}")
    outcome = _outcome(_normal(name))
    if isinstance(outcome, Backend):
        return outcome
    raise _error(_normal(name), outcome)


def first() -> Backend:
    """The backend that is chosen when none is named. ImportError when there is none."""
    for name in ORDER:
        outcome = _outcome(name)
        if isinstance(outcome, Backend):
            return outcome
        if not outcome.expected:
            raise _error(name, outcome, _rule(""))
    raise ImportError(f"socketpkg has no backend that can be used here: {_listing()}", name=__package__)


def available() -> dict[str, BackendStatus]:
    """Every backend, built in or registered by an entry point: whether it can be used, or why not."""
    result = {}
    for name in (*BUILT_IN, *sorted(_registered())):
        outcome = _outcome(name)
        usable = isinstance(outcome, Backend)
        result[name] = BackendStatus(name, usable, "" if isinstance(outcome, Backend) else outcome.reason)
    return result


def current() -> Backend:
    """The backend that this process uses. It is chosen at the first call, and then stays."""
    return _chosen()[0]


def selected() -> str:
    """The name of the backend that this process uses."""
    return _chosen()[0].name


def rule() -> str:
    """The rule by which `selected` was chosen, in words. Also answers when the choice failed."""
    return _choice[1] if _choice is not None else _rule(_requested())


def __getattr__(name: str) -> object:
    if name == "features":
        return current().features
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "features"})


def running_as_program() -> bool:
    """Whether ``python -m socketpkg`` is being started.

    Python imports the package before the program in it, so the package must not fail when no backend can be used:
    reporting that is what the program is for.
    """
    arguments = sys.argv
    if not arguments or arguments[0] != "-m":  # Python's mark that the module's file is not found yet
        return False
    original = getattr(sys, "orig_argv", [])
    where = len(original) - len(arguments)  # after the interpreter's options, before the program's arguments
    if where < 1:
        return False
    word = original[where]
    if word.startswith("-"):  # the option and its argument in one word, as in "-Imsocketpkg"
        word = word.partition("m")[2]
    return word in (__package__, f"{__package__}.__main__")


def prepare_command() -> None:
    """Lets the command of ``python -m socketpkg`` have its say before a backend is chosen: `run` may name one."""
    if sys.argv[1:2] == ["run"] and "run" in COMMANDS:
        command: Any = _imported(f"{__package__}.{COMMANDS['run']}")
        command.prepare(sys.argv[2:])


# -- choosing ----------------------------------------------------------------------------------------------------------


def _normal(name: str) -> str:
    return name.strip().lower()


def _requested() -> str:
    """What the environment asks for; empty when it leaves the choice to us, or has no say."""
    if VENDORED_AS is not None:
        return ""
    name = _normal(os.environ.get(VARIABLE, ""))
    return "" if name == "auto" else name


def _rule(requested: str) -> str:
    if VENDORED_AS is not None:
        return f"being the only one of this copy, which {VARIABLE} does not reach"
    return asked_by or f"{VARIABLE}={requested}" if requested else "first usable of " + ", ".join(ORDER)


def _chosen() -> tuple[Backend, str]:
    global _choice
    if _choice is None:
        _choice = _choose()
    return _choice


def _choose() -> tuple[Backend, str]:
    if os.name == "nt":
        raise ImportError("socketpkg runs on Linux, macOS and the BSDs; Windows is not supported", name=__package__)
    requested = _requested()
    if not requested:
        return first(), _rule("")
    outcome = _outcome(requested)
    if isinstance(outcome, Backend):
        chosen = outcome.below is not None and not requested.endswith(outcome.below.name)
        return outcome, _rule(requested) + (f", over the {_rule('')}" if chosen else "")
    raise _error(requested, outcome, _rule(requested))


def _error(name: str, failure: _Failure, why: str = "") -> ImportError:
    """A new error each time, so that no traceback grows; the first cause is chained to it."""
    asked = f", chosen by {why}" if why else ""
    if not failure.listed:
        refusal = LayerError(f"socketpkg cannot use the stack {name!r}{asked}: {failure.reason}")
        refusal.__cause__ = failure.cause
        return refusal
    others = _listing(but=name) if failure.package else _listing()
    listed = "" if not others else f". The {'other backends' if failure.package else 'backends are'}: {others}"
    error = ImportError(
        f"socketpkg cannot use the backend {name!r}{asked}: {failure.reason}{listed}", name=failure.package or None
    )
    error.__cause__ = failure.cause
    return error


def _listing(but: str = "") -> str:
    statuses = available()
    told = {statuses[but].reason} if but in statuses else set()
    parts = []
    for status in statuses.values():
        if status.name != but:
            # Two backends may have one reason: no compiler, for example.
            unusable = "not usable, for the same reason" if status.reason in told else status.reason
            parts.append(f"{status.name} ({'usable' if status.usable else unusable})")
            told.add(status.reason)
    return "; ".join(parts)


# -- loading -----------------------------------------------------------------------------------------------------------


def _outcome(name: str) -> Backend | _Failure:
    """The backend *name* or why there is none, remembered."""
    found = _outcomes.get(name)
    if found is not None:
        return found
    if name not in BUILT_IN and VENDORED_AS is None and ("+" in name or is_layer(name)):
        return _stack(name)
    packages = [BUILT_IN[name]] if name in BUILT_IN else _registered().get(name, [])
    if not packages:
        # Not remembered: there is no end of wrong names.
        reason = "there is no backend of this name"
        if VENDORED_AS is not None and "+" in name:
            reason = "a vendored copy has no layers"
        return _Failure("", False, reason, None)
    outcome: Backend | _Failure
    if len(packages) > 1:
        reason = "more than one package registers this name: " + ", ".join(packages)
        outcome = _Failure("", False, reason, None)
    else:
        outcome = _load(name, packages[0])
    return _outcomes.setdefault(name, outcome)


def _stack(name: str) -> Backend | _Failure:
    """A stack of layers over a backend. A failure is not remembered: it may be an option that is set right."""
    try:
        backend: Backend = _imported(f"{__package__}.layers._stack").load(name)
    except ImportError as error:
        return _Failure("", False, str(error), error, listed=False)
    _outcomes.setdefault(name, backend)
    found = _outcomes.setdefault(backend.name, backend)
    assert isinstance(found, Backend)
    return found


# -- for socketpkg.layers ----------------------------------------------------------------------------------------------


def is_layer(name: str) -> bool:
    """Whether a layer has this name."""
    return name in LAYERS or (name not in BUILT_IN and name in registered(LAYERS_GROUP))


def is_backend(name: str) -> bool:
    """Whether a backend has this name, whether it can be used or not."""
    return name in BUILT_IN or name in _registered()


def loaded(name: str) -> Backend | None:
    """The backend or stack *name* if it has been loaded already."""
    outcome = _outcomes.get(name)
    return outcome if isinstance(outcome, Backend) else None


def serve(package: str) -> None:
    """Lets the modules of `SHARED` be found in *package*, as instances of its own."""
    _interpreted.add(package)
    if _Instances not in sys.meta_path:
        sys.meta_path.append(_Instances)


# ----------------------------------------------------------------------------------------------------------------------


def _registered() -> dict[str, list[str]]:
    """The backends of others: name and package, or several packages when they claim the same name."""
    return registered(GROUP)


def registered(group: str) -> dict[str, list[str]]:
    """What others have registered under an entry-point group: name and values, several when they claim one name."""
    if VENDORED_AS is not None:
        return {}
    # Slow to import, and only needed by those who have such a backend.
    from contextlib import suppress
    from importlib import metadata

    points: list[metadata.EntryPoint] = []
    try:
        points += metadata.entry_points(group=group)
    except ValueError:
        # Python 3.15 refuses to read any entry point when one of them, of whatever package and group, is malformed.
        for distribution in metadata.distributions():
            with suppress(ValueError):
                points += distribution.entry_points.select(group=group)
    found: dict[str, list[str]] = {}
    for point in points:
        name = _normal(point.name)
        if name and name != "auto" and name not in BUILT_IN and name not in LAYERS and "+" not in name:
            packages = found.setdefault(name, [])
            if point.value not in packages:
                packages.append(point.value)
    return found


def _load(name: str, package: str) -> Backend | _Failure:
    # Exception, not ImportError: whatever a backend raises is reported as its failure. None of it is swallowed, and
    # only the kinds that are listed here let the choice go on.
    try:
        if BOUND and __package__ != VENDORED_AS:
            raise _Incomplete(
                f"this copy was made to be imported as {VENDORED_AS} and not as {__package__};"
                " renew it with python -m socketpkg vendor --update"
            )
        _imported(package)
        module = _imported(f"{package}.syscalls")
        syscalls = _checked(module)
        # The modules of the engine import it from there, in a vendored copy too.
        vars(module).setdefault("SYSCALLS", syscalls())
        if "compiled-core" not in syscalls.features and not _has_core(package):
            serve(package)
        address = _imported(f"{package}._address")
        core = _imported(f"{package}._core")
        if not isinstance(getattr(core, "SYSCALLS", None), syscalls):
            raise _Incomplete(f"{package}._core.SYSCALLS is not an instance of {package}.syscalls.Syscalls")
        return Backend(name, package, core, address)
    except BackendUnavailable as error:
        return _Failure(package, True, f"not usable here: {error}", error)
    except ModuleNotFoundError as error:
        if error.name is not None and (error.name == package or error.name.startswith(f"{package}.")):
            return _Failure(package, True, "", error)  # the reason is looked up when asked for
        return _broken(package, error)
    except ImportError as error:
        if any(text in str(error) for text in _ONE_INTERPRETER):
            return _Failure(package, True, f"not usable here: {error}", error)
        return _broken(package, error)
    except Exception as error:
        return _broken(package, error)


def _imported(name: str) -> ModuleType:
    """What importlib.import_module() gives; that one is not loaded in every interpreter."""
    __import__(name)
    return sys.modules[name]


def _has_core(package: str) -> bool:
    """Whether a backend brings a ``_core`` of its own; those in a vendored copy do."""
    return _found(f"{package}._core", sys.modules[package].__path__) is not None


def _found(fullname: str, path: Sequence[str]) -> ModuleSpec | None:
    """What the importers of this interpreter find under that name in *path*. Not only those of files: a program that a
    freezer made may have another one."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if finder is not _Instances and find is not None:
            spec: ModuleSpec | None = find(fullname, path)
            if spec is not None:
                return spec
    return None


def _broken(package: str, error: Exception) -> _Failure:
    text = str(error) if isinstance(error, (_Incomplete, ImportError)) else f"{type(error).__name__}: {error}"
    return _Failure(package, False, f"built but broken: {text}", error)


def _checked(module: ModuleType) -> type[contract.Syscalls]:
    """The class ``Syscalls`` of a backend, when it fulfils the contract."""
    found = getattr(module, "Syscalls", None)
    if not isinstance(found, type):
        raise _Incomplete(f"{module.__name__} has no class Syscalls")
    # The compiled backend stands on a compiled twin of the contract, with classes of the same names. It is made of the
    # same file, which then need not be loaded beside it.
    package = module.__name__.rpartition(".")[0]
    twin = sys.modules.get(f"{package}.contract") if package in BUILT_IN.values() else None
    model: Any = twin or _imported(f"{__package__}.contract")
    own = [cls for cls in found.__mro__ if cls is not object and cls.__name__ != model.RequiredSyscalls.__name__]
    missing = [n for n in _public(model.RequiredSyscalls) if not any(callable(vars(cls).get(n)) for cls in own)]
    missing += [n for n in _public(model.Syscalls) if not hasattr(found, n)]
    if missing:
        raise _Incomplete(f"{module.__name__}.Syscalls lacks {', '.join(missing)}")
    return found


def _public(cls: type) -> list[str]:
    return [name for name in vars(cls) if not name.startswith("_")]
