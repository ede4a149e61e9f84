"""Causes between the reply and the program: prompts, cuts, fences, thinking. Each is named after its cause."""

from __future__ import annotations

import re

from ....ingest.formats import Record
from .causes_of_graders import LCB, LM
from .evidence import Evidence, Finding, blocks, doc, fence_lines, parses

_SPECIAL_TOKEN = re.compile(r"<\|(endoftext|im_end|eot_id|end_of_text|fim_\w+)|<｜end")
_BOS = ("<|begin_of_text|>", "<s>", "<｜begin")
_CAPS = (256, 512, 768, 1024, 1200, 2000, 2048, 4096, 8192, 16384, 32768)
_CUT = ("length", "max_tokens", "model_length")
_THINK, _THINK_END = "<think>", "</think>"
_MIN_TEXTS = 100


def lmeval_he_instruct_first_fence(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if evidence.tool == LM
        and (record.program or "").strip() == str(doc(record).get("prompt", "\0")).strip()
        and fence_lines(record.text or "")
    ]
    sentence = "the reply opens its own fence, and nothing before it was code"
    return evidence.finding("lmeval_he_instruct_first_fence", found, sentence, -1)


def lmeval_he_instruct_rfind(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if evidence.tool == LM and "entry_point" in doc(record) and "```" in (record.program or "")
    ]
    return evidence.finding("lmeval_he_instruct_rfind", found, "a fence stands in the program that was run", -1)


def first_fence_block(evidence: Evidence) -> Finding | None:
    found = [record for record in evidence.failed if _is_first_of_several(record)]
    return evidence.finding("first_fence_block", found, "the first of several blocks was graded", -1)


def _is_first_of_several(record: Record) -> bool:
    several = [one.strip() for one in blocks(_after_thinking(record.text or ""))]
    return len(several) > 1 and several[0] != several[-1] and (record.program or "").strip() == several[0]


def last_two_fence_lines(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if fence_lines(record.text or "") % 2
        and fence_lines(record.text or "") > 2
        and record.program is not None
        and not parses(record.program)
    ]
    return evidence.finding("last_two_fence_lines", found, "an odd fence, and what was graded is no Python", -1)


def unfinished_think_draft_graded(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.records
        if _THINK in (record.text or "")
        and _THINK_END not in (record.text or "")
        and fence_lines(record.text or "")
        and (record.program or "").strip()
    ]
    return evidence.finding("unfinished_think_draft_graded", found, "a draft inside unfinished thinking was graded")


def unpaired_think_close(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if _THINK_END in (record.text or "")
        and _THINK not in (record.text or "")
        and (drafts := blocks((record.text or "").split(_THINK_END)[0]))
        and (record.program or "").strip() == drafts[0].strip()
    ]
    return evidence.finding("unpaired_think_close", found, "a draft of the thinking was graded, not the answer", -1)


def opencompass_he_lstrip(evidence: Evidence) -> Finding | None:
    words = ("'return' outside function", "unexpected indent", "expected an indented block")
    found = [
        record
        for record in evidence.failed
        if evidence.tool == "OpenCompass"
        and any(one in str(record.notes.get("result")) for one in words)
        and not (record.text or " ")[0].isspace()
    ]
    return evidence.finding("opencompass_he_lstrip", found, "the body's first indentation is gone", -1)


def bc_mbpp_unescaped_stop(evidence: Evidence) -> Finding | None:
    texts = [record for record in evidence.records if record.text]
    is_bare = len(texts) >= _MIN_TEXTS and not any(re.search(r"[<>]", record.text or "") for record in texts)
    cut = [record for record in texts if not parses(record.text or "")] if is_bare else []
    is_code = len(cut) < 0.7 * len(texts)
    is_ours = is_code and evidence.tool == "bigcode-evaluation-harness"
    sentence = "not one text holds < or >, and these end in the middle"
    return evidence.finding("bc_mbpp_unescaped_stop", cut if is_ours else (), sentence, -1)


def special_token_tail(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.records
        if _SPECIAL_TOKEN.search(record.program or (record.text or "" if record.text_form == "program" else ""))
    ]
    return evidence.finding("special_token_tail", found, "a special token stands in the program", -1)


def unsanitised_or_old_sanitiser(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if evidence.tool == "EvalPlus" and "```" in (code := record.program or record.text or "") and not parses(code)
    ]
    return evidence.finding("unsanitised_or_old_sanitiser", found, "fences stand in the program that was run", -1)


