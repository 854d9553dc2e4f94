/* The platform's constants as a table: those of socketpkg/_engine/constants.py that the headers have.
 *
 * socketpkg_constants.def is written when the package is built (backends/_build.py, write_constants_def): for each
 * name, SP_CONSTANT(name) if the headers have it as a macro, or else SP_NUMBER(name, number) if Linux has it. Include
 * this file in one translation unit of a backend; the table is that unit's own. Its last row has a null name and is
 * not counted.
 */
#ifndef SOCKETPKG_CONSTANTS_H
#define SOCKETPKG_CONSTANTS_H

#include "socketpkg_platform.h"

struct socketpkg_constant {
    const char *name;
    long long value;
};

#define SP_CONSTANT(name) {#name, SP_AS_LONG(name)},
#define SP_NUMBER(name, number) {#name, SP_AS_LONG(number)},
static const struct socketpkg_constant socketpkg_constants[] = {
#include "socketpkg_constants.def"
    {NULL, 0},
};
#undef SP_CONSTANT
#undef SP_NUMBER

static const int socketpkg_constants_count = (int)(sizeof socketpkg_constants / sizeof socketpkg_constants[0]) - 1;

#endif /* SOCKETPKG_CONSTANTS_H */
