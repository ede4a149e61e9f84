-- Who is better on the same problems, and in which families the answer holds.
{%- set families = {
    'against_best': 'p_against_best',
    'against_baseline': 'p_against_baseline',
    'adjacent': 'p_adjacent',
    'all_pairs': 'q_all_pairs',
} %}
with boards as (

    select * from {{ ref('int_boards_compared') }}

),

pairs as (

    select
        *,
        {{ each_of('found.pairs') }} as pair
    from boards

),

renamed as (

    select
        {{ board_key() | join(',\n        ') }},
        num_models,
        num_problems,
        pair.model,
        pair.other as other_model,
        pair.difference,
        pair.difference_low,
        pair.difference_high,
        pair.interval_method,
        pair.num_discordant,
        pair.p_value,
        pair.p_method,
        pair.p_best as p_against_best,
        pair.p_baseline as p_against_baseline,
        pair.p_adjacent,
        pair.q_all_pairs,
        pair.se_total,
        pair.se_prediction,
        pair.se_data
    from pairs

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
        num_models::integer as num_models,
        num_problems,
        model,
        other_model,
        difference,
        difference_low,
        difference_high,
        interval_method,
        num_discordant::integer as num_discordant,
        p_value,
        p_method,
        {{ families.values() | join(',\n        ') }},
        {{ list_of(names_where_not_null(families), true) }} as families,
        {{ list_of(names_where_small(families), true) }} as families_held,
        se_total,
        se_prediction,
        se_data
    from renamed

)

select * from typed
order by
    benchmark, scenario, test_set, metric, verdict, scope,
    comparability_digest, origin, source, dataset_version, num_planned,
    problem_set, model, other_model
