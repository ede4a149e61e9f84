"""Metrics of n samples of which c pass: pass@k, any of k passes, and pass^k, all of k pass.

A score is an integer over C(n, k), so that means, variances and resampled sums are integers until one last division.
Sources: Chen et al. 2021, arXiv 2107.03374 (pass@k); Yao et al. 2024, tau-bench (pass^k); Hoeffding 1948 (noise).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class ScoreLattice:
    """The scores a problem can have: ``values`` (U,) integers over one ``denominator``."""

    values: tuple[int, ...]
    denominator: int

    @property
    def scores(self) -> NDArray[np.float64]:
        """As doubles, each rounded once, shape (U,)."""
        return np.array([value / self.denominator for value in self.values])


@dataclass(frozen=True)
class Metric:
    """pass@k (``sign`` "@") or pass^k (``sign`` "^")."""

    sign: Literal["@", "^"]
    k: int

    @classmethod
    def parse(cls, name: str) -> Metric:
        """The metric named ``pass@5`` or ``pass^5``; ValueError for another name."""
        found = re.fullmatch(r"pass([@^])([1-9][0-9]*)", name)
        if not found:
            raise ValueError(f"{name} is not a metric: pass@k and pass^k are")
        return cls("@" if found[1] == "@" else "^", int(found[2]))

    def lattice(self, num_planned: int) -> ScoreLattice:
        """Scores of c = 0 … n over C(n,k): C(n,k) - C(n-c,k) for pass@k, C(c,k) for pass^k; ValueError where n < k."""
        total = math.comb(num_planned, self.k)
        if self.k < 1 or not total:
            raise ValueError(f"{num_planned} samples have no score at k = {self.k}")
        unlike = [math.comb(num, self.k) for num in self._unlike(num_planned)]
        return ScoreLattice(tuple(total - number if self.sign == "@" else number for number in unlike), total)

    def noise(self, num_planned: int) -> tuple[list[int], int] | None:
        """Unbiased Var(score | problem) for c = 0 … n: (integers, denominator C(n,k)^2 C(n,2k)); None unless n >= 2k.

        p = f^2 - g, f = C(m,k) / C(n,k), g = C(m,2k) / C(n,2k), with m = n-c for pass@k and m = c for pass^k.
        """
        total, pairs = math.comb(num_planned, self.k), math.comb(num_planned, 2 * self.k)
        if not pairs:
            return None
        unlike = self._unlike(num_planned)
        noise = [math.comb(m, self.k) ** 2 * pairs - math.comb(m, 2 * self.k) * total**2 for m in unlike]
        return noise, total**2 * pairs

    def _unlike(self, num_planned: int) -> range:
        """m of C(m, k) for c = 0 … n: samples that fail, or samples that pass."""
        return range(num_planned, -1, -1) if self.sign == "@" else range(num_planned + 1)


def pass_at_k(num_planned: int, num_passed: int, k: int) -> Fraction | None:
    """Unbiased pass@k of one problem: 1 - C(n-c, k) / C(n, k), exactly; None where n < k or k < 1.

    Chen et al. 2021, arXiv 2107.03374 (openai/human-eval, ``estimate_pass_at_k``); the guard for n < k is ours:
    the product form gives 1.0 there even when nothing passed. ValueError for c outside 0 … n.
    """
    return _score(Metric("@", k), num_planned, num_passed)


def pass_hat_k(num_planned: int, num_passed: int, k: int) -> Fraction | None:
    """Probability that k of k samples pass: C(c, k) / C(n, k) (Yao et al. 2024, tau-bench); None where n < k."""
    return _score(Metric("^", k), num_planned, num_passed)


def numerators(num_planned: int, k: int) -> list[int]:
    """C(n,k) - C(n-c,k) for c = 0 … n: the integer pass@k of a problem over the denominator C(n,k)."""
    return list(Metric("@", k).lattice(num_planned).values)


def mean_pass_at_k(passes: ArrayLike, num_planned: int, k: int) -> Fraction | None:
    """Mean pass@k over problems, exactly; None for no problems or n < k."""
    counts = histogram(passes, num_planned)
    if k < 1 or num_planned < k or not counts.sum():
        return None
    score = sum(int(number) * value for number, value in zip(counts, numerators(num_planned, k), strict=True))
    return Fraction(score, int(counts.sum()) * math.comb(num_planned, k))


def histogram(passes: ArrayLike, num_planned: int) -> NDArray[np.int64]:
    """Number of problems with c = 0 … n passes, shape (n + 1,); ValueError for a count outside 0 … n."""
    values = np.asarray(passes, dtype=np.int64)
    if values.size and (values.min() < 0 or values.max() > num_planned):
        raise ValueError(f"a problem passes {values.min()} to {values.max()} of {num_planned} samples")
    return np.bincount(values, minlength=num_planned + 1).astype(np.int64)


def _score(metric: Metric, num_planned: int, num_passed: int) -> Fraction | None:
    if not 0 <= num_passed <= num_planned:
        raise ValueError(f"{num_passed} of {num_planned} samples cannot pass")
    if metric.k < 1 or num_planned < metric.k:
        return None
    lattice = metric.lattice(num_planned)
    return Fraction(lattice.values[num_passed], lattice.denominator)
