"""What the interpreter imports when it starts: puts socketpkg in place of socket before anything can import that.

The runner has this folder on PYTHONPATH, so that it works in the processes that a test starts, too (but not in those
that it starts with ``-I``, ``-E`` or ``-S``).
"""

import importlib.util
import os
import sys

if sys.implementation.name == "pypy":
    # PyPy compiles _testcapi when it is imported. Debian's package lacks the source, and test.support expects an
    # ImportError of an interpreter that has no _testcapi, not that a file is missing.
    spec = importlib.util.find_spec("_testcapi")
    folder = os.path.dirname((spec and spec.origin) or "")
    if folder and not os.path.exists(os.path.join(folder, "_testcapimodule.c")):
        sys.modules["_testcapi"] = None

if os.environ.get("SOCKETPKG_CONFORMANCE"):
    import socketpkg

    socketpkg.install()
