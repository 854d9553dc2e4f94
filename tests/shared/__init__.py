"""The shared suite: what a program may expect of a `socket` module, whichever module that is.

It runs unchanged over socketpkg, once a backend, and over the standard library's own module as the control: a
test that fails there is a wrong test. Real sockets on the loopback, and no mocks of the kernel.
"""
