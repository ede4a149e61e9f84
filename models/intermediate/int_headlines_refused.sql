-- A model whose best candidates differ only in conditions that no rule ranks
-- (max_tokens, top_p, source ...) has no headline: each stays on the
-- leaderboard.
{%- set key = cell_key() | join(', ') %}
with candidates as (

    select * from {{ ref('int_headline_candidates') }}

),

cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

best_and_tied as (

    select *
    from candidates
    where preference = 1 and num_tied > 1

),

tied as (

    select cells.*
    from cells
    semi join best_and_tied using ({{ key }})

),

compared as (

    select
        model,
        benchmark,
        scenario,
        min(test_set) as test_set,
        min(origin) as origin,
        count(*) as num_tied,
        {{ ordered_list('comparability_digest', ['comparability_digest']) }}
            as digests,
        {{ differing_fields(request_fields()) }} as differing_fields
    from tied
    group by model, benchmark, scenario

),

refused as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        'official' as verdict,
        'all' as scope,
        'all' as comparability_digest,
        origin,
        'headline' as metric,
        'ambiguous_headline' as reason,
        num_tied || ' cells of the leaderboard are equally good and differ in '
        || coalesce(
            nullif({{ joined_items('differing_fields', ', ') }}, ''),
            'a field that samples do not carry'
        ) || ': comparability digests '
        || {{ joined_items(
            map_items('digests', 'left(item, 12)'), ', '
        ) }} as detail,
        differing_fields,
        {{ no_texts() }} as problems,
        num_tied as num_affected
    from compared

)

select * from refused
