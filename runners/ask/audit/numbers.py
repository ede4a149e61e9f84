"""Readings of one log's score, with intervals: as stated, by its verdicts, with every problem counted, by our rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....ingest.benchmarks import resolve
from ....ingest.pins import pins_of
from ....ingest.recorded import Wanted
from .evidence import Evidence, is_passed, key_of
from .regrading import Regraded, Verdicts

OWN, OFFICIAL, STRICT = "its own verdicts", "official rules", "strict rules"
_STATED_SHOWN = 4
_OF_2022 = "multipl-e-csv"
"""Of a release that is not pinned: 156 problems in C++ by its own last line, where the pinned one has 161."""


@dataclass(frozen=True)
class Number:
    """One reading of the score: percent, 95 % limits for problems like these (None: not to be told)."""

    reading: str
    percent: float
    low: float | None
    high: float | None
    num_problems: int | None
    note: str = ""


def of_the_log(evidence: Evidence) -> list[Number]:
    """What is stated, what the verdicts give, and what every problem of the benchmark counted would give."""
    stated = [
        Number(f"stated: {name}", score, None, None, None)
        for name, score in evidence.stated_scores.items()
        if "pass" in name or "acc" in name or "match" in name
    ][:_STATED_SHOWN]
    verdicts = own_verdicts(evidence)
    if not verdicts or any(one.task_score is not None for one in evidence.records):
        return [*stated, *_of_means(evidence)]
    base = {
        key_of(one): one.judgements["base"].verdict == "pass" for one in evidence.records if "base" in one.judgements
    }
    numbers = [*stated, *of_parts(OWN, base, verdicts, has_plus(evidence))]
    judged = {task_id for task_id, _ in verdicts}
    if evidence.num_problems is not None and evidence.num_problems > len(judged):
        whole = _of_verdicts("every problem counted", verdicts, evidence.num_problems)
        numbers.append(replace(whole, note=f"{evidence.num_problems - len(judged)} problems are not in the log"))
    return numbers


def of_regrading(evidence: Evidence, ours: Regraded) -> list[Number]:
    """Under official and under strict rules."""
    is_split = ours.official != ours.official_base or has_plus(evidence)
    pairs = ((OFFICIAL, ours.official_base, ours.official), (STRICT, ours.strict_base, ours.strict))
    return [one for pair in pairs for one in of_parts(*pair, is_split)]


def own_verdicts(evidence: Evidence) -> Verdicts:
    return {key_of(one): is_passed(one) for one in evidence.records if one.judgements}


def has_plus(evidence: Evidence) -> bool:
    return any("plus" in record.judgements for record in evidence.records)


def _of_means(evidence: Evidence) -> list[Number]:
    """Where a tool kept one number for all samples of a problem: the mean of these."""
    return [_number("its own means by problem", list(evidence.shares.values()))] if evidence.shares else []


def of_parts(reading: str, base: Verdicts, whole: Verdicts, is_split: bool) -> list[Number]:
    """One number, or that of the base tests and that of base and extra tests together."""
    if not is_split:
        return [_of_verdicts(reading, whole)]
    return [_of_verdicts(f"{reading}, base", base), _of_verdicts(f"{reading}, base and plus", whole)]


def num_problems(evidence: Evidence, wanted: Wanted) -> int | None:
    """Problems of the benchmark, where log, user or pins leave no doubt; None of windows, which are no gap."""
    if wanted.benchmark is None or _is_windowed(evidence) or evidence.format_name == _OF_2022:
        return None
    benchmark, scenarios = resolve(wanted.benchmark)
    asked = scenarios if wanted.scenario is None else (wanted.scenario,)
    pins = pins_of(benchmark.name)
    proven = wanted.version_name if evidence.dataset is None else evidence.dataset[1]
    versions = list(pins) if proven is None else [proven] if proven in pins else []
    counts = {pins[version].num_tasks(scenario) for version in versions for scenario in asked}
    return counts.pop() if len(counts) == 1 else None


def _is_windowed(evidence: Evidence) -> bool:
    """Problems that carry the day on which they appeared are chosen by it."""
    return bool(evidence.days) or evidence.facts.benchmark == "livecodebench"


def _of_verdicts(reading: str, verdicts: Verdicts, number: int | None = None) -> Number:
    """Mean over problems of the share that passed; problems beyond those judged count as unanswered."""
    by_task: dict[str, list[bool]] = {}
    for (task_id, _), passed in verdicts.items():
        by_task.setdefault(task_id, []).append(passed)
    shares = [sum(several) / len(several) for several in by_task.values()]
    return _number(reading, [*shares, *[0.0] * max(0, (number or 0) - len(shares))])


def _number(reading: str, shares: Sequence[float]) -> Number:
    """The interval that the marts show: Wilson's for one sample per problem, empirical likelihood for means."""
    from ....macros.estimators import interval, interval_of_means

    is_zero_one = all(share in (0.0, 1.0) for share in shares)
    found = interval([int(share) for share in shares], 1, 1) if is_zero_one else interval_of_means(shares)
    low, high = (None, None) if found is None else (100 * found.low, 100 * found.high)
    return Number(reading, 100 * math.fsum(shares) / len(shares), low, high, len(shares))
