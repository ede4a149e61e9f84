"""Causes in what was counted: samples, estimators, problems, versions. Each is named after its cause."""

from __future__ import annotations

from .causes_of_graders import LM
from .evidence import Evidence, Finding, doc, equal_texts

_MIN_TASKS = 5
_MBPP_COUNTS = {974: "all of MBPP", 500: "MBPP's test split", 427: "sanitised MBPP", 257: "OpenCompass' sanitised MBPP"}
_LCB_RELEASES = (400, 511, 612, 713, 880, 1055)


def n_below_k(evidence: Evidence) -> Finding | None:
    artefacts = [name for name, k in evidence.stated_ks.items() if evidence.records and k > evidence.num_samples]
    if not artefacts:
        return None
    shown = ", ".join(f"{name} {evidence.stated_scores[name]:.2f}" for name in artefacts)
    return Finding("n_below_k", f"{shown} of {evidence.num_samples} samples per problem: no such number exists")


def cruxeval_shrunk_n(evidence: Evidence) -> Finding | None:
    dropped = [one for one in evidence.failed if one.judgements["base"].reason == "empty"]
    stated = next((score for name, score in evidence.stated_scores.items() if evidence.stated_ks.get(name) == 1), None)
    if not dropped:
        return None
    found = evidence.finding("cruxeval_shrunk_n", dropped, "left out of the list instead of counted as wrong", 1)
    strict = _mean_of_tasks(evidence)
    points = None if stated is None else stated - strict
    return None if found is None else Finding(found.cause_id, found.sentence, found.samples, points)


def _mean_of_tasks(evidence: Evidence) -> float:
    passed = dict.fromkeys(evidence.by_task, 0)
    for record in evidence.passed:
        passed[record.task_id] += 1
    return 100 * sum(passed[task_id] / len(several) for task_id, several in evidence.by_task.items()) / len(passed)


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
    is_lcb = evidence.facts.benchmark == "livecodebench" and not evidence.facts.is_by_position
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
    n = evidence.num_samples
    short = [task_id for task_id, several in evidence.by_task.items() if len(several) < n]
    counted = evidence.facts.num_samples
    if evidence.records and counted is not None and counted > len(evidence.records):
        return Finding("missing_samples", f"the log counts {counted} samples and holds {len(evidence.records)}")
    if not short:
        return None
    return Finding("missing_samples", f"{len(short)} problems have fewer than the {n} samples that others have")


def duplicate_samples(evidence: Evidence) -> Finding | None:
    """One more sample than nearly all others have, and it is a copy."""
    counts = sorted(len(several) for several in evidence.by_task.values())
    usual = counts[len(counts) // 2] if counts else 0
    copies = [
        several[-1]
        for several in evidence.by_task.values()
        if len(several) > usual and len({record.text for record in several}) < len(several)
    ]
    is_whole = len(evidence.by_task) > 1 and _is_written_twice(evidence)
    touched = evidence.records[len(evidence.records) // 2 :] if is_whole else copies
    return evidence.finding("duplicate_samples", touched, "a row that stands in the log already")


def _is_written_twice(evidence: Evidence) -> bool:
    half, odd = divmod(len(evidence.records), 2)
    said = [(record.task_id, record.text, str(record.judgements)) for record in evidence.records]
    return not odd and half > 0 and said[:half] == said[half:] and any(text for _, text, _ in said)
