"""The second opinion on one log: its number as stated, from its verdicts, by our rules, and the causes found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....ingest.benchmarks import resolve
from ....ingest.errors import BadInput, UsageError
from ....ingest.formats import Context, registry
from ....ingest.pins import pins_of
from ....ingest.recorded import Wanted, settled
from ...score.pending import Means
from .detectors import findings
from .evidence import Evidence, Finding, evidence_of, is_passed
from .known import known_causes
from .regrading import Verdicts, differences, regraded

UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Number:
    """One reading of the score: percent, 95 % limits for problems like these (None: not to be told)."""

    reading: str
    percent: float
    low: float | None
    high: float | None
    num_problems: int | None
    note: str = ""


@dataclass(frozen=True)
class Cause:
    """A finding with what is known of it."""

    finding: Finding
    kind: str
    direction: str
    mechanism: str
    evidence: str


@dataclass(frozen=True)
class Audit:
    """All that is said of one log."""

    file: str
    format_name: str
    tool: str
    title: str
    model: str | None
    numbers: tuple[Number, ...]
    causes: tuple[Cause, ...]
    notes: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return not any(cause.kind == "cause" for cause in self.causes)


def audited(path: Path, wanted: Wanted, stated: Mapping[str, float], means: Means | None) -> Audit:
    """Read, check, grade again where ``means`` are given and the problems are staged.

    ``stated`` are scores of files beside this one, in percent. Raises BadInput and UsageError as reading does.
    """
    known = settled(path, wanted)
    if known.format_name not in registry():
        raise UsageError(f"{path} is a table of {known.format_name}: import it", f"benchforge import auto {path}")
    entry = registry()[known.format_name]
    benchmark, scenario = _meant(known)
    evidence = evidence_of(path, entry, Context(benchmark, scenario, known.text_form))
    if not evidence.records:
        raise BadInput(f"{path} holds no sample to audit", "name the file with the samples beside it")
    evidence = replace(evidence, stated_scores={**stated, **evidence.stated_scores})
    numbers, found, notes = _from_the_log(evidence, known), list(findings(evidence)), list(evidence.facts.notes)
    if means is not None:
        ours = regraded(path, known, means)
        if isinstance(ours, str):
            notes.append(f"not graded again: {ours}")
        else:
            pairs = (
                ("official rules", ours.official_base, ours.official),
                ("strict rules", ours.strict_base, ours.strict),
            )
            has_plus = ours.official != ours.official_base or _has_plus(evidence)
            numbers += (one for pair in pairs for one in _of_parts(*pair, has_plus))
            found += differences(evidence, ours)
    title = known.benchmark or evidence.facts.title or "a benchmark that it does not name"
    causes = tuple(_cause(one) for one in found)
    return Audit(
        path.name, entry.name, entry.tool, title, known.model, tuple(numbers), causes, tuple(dict.fromkeys(notes))
    )


def _meant(wanted: Wanted) -> tuple[str, str]:
    if wanted.benchmark is None:
        return "", wanted.scenario or "default"
    benchmark, scenarios = resolve(wanted.benchmark)
    return benchmark.name, wanted.scenario or scenarios[0]


def _from_the_log(evidence: Evidence, wanted: Wanted) -> list[Number]:
    stated = [
        Number(f"stated: {name}", score, None, None, None)
        for name, score in evidence.stated_scores.items()
        if "pass" in name or "acc" in name or "match" in name
    ][:4]
    verdicts = {(one.task_id, one.sample_index): is_passed(one) for one in evidence.records if one.judgements}
    if not verdicts or any(one.task_score is not None for one in evidence.records):
        return [*stated, *_of_means(evidence)]
    base = {
        (one.task_id, one.sample_index): one.judgements["base"].verdict == "pass"
        for one in evidence.records
        if "base" in one.judgements
    }
    numbers = [*stated, *_of_parts("its own verdicts", base, verdicts, _has_plus(evidence))]
    num_known = _num_problems(evidence, wanted)
    judged = {task_id for task_id, _ in verdicts}
    if num_known is not None and num_known > len(judged):
        whole = _graded("every problem counted", verdicts, num_known)
        numbers.append(replace(whole, note=f"{num_known - len(judged)} problems are not in the log"))
    return numbers


def _of_means(evidence: Evidence) -> list[Number]:
    """Where a tool kept one number for all samples of a problem: the mean of these."""
    by_task = {one.task_id: one.task_score for one in evidence.records if one.task_score is not None}
    verdicts = {one.task_id: float(is_passed(one)) for one in evidence.records if one.judgements}
    means = {**verdicts, **by_task}
    if not means:
        return []
    return [_number("its own means by problem", sum(means.values()), len(means))]


def _has_plus(evidence: Evidence) -> bool:
    return any("plus" in record.judgements for record in evidence.records)


def _of_parts(reading: str, base: Verdicts, whole: Verdicts, has_plus: bool) -> list[Number]:
    """One number, or that of the base tests and that of base and extra tests together."""
    if not has_plus:
        return [_graded(reading, whole)]
    return [_graded(f"{reading}, base", base), _graded(f"{reading}, base and plus", whole)]


def _num_problems(evidence: Evidence, wanted: Wanted) -> int | None:
    """Problems of the version that the log proves, else of the one whose number is nearest above the log's."""
    if wanted.benchmark is None:
        return None
    benchmark, scenario = _meant(wanted)
    counts = {name: pin.num_tasks(scenario) for name, pin in pins_of(benchmark).items()}
    if evidence.dataset is not None:
        return counts.get(evidence.dataset[1])
    above = [count for count in counts.values() if count is not None and count >= len(evidence.by_task)]
    return min(above, default=None)


def _graded(reading: str, verdicts: Verdicts, num_problems: int | None = None) -> Number:
    """Mean over problems of the share that passed; Wilson's interval over problems, wider than need be for n > 1."""
    by_task: dict[str, list[bool]] = {}
    for (task_id, _), passed in verdicts.items():
        by_task.setdefault(task_id, []).append(passed)
    number = num_problems or len(by_task)
    return _number(reading, sum(sum(several) / len(several) for several in by_task.values()), number)


def _number(reading: str, total: float, num_problems: int) -> Number:
    from ....macros.intervals import wilson

    low, high = wilson(total, num_problems)
    return Number(reading, 100 * total / num_problems, 100 * float(low), 100 * float(high), num_problems)


def _cause(finding: Finding) -> Cause:
    row = known_causes().get(finding.cause_id)
    if row is None:
        return Cause(finding, "cause", "unknown", "no known cause explains it", "")
    return Cause(finding, row["kind"], row["direction"], row["mechanism"], row["evidence"])


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
    """Rows of the table of causes; ``effect_points`` is what a cause is worth at most."""
    return [
        {
            "file": audit.file,
            "cause_id": one.finding.cause_id,
            "kind": one.kind,
            "num_samples": len(one.finding.samples),
            "effect_points": None if one.finding.effect_points is None else round(one.finding.effect_points, 4),
            "found": one.finding.sentence,
            "evidence": one.evidence,
        }
        for audit in audits
        for one in audit.causes
    ]
