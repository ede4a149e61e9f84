"""The lake that is published: samples beside their verdicts, and every other table that the marts need.

What may not leave the house is left out here, before anything is built from it: texts whose licence keeps them, hosts,
nodes and job numbers, and paths and names of this machine in the ledger. The marts are then built from the outcome, so
that whoever rebuilds them from what was published gets the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ingest import schemas
from ...ingest.errors import LakeError
from ...ingest.lake import arrow_schema, sort_key
from ...macros.udfs import lake_files
from .parts import BATCH_ROWS, write_parts
from .sensitive import HOME_FOLDER
from .terms import Terms, licensed_sources, terms_of, terms_of_models

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LEFT_OUT: Mapping[str, tuple[str, ...]] = {"timings": ("host",), "runs": ("node", "job_id")}
"""Columns that say where it ran: no mart reads them."""
REDACTED = ("detail", "engine_flags")
"""Columns of ``runs`` in which names and paths of this machine, and anybody's home, are replaced by a word."""
SORTED_BY = ("task_id", "sample_index", "scenario", "request_digest", "grader_id")
TEXTS = ("raw_text", "reasoning", "answer")
BESIDE = tuple(name for name in schemas.TABLES if name not in ("samples", "results"))
"""Tables that lie beside ``data``."""

_PARTITION = re.compile(r"/benchmark=([^/]+)/model=([^/]+)/[^/]+$")


@dataclass(frozen=True)
class Assembled:
    """What went into the published lake."""

    num_samples: int
    num_verdicts: int
    num_texts: int
    num_texts_withheld: int


@dataclass(frozen=True)
class _Cell:
    """One folder of ``data``: live files of one benchmark and model."""

    benchmark: str
    model: str
    form: str
    """As lake_files says: published files hold samples and results alike."""
    samples: tuple[str, ...]
    results: tuple[str, ...]


def assemble_lake(lake: Path, folder: Path, redact: Mapping[str, str], withheld: Sequence[bytes] = ()) -> Assembled:
    """Write the published form of ``lake`` into ``folder``; ``redact`` maps texts of this machine to words.

    ``withheld`` are ids of samples whose text is left out as sensitive. Raises LakeError where a verdict has no sample.
    """
    import duckdb

    terms = terms_of_models()
    (folder / ".spill").mkdir(parents=True)
    with duckdb.connect() as connection:
        for setting in ("enable_progress_bar = false", f"temp_directory = {_quoted(folder / '.spill')}"):
            connection.execute(f"set {setting}").fetchall()
        connection.execute("create table withheld (sample_id blob)").fetchall()
        for sample_id in withheld:
            connection.execute("insert into withheld values (?)", [sample_id]).fetchall()
        for cell in _cells(lake):
            _write_cell(connection, cell, folder, terms)
        for table in BESIDE:
            _write_table(connection, lake, table, folder, redact)
        (folder / ".spill").rmdir()
        return _counted(connection, lake, folder)


