-- The largest share of its official limits that a program took, where it was
-- run; equal programs that were looked up took what this one took.
with results as (

    select * from {{ ref('stg_lake__results') }}

),

timings as (

    select * from {{ ref('stg_lake__timings') }}

),

timed as (

    select
        results.task_digest,
        results.grader_id,
        results.program_id,
        results.corrected_program_id,
        timings.base_limit_share,
        timings.plus_limit_share,
        timings.corrected_base_limit_share,
        timings.corrected_plus_limit_share
    from results
    inner join timings
        on
            results.sample_id = timings.sample_id
            and results.grader_id = timings.grader_id
    where results.task_digest is not null

),

spread_over_programs as (

    select
        task_digest,
        grader_id,
        program_id,
        base_limit_share,
        plus_limit_share
    from timed
    union all
    select
        task_digest,
        grader_id,
        corrected_program_id as program_id,
        corrected_base_limit_share as base_limit_share,
        corrected_plus_limit_share as plus_limit_share
    from timed
    where corrected_program_id <> program_id

),

aggregated as (

    select
        task_digest,
        grader_id,
        program_id,
        max(base_limit_share) as base_limit_share,
        max(plus_limit_share) as plus_limit_share
    from spread_over_programs
    where base_limit_share is not null or plus_limit_share is not null
    group by task_digest, grader_id, program_id

)

select * from aggregated
