-- Offenders: samples, or verdicts of one grader, that stand in several live
-- rows. Per problem the indexes stand as bits; only problems whose bits do not
-- add up (or with more samples than bits) are looked at row by row. Each CTE
-- reads the lake for itself: one that two others read would be held in memory.
with sampled as (

    select * from {{ ref('int_samples_by_task') }}

),

judged as (

    select * from {{ ref('int_results_by_task') }}

),

problems_sampled as (

    select
        request_key,
        task_id
    from sampled
    where bit_count(sample_bits) <> num_present

),

keyed_at_other_limits as (

    select
        {{ row_key(grader_key()) }} as grader_key,
        task_id,
        {{ sample_bit() }} as sample_bit
    from {{ ref('stg_lake__results') }}
    where limit_factor <> 1.0

),

judged_at_other_limits as (

    select
        grader_key,
        task_id,
        count(*) as num_results,
        bit_or(sample_bit) as result_bits
    from keyed_at_other_limits
    group by grader_key, task_id

),

problems_judged as (

    select
        grader_key,
        task_id
    from judged
    where bit_count(result_bits) <> num_results
    union
    select
        judged_at_other_limits.grader_key,
        judged_at_other_limits.task_id
    from judged_at_other_limits
    left join judged
        on
            judged_at_other_limits.grader_key = judged.grader_key
            and judged_at_other_limits.task_id = judged.task_id
    where
        bit_count(
            judged_at_other_limits.result_bits
            | coalesce(judged.result_bits, 0)
        )
        <> judged_at_other_limits.num_results + coalesce(judged.num_results, 0)

),

offenders as (

    select
        samples.sample_id,
        null as grader_id,
        count(*) as num_rows
    from {{ ref('stg_lake__samples') }} as samples
    semi join problems_sampled
        on
            {{ row_key(request_key()) }} = problems_sampled.request_key
            and samples.task_id = problems_sampled.task_id
    group by samples.sample_id
    having count(*) > 1
    union all
    select
        results.sample_id,
        results.grader_id,
        count(*) as num_rows
    from {{ ref('stg_lake__results') }} as results
    semi join problems_judged
        on
            {{ row_key(grader_key()) }} = problems_judged.grader_key
            and results.task_id = problems_judged.task_id
    group by results.sample_id, results.grader_id
    having count(*) > 1

)

select * from offenders
