"""``benchforge audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import PERCENT, format_option, num_workers_of, settings_from, settings_options

if TYPE_CHECKING:
    from ..ask.audit.answer import Answer

_NUMBERS = ("file", "reading", "percent", "interval_low", "interval_high", "num_problems", "note")
_CAUSES = ("file", "cause_id", "kind", "num_samples", "effect_points", "worth", "found")


@click.command(name="audit", epilog="Example: benchforge audit samples_eval_results.json --html audit.html")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--benchmark", help="Benchmark or scenario, where the log does not say.")
@click.option("--scenario", help="Which scenario, where the benchmark has several.")
@click.option("--version", "version_name", help="Dataset version, where the log does not prove one.")
@click.option("--stated", type=PERCENT, help="The score as published, in percent, where no file states it.")
@click.option("--board", type=click.Path(path_type=Path), help="Published table, CSV of name,score,n (problems).")
@click.option("--cutoff", type=click.DateTime(["%Y-%m-%d"]), help="Last day of the model's training data.")
@click.option("--by-position", "is_by_position", is_flag=True, help="Rows without names are the problems in order.")
@click.option("--regrade/--no-regrade", "is_graded", default=True, help="Grade again where the problems are staged.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="One page to attach to an issue.")
@settings_options
@format_option
def command(
    files: tuple[Path, ...],
    benchmark: str | None,
    scenario: str | None,
    version_name: str | None,
    stated: float | None,
    board: Path | None,
    cutoff: Any,
    is_by_position: bool,
    is_graded: bool,
    html: Path | None,
    format_: str,
    **settings_options: Any,
) -> None:
    """Give a second opinion on the score of a log: is it right, if not, why, and does its rank survive.

    Logs of any tool that import reads. Files that state scores, and files of the samples that were graded, are taken
    for the log beside them; logs of several models are compared pair by pair, models of a question-level table ranked.
    Nothing is written but the page.
    """
    from ...ingest.recorded import AUTO, Wanted
    from ..ask.audit.answer import answer
    from ..ask.audit.board import read_board

    settings = settings_from(**settings_options)
    wanted = Wanted(AUTO, benchmark, scenario=scenario, version_name=version_name, is_by_position=is_by_position)
    found = answer(
        files,
        wanted,
        means=_means(settings) if is_graded else None,
        stated=stated,
        board=None if board is None else read_board(board),
        cutoff=None if cutoff is None else cutoff.date(),
    )
    _say(found)
    _print(found, format_)
    if found.audits and not any(audit.causes for audit in found.audits):
        out.say("no known cause was found")
    if html is not None:
        _write(html, found)


def _say(found: Answer) -> None:
    for audit in found.audits:
        out.say(f"{audit.file}: {audit.format_name} of {audit.tool}, {audit.title}")
        for note in audit.notes:
            out.say(f"  {note}")
    for note in found.notes:
        out.say(note)


def _write(html: Path, found: Answer) -> None:
    from ...ingest.lake import replace_file
    from ..ask.audit.page import page

    replace_file(html, page(found).encode("utf-8", "replace"))
    out.say(f"{html}: the page")


def _print(found: Answer, format_: str) -> None:
    from ..ask.audit.board import BOARD_COLUMNS
    from ..ask.audit.pairs import PAIR_COLUMNS
    from ..ask.audit.report import CAUSE_COLUMNS, SAMPLE_COLUMNS, cause_rows, number_rows, sample_rows
    from ..ask.audit.tables import STANDING_COLUMNS

    is_json = format_ == "json"
    tables = {
        "numbers": (number_rows(found.audits), _NUMBERS, ""),
        "causes": (cause_rows(found.audits), CAUSE_COLUMNS if is_json else _CAUSES, ""),
        "board": (found.board, BOARD_COLUMNS, "On the published board"),
        "pairs": (found.pairs, PAIR_COLUMNS, "Pairs, on the problems that both answered"),
        "models": (found.models, STANDING_COLUMNS, "Models of the table, and whether each is told from the next"),
    }
    if is_json:
        tables["samples"] = (sample_rows(found.audits), SAMPLE_COLUMNS, "")
    notes = [*found.notes, *(note for audit in found.audits for note in audit.notes)]
    out.sections(tables, format_, {"notes": notes})


def _means(settings: Any) -> Any:
    """How to grade; None where it cannot be done on this system."""
    import sys

    if sys.platform != "linux":
        return None
    from ..score.pending import Means

    workers = num_workers_of(settings["score.num_workers"] or 0)
    return Means(Path(settings.datasets_root), settings["score.sandbox_mode"] or None, workers, False)
