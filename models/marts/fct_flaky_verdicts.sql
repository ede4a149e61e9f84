-- Programs whose verdict or reason did not repeat: between regradings, or
-- between a regrading and the row that results hold. Shown, never resolved.
{%- set program = [
    'benchmark', 'scenario', 'task_id', 'task_digest', 'grader_id',
    'program_id', 'oracle', 'part',
] | join(', ') %}
{%- set columns = {
    'official': 'program_id',
    'strict': 'corrected_program_id',
    'corrected_extraction': 'corrected_program_id',
} %}
with regrades as (

    select * from {{ ref('stg_lake__regrades') }}

),

results as (

    select * from {{ ref('stg_lake__results') }}

),

regraded as (

    select
        {{ program }},
        is_official_oracle,
        is_strict_oracle,
        limit_factor,
        is_unsafe,
        verdict,
        reason,
        sum(num_gradings)::bigint as num_gradings
    from regrades
    group by all

),

programs as (

    select distinct
        {{ program }},
        is_official_oracle,
        is_strict_oracle
    from regraded

),

-- few rows: only tasks and graders that were regraded
results_of_regraded as (

    select *
    from results
    semi join programs
        on
            results.task_digest = programs.task_digest
            and results.grader_id = programs.grader_id

),

spread_over_verdicts as (

    {%- for kind in var('verdict_kinds') %}
        {%- set last_kind = loop.last %}
        {%- for part in ['base', 'plus'] %}
            select
                task_digest,
                grader_id,
                {{ columns[kind] }} as program_id,
                '{{ part }}' as part,
                {{ kind == 'strict' }} as is_strict,
                model,
                sample_id,
                {{ part_verdict(kind, part) }} as verdict,
                {{ part_reason(kind, part) }} as reason
            from results_of_regraded
            {% if not (last_kind and loop.last) %}union all{% endif %}
        {%- endfor %}
    {%- endfor %}

),

recorded as (

    select
        {% for column in program.split(', ') -%}
            programs.{{ column }},
        {% endfor -%}
        spread_over_verdicts.model,
        spread_over_verdicts.sample_id,
        spread_over_verdicts.verdict,
        spread_over_verdicts.reason
    from programs
    inner join spread_over_verdicts
        on
            programs.task_digest = spread_over_verdicts.task_digest
            and programs.grader_id = spread_over_verdicts.grader_id
            and programs.program_id = spread_over_verdicts.program_id
            and programs.part = spread_over_verdicts.part
            and case
                when spread_over_verdicts.is_strict
                    then programs.is_strict_oracle
                else programs.is_official_oracle
            end
    where spread_over_verdicts.verdict is not null

),

recorded_by_program as (

    select
        {{ program }},
        min(verdict) as recorded_verdict,
        min(reason) as recorded_reason,
        count(distinct sample_id)::integer as num_samples,
        {{ distinct_list('model') }} as models
    from recorded
    group by all

),

outcomes as (

    select
        {{ program }},
        verdict,
        reason
    from regraded
    union
    select
        {{ program }},
        verdict,
        reason
    from recorded

),

outcomes_by_program as (

    select
        {{ program }},
        count(distinct verdict) > 1 as is_verdict_flaky,
        {{ distinct_list(
            "verdict || ' (' || coalesce(reason, 'not_recorded') || ')'"
        ) }} as outcomes
    from outcomes
    group by all
    having count(*) > 1

),

gradings_by_program as (

    select
        {{ program }},
        any_value(limit_factor) as limit_factor,
        bool_or(is_unsafe) as is_unsafe,
        sum(num_gradings)::bigint as num_gradings,
        sum(num_gradings) filter (where verdict = 'pass')::bigint as num_passed
    from regraded
    group by all

),

flaky as (

    select
        {{ program }},
        outcomes_by_program.outcomes,
        outcomes_by_program.is_verdict_flaky,
        gradings_by_program.num_gradings,
        coalesce(gradings_by_program.num_passed, 0)::bigint as num_passed,
        recorded_by_program.recorded_verdict,
        recorded_by_program.recorded_reason,
        coalesce(recorded_by_program.num_samples, 0)::integer as num_samples,
        coalesce(recorded_by_program.models, {{ no_texts() }}) as models,
        gradings_by_program.limit_factor,
        gradings_by_program.is_unsafe
    from outcomes_by_program
    inner join gradings_by_program using ({{ program }})
    left join recorded_by_program using ({{ program }})

)

select * from flaky
order by {{ program }}
