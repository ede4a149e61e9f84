-- How many problems a scope must have. A release has its pinned number; of
-- other scopes those of the tasks table count, and every one that might belong
-- to them besides (undated, or pinned and not known), so that a number stands
-- only where nothing of the scope can be missing.
{%- set problem = ['benchmark', 'dataset_version', 'scenario', 'test_set'] %}
with scopes as (

    select * from {{ ref('int_scopes') }}

),

tasks as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

pins as (

    select * from {{ ref('int_benchmark_cells') }}

),

known as (

    select
        {{ problem | join(', ') }},
        count(*) as num_known,
        count(*) filter (where contest_date is null) as num_undated
    from tasks
    group by all

),

counted as (

    select
        {{ problem | join(', ') }},
        scope,
        model,
        count(*) as num_in_scope
    from scopes
    group by all

),

pinned as (

    select
        {%- for column in problem %}
            counted.{{ column }},
        {%- endfor %}
        counted.scope,
        counted.model,
        coalesce(
            releases.num_problems_pinned,
            counted.num_in_scope
            + case
                when counted.scope = 'clean' or counted.scope like 'window%'
                    then known.num_undated
                else 0
            end
            + greatest(pins.num_problems_pinned - known.num_known, 0)
        ) as num_problems_pinned
    from counted
    inner join known using ({{ problem | join(', ') }})
    inner join pins using ({{ problem | join(', ') }})
    left join pins as releases
        on
            counted.benchmark = releases.benchmark
            and counted.dataset_version = releases.dataset_version
            and counted.scenario = releases.scenario
            and counted.scope = 'release_' || releases.test_set

)

select * from pinned
