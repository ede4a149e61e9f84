"""``benchforge stage``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

if TYPE_CHECKING:
    from ...ingest.errors import Interrupted
    from ...ingest.staging.files import Staging

_COLUMNS = ("what", "version", "state", "bytes", "path", "source")


@click.command(name="stage", epilog="Example: benchforge stage --weights --config month.yaml")
@click.argument("benchmarks", nargs=-1)
@click.option("--from", "source", help="Folder of problem files, at any depth; of a harness also archive or address.")
@click.option("--strings-from", type=click.Path(path_type=Path), help="Folder that holds an unpacked harness.")
@click.option("--version", "version", help="Dataset version; the default one without.")
@click.option("--harness", "harnesses", multiple=True, help="Sources of a harness, with its strings and environment.")
@click.option("--weights", is_flag=True, help="Weights of the run's models, into BENCHFORGE_HF_HOME.")
@click.option("--model", "models", multiple=True, help="Weights of this model: a key, a Hub id or a pattern.")
@settings_options
@dry_run_option
@format_option
def command(
    benchmarks: tuple[str, ...],
    source: str | None,
    strings_from: Path | None,
    version: str | None,
    harnesses: tuple[str, ...],
    weights: bool,
    models: tuple[str, ...],
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Put problem files, protocol strings, harnesses and weights in place, each pinned and every digest checked.

    Without BENCHMARK, every pinned problem file that the folder holds is staged. Problem files come from a folder;
    weights, and harnesses that PyPI has, are fetched: on a login node. What came is kept when it breaks off.
    """
    if weights or models or harnesses:
        _refuse_mixed(benchmarks, strings_from, version, source, harnesses, weights or bool(models))
        _fetch(settings_options, harnesses, source, models, weights or bool(models), dry_run, format_)
        return
    _refuse_incomplete(benchmarks, source, strings_from, version)
    folder = Path(source) if source else None
    datasets_root = settings_from(**settings_options).datasets_root
    plan = _files(benchmarks, version, folder, datasets_root) if folder else []
    texts = _strings(strings_from) if strings_from else {}
    rows = [*map(_file_row, plan), *_string_rows(texts, strings_from, datasets_root)]
    if not dry_run:
        _write(plan, texts, datasets_root)
        rows += _hidden_rows(plan, folder) if folder else []
    out.table([_shown(row, dry_run) for row in rows], _COLUMNS, format_)


def _fetch(
    settings_options: dict[str, Any],
    harnesses: tuple[str, ...],
    source: str | None,
    models: tuple[str, ...],
    has_weights: bool,
    dry_run: bool,
    format_: str,
) -> None:
    """The table lists what came also when something else could not be had."""
    from ...ingest.bundled import RUN_FILE
    from ...ingest.errors import Interrupted
    from ..signals import interruptible
    from .stage_downloads import harness_rows, weights_rows

    if has_weights:
        settings_options["config"] = settings_options.get("config") or RUN_FILE
    settings = settings_from(**settings_options)
    rows: list[dict[str, Any]] = []
    stopped: Interrupted | None = None
    try:
        with interruptible():
            for row in harness_rows(settings, harnesses, source, dry_run):
                rows.append(row)
            for row in weights_rows(settings, models, dry_run) if has_weights else ():
                rows.append(row)
    except Interrupted as error:
        stopped = error
    finally:
        if rows:
            out.table([_shown(row, dry_run) for row in rows], _COLUMNS, format_)
    if stopped is not None:
        _leave(stopped)


def _leave(error: Interrupted) -> NoReturn:
    """At once: the interpreter would wait for every file that is on its way, and what is whole is kept in any case."""
    out.say(f"benchforge: {error.message}\n\nhint: run the same command again: what is whole is kept")
    os._exit(error.exit_code)


def _refuse_mixed(
    benchmarks: tuple[str, ...],
    strings_from: Path | None,
    version: str | None,
    source: str | None,
    harnesses: tuple[str, ...],
    has_weights: bool,
) -> None:
    """UsageError: problem files lie in a folder, the others come from elsewhere, so each has its own command."""
    from ...ingest.errors import UsageError

    if benchmarks or strings_from or version:
        raise UsageError("problem files and strings are staged apart from harnesses and weights", "two commands")
    if source and not harnesses:
        raise UsageError("weights come from the Hub, not from --from", "benchforge stage --weights")
    if source and has_weights:
        raise UsageError("--from is of the harness, and weights are asked for too", "two commands")


def _refuse_incomplete(
    benchmarks: tuple[str, ...], source: str | None, strings_from: Path | None, version: str | None
) -> None:
    from ...ingest.errors import UsageError

    if source is None and strings_from is None:
        raise UsageError(
            "stage needs a folder to take files from, or something to fetch",
            "add --from DIR, --strings-from DIR or both; or --weights, --harness NAME",
        )
    if version is not None and not benchmarks:
        raise UsageError("--version needs the benchmark it is a version of", "benchforge stage BENCHMARK --version …")
    if source is None and benchmarks:
        raise UsageError("problem files need --from DIR", "benchforge stage BENCHMARK --from DIR")


def _files(names: tuple[str, ...], version: str | None, source: Path, datasets_root: Path) -> list[Staging]:
    from ...ingest.benchmarks import resolve
    from ...ingest.staging.files import every_pinned_file, plan_staging, plan_what_is_there, wanted_files

    if not names:
        return plan_what_is_there(every_pinned_file(datasets_root), source)
    chosen = list({resolve(name)[0].name: resolve(name)[0] for name in names}.values())
    return plan_staging(wanted_files(chosen, version, datasets_root), source)


def _strings(strings_from: Path) -> dict[str, dict[str, str]]:
    from ...ingest.staging.strings import find_strings

    return find_strings(strings_from)


def _write(plan: list[Staging], texts: dict[str, dict[str, str]], datasets_root: Path) -> None:
    from ...ingest.staging.files import write_staged
    from ...ingest.staging.strings import write_strings

    write_staged(plan)
    write_strings(texts, datasets_root)


def _file_row(staging: Staging) -> dict[str, str]:
    wanted = staging.wanted
    return {
        "what": wanted.benchmark.name,
        "version": wanted.version.name,
        "state": "staged" if staging.is_new else "in place",
        "path": str(wanted.target),
        "source": str(staging.source or ""),
    }


def _hidden_rows(plan: list[Staging], source: Path) -> list[dict[str, str]]:
    from ...ingest.staging.files import keep_hidden_tests

    return [
        {
            "what": f"hidden tests of {number} problems",
            "version": wanted.version.name,
            "state": "staged",
            "path": str(wanted.target.parent),
            "source": str(source),
        }
        for wanted, number in keep_hidden_tests([staging.wanted for staging in plan], source)
    ]


def _string_rows(
    texts: dict[str, dict[str, str]], strings_from: Path | None, datasets_root: Path
) -> list[dict[str, str]]:
    return [
        {
            "what": f"{len(strings)} strings of {harness}",
            "version": "",
            "state": "staged",
            "path": str(datasets_root / "strings" / f"{harness}.json"),
            "source": str(strings_from),
        }
        for harness, strings in texts.items()
    ]


def _shown(row: dict[str, Any], is_dry_run: bool) -> dict[str, Any]:
    """With the same columns in every row."""
    state = "to stage" if is_dry_run and row["state"] == "staged" else row["state"]
    return {**dict.fromkeys(_COLUMNS), **row, "state": state}
