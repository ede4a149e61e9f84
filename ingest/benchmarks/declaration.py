"""What a benchmark's file declares: tasks, prompts, extraction, execution, comparison, design, pins.

Everything that needs code elsewhere is a *name* here (extractor, oracle, prompt strings): the scoring stage looks the
name up in its own registry, so this layer imports nothing above it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import keys
from .suites import Environment


@dataclass(frozen=True)
class Task:
    """One problem. ``payload`` holds what its kind needs to be judged:

    ``calls``       entry_point, base_inputs, plus_inputs (lists of argument lists), atol, reference (program or None),
                    expected ({"base": [...], "plus": [...]} or None: then the reference is run to get them)
    ``check``       entry_point, prompt, test (source that defines ``check(candidate)``)
    ``stdin``       cases ([{"stdin": str, "stdout": str}]), plus_cases (the same)
    ``expression``  code (defines ``f``), input, output (source text), direction ("input" or "output")
    ``suite``       what ``suites.steps``, ``suites.warm_unittest`` or ``suites.warm_calls`` made
    """

    benchmark: str
    scenario: str
    task_id: str
    kind: str
    prompt: str
    payload: Mapping[str, Any]
    test_sets: tuple[str, ...]
    source_problem: str
    num_base_cases: int | None = None
    num_plus_cases: int | None = None
    stratum: str | None = None
    cluster: str | None = None
    contest_date: datetime.date | None = None
    reference: str | None = None
    """Gold answer in the form a sample is graded in (a program, or an expression); never leaves the judge's side."""
    licence: str | None = None
    """Of this problem, where each has its own."""
    pinned_cells: str | None = None
    """Counts of its release as the seed writes them, of a benchmark that has no seed row: the marts need them."""

    @cached_property
    def task_digest(self) -> str:
        """Digest of everything a verdict depends on in the task."""
        return keys.sha256_text(repr((self.kind, _frozen(self.payload))))

    @property
    def has_plus(self) -> bool:
        return bool(self.num_plus_cases)


CHAT, COMPLETIONS = "chat", "completions"
CARD_TOKENS = 32_768
"""``max_tokens`` of the protocol ``card`` where the model's row says none: what Qwen3's and R1's cards advise."""


@dataclass(frozen=True)
class Protocol:
    """A named way of asking. ``render(task, strings)`` gives messages (chat) or one prompt text (completions).

    ``strings`` are the harness's own texts, staged, keyed by name; a protocol of ours needs none.
    """

    name: str
    render: Callable[[Task, Mapping[str, str]], Prompt]
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    """New tokens of the answer; of a model that thinks, its row says."""
    stop: tuple[str, ...] = ()
    needs_strings: tuple[str, ...] = ()
    sampled_top_p: float | None = None
    """``top_p`` where the temperature is above 0, for a harness that sets it only then."""
    stop_acts: str = "server"
    """``answer``: the client stops, after the close tag, so that no stop string ends the thinking."""
    templating_modes: tuple[str, ...] = ()
    """Modes of a model that this prompt is made for; empty: any (messages and text become each other)."""
    scenarios: tuple[str, ...] = ()
    """Scenarios it asks; empty: all."""

    def top_p_at(self, temperature: float) -> float:
        """The harness's ``top_p`` at this temperature."""
        return self.sampled_top_p if temperature > 0 and self.sampled_top_p is not None else self.top_p

    def is_made_for(self, templating_mode: str) -> bool:
        return not self.templating_modes or templating_mode in self.templating_modes

    def mode_for(self, templating_mode: str) -> str | None:
        """How a model of this mode is asked, None where it cannot be: a chat has no form without a template.

        A text of its own (a base prompt, or one with a family's template in it) goes to any model as it is.
        """
        if self.is_made_for(templating_mode):
            return templating_mode
        return COMPLETIONS if COMPLETIONS in self.templating_modes else None


@dataclass(frozen=True)
class Prompt:
    """Either ``messages`` (role, content) for chat, or ``text`` for completions."""

    messages: tuple[tuple[str, str], ...] = ()
    text: str | None = None

    @property
    def digest(self) -> str:
        return keys.digest_of({"messages": self.messages, "text": self.text})


@dataclass(frozen=True)
class Extraction:
    """Names of the official and the corrected extractor (registry: runners/score/extract)."""

    official: str
    corrected: str


@dataclass(frozen=True)
class Oracles:
    """Names of the official and the strict oracle (registry: runners/score/judge)."""

    official: str
    strict: str


