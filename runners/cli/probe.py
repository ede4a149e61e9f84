"""``benchforge probe``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

_COLUMNS = ("fact", "value", "status")
_NETWORK_TARGET = "huggingface.co:443"


@click.command(name="probe", epilog="Example: benchforge probe --gpu-partition gpu --gres gpu:pro6000 --job")
@click.option("--gpu-partition", help="Partition of GPU jobs, where the cluster has several.")
@click.option("--cpu-partition", help="Partition of scoring jobs.")
@click.option("--gres", help="Kind of GPU: gpu:TYPE.")
@click.option("--constraint", help="Node features that a GPU job needs.")
@click.option("--account", help="Account of jobs.")
@click.option("--qos", help="QOS of GPU jobs.")
@click.option("--job", is_flag=True, help="Also submit a job that looks at a compute node, and wait for it.")
@click.option("--wait", "wait_seconds", type=click.FloatRange(min=0), default=900.0, help="Seconds to wait for it.")
@click.option("--here", is_flag=True, help="Look at this machine only, as that job does.")
@click.option("--result", type=click.Path(path_type=Path), help="With --here: write what was found to this file.")
@click.option("--network-target", default=_NETWORK_TARGET, help="HOST:PORT that is connected to; nothing is sent.")
@settings_options
@dry_run_option
@format_option
def command(
    gpu_partition: str | None,
    cpu_partition: str | None,
    gres: str | None,
    constraint: str | None,
    account: str | None,
    qos: str | None,
    job: bool,
    wait_seconds: float,
    here: bool,
    result: Path | None,
    network_target: str,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Write the facts of the cluster to ~/.benchforge.env: partitions, GPUs, QOS, files, network; none is guessed."""
    import os

    from ...ingest.config import ENVIRONMENT_FILE
    from ...ingest.errors import Incomplete
    from ...slurm.facts import merged, parse
    from ..cluster import probing

    settings = settings_from(**settings_options)
    if here:
        facts = probing.facts_from_here(settings.scratch, network_target, os.environ.get("SLURM_JOB_ID"))
        if result:
            probing.write_result(result, facts)
        out.table([{"fact": one.name, "value": one.value, "status": one.how} for one in facts], _COLUMNS, format_)
        return
    path = Path.home() / ENVIRONMENT_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    words = {"GPU_PARTITION": gpu_partition, "CPU_PARTITION": cpu_partition, "GRES": gres}
    words |= {"CONSTRAINT": constraint, "ACCOUNT": account, "GPU_QOS": qos}
    facts = probing.facts_from_login(settings, probing.chosen_by_hand(parse(text), words), network_target)
    if dry_run:
        out.table(probing.rows_of(merged(text, facts, "now")), _COLUMNS, format_)
        return
    probing.write_facts(path, facts)
    if job:
        settings = settings_from(**settings_options)
        probing.write_facts(path, probing.facts_from_job(settings, network_target, wait_seconds))
    rows = probing.rows_of(path.read_text(encoding="utf-8"))
    out.table(rows, _COLUMNS, format_)
    unknown = [row["fact"] for row in rows if row["status"] == "placeholder"]
    if unknown:
        raise Incomplete(
            f"{', '.join(unknown)}: not known yet", "say which: benchforge probe --gpu-partition … --gres …"
        )
