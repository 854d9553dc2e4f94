/* Functions of the public class that are written in Python, and that CPython calls as compiled ones.
 *
 * What a program sees of such a function is the Python one: its type, signature, source and place in the class. Only
 * the pointer by which CPython calls it (PEP 590) is another, that of its twin here. The twin does the same in fewer
 * instructions for an object of just the public class, and has the Python function called for all else: for a subclass,
 * for a class or a function that somebody has changed, for arguments by keyword, and below a debugger or a profiler,
 * which has to see the frames. An error gets the frames of the Python functions into its traceback.
 *
 * CPython 3.11 looks at the pointer only where it calls from C, as it does for `__init__`. Without the GIL another
 * thread could change the class between the look at it and the call: there are no twins there.
 *
 * Included after Python.h, and before socketpkg_traceback.h. */
#ifndef SOCKETPKG_FUNCTIONS_H
#define SOCKETPKG_FUNCTIONS_H

#include <frameobject.h>
#include <structmember.h>

#ifdef Py_GIL_DISABLED
#define SP_HAVE_TWINS 0
#else
#define SP_HAVE_TWINS 1
#endif

enum { SP_INIT, SP_CLOSE, SP_EXIT, SP_ACCEPT, SP_TWINS };

/* What a twin does; the arguments are borrowed, the object itself is the first. */
typedef PyObject *(*sp_body)(PyObject *function, PyObject **arguments, Py_ssize_t count);

typedef struct {
    sp_body body;
    /* How many arguments there are at most. */
    Py_ssize_t most;
    PyObject *code, *defaults;
    /* The functions below this one that an error comes from, the innermost first. */
    PyObject *inner[2];
} sp_twin;

static sp_twin sp_twins[SP_TWINS];
/* How CPython calls functions that are written in Python. */
static vectorcallfunc sp_call_python = NULL;

/* The public class, its version when it was last found as it was made, and one with which it was found changed. The
 * version of a class is another one after each change, and 0 until somebody has looked for a name in it. */
static PyTypeObject *sp_public = NULL;
static unsigned int sp_intact_version = 0, sp_changed_version = 0;
/* Looks whether the class is as it was made: 1 or 0. */
static int (*sp_look)(void) = NULL;
/* Where its objects have their slots. */
static Py_ssize_t sp_closed_offset = 0, sp_io_refs_offset = 0;

static unsigned int sp_version(void) {
#if PY_VERSION_HEX < 0x030D0000
    if (!(sp_public->tp_flags & Py_TPFLAGS_VALID_VERSION_TAG))
        return 0;
#endif
    return sp_public->tp_version_tag;
}

/* Whether a class is the public one, and as it was made. */
static int sp_is_intact(PyObject *cls) {
    unsigned int version;
    int intact;
    if (sp_public == NULL || cls != (PyObject *)sp_public)
        return 0;
    version = sp_version();
    if (version && version == sp_intact_version)
        return 1;
    if (version && version == sp_changed_version)
        return 0;
    intact = sp_look();
    *(intact ? &sp_intact_version : &sp_changed_version) = sp_version();
    return intact;
}

/* The value of a slot; NULL as long as nothing is in it. */
static PyObject *sp_slot(PyObject *object, Py_ssize_t offset) {
    return *(PyObject **)((char *)object + offset);
}

static void sp_fill(PyObject *object, Py_ssize_t offset, PyObject *value) {
    PyObject **slot = (PyObject **)((char *)object + offset), *before = *slot;
    Py_INCREF(value);
    *slot = value;
    Py_XDECREF(before);
}

/* A name of the module that a function was written in, as it is now. */
static PyObject *sp_global(PyObject *function, PyObject *name) {
    PyObject *value = PyDict_GetItemWithError(PyFunction_GET_GLOBALS(function), name);
    if (value != NULL)
        return Py_NewRef(value);
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_NameError, "name '%U' is not defined", name);
    return NULL;
}

static Py_ssize_t sp_slot_offset(PyObject *member) {
    return ((PyMemberDescrObject *)member)->d_member->offset;
}