def unclosed_fence_dropped(evidence: Evidence) -> Finding | None:
    found = [record for record in evidence.records if record.program == "" and _holds_code(record.text or "")]
    return evidence.finding("unclosed_fence_dropped", found, "no program was taken from a reply that holds one", -1)


def _holds_code(text: str) -> bool:
    """Code behind a fence that is never closed, or a reply that is Python as it stands."""
    answer = _after_thinking(text)
    behind = re.search(r"```[^\n`]*\n(.+)", answer, re.DOTALL)
    if fence_lines(answer) >= 2:
        return False
    code = behind[1] if behind else answer
    return bool(re.search(r"^\s*(def|class|import|from|for|while|print)\b", code, re.MULTILINE)) and parses(code)


def lcb_stop_hashes(evidence: Evidence) -> Finding | None:
    texts = [record for record in evidence.records if record.text and evidence.tool == LCB]
    is_bare = len(texts) >= _MIN_TEXTS and not any("###" in (record.text or "") for record in texts)
    empty = [record for record in texts if record.program == "" and fence_lines(record.text or "") < 2]
    is_many = len(empty) >= 0.05 * len(texts)
    sentence = "no reply holds ###, and these end before any code"
    return evidence.finding("lcb_stop_hashes", empty if is_bare and is_many else (), sentence, -1)


def lmeval_stops_on_chat(evidence: Evidence) -> Finding | None:
    cut = [
        record
        for record in evidence.failed
        if evidence.tool == LM
        and "entry_point" in doc(record)
        and "def " not in (record.text or "")
        and not re.match(r"[ \t]+\S", record.text or " x")
    ]
    is_general = len(cut) > 0.5 * len(evidence.records)
    sentence = "the reply ends before its first def"
    return evidence.finding("lmeval_stops_on_chat", cut if is_general else (), sentence, -1)


def lmeval_he_instruct_prompt_versions(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.records
        if evidence.tool == LM and "\\n" in (record.prompt or "").replace(str(doc(record).get("prompt", "")), "")
    ]
    is_general = len(found) > 0.9 * len(evidence.records)
    sentence = "the prompt holds a backslash and an n where a line should end"
    return evidence.finding("lmeval_he_instruct_prompt_versions", found if is_general else (), sentence)


def double_bos(evidence: Evidence) -> Finding | None:
    found = [record for record in evidence.records if (record.prompt or "").startswith(_BOS)]
    sentence = "the prompt's text begins with the token that the tokeniser puts there itself"
    return evidence.finding("double_bos", found, sentence)


def short_token_budget(evidence: Evidence) -> Finding | None:
    lengths = [record.completion_tokens or 0 for record in evidence.records]
    most = max(lengths, default=0)
    is_cap = most in _CAPS and lengths.count(most) > 1  # one reply can be as long as any limit by chance
    cap = evidence.facts.max_tokens or (most if is_cap else None)
    found = [
        record
        for record in evidence.failed
        if record.finish_reason in _CUT or (cap is not None and record.completion_tokens == cap)
    ]
    return evidence.finding("short_token_budget", found, "cut at the limit of tokens, and failed", -1)


def stops_inside_thinking(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.failed
        if evidence.tool == LM
        and _THINK in (record.text or "")
        and _THINK_END not in (record.text or "")
        and record.finish_reason not in _CUT
    ]
    return evidence.finding(
        "stops_inside_thinking", found, "the thinking was never closed: a stop string can have cut", -1
    )


def null_content(evidence: Evidence) -> Finding | None:
    # an agent's last message is often a call without a text: no fault
    is_agent = evidence.tool == "inspect_ai"
    found = [one for one in evidence.failed if one.text == "" and (one.completion_tokens or 0) > 0 and not is_agent]
    return evidence.finding("null_content", found, "tokens were made, and the reply is empty", -1)


def fewshot_is_test_mbppplus(evidence: Evidence) -> Finding | None:
    found = [
        record
        for record in evidence.records
        if len(str(doc(record).get("code", ""))) > 20 and str(doc(record)["code"]).strip() in (record.prompt or "")
    ]
    return evidence.finding("fewshot_is_test_mbppplus", found, "the problem's own solution stands in its prompt", 1)


def _after_thinking(text: str) -> str:
    return text.split(_THINK_END, 1)[1] if _THINK_END in text else text
