"""LiveCodeBench samples of our own in the marts: windows, clean subset, errata, and what each model loses by what."""

from __future__ import annotations

import datetime
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.declaration import Prompt, Task
from benchforge.ingest.benchmarks.errata import errata
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.planning.models import ServedModel
from benchforge.ingest.planning.task_sets import dataset_digest
from benchforge.ingest.staging import files as stage_files
from benchforge.ingest.staging.staged import load_tasks
from benchforge.ingest.tasks import record_tasks
from benchforge.runners import aggregate
from benchforge.runners.generate.client import Endpoint, Reply
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.request import request_of
from benchforge.runners.generate.rows import sample_rows
from benchforge.runners.score.judge import OFFICIAL, Graded, Job, Outcome, PartOutcome
from benchforge.runners.score.shard import ShardScorer

BENCHMARK = registry()["livecodebench"]
RELEASE = "release_v6"
COUNTS = {"v1": 400, "v2": 511, "v3": 612, "v4": 713, "v5": 880, "v6": 1055}
READS_LINES, LOSES_FENCES = "lab__reads-lines", "lab__doubles-fences"
CUTOFF = datetime.date(2023, 9, 30)
VARIABLES = {
    "model_cutoffs": {READS_LINES: str(CUTOFF), LOSES_FENCES: "2023-01-31"},
    "windows": {"early": ["2023-05-07", "2023-08-13"]},
}
MARTS = ("leaderboard", "fct_refusals", "fct_contamination", "fct_verdict_disagreement_counts")
pytestmark = pytest.mark.slow


