"""The batch job that generation may run in: how long it still has, who it is, and how it asks to be run again.

Observed on SLURM (23.11, one machine, real daemons): ``--signal=B:USR1@20`` came 46 s before the limit, so a notice
may be a minute early; preemption with a grace time sends USR1 as well, hours before the limit; ``scontrol requeue``
kills the batch script at once, so everything must be on disk before it is called; a task that exits 75 by itself is
FAILED and is not requeued.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn

from ...ingest.errors import Interrupted, QueueError

NOTICES = ("SIGUSR1", "SIGUSR2")
"""What ``compute.signal`` may send before the limit; NCCL is said to catch USR1 (submitit@e49d5e7 warns of it)."""
HEEDED = (*NOTICES, "SIGTERM")
"""Signals that count even where the batch script ignores them until this program runs."""
_END_TIMES = ("SLURM_JOB_END_TIME", "BENCHFORGE_JOB_END_TIME")
"""Seconds since 1970: of SLURM itself; else of the batch script, from ``squeue -h -o %e``."""
_NOTICE_SECONDS = 180.0
"""A notice of the limit comes at most this early (``--signal=B:USR1@120`` comes 120 to 180 s before)."""
_CLOSING_SECONDS = 30.0
"""Kept free at the end of a job: flush, ``scontrol requeue``, SLURM's own KillWait."""
_REQUEUE_SECONDS = 60.0
_KILL_WAIT_SECONDS = 300.0
_USR1_MISSED_HINT = "run the same command again"


