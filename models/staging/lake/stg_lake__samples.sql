with source as (

    select * from {{ lake('samples') }}

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
        dataset_digest,
        shard_id,
        prompt_digest,
        prompt_ids_digest,
        token_ids_digest,
        weights_digest,
        image_digest,
        ---------- strings
        dataset_version,
        source,
        text_form,
        text_encoding,
        raw_text,
        reasoning,
        answer,
        reasoning_source,
        think_state,
        strip_rule,
        answer_flags,
        cut,
        finish_reason,
        stop_reason,
        stop,
        stop_acts,
        protocol,
        templating_mode,
        effort,
        thinking_budget_end,
        chat_template_sha,
        model_revision,
        parent_model,
        quantization,
        dtype,
        engine,
        engine_version,
        gpu,
        ---------- numerics
        sample_index,
        num_planned,
        prompt_tokens,
        completion_tokens,
        reasoning_tokens,
        reasoning_tokens_server,
        num_close_tags,
        max_tokens_sent,
        max_tokens_effective,
        temperature,
        top_p,
        top_k,
        min_p,
        presence_penalty,
        frequency_penalty,
        repetition_penalty,
        max_tokens,
        seed,
        thinking_budget,
        training_step,
        attempts,
        tokens_discarded,
        resumed_at,
        latency_seconds,
        first_token_seconds,
        longest_gap_seconds,
        cost,
        ---------- booleans
        thinking,
        prompt_opens_thinking,
        ---------- times
        created_at
    from source

)

select * from renamed
