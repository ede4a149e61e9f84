-- The last day that a model may have been trained on. The variable
-- model_cutoffs speaks for models that the seed lacks, and wins over it.
with seeded as (

    select * from {{ ref('stg_seeds__model_cutoffs') }}

),

given as (

    {%- for model, day in given_cutoffs().items() %}
        select
            '{{ model }}' as model,
            'stated_cutoff' as cutoff_kind,
            'variable model_cutoffs' as cutoff_source,
            '{{ day }}'::date as cutoff_date
        union all
    {%- endfor %}
    select
        model,
        cutoff_kind,
        cutoff_source,
        cutoff_date
    from seeded
    where false

),

seeded_only as (

    select
        model,
        cutoff_kind,
        cutoff_source,
        cutoff_date
    from seeded
    anti join given using (model)

),

unioned as (

    select * from given
    union all
    select * from seeded_only

)

select * from unioned
