"""Which edition of socketpkg this is: the backends to choose from, and the commands.

This is the whole one. A copy that ``python -m socketpkg vendor`` makes has another file of this name, and differs from
the whole in nothing else. So what is in here is read wherever the two have to behave differently.
"""

from __future__ import annotations

import sys

#: The name under which a copy was made, ``myapp._vendor.socketpkg`` for example. None is the whole edition.
VENDORED_AS: str | None = None
#: Whether it works under that name only. The modules of the c backend find each other by their full names.
BOUND: bool = False
#: The backends that come with socketpkg: name and package. Nobody else's can take these names.
BUILT_IN: dict[str, str] = {"c": "socketpkg_c", "cffi": "socketpkg_cffi", "ctypes": "socketpkg_ctypes"}
#: What is tried when none is named, in this order.
ORDER: tuple[str, ...] = ("cffi", "ctypes") if sys.implementation.name == "pypy" else ("c", "cffi", "ctypes")
#: The layers that come with socketpkg: name, and module in the package ``layers``. Nobody else's can take these names.
LAYERS: dict[str, str] = {"chaos": "chaos", "guard": "guard", "null": "null", "sim": "sim", "trace": "trace"}
#: The commands of ``python -m socketpkg``: name, and module in this package.
COMMANDS: dict[str, str] = {
    "bench": "_commands.bench",
    "chaos": "layers._chaos_command",
    "doctor": "_commands.doctor",
    "run": "_commands.run",
    "sim": "layers._sim_command",
    "vendor": "_commands.vendor.command",
}
