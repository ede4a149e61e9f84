"""Answers as servers send them, whatever the shape: chat, completions, responses -> one form.

Thinking comes under four names (docs/design/thinking.md says whose). Equal texts under two of them are one; different
ones are refused, for nothing says which of them the model wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...ingest.errors import BadInput

_FIELDS = {"reasoning": "reasoning", "reasoning_content": "reasoning_content", "thinking": "thinking"}
"""Field of a message -> word of REASONING_SOURCES, in the order they are looked at; ``reasoning_details`` follows."""
_ENDED_BY = {"max_output_tokens": "length", "content_filter": "content_filter"}
"""``incomplete_details.reason`` of a response -> finish_reason of chat."""


_MOST_TOKENS = 2**31 - 1


class Malformed(BadInput):
    """The server's answer is not of the protocol's form: no sample, and none of the model's doing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the server's answer is malformed: {what}", "see the server's log")


@dataclass(frozen=True)
class Usage:
    """Tokens as the server counted them; None where it does not say."""

    prompt: int | None = None
    completion: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True)
class Answer:
    """One choice. ``reasoning`` came in a field of its own, which ``source`` names; "hidden": it is kept back."""

    index: int
    text: str
    reasoning: str | None
    source: str
    finish_reason: str | None
    stop_reason: str | None
    usage: Usage
    token_ids: tuple[int, ...] | None
    prompt_token_ids: tuple[int, ...] | None


def answers_of(response: Mapping[str, Any]) -> list[Answer]:
    """The choices of a response by index. Raises Malformed, and BadInput for thinking that contradicts itself."""
    if "output" in response and "choices" not in response:
        return [_of_response(response)]
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Malformed("it has no choice")
    usage = _usage(_mapping(response.get("usage")))
    prompt_ids = _ids(response, "prompt_token_ids")
    found = [_of_choice(choice, position, usage, prompt_ids) for position, choice in enumerate(choices)]
    if len({answer.index for answer in found}) != len(found):
        raise Malformed("two choices have the same index")
    if len(found) > 1:  # the usage is of all of them together
        found = [replace(answer, usage=_of_one(answer, usage)) for answer in found]
    return sorted(found, key=lambda answer: answer.index)


def _of_one(answer: Answer, usage: Usage) -> Usage:
    return Usage(usage.prompt, None if answer.token_ids is None else len(answer.token_ids), None)


def _of_choice(choice: Any, position: int, usage: Usage, prompt_ids: tuple[int, ...] | None) -> Answer:
    if not isinstance(choice, Mapping):
        raise Malformed("a choice is no object")
    index = choice.get("index", position)
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise Malformed(f"the index of a choice is {index!r}")
    message = _mapping(choice.get("message"))
    stop = next((choice[name] for name in ("stop_reason", "matched_stop") if choice.get(name) is not None), None)
    ids = _ids(choice, "token_ids")
    source, reasoning = ("none", None) if "text" in choice else _reasoning(message)
    return Answer(
        index=index,
        text=_text(choice, "text") if "text" in choice else _text(message, "content"),
        reasoning=reasoning,
        source=source,
        finish_reason=_text(choice, "finish_reason") or None,
        stop_reason=None if stop is None else str(stop),
        usage=replace(usage, completion=len(ids)) if ids and usage.completion is None else usage,
        token_ids=ids,
        prompt_token_ids=prompt_ids or _ids(choice, "prompt_token_ids"),
    )


def _reasoning(message: Mapping[str, Any]) -> tuple[str, str | None]:
    """Word of REASONING_SOURCES and the text. Empty fields are none: a parser that found nothing sends them."""
    found = {name: _text(message, name) for name in _FIELDS if message.get(name)}
    details = message.get("reasoning_details")
    if isinstance(details, list) and (text := _details(details)):
        found["reasoning_details"] = text
    if len({text.strip() for text in found.values()}) > 1:
        raise BadInput(f"the server sent different thinking in {' and '.join(found)}", "name one server per run")
    if found:
        name, text = next(iter(found.items()))
        return _FIELDS.get(name, "details"), text
    return ("hidden", None) if details else ("none", None)


def _details(parts: Sequence[Any]) -> str:
    """The readable parts (``text`` or ``summary``) in order; encrypted ones have neither."""
    mappings = [_mapping(part) for part in parts]
    return "".join(_text(part, "text") or _text(part, "summary") for part in mappings)


def _of_response(response: Mapping[str, Any]) -> Answer:
    """The shape of /v1/responses: items of type ``reasoning`` and ``message``."""
    output = response["output"]
    if not isinstance(output, list):
        raise Malformed(f"output is {type(output).__name__}, not a list")
    items = [_mapping(item) for item in output]
    thoughts = [item for item in items if item.get("type") == "reasoning"]
    reasoning = "".join(_parts(item, "reasoning_text") for item in thoughts)
    ended = _mapping(response.get("incomplete_details")).get("reason")
    finish = "stop" if response.get("status") == "completed" else _ENDED_BY.get(str(ended), ended or None)
    return Answer(
        index=0,
        text="".join(_parts(item, "output_text") for item in items if item.get("type") == "message"),
        reasoning=reasoning or None,
        source="reasoning" if reasoning else "hidden" if thoughts else "none",
        finish_reason=finish,
        stop_reason=None,
        usage=_usage(_mapping(response.get("usage"))),
        token_ids=None,
        prompt_token_ids=None,
    )


def _parts(item: Mapping[str, Any], kind: str) -> str:
    content = item.get("content")
    parts = [_mapping(part) for part in content] if isinstance(content, list) else []
    return "".join(_text(part, "text") for part in parts if part.get("type") == kind)


def _usage(usage: Mapping[str, Any]) -> Usage:
    """Chat and completions say prompt and completion, responses input and output; SGLang counts at the top level."""
    details = {
        **_mapping(usage.get("completion_tokens_details")),
        **_mapping(usage.get("output_tokens_details")),
    }
    return Usage(
        prompt=_first_count(usage, "prompt_tokens", "input_tokens"),
        completion=_first_count(usage, "completion_tokens", "output_tokens"),
        reasoning=_first_count({**usage, **details}, "reasoning_tokens"),
    )


def _first_count(holder: Mapping[str, Any], *names: str) -> int | None:
    """A token count; servers leave it out, or say null or nonsense: then it is unknown.

    What no column can hold would stand in the journal and end every attempt to seal it.
    """
    values = (holder.get(name) for name in names)
    return next((value for value in values if type(value) is int and 0 <= value <= _MOST_TOKENS), None)


def _ids(holder: Mapping[str, Any], name: str) -> tuple[int, ...] | None:
    value = holder.get(name)
    if not isinstance(value, (list, tuple)):
        return None
    if value and (not set(map(type, value)) <= {int} or min(value) < 0 or max(value) >> 32):
        raise Malformed(f"{name} are not all token ids")
    return tuple(value)


def _text(holder: Mapping[str, Any], name: str) -> str:
    """A text or "" for null; Malformed for anything else."""
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{name} is {type(value).__name__}, not text")
    return value or ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
