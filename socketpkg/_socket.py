"""The low-level module: what CPython's ``_socket`` is to ``socket``, on the chosen backend.

``socketpkg`` builds its public names on this module as the standard library builds ``socket`` on ``_socket``: the
type, the functions and the constants as plain integers.
"""

from __future__ import annotations

import _socket as _native
import sys
from _socket import gaierror, herror

from . import backends
from ._engine.strings import STRINGS

backend = backends.load(backends.selected())
core = backend.core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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

_FUNCTION = type(lambda: None)


def _public(function: Any, module: str) -> Any:
    """*function* as one of the public module with the name *module*."""
    if type(function) is _FUNCTION:
        # Loaded for interpreted functions only, as every module here that the compiled backend does without.
        from ._engine.functions import Function

        function = Function(function)
    if function.__module__ != "_socket":  # the interpreter's own, which has no other name
        function.__module__ = module
    return function


def _capsule() -> Any:
    """The capsule for _ssl, where it asks for it: not on PyPy. Where ours cannot be made (no ctypes), it is the
    interpreter's own: then ssl can be imported, and refuses our sockets only."""
    made = None
    if "compiled-core" in backend.features:
        make = getattr(sys.modules[f"{backend.package}.syscalls"], "capi", None)
        if make is not None:
            made = make(core.Socket, __name__, "socket")
    elif hasattr(core, "make_capsule"):
        made = core.make_capsule()
    return made or getattr(_native, "CAPI", None)


_made = _capsule()
_CAPI = {} if _made is None else {"CAPI": _made}

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
    **{name: _public(getattr(core, name), _MODULES.get(name, str(__package__))) for name in _FUNCTIONS},
    **_CONSTANTS,
}
globals().update(_EXPORTS)

__all__ = list(_EXPORTS)  # pyright: ignore[reportUnsupportedDunderAll]
