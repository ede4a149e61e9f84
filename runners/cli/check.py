"""``benchforge check``: whether the marts, and the lake under them, may be published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options

COLUMNS = ("rule", "severity", "artifact", "num_rows", "example")
_LONGEST_EXAMPLE = 120
"""Characters of an example in the table; JSON, CSV and the page have all of it."""


@click.command(name="check", epilog="Example: benchforge check --page check.html")
@settings_options
@click.option("--recorded", is_flag=True, help="The bundled lake of recorded public verdicts, not the run's.")
@click.option("--file", "file_", type=click.Path(path_type=Path), help="Marts: a file, or a folder of their exports.")
@click.option("--published", type=click.Path(path_type=Path), help="Leaderboard published last: what moved since.")
@click.option("--artifact", "artifacts", multiple=True, help="Look at this table only; may be given several times.")
@click.option("--accept", multiple=True, help="Rule whose findings are meant: a warning this time.")
@click.option("--page", type=click.Path(path_type=Path), help="Write all results as one HTML page.")
@format_option
def command(
    recorded: bool,
    file_: Path | None,
    published: Path | None,
    artifacts: tuple[str, ...],
    accept: tuple[str, ...],
    page: Path | None,
    format_: str,
    **given: Any,
) -> None:
    """Hold the marts against the lake, the manifest and the seeds; print the rows that offend.

    Exit code 4 where a critical rule is broken or could not be asked; warnings are shown and leave it 0.
    """
    from ...ingest.errors import GateFailed
    from ..gate.check import check
    from ..gate.check_page import write_page
    from ..marts_file import built_file, lake_of

    settings = settings_from(**given)
    lake = None if recorded else lake_of(settings)
    built = _existing(file_ or built_file(settings))
    out.say(f"marts: {built}\nlake: {lake or 'bundled (recorded public verdicts)'}")
    found = check(settings, built, lake, published=published and _existing(published), artifacts=artifacts,
                  accept=accept)  # fmt: skip
    if page is not None:
        write_page(page, found)
        out.say(f"page: {page}")
    rows = found.as_rows()
    if format_ == "table":
        rows = [{**row, "example": _short(row["example"])} for row in rows]
    out.table(rows, COLUMNS if format_ == "table" else (*COLUMNS, "message"), format_, title="What offends")
    for finding in found.critical[:5] if format_ == "table" else ():
        out.say(f"{finding.artifact}.{finding.rule}: {finding.message}")
    out.say(f"{found.rules_run} rules asked, {len(found.critical)} critical, {len(found.warnings)} warnings")
    if found.critical:
        raise GateFailed(f"{len(found.critical)} critical rules are broken; nothing may be published",
                         "benchforge check --format json, to see every offender")  # fmt: skip


def _existing(path: Path) -> Path:
    from ...ingest.errors import UsageError

    if not path.exists():
        raise UsageError(f"there is nothing at {path}", "build the marts with benchforge aggregate, or give --file")
    return path


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"
