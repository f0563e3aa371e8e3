import math

import mpmath
import numpy as np
import pytest
from goodness import bits
from scipy import special, stats

from asymptopia.verify.device.elementary import TWO52_BIASED, exp, log_core
from asymptopia.verify.device.gamma import (
    THIRD,
    beta,
    chi_square,
    gamma,
    gamma_attempt,
    gamma_root,
    log_gamma_attempt,
    log_gamma_variate,
)
from asymptopia.verify.device.log_rest import log1p_rest
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.quantile import normal_quantile
from asymptopia.verify.device.stream import uniform_pair

COUNT = 200_000
# false alarm rate of every test
ALARM = 1e-6
STREAM = (1, 2, 3, 4, 0)
SHAPES = [1e-300, 1e-3, 0.1, 0.5, 0.999, 1.0, 1.001, 2.5, 40.0, 1e6, 1e12]


def both_gammas(stream, params):
    x, j = gamma(stream, 0, params[0])
    y, i = log_gamma_variate(stream, 0, params[0])
    return x, y, float(j), float(i)


def without_boost(stream, params):
    x, _j = gamma(stream, 0, params[0] + 1.0)
    return x


def without_test(stream, params):
    x, _accepted = gamma_attempt(stream, 0, params[0])
    return x


def with_a_wide_squeeze(stream, params):
    """Accept all that is below 1 - 0.0031 x**4, where the constant is 0.0331."""
    j = 0
    d = params[0] - THIRD
    while True:
        u, v, j = uniform_pair(stream, j)
        z = normal_quantile(u)
        t = z * (THIRD / sqrt(d))
        if t > -1.0 and (v < 1.0 - 0.0031 * z * z * z * z or log_core(v, TWO52_BIASED) <= 3.0 * d * log1p_rest(t)):
            return d * (1.0 + t) * (1.0 + t) * (1.0 + t)


def others(stream, params):
    x, j = chi_square(stream, 0, params[0])
    y, j = beta(stream, j, params[0], params[1])
    z, j = beta(stream, j, params[1], 0.02)
    return x, y, z, float(j)


def roots(stream, params):
    t, accepted = gamma_root(stream, 0, params[0])
    x, hit = gamma_attempt(stream, 0, params[0])
    y, log_hit = log_gamma_attempt(stream, 0, params[0])
    return t, float(accepted), x, float(hit), y, float(log_hit), exp(y)


def p_value(values, logarithms, shape):
    """Of the law of draws: with the leading term of the distribution function where draws are tiny."""
    if shape < 1e10:
        tiny = np.exp(np.maximum(shape * np.minimum(logarithms, -30) - special.gammaln(shape + 1), -800.0))
        return stats.kstest(
            np.where(logarithms < -40, tiny, special.gammainc(shape, np.exp(logarithms))), "uniform"
        ).pvalue
    # normal up to a distance of 1 / (3 sqrt(2 pi shape))
    return stats.kstest((values - shape) / math.sqrt(shape), "norm").pvalue


@pytest.mark.parametrize("shape", SHAPES)
def test_law(draw, shape):
    x, y, j, i = draw(both_gammas, COUNT, [shape], size=4).T
    assert p_value(x, y, shape) > ALARM
    np.testing.assert_array_equal(i, j)
    assert np.isfinite(y).all()
    # the same draw, also where it underflows
    usual = y > -700
    np.testing.assert_allclose(x[usual], np.exp(y[usual]), rtol=3e-13)
    assert np.all(x[y < -746] == 0)


@pytest.mark.parametrize("shape", [1e-3, 0.5, 1.0, 2.5, 1e6])
def test_moments(draw, shape):
    x, y, _, _ = draw(both_gammas, COUNT, [shape], size=4).T
    limit = stats.norm.isf(ALARM / 2)
    assert abs(np.mean(x - shape)) < limit * math.sqrt(shape / COUNT)
    centred = np.mean((x - shape) ** 2) - shape
    assert abs(centred) < limit * math.sqrt((2 * shape**2 + 6 * shape) / COUNT)
    assert abs(np.mean(y) - special.digamma(shape)) < limit * math.sqrt(special.polygamma(1, shape) / COUNT)


def test_law_test_can_fail(draw):
    for mutant, shape in ((without_boost, 0.5), (without_boost, 1e-3), (without_test, 1.0), (with_a_wide_squeeze, 1.0)):
        x = draw(mutant, COUNT, [shape])[:, 0]
        assert p_value(x, np.log(np.abs(x)), shape) < ALARM, mutant


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.5), (3.0, 2.0), (0.01, 40.0)])
def test_chi_square_and_beta(draw, a, b):
    x, y, z, _ = draw(others, COUNT, [a, b], size=4).T
    assert stats.kstest(special.gammainc(a / 2, x / 2)[x > 1e-290], "uniform").pvalue > (ALARM if a > 0.1 else 0)
    assert stats.kstest(y[y > 1e-290], stats.beta(a, b).cdf).pvalue > (ALARM if a > 0.1 else 0)
    if a < 0.1:
        # what is below the smallest double is 0
        below = stats.beta(a, b).cdf(1e-290)
        assert abs(np.mean(y <= 1e-290) - below) < stats.norm.isf(ALARM / 2) * math.sqrt(below / COUNT)
    limit = stats.norm.isf(ALARM / 2)
    for v, p, q in ((y, a, b), (z, b, 0.02)):
        law = stats.beta(p, q)
        assert abs(np.mean(v) - law.mean()) < limit * law.std() / math.sqrt(COUNT)
        assert v.min() >= 0
        assert v.max() <= 1


