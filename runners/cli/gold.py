"""``benchforge score --gold``: references on the road of every sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import out

if TYPE_CHECKING:
    from ..score.pending import Means

_COLUMNS = ("benchmark", "version", "scenario", "tasks", "passed", "errata", "failed")


def print_gold(cells: frozenset[tuple[str, str]], means: Means, format_: str) -> None:
    """Counts per set on stdout, every reference that does not pass on stderr.

    Raises BenchforgeError (exit 1) when one fails that is no row of the errata, NotStaged when nothing is staged.
    """
    from ...ingest.errors import BenchforgeError, NotStaged
    from ..score.gold import grade_gold, staged_sets

    results = []
    try:
        for gold in staged_sets(cells, Path(means.datasets_root)):
            with out.progress(len(gold.tasks), f"gold {gold.benchmark.name} {gold.version} {gold.scenario}") as bar:
                results.append(grade_gold(gold, means, bar.advance))
    finally:
        if results:
            out.table([vars(result) for result in results], _COLUMNS, format_)
    if not results:
        raise NotStaged("no benchmark with references is staged", "benchforge stage --help says how")
    for result in results:
        for miss in result.misses:
            out.say(_sentence(miss))
    num_failed = sum(result.failed for result in results)
    if num_failed:
        raise BenchforgeError(
            f"{num_failed} references fail that seeds/errata.csv does not explain",
            "benchforge sandbox-check says whether this machine can grade",
        )


def _sentence(miss: Any) -> str:
    where = f"{miss.benchmark} {miss.version} {miss.scenario} {miss.task_id}"
    case = f", case {miss.first_failing_case}" if miss.first_failing_case is not None else ""
    known = f"; errata: {miss.errata}" if miss.errata is not None else ""
    return f"{where}: {miss.oracle} {miss.part} {miss.verdict} ({miss.reason}{case}){known}"
