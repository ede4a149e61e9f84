"""Options that several commands share, spelled once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .console import FORMATS
from .manners import PREFIX, Setting

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def format_option(function: Decorated) -> Decorated:
    choice = click.Choice(FORMATS)
    return click.option("--format", "format_", type=choice, default="table", help="How to print the data.")(function)


def dry_run_option(function: Decorated) -> Decorated:
    return click.option("--dry-run", is_flag=True, help="Print what would be written; write nothing.")(function)


def unsafe_network_option(function: Decorated) -> Decorated:
    """None where it is not given, so that the run file decides."""
    meaning = "Start our own engine also where its network cannot be made empty; rows say so."
    return click.option("--unsafe-network", is_flag=True, default=None, help=meaning)(function)


class _Factor(click.FloatRange):
    """NaN is inside every range of click's."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if number != number:
            self.fail("this is not a number", param, ctx)
        return number


LIMIT_FACTOR = _Factor(0.1, 100.0)
"""Factor on the official time limits."""
PERCENT = _Factor(0.0, 100.0)
"""A score."""


def num_workers_of(jobs: int) -> int:
    """Sandboxes side by side: as many as asked for, or one per core that this process may use (0)."""
    import os

    return jobs or len(os.sched_getaffinity(0))


def settings_options(function: Decorated) -> Decorated:
    """``--config --scratch --run-name --lake --datasets``: pass the resulting keywords to ``settings_from``."""
    for option in reversed(
        (
            click.option(
                "--config",
                type=click.Path(path_type=Path),
                envvar=f"{PREFIX}_CONFIG",
                help="Run file; the shipped one works without.",
            ),
            _setting("--scratch", help="Folder of runs and staged problems.", type=click.Path()),
            _setting("--run-name", help="Run below the scratch folder."),
            _setting("--lake", help="Lake folder.", type=click.Path()),
            _setting("--datasets", help="Folder of staged problems.", type=click.Path()),
        )
    ):
        function = option(function)
    return function


def _setting(name: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """``--scratch`` with the variable that its setting has (``ingest/config.py``, not imported here: it needs YAML)."""
    return click.option(name, cls=Setting, envvar=f"{PREFIX}{name[1:].replace('-', '_').upper()}", **more)


def settings_from(
    config: Path | None = None,
    scratch: str | None = None,
    run_name: str | None = None,
    lake: str | None = None,
    datasets: str | None = None,
    also: Callable[[Any], list[str]] = lambda settings: [],
    **more: Any,
) -> Any:
    """Settings of this call; ``more`` maps further option paths, dots written as double underscores.

    What ``also`` finds wrong is reported together with what is wrong by itself.
    """
    from ...ingest.config import load_settings

    given = {
        "run.scratch": scratch,
        "run.name": run_name,
        "run.lake": lake,
        "run.datasets": datasets,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return load_settings(given, config, also=also)
