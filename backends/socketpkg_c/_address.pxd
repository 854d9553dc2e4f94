# The C side of socketpkg/_engine/_address.py.

cimport cython

from socketpkg_c.contract cimport Descriptor
from socketpkg_c.contract cimport Syscalls as Contract
from socketpkg_c.conversions cimport _decoded, _encoded, _plain_bytes, _plain_str

cdef Contract _sys
cdef int AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, _AF_RDS, _AF_DIVERT, _AF_PACKET, _AF_CAN, _AF_BLUETOOTH
cdef Py_ssize_t _SUN_PATH, _SUN_PATH_SIZE
cdef bint _SA_LEN, _LITTLE_ENDIAN, _ABSTRACT_NAMES
cdef bytes _HEADER_INET, _HEADER_INET6, _SIN_ZERO
cdef dict _recent_inet, _recent_inet6, _recent_heard, _older_inet, _older_inet6, _older_heard

cdef bytes _header(int family, int size)
cpdef int sockaddr_family(bytes raw) except -1
cpdef str host_name(object host)
cpdef tuple resolve(str host, int family)
cdef int _port(object port, str caller, str name, int family) except -1
cdef object _unsigned(object value)
cdef bint _is_plain(object address) except -1
cdef int _keep(dict recent, dict older, object key, object value) except -1
cdef bint _is_numeric(str host, int family) except -1
cdef bytes _encode_inet(object address, str caller)
cdef bytes _encode_inet6(object address, str caller)
cdef bytes _encode_unix(object address)
cdef object _decode_inet(bytes raw, int family)
cdef object _decode_unix(bytes raw)


cdef class AddressCodec:
    cpdef bytes encode(self, int family, int proto, object address, str caller, Descriptor sock)

    @cython.locals(version=int, raw=bytes)
    cpdef bytes numeric(self, int family, object host, object port)

    @cython.locals(family=int, size=Py_ssize_t)
    cpdef object decode(self, bytes raw, int proto, Descriptor sock)
