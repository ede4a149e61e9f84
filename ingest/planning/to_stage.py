"""Whose weights are to be staged: every model of the run, or those named, rows of the seed included."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ..config import Settings
from ..errors import UsageError
from ..names import meant_or_known
from .items import Problems
from .model_items import models_of
from .models import Model
from .seed_rows import read_models


def models_to_stage(settings: Settings, names: Sequence[str] = ()) -> list[Model]:
    """Each pair of Hub id and revision (or local folder) once. ``names`` are keys, Hub ids or patterns.

    UsageError for a run file that is wrong, and for a name that neither the run nor the seed has.
    """
    problems = Problems(settings.run_file)
    found = [entry.model for entry, _ in models_of(settings, read_models(), problems)[0]]
    if problems.sentences:
        raise UsageError("the run is wrong:\n  " + "\n  ".join(problems.sentences), "correct the lines named above")
    if names:
        known = {**read_models(), **{model.name: model for model in found}}
        found = [model for name in names for model in _named(name, known)]
    once = {(model.weights or model.hub_id or model.name, model.revision): model for model in found}
    return list(once.values())


def _named(name: str, known: dict[str, Model]) -> list[Model]:
    folded = name.lower().replace("/", "__")
    matching = [model for key, model in known.items() if fnmatchcase(key.lower(), folded)]
    if not matching:
        raise UsageError(f"there is no model {name}{meant_or_known(name, known)}", "benchforge stage --model KEY")
    return matching
