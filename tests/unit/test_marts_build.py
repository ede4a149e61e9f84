"""A small lake through the whole dbt project: the numbers, the refusals, and the same bytes however it lies on disk."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchforge.ingest import keys
from benchforge.ingest.lake import Lake, arrow_schema
from benchforge.ingest.pins import pins_of
from benchforge.macros import estimators
from benchforge.runners import aggregate

PIN = pins_of("humaneval")["v1"]
NUM_TASKS = 164
TASK_IDS = [f"HumanEval/{number}" for number in range(NUM_TASKS)]

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Plan:
    """What one made-up model did: passes of problem i, samples planned, and what is wrong with it."""

    name: str
    num_planned: int
    passes: Callable[[int], int]
    num_tasks: int = NUM_TASKS
    temperature: float = 0.0
    dataset_digest: str | None = PIN.dataset_digest
    dtype: str = "bfloat16"
    is_unsafe: bool = False
    is_scored: bool = True
    max_tokens: int | None = None
    is_plus_only: bool = False


GROWN = Plan("made__grown", 1, lambda i: 1)
"""Whole at n = 1; then n = 10 was planned and its first shard broke off: no sample says so, only the ledger."""
PLANS = (
    Plan("made__greedy", 1, lambda i: int(i % 3 == 0)),
    Plan("made__twin", 1, lambda i: int(i % 3 == 1 or i == 0)),
    Plan("made__sampler", 10, lambda i: i % 11, temperature=0.8),
    Plan("made__perfect", 1, lambda i: 1),
    Plan("made__hopeless", 1, lambda i: 0),
    Plan("made__partial", 1, lambda i: 1, num_tasks=NUM_TASKS - 2),
    Plan("made__unsafe", 1, lambda i: 1, is_unsafe=True),
    Plan("made__unpinned", 1, lambda i: 1, dataset_digest=None),
    Plan("made__waiting", 1, lambda i: 1, is_scored=False),
    Plan("made__mixed", 1, lambda i: 1, num_tasks=80),
    Plan("made__mixed", 1, lambda i: 1, dtype="float16"),
    Plan("made__undecided", 1, lambda i: 1, max_tokens=768),
    Plan("made__undecided", 1, lambda i: 0, max_tokens=2048),
    Plan("made__plus_only", 1, lambda i: 1, is_plus_only=True),
    GROWN,
)


def _blank(table: str) -> dict[str, Any]:
    return dict.fromkeys(arrow_schema(table).names)


def _task_rows() -> Rows:
    return [
        {
            **_blank("tasks"),
            "benchmark": "humaneval",
            "dataset_version": "v1",
            "dataset_digest": PIN.dataset_digest,
            "scenario": "default",
            "task_id": task_id,
            "task_digest": keys.sha256_text(task_id),
            "kind": "check",
            "test_sets": ["base"],
            "num_base_cases": 1,
            "source_problem": task_id,
        }
        for task_id in TASK_IDS
    ]


def _sample_rows(plan: Plan) -> Rows:
    request = keys.digest_of([plan.name, plan.dtype, plan.max_tokens])
    return [
        {
            **_blank("samples"),
            "benchmark": "humaneval",
            "model": plan.name,
            "scenario": "default",
            "task_id": task_id,
            "sample_index": index,
            "sample_id": keys.sample_id("humaneval", "default", task_id, request, index),
            "request_digest": request,
            "comparability_digest": keys.digest_of([plan.temperature, plan.max_tokens]),
            "dataset_version": "v1",
            "dataset_digest": plan.dataset_digest,
            "shard_id": "s",
            "num_planned": plan.num_planned,
            "protocol": "official",
            "temperature": plan.temperature,
            "dtype": plan.dtype,
            "max_tokens": plan.max_tokens,
        }
        for task_id in TASK_IDS[: plan.num_tasks]
        for index in range(plan.num_planned)
    ]


_PLUS_ONLY = {
    "origin": "published",
    "trust_tier": "published",
    **dict.fromkeys(f"{kind}_base_{word}" for kind in ("official", "strict") for word in ("verdict", "reason")),
    "official_plus_verdict": "pass",
    "official_plus_reason": "ok",
}
"""What a record says that tells the verdict on the extra tests alone."""


def _result_rows(plan: Plan) -> Rows:
    rows = []
    for sample in _sample_rows(plan) if plan.is_scored else []:
        verdict = "pass" if sample["sample_index"] < plan.passes(int(sample["task_id"].split("/")[1])) else "fail"
        shared = {name: sample[name] for name in arrow_schema("results").names if name in sample}
        rows.append(
            {
                **_blank("results"),
                **shared,
                "grader_id": "g" * 64,
                "program_id": b"p" * 16,
                "corrected_program_id": b"p" * 16,
                "official_base_verdict": verdict,
                "official_base_reason": "ok" if verdict == "pass" else "wrong_answer",
                "strict_base_verdict": verdict,
                "strict_base_reason": "ok" if verdict == "pass" else "wrong_answer",
                "origin": "self",
                "trust_tier": "values",
                "is_unsafe": plan.is_unsafe,
                **(_PLUS_ONLY if plan.is_plus_only else {}),
            }
        )
    return rows


def _mean_rows() -> Rows:
    """Means of ninths, three tasks made from one problem."""
    made = {"benchmark": "humaneval", "dataset_version": "v1", "scenario": "default", "model": "made__mean"}
    named = {"protocol": "direct", "metric": "pass@1", "source": "o/r@0123abc", "shard_id": "s"}
    means = {task_id: 100 * (number % 10) / 9 for number, task_id in enumerate(TASK_IDS)}
    return [
        {**_blank("problem_means"), **made, **named, "task_id": task_id, "source_problem": str(number // 3),
         "mean": percent / 100, "stated_percent": repr(percent)}
        for number, (task_id, percent) in enumerate(means.items())
    ]  # fmt: skip


def _all_rows(plans: Sequence[Plan] = PLANS) -> Mapping[str, Rows]:
    return {
        "tasks": _task_rows(),
        "samples": [row for plan in plans for row in _sample_rows(plan)],
        "results": [row for plan in plans for row in _result_rows(plan)],
        "runs": [_attempt(PLANS[0], "done", 1), _attempt(GROWN, "preempted", 10)],
        "problem_means": _mean_rows(),
    }


def _write(root: Path, tables: Mapping[str, Rows]) -> Path:
    """One part per table and partition."""
    lake = Lake(root)
    for table, rows in tables.items():
        lake.commit("s", "generate", lake.write_part(table, rows, "s"))
    return root


def _write_scattered(root: Path, tables: Mapping[str, Rows]) -> Path:
    """The same rows, shuffled over parts of several shards, beside dead parts that say the opposite."""
    lake, shuffle = Lake(root), random.Random(5)
    for table, rows in tables.items():
        dead = [dict(row) for row in rows[:400]]
        for row in dead if table == "results" else []:
            row["official_base_verdict"] = "error"
        shuffled = shuffle.sample(rows, len(rows))
        lake.commit("s0", "generate", lake.write_part(table, dead, "s0"))
        for number in range(4):
            shard = f"s{number}"
            lake.commit(shard, "generate", lake.write_part(table, shuffled[number::4], shard))
    return root


def _write_published(root: Path, tables: Mapping[str, Rows]) -> Path:
    """One row per sample with samples and results side by side; empty columns and the id left out."""
    results = {row["sample_id"]: row for row in tables["results"]}
    rows = [{**_blank("results"), **sample, **results.get(sample["sample_id"], {})} for sample in tables["samples"]]
    fields = {field.name: field for table in ("samples", "results") for field in arrow_schema(table)}
    used = {name for row in rows for name, value in row.items() if value is not None} - {"sample_id"}
    schema = pa.schema([field.with_nullable(True) for name, field in fields.items() if name in used])
    for name in sorted({row["model"] for row in rows}):
        folder = root / "data" / "benchmark=humaneval" / f"model={name}"
        folder.mkdir(parents=True)
        kept = [{key: row.get(key) for key in schema.names} for row in rows if row["model"] == name]
        pq.write_table(pa.Table.from_pylist(kept, schema=schema), folder / "part-0.parquet")
    tasks = root / "tasks" / "benchmark=humaneval"
    tasks.mkdir(parents=True)
    for table, folder in (("tasks", tasks), *((name, root / name) for name in ("runs", "problem_means"))):
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(tables[table], schema=arrow_schema(table)), folder / "part-0.parquet")
    return root


def _attempt(plan: Plan, cause: str, num_planned: int) -> dict[str, Any]:
    sample = _sample_rows(plan)[0]
    moment = datetime.datetime(2026, 1, 1)
    return {
        **{name: sample[name] for name in ("benchmark", "model", "scenario", "request_digest")},
        "run_id": f"{plan.name}-{num_planned}",
        "shard_id": f"{plan.name}-{num_planned}",
        "stage": "generate",
        "attempt": 1,
        "num_planned": num_planned,
        "cause": cause,
        "started_at": moment,
        "ended_at": moment,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marts")


@pytest.fixture(scope="module")
def built(folder: Path) -> aggregate.Built:
    return aggregate.build(_write(folder / "lake", _all_rows()), folder / "one" / "benchforge.duckdb", num_threads=4)


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
    for plan in PLANS[:5]:
        passes = [plan.passes(i) for i in range(NUM_TASKS)]
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
    rows = _mean_rows()
    scores, sources = [row["mean"] for row in rows], [row["source_problem"] for row in rows]
    query = "select score, interval_low, interval_high, interval_method, num_clusters from fct_problem_means"
    score, *shown, num_clusters = _one(connection, query)
    expected = estimators.interval_of_means(scores, sources)
    assert expected is not None and shown == [expected.low, expected.high, "el_half_clustered"]
    assert score == pytest.approx(sum(scores) / NUM_TASKS, abs=1e-12) and num_clusters == 55
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
    }
    refused = ", ".join(f"'{model}'" for model in reasons)
    assert _one(connection, f"select count(*) from leaderboard where model in ({refused})") == (0,)


def test_a_refusal_names_problems_and_fields(connection: duckdb.DuckDBPyConnection) -> None:
    where = "from fct_refusals where verdict = 'official' and metric = 'all' and model ="
    assert _one(connection, f"select problems, num_affected {where} 'made__partial'") == (TASK_IDS[-2:], 2)
    assert _one(connection, f"select differing_fields {where} 'made__mixed'") == (["dtype"],)
    query = "select count(*) from fct_refusals where model = 'made__greedy' and reason = 'fewer_samples_than_k'"
    assert _one(connection, query + " and verdict = 'official' and metric like 'pass@%'") == (3,)


def test_a_grown_plan_without_its_samples_shows_no_number_of_the_old_one(connection: duckdb.DuckDBPyConnection) -> None:
    where = "where model = 'made__grown' and verdict = 'official' and reason = 'missing_samples'"
    (num_affected,) = _one(connection, f"select num_affected from fct_refusals {where}")
    assert num_affected == 9 * NUM_TASKS
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
    assert sorted(row["model"] for row in built.headline) == sorted(plan.name for plan in PLANS[:5])
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


# ---- the same bytes ---------------------------------------------------------------------------------------------


def test_threads_and_files_change_no_byte(folder: Path, built: aggregate.Built) -> None:
    lake = _write_scattered(folder / "scattered", _all_rows())
    again = aggregate.build(lake, folder / "two" / "benchforge.duckdb", num_threads=1)
    assert aggregate.mart_hashes(again.path) == aggregate.mart_hashes(built.path)
    for mine, other in zip(built.exports, again.exports, strict=True):
        assert mine.read_bytes() == other.read_bytes(), mine.name


def test_the_published_form_gives_the_same_marts(folder: Path, built: aggregate.Built) -> None:
    lake = _write_published(folder / "published", _all_rows())
    again = aggregate.build(lake, folder / "three" / "benchforge.duckdb")
    assert aggregate.mart_hashes(again.path) == aggregate.mart_hashes(built.path)


def test_results_of_an_older_writer_find_their_requests_in_the_samples(folder: Path, built: aggregate.Built) -> None:
    lake = _write(folder / "older", _all_rows())
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
