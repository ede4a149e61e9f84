"""The audit of a log: what is stated, what its verdicts give, what is wrong; the page that goes with an issue."""

import json
from html import unescape

import pytest
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.runners.ask.audit.answer import Answer, answer
from benchforge.runners.ask.audit.known import known_causes
from benchforge.runners.ask.audit.page import page
from benchforge.runners.ask.audit.report import audited, cause_rows, number_rows
from benchforge.runners.cli.main import cli
from click.testing import CliRunner


def _graded(path, ids, passes, hash_="fe585eb4df8c88d844eeb463ea4d0302"):
    """EvalPlus results: the first ``passes`` pass, of these every third fails the extra tests."""
    samples = {
        one: [
            {
                "task_id": one,
                "solution": "def f():\n    return '<b>'\n",
                "base_status": "pass" if place < passes else "fail",
                "plus_status": "pass" if place < passes and place % 3 else "fail",
            }
        ]
        for place, one in enumerate(ids)
    }
    path.write_text(json.dumps({"hash": hash_, "eval": samples}))
    return path


@pytest.fixture(scope="module")
def ids():
    return known_task_ids("humanevalplus", "v0.1.10", "default")


def _percents(audit):
    return {one.reading: round(one.percent, 4) for one in audit.numbers}


def test_a_whole_log_gives_its_numbers_and_no_cause(tmp_path, ids):
    audit = audited(_graded(tmp_path / "x", ids, 82), Wanted(AUTO, None), {}, None)
    assert (audit.title, audit.is_clean, audit.causes) == ("humanevalplus", True, ())
    expected = {"its own verdicts, base": 50.0, "its own verdicts, base and plus": round(100 * 54 / 164, 4)}
    assert _percents(audit) == expected
    assert all(one.low < one.percent < one.high for one in audit.numbers)


def test_problems_that_are_not_in_the_log_count_as_wrong_and_are_named(tmp_path, ids):
    audit = audited(_graded(tmp_path / "x", ids[:123], 82), Wanted(AUTO, None), {"pass@1": 66.7}, None)
    percents = _percents(audit)
    assert percents["its own verdicts, base"] == round(100 * 82 / 123, 4) and percents["stated: pass@1"] == 66.7
    whole = next(one for one in audit.numbers if one.reading == "every problem counted")
    assert (whole.num_problems, whole.note) == (164, "41 problems are not in the log")


def test_causes_come_with_what_is_known_of_them(tmp_path, ids):
    scored = {"raw_generations": {}, "raw_scored_generations": {}, "pass_at_1": 100.0, "pass_at_5": 100.0}
    for number in range(800):
        scored["raw_generations"][f"sample_{number}"] = ["f(1)", "none"]
        scored["raw_scored_generations"][f"sample_{number}"] = [True]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(scored))
    audit = audited(path, Wanted(AUTO, "cruxeval_i"), {}, None)
    rows = {row["cause_id"]: row for row in cause_rows([audit])}
    assert set(rows) == {"n_below_k", "cruxeval_shrunk_n"} and not audit.is_clean
    assert (rows["cruxeval_shrunk_n"]["effect_points"], rows["cruxeval_shrunk_n"]["num_samples"]) == (50.0, 800)
    assert all("facebookresearch/cruxeval@190faf1" in row["evidence"] or row["evidence"] for row in rows.values())
    assert _percents(audit)["its own verdicts"] == 50.0


def test_a_log_of_several_scenarios_is_counted_as_none_of_them_until_one_is_named(tmp_path):
    """C# has 158 problems and C++ 161; the file of CRUXEval can be of inputs or of outputs, which have a board each."""
    path = tmp_path / "renamed.json"
    path.write_text(json.dumps({"HumanEval_23_strlen": [[0, {"passed": True, "result": "passed", "code": "x"}]]}))
    readings = {
        name: set(_percents(audited(path, Wanted(AUTO, name), {}, None))) for name in ("multipl_e", "multipl_e_cs")
    }
    assert readings == {
        "multipl_e": {"its own verdicts"},
        "multipl_e_cs": {"its own verdicts", "every problem counted"},
    }
    named = path.rename(tmp_path / "humaneval-cs-details.json")
    audit = audited(named, Wanted(AUTO, None), {}, None)
    assert (audit.benchmark, audit.scenario) == ("multipl_e", "cs")
    assert _percents(audit)["every problem counted"] == round(100 / 158, 4)
    scored = tmp_path / "scored.json"
    scored.write_text(
        json.dumps({"raw_generations": {"sample_0": ["1"]}, "raw_scored_generations": {"sample_0": [True]}})
    )
    assert [audited(scored, Wanted(AUTO, name), {}, None).scenario for name in ("cruxeval", "cruxeval_o")] == [
        "",
        "cruxeval_o",
    ]


