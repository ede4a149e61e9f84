with declared as (

    select * from {{ ref('stg_seeds__models') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_unioned') }}

),

seen as (

    select
        model,
        min(parent_model) as parent_model,
        max(training_step) as training_step,
        count(distinct benchmark)::integer as num_benchmarks,
        sum(num_samples)::bigint as num_samples
    from requests
    group by model

),

joined as (

    select
        model,
        declared.hub_id,
        declared.model_revision,
        declared.family,
        declared.licence,
        declared.hub_license,
        declared.templating_mode,
        declared.reasoning,
        declared.quantization,
        declared.tier,
        declared.reason,
        seen.parent_model,
        seen.training_step,
        declared.context_length,
        declared.tensor_parallel_size,
        declared.price_per_million_prompt_tokens,
        declared.price_per_million_completion_tokens,
        coalesce(seen.num_benchmarks, 0)::integer as num_benchmarks,
        coalesce(seen.num_samples, 0)::bigint as num_samples,
        declared.is_osi_approved,
        coalesce(declared.is_excluded, false) as is_excluded,
        declared.model is not null as is_declared
    from declared
    full join seen using (model)

),

with_cutoff as (

    select
        joined.*,
        cutoffs.cutoff_date,
        cutoffs.cutoff_kind,
        cutoffs.cutoff_source
    from joined
    left join cutoffs using (model)

)

select * from with_cutoff
order by model
