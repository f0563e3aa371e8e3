"""Intervals: limits, duality, the boundary at 0, the bootstrap."""

from __future__ import annotations

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from scipy.special import chdtr, ndtri

from asymptopia.theory.scorecard import information_value, psi
from asymptopia.theory.scorecard.intervals import FLOOR, SNC, null_scaled, snc
from asymptopia.theory.scorecard.sampling import IndependentSamples

CHECKING = [139, 49, 164, 348], [135, 14, 105, 46]
TAILS = math.log(0.975), math.log(0.025)


def test_law_at_equal_shares_is_the_null_law():
    iv = information_value([300, 200, 500], [30, 20, 50])
    # smoothing moves the shares of unequal samples apart, but for equal ones they stay together
    assert snc(information_value([30, 20, 50], [30, 20, 50])._sampling(), 0.5) == SNC(1.0, 2.0, 0.0, 50.0)
    law = snc(iv._sampling(), 0.5)
    assert law.rho == pytest.approx(1.0, abs=0.02)
    assert law.nu == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("shift", [1e-2, 1e-4, 1e-6])
def test_law_tends_to_the_null_law(shift):
    half = 10**12
    x, y = [half, 2 * half, half], [half + round(shift * half), 2 * half, half - round(shift * half)]
    law = snc(information_value(x, y)._sampling(), 0.5)
    assert law.rho == pytest.approx(1.0, abs=2 * shift**2 + 1e-12)
    assert law.nu == pytest.approx(2.0, abs=4 * shift**2 + 1e-11)


def test_ends_invert_the_law():
    law = snc(information_value(*CHECKING)._sampling(), 0.5)
    low, high = law.interval(0.95)
    for end, cdf in ((low, 0.975), (high, 0.025)):
        with mp.workdps(30):
            rate = mp.mpf(law.n_eff) * end / law.rho / 2
            exact = mp.fsum(
                mp.exp(j * mp.log(rate) - rate - mp.loggamma(j + 1))
                * mp.gammainc(mp.mpf(law.nu) / 2 + j, 0, mp.mpf(law.statistic) / 2, regularized=True)
                for j in range(250)
            )
        assert float(exact) == pytest.approx(cdf, rel=1e-13)


def test_large_samples_give_the_normal_interval():
    iv = information_value(*(np.array(side) * 10**8 for side in CHECKING))
    assert iv.ci.low == pytest.approx(iv.estimate - 1.959963984540054 * iv.se, rel=1e-8)
    assert iv.ci.high == pytest.approx(iv.estimate + 1.959963984540054 * iv.se, rel=1e-8)


def test_levels_are_nested():
    iv = information_value(*CHECKING)
    for method in ("snc", "ncx2", "delta", "log"):
        ends = [iv.confidence_interval(level, method) for level in (0.5, 0.9, 0.99, 1 - 1e-9, 1 - 1e-15)]
        for inner, outer in itertools.pairwise(ends):
            assert outer.low < inner.low or outer.low == 0.0
            assert inner.high < outer.high


def test_other_forms():
    iv = information_value(*CHECKING, smoothing=0.5)
    z = -float(ndtri(0.025))
    delta, log = (iv.confidence_interval(method=name) for name in ("delta", "log"))
    assert delta == pytest.approx((iv.estimate_smoothed - z * iv.se, iv.estimate_smoothed + z * iv.se), rel=1e-13)
    assert math.sqrt(log.low * log.high) == pytest.approx(iv.estimate_smoothed, rel=1e-13)
    assert math.log(log.high / log.low) == pytest.approx(2 * z * iv.se / iv.estimate_smoothed, rel=1e-12)
    assert information_value([30, 40, 30], [31, 39, 30]).confidence_interval(method="delta").low == 0.0
    law = null_scaled(iv._sampling(), 0.5)
    assert (law.rho, law.nu, law.statistic) == (1.0, 3.0, iv.statistic)


def test_smoothing_moves_all_intervals():
    plain, smoothed = information_value(*CHECKING), information_value(*CHECKING, smoothing=5)
    assert smoothed.ci.high < plain.ci.high
    assert smoothed.ci == smoothed.confidence_interval()


