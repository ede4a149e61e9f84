"""evalscope: predictions, reviews (predictions with their scores) and reports, of 1.x and of 0.x.

Shapes as modelscope/evalscope@fde259d writes them (``api/evaluator/cache.py``, ``api/metric/scorer.py``,
``report/report.py``) and as evalscope 1.14.1 wrote them (``tests/foreign``); 0.x as tag v0.17.1 (``constants.py``).
Rows stand in the order in which they were finished. With repeats the index runs over samples, so that samples of a
problem are numbered in the order of their indexes: predictions and reviews then speak of the same sample. ``group_id``
names the problem; its own name stands, where the benchmark has one, in the metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .benchmark_words import our_word
from .glimpse import Glimpse
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import json_document, line_of, occurrence_counter, streamed_rows

TOOL = "evalscope"
_TASK_NAMES = ("task_id", "instance_id", "question_id", "id")
_NOT_JUDGED = ("Sandbox is not initialized.",)
_PREDICTIONS, _REVIEWS, _OLD = ("index", "model_output"), ("index", "sample_score"), ("index", "choices")


def open_predictions(path: Path, context: Context) -> Log:
    first = next(iter(streamed_rows(path, *_PREDICTIONS)))
    facts = LogFacts(
        tool=TOOL, tool_version="1.x", model=first.get("model"), is_by_position=not _named(_metadata(first))
    )
    return Log(lambda: _predictions(path, context), facts)


def _predictions(path: Path, context: Context) -> Iterator[Record]:
    places = _places((_predicted(row), row["index"]) for row in streamed_rows(path, *_PREDICTIONS))
    for row in streamed_rows(path, *_PREDICTIONS, what="of evalscope-predictions"):
        output = row["model_output"] or {}
        choice = (output.get("choices") or [{}])[0]
        name = _predicted(row)
        yield Record(
            name,
            places(name, row["index"]),
            _text((choice.get("message") or {}).get("content")),
            context.text_form or "raw",
            completion_tokens=(output.get("usage") or {}).get("output_tokens"),
            line=line_of(row),
            finish_reason=choice.get("stop_reason"),
            notes={"index": row["index"], "error": output.get("error")},
        )


def _predicted(row: Mapping[str, Any]) -> str:
    return _named(_metadata(row)) or str(row["index"])


def _places(rows: Iterable[tuple[str, Any]]) -> Callable[[str, Any], int]:
    """Sample index of a (problem, index): its place among the indexes of that problem; repeated rows go on behind."""
    indexes: dict[str, list[Any]] = {}
    for name, index in rows:
        indexes.setdefault(name, []).append(index)
    left = {name: _ranks(found) for name, found in indexes.items()}
    return lambda name, index: left[name][index].pop(0)


def _ranks(indexes: list[Any]) -> dict[Any, list[int]]:
    ranks: dict[Any, list[int]] = {}
    for rank, index in enumerate(sorted(indexes, key=lambda one: (not isinstance(one, int), str(one).zfill(12)))):
        ranks.setdefault(index, []).append(rank)
    return ranks


def open_reviews(path: Path, context: Context) -> Log:
    first = next(iter(streamed_rows(path, *_REVIEWS)))
    facts = LogFacts(tool=TOOL, tool_version="1.x", is_by_position=_review_name(first) is None)
    return Log(lambda: _reviews(path, context), facts)


def _reviews(path: Path, context: Context) -> Iterator[Record]:
    places = _places((_reviewed(row), row["index"]) for row in streamed_rows(path, *_REVIEWS))
    for row in streamed_rows(path, *_REVIEWS, what="of evalscope-reviews"):
        yield _review(row, context, places)


def _reviewed(row: Mapping[str, Any]) -> str:
    return _review_name(row) or str((row["sample_score"] or {}).get("group_id", row["index"]))


def _review(row: Mapping[str, Any], context: Context, places: Callable[[str, Any], int]) -> Record:
    sample = row["sample_score"] or {}
    score = sample.get("score") or {}
    name = _reviewed(row)
    metadata = score.get("metadata") or {}
    is_judged = not any(words in str(metadata) for words in _NOT_JUDGED)
    value = _main_value(score)
    return Record(
        name,
        places(name, row["index"]),
        score.get("prediction") if isinstance(score.get("prediction"), str) else None,
        context.text_form or "raw",
        _judgement(value) if is_judged else {},
        line=line_of(row),
        program=score.get("extracted_prediction") if isinstance(score.get("extracted_prediction"), str) else None,
        prompt=_prompt(row),
        task_score=value if value not in (0.0, 1.0) else None,
        notes={"index": row["index"], "target": row.get("target"), "execution": metadata},
    )


def _main_value(score: Mapping[str, Any]) -> float | None:
    values = score.get("value") or {}
    name = score.get("main_score_name") or next(iter(values), None)
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else None


def _judgement(value: float | None) -> dict[str, Judgement]:
    if value == 1.0:
        return {"base": Judgement("pass", "ok")}
    return {"base": Judgement("fail")} if value == 0.0 else {}


def _review_name(row: Mapping[str, Any]) -> str | None:
    sample = row["sample_score"] or {}
    return _named((sample.get("score") or {}).get("metadata")) or _named(sample.get("sample_metadata"))


def _metadata(row: Mapping[str, Any]) -> Any:
    return row.get("metadata")


def _named(metadata: Any) -> str | None:
    found = [metadata[name] for name in _TASK_NAMES if name in metadata] if isinstance(metadata, dict) else []
    return str(found[0]) if found else None


def _text(content: Any) -> str | None:
    """A message is a text, or parts of which some are text."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else None


