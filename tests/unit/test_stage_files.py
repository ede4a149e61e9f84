"""Staging finds files by name or digest, refuses wrong and damaged ones, and writes nothing before all is checked."""

from __future__ import annotations

import gzip
import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.declaration import Artifact, Version
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.ingest.staging import files as stage_files

CONTENT = b'{"task_id": "HumanEval/0"}\n' * 100


def wanted(root: Path, content: bytes = CONTENT, name: str = "Problems-v1.jsonl") -> stage_files.Wanted:
    artifact = Artifact(
        name, hashlib.sha256(content).hexdigest(), f"owner/repository@abc1234:data/{name.replace('-v1', '')}.gz"
    )
    return stage_files.Wanted(registry()["humaneval"], Version("v1", (artifact,)), artifact, root / "out" / name)


@pytest.mark.parametrize(
    ("name", "is_packed"),
    [
        ("Problems-v1.jsonl", False),
        ("Problems-v1.jsonl.gz", True),
        ("Problems.jsonl.gz", True),
        ("deep/er/Problems.jsonl", False),
        ("whatever-it-is-called.jsonl", False),
        ("renamed.gz", True),
    ],
)
def test_found_by_name_or_digest_and_written_unpacked(tmp_path: Path, name: str, is_packed: bool):
    source = tmp_path / "in" / name
    source.parent.mkdir(parents=True)
    source.write_bytes(gzip.compress(CONTENT) if is_packed else CONTENT)
    plan = stage_files.plan_staging([wanted(tmp_path)], tmp_path / "in")
    assert not (tmp_path / "out").exists()
    stage_files.write_staged(plan)
    assert (tmp_path / "out" / "Problems-v1.jsonl").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Problems-v1.jsonl"]


def test_a_file_in_place_is_left_alone_and_a_damaged_one_replaced(tmp_path: Path):
    one = wanted(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Problems.jsonl").write_bytes(CONTENT)
    stage_files.write_staged(stage_files.plan_staging([one], tmp_path / "in"))
    (again,) = stage_files.plan_staging([one], tmp_path / "in")
    assert not again.is_new
    one.target.write_bytes(CONTENT[:-5])
    (mended,) = stage_files.plan_staging([one], tmp_path / "in")
    stage_files.write_staged([mended])
    assert one.target.read_bytes() == CONTENT


@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_ctrl_c_leaves_whole_files_and_the_same_command_brings_the_others(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    both = [wanted(tmp_path), wanted(tmp_path, b"other", "Other.jsonl")]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Problems.jsonl").write_bytes(CONTENT)
    (tmp_path / "in" / "Other.jsonl").write_bytes(b"other")
    name = call.removeprefix("os.")
    real = getattr(os, name)

    def stopped_at_the_second_file(*given: object) -> object:
        if list((tmp_path / "out").glob(".Other*")):
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, stopped_at_the_second_file)
        with pytest.raises(KeyboardInterrupt):
            stage_files.write_staged(stage_files.plan_staging(both, tmp_path / "in"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Problems-v1.jsonl"]
    stage_files.write_staged(stage_files.plan_staging(both, tmp_path / "in"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "Problems-v1.jsonl": CONTENT,
        "Other.jsonl": b"other",
    }


def test_a_damaged_packed_file_is_named(tmp_path: Path):
    (tmp_path / "Problems.jsonl.gz").write_bytes(gzip.compress(CONTENT)[:-20])
    with pytest.raises(BadInput, match="damaged and cannot be unpacked") as caught:
        stage_files.plan_staging([wanted(tmp_path)], tmp_path)
    assert caught.value.hint == "take data/Problems.jsonl.gz from owner/repository at commit abc1234"


def test_another_content_under_the_name_is_named(tmp_path: Path):
    (tmp_path / "Problems.jsonl").write_bytes(CONTENT + b"{}\n")
    with pytest.raises(BadInput, match="not humaneval v1: its sha256 begins with"):
        stage_files.plan_staging([wanted(tmp_path)], tmp_path)


def test_another_version_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other = next(iter(registry()["humanevalplus"].versions))
    monkeypatch.setattr(stage_files, "_digest", lambda path: other.artifacts[0].sha256)
    (tmp_path / "Problems.jsonl").write_bytes(b"x")
    with pytest.raises(BadInput, match=f"it is humanevalplus {other.name}"):
        stage_files.plan_staging([wanted(tmp_path)], tmp_path)


def test_one_missing_file_stops_all(tmp_path: Path):
    (tmp_path / "Problems.jsonl").write_bytes(CONTENT)
    with pytest.raises(BadInput, match="does not hold Other"):
        stage_files.plan_staging([wanted(tmp_path), wanted(tmp_path, b"other", "Other.jsonl")], tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_file_that_changes_meanwhile_is_not_written(tmp_path: Path):
    source = tmp_path / "Problems.jsonl"
    source.write_bytes(CONTENT)
    plan = stage_files.plan_staging([wanted(tmp_path)], tmp_path)
    source.write_bytes(CONTENT * 2)
    with pytest.raises(BadInput, match="changed while it was read"):
        stage_files.write_staged(plan)
    assert not (tmp_path / "out").exists()


def test_without_names_whatever_is_there_is_staged(tmp_path: Path):
    (tmp_path / "Problems.jsonl").write_bytes(CONTENT)
    plan = stage_files.plan_what_is_there([wanted(tmp_path), wanted(tmp_path, b"other", "Other.jsonl")], tmp_path)
    assert [staging.wanted.artifact.name for staging in plan] == ["Problems-v1.jsonl"]
    (tmp_path / "Problems.jsonl").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="none of the pinned problem files"):
        stage_files.plan_what_is_there([wanted(tmp_path)], tmp_path)


def test_benchmarks_without_files_and_folders_that_are_none_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="import-only"):
        stage_files.wanted_files([replace(registry()["humaneval"], load=None, needs_staging=False)], None, tmp_path)
    with pytest.raises(UsageError, match="bundled"):
        stage_files.wanted_files([registry()["forge_mini"]], None, tmp_path)
    with pytest.raises(UsageError, match="not a folder"):
        stage_files.plan_staging([wanted(tmp_path)], tmp_path / "nowhere")
