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
        list(comparability_digest order by comparability_digest) as digests,
        list_filter([
            {%- for field in request_fields() %}
                case
                    when
                        count(distinct coalesce({{ field }}::varchar, '')) > 1
                        then '{{ field }}'
                end{{ ',' if not loop.last }}
            {%- endfor %}
        ], lambda field: field is not null) as differing_fields
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
            nullif(array_to_string(differing_fields, ', '), ''),
            'a field that samples do not carry'
        ) || ': comparability digests '
        || array_to_string(
            list_transform(digests, lambda digest: digest[1:12]), ', '
        ) as detail,
        differing_fields,
        []::varchar[] as problems,
        num_tied as num_affected
    from compared

)

select * from refused
