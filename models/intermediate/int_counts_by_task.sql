-- Verdicts are counted before they are spread over test sets and verdict
-- kinds: one hash aggregate over the rows of samples and results together,
-- with keys of a few bytes; everything after it is per task. A grader is
-- answerable for every task of its request that was sampled.
with graders as (

    select
        request_key,
        grader_key
    from {{ ref('int_graders_summarized') }}

),

samples as (

    select
        task_id,
        {{ row_key(request_key()) }} as request_key
    from {{ ref('stg_lake__samples') }}

),

judged as (

    select
        *,
        {{ row_key(grader_key()) }} as grader_key
    from {{ ref('stg_lake__results') }}
    -- verdicts under other limits answer another question: no score of theirs
    where coalesce(limit_factor, 1.0) = 1.0

),

unioned as (

    select
        grader_key,
        task_id,
        {%- for kind in var('verdict_kinds') %}
            {%- for part in ['base', 'plus'] %}
                {{ part_verdict(kind, part) }} as {{ kind }}_{{ part }},
            {%- endfor %}
            {{ part_reason(kind, 'base') }} as {{ kind }}_reason,
        {%- endfor %}
        is_unsafe,
        false as is_sample
    from judged
    union all
    select
        graders.grader_key,
        samples.task_id,
        {%- for kind in var('verdict_kinds') %}
            null as {{ kind }}_base,
            null as {{ kind }}_plus,
            null as {{ kind }}_reason,
        {%- endfor %}
        false as is_unsafe,
        true as is_sample
    from samples
    inner join graders using (request_key)

),

aggregated as (

    select
        grader_key,
        task_id,
        count(*) filter (where is_sample) as num_present,
        {%- for kind in var('verdict_kinds') %}
            {%- set base = kind ~ '_base' %}
            {%- set plus = kind ~ '_plus' %}
            count({{ base }}) as {{ kind }}_base_judged,
            count(*) filter (where {{ base }} = 'pass')
                as {{ kind }}_base_passed,
            count(*) filter (
                where {{ base }} is not null and {{ plus }} is not null
            ) as {{ kind }}_plus_judged,
            count(*) filter (where {{ base }} = 'pass' and {{ plus }} = 'pass')
                as {{ kind }}_plus_passed,
            count(*) filter (where {{ kind }}_reason = 'empty')
                as {{ kind }}_empty,
        {%- endfor %}
        count(*) filter (where is_unsafe) as num_unsafe
    from unioned
    group by grader_key, task_id

),

-- verdicts of samples that the lake does not hold are an error that a data
-- test names; they make no problem
sampled as (

    select *
    from aggregated
    where num_present > 0

)

select * from sampled
