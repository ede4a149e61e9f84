"""The second opinion on one log: its number as stated, from its verdicts, by our rules, and the causes found."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....ingest.benchmarks import registry as benchmarks
from ....ingest.benchmarks import resolve
from ....ingest.benchmarks.declaration import Task
from ....ingest.errors import BadInput, NotStaged, UsageError
from ....ingest.formats import Context, registry
from ....ingest.recorded import Wanted, settled
from ....ingest.recorded.import_plan import benchmark_and_scenario, version_of
from ....ingest.staging import staged
from ...score.pending import Means
from .beside import Beside, joined
from .detectors import findings
from .differences import differences, late
from .evidence import Evidence, Finding, Key, evidence_of
from .known import cutoff_of, known_causes
from .numbers import OFFICIAL, OWN, STRICT, Number, num_problems, of_regrading, of_the_log, own_verdicts
from .regrading import Regraded, Verdicts, regraded

__all__ = [
    "CAUSE_COLUMNS",
    "SAMPLE_COLUMNS",
    "Audit",
    "Cause",
    "Number",
    "audited",
    "cause_rows",
    "number_rows",
    "sample_rows",
]

_READ_WITH_PROBLEMS = ("cruxeval-scored", "livecodebench-execution", "humaneval")
"""Formats whose readers ask a problem for its input or its prompt; the others need not wait for the problems."""
CAUSE_COLUMNS = (
    *("file", "axis", "cause_id", "kind", "applies_to", "num_samples", "effect_points", "worth", "found", "mechanism"),
    "evidence",
)
SAMPLE_COLUMNS = (
    *("file", "cause_id", "task_id", "sample_index", "log_passed", "official_passed", "strict_passed"),
    "official_reason",
)


@dataclass(frozen=True)
class Cause:
    """A finding with what is known of it."""

    finding: Finding
    kind: str
    direction: str
    mechanism: str
    evidence: str
    axis: str = "unknown"
    applies_to: str = ""

    @property
    def worth(self) -> str:
        """How far the effect is known: ``exact``, ``at most``, or ``not known``."""
        return "not known" if self.finding.effect_points is None else "exact" if self.finding.is_exact else "at most"


@dataclass(frozen=True)
class Audit:
    """All that is said of one log; ``verdicts`` by reading: of the log, of official and of strict rules."""

    file: str
    format_name: str
    tool: str
    title: str
    model: str | None
    numbers: tuple[Number, ...]
    causes: tuple[Cause, ...]
    notes: tuple[str, ...]
    benchmark: str = ""
    """Key of the benchmark, "" where nothing says which it is."""
    scenario: str = "default"
    """"" where the benchmark has several and nothing says which."""
    verdicts: Mapping[str, Verdicts] = field(default_factory=dict)
    reasons: Mapping[Key, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return not any(cause.kind == "cause" for cause in self.causes)


def audited(
    path: Path,
    wanted: Wanted,
    stated: Mapping[str, float],
    means: Means | None,
    *,
    beside: Beside | None = None,
    cutoff: datetime.date | None = None,
    label: str | None = None,
) -> Audit:
    """Read, check, grade again where ``means`` are given and the problems are staged.

    ``stated`` are scores as published, in percent; ``beside`` is what other files say of this log, ``cutoff`` the last
    day of the model's training data, ``label`` what the log is called. Raises BadInput and UsageError as reading does.
    """
    known = settled(path, wanted)
    if known.format_name not in registry():
        raise UsageError(f"{path} is a table of {known.format_name}: import it", f"benchforge import auto {path}")
    evidence = _evidence(path, known, means, beside or Beside(), stated)
    evidence = replace(evidence, cutoff=cutoff or cutoff_of(known.model or evidence.facts.model))
    ours = regraded(path, known, means, evidence) if means is not None else None
    return _audit(label or path.name, known, evidence, ours)


def _evidence(path: Path, known: Wanted, means: Means | None, beside: Beside, stated: Mapping[str, float]) -> Evidence:
    """The log with what other files and the user say of it. BadInput where these contradict what it proves."""
    evidence = _read(path, known, means)
    _refuse_another(path, known, evidence.dataset)
    evidence = joined(evidence, beside, stated)
    facts = replace(evidence.facts, benchmark=evidence.facts.benchmark or _meant(known)[0] or None)
    return replace(evidence, facts=facts, num_problems=num_problems(evidence, known))


def _audit(label: str, known: Wanted, evidence: Evidence, ours: Regraded | str | None) -> Audit:
    numbers, found, notes = of_the_log(evidence), list(findings(evidence)), list(evidence.facts.notes)
    if isinstance(ours, str):
        notes.append(f"not graded again: {ours}")
    elif ours is not None:
        numbers += of_regrading(evidence, ours)
        found = differences(evidence, ours, found)
        notes += [note for note in (ours.note, late(ours)) if note]
    return Audit(
        file=label,
        format_name=evidence.format_name,
        tool=evidence.tool,
        title=known.benchmark or evidence.facts.title or "a benchmark that it does not name",
        model=known.model or evidence.facts.model,
        numbers=tuple(numbers),
        causes=tuple(map(_cause, found)),
        notes=tuple(dict.fromkeys(notes)),
        benchmark=_meant(known)[0],
        scenario=_scenario(known),
        verdicts=_verdicts(evidence, ours),
        reasons=ours.reasons if isinstance(ours, Regraded) else {},
    )


def _refuse_another(path: Path, known: Wanted, proven: tuple[str, str] | None) -> None:
    """As import does: a scenario or version that there is not, and another benchmark than the log proves."""
    if known.benchmark is None:
        return
    if known.scenario is not None:
        benchmark_and_scenario(known)
    benchmark, scenarios = resolve(known.benchmark)
    if proven is not None or known.version_name is not None:
        version_of(path, benchmark, known.scenario or scenarios[0], known, 0, proven)


def _read(path: Path, known: Wanted, means: Means | None) -> Evidence:
    """With the problems at hand where they are staged: what a harness left out is told by a problem's own input."""
    benchmark, scenario = _meant(known)
    is_asked = means is not None and known.format_name in _READ_WITH_PROBLEMS
    tasks = _tasks(benchmark, known.version_name, scenario, means) if is_asked and means is not None else ()
    prompts, inputs = ({task.task_id: task.prompt for task in tasks}, _inputs(tasks)) if tasks else (None, None)
    context = Context(benchmark, scenario, known.text_form, prompts, inputs)
    evidence = evidence_of(path, registry()[known.format_name], context)
    if not evidence.records:
        raise BadInput(f"{path} holds no sample to audit", "name the file with the samples beside it")
    return evidence


