-- A task may be written by staging and by an import: the row that knows more
-- wins, then the larger digest, so that file order cannot decide.
with tasks as (

    select * from {{ ref('stg_lake__tasks') }}

),

deduplicated as (

    select *
    from tasks
    qualify row_number() over (
        partition by benchmark, dataset_version, scenario, task_id
        order by
            task_digest is null,
            num_base_cases is null,
            dataset_digest desc nulls last,
            task_digest desc nulls last,
            kind asc,
            source_problem asc,
            num_base_cases asc,
            num_plus_cases asc,
            stratum asc,
            cluster asc,
            contest_date asc,
            test_sets asc
    ) = 1

),

with_plus as (

    select
        *,
        -- known counts and no extra case: base and plus are the same tests
        coalesce(num_plus_cases > 0, num_base_cases is null) as has_plus
    from deduplicated

)

select * from with_plus
