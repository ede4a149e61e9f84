-- Is A really better than B?
-- $a = *: the one model
-- $b = *: the other model
select
    benchmark,
    scenario,
    test_set,
    metric,
    verdict,
    model,
    other_model,
    difference,
    difference_low,
    difference_high,
    num_discordant,
    p_value,
    families_held
from fct_model_comparisons
where
    (model glob $a and other_model glob $b)
    or (model glob $b and other_model glob $a)
order by all
