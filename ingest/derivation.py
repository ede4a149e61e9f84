"""What a row of ``samples`` says of its answer, derived from what it holds as received.

One function serves both sides: ``generate`` fills a row with it, ``score`` asks it again before it extracts, so a
corrected rule is a new score and needs no GPU. Received, never altered: ``raw_text``; ``reasoning`` where a field of
its own brought it (``reasoning_source`` names the field); what the server said of ending and counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from . import thinking
from .schemas import REASONING_FIELDS

DERIVED = ("reasoning", "answer", "reasoning_source", "think_state", "cut", "stop_reason", "answer_flags")
ANSWER_FROM = (
    "raw_text", "reasoning", "reasoning_source", "reasoning_tokens_server", "strip_rule", "prompt_opens_thinking",
    "num_close_tags", "thinking", "stop",
)  # fmt: skip
"""Columns that ``answer_of`` reads."""
_PROMPT_TOKENS_OF_A_BUDGET = 1
"""vLLM counts what the prompt holds after the open tag: templates end in ``<think>`` and one line break."""


@cache
def code_digest() -> str:
    """64 hex characters over this module and the rules: part of a grader's identity, as the extractors are."""
    paths = (Path(__file__), Path(thinking.__file__))
    return hashlib.sha256("\0".join(path.read_text(encoding="utf-8") for path in paths).encode()).hexdigest()


class _Parts(NamedTuple):
    state: str
    source: str
    reasoning: str | None
    answer: str


