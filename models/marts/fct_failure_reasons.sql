-- Why samples of a cell fail, ok included: the rows of a cell add up to its
-- verdicts. Only rows that fail somewhere are read again; what passes was
-- counted before.
{%- set key = cell_key() | join(', ') %}
{%- set kinds = var('verdict_kinds') %}
with results as (

    select * from {{ ref('stg_lake__results') }}

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

graders as (

    select * from {{ ref('int_graders_summarized') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

cells_by_passes as (

    select * from {{ ref('int_cells_by_passes') }}

),

-- a verdict without a reason is a record that does not tell it
outcomes as (

    select
        {{ row_key(grader_key()) }} as grader_key,
        task_id,
        {%- for kind in kinds %}
            {%- for part in ['base', 'plus'] %}
                case
                    when {{ part_verdict(kind, part) }} = 'pass' then 'ok'
                    when {{ part_verdict(kind, part) }} is not null
                        then
                            coalesce(
                                {{ part_reason(kind, part) }}, 'not_recorded'
                            )
                end as {{ kind }}_{{ part }}
                {%- if not loop.last %},{% endif %}
            {%- endfor %}
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from results
    where
        coalesce(limit_factor, 1.0) = 1.0
        and (
            {%- for kind in kinds %}
                {%- set last_kind = loop.last %}
                {%- for part in ['base', 'plus'] %}
                    {{ part_verdict(kind, part) }} <> 'pass'
                    {% if not (last_kind and loop.last) %}or{% endif %}
                {%- endfor %}
            {%- endfor %}
        )

),

outcomes_by_task as (

    select
        *,
        count(*) as num_samples
    from outcomes
    group by all

),

-- one number for all graders of a cell: the least of their keys
known as (

    select
        graders.grader_key,
        graders.model,
        graders.benchmark,
        requests.dataset_version,
        graders.scenario,
        graders.comparability_digest,
        graders.origin,
        min(graders.grader_key) over (
            partition by
                graders.model, graders.benchmark, graders.scenario,
                graders.comparability_digest, graders.origin
        ) as first_grader_key
    from graders
    inner join requests
        using ({{ request_key() | join(', ') }})

),

spread_over_test_sets as (

    select
        known.first_grader_key,
        {{ all_but(['grader_key'], 'outcomes_by_task') }},
        tasks.test_set,
        tasks.test_set = 'plus' and tasks.has_plus as needs_plus
    from outcomes_by_task
    inner join known using (grader_key)
    inner join (
        select
            *,
            {{ each_of('test_sets') }} as test_set
        from tasks
    ) as tasks
        on
            known.benchmark = tasks.benchmark
            and known.dataset_version = tasks.dataset_version
            and known.scenario = tasks.scenario
            and outcomes_by_task.task_id = tasks.task_id

),

spread_over_verdicts as (

    {%- for kind in kinds %}
        select
            first_grader_key,
            test_set,
            '{{ kind }}' as verdict,
            task_id,
            case
                when not needs_plus then {{ kind }}_base
                when {{ kind }}_plus is null then null
                when {{ kind }}_base = 'ok' then {{ kind }}_plus
                else {{ kind }}_base
            end as reason,
            num_samples
        from spread_over_test_sets
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

failed_by_task as (

    select
        first_grader_key,
        test_set,
        verdict,
        reason,
        task_id,
        sum(num_samples)::bigint as num_samples
    from spread_over_verdicts
    where reason <> 'ok'
    group by all

),

failed_by_key as (

    select
        first_grader_key,
        test_set,
        verdict,
        reason,
        sum(num_samples)::bigint as num_samples,
        count(*)::integer as num_problems
    from failed_by_task
    group by all

),

failed as (

    select
        known.model,
        known.benchmark,
        known.scenario,
        failed_by_key.test_set,
        failed_by_key.verdict,
        'all' as scope,
        known.comparability_digest,
        known.origin,
        failed_by_key.reason,
        failed_by_key.num_samples,
        failed_by_key.num_problems
    from failed_by_key
    inner join known
        on failed_by_key.first_grader_key = known.grader_key

),

passed as (

    select
        {{ key }},
        'ok' as reason,
        sum(num_passed * num_problems)::bigint as num_samples,
        sum(num_problems)::integer as num_problems
    from cells_by_passes
    where scope = 'all' and num_passed > 0
    group by {{ key }}

),

unioned as (

    select * from failed
    union all
    select * from passed

),

shares as (

    select
        {{ key }},
        unioned.reason,
        unioned.num_samples,
        cells.num_judged as num_samples_of_cell,
        unioned.num_samples::double / cells.num_judged::double as share,
        unioned.num_problems
    from unioned
    inner join cells using ({{ key }})

)

select * from shares
order by {{ key }}, reason
