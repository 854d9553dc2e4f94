"""The ctypes backend of socketpkg: needs no compiler and nothing but the standard library.

PYTEST_DONT_REWRITE: pytest looks for no assertions here, and says nothing when this was imported before it.
"""

# First of all, since this import may load this very backend.
import socketpkg  # noqa: F401
