"""Where thinking ends: the rules, splitting texts, counting ids; and what scoring makes of stored rows."""

from __future__ import annotations

from typing import Any

import pytest
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.derivation import ANSWER_FROM, DERIVED, cut_at_stop, derived
from benchforge.ingest.errors import BadInput
from benchforge.ingest.schemas import ANSWER_FLAGS, CUTS, REASONING_SOURCES, SAMPLES, THINK_STATES
from benchforge.ingest.texts import storable
from benchforge.ingest.thinking import STRIP_RULES, Split, count, prompt_opens, split, strip_rule
from benchforge.runners.score.extract import extractor
from benchforge.runners.score.source import answer_text
from hypothesis import given
from hypothesis import strategies as st

THINK = STRIP_RULES["think"]
IDS = {"<think>": (1,), "</think>": (2,)}
WORDS = ("r", "a", " ", "\n", "```", "###", "\ud800", *(tag for rule in STRIP_RULES.values() for tag in rule.tag_texts))


@pytest.mark.parametrize("name", STRIP_RULES)
def test_every_rule_splits_what_its_model_writes(name: str):
    rule = STRIP_RULES[name]
    begin, end = rule.tags[-1]
    text = f"{begin}r{end}{rule.answer_open}a{''.join(rule.answer_close[:1])}"
    assert split(text, rule, is_opened=False) == split(text[len(begin) :], rule, is_opened=True)
    assert split(text, rule, is_opened=False) == Split("closed", "r", "a")
    assert split(f"{begin}r", rule, False).state == split("r", rule, True).state == "open"


@pytest.mark.parametrize(
    ("text", "opened", "state", "reasoning", "answer"),
    [
        ("r</think>a", True, "closed", "r", "a"),
        ("r</think>a", None, "closed", "r", "a"),
        ("r</think>a", False, "absent", None, "r</think>a"),
        ("<think>\nr\n</think>\n\na", None, "closed", "\nr\n", "\n\na"),
        ("<think>r</think>a", True, "closed", "r", "a"),
        ("</think>a", True, "closed", "", "a"),
        ("<think></think>", False, "closed", "", ""),
        ("r <think> r</think>a<think>", True, "closed", "r <think> r", "a<think>"),
        ("a", None, "absent", None, "a"),
        ("r", True, "open", "r", ""),
        ("", True, "open", "", ""),
        ("", None, "absent", None, ""),
    ],
)
def test_splitting_keeps_every_character(text: str, opened: bool | None, state: str, reasoning: str, answer: str):
    found = split(text, THINK, opened)
    assert (found.state, found.reasoning, found.answer) == (state, reasoning, answer)


def test_a_template_that_always_opens_needs_no_word_of_the_prompt():
    assert split("r", STRIP_RULES["think_v3"]).state == "open"
    assert split("a", STRIP_RULES["think_v3"], is_asked=False).state == "absent"
    assert split("a", STRIP_RULES["seed"]).state == "absent"


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("user\nq\nassistant\n<think>\n", True),
        ("system: write <think> thoughts </think> and then answer\nassistant\n", False),
        ("assistant\n<think>\n\n</think>\n\n", False),
        ("q", False),
    ],
)
def test_a_prompt_that_ends_inside_a_tag_opens_thinking(text: str, opens: bool):
    assert prompt_opens(THINK, text) is opens
    ids = [IDS.get(word, (9,))[0] for word in text.replace("\n", " ").split(" ")]
    assert prompt_opens(THINK, None, ids, IDS) is opens
    assert prompt_opens(THINK) is None
    assert prompt_opens(THINK, None, ids, {}) is None


@pytest.mark.parametrize(
    ("ids", "opened", "counted"),
    [
        ([5, 5, 2, 6], True, (True, 2, 1)),
        ([1, 5, 2, 6], False, (True, 1, 1)),
        ([1, 5, 2, 6], None, (True, 1, 1)),
        ([5, 2, 6, 2], None, (True, 1, 2)),
        ([5, 2, 1, 6], None, (True, 1, 1)),
        ([1, 5, 2, 6], True, (True, 1, 1)),
        ([5, 5], True, (False, 2, 0)),
        ([1, 5], False, (False, 1, 0)),
        ([5, 5], False, (False, None, 0)),
        ([], True, (False, 0, 0)),
    ],
)
def test_thinking_is_counted_in_token_ids(ids: list[int], opened: bool | None, counted: tuple[Any, ...]):
    found = count(ids, THINK, IDS, opened)
    assert found is not None
    assert (found.is_closed, found.tokens, found.num_closes) == counted
    assert count(ids, THINK, {}, opened) is None


def test_a_tag_of_plain_pieces_is_looked_for_in_the_text_alone():
    pieces = {"<think>": (4, 5, 6), "</think>": (7, 5, 6)}
    assert count([9, 7, 5, 60, 9], THINK, pieces, is_opened=True) is None  # ">" and the line break became one token
    assert prompt_opens(THINK, None, [4, 5, 60], pieces) is None
    assert prompt_opens(THINK, "q<think>\n", [4, 5, 60], pieces) is True


def test_harmony_is_counted_up_to_its_first_end():
    rule = STRIP_RULES["harmony"]
    ids = {"<|channel|>analysis<|message|>": (1, 2, 3), "<|end|>": (4,), "<|channel|>final<|message|>": (1, 5, 3)}
    found = count([1, 2, 3, 7, 7, 4, 6, 1, 5, 3, 8], rule, ids, is_opened=False)
    assert found is not None
    assert (found.is_closed, found.tokens, found.num_closes) == (True, 2, 1)


