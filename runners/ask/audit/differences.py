"""Verdicts of a log beside ours: every sample that differs gets one cause, and every cause what it is worth.

A cause that the log itself showed takes the samples that it touches; the others are asked in the order of ``_RULES``.
What none explains is said to be unexplained, never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ....ingest.formats import Record
from .causes_of_graders import EVALPLUS, EVALSCOPE, LM
from .evidence import Evidence, Finding, Key, doc, is_passed, key_of
from .known import known_causes
from .regrading import Regraded

UNEXPLAINED = "unexplained"
ORACLES_MOVED = frozenset(
    (*(f"Mbpp/{number}" for number in (2, 7, 111, 140, 232, 249, 579, 769)), "HumanEval/4", "HumanEval/21")
)
"""Tasks whose comparison changed between evalplus 0.2 and 0.3 (8649c02, de8c082, f86db47). The two of HumanEval+ by
measurement: of three recorded models they fail extra tests, and evalplus 0.3.1 passes HumanEval/21 of the same file.
"""
SINCE_3_9 = (".removeprefix(", ".removesuffix(")
"""Methods that Python has from 3.9 on: 15 problems of CRUXEval call one."""
FORGED_REASONS = ("opaque_type", "not_one_expression")
_OF_CODE_EVAL = ("human-eval", "bigcode-evaluation-harness", LM)
"""Tools that run the whole program under one limit of 3 s (huggingface/evaluate@a7dd338, human-eval@6d43fb9)."""
_OF_QWEN, _CSHARP_TEST = "multipl-e-graded", "Debug.Assert("
"""Files as QwenLM/Qwen2.5-Coder@d5ead97 writes them hold the whole program, tests included: these are C#'s."""
_NEAR = 0.5
_NUM_SHOWN = 5


@dataclass(frozen=True)
class Case:
    """One sample on which the log and official rules disagree."""

    evidence: Evidence
    record: Record
    ours: Regraded

    @property
    def key(self) -> Key:
        return key_of(self.record)

    @property
    def is_ours_pass(self) -> bool:
        return self.ours.official[self.key]

    @property
    def is_base_alone(self) -> bool:
        """Base tests pass here, and extra tests fail."""
        return not self.is_ours_pass and self.ours.official_base.get(self.key, False)

    @property
    def is_late_in_log(self) -> bool:
        return any(part.verdict == "timeout" for part in self.record.judgements.values())

    @property
    def is_near_limit(self) -> bool:
        is_late_here = self.ours.reasons.get(self.key) == "timeout"
        return self.is_late_in_log or is_late_here or self.ours.limit_shares.get(self.key, 0.0) >= _NEAR

    def is_of(self, *tools: str) -> bool:
        return self.evidence.tool in tools


_RULES: tuple[tuple[str, Callable[[Case], bool]], ...] = (
    ("tampering_sample", lambda case: not case.is_ours_pass and case.ours.reasons.get(case.key) == "tamper"),
    ("forged_equality", lambda case: not case.is_ours_pass and case.ours.reasons.get(case.key) in FORGED_REASONS),
    (
        "python_too_old",
        lambda case: case.is_ours_pass and any(one in case.ours.codes.get(case.key[0], "") for one in SINCE_3_9),
    ),
    (
        "evalplus_find_zero",
        lambda case: case.is_of(EVALPLUS) and case.key[0] == "HumanEval/32" and case.is_ours_pass,
    ),
    ("evalplus_oracle_version", lambda case: case.is_of(EVALPLUS) and case.key[0] in ORACLES_MOVED),
    (
        "lmeval_mbpp_plus_base_tests",
        lambda case: case.is_of(LM) and "test_list" in doc(case.record) and case.is_base_alone,
    ),
    (
        "evalscope_mbpp_plus_base_tests",
        lambda case: case.is_of(EVALSCOPE) and case.key[0].startswith("Mbpp/") and case.is_base_alone,
    ),
    (
        "cruxeval_mode_from_path",
        lambda case: (
            case.is_of("CRUXEval")
            and case.is_ours_pass
            and "input" in case.evidence.file_name.lower()
            and "f(" not in (case.record.text or "")
        ),
    ),
    (
        "opencompass_mbpp_markers",
        lambda case: (
            case.is_of("OpenCompass")
            and case.is_ours_pass
            and case.key[0].startswith("Mbpp/")
            and any(word in (case.record.text or "") for word in ("DONE", "BEGIN"))
        ),
    ),
    (
        "multipl_e_cs_crash_passes",
        lambda case: (
            case.evidence.format_name == _OF_QWEN
            and case.ours.reasons.get(case.key) == "exception"
            and _CSHARP_TEST in (case.record.text or "")
        ),
    ),
    ("evalplus_time_floor", lambda case: case.is_of(EVALPLUS) and case.is_ours_pass and case.is_late_in_log),
    ("whole_program_3s", lambda case: case.is_of(*_OF_CODE_EVAL) and case.is_ours_pass and case.is_late_in_log),
    ("timeouts_near_limit", lambda case: case.is_near_limit),
)
"""In order: the first that fits is the cause."""


