"""``benchforge stage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

if TYPE_CHECKING:
    from ...ingest.staging.files import Staging

_COLUMNS = ("what", "version", "state", "path", "source")


@click.command(name="stage", epilog="Example: benchforge stage humanevalplus --from ~/Downloads")
@click.argument("benchmarks", nargs=-1)
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Folder that holds problem files, at any depth."
)
@click.option("--strings-from", type=click.Path(path_type=Path), help="Folder that holds an unpacked harness.")
@click.option("--version", "version", help="Dataset version; the default one without.")
@settings_options
@dry_run_option
@format_option
def command(
    benchmarks: tuple[str, ...],
    source: Path | None,
    strings_from: Path | None,
    version: str | None,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Put pinned problem files and protocol strings in place, every digest checked.

    Without BENCHMARK, every pinned problem file that the folder holds is staged. Nothing is downloaded.
    """
    from ...ingest.errors import UsageError

    if source is None and strings_from is None:
        raise UsageError("stage needs a folder to take files from", "add --from DIR, --strings-from DIR or both")
    if version is not None and not benchmarks:
        raise UsageError("--version needs the benchmark it is a version of", "benchforge stage BENCHMARK --version …")
    if source is None and benchmarks:
        raise UsageError("problem files need --from DIR", "benchforge stage BENCHMARK --from DIR")
    datasets_root = settings_from(**settings_options).datasets_root
    plan = _files(benchmarks, version, source, datasets_root) if source else []
    texts = _strings(strings_from) if strings_from else {}
    rows = [*map(_file_row, plan), *_string_rows(texts, strings_from, datasets_root)]
    if not dry_run:
        _write(plan, texts, datasets_root)
        rows += _hidden_rows(plan, source) if source else []
    out.table([{**row, "state": _state(row["state"], dry_run)} for row in rows], _COLUMNS, format_)


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


def _state(state: str, is_dry_run: bool) -> str:
    return "to stage" if is_dry_run and state == "staged" else state
