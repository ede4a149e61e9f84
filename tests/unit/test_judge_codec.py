# ruff: noqa: E501 - tables of values
"""What leaves a child and what the judge makes of it."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from benchforge.runners.score.judge import decode
from benchforge.runners.score.sandbox.inside import codec

Point = namedtuple("Point", "x y")


def travelled(value: Any) -> Any:
    return decode.value(decode.parse(codec.encode(value).encode()))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -1, 2**63 - 1, 2**63, -(2**4000), 0.1, -0.0, float("inf"), "", "é\ud800\x00", [], [1, [2, "x"]], (),
        (1, (2,)), {1, 2}, frozenset("ab"), {}, {1: [2], (3, 4): {5}}, {"!": "t", "v": [1]}, Counter("aab"), 1 + 2j, b"\x00\xff",
        bytearray(b"x"), Decimal("1.50"), Fraction(1, 3), [1, True, 1.0], ["a", None], range(3).__class__.__name__,
    ],
)  # fmt: skip
def test_a_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    back = travelled(value)
    assert back == value
    assert type(back) is type(value)


def test_bools_and_floats_inside_a_list_keep_their_types() -> None:
    assert [type(item) for item in travelled([1, True, 1.0])] == [int, bool, float]


def test_nan_comes_back_as_nan() -> None:
    assert travelled([float("nan")])[0] != travelled([float("nan")])[0]


def test_plain_subclasses_equal_their_base_but_are_not_of_its_type() -> None:
    assert travelled(Point(1, 2)) == (1, 2)
    assert type(travelled(Point(1, 2))) is not tuple
    assert travelled(OrderedDict(a=1)) == {"a": 1}


def test_keys_view_equals_a_set() -> None:
    assert travelled({1: 2, 3: 4}.keys()) == {1, 3}


class Yes:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class YesFloat(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


@pytest.mark.parametrize("value", [Yes(), YesFloat(0), object(), deque([1]), range(3), len, Yes, iter([1])])
def test_what_cannot_be_told_equals_nothing(value: Any) -> None:
    back = travelled(value)
    assert isinstance(back, decode.Opaque)
    assert back != back
    assert back != 0


def test_an_opaque_element_makes_its_list_unequal() -> None:
    assert travelled([1, YesFloat(2)]) != [1, 2.0]


def test_a_cycle_and_a_tower_are_opaque_not_an_error() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    tower: Any = 0
    for _ in range(100_000):
        tower = {0: tower}
    assert decode.has_opaque(json.loads(codec.encode(cycle)))
    assert decode.has_opaque(json.loads(codec.encode(tower)))


def test_a_shared_structure_that_unfolds_is_sent_as_a_digest() -> None:
    value: Any = []
    for _ in range(13):  # 1.6 million leaves from 13 lists
        value = [value, value, value]
    assert len(codec.encode(value)) < 200


def test_a_large_answer_travels_as_a_digest_that_tells_equal_from_different() -> None:
    large = [(index, str(index)) for index in range(codec.MAX_COST // 2)]
    same, other = [(pair[0], str(pair[1])) for pair in large], [*large[:-1], (0, "0")]
    assert len(codec.encode(large)) < 200
    assert travelled(large) == travelled(same)
    assert travelled(large) != travelled(other)


def test_iterated_answers_never_equal_a_list() -> None:
    back = travelled(codec.collect(iter([1, 2])))
    assert back != [1, 2]
    assert set(back) == {1, 2}


def test_numpy_values_keep_their_kind() -> None:
    numpy = pytest.importorskip("numpy")
    for value in (numpy.float64(0.5), numpy.int64(3), numpy.str_("x"), numpy.bool_(True), numpy.float32(0.1)):
        back = travelled(value)
        assert back == value
        assert type(back) is type(value)
    array = numpy.arange(6).reshape(2, 3)
    assert (travelled(array) == array).all()
    assert travelled(numpy.array([None, "x"], dtype=object)).tolist() == [None, "x"]
    assert travelled(numpy.array("text")).shape == ()


@pytest.mark.parametrize(
    "tree",
    [
        {"!": "eval", "v": "1"}, {"!": "t"}, {"!": "t", "v": "x"}, {"!": "t", "v": [], "w": 1}, {"!": "i", "v": "zz"},
        {"!": "i", "v": 3}, {"!": "d", "v": [[1], []]}, {"!": "d", "v": [[[]], [1]]}, {"!": "s", "v": [[1]]}, {"!": "F", "v": ["0x1", "0x0"]},
        {"!": "na", "v": ["<f8", [10**9], [1.0]]}, {"!": "na", "v": ["|V8", [1], [1]]},
        {"!": "c", "v": [1]}, {"!": "b", "v": "0"}, {"!": "D", "v": "one"}, {"!": ["t"], "v": []}, {"!": None, "v": 1},
    ],
)  # fmt: skip
def test_what_no_honest_child_writes_is_malformed(tree: Any) -> None:
    with pytest.raises(decode.Malformed):
        decode.value(tree)


def test_keys_built_to_collide_are_refused_before_a_set_is_made_of_them() -> None:
    colliding = [index * (2**61 - 1) for index in range(5_000)]
    with pytest.raises(decode.Malformed):
        decode.value({"!": "s", "v": [{"!": "i", "v": hex(item)} for item in colliding]})
    with pytest.raises(decode.Malformed):
        decode.bounded_set(colliding)
    assert decode.bounded_set(range(5_000)) == set(range(5_000))
    assert decode.bounded_set([7, "x"] * 5_000) == {7, "x"}


def test_deep_json_is_an_exception_that_the_judge_expects() -> None:
    with pytest.raises((RecursionError, decode.Malformed)):
        decode.value(decode.parse(b"[" * 200_000 + b"]" * 200_000))
