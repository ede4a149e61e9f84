"""Ways in which a good run and its lake go wrong, each with the rule of ``benchforge verify`` that has to name it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import forging
import pyarrow as pa
import pyarrow.parquet as pq
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.lake import append_line
from benchforge.ingest.manifest import Run
from benchforge.ingest.staging.staged import staged_directory
from benchforge.ingest.staging.strings import HARNESSES
from benchforge.runners.compact import compact, planned
from forging import OSI, OTHER, SAMPLER, changed, each, enter, first, flipped, in_lines, in_manifest, part_of, shard_id


@dataclass(frozen=True)
class LakeFault:
    """``rule`` is found after ``seed`` has been done to a good run, and was not before."""

    name: str
    rule: str
    seed: Callable[[Run], object]


def _lane(run: Run, stage: str, model: str = OSI) -> str:
    return f"{stage}-{shard_id(run, model)}"


def _marker(run: Run, stage: str, kind: str) -> Path:
    return run.root / "manifests" / f"{_lane(run, stage)}.{kind}"


def _list(run: Run, table: str, stage: str) -> Path:
    return run.lake.root / "_live" / table / f"{_lane(run, stage)}.jsonl"


def _gone(table: str) -> Callable[[Run], None]:
    return lambda run: part_of(run, table).unlink()


def _doubled(run: Run) -> None:
    """The same rows under the name of a second shard."""
    part = part_of(run, "results")
    copy = part.with_name(part.name.replace("part-", "part-00"))
    shutil.copyfile(part, copy)
    enter(run, "results", "score-00copy", [copy.relative_to(run.lake.root).as_posix()])


def _without_column(run: Run) -> None:
    part = part_of(run, "results")
    table = pq.read_table(part, partitioning=None).drop_columns(["official_base_verdict"])
    forging.rewritten(run, part, table, "sealed")


def _foreign_column(run: Run) -> None:
    part = part_of(run, "samples")
    table = pq.read_table(part, partitioning=None)
    forging.rewritten(run, part, table.append_column("bonus", pa.array([1] * len(table))), "sealed")


def _other_type(run: Run) -> None:
    part = part_of(run, "samples")
    table = pq.read_table(part, partitioning=None)
    index = table.schema.get_field_index("sample_index")
    texts = pa.array([str(value) for value in table["sample_index"].to_pylist()])
    forging.rewritten(run, part, table.set_column(index, "sample_index", texts), "sealed")


def _shifted_column(run: Run) -> None:
    def shift(rows: forging.Rows) -> forging.Rows:
        texts = [row["raw_text"] for row in rows]
        return [{**row, "raw_text": text} for row, text in zip(rows, texts[1:] + texts[:1], strict=True)]

    changed(run, "samples", shift, "sealed", SAMPLER)


def _cut_short(run: Run) -> None:
    part = part_of(run, "samples")
    os.truncate(part, part.stat().st_size // 2)


def _one_bit(run: Run) -> None:
    part = part_of(run, "results")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)


def _page_lost(run: Run) -> None:
    """A page overwritten, and the part named anew: only decoding finds it."""
    part = part_of(run, "samples")
    chunk = pq.read_metadata(part).row_group(0).column(3)
    content = bytearray(part.read_bytes())
    start = chunk.data_page_offset
    content[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    part.write_bytes(content)
    forging.renamed(run, part, "sealed")


def _other_models_rows(run: Run) -> None:
    """Samples of one model handed in as those of another."""
    source = pq.read_table(part_of(run, "samples", OTHER), partitioning=None).to_pylist()
    rows = [{**row, "model": OSI, "shard_id": shard_id(run)} for row in source]
    changed(run, "samples", lambda _: rows, "sealed")


def _other_folder(run: Run) -> None:
    part = part_of(run, "results")
    forging.renamed(run, part, "sealed", part.parent.parent / f"model={OTHER}")


def _replanned(run: Run) -> None:
    """A limit changed in the plan with all of its digests: the rows were asked otherwise."""
    from benchforge.ingest import keys
    from benchforge.ingest.manifest import Shard

    def change(line: dict[str, object]) -> None:
        line["request"] = {**line["request"], "max_tokens": 4096}  # type: ignore[dict-item]
        line["request_digest"] = keys.request_digest(line["request"])  # type: ignore[arg-type]
        names = ("benchmark", "scenario", "request_digest", "first_sample", "num_samples", "task_ids")
        old, line["shard_id"] = line["shard_id"], Shard.make_id(**{name: line[name] for name in names})
        for path in sorted(run.root.rglob(f"*{old}*"), reverse=True):
            path.rename(path.with_name(path.name.replace(str(old), str(line["shard_id"]))))
        for path in [*run.root.rglob("*.jsonl"), *run.root.rglob("*.committed"), *run.root.rglob("*.done")]:
            path.write_text(path.read_text().replace(str(old), str(line["shard_id"])))

    in_manifest(run, change)


def _without_line(run: Run) -> None:
    in_lines(run.manifest.path, lambda lines: [line for line in lines if OSI not in line])


def _journal_edited(run: Run) -> None:
    path = run.journal("generate", shard_id(run)).path
    in_lines(path, lambda lines: [lines[0].replace("answer", "better answer"), *lines[1:]])


def _score_journal_edited(run: Run) -> None:
    path = run.journal("score", shard_id(run)).path
    in_lines(path, lambda lines: [line.replace('"fail"', '"pass"') for line in lines])


def _older_part_listed(run: Run) -> None:
    """The part of another model, under this model's shard."""
    other = part_of(run, "results", OTHER).relative_to(run.lake.root).as_posix()
    enter(run, "results", _lane(run, "score"), [other])


