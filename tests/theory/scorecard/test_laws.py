"""Noncentral and weighted chi-square laws against 40-digit arithmetic."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.scorecard.laws import (
    chi2_tails,
    noncentral_chi2_tails,
    noncentrality_at,
    weighted_chi2_sf,
    weighted_chi2_tails,
)


def log_by_mixture(x, dof, lam, upper):
    """Poisson mixture of central laws by the recurrence that only adds."""
    with mp.workdps(40):
        half, shape, rate = mp.mpf(x) / 2, mp.mpf(dof) / 2, mp.mpf(lam) / 2
        centre = int((-shape + mp.sqrt(shape * shape + 4 * rate * half)) / 2)
        width = int(13 * math.sqrt(centre + 1)) + 60
        low, high = max(0, centre - width), centre + width
        a = shape + (low if upper else high)
        ends = (half, mp.inf) if upper else (0, half)
        tail = mp.gammainc(a, *ends, regularized=True)
        j = low if upper else high
        weight = mp.exp(j * mp.log(rate) - rate - mp.loggamma(j + 1))
        total = mp.mpf(0)
        if upper:
            jump = mp.exp(a * mp.log(half) - half - mp.loggamma(a + 1))
            while j < high:
                total += weight * tail
                tail, jump = tail + jump, jump * half / (shape + j + 1)
                j += 1
                weight *= rate / j
        else:
            jump = mp.exp((a - 1) * mp.log(half) - half - mp.loggamma(a))
            while j >= low:
                total += weight * tail
                tail, jump = tail + jump, jump * (shape + j - 1) / half
                weight *= j / rate
                j -= 1
        return float(mp.log(total))


def log_by_line(x, dof, lam, upper):
    """Inversion of the characteristic function along a straight line, by adaptive quadrature."""
    with mp.workdps(40):
        x, k, lam = mp.mpf(x), mp.mpf(dof), mp.mpf(lam)
        w = 2 * x / (k + mp.sqrt(k * k + 4 * lam * x))
        start, least = (w - 1) / (2 * w), 1 / mp.sqrt(2 * k + 4 * lam)
        start = max(start, least) if upper else min(start, -least)
        scale = 1 / mp.sqrt(2 * k / (1 - 2 * start) ** 2 + 4 * lam / (1 - 2 * start) ** 3)

        def integrand(t):
            s = start + 1j * t
            return mp.re(mp.exp(-k / 2 * mp.log(1 - 2 * s) + lam * s / (1 - 2 * s) - s * x) / s)

        value = mp.quad(integrand, [i * scale for i in range(17)]) / mp.pi
        return float(mp.log(value if upper else -value))


def smaller_tail(x, dof, lam):
    tails = noncentral_chi2_tails(x, dof, lam)
    return (float(tails.sf), True) if tails.sf < tails.cdf else (float(tails.cdf), False)


@pytest.mark.parametrize("dof", [0.5, 1, 2.2, 9, 49, 999])
@pytest.mark.parametrize("lam", [1e-8, 0.01, 1, 20, 300])
def test_noncentral_tails(dof, lam):
    for share in (1e-6, 1e-3, 0.1, 0.8, 1, 1.3, 3, 30):
        x = (dof + lam) * share
        found, upper = smaller_tail(x, dof, lam)
        exact = log_by_mixture(x, dof, lam, upper)
        assert abs(found - exact) <= 2e-14 * (1 + abs(exact)), (x, found, exact)


@pytest.mark.parametrize("lam", [1e4, 1e9, 1e12])
@pytest.mark.parametrize("dof", [1, 99])
def test_noncentral_tails_of_large_noncentrality(lam, dof):
    for z in (-30, -1, 0.2, 3, 20):
        x = dof + lam + z * 2 * math.sqrt(lam + dof)
        found, upper = smaller_tail(x, dof, lam)
        exact = log_by_line(x, dof, lam, upper)
        assert abs(found - exact) <= 4e-14 * (1 + abs(exact)), (x, found, exact)


def test_noncentral_borders():
    zero = noncentral_chi2_tails(0.0, 3.0, 5.0)
    assert (zero.cdf, zero.sf) == (-math.inf, 0.0)
    infinite = noncentral_chi2_tails(math.inf, 3.0, 5.0)
    assert (infinite.cdf, infinite.sf) == (0.0, -math.inf)
    central, limit = chi2_tails([0.5, 4.0], 3.0), noncentral_chi2_tails([0.5, 4.0], 3.0, 0.0)
    np.testing.assert_array_equal(central.cdf, limit.cdf)
    assert noncentral_chi2_tails(1e-30, 2.0, 7.0).cdf == pytest.approx(-3.5 + math.log(0.5e-30), rel=1e-14)
    assert noncentral_chi2_tails(np.ones((2, 1)), [1.0, 2.0, 3.0], 1.0).cdf.shape == (2, 3)
    assert noncentral_chi2_tails([], 2.0, 1.0).cdf.shape == (0,)


def test_noncentral_is_continuous_where_branches_meet():
    x = np.linspace(20.0, 45.0, 4001)
    total = np.exp(noncentral_chi2_tails(x, 9.0, 20.0).cdf)
    steps = np.diff(total)
    assert (steps > 0).all()
    assert np.abs(np.diff(steps, 2)).max() < 1e-8


@pytest.mark.parametrize("dof", [0.5, 3, 49])
@pytest.mark.parametrize("lam", [1e-3, 2.0, 150.0, 1e5])
def test_noncentrality_inverts(dof, lam):
    for share in (0.7, 1.0, 1.5):
        x = (dof + lam) * share if lam < 1e3 else dof + lam + 500 * (share - 1)
        tails = noncentral_chi2_tails(x, dof, lam)
        slack = 1e-12 if lam > 0.1 else 1e-9
        assert noncentrality_at(x, dof, *tails) == pytest.approx(lam, rel=slack)


def test_noncentrality_of_power():
    # alpha .05, power .8 and .9, for 2, 5, 10, 20 bins
    from scipy.special import gammainccinv

    dof = np.array([1, 4, 9, 19])
    critical = 2 * gammainccinv(dof / 2, 0.05)
    for power, exact in (
        (0.8, [7.848861, 11.935286, 15.649798, 20.555375]),
        (0.9, [10.507419, 15.405052, 19.829118, 25.651816]),
    ):
        np.testing.assert_allclose(
            noncentrality_at(critical, dof, math.log(1 - power), math.log(power)), exact, atol=6e-7
        )
    assert noncentrality_at(critical[2], 9, math.log(0.2), math.log(0.8)) == pytest.approx(
        15.6497978951882043, rel=1e-13
    )


def test_noncentrality_is_zero_below_the_central_law():
    half = [math.log(0.5)]
    assert noncentrality_at(5.0, 9.0, half, half) == [0.0]
    median = 8.342832692252948
    assert 0 <= noncentrality_at(median * (1 + 1e-9), 9.0, half, half)[0] < 1e-6


def ruben(x, weights, terms):
    """Ruben's series with beta the smallest weight (Ruben 1962)."""
    with mp.workdps(40):
        w = [mp.mpf(value) for value in weights]
        beta, k = min(w), len(w)
        ratios = [1 - beta / value for value in w]
        partial = [mp.mpf(0)] * k
        c = [mp.fprod(mp.sqrt(beta / value) for value in w)]
        for j in range(1, terms):
            partial = [r * (c[-1] + part) for r, part in zip(ratios, partial, strict=True)]
            c.append(mp.fsum(partial) / (2 * j))
        a, half = mp.mpf(k) / 2, mp.mpf(x) / (2 * beta)
        tail = mp.gammainc(a, half, mp.inf, regularized=True)
        jump = mp.exp(a * mp.log(half) - half - mp.loggamma(a + 1))
        total = mp.mpf(0)
        for j, value in enumerate(c):
            total += value * tail
            tail, jump = tail + jump, jump * half / (a + j + 1)
        return total + (1 - mp.fsum(c)) * tail, 1 - mp.fsum(c)


