"""What an object says to being exported as a buffer, and what the handler of a signal raises meanwhile."""

from __future__ import annotations

import array
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from socketpkg._engine.buffers import memoryview_of, refuses


def _released() -> memoryview:
    view = memoryview(b"x")
    view.release()
    return view


def test_what_is_written_in_c_refuses_by_a_few_errors() -> None:
    for value in ("x", 5, None, _released()):
        with pytest.raises((TypeError, ValueError)) as caught:
            memoryview_of(value)  # type: ignore[arg-type]
        assert refuses(value, caught.value)
    for value in (bytearray(1), array.array("i"), memoryview(b"x"), b"x"):
        assert not refuses(value, ZeroDivisionError())
        assert not refuses(value, MemoryError())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 688")
def test_what_is_written_in_python_may_raise_any() -> None:
    class Exporter:
        def __buffer__(self, flags: int) -> memoryview:
            raise ZeroDivisionError

    assert refuses(Exporter(), ZeroDivisionError())
    assert not refuses(Exporter(), MemoryError())


def test_what_a_handler_raises_while_a_buffer_is_taken_is_not_hidden() -> None:
    calls = pytest.importorskip("socketpkg_ffi.calls")

    def interrupted(buffer: Any) -> Any:
        raise ZeroDivisionError

    own: Any = SimpleNamespace(_writable=interrupted)
    with pytest.raises(ZeroDivisionError):
        calls.ForeignSyscalls._writable_of(own, "recv_into", bytearray(1))
    with pytest.raises(ZeroDivisionError):
        calls.ForeignSyscalls._writable_all(own, "recvmsg_into", (bytearray(1),), [])
