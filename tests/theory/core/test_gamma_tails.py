"""Logarithms of incomplete gamma functions against mpmath, deep in either tail."""

import math

import mpmath as mp
import numpy as np
import pytest
import scipy.special
from accuracy import relative_error

from asymptopia.theory._core.gamma_tails import log_gammainc, log_gammaincc

RNG = np.random.default_rng(20251121)
SHAPES = [0.5, 1.0, 1.5, 4.5, 24.5, 50.0, 51.0, 1e3, 1e4]
BODY = [(a, float(a * RNG.uniform(0.2, 3.0))) for a in SHAPES for _ in range(6 if a < 1e4 else 1)]
UPPER = [(a, float(x)) for a in SHAPES for x in (700.0, 2e3, 3e4, 1e5, 1e6) if x > 1.5 * a]
LOWER = [(a, float(a) * f) for a in SHAPES for f in (1e-300, 1e-30, 1e-3, 0.05, 0.5)]
MIXED = [(float(10 ** RNG.uniform(-0.3, 3)), float(10 ** RNG.uniform(-3, 6))) for _ in range(100)]


def exact(a, x):
    """Return log P and log Q from the series of the lower function, whose terms are positive."""
    a, x = mp.mpf(a), mp.mpf(x)
    lost = int(x / mp.log(10)) + 1 if x < 4 * a + 100 else 0
    with mp.workdps(40 + min(lost, 4000)):
        upper = mp.gammainc(a, x, mp.inf, regularized=True)
        lower = x**a * mp.exp(-x) / mp.gamma(a + 1) * mp.hyp1f1(1, a + 1, x) if x < a else 1 - upper
        if lower < upper:
            upper = 1 - lower
        return (
            mp.log(lower) if lower < 0.5 else mp.log1p(-upper),
            mp.log(upper) if upper < 0.5 else mp.log1p(-lower),
        )


@pytest.mark.parametrize(("a", "x"), BODY + UPPER + LOWER + MIXED)
def test_both_logarithms_keep_their_digits(a, x):
    log_lower, log_upper = exact(a, x)
    # the logarithm of a tail that scipy gives to 1e-12 relative is right to that times the tail over itself
    for value, wanted in ((log_gammainc(a, x), log_lower), (log_gammaincc(a, x), log_upper)):
        # next to 0, scipy gives no subnormal numbers
        error = relative_error(value, wanted) if abs(wanted) > 1e-307 else float(abs(value - wanted))
        assert error < 2e-12, (a, x, value, wanted)


def test_exponential_tail_is_exact():
    x = np.array([0.0, 1e-300, 1.0, 700.0, 1e4, 1e6, 1e15])
    assert np.allclose(log_gammaincc(1.0, x), -x, rtol=1e-13, atol=0)


def test_scipy_alone_underflows():
    with np.errstate(divide="ignore"):
        assert np.log(scipy.special.gammaincc(4.5, 1e4)) == -math.inf
    assert log_gammaincc(4.5, 1e4) == pytest.approx(float(exact(4.5, 1e4)[1]), rel=1e-13)


def test_edges_and_shapes():
    assert log_gammaincc(2.0, 0.0) == 0.0
    assert log_gammainc(2.0, 0.0) == -math.inf
    assert log_gammaincc(2.0, math.inf) == -math.inf
    assert log_gammainc(2.0, math.inf) == 0.0
    assert np.isscalar(log_gammaincc(2, 3))
    assert log_gammaincc([1.0, 2.0], [[1.0], [2.0], [1e5]]).shape == (3, 2)
    frozen = np.array([1.0, 1e5])
    frozen.flags.writeable = False
    assert np.isfinite(log_gammaincc(1.0, frozen)).all()


def test_upper_tail_falls_and_lower_tail_rises():
    x = np.concatenate([np.linspace(0.01, 900, 400), 10.0 ** np.linspace(3, 6, 100)])
    assert (np.diff(log_gammaincc(4.5, x)) < 0).all()
    assert (np.diff(log_gammainc(4.5, x)) >= 0).all()
