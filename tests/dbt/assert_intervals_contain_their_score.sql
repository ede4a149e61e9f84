-- Offenders: intervals that leave their own score out. The bootstrap limits
-- are quantiles of whole resamples and may miss it only by one step.
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

offenders as (

    select
        model,
        benchmark,
        scenario,
        metric,
        score,
        interval_low,
        interval_high,
        bootstrap_low,
        bootstrap_high
    from leaderboard
    where
        not score between interval_low and interval_high
        or not score between bootstrap_low and bootstrap_high

)

select * from offenders
