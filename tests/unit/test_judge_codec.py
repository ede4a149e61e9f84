# ruff: noqa: E501 - tables of values
"""What leaves a child and what the judge makes of it."""

from __future__ import annotations

import json
import pickle
from collections import Counter, OrderedDict, deque, namedtuple
from collections.abc import Callable
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


@pytest.mark.parametrize(
    "make",
    [
        lambda nan: [nan], lambda nan: (nan,), lambda nan: {"a": nan}, lambda nan: [[nan]], lambda nan: [1.0, nan], lambda nan: {nan},
        lambda nan: {nan: 1}, lambda nan: [complex(nan, 0)], lambda nan: [complex(0, nan)], lambda nan: [Decimal("nan")],
    ],
)  # fmt: skip
def test_no_container_takes_two_nans_for_one_object(make: Callable[[float], Any]) -> None:
    assert travelled(make(float("nan"))) != travelled(make(float("nan")))
    assert len({id(item) for item in travelled([float("nan")] * 5)}) == 5


def test_no_container_takes_two_nans_of_numpy_for_one_object() -> None:
    numpy = pytest.importorskip("numpy")
    for kind in (numpy.float64, numpy.float16, numpy.float32, numpy.complex64, numpy.complex128):
        assert travelled([kind("nan")]) != travelled([kind("nan")])
        assert not (travelled(numpy.array([numpy.nan], kind)) == travelled(numpy.array([numpy.nan], kind))).any()


@pytest.mark.parametrize("kind", ["float16", "float32", "complex64"])
def test_a_number_is_not_cast_down_to_the_narrow_one_beside_it(kind: str) -> None:
    numpy = pytest.importorskip("numpy")
    limit = 1 << (11 if kind == "float16" else 24)
    for number, other in ((numpy.inf, 10**5 + 1), (numpy.inf, 10**40), (-numpy.inf, -(10**40)), (limit, limit + 1)):
        if kind == "complex64" and abs(number) == numpy.inf:
            number = complex(number, 0)
        scalar = travelled(numpy.dtype(kind).type(number))
        assert scalar != other
        assert [scalar, [scalar]] != [other, [other]]
        assert scalar == number
        assert type(scalar) not in (int, float, complex)
        for shape in ((), (1,), (1, 1)):
            array = travelled(numpy.full(shape, number, kind))
            assert not (array == other).any()
            assert (array == number).all()


def test_small_narrow_numbers_are_compared_as_numpy_does() -> None:
    numpy = pytest.importorskip("numpy")
    assert travelled(numpy.float16(0.1)) == 0.1
    assert travelled(numpy.float32(2047)) == 2047 != travelled(numpy.float32(2048))
    assert type(travelled(numpy.float32(0.1))) is numpy.float32
    assert travelled(numpy.array([0.1, 3], "float16")).dtype == "float16"


def test_what_is_wider_than_a_float_is_opaque_or_refused() -> None:
    numpy = pytest.importorskip("numpy")
    for value in (
        numpy.longdouble("inf"),
        numpy.clongdouble(1),
        numpy.array([1], numpy.longdouble),
        numpy.datetime64(1, "s"),
    ):
        assert isinstance(travelled(value), decode.Opaque)
    for name in ("<f16", "<c32", "<f12", "<i16", "<b2", "<f1"):
        with pytest.raises(decode.Malformed):
            decode.value({"!": "ns", "v": [name, 1.0]})


def test_values_go_back_to_a_child_without_our_own_types() -> None:
    class Name(str): ...

    value = [Point(Name("a"), {Name("b"): frozenset([Name("c")])}), Counter("aa"), OrderedDict(a=(1, Name("d")))]
    back = decode.for_child(travelled(value))
    assert back == value
    assert pickle.dumps(back).count(b"decode") == 0
    for opaque in (object(), {1: 2}.keys(), list(range(codec.MAX_COST + 1))):
        with pytest.raises(decode.Malformed):
            decode.for_child(((travelled([opaque] if type(opaque) is object else opaque),), {}))


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
    assert (travelled(numpy.array(["a", "bc"])) == ["a", "bc"]).all()
    assert (travelled(numpy.array([b"a", b"bc"])) == [b"a", b"bc"]).all()


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
