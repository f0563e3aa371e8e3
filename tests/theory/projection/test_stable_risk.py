"""Elementary functions of the risk against multiple precision, at the seams and at the ends."""

from __future__ import annotations

import math
import sys

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.projection.stable_risk import digamma_excess, exp_excess, log_excess


def worst_ulp(found, wanted):
    pairs = zip(found, wanted, strict=True)
    return max(float(abs(mp.mpf(float(a)) - b) / mp.mpf(np.spacing(abs(float(b))))) for a, b in pairs)


def test_log_excess_over_its_domain():
    rng = np.random.default_rng(1)
    u = np.concatenate(
        [
            -1.0 + 10.0 ** rng.uniform(-16, 0, 150),
            10.0 ** rng.uniform(-150, 300, 150),
            -(10.0 ** rng.uniform(-150, -0.01, 150)),
            rng.uniform(-1, 3, 400),
            np.nextafter([-0.6, 1.5], -2.0),
            [-0.6, 1.5, 1e-160],
        ]
    )
    with mp.workdps(400):
        wanted = [mp.mpf(x) - mp.log1p(mp.mpf(x)) for x in u]
        kept = [i for i, value in enumerate(wanted) if value > sys.float_info.min]
        assert worst_ulp(log_excess(u)[kept], [wanted[i] for i in kept]) < 4


def test_log_excess_at_the_ends():
    np.testing.assert_array_equal(log_excess([-1.0, 0.0, math.inf, 1e-200]), [math.inf, 0.0, math.inf, 0.0])
    assert log_excess(-1e-200) == 0.0
    assert isinstance(float(log_excess(0.5)), float)
    assert log_excess(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("bad", [-1.0000001, math.nan, [0.0, -2.0]])
def test_log_excess_refuses(bad):
    with pytest.raises(ValueError, match="relative deviations of at least -1"):
        log_excess(bad)


def test_exp_excess():
    rng = np.random.default_rng(2)
    a = np.concatenate([rng.uniform(-3, 3, 300), rng.uniform(-700, 700, 60), 10.0 ** rng.uniform(-140, 0, 100)])
    a = np.concatenate([a, -a, [1.0, -1.0, np.nextafter(1.0, 0.0)]])
    with mp.workdps(400):
        assert worst_ulp(exp_excess(a), [mp.expm1(mp.mpf(x)) - mp.mpf(x) for x in a]) < 4
    assert exp_excess(0.0) == 0.0
    assert exp_excess(1e4) == math.inf


def test_digamma_excess():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(0, 30, 150), 10.0 ** rng.uniform(-300, 30, 100), [12.0, np.nextafter(12.0, 0.0)]])
    with mp.workdps(60):
        assert worst_ulp(digamma_excess(x), [mp.log(mp.mpf(v)) - mp.digamma(mp.mpf(v)) for v in x]) < 4
    assert digamma_excess(1.0) == pytest.approx(np.euler_gamma, rel=2e-16)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_digamma_excess_refuses(bad):
    with pytest.raises(ValueError, match="numbers > 0"):
        digamma_excess(bad)
