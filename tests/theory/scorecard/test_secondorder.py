"""The second-order law: cumulants, limits, tails by other means, a simulation of the quadratic form."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.scorecard import ScorecardStatus, information_value, psi
from asymptopia.theory.scorecard.quadratic import quadratic_tails
from asymptopia.theory.scorecard.secondorder import SecondOrderLaw, second_order_law

CHECKING = [139, 49, 164, 348], [135, 14, 105, 46]
STEADY = [48, 102, 203, 297, 205, 95, 50], [0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05]


def form(law, s):
    """Cumulant function of the estimate, from the definition of the mixture."""
    terms = [
        mp.mpf(b) ** 2 * s**2 / (2 * (1 - mp.mpf(lam) * s)) - mp.log(1 - mp.mpf(lam) * s) / 2
        for lam, b in zip(law.curvature, law.slope, strict=True)
    ]
    return mp.mpf(law.shift) * s + mp.mpf(law.gaussian) ** 2 * s**2 / 2 + mp.fsum(terms)


def test_published_cumulants():
    law = second_order_law(*CHECKING)
    assert law.bias == pytest.approx(0.0178990026602358011, rel=1e-13)
    assert law.variance == pytest.approx(0.0133085416119677256, rel=1e-13)
    assert law.third == pytest.approx(0.000542128591348435883, rel=1e-13)
    assert law.sd == math.sqrt(law.variance)
    assert law.skewness == pytest.approx(0.000542128591348435883 / 0.0133085416119677256**1.5, rel=1e-12)
    plain = information_value(*CHECKING)
    assert math.sqrt(law.first_order_variance) == pytest.approx(plain.se, rel=1e-13)
    assert law.divergence == plain.estimate


@pytest.mark.parametrize(
    "law",
    [
        second_order_law(*CHECKING),
        second_order_law(*CHECKING, smoothing=0.5),
        second_order_law(*STEADY, baseline="fixed"),
        second_order_law([30, 50, 20], [60, 100, 40]),
        second_order_law([5, 9], [7, 3], smoothing=2.0),
    ],
)
def test_cumulants_are_those_of_the_law(law):
    with mp.workdps(60):
        exact = [float(mp.diff(lambda s: form(law, s), 0, order)) for order in (1, 2, 3)]
    assert (law.bias, law.variance, law.third) == pytest.approx(exact, rel=1e-11)


def test_bias_with_pseudo_counts():
    for a in (0.5, 3.0):
        assert second_order_law(*CHECKING, smoothing=a).bias == pytest.approx(
            information_value(*CHECKING, smoothing=a).bias, rel=1e-11
        )
    smoothed = psi(*STEADY, baseline="fixed", smoothing=0.5)
    law = second_order_law(*STEADY, baseline="fixed", smoothing=0.5)
    assert (law.bias, law.first_order_variance) == pytest.approx((smoothed.bias, smoothed.se**2), rel=1e-11)


def test_known_shares_leave_no_normal_part():
    law = second_order_law(*STEADY, baseline="fixed")
    assert law.curvature.size == 6
    low = law.divergence - (law.slope**2 / (2 * law.curvature)).sum()
    assert law.gaussian == 0.0
    assert law.cdf(low) == 0.0
    assert 0.0 < law.cdf(low + 1e-9) < 1e-12


def test_equal_shares_are_a_chi_square():
    x, y = [300, 500, 200], [600, 1000, 400]
    law = second_order_law(x, y)
    n_eff = 1000 * 2000 / 3000
    assert law.curvature.size == 2
    np.testing.assert_allclose(law.curvature * n_eff / 2, 1.0, rtol=1e-13)
    for t in (0.1, 2.0, 9.0, 80.0):
        # chi-square on two degrees of freedom
        assert law.logsf(t / n_eff) == pytest.approx(-t / 2, rel=1e-12)
    assert (law.sf(-0.1), law.cdf(-0.1), law.sf(math.inf)) == (1.0, 0.0, 0.0)


def test_large_samples_are_normal():
    law = second_order_law(*(np.array(side) * 10**7 for side in CHECKING))
    z = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
    normal = np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in z])
    np.testing.assert_allclose(law.sf(law.divergence + law.bias + z * law.sd), normal, rtol=1e-3)


@pytest.mark.parametrize(
    ("law", "repeats"), [(second_order_law(*CHECKING), 400_000), (second_order_law([30, 50, 20], [8, 7, 15]), 400_000)]
)
def test_simulated_quadratic_form(law, repeats):
    rng = np.random.default_rng(3)
    normal = rng.standard_normal((repeats, law.curvature.size))
    drawn = law.divergence + law.shift + (law.slope * normal + law.curvature / 2 * normal**2).sum(axis=1)
    drawn += law.gaussian * rng.standard_normal(repeats)
    for j in np.quantile(drawn, [0.001, 0.05, 0.5, 0.95, 0.999]):
        share = (drawn > j).mean()
        # five standard errors, twice for the quantile that the same draws chose
        assert law.sf(j) == pytest.approx(share, abs=7 * math.sqrt(share * (1 - share) / repeats))


def test_closer_to_the_sampled_estimate_than_the_normal():
    x, y = (np.array(side) for side in CHECKING)
    law = second_order_law(x, y)
    rng = np.random.default_rng(8)
    p, q = (rng.multinomial(side.sum(), side / side.sum(), 200_000) / side.sum() for side in (x, y))
    drawn = ((p - q) * np.log(p / q)).sum(axis=1)
    for j in (0.45, 0.55, 0.9, 1.0):
        share = (drawn > j).mean()
        normal = 0.5 * math.erfc((j - law.divergence) / math.sqrt(2 * law.first_order_variance))
        assert abs(law.sf(j) - share) < 0.008
        assert abs(law.sf(j) - share) < abs(normal - share) / 2


def by_line(x, lam, b, gaussian, start):
    """Inversion along a straight line through `start`, at 30 digits."""
    with mp.workdps(30):
        x, start = mp.mpf(x), mp.mpf(start)

        def cumulant(s):
            terms = [
                mp.mpf(v) ** 2 * s * s / (2 * (1 - u * s)) - mp.log(1 - u * s) / 2 for u, v in zip(lam, b, strict=True)
            ]
            return mp.mpf(gaussian) ** 2 * s * s / 2 + mp.fsum(terms)

        def integrand(t):
            s = start + 1j * t
            return mp.re(mp.exp(cumulant(s) - s * x) / s)

        value = mp.quad(integrand, mp.linspace(0, 30, 31)) / mp.pi
        return float(mp.log(value if start > 0 else -value))


@pytest.mark.parametrize(("x", "start"), [(-2.0, -2.5), (0.0, -1.0), (1.0, 0.4), (6.0, 1.0)])
def test_tails_against_quadrature(x, start):
    lam, b, gaussian = [0.6, 0.3, 0.05], [0.2, 0.8, 0.1], 0.7
    tails = quadratic_tails(np.array(x), np.array(lam), np.array(b), gaussian)
    exact = by_line(x, lam, b, gaussian, start)
    assert float(tails.cdf if start < 0 else tails.sf) == pytest.approx(exact, rel=1e-12)


def test_tails_of_a_normal():
    x = np.array([-30.0, -2.0, 0.0, 2.0, 30.0])
    tails = quadratic_tails(x, np.zeros(0), np.zeros(0), 1.0)
    with mp.workdps(30):
        exact = [float(mp.log(mp.erfc(mp.mpf(value) / mp.sqrt(2)) / 2)) for value in x]
    np.testing.assert_allclose(tails.sf, exact, rtol=1e-12, atol=1e-30)
    np.testing.assert_allclose(tails.cdf, exact[::-1], rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("noise", [1e-3, 1e-6, 1e-9])
def test_nearly_no_normal_part(noise):
    # an exponential variable and a little noise: exp(-x + noise^2 / 2) off 0, and a normal far below 0
    tails = quadratic_tails(np.array([0.5, 3.0, 20.0, -20 * noise, 0.0]), np.ones(2), np.zeros(2), noise)
    np.testing.assert_allclose(tails.sf[:3], np.array([-0.5, -3.0, -20.0]) + noise**2 / 2, rtol=1e-13)
    assert tails.cdf[4] == pytest.approx(math.log(noise / math.sqrt(2 * math.pi)), abs=noise)
    assert tails.cdf[3] == pytest.approx(-200 + math.log(noise), abs=10)


def test_monotone_and_complementary():
    law = second_order_law(*CHECKING)
    j = np.linspace(0.1, 1.6, 401)
    assert (np.diff(law.logsf(j)) < 0).all()
    assert (np.diff(law.logcdf(j)) > 0).all()
    np.testing.assert_allclose(law.sf(j) + law.cdf(j), 1.0, rtol=1e-13)
    assert isinstance(law.sf(0.7), float)


def test_one_bin_is_a_point():
    law = second_order_law([5], [7])
    assert (law.divergence, law.variance, law.cdf(0.0), law.sf(0.0)) == (0.0, 0.0, 1.0, 0.0)
    assert math.isnan(law.skewness)


def test_empty_bins_and_errors():
    dropped = second_order_law([139, 0, 49, 164, 348], [135, 0, 14, 105, 46])
    assert dropped.sf(0.9) == second_order_law(*CHECKING).sf(0.9)
    with pytest.raises(ValueError, match="bin 1 is empty in one sample"):
        second_order_law([5, 0, 7], [3, 4, 8])
    assert second_order_law([5, 0, 7], [3, 4, 8], smoothing=0.5).status is ScorecardStatus.SPARSE
    with pytest.raises(ValueError, match="baseline is 'paired'"):
        second_order_law(*CHECKING, baseline="paired")
    with pytest.raises(ValueError, match="same bins"):
        second_order_law([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="NaN"):
        second_order_law(*CHECKING).sf(math.nan)


def test_round_trip():
    law = second_order_law(*CHECKING)
    again = SecondOrderLaw.from_json(law.to_json())
    assert again == law
    assert again.sf(0.8) == law.sf(0.8)
    assert "skewness" in law.summary()
    assert not law.slope.flags.writeable
