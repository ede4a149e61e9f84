with source as (

    select * from {{ lake('results') }}

),

renamed as (

    select
        ---------- ids
        benchmark,
        model,
        scenario,
        task_id,
        sample_id,
        request_digest,
        comparability_digest,
        grader_id,
        task_digest,
        program_id,
        corrected_program_id,
        shard_id,
        ---------- strings
        dataset_version,
        official_base_verdict,
        official_base_reason,
        official_plus_verdict,
        official_plus_reason,
        strict_base_verdict,
        strict_base_reason,
        strict_plus_verdict,
        strict_plus_reason,
        corrected_extraction_base_verdict,
        corrected_extraction_base_reason,
        corrected_extraction_plus_verdict,
        corrected_extraction_plus_reason,
        origin,
        trust_tier,
        source,
        licence,
        sandbox_mode,
        sandbox_layers,
        ---------- numerics
        sample_index,
        limit_factor,
        official_base_first_failing_case,
        official_base_num_run,
        official_base_num_passed,
        official_plus_first_failing_case,
        official_plus_num_run,
        official_plus_num_passed,
        strict_base_first_failing_case,
        strict_base_num_run,
        strict_base_num_passed,
        strict_plus_first_failing_case,
        strict_plus_num_run,
        strict_plus_num_passed,
        corrected_extraction_base_first_failing_case,
        corrected_extraction_base_num_run,
        corrected_extraction_base_num_passed,
        corrected_extraction_plus_first_failing_case,
        corrected_extraction_plus_num_run,
        corrected_extraction_plus_num_passed,
        ---------- booleans
        is_unsafe
    from source

)

select * from renamed
