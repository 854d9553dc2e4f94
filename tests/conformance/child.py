"""Runs one of the interpreter's test files in this process and writes what became of each of its tests.

``child.py TARGET FILE RESULTS [OPTIONS AS JSON]``: RESULTS gets a JSON object a line. ``{"start": id}`` before a test,
then ``{"id": id, "outcome": ..., "detail": ...}``; at the end ``{"end": true}``. `run.py` reads it: a process that dies
has still said which test it died in.
"""

import faulthandler
import fnmatch
import importlib
import json
import os
import signal
import sys
import traceback
import unittest

# The worst of what a test and its subtests say is what becomes of the test.
RANK = ["skipped", "passed", "failed"]


class TestTimeout(Exception):
    """The runner's patience with one test is at its end."""


def give_up(number, frame):
    raise TestTimeout("the test takes too long")


class Results(unittest.TestResult):
    """Writes each test's outcome when the test stops."""

    def __init__(self, descriptor):
        super().__init__()
        self.descriptor = descriptor
        self.process = os.getpid()
        self.current = None
        self.outcome = None
        self.details = []

    def emit(self, **line):
        # A process that a test forked off, and that came back here, has nothing to say.
        if os.getpid() == self.process:
            os.write(self.descriptor, json.dumps(line).encode() + b"\n")

    def startTest(self, test):
        super().startTest(test)
        self.current, self.outcome, self.details = test.id(), None, []
        self.emit(start=self.current)

    def stopTest(self, test):
        super().stopTest(test)
        if self.current is None:
            return  # skipped, and not started: see `note`
        self.emit(id=self.current, outcome=self.outcome or "failed", detail="\n".join(self.details))
        self.current = None

    def note(self, test, outcome, detail=""):
        test = getattr(test, "test_case", test)
        if self.current is None:
            # setUpClass, setUpModule and their counterparts: not tests, but they can take tests away. Or a skipped
            # test, which 3.12.1 does not start.
            self.emit(id=test.id(), outcome=outcome, detail=detail, fixture=not isinstance(test, unittest.TestCase))
            return
        if self.outcome is None or RANK.index(outcome) > RANK.index(self.outcome):
            self.outcome = outcome
        if detail:
            self.details.append(detail)

    def addSuccess(self, test):
        self.note(test, "passed")

    def addSkip(self, test, reason):
        self.note(test, "skipped", reason)

    def addError(self, test, err):
        self.note(test, "failed", "".join(traceback.format_exception(*err)))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.note(test, "failed", f"{subtest}\n" + "".join(traceback.format_exception(*err)))

    def addExpectedFailure(self, test, err):
        self.note(test, "passed", "expected failure")

    def addUnexpectedSuccess(self, test):
        self.note(test, "failed", "unexpected success")


def cases(suite):
    """The tests of a suite of suites."""
    if isinstance(suite, unittest.TestSuite):
        for part in suite:
            yield from cases(part)
    else:
        yield suite


def restrict(suite, wanted):
    """The suite with the tests that are *wanted* only; its classes of suites stay."""
    if not isinstance(suite, unittest.TestSuite):
        return suite if wanted(suite.id()) else None
    kept = [part for part in (restrict(part, wanted) for part in suite) if part is not None]
    return type(suite)(kept)


def check_target(target):
    """Is this the socket module that the results will be said to be about?"""
    public, low = importlib.import_module("socket"), importlib.import_module("_socket")
    if target == "stdlib":
        assert "socketpkg" not in sys.modules, "socketpkg was imported in the baseline"
        assert (public.__name__, low.__name__) == ("socket", "_socket")
    else:
        import socketpkg._socket

        assert public is socketpkg and low is socketpkg._socket, "socketpkg is not in place of socket"
        assert socketpkg.__backend__ == target, f"the backend is {socketpkg.__backend__}"


def main():
    target, name, results = sys.argv[1:4]
    options = json.loads(sys.argv[4]) if sys.argv[4:] else {}
    del sys.argv[1:]
    del sys.path[0]  # this file's folder
    descriptor = os.open(results, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    result = Results(descriptor)
    faulthandler.enable()
    signal.signal(signal.SIGUSR2, give_up)
    if options.get("timeout"):
        faulthandler.dump_traceback_later(options["timeout"])  # just before the runner's patience ends
    check_target(target)

    from test import support

    # None: all of them. A name that is missing from a dict (3.15) or a list is a resource that is off.
    resources = options.get("resources")
    support.use_resources = None if resources is None else dict.fromkeys(resources)
    try:
        module = importlib.import_module(name)
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    except unittest.SkipTest as skipped:
        result.emit(id=name, outcome="skipped", detail=str(skipped), fixture=True)
    else:
        only, without, patterns = options.get("only"), options.get("without"), options.get("patterns")
        if without:
            suite = restrict(suite, lambda test: test not in without)
        if only is not None:
            suite = restrict(suite, set(only).__contains__)
        elif patterns:
            suite = restrict(suite, lambda test: any(fnmatch.fnmatchcase(test, pattern) for pattern in patterns))
        result.emit(tests=[test.id() for test in cases(suite)])
        suite.run(result)
    faulthandler.cancel_dump_traceback_later()
    result.emit(end=True)


if __name__ == "__main__":
    main()
