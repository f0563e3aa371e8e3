"""Conditional information value: chain rule, derivatives, null law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2

from asymptopia.theory.scorecard import information_value
from asymptopia.theory.scorecard.conditional import ConditionalIVResult, ConditionalStatus, conditional_iv
from asymptopia.theory.scorecard.inference import jeffreys

PARENTS = np.array([0.6, 0.3, 0.1]), np.array([0.15, 0.25, 0.6])
WITHIN = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]])


def drawn_table(seed, low=5, shape=(3, 4)):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(low, 300, shape), rng.integers(low, 60, shape)], axis=-1)


def value(p, q):
    """Difference of the two divergences, by its definition."""
    total = ((p - q) * np.log(p / q)).sum()
    return total - ((p.sum(axis=1) - q.sum(axis=1)) * np.log(p.sum(axis=1) / q.sum(axis=1))).sum()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("smoothing", [0.0, 0.5, 2.0])
def test_moments_by_numerical_derivatives(seed, smoothing):
    table = drawn_table(seed).astype(float)
    found = conditional_iv(table, smoothing=smoothing)
    counts = table + smoothing
    shares = [counts[..., k] / counts[..., k].sum() for k in (0, 1)]
    sizes = [table[..., k].sum() for k in (0, 1)]
    chosen = found.estimate_smoothed if smoothing else found.estimate
    assert chosen == pytest.approx(value(*shares), rel=1e-12)
    step, cells = 1e-4, shares[0].size
    variance = bias = 0.0
    for k in (0, 1):
        share, size = shares[k].ravel(), sizes[k]

        def at(change, k=k):
            moved = [part.copy() for part in shares]
            moved[k] = moved[k] * (1 + change.reshape(moved[k].shape))
            return value(*moved)

        # relative steps: derivatives times the shares
        unit = np.eye(cells) * step
        up, down = np.array([at(row) for row in unit]), np.array([at(-row) for row in unit])
        slope = (up - down) / (2 * step) / share
        curve = np.empty((cells, cells))
        for i in range(cells):
            for j in range(cells):
                plus, minus = unit[i] + unit[j], unit[i] - unit[j]
                curve[i, j] = (at(plus) - at(minus) - at(-minus) + at(-plus)) / (4 * step * step)
        curve /= np.outer(share, share)
        # the second difference in one direction has a step of its own, and here the shares are moved by 2 steps
        covariance = (np.diag(share) - np.outer(share, share)) / size
        variance += slope @ covariance @ slope
        bias += np.trace(curve @ covariance) / 2 + slope @ (smoothing * (1 - cells * share)) / size
    assert found.se == pytest.approx(math.sqrt(variance), rel=1e-6)
    assert found.bias == pytest.approx(bias, rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_chain_rule(seed):
    table = drawn_table(seed)
    found = conditional_iv(table)
    x, y = table[..., 0], table[..., 1]
    assert found.iv_joint == pytest.approx(jeffreys(x.ravel(), y.ravel()), rel=1e-15)
    assert found.estimate == pytest.approx(found.iv_joint - found.iv_first, rel=1e-11)
    assert found.estimate == pytest.approx(found.contributions.sum(), rel=1e-14)
    assert (found.contributions >= 0).all()
    swapped = conditional_iv(table.transpose(1, 0, 2))
    assert swapped.iv_first == pytest.approx(found.iv_second, rel=1e-14)
    assert swapped.iv_first + swapped.estimate == pytest.approx(found.iv_first + found.estimate, rel=1e-12)


def test_one_level_is_the_information_value():
    x, y = np.array([139, 49, 164, 348]), np.array([135, 14, 105, 46])
    found, plain = conditional_iv(np.stack([x, y], axis=-1)[None]), information_value(x, y)
    for name in ("estimate", "estimate_smoothed", "se", "bias", "statistic", "n_eff"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-13)
    assert found.iv_first == 0.0
    assert_allclose(found.null_weights, 1.0, rtol=1e-15)
    assert found.log_pvalue == pytest.approx(plain.log_pvalue, rel=1e-9)
    # far from 0 both laws have the same scale
    assert found.ci == pytest.approx(plain.ci, rel=0.02)


def test_first_feature_without_effect_gives_a_plain_chi_square():
    table = np.array([[[40, 10], [60, 30]], [[90, 30], [10, 10]]])
    found = conditional_iv(table)
    assert_allclose(found.null_weights, 1.0, rtol=1e-14)
    assert found.pvalue == pytest.approx(chi2.sf(found.statistic, 2), rel=1e-9)


def test_cancellation():
    # 12 digits of the difference of two information values cancel
    x = np.array([[10**12, 10**12 + 10**6, 10**12 - 10**6], [2 * 10**6, 10**6, 10**6]])
    y = np.array([[10**12] * 3, [4 * 10**6, 2 * 10**6, 2 * 10**6]])
    found = conditional_iv(np.stack([x, y], axis=-1))
    # only the first level contributes: twice its chi-square form over two samples
    n, m = x.sum(), y.sum()
    expected = (3e12 / n + 3e12 / m) / 2 * 2e-12 / 3
    assert found.estimate == pytest.approx(expected, rel=1e-8)


def test_null_law_by_simulation():
    rng = np.random.default_rng(2)
    p, q = ((parents[:, None] * WITHIN).ravel() for parents in PARENTS)
    n, m, repeats = 8000, 2000, 600
    statistics, rejected, naive, covered = [], [], [], []
    for x, y in zip(rng.multinomial(n, p, repeats), rng.multinomial(m, q, repeats), strict=True):
        found = conditional_iv(np.stack([x, y], axis=-1).reshape(3, 4, 2))
        statistics.append(found.statistic)
        rejected.append(found.pvalue <= 0.05)
        naive.append(chi2.sf(found.statistic, 9) <= 0.05)
        covered.append(found.ci.low == 0.0)
    # lambda_i = n_e (p_i + q_i)/2 (1/(n p_i) + 1/(m q_i)) on three degrees of freedom each
    weights = 1600 * (PARENTS[0] + PARENTS[1]) / 2 * (1 / (n * PARENTS[0]) + 1 / (m * PARENTS[1]))
    deviation = math.sqrt(2 * 3 * (weights**2).sum())
    assert np.mean(statistics) == pytest.approx(3 * weights.sum(), abs=5 * deviation / math.sqrt(repeats))
    # binomial errors 0.009
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.035)
    assert np.mean(naive) > 0.15
    assert np.mean(covered) > 0.94


def test_zero_cells_and_empty_levels():
    table = drawn_table(3)
    table[0, 0, 1] = 0
    zero = conditional_iv(table)
    assert zero.status is ConditionalStatus.ZERO_CELL
    assert zero.estimate == math.inf
    assert math.isnan(zero.se)
    assert math.isfinite(zero.estimate_smoothed)
    assert 0 < zero.pvalue < 1
    assert zero.ci.high < math.inf
    assert math.isfinite(conditional_iv(table, smoothing=0.5).se)
    table = drawn_table(3)
    table[1, :, 1] = 0
    lost = conditional_iv(table)
    assert lost.status is ConditionalStatus.EMPTY_PARENT
    assert lost.contributions[1] == 0.0
    assert lost.dof == 6
    rest = conditional_iv(table[[0, 2]])
    # the other levels keep their laws; their shares of the goods shrink
    assert 0 < lost.estimate < rest.estimate
    # a cell that is empty in both samples is no cell
    table = drawn_table(3)
    table[2, 3] = 0
    assert conditional_iv(table).dof == 8
    assert conditional_iv(table).status is ConditionalStatus.OK


def test_nothing_to_test():
    found = conditional_iv([[[5, 3]], [[7, 9]]])
    assert found.status is ConditionalStatus.NOTHING_TO_TEST
    assert (found.estimate, found.dof) == (0.0, 0)
    assert all(math.isnan(number) for number in (found.pvalue, found.se, *found.ci))


def test_equal_laws():
    x = np.array([[40, 60], [90, 30]])
    found = conditional_iv(np.stack([x, x * np.array([[2], [1]])], axis=-1))
    assert found.estimate == pytest.approx(0.0, abs=1e-16)
    assert found.pvalue == pytest.approx(1.0)
    assert found.ci.low == 0.0
    assert found.ci.high > 0


def test_round_trip():
    found = conditional_iv(drawn_table(1))
    assert ConditionalIVResult.from_json(found.to_json()) == found
    assert "IV of each alone" in found.summary()
    assert found.to_frame()["contribution"].sum() == pytest.approx(found.estimate)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: conditional_iv([[1, 2], [3, 4]]), r"table has shape \(2, 2\)"),
        (lambda: conditional_iv(np.zeros((2, 2, 3))), r"table has shape \(2, 2, 3\)"),
        (lambda: conditional_iv([[[1, 0]], [[3, 0]]]), r"table\[..., 1\].sum\(\) is 0"),
        (lambda: conditional_iv([[[1.5, 1]], [[3, 2]]]), "whole counts"),
        (lambda: conditional_iv([[[-1, 1]], [[3, 2]]]), "counts >= 0"),
        (lambda: conditional_iv([[[1, 1]], [[3, 2]]], smoothing=-1), "smoothing is -1.0"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()
