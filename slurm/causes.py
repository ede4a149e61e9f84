"""Why SLURM sent a signal: asked of the controller while the job still stands there.

Seen on 22.05 with real daemons (``scontrol -o show job`` inside the handler). TERM: over the time limit
``Reason=TimeLimit``; cancelled COMPLETING with the restart count it had; preempted COMPLETING with one more; node set
down PENDING with one more. USR1: under ``preempt_send_user_signal`` a preempted job gets it as well, without a grace
time when it is requeued already (one restart more), with one while ``PreemptTime`` is set. A lost node sends nothing:
the queue says so afterwards (``accounting.cause_of_state``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..ingest.errors import QueueError
from . import commands
from .accounting import cause_of_state
from .records import fields, moment

_ASK_SECONDS = 10.0
"""TERM is followed by KILL after KillWait, 30 s unless the site says otherwise."""
_LOOKS, _PAUSE_SECONDS = 3, 0.3


def cause_of_signal(signal_name: str, job_id: str, restart: int) -> str | None:
    """Word of ``schemas.CAUSES`` for SIGTERM or a notice; None where the controller does not answer in time."""
    record = _asked(job_id)
    if record is None or signal_name == "SIGTERM":
        return None if record is None else cause_in(record, restart)
    for _ in range(_LOOKS - 1):
        if cause_of_notice(record, restart) != "notice":
            break
        time.sleep(_PAUSE_SECONDS)  # without a grace time the signal may come before the requeue is written down
        record = _asked(job_id) or record
    return cause_of_notice(record, restart)


def is_ending(job_id: str) -> bool:
    """Whether a job that still runs is on its way out, or back to the queue; False where the controller is silent.

    Cancelled while its program began (TERM is ignored until then), a job sees an end time that has passed: it must not
    take that for a reason to be run again.
    """
    state = (_asked(job_id) or {}).get("JobState", "")
    return bool(state) and state != "RUNNING"


def cause_of_silence(job_id: str) -> str | None:
    """How accounting says that the run of a requeued job before this one ended; None where it is off or away."""
    try:
        ended = commands.ended_attempts([job_id], timeout_seconds=_ASK_SECONDS)
    except QueueError:
        return None
    causes = [cause_of_state(attempt.state) for attempt in ended if attempt.raw_id == job_id]
    return next((cause for cause in reversed(causes) if cause), None)


def _asked(job_id: str) -> Mapping[str, str] | None:
    try:
        said = commands.run(["scontrol", "-o", "show", "job", job_id], timeout_seconds=_ASK_SECONDS)
    except QueueError:
        return None
    return fields(said.splitlines()[0]) if said.strip() else {}


def cause_of_notice(record: Mapping[str, str], restart: int) -> str:
    """The same for USR1: ``notice`` of the time limit unless the controller says more."""
    restarts = record.get("Restarts", "")
    is_requeued = restarts.isdigit() and int(restarts) > restart
    return "preempted" if is_requeued or moment(record.get("PreemptTime")) else "notice"


def cause_in(record: Mapping[str, str], restart: int) -> str | None:
    """For TERM: ``record`` as scontrol prints it, ``restart`` as this run of the job knows it."""
    state, restarts = record.get("JobState", ""), record.get("Restarts", "")
    if record.get("Reason") == "TimeLimit" or state == "TIMEOUT":
        return "time_limit"
    if not restarts.isdigit():
        return None
    if int(restarts) > restart:
        return "node_fail" if state == "PENDING" else "preempted"
    return "preempted" if state == "PREEMPTED" else "cancelled"
