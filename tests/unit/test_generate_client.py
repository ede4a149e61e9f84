"""The client against servers that misbehave: what is asked again, what never is, what is noted."""

from __future__ import annotations

import asyncio
import datetime
import socket
import tempfile
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import Incomplete
from benchforge.runners.generate import tries
from benchforge.runners.generate.client import Client, Endpoint, Refused, Reply, Timeouts, Unreachable
from benchforge.runners.generate.probe import Abilities
from benchforge.runners.generate.request import CHAT, Request, exchange_key
from benchforge.runners.generate.trouble import refusal
from misbehaving import DROP, DROP_IN_BODY, Fault, Manners, Served, misbehaving, rendered, said

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "q"}],
    "n": 1,
    "seed": 3,
    "temperature": 0.7,
    "max_tokens": 24,
}
ASK = Request(CHAT, BODY)
WITHOUT_CHOICES = Fault("say", document={"choices": []})


def ask(server: Served, request: Request = ASK, attempts: int = 4, **endpoint: Any) -> Reply:
    async def once() -> Reply:
        async with Client(Endpoint(server.base_url, "key", max_attempts=attempts, **endpoint)) as client:
            return await client.ask(request)

    return asyncio.run(once())


def text_of(reply: Reply) -> str:
    return reply.response["choices"][0]["message"]["content"]


def honest_text(body: dict[str, Any] = BODY) -> str:
    return said(rendered(body, Manners()), body, Manners()).text


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_FIRST_PAUSE_SECONDS", 0.001)


TROUBLES = (*(Fault("status", status) for status in (408, 429, 500, 502, 503, 504)), DROP, DROP_IN_BODY)
UNFINISHED = Fault("say", document={"choices": [{"message": {"content": "a"}, "finish_reason": "abort"}]})


@pytest.mark.parametrize("trouble", [*TROUBLES, WITHOUT_CHOICES, UNFINISHED, Fault("say", document="text")])
def test_passing_trouble_is_asked_again(trouble: Fault):
    with misbehaving(Manners(faults=[trouble, trouble])) as server:
        reply = ask(server)
    assert (reply.attempts, len(server.bodies())) == (3, 3)
    assert server.bodies() == [BODY] * 3
    assert text_of(reply) == honest_text()


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422])
def test_a_refusal_is_never_asked_again(status: int):
    trouble = Fault("status", status, document={"error": {"message": "no such thing"}})
    with (
        misbehaving(Manners(faults=[trouble] * 9)) as server,
        pytest.raises(Refused, match=f"{status}: no such thing") as caught,
    ):
        ask(server)
    assert caught.value.status == status
    assert len(server.bodies()) == 1


def test_attempts_are_bounded_and_the_end_is_incomplete_not_failed():
    with (
        misbehaving(Manners(faults=[Fault("status", 503)] * 9)) as server,
        pytest.raises(Unreachable, match="in 3 attempts") as caught,
    ):
        ask(server, attempts=3)
    assert len(server.bodies()) == 3
    assert isinstance(caught.value, Incomplete)


def test_a_server_that_is_busy_is_asked_more_often_than_one_that_breaks():
    with misbehaving(Manners(faults=[Fault("status", 429)] * 7)) as server:
        assert ask(server, attempts=2).attempts == 8
    with misbehaving(Manners(faults=[Fault("status", 429)] * 8)) as server, pytest.raises(Unreachable):
        ask(server, attempts=2)


def test_nobody_there_is_unreachable():
    with socket.socket() as taken, pytest.raises(Unreachable, match="in 2 attempts"):
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        ask(Served(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"), attempts=2)


def test_an_answer_that_does_not_come_is_asked_for_again():
    """However often the machine itself is too slow for the limit, the answer comes in the end."""
    with misbehaving(Manners(faults=[Fault("stall")])) as server:
        reply = ask(server, attempts=500, timeouts=Timeouts(whole=0.5))
    assert reply.attempts >= 2
    assert text_of(reply) == honest_text()


def in_ten_seconds() -> str:
    return format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=10), usegmt=True)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("0.07", 0.07, 0.08), ("7", 7.0, 7.8), ("0", 0.0, 0.0), ("99999", 600.0, 661.0), ("soon", 0.0, 0.01)],
)
def test_the_pause_that_a_server_asks_for_is_kept(
    header: str, least: float, most: float, monkeypatch: pytest.MonkeyPatch
):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(tries, "_sleep", sleep)
    with misbehaving(Manners(faults=[Fault("status", 429, headers={"Retry-After": header})])) as server:
        ask(server)
    assert len(slept) == 1
    assert least <= slept[0] <= most


def test_a_pause_may_end_at_a_date():
    error = refusal(503, None, {"retry-after": in_ten_seconds()}, {})
    assert 0 <= getattr(error, "pause_seconds", -1) <= 10
    assert getattr(refusal(503, None, {"retry-after": "Fri, 01 Jan 2021 00:00:00 GMT"}, {}), "pause_seconds", -1) == 0


