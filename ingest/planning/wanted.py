"""What a run file asks for: models × cells, checked whole before anything is planned.

A list item is a name, or a mapping that starts with ``model:`` or ``benchmark:`` and says what differs. Every error
is reported at once, with the line of its item and the allowed values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from ..benchmarks import resolve
from ..benchmarks.declaration import Benchmark
from ..config import Settings
from ..errors import UsageError
from ..keys import MODEL_KEY
from ..schemas import TEMPLATING_MODES
from .models import Model, ServedModel, find_model, nearest, read_models

DEFAULT_CELLS = ("humanevalplus", "mbppplus", "cruxeval_i", "cruxeval_o", "livecodebench_generation")
SAMPLING: Mapping[str, tuple[type, ...]] = {
    "protocol": (str,),
    "num_samples": (int,),
    "temperature": (float, int),
    "top_p": (float, int),
    "top_k": (int,),
    "min_p": (float, int),
    "max_tokens": (int,),
}
"""What both a benchmark and a model may set; the model's word counts."""

MODEL_KEYS: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "served_as": (str,),
    "revision": (str,),
    "weights_digest": (str,),
    "templating_mode": (str,),
    "context_length": (int,),
    "quantization": (str,),
    "dtype": (str,),
    **SAMPLING,
}
BENCHMARK_KEYS: Mapping[str, tuple[type, ...]] = {"benchmark": (str,), "version": (str,), **SAMPLING}
_RANGES: Mapping[str, tuple[float, float]] = {
    "num_samples": (1, 100_000),
    "temperature": (0, 10),
    "top_p": (1e-9, 1),
    "min_p": (0, 1),
    "max_tokens": (1, 10_000_000),
}


@dataclass(frozen=True)
class WantedModel:
    """A model of the run, the name its server knows it by, and the sampling it insists on."""

    model: Model
    served_as: str
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WantedCell:
    """One benchmark and scenario of the run."""

    benchmark: Benchmark
    scenario: str
    version: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    models: tuple[WantedModel, ...]
    cells: tuple[WantedCell, ...]


def wanted_of(settings: Settings) -> Wanted:
    """Models and cells of the settings. Raises one UsageError that lists every wrong item.

    A model that is not OSI-approved is planned because the run file names it; nothing adds one by itself.
    """
    problems: list[str] = []
    where = _Lines(settings.run_file)
    models = [_model(item, where("models", i), problems) for i, item in enumerate(settings["models"])]
    items = settings["benchmarks"] or list(DEFAULT_CELLS)
    cells = [_cells(item, where("benchmarks", i), problems) for i, item in enumerate(items)]
    if not settings["models"]:
        problems.append("models: the list is empty; name at least one model")
    if problems:
        raise UsageError("the run is wrong:\n  " + "\n  ".join(problems), "correct the lines named above")
    named = [model for model in models if model is not None]
    return Wanted(tuple(named), tuple(cell for group in cells for cell in group))


def served_models(settings: Settings) -> dict[str, ServedModel]:
    """Model key -> how its server knows it; a model that stands nowhere is served under its key."""
    seed = read_models()
    found = {name: _served(model, None, settings) for name, model in seed.items()}
    for item in settings["models"]:
        if isinstance(item, Mapping) and isinstance(item.get("model"), str):
            model = _merged(find_model(item["model"], seed) or Model(item["model"]), item)
            found[model.name] = _served(model, item.get("served_as"), settings)
    return found


def served_names(settings: Settings) -> dict[str, str]:
    """Model key -> name on the wire."""
    return {name: served.served_as for name, served in served_models(settings).items()}


def window_of(model: Model, max_model_len: int) -> int:
    """Window in tokens that the engine is started with and that comparability counts."""
    if model.can_think and model.context_length:
        return model.context_length
    return min(model.context_length or max_model_len, max_model_len)


def _served(model: Model, served_as: str | None, settings: Settings) -> ServedModel:
    shared = {one.name for one in fields(ServedModel)} & {one.name for one in fields(Model)}
    return ServedModel(
        **{name: getattr(model, name) for name in shared},
        served_as=served_as or model.weights or model.hub_id or model.name,
        max_model_len=window_of(model, settings["engine.max_model_len"]),
    )


