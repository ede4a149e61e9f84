with source as (

    select * from {{ ref('models') }}

),

renamed as (

    select
        ---------- ids
        model,
        hub_id,
        revision as model_revision,
        ---------- strings
        family,
        licence,
        hub_license,
        templating_mode,
        reasoning,
        effort,
        strip_rule,
        quantization,
        dtype,
        tier,
        reason,
        source,
        ---------- numerics
        context_length,
        max_model_len,
        thinking_budget,
        tensor_parallel_size,
        price_per_million_prompt_tokens,
        price_per_million_completion_tokens,
        ---------- booleans
        osi_approved as is_osi_approved,
        is_excluded
    from source

)

select * from renamed
