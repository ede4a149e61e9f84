-- Offenders: tasks that name a test set twice; every score would count twice.
with tasks as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

offenders as (

    select
        benchmark,
        dataset_version,
        scenario,
        task_id,
        test_set,
        count(*) as num_times
    from tasks
    group by benchmark, dataset_version, scenario, task_id, test_set
    having count(*) > 1

)

select * from offenders
