"""Logs that evalscope, lighteval and OpenCompass wrote themselves (``tests/foreign/make.py``) are read as they mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.formats import Context
from benchforge.ingest.formats.recognise import recognise

LOGS = Path(__file__).resolve().parent.parent / "foreign"
TWICE = {(f"Toy/{number}", index): number < 2 for number in range(3) for index in range(2)}
ONCE = {(str(number), 0): number < 2 for number in range(3)}


def _read(name):
    path = LOGS / name
    return recognise(path).log(path, Context("humaneval", "default"))


@pytest.mark.parametrize(
    ("name", "verdicts"), [("evalscope_1.14.1_reviews.jsonl", TWICE), ("lighteval_0.13.0_details.parquet", ONCE)]
)
def test_verdicts_are_those_that_the_tool_gave(name, verdicts):
    records = _read(name).records()
    assert {(one.task_id, one.sample_index): one.judgements["base"].verdict == "pass" for one in records} == verdicts


def test_predictions_and_reviews_of_evalscope_number_samples_alike():
    places = [
        {(one.task_id, one.sample_index): one.notes["index"] for one in _read(f"evalscope_1.14.1_{kind}").records()}
        for kind in ("predictions.jsonl", "reviews.jsonl")
    ]
    assert places[0] == places[1]
    assert all(index == 2 * int(task[-1]) + sample for (task, sample), index in places[0].items())


@pytest.mark.parametrize("kind", ["predictions", "results"])
def test_replies_of_opencompass_are_raw_texts_without_verdicts(kind):
    records = list(_read(f"opencompass_0.5.4_{kind}.json").records())
    assert [(one.task_id, one.text, one.text_form, one.judgements) for one in records] == [
        ("0", "8", "raw", {}),
        ("1", "5", "raw", {}),
        ("2", "-2", "raw", {}),
    ]
    assert [one.notes["target"] for one in records] == ["8", "5", "2"]


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("evalscope_1.14.1_reports.json", {"accuracy": 66.67, "pass@1": 66.67, "pass@2": 66.67}),
        ("lighteval_0.13.0_results.json", {"toy|0 exact": 66.67}),
        ("opencompass_0.5.4_results.json", {"pass@1": 66.67}),
        ("opencompass_0.5.4_summary.md", {"toy accuracy": 66.67}),
    ],
)
def test_stated_scores_have_the_names_that_the_tool_means(name, stated):
    scores = _read(name).stated_scores
    assert {key: round(scores[key], 2) for key in stated} == stated
    assert "None" not in " ".join(scores)


def test_lighteval_installed_from_a_package_states_no_version():
    assert _read("lighteval_0.13.0_results.json").facts.tool_version is None
