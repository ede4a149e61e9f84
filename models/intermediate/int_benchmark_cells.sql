-- The pins of the benchmark seed, one row per number of problems.
with benchmarks as (

    select * from {{ ref('stg_seeds__benchmarks') }}

),

words as (

    select
        benchmark,
        dataset_version,
        dataset_digest,
        headline_test_set,
        unnest(string_split(trim(cells), ' ')) as word,
        generate_subscripts(string_split(trim(cells), ' '), 1) as position
    from benchmarks
    where trim(cells) <> ''

),

pinned as (

    select
        benchmark,
        dataset_version,
        dataset_digest,
        headline_test_set,
        position,
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
            max(test_set) filter (where test_set = headline_test_set)
                over (partition by benchmark, dataset_version, scenario),
            arg_max(test_set, position)
                over (partition by benchmark, dataset_version, scenario)
        ) as is_headline_test_set
    from pinned

)

select * from headline_marked
