-- Samples of ours whose three verdicts are not one: what moved it, the
-- extraction, the oracle, or both.
with results as (

    select * from {{ ref('stg_lake__results') }}

),

-- few rows: what agrees on both parts is gone before the parts are spread
graded_here as (

    select *
    from results
    where
        origin = 'self'
        and not is_unsafe
        and coalesce(limit_factor, 1.0) = 1.0
        and (
            {%- for part in ['base', 'plus'] %}
                {{ part_verdict('official', part) }}
                <> {{ part_verdict('strict', part) }}
                or {{ part_verdict('official', part) }}
                <> {{ part_verdict('corrected_extraction', part) }}
                {% if not loop.last %}or{% endif %}
            {%- endfor %}
        )

),

spread_over_parts as (

    {%- for part in ['base', 'plus'] %}
        select
            model,
            benchmark,
            scenario,
            comparability_digest,
            task_id,
            sample_index,
            sample_id,
            grader_id,
            program_id,
            corrected_program_id,
            {%- for kind in var('verdict_kinds') %}
                {{ part_verdict(kind, part) }} as {{ kind }}_verdict,
                {{ part_reason(kind, part) }} as {{ kind }}_reason,
                {{ part_first_failing_case(kind, part) }}
                    as {{ kind }}_first_failing_case,
            {%- endfor %}
            '{{ part }}' as part
        from graded_here
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

disagreeing as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        part,
        case
            when corrected_extraction_verdict = strict_verdict
                then 'extraction'
            when corrected_extraction_verdict = official_verdict
                then 'oracle'
            else 'both'
        end as axis,
        task_id,
        sample_index::integer as sample_index,
        sample_id,
        grader_id,
        program_id,
        corrected_program_id,
        {%- for kind in var('verdict_kinds') %}
            {{ kind }}_verdict,
            {{ kind }}_reason,
            {{ kind }}_first_failing_case::integer
                as {{ kind }}_first_failing_case
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from spread_over_parts
    where
        official_verdict <> strict_verdict
        or official_verdict <> corrected_extraction_verdict

)

select * from disagreeing
order by
    model, benchmark, scenario, comparability_digest, part, task_id,
    sample_index, sample_id, grader_id
