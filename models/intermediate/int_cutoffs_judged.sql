-- What a model can be in a difference in differences. A suspect has problems
-- on both sides of its cutoff. A reference is at the same distance from all
-- of them: it saw none, or could see every one. A release date only bounds a
-- cutoff from above, so it can say "saw none" and never "could see all".
{%- set board = contamination_board() %}
with scores as (

    select * from {{ ref('int_scores_dated') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_unioned') }}

),

declared as (

    select * from {{ ref('stg_seeds__models') }}

),

summarized as (

    select
        {{ board | join(', ') }},
        model,
        count(*) as num_problems,
        min(contest_date) as first_date,
        max(contest_date) as last_date,
        count(*) filter (where contest_date is null) as num_undated,
        count(*) filter (where cluster is null) as num_without_contest,
        count(*) filter (where stratum is null) as num_without_stratum,
        md5({{ joined_items(ordered_list('task_id', ['task_id']), ' ') }})
            as problem_set
    from scores
    group by {{ board | join(', ') }}, model

),

joined as (

    select
        summarized.*,
        cutoffs.cutoff_date,
        cutoffs.cutoff_kind,
        declared.family,
        coalesce(
            cutoffs.cutoff_date >= summarized.first_date
            and cutoffs.cutoff_date < summarized.last_date,
            false
        ) as is_suspect,
        coalesce(
            cutoffs.cutoff_date < summarized.first_date
            or (
                cutoffs.cutoff_kind = 'stated_cutoff'
                and cutoffs.cutoff_date >= summarized.last_date
            ),
            false
        ) as is_reference
    from summarized
    left join cutoffs
        on summarized.model = cutoffs.model
    left join declared
        on summarized.model = declared.model

),

-- what of a suspect's own rows already forbids the question
judged as (

    select
        *,
        case
            when cutoff_date is null then 'unknown_cutoff'
            when not is_suspect then null
            when num_undated > 0 then 'undated_problems'
            when num_without_contest > 0 then 'unknown_contests'
            when num_without_stratum > 0 then 'unknown_strata'
        end as refused
    from joined

)

select * from judged
