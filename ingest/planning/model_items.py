"""Items of ``models:`` -> models: rows of the seed, rows with differences, models of the user's own, checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..config import Settings, flags_of
from ..keys import MODEL_KEY
from ..names import meant_or_known
from .checkpoints import expanded
from .items import CHECKPOINT_KEYS, MODEL_KEYS, ROW, SAMPLING, Note, Problems, item_problems
from .models import TIERS, Model, ServedModel, find_model
from .weights import weights_problem

Seed = Mapping[str, Model]


@dataclass(frozen=True)
class WantedModel:
    """A model of the run, the name its server knows it by, and the sampling that its item insists on."""

    model: Model
    served_as: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    thinking: bool = False


def models_of(settings: Settings, seed: Seed, problems: Problems) -> tuple[list[tuple[WantedModel, Note]], list[str]]:
    """Every model that the settings ask for, each with where to note what is wrong; and whom a pattern left out."""
    found: list[tuple[WantedModel, Note]] = []
    first: dict[str, WantedModel] = {}
    left_out: list[str] = []
    for index, item in enumerate(settings["models"]):
        note = problems.at("models", index)
        for given in _givens(item, seed, settings["run.include_non_osi"], note, left_out):
            wanted = _wanted(given, seed, note)
            for key, sentence in _server_problems(first.setdefault(wanted.model.name, wanted), wanted):
                note(key, sentence)
            if wanted not in (other for other, _ in found):
                found.append((wanted, note))
    return found, left_out


def served_models_of(settings: Settings, seed: Seed) -> dict[str, ServedModel]:
    """Model key -> how its server knows it, for every row of the seed and every item; wrong items are passed over.

    Of items that differ, one with a thinking budget counts: its server can do what the others ask for as well.
    """
    found = {name: served(model, None, settings) for name, model in seed.items()}
    bounded: dict[str, ServedModel] = {}
    for item in settings["models"]:
        for given in _givens(item, seed, True, _unheard, []):
            if isinstance(item, Mapping):
                model = _model(given, seed)
                one = served(model, given.get("served_as"), settings)
                found[one.name] = one
                if one.thinking_budget is not None:
                    bounded[one.name] = one
    return found | bounded


def served(model: Model, served_as: str | None, settings: Settings) -> ServedModel:
    """``served_as`` is what the item says; a local checkpoint is known by its folder, wherever the server starts."""
    if model.weights:
        model = replace(model, weights=str(Path(model.weights).expanduser().absolute()))
    shared = {one.name for one in fields(ServedModel)} & {one.name for one in fields(Model)}
    window = model.window_tokens(settings["engine.max_model_len"], model.can_think)
    return ServedModel(
        **{name: getattr(model, name) for name in shared - {"max_model_len"}},
        served_as=served_as or _known_as(model),
        max_model_len=window,
    )


def _givens(item: Any, seed: Seed, with_non_osi: bool, note: Note, left_out: list[str]) -> Iterator[Mapping[str, Any]]:
    """One item as ``model:`` mappings; none where it is wrong, which is noted."""
    given = {"model": item} if isinstance(item, str) else item
    is_family = isinstance(given, Mapping) and "checkpoints" in given
    declared, first = (CHECKPOINT_KEYS, "checkpoints") if is_family else (MODEL_KEYS, "model")
    wrong = item_problems(given, declared, first)
    for key, sentence in wrong:
        note(key, sentence)
    unusable = {key for key, _ in wrong}
    if unusable & {"", first}:
        return
    given = {key: value for key, value in given.items() if key not in unusable}
    if is_family:
        models, sentences = expanded(given)
        for sentence in sentences:
            note("checkpoints", sentence)
        yield from models
    elif _is_pattern(given["model"]):
        for name in _selected(given["model"], seed, with_non_osi, note, left_out):
            yield {**given, "model": name}
    elif isinstance(item, str) and find_model(item, seed) is None:
        note("", f"seeds/models.csv has no model {item}{meant_or_known(item, seed)}")
    else:
        yield given


def _is_pattern(name: str) -> bool:
    return name in TIERS or any(sign in name for sign in "*?[")


def _selected(pattern: str, seed: Seed, with_non_osi: bool, note: Note, left_out: list[str]) -> list[str]:
    """Rows of a tier or of a pattern that may be run without being named."""
    folded = pattern.lower().replace("/", "__")
    found = [model for name, model in seed.items() if pattern == model.tier or fnmatchcase(name.lower(), folded)]
    if not found:
        note("model", f"no model of seeds/models.csv matches {pattern}{meant_or_known(pattern, [*TIERS, *seed])}")
    kept = []
    for model in found:
        if model.excluded_because:
            left_out.append(f"{model.name} is excluded: {model.excluded_because}")
        elif not model.is_osi_approved and not with_non_osi:
            licence = model.licence or "its licence"
            left_out.append(f"{model.name}: {licence} is not OSI-approved; name the model, or give --include-non-osi")
        else:
            kept.append(model.name)
    return kept


def _wanted(given: Mapping[str, Any], seed: Seed, note: Note) -> WantedModel:
    model = _model(given, seed)
    is_thinking = given.get("thinking", model.thinks)
    for key, sentence in (*_model_problems(model, given), *_thinking_problems(model, is_thinking)):
        note(key, sentence)
    sampling = {key: given[key] for key in SAMPLING if key in given}
    return WantedModel(model, given.get("served_as") or _known_as(model), sampling, is_thinking)


def _model(given: Mapping[str, Any], seed: Seed) -> Model:
    """The row that the item names, or its parent's, or an empty one; with what the item says instead."""
    name = given["model"]
    model = find_model(name, seed)
    parent = find_model(given.get("parent_model", ""), seed)
    if model is None:
        model = _child(parent, name) if parent else Model(name)
    merged = {key: given[key] for key in (*ROW, "weights", "weights_digest", "training_step") if key in given}
    if parent:
        merged["parent_model"] = parent.name
    if "omits" in merged:
        merged["omits"] = tuple(merged["omits"])
    if "engine_flags" in merged:
        merged["engine_flags"] = flags_of(merged["engine_flags"])
    return replace(model, **merged)


