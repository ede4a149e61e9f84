"""Samples and verdicts of a lake in the layouts of EvalPlus and LiveCodeBench, so that their tools read them.

``evalplus``           JSON lines of ``{task_id, solution | completion}``, as ``evalplus.evaluate --samples`` reads them
``evalplus-graded``    ``eval_results.json`` of evalplus/evalplus@26d6d00 (``evaluate.py``), statuses of base and plus
``livecodebench``      ``…_eval_all.json`` of LiveCodeBench/LiveCodeBench@28fef95 (``lcb_runner/runner/main.py``)

What was imported from such a file and is exported is imported again as the same samples and verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ingest.errors import BadInput, UsageError
from ...ingest.formats.evalplus import DATASETS
from ...ingest.lake import Lake

_SAMPLE_COLUMNS = (
    *("task_id", "sample_index", "sample_id", "text_form", "text_encoding", "raw_text", "request_digest"),
    *("dataset_version", "source", "temperature", "protocol"),
)
_RESULT_COLUMNS = (
    *("sample_id", "grader_id", "origin", "program_id", "request_digest"),
    *("official_base_verdict", "official_base_reason", "official_plus_verdict"),
)
_ERROR_CODES: Mapping[str, int] = {"wrong_answer": -2, "timeout": -3, "exception": -4}
"""LiveCodeBench's ``error_code`` by our reason; one without is -5 to nobody: it is left out."""


@dataclass(frozen=True)
class Chosen:
    """One model's samples under one request, each with the verdict of one grader or None."""

    benchmark: str
    dataset_version: str
    rows: Sequence[Mapping[str, Any]]


def chosen(
    lake: Lake, benchmark: str, scenario: str, model: str, request_digest: str | None, grader_id: str | None
) -> Chosen:
    """Samples in the order of tasks and indexes, ``verdict`` and ``program`` beside each.

    Raises UsageError where nothing is there, or where several requests or graders are and none is named.
    """
    of_model = [("benchmark", "=", benchmark), ("model", "=", model), ("scenario", "=", scenario)]
    samples = lake.read("samples", _SAMPLE_COLUMNS, of_model).to_pylist()
    if not samples:
        raise UsageError(
            f"the lake {lake.root} holds no sample of {model} on {benchmark} {scenario}", "benchforge status"
        )
    request = _only(samples, "request_digest", request_digest, "--request", _told)
    asked = sorted(
        (row for row in samples if row["request_digest"] == request),
        key=lambda row: (_natural(row["task_id"]), row["sample_index"]),
    )
    results = lake.read("results", _RESULT_COLUMNS, [*of_model, ("request_digest", "=", request)]).to_pylist()
    grader = _only(results, "grader_id", grader_id, "--grader", lambda row: row["origin"]) if results else None
    verdicts = {row["sample_id"]: row for row in results if row["grader_id"] == grader}
    programs = _programs(lake, benchmark, {row["program_id"] for row in verdicts.values() if row["program_id"]})
    rows = [_joined(row, verdicts.get(row["sample_id"]), programs) for row in asked]
    return Chosen(benchmark, asked[0]["dataset_version"], rows)


