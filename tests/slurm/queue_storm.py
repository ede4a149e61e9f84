"""Trouble on purpose: a run on the virtual cluster while tasks are preempted, nodes lost, time limits announced.

The replay engine answers slowly (a ``sitecustomize`` in the tasks' PYTHONPATH delays its server), so that trouble meets
tasks at work. What must come out: exactly the planned rows, each once, and the marts of a run that nothing happened to.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchforge.ingest.lake import Lake, replace_file
from benchforge.ingest.manifest import Run
from benchforge.runners import aggregate
from benchforge.slurm.queue import SQUEUE_FORMAT, QueuedTask, parse_squeue
from benchforge.slurm.submissions import Submissions
from on_the_login_node import Operator

_SLOW = """\
import http.server, pathlib, time
_send, _pause = http.server.BaseHTTPRequestHandler.send_response, pathlib.Path({pause!r})
def _late(self, *more):
    began = time.monotonic()
    while time.monotonic() - began < float(_pause.read_text()):
        time.sleep(0.1)
    return _send(self, *more)
http.server.BaseHTTPRequestHandler.send_response = _late
"""


def slow_answers(folder: Path, seconds: float) -> dict[str, str]:
    """Environment under which every answer of a server in a task's process comes that late, until ``hurry``."""
    folder.mkdir(parents=True, exist_ok=True)
    pause = folder / "pause_seconds"
    replace_file(pause, str(seconds).encode())
    (folder / "sitecustomize.py").write_text(_SLOW.format(pause=str(pause)), encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}


def hurry(folder: Path) -> None:
    """Enough trouble was made: answers come at once, also those that are waited for."""
    replace_file(folder / "pause_seconds", b"0")


@dataclass
class Storm:
    """``happened`` counts what was done to the run; the seed decides to whom."""

    operator: Operator
    seed: int = 0
    happened: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    @property
    def run(self) -> Run:
        return Run(self.operator.run_root, Lake(self.operator.lake))

    def tasks(self, stage: str = "generate") -> list[QueuedTask]:
        """Of this run: the cluster has seen others."""
        ours = {one.job_id for one in Submissions(self.operator.run_root).of_stage(stage)}
        text = self.operator.cluster.text("squeue", "-h", "-r", "-t", "all", "-o", SQUEUE_FORMAT)
        return [task for task in parse_squeue(text) if task.array_id in ours]

    def at_work(self) -> list[QueuedTask]:
        """Running tasks whose shard has a lease and some rows: trouble is worth making now."""
        shards = self._shard_of_task()
        running = [task for task in self.tasks() if task.state == "RUNNING"]
        return [task for task in running if self._is_at_work(shards.get((task.array_id, task.index)))]

    def notice(self, task: QueuedTask) -> None:
        """What ``--signal`` does two minutes before the limit, now.

        scancel tries again while the job is on its way back to the queue, and would signal its next run: it is ended
        when the notice was answered.
        """
        before = self.causes()["notice"]
        whom = task.raw_id if task.raw_id != task.array_id else f"{task.array_id}_{task.index}"
        words = ("scancel", "--signal=USR1", "--batch", whom)  # the last task has the id of its whole array
        sender = subprocess.Popen(words, env=self.operator.cluster.environment, stderr=subprocess.DEVNULL)
        try:
            self._wait(lambda: self.causes()["notice"] > before, "the notice to be answered")
        finally:
            sender.kill()
            sender.wait()
        self.happened["notice"] += 1

    def preempt(self, task: QueuedTask) -> None:
        """A job of higher priority takes every GPU of the task's node for a moment.

        Without a grace time the signal may come before the requeue is written down; the ledger then says notice.
        """
        before = self._num_noticed()
        assert task.node is not None
        job = self.operator.cluster.submit(
            "sleep 2", "-p", "gpu-hi", "--gres=gpu:pro6000:4", "-w", task.node, "-t", "1", "-J", "other"
        )
        self.operator.cluster.wait_for_state(job, "RUNNING", "COMPLETED")
        self._wait(lambda: self._num_noticed() > before, "a preempted attempt in the ledger")
        self.happened["preempted"] += self._num_noticed() - before

    def _num_noticed(self) -> int:
        causes = self.causes()
        return causes["preempted"] + causes["notice"]

    def lose_node(self, name: str) -> None:
        """Nobody there hears a signal; its tasks come back elsewhere when SLURM has noticed."""
        cluster = self.operator.cluster
        lost = {task.raw_id for task in self.tasks() if task.node == name and task.is_running}
        cluster.kill_node(name)
        cluster.wait_for(
            lambda: not any(task.raw_id in lost and task.is_running and task.node == name for task in self.tasks()),
            "the lost node to be noticed",
        )
        self.happened["node lost"] += 1
        cluster.start_node(name)
        cluster.run("scontrol", "update", f"NodeName={name}", "State=RESUME")

    def set_down(self, name: str) -> None:
        """An administrator's word: SLURM takes the node's tasks away at once, with TERM."""
        cluster, before = self.operator.cluster, self.causes()["node_fail"]
        cluster.text("scontrol", "update", f"NodeName={name}", "State=DOWN", "Reason=storm")
        self._wait(lambda: self.causes()["node_fail"] > before, "an attempt of a node that is down")
        cluster.run("scontrol", "update", f"NodeName={name}", "State=RESUME")
        self.happened["node down"] += 1

    def shard_of_model(self, model: str) -> str:
        """The only one."""
        (shard_id,) = (shard.shard_id for shard in self.run.manifest.shards().values() if shard.model == model)
        return shard_id

    def at_work_on(self, shard_id: str) -> QueuedTask:
        """The running task of a shard, when it has some rows and no requeue is under way."""
        found: list[QueuedTask] = []

        def is_at_work() -> bool:
            shards = self._shard_of_task()
            found[:] = [task for task in self.at_work() if shards[task.array_id, task.index] == shard_id]
            holder = self.holder(shard_id)  # a killed run of the same job leaves its own behind
            return bool(found) and holder.get("job") == found[0].raw_id and Path(f"/proc/{holder['pid']}").exists()

        self._wait(is_at_work, f"shard {shard_id} to be worked on")
        return found[0]

    def holder(self, shard_id: str) -> dict[str, Any]:
        """What the shard's lease says."""
        try:
            return json.loads((self.operator.run_root / "gen" / shard_id / "lease").read_text())
        except (OSError, ValueError):
            return {}

    def causes(self) -> Counter[str]:
        """Word of the ledger -> attempts of generation."""
        return sum(self.causes_by_shard().values(), Counter())

    def causes_by_shard(self) -> dict[str, Counter[str]]:
        names = ["stage", "cause", "shard_id"]
        rows = self.run.lake.read("runs", names).to_pylist() if self._has_ledger() else []
        found: dict[str, Counter[str]] = {}
        for row in rows:
            if row["stage"] == "generate":
                found.setdefault(row["shard_id"], Counter())[row["cause"]] += 1
        return found

    def await_state(self, task: QueuedTask, state: str) -> None:
        """Of this task alone: the last task of an array has the array's own id."""

        def is_there() -> bool:
            return any(one.raw_id == task.raw_id and one.state == state for one in self.tasks())

        self._wait(is_there, f"task {task.raw_id} to be {state}")

    def await_end(self, timeout_seconds: float) -> None:
        def is_over() -> bool:
            tasks = self.tasks() + self.tasks("score")
            return all(task.is_ended for task in tasks)

        self._wait(is_over, "every task to end", timeout_seconds)

    def assert_nothing_lost(self) -> None:
        """Exactly the planned rows, each key once."""
        rows = self.run.lake.read("samples", ["shard_id", "task_id", "sample_index"]).to_pylist()
        planned = sum(shard.expected_rows for shard in self.run.manifest.shards().values())
        keys = {(row["shard_id"], row["task_id"], row["sample_index"]) for row in rows}
        assert len(rows) == len(keys) == planned, self.operator.logs()

    def _shard_of_task(self) -> dict[tuple[str, int | None], str]:
        made = Submissions(self.operator.run_root).of_stage("generate")
        return {(one.job_id, index): one.shard_ids[index] for one in made for index in one.indices}

    def _is_at_work(self, shard_id: str | None) -> bool:
        if shard_id is None:
            return False
        folder = self.operator.run_root / "gen" / shard_id
        journal = folder / "samples.jsonl"
        is_done = (self.operator.run_root / "manifests" / f"generate-{shard_id}.done").exists()
        return (folder / "lease").exists() and journal.exists() and journal.stat().st_size > 0 and not is_done

    def _has_ledger(self) -> bool:
        return (self.operator.lake / "_live" / "runs").exists()

    def _wait(self, condition: Callable[[], bool], what: str, timeout_seconds: float = 180) -> None:
        try:
            self.operator.cluster.wait_for(condition, what, timeout_seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.operator.logs()}") from None


