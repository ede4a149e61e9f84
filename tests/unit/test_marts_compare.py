"""Two models beside each other, checked against their problems counted by hand."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import NotStaged, UsageError
from benchforge.runners.ask.compare import compare
from benchforge.runners.ask.sql import ask
from benchforge.runners.cli.main import cli
from click.testing import CliRunner

A, B = "unknown__codellama-13b", "unknown__codellama-7b"


def test_flips_and_difference_are_those_of_the_problems(recorded_marts: Path) -> None:
    found = compare(recorded_marts, A, B, benchmark="livecodebench")
    (board,) = found.boards
    scores = {model: _scores(recorded_marts, model, board["comparability_digest"]) for model in (A, B)}
    gaps = [scores[A][task] - scores[B][task] for task in scores[A]]
    assert len(gaps) == board["num_problems"] == 479
    assert (board["only_a"], board["only_b"]) == (sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps))
    assert math.isclose(board["score_difference"], sum(gaps) / len(gaps), abs_tol=1e-12)
    assert {row["task_id"]: row["difference"] for row in found.problems} == {
        task: pytest.approx(scores[A][task] - scores[B][task])
        for task in scores[A]
        if scores[A][task] != scores[B][task]
    }


def _scores(marts: Path, model: str, digest: str) -> dict[str, float]:
    query = """
        select task_id, num_passed / num_planned as score from fct_task_scores
        where benchmark = 'livecodebench' and verdict = 'official' and scope = 'all'
            and model = $model and comparability_digest = $digest
    """
    return {row["task_id"]: row["score"] for row in ask(marts, query, {"model": model, "digest": digest}).rows}


def test_the_order_of_the_two_turns_signs_and_nothing_else(recorded_marts: Path) -> None:
    there, back = compare(recorded_marts, A, B), compare(recorded_marts, B, A)
    for first, second in zip(there.boards, back.boards, strict=True):
        assert first["score_difference"] == -second["score_difference"]
        assert (first["difference_low"], first["difference_high"]) == (
            -second["difference_high"],
            -second["difference_low"],
        )
        assert (first["only_a"], first["only_b"]) == (second["only_b"], second["only_a"])
        for name in ("p_value", "problems_needed", "samples_needed", "noise_from_problems", "in_words"):
            assert first[name] == second[name], name
    assert {tuple(row.items()) for row in there.reasons} == {tuple(row.items()) for row in back.reasons}


def test_what_is_needed_tells_a_gap_of_this_size_with_power_eight_tenths(recorded_marts: Path) -> None:
    """With that many problems, or samples, the difference is 2.8 standard errors."""
    normal = 1.959963984540054 + 0.8416212335729143
    for board in compare(recorded_marts, A, B).boards:
        gap = abs(board["score_difference"])
        variance = board["se_total"] ** 2 * board["num_problems"] / board["problems_needed"]
        assert gap / math.sqrt(variance) == pytest.approx(normal, rel=0.01)
        assert gap / math.sqrt(variance) >= normal - 1e-9
        if board["samples_needed"] is not None:
            shrunk = board["num_planned"] * board["se_prediction"] ** 2 / board["samples_needed"]
            assert gap / math.sqrt(shrunk + max(board["se_data"], 0) ** 2) >= normal - 1e-9
        assert board["noise_from_problems"] + board["noise_from_sampling"] == pytest.approx(1)


def test_boards_that_may_not_be_compared_are_named_with_the_field(recorded_marts: Path) -> None:
    found = compare(recorded_marts, "claude-3-opus-20240229", "codellama-13b")
    assert not found.boards
    assert {row["differing_fields"] for row in found.refused} == {"num_planned"}


@pytest.mark.parametrize(
    ("words", "sentence", "hint"),
    [
        (("codellama-13", "codellama-7b"), "no model codellama-13", "codellama-13b"),
        (("CodeLlama-7B", "codellama-7b"), "given twice", "two models"),
    ],
)
def test_a_wrong_name_is_one_sentence(recorded_marts: Path, words: tuple[str, str], sentence: str, hint: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        compare(recorded_marts, *words)
    assert hint in caught.value.hint


def test_without_marts_the_build_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotStaged):
        compare(tmp_path / "none.duckdb", A, B)


def test_each_format_holds_the_same_boards(recorded_marts: Path) -> None:
    answer = json.loads(_printed(recorded_marts, "json"))
    assert answer["a"] == A and {"boards", "noise", "problems", "reasons", "refused"} <= set(answer)
    rows = list(csv.DictReader(io.StringIO(_printed(recorded_marts, "csv"))))
    assert [float(row["score_difference"]) for row in rows] == [row["score_difference"] for row in answer["boards"]]
    assert "(20 of " in _printed(recorded_marts, "table") and len(answer["problems"]) > 20


def _printed(marts: Path, format_: str) -> Any:
    done = CliRunner().invoke(cli, ["compare", A, B, "--file", str(marts), "--format", format_])
    assert done.exit_code == 0, done.output
    return done.stdout
