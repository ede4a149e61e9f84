"""Causes in what was counted: samples, estimators, problems, versions. Each is named after its cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....ingest.formats import Record
from .causes_of_graders import LCB, LM
from .causes_of_scores import own_percent
from .evidence import Evidence, Finding, doc, equal_texts, is_passed

_MIN_TASKS = 5
_MBPP_COUNTS = {974: "all of MBPP", 500: "MBPP's test split", 427: "sanitised MBPP", 257: "OpenCompass' sanitised MBPP"}
_LCB_WORD = "livecodebench"
_OF_EXECUTION = ("cruxeval", "cruxeval-scored", "livecodebench-execution")
"""LiveCodeBench's code execution has 479 problems and no releases."""
_LCB_RELEASES = (400, 511, 612, 713, 880, 1055)


def n_below_k(evidence: Evidence) -> Finding | None:
    artefacts = [name for name, k in evidence.stated_ks.items() if evidence.records and k > evidence.num_samples]
    if not artefacts:
        return None
    shown = ", ".join(f"{name} {evidence.stated_scores[name]:.2f}" for name in artefacts)
    return Finding("n_below_k", f"{shown} of {evidence.num_samples} samples per problem: no such number exists")


def cruxeval_shrunk_n(evidence: Evidence) -> Finding | None:
    is_this = evidence.tool == "CRUXEval" and evidence.facts.benchmark != _LCB_WORD
    return _shrunk(evidence, "cruxeval_shrunk_n", is_this)


def lcb_execution_shrunk_n(evidence: Evidence) -> Finding | None:
    is_this = evidence.tool in (LCB, "OpenCompass") or evidence.facts.benchmark == _LCB_WORD
    return _shrunk(evidence, "lcb_execution_shrunk_n", is_this)


def _shrunk(evidence: Evidence, cause_id: str, is_this: bool) -> Finding | None:
    """Exact: the share without the answers that were left out, less the share of all answers."""
    dropped = [one for one in evidence.failed if any(part.reason == "empty" for part in one.judgements.values())]
    found = evidence.finding(cause_id, dropped if is_this else (), "left out of the list, not counted as wrong", 1)
    published = own_percent(evidence, is_passed)
    if found is None or published is None or evidence.percent is None:
        return None
    return replace(found, effect_points=published - evidence.percent, is_exact=True)


def lcb_problem_without_samples(evidence: Evidence) -> Finding | None:
    """Exact: problems whose list is empty are left out of the mean, and count here as unanswered."""
    asked, answered = evidence.facts.num_tasks, len(evidence.by_task)
    if evidence.tool != LCB or asked is None or not evidence.shares or answered >= asked:
        return None
    sentence = f"{asked - answered} of {asked} problems have no sample and are left out of the mean"
    points = (evidence.percent or 0) * (1 - answered / asked)
    return Finding("lcb_problem_without_samples", sentence, (), points, is_exact=True)


def opencompass_cruxeval_any(evidence: Evidence) -> Finding | None:
    """At most: of n answers at least one was right, so at most (n - 1) / n of each such problem is too much."""
    passed = [one for one in evidence.passed if _num_predictions(evidence, one) > 1]
    found = evidence.finding("opencompass_cruxeval_any", passed, "passed when any of several answers is right", 1)
    if found is None:
        return None
    points = sum(evidence.weight(one) * (1 - 1 / _num_predictions(evidence, one)) for one in passed)
    return replace(found, effect_points=points)


def _num_predictions(evidence: Evidence, record: Record) -> int:
    return int(record.notes.get("num_predictions") or 1) if evidence.tool == "OpenCompass" else 1


def lcb_failed_request_shift(evidence: Evidence) -> Finding | None:
    n = evidence.num_samples
    empty = [record for record in evidence.records if record.text == ""]
    is_seen = evidence.tool == "LiveCodeBench" and n > 1 and len(empty) >= n
    sentence = "empty replies in runs: those after them can belong to other problems"
    return evidence.finding("lcb_failed_request_shift", empty if is_seen else (), sentence, -1)


