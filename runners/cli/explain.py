"""``benchforge explain``: every input of one number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import settings_from, settings_options

if TYPE_CHECKING:
    from ..ask.explain import Explained

_NUMBER = (
    *("model", "benchmark", "scenario", "test_set", "metric", "verdict", "scope", "score", "interval_low"),
    *("interval_high", "interval_method", "score_numerator", "score_denominator", "num_problems", "num_planned"),
    *("num_samples", "num_passed", "num_unanswered", "flags", "origin", "trust_tier", "source", "protocol"),
    *("temperature", "dataset_version", "grader_id", "request_digest", "comparability_digest"),
)
_TABLES = {
    "requests": "What was asked, of what (one row per way of asking)",
    "gradings": "Who graded, and how",
    "attempts": "What ran",
    "seeds": "Declared about the model and the benchmark",
    "errata": "Problems that are known to be wrong",
    "deviations": "Where our judge departs from the official one on purpose",
    "files": "Parts of the lake that are read",
    "lineage": "From which raw columns",
}


@click.command(name="explain", epilog="Example: benchforge explain claude-2 livecodebench")
@click.argument("model")
@click.argument("benchmark")
@settings_options
@click.option("--file", "file_", type=click.Path(path_type=Path), help="File of marts (default: the run's, then here).")
@click.option("--scenario", help="Scenario, or a pattern with *; without this and the next four: the headline.")
@click.option("--test-set", help="Test set, or a pattern.")
@click.option("--metric", help="Metric, as pass@5, or a pattern.")
@click.option("--verdict", help="Reading: official, strict, corrected_extraction.")
@click.option("--scope", help="Problems: all, or a window.")
@click.option(
    "--format", "format_", type=click.Choice(["table", "json", "markdown"]), default="table", help="How to print it."
)
def command(model: str, benchmark: str, file_: Path | None, format_: str, **given: Any) -> None:
    """What one number is made of: seed rows, requests, graders, files, digests, and the SQL that gives it again."""
    import dataclasses

    from ..ask.explain import explain
    from ..marts_file import built_file

    narrowed = {name: given.pop(name) for name in ("scenario", "test_set", "metric", "verdict", "scope")}
    found = explain(file_ or built_file(settings_from(**given)), model, benchmark, narrowed)
    if format_ == "json":
        return out.objects([dataclasses.asdict(explained) for explained in found])
    for explained in found:
        _print(explained, format_)


def _print(explained: Explained, format_: str) -> None:
    fields = [{"field": name, "value": _text(explained.number.get(name))} for name in _NUMBER]
    number = explained.number
    title = f"{number['model']} on {number['benchmark']} {number['scenario']} {number['test_set']}: {number['metric']}"
    out.table([row for row in fields if row["value"]], ("field", "value"), format_, title)
    for name, what in _TABLES.items():
        rows = [
            {column: value for column, value in row.items() if value is not None} for row in getattr(explained, name)
        ]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if rows:
            out.data("\n")
            out.table(rows, columns, format_, what)
    for again in explained.recomputed:
        same = "the same" if abs(again["score"] - number["score"]) < 1e-12 else f"NOT the same: {number['score']!r}"
        query = f"```sql\n{again['query']}\n```" if format_ == "markdown" else again["query"]
        out.data(f"\nRecomputed from {again['from']}: {again['score']!r}, {same}\n\n{query}")


def _text(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
