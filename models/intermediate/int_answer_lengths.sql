-- Quantiles are values that were seen: the least length that so many percent
-- of the samples do not exceed. Counted per length, in integers, so that no
-- order of rows or engine moves them. The lake is read twice: a CTE that two
-- others read would be held in memory as a whole.
with requests as (

    select
        {{ request_key() | join(', ') }},
        {{ row_key(request_key()) }} as request_number
    from {{ ref('int_requests_summarized') }}

),

counted as (

    select
        {{ row_key(request_key()) }} as request_number,
        'completion' as measure,
        completion_tokens as num_tokens,
        count(*) as num_samples
    from {{ ref('stg_lake__samples') }}
    where completion_tokens is not null
    group by all
    union all
    select
        {{ row_key(request_key()) }} as request_number,
        'thinking' as measure,
        coalesce(reasoning_tokens, reasoning_tokens_server) as num_tokens,
        count(*) as num_samples
    from {{ ref('stg_lake__samples') }}
    where
        reasoning_tokens is not null or reasoning_tokens_server is not null
    group by all

),

cumulated as (

    select
        *,
        sum(num_samples) over (
            partition by request_number, measure
            order by num_tokens
            rows between unbounded preceding and current row
        ) as num_up_to,
        sum(num_samples) over (partition by request_number, measure)
            as num_known
    from counted

),

quantiles as (

    select
        request_number,
        measure,
        max(num_known)::bigint as num_known,
        {%- for percent in [50, 90, 99] %}
            min(
                case
                    when num_up_to * 100 >= num_known * {{ percent }}
                        then num_tokens
                end
            ) as p{{ percent }},
        {%- endfor %}
        max(num_tokens) as longest
    from cumulated
    group by request_number, measure

),

named as (

    select
        {%- for column in request_key() %}
            requests.{{ column }},
        {%- endfor %}
        {{ all_but(['request_number'], 'quantiles') }}
    from quantiles
    inner join requests
        on quantiles.request_number = requests.request_number

)

select * from named
