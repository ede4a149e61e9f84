"""Two models beside each other: is one better, on which problems, why, and what would it take to tell.

Nothing is estimated here but one thing: differences, intervals and tests are rows of ``fct_model_comparisons``, flipped
problems of ``fct_task_scores``, reasons of ``fct_sample_results``. What would be needed follows from the variances of
the pair's own rows: with ``v = n_problems * se²``, problems enough for power .8 at two-sided 5 % are
``(z_.975 + z_.8)² v / difference²`` (the normal approximation that ``fct_planning_curves`` uses for boards at large).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...ingest.errors import UsageError
from .names import model_meant, refuse_unknown, rows
from .reading import opened_marts

Row = dict[str, Any]

_Z_BOTH_SIDES = 1.959963984540054
_Z_POWER = 0.8416212335729143
_CONDITIONS = ("benchmark", "scenario", "test_set", "protocol", "temperature")
"""How a reader tells one board from another; the digest tells it for sure."""

_BOARDS = """
    select comparisons.*, comparisons.model = $a as is_first_better, conditions.protocol, conditions.temperature
    from fct_model_comparisons as comparisons
    left join (
        select comparability_digest, origin, any_value(protocol) as protocol, any_value(temperature) as temperature
        from leaderboard
        group by all
    ) as conditions using (comparability_digest, origin)
    where
        ((model = $a and other_model = $b) or (model = $b and other_model = $a))
        and benchmark glob $benchmark and metric = $metric and verdict = $verdict and scope = $scope
    order by all
"""
_PROBLEMS = """
    with scores as (
        select *
        from fct_task_scores
        where model in ($a, $b) and verdict = $verdict and scope = $scope and benchmark glob $benchmark
    )
    select
        first.benchmark, first.scenario, first.test_set, first.comparability_digest, first.origin,
        first.dataset_version, first.task_id,
        first.num_passed as passed_a, first.num_planned as planned_a,
        second.num_passed as passed_b, second.num_planned as planned_b,
        first.pass_at_1 - second.pass_at_1 as difference
    from scores as first
    inner join scores as second using (
        benchmark, scenario, test_set, comparability_digest, origin, dataset_version, task_id
    )
    where first.model = $a and second.model = $b and first.pass_at_1 <> second.pass_at_1
    order by all
"""
_REASONS = """
    select
        model, benchmark, scenario, test_set, comparability_digest, origin, dataset_version, task_id,
        case
            when base_verdict <> 'pass' then coalesce(base_reason, 'not_recorded')
            else coalesce(plus_reason, 'not_recorded')
        end as reason,
        count(*) as num_samples
    from fct_sample_results
    where model in ($a, $b) and verdict = $verdict and benchmark glob $benchmark and not is_passed
    group by all
"""
_REFUSED = """
    select
        benchmark, scenario, test_set, model, metric, reason, detail,
        array_to_string(differing_fields, ', ') as differing_fields
    from fct_refusals
    where
        benchmark glob $benchmark and verdict = $verdict and scope = $scope
        and (
            (model = $a and metric = 'comparison with ' || $b) or (model = $b and metric = 'comparison with ' || $a)
        )
    order by all