def test_the_page_holds_both_tables_and_runs_nothing(tmp_path, ids):
    path = _graded(tmp_path / "<img src=x>.json", ids, 82, "84f4b93a1270b492e4c54d5212da7a5b")
    audit = audited(path, Wanted(AUTO, None), {}, None)
    text = page(Answer((audit,)))
    assert "<img" not in text and "&lt;img src=x&gt;.json" in text and "<script" not in text and "http" not in text
    assert known_causes()["humanevalplus_versions"]["mechanism"][:40] in unescape(text), (
        "what happens, not a name alone"
    )
    assert text.count('<div class="wide"><table>') == text.count("<table>") and 'name="viewport"' in text
    assert "humanevalplus_versions" in text and "its own verdicts, base" in text
    assert len(number_rows([audit])) == 2 and audit.is_clean  # an older problem file is a notice


def test_what_cannot_be_audited_is_one_sentence(tmp_path):
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({"pass@1": 0.25, "split": "complete", "subset": "hard"}))
    with pytest.raises(BadInput, match="holds no sample to audit"):
        audited(scores, Wanted(AUTO, None), {}, None)


def test_a_release_that_is_not_pinned_lacks_no_problems(tmp_path):
    """MultiPL-E of 2022 had 156 problems in C++."""
    path = tmp_path / "cpp.csv"
    path.write_text(
        "C++,HumanEval_99_closest_integer,FAIL\nC++,HumanEval_23_strlen,OK\nTotal 2, Syntax Error 0, Passed 1\n"
    )
    audit = audited(path, Wanted(AUTO, None), {}, None)
    assert (audit.benchmark, audit.scenario, audit.causes) == ("multipl_e", "cpp", ())
    assert set(_percents(audit)) == {"stated: pass@1", "its own verdicts"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"benchmark": "mbppplus"}, "was graded against humanevalplus v0.1.10, not mbppplus"),
        ({"version_name": "v0.1.9", "benchmark": "humanevalplus"}, "not humanevalplus v0.1.9"),
        ({"scenario": "nosuch"}, "humanevalplus has no scenario 'nosuch'"),
    ],
)
def test_what_the_log_itself_denies_is_refused(tmp_path, ids, options, message):
    wanted = Wanted(AUTO, options.pop("benchmark", None), **options)
    with pytest.raises((BadInput, UsageError), match=message):
        audited(_graded(tmp_path / "x", ids, 82), wanted, {}, None)


@pytest.mark.parametrize("score", ["nan", "101", "-1"])
def test_a_published_score_is_a_percentage_and_the_page_a_file(tmp_path, ids, score):
    log = str(_graded(tmp_path / "log.json", ids, 82))
    odd = CliRunner().invoke(cli, ["audit", log, "--no-regrade", "--stated", score])
    assert odd.exit_code == 2 and "--stated" in odd.stderr and not odd.stdout
    folder = CliRunner().invoke(cli, ["audit", log, "--no-regrade", "--html", str(tmp_path)])
    assert folder.exit_code == 2 and "is a directory" in folder.stderr and not folder.stdout


def test_a_file_of_many_scores_is_no_page_of_them(tmp_path):
    rows = "".join(f"humaneval,cpp,HumanEval_1_f,m{n},keep,0.5\n" for n in range(300))
    path = tmp_path / "per_problem_all.csv"
    path.write_text(f"dataset,lang,problem,model,variation,pass@1\n{rows}")
    with pytest.raises(BadInput, match=r"m4 keep pass@1 50\.00 and 295 more$"):
        answer([path], Wanted(AUTO, None))


def test_the_command_joins_a_score_file_with_its_log_and_says_why_it_did_not_grade(tmp_path, ids):
    log = _graded(tmp_path / "log.json", ids, 82)
    scores = tmp_path / "metrics.json"
    scores.write_text(json.dumps({"humaneval": {"pass@1": 0.6}, "config": {}}))
    page_file = tmp_path / "audit.html"
    options = ["--scratch", str(tmp_path / "s"), "--format", "json", "--html", str(page_file)]
    result = CliRunner().invoke(cli, ["audit", str(log), str(scores), *options], catch_exceptions=False)
    assert result.exit_code == 0 and "not graded again" in result.stderr and "benchforge stage" in result.stderr
    said = json.loads(result.stdout)
    assert {row["reading"]: row["percent"] for row in said["numbers"]}["stated: humaneval pass@1"] == 60.0
    assert page_file.read_text().startswith("<!doctype html>") and not (tmp_path / "s").exists()
    alone = CliRunner().invoke(cli, ["audit", str(scores), "--scratch", str(tmp_path / "s")])
    assert isinstance(alone.exception, BadInput) and "no file holds samples" in alone.exception.message