def _done_without_parts(run: Run) -> None:
    for table in ("results", "timings"):
        part_of(run, table).unlink()
        _list(run, table, "score").unlink()


def _without_samples(run: Run) -> None:
    """The whole generation of a shard is gone, its verdicts are not."""
    for file in ("done", "committed"):
        _marker(run, "generate", file).unlink()
    _list(run, "samples", "generate").unlink()


def _without_verdicts(run: Run) -> None:
    """Timings of verdicts that are gone."""
    for file in ("done", "committed"):
        _marker(run, "score", file).unlink()
    _list(run, "results", "score").unlink()


def _compacted(run: Run) -> Path:
    """All parts of ``runs`` in one; the path of that."""
    return next(path for path in compact(run.lake.root, planned(run.lake.root)) if path.parent.name == "runs")


def _compaction_edited(run: Run) -> None:
    part = _compacted(run)
    table = pq.read_table(part, partitioning=None)
    rows = [{**row, "num_rows": 7} for row in table.to_pylist()]
    forging.rewritten(run, part, pa.Table.from_pylist(rows, schema=table.schema), "named")


def _compaction_lost(run: Run) -> None:
    _compacted(run).unlink()


def _source_lost(run: Run) -> None:
    _compacted(run)
    part_of(run, "runs").unlink()


def _asked_again(run: Run) -> None:
    """Other samples counted when the verdicts were sealed."""
    for path in (_marker(run, "score", "committed"), _list(run, "results", "score")):
        in_lines(path, lambda lines: [line.replace('"at": "20', '"at": "19') for line in lines])
    for path in (_marker(run, "generate", "committed"), _list(run, "samples", "generate")):
        in_lines(path, lambda lines: [line.replace("part-", "part-before-") for line in lines] + lines)


def _problems_edited(run: Run) -> None:
    benchmark = registry()["humaneval"]
    version = benchmark.versions[0]
    folder = staged_directory(run.root.parent, benchmark, version)
    folder.mkdir(parents=True)
    (folder / version.artifacts[0].name).write_text('{"task_id": "HumanEval/0"}\n')


def _strings_edited(run: Run) -> None:
    name, harness = next((name, harness) for name, harness in HARNESSES.items() if harness.strings)
    path = run.root.parent / "strings" / f"{name}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({harness.strings[0].name: {"text": "think hard", "sha256": "0" * 64}}))


def _stranger(run: Run) -> None:
    """A shard of another run copied into this one's lake."""
    part = part_of(run, "samples")
    copy = part.with_name(part.name.replace(shard_id(run), "feedfeedfeedfeed"))
    rows = pq.read_table(part, partitioning=None).to_pylist()
    rows = [{**row, "sample_id": os.urandom(16), "shard_id": "feedfeedfeedfeed"} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(part)), copy)
    enter(run, "samples", "generate-feedfeedfeedfeed", [copy.relative_to(run.lake.root).as_posix()])


