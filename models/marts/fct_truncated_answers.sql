-- A cut answer counts as its verdict says, nearly always wrong; the bound is
-- the score had every one of them passed. Both stay integers until the last
-- division.
{%- set key = cell_key() | join(', ') %}
{%- set problem = [
    'model', 'benchmark', 'scenario', 'comparability_digest',
    'request_digest', 'task_id', 'origin', 'grader_id',
] | join(', ') %}
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

task_counts as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('int_task_counts') }}

),

truncated_by_task as (

    select * from {{ ref('int_truncated_aggregated_to_task') }}

),

weights as (

    select * from {{ ref('int_pass_at_k_weights') }}

),

all_counts as (

    select
        task_counts.*,
        task_counts.test_set = 'plus' and task_counts.has_plus as needs_plus
    from task_counts
    semi join truncated_by_task using ({{ problem }})

),

truncated_counts as (

    select
        {{ problem }},
        all_counts.test_set,
        all_counts.needs_plus,
        {%- for kind in var('verdict_kinds') %}
            truncated_by_task.{{ kind }}_base_judged,
            truncated_by_task.{{ kind }}_base_passed,
            truncated_by_task.{{ kind }}_plus_judged,
            truncated_by_task.{{ kind }}_plus_passed
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from truncated_by_task
    inner join all_counts using ({{ problem }})

),

all_by_verdict as (

    {%- for kind in var('verdict_kinds') %}
        select
            {{ problem }},
            test_set,
            '{{ kind }}' as verdict,
            num_planned,
            {{ num_passed(kind) }} as num_passed
        from all_counts
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

truncated_by_verdict as (

    {%- for kind in var('verdict_kinds') %}
        select
            {{ problem }},
            test_set,
            '{{ kind }}' as verdict,
            {{ num_judged(kind) }} as num_truncated,
            {{ num_passed(kind) }} as num_truncated_passed
        from truncated_counts
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

problems as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        verdict,
        'all' as scope,
        comparability_digest,
        origin,
        num_planned,
        num_passed,
        num_truncated,
        num_truncated_passed,
        num_passed + num_truncated - num_truncated_passed as num_passed_bound
    from all_by_verdict
    inner join truncated_by_verdict
        using ({{ problem }}, test_set, verdict)

),

-- what the problems with cut answers could add to the numerator
gains as (

    select
        {{ key }},
        counted.metric,
        sum(problems.num_truncated)::bigint as num_truncated,
        sum(problems.num_truncated_passed)::bigint as num_truncated_passed,
        count(*) filter (where problems.num_truncated > 0) as num_problems,
        sum(bound.numerator - counted.numerator) as numerator_gain
    from problems
    inner join weights as counted
        on
            problems.num_planned = counted.num_planned
            and problems.num_passed = counted.num_passed
    inner join weights as bound
        on
            problems.num_planned = bound.num_planned
            and problems.num_passed_bound = bound.num_passed
            and counted.metric = bound.metric
    group by all

),

cells as (

    select
        leaderboard.*,
        requests.num_samples - requests.num_endings_known as num_unknown
    from leaderboard
    inner join requests
        using (
            model, benchmark, scenario, comparability_digest, request_digest
        )
    where
        leaderboard.scope = 'all'
        and requests.num_endings_known > 0

),

bounded as (

    select
        {{ key }},
        metric,
        cells.k,
        cells.num_samples,
        coalesce(gains.num_truncated, 0)::bigint as num_truncated,
        coalesce(gains.num_truncated_passed, 0)::bigint as num_truncated_passed,
        cells.num_unknown::bigint as num_unknown,
        coalesce(gains.num_problems, 0)::integer as num_problems_truncated,
        cells.score_numerator,
        (cells.score_numerator + coalesce(gains.numerator_gain, 0))
        ::decimal(38, 0) as bound_numerator,
        cells.score_denominator,
        cells.score
    from cells
    left join gains using ({{ key }}, metric)

),

divided as (

    select
        *,
        bound_numerator::double / score_denominator::double as score_bound
    from bounded

)

select * from divided
order by
    model, benchmark, scenario, test_set, verdict, scope,
    comparability_digest, origin, metric, k
