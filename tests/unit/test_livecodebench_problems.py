"""LiveCodeBench's statements: put together from upstream's files, planned, asked."""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import livecodebench_problems, registry
from benchforge.ingest.benchmarks.declaration import Artifact, Version
from benchforge.ingest.bundled import task_ids
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import BadInput, NotStaged
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.planning import wanted
from benchforge.ingest.planning.plan import Plan, Scope, make_plan
from benchforge.ingest.staging import files as stage_files
from benchforge.ingest.staging import strings as stage_strings
from benchforge.ingest.staging.staged import load_tasks

BENCHMARK = registry()["livecodebench"]
RELEASE = Version("release_v6", (Artifact("statements.jsonl", "0" * 64, "test"),))
STDIN = {
    "question_id": "b_1",
    "question_title": "Sum",
    "question_content": "Read two numbers, print their sum: größer als {0}.",
    "platform": "atcoder",
    "contest_id": "abc1",
    "contest_date": "2024-01-01T00:00:00",
    "starter_code": "",
    "difficulty": "easy",
}
METHOD = {**STDIN, "question_id": "a_2", "starter_code": "class Solution:\n", "platform": "leetcode", "contest_id": ""}
TESTS = {"public_test_cases": "[]", "private_test_cases": "eJw" * 1000, "metadata": "{}"}


