"""Boards with scores by problem: declared, then read from the marts with every reading of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb, fsum
from typing import Any

from .neighbours import Standing, standings

RECORDED, OFFICIAL, STRICT = "recorded", "official", "strict"
"""Readings: the recorded verdicts with n as planned; our judge by the official rules; by strict rules."""


@dataclass(frozen=True)
class Board:
    """A published table: rows are model and protocol. ``k`` of its metric; ``temperature`` None takes what is there."""

    key: str
    title: str
    source: str
    benchmark: str
    scenario: str
    k: int = 1
    temperature: float | None = None
    protocol: str | None = None
    is_detailed: bool = True


_CRUXEVAL, _LCB = "crux-eval/crux-eval.github.io@bbca815", "LiveCodeBench/livecodebench.github.io@"
_ARENA = "crux-eval/eval-arena@1c869f4"
BOARDS = (
    Board("cruxeval_i_1", "CRUXEval-I, pass@1 at 0.2", _CRUXEVAL, "cruxeval", "cruxeval_i", 1, 0.2),
    Board("cruxeval_o_1", "CRUXEval-O, pass@1 at 0.2", _CRUXEVAL, "cruxeval", "cruxeval_o", 1, 0.2),
    Board("cruxeval_i_5", "CRUXEval-I, pass@5 at 0.8", _CRUXEVAL, "cruxeval", "cruxeval_i", 5, 0.8),
    Board("cruxeval_o_5", "CRUXEval-O, pass@5 at 0.8", _CRUXEVAL, "cruxeval", "cruxeval_o", 5, 0.8),
    Board("lcb_generation", "LiveCodeBench v1, generation", f"{_LCB}29abbd6", "livecodebench", "generation"),
    Board("lcb_repair", "LiveCodeBench, self-repair", f"{_LCB}f186ab5", "livecodebench", "repair"),
    Board(
        "lcb_execution", "LiveCodeBench, execution", f"{_LCB}f186ab5", "livecodebench", "execution", protocol="direct"
    ),
    Board(
        "lcb_execution_cot",
        "LiveCodeBench, execution, chain of thought",
        f"{_LCB}f186ab5",
        "livecodebench",
        "execution",
        protocol="cot",
    ),
    Board(
        "lcb_execution_5",
        "LiveCodeBench execution, pass@5 at 0.2",
        "minimario/cruxeval-lcb@f6a90e0",
        "livecodebench",
        "execution",
        5,
        0.2,
    ),
    Board("arena_humaneval", "HumanEval, question-level table", _ARENA, "humaneval", "default", is_detailed=False),
    Board("arena_mbpp", "MBPP+, question-level table", _ARENA, "outside_mbpp_plus", "default", is_detailed=False),
    Board(
        "arena_lcb",
        "LiveCodeBench v1, question-level table",
        _ARENA,
        "livecodebench",
        "generation",
        is_detailed=False,
    ),
    Board(
        "arena_cruxeval",
        "CRUXEval-I, question-level table",
        "crux-eval/eval-arena@012edd7",
        "cruxeval",
        "cruxeval_i",
        is_detailed=False,
    ),
)


@dataclass
class Reading:
    """Scores by problem of one row under one reading, in [0, 1]."""

    scores: dict[str, float] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)

    @property
    def percent(self) -> float:
        return 100 * fsum(self.scores.values()) / len(self.scores)  # no order of rows can move it


@dataclass(frozen=True)
class Row:
    """One row of a board. ``standing`` is by the official reading where the row was graded again, else as recorded."""

    name: str
    published: float | None
    readings: Mapping[str, Reading]
    published_rank: int
    standing: Standing

    @property
    def best(self) -> Reading:
        return self.readings.get(OFFICIAL) or self.readings[RECORDED]


_SAMPLES = {
    f"lcb_execution{suffix}": Board(
        "", "", "minimario/cruxeval-lcb@f6a90e0", "livecodebench", "execution", temperature=0.2, protocol=protocol
    )
    for suffix, protocol in (("", "direct"), ("_cot", "cot"))
}
"""Boards of means -> where samples of some of their rows are recorded."""
_EQUAL = 1e-6

_VERDICTS = """
    select
        scores.model, requests.protocol, scores.origin, scores.verdict, scores.task_id, scores.num_planned,
        scores.num_passed, scores.source_problem
    from fct_task_scores as scores
    inner join int_requests_summarized as requests
        using (model, benchmark, scenario, comparability_digest, request_digest)
    semi join (
        select model, benchmark, scenario, comparability_digest
        from fct_task_scores
        where source = $source and origin = 'published'
    ) using (model, benchmark, scenario, comparability_digest)
    where
        scores.scope = 'all' and scores.verdict in ('official', 'strict')
        and scores.benchmark = $benchmark and scores.scenario = $scenario
        and ($temperature is null or requests.temperature = $temperature)
        and ($protocol is null or requests.protocol = $protocol)
        and scores.num_planned >= $k
