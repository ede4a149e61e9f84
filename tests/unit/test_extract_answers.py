"""CRUXEval, HumanEval, LiveCodeBench, plain: official rules and corrected readings on texts of our own."""

from __future__ import annotations

import pytest
from benchforge.runners.score.extract import EXTRACTORS, code_digest, extractor
from benchforge.runners.score.extract.markdown import code_blocks

QUESTION = "def f(x):\n    return x\nassert f(1) == ??"


def crux(name: str, text: str, scenario: str, protocol: str = "direct", form: str = "raw") -> str:
    context = {"text_form": form, "scenario": scenario, "protocol": protocol, "prompt": QUESTION}
    return extractor(f"cruxeval_{name}")(text, context)


@pytest.mark.parametrize(
    ("text", "protocol", "answer"),
    [
        ("assert f(1) == 2", "direct", "2"),
        (" 2 ", "direct", "2"),
        ("assert f('==') == 2", "direct", "') "[:2]),
        ("[ANSWER] f(1) == 2", "direct", "2"),
        ("so\n[ANSWER]\nassert f(1) == [2]\n", "cot", "[2]"),
        ("[ANSWER] 1 [ANSWER] 2", "cot", "1"),
        ("it is\n5", "cot", "5"),
        ("it is\n5", "cot_base", "it is\n5"),
    ],
)
def test_official_values(text: str, protocol: str, answer: str):
    assert crux("official", text, "cruxeval_o", protocol) == answer


@pytest.mark.parametrize(
    ("text", "protocol", "answer"),
    [
        ("assert f(1, 2) == 3", "direct", "f(1, 2)"),
        ("f([1])", "direct", "f([1])"),
        ("hm\n[ANSWER]\nassert f('a') == 'b'", "cot", "f('a')"),
        ("assert f(lambda x: x == 1) == 2", "direct", "f(lambda x: x"),
        ("think\nf(3)", "cot", "f(3)"),
    ],
)
def test_official_calls(text: str, protocol: str, answer: str):
    assert crux("official", text, "cruxeval_i", protocol) == answer


@pytest.mark.parametrize("ending", ["\n[/PYTHON]\n[THOUGHT]\n", "\n[/PYTHON]\n[ANSWER]\n"])
def test_a_text_that_repeats_its_prompt_is_read_after_it(ending: str):
    text = f"[ANSWER]\nassert f(9) == 9\n[/ANSWER]\n{QUESTION}{ending}so [ANSWER] assert f(1) == 4"
    assert crux("official", text, "cruxeval_o", "cot") == "4"
    assert crux("corrected", text, "cruxeval_o", "cot") == "4"


@pytest.mark.parametrize(
    ("text", "scenario", "answer"),
    [
        ("assert f(lambda x: x == 1) == 2", "cruxeval_i", "f(lambda x: x == 1)"),
        ("assert f('a') == '=='", "cruxeval_o", "'=='"),
        ("[ANSWER] 1 [/ANSWER] wait [ANSWER]assert f(1) == 2[/ANSWER]", "cruxeval_o", "2"),
        ("[ANSWER]\n```python\nassert f(1) == 'b'\n```\n[/ANSWER]", "cruxeval_o", "'b'"),
        ("The answer:\n```\nf(3)\n```\nbecause", "cruxeval_i", "f(3)"),
        ("So it is `[1, 2]`", "cruxeval_o", "So it is `[1, 2]`"),
        ("`[1, 2]`", "cruxeval_o", "[1, 2]"),
        ("assert f(1) == 1, 2", "cruxeval_o", "1, 2"),
        ("assert 3 == f(4)", "cruxeval_i", "f(4)"),
        ("assert f(...) == 3", "cruxeval_i", "f(...)"),
        ("thinking\nassert f(2) == 7\n[/ANSWER]\nassert f(0) == 0", "cruxeval_o", "7"),
        ("no answer", "cruxeval_o", "no answer"),
    ],
)
def test_corrected_answers(text: str, scenario: str, answer: str):
    assert crux("corrected", text, scenario) == answer


def test_a_base_model_that_goes_on_is_read_to_its_first_answer():
    text = "assert f(1) == 2\n[/ANSWER]\n[PYTHON]\n[ANSWER]\nassert f(5) == 6\n[/ANSWER]"
    assert crux("corrected", text, "cruxeval_o", "direct_base", "completion") == "2"


