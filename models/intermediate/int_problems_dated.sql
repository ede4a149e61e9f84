-- What tasks say about the problem they were made from: a mean recorded for
-- another scenario, or without its contest, finds it here.
with tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

aggregated as (

    select
        benchmark,
        source_problem,
        min(contest_date) as contest_date,
        min(stratum) as stratum,
        min(cluster) as cluster
    from tasks
    where contest_date is not null
    group by benchmark, source_problem

)

select * from aggregated
