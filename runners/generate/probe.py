"""What a server really does: asked once at start, recorded, and believed from then on.

Servers take a parameter that they do not know with 200 and no effect, so nothing is believed that an answer does not
show. Eight short answers (32 tokens) tell all of it; a ninth or tenth is asked for only where two disagree.

Theory of operation. One question with many answers is asked greedily (G), again as a stream (G'), sampled twice with
one seed (A, A') and once with the next (B). G unlike G' and a third: sampling goes on at temperature 0. A, A' and B all
like G: it never samples. A unlike A' and a third: seeds are ignored. A like B: the seed is fixed. A' comes with n = 3,
so that its second choice must be B. A noisy server (a text may flip between two runs) is never taken for one that
ignores: that takes three texts of which no two agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...ingest.manifest import Shard
from ...ingest.planning.models import ServedModel
from ...ingest.schemas import REASONING_FIELDS
from ...ingest.thinking import strip_rule
from .abilities import Abilities, Deviates, deviations, refuse_deviations, switch_key, switches_of
from .client import Client, Refused, Reply
from .lookout import around, prompt_ids, tag_ids, turned
from .observed import Observed
from .request import CHAT, COMPLETIONS, Request, as_served
from .stream import Prefix

__all__ = ["Abilities", "Deviates", "deviations", "probe", "refuse_deviations", "switch_key"]

QUESTION = "Make up a short poem about anything you like. Every line is a surprise."
_SEED = 1_000
_TOKENS = 32
_HOT = (1.5, 1.0)
"""Temperatures to sample with: the first flattens a model that has a favourite poem; some servers end at 1."""
_STOPS_OF_A_PROTOCOL = 5
"""Tried where no shard says how many it has: servers that limit them take four."""


async def probe(client: Client, served: ServedModel, shards: Sequence[Shard] = ()) -> Abilities:
    """Facts about the server behind ``client``, in few and short requests; ``shards`` says what they will need.

    Raises Refused when it does not answer the plainest question, Unreachable when it does not answer at all.
    """
    return await _Probe(client, served, shards).run()


class _Probe:
    """One server and model being asked."""

    def __init__(self, client: Client, served: ServedModel, shards: Sequence[Shard]) -> None:
        self._client = client
        self._served = served
        self._shards = shards
        self._asked = [shard.request for shard in shards]
        self._is_chat = not self._asked or self._asked[0]["templating_mode"] == "chat"
        self._switch = next((asked["thinking_switch"] for asked in self._asked if asked.get("thinking_switch")), {})
        self._has_ids = True
        self._hot = _HOT[0]
        self._num_answers = 0
        self._is_limited = True
        self._found: dict[str, Any] = {}

    async def run(self) -> Abilities:
        look = await around(self._client.wire, self._served.served_as)
        greedy = await self._greedy_first()
        self._found |= look
        await self._ids(greedy)
        await self._temperature_and_seed(greedy)
        await self._top_p(greedy)
        await self._stops(greedy)
        await self._prefixes(greedy)
        await self._thinking()
        self._found["logprobs"] = await self._logprobs()
        self._found["max_tokens"] = self._is_limited
        unsent = [name for name in ("temperature", "top_p") if name in self._served.omits]
        self._found |= dict.fromkeys(unsent)  # never sent, so never ignored: the row states what the server uses
        self._client.observed = Observed()  # its answers were meant to be odd
        return Abilities(**self._found, num_answers=self._num_answers)

    def _request(self, **fields: Any) -> Request:
        """The question, greedy unless ``fields`` say otherwise."""
        body: dict[str, Any] = {
            "model": self._served.served_as,
            "n": 1,
            "seed": _SEED,
            "stream": False,
            "temperature": 0.0,
            "top_p": 1.0,
            "max_tokens": _TOKENS,
            **self._switch,
            **({"return_token_ids": True, "skip_special_tokens": False} if self._has_ids else {}),
        }
        prompt = {"messages": [{"role": "user", "content": QUESTION}]} if self._is_chat else {"prompt": QUESTION}
        return Request(CHAT if self._is_chat else COMPLETIONS, as_served(body | prompt | fields, self._served))

    async def _ask(self, **fields: Any) -> Reply:
        reply = await self._client.ask(self._request(**fields))
        self._num_answers += 1
        used = (reply.response.get("usage") or {}).get("completion_tokens")
        num_choices = len(reply.response["choices"])
        if isinstance(used, int) and used > fields.get("max_tokens", _TOKENS) * num_choices:
            self._is_limited = False
        return reply

    async def _maybe(self, **fields: Any) -> Reply | None:
        """None where the server refuses the request."""
        try:
            return await self._ask(**fields)
        except Refused as error:
            if error.status in (401, 403):
                raise
            return None

    async def _greedy_first(self) -> Reply:
        """The plainest answer; a server that refuses to hear of token ids is asked without."""
        reply = await self._maybe()
        if reply is None:
            self._has_ids = False
            reply = await self._ask()
        return reply

    async def _ids(self, greedy: Reply) -> None:
        """Token ids, the template, and where thinking goes."""
        choice = greedy.response["choices"][0]
        made_from = greedy.response.get("prompt_token_ids") or choice.get("prompt_token_ids")
        self._has_ids = bool(made_from and choice.get("token_ids"))
        rendered = await prompt_ids(self._client.wire, self._request())
        self._found["token_ids"] = self._has_ids
        self._found["tokenize"] = rendered is not None
        self._found["one_template"] = _is_one_template(rendered, made_from)
        self._found["fingerprint"] = greedy.response.get("system_fingerprint")
        rules = [rule for asked in self._asked if (rule := strip_rule(asked.get("strip_rule")))]
        if rules:
            self._found["reads_tags"] = _has_reasoning(choice)
        if rules and rendered is not None:
            tags = {text for rule in rules for text in rule.tag_texts}
            self._found["tag_ids"] = await tag_ids(self._client.wire, self._served.served_as, sorted(tags))

    async def _temperature_and_seed(self, greedy: Reply) -> None:
        first = _text(greedy)
        again = await self._maybe(stream=True, stream_options={"include_usage": True})
        self._found["streams"] = again is not None and again.first_token_seconds is not None
        again_text = _text(again or await self._ask())
        sampled = await self._hot_sample()
        several = await self._several()
        next_one = _text(await self._ask(temperature=self._hot, seed=_SEED + 1))
        repeated = several[0]
        self._found["n"] = len(several) == 3 and several[1] == next_one
        is_fixed = sampled == repeated == next_one
        if is_fixed and sampled == first:
            self._found["temperature"] = False
            return
        self._found["temperature"] = first == again_text or await self._agrees({}, first, again_text)
        is_repeated = sampled == repeated or await self._agrees({"temperature": self._hot}, sampled, repeated)
        self._found["seed"] = is_repeated and not is_fixed

    async def _hot_sample(self) -> str:
        for self._hot in _HOT[:-1]:
            reply = await self._maybe(temperature=self._hot)
            if reply is not None:
                return _text(reply)
        self._hot = _HOT[-1]
        return _text(await self._ask(temperature=self._hot))

    async def _several(self) -> list[str]:
        """The texts of three choices by index, or of the one that a server gives that knows no n."""
        reply = await self._maybe(temperature=self._hot, n=3) or await self._ask(temperature=self._hot)
        choices = sorted(reply.response["choices"], key=lambda choice: choice.get("index", 0))
        return [_choice_text(choice) for choice in choices]

    async def _agrees(self, fields: Mapping[str, Any], *texts: str) -> bool:
        """One more answer agrees with one of those before: the server is noisy, and honours what it is asked."""
        return _text(await self._ask(**fields)) in texts

    async def _top_p(self, greedy: Reply) -> None:
        """Sampling from a nucleus of one token is greedy; twice another text, and there is no nucleus."""
        is_needed = any(asked["top_p"] < 1 and asked["temperature"] > 0 for asked in self._asked)
        if not is_needed or self._found["temperature"] is False:
            return
        for seed in (_SEED + 2, _SEED + 3):
            reply = await self._maybe(temperature=self._hot, top_p=1e-6, seed=seed)
            if reply is None:
                return
            if _text(reply) == _text(greedy):
                self._found["top_p"] = True
                return
        self._found["top_p"] = False

    async def _stops(self, greedy: Reply) -> None:
        """How many stop strings it takes, and whether the one that must come ends the greedy answer."""
        text = _text(greedy)
        wanted = [len(asked.get("stop") or ()) for asked in self._asked if asked.get("stop_acts") != "answer"]
        count = max(wanted, default=0) if self._asked else _STOPS_OF_A_PROTOCOL
        if not count:
            return
        piece = text[len(text) // 2 :][:3] or "\n"
        stops = [piece, *(f"<<no text has this {index}>>" for index in range(1, count))]
        reply = await self._maybe(stop=stops)
        if reply is None:
            self._found["max_stops"] = min(4, count - 1)
            reply = await self._maybe(stop=stops[: self._found["max_stops"]])
        if reply is None:
            self._found["max_stops"] = 0
        elif piece in text and not _has_reasoning(greedy.response["choices"][0]):
            self._found["stop"] = _text(reply).partition(piece)[0] == text.partition(piece)[0] and len(
                _text(reply)
            ) <= text.find(piece) + len(piece)

    async def _prefixes(self, greedy: Reply) -> None:
        """Half of the greedy answer, continued, must be the greedy answer."""
        choice = greedy.response["choices"][0]
        ids = choice.get("token_ids") or ()
        prompt = greedy.response.get("prompt_token_ids") or choice.get("prompt_token_ids") or ()
        is_greedy = any(asked["temperature"] == 0 for asked in self._asked) or not self._asked
        if len(ids) < 4 or not prompt or not self._found["tokenize"] or not is_greedy:
            return
        prefix = Prefix(tuple(prompt), tuple(ids[: len(ids) // 2]), "")
        reply = await self._client.ask(self._request(), prefix=prefix)
        self._num_answers += 1
        self._found["prefixes"] = reply.resumed_at is not None and _text(reply) == _text(greedy)

    async def _thinking(self) -> None:
        """Switches and efforts by the ids of the prompt, a budget by whether it is taken."""
        switches = {switch_key(switch): switch for asked in self._asked for switch in switches_of(asked)}
        found = {key: await self._has_effect(switch) for key, switch in switches.items()}
        self._found["switches"] = {key: value for key, value in found.items() if value is not None}
        budgets = [asked["thinking_budget"] for asked in self._asked if asked.get("thinking_budget") is not None]
        if budgets:
            reply = await self._maybe(thinking_token_budget=budgets[0], max_tokens=1)
            self._found["budget"] = reply is not None

    async def _has_effect(self, switch: Mapping[str, Any]) -> bool | None:
        """Against the same switch turned the other way (it may be on by default); None: nothing to tell it by.

        Where a server counts the prompt only, equal counts prove nothing.
        """
        asked = await self._prompt_of(switch)
        others = [await self._prompt_of(other) for other in (*turned(switch), {})]
        known = [other for other in others if other is not None]
        if asked is None or not known:
            return None
        is_changed = any(other != asked for other in known)
        return True if is_changed else None if isinstance(asked, int) else False

    async def _prompt_of(self, switch: Mapping[str, Any]) -> Sequence[int] | int | None:
        """Ids of the prompt under a switch, as an answer was made from or as /tokenize has them, else their number."""
        without = dict.fromkeys((name for name in self._switch if name not in switch), None)
        request = self._request(**without, **switch, max_tokens=1)
        request = Request(request.path, {name: value for name, value in request.body.items() if value is not None})
        if not self._has_ids and (ids := await prompt_ids(self._client.wire, request)) is not None:
            return ids
        try:
            response = (await self._client.ask(request)).response
        except Refused:
            return None
        self._num_answers += 1
        made_from = response.get("prompt_token_ids")
        return made_from or (response.get("usage") or {}).get("prompt_tokens")

    async def _logprobs(self) -> bool:
        reply = await self._maybe(max_tokens=1, **({"logprobs": True} if self._is_chat else {"logprobs": 1}))
        return reply is not None and bool(reply.response["choices"][0].get("logprobs"))


def _text(reply: Reply) -> str:
    choices = sorted(reply.response["choices"], key=lambda choice: choice.get("index", 0))
    return _choice_text(choices[0])


def _choice_text(choice: Mapping[str, Any]) -> str:
    """Thinking and answer together: what the model said, wherever a server puts it."""
    message = choice.get("message") or {"content": choice.get("text")}
    names = (*(name for name in REASONING_FIELDS if isinstance(message.get(name), str)), "content")
    return "".join(dict.fromkeys(message.get(name) or "" for name in names))


def _has_reasoning(choice: Mapping[str, Any]) -> bool:
    return any((choice.get("message") or {}).get(name) for name in REASONING_FIELDS)


def _is_one_template(rendered: Sequence[int] | None, made_from: Sequence[int] | None) -> bool | None:
    """A second template shows as other ids; a second token of beginning as two equal ones at the start."""
    ids = made_from or rendered
    if ids is None:
        return None
    if len(ids) > 1 and ids[0] == ids[1]:
        return False
    return None if rendered is None or made_from is None else list(rendered) == list(made_from)
