"""Causes in which problems were asked, when they appeared and what graded them. Each is named after its cause."""

from __future__ import annotations

import re

from ....ingest.benchmarks.errata import errata
from .causes_of_graders import LCB
from .evidence import Evidence, Finding, key_of, parses, percent_of

_MINI = {"401e75ad986361dccc7afecb4121e295": "the mini file of HumanEval+ v0.1.10"}
"""md5 of evalplus/humanevalplus_release@200defc:HumanEvalPlus-Mini.jsonl, unpacked."""
_NUM_DS1000_INSERTION = 845
_GOLD = re.compile(r"(\d+) problems have no passing gold solution")
_WRONG_PACKAGES = 0.05
"""Share of gold solutions that fail: three of 1,140 is what the right packages give (BigCodeBench's own logs)."""
_MIN_ALL = 50
_SOUND = 0.5


def evalplus_mini_or_noextreme(evidence: Evidence) -> Finding | None:
    known = _MINI.get(evidence.facts.dataset_hash or "")
    return Finding("evalplus_mini_or_noextreme", f"graded against {known}") if known else None


def unknown_problem_file(evidence: Evidence) -> Finding | None:
    md5 = evidence.facts.dataset_hash
    if md5 is None or evidence.dataset is not None or md5 in _MINI:
        return None
    return Finding("unknown_problem_file", f"graded against a problem file with md5 {md5}, which is no release's")


def ds1000_insertion_subset(evidence: Evidence) -> Finding | None:
    is_subset = evidence.tool == "bigcode-evaluation-harness" and len(evidence.by_task) == _NUM_DS1000_INSERTION
    sentence = "845 of the 1,000 problems: Matplotlib's have no insertion form"
    return Finding("ds1000_insertion_subset", sentence) if is_subset else None


def lcb_errata(evidence: Evidence) -> Finding | None:
    """A notice: what the score is without the problems whose tests or answers are listed as wrong."""
    known = {task_id for benchmark, _, task_id in errata() if benchmark == "livecodebench"}
    is_lcb = evidence.facts.benchmark == "livecodebench" and not evidence.facts.is_by_position
    failed = [one for one in evidence.failed if one.task_id in known]
    if not is_lcb or not failed or evidence.percent is None:
        return None
    names = known & set(evidence.shares)
    without = percent_of({name: share for name, share in evidence.shares.items() if name not in known})
    points = None if without is None else evidence.percent - without
    sentence = f"{len(names)} problems stand in the benchmark's list of errata; without them {without or 0:.2f}"
    return Finding("lcb_errata", sentence, tuple(map(key_of, failed)), points, is_exact=points is not None)


def window_before_cutoff(evidence: Evidence) -> Finding | None:
    """Problems that appeared before the model's training data ended, and what the score is on the others."""
    if evidence.cutoff is None or not evidence.shares:
        return None
    before = {name for name, day in evidence.days.items() if day <= evidence.cutoff}
    after = {name: share for name, share in evidence.shares.items() if name not in before}
    early = {name: share for name, share in evidence.shares.items() if name in before}
    if not early:
        return None
    late = percent_of(after)
    points = None if late is None else (evidence.percent or 0) - late
    shown = "none appeared after it" if late is None else f"{late:.2f} on the {len(after)} after it"
    sentence = f"{len(early)} problems appeared up to {evidence.cutoff}: {percent_of(early):.2f} on these, {shown}"
    samples = tuple(key_of(one) for one in evidence.records if one.task_id in before)
    return Finding("window_before_cutoff", sentence, samples, points, is_exact=points is not None)


def bigcodebench_calibration(evidence: Evidence) -> Finding | None:
    """A notice: in a calibrated file every program begins with the signature and a ``pass``, so it stands twice."""
    programs = [
        one.program or one.text or ""
        for one in evidence.records
        if evidence.tool == "BigCodeBench" and one.judgements and (one.program or one.text)
    ]
    if len(programs) < _MIN_ALL or any(len(re.findall(r"^def task_func\b", one, re.MULTILINE)) > 1 for one in programs):
        return None
    return Finding("bigcodebench_calibration", "no program begins with the prompt's imports: not calibrated")


def library_versions(evidence: Evidence) -> Finding | None:
    found = [int(said[1]) for note in evidence.facts.notes if (said := _GOLD.search(note))]
    share = max(found, default=0) / max(len(evidence.by_task), 1)
    if share <= _WRONG_PACKAGES:
        return None
    sentence = f"{max(found)} gold solutions fail where this was graded: the wrong packages"
    return Finding("library_versions", sentence, (), -100 * share)


def rlimit_inherited(evidence: Evidence) -> Finding | None:
    """As ``macos_setrlimit`` of EvalPlus: nothing passes, and the programs are sound."""
    is_all = len(evidence.failed) == len(evidence.records) >= _MIN_ALL and evidence.tool in ("OpenCompass", LCB)
    sound = [one for one in evidence.records if is_all and parses(one.program or one.text or "")]
    sound = [one for one in sound if (one.program or one.text or "").strip()]
    is_odd = len(sound) > _SOUND * len(evidence.records)
    return evidence.finding("rlimit_inherited", sound if is_odd else (), "Python that parses, and nothing passed", -1)
