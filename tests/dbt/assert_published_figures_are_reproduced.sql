-- Offenders: figures of recorded sets that our recomputation does not hit and
-- that no exception explains. A lake without the recorded set has none.
with agreement as (

    select * from {{ ref('fct_published_agreement') }}

),

offenders as (

    select *
    from agreement
    where
        num_problems > 0
        and (
            coalesce(not is_reproduced, false)
            or (is_reproduced is null and not is_exception)
        )

)

select * from offenders
