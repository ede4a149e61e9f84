-- What does a point cost, in tokens and GPU-seconds?
-- $benchmark = *: benchmark, * for all
select
    benchmark,
    scenario,
    test_set,
    model,
    score,
    num_samples,
    completion_tokens,
    gpu_seconds,
    price,
    completion_tokens_per_point,
    gpu_seconds_per_point
from fct_generation_costs
where benchmark glob $benchmark
order by benchmark, scenario, test_set, gpu_seconds_per_point, model
