-- Cells with problems or samples too few, too many or unknown; the problems are
-- named.
{%- set key = cell_key() | join(', ') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

cells_off_plan as (

    select * from {{ ref('int_cells_off_plan') }}

),

-- few: every problem of the board would be looked up otherwise
task_scores as (

    select *
    from {{ ref('fct_task_scores') }}
    semi join cells_off_plan using ({{ key }})

),

tasks_unknown as (

    select * from {{ ref('int_tasks_unknown') }}

),

tasks as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

scopes as (

    select * from {{ ref('int_scopes') }}

),

problems_asked as (

    select
        benchmark,
        dataset_version,
        scenario,
        test_set,
        task_id,
        'all' as scope,
        null::string as model
    from tasks
    union all
    select
        benchmark,
        dataset_version,
        scenario,
        test_set,
        task_id,
        scope,
        model
    from scopes

),

expected_problems as (

    select
        {%- for column in cell_key() %}
            cells.{{ column }},
        {%- endfor %}
        problems_asked.task_id
    from cells
    inner join problems_asked
        on
            cells.benchmark = problems_asked.benchmark
            and cells.dataset_version = problems_asked.dataset_version
            and cells.scenario = problems_asked.scenario
            and cells.test_set = problems_asked.test_set
            and cells.scope = problems_asked.scope
            and case when cells.scope = 'clean' then cells.model else '' end
            = coalesce(problems_asked.model, '')
    where cells.num_problems <> cells.num_problems_pinned

),

present_problems as (

    select
        {{ key }},
        task_id
    from task_scores

),

absent_problems as (

    select
        {{ key }},
        {{ distinct_list('task_id') }} as absent
    from expected_problems
    anti join present_problems using ({{ key }}, task_id)
    group by {{ key }}

),

incomplete_problem_sets as (

    select
        {{ key }},
        'all' as metric,
        'incomplete_problem_set' as reason,
        num_problems || ' problems, ' || num_problems_pinned || ' are pinned'
            as detail,
        {{ no_texts() }} as differing_fields,
        coalesce(absent, {{ no_texts() }}) as problems,
        abs(num_problems - num_problems_pinned) as num_affected
    from cells
    left join absent_problems using ({{ key }})
    where num_problems <> num_problems_pinned

),

problem_states as (

    select
        {{ key }},
        task_id,
        case
            when num_present > num_planned or num_judged > num_planned
                then 'surplus_samples'
            when num_present < num_planned then 'missing_samples'
            when num_judged < num_present then 'unjudged_samples'
        end as reason,
        case
            when num_present > num_planned or num_judged > num_planned
                then greatest(num_present, num_judged) - num_planned
            else num_planned - least(num_present, num_judged)
        end as num_samples
    from task_scores
    where num_present <> num_planned or num_judged <> num_present

),

-- one reason per problem; samples are planned, so what is absent is known
problems_out_of_plan as (

    select
        {{ key }},
        'all' as metric,
        reason,
        sum(num_samples) || ' samples of ' || count(distinct task_id)
        || ' problems ' || case reason
            when 'surplus_samples' then 'are more than were planned'
            when 'missing_samples' then 'were planned and are not there'
            else 'have no verdict'
        end as detail,
        {{ no_texts() }} as differing_fields,
        {{ distinct_list('task_id') }} as problems,
        sum(num_samples)::bigint as num_affected
    from problem_states
    where reason is not null
    group by {{ key }}, reason

),

unknown_by_cell as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        {{ distinct_list('dataset_version') }} as dataset_versions,
        {{ distinct_list('task_id') }} as problems,
        count(distinct task_id) as num_affected
    from tasks_unknown
    group by model, benchmark, scenario, comparability_digest

),

-- every number of its cells, or the model where it has none yet
unknown_tasks as (

    select
        unknown_by_cell.model,
        unknown_by_cell.benchmark,
        unknown_by_cell.scenario,
        coalesce(cells.test_set, 'all') as test_set,
        coalesce(cells.verdict, 'all') as verdict,
        coalesce(cells.scope, 'all') as scope,
        unknown_by_cell.comparability_digest,
        coalesce(cells.origin, 'all') as origin,
        'all' as metric,
        'unknown_tasks' as reason,
        'table tasks does not know ' || unknown_by_cell.num_affected
        || ' of its problems in '
        || {{ joined_items('unknown_by_cell.dataset_versions', ', ') }}
            as detail,
        {{ no_texts() }} as differing_fields,
        unknown_by_cell.problems,
        unknown_by_cell.num_affected
    from unknown_by_cell
    left join cells
        on
            unknown_by_cell.model = cells.model
            and unknown_by_cell.benchmark = cells.benchmark
            and unknown_by_cell.scenario = cells.scenario
            and unknown_by_cell.comparability_digest
            = cells.comparability_digest

),

unioned as (

    {{ refusals_of([
        'incomplete_problem_sets',
        'problems_out_of_plan',
        'unknown_tasks',
    ]) }}

)

select * from unioned
