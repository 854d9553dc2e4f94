"""What kind of objects the functions are: those that the standard library has in C behave as built-in ones here too."""

from __future__ import annotations

import importlib
import inspect
import pickle
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from .target import IS_STDLIB, MODULE, PYPY, run_python, socket, stdlib

low_level: Any = importlib.import_module("_socket" if IS_STDLIB else f"{MODULE}._socket")
stdlib_low_level: Any = stdlib._socket  # type: ignore[attr-defined]

#: The functions that CPython has in C, by the module where they are looked at.
BUILT_IN = [
    (module, name)
    for module in (socket, low_level)
    for name, value in sorted(vars(stdlib_low_level).items())
    if isinstance(value, types.BuiltinFunctionType)
    and getattr(stdlib if module is socket else value, name, value) is value
]
IDS = [f"{module.__name__}.{name}" for module, name in BUILT_IN]


@pytest.mark.parametrize(("module", "name"), BUILT_IN, ids=IDS)
def test_a_function_is_no_method_of_a_class_that_has_it(module: Any, name: str) -> None:
    function = getattr(module, name)
    holder: Any = type("Holder", (), {"function": function})
    assert holder.function == function
    assert holder().function == function


def test_a_function_that_a_class_has_is_called_without_the_object() -> None:
    class Resolver:
        resolve = socket.gethostbyname
        packed = socket.inet_pton
        swapped = socket.htonl
        default = socket.getdefaulttimeout

    resolver: Any = Resolver()
    assert resolver.resolve("127.0.0.1") == "127.0.0.1"
    assert resolver.packed(socket.AF_INET, "1.2.3.4") == b"\1\2\3\4"
    assert resolver.swapped(1) == socket.htonl(1)
    assert resolver.default() is None


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(("module", "name"), BUILT_IN, ids=IDS)
def test_a_function_is_pickled_by_its_name(module: Any, name: str, protocol: int) -> None:
    function = getattr(module, name)
    pickled = pickle.dumps(function, protocol)
    assert pickle.loads(pickled) is function
    # A pickle of one backend is read on another.
    assert b"socketpkg_" not in pickled and b"_core" not in pickled


@pytest.mark.parametrize(("module", "name"), BUILT_IN, ids=IDS)
def test_a_function_tells_what_it_is(module: Any, name: str) -> None:
    function = getattr(module, name)
    assert callable(function) and inspect.isroutine(function)
    assert function.__name__ == function.__qualname__ == name
    assert function.__doc__
    assert PYPY or repr(function) == f"<built-in function {name}>"


def public_callables() -> Iterator[tuple[str, Any]]:
    """The functions of the public module, and the methods and the properties of its classes."""
    for name in sorted(socket.__all__):
        value = getattr(socket, name)
        if not isinstance(value, type):
            if callable(value):
                yield name, value
        elif issubclass(value, (socket.SocketType, socket.SocketIO)):
            for attribute in sorted(dir(value)):
                if not attribute.startswith("__") or attribute in ("__init__", "__enter__", "__exit__", "__repr__"):
                    method = inspect.getattr_static(value, attribute)
                    method = getattr(method, "fget", None) or getattr(value, attribute)
                    if callable(method):
                        yield f"{name}.{attribute}", method


PUBLIC = dict(public_callables())


@pytest.mark.parametrize("name", PUBLIC)
def test_the_annotations_mean_something_when_the_program_runs(name: str) -> None:
    hints = typing.get_type_hints(PUBLIC[name])
    assert all(not isinstance(hint, (str, typing.ForwardRef)) for hint in hints.values())


@pytest.mark.parametrize("name", PUBLIC)
def test_the_signature_can_be_read_with_its_annotations(name: str) -> None:
    function = PUBLIC[name]
    try:
        shown = inspect.signature(function, eval_str=True)
    except ValueError:
        # The interpreter's own type has methods in C that tell no signature.
        method = name.rpartition(".")[2]
        assert IS_STDLIB or getattr(object, method, None) is function or not hasattr(function, "__code__")
        return
    assert all(not isinstance(parameter.annotation, str) for parameter in shown.parameters.values())


@pytest.mark.socketpkg_only
def test_annotations_are_read_as_the_types_they_name() -> None:
    hints = typing.get_type_hints(socket.create_connection)
    assert hints["timeout"] == float | None
    assert hints["all_errors"] is bool
    assert hints["return"] is socket.socket
    hints = typing.get_type_hints(socket.socket.__init__)
    index = hints["family"]
    assert isinstance(1, index) and isinstance(socket.AF_INET, index) and not isinstance("1", index)


@pytest.mark.socketpkg_only
def test_nobody_imports_typing() -> None:
    """It would take longer than most of the import does."""
    assert run_python("import sys; print('typing' in sys.modules)") == "False\n"
