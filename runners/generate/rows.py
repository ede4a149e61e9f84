"""From a reply to rows of ``samples``: text as received, the effective request, and what ``derivation`` says of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...ingest import keys, thinking
from ...ingest.benchmarks.declaration import Prompt, Task
from ...ingest.derivation import derived
from ...ingest.errors import BenchforgeError
from ...ingest.manifest import Shard
from ...ingest.planning.models import ServedModel
from ...ingest.schemas import REASONING_FIELDS
from ...ingest.texts import storable
from .answers import Answer, Malformed, answers_of
from .client import Reply
from .request import Request

if TYPE_CHECKING:
    from .engines import Engine
    from .probe import Abilities

__all__ = ["Malformed", "NotHonoured", "restored", "sample_rows"]

_ASKED = (
    "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
    "max_tokens", "stop", "stop_acts", "protocol", "templating_mode", "thinking", "effort", "thinking_budget",
    "thinking_budget_end", "strip_rule", "chat_template_sha", "model_revision", "weights_digest", "quantization",
    "dtype",
)  # fmt: skip
"""Fields of the request that are columns as well; what the plan leaves open stays NULL."""


class NotHonoured(BenchforgeError):
    """The answer shows that the server ignores what the plan asks for: no row, and no use in asking for more."""

    def __init__(self, engine: str, sentence: str, hint: str) -> None:
        super().__init__(f"the engine {engine} {sentence}", hint)


def sample_rows(
    shard: Shard,
    task: Task,
    sample_indices: Sequence[int],
    prompt: Prompt,
    request: Request,
    reply: Reply,
    engine: Engine,
    abilities: Abilities | None = None,
    served: ServedModel | None = None,
) -> list[dict[str, Any]]:
    """Rows of ``schemas.SAMPLES``: one per choice that came, for ``sample_indices[choice.index]``.

    Raises Malformed for an answer of another form, BadInput for one that contradicts itself, NotHonoured for one that
    shows a switch or a budget without effect. Choices that did not come are the caller's to ask for.
    """
    answers = answers_of(reply.response)
    if answers[-1].index >= len(sample_indices):
        raise Malformed(f"choice {answers[-1].index} of {len(sample_indices)}")
    tags = dict(abilities.tag_ids) if abilities else {}
    window = abilities.window_tokens if abilities else None
    rows = []
    for position, answer in enumerate(answers):
        row = {
            **_keys(shard, task, sample_indices[answer.index]),
            **_asked(shard, prompt, sample_indices[answer.index]),
            **_received(shard, request, answer, tags),
            **_limits(_limit_sent(request, served), answer, window, reply.max_tokens_effective),
            **_made_by(engine, abilities, reply),
            **_took(reply, is_first=position == 0),
            "cost": _cost(answer, served),
        }
        row |= derived(row)
        if row["think_state"] in ("off", "absent"):
            row["reasoning_tokens"] = None  # a tag inside the answer began nothing
        _refuse_not_honoured(row, engine.name)
        rows.append(storable(row))
    return rows


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
        "parent_model": shard.parent_model,
        "training_step": shard.training_step,
    }


def _asked(shard: Shard, prompt: Prompt, sample_index: int) -> dict[str, Any]:
    return {
        **{name: shard.request.get(name) for name in _ASKED},
        "seed": (shard.seed or 0) + sample_index,
        "prompt_digest": prompt.digest,
    }


def _limit_sent(request: Request, served: ServedModel | None) -> int | None:
    """Under the name that the model's row gives it; None where the row leaves it out."""
    name = served.renames.get("max_tokens", "max_tokens") if served else "max_tokens"
    return request.body.get(name)


def _received(shard: Shard, request: Request, answer: Answer, tags: thinking.TagIds) -> dict[str, Any]:
    """The text and all that splitting it again needs."""
    rule = thinking.strip_rule(shard.request.get("strip_rule"))
    opens = thinking.prompt_opens(rule, _prompt_text(request, rule), answer.prompt_token_ids, tags) if rule else None
    counted = thinking.count(answer.token_ids, rule, tags, opens) if rule and answer.token_ids is not None else None
    is_misrouted = answer.source in REASONING_FIELDS and not answer.text and _is_known_off(shard, opens)
    return {
        "text_form": "completion" if shard.request["templating_mode"] == "completions" else "raw",
        "raw_text": answer.reasoning if is_misrouted else answer.text,
        "reasoning": None if is_misrouted else answer.reasoning,
        "reasoning_source": answer.source,
        "prompt_opens_thinking": opens,
        "num_close_tags": counted.num_closes if counted else None,
        "reasoning_tokens": counted.tokens if counted else None,
        "reasoning_tokens_server": answer.usage.reasoning,
        "finish_reason": answer.finish_reason,
        "stop_reason": answer.stop_reason,
        "prompt_ids_digest": _digest(answer.prompt_token_ids),
        "token_ids_digest": _digest(answer.token_ids),
        "prompt_tokens": answer.usage.prompt,
        "completion_tokens": answer.usage.completion,
    }


