"""Paired monitoring: the transition table, its moments, null law and interval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asymptopia.theory.scorecard import ScorecardStatus, information_value, psi
from asymptopia.theory.scorecard.intervals import snc
from asymptopia.theory.scorecard.paired import PairedSamples

TABLE = np.array([[90, 12, 3], [10, 80, 15], [1, 8, 85]])


def by_matrices(table, a):
    """Divergence, variance and bias from gradient, Hessian and covariance of both margins, with no simplification."""
    t = (table + a * np.eye(len(table))) / (table.sum() + a * len(table))
    p, q = t.sum(axis=1), t.sum(axis=0)
    bins, size, ratio = len(p), table.sum(), np.log(p / q)
    gradient = np.concatenate([ratio + 1 - q / p, -ratio + 1 - p / q])
    cross = np.diag(-1 / p - 1 / q)
    hessian = np.block([[np.diag(1 / p + q / p**2), cross], [cross, np.diag(1 / q + p / q**2)]])
    joint = t - np.outer(p, q)
    covariance = np.block([[np.diag(p) - np.outer(p, p), joint], [joint.T, np.diag(q) - np.outer(q, q)]]) / size
    shift = a * (1 - bins * np.concatenate([p, q])) / size
    bias = 0.5 * np.trace(hessian @ covariance) + shift @ gradient
    return ((p - q) * ratio).sum(), gradient @ covariance @ gradient, bias


@pytest.mark.parametrize("a", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("table", [TABLE, np.arange(1, 17).reshape(4, 4), np.array([[500, 3], [40, 70]])])
def test_moments(table, a):
    found = PairedSamples(table.astype(float)).moments(a)
    exact = by_matrices(table, a)
    np.testing.assert_allclose(found, exact, rtol=1e-10)


def test_null_weights():
    result = psi(TABLE, baseline="paired")
    n = TABLE.sum()
    pooled = (TABLE.sum(axis=0) + TABLE.sum(axis=1)) / (2 * n)
    covariance = (2 * np.diag(pooled) - (TABLE + TABLE.T) / n) / n
    eigenvalues = np.sort(np.linalg.eigvals(np.diag(1 / pooled) @ covariance).real)
    assert abs(eigenvalues[0]) < 1e-16
    np.testing.assert_allclose(result.null_weights, eigenvalues[1:] * n / 2, rtol=1e-10)
    assert result.dof == 2
    assert result.n_eff == n / 2


def test_independence_gives_back_two_samples():
    p, q = np.array([2, 3, 5]), np.array([2, 3, 5])
    table = np.outer(p, q) * 100
    paired = psi(table, baseline="paired")
    np.testing.assert_allclose(paired.null_weights, 1.0, rtol=1e-12)
    assert paired.pvalue == 1.0
    shifted = np.outer([2, 3, 5], [3, 3, 4]) * 1000
    free = psi(shifted.sum(axis=1), shifted.sum(axis=0))
    same = psi(shifted, baseline="paired")
    assert same.estimate == free.estimate
    assert same.se == pytest.approx(free.se, rel=1e-12)
    assert same.bias == pytest.approx(free.bias, rel=1e-10)
    assert same.ci == pytest.approx(free.ci, rel=0.01)
    np.testing.assert_allclose(same.woe_se, free.woe_se, rtol=1e-12)


def test_persistence_makes_the_naive_test_blind():
    table = np.diag([9700] * 5) + np.diag([250] * 4, 1) + np.diag([50] * 4, -1)
    paired = psi(table, baseline="paired")
    naive = psi(table.sum(axis=1), table.sum(axis=0))
    assert paired.statistic == pytest.approx(naive.statistic, rel=1e-14)
    assert paired.pvalue < 1e-6 < naive.pvalue
    assert paired.se < naive.se
    assert paired.ci.high < naive.ci.high


def test_pvalue_by_simulation():
    result = psi(TABLE, baseline="paired")
    rng = np.random.default_rng(5)
    drawn = (rng.chisquare(1, (400_000, 2)) * result.null_weights).sum(axis=1)
    share = (drawn > result.statistic).mean()
    assert result.pvalue == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / 400_000))


def test_bins_without_exchange_are_no_degree_of_freedom():
    table = np.array([[50, 5, 0, 0], [9, 40, 0, 0], [0, 0, 70, 7], [0, 0, 3, 30]])
    result = psi(table, baseline="paired")
    assert result.dof == 2
    assert (result.null_weights > 1e-3).all()


def test_nobody_moves():
    result = psi(np.diag([50, 60, 70]), baseline="paired")
    assert result.status is ScorecardStatus.NO_MOVES
    assert (result.estimate, result.dof, result.bins) == (0.0, 0, 3)
    assert math.isnan(result.pvalue)
    assert math.isnan(result.ci.high)
    assert math.isnan(result.test(margin=0.1, alternative="less").pvalue)


def test_equal_margins():
    result = psi([[50, 5, 5], [5, 50, 5], [5, 5, 50]], baseline="paired")
    assert (result.estimate, result.pvalue) == (0.0, 1.0)
    assert result.ci.low == 0.0 < result.ci.high
    law = snc(result._sampling(), 0.5)
    # with equal weights the scale is their common value
    assert law.rho == pytest.approx(result.null_weights[0], rel=0.02)
    assert law.nu == pytest.approx(2.0, rel=0.02)


def test_zero_cell_and_empty_bin():
    result = psi([[50, 5, 0, 4], [5, 50, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0]], baseline="paired")
    assert result.status is ScorecardStatus.ZERO_CELL
    assert result.estimate == math.inf
    assert (result.bins, result.dof) == (3, 2)
    assert 0 < result.pvalue < 1
    assert result.ci.high < math.inf
    assert math.isnan(result.woe[2])


def test_transposing_swaps_the_dates():
    there, back = psi(TABLE, baseline="paired"), psi(TABLE.T, baseline="paired")
    assert there.estimate == pytest.approx(back.estimate, rel=1e-13)
    assert there.se == pytest.approx(back.se, rel=1e-12)
    assert there.bias == pytest.approx(back.bias, rel=1e-12)
    assert there.ci == pytest.approx(back.ci, rel=1e-10)


@pytest.mark.parametrize("drift", [0.0, 0.25])
def test_coverage(drift):
    """A false alarm has probability below 1e-6; a coverage below 91 % is found."""
    bins, stay, size, repeats = 5, 0.8, 2000, 600
    move = np.eye(bins) * stay
    for i in range(bins):
        move[i, min(i + 1, bins - 1)] += (1 - stay) * (0.5 + drift)
        move[i, max(i - 1, 0)] += (1 - stay) * (0.5 - drift)
    table = move / bins
    p, q = table.sum(axis=1), table.sum(axis=0)
    truth = float(((p - q) * np.log(p / q)).sum())
    rng = np.random.default_rng(11)
    hits, alarms = 0, 0
    for draw in rng.multinomial(size, table.ravel(), repeats):
        tails = snc(PairedSamples(draw.reshape(bins, bins).astype(float)), 0.5).tails(truth)
        hits += min(tails.cdf, tails.sf) >= math.log(0.025)
        alarms += psi(draw.reshape(bins, bins), baseline="paired").pvalue < 0.05
    assert hits / repeats > 0.91
    if drift == 0:
        assert 0.01 < alarms / repeats < 0.10


def test_same_margins_as_a_plain_result():
    result = psi(TABLE, baseline="paired")
    np.testing.assert_array_equal(result.actual, TABLE.sum(axis=1))
    np.testing.assert_array_equal(result.expected, TABLE.sum(axis=0))
    assert result.estimate == information_value(TABLE.sum(axis=1), TABLE.sum(axis=0)).estimate
