"""The exact values behind the tolerances, against direct sums."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from asymptopia.theory.scorecard.cumulants import second_order_cumulants
from asymptopia.theory.scorecard.generators import Generator
from asymptopia.theory.scorecard.shares import Shares
from asymptopia.verify.checks import scorecard_remainders as remainders

P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.4, 0.3])
SHARES = Shares(P, Q, P - Q)


def law(size: int, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts = np.array([(i, j, size - i - j) for i, j in product(range(size + 1), repeat=2) if i + j <= size])
    return counts / size, stats.multinomial(size, share).pmf(counts)


@pytest.mark.parametrize("m", [70, math.inf])
def test_variance_and_mean_by_enumeration(m: float) -> None:
    first, weight = law(80, P)
    second, other = (Q[None], np.ones(1)) if math.isinf(m) else law(int(m), Q)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = ((first[:, None] - second[None]) * np.log(first[:, None] / second[None])).sum(axis=2)
    # empty cells have a probability below 1e-7
    full = (first > 0).all(axis=1)[:, None] & (second > 0).all(axis=1)[None]
    both = np.where(full, weight[:, None] * other[None], 0.0)
    value = np.where(full, value, 0.0)
    mean = (both * value).sum()
    variance = (both * (value - mean) ** 2).sum()
    assert remainders.exact_jeffreys_variance(SHARES, 80, m) == pytest.approx(variance, rel=1e-5)
    assert remainders.exact_divergence_mean(Generator("jeffreys"), SHARES, 80, m) == pytest.approx(mean, rel=1e-6)


def test_second_order_of_two_samples() -> None:
    cumulants = second_order_cumulants(SHARES, 900, 300)
    spread = remainders.two_sample_covariance(SHARES, 900, 300)
    gradient = np.concatenate([np.log(P / Q) - Q / P, -np.log(P / Q) - P / Q])
    first = float(gradient @ spread @ gradient)
    total = first + remainders.quadratic_variance(Generator("jeffreys"), SHARES, spread)
    assert total == pytest.approx(cumulants.variance, rel=1e-12)


def test_margins_of_a_table() -> None:
    table = np.array([[30.0, 5.0, 1.0], [4.0, 20.0, 6.0], [2.0, 3.0, 29.0]])
    codes = np.array(list(np.ndindex(3, 3)))
    weight = (table / table.sum()).ravel()
    marks = np.concatenate([np.eye(3)[codes[:, 0]], np.eye(3)[codes[:, 1]]], axis=1)
    expected = np.cov(marks.T, aweights=weight, ddof=0) / table.sum()
    np.testing.assert_allclose(remainders.paired_covariance(table), expected, atol=1e-15)


def test_quantile_mean() -> None:
    counts = np.array([30.0, 40.0, 30.0])
    total = 0.0
    for i, count in enumerate(counts):
        shape = count + (i == 2)
        x = np.arange(61)
        weight = stats.betabinom(60, shape, 101 - shape).pmf(x)
        p, q = (x + 0.5) / 61.5, (count + 0.5) / 101.5
        total += float(weight @ ((p - q) * np.log(p / q)))
    assert remainders.exact_quantile_mean(60, counts, 0.5) == pytest.approx(total, rel=1e-10)
