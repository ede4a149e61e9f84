{{ config(
    materialized='view' if target.type == 'duckdb' else 'table'
) }}

-- A view over the lake: nothing is copied, and it reads only while the lake
-- stays where it was when the marts were built.
with samples as (

    select * from {{ ref('stg_lake__samples') }}

),

results as (

    select * from {{ ref('stg_lake__results') }}

),

tasks as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

judged as (

    select
        samples.sample_id,
        samples.model,
        samples.benchmark,
        samples.scenario,
        samples.task_id,
        samples.sample_index,
        samples.dataset_version,
        samples.comparability_digest,
        samples.request_digest,
        samples.protocol,
        samples.temperature,
        samples.num_planned,
        {{ all_but([
            'sample_id', 'model', 'benchmark', 'scenario', 'task_id',
            'sample_index', 'dataset_version', 'comparability_digest',
            'request_digest', 'source', 'licence', 'shard_id'
        ], 'results') }},
        coalesce(results.source, samples.source) as source
    from samples
    inner join results
        on samples.sample_id = results.sample_id

),

spread_over_test_sets as (

    select
        judged.*,
        tasks.test_set,
        tasks.test_set = 'plus' and tasks.has_plus as needs_plus
    from judged
    inner join tasks
        on
            judged.benchmark = tasks.benchmark
            and judged.dataset_version = tasks.dataset_version
            and judged.scenario = tasks.scenario
            and judged.task_id = tasks.task_id

),

spread_over_verdicts as (

    {%- for kind in var('verdict_kinds') %}
        select
            *,
            '{{ kind }}' as verdict,
            {{ part_verdict(kind, 'base') }} as base_verdict,
            {{ part_reason(kind, 'base') }} as base_reason,
            {{ part_verdict(kind, 'plus') }} as plus_verdict,
            {{ part_reason(kind, 'plus') }} as plus_reason
        from spread_over_test_sets
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

judged_by_kind as (

    select
        sample_id,
        grader_id,
        task_digest,
        program_id,
        corrected_program_id,
        model,
        benchmark,
        scenario,
        test_set,
        verdict,
        task_id,
        sample_index::integer as sample_index,
        case
            when needs_plus then base_verdict = 'pass' and plus_verdict = 'pass'
            else base_verdict = 'pass'
        end as is_passed,
        base_verdict,
        base_reason,
        plus_verdict,
        plus_reason,
        origin,
        trust_tier,
        source,
        sandbox_mode,
        is_unsafe,
        coalesce(limit_factor, 1.0)::double as limit_factor,
        dataset_version,
        comparability_digest,
        request_digest,
        protocol,
        temperature,
        num_planned::integer as num_planned
    from spread_over_verdicts
    where
        base_verdict is not null
        and (not needs_plus or plus_verdict is not null)

)

select * from judged_by_kind
