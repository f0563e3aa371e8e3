"""One-sided bounds, e-values and bounded means: validity over time, known values."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from asymptopia.verify.engine.evidence import (
    average_e_value,
    e_benjamini_hochberg,
    empirical_bernstein_interval,
    log_e_value,
    log_e_value_of_proportion,
)
from asymptopia.verify.engine.sequential import (
    Verdict,
    asymptotic_bound,
    asymptotic_interval,
    beta_binomial_interval,
    decide_at_most,
    mixture_variance,
)


def test_e_bh_known_answer() -> None:
    found = e_benjamini_hochberg(np.log([100, 45, 30, 15, 9, 3, 1, 0.2]), alpha=0.1)
    assert found.tolist() == [True] * 3 + [False] * 5
    # order does not matter, and nothing is rejected without evidence
    shuffled = e_benjamini_hochberg(np.log([0.2, 30, 1, 100, 9, 45, 3, 15]), alpha=0.1)
    assert shuffled.tolist() == [False, True, False, True, False, True, False, False]
    assert not e_benjamini_hochberg(np.zeros(5), alpha=0.1).any()


def test_e_bh_rejects_a_weaker_value_that_a_stronger_count_supports() -> None:
    # e_(2) alone fails at k = 1, the pair passes at k = 2
    assert e_benjamini_hochberg(np.log([19.0, 20.0, 1.0, 1.0]), alpha=0.11).tolist() == [True, True, False, False]
    assert not e_benjamini_hochberg(np.log([19.0, 1.0, 1.0, 1.0]), alpha=0.11).any()


def test_average_of_e_values() -> None:
    assert average_e_value(np.log([1.0, 2.0, 9.0])) == pytest.approx(math.log(4.0))
    assert average_e_value([800.0, 0.0]) == pytest.approx(800.0 - math.log(2))


def test_e_value_leaves_the_band_with_the_interval() -> None:
    settings = {"alpha": 0.01, "n_star": 5000.0}
    for n in (1000, 5000, 40_000):
        low, _ = asymptotic_interval(0.3, 2.0, n, **settings)
        # at the theory for which the interval just touches the band, the e-value is exactly 1 / alpha
        edge = log_e_value(0.3, 2.0, n, low - 0.05, 0.05, **settings)
        assert edge == pytest.approx(math.log(100.0), rel=1e-12)
    assert log_e_value(0.3, 2.0, 1000, 0.31, 0.05, **settings) < 0.0


def test_e_value_of_a_proportion_reaches_one_over_alpha_with_its_interval() -> None:
    low, high = beta_binomial_interval(50, 1000, alpha=0.001)
    assert log_e_value_of_proportion(50, 1000, low - 0.01, 0.01) == pytest.approx(math.log(1000), rel=1e-9)
    assert log_e_value_of_proportion(50, 1000, high + 0.02, 0.02) == pytest.approx(math.log(1000), rel=1e-9)
    assert log_e_value_of_proportion(50, 1000, 0.05, 0.01) < 0.0
    assert log_e_value_of_proportion(0, 10, 0.0, 0.1) <= 0.0


def test_one_sided_mixture_reaches_one_over_alpha_at_the_bound() -> None:
    # the half-normal mixture in closed form, evaluated at the bound: at least 1 / alpha, and not much more
    for alpha in (0.05, 1e-3, 1e-6):
        for n in (1000, 30_000):
            bound = asymptotic_bound(1.0, n, alpha=alpha, n_star=10_000)
            rho2 = mixture_variance(2 * alpha, 10_000)
            growth = n * rho2 + 1
            x = mp.mpf(bound) * n * mp.sqrt(rho2 / growth)
            martingale = 2 / mp.sqrt(growth) * mp.exp(x**2 / 2) * mp.ncdf(x)
            assert 1 <= martingale * alpha < 1.5


def test_one_sided_bounds_are_tighter_than_the_interval() -> None:
    half = asymptotic_interval(0.0, 1.0, 10_000, alpha=0.001, n_star=10_000)[1]
    assert 0.85 * half < asymptotic_bound(1.0, 10_000, alpha=0.001, n_star=10_000) < half


def test_one_sided_bound_covers_at_every_look() -> None:
    draw = np.random.default_rng(8).exponential(size=(400, 6000))
    n = np.arange(1, 6001)
    mean = np.cumsum(draw, axis=1) / n
    sd = np.sqrt(np.cumsum(draw**2, axis=1) / n - mean**2)
    looks = np.unique(np.geomspace(1000, 6000, 30).astype(int)) - 1
    unit = np.array([asymptotic_bound(1.0, int(n[at]), alpha=0.05, n_star=4000) for at in looks])
    too_high = (mean[:, looks] - sd[:, looks] * unit > 1.0).any(axis=1).mean()
    too_low = (mean[:, looks] + sd[:, looks] * unit < 1.0).any(axis=1).mean()
    # 5 % nominal; more than 9 % of 400 has probability below 1e-3
    assert too_high < 0.09
    assert too_low < 0.09


def test_decide_at_most() -> None:
    assert decide_at_most(0.1, 1.05, 1.0, 0.1) is Verdict.PASS
    assert decide_at_most(-9.0, 1.05, 1.0, 0.1) is Verdict.PASS
    assert decide_at_most(1.05, 1.2, 1.0, 0.1) is Verdict.INCONCLUSIVE
    assert decide_at_most(1.15, 1.2, 1.0, 0.1) is Verdict.FAIL


def test_empirical_bernstein_covers_a_rare_event_at_every_look() -> None:
    rng = np.random.default_rng(4)
    missed = 0
    for _ in range(200):
        x = (rng.random(3000) < 0.01).astype(float)
        for n in (10, 50, 200, 1000, 3000):
            low, high = empirical_bernstein_interval(x[:n], 0.0, 1.0, alpha=0.05)
            if not low <= 0.01 <= high:
                missed += 1
                break
    # an exact sequence: 5 % nominal, more than 10 % of 200 has probability below 2e-3
    assert missed <= 20


def test_empirical_bernstein_scales_with_its_bounds() -> None:
    x = np.random.default_rng(2).random(500)
    low, high = empirical_bernstein_interval(x, 0.0, 1.0, alpha=0.01)
    moved = empirical_bernstein_interval(10 * x - 3, -3.0, 7.0, alpha=0.01)
    assert moved == pytest.approx((10 * low - 3, 10 * high - 3))
    with pytest.raises(ValueError, match=r"numbers in \[0, 0.5\]"):
        empirical_bernstein_interval(x, 0.0, 0.5, alpha=0.01)
