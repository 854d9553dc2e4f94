"""The c backend of socketpkg: Cython, with `Socket` compiled together with its system calls."""

# First of all, since this import may load this very backend.
import socketpkg  # noqa: F401
