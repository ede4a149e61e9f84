"""Intervals and standard errors computed again, by the published estimators, from histograms counted again."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..aggregate import PROJECT
from .check_recount import CELL
from .check_sources import Sources

_TOLERANCE = 1e-9
"""The estimators give the same bytes; what is allowed is the last digit of a sum in another order."""
_NUMBERS = ("bootstrap_low", "bootstrap_high", "interval_low", "interval_high", "new_samples_low", "new_samples_high",
            "se_total", "se_prediction", "se_data", "variance_data", "design_effect")  # fmt: skip
_WORDS = ("bootstrap_method", "interval_method")
_FLAG_OF_THE_MART = "unanswered_counted_wrong"
"""The one flag that is not the estimators'."""
_KEY = ", ".join(CELL)


def recompute_intervals(sources: Sources) -> None:
    """Table ``gate_recount.intervals``: one row per number of the leaderboard, ``moved`` names what differs."""
    import duckdb

    from ...macros.udfs import register

    register(sources.connection)
    try:
        for name, sql in (("clustered", _clustered()), ("asked", _asked()), ("intervals", _intervals())):
            sources.connection.execute(f"create or replace table gate_recount.{name} as {sql}").fetchall()
    except duckdb.Error as error:
        sources.absent["gate_recount.intervals"] = " ".join(str(error).split())[:300]


def _clustered() -> str:
    """Passes and clusters of every problem in one order, for cells whose design is clusters."""
    kinds = ("official", "strict", "corrected_extraction")
    passed = " ".join(
        f"when '{kind}' then case when test_set = 'plus' and has_plus then {kind}_plus_passed"
        f" else {kind}_base_passed end"
        for kind in kinds
    )
    return f"""
        with in_scope as (
            select grader_key, task_id, cluster, has_plus, 'all' as scope, unnest(test_sets) as test_set,
                {", ".join(f"{kind}_{part}_passed" for kind in kinds for part in ("base", "plus"))}
            from gate_recount.problems where cluster is not null
            union all by name
            select problems.grader_key, problems.task_id, problems.cluster, problems.has_plus, scopes.scope,
                scopes.test_set,
                {", ".join(f"problems.{kind}_{part}_passed" for kind in kinds for part in ("base", "plus"))}
            from gate_recount.problems as problems
            inner join gate_recount.graders as graders using (grader_key)
            inner join gate_recount.scopes as scopes
                on graders.benchmark = scopes.benchmark and problems.dataset_version = scopes.dataset_version
                and graders.scenario = scopes.scenario and problems.task_id = scopes.task_id
                and scopes.model in ('', graders.model)
            where problems.cluster is not null
        ),
        by_kind as (select *, unnest(['{"', '".join(kinds)}']) as verdict from in_scope)
        select graders.model, graders.benchmark, graders.scenario, by_kind.test_set, by_kind.verdict, by_kind.scope,
            graders.comparability_digest, graders.origin,
            list((case verdict {passed} end)::bigint order by task_id) as passes,
            list(cluster order by task_id) as clusters
        from by_kind
        inner join gate_recount.graders as graders using (grader_key)
        group by by_kind.grader_key, {_KEY.replace("model", "graders.model", 1)}
    """


def _asked() -> str:
    """Every number of the leaderboard with its histogram."""
    return f"""
        with maps as (
            select {_KEY}, max(num_planned) as num_planned,
                map_from_entries(list((num_passed, num_problems::bigint))) as by_passes
            from (select {_KEY}, num_passed, max(num_planned) as num_planned, sum(num_problems) as num_problems
                from gate_recount.passes group by all)
            group by {_KEY}
        )
        select {_KEY}, shown.metric, maps.num_planned::bigint as num_planned,
            list_transform(range(0, maps.num_planned + 1), lambda c: coalesce(by_passes[c], 0)) as counts,
            case when len(clustered.passes) = shown.num_problems then clustered.passes end as passes,
            case when len(clustered.passes) = shown.num_problems then clustered.clusters end as clusters
        from gate_marts.leaderboard as shown
        inner join maps using ({_KEY})
        left join gate_recount.clustered as clustered using ({_KEY})
        where maps.num_planned <= 100000
    """


def _intervals() -> str:
    """Equal laws once: verdict kinds often agree."""
    law, seed = "num_planned, counts, passes, clusters, metric", int(project_variables()["bootstrap_seed"])
    moved = [f"case when {_is_other(name)} then '{name}' end" for name in _NUMBERS]
    moved += [f"case when shown.{name} is distinct from around.{name} then '{name}' end" for name in _WORDS]
    flags = f"list_filter(shown.flags, lambda flag: flag <> '{_FLAG_OF_THE_MART}')"
    moved.append(f"case when list_sort({flags}) is distinct from list_sort(around.flags) then 'flags' end")
    return f"""
        with laws as (
            select {law}, uncertainty_udf(counts, passes, clusters, num_planned, metric, {seed}::bigint) as around
            from (select distinct {law} from gate_recount.asked order by metric, num_planned, len(counts))
        ),
        computed as (
            select {_KEY}, asked.metric, laws.around
            from gate_recount.asked as asked
            inner join laws
                on asked.metric = laws.metric and asked.num_planned = laws.num_planned and asked.counts = laws.counts
                and asked.passes is not distinct from laws.passes
                and asked.clusters is not distinct from laws.clusters
        )
        select {_KEY}, metric, concat_ws(' ', {", ".join(moved)}) as moved
        from gate_marts.leaderboard as shown
        inner join computed using ({_KEY}, metric)
    """


def _is_other(name: str) -> str:
    one, other = f"shown.{name}", f"around.{name}"
    return f"(({one} is null) <> ({other} is null) or not (abs({one} - {other}) <= {_TOLERANCE}))"


@cache
def project_variables() -> dict[str, Any]:
    """The variables of the project, as it sets them."""
    import yaml

    declared: dict[str, Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    return declared["vars"]
