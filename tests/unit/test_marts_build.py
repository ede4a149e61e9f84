"""A small lake through the whole dbt project: the numbers, the refusals, and the same bytes however it lies on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import golden_marts
import made_lake
import pyarrow.parquet as pq
import pytest
from benchforge.macros import estimators
from benchforge.runners import aggregate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marts")


@pytest.fixture(scope="module")
def built(folder: Path) -> aggregate.Built:
    return aggregate.build(
        made_lake.write(folder / "lake", made_lake.all_rows()), folder / "one" / "benchforge.duckdb", num_threads=4
    )


@pytest.fixture(scope="module")
def connection(built: aggregate.Built) -> Iterator[duckdb.DuckDBPyConnection]:
    with aggregate.opened(built.path) as opened:
        yield opened


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = connection.execute(query).fetchall()
    assert len(found) == 1, found
    return found[0]


# ---- numbers ----------------------------------------------------------------------------------------------------


def test_scores_and_limits_are_those_of_the_estimators(connection: duckdb.DuckDBPyConnection) -> None:
    for plan in made_lake.PLANS[:5]:
        passes = [plan.passes(i) for i in range(made_lake.NUM_TASKS)]
        for k in (k for k in (1, 5, 10) if k <= plan.num_planned):
            found = _one(
                connection,
                "select score, bootstrap_low, bootstrap_high, interval_low, interval_high, interval_method"
                f" from leaderboard where model = '{plan.name}' and metric = 'pass@{k}' and verdict = 'official'",
            )
            mean = estimators.mean_pass_at_k(passes, plan.num_planned, k)
            shown = estimators.interval(passes, plan.num_planned, k)
            resampled = estimators.bootstrap(passes, plan.num_planned, k)
            assert mean is not None and shown is not None and resampled is not None
            assert found[0] == pytest.approx(float(mean), abs=1e-15)
            assert found[1:3] == (resampled.low, resampled.high)
            assert found[3:] == (shown.low, shown.high, shown.method)


def test_recorded_means_have_a_score_and_limits_of_their_clusters(connection: duckdb.DuckDBPyConnection) -> None:
    rows = made_lake.mean_rows()
    scores, sources = [row["mean"] for row in rows], [row["source_problem"] for row in rows]
    query = "select score, interval_low, interval_high, interval_method, num_clusters from fct_problem_means"
    score, *shown, num_clusters = _one(connection, query)
    expected = estimators.interval_of_means(scores, sources)
    assert expected is not None and shown == [expected.low, expected.high, "el_half_clustered"]
    assert score == pytest.approx(sum(scores) / made_lake.NUM_TASKS, abs=1e-12) and num_clusters == 55
    assert _one(connection, "select count(*) from leaderboard where model = 'made__mean'") == (0,)


def test_refused_cells_have_no_number_and_their_reason(connection: duckdb.DuckDBPyConnection) -> None:
    reasons = dict(
        connection.execute(
            "select model, list(distinct reason order by reason) from fct_refusals where metric = 'all' group by model"
        ).fetchall()
    )
    assert reasons == {
        "made__partial": ["incomplete_problem_set"],
        "made__unsafe": ["unsafe_rows"],
        "made__unpinned": ["unpinned_dataset"],
        "made__waiting": ["not_scored"],
        "made__mixed": ["mixed_requests"],
        "made__plus_only": ["unjudged_samples"],
        "made__grown": ["missing_samples", "unfinished_shards"],
        "made__silent": ["thinking_absent"],
        "made__thinker": ["thinking_not_off"],
    }
    refused = ", ".join(f"'{model}'" for model in reasons)
    assert _one(connection, f"select count(*) from leaderboard where model in ({refused})") == (0,)


def test_a_refusal_names_problems_and_fields(connection: duckdb.DuckDBPyConnection) -> None:
    where = "from fct_refusals where verdict = 'official' and metric = 'all' and model ="
    assert _one(connection, f"select problems, num_affected {where} 'made__partial'") == (made_lake.TASK_IDS[-2:], 2)
    assert _one(connection, f"select differing_fields {where} 'made__mixed'") == (["dtype"],)
    query = "select count(*) from fct_refusals where model = 'made__greedy' and reason = 'fewer_samples_than_k'"
    assert _one(connection, query + " and verdict = 'official' and metric like 'pass@%'") == (3,)


def test_a_grown_plan_without_its_samples_shows_no_number_of_the_old_one(connection: duckdb.DuckDBPyConnection) -> None:
    where = "where model = 'made__grown' and verdict = 'official' and reason = 'missing_samples'"
    (num_affected,) = _one(connection, f"select num_affected from fct_refusals {where}")
    assert num_affected == 9 * made_lake.NUM_TASKS
    assert connection.execute("select * from headline where model = 'made__grown'").fetchall() == []


def test_two_equally_good_numbers_give_no_headline_and_say_in_what_they_differ(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    query = "from {} where model = 'made__undecided' and verdict = 'official'"
    shown = "select count(*) " + query.format("leaderboard") + " and metric = 'pass@1'"
    assert _one(connection, shown) == (2,)
    assert connection.execute("select * from headline where model = 'made__undecided'").fetchall() == []
    refusal = "select reason, differing_fields " + query.format("fct_refusals") + " and metric = 'headline'"
    found = _one(connection, refusal)
    assert found == ("ambiguous_headline", ["max_tokens"])


def test_the_headline_has_one_row_per_model_with_a_number(built: aggregate.Built) -> None:
    assert sorted(row["model"] for row in built.headline) == sorted(plan.name for plan in made_lake.PLANS[:5])
    twin, greedy = (
        next(row for row in built.headline if row["model"] == f"made__{name}") for name in ("twin", "greedy")
    )
    assert twin["score"] == pytest.approx(greedy["score"], abs=0.01)


def test_a_wrong_extraction_is_told_apart_only_where_programs_differ(connection: duckdb.DuckDBPyConnection) -> None:
    query = "select verdict, score from leaderboard where model = 'made__greedy' and metric = 'pass@1' order by 1"
    scores = dict(connection.execute(query).fetchall())
    assert set(scores) == {"official", "strict", "corrected_extraction"}
    assert len(set(scores.values())) == 1


def test_equal_conditions_are_ranked_and_others_are_refused_by_name(connection: duckdb.DuckDBPyConnection) -> None:
    ranks = "select model, rank_low, rank_high, could_be_first from fct_rank_intervals order by rank"
    assert connection.execute(ranks).fetchall() == [
        ("made__perfect", 1, 1, True),
        ("made__twin", 2, 3, False),
        ("made__greedy", 2, 3, False),
        ("made__hopeless", 4, 4, False),
    ]
    twins = "select difference, num_discordant, families_held from fct_model_comparisons where model = 'made__twin'"
    found = _one(connection, twins + " and other_model = 'made__greedy'")
    assert found == (pytest.approx(1 / 164), 109, [])
    refused = "select model, metric, differing_fields from fct_refusals where reason = 'incomparable_conditions'"
    assert connection.execute(refused + " order by 1").fetchall() == [
        (f"made__{name}", "comparison with made__sampler", ["temperature", "num_planned"])
        for name in ("greedy", "hopeless", "perfect")
    ] + [("made__sampler", "comparison with made__twin", ["temperature", "num_planned"])]


def test_marts_are_the_committed_ones(built: aggregate.Built, tmp_path: Path) -> None:
    offenders = golden_marts.moved(built.path, "made", tmp_path)
    assert not offenders, golden_marts.table(offenders)


# ---- the same bytes ---------------------------------------------------------------------------------------------


def test_threads_and_files_change_no_byte(folder: Path, built: aggregate.Built) -> None:
    lake = made_lake.write_scattered(folder / "scattered", made_lake.all_rows())
    again = aggregate.build(lake, folder / "two" / "benchforge.duckdb", num_threads=1)
    assert aggregate.mart_hashes(again.path) == aggregate.mart_hashes(built.path)
    for mine, other in zip(built.exports, again.exports, strict=True):
        assert mine.read_bytes() == other.read_bytes(), mine.name


def test_the_published_form_gives_the_same_marts(folder: Path, built: aggregate.Built) -> None:
    lake = made_lake.write_published(folder / "published", made_lake.all_rows())
    again = aggregate.build(lake, folder / "three" / "benchforge.duckdb")
    assert aggregate.mart_hashes(again.path) == aggregate.mart_hashes(built.path)


def test_results_of_an_older_writer_find_their_requests_in_the_samples(folder: Path, built: aggregate.Built) -> None:
    lake = made_lake.write(folder / "older", made_lake.all_rows())
    for part in (lake / "results").rglob("*.parquet"):
        rows = pq.read_table(part, partitioning=None)
        pq.write_table(rows.drop_columns(["request_digest", "comparability_digest", "dataset_version"]), part)
    again = aggregate.build(lake, folder / "five" / "benchforge.duckdb")
    assert aggregate.mart_hashes(again.path) == aggregate.mart_hashes(built.path)


def test_a_hash_sees_one_changed_value(folder: Path, built: aggregate.Built) -> None:
    copy = folder / "copy.duckdb"
    copy.write_bytes(built.path.read_bytes())
    connection = duckdb.connect(str(copy))
    connection.execute("update dim_tasks set stratum = 'x' where task_id = 'HumanEval/7'").fetchall()
    connection.close()
    before, after = aggregate.mart_hashes(built.path), aggregate.mart_hashes(copy)
    assert {mart for mart in before if before[mart] != after[mart]} == {"dim_tasks"}


def test_views_survive_a_new_name_of_the_file(folder: Path, built: aggregate.Built) -> None:
    renamed = folder / "renamed.duckdb"
    renamed.write_bytes(built.path.read_bytes())
    with aggregate.opened(renamed) as connection:
        assert _one(connection, "select count(*) from headline") == (5,)
        assert _one(connection, "select count(*) > 1000 from fct_sample_results") == (True,)


# ---- an empty lake ----------------------------------------------------------------------------------------------


def test_an_empty_lake_builds(folder: Path) -> None:
    (folder / "empty").mkdir()
    empty = aggregate.build(folder / "empty", folder / "four" / "benchforge.duckdb")
    assert empty.headline == () and empty.num_refusals == 0
