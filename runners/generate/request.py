"""One sample's HTTP request: the same body for the client, the recorder and the digest of a recorded exchange.

Every sampling parameter is explicit, ``n`` is 1, and the seed is the run's seed plus the sample index, so a shard, a
resumed shard and a grown one ask for the same texts. Nothing here depends on time, host or order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


def exchange_key(path: str, body: Mapping[str, Any]) -> str:
    return keys.digest_of({"path": path, "body": body})


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
    that OpenAI's protocol does not have.
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
        "presence_penalty": asked.get("presence_penalty", 0.0),
        "frequency_penalty": asked.get("frequency_penalty", 0.0),
    }
    body |= {name: asked[name] for name in _BEYOND_OPENAI if asked.get(name) is not None}
    if asked.get("stop"):
        body["stop"] = list(asked["stop"])
    if asked["templating_mode"] == "completions":
        return Request(COMPLETIONS, body | {"prompt": _text(prompt)})
    messages = _messages(prompt)
    if messages[-1]["role"] == "assistant":
        body |= _CONTINUED
    return Request(CHAT, body | {"messages": messages})


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    """A protocol made for completions becomes one user message."""
    pairs = prompt.messages or (("user", prompt.text or ""),)
    return [{"role": role, "content": content} for role, content in pairs]


def _text(prompt: Prompt) -> str:
    """A protocol made for chat becomes its contents, in order; a template would be a second one."""
    return prompt.text if prompt.text is not None else "\n\n".join(content for _, content in prompt.messages)
