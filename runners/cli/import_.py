"""``benchforge import``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import out
from .options import dry_run_option, settings_from, settings_options

_EPILOG = "Example: benchforge import evalplus samples.jsonl --benchmark humanevalplus --model org/name --temperature 0"


class _FormatName(click.ParamType):
    """Names of the registry, looked up only when a value is there: ``--help`` stays light."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from ...ingest.formats import means_registry, registry

        known = sorted((*registry(), *means_registry()))
        if value not in known:
            self.fail(f"{value!r} is not a format; formats are {', '.join(known)}", param, ctx)
        return value


@click.command(name="import", epilog=_EPILOG)
@click.argument("format_name", metavar="FORMAT", type=_FormatName())
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--benchmark", required=True, help="Benchmark or scenario the samples answer.")
@click.option("--model", help="<org>__<name>, <org>/<name> or a bare name; +cot names the protocol cot.")
@click.option("--scenario", help="Which scenario, where the benchmark has several.")
@click.option("--protocol", help="Prompt protocol: direct (default), cot, official, corrected, card, recorded.")
@click.option("--temperature", type=float, help="Sampling temperature, from 0.")
@click.option("--top-p", type=float, help="Nucleus: above 0, at most 1.")
@click.option("--max-tokens", type=int, help="Limit of the answer.")
@click.option("--version", "version_name", help="Dataset version; default: what the file proves, else the default.")
@click.option("--num-samples", type=click.IntRange(min=1), help="Samples planned per task; default: the most found.")
@click.option("--text-form", type=click.Choice(("raw", "completion", "program")), help="Overrides the format's form.")
@click.option("--source", help="Where the file is from: owner/repository@commit; default: its digest.")
@click.option("--licence", help="Licence of the source.")
@click.option("--partial", "is_partial", is_flag=True, help="Take what is there; the marts refuse affected numbers.")
@settings_options
@dry_run_option
def command(format_name: str, file: Path, dry_run: bool, **options: Any) -> None:
    """Take in recorded samples, published verdicts or published means of FILE.

    FORMAT is benchforge (plain JSON lines or Parquet), bigcodebench-graded, cruxeval, cruxeval-scored, evalplus,
    evalplus-graded, humaneval, livecodebench, livecodebench-execution, multipl-e-graded, or livecodebench-means:
    means by problem of every model in the file (--model takes one), kept apart from pass@k. .gz is read as well.
    The file is reconciled with the benchmark before anything is written; importing it again changes nothing.
    """
    from ...ingest.formats import means_registry
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ...ingest.recorded import Wanted, import_file, import_means

    names = ("config", "scratch", "run_name", "lake", "datasets")
    settings = settings_from(**{name: options.pop(name) for name in names})
    run = Run(settings.run_root, Lake(settings.lake_root))
    wanted = Wanted(format_name=format_name, **options)
    if format_name in means_registry():
        imported = import_means(run, file, wanted, is_dry_run=dry_run)
    else:
        imported = import_file(run, file, wanted, settings.datasets_root, is_dry_run=dry_run)
    for note in imported.notes:
        out.say(note)
    out.say(imported.summary)
    for shard_id in imported.shard_ids:
        out.data(shard_id)
