"""What somebody would write in place of the marts: problem counts of every cell, in polars and in pandas.

Both read the columns that the models read, group samples and verdicts by problem under the same text keys, compare what
was planned with what is there, spread counts over test sets and verdict kinds, and count problems by passes. The rows
of ``int_cells_by_passes`` must come out: ``(model, benchmark, scenario, test_set, verdict, n, c, problems)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchforge.ingest.schemas import VERDICT_KINDS

REQUEST = ["model", "benchmark", "scenario", "comparability_digest", "request_digest"]
FIELDS = [
    "dataset_version", "dataset_digest", "protocol", "templating_mode", "temperature", "top_p", "top_k", "min_p",
    "max_tokens", "thinking", "effort", "thinking_budget", "chat_template_sha", "model_revision", "weights_digest",
    "parent_model", "training_step", "quantization", "dtype", "source",
]  # fmt: skip
"""Conditions of a request, as request_fields() of the models."""
SAMPLE_COLUMNS = [*REQUEST, "task_id", "sample_index", "num_planned", *FIELDS]
GRADER = [*REQUEST, "origin", "grader_id"]
VERDICTS = [f"{kind}_{part}_verdict" for kind in VERDICT_KINDS for part in ("base", "plus")]
REASONS = [f"{kind}_base_reason" for kind in VERDICT_KINDS]
RESULT_COLUMNS = [
    *GRADER, "task_id", "sample_index", "source", "trust_tier", "program_id", "corrected_program_id", "is_unsafe",
    "limit_factor", *VERDICTS, *REASONS,
]  # fmt: skip
COUNTS = ("base_judged", "base_passed", "plus_judged", "plus_passed", "empty")
CELL = ["model", "benchmark", "scenario", "test_set", "verdict", "num_planned", "num_passed"]


def checksum(rows: Iterable[tuple[Any, ...]]) -> str:
    """Of rows in any order."""
    return hashlib.sha256(repr(sorted((*row[:5], *map(int, row[5:])) for row in rows)).encode()).hexdigest()[:16]


def by_polars(lake: Path) -> str:
    import polars as pl

    samples = pl.scan_parquet(lake / "samples/**/*.parquet", hive_partitioning=False).select(SAMPLE_COLUMNS)
    requests = samples.group_by(REQUEST).agg(pl.col("num_planned").max(), *(pl.col(name).min() for name in FIELDS))
    present = samples.group_by([*REQUEST, "task_id"]).agg(pl.len().alias("num_present"))
    results = pl.scan_parquet(lake / "results/**/*.parquet", hive_partitioning=False).select(RESULT_COLUMNS)
    same = pl.col("program_id") == pl.col("corrected_program_id")
    third = {
        name: pl.coalesce(pl.col(name), pl.when(same).then(pl.col(name.replace("corrected_extraction", "official"))))
        for name in (*VERDICTS, *REASONS)
        if name.startswith("corrected_extraction")
    }
    counts = []
    for kind in VERDICT_KINDS:
        base, plus, reason = (pl.col(f"{kind}_{name}") for name in ("base_verdict", "plus_verdict", "base_reason"))
        counts += [
            base.is_not_null().sum().alias(f"{kind}_base_judged"),
            (base == "pass").sum().alias(f"{kind}_base_passed"),
            (base.is_not_null() & plus.is_not_null()).sum().alias(f"{kind}_plus_judged"),
            ((base == "pass") & (plus == "pass")).sum().alias(f"{kind}_plus_passed"),
            (reason == "empty").sum().alias(f"{kind}_empty"),
        ]
    judged = (
        results.filter(pl.col("limit_factor").fill_null(1.0) == 1.0)
        .with_columns(**third)
        .group_by([*GRADER, "task_id"])
        .agg(*counts, pl.col("is_unsafe").sum().alias("num_unsafe"), pl.col("source").min().alias("result_source"))
    )
    tasks = pl.scan_parquet(lake / "tasks/**/*.parquet", hive_partitioning=False).select(
        "benchmark", "dataset_version", "scenario", "task_id", "test_sets", "num_plus_cases"
    )
    wide = (
        present.join(requests, on=REQUEST)
        .join(judged, on=[*REQUEST, "task_id"])
        .join(tasks, on=["benchmark", "dataset_version", "scenario", "task_id"])
        .explode("test_sets")
        .rename({"test_sets": "test_set"})
        .with_columns(((pl.col("test_set") == "plus") & (pl.col("num_plus_cases") > 0)).alias("needs_plus"))
    )
    needs = pl.col("needs_plus")
    spread = pl.concat(
        [
            wide.filter((pl.col("origin") == "self") | (pl.lit(kind == "official"))).select(
                "model", "benchmark", "scenario", "test_set", pl.lit(kind).alias("verdict"), "num_planned",
                pl.when(needs).then(pl.col(f"{kind}_plus_passed")).otherwise(pl.col(f"{kind}_base_passed"))
                .alias("num_passed"),
            )
            for kind in VERDICT_KINDS
        ]
    )  # fmt: skip
    # the third combination of a published set is its official verdict where programs are equal
    extra = wide.filter(pl.col("origin") != "self").select(
        "model", "benchmark", "scenario", "test_set", pl.lit("corrected_extraction").alias("verdict"), "num_planned",
        pl.col("corrected_extraction_base_passed").alias("num_passed"),
    )  # fmt: skip
    cells = pl.concat([spread, extra]).group_by(CELL).agg(pl.len().alias("num_problems"))
    return checksum(cells.collect(engine="streaming").rows())


def by_pandas(lake: Path) -> str:
    import pandas as pd
    import pyarrow.dataset as ds

    def read(table: str, columns: list[str]) -> Any:
        files = sorted(str(path) for path in (lake / table).rglob("*.parquet"))
        return ds.dataset(files).to_table(columns=columns).to_pandas()

    samples = read("samples", SAMPLE_COLUMNS)
    requests = samples.groupby(REQUEST, dropna=False)
    # conditions are equal within a request; first, because pandas takes no least of text with gaps
    conditions = requests[["num_planned"]].max().join(requests[FIELDS].first()).reset_index()
    present = samples.groupby([*REQUEST, "task_id"]).size().rename("num_present").reset_index()
    results = read("results", RESULT_COLUMNS)
    results = results[results["limit_factor"].fillna(1.0) == 1.0]
    same = results["program_id"] == results["corrected_program_id"]
    for name in [*VERDICTS, *REASONS]:
        if name.startswith("corrected_extraction"):
            official = results[name.replace("corrected_extraction", "official")].where(same)
            results[name] = results[name].where(results[name].notna(), official)
    counted = results[[*GRADER, "task_id", "is_unsafe"]].copy()
    for kind in VERDICT_KINDS:
        base, plus = results[f"{kind}_base_verdict"], results[f"{kind}_plus_verdict"]
        counted[f"{kind}_base_judged"] = base.notna()
        counted[f"{kind}_base_passed"] = base == "pass"
        counted[f"{kind}_plus_judged"] = base.notna() & plus.notna()
        counted[f"{kind}_plus_passed"] = (base == "pass") & (plus == "pass")
        counted[f"{kind}_empty"] = results[f"{kind}_base_reason"] == "empty"
    counted["source"] = results["source"]
    verdicts = counted.groupby([*GRADER, "task_id"])
    numbers = [name for name in counted.columns if name not in (*GRADER, "task_id", "source")]
    judged = verdicts[numbers].sum().join(verdicts["source"].first().rename("result_source")).reset_index()
    tasks = read("tasks", ["benchmark", "dataset_version", "scenario", "task_id", "test_sets", "num_plus_cases"])
    wide = (
        present.merge(conditions, on=REQUEST)
        .merge(judged, on=[*REQUEST, "task_id"])
        .merge(tasks, on=["benchmark", "dataset_version", "scenario", "task_id"])
        .explode("test_sets")
        .rename(columns={"test_sets": "test_set"})
    )
    needs = (wide["test_set"] == "plus") & (wide["num_plus_cases"] > 0)
    pieces = []
    for kind in VERDICT_KINDS:
        piece = wide.assign(
            verdict=kind, num_passed=wide[f"{kind}_plus_passed"].where(needs, wide[f"{kind}_base_passed"])
        )
        pieces.append(piece[(piece["origin"] == "self") | (kind != "strict")])
    cells = pd.concat(pieces).groupby(CELL).size().reset_index()
    return checksum(cells.itertuples(index=False, name=None))
