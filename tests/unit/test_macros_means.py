"""Intervals of means that others recorded: reference values, edges, and the function that SQL calls."""

import duckdb
import numpy as np
import pytest
from benchforge.macros import udfs
from benchforge.macros.estimators import Interval, interval
from benchforge.macros.udfs_means import mean_interval_of


def interval_of_mean(scores, clusters=None):
    found = mean_interval_of(list(scores), clusters)
    return None if found is None else Interval(**{**found, "flags": tuple(found["flags"])})


def test_any_scores_give_the_reference_limits():
    """Scores 1/3, 1/2, 1, 1, 0: .245257847487 .842183814007, rounded outwards."""
    found = interval_of_mean([1 / 3, 1 / 2, 1, 1, 0])
    assert found is not None and (found.low, found.high, found.method) == (0.245257, 0.842184, "el_half")
    found = interval_of_mean([0.9, *[1.0] * 163])
    assert found is not None and (found.low, found.high) == (0.979096, 0.999760)
    assert found.flags == ("few_failures",)


@pytest.mark.parametrize("clusters", [None, [str(i % 25) for i in range(480)]])
def test_means_of_samples_have_the_interval_of_the_samples(clusters):
    passes = np.arange(480) * 7 % 11 * (np.arange(480) % 3 > 0)
    expected = interval(passes, 10, 1, clusters)
    assert interval_of_mean(passes / 10, clusters) == expected


def test_problems_stand_alone_where_a_cluster_is_not_known_or_clusters_are_few():
    scores = [0.1 * (i % 11) for i in range(40)]
    labels: list[str | None] = [str(i // 2) for i in range(40)]
    clustered = interval_of_mean(scores, labels)
    assert clustered is not None and clustered.method == "el_half_clustered"
    unknown = interval_of_mean(scores, [*labels[:-1], None])
    assert unknown == interval_of_mean(scores) and unknown is not None and unknown.flags == ()
    few = interval_of_mean(scores, [str(i // 4) for i in range(40)])
    assert few is not None and (few.method, few.flags) == ("el_half", ("few_clusters",))


@pytest.mark.parametrize(("score", "limits"), [(0.0, (0.0, 0.975)), (1.0, (0.025, 1.0))])
def test_one_problem_at_an_end(score, limits):
    found = interval_of_mean([score])
    assert found is not None and (found.low, found.high) == limits
    assert found.method == "clopper_pearson" and found.flags == ("few_failures", "small_n")


def test_no_problem_has_no_interval_and_what_is_no_score_is_an_error():
    assert interval_of_mean([]) is None
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="outside 0 … 1"):
            interval_of_mean([0.5, value])


def test_sql_calls_it_and_order_moves_nothing():
    connection = duckdb.connect()
    udfs.register(connection)
    ask = "select mean_interval_udf({}, {}) as found"
    one = connection.execute(ask.format("[1/3, 1/2, 1, 1, 0]::double[]", "null")).fetchall()[0][0]
    two = connection.execute(ask.format("[0, 1, 1/2, 1, 1/3]::double[]", "[null, 'a', 'b', 'c', 'd']")).fetchall()
    assert one == two[0][0] == {"low": 0.245257, "high": 0.842184, "method": "el_half", "flags": ["small_n"]}
    assert connection.execute(ask.format("[]::double[]", "null")).fetchall() == [(None,)]
    assert connection.execute(ask.format("null", "null")).fetchall() == [(None,)]
