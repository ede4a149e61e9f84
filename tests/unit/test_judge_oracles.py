# ruff: noqa: E501 - tables of values
"""The official oracle, bug for bug, and where the strict one parts from it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.runners.score.judge import EVALPLUS_0_3_1, OFFICIAL, Rules, decode, oracles
from benchforge.runners.score.judge.decode import IteratedList, Opaque
from benchforge.runners.score.judge.stdin import why_text_differs


def task(entry_point: str = "g", benchmark: str = "humanevalplus", atol: float = 0) -> Task:
    payload = {"entry_point": entry_point, "atol": atol, "base_inputs": [], "plus_inputs": []}
    return Task(benchmark, "default", "x/1", "calls", "", payload, ("base",), "x/1")


def accepts(name: str, answer: Any, expected: Any, inputs: Any = (), **options: Any) -> bool:
    return oracles.BY_NAME[name](task(**options), OFFICIAL).accepts(answer, expected, inputs)


@pytest.mark.parametrize("name", oracles.NAMES)
@pytest.mark.parametrize(
    ("answer", "expected"), [(True, 1), (1.0, 1), ({"a": 1}, {"a": 1}), ((1,), (1,)), (None, None)]
)
def test_python_equality_is_enough(name: str, answer: Any, expected: Any) -> None:
    assert accepts(name, answer, expected)


@pytest.mark.parametrize("name", oracles.NAMES)
@pytest.mark.parametrize(
    ("answer", "expected"), [((1,), [1]), ("1", 1), (Opaque("Yes"), 1), ([1.0, 2.0], [1.0]), (None, 0), ({}, [])]
)
def test_wrong_is_wrong(name: str, answer: Any, expected: Any) -> None:
    assert not accepts(name, answer, expected)


def test_floats_within_a_millionth_pass_and_beyond_fail() -> None:
    assert accepts("official", 0.3000001, 0.3)
    assert not accepts("official", 0.30001, 0.3)
    assert accepts("official", [0.1 + 0.2, 1.0], [0.3, 1.0])


def test_the_official_tolerance_stays_once_a_float_was_expected() -> None:
    official, strict = (oracles.BY_NAME[name](task(), OFFICIAL) for name in oracles.NAMES)
    assert not official.accepts([1.0000001, "x"], [1, "x"], ())
    for oracle in (official, strict):
        assert oracle.accepts(0.5, 0.5, ())
    big = 10**9
    assert official.accepts(big + 1, big, ())
    assert not strict.accepts(big + 1, big, ())


def test_the_official_tolerance_asks_for_the_same_type() -> None:
    numpy = pytest.importorskip("numpy")
    near = numpy.float64(0.3000001)
    assert not accepts("official", near, 0.3)
    assert accepts("official", numpy.float64(0.3), 0.3)
    assert accepts("strict", near, 0.3)


def test_a_float_deep_inside_has_a_tolerance_only_in_the_strict_reading() -> None:
    assert not accepts("official", {"a": 0.1 + 0.2}, {"a": 0.3})
    assert accepts("strict", {"a": 0.1 + 0.2}, {"a": 0.3})


def test_nan_answers_nan_only_in_the_strict_reading() -> None:
    nan = float("nan")
    assert not accepts("official", float("nan"), nan)
    assert accepts("strict", float("nan"), nan)


@pytest.mark.parametrize(
    "line", ["[NaN]", '{"!":"t","v":[NaN]}', '{"!":"d","v":[["a"],[NaN]]}', "[[NaN]]", "[1.0,NaN]"]
)
def test_nan_in_a_container_answers_nan_only_in_the_strict_reading(line: str) -> None:
    answer, expected = (decode.value(decode.parse(line.encode())) for _ in range(2))
    assert not accepts("official", answer, expected)
    assert not accepts("official", answer, expected, atol=1e-6)
    assert accepts("strict", answer, expected)


@pytest.mark.parametrize("name", oracles.NAMES)
def test_narrow_infinities_of_numpy_equal_no_number(name: str) -> None:
    pytest.importorskip("numpy")
    for tree, expected in (
        ({"!": "ns", "v": ["<f2", math.inf]}, 100001),
        ([{"!": "ns", "v": ["<f2", math.inf]}], [100001]),
        ({"!": "na", "v": ["<f2", [1], [math.inf]]}, 100001),
        ({"!": "na", "v": ["<f2", [], [math.inf]]}, 100001),
        ({"!": "ns", "v": ["<f2", 2048.0]}, 2049),
        ({"!": "ns", "v": ["<c8", {"!": "c", "v": [math.inf, 0.0]}]}, 10**40),
    ):
        assert not accepts(name, decode.value(tree), expected)


@pytest.mark.parametrize("name", oracles.NAMES)
def test_set_oracles_take_any_order_and_any_iterable(name: str) -> None:
    options = {"entry_point": "similar_elements", "benchmark": "mbppplus"}
    assert accepts(name, [3, 2, 2], (2, 3), **options)
    assert accepts(name, IteratedList([3, 2]), (2, 3), **options)
    assert not accepts(name, [3], (2, 3), **options)
    assert not accepts(name, 5, (2, 3), **options)
    assert not accepts(name, [index * (2**61 - 1) for index in range(5_000)], (2, 3), **options)


def test_special_oracles_hold_for_their_own_dataset_only() -> None:
    assert not accepts("official", [3, 2], [2, 3], entry_point="similar_elements", benchmark="forge_mini")


def test_mbpp_164_takes_anything_officially() -> None:
    options = {"entry_point": "are_equivalent", "benchmark": "mbppplus"}
    assert accepts("official", False, True, **options)
    assert not accepts("strict", False, True, **options)


def test_presence_oracle_reads_other_answers_as_whether_there_is_one() -> None:
    options = {"entry_point": "check_str", "benchmark": "mbppplus"}
    assert accepts("official", Opaque("Match"), True, **options)
    assert accepts("official", None, False, **options)
    assert not accepts("official", False, True, **options)


def test_second_readings_of_two_mbpp_tasks() -> None:
    assert accepts("official", 7, 8, (1, 23), entry_point="digit_distance_nums", benchmark="mbppplus") is False
    assert accepts("official", 4, 9, (1, 23), entry_point="digit_distance_nums", benchmark="mbppplus")
    assert accepts("official", 33, 0, (3, 4), entry_point="surface_Area", benchmark="mbppplus", atol=1e-4) is False
    assert accepts("official", 35, 0, (3, 4), entry_point="surface_Area", benchmark="mbppplus", atol=1e-4)
    assert accepts("official", 0, 5, (7,), entry_point="sum_div", benchmark="mbppplus")


@pytest.mark.parametrize("name", oracles.NAMES)
def test_find_zero_is_judged_by_the_polynomial(name: str) -> None:
    options = {"entry_point": "find_zero", "atol": 1e-4}
    assert accepts(name, 2.0, -99.0, ([-4.0, 0.0, 1.0],), **options)
    assert not accepts(name, 2.1, 2.1, ([-4.0, 0.0, 1.0],), **options)
    assert not accepts(name, "2", -99.0, ([-4.0, 0.0, 1.0],), **options)


def test_the_released_evalplus_fails_find_zero_whatever_comes() -> None:
    oracle = oracles.OfficialCalls(task("find_zero", atol=1e-4), EVALPLUS_0_3_1)
    assert not oracle.accepts(2.0, 2.0, ([-4.0, 0.0, 1.0],))


def test_case_limits_and_part_budget_are_evalplus_own() -> None:
    assert OFFICIAL.case_limits([0.1, 2.0], {}) == [4.0, 8.0]
    assert EVALPLUS_0_3_1.case_limits([0.1, 2.0], {}) == [1.0, 8.0]
    assert OFFICIAL.part_seconds([4.0, 8.0]) == 13.0
    assert OFFICIAL.part_seconds([4.0] * 100) == 61.0
    assert Rules(limit_scale=0.5).case_limits([0.1], {"limit_seconds": 1.0}) == [0.5]


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("6\n", "6", True), ("6 \n\n", "6\n", True), ("2.0", "2", True), ("1 2.50", "1 2.5", True), ("1\n2", "1 2", False),
        ("a b", "a b ", True), ("a  b", "a b", False), ("", "", True), ("", "0", False), ("nan", "nan", True), ("1e2", "100", True),
    ],
)  # fmt: skip
def test_printed_text_is_compared_line_by_line(printed: str, expected: str, same: bool) -> None:
    assert (why_text_differs(printed, expected) == "") is same


def test_blanks_inside_a_line_do_not_matter_strictly() -> None:
    assert why_text_differs("a  b", "a b") == "wrong_answer"
    assert why_text_differs("a  b", "a b", is_strict=True) == ""


def test_a_signalling_nan_is_an_answer_that_cannot_be_compared() -> None:
    assert why_text_differs("1 sNaN", "1 2") == "exception"
    assert why_text_differs("1 sNaN", "1 2", is_strict=True) == "wrong_answer"
    assert why_text_differs("1 sNaN", "1") == "wrong_answer"
