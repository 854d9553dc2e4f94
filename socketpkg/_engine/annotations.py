"""What the names in annotations mean while a program runs, for those who read them: typing.get_type_hints(), inspect.

Type checkers read the source, where these names are those of typing and of typeshed. To import typing takes longer than
to import most of socketpkg, so here each name has a stand-in that costs nothing: `object` where anything goes, and else
a class that knows its instances.
"""

from __future__ import annotations

import _collections_abc
from _collections_abc import Iterable as Iterable
from types import TracebackType as TracebackType

__all__ = [
    "Any",
    "Iterable",
    "ReadableBuffer",
    "Self",
    "SupportsFloat",
    "SupportsIndex",
    "TracebackType",
    "WriteableBuffer",
]


class _Supporting(type):
    """The type of classes whose instances are the objects that have a method."""

    method: str

    def __instancecheck__(cls, instance: object) -> bool:
        return hasattr(type(instance), cls.method)


class SupportsIndex(metaclass=_Supporting):
    """What has ``__index__``: typing.SupportsIndex."""

    method = "__index__"


class SupportsFloat(metaclass=_Supporting):
    """What has ``__float__``: typing.SupportsFloat."""

    method = "__float__"


#: What an annotation says by it is no class: any object may come.
Any = Self = object
#: collections.abc.Buffer is there from Python 3.12 on.
ReadableBuffer = WriteableBuffer = getattr(_collections_abc, "Buffer", object)
