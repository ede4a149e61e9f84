"""HumanEval runs, JSON lines in three shapes, told apart by their keys.

- ``{task_id, completion[, passed, result]}``: samples and results of openai/human-eval (``human_eval/data.py``,
  ``execution.py``): the completion continues the prompt;
- ``{task_id, run, code, passed}``: whole programs as answered, ``run`` counted from 1;
- ``{prompt, samples}``: one row per problem as microsoft/CodeT keeps them: raw continuations, still to be cut at the
  five stop strings. The row names its problem only by the prompt, with doctest lines removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadInput, NotStaged
from .glimpse import Glimpse
from .records import Context, Format, Judgement, Record, Recording
from .source_files import field_of, json_lines, line_of, occurrence_counter

_LAST_FUNCTION = re.compile(r"^def\s+(\w+)\s*\(", re.MULTILINE)


def read_runs(path: Path, context: Context) -> Recording:
    """Samples with their verdicts where graded."""
    rows = json_lines(path)
    if "samples" in rows[0]:
        return Recording(tuple(_by_prompt(path, rows, context)))
    reader = _programs if "code" in rows[0] else _completions
    return Recording(tuple(reader(path, rows, context)))


def _completions(path: Path, rows: Sequence[Mapping[str, Any]], context: Context) -> Iterator[Record]:
    next_index = occurrence_counter()
    for row in rows:
        task_id = field_of(path, row, "task_id", str)
        text = field_of(path, row, "completion", str)
        form = context.text_form or "completion"
        yield Record(
            task_id, next_index(task_id), text, form, _judgements(path, row), line=line_of(row), notes=_notes(row)
        )


def _programs(path: Path, rows: Sequence[Mapping[str, Any]], context: Context) -> Iterator[Record]:
    for row in rows:
        task_id = field_of(path, row, "task_id", str)
        index = field_of(path, row, "run", int) - 1
        tokens = row.get("completion_tokens")
        yield Record(
            task_id,
            index,
            field_of(path, row, "code", str),
            context.text_form or "program",
            _judgements(path, row),
            tokens if isinstance(tokens, int) else None,
            line_of(row),
            notes=_notes(row),
        )


def _by_prompt(path: Path, rows: Sequence[Mapping[str, Any]], context: Context) -> Iterator[Record]:
    if context.prompts is None:
        raise NotStaged(
            f"{path} names its problems by their prompts, and the problems of {context.benchmark} are not staged",
            f"benchforge stage {context.benchmark} --from DIR",
        )
    for row in rows:
        task_id = _task_of(path, field_of(path, row, "prompt", str), context.prompts)
        for index, text in enumerate(field_of(path, row, "samples", list)):
            yield Record(task_id, index, text, context.text_form or "raw", line=line_of(row))


def _task_of(path: Path, prompt: str, prompts: Mapping[str, str]) -> str:
    """The problem that asks for the same function and whose prompt holds every word of this one."""
    words = set(prompt.split())
    candidates = [
        task_id
        for task_id, official in prompts.items()
        if _last_function(official) == _last_function(prompt) and words <= set(official.split())
    ]
    if len(candidates) != 1:
        raise BadInput(
            f"{path}: a prompt that defines {_last_function(prompt)!r} belongs to {len(candidates)} problems",
            "check --benchmark",
        )
    return candidates[0]


def _last_function(prompt: str) -> str:
    names = _LAST_FUNCTION.findall(prompt)
    return names[-1] if names else ""


def _notes(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the grader said: "passed", "timed out", "failed: …"."""
    return {"result": row["result"]} if "result" in row else {}


def _judgements(path: Path, row: Mapping[str, Any]) -> dict[str, Judgement]:
    if "passed" not in row:
        return {}
    if field_of(path, row, "passed", bool):
        return {"base": Judgement("pass", "ok")}
    is_timeout = row.get("result") == "timed out"
    return {"base": Judgement("timeout", "timeout") if is_timeout else Judgement("fail")}


def _is_runs(glimpse: Glimpse) -> bool:
    if glimpse.kind not in ("lines", "object") or glimpse.has("generation"):
        return False
    is_results = glimpse.has("task_id", "passed") and (glimpse.has("completion") or glimpse.has("run", "code"))
    is_numbered = str(glimpse.row.get("task_id", "")).startswith("HumanEval/") and glimpse.has("completion")
    is_by_prompt = set(glimpse.row) == {"prompt", "samples"}
    return is_results or is_numbered or is_by_prompt


FORMATS = (
    Format(
        "humaneval",
        read_runs,
        "HumanEval samples or results, JSON lines in three shapes",
        "human-eval",
        _is_runs,
        benchmarks=("humaneval",),
    ),
)
