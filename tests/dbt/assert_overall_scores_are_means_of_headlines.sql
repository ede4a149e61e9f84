-- Offenders: overall scores that are not the weighted mean of their cells on
-- the leaderboard, and models asked that have neither a score nor a refusal.
with cells as (

    select * from {{ ref('int_overall_cells') }}

),

leaderboard as (

    select * from {{ ref('leaderboard') }}

),

overall_scores as (

    select * from {{ ref('fct_overall_scores') }}

),

refusals as (

    select * from {{ ref('fct_refusals') }}

),

recomputed as (

    select
        cells.model,
        cells.overall,
        count(*) = count(leaderboard.score) as is_complete,
        sum(cells.weight * leaderboard.score) / sum(cells.weight) as mean
    from cells
    left join leaderboard
        on
            cells.model = leaderboard.model
            and cells.benchmark = leaderboard.benchmark
            and cells.scenario = leaderboard.scenario
            and cells.test_set = leaderboard.test_set
            and cells.verdict = leaderboard.verdict
            and cells.scope = leaderboard.scope
            and cells.comparability_digest = leaderboard.comparability_digest
            and cells.origin = leaderboard.origin
            and leaderboard.metric = 'pass@1'
    group by cells.model, cells.overall

),

refused as (

    select
        model,
        metric
    from refusals
    where reason = 'incomplete_overall'

),

offenders as (

    select
        recomputed.*,
        overall_scores.score,
        refused.metric as refusal
    from recomputed
    left join overall_scores
        on
            recomputed.model = overall_scores.model
            and recomputed.overall = overall_scores.overall
    left join refused
        on
            recomputed.model = refused.model
            and 'overall ' || recomputed.overall = refused.metric
    where
        recomputed.is_complete <> (overall_scores.score is not null)
        or recomputed.is_complete <> (refused.metric is null)
        or abs(overall_scores.score - recomputed.mean) > 1e-12

)

select * from offenders
