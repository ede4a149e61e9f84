{{ config(materialized='view') }}

-- Numbers that may be compared: equal conditions, equal n, equal problems.
{%- set key = board_key() | join(', ') %}
{%- set cell = cell_key() | join(', ') %}
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

numbers as (

    select *
    from leaderboard
    where
        verdict in ('{{ var("compared_verdicts") | join("', '") }}')
        and metric like 'pass@%'

),

passes_by_cell as (

    select
        {{ cell }},
        {{ ordered_list('num_passed::bigint', ['task_id']) }} as passes,
        {{ ordered_list('cluster', ['task_id']) }} as clusters,
        md5({{ joined_items(ordered_list('task_id', ['task_id']), ' ') }})
            as problem_set
    from task_scores
    semi join numbers using ({{ cell }})
    where verdict in ('{{ var("compared_verdicts") | join("', '") }}')
    group by {{ cell }}

),

members as (

    select
        {%- for column in board_key() if column != 'problem_set' %}
            numbers.{{ column }},
        {%- endfor %}
        numbers.k,
        numbers.num_problems,
        numbers.protocol,
        numbers.temperature,
        numbers.model,
        passes_by_cell.problem_set,
        passes_by_cell.passes,
        passes_by_cell.clusters
    from numbers
    inner join passes_by_cell using ({{ cell }})

),

boards as (

    select
        {{ key }},
        k,
        num_problems,
        min(protocol) as protocol,
        min(temperature) as temperature,
        count(*) as num_models,
        {{ ordered_list('model', ['model']) }} as models,
        flatten({{ ordered_list('passes', ['model']) }}) as passes,
        min_by(clusters, model) as clusters
    from members
    group by {{ key }}, k, num_problems
    having count(*) > 1

),

-- labels count only where every problem has one
labelled as (

    select
        {{ all_but(['clusters']) }},
        case
            when {{ num_known('clusters') }} = num_problems then clusters
        end as clusters
    from boards

)

select * from labelled
