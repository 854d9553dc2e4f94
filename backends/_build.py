"""Build-time helper: not installed, but in the sdist. It needs nothing but the standard library.

`write_constants_def` writes the list of constants that ``socketpkg_constants.h`` includes; setup.py calls it before it
compiles the extensions. As a program, it adds constants, and makes and checks the table of the ctypes backend::

    python backends/_build.py add NAME ...            puts names into the list, the table and the stubs
    python backends/_build.py constants DIRECTORY     writes DIRECTORY/socketpkg_constants.def
    python backends/_build.py table                   renews socketpkg_ctypes/_constants_linux.py
    python backends/_build.py table --check           exit status 1 when that file is stale

The table is made without running anything: the compiler puts the values into its assembly output, from where they are
read. So cross compilers serve as well. On Debian they come with ``apt-get install gcc musl-tools
{gcc,libc6-dev}-{aarch64,...}`` as `COMPILERS` names them. A machine without a compiler here keeps the values that it
has, and gets new ones from the rows of ``socketpkg_linux.h``.
"""

from __future__ import annotations

import argparse
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES_FILE = HERE.parent / "socketpkg" / "_engine" / "constants.py"
INCLUDE = HERE / "include"
TABLE = HERE / "socketpkg_ctypes" / "_constants_linux.py"

#: The machines of the table, as platform.machine() spells them, with the compilers that can speak for them.
COMPILERS = {
    "armv7l": ("arm-linux-gnueabihf-gcc", "gcc", "cc"),
    "i386": ("i686-linux-gnu-gcc", "gcc", "cc"),
    "x86_64": ("x86_64-linux-gnu-gcc", "gcc", "cc"),
    "aarch64": ("aarch64-linux-gnu-gcc", "gcc", "cc"),
    "ppc64le": ("powerpc64le-linux-gnu-gcc", "gcc", "cc"),
    "riscv64": ("riscv64-linux-gnu-gcc", "gcc", "cc"),
    "s390x": ("s390x-linux-gnu-gcc", "gcc", "cc"),
}
#: Compilers for musl, of any machine: its own constants do not depend on the machine.
MUSL_COMPILERS = ("musl-gcc", "x86_64-linux-musl-gcc", "aarch64-linux-musl-gcc", "gcc", "cc")

#: The machine whose values are the table; of the others the differences are recorded.
BASE = "x86_64"

#: On 32-bit machines SO_TIMESTAMP and its like depend on how wide a program wants its time_t. What a compiler is told
#: for one of 64 bits, which is what some distributions are made with.
WIDE_TIME = ("-D_TIME_BITS=64", "-D_FILE_OFFSET_BITS=64")

#: Constants that go with the version of the C library, and so say nothing about whether the table is stale: in musl
#: IPPROTO_MAX is a macro, and whatever comes after the last protocol.
VARYING = frozenset({"IPPROTO_MAX"})

_ROW = re.compile(r"^(SP_NUMBER|SP_GENERIC)\((\w+), (-?\w+)\)$", re.MULTILINE)
_EMITTED = re.compile(r"->(\w+) (header|row) [$#]?(-?\d+) [$#]?(-?\d+)")


def names() -> tuple[str, ...]:
    """The names of socketpkg/_engine/constants.py, read without importing the package."""
    found: tuple[str, ...] = runpy.run_path(str(NAMES_FILE))["NAMES"]
    return found


def rows() -> dict[str, tuple[str, str]]:
    """The rows of include/socketpkg_linux.h: by name, which architectures it holds for, and the number as written."""
    text = (INCLUDE / "socketpkg_linux.h").read_text(encoding="ascii")
    return {name: (kind, number) for kind, name, number in _ROW.findall(text)}


def constants_def() -> str:
    """The contents of socketpkg_constants.def: each name, if the headers have it as a macro or else Linux as a row."""
    conditions = {"SP_NUMBER": "SP_LINUX", "SP_GENERIC": "SP_LINUX_GENERIC"}
    linux = rows()
    lines = ["/* Written by backends/_build.py when the package is built; do not edit. */"]
    for name in names():
        lines += [f"#if defined({name})", f"SP_CONSTANT({name})"]
        if name in linux:
            kind, number = linux[name]
            lines += [f"#elif {conditions[kind]}", f"SP_NUMBER({name}, {number})"]
        lines.append("#endif")
    return "\n".join(lines) + "\n"


def write_constants_def(directory: str | Path) -> Path:
    """Writes socketpkg_constants.def into *directory*, which is made if need be, and returns its path.

    The directory belongs in the include path, together with backends/include. A file that is there and right stays
    untouched, so that nothing is compiled again for it.
    """
    path = Path(directory) / "socketpkg_constants.def"
    text = constants_def()
    if not path.exists() or path.read_text(encoding="ascii") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return path


