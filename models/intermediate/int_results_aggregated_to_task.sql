-- Verdicts are counted before they are spread over test sets and verdict
-- kinds: one hash aggregate over the rows, everything after it is per task.
with samples as (

    select
        sample_id,
        comparability_digest,
        request_digest
    from {{ ref('stg_lake__samples') }}

),

results as (

    select * from {{ ref('stg_lake__results') }}

),

judged as (

    select
        results.*,
        samples.comparability_digest,
        samples.request_digest
    from results
    inner join samples
        on results.sample_id = samples.sample_id

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
            count({{ base }}) as {{ kind }}_base_judged,
            count_if({{ base }} = 'pass') as {{ kind }}_base_passed,
            count_if({{ base }} is not null and {{ plus }} is not null)
                as {{ kind }}_plus_judged,
            count_if({{ base }} = 'pass' and {{ plus }} = 'pass')
                as {{ kind }}_plus_passed,
        {%- endfor %}
        count_if(official_base_reason = 'empty') as num_empty,
        count_if(is_unsafe) as num_unsafe,
        count(*) as num_results
    from judged
    group by all

)

select * from aggregated
