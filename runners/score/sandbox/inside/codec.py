"""Values as tagged JSON, by exact type: the only thing that travels from a sample to the judge.

Theory of operation. This runs in the sample's process and may be replaced by it: it serves honest programs. What holds
whatever it does is on the other side (``judge.decode``): a closed set of types, no code, bounded work.

Plain JSON carries None, bool, str, float, int below 2^63 and list. Everything else is ``{"!": tag, "v": …}``:

=====  ==============================  =====  ====================================================
tag    meaning                         tag    meaning
=====  ==============================  =====  ====================================================
t      tuple                           s fs   set, frozenset
d      dict as pairs                   C      Counter as pairs
dk     dict keys view                  i      large int, hexadecimal
c      complex [real, imaginary]       b ba   bytes, bytearray, hexadecimal
D      Decimal as text                 F      Fraction [numerator, denominator]
ns     numpy scalar [dtype, value]     na     numpy array [dtype, shape, flat values]
sub    plain subclass of a builtin     it     what iterating a value gave (only where asked for)
h      digest of an answer too large   ?      opaque: anything else; equal to nothing
=====  ==============================  =====  ====================================================

A subclass that overrides ``__eq__`` or ``__ne__`` is opaque: its comparison is the sample's own word. The values are
read right after the call, so that a reused buffer or a thread cannot change them later.
"""

from __future__ import annotations

import itertools
import json
import marshal
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_COST = 1_000_000
"""Elements plus characters of one answer sent in full; at most about 16 MB of JSON. Larger ones travel as a digest."""
MAX_DEPTH = 200
MAX_ITERATED = 1_000_000
_SMALL_INT = 1 << 63
_CHUNK = 4096
_PLAIN = frozenset({bool, str, float, type(None)})
_NUMPY_KINDS = frozenset("biufcUSO")


class _TooLarge(Exception):
    pass


def encode(value: Any, *, is_digested: bool = True) -> str:
    """One line of ASCII JSON. Never raises for a value's content: what cannot be told is opaque.

    ``is_digested`` False: a value too large to send is opaque too (arguments are needed whole or not at all).
    """
    kind = type(value)
    if kind is int and -_SMALL_INT < value < _SMALL_INT:
        return int.__repr__(value)
    if kind is bool or value is None:
        return _CONSTANTS[value]
    if kind is str and len(value) < MAX_COST:
        return _quoted(value)
    if kind is float and value - value == 0:
        return float.__repr__(value)
    if (kind is list or kind is tuple) and 0 < len(value) < _FEW and _SCALARS.issuperset(map(type, value)):
        text = _plain(value)
        if text is not None:
            return text if kind is list else f'{{"!":"t","v":{text}}}'
    try:
        return _dumps(_Encoder().tree(value, 0))
    except _TooLarge:
        return _dumps(_digest(value) if is_digested else _opaque(value))
    except (RecursionError, ValueError, TypeError, AttributeError, OverflowError):
        return _dumps(_opaque(value))


def collect(value: Any) -> Any:
    """For answers whose oracle iterates them: a generator, view, range or deque becomes an ``Iterated`` list."""
    if type(value) in (list, tuple, set, frozenset, str, dict, Counter) or not hasattr(type(value), "__iter__"):
        return value
    return Iterated(list(itertools.islice(iter(value), MAX_ITERATED)))


