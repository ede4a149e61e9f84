-- Offenders: cells whose samples by reason are not their judged samples, or
-- whose passes are not the row ok.
with failure_reasons as (

    select * from {{ ref('fct_failure_reasons') }}

),

cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

added_up as (

    select
        {{ cell_key() | join(', ') }},
        sum(num_samples) as num_samples,
        sum(num_samples) filter (where reason = 'ok') as num_passed_by_reason
    from failure_reasons
    group by all

),

offenders as (

    select
        {{ cell_key() | join(', ') }},
        cells.num_judged,
        cells.num_passed,
        added_up.num_samples,
        added_up.num_passed_by_reason
    from cells
    left join added_up using ({{ cell_key() | join(', ') }})
    where
        cells.scope = 'all'
        and (
            cells.num_judged <> coalesce(added_up.num_samples, 0)
            or cells.num_passed <> coalesce(added_up.num_passed_by_reason, 0)
        )

)

select * from offenders
