/* What CPython's _ssl asks of a low-level socket module, for an interpreted `Socket`: the type that it derives from,
 * with the fields that _ssl reads, and the capsule. socketpkg/_engine/capi.py says what these are, and makes the same
 * through ctypes for a backend that has no C of its own. As there, what the limited API does not show is looked at
 * before it is written to.
 *
 * Included after Python.h. */
#ifndef SOCKETPKG_HEAD_H
#define SOCKETPKG_HEAD_H

#include <stddef.h>
#include <stdint.h>
#include "structmember.h"

#ifdef Py_LIMITED_API
/* Exported, but not declared for the limited API, or only for that of newer Pythons. */
PyAPI_FUNC(int) PyModule_AddFunctions(PyObject *, PyMethodDef *);
PyAPI_FUNC(const char *) PyUnicode_AsUTF8AndSize(PyObject *, Py_ssize_t *);
PyAPI_DATA(PyObject *) PyExc_TimeoutError;
#endif

/* Py_TPFLAGS_IMMUTABLETYPE, and the words of a type between its size as a variable-sized object and its flags. */
#define SP_HEAD_IMMUTABLE (1UL << 8)
enum { SP_HEAD_WORDS_BEFORE_FLAGS = 18 };

/* What PySocketSockObject of CPython's socketmodule.h has behind the head of an object. */
typedef struct {
    int fd, family, type, proto;
    PyObject *(*errorhandler)(void); /* raises what errno says; called by CPython 3.11 and 3.12 */
    int64_t timeout;
    void *state; /* since CPython 3.13; _ssl does not read it */
} sp_head_fields;

static PyObject *sp_head_raise_errno(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* The size of an object's head, with which its fields begin; -1 with an exception. */
static Py_ssize_t sp_head_size(void)
{
    PyObject *number = PyObject_GetAttrString((PyObject *)&PyBaseObject_Type, "__basicsize__");
    Py_ssize_t size = number == NULL ? -1 : PyLong_AsSsize_t(number);
    Py_XDECREF(number);
    return size;
}

/* Whether an object of the interpreter's own, not yet initialised, looks as the fields say. */
static int sp_head_fits(Py_ssize_t size)
{
    PyObject *low_level = PyImport_ImportModule("_socket");
    PyObject *native = low_level == NULL ? NULL : PyObject_GetAttrString(low_level, "socket");
    PyObject *number = native == NULL ? NULL : PyObject_GetAttrString(native, "__basicsize__");
    PyObject *sample = native == NULL ? NULL : PyObject_CallMethod(native, "__new__", "O", native);
    Py_ssize_t end = size + (Py_ssize_t)(offsetof(sp_head_fields, timeout) + sizeof(int64_t));
    int fits = 0;
    if (sample != NULL && number != NULL && PyLong_AsSsize_t(number) >= end) {
        const sp_head_fields *fields = (const sp_head_fields *)((char *)sample + size);
        fits = fields->fd == -1 && (fields->timeout == -1 || fields->timeout == -1000000000);
    }
    Py_XDECREF(sample);
    Py_XDECREF(number);
    Py_XDECREF(native);
    Py_XDECREF(low_level);
    PyErr_Clear();
    return fits;
}

/* (the type, the number for its _sp_c_errorhandler); None where _ssl could not read its objects */
static PyObject *sp_head_make(PyObject *module, PyObject *name)
{
    static PyMemberDef members[4];
    PyType_Slot slots[] = {{Py_tp_members, members}, {0, NULL}};
    PyType_Spec spec = {NULL, 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | SP_HEAD_IMMUTABLE, slots};
    Py_ssize_t size = sp_head_size();
    PyObject *type;
    (void)module;
    spec.name = PyUnicode_AsUTF8AndSize(name, NULL);
    if (size < 0 || spec.name == NULL)
        return NULL;
    if (!sp_head_fits(size))
        Py_RETURN_NONE;
    spec.basicsize = (int)(size + (Py_ssize_t)sizeof(sp_head_fields));
    members[0] = (PyMemberDef){"_sp_c_fd", T_INT, size + (Py_ssize_t)offsetof(sp_head_fields, fd), 0, NULL};
    members[1] = (PyMemberDef){"_sp_c_errorhandler", T_ULONG,
                               size + (Py_ssize_t)offsetof(sp_head_fields, errorhandler), 0, NULL};
    members[2] = (PyMemberDef){"_sp_c_timeout", T_LONGLONG, size + (Py_ssize_t)offsetof(sp_head_fields, timeout), 0,
                               NULL};
    type = PyType_FromSpec(&spec);
    return type == NULL ? NULL : Py_BuildValue("(Nk)", type, (unsigned long)(uintptr_t)&sp_head_raise_errno);
}

/* Sets Py_TPFLAGS_IMMUTABLETYPE, as the standard library's socket has it. */
static PyObject *sp_head_make_immutable(PyObject *module, PyObject *type)
{
    Py_ssize_t size = sp_head_size();
    unsigned long *flags;
    (void)module;
    if (size < 0)
        return NULL;
    flags = (unsigned long *)((char *)type + size + sizeof(Py_ssize_t) + SP_HEAD_WORDS_BEFORE_FLAGS * sizeof(void *));
    if (*flags == PyType_GetFlags((PyTypeObject *)type))
        *flags |= SP_HEAD_IMMUTABLE;
    Py_RETURN_NONE;
}

/* The capsule _socket.CAPI of a type. It and its memory live as long as the process, as the standard library's do. */
static PyObject *sp_head_capsule(PyObject *module, PyObject *type)
{
    PyObject **api = PyMem_Malloc(3 * sizeof(PyObject *));
    PyObject *capsule;
    (void)module;
    if (api == NULL)
        return PyErr_NoMemory();
    api[0] = type;
    api[1] = PyExc_OSError;
    api[2] = PyExc_TimeoutError;
    capsule = PyCapsule_New(api, "_socket.CAPI", NULL);
    if (capsule == NULL)
        PyMem_Free(api);
    else
        Py_INCREF(type); /* _ssl holds no references of its own */
    return capsule;
}

/* Adds these functions to a module: 0, or -1 for a failure, without an exception. */
static int sp_head_add(const char *module)
{
    static PyMethodDef functions[] = {
        {"make_head", sp_head_make, METH_O, NULL},
        {"make_immutable", sp_head_make_immutable, METH_O, NULL},
        {"make_capsule", sp_head_capsule, METH_O, NULL},
        {NULL, NULL, 0, NULL},
    };
    PyObject *found = PyImport_AddModule(module);
    if (found == NULL || PyModule_AddFunctions(found, functions) < 0) {
        PyErr_Clear();
        return -1;
    }
    return 0;
}

#endif
