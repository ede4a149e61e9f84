"""Batch scripts are a pure function: golden texts, and what every one of them must have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from benchforge.slurm.arrays import split
from benchforge.slurm.sbatch import ArrayScript, JobOptions, SingleScript

IS_WRITING = bool(os.environ.get("BENCHFORGE_WRITE_GOLDEN"))
GOLDEN = Path(__file__).resolve().parents[1] / "slurm" / "scripts"
FOLDER = Path("/scratch/run/jobs/generate-001")
GPU = JobOptions(
    partition="gpu",
    time_limit="04:00:00",
    cpus=4,
    memory="64G",
    account="lab",
    qos="long",
    gres="gpu:pro6000:1",
    constraint="sm120",
    nice=1000000,
    signal="USR1@120",
)
CPU = JobOptions(partition="cpu", time_limit="02:00:00", cpus=8, signal="USR1@120")
PROGRAM = ("/venv/bin/python", "-m", "benchforge")
SCRIPTS = {
    "generate": ArrayScript(
        "default-generate",
        "generate: 24 shards of run default",
        GPU,
        FOLDER,
        range(24),
        6,
        (*PROGRAM, "generate", "--config", "run file.yaml"),
        Path("/home/user/my runs"),
    ),
    "score": ArrayScript(
        "default-score",
        "score: 24 shards of run default",
        CPU,
        FOLDER,
        [0, 2, 3, 4, 23],
        5,
        (*PROGRAM, "score"),
        Path("/home/user"),
        dependency="aftercorr:17",
    ),
    "smoke": SingleScript("smoke", "smoke", GPU, FOLDER, (*PROGRAM, "smoke"), Path("/home/user")),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_the_golden_one(name: str):
    path = GOLDEN / f"{name}.sbatch"
    text = SCRIPTS[name].text()
    if IS_WRITING:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_short_strict_and_ends_in_one_exec(name: str):
    lines = SCRIPTS[name].text().splitlines()
    assert lines[0] == "#!/bin/bash" and len(lines) < 40
    flags = [line for line in lines if line.startswith("#SBATCH")]
    assert flags == sorted(flags) and len(flags) == len(set(flags))
    assert "set -euo pipefail" in lines
    assert [line for line in lines if line.startswith("exec ")] == lines[-1:]
    assert subprocess.run(["bash", "-n", "-c", "\n".join(lines)]).returncode == 0


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_finds_nothing(name: str):
    done = subprocess.run(["shellcheck", "-"], input=SCRIPTS[name].text(), text=True, capture_output=True)
    assert done.returncode == 0, done.stdout


def test_each_task_runs_its_own_line_of_the_list(tmp_path: Path):
    """The very script, run by bash with what SLURM would set; a program that only prints takes the place of ours."""
    folder = tmp_path / "a job's folder"
    folder.mkdir()
    (folder / "shards.txt").write_text("first\nsecond\nthird\n", encoding="utf-8")
    script = ArrayScript("x", "x", CPU, folder, range(3), 1, ("/bin/echo", "it's", "score"), tmp_path)
    for index, shard in enumerate(("first", "second", "third")):
        environment = {**os.environ, "SLURM_ARRAY_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": str(index), "SLURM_JOB_ID": "1"}
        done = subprocess.run(["bash", "-c", script.text()], env=environment, capture_output=True, text=True)
        assert done.stdout == f"it's score --shard-id {shard}\n", done.stderr


def test_signals_are_ignored_until_the_program_has_its_handlers(tmp_path: Path):
    (tmp_path / "shards.txt").write_text("only\n", encoding="utf-8")
    words = ("/bin/sh", "-c", 'kill -USR1 $$; kill -TERM $$; echo survived "$@"', "-")
    script = ArrayScript("x", "x", CPU, tmp_path, [0], 1, words, tmp_path)
    environment = {**os.environ, "SLURM_ARRAY_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": "0", "SLURM_JOB_ID": "1"}
    done = subprocess.run(["bash", "-c", script.text()], env=environment, capture_output=True, text=True)
    assert done.stdout == "survived --shard-id only\n"


@pytest.mark.parametrize(
    ("squeue", "end"),
    [
        ("echo 2026-11-21T21:17:40", r"\d{10}"),
        ("echo", ""),  # date would take an empty text for midnight, and the job for long over
        ("echo NONE", ""),
        ("echo N/A", ""),
        ("exit 1", ""),
    ],
)
def test_the_end_of_the_job_is_what_the_queue_says_or_unknown(tmp_path: Path, squeue: str, end: str):
    (tmp_path / "shards.txt").write_text("only\n", encoding="utf-8")
    (tmp_path / "squeue").write_text(f"#!/bin/sh\n{squeue}\n", encoding="utf-8")
    (tmp_path / "squeue").chmod(0o755)
    words = ("/bin/sh", "-c", 'echo "end:$BENCHFORGE_JOB_END_TIME"')
    text = ArrayScript("x", "x", CPU, tmp_path, [0], 1, words, tmp_path).text()
    path = f"{tmp_path}:{os.environ['PATH']}"
    environment = {
        **os.environ,
        "SLURM_ARRAY_JOB_ID": "1",
        "SLURM_ARRAY_TASK_ID": "0",
        "SLURM_JOB_ID": "1",
        "PATH": path,
    }
    done = subprocess.run(["bash", "-c", text], env=environment, capture_output=True, text=True)
    assert re.fullmatch(f"end:{end}\n", done.stdout), done


def test_options_left_to_the_site_are_not_written():
    text = ArrayScript("x", "x", JobOptions(None, "1:00:00", 1), FOLDER, [0], 0, ("true",), Path("/")).text()
    assert not [name for name in ("partition", "qos", "account", "gres", "mem=", "signal") if f"--{name}" in text]
    assert "--array=0%1" in text


def test_arrays_are_split_at_the_sites_limit_and_by_gpus():
    shards = [f"s{number}" for number in range(2500)]
    arrays = split(shards, {}, 1001)
    assert [len(members) for _, members in arrays] == [1001, 1001, 498]
    assert [one for _, members in arrays for one in members] == shards
    mixed = split(["a", "b", "c", "d"], {"b": 4, "d": 4}, 1001)
    assert mixed == [(1, ("a", "c")), (4, ("b", "d"))]
    assert split([], {}, 1001) == []
