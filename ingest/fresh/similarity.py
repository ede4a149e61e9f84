"""Whether a statement is known already: shared runs of three words, over those of the shorter statement.

Words are letters, folded; every run of numbers is one word, so that samples weigh little and other samples nothing.
Containment and not Jaccard: a statement that lost its samples or gained a story is the same problem. Measured on the
1,055 statements of LiveCodeBench's release 6 (556,000 pairs, ``tests/bench/statements.py``) at the threshold: 20 pairs
of two problems reach it, which share a page or are an easy and a hard form; all copies do with other numbers, another
name of the hero, no samples, or one word in twenty replaced, 99.9 % with one in ten, 32 % with one in five.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

THRESHOLD = 0.6
"""Share of the shorter statement's shingles from which two statements are one problem."""
SHINGLE_WORDS = 3
_WORD = re.compile(r"[^\W_]+")
_NUMBER = "0"
Shingle = tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """The known statement most like one that was asked about."""

    name: str
    share: float


class Known:
    """Statements by name, asked which of them a new one is. Exact: an index of shingles, nothing is sampled."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._sizes: list[int] = []
        self._holders: defaultdict[Shingle, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, statement: str) -> None:
        number = len(self._names)
        found = shingles(statement)
        self._names.append(name)
        self._sizes.append(len(found))
        for shingle in found:
            self._holders[shingle].append(number)

    def nearest(self, statement: str) -> Match | None:
        """The most similar one, the first added where several are; None where no shingle is shared."""
        found = shingles(statement)
        shared = Counter(number for shingle in found for number in self._holders.get(shingle, ()))
        shares = self._shares(shared, len(found))
        if not shares:
            return None
        best = max(shares, key=lambda number: (shares[number], -number))
        return Match(self._names[best], shares[best])

    def _shares(self, shared: Mapping[int, int], size: int) -> dict[int, float]:
        return {number: count / min(size, self._sizes[number]) for number, count in shared.items()}


def shingles(statement: str) -> frozenset[Shingle]:
    """Runs of three words; of a shorter text, the text. Empty for one without words."""
    words = _words(statement)
    last = max(1, len(words) - SHINGLE_WORDS + 1)
    return frozenset(tuple(words[start : start + SHINGLE_WORDS]) for start in range(last)) if words else frozenset()


def _words(statement: str) -> list[str]:
    words: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", statement).casefold()):
        is_number = word[0].isdigit()
        if not (is_number and words and words[-1] == _NUMBER):
            words.append(_NUMBER if is_number else word)
    return words