class Iterated:
    """Marks a list that was made by iterating the answer."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items


_FEW = 1000
_SCALARS = frozenset({bool, int, float, type(None)})


def _plain(value: Any) -> str | None:
    """A short list or tuple of scalars; None where an integer is too large to be sent as it is."""
    for item in value:
        if type(item) is int and not -_SMALL_INT < item < _SMALL_INT:
            return None
    return _dumps(value)


_CONSTANTS = {True: "true", False: "false", None: "null"}
_quoted = json.encoder.encode_basestring_ascii
_compact = json.JSONEncoder(separators=(",", ":"), check_circular=False)
# what JSONEncoder.encode makes anew for every value, made once: half of the time of a small one
_make_encoder = getattr(json.encoder, "c_make_encoder", None)
_chunks = _make_encoder and _make_encoder(None, _compact.default, _quoted, None, ":", ",", False, False, True)


def _dumps(tree: Any) -> str:
    return "".join(_chunks(tree, 0)) if _chunks else _compact.encode(tree)


def _opaque(value: Any) -> dict[str, str]:
    return {"!": "?", "v": type.__dict__["__name__"].__get__(type(value))[:80]}


class _Encoder:
    """One answer's walk; ``cost`` is a pure function of the value, so equal values are sent in the same form."""

    def __init__(self) -> None:
        self.cost = 0

    def tree(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            self._spend(len(value) if kind is str else 1)
            return value
        if kind is int:
            return self._int(value)
        if depth > MAX_DEPTH:
            return _opaque(value)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            return handler(self, value, depth)
        return self._foreign(value, depth)

    def _spend(self, amount: int) -> None:
        self.cost += amount
        if self.cost > MAX_COST:
            raise _TooLarge

    def _int(self, value: int) -> Any:
        if -_SMALL_INT < value < _SMALL_INT:
            self._spend(1)
            return value
        self._spend(value.bit_length() // 4)
        return {"!": "i", "v": hex(value)}

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        values = list(values)
        self._spend(len(values))
        kinds = set(map(type, values))
        if kinds <= _PLAIN and str not in kinds:
            return values
        if kinds == {int} and max(values) < _SMALL_INT and min(values) > -_SMALL_INT:
            return values
        if kinds == {str}:
            self._spend(sum(map(len, values)))
            return values
        return [self.tree(value, depth + 1) for value in values]

    def pairs(self, values: dict[Any, Any], depth: int) -> list[Any]:
        keys = self.items(dict.keys(values), depth)
        return [keys, self.items(dict.values(values), depth)]

    def _foreign(self, value: Any, depth: int) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic | numpy.ndarray):
            return self._numpy(numpy, value, depth)
        kind = type(value)
        if _overrides_comparison(kind):
            return _opaque(value)
        for base, plain in _BASES:
            if issubclass(kind, base):
                return {"!": "sub", "v": self.tree(plain(value), depth + 1)}
        return _opaque(value)

    def _numpy(self, numpy: Any, value: Any, depth: int) -> Any:
        if value.dtype.kind not in _NUMPY_KINDS or value.dtype.str[1:] in ("f16", "c32"):
            return _opaque(value)
        if type(value) is not numpy.ndarray:
            exact = type(value).__module__ == "numpy"
            return {"!": "ns", "v": [value.dtype.str, self.tree(value.item(), depth + 1)]} if exact else _opaque(value)
        return {"!": "na", "v": [value.dtype.str, list(value.shape), self.items(value.ravel().tolist(), depth)]}


def _tagged(tag: str, read: Callable[[_Encoder, Any, int], Any]) -> Callable[[_Encoder, Any, int], Any]:
    return lambda encoder, value, depth: {"!": tag, "v": read(encoder, value, depth)}


def _text(make: Callable[[Any], str]) -> Callable[[_Encoder, Any, int], Any]:
    def read(encoder: _Encoder, value: Any, depth: int) -> str:
        text = make(value)
        encoder._spend(len(text))
        return text

    return read


_HANDLERS: dict[type, Callable[[_Encoder, Any, int], Any]] = {
    list: lambda encoder, value, depth: encoder.items(value, depth),
    tuple: _tagged("t", lambda encoder, value, depth: encoder.items(value, depth)),
    set: _tagged("s", lambda encoder, value, depth: encoder.items(value, depth)),
    frozenset: _tagged("fs", lambda encoder, value, depth: encoder.items(value, depth)),
    dict: _tagged("d", lambda encoder, value, depth: encoder.pairs(value, depth)),
    Counter: _tagged("C", lambda encoder, value, depth: encoder.pairs(value, depth)),
    type({}.keys()): _tagged("dk", lambda encoder, value, depth: encoder.items(value, depth)),
    complex: _tagged("c", lambda encoder, value, depth: [value.real, value.imag]),
    bytes: _tagged("b", _text(bytes.hex)),
    bytearray: _tagged("ba", _text(bytearray.hex)),
    Decimal: _tagged("D", _text(str)),
    Fraction: _tagged("F", lambda encoder, value, depth: [hex(value.numerator), hex(value.denominator)]),
    Iterated: _tagged("it", lambda encoder, value, depth: encoder.items(value.items, depth)),
}

_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (bool, bool),
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (list, lambda value: list(list.__iter__(value))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
)


def _overrides_comparison(kind: type) -> bool:
    for ancestor in kind.__mro__:
        if ancestor in _BUILTINS:
            return False
        if "__eq__" in ancestor.__dict__ or "__ne__" in ancestor.__dict__:
            return True
    return True


_BUILTINS = frozenset({int, float, str, list, tuple, dict, set, frozenset, OrderedDict})
"""OrderedDict compares as a dict with everything but another OrderedDict, and no expected value is one."""


def _digest(value: Any) -> dict[str, str]:
    """sha256 over marshal version 2 (no back references: equal values of exact builtin types give equal bytes).

    About 30 times faster than a walk in Python. Chunked at the top level, so memory stays bounded.
    """
    if type(value) is deque or type(value) not in (list, tuple, str, bytes, int, dict, set, frozenset):
        return _opaque(value)
    import hashlib  # not before it is needed: its libraries make every fork dearer

    hasher = hashlib.sha256(type(value).__name__.encode())
    try:
        if type(value) in (list, tuple):
            for start in range(0, len(value), _CHUNK):
                hasher.update(marshal.dumps(tuple(value[start : start + _CHUNK]), 2))
        else:
            hasher.update(marshal.dumps(value, 2))
    except ValueError:
        return _opaque(value)
    return {"!": "h", "v": hasher.hexdigest()}
