"""Greedy answers go on where they were cut, and end as if they never had been."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from benchforge.runners.generate import reading, tries
from benchforge.runners.generate.client import Client, Endpoint, Prefix, Reply
from benchforge.runners.generate.continuation import can_continue, merged
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.request import CHAT, COMPLETIONS, Request
from benchforge.runners.generate.server import Server
from made_shard import MODEL
from misbehaving import Fault, Manners, Served, detokenized, misbehaving, tokenized

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "q"}],
    "n": 1,
    "seed": 3,
    "temperature": 0.0,
    "max_tokens": 40,
    "return_token_ids": True,
    "stream": True,
    "stream_options": {"include_usage": True},
}
TEXT_BODY = {name: value for name, value in BODY.items() if name != "messages"} | {"prompt": "def f():"}
MEASURED = ("id", "created")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_FIRST_PAUSE_SECONDS", 0.001)


def ask(server: Served, body: dict[str, Any], prefix: Prefix | None = None) -> Reply:
    async def once() -> Reply:
        async with Client(Endpoint(server.base_url, "key", max_attempts=4)) as client:
            return await client.ask(Request(CHAT if "messages" in body else COMPLETIONS, body), prefix=prefix)

    return asyncio.run(once())


def answer_of(reply: Reply) -> dict[str, Any]:
    return {name: value for name, value in reply.response.items() if name not in MEASURED}


def prefix_of(reply: Reply, length: int, lag: int = 0) -> Prefix:
    """The first tokens of an answer; its text lags behind by ``lag`` characters."""
    choice = reply.response["choices"][0]
    prompt = reply.response.get("prompt_token_ids") or choice["prompt_token_ids"]
    ids = choice["token_ids"][:length]
    return Prefix(tuple(prompt), tuple(ids), detokenized(ids)[: length - lag])


@pytest.mark.parametrize("body", [BODY, TEXT_BODY, BODY | {"stream": False}])
@pytest.mark.parametrize("length", [1, 2, 17, 39])
def test_a_continued_answer_equals_the_uninterrupted_one(body: dict[str, Any], length: int):
    with misbehaving(Manners(has_no_end=True)) as server:
        whole = ask(server, body)
        server.received.clear()
        continued = ask(server, body, prefix_of(whole, length, lag=min(length, 3)))
    assert answer_of(continued) == answer_of(whole)
    assert (continued.resumed_at, continued.tokens_discarded) == (length, 0)
    (sent,) = server.bodies()
    assert (len(sent["prompt"]), sent["max_tokens"]) == (
        whole.response["usage"]["prompt_tokens"] + length,
        BODY["max_tokens"] - length,
    )
    assert "messages" not in sent


def test_an_answer_that_ends_by_itself_does_so_when_continued():
    for question in "abcdefghijkl":
        body = BODY | {"messages": [{"role": "user", "content": question}], "max_tokens": 400}
        with misbehaving() as server:
            whole = ask(server, body)
            half = whole.response["usage"]["completion_tokens"] // 2
            if whole.response["choices"][0]["finish_reason"] == "stop" and half > 1:
                assert answer_of(ask(server, body, prefix_of(whole, half))) == answer_of(whole)
                return
    pytest.fail("no answer of the made-up model ends by itself")


def test_a_broken_stream_goes_on_from_what_had_come():
    with misbehaving(Manners(has_no_end=True, faults=[Fault("cut", after=12)])) as server:
        reply = ask(server, BODY)
        paths = [path for path, _ in server.received if path in (CHAT, COMPLETIONS)]
        assert answer_of(reply) == answer_of(ask(server, BODY))
    assert paths == [CHAT, COMPLETIONS]
    assert (reply.attempts, reply.resumed_at, reply.tokens_discarded) == (2, 11, 0)


def test_an_answer_that_breaks_again_and_again_loses_nothing():
    faults = [Fault("cut", after=9), Fault("status", 503), Fault("cut", after=9)]
    with misbehaving(Manners(has_no_end=True, faults=faults)) as server:
        reply = ask(server, BODY)
        assert answer_of(reply) == answer_of(ask(server, BODY))
    assert (reply.attempts, reply.resumed_at, reply.tokens_discarded) == (4, 8 + 9, 0)


def test_a_stop_string_across_the_seam_is_not_overlooked():
    with misbehaving(Manners(has_no_end=True)) as server:
        text = ask(server, BODY).response["choices"][0]["message"]["content"]
        stopped = BODY | {"stop": [text[18:22]]}
        whole = ask(server, stopped)
        cut = prefix_of(ask(server, BODY), 20, lag=3)
        reply = ask(server, stopped, cut)
    assert whole.response["choices"][0]["stop_reason"] == text[18:22]
    assert answer_of(reply) == answer_of(whole)
    assert reply.resumed_at is None
    assert reply.tokens_discarded > 20


def test_a_stop_string_of_which_the_second_half_is_another_one_is_found_in_the_right_place():
    """``aa`` cut after its first letter, and the server says two more."""
    found = merged_at_seam(before="ba", after="aa", stop="aa")
    assert found is None
    assert merged_at_seam(before="b", after="aa", stop="aa") == "b"


def merged_at_seam(before: str, after: str, stop: str) -> str | None:
    """The text of an answer of which ``before`` was saved and ``after`` said, up to where the server saw ``stop``."""

    async def detokenize(ids: Sequence[int]) -> str:
        return detokenized(ids)

    said = {"text": after.removesuffix(stop), "token_ids": tokenized(after), "finish_reason": "stop"}
    saved = Prefix((1,), tuple(tokenized(before)), before)
    body = BODY | {"stop": [stop]}
    answer = asyncio.run(merged(Request(CHAT, body), saved, {"choices": [said]}, detokenize))
    return answer["choices"][0]["message"]["content"] if answer else None


@pytest.mark.parametrize("manners", [Manners(has_tokenize=False), Manners()])
def test_a_prefix_that_cannot_be_trusted_is_given_up(manners: Manners):
    """The server cannot tell its text, or tells another."""
    with misbehaving(manners) as server:
        whole = ask(server, BODY)
        saved = prefix_of(whole, 5)
        reply = ask(server, BODY, Prefix(saved.prompt_token_ids, saved.token_ids, "other"))
    assert answer_of(reply) == answer_of(whole)
    assert (reply.resumed_at, reply.tokens_discarded, reply.attempts) == (None, 5, 1)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"repetition_penalty": 1.1}, True),
        ({"temperature": 0.6}, False),
        ({"n": 2}, False),
        ({"presence_penalty": 0.5}, False),
        ({"frequency_penalty": 0.5}, False),
        ({"logprobs": True}, False),
        ({"thinking_token_budget": 100}, False),
        ({"max_tokens": None}, False),
    ],
)
def test_only_what_is_proven_is_continued(changed: dict[str, Any], expected: bool):
    assert can_continue(Request(CHAT, BODY | changed)) is expected


def test_a_sampled_answer_is_made_again_whatever_was_saved():
    sampled = BODY | {"temperature": 0.7}
    with misbehaving(Manners(has_no_end=True)) as server:
        whole = ask(server, sampled)
        server.received.clear()
        reply = ask(server, sampled, prefix_of(whole, 9))
    assert answer_of(reply) == answer_of(whole)
    assert (reply.resumed_at, reply.tokens_discarded) == (None, 9)
    assert server.bodies() == [sampled]


def test_what_had_come_when_a_run_was_stopped_is_handed_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "PREFIX_EVERY_SECONDS", 0.0)
    seen: list[Prefix] = []

    async def stopped(base_url: str) -> None:
        came = asyncio.Event()

        def on_tokens(prefix: Prefix) -> None:
            seen.append(prefix)
            if len(prefix.token_ids) == 8:
                came.set()

        async with Client(Endpoint(base_url, "key")) as client:
            asking = asyncio.create_task(client.ask(Request(CHAT, BODY), on_tokens=on_tokens))
            await asyncio.wait_for(came.wait(), 300)
            num_seen = len(seen)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert len(seen) == num_seen + 1

    with misbehaving(Manners(has_no_end=True, faults=[Fault("stall", after=9)])) as server:
        asyncio.run(stopped(server.base_url))
        whole = ask(server, BODY)
        reply = ask(server, BODY, seen[-1])
    assert len(seen[-1].token_ids) == 8
    assert detokenized(seen[-1].token_ids).startswith(seen[-1].text)
    assert answer_of(reply) == answer_of(whole)
    assert reply.resumed_at == 8


def test_a_prefix_of_a_continued_answer_begins_with_what_it_continued(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "PREFIX_EVERY_SECONDS", 0.0)
    seen: list[Prefix] = []

    async def once(base_url: str, prefix: Prefix) -> Reply:
        async with Client(Endpoint(base_url, "key")) as client:
            return await client.ask(Request(CHAT, BODY), prefix=prefix, on_tokens=seen.append)

    with misbehaving(Manners(has_no_end=True)) as server:
        whole = ask(server, BODY)
        asyncio.run(once(server.base_url, prefix_of(whole, 10)))
    ids = tuple(whole.response["choices"][0]["token_ids"])
    assert len(seen) > 1
    for prefix in seen:
        assert prefix.token_ids == ids[: len(prefix.token_ids)]
        assert len(prefix.token_ids) > 10
        assert detokenized(prefix.token_ids).startswith(prefix.text)


def test_an_engine_that_was_started_again_goes_on_where_the_old_one_died():
    async def once(first: Served, second: Served) -> tuple[Reply, int]:
        engine = Engine(
            "vllm", Endpoint(first.base_url, "key", max_attempts=1), revive=lambda: Endpoint(second.base_url, "key")
        )
        async with Server(engine) as server:
            return await server.ask(MODEL, Request(CHAT, BODY)), server.num_restarts

    manners = Manners(has_no_end=True, faults=[Fault("cut", after=12)])
    with misbehaving(manners) as first, misbehaving(Manners(has_no_end=True)) as second:
        whole = ask(second, BODY)
        reply, num_restarts = asyncio.run(once(first, second))
    assert answer_of(reply) == answer_of(whole)
    assert (num_restarts, reply.attempts, reply.resumed_at, reply.tokens_discarded) == (1, 2, 11, 0)
