"""Does a recording hold what the benchmark and the plan say it must? Answered before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput
from ..formats import Record

_NUM_SHOWN = 3
_IF_MEANT = "--num-samples N says that they are samples"


@dataclass(frozen=True)
class Expected:
    """Tasks of the benchmark: every id it may have (None: no list is kept), and how many it has (None: not pinned).

    More ids than tasks are a superset: strangers are refused by name, completeness goes by the number.
    """

    task_ids: Collection[str] | None
    num_tasks: int | None


@dataclass(frozen=True)
class Reconciled:
    """Samples planned per task, and every gap in words; no gaps means that the recording is whole."""

    num_planned: int
    gaps: tuple[str, ...]


def reconcile(path: Path, records: Sequence[Record], expected: Expected, num_samples: int | None) -> Reconciled:
    """Refuse what can never be right; say what is missing.

    ``num_samples`` is the n that was planned; None takes the largest number of samples that any task has.

    Raises BadInput, all faults in one sentence: tasks that the benchmark does not have, one sample twice, a sample
    index beyond the plan.
    """
    by_task = Counter(record.task_id for record in records)
    planned = num_samples or max((0, *(record.sample_index for record in records))) + 1
    faults = [
        *_unknown_tasks(by_task, expected),
        *(_duplicates(records) or ([] if num_samples else _repeated_rows(by_task, records))),
        *_beyond_plan(records, planned),
    ]
    if faults:
        raise BadInput(f"{path}: {'; '.join(faults)}", "check --benchmark, --scenario, --version and --num-samples")
    return Reconciled(planned, (*_missing_tasks(by_task, expected), *_missing_samples(by_task, planned)))


def _unknown_tasks(by_task: Counter[str], expected: Expected) -> list[str]:
    if expected.task_ids is not None:
        known = frozenset(expected.task_ids)
        unknown = [task_id for task_id in by_task if task_id not in known]
        if unknown:
            return [f"the benchmark does not have {_counted(unknown, 'task')}"]
    if expected.num_tasks is not None and len(by_task) > expected.num_tasks:
        return [f"it holds {len(by_task)} tasks, the benchmark has {expected.num_tasks}"]
    return []


def _duplicates(records: Sequence[Record]) -> list[str]:
    counts = Counter((record.task_id, record.sample_index) for record in records)
    twice = [f"{task_id} sample {index}" for (task_id, index), count in counts.items() if count > 1]
    return [f"it holds {_counted(twice, 'sample')} more than once"] if twice else []


def _repeated_rows(by_task: Counter[str], records: Sequence[Record]) -> list[str]:
    """Rows written twice, seen by what they say: rows without an index number each other, so no index repeats.

    The whole file again after itself; or, where most tasks have n samples, one with more of which two are equal. Equal
    samples alone are no fault (short answers repeat); whoever means them states the number of samples.
    """
    if any(record.text is None for record in records):
        return []  # verdicts alone are equal by chance
    if num_copies := _num_copies(records):
        return [f"its rows stand {num_copies} times in the same order ({_IF_MEANT})"]
    usual, num_usual = Counter(by_task.values()).most_common(1)[0] if by_task else (0, 0)
    if 2 * num_usual <= len(by_task):
        return []
    said = Counter(_essence(record) for record in records if by_task[record.task_id] > usual)
    twice = list(dict.fromkeys(task_id for (task_id, *_), count in said.items() if count > 1))
    if not twice:
        return []
    num_others = f"{usual} sample{'' if usual == 1 else 's'}"
    return [f"{_counted(twice, 'task')} with a row that stands twice, the others have {num_others} ({_IF_MEANT})"]


def _num_copies(records: Sequence[Record]) -> int:
    """How often the same sequence of rows follows itself; 0 when it does not. One task alone proves nothing."""
    said = [_essence(record) for record in records]
    again = [index for index in range(1, len(said) // 2 + 1) if said[index] == said[0] and len(said) % index == 0]
    for period in again:
        if len({essence[0] for essence in said[:period]}) > 1 and said[period:] == said[:-period]:
            return len(said) // period
    return 0


def _essence(record: Record) -> tuple[str, str | None, str | None, tuple[tuple[str, str], ...]]:
    verdicts = tuple(sorted((part, judgement.verdict) for part, judgement in record.judgements.items()))
    return record.task_id, record.text, record.text_form, verdicts


def _beyond_plan(records: Sequence[Record], planned: int) -> list[str]:
    below = [f"{record.task_id} sample {record.sample_index}" for record in records if record.sample_index < 0]
    beyond = [f"{record.task_id} sample {record.sample_index}" for record in records if record.sample_index >= planned]
    return [
        *([f"{_counted(below, 'sample')} numbered below the first one"] if below else []),
        *([f"{_counted(beyond, 'sample')} outside 0 … {planned - 1}"] if beyond else []),
    ]


def _missing_tasks(by_task: Counter[str], expected: Expected) -> list[str]:
    if expected.num_tasks is None or len(by_task) >= expected.num_tasks:
        return []
    sentence = f"{expected.num_tasks - len(by_task)} of {expected.num_tasks} tasks missing"
    if expected.task_ids is None or len(expected.task_ids) != expected.num_tasks:
        return [sentence]
    missing = [task_id for task_id in expected.task_ids if task_id not in by_task]
    return [f"{sentence} ({_shown(missing)})"]


def _missing_samples(by_task: Counter[str], planned: int) -> list[str]:
    short = [f"{task_id} ({count} of {planned})" for task_id, count in by_task.items() if count < planned]
    return [f"{_counted(short, 'task')} with fewer than {planned} samples"] if short else []


def _counted(names: Sequence[str], what: str) -> str:
    """``2 tasks (a, b)``: the number, and the first few by name."""
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'} ({_shown(names)})"


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_NUM_SHOWN]) + (" …" if len(names) > _NUM_SHOWN else "")
