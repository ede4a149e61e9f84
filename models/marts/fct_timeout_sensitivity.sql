-- Passes of a cell had its time limits been others: a pass that took less than
-- the share stays one. Nothing is known above the limits of the run itself, so
-- what lies above is counted from runs under other limits.
{%- set cell = [
    'model', 'benchmark', 'scenario', 'test_set', 'comparability_digest',
    'verdict', 'grader_id',
] | join(', ') %}
with cells_by_counts as (

    select * from {{ ref('int_cells_by_counts') }}

),

graders as (

    select * from {{ ref('int_graders_timed') }}

),

results_timed as (

    select * from {{ ref('int_results_timed') }}

),

limit_shares as (

    select * from {{ ref('int_limit_shares') }}

),

tasks as (

    select
        *,
        {{ each_of('test_sets') }} as test_set
    from {{ ref('int_tasks_deduplicated') }}

),

other_limits as (

    select * from {{ ref('int_results_at_other_limits') }}

),

factors as (

    {%- for factor in limit_factors() | select('le', 1.0) %}
        select {{ factor }}::double as limit_factor
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

totals as (

    select
        {{ cell }},
        sum(num_judged * num_problems)::bigint as num_samples,
        sum(num_passed * num_problems)::bigint as num_passed
    from cells_by_counts
    where origin = 'self' and scope = 'all'
    group by {{ cell }}
    having sum(num_unsafe) = 0 and sum(num_judged) > 0

),

with_shares as (

    select
        {{ all_but([
            'base_limit_share', 'plus_limit_share',
            'corrected_base_limit_share', 'corrected_plus_limit_share',
        ], 'results_timed') }},
        coalesce(results_timed.base_limit_share, own.base_limit_share)
            as official_base_share,
        coalesce(results_timed.plus_limit_share, own.plus_limit_share)
            as official_plus_share,
        coalesce(
            results_timed.corrected_base_limit_share,
            corrected.base_limit_share
        ) as corrected_base_share,
        coalesce(
            results_timed.corrected_plus_limit_share,
            corrected.plus_limit_share
        ) as corrected_plus_share
    from results_timed
    left join limit_shares as own
        on
            results_timed.task_digest = own.task_digest
            and results_timed.grader_id = own.grader_id
            and results_timed.program_id = own.program_id
    left join limit_shares as corrected
        on
            results_timed.task_digest = corrected.task_digest
            and results_timed.grader_id = corrected.grader_id
            and results_timed.corrected_program_id = corrected.program_id

),

spread_over_test_sets as (

    select
        with_shares.*,
        tasks.test_set,
        tasks.test_set = 'plus' and tasks.has_plus as needs_plus
    from with_shares
    inner join tasks
        using (benchmark, dataset_version, scenario, task_id)

),

spread_over_verdicts as (

    {%- for kind in var('verdict_kinds') %}
        {%- set program = 'official' if kind == 'official' else 'corrected' %}
        select
            model,
            benchmark,
            scenario,
            test_set,
            comparability_digest,
            '{{ kind }}' as verdict,
            grader_id,
            case
                when not needs_plus then {{ program }}_base_share
                when
                    {{ program }}_base_share is not null
                    and {{ program }}_plus_share is not null
                    then greatest(
                        {{ program }}_base_share, {{ program }}_plus_share
                    )
            end as limit_share
        from spread_over_test_sets
        where
            {{ kind }}_base = 'pass'
            and (not needs_plus or {{ kind }}_plus = 'pass')
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

slow as (

    select
        {{ cell }},
        factors.limit_factor,
        count(*) filter (where limit_share is null) as num_unknown,
        count(*) filter (where limit_share > factors.limit_factor) as num_over
    from spread_over_verdicts
    cross join factors
    where factors.limit_factor < 1.0
    group by all

),

-- a grader without a single timing is unknown as a whole
below as (

    select
        {{ cell }},
        limit_factor,
        totals.num_samples,
        totals.num_passed as num_passed_at_one,
        case
            when limit_factor = 1.0 then 0
            when coalesce(graders.num_timings, 0) = 0 then totals.num_passed
            else coalesce(slow.num_unknown, 0)
        end as num_unknown,
        coalesce(slow.num_over, 0) as num_over
    from totals
    cross join factors
    left join slow using ({{ cell }}, limit_factor)
    left join graders using (benchmark, model, grader_id)

),

other_limits_over_test_sets as (

    select
        other_limits.*,
        tasks.test_set,
        tasks.test_set = 'plus' and tasks.has_plus as needs_plus
    from other_limits
    inner join tasks
        using (benchmark, dataset_version, scenario, task_id)

),

other_limits_over_verdicts as (

    {%- for kind in var('verdict_kinds') %}
        select
            model,
            benchmark,
            scenario,
            test_set,
            comparability_digest,
            '{{ kind }}' as verdict,
            grader_id,
            limit_factor,
            {{ kind }}_base = 'pass'
            and (not needs_plus or {{ kind }}_plus = 'pass') as is_passed,
            {{ kind }}_base_at_one = 'pass'
            and (not needs_plus or {{ kind }}_plus_at_one = 'pass')
                as is_passed_at_one
        from other_limits_over_test_sets
        where
            {{ kind }}_base is not null
            and (not needs_plus or {{ kind }}_plus is not null)
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

beside as (

    select
        {{ cell }},
        limit_factor,
        count(*) as num_samples,
        count(*) filter (where is_passed) as num_passed,
        case
            when count(is_passed_at_one) = count(*)
                then count(*) filter (where is_passed <> is_passed_at_one)
        end as num_flipped
    from other_limits_over_verdicts
    group by all

),

unioned as (

    select
        {{ cell }},
        limit_factor,
        num_samples::integer as num_samples,
        num_unknown::integer as num_unknown,
        case when num_unknown = 0 then num_passed_at_one - num_over end
        ::integer as num_passed,
        case when num_unknown = 0 then num_over end::integer as num_flipped
    from below
    union all
    select
        {{ cell }},
        limit_factor,
        num_samples::integer as num_samples,
        0 as num_unknown,
        num_passed::integer as num_passed,
        num_flipped::integer as num_flipped
    from beside

)

select * from unioned
order by {{ cell }}, limit_factor
