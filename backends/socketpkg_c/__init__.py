"""The c backend of socketpkg: Cython, with `Socket` compiled together with its system calls."""

# Whoever imports this package first gets the import of socketpkg, which may load this very backend, out of the way.
import socketpkg  # noqa: F401
