"""``benchforge monitor``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options

_COLUMNS = (
    "hours",
    "harvested_gpu_hours",
    "lowest_gpu_seconds_per_hour",
    "idle_share",
    "harvested_share",
    "median_wait_seconds",
    "longest_wait_seconds",
    "useful_share",
    "ledger_gpu_hours",
    "held_gpu_hours",
    "accounted_gpu_hours",
)


@click.command(name="monitor", epilog="Example: benchforge monitor --config run.yaml")
@settings_options
@click.option("--once", is_flag=True, help="One look, then what all looks so far come to.")
@format_option
def command(once: bool, format_: str, **settings_options: Any) -> None:
    """Follow the queue and keep the throttle of our arrays at what is idle, less the headroom left to others.

    Ends when nothing of the run is queued or running; what it measured stays in the run's folder.
    """
    from ...ingest.errors import QueueError
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ...slurm import measurements
    from ..cluster.budget import spent
    from ..cluster.ledger import attempts
    from ..cluster.monitoring import Monitor, followed, qos_names
    from ..signals import interruptible

    settings = settings_from(**settings_options)
    run = Run(settings.run_root, Lake(settings.lake_root))
    monitor = Monitor(run, settings)
    with interruptible("the arrays go on at their last throttle"):
        for look in monitor.looks(once, patient=lambda error: out.say(f"{error.message}; looking again")):
            out.say(measurements.line(look))
    looks, found = followed(run, monitor)
    used = spent(run, attempts(run.lake))
    hours = {f"{name}_gpu_hours": getattr(used, f"{name}_hours") for name in ("ledger", "held", "accounted")}
    out.table([{**asdict(found), **hours}], _COLUMNS, format_)
    try:
        names = qos_names()
    except QueueError:
        names = []
    for sentence in measurements.advice(found, looks[-1] if looks else None, names):
        out.say(sentence)
