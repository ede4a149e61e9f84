"""Schema ``facts``: small tables about files, pins, shards and requests that rules compare rows with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...expectations.artifacts import Artifact, artifacts
from ...ingest import keys, schemas
from ...ingest.manifest import Run, Shard
from ..lake_check import ADDED_LATER
from .check_sources import Sources

ADDED_BY_PUBLICATION = frozenset(
    {"verdict_source", "verdict_shard_id", "hub_license", "osi_approved", "text_digest", "text_withheld"}
)
"""Columns that a published row has beside those of samples and results."""

Rows = Iterable[Mapping[str, Any]]


def texts(*names: str) -> dict[str, str]:
    """Columns of text."""
    return dict.fromkeys(names, "varchar")


def make(sources: Sources, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    """Table ``gate_facts.<name>`` from plain rows. ``columns``: name -> DuckDB type."""
    import pyarrow as pa

    declared = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
    sources.connection.execute(f"create or replace table gate_facts.{name} ({declared})").fetchall()
    listed = list(rows)
    if listed:
        arrow = pa.table({column: pa.array([row.get(column) for row in listed]) for column in columns})
        sources.connection.register("rows_of_facts", arrow)
        sources.connection.execute(
            f"insert into gate_facts.{name} select {', '.join(columns)} from rows_of_facts"
        ).fetchall()
        sources.connection.unregister("rows_of_facts")


# ---- columns ----------------------------------------------------------------------------------------------------


_COLUMNS = texts("artifact", "part", "column_name", "found", "declared", "problem")


def make_columns(sources: Sources) -> None:
    """``columns``: one row per column of a part, a mart or a seed that is not as declared, and one per artifact."""
    rows = [row for artifact in artifacts().values() for row in _columns(sources, artifact)]
    make(sources, "columns", _COLUMNS, rows)


def _columns(sources: Sources, artifact: Artifact) -> Iterator[dict[str, Any]]:
    yield {"artifact": artifact.name}
    if artifact.kind == "lake":
        yield from _columns_of_parts(sources, artifact)
    else:
        schema = "gate_marts" if artifact.kind == "mart" else "gate_built_seeds"
        relation = f"{schema}.{artifact.name.removeprefix('seed_')}"
        if relation in sources.absent:
            yield {"artifact": artifact.name, "problem": f"cannot be read: {sources.absent[relation]}"}
        elif sources.has(relation):
            yield from _compared(artifact, relation, _described(sources, relation), artifact.columns)


def _described(sources: Sources, relation: str) -> dict[str, str]:
    rows = sources.connection.execute(f"describe select * from {relation}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def _columns_of_parts(sources: Sources, artifact: Artifact) -> Iterator[dict[str, Any]]:
    """Parts are compared by the footers; parts of one writer are alike and compared once."""
    if f"gate_lake.{artifact.name}" in sources.absent:
        yield {"artifact": artifact.name, "problem": f"cannot be read: {sources.absent[f'gate_lake.{artifact.name}']}"}
    declared, may_lack = _declared_of(sources, artifact)
    alike: dict[tuple[tuple[str, str], ...], str] = {}
    for part in sources.files.get(artifact.name, ()):
        found = _footer(part)
        if isinstance(found, str):
            yield {"artifact": artifact.name, "part": part.name, "problem": f"cannot be read: {found}"}
        else:
            alike.setdefault(tuple(found.items()), part.name)
    for columns, part in alike.items():
        for row in _compared(artifact, part, dict(columns), declared):
            if row["found"] is not None or row["column_name"] not in may_lack:
                yield row


def _declared_of(sources: Sources, artifact: Artifact) -> tuple[dict[str, str], frozenset[str]]:
    """Columns that a part may have, and those that it may lack: all that are not required, where it was published."""
    declared = dict(artifact.columns)
    if not sources.is_published_lake:
        return declared, ADDED_LATER.get(artifact.name, frozenset())
    if artifact.name in ("samples", "results"):
        both = (*schemas.SAMPLES.columns, *schemas.RESULTS.columns)
        declared = {column.name: schemas.TYPES[column.type] for column in both}
        declared |= dict.fromkeys(ADDED_BY_PUBLICATION - {"osi_approved"}, "VARCHAR") | {"osi_approved": "BOOLEAN"}
    return declared, frozenset(declared) - set(artifact.required) | {"sample_id"}


def _footer(part: Path) -> dict[str, str] | str:
    """Column -> DuckDB type as the footer has it, or why it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(part)
    except (pa.ArrowInvalid, OSError) as error:
        return " ".join(str(error).split())[:200]
    return {field.name: _duckdb_type(field.type) for field in schema}


