"""Runs a command in a sandbox that lacks system calls: ``python sandbox.py accept4 recvmmsg -- COMMAND...``.

A filter of seccomp(2) answers ENOSYS, as gVisor, containers with an old profile and kernels older than the C library
do. The exit status is 77 where there are no filters, or the numbers of the calls are not known.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

#: <asm/unistd.h>. On machines whose C library has no accept(2) but by accept4(2), there is nothing to fall back to.
NUMBERS = {
    "x86_64": {"accept4": 288, "recvmmsg": 299, "sendmmsg": 307},
    "aarch64": {"accept4": 242, "recvmmsg": 243, "sendmmsg": 269},
}
UNKNOWN = 77
#: <linux/bpf_common.h> and <linux/seccomp.h>
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ERRNO, ALLOW = 0x00050000, 0x7FFF0000
#: <linux/prctl.h>
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2


def deny(numbers: list[int]) -> bool:
    """Lets this process and what it runs do without system calls; False where that cannot be."""
    # The number of the system call comes first in struct seccomp_data.
    rows = [(LOAD, 0, 0, 0)]
    rows += [(JUMP_IF_EQUAL, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    rows += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    program = struct.pack("HP", len(rows), ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong]
    if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return prctl(PR_SET_SECCOMP, MODE_FILTER, program, 0, 0) == 0


if __name__ == "__main__":
    end = sys.argv.index("--")
    known = NUMBERS.get(platform.machine(), {})
    if sys.platform != "linux" or not known or not deny([known[name] for name in sys.argv[1:end]]):
        sys.exit(UNKNOWN)
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])
