"""What a batch job is to generation: the GPUs it holds, and another one where its time is not enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import Incomplete, Interrupted, UsageError
from benchforge.runners.generate import job as jobs
from benchforge.runners.generate.job import Job
from benchforge.runners.generate.ledger import OutOfTime, cause_of


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


class _Killed(Exception):
    """What SLURM does to a requeued job."""


@pytest.fixture
def requeued(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    asked: list[str | None] = []

    def killed() -> None:
        raise _Killed

    monkeypatch.setattr(Job, "_is_requeued", lambda self: asked.append(self.id) is None)
    monkeypatch.setattr(jobs, "_await_kill", killed)
    return asked


def test_what_is_too_long_for_the_rest_of_a_job_asks_for_another(requeued: list[str | None]):
    with pytest.raises(_Killed), Job(id="7").requeued_on_notice():
        raise OutOfTime("too long for now", "run the same command again")
    assert requeued == ["7"]


@pytest.mark.parametrize(("job", "error"), [(Job(), OutOfTime("x", "y")), (Job(id="7"), Incomplete("x", "y"))])
def test_outside_a_job_or_for_another_reason_nothing_is_asked(requeued: list[str | None], job: Job, error: Incomplete):
    with pytest.raises(Incomplete), job.requeued_on_notice():
        raise error
    assert requeued == []


@pytest.mark.parametrize("name", jobs.NOTICES)
def test_either_notice_is_answered_with_a_requeue(requeued: list[str | None], name: str):
    with pytest.raises(_Killed), Job(id="7").requeued_on_notice():
        raise Interrupted("stopped", "again", name)
    assert requeued == ["7"] and cause_of(Interrupted("stopped", "again", name)) == "notice"


@pytest.mark.parametrize("text", ["KILL@120", "USR1", "USR1@", "B:USR1@120", "USR3@9"])
def test_a_notice_that_nothing_answers_is_refused(tmp_path: Path, text: str):
    with pytest.raises(UsageError, match="is no notice"):
        load_settings({}, None, {"HOME": str(tmp_path), "BENCHFORGE_COMPUTE_SIGNAL": text})