def _duckdb_type(type_: Any) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return f"{_duckdb_type(type_.value_type)}[]"
    kinds = (
        (pa.types.is_null, "NULL"), (pa.types.is_string, "VARCHAR"), (pa.types.is_large_string, "VARCHAR"),
        (pa.types.is_boolean, "BOOLEAN"), (pa.types.is_integer, "BIGINT"), (pa.types.is_floating, "DOUBLE"),
        (pa.types.is_date, "DATE"), (pa.types.is_timestamp, "TIMESTAMP"), (pa.types.is_binary, "BLOB"),
        (pa.types.is_large_binary, "BLOB"), (pa.types.is_fixed_size_binary, "BLOB"),
    )  # fmt: skip
    return next((name for is_kind, name in kinds if is_kind(type_)), str(type_))


def _compared(
    artifact: Artifact, part: str, found: Mapping[str, str], declared: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for name in dict.fromkeys((*declared, *found)):
        has, wants = found.get(name), declared.get(name)
        if has == wants or has == "NULL":
            continue
        problem = "missing" if has is None else "not declared" if wants is None else "another type"
        yield {"artifact": artifact.name, "part": part, "column_name": name, "found": has, "declared": wants,
               "problem": problem}  # fmt: skip


# ---- pins -------------------------------------------------------------------------------------------------------


def make_pins(sources: Sources) -> None:
    """``pins``: problems by test set; ``dataset_digests``: of each version. The seed's, else those that tasks carry."""
    pinned = "select benchmark, dataset_version, dataset_digest, trim(cells) as cells from gate_seeds.benchmarks"
    if sources.has("gate_recount.tasks"):
        pinned += (
            " union all select benchmark, dataset_version, max(dataset_digest), max_by(pinned_cells, dataset_digest)"
            " from gate_recount.tasks where pinned_cells is not null and benchmark not in"
            " (select benchmark from gate_seeds.benchmarks) group by all"
        )
    sources.show("gate_facts.pinned", pinned)
    sources.show("gate_facts.dataset_digests", "select * from gate_facts.pinned where dataset_digest is not null")
    word = "select *, unnest(split(cells, ' ')) as word from gate_facts.pinned where cells <> ''"
    sources.show(
        "gate_facts.pins",
        "select benchmark, dataset_version, split_part(word, ':', 1) as scenario,"
        " split_part(split_part(word, ':', 2), '=', 1) as test_set, split_part(word, '=', 2)::bigint as num_problems"
        f" from ({word})",
    )


# ---- shards -----------------------------------------------------------------------------------------------------


_SHARDS = {
    **texts("shard_id", "stage", "benchmark", "model"),
    **dict.fromkeys(("expected_rows", "num_samples", "num_results"), "bigint"),
    **dict.fromkeys(("is_done", "is_scored"), "boolean"),
}


def make_shards(sources: Sources, run: Run | None) -> None:
    """``rows_of_shards``: live rows by shard that wrote them; with a run, ``shards``: of its manifest, with markers.

    A published row tells of a sample and its verdict: which of two shards wrote it is not asked there. Where verdicts
    of others were imported and their samples graded here, theirs are rows of the import, ours of the scored shard.
    """
    tables = ("samples", "results", "problem_means")
    if sources.is_published_lake or not all(sources.has(f"gate_lake.{table}") for table in tables):
        return
    theirs = {"results": " where origin = 'published'"}
    rows = " union all ".join(f"select shard_id from gate_lake.{table}{theirs.get(table, '')}" for table in tables)
    sources.show("gate_facts.rows_of_shards", f"select shard_id, count(*) as num_found from ({rows}) group by shard_id")
    shards = run.manifest.shards() if run is not None else {}
    if run is None or not shards:
        return
    counted = "select shard_id, count(*) from {} group by shard_id"
    samples = dict(sources.connection.execute(counted.format("gate_lake.samples")).fetchall())
    ours = "gate_recount.verdicts where origin <> 'published'"
    results = dict(sources.connection.execute(counted.format(ours)).fetchall())
    make(sources, "shards", _SHARDS, (_shard(run, shard, samples, results) for shard in shards.values()))


def _shard(run: Run, shard: Shard, samples: Mapping[str, int], results: Mapping[str, int]) -> dict[str, Any]:
    return {
        "shard_id": shard.shard_id,
        "stage": shard.stage,
        "benchmark": shard.benchmark,
        "model": shard.model,
        "expected_rows": shard.expected_rows,
        "num_samples": samples.get(shard.shard_id, 0),
        "num_results": results.get(shard.shard_id, 0),
        "is_done": run.is_done("generate", shard.shard_id),  # an import marks its samples under this stage as well
        "is_scored": run.is_done("score", shard.shard_id),
    }


# ---- requests ---------------------------------------------------------------------------------------------------


_REQUESTS = texts("model", "benchmark", "scenario", "problem", "found", "expected")
_CARRIED = ("dataset_digest", "protocol", "temperature", "top_p", "max_tokens", "model", "source")
"""Fields of a request that a recorded row carries, which are all that it has (``ingest/recorded/rows.py``)."""
_OWN = ("dataset_digest", "templating_mode", "protocol", "temperature", "top_p", "top_k", "min_p", "presence_penalty",
        "frequency_penalty", "repetition_penalty", "max_tokens", "stop", "stop_acts", "thinking", "effort",
        "thinking_budget", "model", "model_revision", "weights_digest", "quantization", "dtype")  # fmt: skip
"""Fields of our own request that a row carries: held against the manifest."""


def make_requests(sources: Sources, run: Run | None) -> None:
    """``requests``: requests and comparability digests that are not those of the fields beside them."""
    if not sources.has("gate_lake.samples"):
        return
    names = tuple(dict.fromkeys(("benchmark", "model", "scenario", "request_digest", "comparability_digest",
                                 *_CARRIED, *_OWN)))  # fmt: skip
    planned = {shard.request_digest: shard for shard in (run.manifest.shards().values() if run else ())}
    known = f"source is not null or request_digest in (select unnest([{', '.join(map(repr, planned))}]::varchar[]))"
    query = f"select {', '.join(names)} from gate_lake.samples where {known} group by all"
    found = sources.connection.execute(query).fetchall()
    rows = (row for values in found for row in _requests(dict(zip(names, values, strict=True)), planned))
    make(sources, "requests", _REQUESTS, rows)
    make_prompts(sources, planned)


def _requests(row: Mapping[str, Any], planned: Mapping[str, Shard]) -> Iterator[dict[str, Any]]:
    named = {name: row[name] for name in ("benchmark", "model", "scenario")}
    shard = planned.get(row["request_digest"])
    if row["source"] is not None:
        yield from _recorded(row, named)
    elif shard is not None:
        yield from _planned(row, shard, named)


def _recorded(row: Mapping[str, Any], named: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    request = {name: row[name] for name in _CARRIED if row[name] is not None}
    fields = {name: row[name] for name in _CARRIED if name in keys.COMPARABILITY_FIELDS}
    made = {
        "request_digest": keys.request_digest(request),
        "comparability_digest": keys.comparability_digest({**fields, "scenario": row["scenario"]}, row["source"]),
    }
    for name, digest in made.items():
        if row[name] != digest:
            yield {**named, "problem": name, "found": row[name], "expected": digest}


def _planned(row: Mapping[str, Any], shard: Shard, named: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if keys.request_digest(shard.request) != shard.request_digest:
        yield {**named, "problem": "request_digest of the manifest", "found": shard.request_digest,
               "expected": keys.request_digest(shard.request)}  # fmt: skip
    if row["comparability_digest"] != shard.comparability_digest:
        yield {**named, "problem": "comparability_digest", "found": row["comparability_digest"],
               "expected": shard.comparability_digest}  # fmt: skip
    for name in _OWN:
        asked, found = shard.request.get(name), row[name]
        if asked != found and not (asked in (None, [], False) and found in (None, [], False)):
            yield {**named, "problem": name, "found": json.dumps(found), "expected": json.dumps(asked)}


_PROMPTS = texts("model", "benchmark", "scenario", "request_digest", "found", "expected")


def make_prompts(sources: Sources, planned: Mapping[str, Shard]) -> None:
    """``prompts``: digest over the prompts of a whole request beside that which it was planned with."""
    whole = [shard for shard in planned.values() if shard.task_ids is None and shard.request.get("prompt_digest")]
    if whole and sources.has("gate_lake.samples"):
        make(sources, "prompts", _PROMPTS, _prompts(sources, whole))


def _prompts(sources: Sources, shards: Sequence[Shard]) -> Iterator[dict[str, Any]]:
    query = (
        "select task_id, min(prompt_digest) from gate_lake.samples where benchmark = ? and model = ? and scenario = ?"
        " and request_digest = ? group by task_id having min(prompt_digest) is not null"
    )
    for shard in shards:
        key = [shard.benchmark, shard.model, shard.scenario, shard.request_digest]
        pairs = sources.connection.execute(query, key).fetchall()
        if pairs and len(pairs) * shard.num_samples == shard.expected_rows:
            yield {
                **dict(zip(("benchmark", "model", "scenario", "request_digest"), key, strict=True)),
                "found": keys.prompt_set_digest((str(task), str(digest)) for task, digest in pairs),
                "expected": shard.request["prompt_digest"],
            }
