-- Offenders: problems whose counts are not those of their samples. The samples
-- of some problems of each benchmark, drawn by a digest, are counted again one
-- by one.
{%- set drawn = tasks_drawn(ref('int_tasks_deduplicated')) %}
with task_scores as (

    select *
    from {{ ref('fct_task_scores') }}
    where scope = 'all' and task_id in ({{ drawn }})

),

sample_results as (

    select *
    from {{ ref('fct_sample_results') }}
    where task_id in ({{ drawn }})

),

recomputed as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        verdict,
        comparability_digest,
        origin,
        request_digest,
        grader_id,
        task_id,
        count(*) as num_judged,
        count(*) filter (where is_passed) as num_passed
    from sample_results
    where limit_factor = 1.0
    group by all

),

offenders as (

    select
        task_scores.model,
        task_scores.benchmark,
        task_scores.scenario,
        task_scores.test_set,
        task_scores.verdict,
        task_scores.task_id,
        task_scores.num_judged,
        task_scores.num_passed,
        recomputed.num_judged as num_judged_recomputed,
        recomputed.num_passed as num_passed_recomputed
    from task_scores
    full join recomputed
        using (
            model, benchmark, scenario, test_set, verdict,
            comparability_digest, origin, request_digest, grader_id, task_id
        )
    where
        coalesce(task_scores.num_judged, 0)
        <> coalesce(recomputed.num_judged, 0)
        or coalesce(task_scores.num_passed, 0)
        <> coalesce(recomputed.num_passed, 0)

)

select * from offenders
