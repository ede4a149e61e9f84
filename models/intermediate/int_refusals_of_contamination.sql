-- Models that a difference in differences was not computed for, and why. They
-- are named once, not once per pair: what is missing is theirs.
with models as (

    select * from {{ ref('int_cutoffs_judged') }}

),

scores as (

    select * from {{ ref('int_scores_dated') }}

),

pairs as (

    select * from {{ ref('int_cutoff_pairs_differenced') }}

),

asked_of as (

    select *
    from models
    where is_suspect or cutoff_date is null

),

undated as (

    select
        {{ contamination_board() | join(',\n        ') }},
        model,
        {{ ordered_list('task_id', ['task_id']) }} as problems
    from scores
    where contest_date is null
    group by all

),

of_models as (

    select
        asked_of.*,
        asked_of.refused as reason,
        case asked_of.refused
            when 'unknown_cutoff'
                then
                    'the end of its training data is not known: add the day '
                    || 'and its source to seeds/model_cutoffs.csv'
            when 'undated_problems'
                then num_undated || ' problems carry no contest date'
            when 'unknown_contests'
                then num_without_contest || ' problems name no contest'
            else num_without_stratum || ' problems name no difficulty'
        end as detail,
        case asked_of.refused
            when 'unknown_cutoff' then 'cutoff_date'
            when 'undated_problems' then 'contest_date'
            when 'unknown_contests' then 'cluster'
            else 'stratum'
        end as differing_field,
        case
            when asked_of.refused = 'undated_problems' then undated.problems
            else {{ no_texts() }}
        end as problems,
        case asked_of.refused
            when 'unknown_cutoff' then num_problems
            when 'undated_problems' then num_undated
            when 'unknown_contests' then num_without_contest
            else num_without_stratum
        end as num_affected
    from asked_of
    left join undated
        using ({{ contamination_board() | join(', ') }}, model)
    where asked_of.refused is not null

),

without_reference as (

    select
        asked_of.*,
        'no_reference_model' as reason,
        'no model of another family on the same problems has a cutoff before '
        || 'or after all of them' as detail,
        'cutoff_date' as differing_field,
        {{ no_texts() }} as problems,
        num_problems as num_affected
    from asked_of
    anti join pairs
        using ({{ contamination_board() | join(', ') }}, model)
    where asked_of.refused is null

),

-- a stratum too thin in a period is as thin against every reference
of_pairs as (

    select
        asked_of.*,
        'few_problems_in_stratum' as reason,
        thin.detail || ' ' || asked_of.cutoff_date as detail,
        'stratum' as differing_field,
        {{ no_texts() }} as problems,
        num_problems as num_affected
    from asked_of
    inner join (
        select distinct
            {{ contamination_board() | join(',\n            ') }},
            model,
            found.refused as detail
        from pairs
        where found.refused is not null
    ) as thin
        using ({{ contamination_board() | join(', ') }}, model)

),

unioned as (

    select * from of_models
    union all
    select * from without_reference
    union all
    select * from of_pairs

),

-- one row per number that is not there: dataset versions share it, and the
-- first of them speaks
aggregated as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        verdict,
        'all' as scope,
        comparable_within as comparability_digest,
        origin,
        'difference_in_differences' as metric,
        reason,
        min_by(detail, dataset_version) as detail,
        {{ list_of(['min(differing_field)']) }} as differing_fields,
        min_by(problems, dataset_version) as problems,
        sum(num_affected)::bigint as num_affected
    from unioned
    group by
        model, benchmark, scenario, test_set, verdict, comparable_within,
        origin, reason

)

select * from aggregated