@dataclass(frozen=True)
class Design:
    """How intervals treat the problems: ``iid``, ``strata`` or ``clusters``, and why."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Artifact:
    """A file that ``stage`` puts in place: its name, sha256 of the file as staged, and where it comes from.

    An empty sha256: no digest is published, and what ``Benchmark.assemble`` checks has to do.
    """

    name: str
    sha256: str
    source: str


@dataclass(frozen=True)
class Version:
    """One pinned dataset version and the exact artifacts it is read from."""

    name: str
    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True)
class Benchmark:
    """The whole declaration; instances are collected by ``ingest.benchmarks.registry()``.

    ``load(directory, version, scenario)`` yields tasks in the benchmark's own order from the staged artifacts
    (``directory`` holds them by name); it raises BadInput for a file that is not what the pin says.
    """

    name: str
    title: str
    kind: str
    scenarios: tuple[str, ...]
    test_sets: Mapping[str, tuple[str, ...]]
    versions: tuple[Version, ...]
    extraction: Extraction
    oracles: Oracles
    design: Design
    licence: str
    load: Callable[[Path, Version, str], Iterable[Task]] | None
    protocols: tuple[Protocol, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other spellings on the command line -> scenario ("" for all)."""
    needs_staging: bool = True
    assemble: Callable[[Iterable[Path], Version], bytes] | None = None
    """Makes the artifact out of upstream's files, where upstream's own would be pinned in vain; the artifact's sha256
    decides. BadInput where they lack something."""
    import_only: tuple[str, ...] = ()
    """Scenarios whose problems are not staged, whatever ``load`` does for the others."""
    stage_hidden: Callable[[Iterable[Path], Sequence[Path]], Mapping[Path, int]] | None = None
    """(upstream's files, folders of versions whose artifacts are in place) -> number of problems by folder whose hidden
    tests are kept now: they are too large for one artifact, and asking needs none of them. Empty where the files bring
    none; BadInput as ``load``."""
    pinned_cells: Mapping[str, str] = field(default_factory=dict)
    """Version -> counts as the seed writes them, of a benchmark without seed rows."""
    why_not_judged: Callable[[Iterable[Task]], str] = lambda tasks: ""
    """What these tasks lack to be graded, as a sentence; empty where they lack nothing."""
    environments: Mapping[str, Environment] = field(default_factory=dict)
    """Of a suite: scenario -> where its programs run ("" for all scenarios); see ``suites``."""

    def environment_of(self, scenario: str) -> Environment | None:
        """Where programs of a scenario run beside our own interpreter; None where they run in it."""
        return self.environments.get(scenario, self.environments.get(""))

    @property
    def is_gradable(self) -> bool:
        """Whether our judge can grade its samples, once its problems are staged."""
        return self.load is not None

    def grades(self, scenario: str) -> bool:
        """Whether that holds for samples of one scenario."""
        return self.is_gradable and scenario not in self.import_only

    def protocols_of(self, scenario: str, templating_mode: str) -> tuple[Protocol, ...]:
        """Protocols that can ask a model of this mode, the default one first: the first made for just this mode."""
        asking = [one for one in self.protocols if not one.scenarios or scenario in one.scenarios]
        possible = [one for one in asking if one.mode_for(templating_mode)]
        return tuple(sorted(possible, key=lambda one: not one.is_made_for(templating_mode)))

    def version(self, name: str | None = None) -> Version:
        """The named version, or the newest (the last one declared)."""
        if name is None:
            return self.versions[-1]
        for version in self.versions:
            if version.name == name:
                return version
        raise KeyError(name)


_SCALARS = frozenset((bool, int, float, complex, str, bytes, type(None)))


def _frozen(value: Any) -> Any:
    """A nested value as a structure whose repr no order of a dict or set can move.

    Lists of scalars are taken whole: HumanEval+ has 124,253 of them, and one by one they took longer than grading.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is list or kind is tuple:
        return value if _SCALARS.issuperset(map(type, value)) else kind(map(_frozen, value))
    if kind is dict or isinstance(value, Mapping):
        return ("map", sorted((_frozen_digest(key), _frozen_digest(item)) for key, item in value.items()))
    if isinstance(value, set | frozenset):
        return (kind.__name__, sorted(map(_frozen_digest, value)))
    return (kind.__name__, repr(value))


def _frozen_digest(value: Any) -> str:
    # a digest and not the text: text inside text doubles its quotes at every level
    return keys.sha256_text(repr(_frozen(value)))
