-- Offenders: cells where a larger k has a smaller pass@k or a larger pass^k.
{%- set key = cell_key() | join(', ') %}
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

signed as (

    select
        {{ key }},
        metric,
        k,
        left(metric, 5) as kind,
        case when metric like 'pass@%' then score else -score end as rising
    from leaderboard

),

neighbours as (

    select
        *,
        lag(rising) over (
            partition by {{ key }}, kind
            order by k
        ) as rising_before
    from signed

),

offenders as (

    select *
    from neighbours
    where rising < rising_before - 1e-12

)

select * from offenders
