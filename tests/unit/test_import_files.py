"""Import: reconcile first, write once, change nothing the second time."""

import gzip
import json
import shutil
from contextlib import nullcontext

import pytest
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput, ConfigurationChanged, LakeError, UsageError
from benchforge.ingest.keys import sample_id
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded import Wanted, import_file
from benchforge.ingest.recorded.rows import model_and_protocol

V0_1_9 = "84f4b93a1270b492e4c54d5212da7a5b"


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


@pytest.fixture
def load(run, tmp_path):
    """load(file, format, benchmark, **what the user says) -> Imported"""

    def importer(path, format_name="evalplus", benchmark="humanevalplus", *, is_dry_run=False, model="m", **said):
        wanted = Wanted(format_name=format_name, benchmark=benchmark, model=model, **said)
        return import_file(run, path, wanted, tmp_path / "datasets", is_dry_run=is_dry_run)

    return importer


def _humaneval_rows(num_tasks=164, num_samples=1, key="completion"):
    return [
        {"task_id": f"HumanEval/{task}", key: f"    return {sample}"}
        for task in range(num_tasks)
        for sample in range(num_samples)
    ]


def _lines(path, rows):
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _everything(tmp_path):
    return {
        path.relative_to(tmp_path): path.read_bytes()
        for folder in ("run", "lake")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    }


def test_samples_become_rows_manifest_and_markers(run, load, tmp_path):
    path = _lines(tmp_path / "samples.jsonl", _humaneval_rows(num_samples=2))
    imported = load(path, temperature=0.2, top_p=0.95, source="owner/name@0123abc")
    shard = run.manifest.shards()[imported.shard_id]
    assert (shard.stage, shard.expected_rows, shard.num_planned, shard.dataset_version) == ("import", 328, 2, "v0.1.10")
    assert run.is_done("generate", shard.shard_id) and not run.is_done("score", shard.shard_id)
    assert (run.root / "manifests" / f"generate-{shard.shard_id}.committed").exists()
    rows = run.lake.read("samples").to_pylist()
    assert len(rows) == 328
    row = next(row for row in rows if (row["task_id"], row["sample_index"]) == ("HumanEval/7", 1))
    assert (row["model"], row["raw_text"], row["text_form"]) == ("unknown__m", "    return 1", "completion")
    assert (row["temperature"], row["top_p"], row["protocol"]) == (0.2, 0.95, "direct")
    assert (row["source"], row["num_planned"]) == ("owner/name@0123abc", 2)
    assert row["sample_id"] == sample_id("humanevalplus", "default", "HumanEval/7", shard.request_digest, 1)
    assert run.lake.read("results").num_rows == 0
    assert run.lake.read("tasks").num_rows == 164
    (attempt,) = run.lake.read("runs").to_pylist()
    assert (attempt["stage"], attempt["cause"], attempt["num_rows"]) == ("import", "done", 328)


def test_the_same_file_twice_changes_nothing(run, load, tmp_path):
    rows = _humaneval_rows()
    first = load(_lines(tmp_path / "samples.jsonl", rows))
    before = _everything(tmp_path)
    again = load(tmp_path / "samples.jsonl")
    packed = load(_lines(tmp_path / "samples.jsonl.gz", rows))
    assert first.is_new and not again.is_new and not packed.is_new
    assert first.shard_id == again.shard_id == packed.shard_id
    assert _everything(tmp_path) == before


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_lake_without_the_rows_gets_them_whatever_the_run_remembers(run, load, tmp_path, is_deleted):
    path = _lines(tmp_path / "samples.jsonl", [{**row, "passed": True} for row in _humaneval_rows()])
    wanted = Wanted(format_name="humaneval", benchmark="humaneval", model="m")
    load(path, "humaneval", "humaneval")
    if is_deleted:
        shutil.rmtree(tmp_path / "lake")
    lake = Lake(tmp_path / ("lake" if is_deleted else "second"))
    other = Run(run.root, lake)
    assert import_file(other, path, wanted, tmp_path / "datasets").is_new
    assert [lake.read(table).num_rows for table in ("samples", "results", "tasks")] == [164, 164, 164]
    assert not import_file(other, path, wanted, tmp_path / "datasets").is_new
    assert len(run.manifest.shards()) == 1


