-- Verdicts of every problem of a grader, counted before they are spread over
-- test sets and verdict kinds: one hash aggregate with keys of a few bytes. A
-- case and no filter: a filtered aggregate copies what it reads.
with results as (

    select * from {{ ref('stg_lake__results') }}

),

judged as (

    select
        {{ row_key(grader_key()) }} as grader_key,
        task_id,
        {%- for kind in var('verdict_kinds') %}
            {%- for part in ['base', 'plus'] %}
                {{ part_verdict(kind, part) }} as {{ kind }}_{{ part }},
            {%- endfor %}
            {{ part_reason(kind, 'base') }} as {{ kind }}_reason,
        {%- endfor %}
        is_unsafe,
        {{ sample_bit() }} as sample_bit
    from results
    -- verdicts under other limits answer another question: no score of theirs
    where coalesce(limit_factor, 1.0) = 1.0

),

aggregated as (

    select
        grader_key,
        task_id,
        {%- for kind in var('verdict_kinds') %}
            {%- set base = kind ~ '_base' %}
            {%- set plus = kind ~ '_plus' %}
            count({{ base }}) as {{ kind }}_base_judged,
            count(case when {{ base }} = 'pass' then true end)
                as {{ kind }}_base_passed,
            count(
                case
                    when {{ base }} is not null and {{ plus }} is not null
                        then true
                end
            ) as {{ kind }}_plus_judged,
            count(
                case
                    when {{ base }} = 'pass' and {{ plus }} = 'pass' then true
                end
            ) as {{ kind }}_plus_passed,
            count(case when {{ kind }}_reason = 'empty' then true end)
                as {{ kind }}_empty,
        {%- endfor %}
        count(case when is_unsafe then true end) as num_unsafe,
        count(*) as num_results,
        bit_or(sample_bit) as result_bits
    from judged
    group by grader_key, task_id

)

select * from aggregated
