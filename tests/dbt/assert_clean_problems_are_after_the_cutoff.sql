-- Offenders: problems of a clean cell that are dated on or before the cutoff
-- of its model, or not at all.
with task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

tasks as (

    select * from {{ ref('dim_tasks') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_unioned') }}

),

offenders as (

    select
        task_scores.model,
        task_scores.benchmark,
        task_scores.scenario,
        task_scores.test_set,
        task_scores.task_id,
        tasks.contest_date,
        cutoffs.cutoff_date
    from task_scores
    inner join tasks
        using (benchmark, dataset_version, scenario, task_id)
    left join cutoffs using (model)
    where
        task_scores.scope = 'clean'
        and not coalesce(tasks.contest_date > cutoffs.cutoff_date, false)

)

select * from offenders
