"""Is this answer right? The ``official`` and the ``strict`` reading of a ``calls`` task, case by case.

``official``  evalplus 26d6d00, ``unsafe_execute``: ``==`` first (or a special oracle by entry point); where that says
              no and the tolerance is not zero, the types must be the same and ``numpy.allclose`` decides with rtol
              1e-7. A tolerance of zero becomes 1e-6 at the first expected value that is a float (or a list or tuple
              of floats) and *stays so for the following cases of the part*.
``strict``    what the task means: tolerance only where this expected value holds a float, at any depth, and whatever
              numeric type the answer has; NaN answers NaN; Mbpp/164 is compared with its expected value after all.

Values come from ``decode``: builtin types only, so that no comparison here runs code of a sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....ingest.benchmarks.declaration import Task
from . import special
from .decode import Digest, Opaque
from .rules import Rules

OFFICIAL, STRICT = "official", "strict"
NAMES = (OFFICIAL, STRICT)
_RTOL = 1e-7
_FLOAT_ATOL = 1e-6
_MAX_STRETCHED = 1 << 22
_PLAIN_NUMBERS = frozenset((bool, int, float))
_DATASETS: Mapping[str, str] = {"humanevalplus": "humaneval", "mbppplus": "mbpp"}


class OfficialCalls:
    """One part's run: holds the loop-carried tolerance."""

    def __init__(self, task: Task, rules: Rules) -> None:
        self.atol = float(task.payload.get("atol") or 0)
        self._special = special_oracle(task)
        self._rules = rules

    def accepts(self, answer: Any, expected: Any, inputs: Sequence[Any]) -> bool:
        if self._special is special.zero_of_polynomial:
            is_judged = self._rules.find_zero == "fixed"
            return is_judged and _quietly(special.zero_of_polynomial, answer, expected, inputs, self.atol)
        try:
            exact = answer == expected if self._special is None else self._special(answer, expected, inputs, self.atol)
            if self.atol == 0 and _is_floats(expected):
                self.atol = _FLOAT_ATOL
            if not exact and self.atol != 0:
                return type(answer) is type(expected) and _all_close(answer, expected, self.atol)
            return bool(exact)
        except (TypeError, ValueError, ArithmeticError, AttributeError):
            return False

    def note(self, expected: Any) -> None:
        """A case that was right without being asked here still counts for the tolerance of the following ones."""
        if self.atol == 0 and _is_floats(expected):
            self.atol = _FLOAT_ATOL


class StrictCalls:
    """The same answer to the same question whatever came before."""

    def __init__(self, task: Task, rules: Rules) -> None:
        self._given_atol = float(task.payload.get("atol") or 0)
        found = special_oracle(task)
        self._special = None if found is special.MBPP["are_equivalent"] else found

    def accepts(self, answer: Any, expected: Any, inputs: Sequence[Any]) -> bool:
        if self._special is not None and _quietly(self._special, answer, expected, inputs, self._given_atol):
            return True
        if self._special is special.zero_of_polynomial:
            return False
        return _quietly(self._equal, answer, expected, inputs, self._given_atol or _FLOAT_ATOL)

    def note(self, expected: Any) -> None:
        """Nothing: no case depends on another one."""

    def _equal(self, answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
        return matches(answer, expected, atol)


def special_oracle(task: Task) -> special.Oracle | None:
    dataset, entry_point = _DATASETS.get(task.benchmark), task.payload["entry_point"]
    if dataset == "humaneval" and entry_point == "find_zero":
        return special.zero_of_polynomial
    return special.MBPP.get(entry_point) if dataset == "mbpp" else None


def needs_iteration(task: Task) -> bool:
    """Whether the official oracle iterates the answer: then a child sends what iterating gives."""
    return special_oracle(task) is special.MBPP["Diff"]


def expects_presence(task: Task) -> bool:
    """Whether the expected value is only that the reference gave something."""
    return special_oracle(task) is special.MBPP["check_str"]


def why_wrong(answer: Any) -> str:
    """The reason of an answer that was not accepted."""
    return "opaque_type" if isinstance(answer, Opaque) else "wrong_answer"


def _quietly(oracle: special.Oracle, answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    try:
        return bool(oracle(answer, expected, inputs, atol))
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return False


def _is_floats(expected: Any) -> bool:
    """evalplus ``is_floats``: a float, or a non-empty list or tuple of floats (numpy arrays of them as well)."""
    if isinstance(expected, float):
        return True
    if isinstance(expected, list | tuple) and expected:
        return all(isinstance(item, float) for item in expected)
    dtype = getattr(expected, "dtype", None)
    return dtype is not None and dtype.name in ("float64", "float32")


def _all_close(answer: Any, expected: Any, atol: float) -> bool:
    if isinstance(answer, Digest):
        return False
    if isinstance(expected, list | tuple) and len(answer) != len(expected):
        return False
    if type(answer) is float and isinstance(expected, float):
        return _is_close(answer, expected, atol)
    if not _is_numeric(answer):
        return False  # numpy raises for anything else, after it copied it
    import numpy

    ours, theirs = numpy.asarray(answer), numpy.asarray(expected)
    if ours.size == 0 < theirs.size:
        return False  # [[]] stretched over [1.5]: nothing would be compared
    # shapes that differ are stretched over each other, upstream as well; only the size is ours to bound
    if ours.shape != theirs.shape and math.prod(numpy.broadcast_shapes(ours.shape, theirs.shape)) > _MAX_STRETCHED:
        return False
    return bool(numpy.allclose(ours, theirs, rtol=_RTOL, atol=atol))


def _is_numeric(answer: Any) -> bool:
    """Numbers that numpy calculates with, or lists and tuples of them."""
    if isinstance(answer, list | tuple):
        return set(map(type, answer)) <= _PLAIN_NUMBERS or all(map(_is_numeric, answer))
    return isinstance(answer, bool | int | float | complex) or getattr(answer, "dtype", None) is not None


def _is_close(answer: float, expected: float, atol: float) -> bool:
    """numpy.isclose for two finite or infinite floats: ``|a - b| <= atol + rtol * |b|``."""
    if math.isinf(answer) or math.isinf(expected):
        return answer == expected
    return abs(answer - expected) <= atol + _RTOL * abs(expected)


def matches(answer: Any, expected: Any, atol: float) -> bool:
    """Strict equality: structure by ``==``'s rules, floats within the tolerance at any depth."""
    if isinstance(expected, float):
        return _is_number(answer) and _floats_match(float(answer), expected, atol)
    if isinstance(expected, list | tuple):
        if not isinstance(answer, list if isinstance(expected, list) else tuple) or len(answer) != len(expected):
            return False
        return all(matches(a, b, atol) for a, b in zip(answer, expected, strict=True))
    if isinstance(expected, dict) and isinstance(answer, dict):
        return answer.keys() == expected.keys() and all(matches(answer[k], v, atol) for k, v in expected.items())
    return bool(answer == expected)


def _floats_match(answer: float, expected: float, atol: float) -> bool:
    return (math.isnan(answer) and math.isnan(expected)) or _is_close(answer, expected, atol)


def _is_number(answer: Any) -> bool:
    kind = getattr(getattr(answer, "dtype", None), "kind", "")
    return isinstance(answer, int | float) or (kind in "iuf" and kind != "" and getattr(answer, "shape", None) == ())


BY_NAME = {OFFICIAL: OfficialCalls, STRICT: StrictCalls}
