"""Boards of which only totals are public: what a percentage can and cannot say when the number of problems is known.

A printed percentage of n problems is that of a whole number of passes, or it is none of n problems: with one decimal
and n = 164 five of six values are impossible. Which problems passed is not public, so the paired test of two models is
not known. Two tests are: as if independent, which is cautious where models tend to solve the same problems, and as if
every problem that the worse model solves is solved by the better one, too (the fewest discordant problems that the
totals allow, McNemar's mid-p): no pairing can show more.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .neighbours import Z95


@dataclass(frozen=True)
class TotalsBoard:
    """A column of a published table. ``num_problems`` are all sizes that its benchmark had; the first is today's."""

    key: str
    title: str
    file: str
    column: str
    num_problems: tuple[int, ...]
    decimals: int = 1


_EVALPLUS, _FULL, _HARD = (
    f"leaderboards/{name}.json.gz" for name in ("evalplus", "bigcodebench_full", "bigcodebench_hard")
)
BOARDS = (
    TotalsBoard("evalplus_humaneval", "EvalPlus: HumanEval", _EVALPLUS, "humaneval", (164,)),
    TotalsBoard("evalplus_humaneval_plus", "EvalPlus: HumanEval+", _EVALPLUS, "humaneval+", (164,)),
    TotalsBoard("evalplus_mbpp", "EvalPlus: MBPP", _EVALPLUS, "mbpp", (378, 399)),
    TotalsBoard("evalplus_mbpp_plus", "EvalPlus: MBPP+", _EVALPLUS, "mbpp+", (378, 399)),
    TotalsBoard("bigcodebench_full_complete", "BigCodeBench-Complete, full", _FULL, "complete", (1140,)),
    TotalsBoard("bigcodebench_full_instruct", "BigCodeBench-Instruct, full", _FULL, "instruct", (1140,)),
    TotalsBoard("bigcodebench_hard_complete", "BigCodeBench-Complete, hard", _HARD, "complete", (148,)),
    TotalsBoard("bigcodebench_hard_instruct", "BigCodeBench-Instruct, hard", _HARD, "instruct", (148,)),
)


@dataclass(frozen=True)
class Total:
    """One row, best first; ``num_problems`` is the size that gives the percentage, None where no size does."""

    name: str
    published: float
    num_problems: int | None
    low: float
    high: float
    rank: int
    rank_low: int
    rank_high: int
    is_told_before: bool | None
    is_told_after: bool | None
    is_told_at_best: bool | None


def totals(directory: Path, board: TotalsBoard) -> list[Total]:
    """Rows of a board. Scores of 0 to 100; limits in percent."""
    published = sorted(_published(directory / board.file, board.column), key=lambda row: (-row[1], row[0]))
    shares = [score / 100 for _, score in published]
    size = board.num_problems[0]
    ranks = _rank_limits(shares, size)
    rows = []
    for place, (name, score) in enumerate(published):
        known = next((n for n in board.num_problems if is_possible(score, n, board.decimals)), None)
        low, high = _wilson(score / 100, known or size)
        told = (
            _told(shares[place], shares[place + 1], size, len(published)) if place + 1 < len(published) else (None,) * 3
        )
        rows.append(
            Total(name, score, known, low, high, 1 + sum(one > shares[place] for one in shares), *ranks[place], *told)
        )
    return rows


def _published(path: Path, column: str) -> Iterator[tuple[str, float]]:
    table: Mapping[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    for name, row in table.items():
        score = row["pass@1"].get(column)
        if score is not None:
            yield name, float(score)


def is_possible(percent: float, num_problems: int, decimals: int) -> bool:
    """Whether some whole number of passes gives this percentage, rounded either way in the last decimal."""
    reach = 0.5 * 10**-decimals + 1e-9
    passed = round(percent * num_problems / 100)
    return any(abs(100 * near / num_problems - percent) <= reach for near in (passed - 1, passed, passed + 1))


def share_possible(num_problems: int, decimals: int) -> float:
    """Of the percentages from 0 to 100 with these decimals, the share that n problems can give."""
    steps = 100 * 10**decimals
    return sum(is_possible(step / 10**decimals, num_problems, decimals) for step in range(steps + 1)) / (steps + 1)


def _wilson(share: float, number: int) -> tuple[float, float]:
    from ....macros.intervals import wilson

    low, high = wilson(share * number, number)
    return 100 * float(low), 100 * float(high)


def _statistic(one: float, other: float, number: int) -> float:
    variance = (one * (1 - one) + other * (1 - other)) / number
    return abs(one - other) / math.sqrt(variance) if variance else 0.0


def _told(one: float, other: float, number: int, num_models: int) -> tuple[bool, bool, bool]:
    """Told from the next: as if independent, the same after correction, and at the most favourable pairing."""
    from ....macros.families import tukey_constant
    from ....macros.paired import mcnemar_mid_p

    statistic = _statistic(one, other, number)
    apart = round(abs(one - other) * number)
    at_best = float(mcnemar_mid_p([apart], [0])[0]) < 0.05
    return statistic > Z95, statistic > tukey_constant(num_models), at_best


def _rank_limits(shares: Sequence[float], number: int) -> list[tuple[int, int]]:
    """Simultaneous 95 % rank limits from all pairs, as if independent."""
    from ....macros.families import tukey_constant

    constant = tukey_constant(len(shares))
    limits = []
    for own in shares:
        apart = [other for other in shares if _statistic(own, other, number) > constant]
        better = sum(other > own for other in apart)
        limits.append((1 + better, len(shares) - (len(apart) - better)))
    return limits
