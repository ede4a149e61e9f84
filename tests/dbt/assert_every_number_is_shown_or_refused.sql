-- Offenders: cells and metrics that are neither on the leaderboard nor among
-- the refusals, or are in both.
{%- set key = cell_key() | join(', ') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

leaderboard as (

    select * from {{ ref('leaderboard') }}

),

refusals as (

    select * from {{ ref('fct_refusals') }}

),

metrics as (

    {{ metrics_asked() }}

),

asked as (

    select
        {{ key }},
        metrics.metric
    from cells
    cross join metrics

),

shown as (

    select
        {{ key }},
        metric,
        true as is_shown
    from leaderboard

),

refused as (

    select distinct
        {{ key }},
        metrics.metric,
        true as is_refused
    from refusals
    inner join metrics
        on refusals.metric in ('all', metrics.metric)

),

offenders as (

    select
        {{ key }},
        metric,
        coalesce(is_shown, false) as is_shown,
        coalesce(is_refused, false) as is_refused
    from asked
    left join shown using ({{ key }}, metric)
    left join refused using ({{ key }}, metric)
    where coalesce(is_shown, false) = coalesce(is_refused, false)

)

select * from offenders
