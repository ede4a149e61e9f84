"""What a user need not say about a file, because the file does: its format, benchmark, scenario and model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..benchmarks import resolve
from ..formats import Context, LogFacts, means_registry, registry, table_registry
from ..formats.recognise import recognise
from .import_plan import Wanted

AUTO = "auto"


def settled(path: Path, wanted: Wanted) -> Wanted:
    """``wanted`` with what the file says where the user says nothing.

    Raises BadInput (unreadable, or in no format known), UsageError (several formats read it; no such benchmark).
    """
    if wanted.format_name == AUTO:
        key = None if wanted.benchmark is None else resolve(wanted.benchmark)[0].name
        wanted = replace(wanted, format_name=recognise(path, key).name)
    if wanted.format_name in means_registry() or wanted.format_name in table_registry():
        return wanted
    entry = registry()[wanted.format_name]
    if entry.open is None and None not in (wanted.benchmark, wanted.model):
        return wanted
    log = entry.log(path, _context(wanted))
    proven = log.dataset[0] if log.dataset else log.facts.benchmark
    return replace(
        wanted,
        benchmark=wanted.benchmark or proven,
        scenario=wanted.scenario or _scenario(log.facts, wanted.benchmark or proven),
        model=wanted.model or _model(log.facts),
    )


def _context(wanted: Wanted) -> Context:
    """An alias is a benchmark and its scenario: some readers count by the scenario's rules."""
    if wanted.benchmark is None:
        return Context("", wanted.scenario or "", wanted.text_form)
    benchmark, scenarios = resolve(wanted.benchmark)
    return Context(benchmark.name, wanted.scenario or scenarios[0], wanted.text_form)


def _scenario(facts: LogFacts, named: str | None) -> str | None:
    """The file's scenario, where the benchmark meant has one of that name."""
    if facts.scenario is None or named is None:
        return None
    _, scenarios = resolve(named)
    return facts.scenario if facts.scenario in scenarios and len(scenarios) > 1 else None


def _model(facts: LogFacts) -> str | None:
    """``openai/gpt-4o`` as it is; a name of several parts (``hf/org/name``) by its last two."""
    if not facts.model or any(mark in facts.model for mark in "=, "):
        return None
    return "/".join(facts.model.strip("/").split("/")[-2:])
