-- Offenders: ranks outside their own interval or outside the board, and models
-- of the first rank that are not among those that could be first.
with ranks as (

    select * from {{ ref('fct_rank_intervals') }}

),

offenders as (

    select
        {{ board_key() | join(',\n        ') }},
        model,
        rank,
        rank_low,
        rank_high,
        could_be_first,
        num_models
    from ranks
    where
        not rank between rank_low and rank_high
        or rank_low < 1
        or rank_high > num_models
        or (rank = 1 and not could_be_first)

)

select * from offenders
