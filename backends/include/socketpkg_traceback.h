/* Errors leave the compiled modules without lines of a traceback, as they leave the standard library's C.
 *
 * Cython makes a frame object for each function that an error passes, which takes longer than a recv() that finds
 * nothing. Code that polls non-blocking sockets would pay it in every round, for lines about our own functions.
 * Compile with -DSOCKETPKG_TRACEBACKS to see them.
 *
 * Included after Python.h. Where PyFrame_New gives nothing, Cython's helper adds nothing. A module that includes this
 * must have no `with` statement over a context manager: Cython hands the traceback to __exit__, and takes for granted
 * that there is one. tests/packaging/test_packaging.py looks.
 */
#ifndef SOCKETPKG_TRACEBACK_H
#define SOCKETPKG_TRACEBACK_H

#include <frameobject.h>

#ifndef SOCKETPKG_TRACEBACKS
#undef PyFrame_New
#define PyFrame_New(tstate, code, globals, locals) NULL
#endif

#endif
