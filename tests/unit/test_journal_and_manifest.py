"""Journal and manifest: what a kill can tear, what a changed plan may not do, what a marker means."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from benchforge.ingest.errors import ConfigurationChanged, LakeError
from benchforge.ingest.journal import Journal
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Manifest, Run, Shard

SHARD = Shard(
    shard_id="s1",
    stage="generate",
    benchmark="forge_mini",
    scenario="default",
    dataset_version="v1",
    dataset_digest="d",
    model="forge__a",
    protocol="official",
    request={"temperature": 0.0},
    request_digest="r",
    comparability_digest="c",
    first_sample=0,
    num_samples=1,
    num_planned=1,
    expected_rows=40,
)


def test_journal_keeps_bytes_and_order(tmp_path: Path):
    journal = Journal(tmp_path / "deep" / "j.jsonl")
    for index in range(3):
        journal.append({"index": index, "key": bytes([index])})
    assert list(journal.rows()) == [{"index": index, "key": bytes([index])} for index in range(3)]


@pytest.mark.parametrize("torn", [b'{"index": 9', b'{"index": 9}', b"\x00\x00", b'\xff\xfe"'])
def test_torn_last_line_is_skipped_and_the_journal_goes_on(tmp_path: Path, torn: bytes):
    journal = Journal(tmp_path / "j.jsonl")
    journal.append({"index": 0})
    with journal.path.open("ab") as stream:
        stream.write(torn)
    assert list(journal.rows()) == [{"index": 0}]
    journal.append({"index": 1})
    assert [row["index"] for row in journal.rows() if row["index"] != 9] == [0, 1]


def test_discard_sets_aside_and_deletes_nothing(tmp_path: Path):
    journal = Journal(tmp_path / "j.jsonl")
    for _ in range(2):
        journal.append({"a": 1})
        journal.discard()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["j.jsonl.1", "j.jsonl.2"]
    assert list(journal.rows()) == []


def test_manifest_adds_a_shard_once(tmp_path: Path):
    manifest = Manifest(tmp_path / "manifest.jsonl")
    assert manifest.add([SHARD, replace(SHARD, shard_id="s2", task_ids=("a", "b"))])
    assert manifest.add([SHARD]) == []
    assert list(manifest.shards()) == ["s1", "s2"]
    assert manifest.shards()["s2"].task_ids == ("a", "b")


def test_shard_planned_twice_in_one_call_stands_once(tmp_path: Path):
    manifest = Manifest(tmp_path / "manifest.jsonl")
    assert len(manifest.add([SHARD, SHARD])) == 1
    assert len(manifest.path.read_text().splitlines()) == 1


def test_rows_are_found_again_at_the_offsets_of_their_lines(tmp_path: Path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.append({"index": 0})
    with journal.path.open("ab") as stream:
        stream.write(b'{"index": "hal')
    opened = journal.open()
    written = [opened.write({"index": index, "text": "x" * index}) for index in (1, 2)]
    opened.sync()
    opened.close()
    placed = {row["index"]: offset for offset, row in journal.placed_rows()}
    assert sorted(placed) == [0, 1, 2]
    assert [placed[1], placed[2]] == written
    assert [row["index"] for _, row in journal.rows_at([placed[2], placed[0]])] == [2, 0]
    with pytest.raises(LakeError, match="changed while it was read"):
        list(journal.rows_at([placed[1] + 1]))


def test_changed_shard_is_refused_with_the_field_named(tmp_path: Path):
    manifest = Manifest(tmp_path / "manifest.jsonl")
    manifest.add([SHARD])
    before = manifest.path.read_bytes()
    with pytest.raises(ConfigurationChanged, match="request_digest = 'r', now it would be 'other'"):
        manifest.add([replace(SHARD, request_digest="other")])
    assert manifest.path.read_bytes() == before


def test_shard_is_done_only_after_seal(tmp_path: Path):
    run = Run(tmp_path / "run", Lake(tmp_path / "lake"))
    row = {"benchmark": "forge_mini", "program_id": b"0" * 16, "program": "pass"}
    assert not run.is_done("score", "s1")
    run.seal("score", "s1", {"programs": [row]}, 1)
    assert run.is_done("score", "s1")
    assert run.lake.read("programs").num_rows == 1
    run.seal("score", "s1", {"programs": [row]}, 1)
    assert run.lake.read("programs").num_rows == 1
    assert len((run.root / "manifests" / "score-s1.committed").read_text().splitlines()) == 2


def test_attempts_are_numbered_and_all_kept(tmp_path: Path):
    run = Run(tmp_path / "run", Lake(tmp_path / "lake"))
    moment = datetime.datetime(2026, 1, 1)
    for expected in (1, 2):
        attempt = run.next_attempt("score", "s1")
        assert attempt == expected
        run.record_attempt(
            {
                "run_id": f"s1-score-{attempt}",
                "shard_id": "s1",
                "stage": "score",
                "attempt": attempt,
                "cause": "crashed",
                "started_at": moment,
                "ended_at": moment,
            }
        )
    assert run.lake.read("runs")["attempt"].to_pylist() == [1, 2]
    assert run.next_attempt("generate", "s1") == 1
