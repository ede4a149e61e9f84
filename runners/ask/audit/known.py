"""Rows of ``seeds/known_causes.csv``: what is known of a cause besides its name."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parents[3] / "seeds" / "known_causes.csv"


@cache
def known_causes() -> Mapping[str, Mapping[str, str]]:
    """Cause -> its row."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["cause_id"]: row for row in csv.DictReader(file)}
