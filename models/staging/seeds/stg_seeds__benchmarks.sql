with source as (

    select * from {{ ref('benchmarks') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        dataset_version,
        dataset_digest,
        ---------- strings
        title,
        kind,
        hub_id,
        hub_revision,
        licence,
        cells,
        headline_test_set,
        trust_tier,
        ---------- booleans
        is_default,
        is_default_cell
    from source

)

select * from renamed
