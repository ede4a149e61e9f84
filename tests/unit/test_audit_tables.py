"""Question-level tables in an audit: models of benchmarks that nobody runs here are counted, ranked and told apart."""

import json

import pytest
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.runners.ask.audit.answer import answer
from benchforge.runners.ask.audit.page import page
from benchforge.runners.ask.audit.tables import STANDING_COLUMNS
from benchforge.runners.cli.main import cli
from click.testing import CliRunner

NUM_PROBLEMS = 100


def _row(model, number, share, **more):
    return {"benchmark_id": "swe_bench", "model": model, "example_id": f"repo__{number}", "pass1": share, **more}


def _table(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _models(**passes):
    return [_row(model, n, float(n < count)) for model, count in passes.items() for n in range(NUM_PROBLEMS)]


def _answer(*paths, **more):
    return answer(paths, Wanted(AUTO, None), **more)


def test_models_of_a_table_are_ranked_and_told_apart(tmp_path):
    found = _answer(_table(tmp_path / "t.jsonl", *_models(b=58, a=60, c=10)))
    assert [(row["model"], row["percent"], row["rank"]) for row in found.models] == [
        ("a", 60, 1),
        ("b", 58, 2),
        ("c", 10, 3),
    ]
    assert [row["is_told_on_board"] for row in found.models] == [False, True, None]
    assert [(row["rank_low"], row["rank_high"]) for row in found.models] == [(1, 2), (1, 2), (3, 3)]
    assert all(row["interval_low"] < row["percent"] < row["interval_high"] for row in found.models)
    assert found.notes == (
        "t.jsonl: swe_bench, of 2 pairs of neighbours 1 can be told apart when that pair is asked, 1 when all are",
    )
    assert set(found.models[0]) == set(STANDING_COLUMNS)


def test_a_problem_that_a_model_lacks_counts_as_wrong_and_is_said(tmp_path):
    """Its own mean would make it the first by far; with every problem counted it is second."""
    rows = [row for row in _models(a=50, b=46) if row["model"] == "b" or row["example_id"] < "repo__5"]
    found = _answer(_table(tmp_path / "t.jsonl", *rows))
    a = next(row for row in found.models if row["model"] == "a")
    kept = [row["pass1"] for row in rows if row["model"] == "a"]
    assert (a["rank"], a["percent"], a["num_problems"]) == (2, sum(kept), NUM_PROBLEMS)
    assert f"a lacks {NUM_PROBLEMS - len(kept)} of 100 problems" in found.notes[1]
    assert found.notes[1].endswith(f"{100 * sum(kept) / len(kept):.2f} without them")


def test_one_model_at_two_temperatures_is_two(tmp_path):
    rows = [_row("a", n, float(n < 3 + t), hyperparams={"temperature": t}) for t in (0, 1) for n in range(5)]
    assert [row["model"] for row in _answer(_table(tmp_path / "t", *rows)).models] == ["a at 1.0", "a at 0.0"]


def test_what_is_no_table_of_several_models_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="holds one model"):
        _answer(_table(tmp_path / "one", *_models(a=3)))
    with pytest.raises(BadInput, match="stands in line 1 already"):
        _answer(_table(tmp_path / "twice", *[_row("a", 1, 1.0)] * 2))
    with pytest.raises(UsageError, match="a stated score is of one log, and none is named"):
        _answer(_table(tmp_path / "t", *_models(a=3, b=2)), stated=50.0)


def test_the_command_prints_models_and_the_page_holds_them(tmp_path):
    table, html = _table(tmp_path / "<b>.jsonl", *_models(a=60, b=10)), tmp_path / "page.html"
    options = ["--format", "json", "--html", str(html), "--scratch", str(tmp_path / "s")]
    result = CliRunner().invoke(cli, ["audit", str(table), *options], catch_exceptions=False)
    said = json.loads(result.stdout)
    assert result.exit_code == 0 and [row["model"] for row in said["models"]] == ["a", "b"] and said["numbers"] == []
    assert "no known cause" not in result.stderr
    text = html.read_text()
    assert "<b>" not in text and "Models of the table" in text and "Audit of 1 file<" in text
    assert page(_answer(table)) == text


def test_a_published_score_is_of_one_log(tmp_path):
    rows = [{"task_id": "t0", "text": "x = 1", "text_form": "program", "base_verdict": "pass"}]
    logs = [_table(tmp_path / name, *rows) for name in ("a.jsonl", "b.jsonl")]
    with pytest.raises(UsageError, match="of one log, and 2 are named"):
        answer(logs, Wanted(AUTO, "forge_mini"), stated=50.0)
