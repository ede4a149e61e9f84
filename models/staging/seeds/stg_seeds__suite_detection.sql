with source as (

    select * from {{ ref('suite_detection') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        ---------- strings
        source,
        ---------- numerics
        num_forged,
        num_seen,
        num_passed_official,
        num_passed_strict
    from source

)

select * from renamed
