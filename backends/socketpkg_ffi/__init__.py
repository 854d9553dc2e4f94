"""What the backends cffi and ctypes share: all but how a function of the C library is called. Not a backend.

PYTEST_DONT_REWRITE: pytest looks for no assertions here, and says nothing when this was imported before it.
"""

#: Room for an address: a sockaddr_storage.
NAME_SIZE = 128
#: The bits of poll(2), which are the same on every platform.
POLLIN, POLLOUT, POLLERR = 1, 4, 8
