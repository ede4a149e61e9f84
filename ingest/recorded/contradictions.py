"""A CRUXEval file handed in as the other scenario: both have the same problems, so only the answers tell them apart.

An answer to input prediction is a call ``f(…)``, an answer to output prediction is a value. In every public file of
the pinned sources at least 86 % of the non-blank input answers hold ``f(``, and at most 2.4 % of the output answers;
the limits stand far from both, so that a weak model is never mistaken for the other scenario. Beside that, the
official scorer (facebookresearch/cruxeval@190faf1, ``evaluation/evaluate_generations.py``) leaves an answer out that
cannot be one, so a pass on such an answer cannot have come from this scenario.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import BadInput
from ..formats import Record
from ..formats.cruxeval import dropped_rule

_OTHER: Mapping[str, str] = {"cruxeval_i": "cruxeval_o", "cruxeval_o": "cruxeval_i"}
_MIN_ANSWERS = 20
"""Fewer answers than this prove nothing by their share."""
_MIN_SHARE_OF_INPUT = 0.2
_MAX_SHARE_OF_OUTPUT = 0.5


def refuse_other_scenario(
    path: Path, records: Sequence[Record], scenario: str, inputs: Mapping[str, str] | None
) -> None:
    """Raises BadInput that names the other scenario; looks at extracted answers (form ``program``) only.

    ``inputs`` are the problems' inputs by task id, None where they are not staged.
    """
    if scenario not in _OTHER:
        return
    fault = _impossible_pass(records, scenario, inputs) or _impossible_share(records, scenario)
    if fault:
        raise BadInput(
            f"{path} does not answer {scenario}: {fault}",
            f"--scenario {_OTHER[scenario]}, or --text-form raw where the answers are whole replies",
        )


def _impossible_share(records: Sequence[Record], scenario: str) -> str:
    answers = [text for _, text in _answers(records) if text.strip()]
    num_calls = sum("f(" in text for text in answers)
    share = num_calls / len(answers) if len(answers) >= _MIN_ANSWERS else None
    if share is None:
        return ""
    is_odd = share < _MIN_SHARE_OF_INPUT if scenario == "cruxeval_i" else share > _MAX_SHARE_OF_OUTPUT
    expected = "calls f(…)" if scenario == "cruxeval_i" else "values"
    return f"{num_calls} of its {len(answers)} answers are calls of f, answers to it are {expected}" if is_odd else ""


def _impossible_pass(records: Sequence[Record], scenario: str, inputs: Mapping[str, str] | None) -> str:
    if scenario == "cruxeval_o" and inputs is None:
        return ""  # without the input no single answer is impossible: a value may hold the letters f(
    is_left_out = dropped_rule(scenario, inputs)
    for record, text in _answers(records):
        base = record.judgements.get("base")
        if base is not None and base.verdict == "pass" and is_left_out(record.task_id, text):
            return f"sample {record.sample_index} of {record.task_id} passed with an answer that its scorer leaves out"
    return ""


def _answers(records: Sequence[Record]) -> list[tuple[Record, str]]:
    return [(record, record.text) for record in records if record.text is not None and record.text_form == "program"]
