-- Offenders: graders with more timings than verdicts: a part that counts twice.
-- A timing tells the largest share of a limit, so a doubled one moves nothing;
-- looking for it row by row would cost more than the marts.
with results as (

    select
        benchmark,
        model,
        grader_id,
        count(*) as num_results
    from {{ ref('stg_lake__results') }}
    group by all

),

timings as (

    select
        benchmark,
        model,
        grader_id,
        count(*) as num_timings
    from {{ ref('stg_lake__timings') }}
    group by all

),

offenders as (

    select
        timings.benchmark,
        timings.model,
        timings.grader_id,
        timings.num_timings,
        coalesce(results.num_results, 0) as num_results
    from timings
    left join results using (benchmark, model, grader_id)
    where timings.num_timings > coalesce(results.num_results, 0)

)

select * from offenders
