"""Reading ``seeds/models.csv``: one row per model, an empty cell for what is not known.

Cells that hold more than one thing are words: ``omits`` (``stop seed``), ``renames``
(``max_tokens=max_completion_tokens``), ``engine_flags`` (``--enforce-eager --dtype=float16``), and the switches, whose
dots make a nested body (``chat_template_kwargs.enable_thinking=true``; what follows ``=`` is JSON).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..config import flags_of
from ..errors import UsageError
from ..schemas import TEMPLATING_MODES
from ..thinking import STRIP_RULES
from .models import REASONING, TIERS, Model

SEED = Path(__file__).resolve().parents[2] / "seeds" / "models.csv"
_YES, _NO = ("true", "t", "yes", "1"), ("false", "f", "no", "0")


def read_models(path: Path = SEED) -> dict[str, Model]:
    """Model key -> row, in file order; an absent seed is empty. Columns that are not there count as empty.

    Raises one UsageError that lists every wrong cell with its line and what is allowed.
    """
    if not path.exists():
        return {}
    problems: list[str] = []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = [(f"{path.name}:{reader.line_num}", row) for row in reader if row.get("model")]
    models = [_model(where, row, problems) for where, row in rows]
    names = [model.name for model in models]
    twice = (index for index, name in enumerate(names) if name in names[:index])
    problems += [f"{rows[index][0]}: model: {names[index]} has a row already" for index in twice]
    if problems:
        raise UsageError("the models are wrong:\n  " + "\n  ".join(problems), "correct the lines named above")
    return {model.name: model for model in models}


def _model(where: str, row: Mapping[str, Any], problems: list[str]) -> Model:
    cells = {name: value.strip() for name, value in row.items() if isinstance(value, str) and value.strip()}
    found: dict[str, Any] = {}
    for name, read in _CELLS.items():
        try:
            if name in cells:
                found[name] = read(cells[name])
        except ValueError as error:
            problems.append(f"{where}: {name}: {error}")
    excluded = found.pop("is_excluded", False)
    reason = found.pop("reason", None)
    sampling = {name: found.pop(name) for name in _SAMPLING if name in found}
    return Model(
        **{_FIELDS.get(name, name): value for name, value in found.items()},
        sampling=sampling,
        excluded_because=(reason or "excluded") if excluded else None,
    )


def _switch(text: str) -> dict[str, Any]:
    """``a.b=1 a.c=true`` -> ``{"a": {"b": 1, "c": True}}``."""
    found: dict[str, Any] = {}
    for path, value in _pairs(text).items():
        *above, last = path.split(".")
        inner = found
        try:
            for name in above:
                inner = inner.setdefault(name, {})
            inner[last] = json.loads(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}={value} is not a path and JSON") from error
    return found


def _pairs(text: str) -> dict[str, str]:
    wrong = [word for word in text.split() if not all(word.partition("="))]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not of the form name=value")
    return {name: value for name, _, value in (word.partition("=") for word in text.split())}


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is not allowed; one of {', '.join(words)}")
        return text

    return read


def _yes(text: str) -> bool:
    _one_of(*_YES, *_NO)(text.lower())
    return text.lower() in _YES


def _number(kind: Callable[[str], Any], least: float) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a number") from error
        if not value >= least:
            raise ValueError(f"{text} is less than {least:g}")
        return value

    return read


def _cells() -> Iterator[tuple[str, Callable[[str], Any]]]:
    for name in ("model", "hub_id", "revision", "family", "licence", "hub_license", "quantization", "dtype"):
        yield name, str
    for name in ("effort", "thinking_budget_end", "reason"):
        yield name, str
    for name in ("osi_approved", "is_excluded"):
        yield name, _yes
    for name in ("context_length", "max_model_len", "thinking_budget", "tensor_parallel_size", "max_tokens", "top_k"):
        yield name, _number(int, 1)
    for name in ("temperature", "top_p", "min_p", "repetition_penalty"):
        yield name, _number(float, 0)
    yield "presence_penalty", _number(float, -2)
    for name in ("price_per_million_prompt_tokens", "price_per_million_completion_tokens"):
        yield name, _number(float, 0)
    yield "tier", _one_of(*TIERS)
    yield "templating_mode", _one_of(*TEMPLATING_MODES)
    yield "reasoning", _one_of(*REASONING)
    yield "strip_rule", _one_of(*STRIP_RULES)
    yield "switch_on", _switch
    yield "switch_off", _switch
    yield "omits", lambda text: tuple(text.split())
    yield "renames", _pairs
    yield "engine_flags", lambda text: flags_of(text.split())


_CELLS: Mapping[str, Callable[[str], Any]] = dict(_cells())
"""Column -> how its cell is read."""
_FIELDS: Mapping[str, str] = {"model": "name", "osi_approved": "is_osi_approved"}
"""Column -> field of ``Model``, where they differ."""
_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "repetition_penalty", "max_tokens")
