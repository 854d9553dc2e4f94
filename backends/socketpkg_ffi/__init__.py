"""What the backends cffi and ctypes share: all but how a function of the C library is called. Not a backend."""
