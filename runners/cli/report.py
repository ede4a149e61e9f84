"""``benchforge report``: the whole leaderboard as a folder of HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .console import out
from .options import settings_from, settings_options

_MEGABYTE = 1e6


@click.command(name="report", epilog="Example: benchforge report --output report")
@settings_options
@click.option("--file", "file_", type=click.Path(path_type=Path), help="File of marts (default: the run's, then here).")
@click.option("--output", type=click.Path(path_type=Path), default=Path("report"), help="Folder to write.")
@click.option(
    "--texts",
    type=click.Choice(["all", "failed", "none"]),
    default="all",
    help="Answers and programs: of all samples, of those that fail, of none.",
)
@click.option("--only-headline", is_flag=True, help="Problems and samples of the quoted numbers only.")
@click.option("--model", "models", multiple=True, metavar="PATTERN", help="Samples of these models only; repeatable.")
@click.option("--benchmark", "benchmarks", multiple=True, metavar="PATTERN", help="Samples of these benchmarks only.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", help="How to print it.")
def command(
    file_: Path | None,
    output: Path,
    texts: str,
    only_headline: bool,
    models: tuple[str, ...],
    benchmarks: tuple[str, ...],
    format_: str,
    **given: Any,
) -> None:
    """Write one folder of HTML: boards, pairs, curves, refusals, and every sample behind each number.

    The folder needs no server and no network: open its index.html. An older report at the same place is replaced when
    the new one is whole. Texts of samples are shown as the lake holds them: look before you give the folder to others.
    """
    from ..ask.report.charts import INSTALL
    from ..ask.report.writing import Limits, write_report
    from ..marts_file import built_file
    from ..signals import interruptible

    limits = Limits(texts, only_headline, models, benchmarks)
    marts = file_ or built_file(settings_from(**given))
    with interruptible("no report was written; an older one is as it was"):
        report = write_report(marts, output, limits, _watched)
    if not report.has_charts:
        out.say(f"charts are left out, tables stand in their place; to have them: {INSTALL}")
    if format_ == "json":
        return out.objects([{**vars(report), "index": str(report.index)}])
    out.data(str(report.index))
    out.say(
        f"{report.num_numbers} numbers of {report.num_models} models, {report.num_samples} samples "
        f"({report.num_texts} with text), {report.num_files} files, {report.num_bytes / _MEGABYTE:.1f} MB"
    )


@contextmanager
def _watched(total: int) -> Iterator[Callable[[int], None]]:
    with out.progress(total, "samples") as progress:
        yield progress.advance
