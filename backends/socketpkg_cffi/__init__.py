"""The cffi backend of socketpkg: a module that the compiler has checked against the system's headers."""

# First of all, since this import may load this very backend.
import socketpkg  # noqa: F401
