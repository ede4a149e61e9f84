"""Extraction: from a model's text to the program that is graded.

Theory of operation. The text is hostile: these modules run in the sandbox, never in the judge and never in the process
that writes the lake. They import the standard library and tree-sitter only, execute nothing of what they read, and are
bounded in time by caps that no honest answer reaches; each cap says what happens beyond it.

``EXTRACTORS`` maps a name that a benchmark declares to ``module:function``; a function takes the text and a context
(``text_form``, ``prompt``, ``entry_point``, ``scenario``, ``protocol``, and what the benchmark adds) and gives the
program, "" where the text holds none.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

Extractor = Callable[[str, Mapping[str, str]], str]

EXTRACTORS: Mapping[str, str] = {
    "plain": "plain:as_it_is",
    "evalplus_sanitize": "evalplus_official:sanitize",
    "evalplus_corrected": "evalplus_corrected:best_program",
    "cruxeval_official": "cruxeval:official",
    "cruxeval_corrected": "cruxeval:corrected",
    "humaneval": "humaneval:official",
    "humaneval_corrected": "humaneval:corrected",
    "livecodebench_last_two_fences": "livecodebench:last_two_fences",
    "livecodebench_corrected": "livecodebench:last_program",
    "bigcodebench_sanitize": "bigcodebench:sanitize",
    "bigcodebench_corrected": "bigcodebench:corrected",
    "multipl_e": "multipl_e:official",
    "multipl_e_corrected": "multipl_e:corrected",
    "ds1000": "ds1000:official",
    "ds1000_corrected": "ds1000:corrected",
    "forge_last_block": "fences:last_block",
    "forge_best_block": "fences:best_block",
}


@cache
def extractor(name: str) -> Extractor:
    """The function behind a name; KeyError for a name that is not registered."""
    module, _, function = EXTRACTORS[name].partition(":")
    return getattr(importlib.import_module(f"{__name__}.{module}"), function)


@cache
def code_digest() -> str:
    """64 hex characters over every file of this folder and the parsers' versions: part of a grader's identity."""
    from importlib.metadata import version

    parts = [f"{name}=={version(name)}" for name in ("tree-sitter", "tree-sitter-python")]
    parts += [f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
