"""Interpreted functions of the public module that behave as built-in ones, as those of CPython's ``_socket`` do.

A function that is written in Python becomes a method of a class that has it for an attribute, and is pickled by the
name of the module that it was written in, here that of a backend. A built-in one does neither.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

__all__ = ["Function"]


class Function(staticmethod):  # type: ignore[type-arg]
    """A function that is no method wherever it is found, and that is pickled by its public name.

    A staticmethod can be called, and takes over the name, the text and the annotations of its function.
    """

    #: The function whose signature is shown, where that of the function itself cannot be read. Not an annotation: on
    #: CPython 3.14 those of the class would stand in the place of the function's own.
    model = None  # type: Any

    def __get__(self, instance: object, owner: object = None, /) -> Any:
        return self

    def __reduce__(self) -> str:
        return self.__name__

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> str:
        # PyPy's own does not ask __reduce__ of what is made of a staticmethod.
        return self.__name__

    def __repr__(self) -> str:
        return f"<built-in function {self.__name__}>"

    @property
    def __signature__(self) -> Any:
        if self.model is None:
            raise AttributeError("__signature__")
        from inspect import signature

        return signature(self.model, eval_str=True)
