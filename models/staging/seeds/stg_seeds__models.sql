with source as (

    select * from {{ ref('models') }}

),

renamed as (

    select
        ---------- ids
        model,
        hub_id,
        revision as model_revision,
        ---------- strings
        family,
        licence,
        templating_mode,
        tier,
        reason,
        ---------- numerics
        context_length,
        ---------- booleans
        osi_approved as is_osi_approved,
        is_excluded
    from source

)

select * from renamed
