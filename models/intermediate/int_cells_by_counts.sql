-- Problems of equal counts are one row before they are spread over test sets
-- and verdict kinds, so the spread costs nothing however many problems there
-- are.
{%- set counts = [
    'num_planned', 'num_present', 'num_judged', 'num_passed', 'num_empty',
    'num_unsafe',
] %}
with graders as (

    select * from {{ ref('int_graders_summarized') }}

),

task_counts as (

    select * from {{ ref('int_task_counts') }}

),

task_counts_scoped as (

    select * from {{ ref('int_task_counts_scoped') }}

),

in_scope as (

    select
        {{ all_but(['test_sets']) }},
        test_sets,
        'all' as scope
    from task_counts
    union all
    select * from task_counts_scoped

),

-- by key: the text of it is joined to the few rows that are left
equal_problems as (

    select
        grader_key,
        dataset_version,
        scope,
        test_sets,
        has_plus,
        num_planned,
        num_present,
        num_unsafe,
        {%- for kind in var('verdict_kinds') %}
            {{ kind }}_base_judged,
            {{ kind }}_base_passed,
            {{ kind }}_plus_judged,
            {{ kind }}_plus_passed,
            {{ kind }}_empty,
        {%- endfor %}
        count(*) as num_problems
    from in_scope
    group by all

),

-- spread before the join: DuckDB 2.0.0 fails on a list spread after it where
-- all problems of a small lake have equal counts ("dict-surviving cache")
test_sets_unnested as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from equal_problems

),

spread_over_kinds as (

    select
        *,
        test_set = 'plus' and has_plus as needs_plus,
        {{ each_of(all_verdict_kinds()) }} as verdict
    from test_sets_unnested

),

spread_over_verdicts as (

    select
        grader_key,
        dataset_version,
        scope,
        test_set,
        verdict,
        num_planned,
        num_present,
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
        end as num_empty,
        num_unsafe,
        num_problems
    from spread_over_kinds

),

aggregated as (

    select
        grader_key,
        dataset_version,
        scope,
        test_set,
        verdict,
        {{ counts | join(', ') }},
        sum(num_problems)::bigint as num_problems
    from spread_over_verdicts
    group by
        grader_key, dataset_version, scope, test_set, verdict,
        {{ counts | join(', ') }}

),

-- the text last: many rows of many samples would hold it in memory
with_grader as (

    select
        graders.model,
        graders.benchmark,
        graders.scenario,
        aggregated.test_set,
        aggregated.verdict,
        aggregated.scope,
        graders.comparability_digest,
        graders.origin,
        graders.request_digest,
        graders.grader_id,
        aggregated.dataset_version,
        graders.source,
        graders.trust_tier,
        {%- for count in counts %}
            aggregated.{{ count }},
        {%- endfor %}
        aggregated.num_problems
    from aggregated
    inner join graders using (grader_key)
    where
        case aggregated.verdict
            {%- for kind in var('verdict_kinds') %}
                when '{{ kind }}' then {{ is_answerable(kind) }}
            {%- endfor %}
        end

)

select * from with_grader
