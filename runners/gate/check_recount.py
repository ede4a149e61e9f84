"""Every cell counted again from live rows, by SQL of its own: nothing of the marts' models, macros or functions.

Two readers of one lake that share no code and agree are the proof that a number is what its rows say. Combinations are
exact integers of Python; verdicts are counted by problem, then problems of equal counts are one row.

============  ==========================================================================================
relation      one row per
============  ==========================================================================================
``tasks``     problem of a dataset version, with its test sets (the row that knows more, where two tell)
``requests``  request, with the n that samples or the ledger planned
``graders``   who judged which request, with what their rows have in common
``problems``  grader and problem: samples, verdicts and passes by kind
``counts``    cell, request, grader and equal counts of problems
``cells``     cell: problems, samples, passes
``passes``    cell and number of passes: the histogram
``scores``    cell and metric: numerator and denominator
============  ==========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...ingest.schemas import PARTS, VERDICT_KINDS
from .check_sources import Sources

REQUEST = ("model", "benchmark", "scenario", "comparability_digest", "request_digest")
GRADER = (*REQUEST, "origin", "grader_id")
CELL = ("model", "benchmark", "scenario", "test_set", "verdict", "scope", "comparability_digest", "origin")
_COUNTS = ("num_planned", "num_present", "num_judged", "num_passed", "num_empty", "num_unsafe")


def recount(sources: Sources) -> None:
    """Make the tables of schema ``recount``; the first that cannot be made leaves its reason, the rest then theirs."""
    import duckdb

    sources.show("gate_recount.verdicts", _VERDICTS_OF_OLD_PARTS if _lacks_requests(sources) else _VERDICTS)
    for name, sql in _tables():
        try:
            sources.connection.execute(f"create or replace table gate_recount.{name} as {sql}").fetchall()
            if name == "metrics":
                _weigh(sources)
        except duckdb.Error as error:
            sources.absent[f"gate_recount.{name}"] = " ".join(str(error).split())[:300]


_VERDICTS = "select * from gate_lake.results where coalesce(limit_factor, 1.0) = 1.0"
"""Verdicts under other limits answer another question."""
_VERDICTS_OF_OLD_PARTS = """
    select results.* replace (
        coalesce(results.request_digest, samples.request_digest) as request_digest,
        coalesce(results.comparability_digest, samples.comparability_digest) as comparability_digest
    )
    from (select * from gate_lake.results where coalesce(limit_factor, 1.0) = 1.0) as results
    left join gate_lake.samples as samples on results.sample_id = samples.sample_id
"""


def _lacks_requests(sources: Sources) -> bool:
    """Parts of an older writer lack the request: their samples know it, at the price of a join of all rows."""
    if not sources.has("gate_lake.results"):
        return False
    asked = "select 1 from gate_lake.results where request_digest is null limit 1"
    return bool(sources.connection.execute(asked).fetchall())


def _tables() -> Iterable[tuple[str, str]]:
    yield "tasks", _TASKS
    yield "samples", _samples()
    yield "requests", _REQUESTS
    yield "graders", _graders()
    yield "results", _results()
    yield "problems", _problems()
    yield "scopes", _SCOPES
    yield "counts", _counts()
    yield "cells", _cells()
    yield "passes", f"select {_names(CELL)}, num_planned, num_passed, sum(num_problems) as num_problems" \
                    f" from gate_recount.counts group by all"  # fmt: skip
    yield "metrics", "select distinct metric, k, num_planned from gate_marts.leaderboard where num_planned <= 100000"
    yield "scores", _scores()


_TASKS = """
    select *, coalesce(num_plus_cases > 0, num_base_cases is null) as has_plus
    from gate_lake.tasks
    qualify row_number() over (
        partition by benchmark, dataset_version, scenario, task_id
        order by task_digest is null, num_base_cases is null, dataset_digest desc nulls last,
            task_digest desc nulls last, kind, source_problem, num_base_cases, num_plus_cases, stratum, cluster,
            contest_date, test_sets
    ) = 1