/* Whether a function is one of the interpreter's, as the casts below take it to be. */
static int sp_is_python(PyObject *function) {
    return Py_IS_TYPE(function, &PyFunction_Type);
}

/* Adds the frame of a Python function to the traceback of the exception that is being raised. */
static void sp_add_frame(PyObject *function) {
    PyObject *type, *value, *traceback;
    PyFrameObject *frame;
    PyErr_Fetch(&type, &value, &traceback);
    frame = PyFrame_New(PyThreadState_Get(), (PyCodeObject *)PyFunction_GET_CODE(function),
                        PyFunction_GET_GLOBALS(function), NULL);
    if (frame == NULL)
        PyErr_Clear();
    PyErr_Restore(type, value, traceback);
    if (frame != NULL) {
        PyTraceBack_Here(frame);
        Py_DECREF(frame);
    }
}

static int sp_is_traced(void) {
    PyThreadState *state = PyThreadState_Get();
    return state->c_tracefunc != NULL || state->c_profilefunc != NULL;
}

static PyObject *sp_call_twin(int which, PyObject *function, PyObject *const *arguments, size_t given,
                              PyObject *names) {
    sp_twin *twin = &sp_twins[which];
    Py_ssize_t count = PyVectorcall_NARGS(given);
    PyObject *result;
    int i;
    if (names != NULL || count < 1 || count > twin->most || !sp_is_intact((PyObject *)Py_TYPE(arguments[0])) ||
        PyFunction_GET_CODE(function) != twin->code || PyFunction_GET_DEFAULTS(function) != twin->defaults ||
        sp_is_traced())
        return sp_call_python(function, arguments, given, names);
    if (which != SP_INIT && (sp_slot(arguments[0], sp_closed_offset) == NULL ||
                             sp_slot(arguments[0], sp_io_refs_offset) == NULL))
        return sp_call_python(function, arguments, given, names);
    result = twin->body(function, (PyObject **)arguments, count);
    if (result == NULL) {
        for (i = 0; i < 2; i++)
            if (twin->inner[i] != NULL)
                sp_add_frame(twin->inner[i]);
        sp_add_frame(function);
    }
    return result;
}

#define SP_TWIN(name, which)                                                                                          \
    static PyObject *name(PyObject *function, PyObject *const *arguments, size_t given, PyObject *names) {            \
        return sp_call_twin(which, function, arguments, given, names);                                                \
    }
SP_TWIN(sp_call_init, SP_INIT)
SP_TWIN(sp_call_close, SP_CLOSE)
SP_TWIN(sp_call_exit, SP_EXIT)
SP_TWIN(sp_call_accept, SP_ACCEPT)
#undef SP_TWIN

/* Lets a function be called by its twin. Objects that are borrowed here live as long as the class. */
static void sp_set_twin(int which, PyObject *function, sp_body body, Py_ssize_t most, PyObject *inner,
                        PyObject *inmost) {
    static const vectorcallfunc calls[SP_TWINS] = {sp_call_init, sp_call_close, sp_call_exit, sp_call_accept};
    sp_twin *twin = &sp_twins[which];
    PyFunctionObject *written = (PyFunctionObject *)function;
    twin->body = body;
    twin->most = most;
    twin->code = Py_NewRef(PyFunction_GET_CODE(function));
    twin->defaults = Py_XNewRef(PyFunction_GET_DEFAULTS(function));
    twin->inner[0] = inmost == Py_None ? NULL : Py_NewRef(inmost);
    twin->inner[1] = inner == Py_None ? NULL : Py_NewRef(inner);
    sp_call_python = written->vectorcall;
#if PY_VERSION_HEX >= 0x030C0000
    PyFunction_SetVectorcall(written, calls[which]);
#else
    written->vectorcall = calls[which];
#endif
}

/* Says which class is the public one, and how to look whether it is as it was made. */
static void sp_set_public(PyObject *cls, PyObject *closed, PyObject *io_refs, int (*look)(void)) {
    sp_closed_offset = sp_slot_offset(closed);
    sp_io_refs_offset = sp_slot_offset(io_refs);
    sp_look = look;
    sp_public = (PyTypeObject *)Py_NewRef(cls);
}

#endif
