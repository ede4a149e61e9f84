-- One row per would-be leaderboard cell, whether or not it may be computed.
{%- set key = cell_key() | join(', ') %}
with task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

pins as (

    select * from {{ ref('int_benchmark_cells') }}

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
        count(distinct task_id) as num_problems,
        max(num_planned) as num_planned,
        sum(num_present)::bigint as num_present,
        sum(num_judged)::bigint as num_judged,
        sum(num_passed)::bigint as num_passed,
        sum(num_empty)::bigint as num_empty,
        sum(num_unsafe)::bigint as num_unsafe,
        count(*) filter (where num_present < num_planned) as num_problems_short,
        count(*) filter (
            where num_present > num_planned or num_judged > num_planned
        )
            as num_problems_over,
        count(*) filter (where num_judged < num_present)
            as num_problems_unjudged,
        list(num_passed::bigint order by task_id, request_digest, grader_id)
            as passes,
        list(cluster order by task_id, request_digest, grader_id) as clusters
    from task_scores
    group by {{ key }}

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
        list_filter([
            {%- for field in request_fields() %}
                case
                    when
                        count(distinct coalesce({{ field }}::varchar, '')) > 1
                        then '{{ field }}'
                end{{ ',' if not loop.last }}
            {%- endfor %}
        ], lambda field: field is not null) as differing_fields,
        max(num_dataset_digests) as num_dataset_digests,
        sum(num_unpinned) as num_unpinned
    from requests
    group by all

),

joined as (

    select
        aggregated.*,
        conditions.* exclude (
            model, benchmark, scenario, comparability_digest, source
        ),
        pins.num_problems_pinned,
        pins.dataset_digest as dataset_digest_pinned,
        coalesce(pins.is_headline_test_set, false) as is_headline_test_set
    from aggregated
    inner join conditions
        using (model, benchmark, scenario, comparability_digest)
    left join pins
        on
            aggregated.benchmark = pins.benchmark
            and aggregated.dataset_version = pins.dataset_version
            and aggregated.scenario = pins.scenario
            and aggregated.test_set = pins.test_set

)

select * from joined
