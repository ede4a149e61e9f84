with source as (

    select * from {{ lake('regrades') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        model,
        scenario,
        task_id,
        task_digest,
        program_id,
        grader_id,
        regrade_id,
        shard_id,
        ---------- strings
        oracle,
        part,
        verdict,
        reason,
        ---------- numerics
        num_gradings,
        limit_factor,
        ---------- booleans
        is_official_oracle,
        is_strict_oracle,
        is_unsafe
    from source

)

select * from renamed
