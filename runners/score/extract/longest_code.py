"""The run of lines with most code in it: EvalPlus' first step, with the same answer and far fewer parses.

evalplus/evalplus@26d6d00 (``evalplus/sanitize.py``) tries every range of at least two lines; the winner is the one with
most non-blank lines among those that parse, the earliest by start and then by end where several have as many. Here
ranges are tried in the order in which they would win, and those that cannot parse are skipped: indented starts, ends
after the line at which a start is broken for good, ends inside a bracket or string that is never closed.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from itertools import accumulate

from .parsing import Budget, BudgetSpent, Parse, parse, unclosed_line

MAX_LINES = 4_000
"""Lines looked at; what follows is ignored. An honest answer of 16k tokens has about 2,000."""
MAX_CHARACTERS = 1_000_000
"""Text looked at, likewise."""
MAX_PARSED_CHARACTERS = 4_000_000
"""Text given to the parser in all (a few seconds); beyond it nothing is found."""

_ANSI = re.compile(r"\x1b(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")


def longest_code(text: str, budget: Budget | None = None) -> str:
    """The winning run of lines; the first line alone where nothing parses or the text is too tangled to search.

    Raises BudgetSpent only for a budget that is the caller's own.
    """
    lines = _ANSI.sub("", text[:MAX_CHARACTERS]).split("\n")[:MAX_LINES]
    try:
        first, last = _Search(lines, budget or Budget(MAX_PARSED_CHARACTERS)).winner()
    except BudgetSpent:
        if budget is not None:
            raise
        first, last = 0, 0
    return "\n".join(lines[first : last + 1])


class _Search:
    """Ranges (first, last) of the lines of one text, both ends included.

    A range's weight is its number of non-blank lines. For one start, all ends of one weight differ by blank lines only.
    """

    def __init__(self, lines: list[str], budget: Budget) -> None:
        self.lines, self.budget = lines, budget
        self.filled_before = [0, *accumulate(bool(line.strip()) for line in lines)]
        self.characters_before = [0, *accumulate(len(line) + 1 for line in lines)]
        self.limits: dict[int, int] = {}
        """start -> first end with which it is broken for good."""

    def winner(self) -> tuple[int, int]:
        """Best range by (largest weight, smallest start, smallest end); (0, 0) for none."""
        count = len(self.lines)
        queue = [(-self._weight(first, count - 1), first) for first in range(count - 1) if self._can_start(first)]
        heapq.heapify(queue)
        while queue and queue[0][0] < 0:
            negative, first = heapq.heappop(queue)
            last, lighter = self._try(first, -negative)
            if last is not None:
                return first, last
            heapq.heappush(queue, (-lighter, first))
        return 0, 0

    def _weight(self, first: int, last: int) -> int:
        return self.filled_before[last + 1] - self.filled_before[first]

    def _try(self, first: int, weight: int) -> tuple[int | None, int]:
        """(the end with which ``first`` parses at this weight or None, the next weight worth trying)."""
        limit = self._limit(first)
        if self._weight(first, limit - 1) < weight:
            return None, self._weight(first, limit - 1)
        shortest = bisect_left(self.filled_before, self.filled_before[first] + weight) - 1
        last = max(shortest, first + 1)
        while last < limit and self._weight(first, last) == weight:
            if self._outcome(first, last) is Parse.OK:
                return last, 0
            if not self.lines[shortest].rstrip("\r").endswith("\\"):
                break  # blank lines after it end nothing but a continued line
            last += 1
        return None, self._weight_before_unclosed(first, min(last, limit - 1), weight)

    def _weight_before_unclosed(self, first: int, last: int, weight: int) -> int:
        line = unclosed_line(self._text(first, last))
        return weight - 1 if line is None else min(weight - 1, self._weight(first, first + line - 1))

    def _limit(self, first: int) -> int:
        """First end with which ``first`` is broken for good, else the number of lines; growing steps, then halves."""
        if first not in self.limits:
            self.limits[first] = self._find_limit(first)
        return self.limits[first]

    def _find_limit(self, first: int) -> int:
        count = len(self.lines)
        alive, step = first - 1, 1
        while True:
            last = min(alive + step, count - 1)
            if self._outcome(first, last) is Parse.BROKEN:
                break
            if last == count - 1:
                return count
            alive, step = last, 2 * step
        while last - alive > 1:
            middle = (alive + last) // 2
            if self._outcome(first, middle) is Parse.BROKEN:
                last = middle
            else:
                alive = middle
        return last

    def _can_start(self, first: int) -> bool:
        """No: its first statement is indented, which never parses."""
        line = next((line for line in self.lines[first:] if line.strip()), "")
        return line[:1] not in (" ", "\t") or line.lstrip(" \t")[:1] in ("#", "\\", "\f")

    def _outcome(self, first: int, last: int) -> Parse:
        return parse(self._text(first, last))

    def _text(self, first: int, last: int) -> str:
        self.budget.spend(self.characters_before[last + 1] - self.characters_before[first])
        return "\n".join(self.lines[first : last + 1])
