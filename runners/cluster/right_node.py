"""Before an engine starts: is this node what the shard, and the smoke run of its engine, were for?

A site's labels can be wrong, a partition can hold several kinds of GPU, a driver can be broken since the last update. A
task that finds itself there asks to be run elsewhere: its node is excluded for it and for the rest of its array, since
a node on which tasks end at once would draw one after the other.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...ingest.config import Settings
from ...ingest.errors import Incomplete
from ...ingest.manifest import Run, Shard
from ...slurm.gpus import driver_seen, mismatch
from ..generate.engines.image import find_image
from ..generate.job import Job
from .ledger import record_end
from .smoke_gate import smoke_facts

CAUSE = "wrong_node"


class WrongNode(Incomplete):
    """Work is left, for another node."""


def refuse_wrong_node(
    run: Run, shards: Sequence[Shard], settings: Settings, job: Job, rows: Iterable[Mapping[str, Any]]
) -> None:
    """WrongNode, with a row in the ledger for each shard, where the GPU, its driver or its feature is another.

    ``rows`` are the run's ledger. A job without a GPU is on no wrong node.
    """
    if not job.num_gpus:
        return
    tried = list(_tried(settings, {shard.model for shard in shards}))
    begun = _begun(shards, rows)
    why = mismatch(
        driver_seen(),
        settings["compute.constraint"],
        begun or {str(fact["gpu"]) for fact in tried} - {"cpu"},
        {driver for fact in tried for driver in fact["drivers"]},
    )
    if not why:
        return
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    for shard in shards:
        measured = {"job_id": job.name, "node": job.node, "num_gpus": job.num_gpus, "started_at": now, "ended_at": now}
        record_end(run, shard, cause=CAUSE, detail=why, gpu_seconds=0.0, **measured)
    raise WrongNode(f"{job.node} is the wrong node: {why}", f"tell the site about {job.node}; benchforge resubmit")


def _tried(settings: Settings, models: set[str]) -> Iterable[Mapping[str, Any]]:
    """Smoke runs of the image that would be used, in which all of the models were ready."""
    if settings["engine.name"] != "vllm":
        return
    image = find_image(settings)
    for fact in smoke_facts(settings.scratch / "smoke"):
        is_of_image = image is None or fact.get("image") == image.digest
        if is_of_image and all(fact["models"].get(model, {}).get("is_ready") for model in models):
            yield {**fact, "drivers": [fact["models"][model].get("driver", "") for model in models]}


def _begun(shards: Sequence[Shard], rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """GPUs that rows of these shards were asked on: a shard is not asked half on one kind and half on another."""
    ids = {shard.shard_id for shard in shards}
    return {str(row["gpu"]) for row in rows if row["shard_id"] in ids and row["gpu"] and row["num_rows"]}
