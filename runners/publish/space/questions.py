"""What the page asks of the marts: SQL, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from published import Board

BOARD = ("benchmark", "scenario", "test_set", "metric", "verdict", "scope", "comparability_digest", "origin")
CELL = ", ".join(("model", *(key for key in BOARD if key != "metric")))
DECLARED = "(select model, hub_id, licence, is_osi_approved from dim_models) as declared"
PAIRS_SHOWN = 1000
REFUSALS_SHOWN = 500
LICENCES = {
    "all": "true",
    "osi": "coalesce(is_osi_approved, false)",
    "other": "not coalesce(is_osi_approved, false)",
}


@dataclass(frozen=True)
class Choice:
    """What the reader chose above the tabs; an empty list of origins or tiers means all of them."""

    search: str = ""
    origins: Sequence[str] = field(default_factory=tuple)
    trust_tiers: Sequence[str] = field(default_factory=tuple)
    licence: str = "all"

    def condition(self, with_tier: bool = True) -> tuple[str, dict[str, Any]]:
        """A condition over `model`, `hub_id`, `origin`, `trust_tier`, `is_osi_approved`, and its values.

        Every word of the search must stand in the name of the model, in either spelling.
        """
        parts = [LICENCES[self.licence]]
        values: dict[str, Any] = {}
        if self.origins:
            parts.append("(origin = 'all' or list_contains($origins, origin))")  # a refusal may concern both
            values["origins"] = list(self.origins)
        if self.trust_tiers and with_tier:
            parts.append("list_contains($trust_tiers, coalesce(trust_tier, 'unknown'))")
            values["trust_tiers"] = list(self.trust_tiers)
        for number, word in enumerate(self.search.lower().split()):
            parts.append(f"contains(lower(model || ' ' || coalesce(hub_id, replace(model, '__', '/'))), $word{number})")
            values[f"word{number}"] = word
        return " and ".join(parts), values


def cells(board: Board) -> list[dict[str, Any]]:
    """Benchmark cells that have numbers: `benchmark`, `scenario`, `title`; those of the default run first."""
    return board.ask("""
        with titles as (

            select benchmark, scenario, any_value(title) as title, bool_or(is_default_cell) as is_default_cell
            from dim_benchmarks
            group by benchmark, scenario

        )

        select benchmark, scenario, coalesce(title, benchmark) as title
        from (select distinct benchmark, scenario from leaderboard)
        left join titles using (benchmark, scenario)
        order by coalesce(is_default_cell, false) desc, title, benchmark, scenario
    """)


def ways(board: Board, benchmark: str, scenario: str) -> dict[str, list[str]]:
    """Test sets, metrics, readings and windows of a cell; first in each list what its headline quotes."""
    lists = board.ask(
        """
        select
            list(distinct test_set order by test_set) as test_sets,
            list(distinct metric order by metric) as metrics,
            list(distinct verdict order by verdict) as verdicts,
            list(distinct scope order by scope) as scopes,
            (select mode(test_set) from headline where (benchmark, scenario) = ($benchmark, $scenario)) as quoted
        from leaderboard
        where benchmark = $benchmark and scenario = $scenario
        """,
        {"benchmark": benchmark, "scenario": scenario},
    )[0]
    usual = {"test_sets": lists.pop("quoted"), "metrics": "pass@1", "verdicts": "official", "scopes": "all"}
    return {
        name: sorted(found or [], key=lambda value: (value != usual[name], len(value), value))
        for name, found in lists.items()
    }


def scores(board: Board, cell: dict[str, str], choice: Choice) -> list[dict[str, Any]]:
    """Rows of one board, best first. `cell`: benchmark, scenario, test_set, metric, verdict, scope."""
    condition, values = choice.condition()
    return board.ask(
        f"""
        select
            leaderboard.*, hub_id, licence, is_osi_approved, rank_low, rank_high, num_models,
            headline.model is not null and verdict = 'official' and scope = 'all' as is_quoted
        from leaderboard
        left join (
            select {CELL}, metric, rank_low, rank_high, num_models from fct_rank_intervals
        ) as ranks using ({CELL}, metric)
        left join {DECLARED} using (model)
        left join (
            select model, benchmark, scenario, test_set, metric, comparability_digest, origin from headline
        ) as headline using (model, benchmark, scenario, test_set, metric, comparability_digest, origin)
        where benchmark = $benchmark and scenario = $scenario and test_set = $test_set and metric = $metric
            and verdict = $verdict and scope = $scope and {condition}
        order by score desc, model, comparability_digest, origin
        """,
        cell | values,
    )


def quoted(board: Board, choice: Choice) -> list[dict[str, Any]]:
    """Every headline row, with its model's licence: one per model and cell."""
    condition, values = choice.condition()
    return board.ask(
        f"""
        select headline.*, hub_id, licence, is_osi_approved
        from headline
        left join {DECLARED} using (model)
        where {condition}
        order by model, benchmark, scenario
        """,
        values,
    )