def test_the_same_file_under_another_request_is_an_error_that_names_the_field(load, tmp_path):
    path = _lines(tmp_path / "samples.jsonl", _humaneval_rows())
    load(path, temperature=0.0)
    with pytest.raises(ConfigurationChanged, match=r"temperature = 0\.0, now it would be 0\.8"):
        load(path, temperature=0.8)
    with pytest.raises(ConfigurationChanged, match=r"num_planned|num_samples"):
        load(path, temperature=0.0, num_samples=2, is_partial=True)


def test_published_verdicts_carry_their_source(run, load, tmp_path):
    tasks = {
        f"HumanEval/{i}": [{"solution": "x", "base_status": "pass", "plus_status": "pass" if i % 2 else "fail"}]
        for i in range(164)
    }
    path = tmp_path / "graded.json"
    path.write_text(json.dumps({"hash": V0_1_9, "eval": tasks}))
    load(path, "evalplus-graded", source="owner/name@0123abc", licence="MIT")
    row = run.lake.read("results").to_pylist()[0]
    assert (row["origin"], row["trust_tier"], row["grader_id"]) == (
        "published",
        "published",
        "published:owner/name@0123abc",
    )
    assert (row["licence"], row["official_base_verdict"], row["official_plus_verdict"]) == ("MIT", "pass", "fail")
    assert row["strict_base_verdict"] is None and row["program_id"] is None
    assert set(run.lake.read("samples").column("dataset_version").to_pylist()) == {"v0.1.9"}


def test_without_a_source_the_file_itself_is_named(run, load, tmp_path):
    rows = [{**row, "passed": True} for row in _humaneval_rows()]
    load(_lines(tmp_path / "results.jsonl", rows), "humaneval", "humaneval")
    (grader,) = set(run.lake.read("results").column("grader_id").to_pylist())
    assert grader.startswith("published:file@") and len(grader) == len("published:file@") + 16


@pytest.mark.parametrize(
    ("said", "named"), [({"version_name": "v0.1.10"}, "v0.1.10"), ({"benchmark": "mbpp+"}, "mbpp")]
)
def test_the_wrong_problem_file_is_refused_by_name(load, tmp_path, said, named):
    path = tmp_path / "graded.json"
    path.write_text(json.dumps({"hash": V0_1_9, "eval": {"HumanEval/0": []}}))
    with pytest.raises(BadInput, match=rf"graded against humanevalplus v0\.1\.9, not .*{named}"):
        load(path, "evalplus-graded", **said)
    path.write_text(json.dumps({"hash": "0" * 32, "eval": {"HumanEval/0": []}}))
    with pytest.raises(BadInput, match="none of the pinned versions"):
        load(path, "evalplus-graded")


def test_the_version_with_as_many_problems_is_taken_and_said(run, load, tmp_path):
    rows = [{"task_id": task_id, "solution": "x"} for task_id in known_task_ids("mbppplus", "v0.1.0", "default") or ()]
    imported = load(_lines(tmp_path / "mbpp.jsonl", rows), benchmark="mbppplus")
    assert run.manifest.shards()[imported.shard_id].dataset_version == "v0.1.0"
    assert any("v0.1.0" in note for note in imported.notes)


def _broken_files():
    whole = _humaneval_rows(num_samples=2)
    numbered = [{"task_id": "forge", "sample_index": 0, "passed": True}] * 2
    torn = "".join(json.dumps(row) + "\n" for row in whole)[:-9].encode()
    return [
        ("torn", torn, {}, "line 328 is not whole JSON"),
        ("cut gzip", gzip.compress(torn, mtime=0)[:-20], {}, "damaged gzip"),
        ("missing task", whole[2:], {}, r"1 of 164 tasks missing \(HumanEval/0\)"),
        ("ragged", whole[1:], {}, r"HumanEval/0 \(1 of 2\)"),
        (
            "too many tasks",
            [*whole, {"task_id": "HumanEval/164", "completion": ""}],
            {},
            r"does not have 1 task \(HumanEval/164\)",
        ),
        ("strangers", [{"task_id": f"Bogus/{i}", "completion": ""} for i in range(164)], {}, "does not have 164 tasks"),
        ("beyond the plan", whole, {"num_samples": 1}, "outside 0 … 0"),
        ("fewer than planned", whole, {"num_samples": 5}, "fewer than 5 samples"),
        ("duplicates", numbered, {"format_name": "benchforge"}, "more than once"),
        ("wrong benchmark", whole, {"benchmark": "humanevl"}, "did you mean"),
        ("no scenario", whole, {"benchmark": "cruxeval"}, "several scenarios"),
        ("no such scenario", whole, {"scenario": "complete"}, "no scenario"),
        ("no such version", whole, {"version_name": "v9"}, "no version 'v9'"),
        ("odd model", whole, {"model": "a b"}, "no model name"),
        ("odd source", whole, {"source": "somewhere"}, "no source"),
    ]


