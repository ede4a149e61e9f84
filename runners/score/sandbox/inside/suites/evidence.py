"""What running code shows of tampering: comparers that are not what they were, assertions that no longer fail.

Theory of operation. Before the sample runs, the objects that decide a test are noted by identity: the methods of
TestCase and TestResult, the builtins that comparisons go through, the comparers of numpy and pandas. Afterwards they
must be the same objects. Between tests a handful of assertions that must fail are tried. All of it lies in the
sample's process and can be forged by a program that was written against it; it costs microseconds and catches what is
not.
"""

from __future__ import annotations

import builtins
import sys
import threading
import types
import unittest
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .tamper import RISK, TAMPER

_COMPARING_BUILTINS = (
    "__build_class__", "__import__", "abs", "all", "any", "AssertionError", "bool", "bytes", "callable", "dict", "eval",
    "exec", "Exception", "float", "frozenset", "getattr", "hasattr", "hash", "int", "isinstance", "issubclass", "iter",
    "len", "list", "map", "max", "min", "next", "object", "range", "repr", "round", "set", "sorted", "str", "sum",
    "super", "tuple", "type", "zip",
)  # fmt: skip
_CLASSES = ("TestCase", "TestResult", "TestSuite", "TestLoader")
_COMPARERS = {
    "unittest.case": ("_Outcome", "_AssertRaisesContext", "TestCase", "_is_subtype"),
    "unittest.mock": ("patch",),
    "math": ("isclose",),
    "operator": ("eq",),
    "numpy": ("allclose", "array_equal", "isclose", "array_equiv", "equal", "all"),
    "numpy.testing": ("assert_allclose", "assert_array_equal", "assert_almost_equal", "assert_equal",
                      "assert_array_almost_equal"),
    "pandas.testing": ("assert_frame_equal", "assert_series_equal", "assert_index_equal"),
}  # fmt: skip
_MODULES = ("unittest", "unittest.case", "unittest.result", "unittest.suite", "unittest.loader", "builtins", "os")
_MAX_ITEMS = 50


class Evidence:
    """``say`` takes what was found, at once: a sample that ends the process has told by then."""

    def __init__(self, say: Callable[..., None]) -> None:
        self._say = say
        self._told: set[str] = set()
        self._kept = dict(_noted())
        self._tests: list[tuple[Any, str, Any]] = []
        self._fails = tuple(_failing_assertions())

    def add(self, level: str, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self._say("evidence", level, name[:120])

    def note_tests(self, module: types.ModuleType, names: Sequence[str]) -> None:
        """The test methods as they were defined; ``names``: ``Class.method``."""
        for name in names:
            case, _, method = name.partition(".")
            function = getattr(getattr(module, case, None), method, None)
            self._tests.append((getattr(module, case, None), method, getattr(function, "__code__", None)))

    def compare(self) -> None:
        """Every noted object must be the one that it was."""
        for name, thing in _noted():
            if self._kept.get(name, thing) is not thing:
                self.add(TAMPER, f"patched {name}")
        for case, method, code in self._tests:
            if getattr(getattr(case, method, None), "__code__", None) is not code:
                self.add(TAMPER, f"patched {method}")
        if sys.gettrace() is not None or sys.getprofile() is not None:
            self.add(TAMPER, "a trace or profile function is set")
        if getattr(threading, "_trace_hook", None) or getattr(threading, "_profile_hook", None):
            self.add(TAMPER, "a trace or profile function is set for threads")

    def try_assertions(self) -> None:
        """Assertions that must fail, between tests."""
        for name, fails in self._fails:
            try:
                fails()
            except AssertionError:
                continue
            except BaseException:
                pass
            self.add(TAMPER, f"{name} does not fail")

    def look_at(self, value: Any) -> None:
        """A value that equals an object that was made this moment was built to equal everything.

        Only those are asked whose comparison is no library's: comparing is theirs to define, and may cost.
        """
        for item in filter(_compares_by_itself, _items(value)):
            try:
                is_equal = (item == object()) is True or (object() == item) is True
            except BaseException:
                continue
            if is_equal:
                self.add(TAMPER, "a value that equals everything")


def _noted() -> Iterable[tuple[str, Any]]:
    yield from ((f"builtins.{name}", builtins.__dict__.get(name)) for name in _COMPARING_BUILTINS)
    for name in _CLASSES:
        for key, thing in list(vars(getattr(unittest, name)).items()):
            if not key.startswith("__abc") and key not in ("_previousTestClass", "__doc__", "_classSetupFailed"):
                yield f"unittest.{name}.{key}", thing
        yield f"unittest.{name}", getattr(unittest, name)
    for module, names in _COMPARERS.items():
        found = sys.modules.get(module)
        if found is not None:
            yield from ((f"{module}.{name}", getattr(found, name, None)) for name in names)
    yield from ((f"sys.modules[{name!r}]", sys.modules.get(name)) for name in _MODULES)


def _failing_assertions() -> Iterable[tuple[str, Callable[[], Any]]]:
    case = unittest.TestCase()
    yield "assertEqual", lambda: case.assertEqual(1, 2)
    yield "assertNotEqual", lambda: case.assertNotEqual(1, 1)
    yield "assertTrue", lambda: case.assertTrue(0)
    yield "assertFalse", lambda: case.assertFalse(1)
    yield "assertAlmostEqual", lambda: case.assertAlmostEqual(1.0, 2.0)
    yield "assertIn", lambda: case.assertIn(1, [2])
    yield "assertIsInstance", lambda: case.assertIsInstance(1, str)
    yield "assertIsNone", lambda: case.assertIsNone(1)
    yield "assertListEqual", lambda: case.assertListEqual([1], [2])
    yield "assertDictEqual", lambda: case.assertDictEqual({1: 1}, {1: 2})
    yield "assertRaises", lambda: case.assertRaises(KeyError, lambda: None)
    yield "assertGreater", lambda: case.assertGreater(1, 2)


def _compares_by_itself(value: Any) -> bool:
    """Whether its comparison is defined by a class that stands in no library under its name."""
    for base in type.__dict__["__mro__"].__get__(type(value)):
        if "__eq__" in type.__dict__["__dict__"].__get__(base):
            module = sys.modules.get(base.__module__) if base.__module__ != "__test__" else None
            return getattr(module, "__dict__", {}).get(base.__qualname__) is not base or base.__name__ == "_ANY"
    return False


def _items(value: Any) -> list[Any]:
    """The value, and what it holds where it is a plain container."""
    if type(value) in (tuple, list, set, frozenset):
        return [value, *list(value)[:_MAX_ITEMS]]
    if type(value) is dict:
        return [value, *list(value.values())[:_MAX_ITEMS]]
    return [value]


__all__ = ["RISK", "TAMPER", "Evidence"]
