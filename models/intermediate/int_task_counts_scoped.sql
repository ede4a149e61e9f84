-- Rows of int_task_counts once more for each scope other than `all` that asks
-- about their problem. Benchmarks without dates, releases and errata have
-- none.
with task_counts as (

    select * from {{ ref('int_task_counts') }}

),

scopes as (

    select
        {{ all_but(['test_set']) }},
        {{ list_of(['test_set']) }} as test_sets_in_scope
    from {{ ref('int_scopes') }}

),

for_every_model as (

    select
        {{ all_but(['test_sets'], 'task_counts') }},
        scopes.test_sets_in_scope as test_sets,
        scopes.scope
    from task_counts
    -- on, not using: engines disagree where columns joined by using stand
    inner join scopes
        on
            task_counts.benchmark = scopes.benchmark
            and task_counts.dataset_version = scopes.dataset_version
            and task_counts.scenario = scopes.scenario
            and task_counts.task_id = scopes.task_id
    where scopes.model is null

),

for_one_model as (

    select
        {{ all_but(['test_sets'], 'task_counts') }},
        scopes.test_sets_in_scope as test_sets,
        scopes.scope
    from task_counts
    inner join scopes
        on
            task_counts.benchmark = scopes.benchmark
            and task_counts.dataset_version = scopes.dataset_version
            and task_counts.scenario = scopes.scenario
            and task_counts.task_id = scopes.task_id
            and task_counts.model = scopes.model

),

unioned as (

    select * from for_every_model
    union all
    select * from for_one_model

)

select * from unioned
