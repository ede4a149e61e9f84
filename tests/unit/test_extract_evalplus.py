"""EvalPlus' rules one by one, and what the corrected reading keeps instead."""

from __future__ import annotations

import pytest
from benchforge.runners.score.extract import extractor
from benchforge.runners.score.extract.evalplus_official import sanitized
from benchforge.runners.score.extract.needed_code import needed, statements_of

PROMPT = 'def solve(x):\n    """Say x twice."""\n'
BODY = "def solve(x):\n    return x + x"


def official(text: str, **context: str) -> str:
    return extractor("evalplus_sanitize")(
        text, {"text_form": "raw", "entry_point": "solve", "prompt": PROMPT, **context}
    )


def corrected(text: str, **context: str) -> str:
    return extractor("evalplus_corrected")(
        text, {"text_form": "raw", "entry_point": "solve", "prompt": PROMPT, **context}
    )


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (f"Sure!\n```python\n{BODY}\n```\nIt's done.", BODY),
        (f"import re\nimport os.path\n{BODY}\nprint(solve(2))", f"import re\nimport os.path\n{BODY}"),
        (f"def helper(x):\n    return 1\n{BODY}", BODY),
        (
            "def two(x):\n    return x\ndef solve(x):\n    return two(x)",
            "def two(x):\n    return x\ndef solve(x):\n    return two(x)",
        ),
        ("def solve(x):\n    return 1\ndef solve(x):\n    return 2\n", "def solve(x):\n    return 1"),
        ("def note():\n    pass\ndef solve(x):\n    return note()", "def solve(x):\n    return note()"),
        ("from __future__ import annotations\n" + BODY, BODY),
        ("@cache\ndef solve(x):\n    return 1\nimport os", "import os"),
        ("try:\n    import numpy\nexcept ImportError:\n    pass\n" + BODY, BODY),
        ("LIMIT = 3\nOTHER = 4\ndef solve(x):\n    return LIMIT", "LIMIT = 3\ndef solve(x):\n    return LIMIT"),
        ("a, b = c\ndef solve(x):\n    return c", "a, b = c\ndef solve(x):\n    return c"),
        (
            "class A:\n    pass\nclass A:\n    x = 1\ndef solve(x):\n    return A",
            "class A:\n    pass\ndef solve(x):\n    return A",
        ),
        ("print(1)\nprint(2)", "print(1)\nprint(2)"),
        ("no code at all here\nreally", "no code at all here"),
    ],
)
def test_rules_of_the_sanitizer(text: str, program: str):
    assert official(text) == program


def test_without_an_entry_point_every_definition_stays():
    assert sanitized(f"def other(x):\n    return 1\n{BODY}", "") == f"def other(x):\n    return 1\n{BODY}"


def test_tabs_become_spaces_where_the_official_backend_makes_them_so():
    text = "def solve(x):\n\treturn x"
    spaces = "def solve(x):\n    return x"
    assert official(text, protocol="official") == spaces
    assert official("\treturn x", protocol="official_base") == PROMPT.strip() + "\n    return x"
    assert official(text, protocol="official_api") == official(text, protocol="card") == text
    assert official(text, protocol="official", text_form="program") == text


def test_a_return_behind_a_chain_of_only_children_is_missed():
    """The official walk ends early on it; kept, because it decides which functions survive."""
    nested = "def solve(x):\n    ((((((((((((x))))))))))))\n    return x"
    flat = "def solve(x):\n    pass\n    return x"
    assert sanitized(flat + "\n", "solve") == flat
    assert sanitized(nested + "\n", "solve").startswith("def solve")


@pytest.mark.parametrize("form", ["completion", "program"])
def test_recorded_texts_run_as_they_are(form: str):
    text = "    return x + x\nprint(solve(1))\n"
    assert official(text, text_form=form) == (PROMPT + text if form == "completion" else text)


