"""How often the interval shown holds the truth: the grid of the design page in one run, others beside it.

A problem of a population has a chance q to be solved; its n samples pass c times, and a benchmark is N such problems.
So the histogram of c is multinomial, and a million benchmarks are drawn without drawing a problem. The truth is the
mean score of the population. n = 1 is enumerated: no sampling, no error. Prints a table and ends with 1 where a cell
leaves its band: never below .93, at most .97, at N = 80 with p = .02 or .98 at most .98 (nothing can do better there).

::

    python tests/bench/coverage.py [--quick]
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from benchforge.macros.bootstrap import bootstraps
from benchforge.macros.intervals import shown_intervals
from benchforge.macros.metrics import Metric
from numpy.typing import NDArray

MEANS = (0.02, 0.03, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.97, 0.98)
NUM_PROBLEMS = (80, 164, 378, 800, 1055)
PROTOCOLS = ((5, 1), (10, 1), (10, 5))
LEAST, MOST, MOST_AT_THE_EDGE = 0.93, 0.97, 0.98
SEED = 20_240_917
NUM_SETS, NUM_RESAMPLED = 20_000, {1: 400, 5: 100}

Floats = NDArray[np.float64]
Part = tuple[float, float, float]
"""Weight and the two parameters of a beta law; a parameter of 0 is all of its mass at that end."""


@dataclass(frozen=True)
class Covered:
    """Shares of the data sets whose interval holds the truth; the bootstrap on fewer sets."""

    name: str
    num_problems: int
    num_planned: int
    k: int
    mean: float
    shown: float
    bootstrap: float
    stderr: float
    width_ratio: float
    num_sets: int

    @property
    def band(self) -> tuple[float, float]:
        """Where coverage must lie; sampled grids get four of their standard errors unless they are long."""
        is_edge = self.num_problems == 80 and self.mean in (0.02, 0.98)
        most = MOST_AT_THE_EDGE if is_edge else MOST
        if not 0 < self.num_sets < NUM_SETS:
            return LEAST, most
        return tuple(
            bar + side * 4 * math.sqrt(bar * (1 - bar) / self.num_sets) for bar, side in ((LEAST, -1), (most, 1))
        )  # type: ignore[return-value]

    @property
    def is_inside(self) -> bool:
        return self.band[0] <= self.shown <= self.band[1]


# ---- populations ------------------------------------------------------------------------------------------------


def populations(mean: float, k: int) -> Iterator[tuple[str, list[Part]]]:
    """The shapes of difficulty seen in recorded sets, each with this mean of pass@k."""
    for share in (0.85, 0.55, 0.33, 0.10):
        yield f"beta, {share:.2f} between problems", [(1.0, *_beta(mean, k, 1 / share - 1))]
    ends = [(0.8 * mean, 1.0, 0.0), (0.8 * (1 - mean), 0.0, 1.0)]
    yield "80 % at 0 or 1", [*ends, (0.2, *_beta(mean, k, 2.0))]
    yield "point and uniform", _with_point(mean, k, [(1.0, 1.0, 1.0)])
    yield "point, uniform and rare failures", _with_point(mean, k, [(0.5, 1.0, 1.0), (0.5, 6.0, 1.0)])


def law_of_passes(parts: Sequence[Part], num_planned: int) -> Floats:
    """P(c passes of n) for c = 0 … n: a mixture of beta-binomial laws."""
    law = np.zeros(num_planned + 1)
    for weight, a, b in parts:
        if not a or not b:
            law[num_planned if a else 0] += weight
            continue
        logs = [
            math.lgamma(num_planned + 1)
            - math.lgamma(c + 1)
            - math.lgamma(num_planned - c + 1)
            + math.lgamma(a + c)
            + math.lgamma(b + num_planned - c)
            - math.lgamma(a + b + num_planned)
            + math.lgamma(a + b)
            - math.lgamma(a)
            - math.lgamma(b)
            for c in range(num_planned + 1)
        ]
        law += weight * np.exp(logs)
    return law / law.sum()


def _mean_score(a: float, b: float, k: int) -> float:
    """E(1 - (1 - q)^k) for q ~ Beta(a, b)."""
    return 1 - math.prod((b + i) / (a + b + i) for i in range(k))


def _beta(mean: float, k: int, size: float) -> tuple[float, float]:
    """The beta law with a + b = size whose mean score is ``mean``."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        is_low = _mean_score(middle * size, (1 - middle) * size, k) < mean
        low, high = (middle, high) if is_low else (low, middle)
    return low * size, (1 - low) * size


def _with_point(mean: float, k: int, rest: list[Part]) -> list[Part]:
    """The rest and as much mass at 1, or at 0, as the mean needs."""
    inner = sum(weight * _mean_score(a, b, k) for weight, a, b in rest)
    end = 1.0 if mean >= inner else 0.0
    share = (mean - inner) / (1 - inner) if end else 1 - mean / inner
    return [(share, end, 1 - end), *((weight * (1 - share), a, b) for weight, a, b in rest)]


# ---- coverage ---------------------------------------------------------------------------------------------------