def test_weighted_number():
    assert weighted_chi2_sf(10.0, [3.0, 2.0, 1.0, 0.5]) == pytest.approx(0.19305524884965, rel=1e-13)
    assert weighted_chi2_sf(10.0, [3.0, 2.0, 0.0, 1.0, 0.5]) == weighted_chi2_sf(10.0, [3.0, 2.0, 1.0, 0.5])


@pytest.mark.parametrize(
    "weights", [[3, 2, 1, 0.5], [1, 0.03], [1], [0.2] * 7, [1, 0.9, 0.5, 0.5, 0.1, 0.05, 0.05, 0.04], [5, 4.99]]
)
@pytest.mark.parametrize("share", [1e-4, 0.05, 0.5, 1.0, 1.4, 4.0, 40.0])
def test_weighted_against_ruben(weights, share):
    x = share * sum(weights)
    exact, rest = ruben(x, weights, 3000)
    assert rest < 1e-20
    assert weighted_chi2_sf(x, weights) == pytest.approx(float(exact), rel=2e-13)


def test_weighted_is_scale_free_and_central_for_equal_weights():
    w = np.array([0.3, 0.2, 0.01])
    assert weighted_chi2_sf(1.5, w) == pytest.approx(weighted_chi2_sf(1.5e-200, w * 1e-200), rel=1e-13)
    for x in (0.01, 3.0, 500.0):
        equal, central = weighted_chi2_tails(x * 0.7, np.full(5, 0.7)), chi2_tails(x, 5)
        assert equal.sf == pytest.approx(float(central.sf), rel=1e-13)
        assert equal.cdf == pytest.approx(float(central.cdf), rel=1e-13)


def test_weighted_of_many_small_weights():
    # one large weight among many small: Ruben's series would need millions of terms
    w = np.concatenate([[1.0], np.full(50, 1e-7)])
    one = float(chi2_tails(4.0, 1).sf)
    assert math.log(weighted_chi2_sf(4.0, w)) == pytest.approx(one, abs=1e-5)
    assert weighted_chi2_sf(4.0, w) > math.exp(one)


def test_weighted_borders():
    assert weighted_chi2_sf(0.0, [1.0, 2.0]) == 1.0
    assert weighted_chi2_sf(1.0, [0.0]) == 0.0
    assert weighted_chi2_tails(1e4, np.array([1.0, 0.5])).sf == pytest.approx(-5000.0, abs=5)


@pytest.mark.parametrize("bins", [1, 3])
@pytest.mark.parametrize("x", [1e-6, 1.0, 1e5, 1e8, 1e12])
def test_weighted_far_out(bins, x):
    # the bracket of the saddle point is narrower there than rounding in s
    found, exact = weighted_chi2_tails(x * 0.37, np.full(bins, 0.37)), chi2_tails(x, bins)
    assert found.sf == pytest.approx(float(exact.sf), rel=1e-13, abs=1e-16)
    assert found.cdf == pytest.approx(float(exact.cdf), rel=1e-13, abs=1e-16)


def test_weighted_far_out_by_ruben():
    # 18000 terms at 60 digits
    weights = np.array([3.0, 2.0, 1.0, 0.5])
    found = weighted_chi2_tails(np.array([1000.0, 5000.0]), weights).sf
    np.testing.assert_allclose(found, [-168.95273585045928576, -836.42500391336466482], rtol=1e-13)
    np.testing.assert_array_equal(found[0], weighted_chi2_tails(1000.0, weights).sf)