@pytest.mark.parametrize("name", ["official", "corrected"])
def test_recorded_answers_are_taken_as_they_are(name: str):
    assert crux(name, " f(1) == 2 ", "cruxeval_o", form="program") == " f(1) == 2 "


PROMPT = 'import math\n\ndef area(r):\n    """Of a disc."""\n'


def human(name: str, text: str, form: str = "raw") -> str:
    return extractor(name)(text, {"text_form": form, "prompt": PROMPT, "entry_point": "area"})


@pytest.mark.parametrize("stop", ["\nclass A:", "\ndef b():", "\n# end", "\nif True:", "\nprint(1)"])
def test_raw_continuations_end_at_the_first_stop(stop: str):
    assert human("humaneval", f"    return r{stop}\nprint(2)") == f"{PROMPT}    return r"
    assert human("humaneval", f"    return r{stop}", "completion") == f"{PROMPT}    return r{stop}"


def test_programs_follow_the_prompt_with_an_empty_body():
    program = "def area(r):\n    return math.pi * r * r"
    for name in ("humaneval", "humaneval_corrected"):
        assert human(name, program, "program") == f"{PROMPT}    pass\n{program}"


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("Sure:\n```python\ndef area(r):\n    return r\n```", f"{PROMPT}    pass\ndef area(r):\n    return r"),
        ("```\n    return r\n```\nDone", f"{PROMPT}    return r"),
        ("    return r\ndef b():\n    pass", f"{PROMPT}    return r"),
    ],
)
def test_corrected_human_answers(text: str, program: str):
    assert human("humaneval_corrected", text) == program


@pytest.mark.parametrize(
    ("text", "official", "corrected"),
    [
        ("a\n```python\nx = 1\n```", "x = 1", "x = 1"),
        ("```\nx = 1\n```\n```\ny = 2\n```", "y = 2", "y = 2"),
        ("```python\nx = 1\n```\n```", "", "x = 1"),
        ("```python\nx = 1", "", "x = 1"),
        ("x = 1\nprint(x)", "", "x = 1\nprint(x)"),
        ("```\nx = 1\n```\nuse:\n```\nnot code at all\n```", "not code at all", "x = 1"),
        ("no code here", "", ""),
    ],
)
def test_last_two_fences_and_the_last_program(text: str, official: str, corrected: str):
    context = {"text_form": "raw"}
    assert extractor("livecodebench_last_two_fences")(text, context) == official
    assert extractor("livecodebench_corrected")(text, context) == corrected


def test_a_text_with_its_own_template_is_answered_like_a_chat_and_an_example_continued_as_it_is():
    official = extractor("livecodebench_last_two_fences")
    reply = "Here:\n```python\nx = 1\n```"
    assert official(reply, {"text_form": "completion", "protocol": "official_codeqwen", "prompt": "Sum."}) == "x = 1"
    base = {"text_form": "completion", "protocol": "official_base", "prompt": "Sum."}
    assert official("\nx = 1\n\n", base) == extractor("livecodebench_corrected")("\nx = 1\n\n", base) == "x = 1"
    assert official(reply, {"text_form": "program"}) == reply


def test_blocks_as_a_person_reads_them():
    text = "```python\na\n```\n```\n```\ntext\n~~~ py\nb\n```js\nc"
    assert [(block.language, block.code) for block in code_blocks(text)] == [("python", "a"), ("py", "b"), ("js", "c")]


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("text", ["", "\0", "\ud800", "```", "[ANSWER]", "\\", "\r\n", "assert", "'" * 99])
def test_every_extractor_answers_odd_texts_with_text(name: str, text: str):
    for form in ("raw", "completion", "program"):
        context = {"text_form": form, "prompt": "", "entry_point": "f", "scenario": "default", "protocol": "cot"}
        assert isinstance(extractor(name)(text, context), str)


def test_the_digest_covers_every_file_of_the_folder():
    assert len(code_digest()) == 64


def test_plain_texts():
    assert extractor("plain")("a", {"text_form": "completion", "prompt": "p "}) == "p a"
    assert extractor("plain")("a", {"text_form": "raw", "prompt": "p "}) == "a"
