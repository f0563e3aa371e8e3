import math

import mpmath
import numpy as np
import pytest
from goodness import bits
from scipy import special, stats

from asymptopia.verify.device.exponential import exponential
from asymptopia.verify.device.orderstat import exponential_mean, next_order_statistic, uniform_maximum

COUNT = 200_000
# false alarm rate of every test
ALARM = 1e-6
STREAM = (1, 2, 3, 4, 0)
LOG_SIZES = [0.0, math.log(2), math.log(50), math.log(1e6), 700.0, 1000.0, 1e4]


def three_largest(stream, params):
    """Logarithms and scaled gaps of the three largest; params are the logarithms of N, N - 1 and its copy for gaps."""
    a, x, j = uniform_maximum(stream, 0, params[0])
    b, y, j = next_order_statistic(stream, j, a, x, params[0], params[0])
    c, z, j = next_order_statistic(stream, j, b, y, params[0], params[1])
    return a, x, b, y, c, z, float(j)


def with_the_rate_of_k(stream, params):
    """Take the ratio of neighbours for the largest of k uniforms, not of k - 1."""
    a, x, j = uniform_maximum(stream, 0, params[0])
    _b, y, j = next_order_statistic(stream, j, a, x, params[0], params[1])
    return y


def below(log_n):
    """log(N - 1)"""
    return log_n + math.log(-math.expm1(-log_n)) if log_n > 0 else -math.inf


def pit(rank, gap, log_n):
    """The distribution function of N (1 - U) for the rank-th largest: 1 - U has the law beta(rank, N - rank + 1)."""
    if log_n > 30:
        # the limit, up to a relative distance of the size of 1 / N
        return special.gammainc(rank, gap)
    n = round(math.exp(log_n))
    return special.betainc(rank, n - rank + 1, np.minimum(gap / n, 1.0))


@pytest.mark.parametrize("log_n", LOG_SIZES)
def test_law(draw, log_n):
    a, x, b, y, _c, z, j = draw(three_largest, COUNT, [log_n, below(log_n)], size=7).T
    assert np.all(j == 3)
    n = math.exp(min(log_n, 700))
    for rank, gap in ((1, x), (2, y), (3, z)):
        if round(n) < rank:
            np.testing.assert_allclose(gap, n, rtol=1e-15)
            continue
        assert stats.kstest(pit(rank, gap, log_n), "uniform").pvalue > ALARM
        assert np.all(gap > 0)
    assert np.all(x < y)
    assert np.all((y < z) | (round(n) == 2) | (log_n == 0))
    if log_n <= 700:
        assert stats.kstest(-np.expm1(a * n) if n > 1 else -np.expm1(a), "uniform").pvalue > ALARM
        np.testing.assert_allclose(-np.expm1(a) * n, x, rtol=1e-13)
        inside = np.isfinite(b)
        np.testing.assert_allclose(-np.expm1(b[inside]) * n, y[inside], rtol=1e-13)
        np.testing.assert_array_equal(b == -math.inf, log_n == 0)
    else:
        assert np.all(a == 0)


def test_moments(draw):
    limit = stats.norm.isf(ALARM / 2)
    for log_n in (0.0, math.log(2), 1e4):
        x = draw(three_largest, COUNT, [log_n, below(log_n)], size=7)[:, 1]
        law = stats.beta(1, round(math.exp(log_n))) if log_n < 1 else stats.expon()
        n = math.exp(log_n) if log_n < 1 else 1.0
        assert abs(x.mean() - n * law.mean()) < limit * n * law.std() / math.sqrt(COUNT)


def test_law_test_can_fail(draw):
    y = draw(with_the_rate_of_k, COUNT, [math.log(20), math.log(21)])[:, 0]
    assert stats.kstest(pit(2, y, math.log(20)), "uniform").pvalue < ALARM
    x = draw(three_largest, COUNT, [math.log(50), math.log(49)], size=7)[:, 1]
    # one value more or less, and the limit
    assert stats.kstest(x / 50, stats.beta(1, 51).cdf).pvalue < ALARM
    assert stats.kstest(x / 50, stats.beta(1, 49).cdf).pvalue < ALARM
    few = draw(three_largest, COUNT, [math.log(2), 0.0], size=7)[:, 1]
    assert stats.kstest(pit(1, few, 700.0), "uniform").pvalue < ALARM


