-- Offenders: compared pairs whose difference is not that of their scores, or
-- whose better model is not named first.
{%- set key = cell_key() | join(', ') %}
with comparisons as (

    select * from {{ ref('fct_model_comparisons') }}

),

leaderboard as (

    select * from {{ ref('leaderboard') }}

),

scores as (

    select
        {{ key }},
        metric,
        score
    from leaderboard

),

paired as (

    select
        comparisons.*,
        scores.score - others.score as difference_of_scores
    from comparisons
    inner join scores using ({{ key }}, metric)
    inner join scores as others
        on
            comparisons.other_model = others.model
            and comparisons.benchmark = others.benchmark
            and comparisons.scenario = others.scenario
            and comparisons.test_set = others.test_set
            and comparisons.verdict = others.verdict
            and comparisons.scope = others.scope
            and comparisons.comparability_digest = others.comparability_digest
            and comparisons.origin = others.origin
            and comparisons.metric = others.metric

),

offenders as (

    select *
    from paired
    where
        abs(difference - difference_of_scores) > 1e-12
        or difference < 0
        or (difference = 0 and model >= other_model)

)

select * from offenders
