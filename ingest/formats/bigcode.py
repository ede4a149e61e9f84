"""bigcode-evaluation-harness: generations, generations with ``code_eval``'s verdicts (a fork), stated metrics.

Shapes as bigcode-project/bigcode-evaluation-harness@8fc5bae writes them (``bigcode_eval/evaluator.py``, ``main.py``)
and as forks write them beside. Generations are a list of lists in the order of the dataset, and nothing else: the place
is the only key. For HumanEval a place is the problem's number; for other benchmarks it stays a place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .glimpse import Glimpse
from .json_stream import JsonStream
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import json_document

TOOL = "bigcode-evaluation-harness"
_NUMBERED = ("humaneval", "humanevalplus")
_NOT_SCORES = ("config", "metrics", "main.py measurements")
_POSITIONS = "its rows name no problem: their order is the only key"


def open_generations(path: Path, context: Context) -> Log:
    return Log(lambda: _records(path, context, {}), _facts(context))


def _records(path: Path, context: Context, verdicts: Mapping[str, Any]) -> Iterator[Record]:
    stream = JsonStream(path)
    for position in stream.elements():
        yield from _task(path, position, stream.value(), context, verdicts)


def _task(path: Path, position: int, texts: Any, context: Context, verdicts: Mapping[str, Any]) -> Iterator[Record]:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadInput(
            f"{path}: element {position} is not a list of texts", "check that the format named fits the file"
        )
    results = _results(path, position, verdicts)
    for index, text in enumerate(texts):
        judgements = {} if index not in results else {"base": _judgement(results[index])}
        yield Record(_task_id(position, context), index, text, context.text_form or "program", judgements)


def _task_id(position: int, context: Context) -> str:
    return f"HumanEval/{position}" if context.benchmark in _NUMBERED else str(position)


def _results(path: Path, position: int, verdicts: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """Completion id -> result of one task: pairs, as ``code_eval`` of huggingface/evaluate@a7dd338 gives them."""
    pairs = verdicts.get(str(position), [])
    try:
        return {completion_id: result for completion_id, result in pairs if isinstance(result["passed"], bool)}
    except (TypeError, ValueError, KeyError) as error:
        raise BadInput(f"{path}: results of task {position} are not pairs of number and result", "") from error


def _judgement(result: Mapping[str, Any]) -> Judgement:
    if result["passed"]:
        return Judgement("pass", "ok")
    return Judgement("timeout", "timeout") if result.get("result") == "timed out" else Judgement("fail")


def _facts(context: Context) -> LogFacts:
    is_by_position = context.benchmark not in _NUMBERED
    return LogFacts(tool=TOOL, is_by_position=is_by_position, notes=(_POSITIONS,) if is_by_position else ())


def open_graded(path: Path, context: Context) -> Log:
    """``{metrics, test_case, generations}`` of a fork."""
    document = json_document(path)
    texts, verdicts = document["generations"], document["test_case"]
    if not isinstance(texts, list) or not isinstance(verdicts, dict) or len(texts) != len(verdicts):
        raise BadInput(f"{path}: generations and test_case are not as many", "get the file again")

    def records() -> Iterator[Record]:
        for position, of_task in enumerate(texts):
            yield from _task(path, position, of_task, context, verdicts)

    return Log(records, _facts(context), _percent(document.get("metrics") or {}))


def open_metrics(path: Path, context: Context) -> Log:
    """``{<task>: {pass@1, …}, config}``; forks write the metrics of one task without its name."""
    document = json_document(path)
    config = document.get("config") or {}
    scores = _percent(document)
    for task, metrics in document.items():
        if isinstance(metrics, dict) and task not in _NOT_SCORES:
            scores |= {f"{task} {name}": value for name, value in _percent(metrics).items()}
    facts = LogFacts(
        tool=TOOL,
        title=", ".join(name for name in document if isinstance(document[name], dict) and name not in _NOT_SCORES),
        tool_version=None,
        model=config.get("model"),
        temperature=config.get("temperature") if config.get("do_sample", True) else 0.0,
        top_p=config.get("top_p"),
    )
    return Log(lambda: iter(()), facts, scores)


def _percent(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: 100 * value
        for name, value in metrics.items()
        if name.startswith("pass@") and isinstance(value, int | float)
    }


def _is_generations(glimpse: Glimpse) -> bool:
    first = glimpse.first
    is_texts = isinstance(first, list) and all(isinstance(item, str) for item in first)
    return glimpse.kind == "array" and is_texts


def _is_graded(glimpse: Glimpse) -> bool:
    return glimpse.kind == "object" and glimpse.has("test_case", "generations")


def _is_metrics(glimpse: Glimpse) -> bool:
    if glimpse.kind != "object" or glimpse.has("test_case") or glimpse.has("model", "split"):
        return False
    is_of_tasks = "config" in glimpse.row and any(_has_pass(value) for value in glimpse.row.values())
    return is_of_tasks or (_has_pass(glimpse.row) and set(glimpse.row) <= {"pass@1", "pass@10", "pass@100", *_FORK})


_FORK = ("average_time", "average_new_token_length")


def _has_pass(value: Any) -> bool:
    return isinstance(value, dict) and "pass@1" in value


FORMATS = (
    log_format(
        "bigcode-generations",
        open_generations,
        "bigcode-evaluation-harness generations_<task>.json: texts in the dataset's order",
        tool=TOOL,
        recognises=_is_generations,
    ),
    log_format(
        "bigcode-graded",
        open_graded,
        "the same with code_eval's verdicts, as forks write them: {metrics, test_case, generations}",
        tool=TOOL,
        recognises=_is_graded,
    ),
    log_format(
        "bigcode-metrics",
        open_metrics,
        "bigcode-evaluation-harness or mxeval metrics: stated scores",
        tool=TOOL,
        recognises=_is_metrics,
        has_samples=False,
    ),
)