def derived(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns ``DERIVED`` of a row, from the others; a stored row gives what it holds.

    ``answer`` is None where ``raw_text`` is the answer. Raises BadInput for an unknown ``strip_rule``.
    """
    parts = _parts(row)
    answer, stop = cut_at_stop(parts.answer, row.get("stop") or ())
    state = "forced" if parts.state == "closed" and _is_forced(row, parts.reasoning or "") else parts.state
    cut = "no" if stop is not None else _cut(row, state)
    is_raw = parts.state in ("off", "absent") and answer == (row["raw_text"] or "")
    return {
        "reasoning": parts.reasoning,
        "answer": None if is_raw and not _is_misrouted(row) else answer,
        "reasoning_source": parts.source,
        "think_state": state,
        "cut": cut,
        "stop_reason": row.get("stop_reason") if stop is None else stop,
        "answer_flags": _flags(row, parts, answer, cut, stop) or None,
    }


def answer_of(row: Mapping[str, Any]) -> str:
    """The text that programs are extracted from."""
    return cut_at_stop(_parts(row).answer, row.get("stop") or ())[0]


def cut_at_stop(answer: str, stops: Sequence[str]) -> tuple[str, str | None]:
    """The answer up to the first stop string, and which it was.

    Where the server acted on them none is left to find; it does not act inside thinking, nor take a long list
    (vllm#51447: 4), and some servers ignore them. At one place the longest counts.
    """
    found = [(place, -len(stop), stop) for stop in stops if stop and (place := answer.find(stop)) >= 0]
    if not found:
        return answer, None
    place, _, stop = min(found)
    return answer[:place], stop


def _parts(row: Mapping[str, Any]) -> _Parts:
    text = row["raw_text"] or ""
    if row.get("reasoning_source") in REASONING_FIELDS:
        return _sent_apart(row, text)
    rule = thinking.strip_rule(row.get("strip_rule"))
    is_asked, is_hidden = bool(row.get("thinking")), (row.get("reasoning_tokens_server") or 0) > 0
    if rule is not None:
        found = thinking.split(text, rule, row.get("prompt_opens_thinking"), is_asked, row.get("num_close_tags"))
        if found.state != "absent":
            return _Parts(found.state, rule.source, found.reasoning, found.answer)
        text = found.answer
    if is_hidden or row.get("reasoning_source") == "hidden":
        return _Parts("hidden", "hidden", None, text)
    if rule is not None and is_asked and _may_be_unopened(row, rule):
        return _Parts("open", rule.source, text, "")
    return _Parts("absent" if is_asked else "off", "none", None, text)


def _may_be_unopened(row: Mapping[str, Any], rule: thinking.StripRule) -> bool:
    """A text without tags that did not end: where templates open tags and nobody knows whether this one did, it may
    be a thought throughout."""
    return rule.opened_by != "model" and row.get("prompt_opens_thinking") is None and _is_at_limit(row)


def _sent_apart(row: Mapping[str, Any], text: str) -> _Parts:
    """Thinking in a field of its own; some servers leave the tags in the content as well."""
    source, reasoning = row["reasoning_source"], row["reasoning"]
    if _is_misrouted(row):
        return _Parts("off", source, None, text)
    rule = thinking.strip_rule(row.get("strip_rule"))
    if rule is not None and text.lstrip().startswith(tuple(begin for begin, _ in rule.tags)):
        text = thinking.split(text, rule, is_opened=False).answer
    num_closes = row.get("num_close_tags")
    is_closed = bool(text) if num_closes is None else num_closes > 0
    return _Parts("closed" if is_closed or text else "open", source, reasoning, text)


def _is_misrouted(row: Mapping[str, Any]) -> bool:
    """A parser put the answer into the field for thinking (vllm#17349): ``raw_text`` holds it then."""
    return row.get("reasoning_source") in REASONING_FIELDS and row.get("reasoning") is None


def _is_forced(row: Mapping[str, Any], reasoning: str) -> bool:
    """Whether the engine closed the thinking at its budget."""
    budget, tokens, end = row.get("thinking_budget"), row.get("reasoning_tokens"), row.get("thinking_budget_end")
    if budget is None:
        return False
    sentence = end.partition(_close_tag(row))[0] if end else ""
    given = 0 if row.get("prompt_opens_thinking") is False else _PROMPT_TOKENS_OF_A_BUDGET
    is_ended = bool(sentence) and reasoning.endswith(sentence)
    return is_ended or (tokens is not None and tokens + given >= budget)


def _close_tag(row: Mapping[str, Any]) -> str:
    rule = thinking.strip_rule(row.get("strip_rule"))
    return rule.tags[0][1] if rule else "</think>"


def _cut(row: Mapping[str, Any], state: str) -> str:
    """What ended the answer before its end, in the words of ``CUTS``."""
    finish, stops = row.get("finish_reason"), row.get("stop") or ()
    if _is_at_limit(row):
        effective, asked = row.get("max_tokens_effective"), row.get("max_tokens")
        return "window" if effective is not None and asked is not None and effective < asked else "max_tokens"
    if state == "open" and finish == "stop" and row.get("stop_reason") in stops:
        return "stop_in_thinking"
    return {"content_filter": "filter", "repetition": "repetition"}.get(finish or "", "no")


def _is_at_limit(row: Mapping[str, Any]) -> bool:
    """By the server's word, or by its count: some say ``stop`` at the limit."""
    used, effective = row.get("completion_tokens"), row.get("max_tokens_effective")
    is_full = used is not None and effective is not None and used >= effective > 0
    says_stop = row.get("finish_reason") == "stop" and row.get("stop_reason") is None
    return row.get("finish_reason") == "length" or (says_stop and is_full)


def _flags(row: Mapping[str, Any], parts: _Parts, answer: str, cut: str, stop: str | None) -> list[str]:
    flags = {
        "parser_misroute": _is_misrouted(row),
        "server_stop": parts.state == "open" and row.get("finish_reason") == "stop" and cut == "no",
        "client_stop": stop is not None,
        "fence_only_in_thinking": "```" in (parts.reasoning or "") and "```" not in answer,
        "close_tag_spelled": _spells_a_tag(row),
    }
    return [name for name, is_set in flags.items() if is_set]


def _spells_a_tag(row: Mapping[str, Any]) -> bool:
    """The text holds a close tag that is none among its token ids: the model wrote about tags."""
    rule, num_closes = thinking.strip_rule(row.get("strip_rule")), row.get("num_close_tags")
    if rule is None or num_closes is None or row.get("reasoning_source") in REASONING_FIELDS:
        return False
    return thinking.num_spelled(row["raw_text"] or "", rule) > num_closes
