{#- Functions that live in the file: any DuckDB client can call them. -#}
{% macro create_functions() -%}
    {{- return(adapter.dispatch('create_functions', 'benchforge')()) -}}
{%- endmacro %}


{#- combinations: each step divides before it multiplies, so nothing exceeds
    the result; i / gcd divides what has been multiplied so far. -#}
{% macro duckdb__create_functions() -%}
    create or replace macro combinations(n, k) as (
        case
            when k < 0 or k > n then 0::hugeint
            when k = 0 or k = n then 1::hugeint
            else list_reduce(
                range(1, least(k, n - k)::bigint + 1),
                lambda made, i:
                    made
                    // (i // gcd(n - least(k, n - k) + i, i))
                    * (
                        (n - least(k, n - k) + i)
                        // gcd(n - least(k, n - k) + i, i)
                    ),
                1::hugeint
            )
        end
    );
    create or replace macro pass_at_k(n, c, k) as (
        case
            when k < 1 or n < k or c not between 0 and n then null
            when n - c < k then 1.0::double
            else 1.0::double - list_product(list_transform(
                range(0, k::bigint),
                lambda j: (n - c - j)::double / (n - j)::double
            ))
        end
    );
    create or replace macro pass_hat_k(n, c, k) as (
        case
            when k < 1 or n < k or c not between 0 and n then null
            when c < k then 0.0::double
            else list_product(list_transform(
                range(0, k::bigint),
                lambda j: (c - j)::double / (n - j)::double
            ))
        end
    );
    create or replace macro wilson_interval(passed, total) as (
        case
            when passed between 0 and total and total > 0 then {
                'low': greatest(0.0::double, (
                    passed + 1.920729410347062
                    - 1.959963984540054 * sqrt(
                        passed * (1 - passed / total) + 0.960364705173531
                    )
                ) / (total + 3.841458820694124)),
                'high': least(1.0::double, (
                    passed + 1.920729410347062
                    + 1.959963984540054 * sqrt(
                        passed * (1 - passed / total) + 0.960364705173531
                    )
                ) / (total + 3.841458820694124))
            }
        end
    );
{%- endmacro %}
