"""Dataset versions as ``seeds/benchmarks.csv`` pins them: no version and no digest is written down elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .declaration import Artifact, Version

SEED = Path(__file__).resolve().parent.parent.parent / "seeds" / "benchmarks.csv"


@cache
def seed_rows(seed: Path = SEED) -> tuple[Mapping[str, str], ...]:
    """Rows of the seed as text, in file order."""
    with seed.open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def versions_of(benchmark: str) -> tuple[Version, ...]:
    """Pinned versions of one benchmark in the seed's order, the default one last (``Benchmark.version(None)``).

    Raises LookupError for a benchmark without a row: a benchmark is one file and one seed row.
    """
    rows = sorted((row for row in seed_rows() if row["benchmark"] == benchmark), key=_is_default)
    if not rows:
        raise LookupError(f"seeds/benchmarks.csv has no row of {benchmark}")
    return tuple(Version(row["dataset_version"], _artifacts(row)) for row in rows)


def licence_of(benchmark: str) -> str:
    """Licence of the problems, as the seed states it for the default version."""
    return max((row for row in seed_rows() if row["benchmark"] == benchmark), key=_is_default)["licence"]


def _is_default(row: Mapping[str, str]) -> bool:
    return row["is_default"] == "true"


def _artifacts(row: Mapping[str, str]) -> tuple[Artifact, ...]:
    fields = [_several(row[name]) for name in ("artifact", "artifact_sha256", "artifact_source")]
    return tuple(Artifact(*values) for values in zip(*fields, strict=True))


def _several(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
