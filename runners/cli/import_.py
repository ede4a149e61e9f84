"""``benchforge import``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import out
from .options import dry_run_option, settings_from, settings_options

_EPILOG = "Example: benchforge import auto samples.jsonl --benchmark humanevalplus --model org/name --temperature 0"


class _FormatName(click.ParamType):
    """Names of the registry, looked up only when a value is there: ``--help`` of the whole stays light."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        known = dict(_formats())
        if value not in known:
            from ...ingest.names import meant_or_known

            self.fail(f"{value!r} is not a format{meant_or_known(str(value), known)}", param, ctx)
        return value


class _Command(click.Command):
    """Its help ends with every format of the registry."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Formats"):
            formatter.write_dl(_formats(), col_max=25)
        super().format_epilog(ctx, formatter)


def _formats() -> list[tuple[str, str]]:
    """(name, what it is), ``auto`` first."""
    from ...ingest.formats import means_registry, registry, table_registry

    declared = {**registry(), **means_registry(), **table_registry()}
    return [("auto", "found by the file's content"), *((name, declared[name].description) for name in sorted(declared))]


@click.command(name="import", cls=_Command, epilog=_EPILOG)
@click.argument("format_name", metavar="FORMAT", type=_FormatName())
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--benchmark", help="Benchmark or scenario answered, where the file does not say; outside_NAME: not ours."
)
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
@click.option("--by-position", "is_by_position", is_flag=True, help="Rows are the problems in the benchmark's order.")
@settings_options
@dry_run_option
def command(format_name: str, file: Path, dry_run: bool, **options: Any) -> None:
    """Take in recorded samples, published verdicts, counts or means of FILE.

    FORMAT is auto, or one of the formats below. What the file says of itself (benchmark, model, sampling) need not be
    given. It is reconciled with the benchmark before anything is written; importing it again changes nothing. .gz and
    .zst are read as well. Tables and means hold many models: --model takes one.
    """
    from ...ingest.formats import means_registry, table_registry
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ...ingest.recorded import AUTO, Wanted, import_file, import_means, import_table, settled

    names = ("config", "scratch", "run_name", "lake", "datasets")
    settings = settings_from(**{name: options.pop(name) for name in names})
    run = Run(settings.run_root, Lake(settings.lake_root))
    wanted = settled(file, Wanted(format_name=format_name, **options))
    if format_name == AUTO:
        out.say(f"{file}: {wanted.format_name}")
    if wanted.format_name in means_registry():
        imported = import_means(run, file, wanted, is_dry_run=dry_run)
    elif wanted.format_name in table_registry():
        imported = import_table(run, file, wanted, is_dry_run=dry_run)
    else:
        imported = import_file(run, file, wanted, settings.datasets_root, is_dry_run=dry_run)
    for note in imported.notes:
        out.say(note)
    out.say(imported.summary)
    for shard_id in imported.shard_ids:
        out.data(shard_id)
