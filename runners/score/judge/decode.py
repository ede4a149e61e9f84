"""Tagged JSON from a hostile child back into values, in bounded work.

What arrives is a claim in a closed set of types (``sandbox.inside.codec`` lists them). Nothing here runs code that the
other side chose: no pickle, no eval, no import, no attribute. Every way to make a few bytes cost much is closed:

size        the stream is capped before; of each line the brackets and commas are counted before it is parsed, since
            ``[[],[],…]`` takes forty times its length in memory; no honest line has more (``codec.MAX_COST``)
depth       ``json`` and we raise RecursionError, which the caller scores as fail
hashes      keys built to collide are refused before a set is made of them; a set that names an element twice is no set
numbers     a fraction costs a greatest common divisor: large ones equal nothing
arrays      the type is one that numpy writes itself (never one with fields or sub-arrays); items are of its kind; text
            stays a list of objects, since numpy would give every place the width of the widest; shapes spread out when
            compared: large ones equal nothing

Two equalities of Python and numpy are no equalities and are undone here. A container takes one and the same object for
equal whatever ``==`` says of it: every NaN is an object of its own. And numpy casts a Python number down to the type
beside it, so that float16's infinity equals 100001: narrow numbers are widened where that could happen.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from ..sandbox.inside.codec import MAX_COST

_MAX_SAME_HASH = 64
_SMALL_LINE_BYTES = 1 << 20
_MAX_OF: Mapping[bytes, int] = {b"{": MAX_COST + 64, b"[": 3 * MAX_COST + 64, b",": 4 * MAX_COST + 64}
"""What an answer of the codec's largest cost can hold: a value spends at least one, a dict writes three brackets."""
_MAX_FRACTION_DIGITS = 1_000
_MAX_SPREAD_ITEMS = 10_000
_DTYPE = re.compile(r"[<>|=]?(?:b1|[iu](?:1|2|4|8)|f(?:2|4|8)|c(?:8|16)|[US][0-9]{1,9}|O)")
_NARROW: Mapping[str, int] = {"e": 1 << 11, "f": 1 << 24, "F": 1 << 24}
"""Types narrower than Python's float (float16, float32, complex64): below this they tell any two integers apart."""
_ITEM_TYPES: Mapping[str, tuple[type, ...]] = {
    "b": (bool,), "i": (int,), "u": (int,), "f": (float,), "c": (complex,), "U": (str,), "S": (bytes,), "O": (object,),
}  # fmt: skip


class Malformed(ValueError):
    """Not what an honest child writes; an oracle that meets it says no."""


class Opaque:
    """A value that cannot be told: equal to nothing, not even itself."""

    __hash__ = object.__hash__  # a set may hold one

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True


class Digest:
    """An answer too large to travel: equal to the digest of an equal answer."""

    def __init__(self, hexadecimal: str) -> None:
        self.hexadecimal = hexadecimal

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and other.hexadecimal == self.hexadecimal


class IteratedList(list[Any]):
    """What iterating an answer gave; the answer itself was no list, so it equals none."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True


class _SubInt(int): ...


class _SubFloat(float): ...


class _SubComplex(complex): ...


class _SubStr(str): ...


class _SubList(list[Any]): ...


class _SubTuple(tuple[Any, ...]): ...


class _SubDict(dict[Any, Any]): ...


class _SubSet(set[Any]): ...


class _SubFrozenset(frozenset[Any]): ...


_KEYS = type({}.keys())
_SUBCLASSES: dict[type, type] = {
    int: _SubInt, float: _SubFloat, complex: _SubComplex, str: _SubStr, list: _SubList, tuple: _SubTuple,
    dict: _SubDict, set: _SubSet, frozenset: _SubFrozenset,
}  # fmt: skip


_parser = json.JSONDecoder(parse_constant=float)
"""json's own way with NaN is one object for all of them."""


def parse(line: bytes) -> Any:
    """One line of ASCII JSON; raises Malformed, RecursionError or MemoryError."""
    if len(line) > _SMALL_LINE_BYTES and any(line.count(mark) > most for mark, most in _MAX_OF.items()):
        raise Malformed("more elements than an answer may have")
    try:
        return _parser.decode(line.decode("ascii"))
    except ValueError as error:
        raise Malformed(str(error)[:80]) from error


def value(tree: Any) -> Any:
    """The value a tree stands for; raises Malformed, RecursionError or MemoryError."""
    try:
        return _value(tree)
    except Malformed:
        raise
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, InvalidOperation,
            ZeroDivisionError) as error:  # fmt: skip
        raise Malformed(type(error).__name__) from error


def has_opaque(tree: Any) -> bool:
    """Whether a tree holds an opaque value anywhere."""
    if isinstance(tree, dict):
        return tree.get("!") == "?" or has_opaque(tree.get("v"))
    return isinstance(tree, list) and any(has_opaque(item) for item in tree)


def _value(tree: Any) -> Any:
    if type(tree) is list:
        return [item if type(item) not in (list, dict) else _value(item) for item in tree]
    if type(tree) is dict:
        if set(tree) != {"!", "v"}:
            raise Malformed("tag")
        return _DECODERS[tree["!"]](tree["v"])
    return tree


def _items(tree: Any) -> list[Any]:
    if type(tree) is not list:
        raise Malformed("list expected")
    return _value(tree)


def _hashable(items: list[Any]) -> list[Any]:
    """The items, after a look at their hashes: too many different ones that share a hash are refused."""
    if len(items) > _MAX_SAME_HASH:
        counts = Counter(map(hash, items))
        crowded = {key: [] for key, count in counts.items() if count > _MAX_SAME_HASH}
        for item in items if crowded else ():
            different: list[Any] | None = crowded.get(hash(item))
            if different is not None and item not in different:
                different.append(item)
                if len(different) > _MAX_SAME_HASH:
                    raise Malformed("colliding keys")
    return items


