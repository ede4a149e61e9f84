"""Builds the bundled lake of recorded public verdicts, and the seed of published figures that it must reproduce.

    python -m benchforge.ingest.bundled.recorded --from DIR

DIR holds the public files as ``PROVENANCE.md`` beside this module lists them. Only facts go in: who was asked what, at
which temperature, which sample passed; never a text. The lake has the published form: one row per sample under
``data/benchmark=…/model=…/``, holding what ``samples`` and ``results`` hold of it (columns that would be empty
throughout are left out, ``sample_id`` is computed by readers), and ``tasks`` beside it. Equal input gives equal bytes.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..formats import Context, Recording, TaskFacts, registry
from ..formats.source_files import json_lines, read_content
from ..lake import arrow_schema, replace_file
from ..manifest import Shard
from ..pins import Pin, pins_of
from ..recorded.reconcile import Expected, reconcile
from ..recorded.rows import Asked, model_and_protocol, recorded_task_rows, result_rows, sample_rows
from .published_figures import ScoredFile, Source, as_csv, figures_of, printed_figures

if TYPE_CHECKING:
    import pyarrow as pa

LAKE = Path(__file__).parent / "lake"
SEEDS = Path(__file__).parents[2] / "seeds"

_FILE_NAME = re.compile(r"(?P<model>.+)_temp(?P<temperature>[0-9.]+)_(?P<task>input|output)\.json(\.gz)?")
_WRITE_OPTIONS: Mapping[str, Any] = {
    "compression": "zstd",
    "compression_level": 19,
    "store_schema": False,
    "row_group_size": 1 << 20,
}


_LEFT_OUT = ("raw_text", "text_form", "sample_id")


SOURCES = (
    Source(
        name="crux-eval/crux-eval.github.io@bbca815",
        licence="MIT",
        benchmark="cruxeval",
        folder="cruxeval/generations",
        format_name="cruxeval-scored",
        scenarios={"input": "cruxeval_i", "output": "cruxeval_o"},
        leaderboard_file="cruxeval/leaderboard.csv",
    ),
    Source(
        name="minimario/cruxeval-lcb@f6a90e0",
        licence="MIT",
        benchmark="livecodebench",
        folder="livecodebench/execution",
        format_name="livecodebench-execution",
        scenarios={"output": "execution"},
        facts_file="livecodebench/execution/problems_meta.jsonl.gz",
    ),
)


def scored_files(source: Source, directory: Path) -> Iterator[ScoredFile]:
    """Every scored file of a source, in order of its name; BadInput for one that is not whole."""
    paths = sorted(path for path in (directory / source.folder).glob("*") if _FILE_NAME.fullmatch(path.name))
    if not paths:
        raise BadInput(f"{directory / source.folder} holds no scored files", "see ingest/bundled/PROVENANCE.md")
    pin = next(pin for pin in pins_of(source.benchmark).values() if pin.is_default)
    for path in paths:
        yield _scored_file(source, pin, path, _facts(source, directory))


def data_rows(file: ScoredFile) -> Iterator[dict[str, Any]]:
    """One row per sample: its samples row and its results row as one, in task and sample order."""
    records = sorted(file.recording.records, key=lambda record: (_number(record.task_id), record.sample_index))
    samples = sample_rows(file.asked, records, file.shard_id, file.num_planned)
    results = result_rows(file.asked, records, file.shard_id)
    for sample, result in zip(samples, results, strict=True):
        yield {name: value for name, value in {**sample, **result}.items() if name not in _LEFT_OUT}


def build(directory: Path, lake: Path = LAKE, seeds: Path = SEEDS) -> list[Path]:
    """Write the whole bundled lake and the seed; returns the paths of the lake."""
    files = [file for source in SOURCES for file in scored_files(source, directory)]
    contents = dict(_parts(files))
    for old in [*lake.glob("data/**/*.parquet"), *lake.glob("tasks/**/*.parquet")]:
        old.unlink()
    for path, content in contents.items():
        replace_file(lake / path, content)
    printed = {source.name: printed_figures(source, directory) for source in SOURCES}
    figures = [figure for file in files for figure in figures_of(file, printed[file.source.name])]
    replace_file(seeds / "published_scores.csv", as_csv(figures).encode())
    return [lake / path for path in contents]


def _scored_file(source: Source, pin: Pin, path: Path, facts: Mapping[str, TaskFacts]) -> ScoredFile:
    named = _FILE_NAME.fullmatch(path.name)
    if named is None or named["task"] not in source.scenarios:
        raise BadInput(f"{path} is not named <model>_temp<t>_<input|output>.json", "see ingest/bundled/PROVENANCE.md")
    scenario = source.scenarios[named["task"]]
    recording = registry()[source.format_name].read(path, Context(source.benchmark, scenario))
    found = reconcile(path, recording.records, Expected(None, pin.num_tasks(scenario)), None)
    if found.gaps:
        raise BadInput(f"{path}: {'; '.join(found.gaps)}", "get the file again")
    model, protocol = model_and_protocol(named["model"])
    asked = Asked(
        benchmark=source.benchmark,
        scenario=scenario,
        dataset_version=pin.dataset_version,
        dataset_digest=None,
        model=model,
        protocol=protocol,
        source=source.name,
        temperature=float(named["temperature"]),
        licence=source.licence,
    )
    content = hashlib.sha256(read_content(path)).hexdigest()
    shard_id = Shard.make_id(content=content, benchmark=source.benchmark, scenario=scenario, model=model)
    known = Recording(recording.records, None, recording.stated_scores, facts)
    return ScoredFile(source, pin, asked, known, found.num_planned, shard_id)


def _facts(source: Source, directory: Path) -> dict[str, TaskFacts]:
    if not source.facts_file:
        return {}
    return {
        row["sample_id"]: TaskFacts(
            source_problem=str(row["question_id"]),
            stratum=row["difficulty"].lower(),
            contest_date=datetime.date.fromisoformat(row["contest_date"][:10]),
        )
        for row in json_lines(directory / source.facts_file)
    }


def _parts(files: Sequence[ScoredFile]) -> Iterator[tuple[Path, bytes]]:
    by_model: dict[tuple[str, str], list[ScoredFile]] = {}
    for file in files:
        by_model.setdefault((file.asked.benchmark, file.asked.model), []).append(file)
    for (benchmark, model), members in sorted(by_model.items()):
        ordered = sorted(members, key=lambda f: (f.asked.scenario, f.asked.protocol, f.asked.temperature))
        rows = [row for file in ordered for row in data_rows(file)]
        content = _parquet(rows, _data_fields())
        yield Path("data", f"benchmark={benchmark}", f"model={model}", _part_name(content)), content
    yield from _task_parts(files)


def _task_parts(files: Sequence[ScoredFile]) -> Iterator[tuple[Path, bytes]]:
    first = {(file.asked.benchmark, file.asked.scenario): file for file in reversed(files)}
    rows: dict[str, list[dict[str, Any]]] = {}
    for (benchmark, scenario), file in sorted(first.items()):
        found = recorded_task_rows(file.asked, file.recording, "expression", file.pin.test_sets(scenario))
        rows.setdefault(benchmark, []).extend(sorted(found, key=lambda row: _number(row["task_id"])))
    for benchmark, members in rows.items():
        content = _parquet(members, arrow_schema("tasks"))
        yield Path("tasks", f"benchmark={benchmark}", _part_name(content)), content


def _data_fields() -> pa.Schema:
    """Columns of samples, then those of results that samples lacks."""
    import pyarrow as pa

    fields = {field.name: field for table in ("samples", "results") for field in arrow_schema(table)}
    return pa.schema([field.with_nullable(True) for field in fields.values()])


def _parquet(rows: list[dict[str, Any]], schema: pa.Schema) -> bytes:
    """A part with the declared types; columns without a value are left out, readers know them as NULL."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    filled = {name for row in rows for name, value in row.items() if value is not None}
    kept = pa.schema([field for field in schema if field.name in filled])
    table = pa.Table.from_pylist([{name: row.get(name) for name in kept.names} for row in rows], schema=kept)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **_WRITE_OPTIONS)
    return sink.getvalue().to_pybytes()


def _part_name(content: bytes) -> str:
    return f"part-{hashlib.sha256(content).hexdigest()[:12]}.parquet"


def _number(task_id: str) -> int:
    return int(task_id.rpartition("_")[2])


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the bundled lake of recorded public verdicts.")
    parser.add_argument("--from", dest="directory", type=Path, required=True, help="folder of the public files")
    paths = build(parser.parse_args().directory)
    print(f"{len(paths)} parts, {sum(path.stat().st_size for path in paths)} bytes below {LAKE}")


if __name__ == "__main__":
    main()
