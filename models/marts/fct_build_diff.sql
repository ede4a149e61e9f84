-- What is other than in an older file of marts: numbers, the problems behind
-- them, refusals. A number that moved without a row that did is unexplained:
-- then a seed, a variable or the code moved it.
{%- set key = cell_key() | join(', ') %}
{%- set measures = [
    'score', 'interval_low', 'interval_high', 'bootstrap_low',
    'bootstrap_high', 'num_problems', 'num_planned',
] %}
{%- set counts = ['num_planned', 'num_judged', 'num_passed'] %}
with leaderboard as (

    select * from {{ ref('leaderboard') }}

),

task_scores as (

    select * from {{ ref('fct_task_scores') }}

),

refusals as (

    select * from {{ ref('fct_refusals') }}

),

previous_leaderboard as (

    select * from {{ ref('int_previous_leaderboard') }}

),

previous_task_scores as (

    select * from {{ ref('int_previous_task_scores') }}

),

previous_refusals as (

    select * from {{ ref('int_previous_refusals') }}

),

scores_after as (

    select
        {{ key }},
        metric,
        {%- for name in measures %}
            {{ name }} as {{ name }}_after,
        {%- endfor %}
        true as is_after
    from leaderboard
    where {{ has_previous_build() }}

),

scores_before as (

    select
        {{ key }},
        metric,
        {%- for name in measures %}
            {{ name }} as {{ name }}_before,
        {%- endfor %}
        true as is_before
    from previous_leaderboard

),

scores_moved as (

    select
        *,
        case
            when is_before is null then 'score_appeared'
            when is_after is null then 'score_gone'
            else 'score_moved'
        end as change
    from scores_before
    full join scores_after using ({{ key }}, metric)
    where
        is_before is null
        or is_after is null
        {%- for name in measures %}
            or {{ name }}_before is distinct from {{ name }}_after
        {%- endfor %}

),

-- a problem of a cell, whatever requests and graders its samples have
problems_after as (

    select
        {{ key }},
        task_id,
        {%- for name in counts %}
            sum({{ name }})::bigint as {{ name }}_after,
        {%- endfor %}
        true as is_after
    from task_scores
    where {{ has_previous_build() }}
    group by {{ key }}, task_id

),

problems_before as (

    select
        {{ key }},
        task_id,
        {%- for name in counts %}
            sum({{ name }})::bigint as {{ name }}_before,
        {%- endfor %}
        true as is_before
    from previous_task_scores
    group by {{ key }}, task_id

),

problems_moved as (

    select
        *,
        case
            when is_before is null then 'problem_new'
            when is_after is null then 'problem_dropped'
            else 'problem_moved'
        end as change
    from problems_before
    full join problems_after using ({{ key }}, task_id)
    where
        is_before is null
        or is_after is null
        {%- for name in counts %}
            or {{ name }}_before <> {{ name }}_after
        {%- endfor %}

),

refusals_after as (

    select
        {{ key }},
        metric,
        reason,
        true as is_after
    from refusals
    where {{ has_previous_build() }}
    group by all

),

refusals_before as (

    select
        {{ key }},
        metric,
        reason,
        true as is_before
    from previous_refusals
    group by all

),

refusals_moved as (

    select
        *,
        if(is_before is null, 'refusal_new', 'refusal_gone') as change
    from refusals_before
    full join refusals_after using ({{ key }}, metric, reason)
    where is_before is null or is_after is null

),

-- of its own scope: a problem outside of it explains nothing
problems_by_cell as (

    select
        {{ key }},
        count(*)::integer as num_problems_changed
    from problems_moved
    group by {{ key }}

),

-- a refusal may concern every test set, verdict or metric of a model
refusals_by_score as (

    select
        {%- for column in cell_key() %}
            scores_moved.{{ column }},
        {%- endfor %}
        scores_moved.metric,
        count(*)::integer as num_refusals_changed
    from scores_moved
    inner join refusals_moved
        on
            scores_moved.model = refusals_moved.model
            and scores_moved.benchmark = refusals_moved.benchmark
            {%- for column in cell_key() + ['metric']
                if column not in ('model', 'benchmark') %}
                and refusals_moved.{{ column }}
                in (scores_moved.{{ column }}, 'all')
            {%- endfor %}
            and case scores_moved.change
                when 'score_appeared'
                    then refusals_moved.change = 'refusal_gone'
                when 'score_gone'
                    then refusals_moved.change = 'refusal_new'
                else false
            end
    group by all

),

scores_explained as (

    select
        scores_moved.*,
        coalesce(num_problems_changed, 0)::integer as num_problems_changed,
        coalesce(num_refusals_changed, 0)::integer as num_refusals_changed,
        case
            when num_problems_changed > 0 and num_refusals_changed > 0
                then 'problems_and_refusals'
            when num_problems_changed > 0 then 'problems'
            when num_refusals_changed > 0 then 'refusals'
            else 'unexplained'
        end as cause
    from scores_moved
    left join problems_by_cell using ({{ key }})
    left join refusals_by_score using ({{ key }}, metric)

),

unioned as (

    select
        {{ key }},
        change,
        metric,
        null::string as task_id,
        null::string as reason,
        cause,
        num_problems_changed,
        num_refusals_changed,
        score_after - score_before as difference,
        {%- for name in measures %}
            {{ name }}_before,
            {{ name }}_after,
        {%- endfor %}
        {%- for name in counts if name not in measures %}
            null::bigint as {{ name }}_before,
            null::bigint as {{ name }}_after
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from scores_explained
    union all
    select
        {{ key }},
        change,
        'all' as metric,
        task_id,
        null as reason,
        null as cause,
        null as num_problems_changed,
        null as num_refusals_changed,
        null as difference,
        {%- for name in measures %}
            {%- set is_counted = name in counts %}
            {%- for end in ['_before', '_after'] %}
                {{ name ~ end if is_counted else 'null' }} as {{ name ~ end }},
            {%- endfor %}
        {%- endfor %}
        {%- for name in counts if name not in measures %}
            {{ name }}_before,
            {{ name }}_after
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from problems_moved
    union all
    select
        {{ key }},
        change,
        metric,
        null as task_id,
        reason,
        null as cause,
        null as num_problems_changed,
        null as num_refusals_changed,
        null as difference,
        {%- for name in measures %}
            null as {{ name }}_before,
            null as {{ name }}_after,
        {%- endfor %}
        {%- for name in counts if name not in measures %}
            null as {{ name }}_before,
            null as {{ name }}_after
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from refusals_moved

),

typed as (

    select
        {{ key }},
        change,
        metric,
        task_id,
        reason,
        cause,
        num_problems_changed,
        num_refusals_changed,
        difference,
        {%- for name in measures[:5] %}
            {{ name }}_before,
            {{ name }}_after,
        {%- endfor %}
        num_problems_before,
        num_problems_after,
        {%- for name in counts %}
            {{ name }}_before::bigint as {{ name }}_before,
            {{ name }}_after::bigint as {{ name }}_after
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from unioned

)

select * from typed
order by {{ key }}, change, metric, task_id, reason
