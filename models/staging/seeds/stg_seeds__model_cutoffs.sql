with source as (

    select * from {{ ref('model_cutoffs') }}

),

renamed as (

    select
        ---------- ids
        model,
        ---------- strings
        kind as cutoff_kind,
        source as cutoff_source,
        ---------- times
        cutoff_date
    from source

)

select * from renamed