"""


@dataclass(frozen=True)
class Compared:
    """``boards``: a row per board that holds both; ``problems``: those on which they differ, with reasons;
    ``reasons``: why the one that does worse there fails; ``refused``: boards on which they cannot be compared.
    """

    a: str
    b: str
    boards: tuple[Row, ...]
    problems: tuple[Row, ...]
    reasons: tuple[Row, ...]
    refused: tuple[Row, ...]


BOARD_COLUMNS = (
    *(*_CONDITIONS, "num_planned", "num_problems", "score_difference", "difference_low", "difference_high", "p_value"),
    *("only_a", "only_b", "in_words"),
)
NOISE_COLUMNS = (
    *(*_CONDITIONS, "num_planned", "num_problems", "noise_from_problems", "noise_from_sampling"),
    *("problems_needed", "samples_needed", "families_held"),
)
PROBLEM_COLUMNS = (
    *(*_CONDITIONS, "task_id", "passed_a", "planned_a", "passed_b", "planned_b", "difference", "reason_a", "reason_b"),
)
REASON_COLUMNS = (*_CONDITIONS, "fails", "reason", "num_problems", "num_samples")
REFUSED_COLUMNS = ("benchmark", "scenario", "test_set", "reason", "detail", "differing_fields")


def compare(
    path: Path,
    a: str,
    b: str,
    *,
    benchmark: str = "*",
    metric: str = "pass@1",
    verdict: str = "official",
    scope: str = "all",
) -> Compared:
    """Everything that the marts at ``path`` say of models ``a`` and ``b``; differences are ``a`` minus ``b``.

    ``benchmark`` is a pattern (``*``). Raises NotStaged where nothing was built, UsageError for a model that is not
    there, for one model given twice, and where the two never met on any board.
    """
    with opened_marts(path) as connection:
        a, b = model_meant(connection, a), model_meant(connection, b)
        if a == b:
            raise UsageError(f"{a} was given twice", "benchforge compare A B, two models")
        same = {"a": a, "b": b, "benchmark": benchmark, "verdict": verdict}
        boards = rows(connection, _BOARDS, metric=metric, scope=scope, **same)
        refused = rows(connection, _REFUSED, scope=scope, **same)
        if not boards and not refused:
            refuse_unknown(connection, {"benchmark": benchmark, "metric": metric, "verdict": verdict, "scope": scope})
            raise UsageError(f"{a} and {b} have no board in common", _where_they_are(connection, a, b))
        met = {_key(board): {name: board[name] for name in _CONDITIONS} for board in boards}
        found = rows(connection, _PROBLEMS, scope=scope, **same)
        problems = [row | met[_key(row)] for row in found if _key(row) in met]
        failing = [row for row in rows(connection, _REASONS, **same) if _key(row) in met] if problems else []
    explained = _with_reasons(problems, failing, a, b)
    summed = tuple(_board_row(board, problems) for board in boards)
    return Compared(a, b, summed, explained, tuple(_reasons(problems, failing, a, b)), tuple(refused))


def _where_they_are(connection: Any, a: str, b: str) -> str:
    query = "select distinct benchmark from leaderboard where model = $model order by 1"
    found = {model: [row["benchmark"] for row in rows(connection, query, model=model)] for model in (a, b)}
    return "; ".join(f"{model}: {', '.join(names) or 'no number at all'}" for model, names in found.items())


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("benchmark", "scenario", "test_set", "comparability_digest", "origin", "dataset_version")
    return tuple(row[name] for name in names)


def _board_row(board: Row, problems: list[Row]) -> Row:
    sign = 1 if board["is_first_better"] else -1
    low, high = (board["difference_low"], board["difference_high"])
    flipped = [row["difference"] for row in problems if _key(row) == _key(board)]
    return {
        **board,
        "score_difference": sign * board["difference"],
        "difference_low": low if sign > 0 else _minus(high),
        "difference_high": high if sign > 0 else _minus(low),
        "families_held": ", ".join(board["families_held"] or []) or "none",
        "only_a": sum(difference > 0 for difference in flipped),
        "only_b": sum(difference < 0 for difference in flipped),
        **_noise(board),
        **_needed(board),
        "in_words": _in_words(board),
    }


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _noise(board: Row) -> Row:
    """Shares of the variance of the difference: of the problems drawn, of the samples drawn; NULL where n = 1."""
    total, sampling = board["se_total"], board["se_prediction"]
    if not total or sampling is None:
        return {"noise_from_problems": None, "noise_from_sampling": None}
    share = min(1.0, sampling**2 / total**2)
    return {"noise_from_problems": 1 - share, "noise_from_sampling": share}


def _needed(board: Row) -> Row:
    """Problems at this n, or samples a problem at these problems, that would tell a difference as large as seen."""
    difference, total = board["difference"], board["se_total"]
    if not difference or total is None:
        return {"problems_needed": None, "samples_needed": None}
    wanted = (difference / (_Z_BOTH_SIDES + _Z_POWER)) ** 2
    problems = math.ceil(board["num_problems"] * total**2 / wanted) if total else board["num_problems"]
    return {"problems_needed": problems, "samples_needed": _samples_needed(board, wanted)}


def _samples_needed(board: Row, wanted: float) -> int | None:
    """None where n = 1 (one sample tells no noise apart) and where no number of samples would do."""
    if board["se_prediction"] is None or board["se_data"] is None:
        return None
    room = wanted - max(board["se_data"], 0.0) ** 2
    return math.ceil(board["num_planned"] * board["se_prediction"] ** 2 / room) if room > 0 else None


def _in_words(board: Row) -> str:
    better = board["model"]
    if not board["difference"]:
        return "equal scores"
    if board["p_value"] is not None and board["p_value"] < 0.05:
        held = (
            "also among all pairs" if "all_pairs" in (board["families_held"] or []) else "as one pair looked at alone"
        )
        return f"{better} is better ({held})"
    return "cannot be told apart"


def _with_reasons(problems: list[Row], failing: list[Row], a: str, b: str) -> tuple[Row, ...]:
    said: dict[tuple[Any, ...], list[str]] = {}
    for row in sorted(failing, key=lambda row: (-row["num_samples"], row["reason"])):
        said.setdefault((row["model"], *_key(row), row["task_id"]), []).append(row["reason"])
    found = [
        row
        | {
            f"reason_{side}": ", ".join(said.get((model, *_key(row), row["task_id"]), [])) or None
            for side, model in (("a", a), ("b", b))
        }
        for row in problems
    ]
    return tuple(sorted(found, key=lambda row: (*map(str, _key(row)), -abs(row["difference"]), row["task_id"])))


def _reasons(problems: list[Row], failing: list[Row], a: str, b: str) -> list[Row]:
    """Why the model that does worse on a problem fails there."""
    worse = {(*_key(row), row["task_id"]): b if row["difference"] > 0 else a for row in problems}
    met = {_key(row): tuple(row[name] for name in _CONDITIONS) for row in problems}
    counted: dict[tuple[Any, ...], list[int]] = {}
    for row in failing:
        if worse.get((*_key(row), row["task_id"])) == row["model"]:
            total = counted.setdefault((*met[_key(row)], row["model"], row["reason"]), [0, 0])
            total[0] += 1
            total[1] += row["num_samples"]
    listed = sorted(counted.items(), key=lambda item: (*map(str, item[0][:-1]), -item[1][0], item[0][-1]))
    return [dict(zip(REASON_COLUMNS, (*key, *numbers), strict=True)) for key, numbers in listed]
