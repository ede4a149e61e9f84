"""Probe the cluster: from the login node at once, and from its compute nodes by a job each."""

from __future__ import annotations

import datetime
import getpass
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ...ingest.config import SHORT_NAMES, Settings
from ...ingest.errors import Incomplete
from ...ingest.lake import replace_file
from ...slurm import commands
from ...slurm.facts import PLACEHOLDER, Fact, Line, merged, parse
from ...slurm.machine import facts_of_machine
from ...slurm.probe import facts_of_site, nice_fact, seen_now, tried
from ...slurm.sbatch import OFFLINE, JobOptions, SingleScript

_POLL_SECONDS = 2.0
_PROBE_TIME = "00:10:00"
_GIVEN = ("run.scratch", "compute.hf_home", "compute.sif_dir")
"""Folders that only the user can name."""


def chosen_by_hand(lines: Mapping[str, Line], words: Mapping[str, str | None]) -> dict[str, str]:
    """What a person said: in the file, or now on the command line, which wins."""
    in_file = {name: line.value for name, line in lines.items() if not line.is_open}
    return {**in_file, **{name: value for name, value in words.items() if value is not None}}


def facts_from_login(settings: Settings, chosen: Mapping[str, str], target: str) -> list[Fact]:
    """Everything that can be seen without a job. Raises QueueError where there is no SLURM."""
    facts = facts_of_site(seen_now(getpass.getuser()), chosen)
    facts = tried(facts, settings["compute.time_limit"], commands.trial)
    found = {fact.name: fact.value for fact in facts}
    nice = settings["compute.nice"]
    facts += [
        *_given(settings),
        Fact("NICE", str(nice), "the design's wish", is_verified=False),
        Fact("GPU_TIME", settings["compute.time_limit"], "the design's wish", is_verified=False),
        nice_fact(nice, commands.priorities(_where(found["GPU_PARTITION"]), nice)),
    ]
    scratch = settings.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    return [*facts, *facts_of_machine("SEEN_LOGIN", f"login node {platform.node()}", scratch, target)]


def facts_from_here(scratch: Path, target: str, job_id: str | None) -> list[Fact]:
    """What this machine, a compute node, allows; the sandbox is tried out."""
    how = f"job {job_id} on {platform.node()}" if job_id else platform.node()
    return [*facts_of_machine("SEEN_NODE", how, scratch, target), _sandbox(how)]


def write_result(path: Path, facts: Sequence[Fact]) -> None:
    replace_file(path, json.dumps([asdict(fact) for fact in facts]).encode())


def facts_from_job(settings: Settings, target: str, wait_seconds: float) -> list[Fact]:
    """Submit a probe of a GPU node and wait for what it wrote. Incomplete when it did not run in time."""
    folder = settings.scratch.resolve() / "probe"
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    result = folder / "node.json"
    result.unlink(missing_ok=True)
    (folder / "probe.sbatch").write_text(_script(settings, folder, result, target).text(), encoding="utf-8")
    job_id = commands.submitted(str(folder / "probe.sbatch"))
    deadline = time.monotonic() + wait_seconds
    while not result.exists():
        ended = [task for task in commands.queued(getpass.getuser()) if task.raw_id == job_id and task.is_ended]
        if (ended and not result.exists()) or time.monotonic() > deadline:
            raise _no_result(job_id, folder, ended[0].state if ended else None)
        time.sleep(_POLL_SECONDS)
    return [Fact(**row) for row in json.loads(result.read_text(encoding="utf-8"))]


def write_facts(path: Path, facts: Sequence[Fact]) -> None:
    """Into the user's file, atomically; what a person wrote stays."""
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    replace_file(path, merged(text, facts, now).encode())


def rows_of(text: str) -> list[dict[str, str]]:
    """Fact, value and status, as the file has them now."""
    return [{"fact": name, "value": line.value, "status": line.status} for name, line in parse(text).items()]


_HEAD = """\
# Facts of this cluster, read by every benchforge command and job; written by `benchforge probe`.
# Edit freely: a value that you wrote is kept, and probe says beside it what it found.
"""


def _given(settings: Settings) -> list[Fact]:
    facts = []
    for path in _GIVEN:
        origin = settings.origins[path]
        value = str(Path(settings[path]).expanduser().resolve()) if origin != "default" else ""
        how = f"given by {origin}" if value else "name it: no command knows it"
        facts.append(Fact(SHORT_NAMES[path], value, how, is_verified=False))
    return [fact for fact in facts if fact.value or fact.name != "SCRATCH"]


def _where(partition: str) -> list[str]:
    return [] if partition.startswith(PLACEHOLDER) else [f"--partition={partition}"]


def _script(settings: Settings, folder: Path, result: Path, target: str) -> SingleScript:
    words = [sys.executable, "-m", "benchforge", "probe", "--here", "--result", str(result)]
    words += ["--network-target", target, "--scratch", str(settings.scratch.resolve())]
    partition = settings["compute.gpu_partition"]
    options = JobOptions(
        partition=None if partition.startswith(PLACEHOLDER) else partition,
        time_limit=_PROBE_TIME,
        cpus=1,
        account=settings["compute.account"] or None,
        qos=settings["compute.gpu_qos"] or None,
    )
    return SingleScript("benchforge-probe", "what a compute node allows", options, folder, words, Path.cwd(), OFFLINE)


def _no_result(job_id: str, folder: Path, state: str | None) -> Incomplete:
    if state is None:
        return Incomplete(f"probe job {job_id} has not run yet", "benchforge probe --job --wait 3600")
    return Incomplete(f"probe job {job_id} ended {state} without a result", f"cat {folder}/logs/{job_id}.log")


def _sandbox(how: str) -> Fact:
    from ...ingest.errors import BenchforgeError
    from ..score.readiness.sandboxes import chosen, modes

    try:
        mode = chosen(modes(), None)
    except (BenchforgeError, OSError) as error:
        return Fact("SANDBOX_MODE", "", str(error), is_verified=False)
    return Fact("SANDBOX_MODE", mode.name, how) if mode else Fact("SANDBOX_MODE", "", "none holds", is_verified=False)
