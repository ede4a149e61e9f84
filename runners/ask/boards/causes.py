"""Why a recorded verdict and ours by the official rules differ, sample by sample: a known cause, or nothing.

The rules of :mod:`..audit.differences` that need no log beside the verdicts, under the same names: a lake does not know
which tool wrote a file. They are looked at in order; what none explains is listed as unexplained, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..audit.differences import FORGED_REASONS, ORACLES_MOVED, SINCE_3_9, UNEXPLAINED
from ..audit.known import known_causes

_EVALPLUS = ("humanevalplus", "mbppplus")


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
    strict: str
    code: str = ""

    @property
    def is_ours_pass(self) -> bool:
        return self.ours == "pass"


Rule = Callable[[Difference], bool]
RULES: tuple[tuple[str, Rule], ...] = (
    ("tampering_sample", lambda one: not one.is_ours_pass and one.reason == "tamper"),
    ("forged_equality", lambda one: not one.is_ours_pass and one.reason in FORGED_REASONS),
    ("python_too_old", lambda one: one.is_ours_pass and any(word in one.code for word in SINCE_3_9)),
    (
        "evalplus_find_zero",
        lambda one: one.benchmark in _EVALPLUS and one.task_id == "HumanEval/32" and one.is_ours_pass,
    ),
    ("evalplus_oracle_version", lambda one: one.benchmark in _EVALPLUS and one.task_id in ORACLES_MOVED),
    ("timeouts_near_limit", lambda one: "timeout" in (one.ours, one.theirs, one.reason)),
    ("official_extraction_loses", lambda one: one.theirs == "pass" == one.strict),
)
"""Cause of ``seeds/known_causes.csv`` -> rule; the first that holds is the cause."""


def cause_of(one: Difference) -> str:
    return next((cause for cause, rule in RULES if rule(one)), UNEXPLAINED)


def words_of(cause: str) -> str:
    """What is known of a cause, as the seed says it."""
    row = known_causes().get(cause)
    return row["mechanism"] if row else "no known cause explains it"
