-- Offenders: samples, or verdicts of one grader, that stand in several live
-- rows. Per problem the indexes are gathered as bits, one row per problem
-- instead of one per sample; only problems whose bits do not add up (or with
-- more samples than bits) are looked at row by row.
{%- set bit = sample_bit() %}
with samples as (

    select
        *,
        {{ row_key(request_key()) }} as request_key
    from {{ ref('stg_lake__samples') }}

),

results as (

    select
        *,
        {{ row_key(grader_key()) }} as grader_key
    from {{ ref('stg_lake__results') }}

),

problems_sampled as (

    select
        request_key,
        task_id
    from samples
    group by request_key, task_id
    having bit_count(bit_or({{ bit }})) <> count(*)

),

problems_judged as (

    select
        grader_key,
        task_id
    from results
    group by grader_key, task_id
    having bit_count(bit_or({{ bit }})) <> count(*)

),

offenders as (

    select
        samples.sample_id,
        null as grader_id,
        count(*) as num_rows
    from samples
    semi join problems_sampled using (request_key, task_id)
    group by samples.sample_id
    having count(*) > 1
    union all
    select
        results.sample_id,
        results.grader_id,
        count(*) as num_rows
    from results
    semi join problems_judged using (grader_key, task_id)
    group by results.sample_id, results.grader_id
    having count(*) > 1

)

select * from offenders
