"""Exact risks: numbers of the specification, closed forms at all n, the series, conventions, results, bad input."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error
from scipy import stats

from asymptopia.theory._core.result import Result
from asymptopia.theory.projection import exact_closed
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.exact_result import ExactRisk
from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.families import (
    Beta,
    Exponential,
    Gamma,
    InverseGaussian,
    MultivariateNormal,
    Normal,
    Poisson,
)
from asymptopia.theory.projection.status import ProjectionStatus


def test_numbers_of_the_specification():
    inverse = InverseGaussian()
    cases = [
        (kl_risk_exact(Exponential(), n=5), "0.14667975599770009813"),
        (kl_risk_exact(Normal(), n=10), "0.17543079267699997774"),
        (kl_risk_exact(MultivariateNormal(3), n=15), "0.56355213615170314215"),
        (kl_risk_exact(MultivariateNormal(2, known_mean=True), n=10), "0.26662781353299288395"),
        (kl_risk_exact(inverse, inverse.natural(mu=1.0, lam=2.0), 20), "0.06742933288092251281"),
        (kl_risk_exact(MultivariateNormal(4), n=50), "0.172616434804568"),
        (kl_risk_exact(Normal(), n=50), "0.0221783522"),
    ]
    for found, wanted in cases:
        tolerance = max(2e-15, 10.0 ** -(len(wanted.lstrip("0.")) - 1))
        assert relative_error(found.value, wanted) < tolerance
        assert found.status is ProjectionStatus.OK
        assert found.prob_no_mle == 0.0
        assert found.method == "closed form"


def test_smallest_sizes_of_the_specification():
    assert kl_risk_exact(MultivariateNormal(4), n=361).value <= 0.02 < kl_risk_exact(MultivariateNormal(4), n=360).value
    assert kl_risk_exact(MultivariateNormal(7), n=891).value <= 0.02 < kl_risk_exact(MultivariateNormal(7), n=890).value


def wishart(n, d, known_mean):
    n, free = mp.mpf(n), n if known_mean else n - 1
    logs = mp.fsum(mp.digamma(mp.mpf(free - i) / 2) for i in range(d)) + d * mp.log(2 / n)
    moment = mp.mpf(d) * (n if known_mean else n + 1) / (free - d - 1)
    return (logs + moment - d) / 2


SIZES = [4, 5, 7, 12, 33, 100, 1000, 10**6, 10**8, 10**12]


@pytest.mark.parametrize("n", SIZES)
def test_closed_forms_in_multiple_precision(n):
    with mp.workdps(70):
        for a in (1e-3, 0.3, 1.0, 2.5, 1e5):
            for k in (1.0, 0.7, a):
                x = mp.mpf(n * a)
                if x > 1.0001:
                    wanted = mp.mpf(k) * (mp.digamma(x) - mp.log(x) + 1 / (x - 1))
                    assert relative_error(exact_closed.gamma_risk(n, k, a), wanted) < 1e-13, (n, a, k)
            size, phi = mp.mpf(n), mp.mpf(a)
            wanted = (mp.digamma((size - 1) / 2) + mp.log(2 / size) - 1) / 2
            wanted += size / (2 * (size - 3)) * (1 + 1 / size + 3 * phi / size**2)
            assert relative_error(exact_closed.inverse_gaussian_risk(n, a), wanted) < 1e-14
        for d in (1, 2, 3, 5, 8):
            if n >= d + 3:
                found = exact_closed.multivariate_normal_risk(n, d)
                assert relative_error(found, wishart(n, d, False)) < 1e-14
            if n >= d + 2:
                found = exact_closed.multivariate_normal_risk(n, d, known_mean=True)
                assert relative_error(found, wishart(n, d, True)) < 1e-14


def test_closed_forms_are_vectorised():
    n, a = np.arange(1, 40)[:, None], np.array([0.2, 1.0, 3.0])
    found = exact_closed.gamma_risk(n, a)
    assert found.shape == (39, 3)
    for i in (0, 5, 38):
        for j in range(3):
            assert found[i, j] == exact_closed.gamma_risk(int(n[i, 0]), float(a[j]))
    assert np.isinf(found[n * a <= 1.0]).all()
    assert exact_closed.inverse_gaussian_risk(n, a).shape == (39, 3)


def rational(name, *parameters):
    """Coefficients c1, c2, c3 of the tables, and the next where it is known."""
    if name == "gamma":
        (a,) = parameters
        return [0.5, 11 / (12 * a), 1 / a**2, 121 / (120 * a**3)]
    if name == "normal":
        return [1.0, 61 / 12, 17.0, 6353 / 120]
    if name == "inverse":
        (phi,) = parameters
        return [1.0, 61 / 12 + 1.5 * phi, 17 + 4.5 * phi]
    d, known = parameters
    if known:
        return [d * (d + 1) / 4, d * (10 * d * d + 21 * d + 13) / 24, d * (d + 1) * (11 * d * d + 23 * d + 14) / 24]
    return [d * (d + 3) / 4, d * (10 * d * d + 51 * d + 61) / 24, d * (d + 2) * (d + 3) * (11 * d + 23) / 24]


@pytest.mark.parametrize(
    ("name", "parameters", "risk"),
    [
        ("gamma", (0.4,), lambda n: exact_closed.gamma_risk(n, 0.4)),
        ("gamma", (3.0,), lambda n: exact_closed.gamma_risk(n, 3.0)),
        ("normal", (), exact_closed.normal_risk),
        ("inverse", (0.7,), lambda n: exact_closed.inverse_gaussian_risk(n, 0.7)),
        ("mvn", (3, False), lambda n: exact_closed.multivariate_normal_risk(n, 3)),
        ("mvn", (4, True), lambda n: exact_closed.multivariate_normal_risk(n, 4, known_mean=True)),
    ],
)
def test_series_of_the_closed_forms(name, parameters, risk):
    c = rational(name, *parameters)
    for n in (200, 400, 800):
        left = risk(n) - sum(value / n ** (k + 1) for k, value in enumerate(c))
        # the ratio of successive coefficients bounds the next one
        following = c[-1] * max(c[-1] / c[-2], 1.0)
        assert abs(left) < 3 * following / n ** (len(c) + 1) + 1e-15 * risk(n)


def test_misspecified_gamma():
    # the rate is over-dispersed by na instead of n
    found = kl_risk_exact(Exponential(), n=7, truth=stats.gamma(2.5, scale=3.0))
    assert found.value == pytest.approx(float(mp.digamma(17.5) - mp.log(17.5) + 1 / mp.mpf(16.5)), rel=1e-14)
    # the scale has no influence, other names of the law have none either
    assert kl_risk_exact(Exponential(), n=7, truth=stats.erlang(3)).value == exact_closed.gamma_risk(7, 1.0, 3.0)
    assert kl_risk_exact(Gamma(2.0), n=7, truth=stats.chi2(5)).value == exact_closed.gamma_risk(7, 2.0, 2.5)
    assert kl_risk_exact(Gamma(2.0), n=7, truth=stats.expon(scale=4)).value == exact_closed.gamma_risk(7, 2.0, 1.0)


def test_misspecified_gamma_by_quadrature():
    k, a, n = 2.0, 0.6, 9
    with mp.workdps(30):
        total = mp.mpf(0)
        x = mp.mpf(n * a)

        def integrand(y):
            # y = sum / scale is gamma(na); the estimated over the true scale is y / (na)
            r = y / x
            return mp.exp((x - 1) * mp.log(y) - y - mp.loggamma(x)) * k * (mp.log(r) + 1 / r - 1)

        total = mp.quad(integrand, [0, 0.5, 2, 5, 10, 20, 60, 150])
    found = kl_risk_exact(Gamma(k), n=n, truth=stats.gamma(a))
    assert found.value == pytest.approx(float(total), rel=1e-12)


def test_well_specified_frozen_laws():
    assert kl_risk_exact(Normal(), n=10, truth=stats.norm(3, 2)).value == kl_risk_exact(Normal(), n=10).value
    law = stats.multivariate_normal([1.0, 2.0], [[2.0, 0.3], [0.3, 1.0]])
    family = MultivariateNormal(2)
    assert kl_risk_exact(family, n=10, truth=law).value == kl_risk_exact(family, n=10).value
    found = kl_risk_exact(InverseGaussian(), n=20, truth=stats.invgauss(0.5, scale=8.0))
    assert found.value == pytest.approx(0.06742933288092251281, rel=1e-14)
    known = MultivariateNormal(2, known_mean=[1.0, 2.0])
    assert kl_risk_exact(known, n=10, truth=law).value == pytest.approx(0.26662781353299288395, rel=1e-14)
    with pytest.raises(ValueError, match="the mean of truth is"):
        kl_risk_exact(MultivariateNormal(2, known_mean=True), n=10, truth=law)


def test_below_the_least_size():
    found = kl_risk_exact(Normal(), n=[1, 2, 3, 4])
    np.testing.assert_array_equal(np.isinf(found.value), [True, True, True, False])
    np.testing.assert_array_equal(found.prob_no_mle, [1.0, 0.0, 0.0, 0.0])
    assert found.status is ProjectionStatus.INFINITE_RISK
    for d in (1, 2, 5):
        family, known = MultivariateNormal(d), MultivariateNormal(d, known_mean=True)
        assert math.isinf(kl_risk_exact(family, n=d + 2).value)
        assert math.isfinite(kl_risk_exact(family, n=d + 3).value)
        assert math.isinf(kl_risk_exact(known, n=d + 1).value)
        assert math.isfinite(kl_risk_exact(known, n=d + 2).value)
        assert kl_risk_exact(family, n=d).prob_no_mle == 1.0
        assert kl_risk_exact(family, n=d + 1).prob_no_mle == 0.0
        assert kl_risk_exact(known, n=d).prob_no_mle == 0.0
    assert math.isinf(kl_risk_exact(Exponential(), n=1).value)
    assert math.isfinite(kl_risk_exact(Gamma(1.5), n=1).value)
    assert math.isinf(kl_risk_exact(Gamma(0.25), n=4).value)


def test_result():
    found = kl_risk_exact(Normal(), n=[3, 10, 100])
    assert isinstance(found, ExactRisk)
    assert Result.from_json(found.to_json()) == found
    assert not found.value.flags.writeable
    assert list(found.to_frame().columns) == ["n", "value", "prob_no_mle"]
    assert "closed form" in found.summary()
    # the values in the order of the sizes, as many as four
    assert "3, 10, 100\n" in found.summary()
    assert "inf, 0.1754307927, 0.01" in found.summary()
    assert "10, 9, 8, 7, ...\n" in kl_risk_exact(Normal(), n=[10, 9, 8, 7, 6]).summary()
    assert "Poisson, p = 1\n" in kl_risk_exact(Poisson(), Poisson().natural(3.0), 5).summary()
    single = kl_risk_exact(Normal(), n=10)
    assert isinstance(single.value, float)
    assert isinstance(single.n, int)
    assert float(single) == single.value
    assert Result.from_json(single.to_json()) == single
    assert single.p == 2
    assert kl_risk_exact(Normal(), n=np.int64(10)) == single
    assert kl_risk_exact(Normal(), Normal().natural(mu=1.0, sigma2=2.0), 10) == single


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: kl_risk_exact(Normal()), TypeError, "n is missing; expected a sample size, or an array of them$"),
        (lambda: kl_risk_exact(Normal(), 10), TypeError, r"\(the second argument is theta; write n=10\)"),
        (lambda: kl_risk_exact(Normal, n=5), TypeError, "family is the class Normal"),
        (lambda: kl_risk_exact(Normal(), n=0), ValueError, "n is 0; expected an integer, from 1"),
        (lambda: kl_risk_exact(Normal(), n=2.5), TypeError, "n is 2.5 of type float"),
        (lambda: kl_risk_exact(Normal(), n=[5, -1]), ValueError, "n is -1"),
        (lambda: kl_risk_exact(Normal(), n=[5.0]), TypeError, "n has dtype float64"),
        (lambda: kl_risk_exact("normal", n=5), TypeError, "family is of type str"),
        (lambda: kl_risk_exact(Normal(), [1.0], 5), ValueError, r"theta.shape is \(1,\)"),
        (lambda: kl_risk_exact(Normal(), n=5, nonexistence="drop"), ValueError, "nonexistence is 'drop'"),
        (lambda: kl_risk_exact(Normal(), n=5, nonexistence="smooth"), ValueError, "whose data are no counts"),
        (lambda: kl_risk_exact(Poisson(), n=5), ValueError, "depends on its parameter"),
        (lambda: kl_risk_exact(InverseGaussian(), n=5), ValueError, "depends on its parameter"),
        (lambda: kl_risk_exact(Gamma(), n=5), ValueError, "depends on its parameter"),
        (lambda: kl_risk_exact(Gamma(), n=5, truth=stats.norm(3, 1)), ValueError, "no exact risk is known for Gamma"),
        (lambda: kl_risk_exact(Gamma(), n=5, truth=stats.gamma(2, loc=1)), ValueError, "location of truth is 1"),
        (
            lambda: kl_risk_exact(Gamma(), Gamma().natural(2.0, 1.0), 5, truth=stats.gamma(3)),
            ValueError,
            "theta",
        ),
        (lambda: kl_risk_exact(Beta(), Beta().natural(1.0, 1.0), 5), ValueError, "no exact risk is known for Beta"),
        (lambda: kl_risk_exact(Normal(), n=5, truth=stats.expon()), ValueError, r"under the truth given \(expon\)"),
        (lambda: kl_risk_exact(Normal(), n=5, truth=[1.0, 2.0, 4.0]), ValueError, "no exact risk is known"),
        (lambda: kl_risk_exact(Exponential(), n=5, truth=stats.gamma(2, loc=1)), ValueError, "location of truth is 1"),
        (lambda: kl_risk_exact(Exponential(), n=5, truth=stats.lognorm(1)), ValueError, "no exact risk is known"),
        (lambda: kl_risk_exact(Normal(), n=5, truth={1.0: 1.0}), MLEDoesNotExistError, "mean_stat"),
        (lambda: kl_risk_exact(Normal(), n=5, truth={1.0: 0.5, 2.0: 0.4}), ValueError, "truth.sum"),
        (lambda: kl_risk_exact(Normal(), n=5, truth={}), ValueError, "an empty mapping"),
        (
            lambda: kl_risk_exact(Normal(), Normal().natural(0.0, 1.0), 5, truth=stats.norm(1, 1)),
            ValueError,
            "theta is not the projection of truth",
        ),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
