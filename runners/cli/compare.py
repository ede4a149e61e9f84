"""``benchforge compare``: two models beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options

SECTIONS = ("boards", "noise", "problems", "reasons", "refused")


@click.command(name="compare", epilog="Example: benchforge compare gpt-4-0613 claude-2 --benchmark cruxeval")
@click.argument("a")
@click.argument("b")
@settings_options
@click.option("--file", "file_", type=click.Path(path_type=Path), help="File of marts (default: the run's, then here).")
@click.option("--benchmark", default="*", help="Benchmark, or a pattern with *.")
@click.option("--metric", default="pass@1", help="Metric of the boards.")
@click.option("--verdict", default="official", help="Reading of the samples: official or strict.")
@click.option("--scope", default="all", help="Problems: all, or a window.")
@click.option("--section", type=click.Choice(SECTIONS), help="One part of the answer only (CSV: boards if none).")
@click.option("--limit", default=20, show_default=True, help="Problems shown in a table; 0: all.")
@format_option
def command(a: str, b: str, file_: Path | None, section: str | None, limit: int, format_: str, **given: Any) -> None:
    """Is A better than B? Problems flipped both ways, interval, p-value, noise, what it would take, and reasons."""
    from ..ask.compare import BOARD_COLUMNS, NOISE_COLUMNS, PROBLEM_COLUMNS, REASON_COLUMNS, REFUSED_COLUMNS, compare
    from ..marts_file import built_file

    narrowed = {name: given.pop(name) for name in ("benchmark", "metric", "verdict", "scope")}
    found = compare(file_ or built_file(settings_from(**given)), a, b, **narrowed)
    shown = found.problems[:limit] if limit and format_ in ("table", "markdown") else found.problems
    tables = {
        "boards": (found.boards, BOARD_COLUMNS, f"a: {found.a}, b: {found.b}; differences are a minus b"),
        "noise": (
            found.boards,
            NOISE_COLUMNS,
            "Where the noise comes from, and what would tell a gap as large as this",
        ),
        "problems": (shown, PROBLEM_COLUMNS, f"Problems on which they differ ({len(shown)} of {len(found.problems)})"),
        "reasons": (found.reasons, REASON_COLUMNS, "Why the one that does worse fails there"),
        "refused": (found.refused, REFUSED_COLUMNS, "Not comparable"),
    }
    wanted = [section or "boards"] if format_ == "csv" or section else SECTIONS
    out.sections({name: tables[name] for name in wanted}, format_, {"a": found.a, "b": found.b})
