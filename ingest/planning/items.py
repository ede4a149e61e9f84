"""What an item of ``models:`` and ``benchmarks:`` may say, and the sentence for one that says something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from ..names import meant_or_known
from ..schemas import TEMPLATING_MODES
from ..thinking import STRIP_RULES
from .models import REASONING

Note = Callable[[str, str], None]
"""``note(key, sentence)``: something is wrong at this key of the item."""
Types = tuple[type, ...]
_NUMBER: Types = (float, int)

SAMPLING: Mapping[str, Types] = {
    "protocol": (str,),
    "num_samples": (int,),
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "top_k": (int,),
    "min_p": _NUMBER,
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "repetition_penalty": _NUMBER,
    "max_tokens": (int,),
}
"""What both a benchmark and a model may set; the model's word counts."""

ROW: Mapping[str, Types] = {
    "hub_id": (str,),
    "revision": (str,),
    "templating_mode": (str,),
    "context_length": (int,),
    "max_model_len": (int,),
    "reasoning": (str,),
    "switch_on": (dict,),
    "switch_off": (dict,),
    "effort": (str,),
    "thinking_budget": (int,),
    "thinking_budget_end": (str,),
    "strip_rule": (str,),
    "tensor_parallel_size": (int,),
    "quantization": (str,),
    "dtype": (str,),
    "omits": (list,),
    "renames": (dict,),
    "price_per_million_prompt_tokens": _NUMBER,
    "price_per_million_completion_tokens": _NUMBER,
    "engine_flags": (dict, list),
    "parent_model": (str,),
}
"""Fields of ``models.Model`` that an item may set: the same words as the columns of seeds/models.csv."""

MODEL_KEYS: Mapping[str, Types] = {
    "model": (str,),
    "served_as": (str,),
    "thinking": (bool,),
    "weights": (str,),
    "weights_digest": (str,),
    "training_step": (int,),
    **ROW,
    **SAMPLING,
}
CHECKPOINT_KEYS: Mapping[str, Types] = {
    "checkpoints": (str,),
    "model": (str,),
    "thinking": (bool,),
    **ROW,
    **SAMPLING,
}
BENCHMARK_KEYS: Mapping[str, Types] = {"benchmark": (str,), "version": (str,), **SAMPLING}

_RANGES: Mapping[str, tuple[float, float]] = {
    "num_samples": (1, 100_000),
    "temperature": (0, 10),
    "top_p": (1e-9, 1),
    "top_k": (-1, 10_000_000),
    "min_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "repetition_penalty": (1e-9, 10),
    "max_tokens": (1, 10_000_000),
    "context_length": (1, 100_000_000),
    "max_model_len": (1, 100_000_000),
    "thinking_budget": (0, 10_000_000),
    "tensor_parallel_size": (1, 1024),
    "training_step": (0, 10**15),
    "price_per_million_prompt_tokens": (0, 1e9),
    "price_per_million_completion_tokens": (0, 1e9),
}
_WORDS: Mapping[str, str] = {
    "omits": "a list of body fields, e.g. [seed, stop]",
    "renames": "body field: its name at the server, e.g. {max_tokens: max_completion_tokens}",
}
_ALLOWED: Mapping[str, Sequence[str]] = {
    "templating_mode": TEMPLATING_MODES,
    "reasoning": REASONING,
    "strip_rule": tuple(STRIP_RULES),
}


def item_problems(given: Any, declared: Mapping[str, Types], first: str) -> list[tuple[str, str]]:
    """(key, sentence) of everything that is wrong with one item; ``first`` is the key that it must have."""
    if not isinstance(given, Mapping) or not isinstance(given.get(first), str):
        return [("", f"an item is a name, or a mapping with {first}: and what differs")]
    found = [(str(key), _value_problem(key, value, declared)) for key, value in given.items()]
    return [(key, problem) for key, problem in found if problem]


def _value_problem(key: Any, value: Any, declared: Mapping[str, Types]) -> str | None:
    if key not in declared:
        return f"unknown key {key}{meant_or_known(str(key), declared)}"
    if not isinstance(value, declared[key]) or (isinstance(value, bool) and bool not in declared[key]):
        words = ("true", "false") if bool in declared[key] else _ALLOWED.get(key, ())
        allowed = f"; one of {', '.join(words)}" if words else ""
        return f"{key}: {value!r} is not of type {' or '.join(kind.__name__ for kind in declared[key])}{allowed}"
    if key in _ALLOWED and value not in _ALLOWED[key]:
        return f"{key} {value!r} is not allowed; one of {', '.join(_ALLOWED[key])}"
    if isinstance(value, dict | list) and not _is_json(value):
        return f"{key}: {value!r} is not allowed; text, numbers, true, false, lists and mappings with texts as keys"
    if key in _WORDS and not all(isinstance(word, str) and word for word in _inner(value)):
        return f"{key}: {value!r} is not allowed; {_WORDS[key]}"
    low, high = _RANGES.get(key, (float("-inf"), float("inf")))
    if isinstance(value, int | float) and not low <= value <= high:
        return f"{key}: {value!r} is not allowed; between {low:g} and {high:g}"
    return None


def _is_json(value: Any) -> bool:
    """Whether it goes into a request (and its digest) as it is: no NaN, no dates, no keys but texts."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_json(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))


def _inner(value: Any) -> list[Any]:
    return [*value, *value.values()] if isinstance(value, Mapping) else value


class Problems:
    """Sentences with their places in the run file, collected so that all are reported at once."""

    def __init__(self, run_file: Path | None) -> None:
        self._found: list[tuple[int, str]] = []
        self._name = run_file.name if run_file else "settings"
        self._lines = _lines(run_file) if run_file is not None else {}

    @property
    def sentences(self) -> list[str]:
        """In the order of the file, each once."""
        return list(dict.fromkeys(sentence for _, sentence in sorted(self._found, key=lambda found: found[0])))

    def note(self, sentence: str) -> None:
        """Something that no line is to blame for."""
        self._found.append((0, sentence))

    def at(self, section: str, index: int) -> Note:
        """``note(key, sentence)`` for the i-th item of a section; an empty key means the item itself."""

        def note(key: str, sentence: str) -> None:
            line = self._lines.get((section, index, key)) or self._lines.get((section, index, "")) or 0
            where = f"{self._name}:{line}: {section}" if line else f"{section}[{index}]"
            self._found.append((line, f"{where}: {sentence}"))

        return note


def _lines(run_file: Path) -> dict[tuple[str, int, str], int]:
    """(section, index, key) -> 1-based line; the key is empty for the item itself."""
    try:
        root = yaml.compose(run_file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return {}  # reported where the settings are read
    found: dict[tuple[str, int, str], int] = {}
    for section, items in _inside(root, yaml.MappingNode):
        for index, item in enumerate(_inside(items, yaml.SequenceNode)):
            found[section.value, index, ""] = item.start_mark.line + 1
            for key, _ in _inside(item, yaml.MappingNode):
                found.setdefault((section.value, index, str(key.value)), key.start_mark.line + 1)
    return found


def _inside(node: Any, kind: type) -> list[Any]:
    return node.value if isinstance(node, kind) else []
