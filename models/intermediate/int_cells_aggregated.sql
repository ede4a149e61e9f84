-- One row per would-be leaderboard cell, whether or not it may be computed.
{%- set key = cell_key() | join(', ') %}
{%- set request_of_cell = [
    'model', 'benchmark', 'scenario', 'comparability_digest', 'origin',
] %}
with cells_by_counts as (

    select * from {{ ref('int_cells_by_counts') }}

),

cells_by_passes as (

    select * from {{ ref('int_cells_by_passes') }}

),

task_counts as (

    select * from {{ ref('int_task_counts') }}

),

task_counts_scoped as (

    select * from {{ ref('int_task_counts_scoped') }}

),

clustered as (

    select * from {{ ref('int_cells_clustered') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

pins as (

    select * from {{ ref('int_benchmark_cells') }}

),

scopes as (

    select * from {{ ref('int_scopes_counted') }}

),

aggregated as (

    select
        {{ key }},
        min(dataset_version) as dataset_version,
        min(trust_tier) as trust_tier,
        min(grader_id) as grader_id,
        min(source) as source,
        min(request_digest) as request_digest,
        count(distinct request_digest) as num_requests,
        count(distinct grader_id) as num_graders,
        count(distinct dataset_version) as num_dataset_versions,
        sum(num_problems)::bigint as num_problems,
        max(num_planned) as num_planned,
        sum(num_present * num_problems)::bigint as num_present,
        sum(num_judged * num_problems)::bigint as num_judged,
        sum(num_passed * num_problems)::bigint as num_passed,
        sum(num_empty * num_problems)::bigint as num_empty,
        sum(num_unsafe * num_problems)::bigint as num_unsafe
    from cells_by_counts
    group by {{ key }}

),

-- several requests or graders may tell of one problem; such cells are refused
mixed as (

    select *
    from aggregated
    where num_requests > 1 or num_graders > 1

),

-- by request and not by verdict kind: every kind is asked of the same problems
mixed_requests as (

    select distinct {{ request_of_cell | join(', ') }}
    from mixed

),

tasks_of_mixed as (

    select
        {{ request_of_cell | join(', ') }},
        task_id,
        'all' as scope,
        {{ each_of('test_sets') }} as test_set
    from task_counts
    semi join mixed_requests using ({{ request_of_cell | join(', ') }})
    union all
    select
        {{ request_of_cell | join(', ') }},
        task_id,
        scope,
        {{ each_of('test_sets') }} as test_set
    from task_counts_scoped
    semi join mixed_requests using ({{ request_of_cell | join(', ') }})

),

problems_of_mixed as (

    select
        {{ request_of_cell | join(', ') }},
        scope,
        test_set,
        count(distinct task_id) as num_problems
    from tasks_of_mixed
    group by all

),

problems_by_passes as (

    select
        {{ key }},
        num_passed,
        max(num_planned) as num_planned,
        sum(num_problems)::bigint as num_problems
    from cells_by_passes
    group by {{ key }}, num_passed

),

maps as (

    select
        {{ key }},
        max(num_planned) as num_planned,
        {{ counts_by_value('num_passed', 'num_problems') }} as by_passes
    from problems_by_passes
    group by {{ key }}

),

-- counts[c + 1] problems have c passes
histograms as (

    select
        {{ key }},
        {{ dense_counts('by_passes', 'num_planned') }} as counts
    from maps

),

-- conditions of the requests behind a cell; NULL where they differ
conditions as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        {%- for field in request_fields() if field != 'dataset_version' %}
            min({{ field }}) as {{ field }},
        {%- endfor %}
        {#- a request without samples of two kinds is one request #}
        {{ differing_fields(request_fields()) }} as differing_fields,
        max(fields_differing_within) as fields_differing_within,
        max(num_dataset_versions) as num_versions_of_request,
        max(num_dataset_digests) as num_dataset_digests,
        sum(num_unpinned) as num_unpinned,
        sum(num_not_thought)::bigint as num_not_thought,
        sum(num_thought_unasked)::bigint as num_thought_unasked
    from requests
    group by all

),

joined as (

    select
        {{ all_but(['num_problems', 'num_dataset_versions'], 'aggregated') }},
        greatest(
            aggregated.num_dataset_versions, conditions.num_versions_of_request
        ) as num_dataset_versions,
        case
            when aggregated.num_requests > 1 or aggregated.num_graders > 1
                then problems_of_mixed.num_problems
            else aggregated.num_problems
        end as num_problems,
        histograms.counts,
        case
            when
                {{ num_items('clustered.clusters') }} = aggregated.num_problems
                then clustered.passes
        end as passes,
        case
            when
                {{ num_items('clustered.clusters') }} = aggregated.num_problems
                then clustered.clusters
        end as clusters,
        {{ all_but([
            'model', 'benchmark', 'scenario', 'comparability_digest', 'source',
            'num_versions_of_request',
        ], 'conditions') }},
        case
            when aggregated.scope = 'all' then pins.num_problems_pinned
            else scopes.num_problems_pinned
        end as num_problems_pinned,
        pins.dataset_digest as dataset_digest_pinned,
        coalesce(pins.is_headline_test_set, false) as is_headline_test_set
    from aggregated
    inner join conditions
        using (model, benchmark, scenario, comparability_digest)
    inner join histograms using ({{ key }})
    left join problems_of_mixed
        using ({{ request_of_cell | join(', ') }}, scope, test_set)
    left join clustered using ({{ key }})
    left join pins
        on
            aggregated.benchmark = pins.benchmark
            and aggregated.dataset_version = pins.dataset_version
            and aggregated.scenario = pins.scenario
            and aggregated.test_set = pins.test_set
    left join scopes
        on
            aggregated.benchmark = scopes.benchmark
            and aggregated.dataset_version = scopes.dataset_version
            and aggregated.scenario = scopes.scenario
            and aggregated.test_set = scopes.test_set
            and aggregated.scope = scopes.scope
            and case
                when aggregated.scope = 'clean' then aggregated.model
                else ''
            end = coalesce(scopes.model, '')

)

select * from joined
