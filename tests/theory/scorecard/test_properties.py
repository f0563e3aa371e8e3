"""Invariances and orders that hold for all counts."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asymptopia.theory.scorecard import information_value, jeffreys, psi, woe_table
from asymptopia.theory.scorecard.moments import independent_moments
from asymptopia.theory.scorecard.shares import two_samples

quick = settings(max_examples=60, deadline=None)


def pairs(low=1, high=10**6, least=2):
    cell = st.integers(low, high)
    return st.integers(least, 8).flatmap(
        lambda bins: st.tuples(*(st.lists(cell, min_size=bins, max_size=bins) for _ in range(2)))
    )


@quick
@given(pairs(low=0, high=50).filter(lambda pair: any(pair[0]) and any(pair[1])))
def test_swapping_the_samples(pair):
    there, back = information_value(*pair), information_value(*pair[::-1])
    for name in ("estimate", "estimate_smoothed", "se", "bias", "statistic", "n_eff", "pvalue"):
        assert getattr(there, name) == pytest.approx(getattr(back, name), rel=1e-12, abs=1e-15, nan_ok=True)
    assert there.ci == pytest.approx(back.ci, rel=1e-10, abs=1e-13, nan_ok=True)
    np.testing.assert_allclose(there.woe, -back.woe, rtol=1e-12, atol=1e-15)
    assert there.status is back.status


@quick
@given(pairs(), st.randoms(use_true_random=False))
def test_permuting_the_bins(pair, random):
    order = list(range(len(pair[0])))
    random.shuffle(order)
    plain, shuffled = psi(*pair), psi(*([side[i] for i in order] for side in pair))
    assert plain.estimate == pytest.approx(shuffled.estimate, rel=1e-13, abs=1e-300)
    assert plain.se == pytest.approx(shuffled.se, rel=1e-12)
    assert plain.ci == pytest.approx(shuffled.ci, rel=1e-9, abs=1e-14)


@quick
@given(pairs(least=3), st.data())
def test_merging_bins_never_adds(pair, data):
    at = data.draw(st.integers(0, len(pair[0]) - 2))
    merged = [[*side[:at], side[at] + side[at + 1], *side[at + 2 :]] for side in pair]
    assert jeffreys(*merged) <= jeffreys(*pair) * (1 + 1e-13)


@quick
@given(pairs(high=1000), st.integers(2, 1000))
def test_scaling_the_counts(pair, factor):
    larger = [[factor * count for count in side] for side in pair]
    assert jeffreys(*larger) == pytest.approx(jeffreys(*pair), rel=1e-13)
    plain, scaled = information_value(*pair), information_value(*larger)
    assert scaled.se == pytest.approx(plain.se / math.sqrt(factor), rel=1e-12, abs=1e-300)
    assert scaled.bias == pytest.approx(plain.bias / factor, rel=1e-12)


@quick
@given(pairs())
def test_divergence_is_exact(pair):
    with mp.workdps(60):
        p, q = ([mp.mpf(count) / sum(side) for count in side] for side in pair)
        exact = mp.fsum((a - b) * mp.log(a / b) for a, b in zip(p, q, strict=True))
    assert jeffreys(*pair) == pytest.approx(float(exact), rel=2e-15)


@quick
@given(pairs())
def test_variance_and_bias_by_matrices(pair):
    """Positive form against gradient, Hessian and multinomial covariance at 40 digits."""
    a = 0.5
    n, m = map(sum, pair)
    found = independent_moments(two_samples(*(np.array(side, dtype=float) for side in pair), a), n, m, a)
    with mp.workdps(60):
        bins = len(pair[0])
        p, q = ([(count + mp.mpf(a)) / (sum(side) + bins * mp.mpf(a)) for count in side] for side in pair)
        variance = bias = mp.mpf(0)
        for s, t, size in ((p, q, n), (q, p, m)):
            g = [mp.log(u / v) + 1 - v / u for u, v in zip(s, t, strict=True)]
            mean = mp.fsum(u * w for u, w in zip(s, g, strict=True))
            variance += mp.fsum(u * (w - mean) ** 2 for u, w in zip(s, g, strict=True)) / size
            bias += mp.fsum((1 / u + v / u**2) * u * (1 - u) for u, v in zip(s, t, strict=True)) / 2 / size
            bias += a * mp.fsum((1 - bins * u) * w for u, w in zip(s, g, strict=True)) / size
    assert float(found.variance) == pytest.approx(float(variance), rel=1e-13, abs=1e-300)
    assert float(found.bias) == pytest.approx(float(bias), rel=1e-11, abs=1e-13 * bins / min(n, m))


@quick
@given(pairs(low=0, high=200).filter(lambda pair: any(pair[0]) and any(pair[1])))
def test_interval_is_ordered(pair):
    iv = information_value(*pair)
    if iv.dof:
        assert 0 <= iv.ci.low <= iv.ci.high < math.inf
        assert 0 <= iv.pvalue <= 1
        assert iv.ci.low <= iv.estimate_smoothed


@quick
@given(pairs(high=10**4))
def test_information_value_is_the_sum_of_its_evidence(pair):
    iv, table = information_value(*pair), woe_table(*pair)
    first, second = iv.shares()
    assert math.fsum((first - second) * table.woe) == pytest.approx(iv.estimate, rel=1e-9, abs=1e-14)
    np.testing.assert_allclose(table.woe_se, iv.woe_se, rtol=1e-13)
