"""Weighted sums of chi-squares: five methods, both tails, quantiles, edges and errors."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.scorecard.mixtures import METHODS, weighted_chi2

WEIGHTS = [3.0, 2.0, 1.0, 0.5]
APPROXIMATE = {"satterthwaite", "rao-scott"}


def hypoexponential(x, first, second):
    """Upper tail of first chi2_2 + second chi2_2, a sum of exponentials of means 2 first and 2 second."""
    with mp.workdps(40):
        a, b, x = mp.mpf(first), mp.mpf(second), mp.mpf(x)
        return (a * mp.exp(-x / (2 * a)) - b * mp.exp(-x / (2 * b))) / (a - b)


@pytest.mark.parametrize("method", ["exact", "imhof", "ruben"])
def test_published_number(method):
    assert weighted_chi2(WEIGHTS).sf(10.0, method=method) == pytest.approx(0.19305524884965, rel=1e-13)


@pytest.mark.parametrize("x", [1e-12, 1e-3, 0.3, 4.0, 30.0, 900.0, 1500.0, 40000.0])
def test_two_pairs_in_closed_form(x):
    law = weighted_chi2([0.7, 0.7, 1.9, 1.9])
    upper = hypoexponential(x, 1.9, 0.7)
    with mp.workdps(40):
        exact, other = float(mp.log(upper)), float(mp.log(1 - upper)) if x > 1e-6 else None
    for method in ("exact", "ruben") if x < 900 else ("exact",):
        assert law.logsf(x, method=method) == pytest.approx(exact, rel=1e-13, abs=1e-13)
        if other is not None:
            assert law.logcdf(x, method=method) == pytest.approx(other, rel=1e-13, abs=1e-13)
        else:
            # x^2 / (8 a b) to leading order
            assert law.logcdf(x, method=method) == pytest.approx(math.log(x * x / (8 * 0.7 * 1.9)), rel=1e-12)
    assert law.sf(x, method="imhof") == pytest.approx(math.exp(exact), abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1.0, 0.3, 1e-150])
def test_equal_weights_are_a_chi_square(method, scale):
    law = weighted_chi2([scale] * 5)
    with mp.workdps(30):
        for x in (0.02, 3.0, 11.0, 60.0):
            exact = float(mp.gammainc(2.5, mp.mpf(x) / 2, mp.inf, regularized=True))
            slack = {"rel": 0.0, "abs": 1e-9} if method == "imhof" else {"rel": 2e-13}
            assert law.sf(x * scale, method=method) == pytest.approx(exact, **slack)


@pytest.mark.parametrize(
    "weights", [[1.0], [1.0, 0.03], [5.0, 4.99], [1, 0.9, 0.5, 0.5, 0.1, 0.05], np.linspace(0.2, 1, 12)]
)
def test_methods_agree(weights):
    law = weighted_chi2(weights)
    x = law.mean * np.array([1e-4, 0.05, 0.5, 1.0, 1.4, 4.0, 12.0])
    exact = law.sf(x)
    np.testing.assert_allclose(law.sf(x, method="ruben"), exact, rtol=1e-13)
    np.testing.assert_allclose(law.cdf(x, method="ruben"), law.cdf(x), rtol=1e-13)
    np.testing.assert_allclose(law.sf(x, method="imhof"), exact, rtol=0, atol=1e-9)
    np.testing.assert_allclose(law.cdf(x, method="imhof"), law.cdf(x), rtol=0, atol=1e-9)
    np.testing.assert_allclose(law.cdf(x) + exact, 1.0, rtol=1e-14)


def test_tails_far_out():
    law = weighted_chi2(WEIGHTS)
    # the largest weight rules: P(3 chi2_1 > x - c) times the other factors of the generating function
    x = np.array([4000.0, 1e6])
    limit = mp.log(mp.erfc(mp.sqrt(mp.mpf(x[1]) / 6)))
    factor = -0.5 * sum(math.log(1 - w / 3) for w in WEIGHTS[1:])
    assert law.logsf(x)[1] == pytest.approx(float(limit) + factor, abs=1e-4)
    assert law.sf(4000.0) == pytest.approx(math.exp(law.logsf(4000.0)), rel=1e-13)
    assert law.logsf(x)[0] < -660
    # far left the density is a power of x
    left = law.logcdf(np.array([1e-300, 1e-100, 1e-20, 1e-9]))
    lead = 2 * np.log(np.array([1e-300, 1e-100, 1e-20, 1e-9]) / 2) - 0.5 * math.log(3.0) - math.log(2.0)
    np.testing.assert_allclose(left, lead, rtol=1e-9)


def test_quantiles_invert():
    law = weighted_chi2(WEIGHTS)
    q = np.array([1e-300, 1e-12, 0.01, 0.5, 0.95, 1 - 1e-12])
    np.testing.assert_allclose(law.cdf(law.ppf(q)), q, rtol=1e-12)
    np.testing.assert_allclose(law.sf(law.isf(q)), q, rtol=1e-12)
    assert law.isf(0.19305524884965) == pytest.approx(10.0, rel=1e-12)
    np.testing.assert_array_equal(law.ppf([0.0, 1.0]), [0.0, math.inf])
    np.testing.assert_array_equal(law.isf([0.0, 1.0]), [math.inf, 0.0])
    assert isinstance(law.ppf(0.5), float)
    assert law.ppf([[0.2], [0.3]]).shape == (2, 1)


def test_moments_and_approximations():
    law = weighted_chi2(WEIGHTS)
    assert (law.mean, law.var) == (6.5, 28.5)
    scale, dof = 14.25 / 6.5, 6.5**2 / 14.25
    exact = float(mp.gammainc(dof / 2, 5 / scale, mp.inf, regularized=True))
    assert law.sf(10.0, method="satterthwaite") == pytest.approx(exact, rel=1e-13)
    first = float(mp.gammainc(2, 5 / mp.mpf("1.625"), mp.inf, regularized=True))
    assert law.sf(10.0, method="rao-scott") == pytest.approx(first, rel=1e-13)
    assert abs(law.sf(10.0, method="satterthwaite") - law.sf(10.0)) < 0.011


def test_zero_weights_and_no_weight():
    law = weighted_chi2([0.0, 3.0, 0.0, 2.0, 1.0, 0.5])
    assert law.sf(10.0) == weighted_chi2(WEIGHTS).sf(10.0)
    for point in (weighted_chi2([0.0, 0.0]), weighted_chi2([])):
        for method in METHODS:
            np.testing.assert_array_equal(point.sf([-1.0, 0.0, 1.0], method=method), [1.0, 0.0, 0.0])
            np.testing.assert_array_equal(point.cdf([-1.0, 0.0, 1.0], method=method), [0.0, 1.0, 1.0])
        assert (point.mean, point.var, point.ppf(0.3)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("method", METHODS)
def test_borders(method):
    law = weighted_chi2([1.0, 0.4])
    np.testing.assert_array_equal(law.sf([-math.inf, -2.0, 0.0, math.inf], method=method), [1.0, 1.0, 1.0, 0.0])
    assert isinstance(law.sf(1.0, method=method), float)
    assert law.sf(np.ones((2, 3)), method=method).shape == (2, 3)
    assert law.sf([], method=method).shape == (0,)


def test_scale_free():
    x = np.array([0.5, 5.0, 50.0])
    np.testing.assert_allclose(
        weighted_chi2(np.array(WEIGHTS) * 1e-200).logsf(x * 1e-200), weighted_chi2(WEIGHTS).logsf(x), rtol=1e-13
    )


def test_vector_is_the_same_as_points():
    law, x = weighted_chi2(np.linspace(0.1, 2.0, 30)), np.linspace(0.5, 150.0, 301)
    found = law.logsf(x)
    np.testing.assert_array_equal(found[::50], [law.logsf(float(value)) for value in x[::50]])
    assert (np.diff(found) < 0).all()


def test_refusals():
    law = weighted_chi2([1.0, 1e-4])
    with pytest.raises(ValueError, match="more than 20000 terms"):
        law.sf(1.0, method="ruben")
    with pytest.raises(ValueError, match="gives no logarithm"):
        law.logsf(1.0, method="imhof")
    with pytest.raises(ValueError, match="method is 'davies'"):
        law.sf(1.0, method="davies")
    with pytest.raises(ValueError, match="NaN"):
        law.sf(math.nan)
    with pytest.raises(ValueError, match=r"lam\[1\] is -1"):
        weighted_chi2([1.0, -1.0])
    with pytest.raises(ValueError, match="one axis"):
        weighted_chi2([[1.0]])
    with pytest.raises(ValueError, match="finite"):
        weighted_chi2([math.inf])
    with pytest.raises(TypeError, match="real numbers"):
        weighted_chi2(["1"])
    with pytest.raises(ValueError, match="q is"):
        law.ppf(1.5)
