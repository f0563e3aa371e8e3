"""The optimisers inside the kernels against enumeration, and the draws of the permutation test."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from asymptopia.verify.checks import scorecard_binning_kernels as kernels

COUNTS = [kernels.random_counts((1, 2, r, 0, 0), [20.0, 8.0, 0.5]) for r in range(200)]
ALARM = 1e-6


def value_of(good: np.ndarray, bad: np.ndarray, nodes: tuple[int, ...]) -> float:
    p, q = (np.diff(counts[[0, *nodes, 6]]) / counts[6] for counts in (good, bad))
    return float(((p - q) * np.log(p / q)).sum())


def enumerate_bins(good: tuple[float, ...], bad: tuple[float, ...], trend: int) -> tuple[float, int]:
    g, b = np.array(good), np.array(bad)
    best = (0.0, 1)
    for size in (1, 2):
        for nodes in combinations(range(1, 6), size):
            odds = np.diff(b[[0, *nodes, 6]]) / np.diff(g[[0, *nodes, 6]])
            steps = np.diff(odds)
            rising, falling = (steps >= -1e-13).all(), (steps <= 1e-13).all()
            if trend == kernels.FREE or rising or (trend == kernels.EITHER and falling):
                best = max(best, (value_of(g, b, nodes), size + 1))
    return best


@pytest.mark.parametrize("trend", [kernels.FREE, kernels.ASCENDING, kernels.EITHER])
def test_best_partition(trend: int) -> None:
    for good, bad in COUNTS:
        value, bins = kernels.best_partition(good, bad, kernels.INNER, trend)
        expected, _ = enumerate_bins(good, bad, trend)
        assert value == pytest.approx(expected, abs=1e-13)
        assert 1 <= bins <= 3


def test_hull_is_the_convex_minorant() -> None:
    for good, bad in COUNTS:
        nodes = kernels.hull_nodes(good, bad, 1)
        inside = [0, *(i for i in range(1, 6) if (nodes >> i) & 1), 6]
        height = np.interp(good, np.array(good)[inside], np.array(bad)[inside])
        assert (np.array(bad) >= height - 1e-12).all()
        slopes = np.diff(np.array(bad)[inside]) / np.diff(np.array(good)[inside])
        assert (np.diff(slopes) > 0).all()


def test_greedy_and_partition_value() -> None:
    good, bad = COUNTS[0]
    assert kernels.partition_value(good, bad, 0) == 0.0
    assert kernels.partition_value(good, bad, 0b10010) == pytest.approx(
        value_of(np.array(good), np.array(bad), (1, 4)), abs=1e-14
    )
    for good, bad in COUNTS:
        every = kernels.greedy_value(good, bad, kernels.INNER)
        assert every <= enumerate_bins(good, bad, kernels.FREE)[0] + 1e-13
        assert kernels.greedy_value(good, bad, 0b1000) == kernels.partition_value(good, bad, 0b1000)


def test_instances() -> None:
    for counts in (c for pair in COUNTS for c in pair):
        assert counts[0] == 0
        assert (np.diff(counts) >= 1).all()


def test_bads_are_drawn_without_replacement() -> None:
    params = [5.0, 3.0]
    counts = np.array([np.diff(kernels.drawn_bads((3, 4, r, 0, 0), 0, params)[0]) for r in range(4000)])
    assert (counts.sum(axis=1) == 5).all()
    assert counts.max() <= 3
    law = stats.hypergeom(18, 3, 5)
    for cell in range(6):
        seen = np.bincount(counts[:, cell].astype(int), minlength=4)
        assert stats.chisquare(seen, 4000 * law.pmf(range(4))).pvalue > ALARM
    both = stats.multivariate_hypergeom([3] * 6, 5)
    assert np.cov(counts.T)[0, 5] == pytest.approx(both.cov()[0, 5], abs=0.05)


def test_goods_complete_the_prebins() -> None:
    bad, j = kernels.drawn_bads((3, 4, 5, 0, 0), 7, [20.0, 30.0])
    assert j == 27
    assert np.diff(kernels.goods_of(bad, 30.0)) + np.diff(bad) == pytest.approx([30.0] * 6)


def test_permutation_ranks() -> None:
    params = [20.0, 30.0, 18.0, 3.84, 5.99, 1.32, 2.77]
    for r in range(40):
        stream = (3, 4, r, 0, 0)
        values, bins, j = [], 0, 0
        for table in range(20):
            bad, j = kernels.drawn_bads(stream, j, params)
            value, count = kernels.best_partition(kernels.goods_of(bad, 30.0), bad, kernels.INNER, kernels.EITHER)
            bins = count if table == 0 else bins
            values.append(value)
        above = sum(value >= values[0] * (1 - 1e-12) for value in values[1:])
        strict, loose = (3.84, 1.32) if bins < 3 else (5.99, 2.77)
        expected = (above < 1, above < 5, 18 * values[0] > strict, 18 * values[0] > loose)
        assert kernels.permutation_statistics(stream, params) == tuple(map(float, expected))
