"""``benchforge pull-image``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options

_COLUMNS = ("image", "state", "path", "digest", "fell_back_because")


@click.command(name="pull-image", epilog="Example: benchforge pull-image --config run.yaml")
@settings_options
@click.option("--network-target", help="HOST:PORT that must be reachable; the image's registry without.")
@format_option
def command(network_target: str | None, format_: str, **settings_options: Any) -> None:
    """Fetch the engine image to BENCHFORGE_SIF_DIR: the first one, or the fall-back, with digest and reason kept."""
    from ..cluster.pulling import pull

    pulled = pull(settings_from(**settings_options), out.say, network_target)
    out.table([asdict(pulled)], _COLUMNS, format_)
