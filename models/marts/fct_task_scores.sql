-- One row per problem inside a leaderboard cell, request and grader. A verdict
-- on the extra tests alone makes the cell, and is no verdict of its sample.
{%- set kinds = var('verdict_kinds') %}
{%- set has_any = 'has_' ~ kinds | join(' or has_') %}
with results_by_task as (

    select * from {{ ref('int_results_aggregated_to_task') }}

),

samples_by_task as (

    select * from {{ ref('int_samples_aggregated_to_task') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

tasks as (

    select
        *,
        unnest(test_sets) as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

-- every grader is answerable for every task of the request that was sampled
graders as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        request_digest,
        origin,
        grader_id,
        {%- for kind in var('verdict_kinds') %}
            sum({{ kind }}_judged) > 0 as has_{{ kind }},
        {%- endfor %}
        min(source) as source,
        min(trust_tier) as trust_tier
    from results_by_task
    group by all

),

expected as (

    select
        graders.*,
        samples_by_task.task_id,
        samples_by_task.dataset_version,
        samples_by_task.num_present,
        requests.num_planned
    from graders
    inner join samples_by_task
        using (
            model, benchmark, scenario, comparability_digest, request_digest
        )
    inner join requests
        using (
            model, benchmark, scenario, comparability_digest, request_digest
        )

),

counted as (

    select
        expected.*,
        results_by_task.* exclude (
            model, benchmark, scenario, comparability_digest, request_digest,
            task_id, origin, grader_id, source, trust_tier
        )
    from expected
    left join results_by_task
        using (
            model, benchmark, scenario, comparability_digest, request_digest,
            origin, grader_id, task_id
        )

),

spread_over_test_sets as (

    select
        counted.*,
        tasks.test_set,
        tasks.test_set = 'plus' and tasks.has_plus as needs_plus,
        tasks.source_problem,
        tasks.stratum,
        tasks.cluster
    from counted
    inner join tasks
        on
            counted.benchmark = tasks.benchmark
            and counted.dataset_version = tasks.dataset_version
            and counted.scenario = tasks.scenario
            and counted.task_id = tasks.task_id

),

spread_over_verdicts as (

    {%- for kind in var('verdict_kinds') %}
        select
            model,
            benchmark,
            scenario,
            test_set,
            '{{ kind }}' as verdict,
            'all' as scope,
            comparability_digest,
            origin,
            request_digest,
            grader_id,
            source,
            task_id,
            source_problem,
            stratum,
            cluster,
            dataset_version,
            trust_tier,
            num_planned,
            num_present,
            case
                when needs_plus then {{ kind }}_plus_judged
                else {{ kind }}_base_judged
            end as num_judged,
            case
                when needs_plus then {{ kind }}_plus_passed
                else {{ kind }}_base_passed
            end as num_passed,
            {{ kind }}_empty as num_empty,
            num_unsafe
        from spread_over_test_sets
        -- a published set has no strict verdicts: nothing is missing; one
        -- without any verdict lacks the official ones
        where
            has_{{ kind }}
            or origin = 'self'
            {%- if kind == 'official' %}
                or not ({{ has_any }})
            {%- endif %}
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

typed as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        verdict,
        scope,
        comparability_digest,
        origin,
        request_digest,
        grader_id,
        source,
        task_id,
        source_problem,
        stratum,
        cluster,
        dataset_version,
        trust_tier,
        num_planned::integer as num_planned,
        num_present::integer as num_present,
        coalesce(num_judged, 0)::integer as num_judged,
        coalesce(num_passed, 0)::integer as num_passed,
        coalesce(num_empty, 0)::integer as num_empty,
        coalesce(num_unsafe, 0)::integer as num_unsafe,
        case
            when
                num_present = num_planned and num_judged = num_planned
                then {{ pass_at_k('num_planned', 'num_passed', 1) }}
        end as pass_at_1
    from spread_over_verdicts

)

select * from typed
order by
    model, benchmark, scenario, test_set, verdict, scope,
    comparability_digest, origin, request_digest, grader_id, task_id
