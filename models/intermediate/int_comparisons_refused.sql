-- Headlines of two models that stand under different conditions: which of the
-- two is better cannot be said. Only headlines: all pairs of all numbers would
-- bury what a reader asks.
{%- set key = cell_key() | join(', ') %}
{%- set fields = comparability_fields() %}
{%- set named = var('num_pairs_named') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

candidates as (

    select * from {{ ref('int_headline_candidates') }}

),

headlines as (

    select *
    from candidates
    where preference = 1 and num_tied = 1

),

-- models under the same conditions share a number
numbered as (

    select
        {{ key }},
        {%- for field in fields if field not in cell_key() %}
            {{ field }},
        {%- endfor %}
        dense_rank() over (
            partition by benchmark, scenario
            order by comparability_digest, {{ fields | join(', ') }}
        ) as condition_rank
    from cells
    semi join headlines using ({{ key }})

),

conditions as (

    select distinct
        benchmark,
        scenario,
        condition_rank,
        {{ fields | join(',\n        ') }}
    from numbered

),

conditions_compared as (

    select
        conditions.benchmark,
        conditions.scenario,
        conditions.condition_rank,
        others.condition_rank as other_rank,
        {{ list_of(differences_of('conditions', 'others', fields), true) }}
            as differing_fields
    from conditions
    inner join conditions as others
        on
            conditions.benchmark = others.benchmark
            and conditions.scenario = others.scenario
            and conditions.condition_rank <> others.condition_rank

),

pairs as (

    select
        numbered.*,
        others.model as other_model,
        conditions_compared.differing_fields,
        row_number() over (
            partition by numbered.benchmark, numbered.scenario
            order by numbered.model, others.model
        ) as position
    from numbered
    inner join numbered as others
        on
            numbered.benchmark = others.benchmark
            and numbered.scenario = others.scenario
            and numbered.model < others.model
    inner join conditions_compared
        on
            numbered.benchmark = conditions_compared.benchmark
            and numbered.scenario = conditions_compared.scenario
            and numbered.condition_rank = conditions_compared.condition_rank
            and others.condition_rank = conditions_compared.other_rank

),

pairs_named as (

    select
        {{ key }},
        {{ comparison_metric('other_model') }} as metric,
        'the headlines of ' || model || ' and ' || other_model
        || ' differ in '
        || coalesce(
            nullif({{ joined_items('differing_fields', ', ') }}, ''),
            'a field that samples do not carry'
        ) as detail,
        differing_fields,
        1 as num_affected
    from pairs
    where position <= {{ named }}

),

pairs_counted as (

    select
        'all' as model,
        benchmark,
        scenario,
        'all' as test_set,
        'official' as verdict,
        'all' as scope,
        'all' as comparability_digest,
        'all' as origin,
        'comparison' as metric,
        'and ' || count(*) || ' more pairs of models' as detail,
        {{ no_texts() }} as differing_fields,
        count(*) as num_affected
    from pairs
    where position > {{ named }}
    group by benchmark, scenario

),

unioned as (

    select * from pairs_named
    union all
    select * from pairs_counted

),

with_reason as (

    select
        *,
        'incomparable_conditions' as reason,
        {{ no_texts() }} as problems
    from unioned

)

select * from with_reason