def _tasks(name: str, version: str | None, scenario: str, means: Means) -> Sequence[Task]:
    """Problems that are staged; none where they are not, or nothing says which they are."""
    benchmark = benchmarks().get(name)
    if benchmark is None or benchmark.load is None:
        return ()
    try:
        return staged.load_tasks(benchmark, version, scenario, means.datasets_root)
    except (NotStaged, UsageError):
        return ()


def _inputs(tasks: Sequence[Task]) -> dict[str, str]:
    """Task -> what its program is called with (CRUXEval's)."""
    return {task.task_id: str(task.payload.get("input", "")) for task in tasks}


def _meant(wanted: Wanted) -> tuple[str, str]:
    if wanted.benchmark is None:
        return "", wanted.scenario or "default"
    benchmark, scenarios = resolve(wanted.benchmark)
    return benchmark.name, wanted.scenario or scenarios[0]


def _scenario(wanted: Wanted) -> str:
    """ "" where the benchmark has several and nothing says which: no board is that log's."""
    benchmark, scenario = _meant(wanted)
    is_told = wanted.scenario or not benchmark or len(resolve(wanted.benchmark or benchmark)[1]) == 1
    return scenario if is_told else ""


def _verdicts(evidence: Evidence, ours: Regraded | str | None) -> dict[str, Verdicts]:
    found = {OWN: own_verdicts(evidence)}
    if isinstance(ours, Regraded):
        found |= {OFFICIAL: ours.official, STRICT: ours.strict}
    return {reading: verdicts for reading, verdicts in found.items() if verdicts}


def _cause(finding: Finding) -> Cause:
    row = known_causes().get(finding.cause_id)
    if row is None:
        return Cause(finding, "cause", "unknown", "no known cause explains it", "")
    columns = ("kind", "direction", "mechanism", "evidence", "axis", "applies_to")
    return Cause(finding, *(row[name] for name in columns))


def number_rows(audits: Sequence[Audit]) -> list[dict[str, object]]:
    """Rows of the table of numbers."""
    return [
        {
            "file": audit.file,
            "reading": one.reading,
            "percent": round(one.percent, 4),
            "interval_low": None if one.low is None else round(one.low, 2),
            "interval_high": None if one.high is None else round(one.high, 2),
            "num_problems": one.num_problems,
            "note": one.note,
        }
        for audit in audits
        for one in audit.numbers
    ]


def cause_rows(audits: Sequence[Audit]) -> list[dict[str, object]]:
    """Rows of the table of causes; ``effect_points`` is what a cause is worth, ``worth`` how far that is known."""
    return [
        {
            "file": audit.file,
            "axis": one.axis,
            "cause_id": one.finding.cause_id,
            "kind": one.kind,
            "applies_to": one.applies_to,
            "num_samples": len(one.finding.samples),
            "effect_points": None if one.finding.effect_points is None else round(one.finding.effect_points, 4),
            "worth": one.worth,
            "found": one.finding.sentence,
            "mechanism": one.mechanism,
            "evidence": one.evidence,
        }
        for audit in audits
        for one in audit.causes
    ]


def sample_rows(audits: Sequence[Audit]) -> list[dict[str, object]]:
    """Every sample that a cause touches, with its verdicts (NULL: not judged) and why official rules fail it."""
    return [
        {
            "file": audit.file,
            "cause_id": cause.finding.cause_id,
            "task_id": key[0],
            "sample_index": key[1],
            "log_passed": audit.verdicts.get(OWN, {}).get(key),
            "official_passed": audit.verdicts.get(OFFICIAL, {}).get(key),
            "strict_passed": audit.verdicts.get(STRICT, {}).get(key),
            "official_reason": audit.reasons.get(key),
        }
        for audit in audits
        for cause in audit.causes
        for key in cause.finding.samples
    ]
