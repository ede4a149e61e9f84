-- Scopes of a dated cell that have no problems to make a number of.
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_unioned') }}

),

dated_scenarios as (

    select
        benchmark,
        dataset_version,
        scenario,
        max(contest_date) as last_date
    from tasks
    where contest_date is not null
    group by all

),

dated_cells as (

    select
        {{ all_but(['scope', 'differing_fields'], 'cells') }},
        cutoffs.cutoff_date,
        dated_scenarios.last_date
    from cells
    inner join dated_scenarios
        using (benchmark, dataset_version, scenario)
    left join cutoffs using (model)
    where cells.scope = 'all' and cells.is_headline_test_set

),

unknown_cutoffs as (

    select
        *,
        'clean' as scope,
        'all' as metric,
        'unknown_cutoff' as reason,
        'the end of its training data is not known: add the day and its '
        || 'source to seeds/model_cutoffs.csv' as detail,
        {{ list_of(["'cutoff_date'"]) }} as differing_fields,
        {{ no_texts() }} as problems,
        num_problems as num_affected
    from dated_cells
    where cutoff_date is null

),

no_problem_after_cutoff as (

    select
        *,
        'clean' as scope,
        'all' as metric,
        'no_problems_in_scope' as reason,
        'no problem is younger than its cutoff ' || cutoff_date as detail,
        {{ list_of(["'cutoff_date'"]) }} as differing_fields,
        {{ no_texts() }} as problems,
        num_problems as num_affected
    from dated_cells
    where cutoff_date >= last_date

),

windows as (

    {% for name, days in windows().items() -%}
        select
            'window_{{ name }}' as scope,
            '{{ days[0] }}'::date as first_day,
            '{{ days[1] }}'::date as last_day
        union all
    {% endfor -%}
    select
        'window' as scope,
        null::date as first_day,
        null::date as last_day
    where false

),

windows_with_problems as (

    select distinct
        tasks.benchmark,
        tasks.dataset_version,
        tasks.scenario,
        windows.scope
    from tasks
    inner join windows
        on
            tasks.contest_date >= windows.first_day
            and tasks.contest_date <= windows.last_day

),

no_problem_in_window as (

    select
        dated_cells.*,
        windows.scope,
        'all' as metric,
        'no_problems_in_scope' as reason,
        'no problem is dated ' || windows.first_day || ' to '
        || windows.last_day as detail,
        {{ list_of(["'contest_date'"]) }} as differing_fields,
        {{ no_texts() }} as problems,
        dated_cells.num_problems as num_affected
    from dated_cells
    cross join windows
    anti join windows_with_problems
        using (benchmark, dataset_version, scenario, scope)

),

unioned as (

    {{ refusals_of([
        'unknown_cutoffs',
        'no_problem_after_cutoff',
        'no_problem_in_window',
    ]) }}

)

select * from unioned
