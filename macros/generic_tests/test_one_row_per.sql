{#- Offenders: key values that stand in more than one row. -#}
{% test one_row_per(model, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as num_rows
from {{ model }}
group by all
having count(*) > 1

{% endtest %}
