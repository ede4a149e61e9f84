-- Offenders: a baseline that no number on the leaderboard is of, a misspelt one
-- most likely: nothing would be compared with it.
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

named as (

    select '{{ var("baseline_model") }}' as model

),

offenders as (

    select *
    from named
    anti join leaderboard using (model)
    where model not in ('', 'None')

)

select * from offenders
