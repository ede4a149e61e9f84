"""Counts and digests of dataset versions, as ``seeds/benchmarks.csv`` pins them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .benchmarks.versions import seed_rows


@dataclass(frozen=True)
class Pin:
    """One dataset version: the digest its rows carry, and the number of problems by (scenario, test set)."""

    benchmark: str
    dataset_version: str
    is_default: bool
    dataset_digest: str | None
    cells: Mapping[tuple[str, str], int]

    def num_tasks(self, scenario: str) -> int | None:
        """Problems of a scenario: those of its largest test set; None where nothing is pinned."""
        return max((count for (name, _), count in self.cells.items() if name == scenario), default=None)

    def test_sets(self, scenario: str) -> tuple[str, ...]:
        """Test sets that count every problem of the scenario."""
        total = self.num_tasks(scenario)
        return tuple(test_set for (name, test_set), count in self.cells.items() if name == scenario and count == total)


@cache
def pins_of(benchmark: str) -> Mapping[str, Pin]:
    """Version -> pin of one benchmark, in the seed's order."""
    return {row["dataset_version"]: _pin(row) for row in seed_rows() if row["benchmark"] == benchmark}


def _pin(row: Mapping[str, str]) -> Pin:
    cells: dict[tuple[str, str], int] = {}
    for cell in row["cells"].split():
        name, _, count = cell.partition("=")
        scenario, _, test_set = name.partition(":")
        cells[scenario, test_set] = int(count)
    is_default = row["is_default"].lower() == "true"
    return Pin(row["benchmark"], row["dataset_version"], is_default, row["dataset_digest"] or None, cells)
