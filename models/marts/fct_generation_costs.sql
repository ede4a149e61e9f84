-- What the samples of a model on a benchmark cell took, and per point of the
-- score: sums of whole numbers (GPU time in microseconds), one division each.
{%- set cell = ['model', 'benchmark', 'scenario', 'comparability_digest']
    | join(', ') %}
{%- set prices = gpu_hour_prices() %}
with requests as (

    select * from {{ ref('int_requests_summarized') }}

),

runs as (

    select * from {{ ref('stg_lake__runs') }}

),

leaderboard as (

    select * from {{ ref('leaderboard') }}

),

attempts as (

    select
        model,
        benchmark,
        scenario,
        request_digest,
        round(gpu_seconds * 1e6)::bigint as gpu_microseconds,
        case
            when gpu_seconds = 0 then 0
            {%- for gpu, price in prices.items() %}
                when gpu = '{{ gpu | replace("'", "''") }}'
                    then {{ (price * 1000000) | round | int }}
            {%- endfor %}
        end::bigint as microprice
    from runs
    where stage = 'generate' and request_digest is not null

),

-- an attempt that nobody measured, or a GPU without a price, leaves the whole
-- sum without a value
attempts_summarized as (

    select
        model,
        benchmark,
        scenario,
        request_digest,
        count(*)::bigint as num_attempts,
        case
            when count(gpu_microseconds) = count(*)
                then sum(gpu_microseconds)::bigint
        end as gpu_microseconds,
        case
            when
                count(gpu_microseconds) = count(*)
                and count(microprice) = count(*)
                then
                    sum(gpu_microseconds::{{ wide_integer() }} * microprice)
        end as price_numerator
    from attempts
    group by model, benchmark, scenario, request_digest

),

costs as (

    select
        {{ cell }},
        sum(requests.num_samples)::bigint as num_samples,
        sum(requests.num_counted)::bigint as num_samples_counted,
        sum(requests.prompt_tokens)::bigint as prompt_tokens,
        sum(requests.completion_tokens)::bigint as completion_tokens,
        sum(requests.reasoning_tokens)::bigint as reasoning_tokens,
        sum(requests.tokens_discarded)::bigint as tokens_discarded,
        coalesce(sum(attempts_summarized.num_attempts), 0)::bigint
            as num_attempts,
        case
            when
                count(attempts_summarized.gpu_microseconds)
                = count(attempts_summarized.num_attempts)
                then sum(attempts_summarized.gpu_microseconds)::bigint
        end as gpu_microseconds,
        case
            when
                count(attempts_summarized.price_numerator)
                = count(attempts_summarized.num_attempts)
                then sum(attempts_summarized.price_numerator)
        end as price_numerator
    from requests
    left join attempts_summarized
        using (model, benchmark, scenario, request_digest)
    group by {{ cell }}

),

-- the number the cell is quoted with; our own verdicts before others'
scores as (

    select
        {{ cell }},
        test_set,
        score_numerator::{{ wide_integer() }} as score_numerator,
        score_denominator::{{ wide_integer() }} as score_denominator,
        score
    from leaderboard
    where
        metric = 'pass@1'
        and verdict = 'official'
        and scope = 'all'
        and is_headline_test_set
    qualify row_number() over (
        partition by {{ cell }}
        order by origin desc, test_set asc
    ) = 1

),

token_prices as (

    select
        model,
        price_per_million_prompt_tokens,
        price_per_million_completion_tokens
    from {{ ref('stg_seeds__models') }}

),

per_point as (

    select
        {{ cell }},
        scores.test_set,
        costs.num_samples,
        costs.num_samples_counted,
        costs.prompt_tokens,
        costs.completion_tokens,
        costs.reasoning_tokens,
        costs.tokens_discarded,
        costs.num_attempts,
        costs.gpu_microseconds::double / 1e6 as gpu_seconds,
        {%- if prices %}
            -- microseconds times microprices of an hour
            costs.price_numerator::double / 3.6e15 as price,
        {%- else %}
            null::double as price,
        {%- endif %}
        case
            when costs.num_samples_counted = costs.num_samples
                then
                    (
                        costs.prompt_tokens
                        * token_prices.price_per_million_prompt_tokens
                        + costs.completion_tokens
                        * token_prices.price_per_million_completion_tokens
                    )
                    / 1e6
        end as token_price,
        scores.score,
        case
            when
                scores.score_numerator > 0
                and costs.num_samples_counted = costs.num_samples
                then
                    (costs.completion_tokens * scores.score_denominator)
                    ::double
                    / (100 * scores.score_numerator)::double
        end as completion_tokens_per_point,
        case
            when scores.score_numerator > 0
                then
                    (costs.gpu_microseconds * scores.score_denominator)
                    ::double
                    / (100000000 * scores.score_numerator)::double
        end as gpu_seconds_per_point
    from costs
    left join scores using ({{ cell }})
    left join token_prices using (model)
    where costs.num_samples_counted > 0 or costs.num_attempts > 0

)

select * from per_point
order by {{ cell }}
