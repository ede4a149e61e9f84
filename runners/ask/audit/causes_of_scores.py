"""Causes between the verdicts of a log and the score that is stated for it. Each is named after its cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ....ingest.formats import Judgement, Record
from .evidence import Evidence, Finding, is_passed, key_of, percent_of

_NOT_JUDGED = Judgement("fail")
_ROUNDING_POINTS = 0.05
"""Half a unit of the first decimal: how scores are printed."""
_EXACT_POINTS = 5e-3
"""Half a unit of the second decimal, which no score of fewer than 20,000 problems can hide a problem in."""


def stated_pass_at_1(evidence: Evidence) -> tuple[str, float] | None:
    """The stated score that is the mean over all samples, where exactly one is: neither of extra tests nor of k > 1."""
    found = [
        (name, score)
        for name, score in evidence.stated_scores.items()
        if (evidence.stated_ks.get(name) == 1 or "acc" in name or "exact_match" in name) and "plus" not in name
    ]
    return found[0] if len({score for _, score in found}) == 1 else None


def own_percent(evidence: Evidence, counts: Callable[[Record], bool]) -> float | None:
    """Score of the log's verdicts when what ``counts`` says is a pass; samples left out upstream do not count.

    A problem of which all samples were left out is 0, as the harnesses have it.
    """
    passes: dict[str, list[bool]] = {}
    for record in evidence.records:
        if record.judgements:
            several = passes.setdefault(record.task_id, [])
            if all(part.reason != "empty" for part in record.judgements.values()):
                several.append(counts(record))
    return percent_of({task_id: sum(several) / max(len(several), 1) for task_id, several in passes.items()})


def base_passed(record: Record) -> bool:
    return record.judgements.get("base", _NOT_JUDGED).verdict == "pass"


def plus_alone(record: Record) -> bool:
    return "plus" in record.judgements and record.judgements["plus"].verdict == "pass"


def opencompass_mbppplus_plus_only(evidence: Evidence) -> Finding | None:
    """Stated is the share that passes the extra tests, whatever the base tests say."""
    odd = [one for one in evidence.records if one.judgements and plus_alone(one) and not is_passed(one)]
    alone, both = own_percent(evidence, plus_alone), own_percent(evidence, is_passed)
    stated = [score for score in evidence.stated_scores.values() if abs(score - (alone or 0)) < _EXACT_POINTS]
    if not odd or not stated or alone is None or both is None:
        return None
    sentence = f"{len(odd)} samples pass the extra tests and not the base tests, and the stated score counts them"
    return Finding("opencompass_mbppplus_plus_only", sentence, tuple(map(key_of, odd)), stated[0] - both, is_exact=True)


def stated_not_its_verdicts(evidence: Evidence) -> Finding | None:
    """What is stated is not what the verdicts give, and neither missing samples nor rounding are why."""
    stated = stated_pass_at_1(evidence)
    ours = [one for way in (base_passed, is_passed) if (one := own_percent(evidence, way)) is not None]
    if any(record.task_score is not None for record in evidence.records) and evidence.percent is not None:
        ours = [evidence.percent]
    if stated is None or not ours or _is_incomplete(evidence) or _is_reading_of(evidence, stated[1]):
        return None
    if min(abs(stated[1] - one) for one in ours) <= _ROUNDING_POINTS:
        return None
    sentence = f"{stated[0]} is stated as {stated[1]:.2f}, the verdicts give {ours[0]:.2f}"
    return Finding("stated_not_its_verdicts", sentence, (), stated[1] - ours[0], is_exact=True)


def _is_incomplete(evidence: Evidence) -> bool:
    counted = evidence.facts.num_samples
    return counted is not None and counted != len(evidence.records)


def _is_reading_of(evidence: Evidence, score: float) -> bool:
    """Other readings that have a cause of their own: extra tests alone, every sample in the denominator."""
    readings: list[float | None] = [own_percent(evidence, plus_alone), evidence.percent]
    if evidence.facts.num_tasks is not None and evidence.shares:
        readings.append(100 * sum(evidence.shares.values()) / evidence.facts.num_tasks)
    return any(one is not None and abs(one - score) <= _ROUNDING_POINTS for one in readings)


def rounded_before_compare(evidence: Evidence) -> Finding | None:
    """A notice: the number is right, and rounded so far that it must not be tested for equality."""
    stated, own = stated_pass_at_1(evidence), own_percent(evidence, base_passed)
    if stated is None or own is None:
        return None
    is_rounded = abs(round(stated[1], 1) - stated[1]) < 1e-9
    if not is_rounded or not 1e-9 < abs(stated[1] - own) <= _ROUNDING_POINTS + 1e-9:
        return None
    sentence = f"{stated[0]} {stated[1]:g} is {own:.4f} rounded"
    return Finding("rounded_before_compare", sentence, (), stated[1] - own, is_exact=True)


def stale_result_file(evidence: Evidence) -> Finding | None:
    """The file of samples named beside the results holds other programs than those that were graded.

    A sample that continues its prompt stands in the results behind that prompt.
    """
    beside: Mapping[tuple[str, int], str] = evidence.texts_beside
    found = [
        record
        for record in evidence.records
        if record.judgements and key_of(record) in beside and not (record.text or "").endswith(beside[key_of(record)])
    ]
    return evidence.finding("stale_result_file", found, "graded is another program than the file of samples holds")
