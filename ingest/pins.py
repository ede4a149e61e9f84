"""Counts and digests of dataset versions, as ``seeds/benchmarks.csv`` pins them, or a benchmark of one's own does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from .benchmarks.outside import version_of_names
from .benchmarks.versions import seed_rows


@dataclass(frozen=True)
class Pin:
    """One dataset version: the digest its rows carry, and the number of problems by (scenario, test set)."""

    benchmark: str
    dataset_version: str
    is_default: bool
    dataset_digest: str | None
    cells: Mapping[tuple[str, str], int]
    words: str | None = None
    """The counts as rows of tasks carry them, of a benchmark that has no seed row."""

    def num_tasks(self, scenario: str) -> int | None:
        """Problems of a scenario: those of its largest test set; None where nothing is pinned."""
        return max((count for (name, _), count in self.cells.items() if name == scenario), default=None)

    def test_sets(self, scenario: str) -> tuple[str, ...]:
        """Test sets that count every problem of the scenario."""
        total = self.num_tasks(scenario)
        return tuple(test_set for (name, test_set), count in self.cells.items() if name == scenario and count == total)


def pins_of(benchmark: str) -> Mapping[str, Pin]:
    """Version -> pin of one benchmark, in the seed's order."""
    return _seeded(benchmark) or _own(benchmark)


def pin_of_names(benchmark: str, task_ids: Collection[str]) -> Pin:
    """The pin of a benchmark that we do not run: the problems that a file names."""
    version, digest, words = version_of_names(task_ids)
    return Pin(benchmark, version, True, digest, _counts(words), words)


@cache
def _seeded(benchmark: str) -> Mapping[str, Pin]:
    return {row["dataset_version"]: _pin(row) for row in seed_rows() if row["benchmark"] == benchmark}


def _own(name: str) -> Mapping[str, Pin]:
    """Of a benchmark without seed rows: one artifact per release, and its digest is the dataset's."""
    from .benchmarks import registry

    benchmark = registry().get(name)
    if benchmark is None or not benchmark.pinned_cells:
        return {}
    return {
        version.name: Pin(
            name,
            version.name,
            version is benchmark.versions[-1],
            version.artifacts[0].sha256,
            _counts(benchmark.pinned_cells[version.name]),
        )
        for version in benchmark.versions
    }


def _pin(row: Mapping[str, str]) -> Pin:
    is_default = row["is_default"].lower() == "true"
    return Pin(
        row["benchmark"], row["dataset_version"], is_default, row["dataset_digest"] or None, _counts(row["cells"])
    )


def _counts(words: str) -> dict[tuple[str, str], int]:
    """``scenario:test_set=count …``"""
    cells: dict[tuple[str, str], int] = {}
    for cell in words.split():
        name, _, count = cell.partition("=")
        scenario, _, test_set = name.partition(":")
        cells[scenario, test_set] = int(count)
    return cells
