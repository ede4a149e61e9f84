{{ config(materialized='ephemeral') }}

with leaderboard as (

    select * from {{ previous_mart(ref('leaderboard')) }}

),

selected as (

    select
        {{ cell_key() | join(',\n        ') }},
        metric,
        score,
        interval_low,
        interval_high,
        bootstrap_low,
        bootstrap_high,
        num_problems,
        num_planned
    from leaderboard
    where {{ has_previous_build() }}

)

select * from selected
