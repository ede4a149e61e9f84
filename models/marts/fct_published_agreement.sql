-- The convention of the source: answers that were never run leave the list of
-- a problem, so its n shrinks; a problem without any answer counts as failed.
-- The strict number beside it keeps n as planned.
with figures as (

    select * from {{ ref('stg_seeds__published_scores') }}

),

task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

leaderboard as (

    select * from {{ ref('leaderboard') }}

),

published_tasks as (

    select
        task_scores.model,
        task_scores.benchmark,
        task_scores.scenario,
        task_scores.test_set,
        task_scores.comparability_digest,
        task_scores.source,
        task_scores.task_id,
        task_scores.num_planned,
        task_scores.num_passed,
        task_scores.num_judged - task_scores.num_empty as num_answered,
        requests.protocol,
        requests.temperature
    from task_scores
    inner join requests
        using (
            model, benchmark, scenario, comparability_digest, request_digest
        )
    where
        task_scores.origin = 'published'
        and task_scores.verdict = 'official'
        and task_scores.scope = 'all'

),

matched as (

    select
        figures.*,
        published_tasks.comparability_digest,
        published_tasks.task_id,
        published_tasks.num_planned,
        case
            -- nothing passed: the source puts n failures back
            when published_tasks.num_passed = 0 then 0.0::double
            -- fewer answers than k: the source's formula says 1
            when published_tasks.num_answered < figures.k then 1.0::double
            else {{ pass_at_k(
                'published_tasks.num_answered', 'published_tasks.num_passed',
                'figures.k'
            ) }}
        end as task_score
    from figures
    left join published_tasks
        on
            figures.model = published_tasks.model
            and figures.benchmark = published_tasks.benchmark
            and figures.scenario = published_tasks.scenario
            and figures.test_set = published_tasks.test_set
            and figures.protocol = published_tasks.protocol
            and figures.temperature
            is not distinct from published_tasks.temperature
            and figures.source = published_tasks.source

),

-- in units of 1e-12, so that no order of rows can move the sum
in_units as (

    select
        *,
        round(task_score * 1000000000000)::bigint as score_units
    from matched

),

reproduced as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        protocol,
        temperature,
        metric,
        k,
        source,
        published,
        recomputed,
        recomputed_strict_n,
        is_exception,
        exception_reason,
        min(comparability_digest) as comparability_digest,
        count(task_id)::integer as num_problems,
        case
            when bool_and(num_planned >= k)
                then
                    sum(score_units)::double
                    / (count(score_units) * 10000000000)::double
        end as reproduced
    from in_units
    group by all

),

compared as (

    select
        reproduced.model,
        reproduced.benchmark,
        reproduced.scenario,
        reproduced.test_set,
        reproduced.protocol,
        reproduced.temperature,
        reproduced.metric,
        reproduced.source,
        reproduced.num_problems,
        reproduced.published,
        reproduced.reproduced,
        reproduced.reproduced - reproduced.published as difference,
        100 * leaderboard.score as strict_score,
        abs(reproduced.reproduced - reproduced.published)
        <= {{ var('published_tolerance') }} as is_reproduced,
        reproduced.is_exception,
        reproduced.exception_reason
    from reproduced
    left join leaderboard
        on
            reproduced.model = leaderboard.model
            and reproduced.benchmark = leaderboard.benchmark
            and reproduced.scenario = leaderboard.scenario
            and reproduced.test_set = leaderboard.test_set
            and reproduced.comparability_digest
            = leaderboard.comparability_digest
            and reproduced.metric = leaderboard.metric
            and leaderboard.origin = 'published'
            and leaderboard.verdict = 'official'
            and leaderboard.scope = 'all'

)

select * from compared
order by
    benchmark, scenario, test_set, model, protocol, temperature, metric,
    source
