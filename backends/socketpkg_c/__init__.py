"""The c backend of socketpkg: Cython, with `Socket` compiled together with its system calls.

PYTEST_DONT_REWRITE: pytest looks for no assertions here, and says nothing when this was imported before it.
"""

# First of all, since this import may load this very backend.
import socketpkg  # noqa: F401
