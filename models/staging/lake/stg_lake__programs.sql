-- Shards that are scored at the same time may both write a text that neither
-- saw in the lake: the id is a digest of the text, so either row will do.
with source as (

    select * from {{ lake('programs') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        program_id,
        ---------- strings
        any_value(program) as program
    from source
    group by benchmark, program_id

)

select * from renamed