# -- the table of the ctypes backend -----------------------------------------------------------------------------------

# A 64-bit value does not fit an immediate operand everywhere; two halves do. `.ascii` keeps assemblers that read along
# (clang's) content. The machine's mark of an immediate ($, #) may precede the number: %c would leave it away, but on
# RISC-V takes numbers of 12 bits only.
_PROGRAM = r"""
#include "socketpkg_platform.h"
#define EMIT(name, where, value) \
    __asm__ volatile("\n.ascii \"->" name " " where " %0 %1\"" \
                     : : "i"((int)((long long)(value) >> 32)), "i"((int)(unsigned int)(value)));
#define SP_CONSTANT(name) EMIT(#name, "header", SP_AS_LONG(name))
#define SP_NUMBER(name, number) EMIT(#name, "row", SP_AS_LONG(number))
void socketpkg_constants(void);
void socketpkg_constants(void)
{
#include "socketpkg_constants.def"
}
#if defined(__GLIBC__)
__asm__(".ascii \"libc=glibc\"");
#else
__asm__(".ascii \"libc=musl\"");
#endif
"""


_TABLE = '''\
"""The values of the constants on Linux, by name: generated by `python backends/_build.py table`; do not edit.

The numbers are those of the kernel's interface and of the C libraries, as the compilers of each machine have them.
"""

from __future__ import annotations

#: The machines whose compiler was asked, as platform.machine() spells them.
MACHINES: tuple[str, ...] = ({machines})

#: The values of {base} with glibc.
CONSTANTS: dict[str, int] = {{
{constants}}}

#: What is different on other machines, by machine; None for a name that the machine lacks.
MACHINE: dict[str, dict[str, int | None]] = {{
{by_machine}}}

#: What is different on a 32-bit machine in programs whose time_t has 64 bits.
WIDE_TIME: dict[str, int] = {{
{wide_time}}}

#: What is different with musl; None for a name that it lacks.
MUSL: dict[str, int | None] = {{
{musl}}}


def constants_of(machine: str, libc: str, wide_time: bool = False) -> dict[str, int]:
    """The values for one of `MACHINES` and a C library, ``glibc`` or ``musl``."""
    values: dict[str, int | None] = {{**CONSTANTS, **MACHINE.get(machine, {{}}), **(MUSL if libc == "musl" else {{}})}}
    if wide_time:
        values.update(WIDE_TIME)
    return {{name: value for name, value in values.items() if value is not None}}
'''


class Refused(Exception):
    """A constant that cannot be added so."""


class Contradiction(Exception):
    """A header has another number than socketpkg_linux.h."""


def ask(compiler: str, *flags: str) -> tuple[str, str, dict[str, int]]:
    """What *compiler* compiles for: the machine (x86_64), the C library (glibc or musl) and the constants' values."""
    triple = subprocess.run([compiler, "-dumpmachine"], check=True, capture_output=True, text=True).stdout.strip()
    machine = triple.split("-")[0]
    machine = {"powerpc64le": "ppc64le", "arm64": "aarch64", "i686": "i386", "arm": "armv7l"}.get(machine, machine)
    with tempfile.TemporaryDirectory() as directory:
        write_constants_def(directory)
        source = Path(directory) / "constants.c"
        source.write_text(_PROGRAM, encoding="ascii")
        command = [compiler, *flags, "-S", "-O1", "-w", f"-I{INCLUDE}", f"-I{directory}", "-o", "-", str(source)]
        assembly = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    linux = rows()
    values = {}
    for name, where, high, low in _EMITTED.findall(assembly):
        values[name] = int(high) << 32 | int(low) & 0xFFFFFFFF
        # A negative one has lost its sign in C, on 32-bit machines.
        if where == "header" and name in linux and (values[name] - int(linux[name][1].rstrip("UL"), 0)) % 2**32:
            raise Contradiction(f"{compiler}: {name} is {values[name]}, and socketpkg_linux.h says {linux[name][1]}")
    libc = "musl" if "libc=musl" in assembly else "glibc"
    return machine, libc, values


def measure(compilers: Sequence[str] = ()) -> dict[tuple[str, str], dict[str, int]]:
    """The constants by machine and C library, from *compilers*, or from whatever of the known ones is there."""
    wanted = compilers or [*dict.fromkeys(c for group in COMPILERS.values() for c in group), *MUSL_COMPILERS]
    found: dict[tuple[str, str], dict[str, int]] = {}
    for compiler in dict.fromkeys(wanted):
        if compilers or shutil.which(compiler):
            machine, libc, values = ask(compiler)
            found.setdefault((machine, libc), values)
    return found


