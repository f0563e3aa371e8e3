"""Prebins against numpy's quantiles and counts by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from asymptopia.theory._core.result import Result
from asymptopia.theory.scorecard.binning import prebin
from asymptopia.theory.scorecard.binning.status import BinningStatus


def samples(rng: np.random.Generator) -> list[np.ndarray[Any, Any]]:
    return [
        rng.normal(size=1000),
        rng.standard_cauchy(size=777),
        np.exp(rng.normal(0, 40, 500)),
        rng.integers(0, 7, 400),
        np.where(rng.random(600) < 0.4, 0.0, rng.normal(size=600)),
        rng.integers(0, 256, 300).astype(np.uint8),
        rng.normal(size=400).astype(np.float32),
        rng.random(200) < 0.3,
        np.array([-0.0, 0.0, 1.0, -1.0] * 9),
        rng.normal(size=3),
    ]


@pytest.mark.parametrize("limit", [1, 2, 16, 64])
def test_edges_are_the_quantiles_and_counts_are_right(limit: int) -> None:
    rng = np.random.default_rng(limit)
    for values in samples(rng):
        y = rng.integers(0, 2, values.size)
        y[:2] = [0, 1]
        found = prebin(values, y, max_prebins=limit)
        x = values.astype(np.float64)
        # limit and the orders are powers of two, so that n times the order is exact; fewer rows than prebins: each
        orders = np.arange(1, limit) / limit
        edges = np.unique(np.quantile(x, orders, method="inverted_cdf")) if limit > 1 else np.empty(0)
        if values.size < limit:
            edges = np.unique(x)
        assert found.edges.tolist() == edges[edges < x.max()].tolist()
        assert found.good.size <= limit
        codes = np.searchsorted(found.edges, x, side="left")
        for v, side in ((0, found.good), (1, found.bad)):
            assert side.tolist() == np.bincount(codes[y == v], minlength=found.good.size).tolist()
        assert (found.good + found.bad > 0).all()
        assert (found.code(values) == codes).all()


def test_missing_values_are_counted_apart() -> None:
    values = np.array([3.0, math.nan, 1.0, 2.0, math.nan, -math.nan, 2.0])
    found = prebin(values, [0, 1, 1, 0, 0, 1, 1], max_prebins=2)
    assert (found.missing_good, found.missing_bad, found.missing, found.n) == (1, 2, 3, 7)
    assert found.edges.tolist() == [2.0]
    assert (found.good.tolist(), found.bad.tolist()) == ([1, 1], [2, 0])
    assert found.code([math.nan, 2.0, 2.5]).tolist() == [-1, 0, 1]
    assert found.to_frame()["good"].tolist() == [1, 1, 1]


def test_atoms_do_not_part_and_do_not_hide_the_rest() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([np.zeros(9000), rng.uniform(1, 2, 1000)])
    found = prebin(values, np.arange(10_000) % 2, max_prebins=100)
    assert found.edges[0] == 0.0
    assert found.good.size == 11
    rows = found.good + found.bad
    assert rows[0] == 9000
    assert (rows[1:] == 100).all()


@pytest.mark.parametrize("share", [0.02, 0.07, 0.5, 0.6, 1.0])
def test_min_share(share: float) -> None:
    rng = np.random.default_rng(1)
    values = np.round(rng.gamma(1.0, 3.0, 2000))
    found = prebin(values, rng.integers(0, 2, 2000), max_prebins=40, min_share=share)
    rows = found.good + found.bad
    assert rows.sum() == 2000
    assert rows.size == 1 or (rows >= share * 2000).all()
    assert rows.size > 1 or share >= 0.5


def test_constant_column_and_round_trip() -> None:
    found = prebin([4, 4, 4], [0, 1, 0])
    assert found.status is BinningStatus.CONSTANT
    assert (found.edges.size, found.good.tolist(), found.bad.tolist()) == (0, [2], [1])
    assert Result.from_json(found.to_json()) == found
    assert "3, of which 0" in found.summary()


def test_input_is_left_alone() -> None:
    values, y = np.array([3.0, 1.0, 2.0, math.nan]), np.array([0, 1, 1, 0])
    prebin(values, y)
    assert values[:3].tolist() == [3.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "y", "options", "error", "match"),
    [
        ([1.0, math.inf], [0, 1], {}, ValueError, r"values\[1\] is inf"),
        ([math.nan, math.nan], [0, 1], {}, ValueError, "NaN only"),
        ([1.0, 2.0], [1, 1], {}, ValueError, "class 1 only"),
        ([], np.empty(0, dtype=int), {}, ValueError, "no rows"),
        ([1.0, 2.0], [0, 2], {}, ValueError, r"y\[1\] is 2"),
        ([1.0, 2.0], [0], {}, ValueError, "one outcome a row"),
        ([1.0, 2.0], [0.0, 1.0], {}, TypeError, "y has dtype"),
        (["a", "b"], [0, 1], {}, TypeError, "values has dtype"),
        ([[1.0], [2.0]], [0, 1], {}, ValueError, "one axis"),
        ([2**53 + 1, 0], [0, 1], {}, ValueError, r"2\*\*53"),
        (np.ma.masked_array([1.0, 2.0]), [0, 1], {}, TypeError, "masked"),
        ([1.0, 2.0], [0, 1], {"max_prebins": 0}, ValueError, "max_prebins"),
        ([1.0, 2.0], [0, 1], {"min_share": -0.1}, ValueError, "min_share"),
    ],
)
def test_bad_input(values: Any, y: Any, options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        prebin(values, y, **options)
