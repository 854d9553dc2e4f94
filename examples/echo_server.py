"""The echo server of the 1998 manual of Python's socket module, with Python 3's print and bytes.

Start it, then echo_client.py in another terminal.
"""

from socketpkg import *

HOST = ""  # Symbolic name meaning the local host
PORT = 50007  # Arbitrary non-privileged server
s = socket(AF_INET, SOCK_STREAM)
s.bind(HOST, PORT)
s.listen(1)
conn, addr = s.accept()
print("Connected by", addr)
while 1:
    data = conn.recv(1024)
    if not data:
        break
    conn.send(data)
conn.close()
