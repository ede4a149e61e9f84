-- Scores by problem that a question of contamination may be put to: official
-- pass@1 of the leaderboard, and means that others recorded. Units are whole
-- numbers, so that no order of rows moves a sum of them.
{%- set board = contamination_board() %}
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

problem_means as (

    select * from {{ ref('stg_lake__problem_means') }}

),

problems as (

    select * from {{ ref('int_problems_dated') }}

),

-- benchmarks without dates have nothing to ask
dated_scenarios as (

    select distinct
        benchmark,
        dataset_version,
        scenario
    from tasks
    where contest_date is not null

),

cells as (

    select leaderboard.*
    from leaderboard
    semi join dated_scenarios using (benchmark, dataset_version, scenario)
    where
        leaderboard.verdict = 'official'
        and leaderboard.metric = 'pass@1'
        and leaderboard.scope = 'all'
        and leaderboard.is_headline_test_set

),

scores_of_cells as (

    select task_scores.*
    from task_scores
    semi join dated_scenarios using (benchmark, dataset_version, scenario)
    where task_scores.verdict = 'official' and task_scores.scope = 'all'

),

scored_by_verdicts as (

    select
        'verdicts' as score_kind,
        cells.benchmark,
        cells.dataset_version,
        cells.scenario,
        cells.test_set,
        cells.verdict,
        cells.comparability_digest as comparable_within,
        cells.origin,
        cells.metric,
        cells.model,
        cells.protocol,
        cells.source,
        scores_of_cells.task_id,
        scores_of_cells.num_passed::bigint as score_units,
        scores_of_cells.num_planned::bigint as units_per_problem,
        tasks.contest_date,
        lower(tasks.stratum) as stratum,
        tasks.cluster
    from cells
    inner join scores_of_cells
        using (
            model, benchmark, scenario, test_set, verdict, scope,
            comparability_digest, origin
        )
    inner join tasks
        on
            scores_of_cells.benchmark = tasks.benchmark
            and scores_of_cells.dataset_version = tasks.dataset_version
            and scores_of_cells.scenario = tasks.scenario
            and scores_of_cells.task_id = tasks.task_id

),

-- a mean compares only within its source, asked the same way
scored_by_means as (

    select
        'means' as score_kind,
        problem_means.benchmark,
        problem_means.dataset_version,
        problem_means.scenario,
        'all' as test_set,
        'all' as verdict,
        problem_means.source || ' ' || problem_means.protocol || ' '
        || problem_means.metric as comparable_within,
        'published' as origin,
        problem_means.metric,
        problem_means.model,
        problem_means.protocol,
        problem_means.source,
        problem_means.task_id,
        problem_means.mean_units as score_units,
        1000000000000::bigint as units_per_problem,
        coalesce(problem_means.contest_date, problems.contest_date)
            as contest_date,
        lower(coalesce(problem_means.stratum, problems.stratum)) as stratum,
        coalesce(problem_means.cluster, problems.cluster) as cluster
    from problem_means
    left join problems
        on
            problem_means.benchmark = problems.benchmark
            and problem_means.source_problem = problems.source_problem

),

unioned as (

    select * from scored_by_verdicts
    union all
    select * from scored_by_means

),

dated_boards as (

    select distinct {{ board | join(', ') }}
    from unioned
    where contest_date is not null

),

kept as (

    select unioned.*
    from unioned
    semi join dated_boards using ({{ board | join(', ') }})

)

select * from kept
