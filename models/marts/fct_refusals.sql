with refusals as (

    select * from {{ ref('int_refusals_unioned') }}

),

headlines_refused as (

    select * from {{ ref('int_headlines_refused') }}

),

comparisons_refused as (

    select * from {{ ref('int_comparisons_refused') }}

),

overall_refused as (

    select * from {{ ref('int_overall_refused') }}

),

contamination_refused as (

    select * from {{ ref('int_refusals_of_contamination') }}

),

means as (

    select * from {{ ref('fct_problem_means') }}

),

-- a mean has no cell of the leaderboard: its metric says which record it is
means_refused as (

    select
        model,
        benchmark,
        scenario,
        'all' as test_set,
        'official' as verdict,
        'all' as scope,
        'all' as comparability_digest,
        'published' as origin,
        metric || ' of recorded means, ' || protocol || ', ' || dataset_version
        || ', ' || source as metric,
        refused_because as reason,
        num_problems || ' problems, ' || num_problems_pinned || ' are pinned'
            as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        abs(num_problems_pinned - num_problems)::bigint as num_affected
    from means
    where refused_because is not null

),

unioned as (

    {{ refusals_of([
        'refusals',
        'headlines_refused',
        'comparisons_refused',
        'overall_refused',
        'contamination_refused',
        'means_refused',
    ]) }}

),

typed as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        verdict,
        scope,
        comparability_digest,
        origin,
        metric,
        reason,
        detail,
        differing_fields,
        problems,
        num_affected::bigint as num_affected
    from unioned

)

select * from typed
order by
    model, benchmark, scenario, test_set, verdict, scope,
    comparability_digest, origin, metric, reason
