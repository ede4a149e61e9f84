-- Passes of a cell had its time limits been others: a pass that took less than
-- the share stays one. Nothing is known above the limits of the run itself.
{%- set cell = [
    'model', 'benchmark', 'scenario', 'test_set', 'comparability_digest',
    'verdict',
] | join(', ') %}
with sample_results as (

    select * from {{ ref('fct_sample_results') }}

),

limit_shares as (

    select * from {{ ref('int_limit_shares') }}

),

verdicts as (

    select
        {{ cell }},
        sample_id,
        grader_id,
        task_digest,
        is_passed,
        limit_factor as graded_factor,
        test_set = 'plus' and plus_verdict is not null as needs_plus,
        case
            when verdict = 'official' then program_id
            else corrected_program_id
        end as program_id
    from sample_results
    where origin = 'self' and not is_unsafe

),

with_shares as (

    select
        verdicts.*,
        case
            when not verdicts.needs_plus then limit_shares.base_limit_share
            when
                limit_shares.base_limit_share is not null
                and limit_shares.plus_limit_share is not null
                then greatest(
                    limit_shares.base_limit_share,
                    limit_shares.plus_limit_share
                )
        end as limit_share
    from verdicts
    left join limit_shares
        on
            verdicts.task_digest = limit_shares.task_digest
            and verdicts.grader_id = limit_shares.grader_id
            and verdicts.program_id = limit_shares.program_id

),

factors as (

    select unnest({{ var('limit_factors') }}::double[]) as limit_factor
    union
    select graded_factor as limit_factor
    from verdicts
    where graded_factor > 1.0

),

-- the run with the least limits that still cover the factor
asked as (

    select
        with_shares.*,
        factors.limit_factor
    from with_shares
    inner join factors
        on with_shares.graded_factor >= factors.limit_factor
    qualify row_number() over (
        partition by
            {{ cell }}, with_shares.sample_id, factors.limit_factor
        order by with_shares.graded_factor, with_shares.grader_id
    ) = 1

),

decided as (

    select
        *,
        case
            when not is_passed then false
            when limit_factor = graded_factor then true
            else limit_share <= limit_factor
        end as is_passed_then
    from asked

),

compared as (

    select
        *,
        is_passed_then <> bool_or(
            case when limit_factor = 1.0 then is_passed_then end
        ) over (partition by {{ cell }}, sample_id) as is_flipped
    from decided

),

aggregated as (

    select
        {{ cell }},
        limit_factor,
        count(*)::integer as num_samples,
        count(*) filter (where is_passed_then is null)::integer
            as num_unknown,
        case
            when count(is_passed_then) = count(*)
                then count(*) filter (where is_passed_then)::integer
        end as num_passed,
        case
            when count(is_flipped) = count(*)
                then count(*) filter (where is_flipped)::integer
        end as num_flipped
    from compared
    group by all

)

select * from aggregated
order by {{ cell }}, limit_factor
