import math

import mpmath
import numpy as np
import pytest
from goodness import discrete_p_value
from scipy import stats

from asymptopia.verify.device.binomial import RECURSION_STEPS, binomial, binomial_accepts, multinomial_cell
from asymptopia.verify.engine.conditional import conditional_probabilities

ALARM = 1e-6
STREAM = (1, 2, 3, 4, 0)


def one_binomial(stream, params):
    k, j = binomial(stream, 0, int(params[0]), params[1])
    return float(k), float(j)


def three_cells(stream, params):
    left = int(params[0])
    x, j = multinomial_cell(stream, 0, left, params[1])
    y, j = multinomial_cell(stream, j, left - x, params[2])
    return float(x), float(y)


def ten_cells(stream, params):
    left = int(params[0])
    j = 0
    sums = 0.0
    first = 0.0
    last = 0.0
    for i in range(10):
        k, j = multinomial_cell(stream, j, left, params[i + 1])
        left -= k
        sums += k * k / params[i + 11]
        if i == 2:
            first = float(k)
        if i == 8:
            last = float(k)
    return first, last, sums / params[0] - params[0], float(left)


LAWS = [
    (1, 0.5),
    (2, 1e-3),
    (19, 0.5),
    (20, 0.5),
    (21, 0.5),
    (100, 0.0999),
    (100, 0.1),
    (100, 0.9),
    (100, 0.9001),
    (1000, 0.1),
    (1000, 0.5),
    (1000, 0.97),
    (10**4, 1e-4),
    (10**6, 0.3),
    (10**9, 1e-8),
    (10**9, 2e-8),
    (10**9, 0.25),
    (10**9, 0.999),
    (10**12, 1e-12),
    (10**12, 1 - 2.0**-40),
]


@pytest.mark.parametrize(("n", "p"), LAWS)
def test_law(draw, n, p):
    values = draw(one_binomial, 100_000, [n, p], size=2)[:, 0]
    assert values.min() >= 0
    assert values.max() <= n
    law = stats.binom(n, p)
    if n == 10**12 and p > 0.5:
        # counted from above, where scipy has the digits
        values, law = n - values, stats.binom(n, 1 - p)
    assert discrete_p_value(values, law) > ALARM


def test_law_test_can_fail(draw):
    values = draw(one_binomial, 100_000, [1000, 0.1], size=2)[:, 0]
    assert discrete_p_value(values, stats.binom(1000, 0.1005)) < ALARM
    assert discrete_p_value(values, stats.poisson(100)) < ALARM


@pytest.mark.parametrize(
    ("n", "p", "expected"),
    [
        (0, 0.3, 0),
        (7, 0.0, 0),
        (7, 1.0, 7),
        (10**15, 1.0, 10**15),
        (10**15, 0.0, 0),
        (-1, 0.5, -1),
        (5, -0.1, -1),
        (5, 1.1, -1),
        (5, math.nan, -1),
    ],
)
def test_edges(n, p, expected):
    assert binomial(STREAM, 3, n, p)[0] == expected


def test_no_trials_use_no_block():
    assert binomial(STREAM, 3, 0, 0.5) == (0, 3)
    assert binomial(STREAM, 3, 5, 0.0) == (0, 3)


def test_blocks_used(draw):
    """Inversion uses one block; BTRS accepts with a chance above 0.68, and its attempts are geometric."""
    assert np.all(draw(one_binomial, 10_000, [50, 0.1], size=2)[:, 1] == 1)
    attempts = draw(one_binomial, 100_000, [1000, 0.1], size=2)[:, 1]
    rate = 1 / attempts.mean()
    assert rate > 0.68
    assert discrete_p_value(attempts, stats.geom(rate)) > ALARM


def log_ratio(k, n, p):
    """log of P(k) / P(mode), with 40 digits."""
    with mpmath.workdps(40):
        mode = int((n + 1.0) * p)
        q = mpmath.mpf(p)

        def log_mass(i):
            return i * mpmath.log(q) + (n - i) * mpmath.log1p(-q) - mpmath.loggamma(i + 1) - mpmath.loggamma(n - i + 1)

        return log_mass(k) - log_mass(mode)


