"""The shipped conformance suite as findings: one per category, and one per row that went wrong."""

from __future__ import annotations

from collections.abc import Iterator

from .. import conformance
from ..door import Means
from .finding import FAIL, Finding, judged

_PROTECTS = {
    "honest": "right programs pass",
    "probe": "right programs pass right after an attack",
    "effect": "nothing is left behind by attacks",
}
_FIX = "score elsewhere, and report this row with the output of this command"


def findings(means: Means) -> Iterator[Finding]:
    results = conformance.run(means)
    for category in dict.fromkeys(result.category for result in results):
        rows = [result for result in results if result.category == category]
        num_right = sum(result.is_right for result in rows)
        protects = _PROTECTS.get(category, "attacks of this kind do not pass")
        found = f"{num_right} of {len(rows)} as they must be"
        yield judged(f"suite: {category}", num_right == len(rows), found, protects, _FIX, FAIL)
    for result in results:
        if not result.is_right:
            yield Finding(f"row {result.name}", FAIL, result.found, result.category, _FIX)
