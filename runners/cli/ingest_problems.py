"""``benchforge ingest-problems``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .console import out
from .options import dry_run_option, format_option, num_workers_of, settings_from, settings_options

_COLUMNS = ("benchmark", "release", "new", "problems", "state", "sha256", "path")


@click.command(
    name="ingest-problems",
    epilog="Example: benchforge ingest-problems spring.jsonl --name spring_contest --licence CC-BY-4.0",
)
@click.argument("source_path", metavar="FILE|DIR", type=click.Path(exists=True, path_type=Path))
@click.option("--name", required=True, help="Benchmark of your own that they become the next release of.")
@click.option(
    "--layout",
    type=click.Choice(("jsonl", "livecodebench")),
    default="jsonl",
    help="Ours (docs/fresh_problems.md), or LiveCodeBench's files.",
)
@click.option("--source", help="Where they are from, for lines that do not say.")
@click.option("--licence", help="Their licence, for lines that do not say.")
@click.option(
    "--solutions",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with a program ID.py per problem, for lines without solution.",
)
@click.option(
    "--accept-similar",
    "accepted",
    multiple=True,
    metavar="ID",
    help="Compared, and a problem of its own.",
)
@click.option("--sandbox-mode", help="Outer sandbox; the best available without.")
@click.option("--jobs", type=click.IntRange(min=0), default=0, help="Sandboxes side by side; 0: one per core.")
@settings_options
@dry_run_option
@format_option
def command(
    source_path: Path,
    name: str,
    layout: str,
    source: str | None,
    licence: str | None,
    solutions: Path | None,
    accepted: tuple[str, ...],
    sandbox_mode: str | None,
    jobs: int,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Take dated problems of FILE or DIR in, as the next release of a benchmark of your own.

    Checked whole before anything is written: dates, licences, statements that are known already, and every solution
    against its tests in the sandbox. Problems of earlier releases stay; what is there already is left out.
    """
    from ..score.platform import require_linux

    require_linux()
    from ...ingest.fresh.layouts import Defaults
    from ..ingest_problems import Means, Wanted, ingest_problems
    from ..signals import interruptible

    settings = settings_from(**settings_options)
    wanted = Wanted(name, source_path, layout, Defaults(source, licence, solutions), frozenset(accepted))
    mode = sandbox_mode or settings["score.sandbox_mode"] or None
    means = Means(mode, num_workers_of(jobs))
    with interruptible("nothing was written"):
        done = ingest_problems(wanted, settings.datasets_root, means, is_dry_run=dry_run, watch=_progress)
    compared = ", ".join(done.compared) or "none"
    absent = f"; not staged: {', '.join(done.absent)}" if done.absent else ""
    out.say(f"compared with {done.num_statements} statements (benchmarks: {compared}{absent})")
    state = "nothing new" if not done.num_new else "to write" if dry_run else "written"
    row = {"benchmark": done.name, "release": done.release.name, "new": done.num_new, "state": state}
    row |= {"problems": done.release.num_problems, "sha256": done.release.sha256, "path": str(done.path or "")}
    out.table([row], _COLUMNS, format_)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    with out.progress(total, "solutions") as bar:
        yield bar.advance
