"""Problems of ``fct_task_scores`` beside problems counted again, as one text per cell, request and grader."""

from __future__ import annotations

from .check_recount import CELL
from .check_sources import Sources

_GRADER = (*CELL, "request_digest", "grader_id")
_SUMS = ("num_planned", "num_present", "num_judged", "num_passed", "num_empty", "num_unsafe")


def make_task_scores(sources: Sources) -> None:
    """View ``gate_facts.task_scores``: ``found`` in the mart, ``expected`` by the rows."""
    if not sources.has("gate_marts.fct_task_scores"):
        return
    key = ", ".join(_GRADER)
    found = [f"sum({name})" for name in _SUMS] + ["sum(num_passed::bigint * num_passed)", "count(*)"]
    expected = [f"sum({name} * num_problems)" for name in _SUMS]
    expected += ["sum(num_passed::bigint * num_passed * num_problems)", "sum(num_problems)"]
    sources.show(
        "gate_facts.task_scores",
        f"select {key}, found, expected"
        f" from (select {key}, {_text(found)} as found from gate_marts.fct_task_scores group by all) as shown"
        f" full join (select {key}, {_text(expected)} as expected from gate_recount.counts group by all) as counted"
        f" using ({key})",
    )


def _text(sums: list[str]) -> str:
    return f"concat_ws(' ', {', '.join(f'({one})::hugeint' for one in sums)})"
