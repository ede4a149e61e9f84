"""Every input of one number: from the seed rows to the digests, the files, and the SQL that gives it again.

``explain`` looks the number up, gathers what it rests on, and recomputes it twice on the way: from the counts per
problem, and from single samples of the lake. Both queries are part of the answer, so that a doubter runs them himself.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ingest.errors import UsageError
from .names import meant, model_meant, refuse_unknown, rows
from .reading import opened_marts, parquet_named

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

LINEAGE = Path(__file__).parents[2] / "docs" / "lineage.csv"

_CELL = ("model", "benchmark", "scenario", "test_set", "verdict", "scope", "comparability_digest", "origin")
_METRIC = re.compile(r"pass([@^])(\d+)")

_HEADLINES = """
    select leaderboard.*
    from leaderboard
    inner join headline using (model, benchmark, scenario, test_set, metric, comparability_digest, origin)
    where model = $model and benchmark = $benchmark and verdict = 'official' and scope = 'all'
    order by all
"""
_ALL = """
    select *
    from leaderboard
    where
        model = $model and benchmark = $benchmark and scenario glob $scenario and test_set glob $test_set
        and metric glob $metric and verdict glob $verdict and scope glob $scope
    order by all
"""
_REQUESTS = """
    select
        request_digest, protocol, templating_mode, temperature, top_p, top_k, max_tokens, stop_acts, thinking, effort,
        thinking_budget, model_revision, weights_digest, chat_template_sha, quantization, dtype, engine, engine_version,
        image_digest, gpu, text_form, source, count(*) as num_samples, count(distinct task_id) as num_problems
    from stg_lake__samples
    where
        model = $model and benchmark = $benchmark and scenario = $scenario
        and comparability_digest = $comparability_digest
    group by all
    order by all
"""
_GRADINGS = """
    select
        grader_id, origin, trust_tier, sandbox_mode, array_to_string(sandbox_layers, ' ') as sandbox_layers,
        limit_factor, is_unsafe, licence, source, count(*) as num_results, count(distinct task_digest) as num_tasks
    from stg_lake__results
    where
        model = $model and benchmark = $benchmark and scenario = $scenario
        and comparability_digest = $comparability_digest and origin = $origin
    group by all
    order by all
"""
_ATTEMPTS = """
    select
        stage, engine, engine_version, engine_flags, image_digest, gpu, cause, count(*) as num_attempts,
        sum(gpu_seconds) as gpu_seconds, sum(num_rows) as num_rows, min(started_at) as first, max(ended_at) as last
    from stg_lake__runs
    where model = $model and benchmark = $benchmark and scenario = $scenario
    group by all
    order by all
"""
_SEEDS = {
    "seeds.models": "select * from seeds.models where model = $model",
    "seeds.model_cutoffs": "select * from seeds.model_cutoffs where model = $model",
    "seeds.benchmarks": "select * from seeds.benchmarks where benchmark = $benchmark and dataset_version = $version",
}
_ERRATA = """
    select task_id, kind, reason, source
    from seeds.errata
    where benchmark = $benchmark and dataset_version = $version
    order by all
"""
_DEVIATIONS = """
    select deviation_id, rule, reason
    from seeds.deviations
    where benchmark = $benchmark and $origin = 'self'
    order by all
"""

_FROM_PROBLEMS = """select
    sum(num_passed) as num_passed,
    count(*) as num_problems,
    avg({estimator} order by task_id) as score
from fct_task_scores
where {where}"""
_FROM_SAMPLES = """select
    count(*) filter (is_passed) as num_passed,
    count(distinct task_id) as num_problems,
    count(*) filter (is_passed) / ({num_planned} * count(distinct task_id)) as score
