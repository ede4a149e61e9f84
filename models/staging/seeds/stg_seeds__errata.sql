with source as (

    select * from {{ ref('errata') }}

),

renamed as (

    select
        benchmark,
        dataset_version,
        task_id,
        reason
    from source

)

select * from renamed