def differences(evidence: Evidence, ours: Regraded, found: Sequence[Finding] = ()) -> list[Finding]:
    """``found`` with exact effects where grading again gives them, and the causes that only grading again shows."""
    groups: dict[tuple[str, bool], list[Record]] = {}
    for record in disagreeing(evidence, ours):
        cause_id = cause_of(Case(evidence, record, ours), found)
        groups.setdefault((cause_id, ours.official[key_of(record)]), []).append(record)
    known = {one.cause_id for one in found}
    merged = [_with_effect(evidence, one, ours, groups) for one in found]
    news = [_finding(evidence, *group, records) for group, records in sorted(groups.items()) if group[0] not in known]
    return [*merged, *news, *official_against_strict(evidence, ours)]


def disagreeing(evidence: Evidence, ours: Regraded) -> Iterator[Record]:
    """Judged by the log otherwise than official rules judge it."""
    for record in evidence.records:
        key = key_of(record)
        if record.judgements and key in ours.official and is_passed(record) != ours.official[key]:
            yield record


def cause_of(case: Case, found: Iterable[Finding]) -> str:
    """Of the causes seen in the log the one that touches it, lifts or lowers it, and is no notice; else by rule."""
    for finding in found:
        row = known_causes().get(finding.cause_id, {})
        fits = {"up": not case.is_ours_pass, "down": case.is_ours_pass}.get(row.get("direction", ""), True)
        if fits and row.get("kind") == "cause" and case.key in finding.samples:
            return finding.cause_id
    return next((cause_id for cause_id, applies in _RULES if applies(case)), UNEXPLAINED)


def _with_effect(
    evidence: Evidence, finding: Finding, ours: Regraded, groups: Mapping[tuple[str, bool], list[Record]]
) -> Finding:
    turned = [*groups.get((finding.cause_id, True), ()), *groups.get((finding.cause_id, False), ())]
    if not turned:
        return finding
    points = math.fsum(-evidence.weight(one) if ours.official[key_of(one)] else evidence.weight(one) for one in turned)
    words = f"{finding.sentence}; official rules judge {len(turned)} of them otherwise"
    samples = tuple(dict.fromkeys((*finding.samples, *map(key_of, turned))))
    return replace(finding, sentence=words, samples=samples, effect_points=points, is_exact=True)


def _finding(evidence: Evidence, cause_id: str, is_ours_pass: bool, records: Sequence[Record]) -> Finding:
    way = "fails, official rules pass it" if is_ours_pass else "passes, official rules fail it"
    points = math.fsum(map(evidence.weight, records)) * (-1 if is_ours_pass else 1)
    sentence = f"{len(records)} samples: the log {way} ({shown(record.task_id for record in records)})"
    return Finding(cause_id, sentence, tuple(map(key_of, records)), points, is_exact=True)


def official_against_strict(evidence: Evidence, ours: Regraded) -> Iterator[Finding]:
    """Notices: what the official extraction and the official oracle are worth against the strict reading."""
    groups: dict[str, list[Record]] = {"official_extraction_loses": [], "official_oracle_differs": []}
    for record in evidence.records:
        key = key_of(record)
        if key in ours.official and key in ours.strict and ours.official[key] != ours.strict[key]:
            is_extraction = ours.strict[key] and ours.corrected.get(key, False)
            groups["official_extraction_loses" if is_extraction else "official_oracle_differs"].append(record)
    for cause_id, records in groups.items():
        if records:
            signs = [-1 if ours.strict[key_of(one)] else 1 for one in records]
            points = math.fsum(sign * evidence.weight(one) for sign, one in zip(signs, records, strict=True))
            words = f"{len(records)} samples: strict rules judge otherwise ({shown(one.task_id for one in records)})"
            yield Finding(cause_id, words, tuple(map(key_of, records)), points, is_exact=True)


def late(ours: Regraded) -> str | None:
    """Time-outs apart from other failures, in words; None where every failure is one of the answer."""
    found = sorted(key for key, passed in ours.official.items() if not passed and ours.reasons.get(key) == "timeout")
    num_failed = sum(not passed for passed in ours.official.values())
    if not found:
        return None
    return f"of {num_failed} failures by official rules {len(found)} are time-outs ({shown(one for one, _ in found)})"


def shown(names: Iterable[str]) -> str:
    """The first few."""
    found = list(names)
    return ", ".join(found[:_NUM_SHOWN]) + (" …" if len(found) > _NUM_SHOWN else "")
