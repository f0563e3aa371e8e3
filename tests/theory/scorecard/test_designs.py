"""Sampling designs: bins of fixed sizes against derivatives and simulation, names, refusals."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.scorecard import IVResult, PSIResult, information_value, psi, woe_table
from asymptopia.theory.scorecard.covariance import FixedBins
from asymptopia.theory.scorecard.intervals import snc

GOOD, BAD = [139, 49, 164, 348], [135, 14, 105, 46]
TABLE = [[90, 12, 3], [10, 80, 15], [1, 8, 85]]


def of_bads(good, bad, a):
    """Divergence as a function of the bads of each bin of fixed size, at high precision."""
    rows = [g + b for g, b in zip(good, bad, strict=True)]

    def value(*y):
        x = [size - item + a for size, item in zip(rows, y, strict=True)]
        y = [item + a for item in y]
        n, m = mp.fsum(x), mp.fsum(y)
        return mp.fsum((g / n - b / m) * mp.log(g * m / (b * n)) for g, b in zip(x, y, strict=True))

    return value


@pytest.mark.parametrize("counts", [(GOOD, BAD), ([60, 25, 15], [20, 20, 35]), ([900, 40], [30, 70])])
def test_fixed_bins_moments_are_derivatives(counts):
    """Variance and bias are those of the expansion in the only random numbers, the bads of the bins."""
    good, bad = counts
    found = FixedBins(np.array(good, float), np.array(bad, float)).moments(0.0)
    with mp.workdps(50):
        value = of_bads(good, bad, 0)
        spread = [mp.mpf(g) * b / (g + b) for g, b in zip(good, bad, strict=True)]
        order = np.eye(len(bad), dtype=int)
        first = [mp.diff(value, tuple(map(mp.mpf, bad)), tuple(map(int, row))) for row in order]
        second = [mp.diff(value, tuple(map(mp.mpf, bad)), tuple(map(int, 2 * row))) for row in order]
        variance = mp.fsum(w * d * d for w, d in zip(spread, first, strict=True))
        bias = mp.fsum(w * d for w, d in zip(spread, second, strict=True)) / 2
        assert found.divergence == pytest.approx(float(value(*map(mp.mpf, bad))), rel=1e-13)
    assert found.variance == pytest.approx(float(variance), rel=1e-12)
    assert found.bias == pytest.approx(float(bias), rel=1e-11)


def test_fixed_bins_formula_of_the_variance():
    x, y = np.array(GOOD, float), np.array(BAD, float)
    n, m, p, q = x.sum(), y.sum(), x / x.sum(), y / y.sum()
    ratio = np.log(p / q)
    by_q, by_p = -ratio + 1 - p / q, ratio + 1 - q / p
    influence = (by_q - q @ by_q) / m - (by_p - p @ by_p) / n
    iv = information_value(GOOD, BAD, design="fixed-bins")
    assert iv.se == pytest.approx(math.sqrt((x * y / (x + y) * influence**2).sum()), rel=1e-13)
    assert iv.se < information_value(GOOD, BAD).se
    assert iv.estimate == information_value(GOOD, BAD).estimate


@pytest.mark.parametrize("a", [0.0, 0.5])
def test_fixed_bins_by_simulation(a):
    """Five standard errors of the simulation, plus the order that the expansion leaves out."""
    x, y = np.array(GOOD) * 10, np.array(BAD) * 10
    rows, repeats = x + y, 100_000
    bad = np.random.default_rng(5).binomial(rows, y / rows, (repeats, 4)) + a
    good = rows + 2 * a - bad
    p, q = good / good.sum(axis=1, keepdims=True), bad / bad.sum(axis=1, keepdims=True)
    drawn = ((p - q) * np.log(p / q)).sum(axis=1)
    found = FixedBins(x.astype(float), y.astype(float)).moments(a)
    truth = FixedBins(x.astype(float), y.astype(float)).moments(0.0).divergence
    assert drawn.mean() - truth == pytest.approx(found.bias, abs=5 * drawn.std() / math.sqrt(repeats) + 5e-5)
    assert drawn.std() == pytest.approx(math.sqrt(found.variance), rel=5 / math.sqrt(2 * repeats) + 0.01)


@pytest.mark.parametrize("a", [0.0, 0.5])
def test_fixed_bins_under_equality_are_two_samples(a):
    x, y = np.array([60.0, 90.0, 150.0]), np.array([20.0, 30.0, 50.0])
    model = FixedBins(x, y)
    pooled = (x + y) / 400
    covariance = model.covariance(0.0)
    block = slice(0, 3), slice(3, 6)
    of_difference = (
        covariance[block[0], block[0]]
        + covariance[block[1], block[1]]
        - covariance[block[0], block[1]]
        - covariance[block[1], block[0]]
    )
    np.testing.assert_allclose(of_difference, (np.diag(pooled) - np.outer(pooled, pooled)) / 75, atol=1e-17)
    weights = np.sort(np.linalg.eigvals(75 * of_difference / pooled[:, None]).real)
    np.testing.assert_allclose(weights, [0, 1, 1], atol=1e-13)
    np.testing.assert_array_equal(model.null_weights(a), [1.0, 1.0])
    # near equality V / (4 J) is the null scale, in whatever direction
    near = FixedBins(x * 1e8 + np.array([3.0, -5.0, 2.0]), y * 1e8)
    law = snc(near, a)
    assert law.rho == pytest.approx(1.0, abs=1e-6)
    assert law.nu == pytest.approx(2.0, abs=1e-6)


def test_fixed_bins_test_is_that_of_two_samples():
    fixed, free = information_value(GOOD, BAD, design="fixed-bins"), information_value(GOOD, BAD)
    assert (fixed.pvalue, fixed.statistic, fixed.dof, fixed.n_eff) == (
        free.pvalue,
        free.statistic,
        free.dof,
        free.n_eff,
    )
    assert fixed.ci[1] - fixed.ci[0] < free.ci[1] - free.ci[0]


def test_fixed_bins_woe_covariance():
    x, y = np.array(GOOD, float), np.array(BAD, float)
    table = woe_table(GOOD, BAD, design="fixed-bins")
    c, s = 1 / 700 + 1 / 300, (x * y / (x + y)).sum()
    exact = np.diag(1 / x + 1 / y) - 2 * c + c * c * s
    np.testing.assert_allclose(table.cov, exact, rtol=1e-12)
    np.testing.assert_allclose(table.woe_se, information_value(GOOD, BAD, design="fixed-bins").woe_se, rtol=1e-13)
    assert (table.woe_se < woe_table(GOOD, BAD).woe_se).all()
    # contrasts are the same in every design
    contrast = np.array([1.0, -1.0, 0.0, 0.0])
    assert contrast @ table.cov @ contrast == pytest.approx(contrast @ woe_table(GOOD, BAD).cov @ contrast, rel=1e-11)
    logit = woe_table(GOOD, BAD, design="fixed-bins", kind="logit")
    np.testing.assert_array_equal(logit.cov, woe_table(GOOD, BAD, kind="logit").cov)
    assert table.design == "fixed-bins"


def test_fixed_bins_woe_from_the_covariance_of_shares():
    model = FixedBins(np.array(GOOD, float), np.array(BAD, float))
    p, q, _ = model.shares(0.5)
    factor = np.concatenate([np.diag(1 / p), np.diag(-1 / q)])
    np.testing.assert_allclose(model.woe_covariance(0.5), factor.T @ model.covariance(0.5) @ factor, rtol=1e-11)


def test_fixed_bins_dominating_bin_keeps_its_digits():
    good, bad = [10**9, 30, 20], [10**8, 5, 9]
    with mp.workdps(50):
        x, y = [mp.mpf(v) for v in good], [mp.mpf(v) for v in bad]
        c = 1 / mp.fsum(x) + 1 / mp.fsum(y)
        s = mp.fsum(a * b / (a + b) for a, b in zip(x, y, strict=True))
        exact = float(1 / x[0] + 1 / y[0] - 2 * c + c * c * s)
    assert woe_table(good, bad, design="fixed-bins").cov[0, 0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("truth", ["equal", "shifted"])
def test_fixed_bins_coverage(truth):
    """A false alarm has probability below 1e-6; a coverage below 92 % is found."""
    rows = np.array([300, 500, 700, 500])
    rate = np.full(4, 0.1) if truth == "equal" else np.array([0.2, 0.12, 0.08, 0.05])
    y = rows * rate
    x = rows - y
    p, q = x / x.sum(), y / y.sum()
    j = float(((p - q) * np.log(p / q)).sum())
    hits = 0
    for bad in np.random.default_rng(2).binomial(rows, rate, (600, 4)):
        tails = snc(FixedBins((rows - bad).astype(float), bad.astype(float)), 0.5).tails(j)
        hits += min(tails.cdf, tails.sf) >= math.log(0.025)
    assert hits / 600 > 0.91


def test_fixed_bins_zero_cell_and_bootstrap():
    iv = information_value([50, 30, 0, 15], [0, 20, 0, 35], design="fixed-bins")
    assert iv.estimate == math.inf
    assert math.isnan(iv.se)
    assert 0 < iv.ci.low < iv.ci.high < math.inf
    assert math.isnan(iv.woe_se[0])
    assert math.isnan(iv.woe_se[2])
    assert np.isfinite(iv.woe_se[[1, 3]]).all()
    table = woe_table([50, 30, 0, 15], [0, 20, 0, 35], design="fixed-bins")
    np.testing.assert_allclose(table.woe_se, iv.woe_se, rtol=1e-12)
    ends = information_value(GOOD, BAD, design="fixed-bins").confidence_interval(method="bootstrap", rng=1)
    assert 0.4 < ends.low < ends.high < 1


def test_joint_is_two_samples():
    joint, free = information_value(GOOD, BAD, design="joint"), information_value(GOOD, BAD)
    assert (joint.ci, joint.se, joint.bias) == (free.ci, free.se, free.bias)
    assert joint.design == "joint"
    assert psi(GOOD, BAD, design="joint").ci == psi(GOOD, BAD).ci
    assert free.design == psi(GOOD, BAD).design == "two-sample"


def test_paired_by_either_keyword():
    design, baseline = psi(TABLE, design="paired"), psi(TABLE, baseline="paired")
    assert design == baseline == psi(TABLE, design="paired", baseline="paired")
    assert (design.design, design.baseline) == ("paired", "paired")


def test_round_trips():
    for result in (
        information_value(GOOD, BAD, design="fixed-bins"),
        psi(TABLE, design="paired"),
        psi(GOOD, BAD, design="joint"),
    ):
        again = (IVResult if isinstance(result, IVResult) else PSIResult).from_json(result.to_json())
        assert again == result
        assert again.confidence_interval(0.9) == result.confidence_interval(0.9)


def test_refusals():
    with pytest.raises(ValueError, match="design is 'paired'"):
        information_value(GOOD, BAD, design="paired")
    with pytest.raises(ValueError, match="design is 'fixed-bins'"):
        psi(GOOD, BAD, design="fixed-bins")
    with pytest.raises(ValueError, match="design is 'three'"):
        woe_table(GOOD, BAD, design="three")
    with pytest.raises(ValueError, match="no sample"):
        psi(GOOD, [0.2, 0.2, 0.3, 0.3], baseline="fixed", design="joint")
    with pytest.raises(ValueError, match="which is the same"):
        psi(TABLE, baseline="paired", design="joint")
    with pytest.raises(ValueError, match="bad is None"):
        information_value(GOOD)
    with pytest.raises(ValueError, match="expected is given"):
        psi(TABLE, BAD, design="paired")
