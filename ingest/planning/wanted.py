"""What a run file asks for: models × cells, checked whole before anything is planned.

A list item is a name, or a mapping that starts with ``model:``, ``checkpoints:`` or ``benchmark:`` and says what
differs. Every error is reported at once, with its line and the allowed values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..benchmarks import resolve
from ..config import Settings
from ..errors import UsageError
from ..names import meant_or_known
from .cells import WantedCell, max_tokens_of, protocol_for, sampling_of
from .items import BENCHMARK_KEYS, SAMPLING, Note, Problems, item_problems
from .model_items import WantedModel, chosen, models_of, served_models_of
from .models import ServedModel
from .seed_rows import read_models
from .task_sets import can_ask
from .weights import weights_digest

DEFAULT_CELLS = ("humanevalplus", "mbppplus", "cruxeval_i", "cruxeval_o", "livecodebench_generation")


@dataclass(frozen=True)
class Wanted:
    models: tuple[WantedModel, ...]
    cells: tuple[WantedCell, ...]
    left_out: tuple[str, ...] = ()
    """Rows that a pattern would have named, each with why it is not planned."""


def wanted_of(
    settings: Settings,
    models: Sequence[str] = (),
    benchmarks: Sequence[str] = (),
    tell: Callable[[str], None] = lambda sentence: None,
) -> Wanted:
    """Models and cells of the settings, narrowed to names. Raises one UsageError that lists every wrong item.

    A model that is not OSI-approved is planned because an item names it; a pattern takes it in only with
    ``run.include_non_osi``. Weights of local checkpoints are read last, when nothing is wrong; ``tell`` hears of it.
    """
    problems = Problems(settings.run_file)
    found, cells, left_out = _collected(settings, problems)
    if problems.sentences:
        raise UsageError("the run is wrong:\n  " + "\n  ".join(problems.sentences), "correct the lines named above")
    wanted = narrowed(Wanted(tuple(found), tuple(cells), tuple(dict.fromkeys(left_out))), models, benchmarks)
    digested = [_with_digest(one, digests_file(settings), tell) for one in wanted.models]
    return replace(wanted, models=tuple(digested))


def wanted_problems(settings: Settings) -> list[str]:
    """Every sentence that ``wanted_of`` would refuse with."""
    problems = Problems(settings.run_file)
    _collected(settings, problems)
    return problems.sentences


def served_models(settings: Settings) -> dict[str, ServedModel]:
    """Model key -> how its server knows it, for the rows of the seed and the items of the run file."""
    return served_models_of(settings, read_models())


def digests_file(settings: Settings) -> Path:
    """Where digests of weights are kept, for every run below the scratch folder."""
    return settings.scratch / "weights" / "digests.jsonl"


def narrowed(wanted: Wanted, models: Sequence[str], benchmarks: Sequence[str]) -> Wanted:
    """Only the named models (keys, Hub ids, patterns) and benchmarks (or scenarios).

    UsageError for a name that the run does not hold.
    """
    known = {entry.model.name: entry for entry in wanted.models}
    for name in models:
        if not chosen(wanted.models, [name]):
            raise UsageError(
                f"the run has no model {name}{meant_or_known(name, known)}", "add it to models: of the run file"
            )
    scopes = {(benchmark.name, scenario) for benchmark, scenarios in map(resolve, benchmarks) for scenario in scenarios}
    kept = tuple(cell for cell in wanted.cells if not scopes or (cell.benchmark.name, cell.scenario) in scopes)
    if not kept:
        raise UsageError(f"the run has no benchmark {', '.join(benchmarks)}", "add it to benchmarks: of the run file")
    return Wanted(chosen(wanted.models, models), kept, wanted.left_out)


def _collected(settings: Settings, problems: Problems) -> tuple[list[WantedModel], list[WantedCell], list[str]]:
    models, left_out = models_of(settings, read_models(), problems)
    cells = _cells(settings["benchmarks"] or list(DEFAULT_CELLS), problems)
    if not settings["models"]:
        problems.note("models: the list is empty; name at least one model")
    for entry, note in models:
        for sentence in _cell_problems(entry, cells, settings["engine.max_model_len"]):
            note("protocol", sentence)
    return [entry for entry, _ in models], cells, left_out


def _cell_problems(model: WantedModel, cells: Sequence[WantedCell], max_model_len: int) -> list[str]:
    """What cannot be asked so; a scenario that no protocol asks yet waits instead."""
    found = []
    for cell in cells:
        try:
            if can_ask(cell.benchmark, cell.scenario):
                protocol = protocol_for(model, cell)
                window = model.model.window_tokens(max_model_len, model.thinking)
                max_tokens_of(sampling_of(model, cell, protocol), protocol, window)
        except UsageError as error:
            found.append(error.message)
    return found


def _with_digest(entry: WantedModel, kept: Path, tell: Callable[[str], None]) -> WantedModel:
    model = entry.model
    if not model.weights or model.weights_digest:
        return entry
    digest = weights_digest(Path(model.weights).expanduser(), kept, tell)
    return replace(entry, model=replace(model, weights_digest=digest))


def _cells(items: Sequence[Any], problems: Problems) -> list[WantedCell]:
    groups = (_cells_of(item, problems.at("benchmarks", index)) for index, item in enumerate(items))
    return [cell for group in groups for cell in group]


def _cells_of(item: Any, note: Note) -> list[WantedCell]:
    given = {"benchmark": item} if isinstance(item, str) else item
    wrong = item_problems(given, BENCHMARK_KEYS, "benchmark")
    for key, sentence in wrong:
        note(key, sentence)
    if not isinstance(given, Mapping) or not isinstance(given.get("benchmark"), str):
        return []
    try:
        benchmark, scenarios = resolve(given["benchmark"])
    except UsageError as error:
        note("benchmark", error.message)
        return []
    version = given.get("version")
    known = [entry.name for entry in benchmark.versions]
    if isinstance(version, str) and version not in known:
        note("version", f"{benchmark.name} has no version {version!r}; one of {', '.join(known)}")
    if wrong:
        return []
    sampling = {key: given[key] for key in SAMPLING if key in given}
    return [WantedCell(benchmark, scenario, version, sampling) for scenario in scenarios]
