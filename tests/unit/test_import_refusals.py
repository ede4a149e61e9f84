"""Import: what is refused before anything is written, in words that name the row, the task or the option."""

import itertools
import json
import math

import pytest
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.pins import pins_of
from benchforge.ingest.recorded import Wanted, import_file


@pytest.fixture
def load(tmp_path):
    """load(file, format, benchmark, **what the user says) -> Imported"""
    run = Run(tmp_path / "run", Lake(tmp_path / "lake"))

    def importer(path, format_name="evalplus", benchmark="humanevalplus", *, is_dry_run=False, model="m", **said):
        wanted = Wanted(format_name=format_name, benchmark=benchmark, model=model, **said)
        return import_file(run, path, wanted, tmp_path / "datasets", is_dry_run=is_dry_run)

    return importer


def _humaneval_rows():
    return [{"task_id": f"HumanEval/{task}", "completion": "    return 0"} for task in range(164)]


def _lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _everything(tmp_path):
    return [path for folder in ("run", "lake") for path in (tmp_path / folder).rglob("*")]


@pytest.mark.parametrize("is_partial", [False, True])
def test_a_stranger_among_the_problems_is_refused_without_staged_problems(load, tmp_path, is_partial):
    rows = [*_humaneval_rows()[:-1], {"task_id": "HumanEval/200", "completion": "x"}]
    with pytest.raises(BadInput, match=r"does not have 1 task \(HumanEval/200\)"):
        load(_lines(tmp_path / "x.jsonl", rows), is_partial=is_partial)
    assert _everything(tmp_path) == []


def test_lists_of_problems_have_the_pinned_lengths_and_releases_grow():
    for benchmark in ("humaneval", "humanevalplus", "mbppplus", "cruxeval", "livecodebench"):
        for version, pin in pins_of(benchmark).items():
            for scenario in {name for name, _ in pin.cells} - {"testgen"}:
                known = known_task_ids(benchmark, version, scenario)
                is_superset = benchmark == "livecodebench" and version in ("release_v2", "release_v3")
                assert known is not None and len(set(known)) == len(known)
                assert len(known) == pin.num_tasks(scenario) or (is_superset and scenario == "generation")
    releases = [set(known_task_ids("livecodebench", f"release_v{n}", "generation") or ()) for n in (1, 3, 4, 5, 6)]
    assert all(earlier <= later for earlier, later in itertools.pairwise(releases))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\ud800", "lone surrogate"),
        (5, "field 'text' of 'HumanEval/1' is int"),
        (["a"], "field 'text' of 'HumanEval/1' is list"),
    ],
)
def test_a_text_that_cannot_be_stored_leaves_nothing_behind(load, tmp_path, text, said):
    rows = [{"task_id": f"HumanEval/{i}", "text": text if i == 1 else "x", "text_form": "raw"} for i in range(164)]
    with pytest.raises(BadInput, match=rf"samples\.jsonl line 2: .*{said}"):
        load(_lines(tmp_path / "samples.jsonl", rows), "benchforge")
    assert _everything(tmp_path) == []


def test_a_fact_of_the_wrong_type_leaves_nothing_behind(load, tmp_path):
    ids = known_task_ids("livecodebench", "release_v1", "generation") or ()
    rows = [{"question_id": i, "difficulty": 5, "code_list": ["x"], "graded_list": [True]} for i in ids]
    with pytest.raises(BadInput, match="does not fit table tasks"):
        load(_lines(tmp_path / "lcb.jsonl", rows), "livecodebench", "lcb_codegen")
    assert _everything(tmp_path) == []


def test_one_row_twice_is_called_by_its_name(load, tmp_path):
    rows = _humaneval_rows()
    with pytest.raises(
        BadInput, match=r"1 task \(HumanEval/7\) with a row that stands twice, the others have 1 sample "
    ):
        load(_lines(tmp_path / "a.jsonl", [*rows, rows[7]]), is_partial=True)
    with pytest.raises(BadInput, match="fewer than 2 samples") as caught:  # another text is another sample
        load(_lines(tmp_path / "b.jsonl", [*rows, {**rows[7], "completion": "    return 8"}]))
    assert "stands twice" not in caught.value.message
    assert _everything(tmp_path) == []


@pytest.mark.parametrize("num_copies", [2, 3])
def test_a_file_joined_with_itself_is_refused_unless_the_number_of_samples_is_stated(load, tmp_path, num_copies):
    path = _lines(tmp_path / "a.jsonl", _humaneval_rows() * num_copies)
    with pytest.raises(BadInput, match=rf"its rows stand {num_copies} times in the same order"):
        load(path, temperature=0.0)
    assert load(path, num_samples=num_copies).is_new


def test_equal_answers_of_a_task_are_samples(load, tmp_path):
    rows = [{"task_id": f"HumanEval/{task}", "completion": "    pass"} for task in range(164) for _ in range(3)]
    assert load(_lines(tmp_path / "a.jsonl", rows)).is_new


def test_verdicts_alone_are_never_taken_for_duplicates(load, tmp_path):
    rows = [{"task_id": f"HumanEval/{task}", "passed": True} for task in range(164)] * 2
    assert load(_lines(tmp_path / "a.jsonl", rows), "benchforge").is_new


