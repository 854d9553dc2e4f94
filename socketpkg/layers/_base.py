"""`Layer`: a `Syscalls` over another `Syscalls`.

What a layer does not define goes to the one below. That is derived from the contract, and costs nothing: the names of
the layer *are* the methods of the one below, bound when the stack is put together and again when a layer is switched on
or off. So a call that no layer in between defines is one step from `Socket` to the backend, however high the stack.
"""

from __future__ import annotations

import os
import sys
from types import FunctionType

from socketpkg._engine.interpreted import borrower
from socketpkg.contract import RequiredSyscalls, Syscalls

from . import _options
from ._options import LayerError, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Set
    from typing import Any, ClassVar

#: The calls of the contract by name, as it describes them.
CONTRACT: dict[str, FunctionType] = {
    name: call
    for cls in (RequiredSyscalls, Syscalls)
    for name, call in vars(cls).items()
    if isinstance(call, FunctionType) and not name.startswith("_")
}
#: Those that go down the stack: all but what a layer says of itself.
CALLS: tuple[str, ...] = tuple(name for name in CONTRACT if name != "describe")

#: What a layer takes away from the capabilities of a backend: its `Socket` is the interpreted one.
_NOT_THROUGH = frozenset({"compiled-core"})


def descriptor(sock: Any) -> int:
    """The number of the descriptor that a call of the contract is about."""
    return sock._sp_fd  # type: ignore[no-any-return]


def discard(calls: Syscalls, fd: int) -> None:
    """Closes a descriptor that cannot be handed over."""
    try:
        calls.close(fd)
    except OSError:
        pass


class Layer(Syscalls):
    """The base of every layer. On its own it changes nothing.

    A subclass defines the calls of the contract (`socketpkg.contract`) that it is interested in, under their own
    names, and makes them with ``self.below``. A call that is built from others in the contract, such as ``recvmmsg``,
    is passed on like every other one: who defines ``recvmsg`` decides about ``recvmmsg`` too.
    """

    #: The name that ``SOCKET_BACKEND`` takes; the variable with the options is made of it.
    NAME: ClassVar[str] = ""
    #: What it is for, in a line.
    SUMMARY: ClassVar[str] = ""
    OPTIONS: ClassVar[Mapping[str, Option]] = {}
    #: Calls that it defines and that it gets also while it is switched off, since it must know of them.
    ALWAYS: ClassVar[Set[str]] = frozenset()

    def __init__(self, below: Syscalls) -> None:
        #: The next layer, or the backend.
        self.below: Syscalls = below
        self.features: Set[str] = frozenset(below.features) - _NOT_THROUGH
        #: The values of its options by name. Change them with `configure`.
        self.options: dict[str, Any] = {
            name: [] if option.many else option.default for name, option in self.OPTIONS.items()
        }
        #: Makes what a call takes of a descriptor that is known by its number.
        self.borrow: Callable[[int], Any] = (
            below.borrow if isinstance(below, Layer) else borrower(sys.modules[type(below).__module__])
        )
        self._enabled = True
        self._above: Layer | None = None
        if isinstance(below, Layer):
            below._above = self
        self._bind()

    # -- options -------------------------------------------------------------------------------------------------

    @classmethod
    def variable(cls) -> str:
        """The environment variable that holds its options."""
        return f"SOCKETPKG_{cls.NAME.upper().replace('-', '_')}"

    @classmethod
    def given(cls) -> list[tuple[str, Any]]:
        """The options in the environment, as pairs of key and text. LayerError where its text cannot be read."""
        where = cls.variable()
        return list(_options.pairs(os.environ.get(where, ""), where))

    @classmethod
    def read_options(cls, given: Iterable[tuple[str, Any]], where: str, typed: str = "") -> dict[str, Any]:
        """The values of the options that are *given* as pairs of key and text; *where* from, and what was *typed* for
        them if that is another word, is for errors. LayerError for a wrong one."""
        return _options.read(given, cls.OPTIONS, where, typed)

    def configure(self, text: str = "", /, **options: Any) -> None:
        """Sets options: as text in the syntax of the environment variable, or by name.

        An option that can be given more than once takes a list of texts, and replaces what it was. LayerError
        (an ImportError) when one is wrong; none of them is changed then.
        """
        where = self.variable() if text else f"the layer {self.NAME!r}"
        given: list[tuple[str, Any]] = list(_options.pairs(text, where))
        for key, value in options.items():
            if isinstance(value, (list, tuple)):
                given += [(key, part) for part in value]
            else:
                given.append((key, value))
        self._apply(given, where)

    def _apply(self, given: list[tuple[str, Any]], where: str) -> None:
        """Sets the options that are *given* as pairs of key and text, and acts on them."""
        before = dict(self.options)
        self.options.update(self.read_options(given, where))
        try:
            self.configured()
        except BaseException:
            self.options.clear()
            self.options.update(before)
            raise

    def start(self, given: list[tuple[str, Any]]) -> None:
        """Sets the options that were *given* in the environment. Called once, when the stack is put together."""
        self._apply(given, self.variable())

    def configured(self) -> None:
        """Called after the options have changed. LayerError when they do not go together; the old ones hold then."""

    # -- on and off ----------------------------------------------------------------------------------------------

    @property
    def enabled(self) -> bool:
        """Whether it does anything. Switched off it costs nothing, and may be switched on again at any time."""
        return self._enabled

    @enabled.setter
    def enabled(self, on: bool) -> None:
        self._enabled = bool(on)
        layer: Layer | None = self
        while layer is not None:
            layer._bind()
            layer = layer._above

    def _bind(self) -> None:
        """Lets the calls that are not its own be those of the one below."""
        own = vars(self)
        for name in CALLS:
            if self.defines(name) and (self._enabled or name in self.ALWAYS):
                own.pop(name, None)
            else:
                own[name] = getattr(self.below, name)

    @classmethod
    def defines(cls, name: str) -> bool:
        """Whether it has a call of the contract of its own."""
        return getattr(cls, name) is not CONTRACT[name]

    # -- facts ---------------------------------------------------------------------------------------------------

    def describe(self) -> dict[str, str]:
        """Facts for a bug report: those of the one below, and its own options that are not the default."""
        facts = dict(self.below.describe())
        facts[self.NAME] = self.state()
        return facts

    def state(self) -> str:
        """Whether it is on, and its options that are not the default."""
        changed = [
            f"{name}={_shown(value)}"
            for name, value in self.options.items()
            if value != ([] if self.OPTIONS[name].many else self.OPTIONS[name].default)
        ]
        return " ".join(["on" if self._enabled else "off", *changed])

    def __repr__(self) -> str:
        return f"<socketpkg layer {self.NAME!r}: {self.state()}>"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(map(str, value))
    if isinstance(value, frozenset):
        return "+".join(sorted(value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


__all__ = ["CALLS", "CONTRACT", "Layer", "LayerError", "Option", "descriptor"]
