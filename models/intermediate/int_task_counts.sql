-- Everything that is counted per problem, side by side: the one table with a
-- row per problem. Test sets and verdict kinds are spread from it by a view
-- (fct_task_scores) or after problems of equal counts are one row
-- (int_cells_by_counts).
{%- set request = [
    'model', 'benchmark', 'scenario', 'comparability_digest', 'request_digest',
] %}
with results_by_task as (

    select * from {{ ref('int_results_aggregated_to_task') }}

),

samples_by_task as (

    select * from {{ ref('int_samples_aggregated_to_task') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

-- every grader is answerable for every task of the request that was sampled
graders as (

    select
        {{ request | join(', ') }},
        origin,
        grader_id,
        {%- for kind in var('verdict_kinds') %}
            sum({{ kind }}_judged) > 0 as has_{{ kind }},
        {%- endfor %}
        min(source) as source,
        min(trust_tier) as trust_tier
    from results_by_task
    group by all

),

expected as (

    select
        graders.*,
        samples_by_task.task_id,
        samples_by_task.dataset_version,
        samples_by_task.num_present,
        requests.num_planned
    from graders
    inner join samples_by_task
        using ({{ request | join(', ') }})
    inner join requests
        using ({{ request | join(', ') }})

),

counted as (

    select
        expected.*,
        tasks.test_sets,
        tasks.has_plus,
        {%- for kind in var('verdict_kinds') %}
            {%- for count in [
                'base_judged', 'base_passed', 'plus_judged', 'plus_passed',
                'empty',
            ] %}
                coalesce(results_by_task.{{ kind }}_{{ count }}, 0)
                    as {{ kind }}_{{ count }},
            {%- endfor %}
        {%- endfor %}
        coalesce(results_by_task.num_unsafe, 0) as num_unsafe
    from expected
    inner join tasks
        using (benchmark, dataset_version, scenario, task_id)
    left join results_by_task
        using ({{ request | join(', ') }}, origin, grader_id, task_id)

)

select * from counted