def differences(base: dict[str, int], other: dict[str, int]) -> dict[str, int | None]:
    """What has to be changed in *base* to make it *other*; None where it lacks the name."""
    return {name: other.get(name) for name in sorted(base | other) if base.get(name) != other.get(name)}


def table_source(found: dict[tuple[str, str], dict[str, int]]) -> str:
    """The text of _constants_linux.py."""
    base = found[BASE, "glibc"]
    machines = [machine for machine in sorted(COMPILERS) if (machine, "glibc") in found]
    by_machine = {machine: differences(base, found[machine, "glibc"]) for machine in machines}
    wide_time = {}
    for compiler in COMPILERS["i386"][:1]:
        if shutil.which(compiler):
            wide_time = differences(found["i386", "glibc"], ask(compiler, *WIDE_TIME)[2])
    wide_time = wide_time or (runpy.run_path(str(TABLE))["WIDE_TIME"] if TABLE.exists() else {})
    (musl_machine,) = [machine for machine, libc in found if libc == "musl"][:1]
    musl = differences(found[musl_machine, "glibc"], found[musl_machine, "musl"])

    def entries(values: dict[str, int] | dict[str, int | None], indent: str = "    ") -> str:
        return "".join(f'{indent}"{name}": {value},\n' for name, value in sorted(values.items()))

    return _TABLE.format(
        base=BASE,
        machines=", ".join(f'"{machine}"' for machine in machines),
        constants=entries(base),
        by_machine="".join(
            f'    "{machine}": {{\n{entries(values, " " * 8)}    }},\n'
            for machine, values in by_machine.items()
            if values
        ),
        wide_time=entries(wide_time),
        musl=entries(musl),
    )


def completed(found: dict[tuple[str, str], dict[str, int]]) -> tuple[dict[tuple[str, str], dict[str, int]], list[str]]:
    """The values of every machine of the table, and what is not known of those without a compiler: a line for each.

    *found* are the values of those that have one. The others keep their values; a name that is new to the table has the
    number of its row, which holds on every machine of the table.
    """
    table = runpy.run_path(str(TABLE))
    known = {name for part in (table["CONSTANTS"], table["MUSL"], *table["MACHINE"].values()) for name in part}
    listed, linux = names(), rows()
    new = [name for name in listed if name not in known]
    result = dict(found)
    unknown = []
    for machine, libc in [*((machine, "glibc") for machine in table["MACHINES"]), (BASE, "musl")]:
        if (machine, libc) in found or (libc == "musl" and any(other == "musl" for _, other in found)):
            continue
        have = table["constants_of"](machine, libc)
        values = {name: have[name] for name in listed if name in have}
        values.update((name, int(linux[name][1].rstrip("UL"), 0)) for name in new if name in linux)
        missing = [name for name in new if name not in linux and any(name in other for other in found.values())]
        unknown += [f"{name} on {machine} with {libc}" for name in missing]
        result[machine, libc] = values
    return result, unknown


def add(wanted: Sequence[str], compilers: Sequence[str], elsewhere: bool) -> int:
    """Adds names to the list, the table and the stubs. Leaves everything as it was when one of them cannot be."""
    written = {path: path.read_text(encoding="utf-8") for path in (NAMES_FILE, TABLE)}
    try:
        text = written[NAMES_FILE]
        for name in dict.fromkeys(wanted):
            if not re.fullmatch(r"[A-Z][A-Za-z0-9]*_\w+", name):
                raise Refused(f"{name} is not written as a constant with a prefix")
            if name in names():
                raise Refused(f"{name} is in the list")
            text = inserted(text, "_NAMES", name)
            if elsewhere:
                text = inserted(text, "_ELSEWHERE", name)
        NAMES_FILE.write_text(text, encoding="utf-8")
        found = measure(compilers)
        complete, unknown = completed(found)
        numbers = complete[BASE, "glibc"]
        for name in wanted:
            if not elsewhere and not any(name in values for values in complete.values()):
                raise Refused(
                    f"{name} has no number: no header here has a macro of that name, and socketpkg_linux.h has no row."
                    " Write the row, or say --elsewhere for a constant of other systems"
                )
            refuse_aside(name, numbers)
        TABLE.write_text(table_source(complete), encoding="ascii")
    except BaseException:
        for path, text in written.items():
            path.write_text(text, encoding="utf-8")
        raise
    subprocess.run([sys.executable, str(HERE / "_stubs.py")], check=True)
    for name in wanted:
        print(f"{name} = {numbers.get(name, 'not on Linux')}")
    print("left to do:")
    for line in unknown:
        print(f"- the number of {line}: a row in backends/include/socketpkg_linux.h, or a compiler for that machine")
    print("- build the compiled backends again: pip install --no-build-isolation -e .")
    print("- tests/engine/test_constants.py, and a line in CHANGELOG.md")
    return 0