@pytest.mark.parametrize(
    ("content", "said", "message"), [c[1:] for c in _broken_files()], ids=[c[0] for c in _broken_files()]
)
def test_bad_input_is_one_error_and_nothing_is_written(load, tmp_path, content, said, message):
    path = tmp_path / "samples.jsonl"
    path.write_bytes(content) if isinstance(content, bytes) else _lines(path, content)
    with pytest.raises((BadInput, UsageError), match=message) as caught:
        load(path, **said)
    assert "\n" not in caught.value.message
    assert _everything(tmp_path) == {}


def test_tasks_unknown_to_a_staged_benchmark_are_named_even_with_partial(load, tmp_path):
    path = _lines(tmp_path / "x.jsonl", [{"task_id": "nowhere/1", "passed": True}])
    with pytest.raises(BadInput, match=r"does not have 1 task \(nowhere/1\)"):
        load(path, "benchforge", "forge_mini", is_partial=True)


def test_partial_keeps_the_plan_and_says_what_is_missing(run, load, tmp_path):
    path = _lines(tmp_path / "samples.jsonl", _humaneval_rows(num_samples=2)[3:])
    imported = load(path, is_partial=True)
    shard = run.manifest.shards()[imported.shard_id]
    assert (shard.num_planned, shard.expected_rows, len(shard.task_ids)) == (2, 325, 163)
    assert set(run.lake.read("samples").column("num_planned").to_pylist()) == {2}
    assert len(imported.notes) == 3 and "1 of 164 tasks missing" in imported.notes[1]
    assert "tasks missing" in run.lake.read("runs").to_pylist()[0]["detail"]


def test_dry_run_writes_nothing(load, tmp_path):
    imported = load(_lines(tmp_path / "samples.jsonl", _humaneval_rows()), is_dry_run=True)
    assert imported.summary.startswith("would import") and _everything(tmp_path) == {}


def _cruxeval(path, num_samples=2):
    texts = {f"sample_{i}": ["f(1)"] * num_samples for i in range(800)}
    path.write_text(json.dumps(texts))
    return path, texts


def test_verdicts_of_the_same_source_join_the_samples_they_judge(run, load, tmp_path):
    path, texts = _cruxeval(tmp_path / "generations.json")
    said = {"source": "owner/name@0123abc", "temperature": 0.8}
    load(path, "cruxeval", "cruxeval_i", **said)
    verdicts = {task_id: [True, False] for task_id in texts}
    scored = tmp_path / "scored.json"
    scored.write_text(json.dumps({"raw_generations": texts, "raw_scored_generations": verdicts, "pass_at_1": 75.0}))
    imported = load(scored, "cruxeval-scored", "cruxeval_i", **said)
    assert run.lake.read("samples").num_rows == 1600
    results = run.lake.read("results", ["sample_id"]).column("sample_id").to_pylist()
    assert set(results) == set(run.lake.read("samples", ["sample_id"]).column("sample_id").to_pylist())
    assert "no new samples" in imported.summary
    assert any("states pass@1 75.00, its verdicts give 50.00" in note for note in imported.notes)
    assert not load(scored, "cruxeval-scored", "cruxeval_i", **said).is_new
    second = Run(run.root, Lake(tmp_path / "second"))
    for file, format_name, is_refused in ((scored, "cruxeval-scored", True), (path, "cruxeval", False)):
        wanted = Wanted(format_name=format_name, benchmark="cruxeval_i", model="m", **said)
        with pytest.raises(BadInput, match="does not have those samples") if is_refused else nullcontext():
            import_file(second, file, wanted, tmp_path / "datasets")
    wanted = Wanted(format_name="cruxeval-scored", benchmark="cruxeval_i", model="m", **said)
    assert import_file(second, scored, wanted, tmp_path / "datasets").is_new
    assert [second.lake.read(table).num_rows for table in ("samples", "results")] == [1600, 1600]


def test_other_texts_for_the_same_samples_are_refused(run, load, tmp_path):
    path, texts = _cruxeval(tmp_path / "generations.json")
    load(path, "cruxeval", "cruxeval_i", source="owner/name@0123abc")
    before = _everything(tmp_path)
    path.write_text(json.dumps({**texts, "sample_5": ["f(2)", "f(3)"]}))
    with pytest.raises(BadInput, match="in the lake already"):
        load(path, "cruxeval", "cruxeval_i", source="owner/name@0123abc")
    assert _everything(tmp_path) == before


