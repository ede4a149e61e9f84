{{ config(materialized='view') }}

-- The one number shown for a model on a benchmark cell; headline_rule says
-- which of several candidates it is. Where the rule leaves several, none is
-- shown and fct_refusals says so.
with candidates as (

    select * from {{ ref('int_headline_candidates') }}

),

ranks as (

    select * from {{ ref('fct_rank_intervals') }}

),

candidates_with_ranks as (

    select
        candidates.*,
        ranks.rank_low,
        ranks.rank_high,
        ranks.could_be_first,
        ranks.num_models as num_models_ranked
    from candidates
    left join ranks
        using ({{ cell_key() | join(', ') }}, metric)

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
        rank_low,
        rank_high,
        could_be_first,
        num_models_ranked,
        num_problems,
        num_planned,
        num_unanswered,
        origin,
        trust_tier,
        detection_rate,
        num_forged,
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
    from candidates_with_ranks
    where preference = 1 and num_tied = 1

)

select * from chosen
order by benchmark asc, scenario asc, score desc, model asc
