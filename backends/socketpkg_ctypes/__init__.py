"""The ctypes backend of socketpkg: needs no compiler and nothing but the standard library."""

# Whoever imports this package first gets the import of socketpkg, which may load this very backend, out of the way.
import socketpkg  # noqa: F401
