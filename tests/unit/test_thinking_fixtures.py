"""What servers answered, and the row that it must become: the fixtures of the thinking page, one case each.

Texts are one letter where only their place matters: ``r`` thinking, ``a`` answer. Under ``IDS`` the tags of the rule
``think`` are the tokens 1 and 2; every other token is a word of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from benchforge.ingest.benchmarks.declaration import Prompt, Task
from benchforge.ingest.derivation import DERIVED, derived
from benchforge.ingest.errors import BadInput
from benchforge.ingest.manifest import Shard
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate.answers import Malformed
from benchforge.runners.generate.client import Endpoint, Reply
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.probe import Abilities
from benchforge.runners.generate.request import request_of
from benchforge.runners.generate.rows import NotHonoured, sample_rows
from made_shard import made_shard

IDS = {"<think>": (1,), "</think>": (2,)}
TEMPLATE_OPENS, TEMPLATE_SWITCHED_OFF, TEMPLATE_SILENT = [7, 8, 1, 9], [7, 8, 1, 9, 2, 9], [7, 8]
THINKS = {"thinking": True, "strip_rule": "think", "stop_acts": "answer"}
OFF = {**THINKS, "thinking": False}
FENCED = "r ```python\nprint(1)\n```"


def shard(**request: Any) -> Shard:
    asked = {"templating_mode": "chat", "temperature": 0.6, "top_p": 0.95, "max_tokens": 1024, "protocol": "card"}
    made = made_shard(**{**asked, "stop": None, **request})
    return replace(made, protocol="card", num_samples=5, num_planned=5, expected_rows=5)


def rows_of(
    response: Mapping[str, Any],
    request: Mapping[str, Any],
    abilities: Abilities | None = None,
    indices: Sequence[int] = (0,),
    prompt: Prompt | None = None,
) -> list[dict[str, Any]]:
    asked = shard(**request)
    prompt = prompt or Prompt(messages=(("user", "q"),), text="q")
    sent = request_of(asked, prompt, indices[0], ServedModel("a__b", "m"), num_samples=len(indices))
    task = Task("forge_mini", "default", "t", "calls", "p", {}, ("base",), "t")
    return sample_rows(
        asked, task, indices, prompt, sent, Reply(response, 1, 0.1), Engine("e", Endpoint("", "")), abilities
    )


@dataclass(frozen=True)
class Fixture:
    name: str
    message: Mapping[str, Any]
    row: Mapping[str, Any]
    finish: str = "stop"
    request: Mapping[str, Any] = field(default_factory=lambda: THINKS)
    choice: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    prompt_ids: Sequence[int] | None = None
    window: int | None = None

    def rows(self) -> list[dict[str, Any]]:
        choice = {"index": 0, "message": self.message, "finish_reason": self.finish, **self.choice}
        response = {"choices": [choice], "usage": self.usage, "prompt_token_ids": self.prompt_ids}
        return rows_of(response, self.request, Abilities(tag_ids=IDS, window_tokens=self.window))


def expected(state: str, source: str, answer: str | None, **more: Any) -> dict[str, Any]:
    return {"think_state": state, "reasoning_source": source, "answer": answer, "cut": "no", **more}


CLOSED = expected("closed", "tag", "a", reasoning="r")
FIXTURES = (
    Fixture("1 reasoning", {"reasoning": "r", "content": "a"}, {**CLOSED, "reasoning_source": "reasoning"}),
    Fixture(
        "2 reasoning_content",
        {"reasoning_content": "r", "content": "a"},
        {**CLOSED, "reasoning_source": "reasoning_content", "raw_text": "a"},
    ),
    Fixture("2 thinking", {"thinking": "r", "content": "a"}, {**CLOSED, "reasoning_source": "thinking"}),
    Fixture(
        "2 reasoning_details",
        {"reasoning_details": [{"type": "reasoning.text", "text": "r"}], "content": "a"},
        {**CLOSED, "reasoning_source": "details"},
    ),
    Fixture(
        "3 two names, equal",
        {"reasoning_content": "r", "reasoning": "r", "content": "a"},
        {**CLOSED, "reasoning_source": "reasoning"},
    ),
    Fixture(
        "4 the template opens",
        {"content": "r</think>\n\na"},
        {**CLOSED, "answer": "\n\na", "raw_text": "r</think>\n\na", "prompt_opens_thinking": True},
        prompt_ids=TEMPLATE_OPENS,
    ),
    Fixture("4 nobody says who opened", {"content": "r</think>\n\na"}, {**CLOSED, "answer": "\n\na"}),
    Fixture("5 the model opens", {"content": "<think>r</think>a"}, CLOSED),
    Fixture("5 the prompt did not", {"content": "\n<think>r</think>a"}, CLOSED, prompt_ids=TEMPLATE_SILENT),
    Fixture(
        "6 cut in thinking, parsed",
        {"reasoning": "r", "content": None},
        expected("open", "reasoning", "", cut="max_tokens", reasoning="r", raw_text=""),
        "length",
        {**THINKS, "max_tokens": 12},
        usage={"completion_tokens": 12},
    ),
    Fixture(
        "7 cut in thinking, not parsed",
        {"content": FENCED},
        expected("open", "tag", "", cut="max_tokens", answer_flags=["fence_only_in_thinking"], raw_text=FENCED),
        "length",
        prompt_ids=TEMPLATE_OPENS,
        usage={"completion_tokens": 1024},
    ),
    Fixture(
        "7 nobody says who opened",
        {"content": FENCED},
        expected("open", "tag", "", cut="max_tokens"),
        "length",
        usage={"completion_tokens": 1024},
    ),
    Fixture(
        "7 the model would have opened",
        {"content": "a"},
        expected("absent", "none", None, cut="max_tokens"),
        "length",
        {**THINKS, "strip_rule": "seed"},
        usage={"completion_tokens": 1024},
    ),
    Fixture(
        "8 a stop string inside thinking",
        {"reasoning": "r", "content": None},
        expected("open", "reasoning", "", cut="stop_in_thinking", stop_reason="###"),
        request={**THINKS, "stop": ["###"], "stop_acts": "server"},
        choice={"stop_reason": "###"},
    ),
    Fixture(
        "8 as SGLang says it",
        {"content": "r"},
        expected("open", "tag", "", cut="stop_in_thinking", stop_reason="###"),
        request={**THINKS, "stop": ["###"], "stop_acts": "server"},
        choice={"matched_stop": "###"},
        prompt_ids=TEMPLATE_OPENS,
    ),
    Fixture(
        "9 stop at the limit",
        {"content": ""},
        expected("off", "none", None, cut="max_tokens", finish_reason="stop", max_tokens_effective=1024),
        request={},
        usage={"completion_tokens": 1024},
    ),
    Fixture(
        "9 stop at the limit, in thinking",
        {"content": "r"},
        expected("open", "tag", "", cut="max_tokens", finish_reason="stop"),
        prompt_ids=TEMPLATE_OPENS,
        usage={"completion_tokens": 1024},
    ),
    Fixture(
        "10 the window is full",
        {"content": "r"},
        expected("open", "tag", "", cut="window", max_tokens_effective=48, max_tokens_sent=1024),
        "length",
        prompt_ids=TEMPLATE_OPENS,
        usage={"prompt_tokens": 2000, "completion_tokens": 48},
        window=2048,
    ),
    Fixture(
        "10 window not known",
        {"content": "a"},
        expected("off", "none", None, cut="window", max_tokens_effective=48),
        "length",
        {},
        usage={"prompt_tokens": 2000, "completion_tokens": 48},
    ),
    Fixture(
        "10 the window is full, and the server says stop",
        {"content": "a"},
        expected("off", "none", None, cut="window", max_tokens_effective=48),
        request={},
        usage={"prompt_tokens": 2000, "completion_tokens": 48},
        window=2048,
    ),
    Fixture(
        "11 switched off, and the parser hides the answer",
        {"reasoning": "a", "content": None},
        expected("off", "reasoning", "a", reasoning=None, raw_text="a", answer_flags=["parser_misroute"]),
        request=OFF,
        prompt_ids=TEMPLATE_SWITCHED_OFF,
    ),
    Fixture(
        "11 switched off, nothing proves it",
        {"reasoning": "a", "content": None},
        expected("open", "reasoning", "", answer_flags=["server_stop"]),
        request=OFF,
    ),
    Fixture(
        "12 closed at the budget",
        {"content": "r</think>a"},
        expected("forced", "tag", "a", reasoning_tokens=9, num_close_tags=1),
        request={**THINKS, "thinking_budget": 10},
        choice={"token_ids": [11] * 9 + [2, 12]},
        prompt_ids=TEMPLATE_OPENS,
    ),
    Fixture(
        "12 closed before the budget",
        {"content": "r</think>a"},
        expected("closed", "tag", "a", reasoning_tokens=5),
        request={**THINKS, "thinking_budget": 10},
        choice={"token_ids": [11] * 5 + [2, 12]},
        prompt_ids=TEMPLATE_OPENS,
    ),
    Fixture(
        "12 with a sentence at its end",
        {"content": "r. Time is up.</think>a"},
        expected("forced", "tag", "a", reasoning_tokens=14),
        request={**THINKS, "thinking_budget": 10, "thinking_budget_end": " Time is up.</think>"},
        choice={"token_ids": [11] * 14 + [2, 12]},
        prompt_ids=TEMPLATE_OPENS,
    ),
    Fixture(
        "15 a second close tag",
        {"content": "r</think>a</think>b"},
        expected("closed", "tag", "a</think>b", raw_text="r</think>a</think>b", reasoning_tokens=1, num_close_tags=2),
        choice={"token_ids": [11, 2, 12, 2, 13]},
        prompt_ids=TEMPLATE_OPENS,
    ),
    Fixture(
        "15 a tag that is only spelled out",
        {"content": "the tag </think> ends it"},
        expected("open", "tag", "", num_close_tags=0, answer_flags=["server_stop", "close_tag_spelled"]),
        choice={"token_ids": [11, 12, 13, 14]},
        prompt_ids=TEMPLATE_OPENS,
    ),
    Fixture(
        "16 harmony",
        {"content": "<|channel|>analysis<|message|>r<|end|><|start|>assistant<|channel|>final<|message|>a<|return|>"},
        {**CLOSED, "reasoning_source": "channel"},
        request={**THINKS, "strip_rule": "harmony"},
    ),
    Fixture(
        "16 harmony, ended in thinking",
        {"content": "<|channel|>analysis<|message|>r"},
        expected("open", "channel", "", reasoning="r", answer_flags=["server_stop"]),
        request={**THINKS, "strip_rule": "harmony"},
    ),
    Fixture(
        "16 harmony, ended in thinking, parsed",
        {"reasoning": "r", "content": None},
        expected("open", "reasoning", "", reasoning="r", answer_flags=["server_stop"]),
        request={**THINKS, "strip_rule": "harmony"},
    ),
    Fixture(
        "17 kept back",
        {"content": ""},
        expected("hidden", "hidden", "", cut="max_tokens", reasoning=None, reasoning_tokens_server=4096),
        "length",
        {**THINKS, "max_tokens": 4096},
        usage={"completion_tokens": 4096, "completion_tokens_details": {"reasoning_tokens": 4096}},
    ),
    Fixture(
        "17 encrypted",
        {"content": "a", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
        expected("hidden", "hidden", "a", reasoning=None),
    ),
    Fixture(
        "20 seven stop strings act here",
        {"content": "a\n\ndef g"},
        expected("off", "none", "a", stop_reason="\n\ndef ", raw_text="a\n\ndef g", answer_flags=["client_stop"]),
        request={"stop": ["\nA", "\nB", "\nC", "\nD", "\nE", "\n\ndef ", "\n\n\n"]},
    ),
    Fixture(
        "stop strings act after the close tag, and what follows them was not wanted",
        {"content": "r ### r</think>a ### b"},
        expected("closed", "tag", "a ", reasoning="r ### r", stop_reason="###", finish_reason="length"),
        "length",
        {**THINKS, "stop": ["###"]},
        prompt_ids=TEMPLATE_OPENS,
        usage={"completion_tokens": 1024},
    ),
    Fixture("thinking was asked for and none came", {"content": "a"}, expected("absent", "none", None)),
    Fixture("switched off, but it thinks", {"content": "<think>r</think>a"}, CLOSED, request=OFF),
    Fixture(
        "an answer that speaks of tags",
        {"content": "use <think>r</think>"},
        expected("off", "none", None, reasoning_tokens=None),
        request=OFF,
        choice={"token_ids": [11, 1, 12, 2]},
        prompt_ids=TEMPLATE_SWITCHED_OFF,
    ),
    Fixture(
        "thinking in both places",
        {"reasoning_content": "r", "content": "<think>r</think>a"},
        {**CLOSED, "reasoning_source": "reasoning_content", "raw_text": "<think>r</think>a"},
    ),
    Fixture("filtered", {"content": "a"}, expected("off", "none", None, cut="filter"), "content_filter", {}),
    Fixture("repeated", {"content": "a"}, expected("off", "none", None, cut="repetition"), "repetition", {}),
)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_answers_become_rows(fixture: Fixture):
    [row] = fixture.rows()
    assert {name: row[name] for name in fixture.row} == dict(fixture.row)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_what_a_row_derived_it_derives_again(fixture: Fixture):
    [row] = fixture.rows()
    assert derived(row) == {name: row[name] for name in DERIVED}


def test_different_thinking_under_two_names_is_refused():
    message = {"reasoning": "r", "reasoning_content": "s", "content": "a"}
    with pytest.raises(BadInput, match="reasoning and reasoning_content"):
        Fixture("3", message, {}).rows()


@pytest.mark.parametrize("ids", [[11] * 400 + [2, 12], [11] * 400])
def test_a_budget_without_effect_names_the_engine(ids: list[int]):
    request = {**THINKS, "thinking_budget": 10}
    text = "r</think>a" if 2 in ids else "r"
    with pytest.raises(NotHonoured, match=r"the engine e ignores the thinking budget of 10 tokens: .* for 400"):
        Fixture("13", {"content": text}, {}, request=request, choice={"token_ids": ids}, prompt_ids=[8, 1]).rows()


def test_a_switch_without_effect_is_refused():
    with pytest.raises(NotHonoured, match="ignores that thinking is switched off"):
        Fixture("20", {"content": "r</think>a"}, {}, request=OFF, prompt_ids=TEMPLATE_OPENS).rows()


def choices(*indices: int) -> dict[str, Any]:
    listed = [
        {"index": index, "message": {"content": f"a{index}"}, "finish_reason": "stop", "token_ids": [5] * (index + 1)}
        for index in indices
    ]
    return {"choices": listed, "usage": {"prompt_tokens": 3, "completion_tokens": 15}}


def test_rows_go_by_the_index_of_their_choice():
    rows = rows_of(choices(4, 0, 1, 3, 2), {}, indices=(5, 6, 7, 8, 9))
    assert [(row["sample_index"], row["raw_text"], row["seed"]) for row in rows] == [
        (5 + index, f"a{index}", 105 + index) for index in range(5)
    ]
    assert [(row["prompt_tokens"], row["completion_tokens"]) for row in rows] == [(3, index) for index in range(1, 6)]


def test_one_choice_of_five_is_one_row():
    [row] = rows_of(choices(0), {}, indices=(5, 6, 7, 8, 9))
    assert (row["sample_index"], row["completion_tokens"]) == (5, 15)


@pytest.mark.parametrize("indices", [(0, 0), (0, 5), (-1,)])
def test_choices_that_nobody_asked_for_are_malformed(indices: tuple[int, ...]):
    with pytest.raises(Malformed):
        rows_of(choices(*indices), {}, indices=(0, 1))


def test_the_shape_of_responses():
    response = {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [{"type": "reasoning", "summary": [], "encrypted_content": "x"}],
        "usage": {"input_tokens": 9, "output_tokens": 1024, "output_tokens_details": {"reasoning_tokens": 1024}},
    }
    [row] = rows_of(response, THINKS)
    assert (row["think_state"], row["cut"], row["answer"]) == ("hidden", "max_tokens", "")
    assert (row["prompt_tokens"], row["reasoning_tokens_server"], row["finish_reason"]) == (9, 1024, "length")


def test_a_rendered_prompt_tells_where_thinking_was_opened():
    response = {"choices": [{"index": 0, "text": "r</think>a", "finish_reason": "stop"}]}
    request = {**THINKS, "templating_mode": "completions"}
    [row] = rows_of(response, request, prompt=Prompt(text="q<think>\n"))
    assert (row["prompt_opens_thinking"], row["answer"], row["text_form"]) == (True, "a", "completion")