"""
"""A task may be written by staging and by an import: the row that knows more counts."""


def _samples() -> str:
    """By request and problem. Indexes as bits say that each stands once; ``ids`` that results tell of the same.

    Digests are summed as numbers: equal ones add up to their count times one of them. The least and the largest text
    of a million groups cost five times as much as all counts together.
    """
    return f"""
        select {_key(REQUEST)} as request_key, task_id, dataset_version, count(*) as num_present,
            max(num_planned) as num_planned, max(sample_index) as last_index,
            bit_or(1::hugeint << greatest(least(sample_index, 126), 0)::hugeint) as index_bits,
            bit_xor(hash(sample_id)) as ids, count(prompt_digest) as num_prompts,
            any_value(hash(prompt_digest)::hugeint) filter (where prompt_digest is not null) as a_prompt,
            sum(case when prompt_digest is not null then hash(prompt_digest)::hugeint end) as prompts
        from gate_lake.samples
        group by all
    """


_REQUESTS = f"""
    with sampled as (
        select {", ".join(REQUEST)}, dataset_version, count(*) as num_samples, max(num_planned) as num_planned,
            max(dataset_digest) as dataset_digest, min(protocol) as protocol, min(temperature) as temperature,
            min(top_p) as top_p
        from gate_lake.samples
        group by {", ".join(REQUEST)}, dataset_version
    ),
    attempted as (
        select model, benchmark, scenario, request_digest, max(num_planned) as num_attempted
        from gate_lake.runs
        where request_digest is not null
        group by all
    )
    select sampled.* replace (greatest(num_planned, coalesce(num_attempted, 0)) as num_planned),
        {"hash(" + ", ".join(REQUEST) + ")"} as request_key
    from sampled
    left join attempted using (model, benchmark, scenario, request_digest)
"""


def _graders() -> str:
    has = ", ".join(
        f"count({kind}_base_verdict) + count({kind}_plus_verdict) > 0 as has_{kind}"
        for kind in VERDICT_KINDS
        if kind != "corrected_extraction"
    )
    third = " + ".join(f"count({_word('corrected_extraction', part, 'verdict')})" for part in PARTS)
    return f"""
        select {_names(GRADER)}, {_key(REQUEST)} as request_key, {_key(GRADER)} as grader_key,
            min(source) as source, min(trust_tier) as trust_tier, count(distinct trust_tier) as num_trust_tiers,
            count(*) as num_results, {has}, {third} > 0 as has_corrected_extraction
        from gate_recount.verdicts
        group by {_names(GRADER)}
    """


def _results() -> str:
    columns = []
    for kind in VERDICT_KINDS:
        base, plus = (_word(kind, part, "verdict") for part in PARTS)
        columns += [
            f"count({base}) as {kind}_base_judged",
            f"count(case when {base} = 'pass' then 1 end) as {kind}_base_passed",
            f"count(case when {base} is not null then {plus} end) as {kind}_plus_judged",
            f"count(case when {base} = 'pass' and {plus} = 'pass' then 1 end) as {kind}_plus_passed",
            f"count(case when {_word(kind, 'base', 'reason')} = 'empty' then 1 end) as {kind}_empty",
        ]
    return f"""
        select {_key(GRADER)} as grader_key, task_id, count(*) as num_results,
            count(case when is_unsafe then 1 end) as num_unsafe, bit_xor(hash(sample_id)) as ids,
            count(task_digest) as num_task_digests,
            sum(case when task_digest is not null then hash(task_digest)::hugeint end) as task_digests,
            bit_or(1::hugeint << greatest(least(sample_index, 126), 0)::hugeint) as index_bits, {", ".join(columns)}
        from gate_recount.verdicts
        group by all
    """


def _problems() -> str:
    """A grader is answerable for every problem of its request that was sampled."""
    counted = [f"{kind}_{part}_{what}" for kind in VERDICT_KINDS for part in PARTS for what in ("judged", "passed")]
    counted += [*(f"{kind}_empty" for kind in VERDICT_KINDS), "num_unsafe"]
    return f"""
        select graders.grader_key, requests.dataset_version, samples.task_id, tasks.test_sets, tasks.has_plus,
            tasks.cluster, requests.num_planned, samples.num_present,
            {", ".join(f"coalesce(results.{name}, 0) as {name}" for name in counted)}
        from gate_recount.samples as samples
        inner join gate_recount.requests as requests
            on samples.request_key = requests.request_key and samples.dataset_version = requests.dataset_version
        inner join gate_recount.graders as graders on samples.request_key = graders.request_key
        inner join gate_recount.tasks as tasks
            on requests.benchmark = tasks.benchmark and requests.dataset_version = tasks.dataset_version
            and requests.scenario = tasks.scenario and samples.task_id = tasks.task_id
        left join gate_recount.results as results
            on graders.grader_key = results.grader_key and samples.task_id = results.task_id
    """


_SCOPES = """
    with spread as (
        select benchmark, dataset_version, scenario, task_id, contest_date, unnest(test_sets) as test_set
        from gate_recount.tasks
    ),
    releases as (
        select distinct spread.benchmark, spread.dataset_version, spread.scenario, spread.test_set, spread.task_id,
            'release_' || other.test_set as scope, '' as model
        from spread
        inner join spread as other using (benchmark, scenario, task_id)
        where other.test_set like 'v_'
    ),
    without_errata as (
        select benchmark, dataset_version, scenario, test_set, task_id, 'without_errata' as scope, '' as model
        from spread
        semi join gate_seeds.errata using (benchmark, dataset_version)
        anti join gate_seeds.errata using (benchmark, dataset_version, task_id)
    ),
    clean as (
        select benchmark, dataset_version, scenario, test_set, task_id, 'clean' as scope, models.model
        from spread
        inner join gate_marts.dim_models as models on spread.contest_date > models.cutoff_date
    ),
    unioned as (
        select * from releases
        union all select * from without_errata
        union all select * from clean
    )
    select unioned.*
    from unioned
    semi join (select distinct benchmark, scenario, test_set, scope from gate_marts.leaderboard) as shown
        using (benchmark, scenario, test_set, scope)
