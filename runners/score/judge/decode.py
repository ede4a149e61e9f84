"""Tagged JSON from a hostile child back into values, in bounded work.

What arrives is a claim in a closed set of types (``sandbox.inside.codec`` lists them). Nothing here runs code that the
other side chose: no pickle, no eval, no import, no attribute. Three ways to make a decoder work for ever are closed:
size (the stream is capped before), depth (``json`` and we raise RecursionError, which the caller scores as fail), and
keys built to collide: ``_hashable`` refuses many elements with one hash, which would make a set quadratic.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

_MAX_SAME_HASH = 64
_NUMPY_KINDS = frozenset("biufcUSO")


class Malformed(ValueError):
    """Not what an honest child writes; an oracle that meets it says no."""


class Opaque:
    """A value that cannot be told: equal to nothing, not even itself."""

    __hash__ = None  # type: ignore[assignment]

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


class _SubStr(str): ...


class _SubList(list[Any]): ...


class _SubTuple(tuple[Any, ...]): ...


class _SubDict(dict[Any, Any]): ...


class _SubSet(set[Any]): ...


class _SubFrozenset(frozenset[Any]): ...


_SUBCLASSES: dict[type, type] = {
    int: _SubInt, float: _SubFloat, str: _SubStr, list: _SubList, tuple: _SubTuple, dict: _SubDict, set: _SubSet,
    frozenset: _SubFrozenset,
}  # fmt: skip


def parse(line: bytes) -> Any:
    """One JSON line; raises Malformed, RecursionError or MemoryError."""
    try:
        return json.loads(line)
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


def _pairs(tree: Any) -> dict[Any, Any]:
    keys, values = tree
    return dict(zip(_hashable(_items(keys)), _items(values), strict=True))


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


def _fraction(tree: Any) -> Fraction:
    numerator, denominator = tree
    return Fraction(int(_text(numerator), 16), int(_text(denominator), 16))


def _numpy_scalar(tree: Any) -> Any:
    dtype, item = tree
    return _dtype(dtype).type(_value(item))


def _numpy_array(tree: Any) -> Any:
    import numpy

    dtype, shape, items = tree
    kind = _dtype(dtype)
    flat = _items(items)
    if kind.kind == "O":
        array = numpy.empty(len(flat), dtype=object)
        array[:] = flat
    else:
        array = numpy.array(flat, dtype=kind)
    return array.reshape([int(length) for length in shape])


def _dtype(name: Any) -> Any:
    import numpy

    if len(_text(name)) > 16 or name[1:2] not in _NUMPY_KINDS:
        raise Malformed("dtype")
    # a width chosen by the other side would be allocated for every element
    return numpy.dtype(name[1:2] if name[1:2] in "USO" else name)


def _digest(tree: Any) -> Digest:
    return Digest(_text(tree))


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "t": lambda tree: tuple(_items(tree)),
    "s": lambda tree: set(_hashable(_items(tree))),
    "fs": lambda tree: frozenset(_hashable(_items(tree))),
    "d": _pairs,
    "C": _counter,
    "dk": lambda tree: dict.fromkeys(_hashable(_items(tree))).keys(),
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


def is_plain(item: Any) -> bool:
    """Only exact builtin types all the way down: may be pickled towards a child."""
    if type(item) in (list, tuple, set, frozenset):
        return all(is_plain(member) for member in item)
    if type(item) is dict:
        return all(is_plain(key) and is_plain(member) for key, member in item.items())
    return type(item) in (bool, int, float, str, bytes, bytearray, complex, type(None))