def _only(
    rows: Sequence[Mapping[str, Any]], name: str, wanted: str | None, option: str, told: Callable[[Any], str]
) -> str:
    """The one value there is, or the one named (its beginning is enough)."""
    values = {row[name]: told(row) for row in rows}
    found = [value for value in values if wanted is None or value.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{value[:16]} ({words})" for value, words in sorted(values.items()))
    fault = f"no {name} begins with {wanted!r}" if wanted and not found else f"there are {len(found)} of {name}"
    raise UsageError(f"{fault}: {listed}", f"name one with {option}")


def _told(row: Mapping[str, Any]) -> str:
    return f"protocol {row['protocol']}, temperature {row['temperature']}, {row['source']}"


def _natural(task_id: str) -> tuple[str, int, str]:
    """``HumanEval/2`` before ``HumanEval/10``."""
    head, _, number = task_id.rpartition("/")
    return (head, int(number), "") if number.isdigit() else (head, -1, number)


def _programs(lake: Lake, benchmark: str, wanted: set[bytes]) -> dict[bytes, str]:
    if not wanted:
        return {}
    table = lake.read("programs", ["program_id", "program"], [("benchmark", "=", benchmark)])
    return {row["program_id"]: row["program"] for row in table.to_pylist() if row["program_id"] in wanted}


def _joined(
    sample: Mapping[str, Any], verdict: Mapping[str, Any] | None, programs: Mapping[bytes, str]
) -> dict[str, Any]:
    raw = sample["raw_text"]
    text = json.loads(raw) if sample["text_encoding"] == "json" and raw is not None else raw
    program = programs.get(verdict["program_id"]) if verdict and verdict["program_id"] else None
    return {**sample, "text": text, "verdict": verdict, "program": program}


def evalplus_samples(picked: Chosen) -> Iterator[str]:
    """JSON lines. BadInput for a reply that was not scored: what its program is nobody said yet."""
    for row in picked.rows:
        key = "completion" if row["text_form"] == "completion" else "solution"
        yield json.dumps({"task_id": row["task_id"], key: _solution(row)}) + "\n"


def _solution(row: Mapping[str, Any]) -> str:
    """The text where it is a program or continues a prompt, else the program that the official extraction took."""
    if row["text_form"] in ("program", "completion") and row["text"] is not None:
        return row["text"]
    if row["program"] is None:
        what = "a reply whose program is not known yet" if row["text"] is not None else "a verdict without its text"
        raise BadInput(f"sample {row['sample_index']} of {row['task_id']} is {what}", "benchforge score")
    return row["program"]


def evalplus_graded(picked: Chosen) -> Iterator[str]:
    """One JSON document. BadInput where a sample has no verdict: EvalPlus knows no such status."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for row in picked.rows:
        by_task.setdefault(row["task_id"], []).append(_graded(row))
    hashes = {dataset: md5 for md5, dataset in DATASETS.items()}
    document = {"hash": hashes.get((picked.benchmark, picked.dataset_version)), "eval": by_task}
    yield json.dumps({name: value for name, value in document.items() if value is not None}) + "\n"


def _graded(row: Mapping[str, Any]) -> dict[str, Any]:
    verdict = _verdict(row)
    plus = verdict["official_plus_verdict"]
    # a completion runs behind its prompt, which the file has no room for: the program that ran stands there
    solution = row["program"] if row["text_form"] == "completion" and row["program"] is not None else None
    return {
        "task_id": row["task_id"],
        "solution": solution or (None if row["text"] is None else _solution(row)),
        "base_status": _status(verdict["official_base_verdict"]),
        "plus_status": None if plus is None else _status(plus),
        "base_fail_tests": [],
        "plus_fail_tests": [],
    }


def _verdict(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if row["verdict"] is None or row["verdict"]["official_base_verdict"] is None:
        raise BadInput(f"sample {row['sample_index']} of {row['task_id']} has no verdict", "benchforge score")
    return row["verdict"]


def _status(verdict: str) -> str:
    return verdict if verdict in ("pass", "timeout") else "fail"


def livecodebench(picked: Chosen, tasks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One JSON list of problems; ``tasks`` (rows of the lake by id) give difficulty and day where they are known."""
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for row in picked.rows:
        by_task.setdefault(row["task_id"], []).append(row)
    problems = [_problem(task_id, rows, tasks.get(task_id, {})) for task_id, rows in sorted(by_task.items())]
    yield json.dumps(problems, indent=4) + "\n"


def _problem(task_id: str, rows: Sequence[Mapping[str, Any]], task: Mapping[str, Any]) -> dict[str, Any]:
    platform, _, contest = (task.get("cluster") or "").partition("/")
    day = task.get("contest_date")
    said = {
        "question_id": task_id,
        "platform": platform or None,
        "contest_id": contest or None,
        "contest_date": None if day is None else f"{day.isoformat()}T00:00:00",
        "difficulty": task.get("stratum"),
    }
    is_raw = all(row["text_form"] == "raw" for row in rows)
    grades = [_verdict(row)["official_base_verdict"] == "pass" for row in rows] if _is_judged(rows) else None
    return {
        **{name: value for name, value in said.items() if value is not None},
        "output_list": [row["text"] for row in rows] if is_raw else [],
        "code_list": [_code(row) for row in rows],
        **({} if grades is None else _grades(rows, grades)),
    }


def _code(row: Mapping[str, Any]) -> str:
    """What upstream grades: of a reply that was not scored here, its official extraction, which only cuts the text."""
    from ..score.extract.livecodebench import last_two_fences

    if row["text_form"] != "raw":
        return row["text"] or ""
    context = {"protocol": row["protocol"] or ""}
    return last_two_fences(row["text"] or "", context) if row["program"] is None else row["program"]


def _is_judged(rows: Sequence[Mapping[str, Any]]) -> bool:
    return all(row["verdict"] is not None and row["verdict"]["official_base_verdict"] is not None for row in rows)


def _grades(rows: Sequence[Mapping[str, Any]], grades: Sequence[bool]) -> dict[str, Any]:
    codes = [_ERROR_CODES.get(row["verdict"]["official_base_reason"] or "") for row in rows]
    return {
        "graded_list": list(grades),
        "pass@1": sum(grades) / len(grades),
        "metadata": [json.dumps({} if code is None else {"error_code": code}) for code in codes],
    }
