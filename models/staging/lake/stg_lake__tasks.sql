with source as (

    select * from {{ lake('tasks') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        dataset_digest,
        scenario,
        task_id,
        task_digest,
        ---------- strings
        dataset_version,
        kind,
        test_sets,
        source_problem,
        stratum,
        cluster,
        licence,
        pinned_cells,
        ---------- numerics
        num_base_cases,
        num_plus_cases,
        ---------- times
        contest_date
    from source

)

select * from renamed
