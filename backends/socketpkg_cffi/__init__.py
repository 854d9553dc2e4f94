"""The cffi backend of socketpkg: a module that the compiler has checked against the system's headers.

PYTEST_DONT_REWRITE: pytest looks for no assertions here, and says nothing when this was imported before it.
"""

# First of all, since this import may load this very backend.
import socketpkg  # noqa: F401
