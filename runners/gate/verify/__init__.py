"""``benchforge verify``: whether a run, a lake or a published folder is what its writers left, at any time.

Nothing is trusted because of where it lies: parts hash to their names, lists and markers and the plan tell one story,
rows of different tables belong together, journals say what was sealed. Everything is read by the batch. What the rows
*mean* (ranges, scores, licences) is the business of ``check``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....expectations.findings import Findings
from ....ingest.lake import Lake
from ....ingest.manifest import Run
from .faults import RULES, Fault, exit_code
from .live import Looks
from .place import Place

__all__ = ["RULES", "Fault", "Verified", "exit_code", "verify", "verify_published"]

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Verified:
    """What was found, worst first, and how much was looked at."""

    faults: tuple[Fault, ...]
    num_parts: int = 0
    num_rows: int = 0
    num_shards: int = 0

    @property
    def exit_code(self) -> int:
        """0 whole, 1 damaged, 3 whole as far as it goes, but not finished."""
        return exit_code(self.faults)

    @property
    def findings(self) -> Findings:
        return Findings(tuple(fault.finding() for fault in self.faults), len(RULES))


def verify(
    lake: Path,
    run_root: Path | None = None,
    datasets_root: Path | None = None,
    *,
    num_threads: int = 4,
    is_quick: bool = False,
    tell: Tell = lambda step: None,
) -> Verified:
    """Look at a lake in the form that runs write, and at the run that wrote it (None: the lake alone).

    ``datasets_root``: staged problems are looked at as well. ``is_quick``: names, footers, lists and markers only.
    Nothing is written.
    """
    from .lanes import look_at_lanes, look_at_progress
    from .leftovers import look_at_leftovers
    from .live import look_at_dead_parts, look_at_lists, look_at_parts, looks_of
    from .plans import look_at_plan

    place = Place(Lake(lake), _run(run_root, lake), datasets_root)
    _ = place.markers  # before the lists: what a marker tells of was entered in them before it
    tell("parts")
    looks = looks_of(place, num_threads, is_quick)
    faults = [*look_at_plan(place), *look_at_lists(place), *look_at_parts(place, looks)]
    faults += [*look_at_dead_parts(place, looks, is_quick), *look_at_lanes(place, looks)]
    faults += [*look_at_progress(place, looks, is_quick), *look_at_leftovers(place)]
    if not is_quick:
        faults += _slow(place, looks, num_threads, tell)
    num_rows = sum(look.num_rows or 0 for look in looks.values())
    return Verified(_worst_first(faults), len(looks), num_rows, len(place.shards))


def verify_published(folder: Path, *, num_threads: int = 4, is_quick: bool = False) -> Verified:
    """Look at an assembled ``publish/`` folder, at one repository of it, or at a snapshot from the Hub."""
    from .published import look_at_published

    return look_at_published(folder, num_threads, is_quick)


def _slow(place: Place, looks: Looks, num_threads: int, tell: Tell) -> list[Fault]:
    from .journals import look_at_journals
    from .live import look_at_compactions
    from .planned_values import look_at_values
    from .rows import connected, look_at_rows
    from .staged import look_at_package, look_at_staged

    with connected(num_threads) as connection:
        tell("rows")
        faults = [*look_at_rows(place, looks, connection), *look_at_compactions(place, looks, connection)]
    tell("journals")
    faults += [*look_at_values(place, looks), *look_at_journals(place, looks)]
    tell("staged files")
    staged = look_at_staged(place.datasets_root) if place.datasets_root is not None else ()
    return [*faults, *staged, *look_at_package()]


def _run(root: Path | None, lake: Path) -> Run | None:
    """A folder with a plan, or with markers of one that is gone."""
    is_run = root is not None and any((root / name).exists() for name in ("shards/manifest.jsonl", "manifests"))
    return Run(root, Lake(lake)) if root is not None and is_run else None


def _worst_first(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Damage, then what is not finished, then leftovers; by rule in the order of ``RULES``."""
    order = {rule.name: number for number, rule in enumerate(RULES)}
    kinds = ("damage", "incomplete", "leftover")
    return tuple(sorted(faults, key=lambda fault: (kinds.index(fault.kind), order[fault.rule], fault.artifact)))
