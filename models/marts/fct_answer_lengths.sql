-- How long answers are and how they ended: what a limit, a budget and a time
-- for a job are chosen by.
{%- set key = request_key() | join(', ') %}
with requests as (

    select * from {{ ref('int_requests_summarized') }}

),

lengths as (

    select * from {{ ref('int_answer_lengths') }}

),

completions as (

    select *
    from lengths
    where measure = 'completion'

),

thoughts as (

    select *
    from lengths
    where measure = 'thinking'

),

joined as (

    select
        requests.model,
        requests.benchmark,
        requests.scenario,
        requests.comparability_digest,
        requests.request_digest,
        requests.protocol,
        requests.thinking,
        requests.effort,
        requests.thinking_budget,
        requests.max_tokens,
        requests.num_samples,
        requests.num_counted,
        completions.p50 as completion_tokens_p50,
        completions.p90 as completion_tokens_p90,
        completions.p99 as completion_tokens_p99,
        completions.longest as completion_tokens_longest,
        thoughts.p50 as thinking_tokens_p50,
        thoughts.p90 as thinking_tokens_p90,
        thoughts.p99 as thinking_tokens_p99,
        thoughts.longest as thinking_tokens_longest,
        requests.num_truncated,
        requests.num_cut_by_limit,
        requests.num_cut_by_window,
        requests.num_stopped_in_thinking,
        requests.num_thinking_open,
        requests.num_thinking_forced,
        requests.num_fences_only_in_thinking,
        requests.num_truncated::double / requests.num_endings_known::double
            as share_truncated
    from requests
    left join completions using ({{ key }})
    left join thoughts using ({{ key }})
    where requests.num_endings_known > 0

)

select * from joined
order by {{ key }}
