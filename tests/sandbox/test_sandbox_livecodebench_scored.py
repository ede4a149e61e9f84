"""``score`` on LiveCodeBench: tests staged from upstream's files, our own samples, verdicts in the lake."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import pickle
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import livecodebench_problems, livecodebench_tests, registry
from benchforge.ingest.benchmarks.declaration import Artifact, Benchmark, Prompt, Task
from benchforge.ingest.bundled import task_ids
from benchforge.ingest.errors import BadInput, NotStaged
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.planning.models import ServedModel
from benchforge.ingest.staging import files as stage_files
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.generate.client import Endpoint, Reply
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.request import request_of
from benchforge.runners.generate.rows import sample_rows
from benchforge.runners.score import pending
from benchforge.runners.score.judge import Judge
from benchforge.runners.score.pending import Means, score_pending, to_score
from benchforge.runners.selection import Selection

RELEASE = "release_v1"
_STATEMENT = {
    "question_title": "", "question_content": "", "contest_id": "abc1", "contest_date": "2024-01-01T00:00:00",
    "difficulty": "easy",
}  # fmt: skip
_SUM = "input()\nprint(sum(map(int, input().split())))"
_READS = "import sys\nrows = [line for line in sys.stdin]\nprint(sum(map(int, rows[1].split())))"
_ADD = "class Solution:\n    def add(self, a, b):\n        return a + b"
ANSWERS = {
    "sum": {_SUM: ("pass", "pass"), _READS: ("fail", "pass"), "print(6)": ("fail", "fail"), "": ("fail", "fail")},
    "add": {_ADD: ("pass", "pass"), _ADD.replace("+", "-"): ("fail", "fail")},
}
"""Problem -> program -> official and strict verdict."""


def _cases(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"input": given, "output": wanted, "testtype": "stdin"} for given, wanted in pairs]


def problem(
    task_id: str, public: list[tuple[str, str]], hidden: list[tuple[str, str]], **fields: str
) -> dict[str, Any]:
    packed = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(_cases(hidden))))).decode()
    tests = {"public_test_cases": json.dumps(_cases(public)), "private_test_cases": packed}
    return {
        "question_id": task_id,
        **_STATEMENT,
        "starter_code": "",
        "platform": "atcoder",
        "metadata": "{}",
        **tests,
        **fields,
    }


PROBLEMS = [
    problem("sum", [("3\n1 2 3\n", "6\n")], [("1\n10\n", "10"), ("2\n-5 7", "2\n")]),
    problem(
        "add", [("1\n2", "3")], [("[1]\n[2]", "[1, 2]")],
        starter_code="class Solution:\n", platform="leetcode", metadata=json.dumps({"func_name": "add"}),
    ),
]  # fmt: skip


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    """The benchmark with a release of two problems, staged from a directory as on the Hub."""
    monkeypatch.setattr(task_ids, "known_task_ids", lambda *version: ("add", "sum"))
    hub = tmp_path / "hub"
    hub.mkdir()
    (hub / "test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in PROBLEMS))
    known = registry()["livecodebench"]
    version = known.version(RELEASE)
    digest = hashlib.sha256(livecodebench_problems.assemble([hub / "test.jsonl"], version)).hexdigest()
    pinned = replace(version, artifacts=(Artifact("statements.jsonl", digest, "test"),))
    made = replace(known, versions=(pinned,))
    monkeypatch.setattr(pending, "registry", lambda: {known.name: made})
    wanted = stage_files.wanted_files([made], None, tmp_path / "datasets")
    stage_files.write_staged(stage_files.plan_staging(wanted, hub))
    assert [number for _, number in stage_files.keep_hidden_tests(wanted, hub)] == [2]
    return made


def generated(run: Run, tasks: Mapping[str, Task]) -> Shard:
    """Samples as an engine gives them: one answer in a fence per program."""
    request = {"templating_mode": "chat", "temperature": 0.2, "top_p": 1.0, "max_tokens": 99, "protocol": "official"}
    number = sum(map(len, ANSWERS.values()))
    shard = Shard(
        "s1", "generate", "livecodebench", "generation", RELEASE, None, "lab__x", "official", request, "0" * 64,
        "0" * 64, 0, 4, 4, number, seed=1,
    )  # fmt: skip
    run.manifest.add([shard])
    served, rows = ServedModel("lab__x", "x"), []
    for task_id, programs in ANSWERS.items():
        for index, program in enumerate(programs):
            prompt = Prompt(messages=(("user", "q"),))
            text = f"So:\n```python\n{program}\n```\n"
            reply = Reply({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}, 1, 0.1)
            sent = request_of(shard, prompt, index, served)
            engine = Engine("vllm", Endpoint("", ""))
            rows += sample_rows(shard, tasks[task_id], [index], prompt, sent, reply, engine)
    run.seal("generate", "s1", {"samples": rows}, len(rows))
    return shard


@contextmanager
def silent(shard: Shard) -> Iterator[Any]:
    yield lambda number: None


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


def score(run: Run, root: Path, num_workers: int = 1) -> None:
    means = Means(root / "datasets", None, num_workers, False)
    list(score_pending(run, to_score(run, Selection()), means, False, silent))


def tasks_of(benchmark: Benchmark, root: Path) -> dict[str, Task]:
    return {task.task_id: task for task in load_tasks(benchmark, None, "generation", root / "datasets")}


def test_our_own_samples_get_both_verdicts_on_hidden_tests(benchmark: Benchmark, run: Run, tmp_path: Path) -> None:
    generated(run, tasks_of(benchmark, tmp_path))
    score(run, tmp_path)
    rows = {(row["task_id"], row["sample_index"]): row for row in run.lake.read("results").to_pylist()}
    for task_id, programs in ANSWERS.items():
        for index, verdicts in enumerate(programs.values()):
            row = rows.pop((task_id, index))
            assert (row["official_base_verdict"], row["strict_base_verdict"]) == verdicts, (task_id, index)
            assert row["trust_tier"] == "values" and row["official_plus_verdict"] is None
            if verdicts == ("pass", "pass"):
                assert row["official_base_num_passed"] == {"sum": 3, "add": 2}[task_id]
    assert not rows
    (recorded,) = [row for row in run.lake.read("tasks").to_pylist() if row["task_id"] == "sum"]
    assert (recorded["num_base_cases"], recorded["kind"], recorded["cluster"]) == (3, "stdin", "atcoder/abc1")


def test_without_tests_scoring_names_the_command_and_keeps_the_samples(
    benchmark: Benchmark, run: Run, tmp_path: Path
) -> None:
    generated(run, tasks_of(benchmark, tmp_path))
    index = tmp_path / "datasets" / "livecodebench" / RELEASE / livecodebench_tests.INDEX
    kept = index.read_bytes()
    index.unlink()
    with pytest.raises(NotStaged, match="release_v1 cannot be scored yet: its hidden tests are not staged") as caught:
        score(run, tmp_path)
    assert "benchforge stage livecodebench --version release_v1 --from DIR" in caught.value.hint
    assert run.lake.read("results").num_rows == 0
    index.write_bytes(kept)
    score(run, tmp_path)
    assert run.lake.read("results").num_rows == 6


def test_a_damaged_file_of_tests_ends_scoring_without_a_verdict(benchmark: Benchmark, run: Run, tmp_path: Path) -> None:
    generated(run, tasks_of(benchmark, tmp_path))
    for path in (tmp_path / "datasets" / "livecodebench" / "tests").iterdir():
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"10", b"11")))
    with pytest.raises(BadInput, match="is not what was staged: its sha256 differs"):
        score(run, tmp_path)
    assert run.lake.read("results").num_rows == 0


def test_a_task_goes_to_a_worker_without_its_tests(benchmark: Benchmark, tmp_path: Path) -> None:
    tasks = tasks_of(benchmark, tmp_path)
    sizes = {len(pickle.dumps(task)) for task in tasks.values()}
    assert max(sizes) < 2000 and "cases" not in tasks["sum"].payload
    with Judge(tasks) as judge, pytest.raises(NotStaged, match="has no tests"):
        from benchforge.runners.score.judge import Job

        bare = replace(tasks["sum"], payload={"harness": "livecodebench", "starter_code": ""})
        judge.tasks = {"sum": bare}
        list(judge.grade([Job(1, "sum", _SUM, ("official", "strict"))]))