def _set(tree: Any) -> set[Any]:
    items = _items(tree)
    found = set(_hashable(items))
    if len(found) != len(items):
        raise Malformed("an element twice")
    return found


def _pairs(tree: Any) -> dict[Any, Any]:
    keys, values = tree
    pairs = dict(zip(_hashable(_items(keys)), _items(values), strict=True))
    if len(pairs) != len(keys):
        raise Malformed("a key twice")
    return pairs


def _counter(tree: Any) -> Counter[Any]:
    counter: Counter[Any] = Counter()
    dict.update(counter, _pairs(tree))
    return counter


def _text(tree: Any) -> str:
    if type(tree) is not str:
        raise Malformed("text expected")
    return tree


def _sub(tree: Any) -> Any:
    plain = _value(tree)
    kind = _SUBCLASSES.get(type(plain))
    return plain if kind is None else kind(plain)


def _complex(tree: Any) -> complex:
    real, imaginary = tree
    return complex(float(real), float(imaginary))


def _fraction(tree: Any) -> Fraction | Opaque:
    numerator, denominator = map(_text, tree)
    if len(numerator) + len(denominator) > _MAX_FRACTION_DIGITS:
        return Opaque("Fraction")
    return Fraction(int(numerator, 16), int(denominator, 16))


def _numpy_scalar(tree: Any) -> Any:
    name, item = tree
    dtype = _dtype(name)
    if dtype.kind == "O":
        raise Malformed("no scalar")
    (value,) = _of_kind(dtype, [_value(item)])
    return _SUBCLASSES[type(value)](value) if _is_cast_down(dtype, [value]) else dtype.type(value)


def _is_cast_down(dtype: Any, items: Sequence[Any]) -> bool:
    """Whether numbers that differ from an item may equal it once numpy has made them of this type."""
    limit = _NARROW.get(dtype.char)
    return limit is not None and not all(abs(item) < limit for item in items)  # NaN is in no range


def _numpy_array(tree: Any) -> Any:
    import numpy

    name, lengths, items = tree
    dtype, shape, flat = _dtype(name), [_length(length) for length in lengths], _items(items)
    if len(shape) > 1 and (len(flat) > _MAX_SPREAD_ITEMS or max(shape) > _MAX_SPREAD_ITEMS):
        return Opaque("ndarray")
    array = numpy.empty(len(flat), dtype=object)
    for index, item in enumerate(_of_kind(dtype, flat)):
        array[index] = item
    if dtype.kind not in "OUS":
        array = array.astype(numpy.promote_types(dtype, float) if _is_cast_down(dtype, flat) else dtype)
    return array.reshape(shape)


def _length(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Malformed("shape")
    return value


def _of_kind(dtype: Any, items: list[Any]) -> list[Any]:
    """The items, each of the type that an array of this kind gives: nothing is converted here."""
    kinds = _ITEM_TYPES[dtype.kind]
    if dtype.kind != "O" and not all(type(item) in kinds for item in items):
        raise Malformed("item")
    return items


def _dtype(name: Any) -> Any:
    import numpy

    if not _DTYPE.fullmatch(_text(name)):
        raise Malformed("dtype")
    # a width chosen by the other side would be allocated for every element
    return numpy.dtype(name.lstrip("<>|=")[0] if name.lstrip("<>|=")[0] in "USO" else name)


def _digest(tree: Any) -> Digest:
    return Digest(_text(tree))


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "t": lambda tree: tuple(_items(tree)),
    "s": _set,
    "fs": lambda tree: frozenset(_set(tree)),
    "d": _pairs,
    "C": _counter,
    "dk": lambda tree: dict.fromkeys(_set(tree)).keys(),
    "i": lambda tree: int(_text(tree), 16),
    "c": _complex,
    "b": lambda tree: bytes.fromhex(_text(tree)),
    "ba": lambda tree: bytearray.fromhex(_text(tree)),
    "D": lambda tree: Decimal(_text(tree)),
    "F": _fraction,
    "ns": _numpy_scalar,
    "na": _numpy_array,
    "sub": _sub,
    "it": lambda tree: IteratedList(_items(tree)),
    "h": _digest,
    "?": lambda tree: Opaque(_text(tree)),
}


def bounded_set(items: Sequence[Any]) -> set[Any]:
    """A set of untrusted elements; raises Malformed for colliding ones, TypeError for unhashable ones."""
    return set(_hashable(list(items)))


_BASES: Mapping[type, type] = {sub: base for base, sub in _SUBCLASSES.items()}
_MADE_OF_ITEMS = frozenset((list, tuple, set, frozenset))


def for_child(item: Any) -> Any:
    """A value as it can be pickled towards a child: without our own types; raises Malformed where it cannot be told."""
    kind = _BASES.get(type(item), type(item))
    if kind in _MADE_OF_ITEMS:
        return kind(map(for_child, item))
    if kind is dict:
        return {for_child(key): for_child(member) for key, member in item.items()}
    if kind in (Opaque, Digest, IteratedList, _KEYS):
        raise Malformed("a value that cannot be told")
    return kind(item) if kind is not type(item) else item


def is_plain(item: Any) -> bool:
    """Only exact builtin types all the way down: may be pickled towards a child."""
    if type(item) in (list, tuple, set, frozenset):
        return all(is_plain(member) for member in item)
    if type(item) is dict:
        return all(is_plain(key) and is_plain(member) for key, member in item.items())
    return type(item) in (bool, int, float, str, bytes, bytearray, complex, type(None))
