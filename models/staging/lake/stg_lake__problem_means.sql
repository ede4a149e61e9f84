with source as (

    select * from {{ lake('problem_means') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        dataset_version,
        scenario,
        model,
        protocol,
        task_id,
        source_problem,
        shard_id,
        ---------- strings
        metric,
        stated_percent,
        stratum,
        cluster,
        source,
        licence,
        ---------- numerics
        mean,
        round(mean * 1e12)::bigint as mean_units,
        num_samples,
        ---------- times
        contest_date,
        recorded_date
    from source

)

select * from renamed
