"""Prompt texts are read from a harness's syntax tree, checked against their pins, and never executed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchforge.ingest import keys
from benchforge.ingest.errors import BadInput, NotStaged, UsageError
from benchforge.ingest.staging import strings as stage_strings
from benchforge.ingest.staging.strings import RETURNED, Harness, HarnessString

PROMPTS = '''
raise SystemExit("this file is executed")

def make_question(s):
    code, input = s
    return f"""Solve {{this}}.
{code}
f({input}) == ??
"""

def run(model):
    prefix = "Ask" " politely:"
    if model:
        prefix = "another"
    other = f"{model!r}"
'''
TEMPLATE = "Solve {{this}}.\n{code}\nf({input}) == ??\n"
PREFIX = "Ask politely:"


def harness(template: str = TEMPLATE, prefix: str = PREFIX) -> Harness:
    return Harness(
        "toy",
        "toy 1.0",
        (
            HarnessString("toy.question", "toy/prompts.py", "make_question", RETURNED, keys.sha256_text(template)),
            HarnessString("toy.prefix", "toy/prompts.py", "run", "prefix", keys.sha256_text(prefix)),
        ),
    )


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stage_strings, "HARNESSES", {"toy": harness()})
    file = tmp_path / "toy-1.0" / "toy" / "prompts.py"
    file.parent.mkdir(parents=True)
    file.write_text(PROMPTS)
    return tmp_path


def test_constants_and_templates_are_taken_out(source: Path):
    texts = stage_strings.find_strings(source)["toy"]
    assert texts == {"toy.question": TEMPLATE, "toy.prefix": PREFIX}
    assert texts["toy.question"].format(code="C", input="{}") == "Solve {this}.\nC\nf({}) == ??\n"


def test_staged_texts_are_read_back_and_checked(source: Path, tmp_path: Path):
    (path,) = stage_strings.write_strings(stage_strings.find_strings(source), tmp_path / "datasets")
    assert stage_strings.read_strings(["toy.prefix"], tmp_path / "datasets") == {"toy.prefix": PREFIX}
    document = json.loads(path.read_text())
    assert document["toy.prefix"]["sha256"] == keys.sha256_text(PREFIX)
    document["toy.prefix"]["text"] = "Order:"
    path.write_text(json.dumps(document))
    with pytest.raises(BadInput, match=r"toy\.prefix is not the pinned text"):
        stage_strings.read_strings(["toy.prefix"], tmp_path / "datasets")
    path.write_text("{")
    with pytest.raises(BadInput, match="damaged"):
        stage_strings.read_strings(["toy.prefix"], tmp_path / "datasets")


def test_what_is_not_staged_names_the_command(source: Path, tmp_path: Path):
    with pytest.raises(NotStaged) as caught:
        stage_strings.read_strings(["toy.prefix"], tmp_path / "datasets")
    assert caught.value.hint.startswith("benchforge stage --strings-from DIR")


def test_other_words_are_refused(source: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stage_strings, "HARNESSES", {"toy": harness(prefix="Ask nicely:")})
    with pytest.raises(BadInput, match=r"toy\.prefix \(run, prefix\) has other words than the pin"):
        stage_strings.find_strings(source)


def test_a_folder_without_a_harness_is_refused(source: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no known harness"):
        stage_strings.find_strings(tmp_path / "empty")
    with pytest.raises(UsageError, match="not a folder"):
        stage_strings.find_strings(tmp_path / "nowhere")


def test_a_harness_with_a_part_missing_is_refused(source: Path):
    file = source / "toy-1.0" / "toy" / "prompts.py"
    file.write_text(PROMPTS.replace("def run", "def walk"))
    with pytest.raises(BadInput, match="only a part of toy"):
        stage_strings.find_strings(source)


def test_expressions_in_slots_are_no_template(source: Path, monkeypatch: pytest.MonkeyPatch):
    odd = HarnessString("toy.other", "toy/prompts.py", "run", "other", keys.sha256_text("{model}"))
    monkeypatch.setattr(stage_strings, "HARNESSES", {"toy": Harness("toy", "toy 1.0", (odd,))})
    with pytest.raises(BadInput, match="no known harness"):
        stage_strings.find_strings(source)


def test_the_repository_declares_digests_only():
    for declared in stage_strings.HARNESSES.values():
        assert all(len(string.sha256) == 64 for string in declared.strings)
        assert all(string.name.startswith(f"{declared.name}.") for string in declared.strings)
