with refusals as (

    select * from {{ ref('int_refusals_unioned') }}

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
    from refusals

)

select * from typed
order by
    model, benchmark, scenario, test_set, verdict, scope,
    comparability_digest, origin, metric, reason
