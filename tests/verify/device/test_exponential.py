import math

import numpy as np
from goodness import bits
from scipy import stats

from asymptopia.verify.device.exponential import exponential, exponential_pair
from asymptopia.verify.device.stream import uniform, uniform_pair

COUNT = 200_000
# false alarm rate of every test
ALARM = 1e-6
STREAM = (1, 2, 3, 4, 0)


def exponentials(stream, params):
    a, j = exponential(stream, 0)
    b, c, j = exponential_pair(stream, j)
    return a, b, c, float(j)


def of_the_wrong_rate(stream, params):
    a, _j = exponential(stream, 0)
    return 1.02 * a


def test_law(draw):
    values = draw(exponentials, COUNT, size=4)
    assert np.all(values[:, 3] == 2)
    limit = stats.norm.isf(ALARM / 2)
    for column in values[:, :3].T:
        assert stats.kstest(column, "expon").pvalue > ALARM
        for power, mean, variance in ((1, 1, 1), (2, 2, 20), (3, 6, 684)):
            assert abs(np.mean(column**power) - mean) < limit * math.sqrt(variance / COUNT)
    assert np.all(values > 0)


def test_law_test_can_fail(draw):
    assert stats.kstest(draw(of_the_wrong_rate, COUNT)[:, 0], "expon").pvalue < ALARM


def test_pair_is_independent(draw):
    values = draw(exponentials, COUNT, size=4)
    cells = (-np.expm1(-values[:, 1:3]) * 12).astype(int)
    assert stats.chisquare(np.bincount(12 * cells[:, 0] + cells[:, 1], minlength=144)).pvalue > ALARM


def test_is_the_logarithm_of_its_uniform():
    for j in range(50):
        u, v, _ = uniform_pair(STREAM, j)
        e, after = exponential(STREAM, j)
        assert (uniform(STREAM, j)[0], after) == (u, j + 1)
        assert math.isclose(e, -math.log(u), rel_tol=3e-16)
        first, second, after = exponential_pair(STREAM, j)
        assert (first, after) == (e, j + 1)
        assert math.isclose(second, -math.log(v), rel_tol=3e-16)


def test_same_bits_compiled(draw):
    compiled = draw(exponentials, 300, size=4)
    plain = [exponentials((2024, 7, r, 0, 0), ()) for r in range(300)]
    np.testing.assert_array_equal(bits(compiled), bits(plain))
