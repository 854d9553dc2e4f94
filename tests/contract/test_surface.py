"""What a backend's class looks like: names, parameters, documentation, features, constants."""

from __future__ import annotations

import inspect
import socket as stdlib
import sys
from types import MappingProxyType
from typing import Any

import pytest

from socketpkg.contract import RequiredSyscalls
from socketpkg.contract import Syscalls as Contract

REQUIRED = sorted(name for name, value in vars(RequiredSyscalls).items() if inspect.isfunction(value))
CALLS = sorted(
    {name for cls in (RequiredSyscalls, Contract) for name, value in vars(cls).items() if inspect.isfunction(value)}
)

#: What each of our backends says that it can do; one place, so that a lost feature does not go unnoticed.
FEATURES = {
    "c": {"keeps-gil", "compiled-core"},
    "cffi": {"keeps-gil"},
    "ctypes": {"keeps-gil"},
}


def contract(name: str) -> Any:
    return getattr(Contract, name)


def test_the_contract_says_something_about_every_call() -> None:
    assert len(REQUIRED) > 40
    assert [name for name in CALLS if not inspect.getdoc(contract(name))] == []


@pytest.mark.parametrize("name", CALLS)
def test_parameters(syscalls: Any, name: str) -> None:
    wanted = [p for p in inspect.signature(contract(name)).parameters.values() if p.name != "self"]
    found = list(inspect.signature(getattr(syscalls.whole(), name)).parameters.values())
    assert [p.name for p in found] == [p.name for p in wanted]
    assert [p.default for p in found] == [inspect.Parameter.empty] * len(found), "a call has no defaults"
    # A call is given its arguments by position. PyPy shows a built-in function, as close is on cffi and ctypes, so.
    assert {p.kind for p in found} <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY}


@pytest.mark.parametrize("name", REQUIRED)
def test_required_calls_are_brought(syscalls: Any, name: str) -> None:
    found = getattr(syscalls.whole, name)
    assert found is not getattr(RequiredSyscalls, name)


def test_features(syscalls: Any, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # PyPy releases its GIL in every call to C.
    assert isinstance(syscalls.features, frozenset)
    assert syscalls.features <= {"keeps-gil", "compiled-core", "sa-len"}
    assert ("sa-len" in syscalls.features) == (sys.platform not in ("linux", "android"))
    if backend in FEATURES:
        assert syscalls.features == (FEATURES[backend] if sys.implementation.name == "cpython" else set())


def test_describe(syscalls: Any) -> None:
    facts = syscalls.describe()
    assert facts, "a backend knows something about itself"
    assert all(type(key) is str and type(value) is str and value for key, value in facts.items())
    assert all(key == key.lower() and " " not in key for key in facts)


def test_constants(syscalls: Any) -> None:
    from socketpkg._engine.constants import NAMES

    constants = syscalls.constants()
    assert set(constants) <= set(NAMES)
    assert {type(value) for value in constants.values()} == {int}
    wrong = {
        name: (value, getattr(stdlib, name))
        for name, value in constants.items()
        if isinstance(getattr(stdlib, name, None), int) and getattr(stdlib, name) != value
    }
    # Not a number of the kernel's, but of the C library that the interpreter was built with.
    wrong.pop("SOMAXCONN", None)
    wrong.pop("IPPROTO_MAX", None)
    assert wrong == {}


def test_constants_cannot_be_changed_for_others(syscalls: Any) -> None:
    constants = syscalls.constants()
    if isinstance(constants, MappingProxyType):
        with pytest.raises(TypeError):
            constants["AF_INET"] = 0  # type: ignore[index]
    else:
        constants["AF_INET"] = -1
    assert syscalls.constants()["AF_INET"] == stdlib.AF_INET
