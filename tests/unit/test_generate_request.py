"""One sample's request: what is sent, under which name, and what is left to us."""

from __future__ import annotations

from typing import Any

import pytest
from benchforge.ingest.benchmarks.declaration import Prompt
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate.probe import Abilities
from benchforge.runners.generate.request import (
    CHAT,
    COMPLETIONS,
    STREAM_FROM_TOKENS,
    limit_of,
    request_of,
    samples_per_request,
)
from made_shard import MODEL, SAMPLED, made_shard

QUESTION = Prompt(messages=(("user", "q"),))
STOPS = ["a", "b", "c", "d", "e", "f", "g"]


def body(abilities: Abilities | None = None, served: ServedModel = MODEL, **asked: Any) -> dict[str, Any]:
    return dict(request_of(made_shard(**asked), QUESTION, 0, served, abilities).body)


def test_every_parameter_is_explicit():
    request = request_of(made_shard(temperature=0.5, max_tokens=16), QUESTION, 3, ServedModel("a__b", "served"))
    assert (request.path, request.body) == (
        CHAT,
        {
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
        },
    )


def test_completions_send_one_text_and_optional_sampling_only_where_it_is_set():
    request = request_of(made_shard(templating_mode="completions", top_k=5), Prompt(text="def f():"), 0, MODEL)
    assert (request.path, request.body["prompt"], request.body["top_k"]) == (COMPLETIONS, "def f():", 5)
    assert "messages" not in request.body
    assert "min_p" not in request.body


def test_an_answer_that_the_protocol_begins_is_continued_and_no_other():
    begun = Prompt(messages=(("user", "q"), ("assistant", "Sure:\n")))
    begins = request_of(made_shard(), begun, 0, MODEL).body
    assert (begins["continue_final_message"], begins["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in body()


def test_long_answers_are_streamed_with_their_usage_and_short_ones_are_as_they_were():
    assert body(max_tokens=STREAM_FROM_TOKENS - 1)["stream"] is False
    assert "stream_options" not in body()
    long = body(max_tokens=STREAM_FROM_TOKENS)
    assert (long["stream"], long["stream_options"]) == (True, {"include_usage": True})
    assert body(Abilities(streams=False), max_tokens=STREAM_FROM_TOKENS)["stream"] is False


def test_several_samples_have_the_seed_of_the_first():
    asked = request_of(made_shard(**SAMPLED), QUESTION, 2, MODEL, Abilities(n=True), 5).body
    assert (asked["n"], asked["seed"]) == (5, 102)


@pytest.mark.parametrize(
    ("abilities", "asked", "expected"),
    [
        (Abilities(n=True), SAMPLED, 5),
        (Abilities(n=True), {}, 1),
        (Abilities(n=False), SAMPLED, 1),
        (Abilities(), SAMPLED, 1),
        (None, SAMPLED, 1),
    ],
)
def test_several_samples_at_once_only_where_proven_and_never_greedily(
    abilities: Abilities | None, asked: dict[str, Any], expected: int
):
    assert samples_per_request(made_shard(**asked), 5, abilities) == expected


def test_a_server_gets_no_more_stop_strings_than_it_takes():
    assert body(stop=STOPS)["stop"] == STOPS
    assert body(Abilities(max_stops=4), stop=STOPS)["stop"] == STOPS[:4]
    assert "stop" not in body(Abilities(max_stops=0), stop=STOPS)


def test_stops_of_an_answer_are_never_sent():
    assert "stop" not in body(stop=STOPS, stop_acts="answer")
    assert body(stop=STOPS, stop_acts="server")["stop"] == STOPS


def test_thinking_is_switched_as_planned():
    switch = {"chat_template_kwargs": {"enable_thinking": True}}
    sent = body(thinking=True, thinking_switch=switch, effort="high", thinking_budget=512, strip_rule="think")
    assert sent["chat_template_kwargs"] == {"enable_thinking": True}
    assert (sent["reasoning_effort"], sent["thinking_token_budget"]) == ("high", 512)
    assert not {"chat_template_kwargs", "reasoning_effort", "thinking_token_budget"} & set(body())


def test_ids_are_asked_for_where_the_server_has_them_and_tags_where_a_row_thinks():
    assert "return_token_ids" not in body()
    assert "return_token_ids" not in body(Abilities(token_ids=False))
    plain, thinking = body(Abilities(token_ids=True)), body(Abilities(token_ids=True), strip_rule="think")
    assert (plain["return_token_ids"], "skip_special_tokens" in plain) == (True, False)
    assert thinking["skip_special_tokens"] is False


def test_a_row_omits_and_renames():
    served = ServedModel("a__b", "m", omits=("temperature", "top_p"), renames={"max_tokens": "max_completion_tokens"})
    sent = body(served=served)
    assert not {"temperature", "top_p", "max_tokens"} & set(sent)
    assert limit_of(sent) == sent["max_completion_tokens"] == 64


def test_the_samples_of_one_task_share_the_key_of_their_prompt():
    first, second = (request_of(made_shard(**SAMPLED), QUESTION, index, MODEL) for index in (0, 1))
    other = request_of(made_shard(thinking_switch={"chat_template_kwargs": {"a": 1}}), QUESTION, 0, MODEL)
    assert first.prompt_key == second.prompt_key != other.prompt_key
    assert first.digest != second.digest
