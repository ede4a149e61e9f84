-- Which gap between two models a board of this kind can see: drawn from the
-- noise of its pairs at large, never from the pair in question, whose own
-- power is only its p-value in other words.
with boards as (

    select * from {{ ref('int_boards_compared') }}

),

noise as (

    select
        benchmark,
        scenario,
        test_set,
        comparability_digest,
        origin,
        source,
        dataset_version,
        protocol,
        temperature,
        num_planned,
        num_problems,
        num_models,
        num_models * (num_models - 1) / 2 as num_pairs,
        found.tukey_constant as board_constant,
        found.v_data,
        found.v_prediction,
        found.share_discordant
    from boards
    where metric = 'pass@1' and verdict = 'official' and scope = 'all'

),

samples as (

    select
        {{ each_of(list_of(var('planning_num_samples'))) }} as num_samples

),

sizes as (

    {%- for board in var('planning_boards') %}
        select
            '{{ board.name }}' as board_size,
            {{ board.num_models }} as size_fixed,
            {{ board.constant }}::double as constant_fixed
        union all
    {%- endfor %}
    select
        'this board' as board_size,
        null as size_fixed,
        null as constant_fixed

),

spread as (

    select
        noise.*,
        samples.num_samples,
        sizes.board_size,
        coalesce(sizes.size_fixed, noise.num_models) as size,
        coalesce(sizes.constant_fixed, noise.board_constant) as tukey_constant
    from noise
    cross join samples
    cross join sizes

),

-- one sample a problem tells no noise of sampling apart: no other n is known
with_variance as (

    select
        *,
        case
            when v_prediction is not null
                then greatest(v_data, 0) + v_prediction / num_samples
            when num_planned = 1 and num_samples = 1 then share_discordant
        end as variance
    from spread

),

typed as (

    select
        benchmark,
        scenario,
        test_set,
        comparability_digest,
        origin,
        source,
        dataset_version,
        protocol,
        temperature,
        num_planned::integer as num_planned,
        num_problems::integer as num_problems,
        num_samples::integer as num_samples,
        board_size,
        size::integer as num_models,
        num_pairs::integer as num_pairs,
        v_data,
        v_prediction,
        share_discordant,
        tukey_constant,
        100 * (tukey_constant + {{ var('planning_power_quantile') }})
        * sqrt(variance / num_problems) as gap
    from with_variance

)

select * from typed
order by
    benchmark, scenario, test_set, comparability_digest, origin, source,
    dataset_version, num_planned, num_samples, num_models, board_size
