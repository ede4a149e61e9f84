-- Offenders: bounds below the score or above one, more cut answers than
-- samples, and cells without a wrong cut answer whose bound moved.
with truncated_answers as (

    select * from {{ ref('fct_truncated_answers') }}

),

offenders as (

    select *
    from truncated_answers
    where
        bound_numerator < score_numerator
        or bound_numerator > score_denominator
        or num_truncated > num_samples
        or num_truncated_passed > num_truncated
        or (
            num_truncated = num_truncated_passed
            and bound_numerator <> score_numerator
        )

)

select * from offenders
