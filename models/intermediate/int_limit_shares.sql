-- Programs whose verdict was looked up: the largest share of its official
-- limits that an equal program took where it was run. Each CTE reads the lake
-- for itself: one that two others read would be held in memory as a whole.
with asked as (

    select * from {{ ref('int_results_timed') }}

),

timings as (

    select * from {{ ref('stg_lake__timings') }}

),

programs as (

    select
        task_digest,
        grader_id,
        program_id
    from asked
    where
        base_limit_share is null
        or (plus_limit_share is null and official_plus is not null)
    union
    select
        task_digest,
        grader_id,
        corrected_program_id as program_id
    from asked
    where
        corrected_base_limit_share is null
        or (corrected_plus_limit_share is null and strict_plus is not null)

),

rows_with_program as (

    select
        sample_id,
        grader_id,
        task_digest,
        program_id,
        false as is_corrected
    from {{ ref('stg_lake__results') }}
    semi join programs using (task_digest, grader_id, program_id)
    union all
    select
        results.sample_id,
        results.grader_id,
        results.task_digest,
        results.corrected_program_id as program_id,
        true as is_corrected
    from {{ ref('stg_lake__results') }} as results
    semi join programs
        on
            results.task_digest = programs.task_digest
            and results.grader_id = programs.grader_id
            and results.corrected_program_id = programs.program_id
    where results.corrected_program_id <> results.program_id

),

timed as (

    select
        rows_with_program.task_digest,
        rows_with_program.grader_id,
        rows_with_program.program_id,
        case
            when is_corrected then timings.corrected_base_limit_share
            else timings.base_limit_share
        end as base_limit_share,
        case
            when is_corrected then timings.corrected_plus_limit_share
            else timings.plus_limit_share
        end as plus_limit_share
    from timings
    inner join rows_with_program
        on
            timings.sample_id = rows_with_program.sample_id
            and timings.grader_id = rows_with_program.grader_id

),

aggregated as (

    select
        task_digest,
        grader_id,
        program_id,
        max(base_limit_share) as base_limit_share,
        max(plus_limit_share) as plus_limit_share
    from timed
    where base_limit_share is not null or plus_limit_share is not null
    group by task_digest, grader_id, program_id

)

select * from aggregated
