"""``benchforge verify``: integrity of a run and its lake, or of a published folder; what can be mended is mended."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ...ingest.errors import UsageError
from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

_STEPS = ("rule", "artifact", "action", "outcome")
_FOUND = ("rule", "kind", "artifact", "num_rows", "message", "example")


@click.command(name="verify", epilog="Example: benchforge verify --repair --dry-run")
@settings_options
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--recorded", is_flag=True, help="The bundled lake and the installed package, not the run's.")
@click.option("--repair", is_flag=True, help="Mend what can be mended; rows are set aside, never deleted.")
@click.option("--quick", is_flag=True, help="Names, footers, lists and markers only; no page is decoded.")
@click.option("--threads", type=click.IntRange(1), help="Parts looked at side by side; default: one per core.")
@dry_run_option
@format_option
def command(
    folder: Path | None,
    recorded: bool,
    repair: bool,
    quick: bool,
    threads: int | None,
    dry_run: bool,
    format_: str,
    **given: Any,
) -> None:
    """Look whether a run and its lake (or FOLDER: a run, a lake, or what was published) are what their writers left.

    Exit code 0: whole; 1: damaged; 3: whole, but shards are pending. --repair seals again from journals, writes
    markers and lists again, sets damaged parts aside and marks pending what has to be done again. Nothing else may
    write meanwhile.
    """
    if dry_run and not repair:
        raise UsageError("verify writes nothing", "--dry-run goes with --repair")
    settings = settings_from(**given)
    look = _look_of(settings, folder, recorded, repair, threads or len(os.sched_getaffinity(0)), quick)
    if repair:
        from ..gate.verify.repair import repair as mend

        steps, found = mend(look, is_dry_run=dry_run)
        out.table([asdict(step) for step in steps], _STEPS, format_, title="Repairs")
        if dry_run:
            return
    else:
        found = look()
    rows = [{**fault.finding().as_row(), "kind": fault.kind} for fault in found.faults]
    if not (repair and format_ != "table"):
        out.table(rows, _FOUND, format_)
    out.say(_sentence(found))
    sys.exit(found.exit_code)


def _look_of(settings: Any, folder: Path | None, recorded: bool, repair: bool, threads: int, quick: bool) -> Any:
    """What looks at the place that the words mean."""
    from ...ingest.bundled import RECORDED_LAKE
    from ..gate.verify import verify, verify_published

    if recorded and folder is not None:
        raise UsageError("--recorded names a folder already", "leave one of the two out")
    place = RECORDED_LAKE if recorded else folder
    if place is not None and (place / "shards" / "manifest.jsonl").is_file():
        return lambda: verify(place / "lake", place, num_threads=threads, is_quick=quick)
    if place is not None and (place / "_live").is_dir():
        return lambda: verify(place, num_threads=threads, is_quick=quick)
    if place is not None:
        if repair:
            raise UsageError(f"{place} is published: it is made anew, not mended", "benchforge publish")
        return lambda: verify_published(place, num_threads=threads, is_quick=quick)
    if not settings.run_root.is_dir() and not settings.lake_root.is_dir():
        raise UsageError(f"there is no run at {settings.run_root}", "name it with --run-name or --scratch, or a FOLDER")
    roots = settings.lake_root, settings.run_root, settings.datasets_root
    return lambda: verify(*roots, num_threads=threads, is_quick=quick, tell=lambda step: out.say(f"looking at {step}"))


def _sentence(found: Any) -> str:
    counts = {kind: sum(fault.kind == kind for fault in found.faults) for kind in ("damage", "incomplete", "leftover")}
    words = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number) or "whole"
    return f"{found.num_parts} parts with {found.num_rows} rows of {found.num_shards} shards: {words}"
