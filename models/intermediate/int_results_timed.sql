-- Passes of ours that another time limit might change: the program took more
-- than the least share that is asked about, or its share does not stand in its
-- own row. Every other pass took less, and is only counted: a join of all
-- results with all timings would cost more than all other marts together. Each
-- CTE reads the lake for itself: one that two others read would be held in
-- memory as a whole.
{%- set least = var('limit_factors') | min %}
{%- set parts = [
    'base_limit_share', 'plus_limit_share', 'corrected_base_limit_share',
    'corrected_plus_limit_share',
] %}
{%- set is_pass_of_ours = "origin = 'self' and not is_unsafe
        and coalesce(limit_factor, 1.0) = 1.0
        and 'pass' in (" ~ [
            part_verdict('official', 'base'),
            part_verdict('strict', 'base'),
            part_verdict('corrected_extraction', 'base'),
        ] | join(', ') ~ ")" %}
with graders as (

    select * from {{ ref('int_graders_timed') }}

),

tasks as (

    select * from {{ ref('int_tasks_deduplicated') }}

),

passes as (

    select *
    from {{ ref('stg_lake__results') }}
    where {{ is_pass_of_ours }}

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
    where corrected_program_id <> program_id and {{ is_pass_of_ours }}

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
    where {{ is_pass_of_ours }}

),

asked as (

    select * from slow_or_unmeasured
    union all
    select * from with_two_programs
    union all
    select * from without_timing

),

graders_timed as (

    select *
    from graders
    where num_timings > 0

),

timings_asked as (

    select *
    from {{ ref('stg_lake__timings') }}
    semi join asked using (sample_id)

),

timed as (

    select
        passes.model,
        passes.benchmark,
        passes.scenario,
        passes.dataset_version,
        passes.comparability_digest,
        passes.task_id,
        passes.task_digest,
        passes.grader_id,
        passes.program_id,
        passes.corrected_program_id,
        {%- for kind in var('verdict_kinds') %}
            {%- for part in ['base', 'plus'] %}
                {{ part_verdict(kind, part) }} as {{ kind }}_{{ part }},
            {%- endfor %}
        {%- endfor %}
        timings_asked.base_limit_share,
        timings_asked.plus_limit_share,
        case
            when passes.corrected_program_id = passes.program_id
                then timings_asked.base_limit_share
            else timings_asked.corrected_base_limit_share
        end as corrected_base_limit_share,
        case
            when passes.corrected_program_id = passes.program_id
                then timings_asked.plus_limit_share
            else timings_asked.corrected_plus_limit_share
        end as corrected_plus_limit_share
    from passes
    semi join graders_timed
        on
            passes.benchmark = graders_timed.benchmark
            and passes.model = graders_timed.model
            and passes.grader_id = graders_timed.grader_id
    semi join asked
        on passes.sample_id = asked.sample_id
    left join timings_asked
        on
            passes.sample_id = timings_asked.sample_id
            and passes.grader_id = timings_asked.grader_id

)

select * from timed
