-- Offenders: means that are no score, or not the percentage that their source
-- states.
with problem_means as (

    select * from {{ ref('stg_lake__problem_means') }}

),

offenders as (

    select
        source,
        scenario,
        model,
        protocol,
        task_id,
        mean,
        stated_percent
    from problem_means
    where
        mean < 0
        or mean > 1
        or isnan(mean)
        or abs(mean - stated_percent::double / 100) > 0.000000000001
)

select * from offenders
