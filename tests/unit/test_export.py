"""Out again: what was imported from EvalPlus and LiveCodeBench is exported, imported again, and is the same."""

import json

import pytest
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded import Wanted, import_file
from benchforge.runners.ask import export

STATUSES = (("pass", "pass"), ("pass", "fail"), ("fail", "timeout"), ("timeout", "fail"))


def _run(folder):
    return Run(folder / "run", Lake(folder / "lake"))


def _bring(run, path, format_name, benchmark, **said):
    import_file(
        run, path, Wanted(format_name, benchmark, "org/m", source="a/b@0123456", **said), path.parent / "datasets"
    )
    return export.chosen(run.lake, *_key(benchmark), "org__m", None, None)


def _key(benchmark):
    return ("livecodebench", "generation") if benchmark == "lcb_codegen" else (benchmark, "default")


def _content(lake):
    """Everything that an import writes of samples and verdicts; the shard is named after the file's bytes."""
    tables = {name: lake.read(name).to_pylist() for name in ("samples", "results")}
    rows = {name: [{**row, "shard_id": None} for row in found] for name, found in tables.items()}
    return {name: sorted(found, key=lambda row: row["sample_id"]) for name, found in rows.items()}


def test_evalplus_samples_come_back_as_they_were(tmp_path):
    ids = known_task_ids("humanevalplus", "v0.1.10", "default")
    rows = [{"task_id": one, "solution": f"def f():\n    return '{one}é\\u2028'\n"} for one in ids]
    rows[3] = {"task_id": rows[3]["task_id"], "completion": "    return 1\n"}
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    picked = _bring(_run(tmp_path), path, "evalplus", "humanevalplus")
    assert [json.loads(line) for line in export.evalplus_samples(picked)] == rows


def test_evalplus_results_come_back_as_the_same_samples_and_verdicts(tmp_path):
    ids = known_task_ids("humanevalplus", "v0.1.10", "default")
    graded = {
        one: [
            {"task_id": one, "solution": f"{one} {index}", "base_status": base, "plus_status": plus}
            for index, (base, plus) in enumerate(STATUSES)
        ]
        for one in ids
    }
    path = tmp_path / "eval_results.json"
    path.write_text(json.dumps({"hash": "fe585eb4df8c88d844eeb463ea4d0302", "eval": graded}))
    first, second = _run(tmp_path), _run(tmp_path / "again")
    picked = _bring(first, path, "evalplus-graded", "humanevalplus")
    again = tmp_path / "again.json"
    again.write_text("".join(export.evalplus_graded(picked)))
    _bring(second, again, "evalplus-graded", "humanevalplus")
    assert _content(first.lake) == _content(second.lake) and len(_content(first.lake)["results"]) == 4 * 164


def test_livecodebench_comes_back_as_the_same_samples_verdicts_and_problems(tmp_path):
    reasons = ['{"error_code": -2}', '{"error_code": -3}', '{"error_code": -4}', "{}"]
    rows = [
        {
            "question_id": one,
            "platform": "atcoder",
            "contest_id": "abc",
            "contest_date": "2024-01-06T00:00:00",
            "difficulty": "easy",
            "output_list": [f"```\n{one}\n```", "no"],
            "code_list": [one, ""],
            "graded_list": [number % 5 == 4, False],
            "metadata": [reasons[number % 4] if number % 5 != 4 else "{}", reasons[0]],
        }
        for number, one in enumerate(known_task_ids("livecodebench", "release_v1", "generation"))
    ]
    path = tmp_path / "eval_all.json"
    path.write_text(json.dumps(rows))
    first, second = _run(tmp_path), _run(tmp_path / "again")
    picked = _bring(first, path, "livecodebench", "lcb_codegen")
    tasks = {row["task_id"]: row for row in first.lake.read("tasks").to_pylist()}
    again = tmp_path / "again.json"
    again.write_text("".join(export.livecodebench(picked, tasks)))
    # its own scripts grade and show the code, so a reply that was not scored here has its program all the same
    assert {row["question_id"]: row["code_list"] for row in json.loads(again.read_text())} == {
        row["question_id"]: row["code_list"] for row in rows
    }
    _bring(second, again, "livecodebench", "lcb_codegen")
    assert _content(first.lake) == _content(second.lake)
    assert first.lake.read("tasks").to_pylist() == second.lake.read("tasks").to_pylist()


def test_what_cannot_be_exported_is_one_sentence(tmp_path):
    run = _run(tmp_path)
    ids = known_task_ids("humanevalplus", "v0.1.10", "default")
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps({"task_id": one, "completion": "Sure!"}) + "\n" for one in ids))
    picked = _bring(run, path, "evalplus", "humanevalplus", text_form="raw")
    with pytest.raises(BadInput, match="is a reply whose program is not known yet"):
        list(export.evalplus_samples(picked))
    with pytest.raises(BadInput, match="has no verdict"):
        list(export.evalplus_graded(picked))
    with pytest.raises(UsageError, match="holds no sample of org__other"):
        export.chosen(run.lake, "humanevalplus", "default", "org__other", None, None)


def test_several_requests_are_listed_and_one_is_named_by_its_beginning(tmp_path):
    run = _run(tmp_path)
    ids = known_task_ids("humanevalplus", "v0.1.10", "default")
    for number, temperature in enumerate((0.0, 0.8)):
        path = tmp_path / f"{number}.jsonl"
        path.write_text("".join(json.dumps({"task_id": one, "solution": f"{number}"}) + "\n" for one in ids))
        wanted = Wanted("evalplus", "humanevalplus", "org/m", temperature=temperature, source="a/b@0123456")
        import_file(run, path, wanted, tmp_path / "datasets")
    with pytest.raises(UsageError, match="there are 2 of request_digest: "):
        export.chosen(run.lake, "humanevalplus", "default", "org__m", None, None)
    digests = {row["request_digest"]: row["temperature"] for row in run.lake.read("samples").to_pylist()}
    for digest, temperature in digests.items():
        picked = export.chosen(run.lake, "humanevalplus", "default", "org__m", digest[:12], None)
        assert {row["temperature"] for row in picked.rows} == {temperature} and len(picked.rows) == len(ids)


def test_the_command_writes_what_the_import_reads(tmp_path):
    from benchforge.runners.cli.main import cli
    from click.testing import CliRunner

    ids = known_task_ids("humanevalplus", "v0.1.10", "default")
    path, again = tmp_path / "samples.jsonl", tmp_path / "again.jsonl"
    path.write_text("".join(json.dumps({"task_id": one, "solution": "x"}) + "\n" for one in ids))
    options = ["--benchmark", "humanevalplus", "--model", "org/m", "--scratch", str(tmp_path / "s")]
    assert CliRunner().invoke(cli, ["import", "auto", str(path), *options]).exit_code == 0
    result = CliRunner().invoke(cli, ["export", "evalplus", *options, "--output", str(again)], catch_exceptions=False)
    assert result.exit_code == 0 and again.read_text() == path.read_text()
    printed = CliRunner().invoke(cli, ["export", "evalplus", *options])
    assert printed.stdout == path.read_text()
