import math

import mpmath
import numpy as np
import pytest

from asymptopia.verify.device import elementary as el
from asymptopia.verify.device.quantile import normal_quantile

INF = math.inf
NAN = math.nan


@pytest.fixture(autouse=True)
def precision():
    with mpmath.workprec(160):
        yield


def signed(rng, low, high, size):
    return rng.choice([-1.0, 1.0], size) * np.exp(rng.uniform(low, high, size))


def ulps(value, exact):
    """Error in units of the last place of the exact value; smaller than 1/2 for a correctly rounded one."""
    return float(abs(mpmath.mpf(value) - exact) / math.ulp(float(exact)))


def worst(function, exact, points):
    return max((ulps(function(float(x)), exact(mpmath.mpf(float(x)))), float(x)) for x in points)


def exact_quantile(p):
    z = mpmath.mpf(normal_quantile(float(p)))
    for _ in range(3):
        tail = mpmath.ncdf(z) if z < 0 else mpmath.mpf(1) - mpmath.ncdf(-z)
        z -= (tail - p) / mpmath.npdf(z)
    return z


RNG = np.random.default_rng(17)
NEAR_ONE = 1.0 + signed(RNG, -36, -0.8, 1500)
LOG_POINTS = np.concatenate([np.exp(RNG.uniform(-745, 709, 2000)), np.exp(RNG.uniform(-1.5, 1.5, 2000)), NEAR_ONE])
EXP_POINTS = np.concatenate([RNG.uniform(-745, 709.7, 2000), RNG.uniform(-2, 2, 2000), signed(RNG, -40, 0, 500)])
SMALL = signed(RNG, -40, -0.01, 2000)
EXPM1_POINTS = np.concatenate([RNG.uniform(-40, 709, 1000), RNG.uniform(-2, 2, 2000), SMALL])
TURNS = np.concatenate([RNG.random(2000), np.exp(RNG.uniform(-36, 0, 1000)), RNG.integers(0, 65, 200) / 64])
LEVELS = np.concatenate(
    [RNG.random(700), np.exp(RNG.uniform(-690, 0, 700)), 1 - np.exp(RNG.uniform(-36, 0, 300)), 0.5 + SMALL[:400] / 2.5]
)


@pytest.mark.parametrize(
    ("function", "exact", "points", "limit"),
    [
        pytest.param(el.log, mpmath.log, LOG_POINTS, 1.0, id="log"),
        pytest.param(el.exp, mpmath.exp, EXP_POINTS, 1.0, id="exp"),
        pytest.param(el.log1p, mpmath.log1p, SMALL, 1.0, id="log1p-small"),
        pytest.param(el.log1p, mpmath.log1p, np.exp(RNG.uniform(-2, 700, 1000)), 1.0, id="log1p-large"),
        pytest.param(el.expm1, mpmath.expm1, EXPM1_POINTS, 1.5, id="expm1"),
        pytest.param(lambda u: el.sincos2pi(u)[0], lambda u: mpmath.sinpi(2 * u), TURNS, 1.5, id="sin"),
        pytest.param(lambda u: el.sincos2pi(u)[1], lambda u: mpmath.cospi(2 * u), TURNS, 1.5, id="cos"),
        pytest.param(normal_quantile, exact_quantile, LEVELS, 4.0, id="quantile"),
    ],
)
def test_accuracy(function, exact, points, limit):
    error, x = worst(function, exact, points)
    assert error <= limit, x


def test_accuracy_can_fail():
    """The measure sees one rounding of the argument."""
    assert worst(lambda x: el.exp(math.nextafter(x, INF)), mpmath.exp, [300.5])[0] > 50


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (el.log, 0.0, -INF),
        (el.log, -0.0, -INF),
        (el.log, -1.0, NAN),
        (el.log, -INF, NAN),
        (el.log, NAN, NAN),
        (el.log, INF, INF),
        (el.log, 1.0, 0.0),
        (el.log, 5e-324, math.log(5e-324)),
        (el.log, 1.7976931348623157e308, math.log(1.7976931348623157e308)),
        (el.exp, INF, INF),
        (el.exp, -INF, 0.0),
        (el.exp, NAN, NAN),
        (el.exp, 709.782712893384, 1.7976931348622732e308),
        (el.exp, 709.7827128933841, INF),
        (el.exp, 1e308, INF),
        (el.exp, -745.13, 5e-324),
        (el.exp, -745.14, 0.0),
        (el.exp, -1e308, 0.0),
        (el.exp, 0.0, 1.0),
        (el.exp, 1.0, math.e),
        (el.log1p, -1.0, -INF),
        (el.log1p, -2.0, NAN),
        (el.log1p, -INF, NAN),
        (el.log1p, NAN, NAN),
        (el.log1p, INF, INF),
        (el.log1p, 0.0, 0.0),
        (el.log1p, 5e-324, 5e-324),
        (el.log1p, -1.0 + 2.0**-53, math.log(2.0**-53)),
        (el.expm1, INF, INF),
        (el.expm1, -INF, -1.0),
        (el.expm1, NAN, NAN),
        (el.expm1, 0.0, 0.0),
        (el.expm1, 5e-324, 5e-324),
        (el.expm1, 709.8, INF),
        (normal_quantile, 0.0, -INF),
        (normal_quantile, 1.0, INF),
        (normal_quantile, 0.5, 0.0),
        (normal_quantile, -0.1, NAN),
        (normal_quantile, 1.1, NAN),
        (normal_quantile, NAN, NAN),
    ],
)
def test_edges(function, x, expected):
    np.testing.assert_equal(function(x), expected)


def test_quarter_turns_are_exact():
    quarter = [el.sincos2pi(u) for u in (0.0, 0.25, 0.5, 0.75, 1.0, -0.25)]
    assert quarter == [(0, 1), (1, 0), (0, -1), (-1, 0), (0, 1), (-1, 0)]
    assert all(math.isnan(v) for v in el.sincos2pi(NAN))


def test_quantile_is_antisymmetric_and_increasing():
    levels = np.sort(np.concatenate([np.exp(RNG.uniform(-700, np.log(0.5), 3000)), 0.075 + signed(RNG, -40, -5, 400)]))
    values = [normal_quantile(float(u)) for u in levels]
    steps = np.diff(values)
    # two rational functions meet at 0.075; there neighbouring doubles may swap by rounding
    assert steps.min() > -1e-15
    draws = (2.0 * RNG.integers(0, 2**51, 500) + 1.0) * 2.0**-53
    assert all(normal_quantile(1.0 - float(u)) == -normal_quantile(float(u)) for u in draws)
