-- n is a property of the request: growing it from 5 to 10 leaves the first
-- five rows as they are, so the largest plan counts. The ledger knows a plan
-- whose first shard broke off before any sample of it reached the lake.
with samples as (

    select * from {{ ref('stg_lake__samples') }}

),

runs as (

    select * from {{ ref('stg_lake__runs') }}

),

attempted as (

    select
        model,
        benchmark,
        scenario,
        request_digest,
        max(num_planned) as num_planned
    from runs
    where request_digest is not null
    group by all

),

-- rows of equal conditions are one row before the least of each is taken
equal_conditions as (

    select
        {{ request_key() | join(', ') }},
        {{ request_fields() | join(', ') }},
        max(num_planned) as num_planned,
        count(*) as num_samples,
        -- what generation cost, and how answers ended, where that is known
        count(completion_tokens) as num_counted,
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        sum(coalesce(reasoning_tokens, reasoning_tokens_server))::bigint
            as reasoning_tokens,
        sum(tokens_discarded)::bigint as tokens_discarded,
        count(*) filter (where cut is not null or finish_reason is not null)
            as num_endings_known,
        count(*) filter (where {{ is_truncated() }}) as num_truncated,
        -- a switch without effect
        count(*) filter (where {{ lacks_thinking() }}) as num_not_thought,
        count(*) filter (where {{ has_unasked_thinking() }})
            as num_thought_unasked,
        count(*) filter (where cut = 'max_tokens') as num_cut_by_limit,
        count(*) filter (where cut = 'window') as num_cut_by_window,
        count(*) filter (where cut = 'stop_in_thinking')
            as num_stopped_in_thinking,
        count(*) filter (where think_state = 'open') as num_thinking_open,
        count(*) filter (where think_state = 'forced') as num_thinking_forced,
        count(*) filter (
            where array_contains(answer_flags, 'fence_only_in_thinking')
        ) as num_fences_only_in_thinking
    from samples
    group by
        {{ request_key() | join(', ') }},
        {{ request_fields() | join(', ') }}

),

summarized as (

    select
        {{ request_key() | join(', ') }},
        max(num_planned) as num_planned,
        {%- for field in request_fields() %}
            min({{ field }}) as {{ field }},
        {%- endfor %}
        {#- its digest says that they are equal: rows may say otherwise #}
        {{ differing_fields(
            request_fields() | reject('in', ['dataset_version',
            'dataset_digest'])
        ) }} as fields_differing_within,
        count(distinct dataset_version) as num_dataset_versions,
        count(distinct dataset_digest) as num_dataset_digests,
        coalesce(
            sum(case when dataset_digest is null then num_samples end), 0
        )::bigint as num_unpinned,
        sum(num_samples)::bigint as num_samples,
        sum(num_counted)::bigint as num_counted,
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        sum(reasoning_tokens)::bigint as reasoning_tokens,
        sum(tokens_discarded)::bigint as tokens_discarded,
        sum(num_endings_known)::bigint as num_endings_known,
        sum(num_truncated)::bigint as num_truncated,
        sum(num_not_thought)::bigint as num_not_thought,
        sum(num_thought_unasked)::bigint as num_thought_unasked,
        sum(num_cut_by_limit)::bigint as num_cut_by_limit,
        sum(num_cut_by_window)::bigint as num_cut_by_window,
        sum(num_stopped_in_thinking)::bigint as num_stopped_in_thinking,
        sum(num_thinking_open)::bigint as num_thinking_open,
        sum(num_thinking_forced)::bigint as num_thinking_forced,
        sum(num_fences_only_in_thinking)::bigint as num_fences_only_in_thinking
    from equal_conditions
    group by {{ request_key() | join(', ') }}

),

-- greatest() passes over NULL: most requests of a lake were not attempted
planned as (

    select
        {{ all_but(['num_planned'], 'summarized') }},
        greatest(summarized.num_planned, attempted.num_planned)
            as num_planned
    from summarized
    left join attempted
        on
            summarized.model = attempted.model
            and summarized.benchmark = attempted.benchmark
            and summarized.scenario = attempted.scenario
            and summarized.request_digest = attempted.request_digest

)

select * from planned