def _prompt(row: Mapping[str, Any]) -> str | None:
    asked = [one for one in row.get("messages") or () if isinstance(one, dict) and one.get("role") == "user"]
    return _text(asked[0].get("content")) if asked else None


def open_old(path: Path, context: Context) -> Log:
    """0.x: predictions, and reviews that nest their verdict in the choice."""
    first = next(iter(streamed_rows(path, *_OLD)))
    facts = LogFacts(
        tool=TOOL, tool_version="0.x", model=str((first.get("model_spec") or {}).get("model_id") or "") or None
    )
    return Log(lambda: _old(path, context), facts)


def _old(path: Path, context: Context) -> Iterator[Record]:
    next_index = occurrence_counter()
    for row in streamed_rows(path, *_OLD, what="of evalscope-0"):
        name = _named(row.get("raw_input")) or str(row["index"])
        for choice in row["choices"] or ():
            review = choice.get("review") or {}
            yield Record(
                name,
                next_index(name),
                _text((choice.get("message") or {}).get("content")),
                context.text_form or "raw",
                _old_judgement(review.get("result")),
                line=line_of(row),
                program=review.get("pred") if isinstance(review.get("pred"), str) else None,
                notes={"index": row["index"], "target": review.get("gold"), "subset": row.get("subset_name")},
            )


def _old_judgement(result: Any) -> dict[str, Judgement]:
    value = next(iter(result.values()), None) if isinstance(result, dict) else result
    return _judgement(float(value)) if isinstance(value, bool | int | float) else {}


def open_report(path: Path, context: Context) -> Log:
    """Stated scores in percent: ``<metric>`` and ``<metric> <subset>``."""
    document = json_document(path)
    scores: dict[str, float] = {}
    for metric in document.get("metrics") or ():
        name = _metric_name(metric)
        scores[name] = 100 * metric["score"]
        for category in metric.get("categories") or ():
            for subset in category.get("subsets") or ():
                scores[f"{name} {subset.get('name')}"] = 100 * subset["score"]
    main = (document.get("metrics") or [{}])[0]
    facts = LogFacts(
        tool=TOOL,
        benchmark=our_word(document.get("dataset_name")),
        title=document.get("dataset_name"),
        model=document.get("model_name"),
        num_samples=main.get("num"),
    )
    return Log(lambda: iter(()), facts, scores)


def _metric_name(metric: Mapping[str, Any]) -> str:
    """``name``; from schema 2 (1.14) on an ``identity``: accuracy and mean is ``accuracy``, with k it is ``pass@k``."""
    identity = metric.get("identity")
    if not isinstance(identity, dict):
        return str(metric.get("name"))
    k = (identity.get("dimensions") or {}).get("k")
    kind = str(identity.get("aggregation") or "mean")
    if k is not None:
        return f"pass@{k}" if kind == "pass_at_k" else f"{kind} {k}"
    return str(identity.get("name")) if kind == "mean" else f"{identity.get('name')} {kind}"


def _is_report(glimpse: Glimpse) -> bool:
    return glimpse.kind == "object" and glimpse.has("metrics", "dataset_name", "model_name")


FORMATS = (
    log_format(
        "evalscope-predictions",
        open_predictions,
        "evalscope predictions/<model>/<benchmark>.jsonl, 1.x",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.has_rows_with(*_PREDICTIONS) and not glimpse.has("sample_score"),
    ),
    log_format(
        "evalscope-reviews",
        open_reviews,
        "evalscope reviews/<model>/<benchmark>.jsonl, 1.x: predictions with their scores",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.has_rows_with(*_REVIEWS),
    ),
    log_format(
        "evalscope-0",
        open_old,
        "evalscope predictions and reviews of 0.x",
        tool=TOOL,
        recognises=lambda glimpse: glimpse.has_rows_with(*_OLD, "model_spec"),
    ),
    log_format(
        "evalscope-report",
        open_report,
        "evalscope reports/<model>/<benchmark>.json: stated scores",
        tool=TOOL,
        recognises=_is_report,
        has_samples=False,
    ),
)
