"""Attributes of the standard library's ``socket`` that are modules, and that socketpkg imports when they are used."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import socketpkg


def program(code: str) -> None:
    """Runs *code* in a fresh interpreter, where nothing of these modules is imported yet."""
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], check=True, timeout=60)


@pytest.mark.parametrize("name", ["array", "selectors"])
def test_it_is_the_module_from_its_first_use_on(name: str) -> None:
    program(f"""
        import sys, types
        import socketpkg as socket
        assert {name!r} in vars(socket) and {name!r} in dir(socket)
        taken = socket.{name}
        assert isinstance(taken, types.ModuleType) and {name!r} not in sys.modules
        assert taken.__name__ == {name!r}
        import {name}
        assert socket.{name} is {name}
        assert repr(taken) == repr({name}) and dir(taken) == dir({name}) and vars(taken) is vars({name})
    """)


def test_one_that_is_there_already_is_taken_as_it_is() -> None:
    program("import selectors, socketpkg; assert vars(socketpkg)['selectors'] is selectors")


def test_it_can_be_patched_before_it_is_used() -> None:
    program("""
        import socketpkg as socket
        taken = socket.selectors
        taken.PollSelector = "patched"
        import selectors
        assert selectors.PollSelector == "patched"
        del taken.PollSelector
        assert not hasattr(selectors, "PollSelector")
    """)


def test_what_a_program_put_in_its_place_stays() -> None:
    program("""
        import socketpkg as socket
        taken = socket.selectors
        socket.selectors = "mine"
        taken.DefaultSelector
        assert socket.selectors == "mine"
    """)


def test_names_of_the_module_are_looked_up_the_fast_way() -> None:
    # CPython specializes the look-up of a module's names only where there is no __getattr__.
    assert "__getattr__" not in vars(socketpkg)
    assert type(socketpkg) is type(sys)
