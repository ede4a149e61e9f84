-- Offenders: numbers that differ from those of the older build while no row
-- behind them does. A seed, a variable or the code moved them: a warning.
{{ config(severity='warn') }}

with build_diff as (

    select * from {{ ref('fct_build_diff') }}

),

offenders as (

    select
        {{ cell_key() | join(',\n        ') }},
        metric,
        change,
        score_before,
        score_after
    from build_diff
    where cause = 'unexplained'

)

select * from offenders
