-- Cells over one set of problems share their difficulty: what a problem adds
-- is summed over the cells before it counts as one unit of noise.
{%- set cell_key_of_tasks = cell_key() | reject('equalto', 'scope') | list %}
with cells as (

    select * from {{ ref('int_overall_cells') }}

),

task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

incomplete as (

    select
        model,
        overall
    from cells
    where not is_found

),

cells_complete as (

    select *
    from cells
    anti join incomplete using (model, overall)

),

cells_with_problems as (

    select
        cells_complete.model,
        cells_complete.overall,
        cells_complete.benchmark,
        cells_complete.scenario,
        cells_complete.benchmark || '/' || cells_complete.scenario || ':'
        || cells_complete.test_set || ' ' || cells_complete.dataset_version
            as cell,
        cells_complete.weight,
        cells_complete.num_planned,
        cells_complete.comparability_digest,
        cells_complete.origin,
        {{ ordered_list('task_scores.num_passed', ['task_scores.task_id']) }}
            as passes,
        {{ ordered_list(
            'task_scores.source_problem', ['task_scores.task_id']
        ) }} as source_problems
    from cells_complete
    inner join task_scores
        using ({{ cell_key() | join(', ') }})
    group by all

),

gathered as (

    select
        model,
        overall,
        {{ ordered_list('cell', ['benchmark', 'scenario']) }} as cells,
        {{ ordered_list('weight', ['benchmark', 'scenario']) }} as weights,
        {{ ordered_list('num_planned', ['benchmark', 'scenario']) }}
            as num_planned,
        {{ ordered_list('origin', ['benchmark', 'scenario']) }} as origins,
        {{ ordered_list('comparability_digest', ['benchmark', 'scenario']) }}
            as comparability_digests,
        sum(weight) as weight_total,
        {{ overall_score(ordered_list(
            overall_cell(
                'weight', 'num_planned', 'passes', 'source_problems'
            ),
            ['benchmark', 'scenario']
        )) }} as found
    from cells_with_problems
    group by model, overall

),

typed as (

    select
        overall,
        model,
        'pass@1' as metric,
        found.score,
        found.low as interval_low,
        found.high as interval_high,
        found.method as interval_method,
        found.standard_error as se_total,
        found.num_problems::integer as num_problems,
        found.num_source_problems::integer as num_source_problems,
        cells,
        {{ map_items('weights', 'item::integer') }} as weights,
        weight_total::integer as weight_total,
        {{ map_items('num_planned', 'item::integer') }} as num_planned,
        origins,
        comparability_digests
    from gathered

)

select * from typed
order by overall, model
