"""Is this answer right? LiveCodeBench's two rules as the pin has them, and what they should say.

Official, LiveCodeBench/LiveCodeBench@28fef95 ``lcb_runner/evaluation/testing_util.py``: printed text line by line
(``stdin.why_text_differs``); returned values by ``==``, a tuple as the outermost list allowed (the child makes it one).
Strict, for values: tuples are lists at any depth, numpy numbers and arrays are numbers and lists, and where a float is
expected any number within 1e-5 will do, the tolerance that LeetCode states. An array of one element, which passes for
that element officially, is a list.

Every comparison returns the reason why the answer is wrong, or nothing. Values come from ``decode``: builtin and numpy
types only, so that no code of a sample runs here.
"""

from __future__ import annotations

import json
from typing import Any

from ..sandbox.inside import codec
from . import decode, oracles, stdin
from .decode import Digest

_ATOL = 1e-5
_FAILURES = (ValueError, TypeError, ArithmeticError, RecursionError, AttributeError, MemoryError)


def official_text(printed: str, expected: str) -> str:
    return stdin.why_text_differs(printed, expected)


def strict_text(printed: str, expected: str) -> str:
    return stdin.why_text_differs(printed, expected, is_strict=True)


def official_value(answer: Any, expected: Any) -> str:
    """An array has no truth value but for one element: upstream records an exception, so do we."""
    if hasattr(answer, "tolist") and answer.size != 1:
        return "exception"  # not compared at all: two shapes may spread out to billions of elements
    try:
        is_right = bool(answer == _as_sent(expected, answer))
    except _FAILURES:
        return "exception"
    return "" if is_right else oracles.why_wrong(answer)


def strict_value(answer: Any, expected: Any) -> str:
    try:
        if isinstance(answer, Digest):
            is_right = answer == _as_sent(expected, answer)
        else:
            plain = _plain(answer)
            is_right = bool(plain == expected) or oracles.matches(plain, expected, _ATOL)
    except _FAILURES:
        is_right = False
    return "" if is_right else oracles.why_wrong(answer)


def _as_sent(expected: Any, answer: Any) -> Any:
    """An answer too large to be sent came as a digest: then the expected value is compared as one too."""
    return decode.value(json.loads(codec.encode(expected))) if isinstance(answer, Digest) else expected


def _plain(value: Any) -> Any:
    """Tuples and arrays as lists, all the way down."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value
