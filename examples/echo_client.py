"""The echo client of the 1998 manual of Python's socket module, with Python 3's print and bytes.

It wants echo_server.py to run.
"""

from socketpkg import *

HOST = "localhost"  # The remote host
PORT = 50007  # The same port as used by the server
s = socket(AF_INET, SOCK_STREAM)
s.connect(HOST, PORT)
s.send(b"Hello, world")
data = s.recv(1024)
s.close()
print("Received", repr(data))
