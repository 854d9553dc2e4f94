"""What a Python runs at its start that `python -m socketpkg run` has started, directly or not: socketpkg's install().

Then comes the sitecustomize that this one stands before. Not only the Python that `run` was for may get here, so this
file is plain enough for any Python 3.
"""

import os
import sys


def _remove_from_path() -> None:
    """The program shall see the path that it would have."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]


def _install() -> None:
    """Puts socketpkg in place of socket. A backend that was named and cannot be used ends the process."""
    try:
        import socketpkg
    except ImportError as error:
        if getattr(error, "name", None) != "socketpkg" or not isinstance(error, ModuleNotFoundError):
            sys.stderr.write("%s: %s\n" % (sys.executable, error))  # noqa: UP031
            sys.stderr.flush()
            os._exit(1)  # SystemExit would be reported as a fatal error of the interpreter
        sys.stderr.write(
            "socketpkg: a child runs on the standard library's socket: socketpkg is not installed for %s\n"  # noqa: UP031
            % sys.executable
        )
    else:
        # The doctor looks on, and run installs it itself.
        if not socketpkg.backends.running_as_program():
            socketpkg.install()


def _go_on() -> None:
    """Runs the sitecustomize that comes next on the path, if there is one."""
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_remove_from_path()
_install()
_go_on()
