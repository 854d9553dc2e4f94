"""The ctypes backend of socketpkg: needs no compiler and nothing but the standard library."""

# First of all, since this import may load this very backend.
import socketpkg  # noqa: F401