def test_spacings_are_independent(draw):
    """The ratios of neighbours: N log U_(N), (N - 1) log(U_(N-1) / U_(N)), ... are independent exponentials."""
    n = 50
    a, _, b, _, c, _, _ = draw(three_largest, COUNT, [math.log(n), math.log(n - 1)], size=7).T
    u = -np.expm1([n * a, (n - 1) * (b - a), (n - 2) * (c - b)])
    cells = np.minimum((u * 6).astype(int), 5)
    counts = np.bincount(36 * cells[0] + 6 * cells[1] + cells[2], minlength=216)
    assert stats.chisquare(counts).pvalue > ALARM


@pytest.mark.parametrize("log_n", [-3.0, 0.0, 0.7, 20.0, 690.0])
def test_digits(log_n):
    with mpmath.workdps(400):
        n = mpmath.exp(mpmath.mpf(log_n))
        for r in range(60):
            stream = (1, 2, r, 0, 0)
            e, _ = exponential(stream, 0)
            f, _ = exponential(stream, 1)
            log_u, gap, j = uniform_maximum(stream, 0, log_n)
            u = mpmath.exp(-e / n)
            assert j == 1
            assert abs(log_u / (-e / n) - 1) < 1e-15
            assert abs(gap / (n * (1 - u)) - 1) < 2e-15
            if log_n <= 0:
                continue
            log_v, wide, j = next_order_statistic(stream, j, log_u, gap, log_n, log_n)
            v = u * mpmath.exp(-f / (n - 1))
            assert j == 2
            assert abs(log_v / mpmath.log(v) - 1) < 2e-15
            assert abs(wide / (n * (1 - v)) - 1) < 4e-15


def test_edges():
    e, _ = exponential(STREAM, 3)
    assert uniform_maximum(STREAM, 3, 0.0) == (-e, -math.expm1(-e), 4)
    assert uniform_maximum(STREAM, 3, math.inf) == (0.0, e, 4)
    assert uniform_maximum(STREAM, 3, -math.inf) == (-math.inf, 0.0, 4)
    assert uniform_maximum(STREAM, 3, -800.0)[:2] == (-math.inf, 0.0)
    assert all(math.isnan(v) for v in uniform_maximum(STREAM, 3, math.nan)[:2])
    assert next_order_statistic(STREAM, 3, -0.5, 0.4, 0.0, 0.0) == (-math.inf, 1.0, 4)
    assert next_order_statistic(STREAM, 3, -0.5, 0.4, 2.0, -1.0) == (-math.inf, pytest.approx(math.exp(2)), 4)
    # nothing is left of N - k at this size
    assert next_order_statistic(STREAM, 3, -0.0, 0.7, 1e4, 1e4) == (0.0, 0.7 + e, 4)


def test_mean_of_the_exponential():
    with mpmath.workdps(50):
        for x in (1e-300, 1e-20, 1e-8, 0.3, 1.0, 30.0, 800.0):
            exact = -mpmath.expm1(-mpmath.mpf(x)) / mpmath.mpf(x)
            assert abs(exponential_mean(x) / exact - 1) < 5e-16
    assert exponential_mean(0.0) == 1.0
    assert exponential_mean(5e-324) == 1.0


@pytest.mark.parametrize("log_n", [0.0, 3.0, 1e4])
def test_same_bits_compiled(draw, log_n):
    params = [log_n, below(log_n) if log_n > 0 else -1.0]
    compiled = draw(three_largest, 300, params, size=7)
    plain = [three_largest((2024, 7, r, 0, 0), params) for r in range(300)]
    np.testing.assert_array_equal(bits(compiled), bits(plain))
