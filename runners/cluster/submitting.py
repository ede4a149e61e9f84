"""From pending shards to arrays in the queue: what is submitted, with which script, at which throttle."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...ingest.config import Settings
from ...ingest.errors import UsageError
from ...ingest.manifest import Run, Shard
from ...slurm import commands
from ...slurm.arrays import split
from ...slurm.facts import refuse_placeholders
from ...slurm.nodes import Wanted, idle_gpus
from ...slurm.queue import QueuedTask
from ...slurm.sbatch import OFFLINE, ArrayScript, JobOptions, SingleScript
from ...slurm.submissions import ShardTask, Submission, Submissions, now_text, shard_tasks
from ...slurm.throttle import allowance

GPU_FACTS = ("compute.gpu_partition", "compute.gres")
CPU_FACTS = ("compute.cpu_partition",)
_NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Planned:
    """One array before it is submitted. ``paired_with`` is the generate submission that its tasks wait for."""

    stage: str
    shard_ids: tuple[str, ...]
    indices: tuple[int, ...]
    gpus: int
    throttle: int
    paired_with: Submission | None = None


@dataclass(frozen=True)
class Queue:
    """What was asked of SLURM once for a whole submission."""

    tasks: Sequence[QueuedTask]
    idle_gpus: int
    max_array_size: int


def look_at_queue(settings: Settings) -> Queue:
    """One call each of squeue and scontrol. Raises QueueError where there is no SLURM."""
    found = idle_gpus(commands.nodes(), wanted_of(settings))
    return Queue(commands.queued(getpass.getuser()), found.free, commands.site().max_array_size)


def wanted_of(settings: Settings) -> Wanted:
    return Wanted(settings["compute.gpu_partition"], settings["compute.gres"], settings["compute.constraint"])


def in_queue(run: Run, stage: str, queue: Queue) -> dict[str, ShardTask]:
    """Shards of the stage that a pending or running task has."""
    found = shard_tasks(Submissions(run.root).of_stage(stage), queue.tasks)
    return {one.shard_id: one for one in found if not one.task.is_ended}


def plan_generate(
    shards: Sequence[Shard], gpus_of: Mapping[str, int], settings: Settings, queue: Queue
) -> list[Planned]:
    """Arrays for the shards; ``gpus_of`` maps a shard's model to the GPUs of one task."""
    refuse_placeholders(settings, GPU_FACTS)
    left = allowance(queue.idle_gpus, 0, settings["compute.headroom_gpus"])
    arrays = split(
        [shard.shard_id for shard in shards],
        {shard.shard_id: gpus_of.get(shard.model, 1) for shard in shards},
        queue.max_array_size,
    )
    planned = []
    for gpus, members in arrays:
        throttle = max(1, min(len(members), left // gpus))
        left = max(0, left - throttle * gpus)
        planned.append(Planned("generate", members, tuple(range(len(members))), gpus, throttle))
    return planned


def plan_score(
    ready: Sequence[Shard], coming: Mapping[str, ShardTask], settings: Settings, queue: Queue
) -> list[Planned]:
    """Arrays for what is generated, and one beside each generate array for what is still in the queue.

    SLURM's ``aftercorr`` pairs tasks by index, so those have the indices of their generate tasks.
    """
    refuse_placeholders(settings, CPU_FACTS)
    arrays = split([shard.shard_id for shard in ready], {}, queue.max_array_size)
    planned = [Planned("score", members, tuple(range(len(members))), 0, _NO_LIMIT) for _, members in arrays]
    by_folder: dict[str, list[ShardTask]] = {}
    for one in coming.values():
        by_folder.setdefault(one.submission.folder, []).append(one)
    for tasks in by_folder.values():
        submission = tasks[0].submission
        indices = tuple(sorted(task.task.index for task in tasks if task.task.index is not None))
        planned.append(Planned("score", submission.shard_ids, indices, 0, _NO_LIMIT, submission))
    return planned


def script_of(planned: Planned, settings: Settings, run_words: Sequence[str], folder: Path) -> ArrayScript:
    """The script of one array; ``run_words`` name the run (``--config …``) with absolute paths."""
    name = f"{settings['run.name']}-{planned.stage}"
    paired = planned.paired_with
    return ArrayScript(
        name,
        f"{planned.stage}: {len(planned.indices)} shards of run {settings['run.name']}, by benchforge submit",
        _gpu_options(settings, planned.gpus) if planned.stage == "generate" else _cpu_options(settings),
        folder,
        planned.indices,
        min(planned.throttle, len(planned.indices)),
        [sys.executable, "-m", "benchforge", planned.stage, *run_words],
        Path.cwd(),
        _environment(settings),
        f"aftercorr:{paired.job_id}" if paired else None,
    )


def smoke_script(settings: Settings, run_words: Sequence[str], gpus: int, folder: Path) -> SingleScript:
    words = [sys.executable, "-m", "benchforge", "smoke", *run_words]
    options = _gpu_options(settings, gpus)
    meaning = f"smoke of run {settings['run.name']}, by benchforge submit"
    name = f"{settings['run.name']}-smoke"
    return SingleScript(name, meaning, options, folder, words, Path.cwd(), _environment(settings))


def submit_all(
    run: Run, settings: Settings, planned: Sequence[Planned], run_words: Sequence[str], with_score: bool = False
) -> list[tuple[Planned, Submission]]:
    """Submit in order; with ``with_score`` each generate array is followed by the scoring array that waits for it."""
    made: list[tuple[Planned, Submission]] = []
    for one in planned:
        submission = _submit_one(run, settings, one, run_words)
        made.append((one, submission))
        if with_score and one.stage == "generate":
            pair = Planned("score", one.shard_ids, one.indices, 0, len(one.indices), submission)
            made.append((pair, _submit_one(run, settings, pair, run_words)))
    return made


def _submit_one(run: Run, settings: Settings, planned: Planned, run_words: Sequence[str]) -> Submission:
    return submit(run, planned, lambda folder: script_of(planned, settings, run_words, folder.resolve()))


def submit(run: Run, planned: Planned, make_script: Callable[[Path], ArrayScript]) -> Submission:
    """Write folder, list and script, hand the script to sbatch, record the job. Raises QueueError."""
    submissions = Submissions(run.root)
    folder = submissions.new_folder(planned.stage)
    (folder / "shards.txt").write_text("\n".join(planned.shard_ids) + "\n", encoding="utf-8")
    script = make_script(folder)
    submission = Submission(
        planned.stage,
        folder.name,
        _sbatch(folder, script.text()),
        planned.shard_ids,
        planned.indices,
        planned.gpus,
        script.throttle,
        now_text(),
    )
    submissions.record(submission)
    return submission


def submit_smoke(run: Run, make_script: Callable[[Path], SingleScript], gpus: int) -> Submission:
    submissions = Submissions(run.root)
    folder = submissions.new_folder("smoke")
    job_id = _sbatch(folder, make_script(folder).text())
    submission = Submission("smoke", folder.name, job_id, (), (), gpus, 1, now_text(), is_array=False)
    submissions.record(submission)
    return submission


def gpus_by_model(served: Mapping[str, Any], settings: Settings) -> dict[str, int]:
    """GPUs of one task: tensor parallel size of the model's row, or more where the run asks for more."""
    least = settings["compute.gpus_per_task"]
    return {name: max(least, model.tensor_parallel_size) for name, model in served.items()}


def absolute_words(given: Mapping[str, Any]) -> list[str]:
    """Options that name the run, as a job must say them: it starts in the same folder, but later."""
    names = {"config": "--config", "scratch": "--scratch", "run_name": "--run-name"}
    names |= {"lake": "--lake", "datasets": "--datasets"}
    words: list[str] = []
    for name, option in names.items():
        value = given.get(name)
        if value is not None:
            words += [option, str(value) if name == "run_name" else str(Path(value).expanduser().resolve())]
    return words


def _sbatch(folder: Path, text: str) -> str:
    path = folder / "script.sbatch"
    path.write_text(text, encoding="utf-8")
    return commands.submitted(str(path))


def _gpu_options(settings: Settings, gpus: int) -> JobOptions:
    kind = ":".join(word for word in settings["compute.gres"].split(":") if not word.isdigit())
    if not kind.startswith("gpu"):
        raise UsageError(f"BENCHFORGE_GRES is {kind!r}, not gpu or gpu:TYPE", "benchforge probe --gres gpu:TYPE")
    return JobOptions(
        partition=settings["compute.gpu_partition"] or None,
        time_limit=settings["compute.time_limit"],
        cpus=settings["compute.gpu_cpus"],
        memory=settings["compute.gpu_memory"] or None,
        account=settings["compute.account"] or None,
        qos=settings["compute.gpu_qos"] or None,
        gres=f"{kind}:{gpus}",
        constraint=settings["compute.constraint"] or None,
        nice=settings["compute.nice"],
        signal=settings["compute.signal"] or None,
    )


def _cpu_options(settings: Settings) -> JobOptions:
    return JobOptions(
        partition=settings["compute.cpu_partition"] or None,
        time_limit=settings["compute.cpu_time_limit"],
        cpus=settings["compute.cpu_cpus"],
        memory=settings["compute.cpu_memory"] or None,
        account=settings["compute.account"] or None,
        qos=settings["compute.cpu_qos"] or None,
        nice=settings["compute.nice"],
        signal=settings["compute.signal"] or None,
    )


def _environment(settings: Settings) -> dict[str, str]:
    offline = dict(OFFLINE) if settings["run.offline"] else {}
    return {**offline, **({"HF_HOME": settings["compute.hf_home"]} if settings["compute.hf_home"] else {})}
