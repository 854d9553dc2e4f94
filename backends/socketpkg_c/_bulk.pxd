# The C side of socketpkg/_engine/_bulk.py.

cimport cython

from socketpkg_c._address cimport AddressCodec
from socketpkg_c.contract cimport Descriptor
from socketpkg_c.contract cimport Syscalls as Contract

cdef Contract _sys
cdef AddressCodec _codec
cdef int _AF_INET, _AF_INET6, _SOCK_STREAM, _SOCK_DGRAM, _UDP, _UDP_SEGMENT, _UDP_GRO
cdef int _SEGMENTS_MAX, _PAYLOAD_MAX, _SEGMENT_SIZE_MAX

cdef _refuse_stream(Descriptor sock, str caller)
cdef tuple _segment_items(Py_ssize_t size)


cpdef list receive(
    Descriptor sock, Py_ssize_t count, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, int added)
cpdef list receive_into(Descriptor sock, tuple targets, Py_ssize_t ancbufsize, int flags, int added)


@cython.locals(position="Py_ssize_t")
cdef list _messages(Descriptor sock, list data, list ancillary, list msg_flags, int added, list raws, bint full)


@cython.locals(size="Py_ssize_t", data=list, ancillary=list, raws=list, some_ancillary=bint)
cpdef object send(Descriptor sock, object messages, int flags, object tuple_of, object items_of)


cdef bint _is_udp(Descriptor sock) noexcept
cdef bint _knows_segments(Descriptor sock) except -1


@cython.locals(timeout="long long", total="Py_ssize_t", chunk="Py_ssize_t", sent="Py_ssize_t", left="Py_ssize_t",
               segmented=bint)
cdef object _send_segments(Descriptor sock, object data, Py_ssize_t size, bytes raw, int flags)


@cython.locals(total="Py_ssize_t", count="Py_ssize_t")
cdef Py_ssize_t _send_plain(
    Descriptor sock, object data, Py_ssize_t start, Py_ssize_t size, bytes raw, int flags, long long timeout
) except -1
cpdef object send_segments(Descriptor sock, object data, Py_ssize_t size, object address, int flags)


@cython.locals(gro=bint)
cpdef tuple receive_segments(Descriptor sock, Py_ssize_t bufsize, int flags)
