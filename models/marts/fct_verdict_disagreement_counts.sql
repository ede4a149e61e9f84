{{ config(materialized='view') }}

with disagreements as (

    select * from {{ ref('fct_verdict_disagreements') }}

),

counted as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        part,
        axis,
        official_verdict,
        strict_verdict,
        corrected_extraction_verdict,
        count(*)::integer as num_samples
    from disagreements
    group by all

)

select * from counted
