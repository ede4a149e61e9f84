"""An audit that grades again: verdicts of a log that our judge does not give are named, and worth what was planted."""

import json

import pytest
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.ingest.staging import staged
from benchforge.runners.ask.audit.report import audited
from benchforge.runners.score.pending import Means


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    benchmark = registry()["forge_mini"]
    version = benchmark.version().name
    return staged.load_tasks(benchmark, version, benchmark.scenarios[0], tmp_path_factory.mktemp("datasets"))


def test_a_log_without_texts_is_not_graded_again(tasks, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({"task_id": one.task_id, "passed": True}) + "\n" for one in tasks))
    wanted = Wanted(AUTO, "forge_mini", scenario=tasks[0].scenario)
    audit = audited(path, wanted, {}, Means(tmp_path / "datasets", None, 2, False))
    assert "not graded again: the log holds verdicts and no texts" in audit.notes
    assert [one.reading for one in audit.numbers] == ["its own verdicts"]


def test_verdicts_that_our_judge_does_not_give_are_found(tasks, tmp_path):
    """Every answer is the reference; two verdicts say that it failed, and one wrong answer is said to have passed."""
    rows = [
        {"task_id": one.task_id, "text": one.reference, "text_form": "program", "base_verdict": "pass"} for one in tasks
    ]
    if any(one.has_plus for one in tasks):
        rows = [row | ({"plus_verdict": "pass"} if one.has_plus else {}) for row, one in zip(rows, tasks, strict=True)]
    for place in (0, 1):
        rows[place]["base_verdict"] = "fail"
    rows[2]["text"] = "raise SystemExit"
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    wanted = Wanted(AUTO, "forge_mini", scenario=tasks[0].scenario)
    audit = audited(path, wanted, {}, Means(tmp_path / "datasets", None, 2, False))
    assert not [note for note in audit.notes if "not graded" in note]
    points = {one.finding.sentence.split(":")[1].split("(")[0].strip(): one.finding for one in audit.causes}
    down, up = points["the log fails, official rules pass it"], points["the log passes, official rules fail it"]
    assert {task for task, _ in down.samples} == {tasks[0].task_id, tasks[1].task_id}
    assert {task for task, _ in up.samples} == {tasks[2].task_id}
    assert (down.effect_points, up.effect_points) == pytest.approx((-200 / len(tasks), 100 / len(tasks)))
    by_reading = {one.reading: one.percent for one in audit.numbers}
    ours = [percent for reading, percent in by_reading.items() if reading.startswith("official rules")]
    assert ours[-1] == pytest.approx(100 * (len(tasks) - 1) / len(tasks))


def test_a_log_that_import_refuses_is_graded_by_its_texts(tasks, tmp_path):
    """Three rows stand twice: no lake takes them, the audit names them and grades what is left."""
    rows = [
        {"task_id": one.task_id, "text": one.reference, "text_form": "program", "passed": True, "sample_index": 0}
        for one in tasks
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *rows[:3]]))
    wanted = Wanted(AUTO, "forge_mini", scenario=tasks[0].scenario)
    audit = audited(path, wanted, {}, Means(tmp_path / "datasets", None, 2, False))
    assert [one.finding.cause_id for one in audit.causes] == ["duplicate_samples"]
    assert any(note.startswith("the texts alone were graded") for note in audit.notes)
    assert all(one.percent == 100 and one.num_problems == len(tasks) for one in audit.numbers)
