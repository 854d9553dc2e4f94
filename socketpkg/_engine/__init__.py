"""What makes sockets of a backend's system calls: the core, the addresses, and what these need.

`_core`, `_address` and `_bulk` are run once for each backend that is loaded, as modules of its package
(`socketpkg.backends` says how). The others are ordinary modules, and no backend shows in them.
"""
