-- Passes of ours that another time limit might change, with the shares of their
-- limits. Every other pass took less, and is only counted: a join of all
-- results with all timings would cost more than all other marts together.
with graders as (

    select * from {{ ref('int_graders_timed') }}

),

asked as (

    select * from {{ ref('int_samples_near_limits') }}

),

passes as (

    select *
    from {{ ref('stg_lake__results') }}
    where {{ is_pass_of_ours() }}

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
