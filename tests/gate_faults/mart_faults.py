"""Ways in which a file of marts, its seeds or an assembled publication go wrong, with the rule that has to name each.

A change to the file is sealed anew afterwards (``is_sealed``), as somebody would who means it: the seal alone is no
proof, so the numbers have to betray themselves. Where only the seal can tell, the fault says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchforge.runners.gate import seal
from forging import OSI, OTHER

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class MartFault:
    """``rule`` is the id of a rule of ``benchforge check``. ``seed`` changes the open file of marts."""

    name: str
    rule: str
    seed: Callable[[duckdb.DuckDBPyConnection], None]
    is_sealed: bool = True


def values(mart: str, where: str = "true", **new: str) -> Callable[[duckdb.DuckDBPyConnection], None]:
    """Columns of some rows under other values: SQL expressions by column."""
    cases = ", ".join(f"case when {where} then {value} else {name} end as {name}" for name, value in new.items())
    return _made(mart, f"select * replace ({cases}) from {mart}")


def rows(mart: str, sql: str) -> Callable[[duckdb.DuckDBPyConnection], None]:
    """A mart whose rows are those of a query."""
    return _made(mart, sql)


def _made(mart: str, sql: str) -> Callable[[duckdb.DuckDBPyConnection], None]:
    """A table without constraints takes the mart's place: whoever edits a file is not stopped by them."""

    def seed(connection: duckdb.DuckDBPyConnection) -> None:
        kind = "table" if is_table(connection, mart) else "view"
        connection.execute(f"create table changed as {sql}").fetchall()
        connection.execute(f"drop {kind} {mart}").fetchall()
        connection.execute(f"alter table changed rename to {mart}").fetchall()

    return seed


def is_table(connection: duckdb.DuckDBPyConnection, mart: str) -> bool:
    asked = "select table_type from information_schema.tables where table_schema = 'main' and table_name = ?"
    return connection.execute(asked, [mart]).fetchall() == [("BASE TABLE",)]


def spoil(path: Path, lake: Path, faults: tuple[MartFault, ...]) -> None:
    """Seed faults in a file of marts; sealed again where all of them would be."""
    import duckdb
    from benchforge.macros.udfs import register

    with duckdb.connect(str(path)) as connection:
        register(connection)
        for fault in faults:
            fault.seed(connection)
    if all(fault.is_sealed for fault in faults):
        seal.seal(path, lake)


