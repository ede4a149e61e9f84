-- Negative: the suspect falls by more after its cutoff than the reference
-- does on the same problems. The answer is about the pair, never about the
-- suspect alone.
with pairs as (

    select * from {{ ref('int_cutoff_pairs_differenced') }}

),

estimated as (

    select *
    from pairs
    where found.refused is null

),

typed as (

    select
        score_kind,
        benchmark,
        dataset_version,
        scenario,
        test_set,
        verdict,
        comparable_within,
        origin,
        metric,
        model,
        reference,
        cutoff_date,
        cutoff_kind,
        reference_cutoff_date,
        reference_cutoff_kind,
        num_problems::integer as num_problems,
        found.num_before::integer as num_before,
        found.num_after::integer as num_after,
        num_contests::integer as num_contests,
        found.estimate as difference_in_differences,
        found.se,
        found.estimate - 1.959963984540054 * found.se as interval_low,
        found.estimate + 1.959963984540054 * found.se as interval_high,
        found.estimate / nullif(found.se, 0.0) as z,
        case
            when num_contests < 20
                then 'difficulty strata, too few contests to cluster by'
            else 'difficulty strata, contests as clusters'
        end as design
    from estimated

)

select * from typed
order by
    score_kind, benchmark, dataset_version, scenario, test_set, verdict,
    comparable_within, origin, metric, model, reference
