-- Samples of ours whose passes another time limit might change: the program
-- took more than the least share that is asked about, or its share does not
-- stand in its own row. Every other pass took less, and is only counted. A
-- table, so that an engine knows how few they are before it reads all results
-- beside them. Each CTE reads the lake for itself: one that two others read
-- would be held in memory as a whole. A sample may stand here twice.
{%- set least = var('limit_factors') | min %}
{%- set parts = [
    'base_limit_share', 'plus_limit_share', 'corrected_base_limit_share',
    'corrected_plus_limit_share',
] %}
with graders as (

    select * from {{ ref('int_graders_timed') }}

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

benchmarks_with_plus as (

    select distinct benchmark
    from tasks
    where has_plus

),

slow_or_unmeasured as (

    select sample_id
    from {{ ref('stg_lake__timings') }}
    where
        {%- for part in parts %}
            {{ part }} > {{ least }} or
        {%- endfor %}
        base_limit_share is null
        or (
            plus_limit_share is null
            and benchmark in (select benchmark from benchmarks_with_plus)
        )

),

-- a corrected program that was not run for this sample has no share in its row
with_two_programs as (

    select sample_id
    from {{ ref('stg_lake__results') }}
    where corrected_program_id <> program_id and {{ is_pass_of_ours() }}

),

graders_timed_in_part as (

    select *
    from graders
    where num_timings > 0 and num_timings < num_results

),

timings_in_part as (

    select
        sample_id,
        grader_id
    from {{ ref('stg_lake__timings') }}
    semi join graders_timed_in_part
        using (benchmark, model, grader_id)

),

without_timing as (

    select sample_id
    from {{ ref('stg_lake__results') }}
    semi join graders_timed_in_part
        using (benchmark, model, grader_id)
    anti join timings_in_part using (sample_id, grader_id)
    where {{ is_pass_of_ours() }}

),

asked as (

    select * from slow_or_unmeasured
    union all
    select * from with_two_programs
    union all
    select * from without_timing

)

select * from asked