def _cells(lake: Path) -> Iterator[_Cell]:
    """Sorted by benchmark and model; the empty typed part, which has no partition, is no cell."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    form = lake_files(str(lake), "samples")["form"]
    for table in ("samples", "results"):
        for file in lake_files(str(lake), table)["files"]:
            if named := _PARTITION.search(Path(file).as_posix()):
                cell = found.setdefault((named[1], named[2]), {"samples": [], "results": []})
                cell[table].append(file)
    for (benchmark, model), files in sorted(found.items()):
        yield _Cell(benchmark, model, form, tuple(files["samples"]), tuple(files["results"]))


def _write_cell(
    connection: duckdb.DuckDBPyConnection, cell: _Cell, folder: Path, known: Mapping[str, Terms]
) -> list[Path]:
    rows = _published_rows(cell) if cell.form == "published" else _joined_rows(cell)
    parent = connection.execute(f"select max(parent_model) from ({rows})").fetchall()[0][0]
    terms = terms_of(cell.model, parent, known)
    schema = arrow_schema(schemas.PUBLISHED.name)
    target = folder / "data" / f"benchmark={cell.benchmark}" / f"model={cell.model}"
    batches = _batches(connection, _with_terms(rows, terms))
    return write_parts(batches, _nullable(schema), target, f"part-{terms.mark}", SORTED_BY)


def _joined_rows(cell: _Cell) -> str:
    """Samples of a lake beside their verdicts; a sample that waits for one has a row too."""
    of_sample = {column.name for column in schemas.SAMPLES.columns}
    verdicts = [column.name for column in schemas.RESULTS.columns if column.name not in of_sample]
    return (
        f"select samples.*, {', '.join(f'results.{name}' for name in verdicts)},"
        " results.source as verdict_source, results.shard_id as verdict_shard_id,"
        " null::varchar as text_digest, null::varchar as text_withheld"
        f" from {_reader('samples', cell.samples)} as samples"
        f" left join {_reader('results', cell.results)} as results using (sample_id)"
    )


def _published_rows(cell: _Cell) -> str:
    """Rows of a lake that was published before, with what such rows lacked then."""
    own = "case when osi_approved is null and grader_id is not null then {0} else verdict_{0} end as verdict_{0}"
    made = "unhex(left(sha256(concat_ws('|', benchmark, scenario, task_id, request_digest, sample_index)), 32))"
    return (
        "select * exclude (sample_id, verdict_source, verdict_shard_id, hub_license, osi_approved),"
        f" coalesce(sample_id, {made}) as sample_id, {own.format('source')}, {own.format('shard_id')}"
        f" from {_reader('published', cell.samples)}"
    )


def _with_terms(rows: str, terms: Terms) -> str:
    """The declared columns in order and sorted; texts that may not be passed on are NULL, with the reason."""
    sources = ", ".join(map(_quoted, licensed_sources())) or "''"
    may = "true" if terms.may_publish_text else "false"
    made = {
        "hub_license": _quoted(terms.hub_license),
        "osi_approved": "true" if terms.is_osi_approved else "false",
        "text_digest": "coalesce(text_digest, sha256(raw_text))",
        "text_withheld": (
            "case when text_withheld is not null then text_withheld when raw_text is null then null"
            f" when not {may} or not coalesce(source in ({sources}), true) then 'licence'"
            " when sample_id in (select sample_id from withheld) then 'sensitive' end"
        ),
    }
    given = ", ".join(f"{made.get(name, name)} as {name}" for name in schemas.PUBLISHED.column_names())
    types = {column.name: schemas.TYPES[column.type] for column in schemas.PUBLISHED.columns}
    kept = {name: f"case when text_withheld is null then {name} end" for name in TEXTS}
    columns = ", ".join(f"({kept.get(name, name)})::{type_} as {name}" for name, type_ in types.items())
    return f"select {columns} from (select {given} from ({rows})) order by {', '.join(SORTED_BY)}"


def _write_table(
    connection: duckdb.DuckDBPyConnection, lake: Path, table: str, folder: Path, redact: Mapping[str, str]
) -> None:
    """One part per partition; the same row twice (two shards that wrote one task, one program) is one row."""
    declared = schemas.TABLES[table]
    files = lake_files(str(lake), table)["files"]
    left = [column for column in declared.columns if column.name not in LEFT_OUT.get(table, ())]
    schema = _nullable(arrow_schema(table), [column.name for column in left])
    columns = ", ".join(
        f"{_redacted(table, column.name, redact)}::{schemas.TYPES[column.type]} as {column.name}" for column in left
    )
    keys = declared.partitions
    rows = f"select distinct {columns} from {_reader(table, files)}{_kept_programs(connection, table, folder)}"
    partitions = (
        connection.execute(f"select distinct {', '.join(keys)} from ({rows}) order by all").fetchall() if keys else [()]
    )
    for values in partitions:
        named = list(zip(keys, values, strict=True))
        chosen = " and ".join(f"{key} = {_quoted(value)}" for key, value in named) or "true"
        order = ", ".join(dict.fromkeys([*sort_key(declared), *schema.names]))
        batches = _batches(connection, f"select * from ({rows}) where {chosen} order by {order}")
        write_parts(batches, schema, folder.joinpath(table, *(f"{key}={value}" for key, value in named)), "part")


def _kept_programs(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> str:
    """Of programs only those that stand in a text that is published."""
    if table != "programs":
        return ""
    found = sorted((folder / "data").rglob("*.parquet"))
    if not found:
        return " where false"
    text = f"{_reader('published', list(map(str, found)))} where raw_text is not null"
    connection.execute(
        "create or replace temp table kept as"
        f" select benchmark, program_id from {text} union select benchmark, corrected_program_id from {text}"
    ).fetchall()
    return " semi join kept using (benchmark, program_id)"


def _redacted(table: str, name: str, redact: Mapping[str, str]) -> str:
    if table != "runs" or name not in REDACTED:
        return name
    expression = name
    for text, word in sorted(redact.items(), key=lambda pair: (-len(pair[0]), pair[0])):
        expression = f"replace({expression}, {_quoted(text)}, {_quoted(word)})"
    return f"regexp_replace({expression}, {_quoted(HOME_FOLDER)}, '<home>', 'g')"


def _counted(connection: duckdb.DuckDBPyConnection, lake: Path, folder: Path) -> Assembled:
    """Rows of the outcome. LakeError where a verdict of the lake is in none of them."""
    written = list(map(str, sorted((folder / "data").rglob("*.parquet"))))
    query = (
        "select count(distinct sample_id), count(grader_id), count(raw_text), count(text_withheld)"
        f" from {_reader('published', written)}"
    )
    counted = Assembled(*connection.execute(query).fetchall()[0])
    found = lake_files(str(lake), "results")
    table = "results" if found["form"] == "lake" else "published"
    of_lake = f"select count(grader_id) from {_reader(table, found['files'])}"
    num_verdicts = connection.execute(of_lake).fetchall()[0][0]
    if num_verdicts != counted.num_verdicts:
        raise LakeError(
            f"{num_verdicts - counted.num_verdicts} of {num_verdicts} verdicts belong to no sample of the lake",
            "benchforge verify, to see which",
        )
    return counted


def _batches(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)


def _reader(table: str, files: Sequence[str]) -> str:
    """All declared columns of a table, NULL where no file has one."""
    from ...ingest.lake import EMPTY_PARTS

    listed = ", ".join(map(_quoted, [EMPTY_PARTS / f"{table}.parquet", *files]))
    declared = schemas.PUBLISHED if table == schemas.PUBLISHED.name else schemas.TABLES[table]
    names = ", ".join(declared.column_names())
    return f"(select {names} from read_parquet([{listed}], union_by_name = true, hive_partitioning = false))"


def _nullable(schema: pa.Schema, names: Sequence[str] | None = None) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([field.with_nullable(True) for field in schema if names is None or field.name in names])


def _quoted(text: Any) -> str:
    return "'" + str(text).replace("'", "''") + "'"
