"""LiveCodeBench tasks, comparisons and codes, without executing anything."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from benchforge.ingest.benchmarks.livecodebench import task_of
from benchforge.ingest.errors import BadInput
from benchforge.runners.score.judge import OFFICIAL, Rules, decode
from benchforge.runners.score.judge.livecodebench import upstream_code
from benchforge.runners.score.judge.livecodebench_answers import official_value, strict_value
from benchforge.runners.score.judge.outcome import failed, passed
from benchforge.runners.score.sandbox.inside import codec

_WRONG = "wrong_answer"


def sent(value: Any) -> Any:
    """What the judge sees of a value."""
    return decode.value(decode.parse(codec.encode(value).encode()))


@pytest.mark.parametrize(
    ("answer", "expected", "official", "strict"),
    [
        ([1, 2], [1, 2], "", ""), ([1, 2.0], [1, 2], "", ""), (True, 1, "", ""), ([1, 2], [2, 1], _WRONG, _WRONG),
        ([(1, 2)], [[1, 2]], _WRONG, ""), ([{"a": (1,)}], [{"a": [1]}], _WRONG, ""),
        (0.1 + 0.2, 0.3, _WRONG, ""), ([[0.1 + 0.2]], [[0.3]], _WRONG, ""), (0.31, 0.3, _WRONG, _WRONG),
        (3, 3.0, "", ""), (3.0000001, 3, _WRONG, _WRONG), ("3", 3, _WRONG, _WRONG),
        (Fraction(1, 2), 0.5, "", ""), (Decimal("0.5"), 0.5, "", ""), (None, None, "", ""), (None, [], _WRONG, _WRONG),
        (object(), [], "opaque_type", "opaque_type"), ({1, 2}, [1, 2], _WRONG, _WRONG),
        (range(2), [0, 1], "opaque_type", "opaque_type"), (float("nan"), 0.5, _WRONG, _WRONG),
    ],
)  # fmt: skip
def test_values_official_and_strict(answer: Any, expected: Any, official: str, strict: str) -> None:
    assert official_value(sent(answer), expected) == official
    assert strict_value(sent(answer), expected) == strict


def test_arrays_have_no_truth_value_officially() -> None:
    numpy = pytest.importorskip("numpy")
    assert official_value(sent(numpy.array([1, 2])), [1, 2]) == "exception"
    assert strict_value(sent(numpy.array([1, 2])), [1, 2]) == ""
    assert official_value(sent(numpy.array([[1], [2]])), list(range(10**6))) == "exception"
    assert official_value(sent(numpy.array([])), []) == "exception"
    assert official_value(sent(numpy.array([1])), 1) == ""
    assert strict_value(sent(numpy.array([1])), 1) == _WRONG
    assert official_value(sent(numpy.int64(1)), 1) == ""
    assert strict_value(sent([numpy.float64(0.5)]), [0.5]) == ""


def test_narrow_infinities_and_shared_nans_are_wrong_officially() -> None:
    numpy = pytest.importorskip("numpy")
    for answer in (numpy.float16("inf"), numpy.array([numpy.inf], "float16"), numpy.complex64(numpy.inf)):
        assert official_value(sent(answer), 100001) == strict_value(sent(answer), 100001) == _WRONG
    nan = json.loads("[NaN]")
    assert (official_value(sent(nan), nan), strict_value(sent(nan), nan)) == (_WRONG, "")


def test_an_answer_too_large_to_send_is_compared_by_digest() -> None:
    large = list(range(codec.MAX_COST + 1))
    answer = sent(large)
    assert isinstance(answer, decode.Digest)
    assert (official_value(answer, large), strict_value(answer, large)) == ("", "")
    assert (official_value(answer, large[1:]), strict_value(answer, [1])) == (_WRONG, _WRONG)


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (passed(3), True), (failed(_WRONG, 1, 1), -2), (failed("opaque_type", 0, 0), -2),
        (failed("timeout", 0, 0, "timeout"), -3), (failed("timeout", None, 0), -4), (failed("exception", 2, 2), -4),
        (failed("memory", 0, 0), -4), (failed("syntax", None, 0), -4), (failed("empty", None, 0), -4),
        (failed("killed", 1, 1, "timeout"), -5), (failed("killed", 1, 1), -5), (failed("tamper", 0, 0), -5),
    ],
)  # fmt: skip
def test_upstream_codes_are_derived(part: Any, code: int | bool) -> None:
    assert upstream_code(part) is code or upstream_code(part) == code


def test_limits_are_six_seconds_and_seven_for_each_test_and_five() -> None:
    assert OFFICIAL.livecodebench_limits(10, {}) == (6.0, 75.0)
    assert OFFICIAL.livecodebench_limits(2, {"limit_seconds": 1.0}) == (1.0, 9.0)
    assert Rules(limit_scale=2.0).livecodebench_limits(10, {}) == (12.0, 150.0)


def test_both_layouts_of_a_problem_give_the_same_task() -> None:
    given = {"inputs": ["[1]\n2", "[]\n0"], "outputs": ["3", "0"], "fn_name": "add"}
    tests = [
        {"input": i, "output": o, "testtype": "functional"}
        for i, o in zip(given["inputs"], given["outputs"], strict=True)
    ]
    facts = {"question_id": "7", "contest_id": "w1", "platform": "leetcode", "contest_date": "2024-01-06T00:00:00"}
    one = task_of({**facts, "input_output": json.dumps(given)})
    two = task_of(
        {
            **facts,
            "public_test_cases": tests[:1],
            "private_test_cases": tests[1:],
            "metadata": {"func_name": "add"},
        }
    )
    assert one == two
    assert one.kind == "calls"
    assert one.payload["base_inputs"] == [[[1], 2], [[], 0]]
    assert one.payload["expected"] == {"base": [3, 0]}
    assert (one.cluster, str(one.contest_date), one.num_base_cases) == ("leetcode/w1", "2024-01-06", 2)


def test_programs_for_standard_input_have_cases() -> None:
    task = task_of(
        {"question_id": 9, "input_output": json.dumps({"inputs": ["1\n"], "outputs": ["2\n"], "fn_name": None})}
    )
    assert (task.task_id, task.kind) == ("9", "stdin")
    assert task.payload["cases"] == [{"stdin": "1\n", "stdout": "2\n"}]


def test_integers_may_have_as_many_digits_as_upstream_allows() -> None:
    def problem(num_digits: int) -> dict[str, Any]:
        digits = "1" * num_digits
        return {
            "question_id": "long",
            "input_output": json.dumps({"inputs": [digits], "outputs": [f"-{digits}"], "fn_name": "f"}),
        }

    task = task_of(problem(5_000))
    (number,) = task.payload["base_inputs"][0]
    assert number % 10**6 == 111_111
    assert task.payload["expected"]["base"] == [-number]
    with pytest.raises(BadInput):
        task_of(problem(60_000))


@pytest.mark.parametrize(
    "tests",
    [
        "no json", json.dumps([]), json.dumps({"inputs": [], "outputs": []}),
        json.dumps({"inputs": ["1"], "outputs": []}),
        json.dumps({"inputs": [1], "outputs": [2]}), json.dumps({"inputs": ["x"], "outputs": ["1"], "fn_name": "f"}),
        json.dumps({"inputs": ["1"], "outputs": ["1"], "fn_name": 5}), None,
    ],
)  # fmt: skip
def test_a_problem_without_readable_tests_is_refused(tests: Any) -> None:
    with pytest.raises(BadInput, match="LiveCodeBench problem p"):
        task_of({"question_id": "p", "input_output": tests})
