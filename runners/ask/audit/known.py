"""What the seeds know: of a cause besides its name, of a model the end of its training data."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_SEEDS = Path(__file__).resolve().parents[3] / "seeds"
FILE = _SEEDS / "known_causes.csv"


@cache
def known_causes() -> Mapping[str, Mapping[str, str]]:
    """Cause -> its row."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["cause_id"]: row for row in csv.DictReader(file)}


def cutoff_of(model: str | None) -> datetime.date | None:
    """Last day of a model's training data by ``seeds/model_cutoffs.csv``; None where the model is not known there."""
    key = (model or "").lower().replace("/", "__")
    with (_SEEDS / "model_cutoffs.csv").open(encoding="utf-8", newline="") as file:
        found = (row["cutoff_date"] for row in csv.DictReader(file) if row["model"].lower() == key)
        day = next(found, None)
    return datetime.date.fromisoformat(day) if day else None