def narrowed(wanted: Wanted, models: Sequence[str], benchmarks: Sequence[str]) -> Wanted:
    """Only the named models and benchmarks (or scenarios); UsageError for one that the run does not hold."""
    known = {entry.model.name: entry for entry in wanted.models}
    for name in models:
        if name not in known:
            raise UsageError(f"the run has no model {name}{nearest(name, known)}", "add it to models: of the run file")
    scopes = {(benchmark.name, scenario) for benchmark, scenarios in map(resolve, benchmarks) for scenario in scenarios}
    kept = tuple(cell for cell in wanted.cells if not scopes or (cell.benchmark.name, cell.scenario) in scopes)
    if not kept:
        raise UsageError(f"the run has no benchmark {', '.join(benchmarks)}", "add it to benchmarks: of the run file")
    return Wanted(tuple(entry for entry in wanted.models if not models or entry.model.name in models), kept)


def _model(item: Any, where: str, problems: list[str]) -> WantedModel | None:
    given = {"model": item} if isinstance(item, str) else item
    if not _is_valid(given, MODEL_KEYS, "model", where, problems):
        return None
    seed = read_models()
    name = given["model"]
    found = find_model(name, seed)
    if isinstance(item, str) and found is None:
        problems.append(f"{where}: seeds/models.csv has no model {name}{nearest(name, seed)}")
        return None
    model = _merged(found or Model(name), given)
    problems += [f"{where}: {problem}" for problem in _model_problems(model)]
    sampling = {key: given[key] for key in SAMPLING if key in given}
    return WantedModel(model, given.get("served_as") or model.hub_id or name, sampling)


def _merged(model: Model, given: Mapping[str, Any]) -> Model:
    names = ("revision", "weights_digest", "templating_mode", "context_length", "quantization", "dtype")
    return replace(model, **{name: given[name] for name in names if name in given})


def _model_problems(model: Model) -> Iterable[str]:
    if model.excluded_because:
        yield f"{model.name} is excluded: {model.excluded_because}"
    if model.templating_mode not in TEMPLATING_MODES:
        yield f"templating_mode {model.templating_mode!r} is not allowed; one of {', '.join(TEMPLATING_MODES)}"
    if not MODEL_KEY.fullmatch(model.name):
        yield f"{model.name!r} is not a model key; write <org>__<name>, without blanks"


def _cells(item: Any, where: str, problems: list[str]) -> list[WantedCell]:
    given = {"benchmark": item} if isinstance(item, str) else item
    if not _is_valid(given, BENCHMARK_KEYS, "benchmark", where, problems):
        return []
    try:
        benchmark, scenarios = resolve(given["benchmark"])
    except UsageError as error:
        problems.append(f"{where}: {error.message}")
        return []
    version = given.get("version")
    known = [entry.name for entry in benchmark.versions]
    if version is not None and version not in known:
        problems.append(f"{where}: {benchmark.name} has no version {version!r}; one of {', '.join(known)}")
    sampling = {key: given[key] for key in SAMPLING if key in given}
    return [WantedCell(benchmark, scenario, version, sampling) for scenario in scenarios]


def _is_valid(
    given: Any, declared: Mapping[str, tuple[type, ...]], first: str, where: str, problems: list[str]
) -> bool:
    if not isinstance(given, Mapping) or not isinstance(given.get(first), str):
        problems.append(f"{where}: an item is a name, or a mapping with {first}: and what differs")
        return False
    found = [_value_problem(key, value, declared) for key, value in given.items()]
    wrong = [f"{where}: {problem}" for problem in found if problem]
    problems += wrong
    return not wrong


def _value_problem(key: str, value: Any, declared: Mapping[str, tuple[type, ...]]) -> str | None:
    if key not in declared:
        return f"unknown key {key}{nearest(str(key), declared)}"
    if not isinstance(value, declared[key]) or isinstance(value, bool):
        return f"{key}: {value!r} is not of type {declared[key][0].__name__}"
    low, high = _RANGES.get(key, (float("-inf"), float("inf")))
    if isinstance(value, int | float) and not low <= value <= high:
        return f"{key}: {value!r} is not allowed; between {low:g} and {high:g}"
    return None


class _Lines:
    """``<file>:<line>`` of the i-th item of a list of the run file, for error sentences."""

    def __init__(self, run_file: Path | None) -> None:
        self._name = run_file.name if run_file else "settings"
        self._lines: dict[str, list[int]] = {}
        if run_file is not None:
            root = yaml.compose(run_file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
            for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
                if isinstance(value, yaml.SequenceNode):
                    self._lines[key.value] = [item.start_mark.line + 1 for item in value.value]

    def __call__(self, key: str, index: int) -> str:
        lines = self._lines.get(key, [])
        return f"{self._name}:{lines[index]}: {key}" if index < len(lines) else f"{key}[{index}]"
