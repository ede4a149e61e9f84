{{ config(materialized='view') }}

-- The one number shown for a model on a benchmark cell; headline_rule says
-- which of several candidates it is.
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

candidates as (

    select
        *,
        coalesce(temperature, 1e9) as temperature_known,
        case protocol
            when 'official' then 0
            when 'direct' then 0
            when 'recorded' then 1
            when 'corrected' then 2
            when 'card' then 3
            else 4
        end as protocol_rank
    from leaderboard
    where
        verdict = 'official'
        and metric = 'pass@1'
        and scope = 'all'
        and is_headline_test_set

),

ranked as (

    select
        *,
        row_number() over (
            partition by model, benchmark, scenario
            order by
                origin = 'self' desc,
                temperature_known > 0 asc,
                temperature_known asc,
                protocol_rank asc,
                dataset_version desc,
                num_planned desc,
                comparability_digest asc
        ) as preference,
        count(*) over (partition by model, benchmark, scenario)
            as num_candidates
    from candidates

),

chosen as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        metric,
        score,
        interval_low,
        interval_high,
        interval_method,
        bootstrap_low,
        bootstrap_high,
        flags,
        num_problems,
        num_planned,
        num_unanswered,
        origin,
        trust_tier,
        source,
        protocol,
        temperature,
        dataset_version,
        comparability_digest,
        num_candidates::integer as num_candidates,
        'official verdict, pass@1 on the headline test set; ours before '
        || 'published, greedy before sampled, lower temperature first, '
        || 'official or direct protocol before chain of thought, newest '
        || 'dataset version, most samples' as headline_rule
    from ranked
    where preference = 1

)

select * from chosen
order by benchmark asc, scenario asc, score desc, model asc
