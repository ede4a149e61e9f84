-- An overall score needs every one of its cells: a mean over those that a
-- model happens to have would reward what it left out.
with cells as (

    select * from {{ ref('int_overall_cells') }}

),

missing as (

    select
        model,
        overall,
        benchmark || '/' || scenario || ':' || test_set || ' '
        || dataset_version as cell
    from cells
    where not is_found

),

refused as (

    select
        model,
        'all' as benchmark,
        'all' as scenario,
        'all' as test_set,
        'official' as verdict,
        'all' as scope,
        'all' as comparability_digest,
        'all' as origin,
        'overall ' || overall as metric,
        'incomplete_overall' as reason,
        'no headline for '
        || {{ joined_items(ordered_list('cell', ['cell']), ', ') }} as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        count(*) as num_affected
    from missing
    group by model, overall

)

select * from refused