@pytest.mark.parametrize("shape", [1.0, 1.5, 40.0, 1e9])
def test_is_attempts_until_one_is_accepted(shape):
    refused = 0
    for r in range(400):
        stream = (5, 6, r, 0, 0)
        j = 0
        while True:
            value, accepted = gamma_attempt(stream, j, shape)
            log_value, log_accepted = log_gamma_attempt(stream, j, shape)
            assert accepted == log_accepted
            j += 1
            if accepted:
                break
            refused += 1
        assert gamma(stream, 0, shape) == (value, j)
        assert log_gamma_variate(stream, 0, shape) == (log_value, j)
    assert refused > 0 or shape > 10


def test_small_shapes_are_attempts_and_a_block_more():
    refused = 0
    for r in range(400):
        stream = (5, 6, r, 0, 0)
        j = 0
        while log_gamma_attempt(stream, j, 0.3)[1] == 0:
            j += 1
            refused += 1
        value = log_gamma_attempt(stream, j, 0.3)[0]
        assert log_gamma_variate(stream, 0, 0.3) == (value, j + 2)
        assert gamma(stream, 0, 0.3) == (exp(value), j + 2)
    assert refused > 0


EDGES = [(0.0, 0.0), (math.inf, math.inf), (-1.0, math.nan), (math.nan, math.nan), (-math.inf, math.nan)]


@pytest.mark.parametrize(("shape", "expected"), EDGES)
def test_edges(shape, expected):
    logarithm = {0.0: -math.inf, math.inf: math.inf}.get(shape, math.nan)
    np.testing.assert_equal(gamma(STREAM, 3, shape), (expected, 3))
    np.testing.assert_equal(log_gamma_variate(STREAM, 3, shape), (logarithm, 3))
    np.testing.assert_equal(chi_square(STREAM, 3, shape), (expected, 3))
    np.testing.assert_equal(beta(STREAM, 3, shape, 1.0), (math.nan, 3))
    np.testing.assert_equal(beta(STREAM, 3, 1.0, shape), (math.nan, 3))
    assert gamma_attempt(STREAM, 3, shape)[1] == 0
    assert log_gamma_attempt(STREAM, 3, shape)[1] == 0


def test_attempts_outside_their_domain_raise_nothing():
    for shape in (THIRD, -2 / 3, 5e-324, 1.7e308):
        assert gamma_attempt(STREAM, 0, shape)[1] == (1 if shape > 1 else 0)
        assert log_gamma_attempt(STREAM, 0, shape)[1] == (1 if shape > 0 else 0)


def test_rest_of_the_logarithm():
    rng = np.random.default_rng(5)
    wide = rng.uniform(-0.999999, 15, 500)
    near = rng.uniform(-0.2928, 0.4142, 500)
    tiny = np.exp(rng.uniform(-70, -1.3, 500)) * rng.choice([-1, 1], 500)
    with mpmath.workdps(300):
        for t in [*wide.tolist(), *near.tolist(), *tiny.tolist(), -1.0 + 2.0**-53]:
            m = mpmath.mpf(t)
            exact = mpmath.log1p(m) - (m - m * m / 2 + m**3 / 3)
            error = abs(log1p_rest(t) - exact)
            bound = 1e-13 * abs(exact) if 0.5 < (1 + m) ** 2 < 2 else 1e-15 * (40 + abs(t) ** 3)
            assert error <= bound, t


def test_acceptance_is_exact():
    """The decision is that of the ratio of densities in 60 digits, but within rounding of it, at every shape."""
    refused = 0
    with mpmath.workdps(60):
        for shape in (1.0, 1.5, 1e3, 1e9, 1e15, 1e40):
            d = shape - THIRD
            for r in range(150):
                stream = (7, 8, r, 0, 0)
                t, accepted = gamma_root(stream, 0, d)
                u, v, _ = uniform_pair(stream, 0)
                x = normal_quantile(u)
                if x * (THIRD / sqrt(d)) <= -1:
                    assert not accepted
                    continue
                m = mpmath.mpf(t)
                level = 3 * mpmath.mpf(d) * (mpmath.log1p(m) - m + m * m / 2 - m**3 / 3)
                gap = mpmath.log(mpmath.mpf(v)) - level
                if abs(gap) > 1e-12:
                    assert accepted == (gap < 0), (shape, r)
                refused += not accepted
    assert refused > 3


@pytest.mark.parametrize("shape", [1e-3, 0.7, 1.0, 2.5, 1e9])
def test_same_bits_compiled(draw, shape):
    for replicate, size, params in ((both_gammas, 4, [shape]), (roots, 7, [shape]), (others, 4, [shape, 0.4])):
        compiled = draw(replicate, 150, params, size=size)
        plain = [replicate((2024, 7, r, 0, 0), params) for r in range(150)]
        np.testing.assert_array_equal(bits(compiled), bits(plain))
