"""24 shards on four virtual nodes, from submit to every mart: preempted, nodes lost, over their time limit.

``python tests/bench/cluster_storm.py [seed]`` prints the table; needs slurm-wlm. Beside it the same run undisturbed, of
which every row of every mart must come out. A llama.cpp server answers where one is installed (BENCHFORGE_ENGINES, as
``make test-engine`` has it), else recorded answers are replayed. Ten to fifteen minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "slurm"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine"))

from late_server import late
from on_the_login_node import Answering, Operator
from queue_storm import Storm, built, differing_rows, plan_many_shards, slow_answers, wait_for_work
from real_servers import made, python_of, serving
from virtual_cluster import VirtualCluster, virtual_cluster

MODELS = ("forge__sampler", "forge__repeater", "forge__short", "forge__perfect")
SHARDS, PREEMPTIONS, NODE_LOSSES, NOTICES, TIME_OUTS = 24, 10, 2, 2, 2
MAX_REQUEUES, BUDGET_HOURS = 12, 6.0
FACTS = f"""\
BENCHFORGE_COMPUTE_HEADROOM_GPUS=0
BENCHFORGE_RUN_MAX_REQUEUE_PER_SHARD={MAX_REQUEUES}
BENCHFORGE_RUN_GPU_HOUR_BUDGET={BUDGET_HOURS}
"""
_ANSWER_SECONDS, _CONCURRENCY, _END_SECONDS, _HUNG_SECONDS = 1.2, 2, 900, 900.0
_OVER_ITS_LIMIT = {"BENCHFORGE_GPU_TIME": "00:01:00", "BENCHFORGE_COMPUTE_SIGNAL": ""}
_OF_THE_TINY_MODEL = ", served_as: tiny, max_tokens: 24, context_length: 4096"

Environment = Mapping[str, str]


@dataclass(frozen=True)
class Answers:
    """``slow`` and ``hung`` are environments of tasks: in one an answer takes a second, in the other it never comes."""

    name: str
    answering: Answering
    slow: Environment
    hung: Environment
    num_tasks: int = 42
    """Of each shard: a server of one thread answers once a second."""


@dataclass(frozen=True)
class Outcome:
    """``seconds`` from the first submission to the last verdict; ``causes`` of all attempts of generation."""

    name: str
    seconds: float
    num_rows: int
    causes: Mapping[str, int]
    happened: Mapping[str, int]
    gpu_hours: float
    most_unfinished: int
    """Attempts of one shard."""
    marts: Path = field(repr=False)


def storm_outcomes(folder: Path, seed: int) -> tuple[Outcome, Outcome]:
    """The calm run, then the stormy one. AssertionError when a row is lost or doubled, or a mart differs."""
    with virtual_cluster(folder / "cluster") as cluster, answers(folder) as found:
        stormy = _run(cluster, folder / "storm", f"storm, {found.name}", _make_trouble, seed, found)
        print(stormy, file=sys.stderr, flush=True)
        cluster.clear()
        calm = _run(cluster, folder / "calm", "undisturbed", _submit_all, seed, found)
        cluster.clear()
        assert differing_rows(calm.marts, stormy.marts) == {}
    return calm, stormy


@contextmanager
def answers(folder: Path) -> Iterator[Answers]:
    """A real server where one is installed, else what was recorded."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(_llama(folder))
        except pytest.skip.Exception as reason:
            print(reason, file=sys.stderr)
            slow, hung = (slow_answers(folder / str(it), it) for it in (_ANSWER_SECONDS, _HUNG_SECONDS))
            yield Answers("replayed", Answering(), slow, hung)
            return
        slow, hung = (stack.enter_context(late(url, seconds)) for seconds in (_ANSWER_SECONDS, _HUNG_SECONDS))
        answering = Answering(f'name: endpoint, base_url: "{slow}", max_model_len: 4096', _OF_THE_TINY_MODEL)
        yield Answers("llama.cpp", answering, {}, {"BENCHFORGE_ENGINE_BASE_URL": hung}, num_tasks=12)