def _unsealed(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("drop schema sealed cascade").fetchall()


_HEAD = f"model = '{OSI}' and metric = 'pass@1' and verdict = 'official' and test_set = 'plus'"

MART_FAULTS: tuple[MartFault, ...] = (
    MartFault("score raised", "leaderboard.score_is_its_fraction", values("leaderboard", _HEAD, score="score + 0.1")),
    MartFault(
        "score raised with its passes",
        "leaderboard.recounted",
        values("leaderboard", _HEAD, score="1.0", num_passed="num_samples", score_numerator="score_denominator"),
    ),
    MartFault("score NaN", "leaderboard.finite", values("leaderboard", _HEAD, score="'nan'::double")),
    MartFault("score above one", "leaderboard.stated_checks", values("leaderboard", _HEAD, score="1.5")),
    MartFault(
        "score of another type",
        "leaderboard.columns",
        rows("leaderboard", "select * replace (score::varchar as score) from leaderboard"),
    ),
    MartFault(
        "interval narrowed", "leaderboard.intervals_recomputed", values("leaderboard", _HEAD, interval_low="score")
    ),
    MartFault(
        "interval beside its score",
        "leaderboard.score_within_its_intervals",
        values("leaderboard", _HEAD, interval_low="score + 0.01", interval_high="score + 0.02"),
    ),
    MartFault(
        "number of problems changed",
        "leaderboard.recounted",
        values("leaderboard", _HEAD, num_problems="num_problems - 1"),
    ),
    MartFault("model renamed on the board", "leaderboard.recounted", values("leaderboard", _HEAD, model=f"'{OTHER}'")),
    MartFault(
        "benchmark renamed",
        "leaderboard.known_by_the_dimensions",
        values("leaderboard", "benchmark = 'humaneval'", benchmark="'humaneval_pro'"),
    ),
    MartFault(
        "row of the board lost",
        "leaderboard.every_metric",
        rows("leaderboard", f"select * from leaderboard where not ({_HEAD})"),
    ),
    MartFault(
        "cell lost from the board",
        "headline.is_of_the_leaderboard",
        rows("leaderboard", f"select * from leaderboard where not (model = '{OSI}' and test_set = 'plus')"),
    ),
    MartFault(
        "row of the board doubled",
        "leaderboard.key_is_unique",
        rows("leaderboard", f"select * from leaderboard union all select * from leaderboard where {_HEAD}"),
    ),
    MartFault("k above n", "leaderboard.recounted", values("leaderboard", _HEAD, metric="'pass@5'", k="5")),
    MartFault(
        "temperature changed on the board",
        "leaderboard.conditions_as_asked",
        values("leaderboard", _HEAD, temperature="0.8"),
    ),
    MartFault(
        "origin changed on the board", "leaderboard.recounted", values("leaderboard", _HEAD, origin="'published'")
    ),
    MartFault(
        "column lost from the board",
        "leaderboard.columns",
        rows("leaderboard", "select * exclude (num_planned) from leaderboard"),
    ),
    MartFault(
        "foreign column on the board",
        "leaderboard.columns",
        rows("leaderboard", "select *, 1 as bonus from leaderboard"),
    ),
    MartFault("headline raised", "headline.is_of_the_leaderboard", values("headline", f"model = '{OSI}'", score="1.0")),
    MartFault(
        "headline lost",
        "headline.one_for_each_model",
        rows("headline", f"select * from headline where model <> '{OSI}'"),
    ),
    MartFault(
        "rank raised",
        "fct_rank_intervals.order_of_scores",
        values("fct_rank_intervals", f"model = '{OTHER}'", rank="rank + 3"),
    ),
    MartFault(
        "ranked score changed",
        "fct_rank_intervals.score_of_the_leaderboard",
        values("fct_rank_intervals", f"model = '{OTHER}'", score="score / 2"),
    ),
    MartFault(
        "difference turned round",
        "fct_model_comparisons.difference_of_scores",
        values("fct_model_comparisons", difference="-difference - 0.01"),
    ),
    MartFault(
        "problem passed that was not",
        "fct_task_scores.recounted",
        values("fct_task_scores", f"model = '{OSI}'", num_passed="num_present"),
    ),
    MartFault(
        "failure reasons shifted",
        "fct_failure_reasons.adds_up_to_the_cell",
        values("fct_failure_reasons", f"model = '{OSI}'", num_samples="num_samples + 1"),
    ),
    MartFault(
        "refusals removed",
        "marts.as_it_was_built",
        rows("fct_refusals", "select * from fct_refusals where model <> 'lab__sampler'"),
        is_sealed=False,
    ),
    MartFault(
        "licence blanked",
        "dim_models.licence_and_osi",
        values("dim_models", f"model = '{OSI}'", hub_license="null", licence="null"),
    ),
    MartFault(
        "OSI approval flipped",
        "dim_models.as_in_the_seed",
        values("dim_models", f"model = '{OTHER}'", is_osi_approved="true"),
    ),
    MartFault(
        "model's row lost",
        "dim_models.all_of_the_seed",
        rows("dim_models", f"select * from dim_models where model <> '{OSI}'"),
    ),
    MartFault(
        "cutoff date moved",
        "dim_models.cutoff_as_in_the_seed",
        values("dim_models", f"model = '{OSI}'", cutoff_date="date '2020-01-01'"),
    ),
    MartFault(
        "benchmark's licence blanked",
        "dim_benchmarks.licence_is_stated",
        values("dim_benchmarks", "benchmark = 'forge_mini'", licence="null"),
    ),
    MartFault(
        "benchmark's row lost",
        "dim_benchmarks.all_of_the_seed",
        rows("dim_benchmarks", "select * from dim_benchmarks where benchmark <> 'forge_mini'"),
    ),
    MartFault(
        "published figure changed",
        "fct_published_agreement.figures_of_the_seed",
        values("fct_published_agreement", published="published / 2"),
    ),
    MartFault(
        "problem of the dimension lost",
        "dim_tasks.as_in_the_lake",
        rows("dim_tasks", "select * from dim_tasks where task_id <> 'HumanEval/0'"),
    ),
    MartFault(
        "answer lengths changed",
        "marts.as_it_was_built",
        values("fct_answer_lengths", num_samples="num_samples + 1"),
        is_sealed=False,
    ),
    MartFault(
        "costs changed",
        "marts.as_it_was_built",
        values("fct_generation_costs", num_samples="num_samples + 1"),
        is_sealed=False,
    ),
    MartFault("seal removed", "marts.is_sealed", _unsealed, is_sealed=False),
)