def fixed_seed_repeats(evidence: Evidence) -> Finding | None:
    return _repeats(evidence, "fixed_seed_repeats", (evidence.facts.temperature or 0) > 0)


def temperature_dropped(evidence: Evidence) -> Finding | None:
    return _repeats(evidence, "temperature_dropped", not evidence.facts.temperature)


def _repeats(evidence: Evidence, cause_id: str, is_this: bool) -> Finding | None:
    equal = list(equal_texts(evidence))
    if not is_this or len(equal) < _MIN_TASKS or not all(is_equal for _, is_equal in equal):
        return None
    if _is_written_twice(evidence):  # a file appended to itself is no sampling
        return None
    n = evidence.num_samples
    return Finding(cause_id, f"all {n} samples of each of {len(equal)} problems are one text: they are one sample")


def greedy_not_deterministic(evidence: Evidence) -> Finding | None:
    differing = [task_id for task_id, is_equal in equal_texts(evidence) if not is_equal]
    if evidence.facts.temperature != 0 or not differing:
        return None
    sentence = f"at temperature 0 the samples of {len(differing)} problems differ"
    return Finding("greedy_not_deterministic", sentence)


def one_sample_under_many(evidence: Evidence) -> Finding | None:
    promised = {
        int(name.rsplit(":", 1)[1])
        for record in evidence.records
        for name in (record.notes.get("metrics") or {})
        if isinstance(record.notes.get("metrics"), dict) and name.rsplit(":", 1)[-1].isdigit()
    }
    if not promised or max(promised) <= evidence.num_samples:
        return None
    return Finding(
        "one_sample_under_many", f"the metric names {max(promised)} samples, {evidence.num_samples} were made"
    )


def evalscope_repeat_groups(evidence: Evidence) -> Finding | None:
    mixed = [
        one
        for several in evidence.by_task.values()
        if evidence.tool == "evalscope" and len({record.prompt for record in several}) > 1
        for one in several
    ]
    return evidence.finding("evalscope_repeat_groups", mixed, "different problems stand under one as its repeats", 1)


def lmeval_cruxeval_t08_top_p(evidence: Evidence) -> Finding | None:
    is_asked = evidence.tool == LM and evidence.facts.temperature == 0.8 and evidence.facts.top_p is None
    if not is_asked or not any({"code", "input", "output"} <= set(doc(record)) for record in evidence.records):
        return None
    return Finding("lmeval_cruxeval_t08_top_p", "sampled at 0.8 without the top_p of 0.95 that the protocol has")


def mbpp_variants(evidence: Evidence) -> Finding | None:
    num_tasks = len(evidence.by_task)
    is_mbpp = all(task_id.startswith("Mbpp/") for task_id in evidence.by_task)
    if not is_mbpp or num_tasks not in _MBPP_COUNTS:
        return None
    return Finding("mbpp_variants", f"{num_tasks} problems: {_MBPP_COUNTS[num_tasks]}, comparable to no other number")


def mbppplus_v010_v020(evidence: Evidence) -> Finding | None:
    is_old = evidence.dataset == ("mbppplus", "v0.1.0")
    return Finding("mbppplus_v010_v020", "graded on the 399 problems of v0.1.0, v0.2.0 has 378") if is_old else None


def humanevalplus_versions(evidence: Evidence) -> Finding | None:
    is_old = evidence.dataset == ("humanevalplus", "v0.1.9")
    sentence = "graded against v0.1.9, whose extra inputs of two problems differ from v0.1.10"
    return Finding("humanevalplus_versions", sentence) if is_old else None


def lcb_release_or_window(evidence: Evidence) -> Finding | None:
    num_tasks = len(evidence.by_task)
    is_lcb = evidence.facts.benchmark == _LCB_WORD and not evidence.facts.is_by_position
    is_lcb = is_lcb and evidence.format_name not in _OF_EXECUTION
    if not is_lcb or num_tasks in _LCB_RELEASES or num_tasks < _MIN_TASKS:
        return None
    days = sorted(
        {one.task_facts.contest_date for one in evidence.records if one.task_facts and one.task_facts.contest_date}
    )
    span = f", of {days[0]} to {days[-1]}" if days else ""
    return Finding("lcb_release_or_window", f"{num_tasks} problems{span}: no release has as many")


