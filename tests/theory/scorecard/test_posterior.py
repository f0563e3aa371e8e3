"""The posterior of the Jeffreys divergence under Dirichlet priors."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error

from asymptopia.theory.scorecard.inference import jeffreys
from asymptopia.theory.scorecard.posterior import posterior_mean, posterior_sample

CHECKING = [139, 49, 164, 348], [135, 14, 105, 46]


def by_digamma(x, y, a):
    with mp.workdps(60):
        alpha, beta = [mp.mpf(int(k)) + mp.mpf(a) for k in x], [mp.mpf(int(k)) + mp.mpf(a) for k in y]
        size, other = mp.fsum(alpha), mp.fsum(beta)
        total = mp.mpf(0)
        for s, t in zip(alpha, beta, strict=True):
            total += s / size * (mp.digamma(s + 1) - mp.digamma(size + 1))
            total += t / other * (mp.digamma(t + 1) - mp.digamma(other + 1))
            total -= s / size * (mp.digamma(t) - mp.digamma(other)) + t / other * (mp.digamma(s) - mp.digamma(size))
        return total


def test_number_of_the_specification():
    assert posterior_mean(*CHECKING) == pytest.approx(0.676801527257476089, rel=1e-15)


@pytest.mark.parametrize("a", [1e-3, 0.5, 1.0, 40.0])
@pytest.mark.parametrize(
    "counts",
    [
        CHECKING,
        ([0, 5, 1], [3, 0, 2]),
        ([29, 30, 31], [60, 59, 61]),
        ([10**12, 10**12 + 10**6, 10**12 - 10**6], [10**12] * 3),
        ([1, 10**9], [10**9, 1]),
    ],
)
def test_mean_by_digamma(counts, a):
    assert relative_error(posterior_mean(*counts, smoothing=a), by_digamma(*counts, a)) < 1e-13


def test_mean_for_large_counts_adds_the_bias():
    x, y = np.array(CHECKING) * 10**7
    bins, ratio = 4, (x / x.sum()) / (y / y.sum())
    bias = (bins - 2 + (1 / ratio).sum()) / (2 * x.sum()) + (bins - 2 + ratio.sum()) / (2 * y.sum())
    # the prior's pseudo-counts shift the shares as those of an estimator do
    smoothed = jeffreys(x, y, smoothing=0.5)
    assert posterior_mean(x, y) - smoothed == pytest.approx(bias, rel=1e-4)


@pytest.mark.parametrize("a", [0.5, 2.0])
def test_draws_have_the_mean(a):
    draws = posterior_sample(*CHECKING, smoothing=a, size=40_000, rng=5)
    error = draws.std() / 200
    assert draws.mean() == pytest.approx(posterior_mean(*CHECKING, smoothing=a), abs=5 * error)
    assert draws.shape == (40_000,)


def test_draws_by_numpys_dirichlet():
    rng = np.random.default_rng(6)
    p, q = rng.dirichlet([3.5, 1.5, 0.5], 40_000), rng.dirichlet([0.5, 2.5, 4.5], 40_000)
    wanted = np.sort(((p - q) * np.log(p / q)).sum(axis=1))
    drawn = np.sort(posterior_sample([3, 1, 0], [0, 2, 4], size=40_000, rng=7))
    # Kolmogorov-Smirnov distance of two samples; a false alarm has probability 1e-6
    distance = np.abs(np.searchsorted(wanted, drawn) / 40_000 - (np.arange(40_000) + 0.5) / 40_000).max()
    assert distance < math.sqrt(math.log(2e6) / 40_000)


def test_draws_of_a_small_concentration_are_finite():
    draws = posterior_sample([5, 0], [0, 5], smoothing=1e-4, size=1000, rng=8)
    assert np.isfinite(draws).all()
    assert draws.mean() == pytest.approx(
        posterior_mean([5, 0], [0, 5], smoothing=1e-4), abs=5 * draws.std() / math.sqrt(1000)
    )


def test_posterior_of_equal_samples_lies_above_0():
    # why its quantiles are no interval: the divergence is 0, the lower end is not
    x = [500, 300, 200, 400, 600]
    draws = posterior_sample(x, x, size=4000, rng=9)
    assert np.quantile(draws, 0.025) > 0
    assert posterior_mean(x, x) == pytest.approx(4 * 2 / (2000 + 2.5), rel=1e-13)


def test_empty_bins_seeds_and_blocks(monkeypatch):
    assert posterior_mean([5, 0, 7], [2, 0, 4]) == posterior_mean([5, 7], [2, 4])
    first = posterior_sample([5, 0, 7], [2, 0, 4], size=10, rng=1)
    np.testing.assert_array_equal(first, posterior_sample([5, 7], [2, 4], size=10, rng=np.random.default_rng(1)))
    monkeypatch.setattr("asymptopia.theory.scorecard.posterior._BLOCK_CELLS", 8)
    assert posterior_sample([5, 7], [2, 4], size=11, rng=1).shape == (11,)
    assert posterior_mean([5], [7]) == 0.0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: posterior_mean([1, 2], [3, 4], smoothing=0), ValueError, "smoothing is 0.0"),
        (lambda: posterior_mean([1, 2], [3, 4, 5]), ValueError, "same bins"),
        (lambda: posterior_mean([1, 0.5], [3, 4]), ValueError, "whole counts"),
        (lambda: posterior_sample([1, 2], [3, 4], size=0), ValueError, "size is 0"),
        (lambda: posterior_sample([1, 2], [3, 4], size=2.0), TypeError, "size is 2.0"),
        (lambda: posterior_sample([1, 2], [3, 4], rng=-1), ValueError, "rng is -1"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
