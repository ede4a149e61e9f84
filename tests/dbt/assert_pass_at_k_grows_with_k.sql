-- Offenders: cells where a larger k has a smaller score.
{%- set key = cell_key() | join(', ') %}
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

neighbours as (

    select
        {{ key }},
        k,
        score,
        lag(score) over (
            partition by {{ key }}
            order by k
        ) as score_before
    from leaderboard

),

offenders as (

    select *
    from neighbours
    where score < score_before - 1e-12

)

select * from offenders
