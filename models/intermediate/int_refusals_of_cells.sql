-- Cells whose rows do not belong together, or cannot be trusted: every metric
-- of them is refused.
{%- set key = cell_key() | join(', ') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

mixed_requests as (

    select
        {{ key }},
        'all' as metric,
        'mixed_requests' as reason,
        num_requests || ' requests differ in '
        || coalesce(
            nullif({{ joined_items('differing_fields', ', ') }}, ''),
            'a field that samples do not carry'
        ) as detail,
        differing_fields,
        {{ no_texts() }} as problems,
        num_requests as num_affected
    from cells
    where num_requests > 1

),

-- a request digest that does not keep its word
mixed_samples as (

    select
        {{ key }},
        'all' as metric,
        'mixed_requests' as reason,
        'samples of one request differ in '
        || {{ joined_items('fields_differing_within', ', ') }} as detail,
        fields_differing_within as differing_fields,
        {{ no_texts() }} as problems,
        num_requests as num_affected
    from cells
    where
        num_requests = 1
        and {{ num_items('fields_differing_within') }} > 0

),

mixed_graders as (

    select
        {{ key }},
        'all' as metric,
        'mixed_graders' as reason,
        num_graders || ' graders judged parts of it: score the rest again'
            as detail,
        {{ list_of(["'grader_id'"]) }} as differing_fields,
        {{ no_texts() }} as problems,
        num_graders as num_affected
    from cells
    where num_graders > 1

),

mixed_datasets as (

    select
        {{ key }},
        'all' as metric,
        'mixed_datasets' as reason,
        'samples come from more than one version of the problem file'
            as detail,
        {{ list_of(["'dataset_version'", "'dataset_digest'"]) }}
            as differing_fields,
        {{ no_texts() }} as problems,
        greatest(num_dataset_versions, num_dataset_digests) as num_affected
    from cells
    where num_dataset_versions > 1 or num_dataset_digests > 1

),

unsafe_rows as (

    select
        {{ key }},
        'all' as metric,
        'unsafe_rows' as reason,
        num_unsafe || ' verdicts were made with --unsafe' as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        num_unsafe as num_affected
    from cells
    where num_unsafe > 0

),

-- the switch had no effect on some of its answers: they are of another model
not_thought as (

    select
        {{ key }},
        'all' as metric,
        'thinking_absent' as reason,
        num_not_thought || ' answers came without the thinking asked for'
            as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        num_not_thought as num_affected
    from cells
    where num_not_thought > 0

),

thought_unasked as (

    select
        {{ key }},
        'all' as metric,
        'thinking_not_off' as reason,
        num_thought_unasked
        || ' answers were thought about, with thinking switched off' as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        num_thought_unasked as num_affected
    from cells
    where num_thought_unasked > 0

),

-- recorded verdicts may lack the digest; what they have must agree
unpinned_datasets as (

    select
        {{ key }},
        'all' as metric,
        'unpinned_dataset' as reason,
        case
            when num_problems_pinned is null
                then
                    'seeds/benchmarks.csv pins no count for '
                    || benchmark || ' ' || dataset_version || ' '
                    || scenario || ':' || test_set
            when num_unpinned > 0
                then num_unpinned || ' samples carry no dataset digest'
            else
                'the dataset digest is not the pinned one of '
                || dataset_version
        end as detail,
        {{ list_of(["'dataset_digest'"]) }} as differing_fields,
        {{ no_texts() }} as problems,
        greatest(num_unpinned, 1)::bigint as num_affected
    from cells
    where
        num_problems_pinned is null
        or (origin = 'self' and num_unpinned > 0)
        or (
            dataset_digest is not null
            and dataset_digest is distinct from dataset_digest_pinned
        )

),

unioned as (

    {{ refusals_of([
        'mixed_requests',
        'mixed_samples',
        'mixed_graders',
        'mixed_datasets',
        'unsafe_rows',
        'unpinned_datasets',
        'not_thought',
        'thought_unasked',
    ]) }}

)

select * from unioned