def test_an_unknown_rule_is_a_sentence():
    with pytest.raises(BadInput, match="there is no strip rule 'thimk'; known are think"):
        strip_rule("thimk")


@pytest.mark.parametrize(
    ("answer", "stops", "kept"),
    [
        ("a\nb", ("\n",), ("a", "\n")),
        ("a###\n", ("\n", "###"), ("a", "###")),
        ("a\n\ndef", ("\n\n", "\n\ndef"), ("a", "\n\ndef")),
        ("a", ("b", ""), ("a", None)),
    ],
)
def test_the_first_stop_string_ends_the_answer(answer: str, stops: tuple[str, ...], kept: tuple[str, str | None]):
    assert cut_at_stop(answer, stops) == kept


rows = st.fixed_dictionaries(
    {
        "raw_text": st.lists(st.sampled_from(WORDS), max_size=8).map("".join),
        "strip_rule": st.sampled_from([None, *STRIP_RULES]),
        "prompt_opens_thinking": st.sampled_from([None, True, False]),
        "num_close_tags": st.sampled_from([None, 0, 1, 2]),
        "thinking": st.sampled_from([None, True, False]),
        "reasoning_source": st.sampled_from(["none", "hidden"]),
        "reasoning_tokens": st.sampled_from([None, 0, 9, 10]),
        "reasoning_tokens_server": st.sampled_from([None, 0, 7]),
        "thinking_budget": st.sampled_from([None, 10]),
        "stop": st.sampled_from([None, ["###"], ["\n", "a"]]),
        "finish_reason": st.sampled_from([None, "stop", "length", "content_filter", "repetition"]),
        "stop_reason": st.sampled_from([None, "###", "151643"]),
        "completion_tokens": st.sampled_from([None, 12, 48]),
        "max_tokens": st.just(48),
        "max_tokens_effective": st.sampled_from([None, 12, 48]),
    }
).flatmap(
    lambda row: st.one_of(
        st.just({**row, "reasoning": None}),
        st.sampled_from(["reasoning", "thinking", "details"]).map(
            lambda source: {**row, "reasoning_source": source, "reasoning": "r"}
        ),
    )
)


@given(rows)
def test_every_stored_row_derives_what_it_holds(row: dict[str, Any]):
    stored = {**row, **derived(row)}
    assert derived(stored) == {name: stored[name] for name in DERIVED}
    assert stored["raw_text"] == row["raw_text"]
    assert stored["think_state"] in THINK_STATES
    assert stored["reasoning_source"] in REASONING_SOURCES
    assert stored["cut"] in CUTS
    assert set(stored["answer_flags"] or ()) <= set(ANSWER_FLAGS)


@given(rows)
def test_scoring_reads_the_answer_that_was_stored(row: dict[str, Any]):
    stored = {**row, **derived(row)}
    expected = stored["raw_text"] if stored["answer"] is None else stored["answer"]
    as_stored = {"source": None, "text_encoding": None, **storable(stored)}
    assert answer_text(as_stored) == expected
    assert answer_text({**as_stored, "answer": None}) == expected


@given(rows)
def test_open_thinking_has_no_answer(row: dict[str, Any]):
    found = derived(row)
    if found["think_state"] == "open":
        assert found["answer"] == ""


def test_everything_derived_or_read_is_a_column():
    names = {*SAMPLES.column_names()}
    assert {*DERIVED, *ANSWER_FROM} <= names


def test_a_corrected_rule_is_a_new_score_of_the_same_text():
    row = dict.fromkeys(SAMPLES.column_names())
    row |= {"raw_text": "<seed:think>r</seed:think>a", "thinking": True, "strip_rule": "think"}
    assert answer_text(row) == "<seed:think>r</seed:think>a"
    assert answer_text({**row, "strip_rule": "seed"}) == "a"


def test_what_others_recorded_stands_as_it_was_recorded():
    row = dict.fromkeys(SAMPLES.column_names())
    row |= {"raw_text": "a###b", "stop": ["###"], "source": "o/r@1"}
    assert answer_text(row) == "a###b"
    assert answer_text({**row, "answer": "a"}) == "a"
    assert answer_text({**row, "source": None}) == "a"


EXTRACTORS = sorted(
    {name for one in registry().values() for name in (one.extraction.official, one.extraction.corrected)} - {"plain"}
)


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("finish", ["length", "stop"])
def test_a_fence_in_the_thinking_is_never_extracted(name: str, finish: str):
    secret = "def solve(x):\n    return 4242"
    row = dict.fromkeys(SAMPLES.column_names())
    row |= {
        "raw_text": f"<think>Perhaps\n```python\n{secret}\n```\n[ANSWER]4242[/ANSWER]\n",
        "thinking": True,
        "strip_rule": "think",
        "prompt_opens_thinking": False,
        "finish_reason": finish,
    }
    context = {"text_form": "raw", "entry_point": "solve", "prompt": "def solve(x):\n", "scenario": "", "protocol": ""}
    assert "4242" not in extractor(name)(answer_text(row), context)
    closed = {**row, "raw_text": row["raw_text"] + "</think>I do not know."}
    assert "4242" not in extractor(name)(answer_text(closed), context)
    body = "    return 4242" if name == "humaneval" else f"```python\n{secret}\n```"  # it continues the prompt
    answered = {**row, "raw_text": f"{row['raw_text']}</think>{body}"}
    assert "4242" in extractor(name)(answer_text(answered), context)
