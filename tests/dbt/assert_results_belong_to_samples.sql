-- Offenders: verdicts of samples that the lake does not hold. Per problem the
-- indexes are gathered as bits; only where a verdict has a bit that no sample
-- has (or where there are more samples than bits) rows are joined. Each CTE
-- reads the lake for itself: one that two others read would be held in memory.
{%- set bit = sample_bit() %}
with sampled as (

    select
        {{ row_key(request_key()) }} as request_key,
        task_id,
        bit_or({{ bit }}) as bits
    from {{ ref('stg_lake__samples') }}
    group by request_key, task_id

),

judged as (

    select
        {{ row_key(request_key()) }} as request_key,
        task_id,
        bit_or({{ bit }}) as bits,
        max(sample_index) as last_index
    from {{ ref('stg_lake__results') }}
    group by request_key, task_id

),

suspicious as (

    select
        judged.request_key,
        judged.task_id
    from judged
    left join sampled using (request_key, task_id)
    where
        sampled.bits is null
        or (judged.bits & sampled.bits) <> judged.bits
        or judged.last_index >= {{ num_sample_bits() }}

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
