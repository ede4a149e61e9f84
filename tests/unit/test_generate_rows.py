"""From one choice to one row: what is kept, what cut it, what contradicts itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from benchforge.ingest.benchmarks.declaration import Prompt, Task
from benchforge.ingest.errors import BadInput
from benchforge.runners.generate.client import Endpoint, Reply
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.request import request_of
from benchforge.runners.generate.rows import sample_rows
from made_shard import MODEL, made_shard


def row_of(choice: dict[str, Any], usage: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    """The row made of one choice under ``max_tokens`` 16."""
    asked = made_shard(**{"max_tokens": 16, "temperature": 0.5, **request})
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
