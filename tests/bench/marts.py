"""What a whole board of statistics costs, against what the field does. CPU seconds of one process, one run.

A board is 500 models x 5 benchmarks (164, 378, 800, 800, 1,055 problems). Ours: histograms, the interval shown, the
exact bootstrap, standard errors, then every pair with tests, families, rank intervals and who could be first.
Beside it, bootstrap intervals alone: ``scipy.stats.bootstrap`` (percentile, vectorised), and loops of our own in the
shape of two harnesses: one resamples lists with ``random.choices``, one arrays with ``numpy.random.choice``, a mean
each time. They run on a few cells of each benchmark, and the loops a few hundred resamples of them, scaled to all.

Then the same in DuckDB: an Arrow function over histograms of 1.6e6 rows against ``avg`` of these rows.
Prints tables and ends with 1 where a bar is missed.

::

    python tests/bench/marts.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import duckdb
import numpy as np
from benchforge.macros import boards, intervals, noise, udfs
from benchforge.macros.bootstrap import bootstraps
from benchforge.macros.metrics import Metric
from numpy.typing import NDArray

NUM_MODELS, NUM_PROBLEMS, NUM_RESAMPLES = 500, (164, 378, 800, 800, 1055), 10_000
BARS = {(1, 1): 250, (10, 1): 250, (10, 5): 20}
UDF_BAR = 8
SEED = 11

Passes = NDArray[np.int64]


@dataclass(frozen=True)
class Board:
    """CPU seconds of one protocol: ours in its two halves, theirs scaled to the whole board."""

    num_planned: int
    k: int
    cells_seconds: float
    pairs_seconds: float
    scipy_seconds: float
    list_loop_seconds: float
    array_loop_seconds: float

    @property
    def seconds(self) -> float:
        return self.cells_seconds + self.pairs_seconds

    @property
    def speedup(self) -> float:
        return self.scipy_seconds / self.seconds


def passes_of(num_models: int, num_problems: int, num_planned: int, seed: int) -> Passes:
    """Synthetic c of every model and problem: difficulties as recorded sets have them, shape (models, problems)."""
    rng = np.random.default_rng((SEED, num_problems, num_planned, seed))
    between = rng.choice([0.85, 0.55, 0.33, 0.10], num_models)
    means, size = rng.uniform(0.05, 0.97, num_models), 1 / between - 1
    shares = rng.beta((means * size)[:, None], ((1 - means) * size)[:, None], (num_models, num_problems))
    return rng.binomial(num_planned, shares)


# ---- the two sides ----------------------------------------------------------------------------------------------


def cells_of_board(benchmarks: Sequence[Passes], num_planned: int, k: int) -> None:
    """Everything the leaderboard shows beside a score."""
    metric = Metric("@", k)
    scores = metric.lattice(num_planned)
    for passes in benchmarks:
        places = passes + np.arange(len(passes))[:, None] * (num_planned + 1)
        counts = np.bincount(places.ravel(), minlength=len(passes) * (num_planned + 1)).reshape(len(passes), -1)
        intervals.shown_intervals(scores, counts, is_one_sample=num_planned == 1)
        bootstraps(scores, counts)
        noise.standard_errors(metric, num_planned, counts)


def pairs_of_board(benchmarks: Sequence[Passes], num_planned: int, k: int) -> None:
    for passes in benchmarks:
        boards.compare_board([f"m{place:03}" for place in range(len(passes))], passes, num_planned, k)


def scipy_interval(scores: NDArray[np.float64]) -> None:
    from scipy import stats

    stats.bootstrap((scores,), np.mean, n_resamples=NUM_RESAMPLES, method="percentile", rng=np.random.default_rng(1))


def list_loop(scores: NDArray[np.float64], num_resamples: int) -> None:
    """Resample a list, average it: the shape of a harness in plain Python."""
    items, dice = scores.tolist(), random.Random(1)
    means = [sum(drawn) / len(drawn) for drawn in (dice.choices(items, k=len(items)) for _ in range(num_resamples))]
    np.std(means, ddof=1)


def array_loop(scores: NDArray[np.float64], num_resamples: int) -> None:
    """Resample an array, average it, one resample at a time."""
    dice = np.random.RandomState(1)
    np.std([np.mean(dice.choice(scores, size=len(scores), replace=True)) for _ in range(num_resamples)], ddof=1)


def cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def measured(num_planned: int, k: int, *, num_sampled: int, num_repeats: int) -> Board:
    """One protocol. ``num_sampled`` cells of each benchmark stand for all in the baselines."""
    benchmarks = [passes_of(NUM_MODELS, size, num_planned, place) for place, size in enumerate(NUM_PROBLEMS)]
    scores = Metric("@", k).lattice(num_planned).scores
    chosen = [scores[row] for passes in benchmarks for row in passes[:: NUM_MODELS // num_sampled][:num_sampled]]
    scale, few = NUM_MODELS / num_sampled, NUM_RESAMPLES // 50
    warm = [passes[:40] for passes in benchmarks]
    cells_of_board(warm, num_planned, k)
    pairs_of_board(warm, num_planned, k)
    scipy_interval(chosen[0])
    cells = min(cpu_seconds(lambda: cells_of_board(benchmarks, num_planned, k)) for _ in range(num_repeats))
    pairs = min(cpu_seconds(lambda: pairs_of_board(benchmarks, num_planned, k)) for _ in range(num_repeats))
    theirs = cpu_seconds(lambda: [scipy_interval(one) for one in chosen]) * scale
    lists = cpu_seconds(lambda: [list_loop(one, few) for one in chosen]) * scale * 50
    arrays = cpu_seconds(lambda: [array_loop(one, few) for one in chosen]) * scale * 50
    return Board(num_planned, k, cells, pairs, theirs, lists, arrays)


# ---- inside DuckDB ----------------------------------------------------------------------------------------------

ROWS = """
create table results as
select
    i // 3197 as model,
    case when j < 164 then 0 when j < 542 then 1 when j < 1342 then 2 when j < 2142 then 3 else 4 end as benchmark,
    hash(i) % 1000 < 200 + 6 * (i // 3197) / 5 as is_passed
from (select i, i % 3197 as j from range(500 * 3197) as rows(i))
"""
PLAIN = "select model, benchmark, avg(is_passed::int) as score from results group by all"
OURS = """
select model, benchmark, uncertainty_udf(counts, null, null, 1, 'pass@1', 1) as around
from (
    select model, benchmark, [count(*) - count_if(is_passed), count_if(is_passed)]::bigint[] as counts
    from results
    group by all
)
"""


def duckdb_seconds(num_repeats: int) -> tuple[float, float]:
    """CPU seconds of (plain avg, our function over histograms), 2,500 cells from 1.6e6 rows."""
    connection = duckdb.connect()
    try:
        udfs.register(connection)
        connection.execute(ROWS).fetchall()
        plain, ours = (_fastest(connection, query, num_repeats) for query in (PLAIN, OURS))
        return plain, ours
    finally:
        connection.close()


def _fastest(connection: duckdb.DuckDBPyConnection, query: str, num_repeats: int) -> float:
    return min(cpu_seconds(lambda: connection.execute(query).to_arrow_table()) for _ in range(num_repeats))


# ---- the run ----------------------------------------------------------------------------------------------------


def report(board: Board) -> bool:
    bar = BARS[board.num_planned, board.k]
    is_met = board.speedup >= bar
    print(
        f"{board.num_planned:>4} {board.k:>2} {board.cells_seconds:>9.3f} {board.pairs_seconds:>9.3f}"
        f" {board.scipy_seconds:>9.1f} {board.list_loop_seconds:>10.0f} {board.array_loop_seconds:>11.0f}"
        f" {board.speedup:>8.0f}x {board.scipy_seconds / board.cells_seconds:>8.0f}x {bar:>5}x"
        f" {'met' if is_met else 'MISSED'}"
    )
    return is_met


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer cells in the baselines")
    given = parser.parse_args(arguments)
    sampled = 2 if given.quick else 10
    print(f"500 models x 5 benchmarks, CPU seconds; baselines: {sampled} cells of each benchmark, scaled to 500")
    print("   n  k     cells     pairs     scipy  list loop  array loop    scipy/ours  /cells   bar")
    are_met = [report(measured(n, k, num_sampled=sampled, num_repeats=3)) for n, k in BARS]
    plain, ours = duckdb_seconds(5)
    print(
        f"DuckDB, 2,500 cells of 1.6e6 rows: avg {plain * 1e3:.1f} ms, all that surrounds a score {ours * 1e3:.1f} ms:"
        f" {ours / plain:.1f}x (bar {UDF_BAR}x)"
    )
    return 0 if all(are_met) and ours <= UDF_BAR * plain else 1


if __name__ == "__main__":
    sys.exit(main())
