-- Verdicts are counted before they are spread over test sets and verdict
-- kinds: one hash aggregate over the rows, everything after it is per task.
with judged as (

    select *
    from {{ ref('stg_lake__results') }}
    -- verdicts under other limits answer another question: no score of theirs
    where coalesce(limit_factor, 1.0) = 1.0

),

aggregated as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        request_digest,
        task_id,
        origin,
        grader_id,
        min(source) as source,
        min(trust_tier) as trust_tier,
        {%- for kind in var('verdict_kinds') %}
            {%- set base = part_verdict(kind, 'base') %}
            {%- set plus = part_verdict(kind, 'plus') %}
            count(coalesce({{ base }}, {{ plus }})) as {{ kind }}_judged,
            count({{ base }}) as {{ kind }}_base_judged,
            count(*) filter (where {{ base }} = 'pass')
                as {{ kind }}_base_passed,
            count(*) filter (
                where {{ base }} is not null and {{ plus }} is not null
            )
                as {{ kind }}_plus_judged,
            count(*) filter (where {{ base }} = 'pass' and {{ plus }} = 'pass')
                as {{ kind }}_plus_passed,
            count(*) filter (where {{ part_reason(kind, 'base') }} = 'empty')
                as {{ kind }}_empty,
        {%- endfor %}
        count(*) filter (where is_unsafe) as num_unsafe,
        count(*) as num_results
    from judged
    group by all

)

select * from aggregated
