"""From an answer to a row of ``samples``: raw text as received, everything else derived beside it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ...ingest import keys
from ...ingest.benchmarks.declaration import Prompt, Task
from ...ingest.errors import BadInput
from ...ingest.manifest import Shard
from ...ingest.texts import storable
from .client import Reply
from .request import Request

_REASONING_FIELDS = ("reasoning", "reasoning_content", "thinking")
"""Names that servers give to thinking sent apart, in the order they are looked at."""


def sample_row(
    shard: Shard, task: Task, sample_index: int, prompt: Prompt, request: Request, reply: Reply, engine_version: str
) -> dict[str, Any]:
    """One row of ``schemas.SAMPLES``; BadInput when the answer contradicts itself."""
    choice = _choice(reply.response)
    row = {
        **_keys(shard, task, sample_index),
        **_asked(shard, request, prompt),
        **_answered(choice, shard.request["templating_mode"]),
        **_usage(_mapping(reply.response.get("usage"))),
        **_cut(choice, reply.response, request),
        "engine": shard.engine,
        "engine_version": engine_version or _text(reply.response, "system_fingerprint") or None,
        "attempts": reply.attempts,
        "latency_seconds": reply.latency_seconds,
        "created_at": datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
    }
    return storable(row)


class Malformed(BadInput):
    """The server's answer is not of the protocol's form: no sample, and none of the model's doing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the server's answer is malformed: {what}", "see the server's log")


def _choice(response: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise Malformed("it has no choice")
    return choices[0]


def _text(holder: Mapping[str, Any], name: str) -> str:
    """A text or "" for null; Malformed for anything else."""
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{name} is {type(value).__name__}, not text")
    return value or ""


def _count(holder: Mapping[str, Any], name: str) -> int | None:
    """A token count; servers leave it out, or say null or nonsense: then it is unknown."""
    value = holder.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def restored(row: Mapping[str, Any]) -> dict[str, Any]:
    """A journal line as a lake row: its one timestamp was written as text."""
    return {**row, "created_at": datetime.datetime.fromisoformat(row["created_at"])}


def _keys(shard: Shard, task: Task, sample_index: int) -> dict[str, Any]:
    names = ("benchmark", "model", "scenario", "request_digest", "comparability_digest", "dataset_version")
    return {
        **{name: getattr(shard, name) for name in names},
        "dataset_digest": shard.dataset_digest,
        "task_id": task.task_id,
        "sample_index": sample_index,
        "sample_id": keys.sample_id(shard.benchmark, shard.scenario, task.task_id, shard.request_digest, sample_index),
        "source": shard.source,
        "shard_id": shard.shard_id,
        "num_planned": shard.num_planned,
    }


def _asked(shard: Shard, request: Request, prompt: Prompt) -> dict[str, Any]:
    """The effective request; what the plan leaves open stays NULL."""
    asked = shard.request
    names = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "stop", "stop_acts", "protocol")
    more = ("templating_mode", "thinking", "effort", "thinking_budget", "chat_template_sha", "model_revision")
    rest = ("weights_digest", "quantization", "dtype")
    return {
        **{name: asked.get(name) for name in (*names, *more, *rest)},
        "seed": request.body["seed"],
        "max_tokens_sent": request.body["max_tokens"],
        "prompt_digest": prompt.digest,
    }


def _answered(choice: Mapping[str, Any], templating_mode: str) -> dict[str, Any]:
    if templating_mode == "completions":
        return {"text_form": "completion", "raw_text": _text(choice, "text"), **_WITHOUT_REASONING}
    message = _mapping(choice.get("message"))
    text = _text(message, "content")
    found = {name: _text(message, name) for name in _REASONING_FIELDS if message.get(name)}
    if not found:
        return {"text_form": "raw", "raw_text": text, **_WITHOUT_REASONING}
    if len(set(found.values())) > 1:
        raise BadInput(f"the server sent different thinking in {' and '.join(found)}", "name one server per run")
    source, reasoning = next(iter(found.items()))
    state = "closed" if message.get("content") else "open"
    return {
        "text_form": "raw",
        "raw_text": text,
        "reasoning": reasoning,
        "answer": text,
        "reasoning_source": source,
        "think_state": state,
    }


_WITHOUT_REASONING: Mapping[str, Any] = {
    "reasoning": None,
    "answer": None,
    "reasoning_source": "none",
    "think_state": "off",
}


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "prompt_tokens": _count(usage, "prompt_tokens"),
        "completion_tokens": _count(usage, "completion_tokens"),
        "reasoning_tokens_server": _count(_mapping(usage.get("completion_tokens_details")), "reasoning_tokens"),
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _cut(choice: Mapping[str, Any], response: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """What ended the answer. Fewer tokens than asked for under ``length`` mean that the window was full."""
    asked = request.body["max_tokens"]
    used = _count(_mapping(response.get("usage")), "completion_tokens")
    finish, stop = _text(choice, "finish_reason") or None, choice.get("stop_reason")
    is_short = finish == "length" and used is not None and used < asked
    cut = "no"
    if finish == "length" or (not _has_text(choice) and used == asked):
        cut = "window" if is_short else "max_tokens"
    elif finish == "content_filter":
        cut = "filter"
    return {
        "finish_reason": finish,
        "stop_reason": None if stop is None else str(stop),
        "cut": cut,
        "max_tokens_effective": used if is_short else asked,
    }


def _has_text(choice: Mapping[str, Any]) -> bool:
    return bool(choice.get("text") or _mapping(choice.get("message")).get("content"))