@pytest.fixture(autouse=True)
def _two_problems(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of two problems, except where the real one is staged."""
    if "datasets" not in request.fixturenames:
        monkeypatch.setattr(task_ids, "known_task_ids", lambda *version: ("a_2", "b_1"))


@pytest.fixture(scope="module")
def datasets(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real statements of every pinned release."""
    root = tmp_path_factory.mktemp("datasets")
    every = [one for one in stage_files.every_pinned_file(root) if one.benchmark.name == BENCHMARK.name]
    pinned = [one for one in every if one.artifact.sha256]
    stage_files.write_staged(stage_files.plan_staging(pinned, shared_data / "livecodebench"))
    return root


def upstream(folder: Path, *problems: dict[str, Any], name: str = "test.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    content = "".join(json.dumps({**TESTS, **problem}) + "\n" for problem in problems).encode()
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def assembled(*paths: Path) -> bytes:
    return livecodebench_problems.assemble(paths, RELEASE)


def test_statements_are_the_same_bytes_whatever_files_they_came_from(tmp_path: Path):
    both = assembled(upstream(tmp_path / "a", STDIN, METHOD))
    day = {**METHOD, "contest_date": "2024-01-01"}
    apart = assembled(upstream(tmp_path / "b", day), upstream(tmp_path / "b", STDIN, name="test2.jsonl.gz"))
    assert both == apart
    assert [json.loads(line)["question_id"] for line in both.splitlines()] == ["a_2", "b_1"]
    assert b"private_test_cases" not in both


def test_other_files_beside_them_do_no_harm(tmp_path: Path):
    folder = tmp_path / "in"
    (right, *_) = paths = [upstream(folder, STDIN, METHOD), folder / "cut.jsonl.gz", folder / "other.json"]
    paths[1].write_bytes(gzip.compress(b'{"question_id": "a_2"}\n')[:-6])
    paths[2].write_text("[1, 2]")
    assert assembled(*reversed(paths)) == assembled(right)


def test_a_missing_file_is_said_by_the_problems_that_miss(tmp_path: Path):
    with pytest.raises(
        BadInput, match=r"1 of the 2 problems of livecodebench release_v6 are there, b_1 is not"
    ) as caught:
        assembled(upstream(tmp_path / "in", METHOD))
    assert "test*.jsonl of livecodebench/code_generation_lite" in caught.value.hint


def test_other_words_under_the_right_ids_are_refused(tmp_path: Path):
    upstream(tmp_path / "in", STDIN, {**METHOD, "question_content": "Changed."})
    (one,) = stage_files.wanted_files([BENCHMARK], "release_v6", tmp_path)
    with pytest.raises(BadInput, match="are not those of livecodebench release_v6"):
        stage_files.plan_staging([one], tmp_path / "in")
    with pytest.raises(BadInput, match="none of the pinned problem files"):
        stage_files.plan_what_is_there([one], tmp_path / "in")


def test_staged_statements_become_tasks_to_be_asked(tmp_path: Path):
    content = assembled(upstream(tmp_path / "in", STDIN, METHOD))
    artifact = Artifact("statements.jsonl", hashlib.sha256(content).hexdigest(), "test")
    one = stage_files.Wanted(BENCHMARK, Version("release_v6", (artifact,)), artifact, tmp_path / "out" / artifact.name)
    (staging,) = stage_files.plan_staging([one], tmp_path / "in")
    assert staging.is_new and not one.target.exists()
    stage_files.write_staged([staging])
    assert one.target.read_bytes() == content
    (in_place,) = stage_files.plan_staging([one], tmp_path / "in")
    assert not in_place.is_new
    method, stdin = livecodebench_problems.load(one.target.parent, one.version, "generation")
    assert (method.task_id, method.kind, method.cluster, method.payload["starter_code"]) == (
        "a_2",
        "calls",
        None,
        "class Solution:\n",
    )
    assert (stdin.kind, stdin.cluster, stdin.stratum) == ("stdin", "atcoder/abc1", "easy")
    assert stdin.contest_date == datetime.date(2024, 1, 1)
    assert stdin.test_sets == ("v6",)


def test_other_scenarios_are_import_only(tmp_path: Path):
    for scenario in ("testgen", "repair"):
        with pytest.raises(NotStaged, match="is import-only"):
            load_tasks(BENCHMARK, "release_v6", scenario, tmp_path)


@pytest.mark.parametrize(("version", "count"), [("release_v1", 400), ("release_v4", 713), ("release_v5", 880)])
def test_real_releases_are_parts_of_the_last_one(datasets: Path, version: str, count: int):
    last = {task.task_id: task for task in load_tasks(BENCHMARK, None, "generation", datasets)}
    assert len(last) == 1055
    tasks = load_tasks(BENCHMARK, version, "generation", datasets)
    assert len(tasks) == count
    own = f"v{version[-1]}"
    for task in tasks:
        there = last[task.task_id]
        assert dataclasses.replace(task, test_sets=there.test_sets) == there
        assert set(task.test_sets) <= {*there.test_sets} and task.test_sets[-1] == own and there.test_sets[-1] == "v6"
    assert sum(own in task.test_sets for task in last.values()) == count


RUN_FILE = """
benchmarks: [livecodebench_generation]
models:
  - model: lab__chat
  - {model: lab__base, templating_mode: completions}
"""


def plan_of(run: Run, datasets: Path, tmp_path: Path, text: str = RUN_FILE) -> Plan:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    settings = load_settings({}, path, {"HOME": str(tmp_path)})
    defaults = {"seed": 0, "num_samples": 1, "engine": "replay"}
    return make_plan(run, wanted.wanted_of(settings), defaults, datasets, Scope())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


@pytest.fixture
def _some_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_strings, "read_strings", lambda names, root: {name: f"{name}\n" for name in names})


@pytest.mark.usefixtures("_some_words")
def test_a_staged_release_is_planned_for_each_model_in_its_own_mode(run: Run, datasets: Path, tmp_path: Path):
    chat, base = plan_of(run, datasets, tmp_path).shards
    assert (chat.expected_rows, base.expected_rows) == (1055, 1055)
    asked = [(one.protocol, one.request["templating_mode"], one.request["max_tokens"]) for one in (chat, base)]
    assert asked == [("official", "chat", 2000), ("official_base", "completions", 2000)]
    assert (chat.request["stop"], chat.request["top_p"], chat.request["temperature"]) == (["###"], 0.95, 0.0)


@pytest.mark.usefixtures("_some_words")
@pytest.mark.parametrize(
    ("protocol", "mode", "stop", "max_tokens"),
    [
        ("corrected", "chat", [], 8192),
        ("official_codeqwen", "completions", ["###"], 2000),
    ],
)
def test_named_protocols_are_planned(
    run: Run, datasets: Path, tmp_path: Path, protocol: str, mode: str, stop: list[str], max_tokens: int
):
    text = f"benchmarks: [livecodebench_generation]\nmodels:\n  - {{model: lab__chat, protocol: {protocol}}}\n"
    (shard,) = plan_of(run, datasets, tmp_path, text).shards
    asked = shard.request
    assert (asked["templating_mode"], asked["stop"], asked["max_tokens"]) == (mode, stop, max_tokens)


def test_what_is_not_staged_waits_with_the_command(run: Run, tmp_path: Path):
    plan = plan_of(run, tmp_path, tmp_path)
    assert not plan.shards
    assert {one.hint for one in plan.waiting} == {"benchforge stage livecodebench --version release_v6 --from DIR"}
