-- Verdicts of ours that were graded under other limits, beside those of the
-- same sample under the official ones. Each CTE reads the lake for itself: one
-- that two others read would hold every result in memory, to find few.
{%- set kinds = var('verdict_kinds') %}
with others as (

    select *
    from {{ ref('stg_lake__results') }}
    where limit_factor <> 1.0 and origin = 'self' and not is_unsafe

),

official_limits as (

    select
        sample_id,
        {%- for kind in kinds %}
            {%- for part in ['base', 'plus'] %}
                {{ part_verdict(kind, part) }} as {{ kind }}_{{ part }}_at_one,
            {%- endfor %}
        {%- endfor %}
        grader_id
    from {{ ref('stg_lake__results') }}
    semi join others using (sample_id)
    where
        coalesce(limit_factor, 1.0) = 1.0
        and origin = 'self'
        and not is_unsafe
    -- several graders: one of them, whatever the order of rows
    qualify row_number() over (partition by sample_id order by grader_id) = 1

),

joined as (

    select
        others.model,
        others.benchmark,
        others.scenario,
        others.dataset_version,
        others.comparability_digest,
        others.task_id,
        others.grader_id,
        others.limit_factor,
        {%- for kind in kinds %}
            {%- for part in ['base', 'plus'] %}
                {{ part_verdict(kind, part) }} as {{ kind }}_{{ part }},
                official_limits.{{ kind }}_{{ part }}_at_one,
            {%- endfor %}
        {%- endfor %}
        others.sample_id
    from others
    left join official_limits using (sample_id)

)

select * from joined
