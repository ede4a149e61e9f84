-- Offenders: pairs that stand twice (also with the two models exchanged) or
-- that a board of ranked models lacks. Large boards tell families only.
with comparisons as (

    select * from {{ ref('fct_model_comparisons') }}

),

ranks as (

    select * from {{ ref('fct_rank_intervals') }}

),

expected as (

    select
        {{ board_key() | join(',\n        ') }},
        case
            when count(*) <= 200
                then count(*) * (count(*) - 1) / 2
        end as num_expected
    from ranks
    group by {{ board_key() | join(', ') }}

),

in_name_order as (

    select
        {{ board_key() | join(',\n        ') }},
        least(model, other_model) || ' ' || greatest(model, other_model)
            as pair
    from comparisons

),

found as (

    select
        {{ board_key() | join(',\n        ') }},
        count(*) as num_found,
        count(distinct pair) as num_distinct
    from in_name_order
    group by {{ board_key() | join(', ') }}

),

offenders as (

    select
        expected.*,
        found.num_found,
        found.num_distinct
    from expected
    left join found
        on {{ same_board('expected', 'found') }}
    where
        coalesce(found.num_found, 0) <> expected.num_expected
        or found.num_distinct <> found.num_found

)

select * from offenders
