with source as (

    select * from {{ ref('sources') }}

),

renamed as (

    select
        ---------- ids
        source,
        repository,
        commit as source_commit,
        benchmark,
        ---------- strings
        licence,
        what
    from source

)

select * from renamed
