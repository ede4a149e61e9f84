"""The client against servers that misbehave: what is retried, what never is, what is made of an answer."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from benchforge.ingest.benchmarks.declaration import Prompt, Task
from benchforge.ingest.errors import BadInput, Incomplete
from benchforge.ingest.manifest import Shard
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate import tries as tries_module
from benchforge.runners.generate.client import Client, Endpoint, Refused, Reply, Unreachable
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.request import CHAT, COMPLETIONS, Request, exchange_key, request_of
from benchforge.runners.generate.rows import sample_rows
from benchforge.runners.generate.timeouts import Timeouts

ANSWER = {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}], "usage": {}}
ASK = Request(CHAT, {"model": "m", "messages": []})
DROP = "drop"
MODEL = ServedModel("a__b", "m")


@contextmanager
def serving(*answers: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that gives ``answers`` in turn ((status, document) or DROP), the last one for ever; and what it got."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = answers[min(len(received), len(answers) - 1)]
            received.append(body)
            if answer == DROP:
                self.close_connection = True
                self.connection.close()
                return
            content = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in (answer[2] if len(answer) > 2 else {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", received
    finally:
        server.shutdown()
        server.server_close()


def ask(base_url: str, request: Request = ASK, attempts: int = 4) -> Reply:
    async def once() -> Reply:
        async with Client(Endpoint(base_url, "key", Timeouts(whole=5.0), attempts)) as client:
            return await client.ask(request)

    return asyncio.run(once())


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries_module, "_FIRST_PAUSE_SECONDS", 0.001)


@pytest.mark.parametrize("trouble", [(429, {}), (500, {}), (503, {}), (408, {}), DROP, (200, {"choices": []})])
def test_passing_trouble_is_asked_again(trouble: Any):
    with serving(trouble, trouble, (200, ANSWER)) as (base_url, received):
        reply = ask(base_url)
    assert (reply.attempts, len(received)) == (3, 3)
    assert received[0] == received[2] == dict(ASK.body)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422])
def test_a_refusal_is_never_asked_again(status: int):
    with (
        serving((status, {"error": {"message": "no such thing"}})) as (base_url, received),
        pytest.raises(Refused, match=f"{status}: no such thing") as caught,
    ):
        ask(base_url)
    assert caught.value.status == status
    assert len(received) == 1


def test_attempts_are_bounded_and_the_end_is_incomplete_not_failed():
    with (
        serving((503, {})) as (base_url, received),
        pytest.raises(Unreachable, match="in 3 attempts") as caught,
    ):
        ask(base_url, attempts=3)
    assert len(received) == 3
    assert isinstance(caught.value, Incomplete)


def test_a_pause_that_the_server_asks_for_is_kept(monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(tries_module.asyncio, "sleep", sleep)
    with serving((429, {}, {"Retry-After": "0.07"}), (200, ANSWER)) as (base_url, _):
        ask(base_url)
    assert any(0.07 <= seconds <= 0.08 for seconds in slept)


def test_the_body_on_the_wire_is_the_request_and_nothing_else():
    request = request_of(shard(), Prompt(messages=(("user", "q"),)), 3, ServedModel("m", "served"))
    with serving((200, ANSWER)) as (base_url, received):
        ask(base_url, request)
    assert exchange_key(request.path, received[0]) == request.digest
    assert received[0] == {
        "model": "served",
        "messages": [{"role": "user", "content": "q"}],
        "n": 1,
        "seed": 103,
        "stream": False,
        "temperature": 0.5,
        "top_p": 1.0,
        "max_tokens": 16,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": ["\ndef "],
    }


def test_completions_send_one_text_and_optional_sampling_only_where_it_is_set():
    request = request_of(shard(templating_mode="completions", top_k=5), Prompt(text="def f():"), 0, MODEL)
    assert (request.path, request.body["prompt"], request.body["top_k"]) == (COMPLETIONS, "def f():", 5)
    assert "messages" not in request.body
    assert "min_p" not in request.body


def test_an_answer_that_the_protocol_begins_is_continued_and_no_other():
    begun = Prompt(messages=(("user", "q"), ("assistant", "Sure:\n")))
    body = request_of(shard(), begun, 0, MODEL).body
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in request_of(shard(), Prompt(messages=(("user", "q"),)), 0, MODEL).body


def shard(**request: Any) -> Shard:
    asked = {"templating_mode": "chat", "temperature": 0.5, "top_p": 1.0, "max_tokens": 16, "stop": ["\ndef "]}
    return Shard(
        shard_id="s",
        stage="generate",
        benchmark="forge_mini",
        scenario="default",
        dataset_version="v1",
        dataset_digest="d",
        model="a__b",
        protocol="official",
        request={**asked, "protocol": "official", **request},
        request_digest="r",
        comparability_digest="c",
        first_sample=0,
        num_samples=4,
        num_planned=4,
        expected_rows=4,
        seed=100,
        engine="endpoint",
    )


def row_of(choice: dict[str, Any], usage: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    """The row made of one choice under ``max_tokens`` 16."""
    asked = shard(**request)
    task = Task("forge_mini", "default", "t", "calls", "p", {}, ("base",), "t")
    prompt = Prompt(messages=(("user", "q"),), text="q")
    sent = request_of(asked, prompt, 1, MODEL)
    reply, engine = Reply({"choices": [choice], "usage": usage}, 2, 0.1), Engine("endpoint", Endpoint("", ""))
    return sample_rows(asked, task, [1], prompt, sent, reply, engine)[0]


def message(**fields: Any) -> Callable[[str], dict[str, Any]]:
    return lambda finish_reason: {"message": fields, "finish_reason": finish_reason}


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "thinking"])
def test_thinking_sent_apart_has_its_column(name: str):
    row = row_of(message(**{name: "r", "content": "a"})("stop"))
    assert (row["reasoning"], row["answer"], row["reasoning_source"], row["think_state"]) == ("r", "a", name, "closed")
    assert row["raw_text"] == "a"


def test_thinking_without_an_answer_is_open_and_cut():
    row = row_of(message(reasoning="r", content=None)("length"), {"completion_tokens": 16})
    assert (row["think_state"], row["cut"], row["answer"], row["raw_text"]) == ("open", "max_tokens", "", "")


def test_two_fields_that_differ_are_refused_and_equal_ones_are_not():
    assert row_of(message(reasoning="r", reasoning_content="r", content="a")("stop"))["reasoning_source"] == "reasoning"
    with pytest.raises(BadInput, match="reasoning and reasoning_content"):
        row_of(message(reasoning="r", reasoning_content="s", content="a")("stop"))


@pytest.mark.parametrize(
    ("finish", "tokens", "text", "cut", "effective"),
    [
        ("stop", 3, "a", "no", 16),
        ("length", 16, "a", "max_tokens", 16),
        ("length", 5, "a", "window", 5),
        ("stop", 16, "", "max_tokens", 16),
        ("content_filter", 2, "", "filter", 16),
    ],
)
def test_what_cut_an_answer(finish: str, tokens: int, text: str, cut: str, effective: int):
    row = row_of(message(content=text)(finish), {"completion_tokens": tokens, "prompt_tokens": 7})
    assert (row["cut"], row["max_tokens_effective"], row["finish_reason"]) == (cut, effective, finish)
    assert (row["prompt_tokens"], row["attempts"], row["seed"], row["text_form"]) == (7, 2, 101, "raw")


def test_completions_continue_the_prompt():
    row = row_of({"text": "    return 1\n", "finish_reason": "stop"}, templating_mode="completions")
    assert (row["text_form"], row["raw_text"], row["think_state"]) == ("completion", "    return 1\n", "off")
