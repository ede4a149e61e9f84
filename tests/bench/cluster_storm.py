"""24 shards on four virtual nodes: preempted, nodes lost, limits announced; beside it the same run undisturbed.

``python tests/bench/cluster_storm.py [seed]`` prints the table; needs slurm-wlm. Five to ten minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "slurm"))

from on_the_login_node import Operator
from queue_storm import Storm, board, plan_many_shards, slow_answers, wait_for_work
from virtual_cluster import VirtualCluster, virtual_cluster

MODELS = ("forge__sampler", "forge__repeater", "forge__short", "forge__perfect")
SHARDS, PREEMPTIONS, NODE_LOSSES, NOTICES = 24, 10, 2, 2
FACTS = "BENCHFORGE_COMPUTE_HEADROOM_GPUS=0\nBENCHFORGE_RUN_MAX_REQUEUE_PER_SHARD=20\n"
_ANSWER_SECONDS, _CONCURRENCY, _END_SECONDS = 1.2, 2, 900


@dataclass(frozen=True)
class Outcome:
    """``seconds`` from submission to the last task's end; ``causes`` of all attempts."""

    name: str
    seconds: float
    num_rows: int
    causes: dict[str, int]
    leaderboard: list


def storm_outcomes(folder: Path, seed: int) -> tuple[Outcome, Outcome]:
    """The calm run, then the stormy one. AssertionError when a row is lost or doubled."""
    with virtual_cluster(folder / "cluster") as cluster:
        stormy = _run(cluster, folder / "storm", "storm", _make_trouble, seed)
        print(stormy.name, f"{stormy.seconds:.0f} s", stormy.num_rows, stormy.causes, file=sys.stderr, flush=True)
        cluster.clear()
        calm = _run(cluster, folder / "calm", "undisturbed", lambda storm: None, seed)
        cluster.clear()
    return calm, stormy


def _run(cluster: VirtualCluster, home: Path, name: str, trouble: Callable[[Storm], None], seed: int) -> Outcome:
    operator = Operator.at(cluster, home, MODELS, FACTS, _CONCURRENCY)
    storm = Storm(operator, seed)
    assert plan_many_shards(operator) == SHARDS
    started = time.monotonic()
    operator.do("submit", "generate", **slow_answers(home / "slow", _ANSWER_SECONDS))
    trouble(storm)
    storm.await_end(_END_SECONDS)
    seconds = time.monotonic() - started
    storm.assert_nothing_lost()
    operator.do("score")
    num_rows = sum(shard.expected_rows for shard in storm.run.manifest.shards().values())
    return Outcome(name, seconds, num_rows, dict(storm.causes()), board(operator))


def _make_trouble(storm: Storm) -> None:
    """Whom it meets is the seed's choice; what happens is counted until there was enough of each."""
    while storm.happened["notice"] < NOTICES:
        storm.notice(storm.random.choice(wait_for_work(storm)))
    losses = [lambda: storm.lose_node(str(storm.random.choice(wait_for_work(storm, 2)).node))] * NODE_LOSSES
    while storm.happened["preempted"] < PREEMPTIONS:
        storm.preempt(storm.random.choice(wait_for_work(storm, 3)))
        if losses and storm.happened["preempted"] >= PREEMPTIONS // 3:
            losses.pop()()
    while losses:
        losses.pop()()


def table(calm: Outcome, stormy: Outcome) -> str:
    lines = [f"{'run':12}{'seconds':>9}{'rows':>7}  attempts by cause"]
    for one in (calm, stormy):
        causes = ", ".join(f"{number} {cause}" for cause, number in sorted(one.causes.items()))
        lines.append(f"{one.name:12}{one.seconds:9.0f}{one.num_rows:7}  {causes}")
    return "\n".join([*lines, f"wall overhead {stormy.seconds / calm.seconds:.2f}x, equal marts"])


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with tempfile.TemporaryDirectory() as folder:
        calm, stormy = storm_outcomes(Path(folder), seed)
    assert calm.leaderboard == stormy.leaderboard
    print(table(calm, stormy))


if __name__ == "__main__":
    main()
