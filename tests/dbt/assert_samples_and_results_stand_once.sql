-- Offenders: samples, or verdicts of one grader, that stand in several live
-- rows. Per problem the indexes are gathered as bits, one row per problem
-- instead of one per sample; only problems whose bits do not add up (or with
-- more samples than bits) are looked at row by row. Each CTE reads the lake
-- for itself: one that two others read would be held in memory.
{%- set bit = sample_bit() %}
with problems_sampled as (

    select
        {{ row_key(request_key()) }} as request_key,
        task_id
    from {{ ref('stg_lake__samples') }}
    group by request_key, task_id
    having bit_count(bit_or({{ bit }})) <> count(*)

),

problems_judged as (

    select
        {{ row_key(grader_key()) }} as grader_key,
        task_id
    from {{ ref('stg_lake__results') }}
    group by grader_key, task_id
    having bit_count(bit_or({{ bit }})) <> count(*)

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
