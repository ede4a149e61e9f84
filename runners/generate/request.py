"""One sample's HTTP request: the same body for the client, the recorder and the digest of a recorded exchange.

Every sampling parameter is explicit, and the seed is the run's seed plus the sample index, so a shard, a resumed shard
and a grown one ask for the same texts. Nothing here depends on time, host or order; on the server only through its
``abilities``, in ways that leave the text as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...ingest import keys
from ...ingest.benchmarks.declaration import Prompt
from ...ingest.manifest import Shard
from ...ingest.planning.models import ServedModel

if TYPE_CHECKING:
    from .probe import Abilities

STREAM_FROM_TOKENS = 4096
"""Answers that may be as long are streamed: then a time-out means "no token for so long", not "not ready yet"."""
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Names that servers know the limit of an answer by."""
_BEYOND_OPENAI = ("top_k", "min_p", "repetition_penalty")
"""Known to vLLM and llama.cpp, not to OpenAI: sent only where the plan sets them."""
_CONTINUED: Mapping[str, bool] = {"continue_final_message": True, "add_generation_prompt": False}
"""For a protocol that begins the answer itself: without these a server closes that turn and opens another."""


@dataclass(frozen=True)
class Request:
    """What is posted: path below the server's address, and the JSON body."""

    path: str
    body: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """64 hex characters over path and whole body: the key of a recorded exchange."""
        return exchange_key(self.path, self.body)

    @cached_property
    def prompt_key(self) -> str:
        """Digest of what makes the prompt's tokens; equal for the samples of one task."""
        names = ("messages", "prompt", "chat_template_kwargs", "reasoning_effort", *_CONTINUED)
        return keys.digest_of({name: self.body[name] for name in names if name in self.body})


def exchange_key(path: str, body: Mapping[str, Any]) -> str:
    return keys.digest_of({"path": path, "body": body})


def limit_of(body: Mapping[str, Any]) -> int | None:
    """Tokens that the answer may have, under whichever name the server knows the limit by."""
    return next((body[name] for name in LIMITS if body.get(name) is not None), None)


def samples_per_request(shard: Shard, wanted: int, abilities: Abilities | None) -> int:
    """Samples of one task that one request may ask for: 1 at temperature 0 (vLLM refuses more, 400) or unproven n."""
    is_greedy = shard.request["temperature"] == 0
    return 1 if is_greedy or abilities is None or not abilities.n else max(wanted, 1)


def request_of(
    shard: Shard,
    prompt: Prompt,
    sample_index: int,
    served: ServedModel,
    abilities: Abilities | None = None,
    num_samples: int = 1,
    stream_from_tokens: int = STREAM_FROM_TOKENS,
) -> Request:
    """The request for ``num_samples`` samples of one task, the first at ``sample_index``.

    ``prompt`` is the rendered one of the task. The seed is that of the first index: with n choices vLLM gives choice i
    the seed + i, so one request of n and n requests of one make the same texts. Without ``abilities`` nothing is sent
    that the plan does not ask for.
    """
    asked = shard.request
    body: dict[str, Any] = {
        "model": served.served_as,
        "n": num_samples,
        "seed": (shard.seed or 0) + sample_index,
        "stream": False,
        "temperature": asked["temperature"],
        "top_p": asked["top_p"],
        "max_tokens": asked["max_tokens"],
        "presence_penalty": asked.get("presence_penalty") or 0.0,
        "frequency_penalty": asked.get("frequency_penalty") or 0.0,
    }
    body |= {name: asked[name] for name in _BEYOND_OPENAI if asked.get(name) is not None}
    body |= _stops(asked, abilities) | _thinking(asked) | _ids(asked, abilities)
    if asked["max_tokens"] >= stream_from_tokens and (abilities is None or abilities.streams is not False):
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if asked["templating_mode"] == "completions":
        return Request(COMPLETIONS, as_served(body | {"prompt": _text(prompt)}, served))
    messages = _messages(prompt)
    if messages[-1]["role"] == "assistant":
        body |= _CONTINUED
    return Request(CHAT, as_served(body | {"messages": messages}, served))


def _stops(asked: Mapping[str, Any], abilities: Abilities | None) -> dict[str, Any]:
    """As many stop strings as the server takes, none where they act on the answer behind the thinking.

    Whatever is not sent acts in ``derivation``, and so do those that are: the first of all stops ends the answer,
    wherever it was seen.
    """
    stops = list(asked.get("stop") or ()) if asked.get("stop_acts") != "answer" else []
    most = abilities.max_stops if abilities else None
    kept = stops if most is None else stops[:most]
    return {"stop": kept} if kept else {}


def _thinking(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The switch as the plan has it, effort and budget under the names that vLLM and OpenAI give them."""
    body = dict(asked.get("thinking_switch") or {})
    if asked.get("effort") is not None:
        body["reasoning_effort"] = asked["effort"]
    if asked.get("thinking_budget") is not None:
        body["thinking_token_budget"] = asked["thinking_budget"]
    return body


def _ids(asked: Mapping[str, Any], abilities: Abilities | None) -> dict[str, Any]:
    """Token ids where the server has them. Tags that are special tokens are wanted in the text of thinking rows only:
    the official harnesses read others without special tokens."""
    if abilities is None or not abilities.token_ids:
        return {}
    return {"return_token_ids": True} | ({"skip_special_tokens": False} if asked.get("strip_rule") else {})


def as_served(body: dict[str, Any], served: ServedModel) -> dict[str, Any]:
    """The body in the words of the model's row: without what its server refuses, under the names that it knows."""
    return {served.renames.get(name, name): value for name, value in body.items() if name not in served.omits}


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    """A protocol made for completions becomes one user message."""
    pairs = prompt.messages or (("user", prompt.text or ""),)
    return [{"role": role, "content": content} for role, content in pairs]


def _text(prompt: Prompt) -> str:
    """A protocol made for chat becomes its contents, in order; a template would be a second one."""
    return prompt.text if prompt.text is not None else "\n\n".join(content for _, content in prompt.messages)
