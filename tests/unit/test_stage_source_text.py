"""Texts out of a source file: constants, whole functions by branch, JSON; nothing is executed."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.staging.source_text import RETURNED, HarnessString, text_at

SOURCE = """
raise SystemExit("this file is executed")

GREETING = "Hello {you}" " there"

class Words:
    PLAIN = f"No slot, {{braces}}."
    LONG = (
        f"In two\\n"
        "parts: {x}"
    )
    MADE = GREETING.upper()

def ask(question, example):
    prompt = "first {literal}"
    prompt = f"Q: {question.content}\\n"
    if question.starter:
        prompt += f"{Words.PLAIN}\\n"
        prompt += "```\\n" + question.starter
    else:
        prompt += f"{Words.LONG}!"
        if example["answer"]:
            prompt += example["answer"]
    other = "not of it"
    prompt += f" end"
    return prompt

def odd(question):
    prompt = "a"
    prompt += question.content.strip()
    return prompt

def outer():
    def inner(example):
        prompt = ""
        prompt += example["text"]
        return prompt
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.py"
    path.write_text(SOURCE)
    return path


def string(where: str, variable: str, **given: bool) -> HarnessString:
    return HarnessString("toy.text", "prompts.py", where, variable, "", given or None)


def by_branch(has_starter: bool, has_answer: bool = False) -> HarnessString:
    given = {"question.starter": has_starter, "example['answer']": has_answer}
    return HarnessString("toy.text", "prompts.py", "ask", "prompt", "", given)


@pytest.mark.parametrize(
    ("where", "variable", "text"),
    [
        ("", "GREETING", "Hello {you} there"),
        ("Words", "PLAIN", "No slot, {braces}."),
        ("Words", "MADE", None),
        ("Words", "ABSENT", None),
        ("Nobody", "PLAIN", None),
        ("ask", "prompt", "first {literal}"),
        ("ask", RETURNED, None),
    ],
)
def test_constants_are_found_where_they_stand(file: Path, where: str, variable: str, text: str | None):
    assert text_at(file, string(where, variable)) == text


def test_a_function_is_followed_along_one_branch(file: Path):
    starter, answered = text_at(file, by_branch(True)), text_at(file, by_branch(False, True))
    assert starter is not None and answered is not None
    assert starter.format(content="{c}", starter="s") == "Q: {c}\nNo slot, {braces}.\n```\ns end"
    assert answered.format(content="c", answer="a") == "Q: c\nIn two\nparts: {x}!a end"
    assert text_at(file, by_branch(False)) == answered.replace("{answer}", "")


def test_a_condition_that_is_not_declared_and_an_expression_that_is_no_text_are_refused(file: Path):
    assert text_at(file, HarnessString("t", "prompts.py", "ask", "prompt", "", {"question.starter": False})) is None
    assert text_at(file, HarnessString("t", "prompts.py", "odd", "prompt", "", {})) is None


def test_a_function_within_a_function_is_found(file: Path):
    assert text_at(file, HarnessString("t", "prompts.py", "inner", "prompt", "", {})) == "{text}"


@pytest.mark.parametrize(
    ("variable", "text"),
    [("0.question", "Q?"), ("1.question", None), ("0.missing", None), ("0.number", None), ("0.question.deeper", None)],
)
def test_json_is_read_by_its_path(tmp_path: Path, variable: str, text: str | None):
    path = tmp_path / "examples.json"
    path.write_text('[{"question": "Q?", "number": 3}]')
    assert text_at(path, HarnessString("t", "examples.json", "", variable, "")) == text


@pytest.mark.parametrize("name", ["broken.py", "broken.json"])
def test_a_file_that_is_no_source_holds_no_text(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe def (")
    assert text_at(path, HarnessString("t", name, "", "x", "")) is None