def _child(parent: Model, name: str) -> Model:
    """A checkpoint is asked, started and licensed like its parent; it lies elsewhere and has no commit."""
    return replace(
        parent,
        name=name,
        hub_id=None,
        revision=None,
        tier=None,
        excluded_because=None,
        parent_model=parent.name,
        price_per_million_prompt_tokens=None,
        price_per_million_completion_tokens=None,
    )


def _known_as(model: Model) -> str:
    return model.weights or model.hub_id or model.name


def _model_problems(model: Model, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if model.excluded_because:
        yield "model", f"{model.name} is excluded: {model.excluded_because}"
    if not MODEL_KEY.fullmatch(model.name):
        yield "model", f"{model.name!r} is not a model key; write <org>__<name>, without blanks"
    if model.weights and not model.weights_digest:
        problem = weights_problem(Path(model.weights).expanduser())
        if problem:
            yield "weights", problem
    if given.get("weights_digest") and not model.weights:
        yield "weights_digest", "weights_digest: belongs to weights:, the folder of a local checkpoint"


def _server_problems(first: WantedModel, wanted: WantedModel) -> Iterable[tuple[str, str]]:
    """One server answers for one model key, so two items cannot want two of them."""
    if first.served_as != wanted.served_as:
        yield (
            "served_as",
            f"{wanted.model.name} is served as {first.served_as} above: give this one a model: of its own",
        )
    for name in _OF_THE_SERVER:
        before, after = getattr(first.model, name), getattr(wanted.model, name)
        if before != after:
            yield name, f"{wanted.model.name} has {name} = {before!r} above: give this one a model: of its own"


_OF_THE_SERVER = (
    "hub_id",
    "revision",
    "weights",
    "context_length",
    "max_model_len",
    "tensor_parallel_size",
    "quantization",
    "dtype",
    "omits",
    "renames",
    "engine_flags",
    "strip_rule",
)
"""What a server is started with, or knows a model by: of a model key there is one."""


def _thinking_problems(model: Model, is_thinking: bool) -> Iterable[tuple[str, str]]:
    if is_thinking and not model.can_think:
        yield "thinking", f"{model.name} does not think by its row; say how with reasoning: and strip_rule:"
    elif not is_thinking and model.reasoning == "always":
        yield "thinking", f"{model.name} always thinks"
    elif model.can_think and not model.strip_rule:
        yield "reasoning", f"{model.name} thinks, so it needs strip_rule:"
    elif model.reasoning == "default_off" and is_thinking and not model.switch_on:
        yield "thinking", f"{model.name} needs switch_on:, what a request says to make it think"
    elif model.reasoning == "default_on" and not is_thinking and not model.switch_off:
        yield "thinking", f"{model.name} needs switch_off:, what a request says to keep it from thinking"


def _unheard(key: str, sentence: str) -> None:
    """Served names are looked up leniently: the plan has refused what is wrong."""


def chosen(models: Sequence[WantedModel], names: Sequence[str]) -> tuple[WantedModel, ...]:
    """The models that one of the names means: a key, a Hub id, or a pattern."""
    folded = [name.lower().replace("/", "__") for name in names]
    return tuple(
        entry for entry in models if not folded or any(fnmatchcase(entry.model.name.lower(), name) for name in folded)
    )
