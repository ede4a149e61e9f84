"""``benchforge audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options

_NUMBERS = ("file", "reading", "percent", "interval_low", "interval_high", "num_problems", "note")
_CAUSES = ("file", "cause_id", "kind", "num_samples", "effect_points", "found")


@click.command(name="audit", epilog="Example: benchforge audit samples_eval_results.json --html audit.html")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--benchmark", help="Benchmark or scenario, where the log does not say.")
@click.option("--scenario", help="Which scenario, where the benchmark has several.")
@click.option("--version", "version_name", help="Dataset version, where the log does not prove one.")
@click.option("--stated", type=float, help="The score as published, in percent, where no file states it.")
@click.option("--regrade/--no-regrade", "is_graded", default=True, help="Grade again where the problems are staged.")
@click.option("--html", type=click.Path(path_type=Path), help="One page to attach to an issue.")
@settings_options
@format_option
def command(
    files: tuple[Path, ...],
    benchmark: str | None,
    scenario: str | None,
    version_name: str | None,
    stated: float | None,
    is_graded: bool,
    html: Path | None,
    format_: str,
    **settings_options: Any,
) -> None:
    """Give a second opinion on the score of a log: is it right, and if not, why.

    Logs of any tool that import reads. Files that state scores are taken for the logs beside them. Nothing is written
    but the page.
    """
    from ...ingest.lake import replace_file
    from ...ingest.recorded import AUTO, Wanted
    from ..ask.audit.page import page
    from ..ask.audit.report import audited, cause_rows, number_rows

    settings = settings_from(**settings_options)
    wanted = Wanted(AUTO, benchmark, scenario=scenario, version_name=version_name)
    logs, scores = _sorted_out(files, wanted)
    if stated is not None:
        scores["pass@1 (as published)"] = stated
    audits = [audited(path, wanted, scores, _means(settings) if is_graded else None) for path in logs]
    for audit in audits:
        out.say(f"{audit.file}: {audit.format_name} of {audit.tool}, {audit.title}")
        for note in audit.notes:
            out.say(f"  {note}")
    if format_ == "json":
        _print_json(audits)
    else:
        out.table(number_rows(audits), _NUMBERS, format_)
        if rows := cause_rows(audits):
            out.table(rows, _CAUSES, format_)
    if not any(audit.causes for audit in audits):
        out.say("no known cause was found")
    if html is not None:
        replace_file(html, page(audits).encode("utf-8", "replace"))
        out.say(f"{html}: the page")


def _print_json(audits: Any) -> None:
    """One document: both tables under their names."""
    import json

    from ..ask.audit.report import cause_rows, number_rows

    out.data(json.dumps({"numbers": number_rows(audits), "causes": cause_rows(audits)}, indent=1))


def _sorted_out(files: tuple[Path, ...], wanted: Any) -> tuple[list[Path], dict[str, float]]:
    """Logs with samples, and the scores that the other files state."""
    from ...ingest.errors import BadInput
    from ...ingest.formats import Context, registry
    from ...ingest.recorded import settled

    logs: list[Path] = []
    scores: dict[str, float] = {}
    for path in files:
        name = settled(path, wanted).format_name
        entry = registry().get(name)
        if entry is not None and not entry.has_samples:
            scores |= entry.log(path, Context("", "")).stated_scores
        else:
            logs.append(path)
    if not logs:
        shown = ", ".join(f"{name} {value:.2f}" for name, value in scores.items())
        raise BadInput(f"no file holds samples; stated is {shown}", "name the file with the samples as well")
    return logs, scores


def _means(settings: Any) -> Any:
    """How to grade; None where it cannot be done on this system."""
    import os
    import sys

    if sys.platform != "linux":
        return None
    from ..score.pending import Means

    workers = settings["score.num_workers"] or len(os.sched_getaffinity(0))
    return Means(Path(settings.datasets_root), settings["score.sandbox_mode"] or None, workers, False)
