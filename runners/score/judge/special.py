"""EvalPlus' oracles for tasks where equality with one reference answer is not what is asked.

Facts from evalplus/evalplus@26d6d00, ``evalplus/eval/_special_oracle.py`` and ``evalplus/eval/__init__.py``: which
entry points, and what is accepted. Each function gets the answer, the expected value and the *pristine* inputs
(upstream: the inputs as the program left them, a deviation by name) and says whether the answer is right; it may
raise, which is a no.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .decode import bounded_set

Oracle = Callable[[Any, Any, Sequence[Any], float], bool]

SET_EQUAL = frozenset(
    [
        "similar_elements",
        "find_char_long",
        "common_in_nested_lists",
        "extract_singly",
        "larg_nnum",
        "intersection_array",
        "find_dissimilar",
        "Diff",
    ]
)
"""Mbpp/2, 7, 111, 140, 232, 249, 579, 769: order and repetition do not matter."""
NOT_NONE = frozenset(("check_str", "text_match_three", "text_starta_endb"))
"""The reference's answer counts as whether there is one."""


def _any_answer(answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    """Mbpp/164: the reference is wrong for some inputs, so upstream accepts whatever comes back."""
    return True


def _zero_too(answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    """Mbpp/295: 0 is accepted beside the reference's answer."""
    return bool(answer == expected) or bool(answer == 0)


def _surface_area(answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    """Mbpp/581: the height may also be read as the pyramid's own height, not the slant one."""
    if answer == expected:
        return True
    base_edge, height = inputs
    slant_height = math.hypot(base_edge / 2, height)
    return bool(abs(answer - round(base_edge**2 + 2 * base_edge * slant_height)) <= atol)


def _digit_distance(answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    """Mbpp/558: the shorter number may also be padded with zeros and compared digit by digit."""
    if answer == expected:
        return True
    first, second = (str(number) for number in inputs)
    width = max(len(first), len(second))
    pairs = zip(first.zfill(width), second.zfill(width), strict=True)
    return bool(answer == sum(abs(int(a) - int(b)) for a, b in pairs))


def _same_set(answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    return bounded_set(answer) == set(expected)


def _is_answered(answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    if isinstance(answer, bool):
        return answer == expected
    return expected == (answer is not None)


def zero_of_polynomial(answer: Any, expected: Any, inputs: Sequence[Any], atol: float) -> bool:
    """HumanEval/32: any zero will do; coefficients from the constant term up."""
    (coefficients,) = inputs
    total = sum(coefficient * math.pow(answer, power) for power, coefficient in enumerate(coefficients))
    return bool(abs(total) <= atol)


MBPP: Mapping[str, Oracle] = {
    "are_equivalent": _any_answer,
    "sum_div": _zero_too,
    "surface_Area": _surface_area,
    "digit_distance_nums": _digit_distance,
    **dict.fromkeys(SET_EQUAL, _same_set),
    **dict.fromkeys(NOT_NONE, _is_answered),
}
