-- Answers that were cut short. A table, though few read it: an engine that
-- knows how few they are looks results up in them, and not the other way
-- round, which would hold every result in memory.
with samples as (

    select * from {{ ref('stg_lake__samples') }}

),

truncated as (

    select sample_id
    from samples
    where {{ is_truncated() }}

)

select * from truncated
