with source as (

    select * from {{ ref('overall_weights') }}

),

renamed as (

    select
        overall,
        benchmark,
        scenario,
        ---------- numerics
        weight
    from source

)

select * from renamed
