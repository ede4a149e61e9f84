-- Ranks that hold all at once, from one constant per board.
with boards as (

    select * from {{ ref('int_boards_compared') }}

),

leaderboard as (

    select * from {{ ref('leaderboard') }}

),

ranked as (

    select
        {{ board_key() | join(',\n        ') }},
        num_models,
        num_problems,
        found.tukey_constant,
        {{ each_of('found.ranks') }} as standing
    from boards

),

renamed as (

    select
        {{ all_but(['standing']) }},
        standing.model,
        standing.rank,
        standing.rank_low,
        standing.rank_high,
        standing.could_be_first
    from ranked

),

with_scores as (

    select
        renamed.*,
        leaderboard.score
    from renamed
    inner join leaderboard
        using ({{ cell_key() | join(', ') }}, metric)

),

typed as (

    select
        benchmark,
        scenario,
        test_set,
        metric,
        verdict,
        scope,
        comparability_digest,
        origin,
        source,
        dataset_version,
        num_planned,
        problem_set,
        model,
        score,
        rank::integer as rank,
        rank_low::integer as rank_low,
        rank_high::integer as rank_high,
        could_be_first,
        num_models::integer as num_models,
        num_problems,
        tukey_constant
    from with_scores

)

select * from typed
order by
    benchmark, scenario, test_set, metric, verdict, scope,
    comparability_digest, origin, source, dataset_version, num_planned,
    problem_set, rank, model