@pytest.mark.parametrize("form", ["raw", "completion"])
def test_a_base_model_is_sanitized_with_its_prompt(form: str):
    text = "    return x + x\n\nprint(solve(1))"
    assert official(text, protocol="official_base", text_form=form) == PROMPT.strip() + "\n    return x + x"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("from functools import cache\n@cache\ndef solve(x):\n    return x", "@cache\ndef solve"),
        ("def note():\n    pass\ndef solve(x):\n    return note()", "def note"),
        ("try:\n    import numpy as np\nexcept ImportError:\n    np = None\ndef solve(x):\n    return np", "np = None"),
        ("import sys\nsys.setrecursionlimit(9000)\ndef solve(x):\n    return x", "sys.setrecursionlimit(9000)"),
        (
            "cache = {}\ncache[0] = 1\nfor i in range(3):\n    cache[i] = i\ndef solve(x):\n    return cache[x]",
            "cache[i] = i",
        ),
        ("def solve(x):\n    return 1\ndef solve(x):\n    return 2", "return 2"),
    ],
)
def test_kept_by_the_corrected_reading(text: str, part: str):
    assert part in corrected(f"```python\n{text}\n```")
    assert part not in official(f"```python\n{text}\n```")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"```python\n{BODY}\n```\nExample:\n```python\nprint(solve(1))\nprint(solve(2))\nprint(3)\n```", BODY),
        (f"```python\n{BODY}\n```\n```", BODY),
        (f"```python\n{BODY}", BODY),
        (f"First try:\n```\ndef solve(x):\n    return 0\n```\nBetter:\n```\n{BODY}\n```", BODY),
        ("```python\n    return x + x\n```", PROMPT.strip() + "\n    return x + x"),
    ],
)
def test_which_block_is_meant(text: str, expected: str):
    assert corrected(text) == expected


def test_helpers_in_an_earlier_block_come_along():
    text = "```python\ndef two(x):\n    return 2 * x\n```\nthen\n```python\ndef solve(x):\n    return two(x)\n```"
    assert corrected(text) == "def two(x):\n    return 2 * x\ndef solve(x):\n    return two(x)"


def test_demonstrations_after_a_completion_are_left_out():
    assert corrected("    return x + x\n\nn = int(input())\nprint(solve(n))\n", text_form="completion") == (
        PROMPT + "    return x + x"
    )


def test_a_torn_end_is_cut_off():
    text = "    return x + x\n\ndef another(y):\n    return [y,"
    assert corrected(text, text_form="completion").startswith(PROMPT + "    return x + x")
    assert official(text, text_form="completion") == PROMPT + text


def test_where_both_mean_the_same_the_official_text_is_given():
    for text, form in ((f"Sure:\n```python\n{BODY}  # twice\n```", "raw"), ("    return x + x\n", "completion")):
        assert corrected(text, text_form=form) == official(text, text_form=form)


@pytest.mark.parametrize(
    "text", ["", "I cannot help with that.", "```\n```", "```python\nprint(1)\n```", "def solve(x):\n    pass\n"]
)
def test_without_an_answer_the_official_reading_stands(text: str):
    assert corrected(text) == official(text)


def test_a_local_name_does_not_reach_a_global_one():
    statements = statements_of("n = int(input())\nLIMIT = 3\ndef solve(x):\n    n = LIMIT\n    return n")
    assert statements is not None
    chosen = needed(statements, "solve")
    assert chosen is not None
    assert [sorted(statement.binds) for statement in chosen] == [["LIMIT"], ["solve"]]


@pytest.mark.parametrize("source", ["def solve(x): return x; y = 1\nx = (", "nonlocal x"])
def test_texts_that_cannot_be_taken_apart(source: str):
    assert statements_of(source) is None


@pytest.mark.parametrize(
    "text", ["(\n" * 3000, "```python\ndef solve(x):\n  return x(\n```\n" * 1000, "x = '\ud800'\n" * 9]
)
def test_hostile_texts_give_a_text(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("benchforge.runners.score.extract.longest_code.MAX_PARSED_CHARACTERS", 100_000)
    monkeypatch.setattr("benchforge.runners.score.extract.evalplus_corrected._MAX_PARSED_CHARACTERS", 100_000)
    assert isinstance(corrected(text), str)
    corrected(text).encode("utf-8", "surrogatepass")