@pytest.mark.parametrize(
    ("said", "message"),
    [
        *(({"temperature": value}, "--temperature cannot be") for value in (math.nan, math.inf, -1.0)),
        *(({"top_p": value}, "--top-p cannot be") for value in (7.0, 0.0, math.nan)),
        ({"max_tokens": -5}, "--max-tokens cannot be -5"),
        ({"protocol": "bogus"}, "--protocol cannot be 'bogus'"),
        ({"model": "m" * 300}, "has 309 characters"),
    ],
)
def test_options_out_of_range_are_usage_errors_that_name_what_is_allowed(load, tmp_path, said, message):
    with pytest.raises(UsageError, match=message) as caught:
        load(_lines(tmp_path / "a.jsonl", _humaneval_rows()), **said)
    assert caught.value.hint and len(caught.value.message) < 120
    assert _everything(tmp_path) == []


def test_the_version_assumed_is_said_with_the_way_to_name_another(load, tmp_path):
    path = _lines(tmp_path / "a.jsonl", _humaneval_rows())
    (note,) = load(path, is_dry_run=True).notes
    assert "taken for v0.1.10" in note and "--version" in note and "v0.1.9" in note
    assert load(path, is_dry_run=True, version_name="v0.1.9").notes == ()


def test_several_scenarios_are_listed_as_options(load, tmp_path):
    with pytest.raises(UsageError) as caught:
        load(_lines(tmp_path / "a.jsonl", _humaneval_rows()), benchmark="livecodebench")
    assert "--scenario generation, --scenario execution" in caught.value.hint


def test_a_run_numbered_from_0_is_said_as_such(load, tmp_path):
    rows = [{"task_id": f"HumanEval/{i}", "run": 0, "code": "x", "passed": True} for i in range(164)]
    with pytest.raises(BadInput, match="numbered below the first one") as caught:
        load(_lines(tmp_path / "a.jsonl", rows), "humaneval", "humaneval")
    assert "outside" not in caught.value.message


@pytest.mark.parametrize(
    ("answers", "asked", "other"), [("f(1)", "cruxeval_o", "cruxeval_i"), ("[1]", "cruxeval_i", "cruxeval_o")]
)
def test_answers_to_the_other_scenario_are_refused_by_its_name(load, tmp_path, answers, asked, other):
    texts = {f"sample_{i}": [answers] for i in range(800)}
    scored = {"raw_generations": texts, "raw_scored_generations": {task_id: [False] for task_id in texts}}
    path = tmp_path / "scored.json"
    path.write_text(json.dumps(scored))
    with pytest.raises(BadInput, match=f"does not answer {asked}: ") as caught:
        load(path, "cruxeval-scored", asked)
    assert f"--scenario {other}" in caught.value.hint and _everything(tmp_path) == []
    assert load(path, "cruxeval-scored", other).is_new


def test_a_pass_on_an_answer_that_the_scorer_leaves_out_is_refused(load, tmp_path):
    texts = {f"sample_{i}": ["f(1)" if i else "[1]"] for i in range(800)}
    scored = {"raw_generations": texts, "raw_scored_generations": {task_id: [True] for task_id in texts}}
    path = tmp_path / "scored.json"
    path.write_text(json.dumps(scored))
    with pytest.raises(BadInput, match="sample 0 of sample_0 passed with an answer that its scorer leaves out"):
        load(path, "cruxeval-scored", "cruxeval_i")


def _odd_gradings():
    def evalplus(entry):
        return {"eval": {f"HumanEval/{i}": entry for i in range(164)}}

    def livecodebench(row):
        return [{"question_id": "1873_A", "code_list": ["x"], **row}]

    sample = {"solution": "x", "base_status": "pass", "plus_status": "pass"}
    return [
        ("evalplus-graded", evalplus([{**sample, "base_status": None}]), "extra tests without one on the base"),
        ("evalplus-graded", evalplus([{**sample, "plus_status": [1]}]), "unknown status"),
        ("evalplus-graded", evalplus([{**sample, "solution": 5}]), "has a text that is int"),
        ("evalplus-graded", evalplus([5]), "is no object"),
        ("evalplus-graded", evalplus({"base": [5]}), r"not lists of \[status, details\]"),
        ("evalplus-graded", {**evalplus([sample]), "hash": [1]}, "none of the pinned versions"),
        ("livecodebench", livecodebench({"graded_list": 5}), "no list of true and false"),
        ("livecodebench", livecodebench({"graded_list": ["no"]}), "no list of true and false"),
        ("livecodebench-execution", [{"id": "sample_0", "pred_list": ["1"], "graded_list": ["no"]}], "true and false"),
        ("livecodebench-execution", [{"id": "sample_0", "pred_list": [1], "graded_list": [True]}], "text that is int"),
    ]


@pytest.mark.parametrize(("format_name", "document", "message"), _odd_gradings())
def test_a_grading_of_an_odd_shape_is_one_sentence(load, tmp_path, format_name, document, message):
    path = tmp_path / "graded.json"
    path.write_text(json.dumps(document))
    known = {"livecodebench": "lcb_codegen", "livecodebench-execution": "livecodebench_execution"}
    with pytest.raises(BadInput, match=message):
        load(path, format_name, known.get(format_name, "humanevalplus"), is_partial=True)
    assert _everything(tmp_path) == []


def test_the_command_exits_2_for_an_option_out_of_range(tmp_path):
    from benchforge.runners.cli.main import cli
    from click.testing import CliRunner

    path = _lines(tmp_path / "a.jsonl", _humaneval_rows())
    options = ["--benchmark", "humaneval", "--model", "a/b", "--temperature", "nan", "--scratch", str(tmp_path / "s")]
    result = CliRunner().invoke(cli, ["import", "humaneval", str(path), *options])
    code = getattr(result.exception, "exit_code", result.exit_code)  # main() turns the exception into its exit code
    assert code == 2 and not (tmp_path / "s").exists()
