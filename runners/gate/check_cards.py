"""Numbers in the tables of the cards, held against the headline: table ``facts.card``, one row per line of a table."""

from __future__ import annotations

from pathlib import Path

from .check_sources import Sources


def make_cards(sources: Sources, folder: Path) -> None:
    """Nothing yet: the shape of the card is settled with publication."""
