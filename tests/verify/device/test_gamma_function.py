import math

import mpmath
import numpy as np
import pytest
from scipy import stats

from asymptopia.verify.device.gamma_function import (
    gamma_p,
    log_factorial,
    log_gamma,
    noncentral_chi2_cdf,
    poisson_mass,
    stirling,
)

RNG = np.random.default_rng(23)
INF = math.inf
NAN = math.nan


@pytest.fixture(autouse=True)
def precision():
    with mpmath.workdps(40):
        yield


def test_log_gamma():
    near = [1 + s * 10.0**-e for s in (-1, 1) for e in range(1, 16)] + [
        2 + s * 10.0**-e for s in (-1, 1) for e in range(15)
    ]
    points = [*np.exp(RNG.uniform(-60, 60, 1200)), *RNG.uniform(0.3, 20, 1200), *near, 1.5, 2.5, 8.0, 7.999999]
    for x in map(float, points):
        exact = mpmath.loggamma(x)
        error = abs(log_gamma(x) - exact)
        assert error <= 1e-15 * max(1, abs(exact)), x
        # relative also at the zeros 1 and 2
        assert error <= 2e-15 * abs(exact), x


@pytest.mark.parametrize(
    ("x", "expected"),
    [(1.0, 0.0), (2.0, 0.0), (0.0, INF), (INF, INF), (-1.0, NAN), (NAN, NAN), (1e-300, 690.7755278982137)],
)
def test_log_gamma_edges(x, expected):
    np.testing.assert_equal(log_gamma(x), expected)


def test_log_factorial():
    for k in [*range(200), 10**6, 10**12]:
        exact = mpmath.loggamma(k + 1)
        assert abs(log_factorial(k) - exact) <= 1e-15 * max(1, exact)
    assert math.isnan(log_factorial(-1))


def test_stirling():
    for x in np.exp(RNG.uniform(math.log(8.0), 30, 300)):
        z = mpmath.mpf(float(x))
        exact = mpmath.loggamma(z) - ((z - 0.5) * mpmath.log(z) - z + mpmath.log(2 * mpmath.pi) / 2)
        assert abs(stirling(float(x)) - exact) < 2e-16


def test_poisson_mass():
    for _ in range(300):
        a = float(np.exp(RNG.uniform(-2, 11)))
        x = max(a + RNG.uniform(-8, 8) * math.sqrt(a), a / 50)
        exact = mpmath.exp(a * mpmath.log(x) - x - mpmath.loggamma(mpmath.mpf(a) + 1))
        assert abs(poisson_mass(a, x) / exact - 1) < 1e-14 + 5e-16 * abs(x - a)


def lower(a, x):
    if x < 3 * a:
        return mpmath.gammainc(a, 0, x, regularized=True)
    return 1 - mpmath.gammainc(a, x, mpmath.inf, regularized=True)


def test_gamma_p():
    points = [(a, a) for a in (0.2, 1.0, 9.999, 10.0, 1e5)] + [(0.5, 0.999999), (0.5, 1.0), (9.5, 1.0), (40.0, 1e-3)]
    for low, high in ((0.2, 2), (2, 10), (10, 100), (100, 1e5)):
        for _ in range(80):
            a = math.exp(RNG.uniform(math.log(low), math.log(high)))
            x = a + RNG.uniform(-8, 8) * math.sqrt(a)
            points.append((a, x if x > 0 else a * 10 ** RNG.uniform(-4, 1)))
    for a, x in points:
        exact = lower(mpmath.mpf(a), mpmath.mpf(x))
        error = abs(gamma_p(a, x) - exact)
        assert error <= 1e-13, (a, x)
        assert exact < 1e-290 or error <= 1e-11 * exact, (a, x)


@pytest.mark.parametrize(
    ("a", "x", "expected"),
    [
        (2.0, 0.0, 0.0),
        (2.0, -1.0, 0.0),
        (2.0, INF, 1.0),
        (2.0, 1e6, 1.0),
        (0.0, 1.0, NAN),
        (NAN, 1.0, NAN),
        (2.0, NAN, NAN),
    ],
)
def test_gamma_p_edges(a, x, expected):
    np.testing.assert_equal(gamma_p(a, x), expected)


def exact_noncentral(x, k, lam):
    half, y, a = mpmath.mpf(lam) / 2, mpmath.mpf(x) / 2, mpmath.mpf(k) / 2
    start = max(0, int(half - 14 * math.sqrt(half) - 40))
    weight = mpmath.exp(-half + start * mpmath.log(half) - mpmath.loggamma(start + 1))
    a += start
    p = mpmath.gammainc(a, 0, y, regularized=True)
    mass = mpmath.exp(a * mpmath.log(y) - y - mpmath.loggamma(a + 1))
    total = mpmath.mpf(0)
    for j in range(start, int(half + 14 * math.sqrt(half) + 40)):
        total += weight * p
        p -= mass
        a += 1
        mass *= y / a
        weight *= half / (j + 1)
    return total


def test_noncentral_chi2():
    for i in range(60):
        lam = math.exp(RNG.uniform(math.log(1e-6), math.log(1e5 if i < 10 else 3e3)))
        k = math.exp(RNG.uniform(math.log(0.5), math.log(100)))
        x = k + lam + RNG.uniform(-6, 6) * math.sqrt(2 * (k + 2 * lam))
        x = x if x > 0 else (k + lam) * RNG.random()
        with mpmath.workdps(60):
            assert abs(noncentral_chi2_cdf(x, k, lam) - exact_noncentral(x, k, lam)) < 1e-12, (x, k, lam)


def test_noncentral_chi2_beside_scipy():
    k, lam = np.exp(RNG.uniform(-0.5, 4, 500)), np.exp(RNG.uniform(-3, 7, 500))
    x = (k + lam) * np.exp(RNG.normal(size=500) * 0.5)
    ours = [noncentral_chi2_cdf(*map(float, row)) for row in zip(x, k, lam, strict=True)]
    np.testing.assert_allclose(ours, stats.ncx2.cdf(x, k, lam), atol=1e-10)
    assert all(np.diff([noncentral_chi2_cdf(v, 3.0, 50.0) for v in np.linspace(0.1, 200, 400).tolist()]) >= 0)


@pytest.mark.parametrize(
    ("x", "k", "lam", "expected"),
    [
        (0.0, 3.0, 5.0, 0.0),
        (-1.0, 3.0, 5.0, 0.0),
        (INF, 3.0, 5.0, 1.0),
        (1e9, 3.0, 5.0, 1.0),
        (3.0, 0.0, 5.0, NAN),
        (3.0, 3.0, -1.0, NAN),
        (NAN, 3.0, 5.0, NAN),
        (3.0, 3.0, NAN, NAN),
    ],
)
def test_noncentral_chi2_edges(x, k, lam, expected):
    np.testing.assert_equal(noncentral_chi2_cdf(x, k, lam), expected)


def test_central_limit_of_the_noncentral():
    assert noncentral_chi2_cdf(4.0, 3.0, 0.0) == gamma_p(1.5, 2.0)
    assert noncentral_chi2_cdf(4.0, 3.0, 1e-300) == pytest.approx(gamma_p(1.5, 2.0), abs=1e-15)
