"""The two ways of taking an answer out of a fenced reply, and where they part."""

from __future__ import annotations

import pytest
from benchforge.runners.score.extract.fences import best_block, last_block

CONTEXT = {"text_form": "raw", "entry_point": "f", "prompt": "def f():\n", "answer": "program"}
CODE = "def f():\n    return 1"
FENCED = f"```python\n{CODE}\n```"


@pytest.mark.parametrize("text", [FENCED, f"Well.\n{FENCED}\nDone.", f"  {FENCED}\n".lstrip()])
def test_one_block_is_taken_by_both(text: str):
    assert last_block(text, CONTEXT) == CODE
    assert best_block(text, CONTEXT) == CODE


def test_doubled_closing_fence_loses_the_program_officially_only():
    assert last_block(f"{FENCED}\n```", CONTEXT) == ""
    assert best_block(f"{FENCED}\n```", CONTEXT) == CODE


def test_usage_after_the_answer_is_taken_officially_only():
    text = f"{FENCED}\nTry:\n```python\nprint(f())\n```"
    assert last_block(text, CONTEXT) == "print(f())"
    assert best_block(text, CONTEXT) == CODE


def test_text_without_a_fence():
    text = f"The answer:\n\n{CODE}\n\nThat is all."
    assert last_block(text, CONTEXT) == text
    assert best_block(text, CONTEXT) == CODE
    assert best_block("So it is\n[1, 2]", {**CONTEXT, "answer": "expression"}) == "[1, 2]"


def test_unclosed_block_runs_to_the_end():
    assert best_block(f"```python\n{CODE}", CONTEXT) == CODE


@pytest.mark.parametrize("extract", [last_block, best_block])
def test_recorded_forms_are_not_parsed(extract):
    assert extract(FENCED, {**CONTEXT, "text_form": "program"}) == FENCED
    assert extract("    return 1\n", {**CONTEXT, "text_form": "completion"}) == "def f():\n    return 1\n"


@pytest.mark.parametrize("text", ["", "```", "```\n```\n```\n```", "\x00```\ud800\n", "`" * 9, "```" * 5000])
@pytest.mark.parametrize("extract", [last_block, best_block])
def test_hostile_text_gives_text(extract, text: str):
    assert isinstance(extract(text, CONTEXT), str)
