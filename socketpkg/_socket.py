"""The low-level module: what CPython's ``_socket`` is to ``socket``, on the chosen backend.

``socketpkg`` builds its public names on this module as the standard library builds ``socket`` on ``_socket``: the
type, the functions and the constants as plain integers.
"""

import _socket as _native
from _socket import gaierror, herror

from . import backends
from ._engine.capi import capsule
from ._engine.functions import public
from ._engine.strings import STRINGS

backend = backends.load(backends.selected())
core = backend.core

socket = SocketType = core.Socket
error = OSError
timeout = TimeoutError

_FUNCTIONS = (
    "CMSG_LEN CMSG_SPACE close dup getaddrinfo getdefaulttimeout gethostbyaddr gethostbyname gethostbyname_ex"
    " gethostname getnameinfo getprotobyname getservbyname getservbyport htonl htons if_indextoname if_nameindex"
    " if_nametoindex inet_aton inet_ntoa inet_ntop inet_pton ntohl ntohs setdefaulttimeout sethostname socketpair"
).split()
# The functions are the public module's, but for those that it has in its own way.
_MODULES = {"getaddrinfo": __name__, "socketpair": __name__}
# The strings belong to two families, and are there where these are.
_FAMILIES = {"BDADDR_": "AF_BLUETOOTH", "HV_": "AF_HYPERV"}
_CONSTANTS = dict(core.CONSTANTS)
for _prefix, _family in _FAMILIES.items():
    if _family in _CONSTANTS:
        _CONSTANTS.update((name, text) for name, text in STRINGS.items() if name.startswith(_prefix))

# Whether the platform's headers know IPv6, as in the standard library; the kernel may still have it switched off.
has_ipv6 = "AF_INET6" in _CONSTANTS

# For _ssl, where it asks for it: not on PyPy. Where ours cannot be made (no ctypes), it is the interpreter's own: then
# ssl can be imported, and refuses our sockets only.
_capsule = capsule(backend) or getattr(_native, "CAPI", None)
_CAPI = {} if _capsule is None else {"CAPI": _capsule}

#: What has a public name here.
_EXPORTS = {
    "SocketType": SocketType,
    "error": error,
    "gaierror": gaierror,
    "has_ipv6": has_ipv6,
    "herror": herror,
    "socket": socket,
    "timeout": timeout,
    **_CAPI,
    **{name: public(getattr(core, name), _MODULES.get(name, str(__package__))) for name in _FUNCTIONS},
    **_CONSTANTS,
}
globals().update(_EXPORTS)

__all__ = list(_EXPORTS)  # pyright: ignore[reportUnsupportedDunderAll]
