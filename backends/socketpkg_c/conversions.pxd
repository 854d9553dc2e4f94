# The C side of `IN_C` in socketpkg/_engine/arguments.py: names and bytes as objects of just the types str and bytes.

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.string cimport strerror

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char *content, Py_ssize_t size)
    str PyUnicode_DecodeFSDefaultAndSize(const char *name, Py_ssize_t size)
    str PyUnicode_DecodeLocale(const char *text, const char *errors)
    bytes PyUnicode_EncodeFSDefault(object text)
    str PyUnicode_FromObject(object text)
    bint _is_buffer "PyObject_CheckBuffer" (object value)
    object PyOS_FSPath(object path)


cdef inline bytes _plain_bytes(object value):
    cdef Py_buffer view
    if type(value) is bytes:
        return value
    PyObject_GetBuffer(value, &view, PyBUF_SIMPLE)
    try:
        return PyBytes_FromStringAndSize(<const char *>view.buf, view.len)
    finally:
        PyBuffer_Release(&view)


cdef inline str _plain_str(object value):
    return PyUnicode_FromObject(value)


cdef inline bytes _encoded(object name):
    cdef object path = PyOS_FSPath(name)
    return PyUnicode_EncodeFSDefault(path) if isinstance(path, str) else _plain_bytes(path)


cdef inline str _decoded(bytes name):
    return PyUnicode_DecodeFSDefaultAndSize(<const char *>name, len(name))


cdef inline str _strerror(int error):
    return PyUnicode_DecodeLocale(strerror(error), "surrogateescape")
