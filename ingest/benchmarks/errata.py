"""Tasks known to be wrong themselves, with the reason: ``seeds/errata.csv``, read here and by the marts alike."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .versions import SEED

ERRATA = SEED.with_name("errata.csv")


@cache
def errata(path: Path = ERRATA) -> Mapping[tuple[str, str, str], str]:
    """(benchmark, dataset version, task id) -> reason."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        return {(row["benchmark"], row["dataset_version"], row["task_id"]): row["reason"] for row in rows}
