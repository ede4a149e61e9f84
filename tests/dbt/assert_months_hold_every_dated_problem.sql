-- Offenders: models whose months do not add up to the problems that have a
-- date, or whose months' scores do not average to the score of the cell.
{%- set board = contamination_board() %}
with months as (

    select * from {{ ref('fct_contamination') }}

),

leaderboard as (

    select * from {{ ref('leaderboard') }}

),

tasks as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('dim_tasks') }}

),

dated as (

    select
        benchmark,
        dataset_version,
        scenario,
        test_set,
        count(contest_date) as num_dated,
        count(*) as num_problems
    from tasks
    group by all

),

added_up as (

    select
        {{ board | join(', ') }},
        model,
        sum(num_problems) as num_problems,
        sum(score * num_problems) / sum(num_problems) as score
    from months
    where score_kind = 'verdicts'
    group by all

),

offenders as (

    select
        added_up.model,
        added_up.benchmark,
        added_up.scenario,
        added_up.test_set,
        added_up.num_problems,
        dated.num_dated,
        added_up.score,
        leaderboard.score as score_of_cell
    from added_up
    inner join dated
        using (benchmark, dataset_version, scenario, test_set)
    inner join leaderboard
        on
            added_up.model = leaderboard.model
            and added_up.benchmark = leaderboard.benchmark
            and added_up.scenario = leaderboard.scenario
            and added_up.test_set = leaderboard.test_set
            and added_up.verdict = leaderboard.verdict
            and added_up.comparable_within = leaderboard.comparability_digest
            and added_up.origin = leaderboard.origin
            and added_up.metric = leaderboard.metric
            and leaderboard.scope = 'all'
    where
        added_up.num_problems <> dated.num_dated
        or (
            dated.num_dated = dated.num_problems
            and abs(added_up.score - leaderboard.score) > 1e-9
        )

)

select * from offenders