def sampled(mean: float, num_planned: int, k: int, num_problems: int, num_sets: int) -> list[Covered]:
    """Coverage of every shape of difficulty at one place of the grid."""
    scores, found = Metric("@", k).lattice(num_planned), []
    for place, (name, parts) in enumerate(populations(mean, k)):
        rng = np.random.default_rng((SEED, place, num_planned, k, num_problems, round(mean * 100)))
        cells = rng.multinomial(num_problems, law_of_passes(parts, num_planned), size=num_sets)
        shown = shown_intervals(scores, cells, is_one_sample=False)
        low, high = _stderr_limits(scores.scores, cells)
        part = cells[: max(20, num_sets * NUM_RESAMPLED[k] // NUM_SETS)]
        resampled = bootstraps(scores, part)
        found.append(
            Covered(
                name, num_problems, num_planned, k, mean,
                _share(shown.low, shown.high, mean),
                _share(resampled.low, resampled.high, mean),
                _share(low, high, mean),
                float((high - low).mean() / (shown.high - shown.low).mean()),
                num_sets,
            )
        )  # fmt: skip
    return found


def enumerated(num_problems: int) -> list[Covered]:
    """n = 1: every number of passes with its probability."""
    passed = np.arange(num_problems + 1)
    cells = np.stack((num_problems - passed, passed), axis=1)
    scores = Metric("@", 1).lattice(1)
    shown, resampled = shown_intervals(scores, cells, is_one_sample=True), bootstraps(scores, cells)
    low, high = _stderr_limits(scores.scores, cells)
    logs = np.array(
        [math.lgamma(num_problems + 1) - math.lgamma(s + 1) - math.lgamma(num_problems - s + 1) for s in passed]
    )
    found = []
    for mean in MEANS:
        law = np.exp(logs + passed * math.log(mean) + (num_problems - passed) * math.log1p(-mean))
        covered = [
            float(law[(a <= mean) & (mean <= b)].sum())
            for a, b in ((shown.low, shown.high), (resampled.low, resampled.high), (low, high))
        ]
        ratio = float((law * (high - low)).sum() / (law * (shown.high - shown.low)).sum())
        found.append(Covered("exact", num_problems, 1, 1, mean, covered[0], covered[1], covered[2], ratio, 0))
    return found


def _share(low: Floats, high: Floats, mean: float) -> float:
    return float(((low <= mean + 1e-12) & (mean - 1e-12 <= high)).mean())


def _stderr_limits(scores: Floats, cells: NDArray[np.int64]) -> tuple[Floats, Floats]:
    number = cells.sum(axis=1)
    mean = cells @ scores / number
    variance = np.maximum(cells @ (scores * scores) / number - mean * mean, 0.0) * number / (number - 1)
    reach = 1.959963984540054 * np.sqrt(variance / number)
    return mean - reach, mean + reach


# ---- the run ----------------------------------------------------------------------------------------------------


def run(num_sets: int, *, num_processes: int = 1) -> list[Covered]:
    """The whole grid: 65 cells at n = 1, 1,365 with several samples."""
    found = [cell for number in NUM_PROBLEMS for cell in enumerated(number)]
    places = [(m, n, k, number, num_sets) for number in NUM_PROBLEMS for n, k in PROTOCOLS for m in MEANS]
    with ProcessPoolExecutor(num_processes) as pool:
        for cells in pool.map(_sampled, places, chunksize=4):
            found += cells
    return found


def _sampled(place: tuple[float, int, int, int, int]) -> list[Covered]:
    mean, num_planned, k, number, num_sets = place
    return sampled(mean, num_planned, k, number, num_sets)


def report(cells: Sequence[Covered]) -> None:
    """Lowest and highest coverage by n, k and N; the cells outside their band by name."""
    print("   n  k     N  cells   shown: min    max   bootstrap: min   stderr x 1.96: min   its width/shown")
    for num_planned, k in ((1, 1), *PROTOCOLS):
        for number in NUM_PROBLEMS:
            group = [
                cell for cell in cells if (cell.num_planned, cell.k, cell.num_problems) == (num_planned, k, number)
            ]
            shown = [cell.shown for cell in group]
            print(
                f"{num_planned:>4} {k:>2} {number:>5} {len(group):>6} {min(shown):>12.3f} {max(shown):>6.3f}"
                f" {min(cell.bootstrap for cell in group):>16.3f} {min(cell.stderr for cell in group):>20.3f}"
                f" {sum(cell.width_ratio for cell in group) / len(group):>17.2f}"
            )
    outside = [cell for cell in cells if not cell.is_inside]
    print(f"{len(cells) - len(outside)} of {len(cells)} cells inside their band")
    for cell in outside:
        place = f"n={cell.num_planned} k={cell.k} N={cell.num_problems} p={cell.mean}"
        print(f"outside: {place} {cell.name}: {cell.shown:.4f}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a tenth of the data sets, and their error in the bands")
    given = parser.parse_args(arguments)
    num_sets = NUM_SETS // 10 if given.quick else NUM_SETS
    print(f"coverage of nominal 95 % intervals; {num_sets} data sets a cell, seed {SEED}; n = 1 exact")
    cells = run(num_sets, num_processes=os.cpu_count() or 1)
    report(cells)
    return 0 if all(cell.is_inside for cell in cells) else 1


if __name__ == "__main__":
    sys.exit(main())
