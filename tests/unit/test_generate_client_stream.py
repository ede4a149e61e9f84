"""Streamed answers: the same as in one piece, and what becomes of one that breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from benchforge.runners.generate import tries
from benchforge.runners.generate.client import Client, Endpoint, Refused, Reply, Timeouts
from benchforge.runners.generate.request import CHAT, COMPLETIONS, Request
from benchforge.runners.generate.stream import Assembly, Events, Prefix
from misbehaving import Fault, Manners, Served, misbehaving

CHAT_BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "q"}],
    "n": 1,
    "seed": 3,
    "temperature": 0.7,
    "max_tokens": 40,
    "return_token_ids": True,
}
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
TEXT_BODY = {name: value for name, value in CHAT_BODY.items() if name != "messages"} | {"prompt": "def f():"}
LONG = Manners(has_no_end=True)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_FIRST_PAUSE_SECONDS", 0.001)


class Kept:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.exchanges: list[tuple[Any, ...]] = []

    def keep(
        self,
        path: str,
        body: Mapping[str, Any],
        status: int,
        response: Mapping[str, Any] | None,
        chunks: list[str] | None = None,
    ) -> None:
        self.exchanges.append((path, dict(body), status, response, chunks))


def ask(server: Served, body: dict[str, Any], recorder: Kept | None = None, **endpoint: Any) -> Reply:
    async def once() -> Reply:
        async with Client(Endpoint(server.base_url, "key", **{"max_attempts": 4, **endpoint}), recorder) as client:
            return await client.ask(Request(CHAT if "messages" in body else COMPLETIONS, body))

    return asyncio.run(once())


def asked_both_ways(manners: Manners, body: dict[str, Any]) -> tuple[Reply, Reply]:
    with misbehaving(manners) as server:
        return ask(server, body), ask(server, body | STREAMED)


@pytest.mark.parametrize(
    ("body", "manners"),
    [
        (CHAT_BODY, Manners()),
        (CHAT_BODY | {"n": 3}, LONG),
        (CHAT_BODY | {"stop": ["a", "b"]}, LONG),
        (TEXT_BODY, Manners()),
        (TEXT_BODY | {"n": 4, "stop": ["e"]}, LONG),
        (CHAT_BODY, Manners(reasoning="reasoning")),
        (CHAT_BODY, Manners(has_ids=False)),
    ],
)
def test_a_stream_is_put_together_as_the_answer_in_one_piece(body: dict[str, Any], manners: Manners):
    whole, streamed = asked_both_ways(manners, body)
    assert streamed.response["choices"] == whole.response["choices"]
    assert {**streamed.response, "choices": []} == {**whole.response, "choices": []}
    assert streamed.first_token_seconds is not None
    assert streamed.first_token_seconds <= streamed.latency_seconds
    assert whole.first_token_seconds is None


def test_a_server_that_does_not_stream_is_understood():
    whole, streamed = asked_both_ways(Manners(streams=False), CHAT_BODY)
    assert streamed.response == whole.response
    assert streamed.first_token_seconds is None


def test_a_sampled_stream_that_breaks_is_made_again_and_its_tokens_counted():
    with misbehaving(Manners(has_no_end=True, faults=[Fault("cut", after=8)])) as server:
        reply = ask(server, CHAT_BODY | STREAMED)
        bodies = server.bodies()
        again = ask(server, CHAT_BODY | STREAMED)
    assert (reply.attempts, reply.tokens_discarded, reply.resumed_at) == (2, 7, None)  # the role's event has none
    assert bodies == [CHAT_BODY | STREAMED] * 2
    assert reply.response == again.response


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_stream_cut_before_its_reason_to_end_is_a_lost_connection(after: int):
    with misbehaving(Manners(has_no_end=True, has_ids=False, faults=[Fault("cut", after=after)])) as server:
        reply = ask(server, CHAT_BODY | STREAMED)
    assert reply.attempts == 2
    assert reply.response["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(("after", "limits"), [(0, Timeouts(first_token=0.5)), (6, Timeouts(gap=0.5))])
def test_a_stream_that_falls_silent_is_left(after: int, limits: Timeouts):
    """However often the machine itself is too slow for the limit, the answer comes in the end."""
    with misbehaving(Manners(has_no_end=True, faults=[Fault("stall", after=after)])) as server:
        reply = ask(server, CHAT_BODY | STREAMED, timeouts=limits, max_attempts=500)
    assert reply.attempts >= 2
    assert len(reply.response["choices"][0]["token_ids"]) == 40
    assert reply.tokens_discarded >= max(after - 1, 0)


def test_trouble_inside_a_stream_is_asked_again_or_refused_by_its_code():
    died, refused = ({"message": "made to fail", "code": code} for code in (500, 400))
    with misbehaving(Manners(faults=[Fault("error", after=2, document=died)])) as server:
        assert ask(server, CHAT_BODY | STREAMED).attempts == 2
    with (
        misbehaving(Manners(faults=[Fault("error", after=2, document=refused)])) as server,
        pytest.raises(Refused, match="400: made to fail"),
    ):
        ask(server, CHAT_BODY | STREAMED)


def test_exchanges_are_kept_as_they_came():
    with misbehaving(Manners(faults=[Fault("status", 503), Fault("cut", after=2)])) as server:
        kept = Kept()
        streamed = ask(server, CHAT_BODY | STREAMED, kept)
        whole = ask(server, CHAT_BODY, kept)
        with pytest.raises(Refused):
            ask(server, TEXT_BODY | {"prompt": "x" * 5000}, kept)
    (_, body, status, response, chunks), second, refusal = kept.exchanges
    assert (body, status, response) == (CHAT_BODY | STREAMED, 200, None)
    assembly = Assembly(is_chat=True)
    for chunk in chunks:
        assembly.feed(chunk.encode())
    assert assembly.response() == streamed.response
    assert second[1:] == (CHAT_BODY, 200, whole.response, None)
    assert (refusal[2], refusal[4]) == (400, None)


def fed(*events: Mapping[str, Any], is_chat: bool = True) -> Assembly:
    assembly = Assembly(is_chat=is_chat)
    for event in events:
        assembly.feed(json.dumps(event).encode())
    return assembly


def delta(finish_reason: str | None = None, token_ids: list[int] | None = None, **pieces: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": pieces, "finish_reason": finish_reason, "token_ids": token_ids}]}


def test_thinking_then_an_empty_piece_with_its_id_then_the_answer():
    """The close tag comes as an id without text; usage comes last, with no choice (a stream of vLLM 0.32)."""
    assembly = fed(
        delta(role="assistant", content="") | {"prompt_token_ids": [9, 9]},
        delta(reasoning="r", token_ids=[1]),
        delta(reasoning="s", token_ids=[2]),
        delta(token_ids=[3]),
        delta(content="a", token_ids=[4]),
        delta("stop", token_ids=[5]),
        {"choices": [], "usage": {"completion_tokens": 5}},
    )
    response = assembly.response()
    assert assembly.is_complete
    assert response["choices"][0]["message"] == {"role": "assistant", "content": "a", "reasoning": "rs"}
    assert response["choices"][0]["token_ids"] == [1, 2, 3, 4, 5]
    assert (response["usage"], response["prompt_token_ids"]) == ({"completion_tokens": 5}, [9, 9])
    assert assembly.num_tokens == 5
    assert assembly.prefix() is None  # a parser took it apart: ids alone do not give its fields back


def test_the_same_stream_cut_in_its_thinking_is_no_answer_and_two_tokens():
    assembly = fed(delta(role="assistant", content=""), delta(reasoning="r"), delta(reasoning="s"))
    assert (assembly.is_complete, assembly.num_tokens) == (False, 2)


def test_what_may_be_continued_never_ends_with_the_token_of_the_end():
    began = (delta(role="assistant", content="") | {"prompt_token_ids": [9]}, delta(content="a", token_ids=[1]))
    assert fed(*began).prefix() == Prefix((9,), (1,), "a")
    assert fed(*began, delta("stop", token_ids=[2])).prefix() == Prefix((9,), (1,), "a")
    assert fed(began[0], delta("stop", token_ids=[2])).prefix() is None


def test_thinking_without_an_answer_has_no_content():
    assembly = fed(delta(role="assistant", content=""), delta(reasoning="r"), delta("length"))
    assert assembly.response()["choices"][0]["message"]["content"] is None
    assert fed(delta(role="assistant", content=""), delta("stop")).response()["choices"][0]["message"]["content"] == ""


def test_log_probabilities_are_joined():
    first, second = ({"content": [{"token": token, "logprob": -1.0}]} for token in "ab")
    events = [{"choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": part}]} for part in (first, second)]
    assert fed(*events).response()["choices"][0]["logprobs"] == {"content": [*first["content"], *second["content"]]}
    texts = [
        {"choices": [{"index": 0, "text": "x", "logprobs": {"tokens": [token], "text_offset": [0]}}]} for token in "ab"
    ]
    assert fed(*texts, is_chat=False).response()["choices"][0]["logprobs"]["tokens"] == ["a", "b"]


def test_events_are_split_wherever_the_bytes_are():
    stream = 'data: {"a": "é"}\r\n\r\n: ping\n\ndata:{"b": 2}\n\nevent: x\ndata: [DONE]\n\n'.encode()
    for size in (1, 2, 3, 7, len(stream)):
        events = Events()
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert [data for piece in pieces for data in events.feed(piece)] == [
            '{"a": "é"}'.encode(),
            b'{"b": 2}',
            b"[DONE]",
        ]
