"""What the linter puts in place of dbt: vars as declared, macros as calls that parse. It never runs a query."""

from pathlib import Path
from types import SimpleNamespace

import yaml

_PROJECT = yaml.safe_load((Path(__file__).resolve().parents[2] / "dbt_project.yml").read_text(encoding="utf-8"))

target = SimpleNamespace(type="duckdb")


def var(name, default=None):
    return _PROJECT["vars"].get(name, default)


def cell_key():
    return ["model", "benchmark", "scenario", "test_set", "verdict", "scope", "comparability_digest", "origin"]


def request_fields():
    return ["dataset_version", "temperature", "source"]


def lake(table):
    return f"read_parquet('{table}.parquet')"


def refusals_of(rules):
    return " union all ".join(f"select * from {rule}" for rule in rules)


def part_verdict(kind, part):
    return f"{kind}_{part}_verdict"


def part_reason(kind, part):
    return f"{kind}_{part}_reason"


def part_first_failing_case(kind, part):
    return f"{kind}_{part}_first_failing_case"


def contamination_board():
    return ["score_kind", "benchmark", "origin", "metric"]


def board_key():
    return ["benchmark", "metric", "num_planned"]


def comparability_fields():
    return ["test_set", "temperature", "origin"]


def differences_of(one, other, fields):
    return [f"{one}.{field} is distinct from {other}.{field}" for field in fields]


def same_board(one, other):
    return f"{one}.benchmark = {other}.benchmark"


def names_where_not_null(families):
    return [f"{column} is not null" for column in families.values()]


def names_where_small(families):
    return [f"{column} <= 0.05" for column in families.values()]


def list_of(items, without_nulls=False):
    return f"[{', '.join(map(str, items))}]"


def no_texts():
    return "[]"


def all_but(columns, relation=None):
    return f"{relation}.*" if relation else "*"


def ordered_list(value, order_by):
    return f"list({value})"


def windows():
    return {"spring": ["2024-03-01", "2024-05-31"]}


def given_cutoffs():
    return {"org__name": "2024-05-31"}


def joined_items(items, separator):
    return f"array_to_string({items}, '{separator}')"


def is_truncated():
    return "cut is not null"


def lacks_thinking():
    return "thinking"


def has_unasked_thinking():
    return "not thinking"


def has_previous_build():
    return "true"


def previous_mart(relation):
    return f"previous_build.main.{relation}"


def _call(name):
    return lambda *arguments: f"{name}({', '.join(str(argument) for argument in arguments)})"


for _name in (
    "pass_at_k",
    "pass_at_k_numerator",
    "combinations",
    "log2_combinations",
    "uncertainty",
    "metric_numerator",
    "difference_in_differences",
    "mean_interval",
    "squared_error_of_mean",
    "each_of",
    "num_items",
    "first_items",
    "distinct_list",
    "map_items",
    "num_known",
    "comparison_metric",
    "overall_score",
    "overall_cell",
    "compare_board",
):
    globals()[_name] = _call(_name)


def num_judged(kind):
    return f"{kind}_base_judged"


def num_passed(kind):
    return f"{kind}_base_passed"


def is_answerable(kind):
    return f"has_{kind}"


def counts_by_value(value, count):
    return f"list({value})"


def dense_counts(counts, largest):
    return counts


def metrics_asked():
    return "select 'pass@1' as metric, 1 as k"


def each_of(items):
    return f"unnest({items})"


def distinct_list(value):
    return f"list(distinct {value})"


def numbers_between(first, last):
    return f"generate_series({first}, {last})"


def num_items(items):
    return f"len({items})"


def first_items(items, number):
    return f"{items}[1:{number}]"


def map_items(items, expression):
    return f"list_transform({items}, lambda item: {expression})"


def wide_integer():
    return "hugeint"


def differing_fields(fields):
    return "['source']"


def row_key(columns):
    return f"hash({', '.join(columns)})"


def request_key():
    return ["model", "benchmark", "request_digest"]


def grader_key():
    return ["model", "benchmark", "request_digest", "grader_id"]


def tasks_drawn(tasks):
    return "'t1', 't2'"


def last_sample_bit():
    return "64"


def all_verdict_kinds():
    return "['official', 'strict']"


def sample_bit():
    return "1::hugeint << sample_index::integer"


def is_pass_of_ours():
    return "origin = 'self' and official_base_verdict = 'pass'"


def numbers_of(name, right, whole=False):
    return [1]


def limit_factors():
    return [0.5, 1.0]


def gpu_hour_prices():
    return {}
