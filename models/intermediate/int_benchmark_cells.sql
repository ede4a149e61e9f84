-- The pins of every dataset version, one row per number of problems.
with benchmarks as (

    select * from {{ ref('int_benchmarks_unioned') }}

),

words as (

    select
        benchmark,
        dataset_version,
        dataset_digest,
        headline_test_set,
        trim(cells) as cells,
        {{ each_of("split(trim(cells), ' ')") }} as word
    from benchmarks
    where trim(cells) <> ''

),

pinned as (

    select
        benchmark,
        dataset_version,
        dataset_digest,
        headline_test_set,
        instr(' ' || cells || ' ', ' ' || word || ' ') as position,
        split_part(word, ':', 1) as scenario,
        split_part(split_part(word, ':', 2), '=', 1) as test_set,
        split_part(word, '=', 2)::bigint as num_problems_pinned
    from words

),

headline_marked as (

    select
        benchmark,
        dataset_version,
        dataset_digest,
        scenario,
        test_set,
        num_problems_pinned,
        test_set = coalesce(
            max(
                case when test_set = headline_test_set then test_set end
            )
                over (partition by benchmark, dataset_version, scenario),
            max_by(test_set, position)
                over (partition by benchmark, dataset_version, scenario)
        ) as is_headline_test_set
    from pinned

)

select * from headline_marked
