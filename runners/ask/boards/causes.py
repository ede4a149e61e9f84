"""Why a published verdict and ours by the official rules differ, sample by sample: a rule of a known cause, or nothing.

Rules are looked at in order. What none explains is ``unexplained`` and is listed, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_MOVED = frozenset(f"Mbpp/{number}" for number in (2, 7, 111, 140, 232, 249, 579, 769))
_SINCE_3_9 = (".removeprefix(", ".removesuffix(")


@dataclass(frozen=True)
class Difference:
    """One sample with two verdicts. ``code`` is the program that a problem of CRUXEval is about, else empty."""

    benchmark: str
    model: str
    protocol: str
    scenario: str
    temperature: float | None
    task_id: str
    sample_index: int
    theirs: str
    ours: str
    reason: str
    code: str

    @property
    def is_ours_pass(self) -> bool:
        return self.ours == "pass"


Rule = Callable[[Difference], bool]
RULES: tuple[tuple[str, Rule], ...] = (
    ("python_too_old", lambda one: one.is_ours_pass and any(word in one.code for word in _SINCE_3_9)),
    ("evalplus_find_zero", lambda one: one.task_id == "HumanEval/32" and one.is_ours_pass),
    ("evalplus_oracle_version", lambda one: one.task_id in _MOVED),
    ("deceives_the_comparison", lambda one: one.reason in ("tamper", "opaque_type", "not_one_expression")),
    ("time_limit", lambda one: "timeout" in (one.ours, one.theirs)),
    ("memory_limit", lambda one: one.reason in ("memory", "output_limit")),
)
"""Cause -> rule. The first three are rows of ``seeds/known_causes.csv``; the others say which rule of ours decided."""
UNEXPLAINED = "unexplained"
WORDS = {
    "python_too_old": "the recorded grader ran a Python older than 3.9, which lacks `str.removeprefix`",
    "evalplus_find_zero": "HumanEval/32 was compared with another rule by that version of EvalPlus",
    "evalplus_oracle_version": "EvalPlus compares this problem as a set, or with a tolerance, since 0.3",
    "deceives_the_comparison": "the answer passes only by deceiving the comparison (see deviations)",
    "time_limit": "one of the two ran out of time",
    "memory_limit": "a limit of memory or output decided",
    UNEXPLAINED: "no known cause explains it",
}


def cause_of(one: Difference) -> str:
    """The first rule that holds."""
    return next((cause for cause, rule in RULES if rule(one)), UNEXPLAINED)
