"""Are ranks, tests and intervals of a board right as often as they say? By simulation, and how long a board takes.

::

    python tests/bench/ranks.py [--boards 2000] [--seed 1]

Prints tables and ends with 1 where a bar is missed. Naive bootstrap ranks, Holm against the best and, where problems
come in contests, ranks that ignore them stand beside, as what is usually done.

Truth: with probability .6 a problem is all-or-nothing, model j passing iff V_ij < mu_j, where V_ij is shared by all
models for half of these problems and its own for the rest; else a sample passes with probability U_i^(1/mu_j - 1).
U, V uniform, so the mean is mu_j exactly; about .7 of the variance of one sample lies between problems, and a pair's
difference has a variance of .14 between problems and .14 of sampling, as on recorded sets.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from benchforge.macros import boards, families, paired, planning, ranks, sign_flips
from numpy.typing import NDArray

Passes = NDArray[np.int64]
NUM_MODELS, SHARE_ALL_OR_NOTHING, SHARE_SHARED = 20, 0.6, 0.5
NAIVE_BOARDS, NAIVE_RESAMPLES = 200, 499


@dataclass(frozen=True)
class Case:
    """One kind of board: true means of its models, and the least share of boards with every rank right."""

    name: str
    means: tuple[float, ...]
    num_problems: int
    num_planned: int
    bar: float
    num_contests: int = 0


def _steps(gap: float) -> tuple[float, ...]:
    return tuple(0.65 - gap * place for place in range(NUM_MODELS))


TIES = (0.6,) * NUM_MODELS
CASES = (
    Case(".5 points apart", _steps(0.005), 164, 1, 0.99),
    Case(".5 points apart", _steps(0.005), 1055, 1, 0.99),
    Case(".5 points apart", _steps(0.005), 378, 10, 0.99),
    Case("exact ties", TIES, 80, 1, 0.94),
    Case("exact ties", TIES, 164, 1, 0.94),
    Case("exact ties", TIES, 1055, 1, 0.94),
    Case("exact ties", TIES, 164, 10, 0.94),
    Case("exact ties at .95", (0.95,) * NUM_MODELS, 164, 1, 0.94),
    Case("a leader by 15 points", (0.75, *(0.6,) * (NUM_MODELS - 1)), 164, 1, 0.94),
    Case("ties, 20 contests", TIES, 80, 1, 0.94, 20),
    Case("ties, 41 contests", TIES, 164, 1, 0.94, 41),
    Case("ties, 264 contests", TIES, 1056, 1, 0.94, 264),
)


@dataclass
class Found:
    """How often every rank interval of a board was right, and how wide they were."""

    num_right: int = 0
    num_right_alone: int = 0
    num_naive_right: int = 0
    num_first_right: int = 0
    num_boards: int = 0
    num_naive: int = 0
    width: float = 0.0
    size_first: float = 0.0
    size_rank_one: float = 0.0


def drawn(
    rng: np.random.Generator, means: Sequence[float], num_problems: int, num_planned: int, num_contests: int = 0
) -> Passes:
    """Passes (M, N) of models with these true means; with contests, a model's own luck is one for each of them."""
    mean = np.asarray(means)[:, None]
    chance = rng.random(num_problems) ** (1 / mean - 1)
    shared, own = rng.random(num_problems), rng.random((len(means), num_contests or num_problems))
    own = np.repeat(own, num_problems // own.shape[1], axis=1)
    threshold = np.where(rng.random(num_problems) < SHARE_SHARED, shared, own)
    chance = np.where(rng.random(num_problems) < SHARE_ALL_OR_NOTHING, threshold < mean, chance)
    return rng.binomial(num_planned, chance)


def ranks_of(case: Case, num_boards: int, seed: int, *, num_naive: int = NAIVE_BOARDS) -> Found:
    """Simulate boards of one kind."""
    rng, found = np.random.default_rng(seed), Found()
    means = np.array(case.means)
    first, last = _true_ranks(means)
    for number in range(num_boards):
        passes = drawn(rng, case.means, case.num_problems, case.num_planned, case.num_contests)
        made = ranks.ranks(ranks.pairwise(_sums(passes, case.num_contests)))
        if case.num_contests:
            alone = ranks.ranks(ranks.pairwise(passes))
            found.num_right_alone += bool(np.all(alone.low <= first) and np.all(alone.high >= last))
        found.num_boards += 1
        found.num_right += bool(np.all(made.low <= first) and np.all(made.high >= last))
        found.num_first_right += bool(np.all(made.could_be_first[means == means.max()]))
        found.width += float(np.mean(made.high - made.low + 1))
        found.size_first += int(made.could_be_first.sum())
        found.size_rank_one += int((made.low == 1).sum())
        if number < num_naive:
            low, high = _naive(rng, passes)
            found.num_naive += 1
            found.num_naive_right += bool(np.all(low <= first) and np.all(high >= last))
    return found


def _sums(passes: Passes, num_contests: int) -> Passes:
    return passes.reshape(len(passes), num_contests, -1).sum(axis=2) if num_contests else passes


def _true_ranks(means: NDArray[np.float64]) -> tuple[Passes, Passes]:
    """First and last place that a model shares with those that are truly equal."""
    first = 1 + (means[None, :] > means[:, None]).sum(axis=1)
    return first, len(means) - (means[None, :] < means[:, None]).sum(axis=1)


def _naive(rng: np.random.Generator, passes: Passes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """2.5 and 97.5 % quantile of ranks over resampled problems, ties broken by place."""
    number = passes.shape[1]
    weights = rng.multinomial(number, np.full(number, 1 / number), NAIVE_RESAMPLES).astype(np.float64)
    order = np.argsort(-(weights @ passes.T), axis=1, kind="stable")
    places = np.argsort(order, axis=1) + 1
    low, high = np.quantile(places, [0.025, 0.975], axis=0)
    return low, high


def print_ranks(num_boards: int, seed: int) -> bool:
    """The table of rank intervals; whether every bar holds."""
    print(f"\nrank intervals, boards of {NUM_MODELS} models, {num_boards} boards ({NAIVE_BOARDS} for naive)")
    print(f"{'boards':<24}{'N':>6}{'n':>4}{'all right':>11}{'bar':>6}{'naive':>7}{'width':>7}"
          f"{'first right':>13}{'size':>6}{'rank_low=1':>12}{'by problem':>12}")  # fmt: skip
    is_good = True
    for case in CASES:
        found = ranks_of(case, num_boards, seed)
        share = found.num_right / found.num_boards
        is_good &= share >= case.bar and found.num_first_right / found.num_boards >= 0.94
        print(f"{case.name:<24}{case.num_problems:>6}{case.num_planned:>4}{share:>11.3f}{case.bar:>6.2f}"
              f"{found.num_naive_right / found.num_naive:>7.3f}{found.width / found.num_boards:>7.1f}"
              f"{found.num_first_right / found.num_boards:>13.3f}{found.size_first / found.num_boards:>6.1f}"
              f"{found.size_rank_one / found.num_boards:>12.1f}"
              f"{f'{found.num_right_alone / found.num_boards:.3f}' if case.num_contests else '':>12}",
              flush=True)  # fmt: skip
    return is_good


# ---- tests and families ---------------------------------------------------------------------------------------------


def type_one_error(num_pairs: int, num_problems: int, num_planned: int, mean: float, seed: int) -> float:
    """Share of pairs of equal models whose p is at most .05."""
    rng = np.random.default_rng(seed)
    gaps = np.array([np.subtract(*drawn(rng, (mean, mean), num_problems, num_planned)) for _ in range(num_pairs)])
    if num_planned == 1:
        p = paired.mcnemar_mid_p((gaps > 0).sum(axis=1), (gaps < 0).sum(axis=1))
    else:
        p, _ = sign_flips.flip_p_values(np.abs(gaps), gaps.sum(axis=1))
    return float(np.mean(p <= 0.05))


def coverage(num_pairs: int, num_problems: int, num_planned: int, means: tuple[float, float], seed: int) -> float:
    """Share of pairs whose interval holds the true difference."""
    rng, hits = np.random.default_rng(seed), 0
    for _ in range(num_pairs):
        board = boards.compare_board(["a", "b"], drawn(rng, means, num_problems, num_planned), num_planned, 1)
        sign = 1 if board.pairs.first[0] == 0 else -1
        hits += bool(board.pairs.low[0] <= sign * (means[0] - means[1]) <= board.pairs.high[0])
    return hits / num_pairs


def false_leaders(num_boards: int, num_problems: int, num_planned: int, seed: int) -> tuple[float, float, float]:
    """Share of boards of equal models with a false claim: against the best, the same by Holm, adjacent ranks."""
    rng, claims = np.random.default_rng(seed), np.zeros(3)
    for _ in range(num_boards):
        passes = drawn(rng, TIES, num_problems, num_planned)
        pairs = boards.compare_board([f"{place:02d}" for place in range(NUM_MODELS)], passes, num_planned, 1).pairs
        is_best = ~np.isnan(pairs.p_best)
        claims += (
            np.any(pairs.p_best[is_best] <= 0.05),
            np.any(families.holm(pairs.p[is_best]) <= 0.05),
            np.any(pairs.p_adjacent[~np.isnan(pairs.p_adjacent)] <= 0.05),
        )
    best, holm, adjacent = (claims / num_boards).tolist()
    return best, holm, adjacent


def print_tests(num_pairs: int, seed: int) -> bool:
    """Type I errors, coverage of paired intervals, false leaders; whether every bar holds."""
    is_good = True
    print(f"\ntype I error at .05 (bar .06) and coverage of the paired interval (bar .93), {num_pairs} pairs")
    print(f"{'N':>6}{'n':>4}{'p':>6}{'type I':>9}{'coverage, 0':>13}{'coverage, 5 points':>20}")
    for num_problems in (80, 164, 1055):
        for num_planned, mean in itertools.product((1, 10), (0.6, 0.9, 0.98)):
            error = type_one_error(num_pairs, num_problems, num_planned, mean, seed)
            covered = [
                coverage(num_pairs, num_problems, num_planned, (mean, mean - gap), seed + 1) for gap in (0.0, 0.05)
            ]
            is_good &= error <= 0.06 and min(covered) >= 0.93
            print(f"{num_problems:>6}{num_planned:>4}{mean:>6.2f}{error:>9.3f}{covered[0]:>13.3f}{covered[1]:>20.3f}",
                  flush=True)  # fmt: skip
    num_boards = max(num_pairs // 2, 1)
    print(f"\nfalse claims on {num_boards} boards of {NUM_MODELS} equal models (bar .06)")
    print(f"{'N':>6}{'n':>4}{'against best':>14}{'Holm instead':>14}{'adjacent':>10}")
    for num_problems, num_planned in ((164, 1), (164, 10), (1055, 1)):
        best, holm, adjacent = false_leaders(num_boards, num_problems, num_planned, seed)
        is_good &= max(best, adjacent) <= 0.06
        print(f"{num_problems:>6}{num_planned:>4}{best:>14.3f}{holm:>14.3f}{adjacent:>10.3f}", flush=True)
    return is_good


def power_at_gap(num_pairs: int, num_problems: int, num_planned: int, seed: int) -> float:
    """Share of pairs, apart by the gap that the planning curve gives, that the test calls different."""
    means = (0.6, 0.6)
    many = boards.compare_board(["a", "b"], drawn(np.random.default_rng(seed), means, 200_000, 10), 10, 1)
    gap = planning.gap(num_problems, num_planned, many.v_data, many.v_prediction)
    assert gap is not None
    rng, hits = np.random.default_rng(seed), 0
    for _ in range(num_pairs):
        moments = ranks.pairwise(drawn(rng, (0.6 + gap / 2, 0.6 - gap / 2), num_problems, num_planned))
        hits += float(moments.squared_statistics[0, 1]) > families.tukey_constant(2) ** 2
    return hits / num_pairs


# ---- time -----------------------------------------------------------------------------------------------------------


def _seconds(call: Callable[[], object]) -> float:
    """Least processor time of three calls."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def print_times(seed: int, num_models: int = 500) -> None:
    """Processor time of the parts of one large board, against one matrix product of the same passes."""
    print(f"\nprocessor ms of a board of {num_models} models (product: one float64 X X^T of the same passes;")
    print("tests: McNemar's for all pairs where n = 1, flips of 499 pairs where n = 10)")
    print(
        f"{'N':>6}{'n':>4}{'k':>4}{'product':>9}{'moments':>9}{'ranks':>7}{'first':>7}{'tests':>7}{'whole board':>13}"
    )
    names = [f"{place:03d}" for place in range(num_models)]
    for num_problems, num_planned, k in ((164, 1, 1), (1055, 1, 1), (164, 10, 1), (1055, 10, 1), (1055, 10, 5)):
        means = np.linspace(0.2, 0.9, num_models).tolist()
        passes = drawn(np.random.default_rng(seed), means, num_problems, num_planned)
        wide, moments = passes.astype(np.float64), ranks.pairwise(passes)
        calls = (
            lambda wide=wide: wide @ wide.T,
            partial(ranks.pairwise, passes),
            partial(ranks.is_better, moments),
            partial(ranks.could_be_first, moments),
            partial(_tested, passes, moments, num_planned),
            partial(boards.compare_board, names, passes, num_planned, k),
        )
        times = [1000 * _seconds(call) for call in calls]
        print(f"{num_problems:>6}{num_planned:>4}{k:>4}{times[0]:>9.1f}{times[1]:>9.1f}{times[2]:>7.1f}{times[3]:>7.1f}"
              f"{times[4]:>7.1f}{times[5]:>13.0f}", flush=True)  # fmt: skip


def _tested(passes: Passes, moments: ranks.Pairwise, num_planned: int) -> None:
    """The exact test of all pairs where n = 1, else of each model's pair with the next."""
    if num_planned == 1:
        upper = np.triu_indices(len(passes), 1)
        only_first = (moments.squares[upper] + moments.differences[upper]) // 2
        paired.mcnemar_mid_p(only_first, only_first - moments.differences[upper])
    else:
        gaps = passes[1:] - passes[:-1]
        sign_flips.flip_p_values(np.abs(gaps), gaps.sum(axis=1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    is_good = print_ranks(options.boards, options.seed)
    is_good &= print_tests(options.boards, options.seed)
    shares = [power_at_gap(options.boards, *size, options.seed) for size in ((164, 1), (1055, 1), (164, 10))]
    print("\npower at the gap of the planning curve (made for .8):", " ".join(f"{share:.3f}" for share in shares))
    print_times(options.seed)
    print("\nevery bar holds" if is_good else "\na bar is missed")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
