{{ config(materialized='view') }}

-- The one number shown for a model on a benchmark cell; headline_rule says
-- which of several candidates it is. Where the rule leaves several, none is
-- shown and fct_refusals says so.
with candidates as (

    select * from {{ ref('int_headline_candidates') }}

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
        || 'dataset version, most samples; none where several are left'
            as headline_rule
    from candidates
    where preference = 1 and num_tied = 1

)

select * from chosen
order by benchmark asc, scenario asc, score desc, model asc