@contextmanager
def _llama(folder: Path) -> Iterator[str]:
    python = python_of("llama")
    weights = made(python, "gguf", folder / "gguf") / "tiny.gguf"
    words = [python, "-m", "llama_cpp.server", "--model", str(weights), "--model_alias", "tiny"]
    words += ["--host", "127.0.0.1", "--port", "0", "--n_ctx", "4096", "--n_threads", "1"]
    words += ["--interrupt_requests", "False"]
    with serving(words, folder / "llama.log") as url:
        yield url


def _run(
    cluster: VirtualCluster,
    home: Path,
    name: str,
    go_on: Callable[[Storm, Answers], None],
    seed: int,
    found: Answers,
) -> Outcome:
    operator = Operator.at(cluster, home, MODELS, FACTS, _CONCURRENCY, found.answering)
    storm = Storm(operator, seed)
    assert plan_many_shards(operator, found.num_tasks) == SHARDS
    started = time.monotonic()
    go_on(storm, found)
    storm.await_end(_END_SECONDS)
    storm.assert_nothing_lost()
    operator.do("submit", "score")
    storm.await_end(_END_SECONDS)
    seconds = time.monotonic() - started
    assert operator.num_done("score") == SHARDS, operator.logs()
    num_rows = sum(shard.expected_rows for shard in storm.run.manifest.shards().values())
    (monitored,) = operator.rows("monitor", "--once")
    most = max(found.total() - found["done"] for found in storm.causes_by_shard().values())
    hours = monitored["held_gpu_hours"]
    return Outcome(name, seconds, num_rows, dict(storm.causes()), dict(storm.happened), hours, most, built(operator))


def _submit_all(storm: Storm, found: Answers) -> None:
    storm.operator.do("submit", "generate", **found.slow)


def _make_trouble(storm: Storm, found: Answers) -> None:
    """Whom it meets is the seed's choice; what happens is counted until there was enough of each."""
    operator = storm.operator
    shards = sorted(storm.run.manifest.shards())
    hung = [word for shard_id in storm.random.sample(shards, TIME_OUTS) for word in ("--shard-id", shard_id)]
    operator.do("submit", "generate", *hung, **{**found.slow, **found.hung}, **_OVER_ITS_LIMIT)
    _submit_all(storm, found)
    while storm.happened["notice"] < NOTICES:
        storm.notice(storm.random.choice(wait_for_work(storm)))
    losses = [lambda: storm.lose_node(str(storm.random.choice(wait_for_work(storm, 2)).node))] * NODE_LOSSES
    while storm.happened["preempted"] < PREEMPTIONS:
        storm.preempt(storm.random.choice(wait_for_work(storm, 3)))
        if losses and storm.happened["preempted"] >= PREEMPTIONS // 3:
            losses.pop()()
    while losses:
        losses.pop()()
    storm.await_end(_END_SECONDS)
    storm.happened["timed out"] = sum(task.state == "TIMEOUT" for task in storm.tasks())
    operator.do("resubmit", "--no-score", **found.slow)


def table(calm: Outcome, stormy: Outcome) -> str:
    lines = [f"{'run':20}{'seconds':>9}{'rows':>7}{'GPU hours':>11}  attempts by cause"]
    for one in (calm, stormy):
        causes = ", ".join(f"{number} {cause}" for cause, number in sorted(one.causes.items()))
        lines.append(f"{one.name:20}{one.seconds:9.0f}{one.num_rows:7}{one.gpu_hours:11.2f}  {causes}")
    happened = ", ".join(f"{number} {what}" for what, number in sorted(stormy.happened.items()))
    limits = f"at most {stormy.most_unfinished} of {MAX_REQUEUES} unfinished attempts of a shard"
    limits += f", {stormy.gpu_hours:.2f} of {BUDGET_HOURS:g} GPU hours"
    lines.append(f"done to it: {happened}; {limits}")
    return "\n".join([*lines, f"wall overhead {stormy.seconds / calm.seconds:.2f}x, every row of every mart the same"])


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with tempfile.TemporaryDirectory() as folder:
        print(table(*storm_outcomes(Path(folder), seed)))


if __name__ == "__main__":
    main()
