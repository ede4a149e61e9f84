"""SLURM's commands, each with a time-out: with its controller down a client blocks for ten seconds and more."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from ..ingest.errors import QueueError
from .accounting import QOS_FIELDS, SACCT_FIELDS, EndedAttempt, Qos, parse_qos, parse_sacct
from .nodes import Node, parse_nodes
from .queue import SQUEUE_FORMAT, QueuedTask, parse_squeue
from .records import given, records
from .site import Partition, Site, parse_config, parse_partitions

TIMEOUT_SECONDS = 60.0
_ELSEWHERE = "run this on a login node of the cluster, or run the stage here: benchforge generate"
_NO_CLUSTER = ("configuration source", "Unable to contact slurm controller")
"""SLURM is installed, but this machine belongs to no cluster, or its controller is away."""


def is_there() -> bool:
    """Whether this machine can talk to SLURM at all."""
    return shutil.which("sbatch") is not None and shutil.which("squeue") is not None


def run(words: Sequence[str], timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """Standard output. Raises QueueError with SLURM's own sentence, or where it does not answer."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_seconds)
    except FileNotFoundError as error:
        raise QueueError(f"there is no {words[0]} on this machine", _ELSEWHERE) from error
    except subprocess.TimeoutExpired as error:
        raise QueueError(
            f"{words[0]} gave no answer in {timeout_seconds:g} s", "try again; see: scontrol ping"
        ) from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        sentence = said[-1] if said else str(done.returncode)
        is_elsewhere = any(symptom in sentence for symptom in _NO_CLUSTER)
        raise QueueError(f"{words[0]} refused: {sentence}", _ELSEWHERE if is_elsewhere else " ".join(words))
    return done.stdout


def site() -> Site:
    return parse_config(run(["scontrol", "show", "config"]))


def partitions() -> list[Partition]:
    return parse_partitions(run(["scontrol", "-o", "show", "partition"]))


def nodes() -> list[Node]:
    return parse_nodes(run(["scontrol", "-d", "-o", "show", "node"]))


def queued(user: str | None = None) -> list[QueuedTask]:
    """Every task that the controller still knows, ended ones too (for MinJobAge); of one user or of all."""
    whose = ["-u", user] if user else []
    return parse_squeue(run(["squeue", "-h", "-r", "-t", "all", *whose, "-o", SQUEUE_FORMAT]))


def waiting(partition: str = "") -> list[QueuedTask]:
    """Pending tasks of everybody, in a partition."""
    where = ["-p", partition] if partition else []
    return parse_squeue(run(["squeue", "-h", "-r", "-t", "PD", *where, "-o", SQUEUE_FORMAT]))


def ended_attempts(
    job_ids: Sequence[str], since: str = "", timeout_seconds: float = TIMEOUT_SECONDS
) -> list[EndedAttempt]:
    """Attempts of jobs as accounted, requeued ones too. Raises QueueError where accounting is off.

    sacct looks no further back than today's midnight unless told: ``since`` is when the first job was submitted.
    """
    if not job_ids:
        return []
    words = ["sacct", "-D", "-X", "-P", "-n", f"--format={','.join(SACCT_FIELDS)}", "-j", ",".join(job_ids)]
    return parse_sacct(run([*words, "-S", since] if since else words, timeout_seconds))


def qos() -> list[Qos]:
    """Raises QueueError where accounting is off."""
    return parse_qos(run(["sacctmgr", "-n", "-P", "show", "qos", f"format={','.join(QOS_FIELDS)}"]))


def accounts(user: str) -> list[str]:
    """Accounts that a user may charge. Raises QueueError where accounting is off."""
    text = run(["sacctmgr", "-n", "-P", "show", "assoc", f"user={user}", "format=Account"])
    return [line.strip() for line in text.splitlines() if line.strip()]


def submitted(script: str) -> str:
    """Submit a file; the job's id. Raises QueueError with what sbatch said."""
    return run(["sbatch", "--parsable", script]).strip().partition(";")[0]  # "id;cluster" in a federation


@dataclass(frozen=True)
class Trial:
    """What ``sbatch --test-only`` said: when it would start, or why never."""

    would_run: bool
    sentence: str


def trial(options: Sequence[str]) -> Trial:
    """Whether a job with these options could ever run here; nothing is queued."""
    words = ["sbatch", "--test-only", *options, "--wrap", "true"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QueueError(f"sbatch --test-only: {error}", "run this on a login node of the cluster") from error
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    sentence = said[-1].removeprefix("sbatch: ").removeprefix("allocation failure: ") if said else ""
    return Trial(done.returncode == 0, sentence)


def priorities(options: Sequence[str], nice: int) -> tuple[int, int] | None:
    """Of two jobs that differ in the nice value only, without and with it; None where they cannot be queued.

    They may begin in a week and are cancelled at once.
    """
    ids: list[str] = []
    try:
        for more in ([], [f"--nice={nice}"]):
            words = ["sbatch", "--parsable", "--begin=now+7days", "--output=/dev/null", *options, *more]
            ids.append(run([*words, "--wrap", "true"]).strip().partition(";")[0])
        found = {task.raw_id: task.priority for task in queued() if task.raw_id in ids}
        return (found[ids[0]], found[ids[1]]) if len(found) == 2 else None
    except QueueError:
        return None
    finally:
        cancel(ids)


def set_throttle(job_id: str, number: int) -> None:
    """At most so many tasks of a live array side by side; what runs already goes on. 0 would mean no limit."""
    run(["scontrol", "update", f"JobId={job_id}", f"ArrayTaskThrottle={max(1, number)}"])


def exclude_node(job_id: str, node: str) -> None:
    """Keep a pending job, or what is pending of an array, from a node, beside those it avoids already."""
    shown = records(run(["scontrol", "-o", "show", "job", job_id]))
    avoided = {given(record.get("ExcNodeList")) for record in shown} - {None}
    names = ",".join(sorted({*map(str, avoided), node}))
    run(["scontrol", "update", f"JobId={job_id}", f"ExcNodeList={names}"])


def cancel(job_ids: Sequence[str]) -> None:
    if job_ids:
        run(["scancel", *job_ids])
