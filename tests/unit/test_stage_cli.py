"""``benchforge stage`` as a user types it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.runners.cli.stage import command
from click.testing import CliRunner


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, [*arguments], catch_exceptions=False, standalone_mode=False)
    return result.stdout


def test_a_folder_is_needed():
    with pytest.raises(UsageError, match="needs a folder"):
        run("humaneval")


def test_a_version_needs_its_benchmark(tmp_path: Path):
    with pytest.raises(UsageError, match="--version needs the benchmark"):
        run("--from", str(tmp_path), "--version", "v1")


def test_nothing_is_written_for_a_wrong_file(tmp_path: Path):
    source = tmp_path / "in"
    source.mkdir()
    (source / "HumanEval.jsonl.gz").write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(BadInput, match="not humaneval v1"):
        run("humaneval", "--from", str(source), "--datasets", str(tmp_path / "datasets"))
    assert not (tmp_path / "datasets").exists()


def test_the_real_files_are_staged_once(shared_data: Path, tmp_path: Path):
    arguments = (
        "cruxeval_i",
        "human-eval",
        "--from",
        str(shared_data),
        "--datasets",
        str(tmp_path),
        "--format",
        "json",
    )
    planned = json.loads(run(*arguments, "--dry-run"))
    assert [row["state"] for row in planned] == ["to stage", "to stage"]
    assert not list(tmp_path.iterdir())
    assert [row["state"] for row in json.loads(run(*arguments))] == ["staged", "staged"]
    assert [row["state"] for row in json.loads(run(*arguments))] == ["in place", "in place"]
    assert (tmp_path / "cruxeval" / "v1" / "cruxeval.jsonl").is_file()


def test_hidden_tests_are_staged_with_their_problems(shared_data: Path, tmp_path: Path):
    """The first release from a file as on the Hub, its tests made up; without ``private_test_cases`` there are none."""
    cases = json.dumps([{"input": "1", "output": "2", "testtype": "stdin"}])
    with gzip.open(shared_data / "livecodebench" / "problems_v1_public_tests.jsonl.gz", "rt") as stream:
        rows = [json.loads(line) for line in stream]
    source = tmp_path / "in"
    source.mkdir()
    arguments = ("livecodebench", "--version", "release_v1", "--from", str(source))
    arguments = (*arguments, "--datasets", str(tmp_path / "datasets"), "--format", "json")
    (source / "test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert [row["what"] for row in json.loads(run(*arguments))] == ["livecodebench"]
    (source / "test.jsonl").write_text("".join(f"{json.dumps({**row, 'private_test_cases': cases})}\n" for row in rows))
    found = [(row["what"], row["state"]) for row in json.loads(run(*arguments))]
    assert found == [("livecodebench", "in place"), ("hidden tests of 400 problems", "staged")]
