"""The lake that is published: nothing lost that may be told, nothing told that may not, files that readers like."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import texts_lake
from benchforge.ingest import keys
from benchforge.ingest.errors import LakeError
from benchforge.ingest.lake import Lake, arrow_schema
from benchforge.runners.lake_check import check_parts
from benchforge.runners.publish import parts, publication_file
from benchforge.runners.publish.results_lake import SORTED_BY, Assembled, assemble_lake
from benchforge.runners.publish.sensitive import Machine, scan

REDACT = {texts_lake.SECRET_NODE: "<host>", texts_lake.HOME: "<folder>"}
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return texts_lake.write(tmp_path_factory.mktemp("texts") / "lake")


@pytest.fixture(scope="module")
def assembled(lake: Path) -> tuple[Path, Assembled]:
    folder = lake.parent / "published"
    return folder, assemble_lake(lake, folder, REDACT)


@pytest.fixture(scope="module")
def rows(assembled: tuple[Path, Assembled]) -> Rows:
    return _read(assembled[0] / "data")


def _read(folder: Path) -> Rows:
    return [row for part in sorted(folder.rglob("*.parquet")) for row in pq.ParquetFile(part).read().to_pylist()]


def _of(rows: Rows, **wanted: Any) -> Rows:
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_every_sample_and_verdict_is_there_as_it_was(lake: Path, rows: Rows, assembled: tuple[Path, Assembled]) -> None:
    samples = {row["sample_id"]: row for row in Lake(lake).read("samples").to_pylist()}
    results = {(row["sample_id"], row["grader_id"]): row for row in Lake(lake).read("results").to_pylist()}
    assert {row["sample_id"] for row in rows} == set(samples)
    assert {(row["sample_id"], row["grader_id"]) for row in rows if row["grader_id"]} == set(results)
    for row in rows:
        _same(row, samples[row["sample_id"]], except_for=("raw_text", "reasoning", "answer"))
        if row["grader_id"]:
            judged = results[row["sample_id"], row["grader_id"]]
            _same(row, judged, except_for=("source", "shard_id"))
            assert (row["verdict_source"], row["verdict_shard_id"]) == (judged["source"], judged["shard_id"])
    assert (assembled[1].num_samples, assembled[1].num_verdicts) == (len(samples), len(results))


def _same(row: Mapping[str, Any], original: Mapping[str, Any], except_for: tuple[str, ...]) -> None:
    assert {name: row[name] for name in original if name not in except_for} == {
        name: value for name, value in original.items() if name not in except_for
    }


def test_texts_are_lossless_where_the_licence_lets_them_be_told(lake: Path, rows: Rows) -> None:
    originals = {row["sample_id"]: row["raw_text"] for row in Lake(lake).read("samples").to_pylist()}
    for model in (texts_lake.FREE, texts_lake.CHECKPOINT):
        told = [row for row in _of(rows, model=model) if row["source"] is None]
        assert told and all(row["raw_text"] == originals[row["sample_id"]] for row in told)
        assert {texts_lake.NUL, "shared = 1"} <= {row["raw_text"] for row in told}
    [odd] = _of(rows, text_encoding="json")
    assert odd["raw_text"] == texts_lake.SURROGATE


def test_texts_are_withheld_with_their_reason_and_their_digest(lake: Path, rows: Rows) -> None:
    originals = {row["sample_id"]: row["raw_text"] for row in Lake(lake).read("samples").to_pylist()}
    withheld = [row for row in rows if row["text_withheld"]]
    recorded = _of(rows, source="made/repository@0123abc")
    assert {row["model"] for row in withheld} - {texts_lake.FREE} == {texts_lake.KEPT, texts_lake.UNKNOWN}
    assert recorded and all(row["text_withheld"] == "licence" for row in recorded)
    for row in rows:
        assert row["text_digest"] == keys.sha256_text(originals[row["sample_id"]])
        texts = (row["raw_text"], row["reasoning"])
        assert (texts == (None, None)) == (row["text_withheld"] == "licence")


def test_terms_stand_in_every_row_and_in_the_name_of_the_part(assembled: tuple[Path, Assembled], rows: Rows) -> None:
    found = {row["model"]: (row["hub_license"], row["osi_approved"]) for row in rows}
    assert found == {
        texts_lake.FREE: ("apache-2.0", True),
        texts_lake.CHECKPOINT: ("apache-2.0", True),
        texts_lake.KEPT: ("other", False),
        texts_lake.UNKNOWN: ("unknown", False),
    }
    for part in (assembled[0] / "data").rglob("*.parquet"):
        is_approved = found[part.parent.name.removeprefix("model=")][1]
        assert part.name == f"part-{'osi' if is_approved else 'other'}-0.parquet"


def test_programs_are_those_of_texts_that_are_told(assembled: tuple[Path, Assembled]) -> None:
    programs = {row["program"] for row in _read(assembled[0] / "programs")}
    assert f"def f(): return '{texts_lake.FREE}'" in programs and texts_lake.NUL in programs
    assert not any(name in program for program in programs for name in (texts_lake.KEPT, texts_lake.UNKNOWN, "others"))


def test_where_it_ran_is_not_told(assembled: tuple[Path, Assembled]) -> None:
    folder, _ = assembled
    for table, left in (("runs", {"node", "job_id"}), ("timings", {"host"})):
        [part, *_] = sorted((folder / table).rglob("*.parquet"))
        assert set(arrow_schema(table).names) - set(pq.read_schema(part).names) == left
    machine = Machine(hosts=(texts_lake.SECRET_NODE,), home=texts_lake.HOME, folders=(texts_lake.HOME,))
    assert not scan(folder, machine).findings().findings
    [first, _] = _read(folder / "runs")
    assert first["detail"] == "the engine on <host> ended; its log is <folder>/vllm.log"


def test_rows_are_sorted_and_parts_are_such_as_the_hub_reads_best(assembled: tuple[Path, Assembled]) -> None:
    for part in sorted((assembled[0] / "data").rglob("*.parquet")):
        table, metadata = pq.ParquetFile(part).read(), pq.read_metadata(part)
        rows = table.select(SORTED_BY).to_pylist()
        order = [tuple("~" if row[name] is None else row[name] for name in SORTED_BY) for row in rows]
        assert order == sorted(order)
        assert [f"{key}={table[key][0]}" for key in ("benchmark", "model")] == [
            p.name for p in (part.parent.parent, part.parent)
        ]
        columns = [metadata.row_group(0).column(number) for number in range(metadata.num_columns)]
        assert all(column.compression == "ZSTD" and column.has_offset_index for column in columns)
        check_parts(assembled[0])


def test_the_same_lake_gives_the_same_bytes_and_a_published_one_gives_itself(lake: Path, tmp_path: Path) -> None:
    contents = []
    for source, name in ((lake, "once"), (lake, "twice"), (tmp_path / "once", "republished")):
        assemble_lake(source, tmp_path / name, REDACT)
        contents.append(publication_file.write(tmp_path / name).content)
    assert len(set(contents)) == 1


def test_samples_named_as_sensitive_lose_their_text_and_nothing_else(lake: Path, tmp_path: Path) -> None:
    [told] = [
        row
        for row in Lake(lake).read("samples").to_pylist()
        if row["raw_text"] == f"def f(): return '{texts_lake.FREE}'"
    ]
    assemble_lake(lake, tmp_path / "published", REDACT, [told["sample_id"]])
    [row] = _of(_read(tmp_path / "published" / "data"), sample_id=told["sample_id"])
    assert (row["raw_text"], row["text_withheld"], row["model"]) == (None, "sensitive", texts_lake.FREE)
    assert row["official_base_verdict"] is not None
    assert told["raw_text"] not in {each["program"] for each in _read(tmp_path / "published" / "programs")}


def test_verdicts_without_a_sample_are_no_publication(tmp_path: Path) -> None:
    lake = Lake(texts_lake.write(tmp_path / "lake"))
    orphan = texts_lake.result(texts_lake.sample(texts_lake.FREE, 9, 0, "nobody asked"))
    lake.commit("orphan", "score", lake.write_part("results", [orphan], "orphan"))
    with pytest.raises(LakeError, match="1 of 16 verdicts belong to no sample"):
        assemble_lake(lake.root, tmp_path / "published", REDACT)


def test_large_parts_are_followed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    monkeypatch.setattr(parts, "GROUP_ROWS", 1000)
    with duckdb.connect() as connection:
        numbers = connection.sql("select range as number from range(2500)")
        batches = numbers.to_arrow_reader(100)
        written = parts.write_parts(batches, batches.schema, tmp_path, "part")
    assert [path.name for path in written] == ["part-0.parquet", "part-1.parquet", "part-2.parquet"]
    assert [row["number"] for path in written for row in pq.ParquetFile(path).read().to_pylist()] == list(range(2500))


def test_a_publication_says_when_it_was_touched(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "part-0.parquet").write_bytes(b"bytes")
    (tmp_path / "README.md").write_text("card")
    said = publication_file.write(tmp_path)
    assert said.files["runs/part-0.parquet"]["sha256"] == hashlib.sha256(b"bytes").hexdigest()
    assert publication_file.refuse_altered(tmp_path) == said
    (tmp_path / "README.md").write_text("another card")
    assert publication_file.content_of(publication_file.write(tmp_path).files) == said.content, "prose moved a tag"
    (tmp_path / "runs" / "part-0.parquet").write_bytes(b"bytez")
    with pytest.raises(Exception, match="is not as it was published"):
        publication_file.refuse_altered(tmp_path)
    (tmp_path / "runs" / "part-1.parquet").write_bytes(b"more")
    with pytest.raises(Exception, match=r"runs/part-1.parquet was added"):
        publication_file.refuse_altered(tmp_path)
    (tmp_path / "runs" / "part-1.parquet").unlink()
    (tmp_path / "runs" / "part-0.parquet").unlink()
    with pytest.raises(Exception, match=r"runs/part-0.parquet is missing"):
        publication_file.refuse_altered(tmp_path)
