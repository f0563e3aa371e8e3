"""Critical values, power, sample size and false alarms: the numbers of the specification."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from asymptopia.theory.scorecard import psi_critical_value, psi_power, psi_sample_size, threshold_false_alarm
from asymptopia.theory.scorecard.design import psi_equivalence_power, psi_equivalence_sample_size

BINS = np.array([5, 10, 20])


def test_false_alarm_numbers():
    assert threshold_false_alarm(0.1, 500, 500, 10) == pytest.approx(0.00297118048591762181, rel=1e-13)
    assert threshold_false_alarm(0.25, 100, 100, 10) == pytest.approx(0.186565974858451089, rel=1e-13)


@pytest.mark.parametrize(
    ("threshold", "n", "m", "rates"),
    [
        (0.1, 100, 100, [0.287, 0.834, 0.9994]),
        (0.25, 100, 100, [0.014, 0.187, 0.863]),
        (0.1, 200, 200, [0.040, 0.3505, 0.953]),
        (0.25, 200, 200, [5e-5, 0.0030, 0.160]),
        (0.1, 500, 500, [5e-5, 0.0030, 0.160]),
        (0.1, 1000, 1000, [3.6e-10, 1.1e-7, 1.3e-4]),
        (0.02, 1900, 100, [0.754, 0.993, 1.00]),
        (0.02, 9500, 500, [0.050, 0.393, 0.964]),
        (0.02, 19000, 1000, [0.0008, 0.025, 0.457]),
        (0.1, 950, 50, [0.314, 0.855, 0.9996]),
        (0.1, 1900, 100, [0.050, 0.393, 0.964]),
    ],
)
def test_false_alarm_table(threshold, n, m, rates):
    # as printed: two or three digits
    np.testing.assert_allclose(threshold_false_alarm(threshold, n, m, BINS), rates, rtol=0.05, atol=6e-4)


def test_naive_interval_excludes_zero():
    # the null law of J / SE: sqrt(chi2)/2, sqrt(chi2), sqrt(chi2/2) for three standard errors in use
    z = 1.959963984540054
    rates = {
        2: (0.00009, 0.0500, 0.0056),
        5: (0.0040, 0.4279, 0.1039),
        10: (0.0814, 0.9215, 0.5664),
        20: (0.6990, 0.9999, 0.9896),
    }
    for bins, wanted in rates.items():
        found = [threshold_false_alarm((z * factor) ** 2, 2, 2, bins) for factor in (2, 1, math.sqrt(2))]
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_sample_size_numbers():
    plan = psi_sample_size(bins=10, alpha=0.05, power=0.8, psi=0.1)
    assert plan.noncentrality == pytest.approx(15.6497978951882043, rel=1e-13)
    assert plan.n_eff == pytest.approx(156.497978951882043, rel=1e-13)
    assert plan.critical == psi_critical_value(2 * plan.n_eff, 2 * plan.n_eff, 10, 0.05)
    table = psi_sample_size(bins=np.array([2, 5, 10, 20])[:, None], alpha=0.05, power=[0.8, 0.9], psi=1.0)
    exact = [[7.848861, 10.507419], [11.935286, 15.405052], [15.649798, 19.829118], [20.555375, 25.651816]]
    np.testing.assert_allclose(table.noncentrality, exact, atol=6e-7)
    assert table.critical.shape == table.n_eff.shape == (4, 2)


def test_power_inverts_the_sample_size():
    for psi in (0.02, 0.1):
        plan = psi_sample_size(bins=7, alpha=0.01, power=0.95, psi=psi)
        assert psi_power(plan.n_eff, math.inf, 7, psi, 0.01) == pytest.approx(0.95, rel=1e-13)
    assert psi_power(1000, 500, 7, 0.0, 0.01) == pytest.approx(0.01, rel=1e-13)


def test_power_by_mixture():
    with mp.workdps(30):
        x = mp.findroot(lambda t: mp.gammainc(4.5, t / 2, mp.inf, regularized=True) - mp.mpf("0.05"), 17)
        rate = mp.mpf(100) * mp.mpf("0.1") / 2
        exact = mp.nsum(
            lambda j: (
                mp.exp(j * mp.log(rate) - rate - mp.loggamma(j + 1))
                * mp.gammainc(4.5 + j, x / 2, mp.inf, regularized=True)
            ),
            [0, 80],
            method="d",
        )
    assert psi_power(200, 200, 10, 0.1, 0.05) == pytest.approx(float(exact), rel=1e-13)


def test_critical_value():
    with mp.workdps(30):
        x = mp.findroot(lambda t: mp.gammainc(4.5, t / 2, mp.inf, regularized=True) - mp.mpf("0.05"), 17)
    assert psi_critical_value(338, 338, 10, 0.05) == pytest.approx(float(x) / 169, rel=1e-14)
    assert psi_critical_value(100, math.inf, 10, 0.05) == pytest.approx(float(x) / 100, rel=1e-14)
    assert threshold_false_alarm(psi_critical_value(50, 70, 4, 0.03), 50, 70, 4) == pytest.approx(0.03, rel=1e-13)
    assert psi_critical_value(10.0, 10, 3, 0.01) == psi_critical_value(10, 10, 3, 0.01)


@pytest.mark.parametrize(
    ("bins", "psi", "margin", "alpha"), [(10, 0.01, 0.1, 0.05), (2, 0.0, 0.05, 0.01), (20, 0.05, 0.1, 0.1)]
)
def test_power_of_stability(bins, psi, margin, alpha):
    for n, m in ((300, 300), (500, 2000), (4000, math.inf)):
        size = n if math.isinf(m) else n * m / (n + m)
        critical = stats.ncx2.ppf(alpha, bins - 1, size * margin)
        law = stats.ncx2(bins - 1, size * psi) if psi else stats.chi2(bins - 1)
        found = psi_equivalence_power(n, m, bins, psi, margin, alpha)
        assert found == pytest.approx(law.cdf(critical), rel=1e-9)
        assert found > alpha


def test_power_of_stability_by_mixture():
    # the quantile itself to 30 digits, at a level that the usual routines reach with few
    with mp.workdps(30):

        def cdf(x, rate):
            return mp.nsum(
                lambda j: (
                    mp.exp(j * mp.log(rate) - rate - mp.loggamma(j + 1))
                    * mp.gammainc(mp.mpf(4.5) + j, 0, x / 2, regularized=True)
                ),
                [0, 160],
                method="d",
            )

        critical = mp.findroot(lambda x: mp.log(cdf(x, mp.mpf(15)) / mp.mpf("1e-6")), (5, 6))
        exact = cdf(critical, mp.mpf("1.5"))
    # n_eff 300, margin 0.1 and index 0.01
    assert psi_equivalence_power(600, 600, 10, 0.01, 0.1, 1e-6) == pytest.approx(float(exact), rel=1e-11)


def test_power_of_stability_inverts_the_sample_size():
    bins, power, psi = np.array([[2], [10], [20]]), [0.3, 0.8, 0.99], [0.0, 0.02, 0.05]
    plan = psi_equivalence_sample_size(bins=bins, alpha=0.05, power=power, psi=psi, margin=0.1)
    assert plan.n_eff.shape == plan.critical.shape == plan.noncentrality.shape == (3, 3)
    found = psi_equivalence_power(plan.n_eff, math.inf, bins, psi, 0.1, 0.05)
    np.testing.assert_allclose(found, np.broadcast_to(power, (3, 3)), rtol=1e-11)
    np.testing.assert_allclose(plan.noncentrality, plan.n_eff * psi)
    # the critical index has the level at the margin
    level = stats.ncx2.cdf(plan.n_eff * plan.critical, bins - 1, plan.n_eff * 0.1)
    np.testing.assert_allclose(level, 0.05, rtol=1e-9)
    single = psi_equivalence_sample_size(bins=10, alpha=0.05, power=0.8, psi=0.0, margin=0.1)
    assert all(isinstance(item, float) for item in single)
    assert psi_equivalence_power(2 * single.n_eff, 2 * single.n_eff, 10, 0.0, 0.1, 0.05) == pytest.approx(
        0.8, rel=1e-11
    )


def test_power_of_stability_by_simulation():
    rng = np.random.default_rng(12)
    p = np.full(5, 0.2)
    x, y = (rng.multinomial(2000, p, 4000) + 0.5 for _ in range(2))
    p, q = x / x.sum(axis=1, keepdims=True), y / y.sum(axis=1, keepdims=True)
    index = ((p - q) * np.log(p / q)).sum(axis=1)
    critical = stats.ncx2.ppf(0.05, 4, 1000 * 0.015) / 1000
    power = psi_equivalence_power(2000, 2000, 5, 0.0, 0.015, 0.05)
    # six standard errors
    assert (index < critical).mean() == pytest.approx(power, abs=6 * math.sqrt(power * (1 - power) / 4000))


def test_shapes():
    assert isinstance(psi_critical_value(100, 100, 10, 0.05), float)
    assert psi_critical_value([100, 200], [[100], [math.inf], [50]], 10, 0.05).shape == (3, 2)
    assert psi_power(100, 100, [5, 10], [[0.1], [0.2]], 0.05).shape == (2, 2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: psi_critical_value(0, 10, 5, 0.05), ValueError, "n is 0.0; expected a number > 0"),
        (lambda: psi_critical_value(math.inf, 10, 5, 0.05), ValueError, "n is inf"),
        (lambda: psi_critical_value(10, -math.inf, 5, 0.05), ValueError, "m is -inf"),
        (lambda: psi_critical_value(10, [math.inf, -1], 5, 0.05), ValueError, "m is -1.0"),
        (lambda: psi_critical_value(10, math.nan, 5, 0.05), ValueError, "m is nan"),
        (lambda: psi_critical_value(10, 10, 1, 0.05), ValueError, "bins is 1.0; expected a whole number, at least 2"),
        (lambda: psi_critical_value(10, 10, 2.5, 0.05), ValueError, "bins is 2.5"),
        (lambda: psi_critical_value(10, 10, 5, [0.05, 1.0]), ValueError, "alpha is 1.0"),
        (lambda: psi_power(10, 10, 5, -0.1, 0.05), ValueError, "psi is -0.1; expected a number >= 0"),
        (
            lambda: psi_sample_size(bins=5, alpha=0.05, power=0.8, psi=0),
            ValueError,
            "psi is 0.0; expected a number > 0",
        ),
        (
            lambda: psi_sample_size(bins=5, alpha=0.05, power=0.05, psi=1),
            ValueError,
            "power is 0.05; expected more than",
        ),
        (lambda: threshold_false_alarm("0.1", 10, 10, 5), TypeError, "threshold has dtype"),
        (lambda: psi_equivalence_power(9, 9, 5, 0.1, [0.2, 0.1], 0.05), ValueError, "psi is 0.1 and margin is 0.1"),
        (lambda: psi_equivalence_power(9, 9, 5, 0.0, 0.0, 0.05), ValueError, "margin is 0.0; expected a number > 0"),
        (lambda: psi_equivalence_power(9, 9, 5, -1.0, 0.1, 0.05), ValueError, "psi is -1.0"),
        (lambda: psi_equivalence_power(9, 9, 5, 0.0, 0.1, 1.0), ValueError, "alpha is 1.0"),
        (
            lambda: psi_equivalence_sample_size(bins=5, alpha=0.1, power=0.1, psi=0.0, margin=0.1),
            ValueError,
            "power is 0.1; expected more than alpha",
        ),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
