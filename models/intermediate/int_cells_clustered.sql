-- Passes and clusters of every problem in one order, for cells whose every
-- task tells its cluster: benchmarks whose design is clusters. A cell of
-- several requests or graders is refused and has none.
{%- set key = cell_key() | join(', ') %}
with task_counts as (

    select * from {{ ref('int_task_counts') }}

),

task_counts_scoped as (

    select * from {{ ref('int_task_counts_scoped') }}

),

graders as (

    select * from {{ ref('int_graders_summarized') }}

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

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

with_cluster as (

    select
        in_scope.*,
        tasks.cluster,
        {{ each_of('in_scope.test_sets') }} as test_set
    from in_scope
    inner join tasks
        using (benchmark, dataset_version, scenario, task_id)
    where tasks.cluster is not null

),

with_parts as (

    select
        *,
        test_set = 'plus' and has_plus as needs_plus
    from with_cluster

),

listed as (

    select
        grader_key,
        scope,
        test_set,
        {%- for kind in var('verdict_kinds') %}
            {{ ordered_list(num_passed(kind), ['task_id']) }}
                as {{ kind }}_passes,
        {%- endfor %}
        {{ ordered_list('cluster', ['task_id']) }} as clusters
    from with_parts
    group by grader_key, scope, test_set

),

spread_over_verdicts as (

    {%- for kind in var('verdict_kinds') %}
        select
            graders.model,
            graders.benchmark,
            graders.scenario,
            listed.test_set,
            '{{ kind }}' as verdict,
            listed.scope,
            graders.comparability_digest,
            graders.origin,
            listed.{{ kind }}_passes as passes,
            listed.clusters
        from listed
        inner join graders using (grader_key)
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

of_one_grader as (

    select *
    from spread_over_verdicts
    qualify count(*) over (partition by {{ key }}) = 1

)

select * from of_one_grader
