-- Numbers that a headline may show, in the order of headline_rule. Cells that
-- the rule cannot tell apart share their preference.
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

candidates as (

    select
        *,
        coalesce(temperature, 1e9) as temperature_known,
        case protocol
            when 'official' then 0
            when 'direct' then 0
            when 'recorded' then 1
            when 'corrected' then 2
            when 'card' then 3
            else 4
        end as protocol_rank,
        -- by number: v0.1.10 is newer than v0.1.9
        {{ map_items(
            "regexp_extract_all(dataset_version, '[0-9]+', 0)",
            'try_cast(item as bigint)'
        ) }} as version_numbers
    from leaderboard
    where
        verdict = 'official'
        and metric = 'pass@1'
        and scope = 'all'
        and is_headline_test_set

),

ranked as (

    select
        *,
        rank() over (
            partition by model, benchmark, scenario
            order by
                origin = 'self' desc,
                temperature_known > 0 asc,
                temperature_known asc,
                protocol_rank asc,
                version_numbers desc nulls last,
                num_planned desc
        ) as preference,
        count(*) over (partition by model, benchmark, scenario)
            as num_candidates
    from candidates

),

with_ties as (

    select
        {{ all_but([
            'temperature_known', 'protocol_rank', 'version_numbers'
        ]) }},
        count(*) over (partition by model, benchmark, scenario, preference)
            as num_tied
    from ranked

)

select * from with_ties
