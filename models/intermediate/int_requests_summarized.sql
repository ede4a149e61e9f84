-- n is a property of the request: growing it from 5 to 10 leaves the first
-- five rows as they are, so the largest plan counts.
with samples as (

    select * from {{ ref('stg_lake__samples') }}

),

summarized as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        request_digest,
        max(num_planned) as num_planned,
        {%- for field in request_fields() %}
            min({{ field }}) as {{ field }},
        {%- endfor %}
        count(distinct dataset_version) as num_dataset_versions,
        count(distinct dataset_digest) as num_dataset_digests,
        count(*) filter (where dataset_digest is null) as num_unpinned,
        count(*) as num_samples
    from samples
    group by all

)

select * from summarized
