"""Compiles the C code of the compiled backends for platforms that this machine is not: macOS, the BSDs and musl.

``python compile.py TREE``: TREE is a source tree in which the extensions have been built, so that it has their C code.
The compiler is clang, and the headers are those of each platform's C library; both are in the package ``ziglang``.
Python's headers are this machine's, and that is enough: nothing is linked.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple


class Platform(NamedTuple):
    """What to compile for."""

    triple: str
    #: The folders of the headers in ziglang's lib/libc/include.
    headers: tuple[str, ...]
    #: What backends/include/socketpkg_platform.h has to find out there.
    facts: dict[str, int]
    #: What Python's own configuration defines there and not here, and what the platform's own headers do not heed.
    options: tuple[str, ...] = ()


def facts(sa_len: int, mmsg: int, accept4: int, heed: int) -> dict[str, int]:
    names = ("SP_HAVE_SA_LEN", "SP_HAVE_MMSG", "SP_HAVE_ACCEPT4", "SP_SENDS_HEED_DONTWAIT")
    return dict(zip(names, (sa_len, mmsg, accept4, heed), strict=True))


PLATFORMS = {
    "x86_64-macos": Platform("x86_64-apple-macos11", ("any-darwin-any",), facts(1, 0, 0, 0)),
    "aarch64-macos": Platform("arm64-apple-macos11", ("any-darwin-any",), facts(1, 0, 0, 0)),
    "x86_64-freebsd": Platform(
        "x86_64-unknown-freebsd14", ("x86_64-freebsd-none", "generic-freebsd"), facts(1, 1, 1, 1)
    ),
    "x86_64-netbsd": Platform("x86_64-unknown-netbsd10", ("x86_64-netbsd-none", "generic-netbsd"), facts(1, 1, 1, 1)),
    "x86_64-openbsd": Platform(
        *("x86_64-unknown-openbsd7.6", ("x86_64-openbsd-none", "generic-openbsd"), facts(1, 1, 1, 1)),
        ("-D_BSD_SOURCE",),
    ),
    "x86_64-musl": Platform(
        *("x86_64-unknown-linux-musl", ("x86_64-linux-musl", "generic-musl", "x86-linux-any", "any-linux-any")),
        facts(0, 1, 1, 1),
        ("-Wno-sign-compare",),  # CMSG_NXTHDR
    ),
}


def command(platform: Platform, tree: Path) -> list[str]:
    """The compiler's, without a source."""
    import ziglang

    home = Path(ziglang.__file__).parent
    folders = [home / "lib" / "include", *(home / "lib" / "libc" / "include" / name for name in platform.headers)]
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    assert not missing, f"this ziglang has no {', '.join(missing)}"
    words = [home / "zig", "clang", "-target", platform.triple, "-c", "-O0", "-o", "/dev/null", "-nostdlibinc"]
    words += ["-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"]
    for folder in [*folders, sysconfig.get_path("include")]:
        words += ["-isystem", folder]
    words += [f"-I{tree / 'backends' / 'include'}", f"-I{tree / 'build' / 'include'}"]
    return [*map(str, words), *platform.options]


def check(name: str, tree: Path, sources: list[Path], folder: Path) -> list[str]:
    """What is wrong on one platform."""
    platform = PLATFORMS[name]
    known = folder / f"{name}.c"
    lines = [
        f"_Static_assert({fact} == {value}, {fact!r});".replace("'", '"') for fact, value in platform.facts.items()
    ]
    known.write_text("\n".join(['#include "socketpkg_platform.h"', *lines]) + "\n")
    # A compiler that takes everything would show nothing.
    wrong = folder / f"{name}-wrong.c"
    wrong.write_text('#include "socketpkg_platform.h"\nint wrong(void) { return no_such_function(AF_INET); }\n')
    problems = []
    for source in [known, wrong, *sources]:
        done = subprocess.run([*command(platform, tree), str(source)], capture_output=True, text=True, check=False)
        if (done.returncode == 0) == (source is wrong):
            problems.append(f"{name}: {source}: {done.stderr or 'compiles, and should not'}")
    print(f"{name}: {len(sources)} files, {len(problems)} problems", flush=True)
    return problems


def main() -> int:
    tree = Path(sys.argv[1])
    sources = sorted(path for made in ("cython-*", "cffi") for path in tree.glob(f"build/{made}/**/*.c"))
    backends = {part for path in sources for part in path.parts if part.startswith("socketpkg_")}
    assert backends >= {"socketpkg_c", "socketpkg_cffi"}, f"{tree} has not been built"
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        jobs = [pool.submit(check, name, tree, sources, Path(folder)) for name in sys.argv[2:] or PLATFORMS]
        problems = [problem for job in jobs for problem in job.result()]
    print(*problems, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
