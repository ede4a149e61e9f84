"""Limits and version-dependent rules of the official verdicts, as data; all of it enters ``grader_id``.

Sources: evalplus/evalplus@26d6d00 ``evalplus/config.py`` and ``evalplus/eval/__init__.py``; openai/human-eval@6d43fb9
``execution.py`` (3 s); facebookresearch/cruxeval@190faf1 ``evaluation/utils_execute.py`` (3 s);
LiveCodeBench/LiveCodeBench@28fef95 ``lcb_runner/evaluation/compute_code_generation_metrics.py`` (6 s per test).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rules:
    """Seconds and bytes as the pinned harnesses set them.

    ``limit_scale`` multiplies every time limit (a what-if, recorded by ``grader_id``). ``find_zero``: "fixed" judges by
    the polynomial; "always_fails" is evalplus 0.3.1 as released, which fails HumanEval/32 for every program.
    """

    min_case_seconds: float = 4.0
    reference_factor: float = 4.0
    max_part_seconds: float = 60.0
    part_grace_seconds: float = 1.0
    check_seconds: float = 3.0
    expression_seconds: float = 3.0
    stdin_seconds: float = 6.0
    memory_bytes: int = 4 << 30
    limit_scale: float = 1.0
    find_zero: str = "fixed"
    livecodebench_seconds: float = 6.0
    livecodebench_extra_seconds: float = 1.0
    livecodebench_grace_seconds: float = 5.0
    livecodebench_stack_bytes: int = 8 << 20
    """Upstream sets none: what a login shell gives. Deep recursion through C dies there, and passes with more."""
    reference_seconds: float = 540.0
    """Wall budget of a reference program, per part."""
    always_judges_plus: bool = True
    """Off: extra cases are left out where every oracle has failed the base ones (their outcome is None then)."""

    def case_limits(self, reference_seconds: Sequence[float], payload: Mapping[str, Any]) -> list[float]:
        """One limit per case: ``max(min, factor * reference)``, or the task's own ``limit_seconds``."""
        own = payload.get("limit_seconds")
        if own is not None:
            return [own * self.limit_scale] * len(reference_seconds)
        floor, factor = self.min_case_seconds, self.reference_factor
        return [max(floor, factor * seconds) * self.limit_scale for seconds in reference_seconds]

    def livecodebench_limits(self, num_cases: int, payload: Mapping[str, Any]) -> tuple[float, float]:
        """Seconds of one test, or the task's own; and of all of them, ``(limit + 1) * tests + 5``."""
        own = payload.get("limit_seconds")
        case_seconds = self.livecodebench_seconds if own is None else own
        total = (case_seconds + self.livecodebench_extra_seconds) * num_cases + self.livecodebench_grace_seconds
        return case_seconds * self.limit_scale, total * self.limit_scale

    def part_seconds(self, case_limits: Sequence[float]) -> float:
        """Wall budget of one part: ``min(60, sum of limits) + 1``."""
        return min(self.max_part_seconds * self.limit_scale, sum(case_limits)) + self.part_grace_seconds


OFFICIAL = Rules()
EVALPLUS_0_3_1 = Rules(min_case_seconds=1.0, find_zero="always_fails")
"""The two rules in which the PyPI release differs from the pin."""
