"""lm-evaluation-harness: ``samples_<task>_<time>.jsonl`` of ``--log_samples``, and ``results_<time>.json``.

Shapes as EleutherAI/lm-evaluation-harness@4e7e0d4 writes them (``lm_eval/evaluator.py``,
``lm_eval/loggers/evaluation_tracker.py``). A row is one document under one filter; its ``resps`` are the replies of
all repeats, its metric is the mean over them: with more than one repeat the verdict of the single reply is lost and
the mean is kept as ``task_score``. Rows of other filters than the first are other readings of the same replies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .benchmark_words import our_word
from .glimpse import Glimpse
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import json_document, line_of, place_of, streamed_rows

TOOL = "lm-evaluation-harness"
_REQUIRED = ("doc_id", "doc", "resps", "filter")
_FIRST_METRICS = ("pass@1", "pass_at_1", "exact_match", "acc")


def open_samples(path: Path, context: Context) -> Log:
    first = next(iter(streamed_rows(path, *_REQUIRED, what="of lm-eval-samples")))
    return Log(lambda: _records(path, context, first["filter"]), _facts(first))


def _records(path: Path, context: Context, filter_name: Any) -> Iterator[Record]:
    for row in streamed_rows(path, *_REQUIRED, what="of lm-eval-samples"):
        if row["filter"] == filter_name:
            yield from _row_records(path, row, context)


def _row_records(path: Path, row: Mapping[str, Any], context: Context) -> Iterator[Record]:
    doc = row["doc"] if isinstance(row["doc"], dict) else {}
    replies, programs = _texts(path, row, "resps"), _texts(path, row, "filtered_resps")
    score = _score(row)
    is_single = len(replies) == 1 and score in (0.0, 1.0)
    for index, reply in enumerate(replies):
        program = programs[index] if len(programs) == len(replies) else None
        yield Record(
            task_id(row, doc),
            index,
            reply,
            context.text_form or _form(reply, program, doc),
            {"base": Judgement("pass", "ok") if score else Judgement("fail")} if is_single else {},
            line=line_of(row),
            program=program,
            prompt=_argument(row, "arg_0"),
            task_score=None if is_single else score,
            notes={"filter": row["filter"], "target": row.get("target"), "doc": doc, "until": _until(row)},
        )


def task_id(row: Mapping[str, Any], doc: Mapping[str, Any]) -> str:
    """The problem's own name where the document has one; MBPP numbers its problems as ``Mbpp/<number>`` does."""
    named = doc.get("task_id", doc.get("id", doc.get("question_id")))
    if isinstance(named, int) and "task_id" in doc:
        return f"Mbpp/{named}"
    return str(row["doc_id"] if named is None else named)


def _texts(path: Path, row: Mapping[str, Any], name: str) -> list[str]:
    """``[[a, b]]`` and ``[a, b]`` alike; an item that is no text (a tool's own object) is no reply."""
    items = row.get(name)
    if not isinstance(items, list):
        raise BadInput(f"{place_of(path, row)}: {name} is no list", "check that the format named fits the file")
    flat = items[0] if len(items) == 1 and isinstance(items[0], list) else items
    if not all(isinstance(item, str) for item in flat):
        raise BadInput(f"{place_of(path, row)}: {name} holds something else than replies", "is this a generation task?")
    return flat


def _score(row: Mapping[str, Any]) -> float | None:
    names: Sequence[Any] = row.get("metrics") or []
    for name in (*_FIRST_METRICS, *names):
        value = row.get(name) if isinstance(name, str) else None
        if isinstance(value, int | float):
            return float(value)
    return None


def _form(reply: str, program: str | None, doc: Mapping[str, Any]) -> str:
    """A reply that the tool put behind the problem's own prompt continues it."""
    prompt = doc.get("prompt")
    return "completion" if isinstance(prompt, str) and program == prompt + reply else "raw"


