"""A score on its board and logs beside each other: ranks, neighbours, pairs; tables with something wrong in them."""

import json
from dataclasses import replace

import honest_logs
import pytest
from benchforge.ingest.errors import BadInput
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.runners.ask.audit.answer import Answer
from benchforge.runners.ask.audit.board import Entry, board_of, board_rows, is_impossible, read_board, recorded_board
from benchforge.runners.ask.audit.page import page
from benchforge.runners.ask.audit.pairs import compared, labels
from benchforge.runners.ask.audit.report import audited
from benchforge.runners.cli.main import cli
from click.testing import CliRunner


def _audited(folder, document, name="evalplus", label=None):
    path = honest_logs.write(folder, name, document, label or name)
    return audited(path, Wanted(AUTO, honest_logs.FILES[name][2]), {}, None)


def _shifted(number):
    """An honest log in which so many more problems are solved."""
    document = honest_logs.evalplus()
    failed = [several[0] for several in document["eval"].values() if several[0]["base_status"] == "fail"]
    for sample in failed[:number]:
        sample |= {"base_status": "pass", "plus_status": "pass"}
    return document


def _write(path, *lines):
    path.write_text("\n".join(("name,score,n", *lines)) + "\n")
    return path


def test_neighbours_are_told_apart_or_not_by_a_careful_test(tmp_path):
    board = read_board(_write(tmp_path / "b.csv", "best,80.4878,164", "near,51.2195,164", "low,25.0,164"))
    audit = _audited(tmp_path, honest_logs.evalplus())
    rows = [row for row in board_rows([audit], board) if row["reading"].endswith("plus")]
    assert [(row["rank"], row["num_models"], row["neighbour"]) for row in rows] == [(3, 4, "near"), (3, 4, "low")]
    assert [row["is_distinguishable"] for row in rows] == [False, True]
    # 82 against 84 and 41 of 164 by hand (Agresti & Caffo): p = .826 and 3.8e-6; Holm doubles the smaller
    assert rows[0]["p_holm"] == pytest.approx(0.8266, abs=2e-3) and rows[1]["p_holm"] < 1e-4


def test_a_log_that_is_on_the_board_stands_there_once(tmp_path):
    board = board_of("b", [Entry("self", 50.0, 164), Entry("other", 40.0, 164)])
    rows = board_rows([_audited(tmp_path, honest_logs.evalplus())], board)
    assert {row["neighbour"] for row in rows} == {"other"} and {row["num_models"] for row in rows} == {2}


def test_what_is_wrong_with_a_board_itself_is_said():
    entries = [Entry("a", -1.0, 100, 1), Entry("b", 50.5, 100, 1), Entry("c", 40.0, 100, 10), Entry("c", 30.0, 50, 1)]
    board = board_of("b", entries)
    said = " ".join(board.notes)
    assert [one.name for one in board.entries] == ["b", "c", "c"]
    for words in ("sentinel_averaged: 1", "mixed_n_on_one_board", "stand twice", "numbers of problems", "no multiple"):
        assert words in said
    assert not is_impossible(Entry("x", 43.9, 164, 1)) and is_impossible(Entry("x", 43.7, 164, 1))
    assert not is_impossible(Entry("x", 43.7, 164, 10))


@pytest.mark.parametrize(
    "text",
    [
        *("", "a,b\n1,2\n", "\x00\x01"),
        *(f"name,score,n\n{row}\n" for row in ("x,many,164", "x,nan,164", ",5,164", "x,101,164", "x,5,0")),
    ],
)
def test_a_broken_board_is_one_sentence(text, tmp_path):
    path = tmp_path / "b.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"b\.csv"):
        read_board(path)


def test_shares_are_read_as_percent_and_the_recorded_board_is_known(tmp_path):
    assert read_board(_write(tmp_path / "b.csv", "a,0.5,164")).entries[0].percent == 50
    board = recorded_board("cruxeval", "cruxeval_i")
    assert board is not None and len(board.entries) == 20 and board.entries[0].name == "gpt-4o+cot"
    assert recorded_board("cruxeval", "no_such") is None


def test_pairs_are_compared_on_common_problems_and_corrected(tmp_path):
    audits = [_audited(tmp_path, _shifted(number), label=f"log{number}") for number in (0, 2, 40)]
    found = compared(audits)
    rows = {(row["first"], row["second"]): row for row in found.rows}
    assert rows["log0", "log2"]["difference"] == pytest.approx(-200 / 164, abs=1e-4)
    # two discordant problems: McNemar's mid-p is 0.25, three pairs leave the largest p as it is
    assert (rows["log0", "log2"]["p"], rows["log0", "log2"]["p_holm"]) == (0.25, 0.25)
    assert not rows["log0", "log2"]["is_distinguishable"] and rows["log0", "log40"]["is_distinguishable"]
    assert all(row["low"] <= row["difference"] <= row["high"] for row in found.rows) and not found.notes
    other = replace(audits[1], verdicts={"its own verdicts": {("Else/0", 0): True}})
    assert "no problem in common" in compared([audits[0], other]).notes[0]


def test_logs_of_one_name_get_the_tails_that_tell_them_apart():
    assert list(labels(["a/x/log.json", "b/x/log.json", "other.json"])) == [
        "a/x/log.json",
        "b/x/log.json",
        "other.json",
    ]
    assert list(labels(["a/x/log.json", "a/y/log.json"])) == ["x/log.json", "y/log.json"]


def test_the_command_compares_logs_and_places_them_on_a_board(tmp_path):
    files = [str(honest_logs.write(tmp_path, "evalplus", _shifted(number), f"log{number}")) for number in (0, 40)]
    board, html = _write(tmp_path / "b.csv", "best,80.4878,164"), tmp_path / "page.html"
    options = ["--no-regrade", "--board", str(board), "--html", str(html), "--scratch", str(tmp_path / "s")]
    result = CliRunner().invoke(cli, ["audit", *files, *options, "--format", "json"], catch_exceptions=False)
    said = json.loads(result.stdout)
    assert result.exit_code == 0 and len(said["pairs"]) == 1 and said["pairs"][0]["is_distinguishable"] is True
    assert {row["neighbour"] for row in said["board"]} == {"best"} and said["samples"] == []
    text = html.read_text()
    assert "On the published board" in text and "log40" in text and "<script" not in text


def test_the_page_shows_touched_samples_and_escapes_all(tmp_path):
    document = honest_logs.evalplus()
    document["eval"]["HumanEval/0"][0] |= {"solution": "def f():\n    return 0\n<|endoftext|>"}
    audit = _audited(tmp_path, document)
    text = page(Answer((replace(audit, file="<b>"),)))
    assert "&lt;b&gt;" in text and "<b>" not in text and "1 samples, by cause" in text and "HumanEval/0" in text