from fct_sample_results
where {where}"""


@dataclass(frozen=True)
class Explained:
    """One number: its row of the leaderboard, and named tables of what it rests on."""

    number: Row
    requests: tuple[Row, ...]
    gradings: tuple[Row, ...]
    attempts: tuple[Row, ...]
    seeds: tuple[Row, ...]
    errata: tuple[Row, ...]
    deviations: tuple[Row, ...]
    files: tuple[Row, ...]
    recomputed: tuple[Row, ...]
    lineage: tuple[Row, ...]


def explain(path: Path, model: str, benchmark: str, narrowed: Mapping[str, str] | None = None) -> list[Explained]:
    """The headline numbers of a model on a benchmark, or those that ``narrowed`` names, with everything behind them.

    ``narrowed`` maps scenario, test_set, metric, verdict, scope to a pattern (``*``). Raises NotStaged where nothing
    was built, UsageError for an unknown name and where there is no such number, with why it was refused.
    """
    with opened_marts(path) as connection:
        model = model_meant(connection, model)
        named = [row["benchmark"] for row in rows(connection, "select distinct benchmark from seeds.benchmarks")]
        benchmark = meant(benchmark, named, "benchmark")
        return [_explained(connection, number) for number in _numbers(connection, model, benchmark, narrowed or {})]


def _numbers(
    connection: duckdb.DuckDBPyConnection, model: str, benchmark: str, narrowed: Mapping[str, str]
) -> list[Row]:
    given = {name: value for name, value in narrowed.items() if value}
    wanted = {"scenario": "*", "test_set": "*", "metric": "pass@1", "verdict": "official", "scope": "all"} | given
    same = {"model": model, "benchmark": benchmark}
    found = rows(connection, _ALL, **same, **wanted) if given else rows(connection, _HEADLINES, **same)
    if found:
        return found
    refuse_unknown(connection, given)
    refused = rows(
        connection,
        "select reason, detail from fct_refusals where model = $model and benchmark = $benchmark order by all limit 1",
        **same,
    )
    why = f"{refused[0]['reason']}: {refused[0]['detail']}" if refused else ""
    raise UsageError(
        f"{model} has no such number on {benchmark}{' (' + why + ')' if why else ''}",
        f"benchforge sql --saved provenance -p model {model}"
        if not refused
        else "benchforge sql --saved missing_numbers",
    )


def _explained(connection: duckdb.DuckDBPyConnection, number: Row) -> Explained:
    keys = {name: number[name] for name in ("model", "benchmark", "scenario")}
    conditions = keys | {"comparability_digest": number["comparability_digest"]}
    return Explained(
        number,
        tuple(rows(connection, _REQUESTS, **conditions)),
        tuple(rows(connection, _GRADINGS, **conditions, origin=number["origin"])),
        tuple(rows(connection, _ATTEMPTS, **keys)),
        tuple(_seed_facts(connection, number)),
        tuple(rows(connection, _ERRATA, benchmark=number["benchmark"], version=number["dataset_version"])),
        tuple(rows(connection, _DEVIATIONS, benchmark=number["benchmark"], origin=number["origin"])),
        tuple(_files(connection, number)),
        tuple(_recomputed(connection, number)),
        tuple(_lineage(("score", "interval_low", "interval_high"))),
    )


def _seed_facts(connection: duckdb.DuckDBPyConnection, number: Row) -> list[Row]:
    """A row per field that is set: wide seed rows do not fit a terminal."""
    values = {"model": number["model"], "benchmark": number["benchmark"], "version": number["dataset_version"]}
    facts = []
    for seed, query in _SEEDS.items():
        used = {name: value for name, value in values.items() if f"${name}" in query}
        for row in rows(connection, query, **used):
            facts += [{"seed": seed, "field": name, "value": value} for name, value in row.items() if value is not None]
    return facts


def _files(connection: duckdb.DuckDBPyConnection, number: Row) -> list[Row]:
    """Parts of the lake that the views of this build read for the model and benchmark; a published lake's files."""
    query = "select sql from duckdb_views() where view_name = $view"
    found = []
    for table in ("samples", "results"):
        (view,) = rows(connection, query, view=f"stg_lake__{table}")[:1] or ({"sql": ""},)
        for path in sorted(parquet_named(view["sql"])):
            partition = f"/benchmark={number['benchmark']}/model={number['model']}/"
            if partition in path or "*" in path:
                found.append({"table": table, "file": path})
    return found


def _recomputed(connection: duckdb.DuckDBPyConnection, number: Row) -> list[Row]:
    """The queries and what they give; samples are only averaged for pass@1, where the mean is the estimator."""
    sign, k = _METRIC.fullmatch(number["metric"]).groups()  # type: ignore[union-attr]
    estimator = f"{'pass_at_k' if sign == '@' else 'pass_hat_k'}(num_planned, num_passed, {k})"
    where = _where(number, (*_CELL, "grader_id", "request_digest"))
    queries = {"problems": _FROM_PROBLEMS.format(estimator=estimator, where=where)}
    if number["metric"] == "pass@1" and number["scope"] == "all":
        cell = [name for name in _CELL if name != "scope"]
        where = _where(number, (*cell, "grader_id", "request_digest"))
        queries["samples"] = _FROM_SAMPLES.format(num_planned=number["num_planned"], where=where)
    return [{"from": name, "query": query, **rows(connection, query)[0]} for name, query in queries.items()]


def _where(number: Row, names: Sequence[str]) -> str:
    said = [
        f"{name} = '" + str(number[name]).replace("'", "''") + "'" for name in names if number.get(name) is not None
    ]
    return "\n    and ".join(said)


def _lineage(columns: Sequence[str]) -> list[Row]:
    with LINEAGE.open(newline="") as file:
        found = {row["column"]: row["raw_columns"] for row in csv.DictReader(file) if row["mart"] == "leaderboard"}
    return [{"column": f"leaderboard.{name}", "made_of": found.get(name)} for name in columns]