def _argument(row: Mapping[str, Any], name: str) -> Any:
    """Arguments are ``{gen_args_0: {arg_0, arg_1}}``, before 0.4.3 a list of lists."""
    arguments = row.get("arguments")
    if isinstance(arguments, dict):
        return (arguments.get("gen_args_0") or {}).get(name)
    if isinstance(arguments, list) and arguments and isinstance(arguments[0], list):
        place = int(name[-1])
        return arguments[0][place] if place < len(arguments[0]) else None
    return None


def _until(row: Mapping[str, Any]) -> Sequence[Any]:
    """The stop strings that were asked for."""
    sampling = _argument(row, "arg_1")
    until = sampling.get("until") if isinstance(sampling, dict) else None
    return until if isinstance(until, list) else ()


def _facts(row: Mapping[str, Any]) -> LogFacts:
    sampling = _argument(row, "arg_1")
    given: Mapping[str, Any] = sampling if isinstance(sampling, dict) else {}
    doc = row["doc"] if isinstance(row["doc"], dict) else {}
    is_sampled = given.get("do_sample", True) is not False
    temperature = given.get("temperature") if is_sampled else 0.0
    return LogFacts(
        tool=TOOL,
        benchmark=_benchmark(row, doc),
        temperature=_number(temperature),
        top_p=_number(given.get("top_p")),
        max_tokens=given.get("max_gen_toks") if isinstance(given.get("max_gen_toks"), int) else None,
        is_by_position=not {"task_id", "id", "question_id"} & set(doc),
    )


def _benchmark(row: Mapping[str, Any], doc: Mapping[str, Any]) -> str | None:
    """By what the documents hold: the samples do not name their task. HumanEval's and HumanEval+'s look alike."""
    if str(doc.get("task_id", "")).startswith("HumanEval/"):
        # only the extended tests are tables of inputs and results
        return "humanevalplus" if "inputs = " in str(doc.get("test", "")) else "humaneval"
    if "test_list" in doc and "test" in doc and isinstance(doc.get("task_id"), int):
        return "mbppplus"
    return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def open_results(path: Path, context: Context) -> Log:
    """Scores by task, as stated, in percent: ``<task> <metric>,<filter>``."""
    document = json_document(path)
    scores = {
        f"{task} {metric}": 100 * value
        for task, metrics in document["results"].items()
        for metric, value in metrics.items()
        if isinstance(value, int | float) and "_stderr" not in metric
    }
    tasks = list(document["results"])
    config = document.get("config") or {}
    samples = document.get("n-samples") or {}
    facts = LogFacts(
        tool=TOOL,
        tool_version=document.get("lm_eval_version") or document.get("git_hash"),
        benchmark=our_word(tasks[0]) if len(tasks) == 1 else None,
        title=", ".join(tasks),
        model=document.get("model_name") or (config.get("model_args") if isinstance(config, dict) else None),
        num_tasks=sum(one.get("effective", 0) for one in samples.values() if isinstance(one, dict)) or None,
        recorded_at=str(document["date"]) if "date" in document else None,
        notes=tuple(_limits(samples)),
    )
    return Log(lambda: iter(()), facts, scores)


def _limits(samples: Mapping[str, Any]) -> Iterator[str]:
    for task, counts in samples.items():
        original, effective = counts.get("original"), counts.get("effective")
        if original != effective:
            yield f"{task} was asked {effective} of its {original} problems (--limit or --samples)"


def _is_samples(glimpse: Glimpse) -> bool:
    return glimpse.has_rows_with(*_REQUIRED)


def _is_results(glimpse: Glimpse) -> bool:
    return glimpse.kind == "object" and glimpse.has("results", "configs", "n-shot")


FORMATS = (
    log_format(
        "lm-eval-samples",
        open_samples,
        "lm-evaluation-harness samples_<task>_<time>.jsonl of --log_samples",
        tool=TOOL,
        recognises=_is_samples,
    ),
    log_format(
        "lm-eval-results",
        open_results,
        "lm-evaluation-harness results_<time>.json: stated scores",
        tool=TOOL,
        recognises=_is_results,
        has_samples=False,
    ),
)
