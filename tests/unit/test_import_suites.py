"""Graded BigCodeBench and MultiPL-E files: what their rows say, and what is refused before anything is written."""

import json

import pytest
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput, NotStaged, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded import Wanted, import_file
from benchforge.runners.cli.status import _is_gradable
from benchforge.runners.score import pending
from benchforge.runners.selection import Selection

FORMATS = {"bigcodebench": "bigcodebench-graded", "multipl_e": "multipl-e-graded"}
VERSIONS = {"bigcodebench": "hard-a3b8985", "multipl_e": "humaneval-reworded"}


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


@pytest.fixture
def load(run, tmp_path):
    """load(document, benchmark, scenario) -> Imported"""

    def importer(document, benchmark, scenario, name="graded.json", **said):
        path = tmp_path / name
        path.write_text(json.dumps(document))
        wanted = Wanted(FORMATS[benchmark], benchmark, "m", scenario, **said)
        return import_file(run, path, wanted, tmp_path / "datasets")

    return importer


def _ids(benchmark, scenario):
    return known_task_ids(benchmark, VERSIONS[benchmark], scenario)


def _bigcodebench(status="pass", solution="x = 1"):
    """Every problem failed, but the first, which is as the arguments say."""
    first, *others = _ids("bigcodebench", "complete")
    failed = {task_id: [{"solution": "x", "status": "fail", "details": {}}] for task_id in others}
    return {"date": "", "eval": {first: [{"solution": solution, "status": status, "details": {}}], **failed}}


def _multipl_e(language, first=(0, {"passed": True, "result": "passed", "code": "x"})):
    name, *others = _ids("multipl_e", language)
    failed = {task_id: [[0, {"passed": False, "result": "failed: x", "code": "y"}]] for task_id in others}
    return {name: [list(first)], **failed}


@pytest.mark.parametrize(
    ("status", "verdict", "reason"), [("pass", "pass", "ok"), ("timeout", "timeout", "timeout"), ("fail", "fail", None)]
)
def test_a_status_is_a_verdict_and_the_program_is_kept(run, load, status, verdict, reason):
    imported = load(_bigcodebench(status), "bigcodebench", "complete")
    rows = {row["task_id"]: row for row in run.lake.read("results").to_pylist()}
    first = rows[_ids("bigcodebench", "complete")[0]]
    assert (first["official_base_verdict"], first["official_base_reason"]) == (verdict, reason)
    assert (first["trust_tier"], len(rows)) == ("published", 148)
    assert any("hard-a3b8985: it has 148 problems" in note for note in imported.notes)
    samples = run.lake.read("samples", ["task_id", "raw_text", "text_form"]).to_pylist()
    assert {"task_id": first["task_id"], "raw_text": "x = 1", "text_form": "program"} in samples
    assert {row["kind"] for row in run.lake.read("tasks").to_pylist()} == {"suite"}
    assert {tuple(row["test_sets"]) for row in run.lake.read("tasks").to_pylist()} == {("hard",)}


def test_the_hard_set_and_the_whole_one_are_two_requests(run, load):
    """One model, one source, two runs: neither takes the other's samples for its own."""
    source = {"source": "owner/name@0123abc"}
    load(_bigcodebench(), "bigcodebench", "complete", **source)
    ids = known_task_ids("bigcodebench", "full-a3b8985", "complete")
    whole = {"eval": {task_id: [{"solution": "x", "status": "fail"}] for task_id in ids}}
    load(whole, "bigcodebench", "complete", "whole.json", **source)
    sample_ids = run.lake.read("samples", ["sample_id"]).column("sample_id").to_pylist()
    assert len(set(sample_ids)) == len(sample_ids) == 1140 + 148


@pytest.mark.parametrize(
    ("result", "verdict"), [("failed: Exception", "fail"), ("timed out", "timeout"), ("failed: timed out", "fail")]
)
def test_a_language_is_a_scenario_and_its_problems_name_their_source(run, load, result, verdict):
    first = (0, {"passed": False, "result": result, "code": "x"})
    load(_multipl_e("java", first), "multipl_e", "java", "humaneval-java-details.json")
    rows = {row["task_id"]: row for row in run.lake.read("results").to_pylist()}
    assert rows[_ids("multipl_e", "java")[0]]["official_base_verdict"] == verdict
    tasks = {row["task_id"]: row["source_problem"] for row in run.lake.read("tasks").to_pylist()}
    assert len(tasks) == 158 and tasks["HumanEval_23_strlen"] == "HumanEval/23"


