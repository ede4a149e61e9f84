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

unioned as (

    {{ refusals_of([
        'refusals',
        'headlines_refused',
        'comparisons_refused',
        'overall_refused',
        'contamination_refused',
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
