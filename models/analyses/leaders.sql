-- Who could be first, and which ranks are possible?
-- $benchmark = *: benchmark, * for all
select
    benchmark,
    scenario,
    model,
    score,
    interval_low,
    interval_high,
    rank_low,
    rank_high,
    could_be_first
from headline
where benchmark glob $benchmark
order by benchmark, scenario, score desc, model
