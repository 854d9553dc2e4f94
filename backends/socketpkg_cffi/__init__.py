"""The cffi backend of socketpkg: a module that the compiler has checked against the system's headers."""

# Whoever imports this package first gets the import of socketpkg, which may load this very backend, out of the way.
import socketpkg  # noqa: F401