def test_an_import_that_was_killed_half_way_is_healed_by_the_same_command(run, load, tmp_path, monkeypatch):
    path = _lines(tmp_path / "samples.jsonl", _humaneval_rows())
    monkeypatch.setattr(Lake, "commit", _killed)
    with pytest.raises(KeyboardInterrupt):
        load(path)
    monkeypatch.undo()
    assert run.lake.read("samples").num_rows == 0
    assert load(path).is_new
    assert (run.lake.read("samples").num_rows, run.lake.read("tasks").num_rows) == (164, 164)


def _killed(*_):
    raise KeyboardInterrupt


def test_tasks_of_two_partial_files_are_the_union(run, load, tmp_path):
    rows = _humaneval_rows()
    load(_lines(tmp_path / "a.jsonl", rows[:100]), is_partial=True, model="a")
    load(_lines(tmp_path / "b.jsonl", rows[50:]), is_partial=True, model="b")
    task_ids = run.lake.read("tasks").column("task_id").to_pylist()
    assert (len(task_ids), len(set(task_ids))) == (164, 164)


def test_livecodebench_facts_become_task_rows(run, load, tmp_path):
    rows = [
        {
            "question_id": task_id,
            "difficulty": "hard",
            "contest_date": "2024-02-03T00:00:00",
            "code_list": ["x"],
            "graded_list": [False],
            "metadata": ['{"error_code": -2}'],
        }
        for task_id in known_task_ids("livecodebench", "release_v5", "generation") or ()
    ]
    load(_lines(tmp_path / "lcb.jsonl", rows), "livecodebench", "lcb_codegen", model="O1-Mini")
    task = run.lake.read("tasks").to_pylist()[0]
    assert (task["dataset_version"], task["test_sets"], task["stratum"]) == ("release_v5", ["v5"], "hard")
    assert str(task["contest_date"]) == "2024-02-03"
    assert run.lake.read("results").to_pylist()[0]["official_base_reason"] == "wrong_answer"


@pytest.mark.parametrize(
    ("name", "protocol", "expected"),
    [
        ("codellama-7b+cot", None, ("unknown__codellama-7b", "cot")),
        ("codellama-7b", None, ("unknown__codellama-7b", "direct")),
        ("Qwen/Qwen2.5-Coder-7B", "official", ("Qwen__Qwen2.5-Coder-7B", "official")),
        ("forge__twin-a", None, ("forge__twin-a", "direct")),
    ],
)
def test_chain_of_thought_is_a_protocol_never_a_name(name, protocol, expected):
    assert model_and_protocol(name, protocol) == expected


def test_a_name_and_an_option_that_disagree_are_refused():
    with pytest.raises(UsageError, match="says protocol cot"):
        model_and_protocol("m+cot", "direct")


def test_a_read_only_lake_is_an_error_and_the_rerun_completes(run, load, tmp_path, monkeypatch):
    path = _lines(tmp_path / "samples.jsonl", _humaneval_rows())
    monkeypatch.setattr(Lake, "write_part", _read_only)
    with pytest.raises((OSError, LakeError)):
        load(path)
    monkeypatch.undo()
    assert load(path).is_new and run.lake.read("samples").num_rows == 164


def _read_only(*_):
    raise OSError(30, "Read-only file system")


def test_the_command_prints_the_shard_and_talks_on_stderr(tmp_path):
    from benchforge.runners.cli.main import cli
    from click.testing import CliRunner

    path = _lines(tmp_path / "samples.jsonl", _humaneval_rows())
    options = ["--benchmark", "humaneval", "--model", "a/b", "--temperature", "0", "--scratch", str(tmp_path / "s")]
    result = CliRunner().invoke(cli, ["import", "humaneval", str(path), *options], catch_exceptions=False)
    assert result.exit_code == 0
    assert len(result.stdout.strip()) == 16 and "164 samples and 0 published verdicts of a__b" in result.stderr
    again = CliRunner().invoke(cli, ["import", "humaneval", str(path), *options])
    assert again.stdout == result.stdout and "nothing to do" in again.stderr
    wrong = CliRunner().invoke(cli, ["import", "humanevl", str(path), *options])
    assert wrong.exit_code == 2 and "did you mean humaneval?" in wrong.output
