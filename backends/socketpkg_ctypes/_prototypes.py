"""The functions and structures of the C library, as ctypes wants them described. No behaviour.

Two libraries are made of the same functions: `gil_held` keeps the GIL during a call, `gil_released` gives it up.
PyPy has only the second kind.

The layouts are those of Linux, for glibc and musl. Where POSIX wants an ``int`` or a ``socklen_t`` and the kernel a
``size_t`` (``msg_iovlen``, ``msg_controllen``, ``cmsg_len``), musl puts padding beside the member so that the two
lie over one another, and glibc declares the kernel's type; a ``size_t`` is right for both, on either byte order.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from ctypes import (
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_int,
    c_long,
    c_short,
    c_size_t,
    c_ssize_t,
    c_uint,
    c_ulong,
    c_void_p,
)
from types import SimpleNamespace

__all__ = [
    "CMSG_HEADER",
    "IOVEC",
    "LIBC",
    "MMSGHDR",
    "Addrinfo",
    "Hostent",
    "InterfaceName",
    "Iovec",
    "Msghdr",
    "Overlay",
    "Pollfd",
    "Protoent",
    "Servent",
    "Timespec",
    "gil_held",
    "gil_released",
]

socklen_t = c_uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Addrinfo(Structure):
    """struct addrinfo"""


Addrinfo._fields_ = [
    ("ai_flags", c_int),
    ("ai_family", c_int),
    ("ai_socktype", c_int),
    ("ai_protocol", c_int),
    ("ai_addrlen", socklen_t),
    ("ai_addr", POINTER(c_char)),
    ("ai_canonname", c_char_p),
    ("ai_next", POINTER(Addrinfo)),
]


#: The type of a member that is set to bytes as well as to an address, which a c_void_p does not take. On PyPy it is
#: set to addresses only.
_Location = c_char_p if sys.implementation.name == "cpython" else c_void_p


class Pollfd(Structure):
    """struct pollfd"""

    _fields_ = [("fd", c_int), ("events", c_short), ("revents", c_short)]


class Timespec(Structure):
    """struct timespec"""

    _fields_ = [("tv_sec", c_long), ("tv_nsec", c_long)]


class Iovec(Structure):
    """struct iovec"""

    _fields_ = [("iov_base", _Location), ("iov_len", c_size_t)]


#: Set to an array of iovec, or on PyPy to its address.
_ToIovec = POINTER(Iovec) if sys.implementation.name == "cpython" else c_void_p


class Msghdr(Structure):
    """struct msghdr"""

    _fields_ = [
        ("msg_name", _Location),
        ("msg_namelen", socklen_t),
        ("msg_iov", _ToIovec),
        ("msg_iovlen", c_size_t),
        ("msg_control", _Location),
        ("msg_controllen", c_size_t),
        ("msg_flags", c_int),
    ]


#: struct cmsghdr: cmsg_len, cmsg_level, cmsg_type, and where the data begins
CMSG_HEADER = struct.Struct("@Nii0N")

#: struct mmsghdr: the members of a msghdr, and msg_len. Each of the two ends where a pointer may begin.
MMSGHDR = struct.Struct("@PIPNPNi0PI0P")

#: struct iovec: iov_base and iov_len
IOVEC = struct.Struct("@PN")


class Hostent(Structure):
    """struct hostent"""

    _fields_ = [
        ("h_name", c_char_p),
        ("h_aliases", POINTER(c_char_p)),
        ("h_addrtype", c_int),
        ("h_length", c_int),
        ("h_addr_list", POINTER(POINTER(c_char))),
    ]


class Servent(Structure):
    """struct servent"""

    _fields_ = [
        ("s_name", c_char_p),
        ("s_aliases", POINTER(c_char_p)),
        ("s_port", c_int),
        ("s_proto", c_char_p),
    ]


class Protoent(Structure):
    """struct protoent"""

    _fields_ = [("p_name", c_char_p), ("p_aliases", POINTER(c_char_p)), ("p_proto", c_int)]


class InterfaceName(Structure):
    """struct if_nameindex"""

    _fields_ = [("if_index", c_uint), ("if_name", c_char_p)]


class InterfaceAddress(Structure):
    """struct ifaddrs"""


InterfaceAddress._fields_ = [
    ("ifa_next", POINTER(InterfaceAddress)),
    ("ifa_name", c_char_p),
    ("ifa_flags", c_uint),
    ("ifa_addr", POINTER(c_char)),
    ("ifa_netmask", POINTER(c_char)),
    ("ifa_ifu", POINTER(c_char)),
    ("ifa_data", c_void_p),
]


#: name: (result, arguments). A pointer to bytes is a c_void_p, which takes bytes, arrays and None.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "socket": (c_int, [c_int, c_int, c_int]),
    "socketpair": (c_int, [c_int, c_int, c_int, c_void_p]),
    "accept": (c_int, [c_int, c_void_p, c_void_p]),
    "accept4": (c_int, [c_int, c_void_p, c_void_p, c_int]),
    "bind": (c_int, [c_int, c_void_p, socklen_t]),
    "connect": (c_int, [c_int, c_void_p, socklen_t]),
    "poll": (c_int, [c_void_p, c_ulong, c_int]),
    "clock_gettime": (c_int, [c_int, c_void_p]),
    "listen": (c_int, [c_int, c_int]),
    "shutdown": (c_int, [c_int, c_int]),
    "sockatmark": (c_int, [c_int]),
    "getsockname": (c_int, [c_int, c_void_p, c_void_p]),
    "getpeername": (c_int, [c_int, c_void_p, c_void_p]),
    "getsockopt": (c_int, [c_int, c_int, c_int, c_void_p, c_void_p]),
    "setsockopt": (c_int, [c_int, c_int, c_int, c_void_p, socklen_t]),
    "recv": (c_ssize_t, [c_int, c_void_p, c_size_t, c_int]),
    "recvfrom": (c_ssize_t, [c_int, c_void_p, c_size_t, c_int, c_void_p, c_void_p]),
    "recvmsg": (c_ssize_t, [c_int, c_void_p, c_int]),
    "send": (c_ssize_t, [c_int, c_void_p, c_size_t, c_int]),
    "sendto": (c_ssize_t, [c_int, c_void_p, c_size_t, c_int, c_void_p, socklen_t]),
    "sendmsg": (c_ssize_t, [c_int, c_void_p, c_int]),
    "recvmmsg": (c_int, [c_int, c_void_p, c_uint, c_int, c_void_p]),
    "sendmmsg": (c_int, [c_int, c_void_p, c_uint, c_int]),
    "getaddrinfo": (c_int, [c_char_p, c_char_p, POINTER(Addrinfo), POINTER(POINTER(Addrinfo))]),
    "freeaddrinfo": (None, [POINTER(Addrinfo)]),
    "gai_strerror": (c_char_p, [c_int]),
    "getnameinfo": (c_int, [c_void_p, socklen_t, c_void_p, socklen_t, c_void_p, socklen_t, c_int]),
    "gethostbyname2_r": (
        c_int,
        [c_char_p, c_int, POINTER(Hostent), c_void_p, c_size_t, POINTER(POINTER(Hostent)), POINTER(c_int)],
    ),
    "gethostbyaddr_r": (
        c_int,
        [c_void_p, socklen_t, c_int, POINTER(Hostent), c_void_p, c_size_t, POINTER(POINTER(Hostent)), POINTER(c_int)],
    ),
    "hstrerror": (c_char_p, [c_int]),
    "getservbyname_r": (
        c_int,
        [c_char_p, c_char_p, POINTER(Servent), c_void_p, c_size_t, POINTER(POINTER(Servent))],
    ),
    "getservbyport_r": (
        c_int,
        [c_int, c_char_p, POINTER(Servent), c_void_p, c_size_t, POINTER(POINTER(Servent))],
    ),
    "getprotobyname": (POINTER(Protoent), [c_char_p]),
    "if_nameindex": (POINTER(InterfaceName), []),
    "if_freenameindex": (None, [POINTER(InterfaceName)]),
    "getifaddrs": (c_int, [POINTER(POINTER(InterfaceAddress))]),
    "freeifaddrs": (None, [POINTER(InterfaceAddress)]),
    "if_nametoindex": (c_uint, [c_char_p]),
    "if_indextoname": (c_char_p, [c_uint, c_void_p]),
    "ioctl": (c_int, [c_int, c_ulong, c_void_p]),
    "inet_aton": (c_int, [c_char_p, c_void_p]),
    "sethostname": (c_int, [c_void_p, c_size_t]),
}

#: Those whose arguments are left as they come, which takes half of the time of a call. ctypes then passes bytes,
#: arrays and references as pointers, None as a null pointer and an int as a C int; so an address must not be an int.
_UNCHECKED: tuple[str, ...] = (
    *("socket", "socketpair", "accept", "accept4", "bind", "connect", "listen", "shutdown", "getsockname"),
    *("getpeername", "getsockopt", "setsockopt", "recvmsg", "sendmsg"),
)
#: These have a size_t among them: an int does for a small one, for libffi widens it to a whole register or slot.
_UNCHECKED_SMALL: tuple[str, ...] = ("recv", "recvfrom", "send", "sendto")
if sys.implementation.name != "cpython":
    _UNCHECKED = _UNCHECKED_SMALL = ()


def _declare(library: ctypes.CDLL, unchecked: tuple[str, ...]) -> SimpleNamespace:
    functions = {}
    for name, (result, arguments) in _FUNCTIONS.items():
        function = library[name]
        function.restype = result
        if name not in unchecked:
            function.argtypes = arguments
        functions[name] = function
    return SimpleNamespace(**functions)


def _libc_version(library: ctypes.CDLL) -> str:
    """The C library's name, with the version when it tells."""
    try:
        function = library.gnu_get_libc_version
    except AttributeError:
        return "musl"
    function.restype = c_char_p
    version: bytes = function()
    return "glibc " + version.decode()


_patient_library = ctypes.CDLL(None, use_errno=True)

#: Functions that release the GIL while they run, and take buffers of any size.
gil_released = _declare(_patient_library, _UNCHECKED)

if hasattr(ctypes, "PyDLL"):
    #: Functions that keep the GIL, for calls that cannot block.
    gil_held = _declare(ctypes.PyDLL(None, use_errno=True), _UNCHECKED + _UNCHECKED_SMALL)
else:
    gil_held = gil_released

#: Name and version of the C library.
LIBC = _libc_version(_patient_library)

#: One byte in memory that has an address, to be laid over a buffer.
Overlay = c_char * 1
