-- Offenders: scores of a release inside the newest test set that are not those
-- of the release's own test set: they are the same problems, counted twice on
-- two ways.
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

of_test_sets as (

    select *
    from leaderboard
    where scope = 'all'

),

offenders as (

    select
        of_releases.model,
        of_releases.benchmark,
        of_releases.scenario,
        of_releases.scope,
        of_releases.metric,
        of_releases.num_problems,
        of_test_sets.num_problems as num_problems_of_test_set,
        of_releases.score_numerator,
        of_test_sets.score_numerator as score_numerator_of_test_set
    from leaderboard as of_releases
    inner join of_test_sets
        on
            of_releases.model = of_test_sets.model
            and of_releases.benchmark = of_test_sets.benchmark
            and of_releases.scenario = of_test_sets.scenario
            and of_releases.scope = 'release_' || of_test_sets.test_set
            and of_releases.verdict = of_test_sets.verdict
            and of_releases.comparability_digest
            = of_test_sets.comparability_digest
            and of_releases.origin = of_test_sets.origin
            and of_releases.metric = of_test_sets.metric
    where
        of_releases.num_problems <> of_test_sets.num_problems
        or of_releases.score_numerator <> of_test_sets.score_numerator

)

select * from offenders