def test_floor():
    # two samples that agree better than chance: the interval is not the point 0
    close = information_value([300, 200, 500, 400], [301, 200, 499, 400])
    law = snc(close._sampling(), 0.5)
    assert chdtr(law.nu, law.statistic) < 0.01
    assert close.confidence_interval(floor=0) == (0.0, 0.0)
    assert close.ci.low == 0.0
    # the end is the one that an observation at the 16 % point of the null law has
    with mp.workdps(30):
        start = mp.findroot(lambda x: mp.gammainc(mp.mpf(law.nu) / 2, 0, x / 2, regularized=True) - 0.16, 1.0)
    moved = law._replace(statistic=float(start)).interval(0.95, floor=0)
    assert close.ci.high == pytest.approx(moved.high, rel=1e-12)
    assert close.confidence_interval(0.5).high > 0
    ordinary = information_value([300, 200, 500, 400], [330, 190, 480, 400])
    assert ordinary.confidence_interval(floor=0) == ordinary.ci


def test_upper_end_grows_with_the_estimate():
    ends = [SNC(1.0, 4.0, x, 100.0).interval(0.95).high for x in np.linspace(0.0, 12.0, 60)]
    assert ends[0] > 0
    assert (np.diff(ends) >= 0).all()


@pytest.mark.parametrize("baseline", ["random", "fixed", "paired"])
def test_bootstrap(baseline):
    if baseline == "paired":
        result = psi([[90, 12, 3], [10, 80, 15], [1, 8, 85]], baseline="paired")
    elif baseline == "fixed":
        result = psi([300, 400, 300], [0.25, 0.5, 0.25], baseline="fixed")
    else:
        result = psi([300, 400, 300], [250, 500, 250])
    first = result.confidence_interval(method="bootstrap", rng=7)
    assert first == result.confidence_interval(method="bootstrap", rng=7)
    assert first == result.confidence_interval(method="bootstrap", rng=np.random.default_rng(7))
    assert first != result.confidence_interval(method="bootstrap", rng=8)
    assert 0 <= first.low <= first.high
    assert result.confidence_interval(0.5, "bootstrap", rng=7).high <= first.high


def test_bootstrap_is_basic_and_spreads_like_the_normal():
    counts = [np.array(side) * 100 for side in CHECKING]
    iv = information_value(*counts)
    low, high = iv.confidence_interval(method="bootstrap", rng=0, repeats=4000)
    assert low == pytest.approx(iv.estimate - 1.96 * iv.se, rel=0.01)
    assert high == pytest.approx(iv.estimate + 1.96 * iv.se, rel=0.01)


def test_bootstrap_in_blocks():
    # more cells than a block holds
    many = np.full(2**15, 3)
    result = information_value(many, many)
    assert result.confidence_interval(method="bootstrap", rng=1, repeats=100).high >= 0


@pytest.mark.parametrize(("bins", "n", "m", "apart"), [(5, 1900, 100, 0.6), (10, 900, 100, 0.0), (3, 2000, 2000, 0.1)])
def test_coverage(bins, n, m, apart):
    """A false alarm has probability below 1e-6; a coverage below 92 % or above 99.6 % at J > 0 is found."""
    rng = np.random.default_rng(20250911)
    tilt = np.exp(apart * np.linspace(-1, 1, bins))
    p, q = np.full(bins, 1 / bins), tilt / tilt.sum()
    truth = float(((p - q) * np.log(p / q)).sum())
    repeats = 600
    hits = 0
    for x, y in zip(rng.multinomial(n, p, repeats), rng.multinomial(m, q, repeats), strict=True):
        law = snc(IndependentSamples(x.astype(float), y.astype(float)), 0.5)
        tails = law.tails(truth)
        hits += tails.cdf >= TAILS[1] and tails.sf >= TAILS[1]
    assert 0.92 <= hits / repeats <= 0.996


@pytest.mark.parametrize(
    ("bins", "n", "m", "strength"), [(10, 900, 300, 0.06), (5, 2000, 500, 0.08), (3, 400, 400, 0.15)]
)
def test_the_default_interval_covers_close_to_zero(bins: int, n: int, m: int, strength: float) -> None:
    # where the floor of the upper end matters: n_eff J of order one. It only widens, so the coverage is that of the
    # plain rule or more. 1500 tables: below 93.2 % has probability 1e-3 at 95 %
    q = np.full(bins, 1 / bins)
    p = q * np.exp(strength * np.linspace(-1, 1, bins))
    p /= p.sum()
    truth = float(((p - q) * np.log(p / q)).sum())
    assert 0.3 < truth * n * m / (n + m) < 5
    rng = np.random.default_rng(bins)
    hits = [0, 0]
    for x, y in zip(rng.multinomial(n, p, 1500), rng.multinomial(m, q, 1500), strict=True):
        result = information_value(x, y)
        for i, floor in enumerate((FLOOR, 0.0)):
            low, high = result.confidence_interval(0.95, floor=floor)
            hits[i] += low <= truth <= high
    assert hits[0] >= hits[1]
    assert hits[0] / 1500 >= 0.932
