with source as (

    select * from {{ ref('deviations') }}

),

renamed as (

    select
        deviation_id,
        benchmark,
        rule,
        reason
    from source

)

select * from renamed
