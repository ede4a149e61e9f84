"""The lake of recorded sets: staged, imported, graded again. Each step may be stopped and goes on where it was.

What was imported is remembered by the digest of the file and of what was said of it, so that a second run reads none of
the files again. Verdicts are looked up by task, program and grader as always: programs that are equal are graded once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ....ingest.benchmarks import registry
from ....ingest.benchmarks.outside import is_outside
from ....ingest.errors import BenchforgeError
from ....ingest.formats import means_registry, table_registry
from ....ingest.lake import Lake, replace_file
from ....ingest.manifest import Run, Shard
from ....ingest.recorded import import_file, import_means, import_table, settled
from ....ingest.staging import staged
from ....ingest.staging.files import every_pinned_file, keep_hidden_tests, plan_what_is_there, write_staged
from ...score.pending import Means, score_pending, to_score
from ...selection import Selection
from .recorded_sets import RecordedFile, recorded_files

Say = Callable[[str], None]
_WARM = 0.5
"""Above this temperature answers repeat rarely: many programs for few rows of a board."""


class Work:
    """Folder of the run: the lake, the staged problems, the journal of imports, the marts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = Run(root / "run", Lake(root / "lake"))
        self.datasets = root / "datasets"
        self.journal = root / "imported.json"
        self.marts = root / "boards.duckdb"


def stage(work: Work, directory: Path) -> None:
    """Every pinned problem file that the folder holds. BadInput before anything is written where sets are missing."""
    for _ in recorded_files(directory):
        pass
    plan = plan_what_is_there(every_pinned_file(work.datasets), directory)
    write_staged(plan)
    for _ in keep_hidden_tests([one.wanted for one in plan], directory):
        pass


def fill(work: Work, directory: Path, say: Say) -> dict[str, dict[str, Any]]:
    """Import what was not imported yet; the journal: file -> digest, shards, summary. Raises as import does."""
    journal = json.loads(work.journal.read_text("utf-8")) if work.journal.is_file() else {}
    for file in recorded_files(directory):
        digest = _digest(file)
        if journal.get(file.name, {}).get("digest") == digest:
            continue
        say(f"import {file.name}")
        journal[file.name] = {"digest": digest, **_imported(work, file)}
        replace_file(work.journal, (json.dumps(journal, indent=1) + "\n").encode())
    return journal


def _digest(file: RecordedFile) -> str:
    said = json.dumps(asdict(file.wanted), sort_keys=True).encode()
    return hashlib.sha256(file.path.read_bytes() + said).hexdigest()


def _imported(work: Work, file: RecordedFile) -> dict[str, Any]:
    wanted = settled(file.path, file.wanted)
    if wanted.format_name in means_registry():
        done = import_means(work.run, file.path, wanted)
    elif wanted.format_name in table_registry():
        done = import_table(work.run, file.path, wanted)
    else:
        done = import_file(work.run, file.path, wanted, work.datasets)
    return {"shards": list(done.shard_ids), "summary": done.summary, "notes": list(done.notes)}


def pending(work: Work, means: Means) -> list[Shard]:
    """Shards to grade: of a benchmark that is judged here, with its tests staged, and with texts."""
    found = to_score(work.run, Selection())
    root = means.datasets_root
    judged = [one for one in found if is_judged(one.benchmark, one.dataset_version, one.scenario, root)]
    return sorted(judged, key=_urgency)


def _urgency(shard: Shard) -> tuple[bool, bool, str, str, str, int]:
    """What most rows of boards need comes first: few and nearly greedy answers, then those for pass@5 and more.

    Equal task sets stand beside each other, so that a judge is warmed up once.
    """
    is_warm = (shard.request.get("temperature") or 0) > _WARM
    task_set = (shard.benchmark, shard.dataset_version, shard.scenario)
    return (is_warm, shard.benchmark == "cruxeval", *task_set, shard.expected_rows)


def is_judged(name: str, version: str, scenario: str, datasets_root: Path) -> bool:
    """Whether answers to these problems can be executed here: a benchmark of ours, staged, with tests."""
    if is_outside(name):
        return False
    benchmark = registry()[name]
    try:
        tasks = staged.load_tasks(benchmark, version, scenario, datasets_root)
    except BenchforgeError:
        return False
    return not benchmark.why_not_judged(tasks)


def grade(work: Work, means: Means, say: Say) -> Iterator[str]:
    """Grade what is pending, one line per shard. Raises Incomplete where a sandbox failed, Interrupted on a signal."""
    for scored in score_pending(work.run, pending(work, means), means, False, _quietly(say)):
        yield f"{scored.shard_id}: {scored.num_rows} samples, {scored.num_graded} graded"


def _quietly(say: Say) -> Any:
    @contextmanager
    def progress(shard: Shard) -> Iterator[Callable[[int], None]]:
        say(f"grade {shard.model} on {shard.scenario if shard.scenario != 'default' else shard.benchmark}")
        yield lambda number: None

    return progress
