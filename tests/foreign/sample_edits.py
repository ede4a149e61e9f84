"""One sample of an honest log changed: its texts, its verdict, what the grader said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from honest_logs import Document

SOLVED, UNSOLVED = (0, 4, 8, 12, 16, 20), (1, 5)
"""Places that a fault makes fail, and places that have its symptom and failed anyway."""
Plant = Callable[[Document], Any]


def _rows(name: str, document: Document) -> list[dict[str, Any]]:
    """Samples in the order of the problems, one per problem."""
    if name in ("evalplus", "bigcodebench"):
        return [samples[0] for samples in document["eval"].values()]
    if name == "inspect":
        return document["samples"]
    if name == "opencompass":
        return list(document["details"].values())
    return document


def _evalplus(
    row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None
) -> None:
    row |= {} if program is None else {"solution": program}
    row |= {} if passed is None else dict.fromkeys(("base_status", "plus_status"), _status(passed))


def _bigcodebench(
    row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None
) -> None:
    row |= {} if program is None else {"solution": program}
    row |= {} if passed is None else {"status": _status(passed)}


def _lm(row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None) -> None:
    row |= {} if text is None else {"resps": [[text]]}
    row |= {} if program is None else {"filtered_resps": [program]}
    row |= {} if passed is None else {"pass@1": float(passed)}


def _livecodebench(
    row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None
) -> None:
    row |= {} if text is None else {"output_list": [text]}
    row |= {} if program is None else {"code_list": [program]}
    row |= {} if passed is None else {"graded_list": [passed], "pass@1": float(passed)}
    row |= {} if said is None else {"metadata": [said]}


def _inspect(row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None) -> None:
    row["output"] |= {} if text is None else {"completion": text}
    row["output"] |= {} if said is None else {"choices": [{"stop_reason": said}]}
    row["scores"]["verify"] |= {} if passed is None else {"value": "C" if passed else "I"}


def _human_eval(
    row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None
) -> None:
    row |= {} if program is None else {"completion": program}
    row |= {} if passed is None else {"passed": passed, "result": "passed" if passed else f"failed: {said or ''}"}


def _opencompass(
    row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None
) -> None:
    row |= {} if program is None else {"completion": program}
    row |= {} if passed is None else {"is_correct": passed, "result": "passed" if passed else f"failed: {said or ''}"}


def _evalscope(
    row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None
) -> None:
    score = row["sample_score"]["score"]
    score |= {} if text is None else {"prediction": text}
    score |= {} if program is None else {"extracted_prediction": program}
    score |= {} if passed is None else {"value": {"acc": float(passed)}}
    score["metadata"] |= {} if said is None else {"execution_result": said}


def _nemo_skills(
    row: dict[str, Any], passed: bool | None, text: str | None, program: str | None, said: str | None
) -> None:
    row |= {} if text is None else {"generation": text}
    row |= {} if program is None else {"completion": program}
    row |= {} if passed is None else {"is_correct": passed, "is_correct-plus": passed}


_EDITS: Mapping[str, Callable[..., None]] = {
    "evalplus": _evalplus,
    "bigcodebench": _bigcodebench,
    "lm_humaneval": _lm,
    "lm_instruct": _lm,
    "lm_cruxeval": _lm,
    "lm_mbpp": _lm,
    "livecodebench": _livecodebench,
    "inspect": _inspect,
    "human_eval": _human_eval,
    "opencompass": _opencompass,
    "evalscope": _evalscope,
    "nemo_skills": _nemo_skills,
}


def edit(
    name: str,
    document: Document,
    places: Iterable[int],
    *,
    passed: bool | None = None,
    text: str | None = None,
    program: str | None = None,
    said: str | None = None,
) -> None:
    rows = _rows(name, document)
    for place in places:
        _EDITS[name](rows[place], passed, text, program, said)


def spoiled(name: str, **symptom: str) -> Plant:
    """Six solved samples fail with the symptom, two that failed anyway have it as well."""
    return lambda document: edit(name, document, (*SOLVED, *UNSOLVED), passed=False, **symptom)


def lifted(name: str, **symptom: str) -> Plant:
    """Five samples that failed pass with the symptom."""
    return lambda document: edit(name, document, (1, 3, 5, 7, 9), passed=True, **symptom)


def all_failed(name: str, **symptom: str) -> Plant:
    return lambda document: edit(name, document, range(len(_rows(name, document))), passed=False, **symptom)


def metadata(code: int, words: str) -> str:
    """LiveCodeBench's note on a sample."""
    return json.dumps({"error_code": code, "error": words, "error_message": words})


def _status(passed: bool) -> str:
    return "pass" if passed else "fail"
