"""What one machine says about itself: kills for memory, in both versions of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.slurm.machine import num_oom_kills

STEP = "slurm_n1/uid_1000/job_7/step_batch/task_0"


@pytest.mark.parametrize(
    ("line", "file", "content", "number"),
    [
        (f"4:memory:/{STEP}", f"memory/{STEP}/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", 2),
        (f"4:memory:/{STEP}", "memory/slurm_n1/uid_1000/job_7/memory.oom_control", "oom_kill 1\n", 1),
        (f"0::/{STEP}", f"{STEP}/memory.events", "low 0\nmax 9\noom 1\noom_kill 3\n", 3),
        (f"0::/{STEP}", "slurm_n1/memory.events", "oom_kill 5\n", 0),  # of other jobs
        (f"9:cpu:/{STEP}", f"{STEP}/memory.events", "oom_kill 5\n", 0),
        ("0::/user.slice", "user.slice/memory.events", "oom_kill 5\n", 0),  # no job's
    ],
)
def test_kills_for_memory_are_those_of_our_job(tmp_path: Path, line: str, file: str, content: str, number: int):
    (tmp_path / "cgroup").write_text(f"1:name=systemd:/\n{line}\n", encoding="utf-8")
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(content, encoding="utf-8")
    assert num_oom_kills(tmp_path / "cgroup", tmp_path) == number
    assert num_oom_kills(tmp_path / "none", tmp_path) == 0