def evalscope_lcb_overlapping_subsets(evidence: Evidence) -> Finding | None:
    subsets = [name for name in evidence.stated_scores if "release_v" in name or "release_latest" in name]
    is_over = evidence.facts.benchmark is not None and (evidence.facts.num_samples or 0) > max(_LCB_RELEASES)
    if evidence.tool != "evalscope" or len(subsets) < 2 or not is_over:
        return None
    return Finding(
        "evalscope_lcb_overlapping_subsets", f"{len(subsets)} subsets that hold each other are counted together"
    )


def limited_subset(evidence: Evidence) -> Finding | None:
    notes = [note for note in evidence.facts.notes if "--limit" in note or "limited to" in note]
    return Finding("limited_subset", notes[0]) if notes else None


def missing_samples(evidence: Evidence) -> Finding | None:
    """Exact where the score is of what is there: less the score with every missing sample counted as wrong."""
    counted, lost = evidence.facts.num_samples, evidence.num_problems or 0
    if evidence.records and counted is not None and counted > len(evidence.records):
        return Finding("missing_samples", f"the log counts {counted} samples and holds {len(evidence.records)}")
    n = evidence.num_samples
    short = [task_id for task_id, several in evidence.by_task.items() if len(several) < n]
    lost = max(0, lost - len(evidence.by_task))
    is_seen = bool(short) and not _is_copied(evidence)
    if not evidence.records or not (is_seen or lost):
        return None
    words = [f"{len(short)} problems have fewer than the {n} samples that others have"] * is_seen
    words += [f"{lost} of {evidence.num_problems} problems are not in the log"] * bool(lost)
    return Finding("missing_samples", "; ".join(words), (), *_of_the_rest(evidence, n, lost))


def _of_the_rest(evidence: Evidence, n: int, lost: int) -> tuple[float | None, bool]:
    if evidence.percent is None or any(one.task_score is not None for one in evidence.records):
        return None, False
    whole = sum(share * len(evidence.by_task[name]) / n for name, share in evidence.shares.items())
    return evidence.percent - 100 * whole / (len(evidence.by_task) + lost), True


def duplicate_samples(evidence: Evidence) -> Finding | None:
    """Exact: less the score without the copies."""
    copies = _copies(evidence)
    found = evidence.finding("duplicate_samples", copies, "a row that stands in the log already")
    if found is None or evidence.percent is None:
        return found
    keys = {id(one) for one in copies}
    rest = replace(evidence, records=tuple(one for one in evidence.records if id(one) not in keys))
    return replace(found, effect_points=evidence.percent - (rest.percent or 0), is_exact=True)


def _copies(evidence: Evidence) -> Sequence[Record]:
    """The second half of a log that was appended to itself, or what a few problems have more than all others."""
    if len(evidence.by_task) > 1 and _is_written_twice(evidence):
        return evidence.records[len(evidence.records) // 2 :]
    usual = evidence.num_samples_usual
    return [
        record
        for several in evidence.by_task.values()
        if len(several) > usual
        for place, record in enumerate(several)
        if place >= usual and record.text in {one.text for one in several[:usual]}
    ]


def _is_copied(evidence: Evidence) -> bool:
    """Whether the problems with more samples than most have them by copies: then nothing is missing."""
    usual = evidence.num_samples_usual
    return bool(_copies(evidence)) and all(len(several) >= usual for several in evidence.by_task.values())


def _is_written_twice(evidence: Evidence) -> bool:
    half, odd = divmod(len(evidence.records), 2)
    said = [(record.task_id, record.text, str(record.judgements)) for record in evidence.records]
    return not odd and half > 0 and said[:half] == said[half:] and any(text for _, text, _ in said)
