-- Problems of equal counts are one row before they are spread over test sets
-- and verdict kinds, so the spread costs nothing however many problems there
-- are.
{%- set counts = [
    'num_planned', 'num_present', 'num_judged', 'num_passed', 'num_empty',
    'num_unsafe',
] %}
{%- set source = [
    'request_digest', 'grader_id', 'dataset_version', 'source', 'trust_tier',
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

with_grader as (

    select
        graders.*,
        {{ all_but(['grader_key'], 'test_sets_unnested') }}
    from test_sets_unnested
    inner join graders using (grader_key)

),

spread_over_test_sets as (

    select
        *,
        test_set = 'plus' and has_plus as needs_plus
    from with_grader

),

spread_over_verdicts as (

    {%- for kind in var('verdict_kinds') %}
        select
            model,
            benchmark,
            scenario,
            test_set,
            '{{ kind }}' as verdict,
            scope,
            comparability_digest,
            origin,
            {{ source | join(', ') }},
            num_planned,
            num_present,
            {{ num_judged(kind) }} as num_judged,
            {{ num_passed(kind) }} as num_passed,
            {{ kind }}_empty as num_empty,
            num_unsafe,
            num_problems
        from spread_over_test_sets
        where {{ is_answerable(kind) }}
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

aggregated as (

    select
        {{ cell_key() | join(', ') }},
        {{ source | join(', ') }},
        {{ counts | join(', ') }},
        sum(num_problems)::bigint as num_problems
    from spread_over_verdicts
    group by all

)

select * from aggregated
