-- Each suspect against each of its references on the same problems. Models of
-- one family share training data and are no pair.
{%- set board = contamination_board() %}
with models as (

    select * from {{ ref('int_cutoffs_judged') }}

),

scores as (

    select * from {{ ref('int_scores_dated') }}

),

suspects as (

    select *
    from models
    where is_suspect and refused is null

),

paired as (

    select
        {%- for column in board %}
            suspects.{{ column }},
        {%- endfor %}
        suspects.model,
        suspects.cutoff_date,
        suspects.cutoff_kind,
        candidates.model as reference,
        candidates.cutoff_date as reference_cutoff_date,
        candidates.cutoff_kind as reference_cutoff_kind
    from suspects
    inner join models as candidates
        on
            {%- for column in board %}
                suspects.{{ column }} = candidates.{{ column }}
                and
            {%- endfor %}
            suspects.problem_set = candidates.problem_set
            and suspects.model <> candidates.model
    where
        candidates.is_reference
        and coalesce(suspects.family <> candidates.family, true)

),

-- a cap by name, never by score: choosing by outcome would bias the answer
limited as (

    select *
    from paired
    qualify row_number() over (
        partition by {{ board | join(', ') }}, model
        order by reference_cutoff_kind desc, reference asc
    ) <= {{ var('num_contamination_references') }}

),

problems as (

    select
        {%- for column in board %}
            limited.{{ column }},
        {%- endfor %}
        limited.model,
        limited.cutoff_date,
        limited.cutoff_kind,
        limited.reference,
        limited.reference_cutoff_date,
        limited.reference_cutoff_kind,
        mine.task_id,
        mine.score_units::double / mine.units_per_problem::double
        - theirs.score_units::double / theirs.units_per_problem::double
            as difference,
        mine.contest_date > limited.cutoff_date as is_after,
        mine.stratum,
        mine.cluster
    from limited
    inner join scores as mine
        on
            {%- for column in board %}
                limited.{{ column }} = mine.{{ column }}
                and
            {%- endfor %}
            limited.model = mine.model
    inner join scores as theirs
        on
            {%- for column in board %}
                limited.{{ column }} = theirs.{{ column }}
                and
            {%- endfor %}
            limited.reference = theirs.model
            and mine.task_id = theirs.task_id

),

gathered as (

    select
        {{ board | join(', ') }},
        model,
        cutoff_date,
        cutoff_kind,
        reference,
        reference_cutoff_date,
        reference_cutoff_kind,
        count(*) as num_problems,
        count(distinct cluster) as num_contests,
        {{ ordered_list('difference', ['task_id']) }} as differences,
        {{ ordered_list('is_after', ['task_id']) }} as is_after,
        {{ ordered_list('stratum', ['task_id']) }} as strata,
        {{ ordered_list('cluster', ['task_id']) }} as clusters
    from problems
    group by all

),

estimated as (

    select
        {{ all_but(['differences', 'is_after', 'strata', 'clusters']) }},
        {{ difference_in_differences(
            'differences', 'is_after', 'strata', 'clusters'
        ) }} as found
    from gathered

)

select * from estimated
