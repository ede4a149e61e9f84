"""On what terms rows and texts may be passed on: the licence columns of the seeds, and what follows from them.

A row of facts (who was asked what, what the verdict was) is always published. The text that a model wrote is published
where ``seeds/models.csv`` says that its licence allows it (``text_may_be_published``), and of recorded samples only
where the repository they were taken from is in ``seeds/sources.csv`` with its licence. What is not known is withheld.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..aggregate import PROJECT

SEEDS = PROJECT / "seeds"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Terms:
    """What is known of one model's licence."""

    hub_license: str = UNKNOWN
    is_osi_approved: bool = False
    may_publish_text: bool = False

    @property
    def mark(self) -> str:
        """Word in the names of its files, by which the configs of a card pick them."""
        return "osi" if self.is_osi_approved else "other"


def terms_of_models(seeds: Path = SEEDS) -> Mapping[str, Terms]:
    """Model key -> terms, for every model that ``models.csv`` lists."""
    return {row["model"]: _terms(row) for row in _rows(seeds / "models.csv")}


def terms_of(model: str, parent: str | None, known: Mapping[str, Terms]) -> Terms:
    """Terms of a model; a checkpoint without a row has those of the model it was trained from."""
    return known.get(model) or known.get(parent or "") or Terms()


def licensed_sources(seeds: Path = SEEDS) -> tuple[str, ...]:
    """``repository@commit`` of recorded samples whose licence is known."""
    return tuple(row["source"] for row in _rows(seeds / "sources.csv") if row["licence"])


def _terms(row: Mapping[str, str]) -> Terms:
    return Terms(
        hub_license=row["hub_license"] or UNKNOWN,
        is_osi_approved=row["osi_approved"] == "true",
        may_publish_text=row["text_may_be_published"] == "true",
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
