with source as (

    select * from {{ lake('runs') }}

),

renamed as (

    select
        ---------- ids
        run_id,
        shard_id,
        benchmark,
        model,
        scenario,
        request_digest,
        job_id,
        image_digest,
        ---------- strings
        stage,
        node,
        gpu,
        engine,
        engine_version,
        engine_flags,
        cause,
        detail,
        ---------- numerics
        attempt,
        num_gpus,
        gpu_seconds,
        wall_seconds,
        num_restarts,
        num_rows,
        num_planned,
        ---------- times
        started_at,
        ended_at
    from source

)

select * from renamed
