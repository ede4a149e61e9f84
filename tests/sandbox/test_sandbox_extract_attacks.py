"""Hostile raw text through every extractor: bounded, harmless, and the next text is extracted as ever."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from benchforge.runners.score.extract import EXTRACTORS
from benchforge.runners.score.judge import Judge

from . import effects
from .attacks.texts import TEXTS

CONTEXT = {
    "text_form": "raw", "prompt": "def total(xs):\n", "entry_point": "total", "scenario": "output",
    "protocol": "official",
}  # fmt: skip
HONEST = "Here it is:\n```python\ndef total(xs):\n    return sum(xs)\n```\n[ANSWER]6[/ANSWER]\n"
MAX_SECONDS = 30.0 + 1.0
MAX_RESIDENT_BYTES = 2_500 << 20


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge({}) as judge:
        yield judge


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_hostile_text_costs_an_extractor_little_and_the_next_one_nothing(judge: Judge, extractor: str) -> None:
    before = judge.extract(extractor, HONEST, CONTEXT)
    usual = set(effects.descendants(os.getpid()))
    with effects.Peak() as peak:
        for name, text in TEXTS.items():
            started = time.monotonic()
            assert isinstance(judge.extract(extractor, text, CONTEXT), str), name
            assert time.monotonic() - started < MAX_SECONDS, name
    assert judge.extract(extractor, HONEST, CONTEXT) == before
    assert peak.bytes < MAX_RESIDENT_BYTES
    assert not effects.strays(usual)


def test_an_honest_reply_gives_its_program(judge: Judge) -> None:
    assert "return sum(xs)" in judge.extract("evalplus_sanitize", HONEST, CONTEXT)
