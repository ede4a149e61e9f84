with tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

typed as (

    select
        benchmark,
        dataset_version,
        scenario,
        task_id,
        dataset_digest,
        task_digest,
        kind,
        test_sets,
        source_problem,
        stratum,
        cluster,
        num_base_cases,
        num_plus_cases,
        has_plus,
        contest_date
    from tasks

)

select * from typed
order by benchmark, dataset_version, scenario, task_id
