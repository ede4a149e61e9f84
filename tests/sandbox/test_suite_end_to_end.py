"""A made suite on the whole road: imported with others' verdicts, its gate opened, graded, on the board, checked.

Problems of our own in bash stand under the names that MultiPL-E's pins count, so that no problem file is needed.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.benchmarks.multipl_e import task_of
from benchforge.ingest.benchmarks.multipl_e_languages import LANGUAGES
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.staging import staged
from benchforge.runners.cli.main import cli
from benchforge.runners.score import conformance
from benchforge.runners.score.readiness.environments import findings
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(conformance.__file__).parent
PROBLEM = next(
    problem
    for problem in map(json.loads, (FOLDER / "multipl_e.jsonl").read_text(encoding="utf-8").splitlines())
    if problem["language"] == "sh"
)
FORGED = next(
    row["completion"]
    for row in map(json.loads, (FOLDER / "multipl_e_forged.jsonl").read_text(encoding="utf-8").splitlines())
    if row["language"] == "sh" and row["attack"].startswith("ends")
)
ANSWERS = (PROBLEM["honest"][0], PROBLEM["wrong"], FORGED)
IDS = sorted(known_task_ids("multipl_e", "humaneval-reworded", "sh") or ())


def made_tasks(*_: Any) -> list[Task]:
    return [task_of("sh", {**PROBLEM, "name": task_id}) for task_id in IDS]


def told(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words)
    return done.exit_code, f"{done.output}{done.exception or ''}"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A scratch folder with a third of right answers, wrong ones and forged ones, graded and built."""
    folder = tmp_path_factory.mktemp("suite")
    file = folder / "graded.jsonl"
    rows = ({"task_id": task_id, "passed": number % 3 != 1} | answer(number) for number, task_id in enumerate(IDS))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    names = ("--benchmark", "multipl_e_sh", "--model", "others__model", "--temperature", "0")
    source = ("--source", "somebody/results@0123456789abcdef0123456789abcdef01234567", "--licence", "MIT")
    place = ("--scratch", str(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staged, "load_tasks", made_tasks)
        assert told("import", "benchforge", str(file), *names, *source, *place)[0] == 0
        code, said = told("score", "--benchmark", "multipl_e", *place)
        assert code != 0 and "gate of multipl_e_sh was never tried" in said
        if any(one.status == "FAIL" for one in findings(LANGUAGES["sh"].environment, folder)):
            pytest.skip("no sandbox for suites here")
        assert told("score", "--benchmark", "multipl_e", "--jobs", "2", *place)[0] == 0
        assert told("aggregate", *place)[0] == 0
    yield folder


def answer(number: int) -> dict[str, str]:
    return {"text": PROBLEM["prompt"] + ANSWERS[number % 3], "text_form": "program"}


def asked(scratch: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(scratch / "default" / "benchforge.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_its_row_on_the_boards_says_how_far_a_pass_is_to_be_trusted(scratch: Path):
    with (ROOT / "seeds" / "suite_detection.csv").open(encoding="utf-8") as stream:
        seed = next(row for row in csv.DictReader(stream) if row["benchmark"] == "multipl_e")
    columns = "origin, trust_tier, detection_rate, num_forged, num_passed"
    found = {
        row[0]: row[1:]
        for row in asked(
            scratch,
            f"select {columns} from leaderboard where verdict = 'official' and metric = 'pass@1'",
        )
    }
    num_right, num_forged = len(IDS[::3]), int(seed["num_forged"])
    ours = ("suite", pytest.approx(int(seed["num_seen"]) / num_forged), num_forged, num_right)
    assert found == {"self": ours, "published": ("published", None, None, num_right + len(IDS[2::3]))}
    assert asked(scratch, "select trust_tier, num_forged from headline") == [("suite", num_forged)]


def test_what_was_forged_fails_and_says_why(scratch: Path):
    where = "origin = 'self' and verdict = 'official'"
    reasons = asked(scratch, f"select reason, sum(num_samples) from fct_failure_reasons where {where} group by reason")
    assert dict(reasons).get("tamper") == len(IDS[2::3])


def test_verdicts_of_others_beside_ours_are_no_damage(scratch: Path):
    code, said = told("check", "--scratch", str(scratch))
    assert code == 0, said
    assert "0 critical" in said
