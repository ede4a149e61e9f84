-- Samples of every problem of a request, with their indexes as bits: what
-- results must match, and what proves that no sample stands twice.
with samples as (

    select * from {{ ref('stg_lake__samples') }}

),

keyed as (

    select
        {{ row_key(request_key()) }} as request_key,
        task_id,
        {{ sample_bit() }} as sample_bit
    from samples

),

aggregated as (

    select
        request_key,
        task_id,
        count(*) as num_present,
        bit_or(sample_bit) as sample_bits
    from keyed
    group by request_key, task_id

)

select * from aggregated
