-- Offenders: verdicts of samples that the lake does not hold.
with results as (

    select * from {{ ref('stg_lake__results') }}

),

samples as (

    select * from {{ ref('stg_lake__samples') }}

),

offenders as (

    select
        results.sample_id,
        results.grader_id,
        results.model,
        results.benchmark,
        results.task_id
    from results
    anti join samples
        on results.sample_id = samples.sample_id

)

select * from offenders
