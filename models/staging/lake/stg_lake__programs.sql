with source as (

    select * from {{ lake('programs') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        program_id,
        ---------- strings
        program
    from source

)

select * from renamed