_NO_RESULT = (0, {"result": "passed", "code": "x"})


@pytest.mark.parametrize(
    ("document", "benchmark", "scenario", "message"),
    [
        ([], "bigcodebench", "complete", "no object 'eval'"),
        ({"eval": {}}, "bigcodebench", "complete", "no object 'eval'"),
        ({"eval": {"BigCodeBench/0": {}}}, "bigcodebench", "complete", "BigCodeBench/0 are not a list"),
        (_bigcodebench("passed"), "bigcodebench", "complete", "unknown status 'passed'"),
        (_bigcodebench(["pass"]), "bigcodebench", "complete", r"unknown status \['pass'\]"),
        (_bigcodebench(solution=5), "bigcodebench", "complete", "sample 0 of BigCodeBench/13 is not text"),
        ({"eval": {"X/1": [{"status": "pass"}]}}, "bigcodebench", "complete", r"does not have 1 task \(X/1\)"),
        ({"eval": {"BigCodeBench/0": [{"status": "pass"}]}}, "bigcodebench", "complete", "1139 of 1140 tasks missing"),
        ([], "multipl_e", "java", "not an object of samples"),
        ({"HumanEval_23_strlen": [{"passed": True}]}, "multipl_e", "java", "not pairs of completion id and result"),
        ({"HumanEval_23_strlen": [["0", {"passed": True}]]}, "multipl_e", "java", "not pairs of completion id"),
        (_multipl_e("java", _NO_RESULT), "multipl_e", "java", "no true or false in 'passed'"),
        (_multipl_e("java", (0, {"passed": 1})), "multipl_e", "java", "no true or false in 'passed'"),
        (_multipl_e("java", (1, {"passed": True})), "multipl_e", "java", "fewer than 2 samples"),
        (_multipl_e("cpp"), "multipl_e", "java", "does not have 3 tasks"),
        (_multipl_e("cpp"), "multipl_e", None, "several scenarios"),
    ],
)
def test_a_malformed_file_is_one_sentence_and_nothing_is_written(
    load, tmp_path, document, benchmark, scenario, message
):
    with pytest.raises((BadInput, UsageError), match=message) as caught:
        load(document, benchmark, scenario)
    assert "\n" not in caught.value.message
    assert not (tmp_path / "run").exists() and not (tmp_path / "lake").exists()


def test_a_file_named_for_another_language_is_refused(load):
    with pytest.raises(BadInput, match="named for js, not for cpp"):
        load(_multipl_e("cpp"), "multipl_e", "cpp", "humaneval-js-details.json")


def test_samples_in_a_language_that_is_import_only_are_never_pending(run, load):
    """One such shard once ended ``score`` before anything else was graded."""
    load(_multipl_e("java"), "multipl_e", "java", "humaneval-java-details.json")
    one = {"HumanEval_23_strlen": [[0, {"passed": True, "result": "passed", "code": "x"}]]}
    load(one, "multipl_e", "rs", "humaneval-rs-details.json", is_partial=True)
    assert [shard.scenario for shard in pending.to_score(run, Selection())] == ["java"]
    gradable = {shard.scenario: _is_gradable(shard) for shard in run.manifest.shards().values()}
    assert gradable == {"rs": False, "java": True}


def test_problems_that_are_not_here_keep_no_others_from_being_tried(run, load, tmp_path, monkeypatch):
    load(_bigcodebench(), "bigcodebench", "complete")
    load(_multipl_e("java"), "multipl_e", "java", "humaneval-java-details.json")
    tried = []

    def load_tasks(benchmark, *_):
        tried.append(benchmark.name)
        raise NotStaged(f"{benchmark.name} is not staged", "stage it")

    monkeypatch.setattr(pending.staged, "load_tasks", load_tasks)
    means = pending.Means(tmp_path, None, 1, is_unsafe=False)
    with pytest.raises(NotStaged):
        list(pending.score_pending(run, pending.to_score(run, Selection()), means, False, lambda shard: None))
    assert sorted(tried) == ["bigcodebench", "multipl_e"]
