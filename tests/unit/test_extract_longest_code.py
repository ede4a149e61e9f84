"""The search gives what trying every range gives, and stays bounded on texts made to be slow."""

from __future__ import annotations

import ast
import warnings

import pytest
from benchforge.runners.score.extract import longest_code as module
from benchforge.runners.score.extract.longest_code import longest_code
from benchforge.runners.score.extract.parsing import Budget, BudgetSpent, Parse, parse, unclosed_line
from hypothesis import given, settings
from hypothesis import strategies as st

LINES = st.sampled_from(
    [
        *("", "   ", "\t", "# note", "    # note", "x = 1", "x = (", ")", "]", "y = [", '"""', "'''", "x = 1 \\", "\\"),
        *("def f(x):", "    return x", "  y", "if x:", "else:", "try:", "@d", "class A:", "async def g():", "pass"),
        *("Here is the code:", "It's easy.", "```python", "```", "x = 'a", 'print("hi")', "\x1b[1mx\x1b[0m", "z = 2\r"),
        *("return 1", "lambda: 0", "\u00a0", "\x0c", "é = 1", "for i in x: pass", "f(", "}", "{", "import os"),
    ]
)


def every_range(text: str) -> str:
    """The rule as it is stated, range by range."""
    lines = module._ANSI.sub("", text).split("\n")
    best, most = (0, 0), 0
    for first in range(len(lines)):
        for last in range(first + 1, len(lines)):
            weight = sum(1 for line in lines[first : last + 1] if line.strip())
            if weight > most and parses("\n".join(lines[first : last + 1])):
                best, most = (first, last), weight
    return "\n".join(lines[best[0] : best[1] + 1])


def parses(source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
        except (SyntaxError, MemoryError):
            return False
    return True


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES, max_size=14).map("\n".join))
def test_equal_to_trying_every_range(text: str):
    assert longest_code(text) == every_range(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sure:\n```python\ndef f():\n    return 1\n```\nDone, it's easy.", "def f():\n    return 1"),
        ("x = 1", "x = 1"),
        ("x = (\n", "x = ("),
        ("\n\nx = 1\n\n", "\n\nx = 1"),
        ("    # a\n    # b\n    x = 1", "    # a\n    # b"),
        ("", ""),
    ],
)
def test_runs_of_lines(text: str, code: str):
    assert longest_code(text) == code == every_range(text)


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("x = 1", Parse.OK),
        ("", Parse.OK),
        ("x = (", Parse.UNFINISHED),
        ("if x:", Parse.UNFINISHED),
        ('"""', Parse.UNFINISHED),
        ("x = 1 \\", Parse.UNFINISHED),
        ("Here it is\nx = 1", Parse.BROKEN),
        (" x = 1", Parse.BROKEN),
        ("```", Parse.BROKEN),
        ("x = 1)", Parse.BROKEN),
    ],
)
def test_three_outcomes_of_a_parse(source: str, outcome: Parse):
    assert parse(source) is outcome


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=8), st.lists(LINES, max_size=8))
def test_what_is_broken_stays_broken(head: list[str], tail: list[str]):
    if parse("\n".join(head)) is Parse.BROKEN:
        assert parse("\n".join(head + tail)) is Parse.BROKEN


def test_where_something_is_never_closed():
    assert unclosed_line('x = 1\ny = """\nz') == 1
    assert unclosed_line("x = 1\ny = [\n(1)") == 1
    assert unclosed_line("if x:") is None
    assert unclosed_line("x = 1") is None


@pytest.mark.parametrize(
    "text",
    ["(\n" * 4000, "@a\n" * 4000, "\n".join(("x = (", '"""', ")", "try:") * 1000), "x = " + "1+" * 400_000 + "1\n\n"],
    ids=["brackets", "decorators", "mixed", "long line"],
)
def test_tangled_texts_end_within_their_budget(text: str, monkeypatch: pytest.MonkeyPatch):
    given: list[int] = []
    monkeypatch.setattr(module, "MAX_PARSED_CHARACTERS", 200_000)
    monkeypatch.setattr(module, "parse", lambda source: given.append(len(source)) or parse(source))
    assert longest_code(text) in text
    assert sum(given) <= 200_000


def test_a_budget_of_the_caller_is_reported_to_the_caller():
    with pytest.raises(BudgetSpent):
        longest_code("@a\n" * 100, Budget(1000))


def test_lines_beyond_the_cap_are_ignored(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_LINES", 3)
    assert longest_code("a = 1\nb = 2\nc = 3\nd = 4") == "a = 1\nb = 2\nc = 3"


@pytest.mark.parametrize(
    "text", ["x = '\ud800'\ny = 1\nz = 2", "a = 1\0\nb = 2\nc = 3", "-" * 100_000 + "1\nx = 1\ny = 2"]
)
def test_what_the_parser_refuses_is_no_code(text: str):
    assert longest_code(text) == "\n".join(text.split("\n")[1:])
