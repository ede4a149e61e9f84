-- Offenders: verdicts of samples that the lake does not hold. Per problem the
-- indexes stand as bits; only where a verdict has a bit that no sample has (or
-- the last, which many may share) rows are joined. Each CTE reads the lake for
-- itself: one that two others read would be held in memory.
with sampled as (

    select * from {{ ref('int_samples_by_task') }}

),

judged_at_official_limits as (

    select * from {{ ref('int_results_by_task') }}

),

graders as (

    select * from {{ ref('int_graders_summarized') }}

),

judged as (

    select
        graders.request_key,
        judged_at_official_limits.task_id,
        judged_at_official_limits.result_bits
    from judged_at_official_limits
    inner join graders using (grader_key)
    union all
    select
        {{ row_key(request_key()) }} as request_key,
        task_id,
        {{ sample_bit() }} as result_bits
    from {{ ref('stg_lake__results') }}
    where limit_factor <> 1.0

),

suspicious as (

    select distinct
        judged.request_key,
        judged.task_id
    from judged
    left join sampled using (request_key, task_id)
    where
        sampled.sample_bits is null
        or (judged.result_bits & sampled.sample_bits) <> judged.result_bits
        or judged.result_bits >= {{ last_sample_bit() }}

),

samples_looked_at as (

    select samples.sample_id
    from {{ ref('stg_lake__samples') }} as samples
    semi join suspicious
        on
            {{ row_key(request_key()) }} = suspicious.request_key
            and samples.task_id = suspicious.task_id

),

offenders as (

    select
        results.sample_id,
        results.grader_id,
        results.model,
        results.benchmark,
        results.task_id
    from {{ ref('stg_lake__results') }} as results
    semi join suspicious
        on
            {{ row_key(request_key()) }} = suspicious.request_key
            and results.task_id = suspicious.task_id
    anti join samples_looked_at
        on results.sample_id = samples_looked_at.sample_id

)

select * from offenders