def boards_compared(board: Board) -> list[dict[str, Any]]:
    """Boards that have pairs, the largest first: whatever pairs share."""
    return board.ask("""
        from (
            select
                benchmark, scenario, test_set, metric, verdict, scope, comparability_digest, origin,
                count(*) as num_pairs, any_value(num_models) as num_models
            from fct_model_comparisons
            group by all
        )
        order by metric <> 'pass@1', scope <> 'all', benchmark, scenario, num_pairs desc, comparability_digest, origin
    """)


def models_compared(board: Board, compared: Mapping[str, Any]) -> list[str]:
    """Models that have pairs on a board, best first."""
    rows = board.ask(
        f"""
        select model from fct_rank_intervals where {" and ".join(f"{key} = ${key}" for key in BOARD)}
        group by model order by min(rank), model
        """,
        _of_board(compared),
    )
    return [row["model"] for row in rows]


def pairs(board: Board, compared: Mapping[str, Any], model: str, choice: Choice) -> list[dict[str, Any]]:
    """A model against every other one of the board; a positive difference means that `model` is better."""
    condition, values = choice.condition(with_tier=False)
    same_board = " and ".join(f"{key} = ${key}" for key in BOARD)
    return board.ask(
        f"""
        with there as (

            select * exclude (model, other_model), other_model as model
            from fct_model_comparisons
            where fct_model_comparisons.model = $model and {same_board}

        ),

        back as (

            select
                * exclude (other_model) replace (
                    -difference as difference,
                    -difference_high as difference_low,
                    -difference_low as difference_high
                )
            from fct_model_comparisons
            where other_model = $model and {same_board}

        )

        select pairs.*, hub_id, licence, is_osi_approved
        from (from there union all by name from back) as pairs
        left join {DECLARED} using (model)
        where {condition}
        order by difference desc, model
        limit {PAIRS_SHOWN}
        """,
        _of_board(compared) | values | {"model": model},
    )


def _of_board(compared: Mapping[str, Any]) -> dict[str, Any]:
    return {key: compared[key] for key in BOARD}


def refusal_reasons(board: Board) -> list[dict[str, Any]]:
    """Reasons with the number of numbers they withhold, the most frequent first."""
    return board.ask("""
        select reason, count(*) as num_refused from fct_refusals group by reason order by num_refused desc, reason
    """)


def refusals(board: Board, benchmark: str, reason: str, choice: Choice) -> tuple[list[dict[str, Any]], int]:
    """The first refusals of a benchmark and reason (empty: any), and how many there are."""
    condition, values = choice.condition(with_tier=False)
    query = f"""
        from fct_refusals left join {DECLARED} using (model)
        where ($benchmark = '' or benchmark = $benchmark) and ($reason = '' or reason = $reason) and {condition}
    """
    values |= {"benchmark": benchmark, "reason": reason}
    rows = board.ask(
        f"""
        select fct_refusals.*, hub_id, licence, is_osi_approved, count(*) over () as num_all {query}
        order by model, benchmark, scenario, test_set, verdict, scope, metric, reason
        limit {REFUSALS_SHOWN}
        """,
        values,
    )
    return rows, rows[0]["num_all"] if rows else 0


def models(board: Board) -> list[dict[str, Any]]:
    """Models that have a number or a refusal, with what is declared about them."""
    return board.ask("""
        from dim_models
        where model in (select model from leaderboard union select model from fct_refusals)
        order by model
    """)


def scores_of(board: Board, model: str) -> list[dict[str, Any]]:
    """Every number of a model, headline rows first."""
    return board.ask(
        f"""
        select
            leaderboard.*, rank_low, rank_high, num_models,
            headline.model is not null and verdict = 'official' and scope = 'all' as is_quoted
        from leaderboard
        left join (
            select {CELL}, metric, rank_low, rank_high, num_models from fct_rank_intervals
        ) as ranks using ({CELL}, metric)
        left join (
            select model, benchmark, scenario, test_set, metric, comparability_digest, origin from headline
        ) as headline using (model, benchmark, scenario, test_set, metric, comparability_digest, origin)
        where model = $model
        order by is_quoted desc, benchmark, scenario, test_set, k, verdict, scope, comparability_digest, origin, metric
        """,
        {"model": model},
    )
