with source as (

    select * from {{ lake('timings') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        model,
        sample_id,
        grader_id,
        shard_id,
        ---------- strings
        host,
        ---------- numerics
        cpu_seconds,
        wall_seconds,
        peak_memory_bytes,
        case_seconds,
        base_limit_share,
        plus_limit_share,
        corrected_base_limit_share,
        corrected_plus_limit_share,
        attempt,
        ---------- booleans
        is_reused
    from source

)

select * from renamed
