{{ config(materialized='view') }}

-- One row per problem inside a leaderboard cell, request and grader. A verdict
-- on the extra tests alone makes the cell, and is no verdict of its sample.
-- A view: what is stored is one row per problem, six times fewer.
with task_counts as (

    select
        {{ all_but(['test_sets']) }},
        test_sets,
        'all' as scope
    from {{ ref('int_task_counts') }}

),

task_counts_scoped as (

    select * from {{ ref('int_task_counts_scoped') }}

),

in_scope as (

    select * from task_counts
    union all
    select * from task_counts_scoped

),

unnested as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from in_scope

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

spread_over_test_sets as (

    select
        unnested.*,
        unnested.test_set = 'plus' and unnested.has_plus as needs_plus,
        tasks.source_problem,
        tasks.stratum,
        tasks.cluster
    from unnested
    inner join tasks
        using (benchmark, dataset_version, scenario, task_id)

),

spread_over_kinds as (

    select
        *,
        {{ each_of(all_verdict_kinds()) }} as verdict
    from spread_over_test_sets

),

spread_over_verdicts as (

    select
        *,
        case verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then {{ num_judged(kind) }}
            {%- endfor %}
        end as num_judged,
        case verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then {{ num_passed(kind) }}
            {%- endfor %}
        end as num_passed,
        case verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then {{ kind }}_empty
            {%- endfor %}
        end as num_empty
    from spread_over_kinds
    where
        case verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then {{ is_answerable(kind) }}
            {%- endfor %}
        end

),

typed as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        verdict,
        scope,
        comparability_digest,
        origin,
        request_digest,
        grader_id,
        source,
        task_id,
        source_problem,
        stratum,
        cluster,
        dataset_version,
        trust_tier,
        num_planned::integer as num_planned,
        num_present::integer as num_present,
        num_judged::integer as num_judged,
        num_passed::integer as num_passed,
        num_empty::integer as num_empty,
        num_unsafe::integer as num_unsafe,
        case
            when
                num_present = num_planned and num_judged = num_planned
                then {{ pass_at_k('num_planned', 'num_passed', 1) }}
        end as pass_at_1
    from spread_over_verdicts

)

select * from typed
