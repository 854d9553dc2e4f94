"""Sockets that are open when the interpreter ends: they are closed, and nothing is said of them."""

from __future__ import annotations

import sys

import pytest

from .target import MODULE, run_python

PROGRAMS = {
    "a global name": "pair = socket.socketpair()",
    "a circle": "class K: pass\nk = K(); k.k = k; k.pair = socket.socketpair()",
    "a name in sys": "import sys; sys.keep = socket.socketpair()",
    "a name in builtins": "import builtins; builtins.keep = socket.socketpair()",
    "a name in threading": "import threading; threading.keep = socket.socketpair()",
    "a default argument": "def f(pair=socket.socketpair()): pass",
    "a name in the module": "socket.keep = socket.socketpair()",
    "names in the modules below": """
        import sys
        for name, module in list(sys.modules.items()):
            if name.endswith(("._core", "._ffi", ".syscalls", "._address")) or name == "_socket":
                module.keep = socket.socketpair()
        """,
    "modules that are gone": """
        import sys
        sys.keep = socket.socketpair()
        for name in [name for name in sys.modules if "socket" in name]:
            del sys.modules[name]
        """,
    "a thread that waits": """
        import threading, time
        one, two = socket.socketpair()
        threading.Thread(target=one.recv, args=(1,), daemon=True).start()
        time.sleep(0.05)
        """,
    "a file": "one, two = socket.socketpair(); file = one.makefile('rwb'); file.write(b'x')",
    "a context variable": "import contextvars; kept = contextvars.ContextVar('c'); kept.set(socket.socketpair())",
}


#: Without a GIL the last collection finalizes in the order of the allocator's pages, so by the size of objects. A
#: socket may be closed before what a file over it still has to write: the standard library's is, with 16 slots more.
WITHOUT_ORDER = () if getattr(sys, "_is_gil_enabled", lambda: True)() else ("a file",)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in WITHOUT_ORDER])
def test_the_end_of_the_interpreter_is_quiet(name: str) -> None:
    assert run_python(PROGRAMS[name]) == ""


@pytest.mark.socketpkg_only
def test_a_descriptor_is_closed_when_the_modules_have_been_taken_apart() -> None:
    """What the interpreter does with the names of modules at its end, done while one can still look."""
    code = f"""
import gc, os, sys
one, two = socket.socketpair()
numbers = [one.fileno(), two.fileno()]
sys.unraisablehook = lambda *arguments: None
for name, module in list(sys.modules.items()):
    if name.startswith("socketpkg") or name.startswith({MODULE!r}):
        for key in list(vars(module)):
            if not key.startswith("__"):
                vars(module)[key] = None
del one, two
for _ in range(3):
    gc.collect()
print([os.path.exists(f"/dev/fd/{{number}}") for number in numbers])
"""
    assert run_python(code) == "[False, False]\n"
