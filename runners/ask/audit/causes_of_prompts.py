"""Causes in what was asked: templates, prefixes, stop strings, wording. Each is named after its cause."""

from __future__ import annotations

import ast
import re

from ....ingest.formats import Record
from .causes_of_graders import EVALPLUS, LCB, LM
from .evidence import Evidence, Finding, doc

_BIGCODE = "bigcode-evaluation-harness"
_INSTRUCT = re.compile(r"instruct|chat|(^|[-_/])it($|[-_,])", re.IGNORECASE)
_ROLES = ("<|", "[INST]", '"role"', "<start_of_turn>", "<｜", "### Instruction", "USER:")
_SERVED = re.compile(r"_(openai|anthropic|google|bedrock)_(chat_)?temp_")
_NUM_STOPS_SENT = 4
"""lm_eval/models/openai_completions.py@4e7e0d4 sends the first four stop strings."""
_LCB_ANSWER = "### Answer: (use the provided format with backticks)"
"""Last line of LiveCodeBench's generic prompt (lcb_runner/prompts/code_generation.py@28fef95)."""
_LONG_CHARACTERS = 1500
_GENERAL = 0.9


def trailing_newline(evidence: Evidence) -> Finding | None:
    found = [one for one in evidence.records if _is_stripped(str(doc(one).get("prompt") or ""), one.prompt)]
    is_general = len(found) > _GENERAL * len(evidence.records)
    sentence = "the prompt was sent without the line's end that the problem has"
    return evidence.finding("trailing_newline", found if is_general else (), sentence)


def _is_stripped(whole: str, sent: str | None) -> bool:
    return whole.endswith("\n") and isinstance(sent, str) and sent.endswith(whole.rstrip()) and whole != sent


def template_missing(evidence: Evidence) -> Finding | None:
    prompts = [record for record in evidence.records if isinstance(record.prompt, str)]
    is_instruct = bool(_INSTRUCT.search(evidence.facts.model or "")) and evidence.tool == LM
    is_bare = is_instruct and not any(mark in (record.prompt or "") for record in prompts for mark in _ROLES)
    sentence = "a model of that name is asked, and no prompt holds a word of a chat template"
    return evidence.finding("template_missing", prompts if is_bare else (), sentence)


def prefill_missing(evidence: Evidence) -> Finding | None:
    is_served = evidence.tool == EVALPLUS and _SERVED.search(evidence.file_name)
    sentence = "asked through a chat server, without the prefix and the stop string of the tool's own backends"
    return Finding("prefill_missing", sentence) if is_served else None


def lcb_prompt_variants(evidence: Evidence) -> Finding | None:
    asked = [one for one in evidence.records if isinstance(one.prompt, str)]
    is_other = evidence.facts.benchmark == "livecodebench" and evidence.tool != LCB
    is_other = is_other and not any(_LCB_ANSWER in (one.prompt or "") for one in asked)
    sentence = "not one prompt ends with the benchmark's own last line"
    return evidence.finding("lcb_prompt_variants", asked if is_other else (), sentence)


def lmeval_chat_four_stops(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if evidence.tool == LM
        and any(isinstance(stop, str) and stop in (record.text or "") for stop in _unsent(record))
        and not any(stop in (record.text or "") for stop in _asked(record)[:_NUM_STOPS_SENT] if isinstance(stop, str))
    ]
    sentence = "the reply runs over a stop string beyond the four that were sent"
    return evidence.finding("lmeval_chat_four_stops", found, sentence, -1)


def _asked(record: Record) -> list[object]:
    return list(record.notes.get("until") or ())


def _unsent(record: Record) -> list[object]:
    return _asked(record)[_NUM_STOPS_SENT:]


def bc_prompt_over_limit(evidence: Evidence) -> Finding | None:
    """Short ones are replies that were empty: a limit of 512 tokens is reached by no prompt of fewer characters."""
    texts = [one for one in evidence.records if evidence.tool == _BIGCODE and len(one.text or "") >= _LONG_CHARACTERS]
    bare = [one for one in texts if _is_bare(one.text or "")]
    return evidence.finding("bc_prompt_over_limit", bare, "the generation is a signature with its docstring alone", -1)


def _is_bare(program: str) -> bool:
    """Whether the text ends with the docstring of its last function; parsed, never run."""
    if not program.rstrip().endswith(('"""', "'''")):
        return False
    try:
        last = ast.parse(program).body[-1:]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return bool(last) and isinstance(last[0], ast.FunctionDef) and _is_docstring(last[0].body)


def _is_docstring(body: list[ast.stmt]) -> bool:
    only = body[0] if len(body) == 1 else None
    return isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant) and isinstance(only.value.value, str)
