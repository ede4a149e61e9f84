"""GPUs that a job holds count for the budget, whether or not the engine uses them."""

from __future__ import annotations

import pytest
from benchforge.runners.generate.job import Job


@pytest.mark.parametrize(
    ("environment", "num_gpus"),
    [
        ({}, None),
        ({"SLURM_JOB_GPUS": "2"}, 1),
        ({"SLURM_JOB_GPUS": "0,3"}, 2),
        ({"SLURM_GPUS_ON_NODE": "4", "SLURM_JOB_GPUS": "0-3"}, 4),
        ({"SLURM_JOB_GPUS": ""}, None),
    ],
)
def test_gpus_of_the_job(environment: dict[str, str], num_gpus: int | None):
    assert Job.current(environment={"SLURM_JOB_ID": "7", **environment}).num_gpus == num_gpus
