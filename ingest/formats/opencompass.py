"""OpenCompass: predictions, results with details, summaries.

Shapes as open-compass/opencompass@a5acc4b writes them (``openicl/icl_inferencer/icl_base_inferencer.py``,
``tasks/openicl_eval.py``, ``datasets/humaneval.py``, ``datasets/livecodebench/evaluator.py``). Keys are places as text
("0", "1", "10"), scores are percent. A prediction can be a list: the samples of one problem. Details of evaluators that
compare texts hold the reply and the reference and no verdict. Checked against files that OpenCompass 0.5.4 wrote
(``tests/foreign``) and, for its code evaluators, against files made after the sources: no public one was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .benchmark_words import our_word
from .glimpse import Glimpse
from .json_stream import JsonStream
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import line_of, occurrence_counter, place_of, streamed_rows
from .text_stream import text_lines

TOOL = "OpenCompass"
_SUMMARY = "| dataset | version | metric | mode |"
_POSITIONS = "its rows name no problem: their order is the only key"


def open_predictions(path: Path, context: Context) -> Log:
    facts = LogFacts(tool=TOOL, is_by_position=True, notes=(_POSITIONS,))
    return Log(lambda: _predictions(path, context), facts)


def _predictions(path: Path, context: Context) -> Iterator[Record]:
    for key, row in _entries(path):
        texts = row["prediction"] if isinstance(row["prediction"], list) else [row["prediction"]]
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise BadInput(f"{place_of(path, row)}: prediction {key} is not text", "is this a generation task?")
            yield Record(
                key,
                index,
                text,
                context.text_form or "raw",
                line=line_of(row),
                prompt=_prompt(row.get("origin_prompt")),
                notes={"target": row.get("gold")},
            )


def _entries(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Key -> prediction: one object of them, or JSON lines where newer inferencers write these."""
    if _is_lines(path):
        for number, row in enumerate(streamed_rows(path, "origin_prompt", "prediction")):
            yield str(row.get("index", number)), row
        return
    stream = JsonStream(path)
    for key in stream.members():
        row = stream.value()
        if not isinstance(row, dict) or "prediction" not in row:
            raise BadInput(f"{path}: entry {key} has no prediction", "check that the format named fits the file")
        yield key, row


def _is_lines(path: Path) -> bool:
    stream = JsonStream(path)
    for key in stream.members():
        return not key.isdigit()
    return False


def _prompt(asked: Any) -> str | None:
    if isinstance(asked, list):
        return "\n".join(str(turn.get("prompt", "")) for turn in asked if isinstance(turn, dict))
    return asked if isinstance(asked, str) else None


def open_results(path: Path, context: Context) -> Log:
    """``{<metric>: percent, details}``."""
    scores, first = _stated(path)
    facts = LogFacts(tool=TOOL, is_by_position="task_id" not in first)
    return Log(lambda: _details(path, context), facts, scores)


def _stated(path: Path) -> tuple[dict[str, float], Mapping[str, Any]]:
    stream, scores, first = JsonStream(path), {}, {}
    for key in stream.members():
        if key == "details":
            first = next(iter(_entries_of_details(stream)), (None, {}))[1]
            return scores | _stated_after(path), first
        value = stream.value()
        if isinstance(value, int | float):
            scores[_metric(key)] = float(value)
    return scores, first


def _stated_after(path: Path) -> dict[str, float]:
    """Scores that stand behind the details."""
    stream, scores = JsonStream(path), {}
    for key in stream.members():
        if key == "details":
            stream.skip()
        elif isinstance(value := stream.value(), int | float):
            scores[_metric(key)] = float(value)
    return scores


def _metric(key: str) -> str:
    return "pass@1" if key in ("accuracy", "humaneval_pass@1", "pass@1") else key


def _entries_of_details(stream: JsonStream) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if stream.peek() == "[":
        for position in stream.elements():
            yield str(position), stream.value()
        return
    for key in stream.members():
        value = stream.value()
        if isinstance(value, dict):
            yield key, value


def _details(path: Path, context: Context) -> Iterator[Record]:
    stream = JsonStream(path)
    next_index = occurrence_counter()
    for member in stream.members():
        if member != "details":
            stream.skip()
            continue
        for key, detail in _entries_of_details(stream):
            name = str(detail.get("task_id", key))
            program = detail.get("completion", detail.get("extracted_prediction", detail.get("programs")))
            text = program[0] if isinstance(program, list) and len(program) == 1 else program
            raw = detail.get("origin_prediction") if text is None else None
            is_text = isinstance(text, str)
            several = next((one for one in (program, detail.get("prediction")) if isinstance(one, list)), [text])
            yield Record(
                name,
                next_index(name),
                text if is_text else raw if isinstance(raw, str) else None,
                (context.text_form or ("program" if is_text else "raw")) if is_text or isinstance(raw, str) else None,
                _judgement(detail),
                prompt=_prompt(detail.get("prompt")),
                notes={
                    "target": detail.get("references"),
                    "result": detail.get("result", detail.get("eval_result")),
                    "key": key,
                    "num_predictions": len(several),
                },
            )


def _judgement(detail: Mapping[str, Any]) -> dict[str, Judgement]:
    value = detail.get("is_correct", detail.get("passed", detail.get("correct")))
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(value, bool):
        return {}
    if value:
        return {"base": Judgement("pass", "ok")}
    is_timeout = detail.get("result") in ("timed out", "timeout")
    return {"base": Judgement("timeout", "timeout") if is_timeout else Judgement("fail")}


def open_summary(path: Path, context: Context) -> Log:
    """The Markdown table of a summary: datasets by rows, models by columns."""
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for _, line in text_lines(path) if "|" in line]
    head, body = rows[0], [row for row in rows[2:] if len(row) == len(rows[0])]
    scores = {
        f"{row[0]} {row[2]}" if len(head) == 5 else f"{row[0]} {row[2]} {head[column]}": float(row[column])
        for row in body
        for column in range(4, len(head))
        if _is_number(row[column])
    }
    facts = LogFacts(
        tool=TOOL,
        benchmark=our_word(body[0][0]) if len(body) == 1 else None,
        title=", ".join(row[0] for row in body),
        model=head[4] if len(head) == 5 else None,
    )
    return Log(lambda: iter(()), facts, scores)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _is_predictions(glimpse: Glimpse) -> bool:
    if glimpse.kind == "lines":
        return glimpse.has("origin_prompt", "prediction")
    first = next(iter(glimpse.row.items()), ("", None)) if glimpse.kind == "object" else ("", None)
    return first[0].isdigit() and isinstance(first[1], dict) and {"origin_prompt", "prediction"} <= set(first[1])


def _is_results(glimpse: Glimpse) -> bool:
    is_scored = any("pass@1" in key or key == "accuracy" for key in glimpse.row)
    return glimpse.kind == "object" and "details" in glimpse.row and is_scored


FORMATS = (
    log_format(
        "opencompass-predictions",
        open_predictions,
        "OpenCompass predictions/<model>/<dataset>.json",
        tool=TOOL,
        recognises=_is_predictions,
    ),
    log_format(
        "opencompass-results",
        open_results,
        "OpenCompass results/<model>/<dataset>.json with details",
        tool=TOOL,
        recognises=_is_results,
    ),
    log_format(
        "opencompass-summary",
        open_summary,
        "OpenCompass summary_<time>.md: stated scores",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.kind == "text" and glimpse.start.startswith(_SUMMARY),
        has_samples=False,
    ),
)
