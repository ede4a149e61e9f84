-- Every reason why a number is not computed. A reason that concerns a cell as
-- a whole carries metric 'all'; the leaderboard is what is left.
{%- set key = cell_key() | join(', ') %}
{%- set named = var('num_problems_named') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

samples_by_task as (

    select * from {{ ref('int_samples_aggregated_to_task') }}

),

results_by_task as (

    select * from {{ ref('int_results_aggregated_to_task') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

runs as (

    select * from {{ ref('stg_lake__runs') }}

),

tasks as (

    select
        *,
        unnest(test_sets) as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

metrics as (

    select unnest({{ var('pass_at_k') }}::bigint[]) as k

),

mixed_requests as (

    select
        {{ key }},
        'all' as metric,
        'mixed_requests' as reason,
        num_requests || ' requests differ in '
        || coalesce(
            nullif(array_to_string(differing_fields, ', '), ''),
            'a field that samples do not carry'
        ) as detail,
        differing_fields,
        []::varchar[] as problems,
        num_requests as num_affected
    from cells
    where num_requests > 1

),

mixed_graders as (

    select
        {{ key }},
        'all' as metric,
        'mixed_graders' as reason,
        num_graders || ' graders judged parts of it: score the rest again'
            as detail,
        ['grader_id'] as differing_fields,
        []::varchar[] as problems,
        num_graders as num_affected
    from cells
    where num_graders > 1

),

mixed_datasets as (

    select
        {{ key }},
        'all' as metric,
        'mixed_datasets' as reason,
        'samples come from more than one version of the problem file'
            as detail,
        ['dataset_version', 'dataset_digest'] as differing_fields,
        []::varchar[] as problems,
        greatest(num_dataset_versions, num_dataset_digests) as num_affected
    from cells
    where num_dataset_versions > 1 or num_dataset_digests > 1

),

unsafe_rows as (

    select
        {{ key }},
        'all' as metric,
        'unsafe_rows' as reason,
        num_unsafe || ' verdicts were made with --unsafe' as detail,
        []::varchar[] as differing_fields,
        []::varchar[] as problems,
        num_unsafe as num_affected
    from cells
    where num_unsafe > 0

),

-- recorded verdicts may lack the digest; what they have must agree
unpinned_datasets as (

    select
        {{ key }},
        'all' as metric,
        'unpinned_dataset' as reason,
        case
            when num_problems_pinned is null
                then
                    'seeds/benchmarks.csv pins no count for '
                    || benchmark || ' ' || dataset_version || ' '
                    || scenario || ':' || test_set
            when num_unpinned > 0
                then num_unpinned || ' samples carry no dataset digest'
            else
                'the dataset digest is not the pinned one of '
                || dataset_version
        end as detail,
        ['dataset_digest'] as differing_fields,
        []::varchar[] as problems,
        greatest(num_unpinned, 1)::bigint as num_affected
    from cells
    where
        num_problems_pinned is null
        or (origin = 'self' and num_unpinned > 0)
        or (
            dataset_digest is not null
            and dataset_digest is distinct from dataset_digest_pinned
        )

),

expected_problems as (

    select
        {%- for column in cell_key() %}
            cells.{{ column }},
        {%- endfor %}
        tasks.task_id
    from cells
    inner join tasks
        on
            cells.benchmark = tasks.benchmark
            and cells.dataset_version = tasks.dataset_version
            and cells.scenario = tasks.scenario
            and cells.test_set = tasks.test_set
    where cells.num_problems <> cells.num_problems_pinned

),

absent_problems as (

    select
        {{ key }},
        list(task_id order by task_id) as absent
    from expected_problems
    anti join task_scores using ({{ key }}, task_id)
    group by {{ key }}

),

incomplete_problem_sets as (

    select
        {{ key }},
        'all' as metric,
        'incomplete_problem_set' as reason,
        num_problems || ' problems, ' || num_problems_pinned || ' are pinned'
            as detail,
        []::varchar[] as differing_fields,
        coalesce(absent, []::varchar[]) as problems,
        abs(num_problems - num_problems_pinned) as num_affected
    from cells
    left join absent_problems using ({{ key }})
    where num_problems <> num_problems_pinned

),

problem_states as (

    select
        {{ key }},
        task_id,
        case
            when num_present > num_planned or num_judged > num_planned
                then 'surplus_samples'
            when num_present < num_planned then 'missing_samples'
            when num_judged < num_present then 'unjudged_samples'
        end as reason,
        abs(num_planned - least(num_present, num_judged)) as num_samples
    from task_scores

),

-- one reason per problem; samples are planned, so what is absent is known
problems_out_of_plan as (

    select
        {{ key }},
        'all' as metric,
        reason,
        sum(num_samples) || ' samples of ' || count(distinct task_id)
        || ' problems ' || case reason
            when 'surplus_samples' then 'are more than were planned'
            when 'missing_samples' then 'were planned and are not there'
            else 'have no verdict'
        end as detail,
        []::varchar[] as differing_fields,
        list(distinct task_id order by task_id) as problems,
        sum(num_samples)::bigint as num_affected
    from problem_states
    where reason is not null
    group by {{ key }}, reason

),

fewer_samples_than_k as (

    select
        {{ key }},
        'pass@' || k as metric,
        'fewer_samples_than_k' as reason,
        'n = ' || num_planned || ' is smaller than k = ' || k as detail,
        []::varchar[] as differing_fields,
        []::varchar[] as problems,
        num_problems as num_affected
    from cells
    cross join metrics
    where num_planned < k

),

numerators_too_large as (

    select
        {{ key }},
        'pass@' || k as metric,
        'numerator_too_large' as reason,
        num_problems || ' problems times C(' || num_planned || ', ' || k
        || ') exceeds 2^{{ var('numerator_limit_bits') }}' as detail,
        []::varchar[] as differing_fields,
        []::varchar[] as problems,
        num_problems as num_affected
    from cells
    cross join metrics
    where
        num_planned >= k
        and {{ log2_combinations('num_planned', 'k') }} + log2(num_problems)
        > {{ var('numerator_limit_bits') }}

),

not_scored as (

    select
        model,
        benchmark,
        scenario,
        'all' as test_set,
        'all' as verdict,
        'all' as scope,
        comparability_digest,
        'self' as origin,
        'all' as metric,
        'not_scored' as reason,
        sum(num_samples) || ' samples wait for benchforge score' as detail,
        []::varchar[] as differing_fields,
        []::varchar[] as problems,
        sum(num_samples)::bigint as num_affected
    from requests
    anti join results_by_task
        using (
            model, benchmark, scenario, comparability_digest, request_digest
        )
    group by all

),

-- a shard whose last attempt did not end well has no rows that could show it
last_attempts as (

    select *
    from runs
    where model is not null and benchmark is not null
    qualify row_number() over (
        partition by shard_id, stage
        order by attempt desc, ended_at desc, run_id asc
    ) = 1

),

unfinished_shards as (

    select
        model,
        benchmark,
        'all' as scenario,
        'all' as test_set,
        'all' as verdict,
        'all' as scope,
        'all' as comparability_digest,
        'self' as origin,
        'all' as metric,
        'unfinished_shards' as reason,
        count(*) || ' shards ended before they were done, e.g. '
        || min(
            stage || ' ' || shard_id || ' (' || cause || '): '
            || coalesce(detail, 'no detail')
        ) as detail,
        []::varchar[] as differing_fields,
        []::varchar[] as problems,
        count(*) as num_affected
    from last_attempts
    where cause <> 'done'
    group by model, benchmark

),

unknown_tasks as (

    select
        model,
        benchmark,
        scenario,
        'all' as test_set,
        'all' as verdict,
        'all' as scope,
        comparability_digest,
        'all' as origin,
        'all' as metric,
        'unknown_tasks' as reason,
        'table tasks does not know ' || count(distinct task_id)
        || ' of its problems in ' || dataset_version as detail,
        []::varchar[] as differing_fields,
        list(distinct task_id order by task_id) as problems,
        count(distinct task_id) as num_affected
    from samples_by_task
    anti join tasks
        using (benchmark, dataset_version, scenario, task_id)
    group by
        model, benchmark, scenario, comparability_digest, dataset_version

),

unioned as (

    {%- for reason in [
        'mixed_requests', 'mixed_graders', 'mixed_datasets', 'unsafe_rows',
        'unpinned_datasets', 'incomplete_problem_sets',
        'problems_out_of_plan', 'fewer_samples_than_k',
        'numerators_too_large', 'not_scored', 'unfinished_shards',
        'unknown_tasks',
    ] %}
        select
            {{ key }},
            metric,
            reason,
            detail,
            differing_fields,
            problems,
            num_affected
        from {{ reason }}
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

shortened as (

    select
        * exclude (problems),
        case
            when len(problems) > {{ named }}
                then
                    problems[1:{{ named }}]
                    || ['and ' || (len(problems) - {{ named }}) || ' more']
            else problems
        end as problems
    from unioned

)

select * from shortened
