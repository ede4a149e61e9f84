-- How many rows of ours were timed. A grader without any is unmeasured as a
-- whole; one with as many timings as results has none that lacks its own.
with graders as (

    select * from {{ ref('int_graders_summarized') }}

),

timings as (

    select * from {{ ref('stg_lake__timings') }}

),

results_counted as (

    select
        benchmark,
        model,
        grader_id,
        sum(num_results)::bigint as num_results
    from graders
    where origin = 'self'
    group by all

),

timings_counted as (

    select
        benchmark,
        model,
        grader_id,
        count(*) as num_timings
    from timings
    group by all

),

joined as (

    select
        benchmark,
        model,
        grader_id,
        results_counted.num_results,
        coalesce(timings_counted.num_timings, 0) as num_timings
    from results_counted
    left join timings_counted using (benchmark, model, grader_id)

)

select * from joined