class Judge:
    """Extracts as the benchmark does. The official oracle fails what reads lines, the strict one does not."""

    mode, layers, is_unsafe, rules = "bubblewrap", ("seccomp",), False, OFFICIAL

    def grader_id(self, oracles: Any) -> str:
        return "scripted"

    def extract_all(self, wanted: Iterable[tuple[str, str, Mapping[str, str]]]) -> list[str]:
        from benchforge.runners.score.extract import extractor

        return [extractor(name)(text, context) for name, text, context in wanted]

    def grade(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        for job in jobs:
            outcomes = {
                name: Outcome(_part("right" in job.program and (name == "strict" or "lines" not in job.program)), None)
                for name in job.oracles
            }
            yield job, Graded(outcomes, 0.1, 0.1, 1, (0.1,), 1)


def _part(is_right: bool) -> PartOutcome:
    return PartOutcome("pass", "ok", None, 3, 3) if is_right else PartOutcome("fail", "wrong_answer", 0, 1, 0)


def answer(model: str, number: int) -> str:
    """Every third is wrong; one model reads lines in every fourth, one doubles its last fence in every fifth."""
    program = "wrong = 1" if number % 3 == 0 else "right = 1"
    if model == READS_LINES and number % 4 == 0:
        program += "\nlines = 1"
    doubled = "\n```" if model == LOSES_FENCES and number % 5 == 0 else ""
    return f"```python\n{program}\n```{doubled}\n"


def is_passed(model: str, number: int) -> bool:
    is_lost = number % 4 == 0 if model == READS_LINES else number % 5 == 0
    return number % 3 != 0 and not is_lost


@pytest.fixture(scope="module")
def tasks(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Task]:
    """Release 6 from files as on the Hub: real statements, made tests; in which file the problems of releases 2 to 4
    are is made up as well, since no list says it."""
    folder = tmp_path_factory.mktemp("hub")
    cases = json.dumps([{"input": "1", "output": "2", "testtype": "stdin"}])
    made = {"public_test_cases": cases, "private_test_cases": cases, "metadata": "{}"}
    with gzip.open(shared_data / "livecodebench" / "problems_v6_statements.jsonl.gz", "rt") as stream:
        rows = {row["question_id"]: {**row, **made} for row in map(json.loads, stream)}
    before: set[str] = set()
    for number, (test_set, count) in enumerate(COUNTS.items(), start=1):
        known = known_task_ids(BENCHMARK.name, f"release_{test_set}", "generation") or ()
        added = sorted(set(known) - before)[: count - len(before)]
        before.update(added)
        name = "test.jsonl" if number == 1 else f"test{number}.jsonl"
        (folder / name).write_text("".join(f"{json.dumps(rows[task_id])}\n" for task_id in added))
    for release in ("release_v2", "release_v3", RELEASE):
        wanted = stage_files.wanted_files([BENCHMARK], release, folder / "datasets")
        stage_files.write_staged(stage_files.plan_staging(wanted, folder))
        stage_files.keep_hidden_tests(wanted, folder)
    return load_tasks(BENCHMARK, RELEASE, "generation", folder / "datasets")


@pytest.fixture(scope="module")
def connection(tasks: list[Task], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("own")
    run = Run(folder / "run", Lake(folder / "lake"))
    digest = dataset_digest(BENCHMARK, BENCHMARK.version(RELEASE))
    record_tasks(run.lake, tasks, RELEASE, digest)
    by_id = {task.task_id: task for task in tasks}
    for model in (READS_LINES, LOSES_FENCES):
        shard = generated(run, model, tasks, digest)
        ShardScorer(run, shard, BENCHMARK, by_id, Judge()).score()  # type: ignore[arg-type]
    build(run.lake.root, folder / "marts.duckdb", folder / "target")
    with aggregate.opened(folder / "marts.duckdb") as opened:
        yield opened


def generated(run: Run, model: str, tasks: list[Task], digest: str) -> Shard:
    request = {"templating_mode": "chat", "temperature": 0.0, "top_p": 0.95, "max_tokens": 2000, "protocol": "official"}
    request_digest = ("a" if model == READS_LINES else "b") * 64
    shard = Shard(
        model.replace("_", "-"), "generate", BENCHMARK.name, "generation", RELEASE, digest, model, "official", request,
        request_digest, "c" * 64, 0, 1, 1, len(tasks), seed=1,
    )  # fmt: skip
    run.manifest.add([shard])
    prompt, served, engine = (
        Prompt(messages=(("user", "q"),)),
        ServedModel(model, "x"),
        Engine("vllm", Endpoint("", "")),
    )
    sent, rows = request_of(shard, prompt, 0, served), []
    for number, task in enumerate(tasks):
        content = {"content": answer(model, number)}
        reply = Reply({"choices": [{"message": content, "finish_reason": "stop"}]}, 1, 0.1)
        rows += sample_rows(shard, task, [0], prompt, sent, reply, engine)
    run.seal("generate", shard.shard_id, {"samples": rows}, len(rows))
    return shard


def build(lake: Path, path: Path, target: Path) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    variables = {"lake_root": str(lake), "duckdb_path": str(path), **VARIABLES}
    folders = [f"--project-dir={aggregate.PROJECT}", f"--profiles-dir={aggregate.PROJECT}", f"--target-path={target}"]
    quiet = ["--log-level=none", "--log-level-file=none", f"--log-path={target}", "--target=local"]
    select = ["--select", *(f"+{mart}" for mart in MARTS), "--exclude-resource-type=unit_test"]
    select = ["--indirect-selection=cautious", *select]
    try:
        outcome = dbtRunner().invoke(["build", *folders, *quiet, *select, "--vars", json.dumps(variables)])
    finally:
        DuckDBConnectionManager.close_all_connections()
    bad = [one.message for one in outcome.result.results if one.status not in ("success", "pass")]
    assert outcome.success, bad


def scopes(connection: Any, model: str) -> dict[str, tuple[int, int]]:
    query = (
        "select scope, num_problems, score_numerator::bigint from leaderboard where model = ? and metric = 'pass@1'"
        " and verdict = 'official' and is_headline_test_set and origin = 'self'"
    )
    return {scope: (num, passed) for scope, num, passed in connection.execute(query, [model]).fetchall()}


def counted(tasks: list[Task], model: str, is_in: Any) -> tuple[int, int]:
    """Directly from the answers: problems of a scope, and those that are passed."""
    chosen = [number for number, task in enumerate(tasks) if is_in(task)]
    return len(chosen), sum(is_passed(model, number) for number in chosen)


def test_scopes_equal_a_direct_computation(connection: Any, tasks: list[Task]):
    wrong = {name for benchmark, version, name in errata() if (benchmark, version) == (BENCHMARK.name, RELEASE)}
    first, last = (datetime.date.fromisoformat(day) for day in VARIABLES["windows"]["early"])
    days = {task.contest_date for task in tasks}
    assert {first, last} <= days  # both days hold contests, so that inclusive ends differ from others
    for model in (READS_LINES, LOSES_FENCES):
        found = scopes(connection, model)
        assert found["all"] == counted(tasks, model, lambda task: True)
        assert found["window_early"] == counted(tasks, model, lambda task: first <= task.contest_date <= last)
        assert found["without_errata"] == counted(tasks, model, lambda task: task.task_id not in wrong)
    clean = counted(tasks, READS_LINES, lambda task: task.contest_date > CUTOFF)
    assert scopes(connection, READS_LINES)["clean"] == clean


def test_one_run_on_release_6_gives_the_board_of_every_release(connection: Any, tasks: list[Task]):
    query = (
        "select test_set, num_problems, score_numerator::bigint from leaderboard where model = ? and scope = 'all'"
        " and metric = 'pass@1' and verdict = 'official' and origin = 'self'"
    )
    for model in (READS_LINES, LOSES_FENCES):
        found = {name: (count, passed) for name, count, passed in connection.execute(query, [model]).fetchall()}
        assert {name: count for name, (count, _) in found.items()} == COUNTS
        for name, cell in found.items():
            assert cell == counted(tasks, model, lambda task, name=name: name in task.test_sets)
        parts = scopes(connection, model)
        assert {f"release_{name}": parts[f"release_{name}"] for name in COUNTS if name != "v6"} == {
            f"release_{name}": cell for name, cell in found.items() if name != "v6"
        }


def test_months_say_which_lie_after_the_cutoff(connection: Any, tasks: list[Task]):
    query = (
        "select month, num_problems, is_after_cutoff from fct_contamination where model = ? and verdict = 'official'"
    )
    months = connection.execute(query, [READS_LINES]).fetchall()
    assert sum(number for _, number, _ in months) == len(tasks) == 1055
    assert all(is_after is (month > CUTOFF) for month, _, is_after in months)


def test_a_query_says_which_model_loses_most_by_the_oracle_and_which_by_extraction(connection: Any):
    query = """
        select axis, arg_max(model, lost), max(lost)
        from (
            select axis, model, sum(num_samples) as lost
            from fct_verdict_disagreement_counts
            where benchmark = 'livecodebench' and official_verdict <> 'pass' and strict_verdict = 'pass'
            group by all
        )
        group by all
    """
    found = {axis: (model, int(lost)) for axis, model, lost in connection.execute(query).fetchall()}
    by_oracle = sum(number % 3 != 0 and number % 4 == 0 for number in range(1055))
    by_extraction = sum(number % 3 != 0 and number % 5 == 0 for number in range(1055))
    assert found == {"oracle": (READS_LINES, by_oracle), "extraction": (LOSES_FENCES, by_extraction)}
