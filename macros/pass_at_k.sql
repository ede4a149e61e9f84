{#- pass@k in integers. `num_planned` is n, `num_passed` is c; arguments may be
    any SQL expression. The Python twin is macros/estimators.py. -#}

{#- The score as a double; NULL where n < k. -#}
{% macro pass_at_k(num_planned, num_passed, k) -%}
    {{- return(adapter.dispatch('pass_at_k', 'benchforge')(
        num_planned, num_passed, k
    )) -}}
{%- endmacro %}


{% macro duckdb__pass_at_k(num_planned, num_passed, k) -%}
    pass_at_k({{ num_planned }}, {{ num_passed }}, {{ k }})
{%- endmacro %}


{#- C(n, k) - C(n - c, k): integer score of a problem over C(n, k). -#}
{% macro pass_at_k_numerator(num_planned, num_passed, k) -%}
    {{- return(adapter.dispatch('pass_at_k_numerator', 'benchforge')(
        num_planned, num_passed, k
    )) -}}
{%- endmacro %}


{% macro duckdb__pass_at_k_numerator(num_planned, num_passed, k) -%}
    (
        combinations({{ num_planned }}, {{ k }})
        - combinations({{ num_planned }} - {{ num_passed }}, {{ k }})
    )
{%- endmacro %}


{#- C(n, k), exact below 2^126, 0 where k > n. -#}
{% macro combinations(n, k) -%}
    {{- return(adapter.dispatch('combinations', 'benchforge')(n, k)) -}}
{%- endmacro %}


{% macro duckdb__combinations(n, k) -%}
    combinations({{ n }}, {{ k }})
{%- endmacro %}


{#- log2 of C(n, k), to refuse what would not fit before computing it. -#}
{% macro log2_combinations(n, k) -%}
    {{- return(adapter.dispatch('log2_combinations', 'benchforge')(n, k)) -}}
{%- endmacro %}


{% macro duckdb__log2_combinations(n, k) -%}
    (
        (
            lgamma({{ n }} + 1)
            - lgamma({{ k }} + 1)
            - lgamma({{ n }} - {{ k }} + 1)
        ) / ln(2)
    )
{%- endmacro %}
