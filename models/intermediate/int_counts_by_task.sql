-- One row per problem and grader: a grader is answerable for every task of its
-- request that was sampled. Verdicts of samples that the lake does not hold
-- are an error that a data test names; they make no problem.
{%- set counts = [] %}
{%- for kind in var('verdict_kinds') %}
    {%- for count in [
        'base_judged', 'base_passed', 'plus_judged', 'plus_passed', 'empty',
    ] %}
        {%- do counts.append(kind ~ '_' ~ count) %}
    {%- endfor %}
{%- endfor %}
with graders as (

    select
        request_key,
        grader_key
    from {{ ref('int_graders_summarized') }}

),

samples as (

    select * from {{ ref('int_samples_by_task') }}

),

results as (

    select * from {{ ref('int_results_by_task') }}

),

asked as (

    select
        graders.grader_key,
        samples.task_id,
        samples.num_present
    from samples
    inner join graders using (request_key)

),

counted as (

    select
        asked.grader_key,
        asked.task_id,
        asked.num_present,
        {%- for count in counts %}
            coalesce(results.{{ count }}, 0) as {{ count }},
        {%- endfor %}
        coalesce(results.num_unsafe, 0) as num_unsafe
    from asked
    left join results
        on
            asked.grader_key = results.grader_key
            and asked.task_id = results.task_id

)

select * from counted
