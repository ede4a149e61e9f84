-- Who judged which request. Text keys are computed to numbers here; everything
-- after it groups and joins by the numbers.
with judged as (

    select *
    from {{ ref('stg_lake__results') }}
    -- verdicts under other limits answer another question: no score of theirs
    where coalesce(limit_factor, 1.0) = 1.0

),

aggregated as (

    select
        {{ grader_key() | join(', ') }},
        min(source) as source,
        min(trust_tier) as trust_tier,
        {%- for kind in var('verdict_kinds') %}
            count({{ part_verdict(kind, 'base') }})
            + count({{ part_verdict(kind, 'plus') }}) > 0 as has_{{ kind }},
        {%- endfor %}
        count(*) as num_results
    from judged
    group by {{ grader_key() | join(', ') }}

),

with_keys as (

    select
        *,
        {{ row_key(request_key()) }} as request_key,
        {{ row_key(grader_key()) }} as grader_key
    from aggregated

)

select * from with_keys
