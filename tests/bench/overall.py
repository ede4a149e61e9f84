"""Does the interval of an overall score hold the truth as often as it says? By simulation.

::

    python tests/bench/overall.py [--sets 1000] [--seed 1]

Prints a table and ends with 1 where coverage leaves .93-.98 by more than three standard errors of the simulation.
Score +- 1.96 standard errors stands beside, as what is usually done.

Truth: a problem's chance to be passed is beta distributed with the mean of its cell; ``rho`` of the variance of one
sample lies between problems. Cells over the same source problems share .36 of the variance of their normal scores.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from benchforge.macros.estimators import Z95
from benchforge.macros.overall import Cell, Overall, overall
from scipy.stats import beta, norm

MEANS = (0.02, 0.1, 0.5, 0.9, 0.98)
SAMPLES_AND_RHO = ((1, 0.85), (10, 0.85), (10, 0.33))
BAND = (0.93, 0.98)


@dataclass(frozen=True)
class Design:
    """Cells: number of problems, weight, and the set of source problems they are made from."""

    name: str
    cells: tuple[tuple[int, int, str], ...]


DESIGNS = (
    Design("default", ((164, 2, "h"), (378, 2, "m"), (800, 1, "c"), (800, 1, "c"), (1055, 2, "l"))),
    Design("two cells of the same 80", ((80, 1, "a"), (80, 1, "a"))),
)


def simulated(design: Design, mean: float, n: int, rho: float, random: np.random.Generator) -> Overall:
    """One model: its passes drawn, its overall score."""
    scale, shared, cells = 1 / rho - 1, {}, []
    for number, weight, source in design.cells:
        if source not in shared:
            shared[source] = random.standard_normal(number)
        level = norm.cdf(0.6 * shared[source] + 0.8 * random.standard_normal(number))
        chance = beta.ppf(level, mean * scale, (1 - mean) * scale)
        passes = random.binomial(n, chance).tolist()
        cells.append(Cell(weight, n, passes, [f"{source}{place}" for place in range(number)]))
    return overall(cells)


def coverage(design: Design, mean: float, n: int, rho: float, num_sets: int, seed: int) -> tuple[float, float]:
    """Shares of data sets whose interval holds the truth: the one shown, and score +- 1.96 standard errors."""
    random = np.random.default_rng([seed, n, round(100 * rho), round(100 * mean)])
    shown = usual = 0
    for _ in range(num_sets):
        found = simulated(design, mean, n, rho, random)
        shown += found.low <= mean <= found.high
        usual += abs(found.score - mean) <= Z95 * (found.standard_error or 0.0)
    return shown / num_sets, usual / num_sets


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where the interval shown leaves the band."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    slack = 3 * math.sqrt(0.05 * 0.95 / options.sets)
    is_good = True
    print(f"{'cells':26s}{'n':>4s}{'rho':>6s}{'mean':>6s}{'shown':>8s}{'+- 1.96 se':>12s}")
    for design, (n, rho), mean in itertools.product(DESIGNS, SAMPLES_AND_RHO, MEANS):
        shown, usual = coverage(design, mean, n, rho, options.sets, options.seed)
        is_good &= BAND[0] - slack <= shown <= BAND[1] + slack
        print(f"{design.name:26s}{n:4d}{rho:6.2f}{mean:6.2f}{shown:8.3f}{usual:12.3f}", flush=True)
    print("\nevery bar holds" if is_good else "\na bar is missed")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
