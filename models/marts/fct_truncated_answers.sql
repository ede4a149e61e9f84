-- A cut answer counts as its verdict says, nearly always wrong; the bound is
-- the score had every one of them passed. Both stay integers until the last
-- division.
{%- set key = cell_key() | join(', ') %}
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

graders as (

    select * from {{ ref('int_graders_summarized') }}

),

task_counts as (

    select * from {{ ref('int_task_counts') }}

),

truncated_by_task as (

    select * from {{ ref('int_truncated_aggregated_to_task') }}

),

weights as (

    select * from {{ ref('int_pass_at_k_weights') }}

),

problems as (

    select
        task_counts.grader_key,
        task_counts.has_plus,
        task_counts.num_planned,
        {%- for kind in var('verdict_kinds') %}
            task_counts.{{ kind }}_base_passed as {{ kind }}_base_passed_of_all,
            task_counts.{{ kind }}_plus_passed as {{ kind }}_plus_passed_of_all,
            truncated_by_task.{{ kind }}_base_judged,
            truncated_by_task.{{ kind }}_base_passed,
            truncated_by_task.{{ kind }}_plus_judged,
            truncated_by_task.{{ kind }}_plus_passed,
        {%- endfor %}
        {{ each_of('task_counts.test_sets') }} as test_set
    from task_counts
    inner join truncated_by_task using (grader_key, task_id)

),

with_parts as (

    select
        *,
        test_set = 'plus' and has_plus as needs_plus,
        {{ each_of(all_verdict_kinds()) }} as verdict
    from problems

),

by_verdict as (

    select
        grader_key,
        test_set,
        verdict,
        num_planned,
        case verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then {{ num_judged(kind) }}
            {%- endfor %}
        end as num_truncated,
        case verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then {{ num_passed(kind) }}
            {%- endfor %}
        end as num_truncated_passed,
        case verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then case
                    when needs_plus then {{ kind }}_plus_passed_of_all
                    else {{ kind }}_base_passed_of_all
                end
            {%- endfor %}
        end as num_passed
    from with_parts

),

-- problems of equal counts are one row before they meet the metrics
equal_problems as (

    select
        grader_key,
        test_set,
        verdict,
        num_planned,
        num_passed,
        num_truncated,
        num_truncated_passed,
        num_passed + num_truncated - num_truncated_passed as num_passed_bound,
        count(*) as num_problems
    from by_verdict
    group by all

),

-- what the problems with cut answers could add to the numerator
gains as (

    select
        graders.model,
        graders.benchmark,
        graders.scenario,
        equal_problems.test_set,
        equal_problems.verdict,
        'all' as scope,
        graders.comparability_digest,
        graders.origin,
        counted.metric,
        sum(equal_problems.num_truncated * equal_problems.num_problems)::bigint
            as num_truncated,
        sum(
            equal_problems.num_truncated_passed * equal_problems.num_problems
        )::bigint as num_truncated_passed,
        coalesce(
            sum(
                case
                    when equal_problems.num_truncated > 0
                        then equal_problems.num_problems
                end
            ), 0
        ) as num_problems,
        sum(
            (bound.numerator - counted.numerator) * equal_problems.num_problems
        ) as numerator_gain
    from equal_problems
    inner join graders using (grader_key)
    inner join weights as counted
        on
            equal_problems.num_planned = counted.num_planned
            and equal_problems.num_passed = counted.num_passed
    inner join weights as bound
        on
            equal_problems.num_planned = bound.num_planned
            and equal_problems.num_passed_bound = bound.num_passed
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
