import math

import numpy as np
from scipy import stats

from asymptopia.verify.device.normal import normal, normal_pair
from asymptopia.verify.device.quantile import normal_quantile
from asymptopia.verify.device.stream import uniform

COUNT = 100_000
ALARM = 1e-6


def all_normals(stream, params):
    z, j = normal(stream, 0)
    a, b, j = normal_pair(stream, j)
    c, j = normal(stream, j)
    return z, a, b, c


def test_inverse_distribution_function():
    stream = (1, 2, 3, 4, 0)
    z, j = normal(stream, 5)
    u, i = uniform(stream, 5)
    assert (z, j) == (normal_quantile(u), i)


def test_law(draw):
    values = draw(all_normals, COUNT, size=4)
    for column in values.T:
        assert stats.kstest(column, "norm").pvalue > ALARM
    # moments with their standard errors; two-sided rate 1e-6 each
    limit = stats.norm.isf(ALARM / 2)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        z = ((values**power).mean(axis=0) - mean) * math.sqrt(COUNT / variance)
        assert np.abs(z).max() < limit


def test_independence(draw):
    values = draw(all_normals, COUNT, size=4)
    cells = (stats.norm.cdf(values) * 12).astype(int)
    for a in range(4):
        for b in range(a):
            table = np.bincount(12 * cells[:, a] + cells[:, b], minlength=144)
            assert stats.chisquare(table).pvalue > ALARM


def test_pair_lies_on_the_circle_of_its_radius():
    z1, z2, j = normal_pair((1, 2, 3, 4, 0), 0)
    assert j == 1
    assert math.exp(-(z1 * z1 + z2 * z2) / 2) == uniform((1, 2, 3, 4, 0), 0)[0] or math.isclose(
        math.exp(-(z1 * z1 + z2 * z2) / 2), uniform((1, 2, 3, 4, 0), 0)[0], rel_tol=1e-14
    )
