"""``benchforge score --cross-check``: the official harness beside ours, differences as a table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import out

if TYPE_CHECKING:
    from ...ingest.manifest import Run
    from ..score.cross_check import CrossCheck
    from ..score.harnesses import Installed
    from ..selection import Selection

_COLUMNS = ("benchmark", "scenario", "task_id", "part", "ours", "theirs", "reason", "known", "program_id")


def print_cross_check(
    run: Run, selection: Selection, settings: Any, jobs: int, folder: Path | None, python: Path | None, format_: str
) -> None:
    """Compare every selected shard that a harness exists for; differences on stdout, counts on stderr.

    Raises UsageError when no selected shard has a harness, NotStaged when the harness is not on this machine.
    """
    from ...ingest.errors import UsageError
    from ..score.cross_check import Beside, cross_check, to_cross_check
    from ..score.harnesses import HARNESSES, harness_of

    shards = to_cross_check(run, selection)
    if not shards:
        known = ", ".join(name for harness in HARNESSES for name in harness.benchmarks)
        raise UsageError(f"no selected shard is of a benchmark whose harness can be run here ({known})")
    wanted = {harness.name: harness for shard in shards if (harness := harness_of(shard.benchmark)) is not None}
    found = {name: _installed(harness, settings, folder, python) for name, harness in wanted.items()}
    mode = settings["score.sandbox_mode"] or None
    means = Beside(found, Path(settings.datasets_root), mode, jobs)
    _print(list(cross_check(run, shards, means)), format_)


def _installed(harness: Any, settings: Any, folder: Path | None, python: Path | None) -> Installed:
    """The given folder, else what was staged, else an environment below the scratch folder, made once when online."""
    from ..score.environments import environment_of
    from ..score.harnesses import find_environment, installed

    folder = folder or _staged(harness, settings.scratch)
    own = environment_of(harness, settings.scratch, is_offline=settings["run.offline"], is_given=folder is not None)
    return installed(harness, (folder or own or Path()).absolute(), python or (find_environment(own) if own else None))


def _staged(harness: Any, scratch: Path) -> Path | None:
    """The checkout that the user staged of a harness that PyPI does not have, every file as it was."""
    from ...ingest.staging.harness_sources import source_of, sources_root, staged_harness

    if harness.requirement is not None:
        return None
    found = staged_harness(source_of(harness.name), sources_root(scratch))
    return found.folder if found else None


def _print(checks: list[CrossCheck], format_: str) -> None:
    from ...ingest.keys import program_id

    rows: list[dict[str, Any]] = []
    for check in checks:
        rows += [{**asdict(one), "program_id": program_id(one.program).hex()} for one in check.differences]
    out.table(rows, _COLUMNS, format_)
    for check in checks:
        out.say(
            f"{check.benchmark} {check.scenario}: {check.num_compared} programs compared with {check.harness}, "
            f"{check.num_agreed} agree, {len(check.differences)} parts differ ({check.num_unexplained} without a "
            f"known reason), {check.num_not_compared} not compared"
        )