@dataclass(frozen=True)
class Job:
    """``end`` is on the monotonic clock of this machine, None where there is no limit; ``id`` None outside SLURM."""

    id: str | None = None
    restart: int = 0
    array_task: str | None = None
    array_id: str | None = None
    """Id of the whole array; None for what is no array."""
    node: str = field(default_factory=platform.node)
    """As SLURM calls it, which need not be what it calls itself."""
    end: float | None = None
    closing_seconds: float = _CLOSING_SECONDS
    age_seconds: float = 0.0
    """How long the job had been running when this program began; 0 where nobody says."""
    num_gpus: int | None = None
    """Held by the job, whether or not the engine uses them."""

    @classmethod
    def current(cls, time_left_seconds: float | None = None, environment: Mapping[str, str] | None = None) -> Job:
        """From the job's environment; ``time_left_seconds`` (``--time-left``) wins over what SLURM says."""
        environment = os.environ if environment is None else environment
        ends = [float(text) for name in _END_TIMES if (text := environment.get(name, "")).isdigit()]
        left = time_left_seconds if time_left_seconds is not None or not ends else ends[0] - time.time()
        begun = environment.get("SLURM_JOB_START_TIME", "")
        return cls(
            environment.get("SLURM_JOB_ID"),
            int(environment.get("SLURM_RESTART_COUNT") or 0),
            environment.get("SLURM_ARRAY_TASK_ID"),
            environment.get("SLURM_ARRAY_JOB_ID"),
            environment.get("SLURMD_NODENAME") or platform.node(),
            None if left is None else time.monotonic() + left,
            age_seconds=max(0.0, time.time() - float(begun)) if begun.isdigit() else 0.0,
            num_gpus=_num_gpus(environment),
        )

    @property
    def name(self) -> str | None:
        """``<job>[_<array task>].<restart>``, as the ledger has it."""
        return self.id and name_of(self.id, self.array_task, self.restart)

    @property
    def handle(self) -> str | None:
        """What SLURM's commands are told. Not the bare id: the last task of an array has the id of the whole array."""
        return f"{self.array_id}_{self.array_task}" if self.array_id and self.array_task else self.id

    def seconds_left(self) -> float | None:
        """Until the limit, less what closing needs; None without a limit."""
        return None if self.end is None else self.end - time.monotonic() - self.closing_seconds

    def cause_of_signal(self, signal_name: str) -> str | None:
        """Word of ``schemas.CAUSES`` for a signal that came; None outside SLURM, or where it does not answer."""
        if self.id is None or signal_name not in HEEDED:
            return None
        return _cause_of_signal(signal_name, str(self.handle), self.restart)

    def is_out_of_memory(self) -> bool:
        """Whether the kernel killed something of this job for its memory; an engine of ours, where we still run."""
        from ...slurm.machine import num_oom_kills

        return self.id is not None and num_oom_kills() > 0

    def drain_seconds(self, signal_name: str) -> float:
        """How long requests in flight may still run after a signal.

        Only the notice of the time limit gives any: TERM is followed by KILL, and USR1 long before the limit is
        preemption with a grace time that nobody tells.
        """
        left = self.seconds_left()
        if signal_name not in NOTICES or left is None or left > _NOTICE_SECONDS:
            return 0.0
        return max(0.0, left)

    def refuse_missed_notice(self) -> None:
        """A notice sent before the handlers stood is lost: so late in a job, act as if it had come.

        Not in a job that has only begun: one that is too short for anything would be requeued for ever.
        """
        left = self.seconds_left()
        if self.id is not None and self.age_seconds > _NOTICE_SECONDS and left is not None and left <= 0:
            raise Interrupted("the job is about to end; nothing was asked", _USR1_MISSED_HINT, "SIGUSR1")

    @contextmanager
    def requeued_on_notice(self) -> Iterator[None]:
        """USR1 anywhere in the block ends in a requeue, also while an engine starts.

        So does what is left being too long for the rest of the job: it needs another one, and nobody else would ask.
        """
        from .ledger import OutOfTime  # which knows jobs itself

        try:
            yield
        except Interrupted as error:
            self.answer_notice(error)
            raise
        except OutOfTime:
            if self.id is not None and self._is_requeued():
                _await_kill()
            raise

    def answer_notice(self, error: Interrupted) -> None:
        """Under SLURM, after USR1: ask to be run again and wait for the end. Call it when everything is on disk.

        Returns where there is nothing to ask, or where asking failed: then the caller ends with 75.
        """
        is_notice, error.signal_name = error.signal_name in NOTICES, ""  # answered once, whoever asks again
        if is_notice and self.id is not None and self._is_requeued():
            _await_kill()

    def requeue_elsewhere(self) -> None:
        """Ask to be run again on another node, and wait for the end; returns where asking failed.

        A node may be excluded for a pending job only, so after the requeue, in the moment before this run is killed.
        """
        if self.id is None:
            return
        from ...slurm.commands import exclude_node

        with _term_ignored():
            if not self._is_requeued():
                return
            for job_id in dict.fromkeys((str(self.handle), self.array_id or self.id)):
                try:
                    exclude_node(job_id, self.node)
                except QueueError as error:
                    print(f"{self.node} is not excluded: {error.message}", file=sys.stderr, flush=True)
        _await_kill()

    def _is_requeued(self) -> bool:
        """A job that is ending already is not asked for again: somebody cancelled it, or SLURM requeued it itself."""
        from ...slurm.causes import is_ending

        if shutil.which("scontrol") is None or is_ending(str(self.handle)):
            return False
        try:
            done = subprocess.run(
                ["scontrol", "requeue", str(self.handle)], capture_output=True, text=True, timeout=_REQUEUE_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"scontrol requeue {self.handle}: {error}", file=sys.stderr, flush=True)
            return False
        if done.returncode != 0:
            print(f"scontrol requeue {self.handle}: {done.stderr.strip()}", file=sys.stderr, flush=True)
        return done.returncode == 0


def name_of(job_id: str, array_task: str | None, restart: int | str) -> str:
    """One run of a job: SLURM keeps the id when it requeues, and counts."""
    return f"{job_id}{f'_{array_task}' if array_task else ''}.{restart}"


def _num_gpus(environment: Mapping[str, str]) -> int | None:
    """``SLURM_GPUS_ON_NODE`` is a number, ``SLURM_JOB_GPUS`` a list of indices; neither without a GPU."""
    number = environment.get("SLURM_GPUS_ON_NODE", "")
    if number.isdigit():
        return int(number) or None
    return len([index for index in environment.get("SLURM_JOB_GPUS", "").split(",") if index]) or None


@contextmanager
def _term_ignored() -> Iterator[None]:
    """Also in what is started meanwhile: an ignored signal stays ignored across exec."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@cache
def _cause_of_signal(signal_name: str, job_id: str, restart: int) -> str | None:
    """Asked once for all shards of the job."""
    from ...slurm.causes import cause_of_signal

    return cause_of_signal(signal_name, job_id, restart)


def _await_kill() -> NoReturn:
    """SLURM kills a requeued job at once; leaving by ourselves would make it FAILED before that."""
    print("requeued; waiting for the end of this run", file=sys.stderr, flush=True)
    deadline = time.monotonic() + _KILL_WAIT_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(left)
    raise Interrupted("the job was requeued, but this run of it was not ended", "scontrol show job")