def test_a_parameter_that_is_refused_is_named_with_what_mends_it():
    with misbehaving(Manners(refuses=frozenset({"max_tokens"}))) as server, pytest.raises(Refused) as caught:
        ask(server)
    assert caught.value.parameter == "max_tokens"
    assert "write max_tokens into omits of the model's row, or into renames" in caught.value.hint
    assert len(server.bodies()) == 1


def test_a_key_and_a_model_that_a_server_does_not_know_are_named():
    unknown = refusal(401, {"message": "Incorrect API key provided"}, {}, {})
    assert isinstance(unknown, Refused)
    assert "engine.api_key_variable" in unknown.hint
    other = refusal(404, {"message": "The model `m` does not exist."}, {}, {})
    assert isinstance(other, Refused)
    assert "served_as" in other.hint


def test_a_value_that_is_refused_is_to_be_corrected_not_left_out():
    found = refusal(400, {"message": "it is greater than the window", "param": "max_tokens"}, {}, BODY)
    assert getattr(found, "hint", "") == "correct max_tokens in the run file or in the model's row"


@pytest.mark.parametrize(
    ("error", "parameter"),
    [
        ({"message": "m", "param": "temperature", "code": "unsupported_value"}, "temperature"),
        ({"message": "m", "param": "messages[0].role"}, None),
        ({"message": "2 errors: {'type': 'too_long', 'loc': 'body.seed'}", "param": "body"}, "seed"),
        ({"message": "your prompt contains 2049 input tokens", "param": "input_tokens"}, None),
        ({"message": "[{'type': 'too_long', 'loc': ('body', 'seed')}]", "param": None}, "seed"),
        ({"message": "the model `m` does not exist"}, None),
        ("plain text", None),
    ],
)
def test_the_field_that_a_refusal_means(error: Any, parameter: str | None):
    found = refusal(400, error, {}, BODY)
    assert isinstance(found, Refused)
    assert found.parameter == parameter


def test_the_body_on_the_wire_is_the_request_and_nothing_else():
    odd = Request(CHAT, {**BODY, "messages": [{"role": "user", "content": 'q "é" \u2028 😀 \ud800'}]})
    with misbehaving() as server:
        ask(server, odd)
    assert exchange_key(odd.path, server.bodies()[0]) == odd.digest


def test_connections_that_are_closed_behind_our_back_cost_no_answer():
    async def many(base_url: str) -> list[Reply]:
        async with Client(Endpoint(base_url, "key", max_attempts=50)) as client:
            return [await client.ask(ASK) for _ in range(12)]

    with misbehaving(Manners(closes_silently=True)) as server:
        assert {text_of(reply) for reply in asyncio.run(many(server.base_url))} == {honest_text()}


def test_a_unix_socket_is_a_server_like_any():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # a path of pytest's own may be beyond 108 bytes
        path = Path(folder) / "s"
        with misbehaving(uds=str(path)) as server:
            reply = ask(server, uds=path)
    assert text_of(reply) == honest_text()
    assert Endpoint("http://elsewhere.example/v1", "", uds=path).is_loopback


def test_what_the_answers_show_of_their_server_is_noted():
    choice = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop", "seed": 4}
    other = {"choices": [choice], "system_fingerprint": "made-up-2"}

    async def both(base_url: str) -> list[str]:
        async with Client(Endpoint(base_url, "key")) as client:
            await client.ask(Request(CHAT, {**BODY, "n": 3}))
            assert client.observed.remarks() == []
            await client.ask(Request(CHAT, {**BODY, "n": 3}))
            return client.observed.remarks()

    manners = Manners()
    with misbehaving(manners) as server:
        manners.faults = [Fault("none"), Fault("say", document=other)]
        remarks = asyncio.run(both(server.base_url))
    assert remarks[0].startswith("the server changed while it was asked")
    assert "made-up-1, made-up-2" in remarks[0]
    assert len(remarks) == 3


def ask_in_a_window(server: Served, window_tokens: int, *requests: Request) -> list[Reply]:
    async def all_of_them() -> list[Reply]:
        async with Client(Endpoint(server.base_url, "key")) as client:
            client.abilities = Abilities(tokenize=True, window_tokens=window_tokens)
            return [await client.ask(request) for request in requests]

    return asyncio.run(all_of_them())


def test_the_room_for_an_answer_is_known_before_it_is_asked_for():
    with misbehaving(Manners(window=50, has_no_end=True)) as server:
        long = Request(CHAT, {**BODY, "max_tokens": 1000})
        replies = ask_in_a_window(server, 50, long, Request(CHAT, {**long.body, "seed": 4}))
    room = 50 - len(rendered(BODY, Manners()))
    assert [reply.max_tokens_effective for reply in replies] == [room, room]
    assert replies[0].response["usage"]["completion_tokens"] == room
    assert len(server.bodies("/tokenize")) == 1


def test_a_prompt_that_surely_fits_is_not_counted():
    with misbehaving() as server:
        (reply,) = ask_in_a_window(server, 4096, ASK)
    assert reply.max_tokens_effective is None
    assert server.bodies("/tokenize") == []


def test_a_prompt_that_leaves_no_room_is_not_sent():
    with misbehaving(Manners(window=4096)) as server, pytest.raises(Refused, match="nothing is left"):
        ask_in_a_window(server, 4, ASK)
    assert server.bodies() == []
