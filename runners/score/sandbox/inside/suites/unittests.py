"""Style ``unittest``: TestCase classes of the test program, in the module of the program, one result per test.

The module, the loader and the order are those of the standard library; results are kept by a TestResult of ours, which
tries after each test whether an assertion that must fail still does.
"""

from __future__ import annotations

import builtins
import functools
import io
import sys
import time
import types
import unittest
from collections.abc import Callable, Mapping
from typing import Any

from .evidence import Evidence

MODULE = "__test__"
_Say = Callable[..., None]
_now = time.perf_counter


def run(spec: Mapping[str, Any], say: _Say, evidence: Evidence, watches_returns: bool) -> int:
    """Load the program, then the test, then run what was asked for by name; the number of tests that ran."""
    module = types.ModuleType(MODULE)
    module.__dict__.update(__builtins__=builtins, __file__=f"{MODULE}.py", __package__=None, __doc__=None)
    sys.modules[MODULE] = module
    silence()
    if not _loaded(spec["program"], "program", module, say):
        return 0
    evidence.compare()
    if watches_returns and spec["entry_point"] in module.__dict__:
        module.__dict__[spec["entry_point"]] = _watched(module.__dict__[spec["entry_point"]], evidence)
    if not _loaded(spec["test"], "test", module, say):
        return 0
    evidence.note_tests(module, spec["tests"])
    result = _Result(say, evidence)
    suite = unittest.TestSuite()
    for name in dict.fromkeys(test.partition(".")[0] for test in spec["tests"]):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(getattr(module, name)))
    suite.run(result)
    return result.testsRun


def _loaded(source: str, what: str, module: types.ModuleType, say: _Say) -> bool:
    try:
        exec(
            compile(source, f"{MODULE}.py" if what == "program" else "<test>", "exec", dont_inherit=True),
            module.__dict__,
        )
    except BaseException as error:
        say("load", what, _category(error), type(error).__name__[:60])
        return False
    return True


def _category(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "memory"
    return "syntax" if isinstance(error, SyntaxError) or "null bytes" in str(error) else "exception"


class _Result(unittest.TestResult):
    """Says each outcome as it comes; the worst of a test's outcomes is its last line."""

    def __init__(self, say: _Say, evidence: Evidence) -> None:
        super().__init__()
        self._say, self._evidence = say, evidence
        self._started = 0.0
        self._outcome = ""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started, self._outcome = _now(), ""

    def stopTest(self, test: unittest.TestCase) -> None:
        seconds = _now() - self._started
        super().stopTest(test)
        self._evidence.try_assertions()
        self._say("test", _name_of(test), self._outcome or "unknown", round(seconds, 6))

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._outcome = self._outcome or "ok"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._outcome = self._outcome or "skip"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._outcome = self._outcome or "expected_failure"

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._outcome = "fail"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._outcome = "fail"

    def addError(self, test: Any, err: Any) -> None:
        """Also of a class's or module's set-up, which belongs to no test: said as such."""
        if isinstance(test, unittest.TestCase):
            self._outcome = "timeout" if self._outcome == "timeout" else "error"
        else:
            self._say("test", str(test)[:200], "error", 0.0)

    def addSubTest(self, test: unittest.TestCase, subtest: Any, err: Any) -> None:
        if err is not None:
            self._outcome = "fail"


def _name_of(test: unittest.TestCase) -> str:
    return f"{type(test).__name__}.{test._testMethodName}"


def _watched(function: Any, evidence: Evidence) -> Any:
    """The entry point, each of whose values is asked whether it equals what nothing equals."""
    if not isinstance(function, types.FunctionType):
        return function

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        value = function(*arguments, **keywords)
        evidence.look_at(value)
        return value

    return call


class Swallowing(io.StringIO):
    """Keeps what is written and gives nothing back: reading raises OSError, as the official harnesses have it."""

    def read(self, *_: Any, **__: Any) -> str:
        raise OSError

    def readline(self, *_: Any, **__: Any) -> str:
        raise OSError

    def readlines(self, *_: Any, **__: Any) -> list[str]:
        raise OSError

    def readable(self, *_: Any, **__: Any) -> bool:
        return False


def silence() -> None:
    """One stream for all three, as ``bigcodebench.eval.utils.swallow_io`` does (bigcodebench@47eff25)."""
    sys.stdout = sys.stderr = sys.stdin = Swallowing()
