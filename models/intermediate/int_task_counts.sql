{{ config(materialized='view') }}

-- Everything that is counted per problem, side by side, with its keys spelled
-- out: a view, because the numbers are stored once, by key. Test sets and
-- verdict kinds are spread from it by a view (fct_task_scores), or after
-- problems of equal counts are one row (int_cells_by_counts).
with counts as (

    select * from {{ ref('int_counts_by_task') }}

),

graders as (

    select * from {{ ref('int_graders_summarized') }}

),

requests as (

    select
        {{ request_key() | join(', ') }},
        dataset_version,
        num_planned,
        {{ row_key(['benchmark', 'dataset_version', 'scenario']) }}
            as problem_set_key
    from {{ ref('int_requests_summarized') }}

),

tasks as (

    select
        task_id,
        test_sets,
        has_plus,
        {{ row_key(['benchmark', 'dataset_version', 'scenario']) }}
            as problem_set_key
    from {{ ref('int_tasks_deduplicated') }}

),

known as (

    select
        graders.*,
        requests.dataset_version,
        requests.num_planned,
        requests.problem_set_key
    from graders
    inner join requests
        using ({{ request_key() | join(', ') }})

),

joined as (

    select
        known.grader_key,
        {%- for column in grader_key() %}
            known.{{ column }},
        {%- endfor %}
        known.source,
        known.trust_tier,
        known.dataset_version,
        known.num_planned,
        {%- for kind in var('verdict_kinds') %}
            known.has_{{ kind }},
        {%- endfor %}
        tasks.test_sets,
        tasks.has_plus,
        {{ all_but(['grader_key'], 'counts') }}
    from counts
    inner join known using (grader_key)
    inner join tasks using (problem_set_key, task_id)

)

select * from joined
