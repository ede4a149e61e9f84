"""Room for an answer: prompts counted before they are sent, because servers clamp ``max_tokens`` without a word.

vLLM 0.32 answers a 24-token prompt with ``max_tokens`` 1,024 in a window of 1,024 by 1,000 tokens and 200; some servers
cut the prompt instead. A prompt that fits by its bytes alone is not counted: no token is shorter than a byte.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from .request import CHAT, Request, limit_of
from .trouble import Refused
from .wire import Wire

_TEMPLATE_TOKENS = 1024
"""More than any default system message and the marks around turns take."""
_MOST_COUNTS = 4096
"""Prompts whose counts are kept: the samples of one task follow each other."""
_TOKENIZED = ("messages", "prompt", "add_generation_prompt", "continue_final_message", "chat_template_kwargs")


class Rooms:
    """Token counts of prompts, from a server's /tokenize; bounded in memory."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._counts: OrderedDict[tuple[int, str], int] = OrderedDict()

    async def max_tokens(self, request: Request, window_tokens: int) -> int | None:
        """What the window leaves of ``max_tokens``; None where it was not counted: it fits, or nobody can tell.

        Raises Refused for a prompt that leaves nothing.
        """
        limit = limit_of(request.body)
        num_bytes = prompt_bytes(request.body)
        if limit is None or num_bytes + _TEMPLATE_TOKENS + limit <= window_tokens:
            return None
        count = await self._counted(request)
        if count is None:
            return None
        if count >= window_tokens:
            raise Refused(413, f"the prompt has {count} tokens, the window {window_tokens}: nothing is left to answer")
        return min(limit, window_tokens - count)

    async def _counted(self, request: Request) -> int | None:
        key = (prompt_bytes(request.body), request.prompt_key)
        if key not in self._counts:
            count = await prompt_tokens(self._wire, request)
            if count is None:
                return None
            self._counts[key] = count
            if len(self._counts) > _MOST_COUNTS:
                self._counts.popitem(last=False)
        return self._counts[key]


async def prompt_token_ids(wire: Wire, request: Request) -> list[int] | None:
    """Ids of the rendered prompt as the server's /tokenize gives them; None where there is none."""
    asked = {"model": request.body.get("model")} | {
        name: request.body[name] for name in _TOKENIZED if name in request.body
    }
    if request.path == CHAT and request.body.get("reasoning_effort") is not None:
        asked["chat_template_kwargs"] = {
            **(asked.get("chat_template_kwargs") or {}),
            "reasoning_effort": request.body["reasoning_effort"],
        }
    answer = await wire.look("/tokenize", asked)
    ids = answer.get("tokens") if isinstance(answer, Mapping) else None
    return ids if isinstance(ids, list) and ids and all(isinstance(number, int) for number in ids) else None


async def prompt_tokens(wire: Wire, request: Request) -> int | None:
    ids = await prompt_token_ids(wire, request)
    return None if ids is None else len(ids)


def prompt_bytes(body: Mapping[str, Any]) -> int:
    """Bytes of all texts of the prompt, at least; four for each id of one that is ids."""
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        return len(prompt.encode("utf-8", "surrogatepass"))
    if prompt is not None:
        return 4 * len(prompt)
    texts = (message.get("content") for message in body.get("messages") or ())
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts if isinstance(text, str))
