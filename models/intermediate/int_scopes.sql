-- The problems that a scope other than `all` asks about, one row per problem
-- and test set; clean says for which model. Scopes by date and by release are
-- about the headline test set. A scope that asks about every problem of it is
-- left out: `all` says the same. clean is kept, whose problems depend on the
-- model.
{%- set problem = ['benchmark', 'dataset_version', 'scenario', 'test_set'] %}
with tasks as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

pins as (

    select * from {{ ref('int_benchmark_cells') }}

),

errata as (

    select * from {{ ref('stg_seeds__errata') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_unioned') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

models_with_cutoff as (

    select distinct
        requests.model,
        requests.benchmark,
        requests.scenario,
        cutoffs.cutoff_date
    from requests
    inner join cutoffs using (model)

),

headline_tasks as (

    select tasks.*
    from tasks
    semi join (
        select * from pins
        where is_headline_test_set
    ) as headline_pins
        using ({{ problem | join(', ') }})

),

-- a release is a test set of its own; here it is a part of the newest one. Its
-- problems are known from the test sets of a task, or because the tasks table
-- has that release as a version of its own.
by_release as (

    select distinct
        headline_tasks.benchmark,
        headline_tasks.dataset_version,
        headline_tasks.scenario,
        headline_tasks.test_set,
        headline_tasks.task_id,
        'release_' || tasks.test_set as scope
    from headline_tasks
    inner join tasks
        on
            headline_tasks.benchmark = tasks.benchmark
            and headline_tasks.scenario = tasks.scenario
            and headline_tasks.task_id = tasks.task_id
    -- one digit: releases compare as text
    where tasks.test_set like 'v_' and tasks.test_set < headline_tasks.test_set

),

by_window as (

    {% for name, days in windows().items() -%}
        select
            {{ problem | join(', ') }},
            task_id,
            'window_{{ name }}' as scope
        from headline_tasks
        where
            contest_date >= '{{ days[0] }}'::date
            and contest_date <= '{{ days[1] }}'::date
        union all
    {% endfor -%}
    select
        {{ problem | join(', ') }},
        task_id,
        'window' as scope
    from headline_tasks
    where false

),

benchmarks_with_errata as (

    select distinct
        benchmark,
        dataset_version
    from errata

),

by_errata as (

    select
        {{ problem | join(', ') }},
        task_id,
        'without_errata' as scope
    from tasks
    semi join benchmarks_with_errata using (benchmark, dataset_version)
    anti join errata using (benchmark, dataset_version, task_id)

),

for_every_model as (

    select * from by_release
    union all
    select * from by_window
    union all
    select * from by_errata

),

sizes as (

    select
        {{ problem | join(', ') }},
        count(*) as num_problems
    from tasks
    group by all

),

sizes_in_scope as (

    select
        {{ problem | join(', ') }},
        scope,
        count(*) as num_problems_in_scope
    from for_every_model
    group by all

),

whole as (

    select
        {{ problem | join(', ') }},
        scope
    from sizes_in_scope
    inner join sizes using ({{ problem | join(', ') }})
    where num_problems_in_scope = num_problems

),

parts as (

    select for_every_model.*
    from for_every_model
    anti join whole using ({{ problem | join(', ') }}, scope)

),

clean as (

    select
        headline_tasks.benchmark,
        headline_tasks.dataset_version,
        headline_tasks.scenario,
        headline_tasks.test_set,
        headline_tasks.task_id,
        'clean' as scope,
        models_with_cutoff.model
    from headline_tasks
    inner join models_with_cutoff
        using (benchmark, scenario)
    where headline_tasks.contest_date > models_with_cutoff.cutoff_date

),

unioned as (

    select
        {{ problem | join(', ') }},
        task_id,
        scope,
        null::string as model
    from parts
    union all
    select
        {{ problem | join(', ') }},
        task_id,
        scope,
        model
    from clean

)

select * from unioned