def test_acceptance_is_exact():
    """The recursion, the squeezes and the full test decide as the exact ratio does, but within rounding of it."""
    rng = np.random.default_rng(3)
    near, far = 0, 0
    for _ in range(1500):
        n = int(np.exp(rng.uniform(math.log(20), math.log(1e9))))
        p = float(np.exp(rng.uniform(math.log(10 / n), math.log(0.5))))
        mean, variance = n * p, n * p * (1 - p)
        k = int(np.clip(round(mean + rng.uniform(-6, 6) * math.sqrt(variance)), 0, n))
        exact = log_ratio(k, n, p)
        slack = abs(float(exact)) * 10.0 ** rng.uniform(-8, 0) + 1e-7
        for sign in (-1, 1):
            v = math.exp(float(exact) + sign * slack)
            if v > 0:
                assert binomial_accepts(k, n, p, mean, variance, v) is (sign < 0), (k, n, p, sign * slack)
        distance = abs(k - int((n + 1.0) * p))
        near += distance <= RECURSION_STEPS
        far += distance > RECURSION_STEPS
    assert min(near, far) > 200


def test_squeeze_accepts_nothing_else_would_refuse():
    """Along the border of the immediate acceptance, the exact test accepts too: the squeeze of BTRS is valid."""
    for n, p in ((20, 0.5), (101, 0.1), (1000, 0.01), (1000, 0.5), (10**5, 0.0011), (10**9, 0.3)):
        mean = n * p
        sd = math.sqrt(mean * (1 - p))
        b = 1.15 + 2.53 * sd
        a = -0.0873 + 0.0248 * b + 0.01 * p
        v = 0.92 - 4.2 / b
        for u in np.linspace(-0.43, 0.43, 201).tolist():
            edge = 0.5 - abs(u)
            k = int((2 * a / edge + b) * u + mean + 0.5)
            transformed = v * (2.83 + 5.1 / b) * sd / (a / (edge * edge) + b)
            assert transformed <= math.exp(float(log_ratio(k, n, p))), (n, p, u)


def test_multinomial_over_all_outcomes(draw):
    n, p = 6, np.array([0.2, 0.5, 0.3])
    conditional = conditional_probabilities(p)
    values = draw(three_cells, 100_000, [n, *conditional], size=2).astype(int)
    outcomes = [(x, y) for x in range(n + 1) for y in range(n + 1 - x)]
    expected = np.array([stats.multinomial(n, p).pmf([x, y, n - x - y]) for x, y in outcomes]) * len(values)
    observed = np.array([np.sum((values[:, 0] == x) & (values[:, 1] == y)) for x, y in outcomes])
    assert observed.sum() == len(values)
    assert expected.min() > 5
    assert stats.chisquare(observed, expected).pvalue > ALARM


def test_multinomial_moments(draw):
    n, count = 1000, 40_000
    p = np.array([0.001, 0.02, 0.1, 0.3, 0.05, 0.2, 0.029, 0.1, 0.15, 0.05])
    first, last, pearson, left = draw(ten_cells, count, [n, *conditional_probabilities(p), *p], size=4).T
    assert np.all(left == 0)
    limit = stats.norm.isf(ALARM / 2)
    assert abs(np.mean(first) - n * p[2]) < limit * math.sqrt(n * p[2] * (1 - p[2]) / count)
    covariance = -n * p[2] * p[8]
    spread = math.sqrt(n * n * p[2] * (1 - p[2]) * p[8] * (1 - p[8]) * 1.05 / count)
    assert abs(np.mean((first - n * p[2]) * (last - n * p[8])) - covariance) < limit * spread
    # Pearson's statistic has mean K - 1 exactly and variance 2 (K - 1) + (sum 1/p - K^2 - 2 K + 2) / n
    variance = 18 + (np.sum(1 / p) - 100 - 20 + 2) / n
    assert abs(np.mean(pearson) - 9) < limit * math.sqrt(variance / count)
    with pytest.raises(AssertionError):
        assert abs(np.mean(first) - n * p[2] * 1.02) < limit * math.sqrt(n * p[2] * (1 - p[2]) / count)
