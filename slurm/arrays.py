"""Shards to arrays: one array per number of GPUs, split where the site's MaxArraySize is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby


def split(
    shard_ids: Sequence[str], gpus_of: Mapping[str, int], max_array_size: int
) -> list[tuple[int, tuple[str, ...]]]:
    """(GPUs of each task, shards) per array, in the order given within equal needs.

    MaxArraySize is one more than the largest index (slurm.conf(5)), so an array holds that many tasks from 0 on.
    """
    most = max(1, max_array_size)
    ordered = sorted(shard_ids, key=lambda shard_id: gpus_of.get(shard_id, 1))  # stable
    arrays = []
    for gpus, group in groupby(ordered, key=lambda shard_id: gpus_of.get(shard_id, 1)):
        members = tuple(group)
        arrays += [(gpus, members[first : first + most]) for first in range(0, len(members), most)]
    return arrays
