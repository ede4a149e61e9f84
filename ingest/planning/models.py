"""Models a run may name: rows of ``seeds/models.csv``, or a mapping in the run file for one that has no row."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SEED = Path(__file__).resolve().parents[2] / "seeds" / "models.csv"
_YES = ("true", "t", "yes", "1")


@dataclass(frozen=True)
class Model:
    """What planning needs of a model; None where the seed says nothing."""

    name: str
    hub_id: str | None = None
    revision: str | None = None
    weights_digest: str | None = None
    templating_mode: str = "chat"
    context_length: int | None = None
    is_osi_approved: bool = True
    excluded_because: str | None = None
    quantization: str | None = None
    dtype: str | None = None


def read_models(path: Path = SEED) -> dict[str, Model]:
    """Model key -> row, in file order; an absent seed is empty. Columns that are not there count as empty."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["model"]: _model(row) for row in csv.DictReader(stream) if row.get("model")}


def find_model(name: str, models: Mapping[str, Model]) -> Model | None:
    """By key in any case, or by Hub id: ``Org/Name`` and ``org__name`` mean the same row."""
    if name in models:
        return models[name]
    folded = name.lower().replace("/", "__")
    return next((model for key, model in models.items() if key.lower() == folded), None)


def nearest(name: str, known: Mapping[str, object]) -> str:
    """``; did you mean …?`` or the known names, to end an error sentence with."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(known) or 'none'}"


def _model(row: Mapping[str, str | None]) -> Model:
    text = {name: (value or "").strip() for name, value in row.items()}
    length = text.get("context_length", "")
    excluded = text.get("is_excluded", "").lower() in _YES
    return Model(
        name=text["model"],
        hub_id=text.get("hub_id") or None,
        revision=text.get("revision") or None,
        templating_mode=text.get("templating_mode") or "chat",
        context_length=int(length) if length.isdigit() else None,
        is_osi_approved=text.get("osi_approved", "true").lower() in _YES,
        excluded_because=(text.get("reason") or "excluded") if excluded else None,
        quantization=text.get("quantization") or None,
        dtype=text.get("dtype") or None,
    )