def inserted(text: str, variable: str, name: str) -> str:
    """The text of constants.py with *name* in a list there: in the group with which it shares most, in order."""
    before, start, rest = text.partition(f'{variable} = """\n')
    body, end, after = rest.partition('"""')
    groups: list[list[str]] = [[]]
    for line in body.splitlines():
        if line.startswith("#"):
            groups.append([])
        groups[-1].append(line)
    parts = name.split("_")

    def shared(other: str) -> int:
        pairs = zip(parts, other.split("_"), strict=False)
        return next((at for at, (one, two) in enumerate(pairs) if one != two), len(parts))

    def fitting(group: list[str]) -> int:
        return max((shared(other) for line in group if not line.startswith("#") for other in line.split()), default=0)

    group = max(groups, key=fitting)
    if not fitting(group) and variable == "_NAMES":
        raise Refused(f"no group of constants.py has names that begin with {parts[0]}_: begin one with the first name")
    title = [line for line in group if line.startswith("#")]
    members = sorted([*(other for line in group if not line.startswith("#") for other in line.split()), name])
    group[:] = [*title, *textwrap.wrap(" ".join(members), 120, break_long_words=False, break_on_hyphens=False)]
    lines = [line for some in groups for line in some]
    return before + start + "\n".join(lines) + "\n" + end + after


def refuse_aside(name: str, numbers: dict[str, int]) -> None:
    """Refuses a name that would become an enum's member and make an existing member its alias: of two names for one
    number, the first in the alphabet is the member."""
    prefix = name.partition("_")[0] + "_"
    enums = runpy.run_path(str(HERE / "_stubs.py"))["ENUMS"]
    if prefix in {prefix for _, prefix in enums.values()}:
        for other, number in numbers.items():
            if other > name and other.startswith(prefix) and numbers.get(name) == number:
                raise Refused(f"{name} has the number of {other}, whose place it would take in their enum")


def stale(found: dict[tuple[str, str], dict[str, int]]) -> list[str]:
    """What the checked-in table has wrong, as far as *found* tells: a line for each."""
    table = runpy.run_path(str(TABLE)) if TABLE.exists() else {}
    wrong = []
    for (machine, libc), values in found.items():
        if machine not in table.get("MACHINES", ()):
            if machine in COMPILERS:
                wrong.append(f"{machine}: not in the table")
            continue
        have = table["constants_of"](machine, libc)
        for name, value in differences(have, values).items():
            if name not in VARYING:
                wrong.append(f"{machine}, {libc}: {name} is {value}, the table has {have.get(name)}")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=textwrap.dedent((__doc__ or "").partition("\n\n")[0]))
    commands = parser.add_subparsers(dest="command", required=True)
    constants = commands.add_parser("constants", help="write socketpkg_constants.def")
    constants.add_argument("directory", type=Path)
    table = commands.add_parser("table", help="write the table of the ctypes backend")
    table.add_argument("--check", action="store_true", help="write nothing; status 1 when the table is stale")
    table.add_argument("--cc", action="append", default=[], help="a compiler to ask (may be given more than once)")
    adding = commands.add_parser("add", help="add constants to the list, the table and the stubs")
    adding.add_argument("names", nargs="+", metavar="NAME", help="as the C headers have it")
    adding.add_argument("--elsewhere", action="store_true", help="Linux does not have it")
    adding.add_argument("--cc", action="append", default=[], help="a compiler to ask (may be given more than once)")
    options = parser.parse_args(arguments)

    if options.command == "add":
        try:
            return add(options.names, options.cc, options.elsewhere)
        except (Refused, Contradiction) as error:
            parser.error(str(error))

    if options.command == "constants":
        print(write_constants_def(options.directory))
        return 0
    found = measure(options.cc)
    if options.check:
        if not found:
            parser.error("there is no C compiler to check the table with")
        wrong = stale(found)
        print("\n".join(wrong) or f"the table is up to date with {', '.join(' '.join(key) for key in found)}")
        return 1 if wrong else 0
    complete, unknown = completed(found)
    TABLE.write_text(table_source(complete), encoding="ascii")
    print(f"{TABLE}: {len(complete[BASE, 'glibc'])} constants")
    print(f"asked: {', '.join(map(' '.join, found)) or 'no compiler'}")
    for line in unknown:
        print(f"not known: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