"""
"""Which problems a scope other than ``all`` asks about; ``model`` is empty where it is the same for every model."""


def _counts() -> str:
    """Problems of equal counts are one row before they are spread over test sets and kinds."""
    per_kind = [f"{kind}_{part}_{what}" for kind in VERDICT_KINDS for part in PARTS for what in ("judged", "passed")]
    per_kind += [f"{kind}_empty" for kind in VERDICT_KINDS]
    equal = f"has_plus, num_planned, num_present, num_unsafe, {', '.join(per_kind)}"
    return f"""
        with whole as (
            select grader_key, dataset_version, 'all' as scope, test_sets, {equal}, count(*) as num_problems
            from gate_recount.problems group by all
        ),
        parts as (
            select problems.grader_key, problems.dataset_version, scopes.scope, [scopes.test_set] as test_sets,
                {", ".join(f"problems.{name.strip()}" for name in equal.split(","))}, count(*) as num_problems
            from gate_recount.problems as problems
            inner join gate_recount.graders as graders using (grader_key)
            inner join gate_recount.scopes as scopes
                on graders.benchmark = scopes.benchmark and problems.dataset_version = scopes.dataset_version
                and graders.scenario = scopes.scenario and problems.task_id = scopes.task_id
                and scopes.model in ('', graders.model)
            group by all
        ),
        by_test_set as (
            select *, unnest(test_sets) as test_set from (select * from whole union all select * from parts)
        ),
        by_kind as (
            select *, test_set = 'plus' and has_plus as needs_plus, unnest([{_texts(VERDICT_KINDS)}]) as verdict
            from by_test_set
        )
        select {", ".join(f"graders.{name}" for name in GRADER)}, by_kind.test_set, by_kind.verdict, by_kind.scope,
            by_kind.dataset_version, graders.trust_tier, by_kind.num_planned, by_kind.num_present,
            {_of_kind("plus_judged", "base_judged")} as num_judged,
            {_of_kind("plus_passed", "base_passed")} as num_passed,
            case verdict {" ".join(f"when '{kind}' then {kind}_empty" for kind in VERDICT_KINDS)} end as num_empty,
            by_kind.num_unsafe, sum(by_kind.num_problems) as num_problems
        from by_kind
        inner join gate_recount.graders as graders using (grader_key)
        where case verdict {" ".join(f"when '{kind}' then {_is_owed(kind)}" for kind in VERDICT_KINDS)} end
        group by all
    """


def _cells() -> str:
    return f"""
        select {_names(CELL)}, min(dataset_version) as dataset_version, min(trust_tier) as trust_tier,
            min(grader_id) as grader_id, min(request_digest) as request_digest,
            count(distinct request_digest) as num_requests, count(distinct grader_id) as num_graders,
            sum(num_problems)::bigint as num_problems, max(num_planned) as num_planned,
            {", ".join(f"sum({name} * num_problems)::bigint as {name}" for name in _COUNTS[1:])}
        from gate_recount.counts
        group by {_names(CELL)}
    """


def _scores() -> str:
    return f"""
        select {_names(CELL)}, weights.metric, sum(passes.num_problems::hugeint * weights.numerator) as numerator,
            sum(passes.num_problems::hugeint) * any_value(weights.denominator) as denominator
        from gate_recount.passes as passes
        semi join gate_marts.leaderboard using ({_names(CELL)})
        inner join gate_recount.weights as weights using (num_planned, num_passed)
        group by {_names(CELL)}, weights.metric
    """


def _weigh(sources: Sources) -> None:
    """``weights``: numerator of a problem with c of n passes, over C(n, k); what 128 bits cannot hold is left out."""
    import pyarrow as pa

    asked = sources.connection.execute("select metric, k, num_planned from gate_recount.metrics").fetchall()
    rows = [
        {"metric": metric, "num_planned": n, "num_passed": c, "numerator": str(top), "denominator": str(bottom)}
        for metric, k, n in asked
        if math.comb(n, k) < 1 << 126
        for c, top, bottom in _weights(metric, k, n)
    ]
    names = ("metric", "num_planned", "num_passed", "numerator", "denominator")
    arrow = pa.table({name: [row[name] for row in rows] for name in names}) if rows else None
    if arrow is None:
        sources.connection.execute(
            "create or replace table gate_recount.weights (metric varchar, num_planned bigint, num_passed bigint,"
            " numerator hugeint, denominator hugeint)"
        ).fetchall()
        return
    sources.connection.register("weights_made", arrow)
    sources.connection.execute(
        "create or replace table gate_recount.weights as select * replace (numerator::hugeint as numerator,"
        " denominator::hugeint as denominator) from weights_made"
    ).fetchall()
    sources.connection.unregister("weights_made")


def _weights(metric: str, k: int, n: int) -> Iterable[tuple[int, int, int]]:
    """pass@k: C(n,k) - C(n-c,k), at least one of k passes (Chen et al. 2021, eq. 1); pass^k: C(c,k), all of k pass."""
    for c in range(n + 1):
        yield c, math.comb(n, k) - math.comb(n - c, k) if "@" in metric else math.comb(c, k), math.comb(n, k)


def _word(kind: str, part: str, what: str) -> str:
    """The third combination is not graded where both extractions give one program: it is the official verdict then."""
    if kind != "corrected_extraction":
        return f"{kind}_{part}_{what}"
    own = f"corrected_extraction_{part}_{what}"
    return f"coalesce({own}, case when corrected_program_id = program_id then official_{part}_{what} end)"


def _of_kind(plus: str, base: str) -> str:
    of_kinds = (f"when '{kind}' then case when needs_plus then {kind}_{plus} else {kind}_{base} end"
                for kind in VERDICT_KINDS)  # fmt: skip
    return f"case verdict {' '.join(of_kinds)} end"


def _is_owed(kind: str) -> str:
    """The official verdict by everyone, the others by whoever has some and by us."""
    return "true" if kind == "official" else f"(graders.has_{kind} or graders.origin = 'self')"


def _key(names: Iterable[str]) -> str:
    return f"hash({', '.join(names)})"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


def _texts(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