"""
_MEANS = """
    select model, protocol, task_id, mean, source_problem
    from stg_lake__problem_means
    where
        source = $source and benchmark = $benchmark and scenario = $scenario
        and ($protocol is null or protocol = $protocol)
"""
_PRINTED = """
    select model, protocol, coalesce(try_cast(leaderboard as double), published)
    from published_scores
    where
        source = $source and benchmark = $benchmark and scenario = $scenario and k = $k
        and temperature is not distinct from $temperature
"""


def rows_of(marts: Any, board: Board) -> list[Row]:
    """Rows of a board, best first; empty where the marts hold fewer than two rows."""
    readings = _readings(marts, board)
    num_problems = max((len(one[RECORDED].scores) for one in readings.values()), default=0)
    whole = {name: one for name, one in readings.items() if len(one[RECORDED].scores) == num_problems}
    if len(whole) < 2:
        return []
    published = _published(marts, board, whole)
    best = {name: one.get(OFFICIAL) or one[RECORDED] for name, one in whole.items()}
    clusters = next(iter(best.values())).clusters
    is_clustered = len(set(clusters.values())) < len(clusters)
    found = standings({name: one.scores for name, one in best.items()}, clusters if is_clustered else None)
    ranks = {name: 1 + sum(other > score for other in published.values()) for name, score in published.items()}
    return [Row(one.name, published[one.name], whole[one.name], ranks[one.name], one) for one in found]


def twins(marts: Any, board: Board, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """(row, set of samples) whose scores are equal on every problem: whose samples a row shows, whatever its label."""
    if board.key not in _SAMPLES:
        return []
    recorded = {name: one[RECORDED].scores for name, one in _readings(marts, _SAMPLES[board.key]).items()}
    return [
        (row.name, name)
        for row in sorted(rows, key=lambda row: row.name)
        for name, scores in recorded.items()
        if _are_equal(row.readings[RECORDED].scores, scores)
    ]


def _are_equal(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and all(abs(one[task] - other[task]) <= _EQUAL for task in one)


def _readings(marts: Any, board: Board) -> dict[str, dict[str, Reading]]:
    found: dict[str, dict[str, Reading]] = {}
    for name, reading, task, score, cluster in (*_of_means(marts, board), *_of_verdicts(marts, board)):
        one = found.setdefault(name, {}).setdefault(reading, Reading())
        one.scores[task] = score
        one.clusters[task] = cluster or task
    return {name: readings for name, readings in sorted(found.items()) if RECORDED in readings}


def _of_means(marts: Any, board: Board) -> Iterator[tuple[str, str, str, float, str | None]]:
    asked = {name: getattr(board, name) for name in ("source", "benchmark", "scenario", "protocol")}
    for model, protocol, task, mean, cluster in marts.execute(_MEANS, asked).fetchall():
        yield _name(board, model, protocol), RECORDED, task, mean, cluster


def _of_verdicts(marts: Any, board: Board) -> Iterator[tuple[str, str, str, float, str | None]]:
    names = ("source", "benchmark", "scenario", "temperature", "protocol", "k")
    rows = marts.execute(_VERDICTS, {name: getattr(board, name) for name in names}).fetchall()
    for model, protocol, origin, verdict, task, planned, passed, cluster in rows:
        if origin == "published" and verdict == "strict":
            continue
        reading = RECORDED if origin == "published" else verdict
        yield _name(board, model, protocol), reading, task, _pass_at_k(planned, passed, board.k), cluster


def _pass_at_k(n: int, c: int, k: int) -> float:
    """1 - C(n-c, k) / C(n, k) (arXiv 2107.03374)."""
    return 1 - comb(n - c, k) / comb(n, k)


def _name(board: Board, model: str, protocol: str) -> str:
    known = model.removeprefix("unknown__")
    return f"{known}+cot" if protocol == "cot" and board.protocol is None else known


def _published(marts: Any, board: Board, rows: Mapping[str, Mapping[str, Reading]]) -> dict[str, float]:
    """As the board prints it, in percent; a table of means or verdicts is its own publication."""
    names = ("source", "benchmark", "scenario", "temperature", "k")
    printed = marts.execute(_PRINTED, {name: getattr(board, name) for name in names}).fetchall()
    by_name = {_name(board, model, protocol): score for model, protocol, score in printed}
    return {name: by_name.get(name, one[RECORDED].percent) for name, one in rows.items()}
