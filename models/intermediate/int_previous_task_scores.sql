{{ config(materialized='ephemeral') }}

with task_scores as (

    select * from {{ previous_mart(ref('fct_task_scores')) }}

),

selected as (

    select
        {{ cell_key() | join(',\n        ') }},
        task_id,
        num_planned,
        num_judged,
        num_passed
    from task_scores
    where {{ has_previous_build() }}

)

select * from selected
