"""Numbers in the table of the leaderboard's card, held against the headline: ``gate_facts.card``, one row per model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .check_sources import Sources
from .check_tables import make, texts

_NUMBER = re.compile(r"^-?\d+\.\d( \[-?\d+\.\d, -?\d+\.\d\])?$")
_MARKS = "*†– "
"""What stands beside a model or a number, and in the cell of a model that has none."""


def make_cards(sources: Sources, folder: Path) -> None:
    """``card`` where the folder holds a leaderboard with a card; ``problem`` is NULL where a row is right."""
    cards = [path.parent / "README.md" for path in folder.glob("*/headline") if (path.parent / "README.md").is_file()]
    if not cards or not sources.has("gate_marts.headline"):
        return
    columns = {**texts("model", "benchmark", "file", "problem"), "line": "integer"}
    make(sources, "card", columns, (row for card in cards for row in _rows(card, _headlines(sources))))


def _headlines(sources: Sources) -> dict[str, list[str]]:
    """Model -> its numbers as a card writes them: percent with one decimal, interval in brackets."""
    found = sources.connection.execute(
        "select model, score, interval_low, interval_high from gate_marts.headline"
    ).fetchall()
    numbers: dict[str, list[str]] = {}
    for model, score, low, high in found:
        interval = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
        numbers.setdefault(str(model), []).append(f"{100 * score:.1f}{interval}")
    return numbers


def _rows(card: Path, headlines: Mapping[str, list[str]]) -> Iterator[dict[str, object]]:
    seen = 0
    for number, line in enumerate(card.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        told = sorted(text for cell in cells[1:] if _NUMBER.match(text := cell.strip(_MARKS)))
        if line.startswith("|") and told:
            seen += 1
            model = cells[0].strip(_MARKS).replace("/", "__", 1)
            is_right = told == sorted(headlines.get(model, []))
            problem = None if is_right else f"the card says {told}, the headline {sorted(headlines.get(model, []))}"
            yield {"file": f"{card.parent.name}/{card.name}", "line": number, "model": model, "problem": problem}
    if headlines and not seen:
        yield {"file": f"{card.parent.name}/{card.name}", "line": 0, "problem": "no table of numbers was found"}
