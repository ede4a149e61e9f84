with source as (

    select * from {{ ref('errata') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        dataset_version,
        task_id,
        ---------- strings
        kind as errata_kind,
        reason,
        source
    from source

)

select * from renamed
