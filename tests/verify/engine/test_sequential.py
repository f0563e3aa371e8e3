"""Confidence sequences: known values, monotonicity, coverage over time."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from asymptopia.verify.engine.sequential import (
    Verdict,
    asymptotic_interval,
    beta_binomial_interval,
    decide,
    validity_start,
)


def test_asymptotic_half_width_known_value() -> None:
    # 50-digit value of the closed form at n = n* = 10000, sd = 1, alpha = 0.001
    low, high = asymptotic_interval(0.0, 1.0, 10_000, alpha=0.001, n_star=10_000)
    assert high == pytest.approx(0.042058681254853746080, rel=1e-14)
    assert low == -high


def test_beta_binomial_known_value() -> None:
    low, high = beta_binomial_interval(50, 1000, alpha=0.001)
    assert low == pytest.approx(0.024420903239521815092, rel=1e-12)
    assert high == pytest.approx(0.088154366057251376343, rel=1e-12)


@pytest.mark.parametrize(("s", "n"), [(0, 10), (10, 10), (1, 5), (3, 7), (123, 4567), (999_000, 1_000_000)])
@pytest.mark.parametrize("alpha", [0.05, 1e-5])
def test_beta_binomial_ends_solve_the_martingale_equation(s: int, n: int, alpha: float) -> None:
    low, high = beta_binomial_interval(s, n, alpha=alpha)
    with mp.workdps(40):

        def log_martingale(p: float) -> mp.mpf:
            p = mp.mpf(p)
            ratio = mp.log(mp.beta(s + mp.mpf(1) / 2, n - s + mp.mpf(1) / 2)) - mp.log(mp.beta(0.5, 0.5))
            return ratio - (s * mp.log(p) if s else 0) - ((n - s) * mp.log(1 - p) if s < n else 0)

        for end, edge in ((low, 0.0), (high, 1.0)):
            if (s == 0 and edge == 0.0) or (s == n and edge == 1.0):
                assert end == edge
            else:
                # the slope turns a rounding error of the end into this much of the logarithm
                slope = n * abs(s / n - end) / (end * (1 - end))
                assert abs(log_martingale(end) + mp.log(alpha)) < 1e-9 + 1e-14 * slope * n


@pytest.mark.parametrize("n", [10, 99_534, 620_562_323])
@pytest.mark.parametrize("failures", [0, 1, 2])
@pytest.mark.parametrize("alpha", [0.05, 3e-9])
def test_beta_binomial_nearly_always_a_success(n: int, failures: int, alpha: float) -> None:
    # between one and the number before it there may lie more than the interval leaves out
    low, high = beta_binomial_interval(n - failures, n, alpha=alpha)
    mirrored = beta_binomial_interval(failures, n, alpha=alpha)
    assert high == 1.0 - mirrored[0]
    assert low == pytest.approx(1.0 - mirrored[1], rel=1e-14)
    assert low < (n - failures) / n <= high
    with mp.workdps(40):
        s, half = mp.mpf(failures), mp.mpf(1) / 2
        bound = mp.log(mp.beta(s + half, n - s + half)) - mp.log(mp.pi) + mp.log(mp.mpf(alpha))
        for end in mirrored:
            if end > 0.0:
                excess = bound - s * mp.log(mp.mpf(end)) - (n - s) * mp.log1p(-mp.mpf(end))
                assert abs(excess) < 1e-15 * n + 1e-13 * abs(bound)


def test_beta_binomial_end_below_the_smallest_number() -> None:
    assert beta_binomial_interval(1, 10**9, alpha=1e-320)[0] == 0.0


def test_beta_binomial_refuses_impossible_counts() -> None:
    with pytest.raises(ValueError, match=r"successes is 11; expected at most n = 10"):
        beta_binomial_interval(11, 10, alpha=0.05)
    with pytest.raises(ValueError, match=r"alpha is 1\.0"):
        beta_binomial_interval(1, 10, alpha=1.0)


def test_decide() -> None:
    assert decide((0.9, 1.1), 1.0, 0.2) is Verdict.PASS
    assert decide((0.9, 1.21), 1.0, 0.2) is Verdict.INCONCLUSIVE
    assert decide((1.21, 1.3), 1.0, 0.2) is Verdict.FAIL
    assert decide((0.5, 0.79), 1.0, 0.2) is Verdict.FAIL
    assert decide((0.0, 2.0), 1.0, 0.2) is Verdict.INCONCLUSIVE


def test_validity_start() -> None:
    assert validity_start(0.0) == 1000.0
    assert validity_start(31.6) == pytest.approx(9985.6)


def ever_misses(draw: np.ndarray, truth: float, alpha: float) -> float:
    """Share of sequences whose interval misses the truth at any look from the validity start on."""
    missed = 0
    for row in draw:
        total = np.cumsum(row)
        square = np.cumsum(row**2)
        n = np.arange(1, row.size + 1)
        looks = np.unique(np.geomspace(1000, row.size, 40).astype(int)) - 1
        mean = total / n
        sd = np.sqrt(np.maximum(square / n - mean**2, 0))
        for at in looks:
            low, high = asymptotic_interval(mean[at], sd[at], int(n[at]), alpha=alpha, n_star=5000)
            if not low <= truth <= high:
                missed += 1
                break
    return missed / len(draw)


def test_the_sequence_covers_at_every_look() -> None:
    # 400 sequences at alpha 5 %: more than 8.5 % misses has probability 1e-3 at the nominal rate
    draw = np.random.default_rng(11).exponential(size=(400, 8000))
    assert ever_misses(draw, 1.0, 0.05) < 0.085


def test_a_fixed_interval_looked_at_often_does_not_cover() -> None:
    # the control: the same looks with a 5 % z-interval miss far more often than 5 %
    draw = np.random.default_rng(11).standard_normal((400, 8000))
    n = np.arange(1, 8001)
    looks = np.unique(np.geomspace(1000, 8000, 40).astype(int)) - 1
    mean = np.cumsum(draw, axis=1) / n
    missed = (np.abs(mean) * np.sqrt(n) > 1.96)[:, looks].any(axis=1).mean()
    assert missed > 0.12
    assert math.isfinite(missed)
