"""The text of a batch script: a pure function of what a job is asked with. Golden files in tests/slurm/scripts.

Every script ends in one ``exec``, so that the program itself is what SLURM signals; until its handlers stand the
signals are ignored (an ignored signal stays ignored across exec, bash(1), and the program then takes it up).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OFFLINE: Mapping[str, str] = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
_SHARD_OF_TASK = 'shard=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {list})'
_END_OF_JOB = (
    "# SLURM_JOB_END_TIME is new in 23.02; before, the queue says when this run of the job ends (or nothing is known)",
    'if [ -z "${SLURM_JOB_END_TIME:-}" ]; then',
    '    ends=$(timeout 30 squeue -h -j "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" -o %e || true)',
    '    BENCHFORGE_JOB_END_TIME=$(date -d "${ends:-none}" +%s 2>/dev/null || true)',
    "    export BENCHFORGE_JOB_END_TIME",
    "fi",
)


@dataclass(frozen=True)
class JobOptions:
    """Options of sbatch by their long names; None leaves one to the site."""

    partition: str | None
    time_limit: str
    cpus: int
    memory: str | None = None
    account: str | None = None
    qos: str | None = None
    gres: str | None = None
    constraint: str | None = None
    nice: int | None = None
    signal: str | None = None

    def lines(self) -> dict[str, str]:
        given = {
            "account": self.account,
            "constraint": self.constraint,
            "cpus-per-task": str(self.cpus),
            "gres": self.gres,
            "mem": self.memory,
            "nice": None if self.nice is None else str(self.nice),
            "nodes": "1",
            "ntasks": "1",
            "partition": self.partition,
            "qos": self.qos,
            "signal": f"B:{self.signal}" if self.signal else None,
            "time": self.time_limit,
        }
        return {name: value for name, value in given.items() if value}

    def words(self) -> list[str]:
        """The same for a command line."""
        return [f"--{name}={value}" for name, value in self.lines().items()]


@dataclass(frozen=True)
class ArrayScript:
    """An array with one task per line of ``shards.txt`` in ``folder``, where its logs go as well."""

    name: str
    meaning: str
    options: JobOptions
    folder: Path
    indices: Sequence[int]
    """Lines of ``shards.txt``, from 0."""
    throttle: int
    words: Sequence[str]
    """Program and arguments; the shard is added as ``--shard-id``."""
    working_directory: Path
    environment: Mapping[str, str] = field(default_factory=lambda: OFFLINE)
    dependency: str | None = None

    def text(self) -> str:
        """The whole script; same arguments, same bytes."""
        header = {
            **self.options.lines(),
            "array": f"{ranges(self.indices)}%{max(1, self.throttle)}",
            "job-name": self.name,
            "open-mode": "append",
            "output": f"{self.folder}/logs/%A_%a.log",
            "requeue": "",
            **_dependency(self.dependency),
        }
        command = " ".join([*(shlex.quote(word) for word in self.words), '--shard-id "$shard"'])
        body = [
            "trap '' USR1 USR2 TERM  # ignored until the program has its handlers",
            *_exports(self.environment),
            f"cd {shlex.quote(str(self.working_directory))}",
            _SHARD_OF_TASK.format(list=shlex.quote(str(self.folder / "shards.txt"))),
            *_END_OF_JOB,
            f"exec {command}",
        ]
        return _script(header, self.meaning, body)


@dataclass(frozen=True)
class SingleScript:
    """One job: smoke, or a probe of a compute node."""

    name: str
    meaning: str
    options: JobOptions
    folder: Path
    words: Sequence[str]
    working_directory: Path
    environment: Mapping[str, str] = field(default_factory=lambda: OFFLINE)

    def text(self) -> str:
        header = {
            **self.options.lines(),
            "job-name": self.name,
            "open-mode": "append",
            "output": f"{self.folder}/logs/%j.log",
        }
        body = [
            *_exports(self.environment),
            f"cd {shlex.quote(str(self.working_directory))}",
            f"exec {shlex.join(self.words)}",
        ]
        return _script(header, self.meaning, body)


def ranges(indices: Sequence[int]) -> str:
    """``[0, 1, 2, 5]`` -> ``0-2,5``, as ``--array`` takes it."""
    runs: list[list[int]] = []
    for index in sorted(indices):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _script(header: Mapping[str, str], meaning: str, body: Sequence[str]) -> str:
    flags = [f"#SBATCH --{name}={value}" if value else f"#SBATCH --{name}" for name, value in sorted(header.items())]
    return "\n".join(["#!/bin/bash", *flags, f"# {meaning}", "set -euo pipefail", *body]) + "\n"


def _exports(environment: Mapping[str, str]) -> list[str]:
    pairs = [f"{name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    return [f"export {' '.join(pairs)}"] if pairs else []


def _dependency(dependency: str | None) -> dict[str, str]:
    """A score task whose generate task failed would wait for ever."""
    return {"dependency": dependency, "kill-on-invalid-dep": "yes"} if dependency else {}