def _is_known_off(shard: Shard, opens: bool | None) -> bool:
    """Thinking is switched off, and the prompt proves it."""
    return shard.request.get("thinking") is False and opens is False


def _prompt_text(request: Request, rule: thinking.StripRule) -> str | None:
    """The end of the prompt where we know it: it was sent rendered, or begins the answer with a tag."""
    if isinstance(request.body.get("prompt"), str):
        return request.body["prompt"]
    last = (request.body.get("messages") or [{}])[-1]
    text = last.get("content") if last.get("role") == "assistant" else None
    return text if isinstance(text, str) and any(tag in text for tag in rule.tag_texts) else None


def _digest(ids: tuple[int, ...] | None) -> str | None:
    return None if ids is None else keys.token_ids_digest(ids)


def _limits(sent: int | None, answer: Answer, window: int | None, room: int | None) -> dict[str, Any]:
    """Tokens that the answer could have: less than asked for where the window was full, which servers do not say.

    ``room`` was counted before the request was sent; without it the window and the server's count of the prompt say.
    """
    effective, used = sent, answer.usage.completion
    if room is None and window is not None and answer.usage.prompt is not None:
        room = max(0, window - answer.usage.prompt)
    if effective is not None and room is not None:
        effective = min(effective, room)
    if answer.finish_reason == "length" and used is not None and (effective is None or used < effective):
        effective = used
    return {"max_tokens_sent": sent, "max_tokens_effective": effective}


def _made_by(engine: Engine, abilities: Abilities | None, reply: Reply) -> dict[str, Any]:
    fingerprint = reply.response.get("system_fingerprint")
    version = engine.version or (abilities.version if abilities else None) or fingerprint
    return {
        "engine": engine.name,
        "engine_version": version if isinstance(version, str) else None,
        "image_digest": engine.image_digest,
        "gpu": engine.gpu,
    }


def _took(reply: Reply, is_first: bool) -> dict[str, Any]:
    """What the request took; tokens that were thrown away stand in one of its rows, so that they add up."""
    return {
        "attempts": reply.attempts,
        "tokens_discarded": reply.tokens_discarded if is_first else 0,
        "resumed_at": reply.resumed_at,
        "latency_seconds": reply.latency_seconds,
        "first_token_seconds": reply.first_token_seconds,
        "longest_gap_seconds": reply.longest_gap_seconds,
        "created_at": datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
    }


def _cost(answer: Answer, served: ServedModel | None) -> float | None:
    """In the money of the model's row; None where a price or a count is not known."""
    if served is None:
        return None
    prices = served.price_per_million_prompt_tokens, served.price_per_million_completion_tokens
    pairs = list(zip(prices, (answer.usage.prompt, answer.usage.completion), strict=True))
    if any(price is None or tokens is None for price, tokens in pairs):
        return None
    return sum((price or 0.0) * (tokens or 0) for price, tokens in pairs) / 1_000_000


def _refuse_not_honoured(row: Mapping[str, Any], engine: str) -> None:
    if row["thinking"] is False and row["prompt_opens_thinking"]:
        raise NotHonoured(
            engine,
            "ignores that thinking is switched off: the prompt that it made ends inside a thinking tag",
            "correct the model's thinking switch, or plan it as a model that thinks",
        )
    budget, tokens = row["thinking_budget"], row["reasoning_tokens"]
    tokens = row["reasoning_tokens_server"] if tokens is None else tokens
    if budget is None or tokens is None:
        return
    if tokens > budget + len((row["thinking_budget_end"] or "").encode()) + 1:  # a token is a byte at least
        raise NotHonoured(
            engine,
            f"ignores the thinking budget of {budget} tokens: {row['task_id']} was thought about for {tokens}",
            "start it with a reasoning configuration (vLLM: --reasoning-config), or plan without thinking_budget",
        )
