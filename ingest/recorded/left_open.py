"""What a log leaves open: which problem a row is, which tests a verdict is on, whether there is anything at all.

Where no problem is named, the rows are the benchmark's problems in order, or they are not, and nothing in the file
tells which. A place is taken for a problem only where the user says so and the numbers agree.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from ..benchmarks.outside import is_outside
from ..bundled.task_ids import known_task_ids
from ..errors import BadInput
from ..formats import Recording, registry
from ..pins import Pin


def refuse_nothing(path: Path, recording: Recording) -> None:
    """BadInput for a file with stated scores and no sample: what it states is not enough to recompute it."""
    if recording.records:
        return
    if recording.stated_scores:
        shown = ", ".join(f"{name} {value:.2f}" for name, value in list(recording.stated_scores.items())[:3])
        raise BadInput(f"{path} states scores ({shown}) and holds no sample", "import the file with the samples")
    raise BadInput(f"{path} holds no sample", "is the run finished?")


def refuse_unknown_problems(path: Path, recording: Recording) -> None:
    """BadInput where the file states the digest of a problem file, and no version of ours has it."""
    if recording.facts.dataset_hash is not None and recording.dataset is None:
        raise BadInput(
            f"{path} was graded against a problem file with md5 {recording.facts.dataset_hash}, "
            "which is none of the pinned versions",
            "grade the samples again: import the samples file, then benchforge score",
        )


def without_mixed_verdicts(recording: Recording, format_name: str, test_sets: Collection[str]) -> Recording:
    """The texts alone, where one verdict is on base and extra tests together: no number could count it."""
    if "plus" not in test_sets or registry()[format_name].judges_parts:
        return recording
    if not any(record.judgements for record in recording.records):
        return recording
    note = "its verdicts are on base and extra tests together, which no number counts: only the texts are taken"
    records = tuple(replace(record, judgements={}) for record in recording.records)
    facts = replace(recording.facts, notes=(*recording.facts.notes, note))
    return replace(recording, records=records, facts=facts)


def named_by_place(path: Path, recording: Recording, pin: Pin, scenario: str, is_by_position: bool) -> Recording:
    """The recording with its places as problems; as it is where it names them itself.

    Raises BadInput where nobody says that the order is the benchmark's own, no list of problems is kept, or there are
    more or fewer places than problems.
    """
    if not recording.facts.is_by_position or is_outside(pin.benchmark):
        return recording  # outside, places are the only names there are
    if not is_by_position:
        raise BadInput(
            f"{path} names no problem: the order of its rows is the only key",
            "--by-position takes them for the benchmark's problems in the benchmark's own order",
        )
    names = known_task_ids(pin.benchmark, pin.dataset_version, scenario)
    places = sorted({record.task_id for record in recording.records}, key=lambda one: (len(one), one))
    if names is None or len(names) != len(places):
        known = "no list of problems is kept" if names is None else f"{len(names)} problems are known"
        raise BadInput(
            f"{path} has {len(places)} places, and of {pin.benchmark} {pin.dataset_version} {known}",
            "check --benchmark and --version",
        )
    named = dict(zip(places, names, strict=True))
    records = tuple(replace(record, task_id=named[record.task_id]) for record in recording.records)
    facts = {named[place]: one for place, one in recording.task_facts.items()}
    return replace(recording, records=records, task_facts=facts)