def wait_for_work(storm: Storm, number: int = 1, timeout_seconds: float = 180) -> list[QueuedTask]:
    """At least so many tasks at work."""
    deadline = time.monotonic() + timeout_seconds
    while len(found := storm.at_work()) < number:
        assert time.monotonic() < deadline, f"{number} tasks never were at work\n{storm.operator.logs()}"
        time.sleep(0.2)
    return found


def plan_many_shards(operator: Operator, num_tasks: int = 42) -> int:
    """24 shards of so many rows: samples of three models planned one by one, and one greedy model; how many."""
    limit = ("--limit", str(num_tasks))
    for number in range(1, 11):
        models = ("forge__sampler", "forge__repeater", *(("forge__short",) if number <= 3 else ()))
        words = [word for model in models for word in ("--model", model)]
        operator.do("plan", *words, "--num-samples", str(number), *limit)
    operator.do("plan", "--model", "forge__perfect", *limit)
    return len(operator.rows("status"))


MEASURED: Mapping[str, tuple[str, ...]] = {
    "fct_generation_costs": ("num_attempts", "tokens_discarded", "gpu_seconds", "price", "gpu_seconds_per_point")
}
"""Columns of marts that say what a run took: the only ones in which a run in trouble may differ from a calm one."""


def built(operator: Operator) -> Path:
    """The file of marts that aggregate makes of the run."""
    path = operator.home / "marts" / "benchforge.duckdb"
    operator.do("aggregate", "--output", str(path))
    return path


def differing_rows(one: Path, other: Path) -> dict[str, list[str]]:
    """Mart -> rows (as JSON, without measured columns) that are not in both files as often; nothing where equal."""
    found, others = _rows_of_marts(one), _rows_of_marts(other)
    assert found.keys() == others.keys()
    assert sum(map(Counter.total, found.values())) > 0
    pairs = ((mart, (rows - others[mart]) + (others[mart] - rows)) for mart, rows in found.items())
    return {mart: sorted(rows) for mart, rows in pairs if rows}


def _rows_of_marts(path: Path) -> dict[str, Counter[str]]:
    rows = {}
    with aggregate.opened(path) as connection:
        for mart in aggregate.marts_of(connection):
            left_out = f" exclude ({', '.join(MEASURED[mart])})" if mart in MEASURED else ""
            query = f"select to_json(mart)::varchar from (select *{left_out} from {mart}) as mart"
            rows[mart] = Counter(row for (row,) in connection.execute(query).fetchall())
    return rows
