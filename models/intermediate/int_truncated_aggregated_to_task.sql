-- Verdicts of the answers that were cut short, counted as
-- int_results_by_task counts those of all answers.
with truncated as (

    select * from {{ ref('int_samples_truncated') }}

),

results as (

    select * from {{ ref('stg_lake__results') }}

),

judged as (

    select *
    from results
    semi join truncated using (sample_id)
    where coalesce(limit_factor, 1.0) = 1.0

),

aggregated as (

    select
        {{ row_key(grader_key()) }} as grader_key,
        task_id,
        {%- for kind in var('verdict_kinds') %}
            {%- set base = part_verdict(kind, 'base') %}
            {%- set plus = part_verdict(kind, 'plus') %}
            count({{ base }}) as {{ kind }}_base_judged,
            count(*) filter (where {{ base }} = 'pass')
                as {{ kind }}_base_passed,
            count(*) filter (
                where {{ base }} is not null and {{ plus }} is not null
            )
                as {{ kind }}_plus_judged,
            count(*) filter (where {{ base }} = 'pass' and {{ plus }} = 'pass')
                as {{ kind }}_plus_passed,
        {%- endfor %}
        count(*) as num_results
    from judged
    group by all

)

select * from aggregated