def _tasks_row_lost(run: Run) -> None:
    changed(run, "tasks", lambda rows: rows[1:], "named")


LAKE_FAULTS: tuple[LakeFault, ...] = (
    LakeFault("samples dropped", "part_missing", _gone("samples")),
    LakeFault("verdicts dropped", "part_missing", _gone("results")),
    LakeFault("timings dropped", "part_missing", _gone("timings")),
    LakeFault("tasks dropped", "part_missing", _gone("tasks")),
    LakeFault("programs dropped", "part_missing", _gone("programs")),
    LakeFault("ledger dropped", "part_missing", _gone("runs")),
    LakeFault("part doubled under another shard", "key_twice", _doubled),
    LakeFault("verdicts flipped in place", "part_digest", lambda run: changed(run, "results", flipped)),
    LakeFault(
        "verdicts flipped, part named anew", "live_as_sealed", lambda run: changed(run, "results", flipped, "named")
    ),
    LakeFault(
        "verdicts flipped, seal rewritten", "verdict_differs", lambda run: changed(run, "results", flipped, "sealed")
    ),
    LakeFault(
        "text of a sample edited in place", "part_digest", lambda run: changed(run, "samples", first(raw_text="!"))
    ),
    LakeFault(
        "text of a sample edited, seal rewritten",
        "journal_differs",
        lambda run: changed(run, "samples", first(raw_text="!"), "sealed"),
    ),
    LakeFault("column shifted by one row", "journal_differs", _shifted_column),
    LakeFault("column dropped", "part_columns", _without_column),
    LakeFault("foreign column", "part_columns", _foreign_column),
    LakeFault("column of another type", "part_columns", _other_type),
    LakeFault("file cut short", "part_digest", _cut_short),
    LakeFault("file emptied", "part_digest", lambda run: part_of(run, "results").write_bytes(b"")),
    LakeFault("one bit flipped", "part_digest", _one_bit),
    LakeFault("page overwritten, part named anew", "part_readable", _page_lost),
    LakeFault(
        "NaN in a measurement",
        "journal_differs",
        lambda run: changed(run, "samples", first(latency_seconds=float("nan")), "sealed"),
    ),
    LakeFault("samples of another model", "values_as_planned", _other_models_rows),
    LakeFault("part in another model's folder", "part_folder", _other_folder),
    LakeFault(
        "model renamed in the plan", "plan_digest", lambda run: in_manifest(run, lambda row: row.update(model=OTHER))
    ),
    LakeFault(
        "temperature changed in the plan",
        "plan_digest",
        lambda run: in_manifest(run, lambda row: row["request"].update(temperature=0.7)),
    ),
    LakeFault("limit changed in the plan, digests too", "values_as_planned", _replanned),
    LakeFault(
        "n raised in the rows",
        "values_as_planned",
        lambda run: changed(run, "samples", each(num_planned=10), "sealed"),
    ),
    LakeFault(
        "seeds changed in the rows", "values_as_planned", lambda run: changed(run, "samples", each(seed=1), "sealed")
    ),
    LakeFault(
        "sample index outside of its window",
        "values_as_planned",
        lambda run: changed(run, "samples", first(sample_index=9), "sealed"),
    ),
    LakeFault(
        "a sample doubled",
        "rows_as_planned",
        lambda run: changed(run, "samples", lambda rows: [*rows, rows[0]], "sealed"),
    ),
    LakeFault(
        "a sample doubled: its key", "key_twice", lambda run: changed(run, "samples", lambda r: [*r, r[0]], "sealed")
    ),
    LakeFault("a sample lost", "rows_as_planned", lambda run: changed(run, "samples", lambda rows: rows[1:], "sealed")),
    LakeFault(
        "a verdict lost", "rows_as_planned", lambda run: changed(run, "results", lambda rows: rows[1:], "sealed")
    ),
    LakeFault("line of the plan lost", "marker", _without_line),
    LakeFault("line of the plan lost: its rows", "unknown_shard", _without_line),
    LakeFault(
        "stale plan: fewer rows",
        "rows_as_planned",
        lambda run: in_manifest(run, lambda row: row.update(expected_rows=41)),
    ),
    LakeFault("garbage in the plan", "manifest_line", lambda run: append_line(run.manifest.path, "not a shard")),
    LakeFault(
        "foreign object in the plan", "manifest_line", lambda run: append_line(run.manifest.path, '{"shard": 1}')
    ),
    LakeFault("journal edited after sealing", "journal_differs", _journal_edited),
    LakeFault(
        "journal shortened after sealing",
        "journal_differs",
        lambda run: in_lines(run.journal("generate", shard_id(run)).path, lambda lines: lines[1:]),
    ),
    LakeFault("score journal edited", "verdict_differs", _score_journal_edited),
    LakeFault("live list names another part", "live_as_sealed", _older_part_listed),
    LakeFault(
        "live list spoilt", "live_list", lambda run: in_lines(_list(run, "samples", "generate"), lambda _: ["spoilt\n"])
    ),
    LakeFault(
        "live list of another table",
        "live_list",
        lambda run: shutil.copyfile(_list(run, "timings", "score"), _list(run, "results", "score")),
    ),
    LakeFault("live list removed", "live_as_sealed", lambda run: _list(run, "samples", "generate").unlink()),
    LakeFault("all live lists removed", "none_live", lambda run: shutil.rmtree(run.lake.root / "_live")),
    LakeFault("done without parts", "live_as_sealed", _done_without_parts),
    LakeFault(
        "marker of an unknown shard",
        "marker",
        lambda run: shutil.copyfile(_marker(run, "score", "done"), run.root / "manifests" / "score-feed.done"),
    ),
    LakeFault("marker torn", "marker", lambda run: os.truncate(_marker(run, "score", "done"), 20)),
    LakeFault(
        "marker with another number",
        "marker",
        lambda run: in_lines(_marker(run, "score", "done"), lambda lines: [lines[0].replace("42", "41")]),
    ),
    LakeFault(
        "record of the seal removed", "live_as_sealed", lambda run: _marker(run, "generate", "committed").unlink()
    ),
    LakeFault("verdicts without samples", "sample_missing", _without_samples),
    LakeFault("timings without verdicts", "sample_missing", _without_verdicts),
    LakeFault("a task lost", "task_missing", _tasks_row_lost),
    LakeFault(
        "text of a program lost",
        "program_missing",
        lambda run: changed(run, "programs", lambda rows: rows[1:], "named"),
    ),
    LakeFault("compacted part edited", "compaction", _compaction_edited),
    LakeFault("compacted part lost", "part_missing", _compaction_lost),
    LakeFault("part behind a compaction lost", "part_missing", _source_lost),
    LakeFault("samples newer than their verdicts", "verdict_older", _asked_again),
    LakeFault("staged problems edited", "staged_digest", _problems_edited),
    LakeFault("protocol strings edited", "staged_digest", _strings_edited),
    LakeFault("shard of another run in the lake", "unknown_shard", _stranger),
)


MENDED = (
    "samples dropped", "verdicts dropped", "timings dropped", "tasks dropped", "programs dropped", "ledger dropped",
    "verdicts flipped in place", "verdicts flipped, part named anew", "text of a sample edited in place",
    "column dropped", "foreign column", "column of another type", "file cut short", "file emptied", "one bit flipped",
    "page overwritten, part named anew", "samples of another model", "part in another model's folder",
    "n raised in the rows", "seeds changed in the rows", "sample index outside of its window", "a sample doubled",
    "a sample doubled: its key", "a sample lost", "a verdict lost", "live list names another part", "live list spoilt",
    "live list of another table", "live list removed", "all live lists removed", "done without parts", "marker torn",
    "marker with another number", "record of the seal removed", "verdicts without samples", "timings without verdicts",
    "a task lost", "text of a program lost", "compacted part edited", "compacted part lost",
    "part behind a compaction lost", "samples newer than their verdicts",
)  # fmt: skip
"""Faults after which every row can be had again without asking a model: ``--repair``, then the stages."""
