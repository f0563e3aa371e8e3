"""AUC, Gini and KS of binned scores: against pairs counted one by one, and the bounds that link them."""

from __future__ import annotations

import math

import matplotlib as mpl
import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.scorecard import information_value
from asymptopia.theory.scorecard.roc import DiscriminationResult, DiscriminationStatus, discrimination
from asymptopia.theory.scorecard.separation import auc_from_divergence, divergence_from_auc

mpl.use("Agg")
GOOD, BAD = np.array([139, 49, 164, 348]), np.array([135, 14, 105, 46])


def pairs(good, bad):
    """AUC and DeLong variance from the matrix of all pairs of a bad and a good."""
    g, b = np.repeat(np.arange(len(good)), good), np.repeat(np.arange(len(bad)), bad)
    kernel = (b[:, None] > g[None, :]) + 0.5 * (b[:, None] == g[None, :])
    by_bad, by_good = kernel.mean(axis=1), kernel.mean(axis=0)
    return kernel.mean(), by_bad.var(ddof=1) / len(b) + by_good.var(ddof=1) / len(g)


@pytest.mark.parametrize("seed", range(6))
def test_against_all_pairs(seed):
    rng = np.random.default_rng(seed)
    good, bad = rng.integers(0, 40, 7), rng.integers(0, 12, 7)
    found = discrimination(good, bad, order="given")
    auc, variance = pairs(good, bad)
    assert found.auc == pytest.approx(auc, rel=1e-14)
    assert found.auc_se == pytest.approx(math.sqrt(variance), rel=1e-13)
    assert found.gini == pytest.approx(2 * auc - 1, abs=1e-15)
    assert found.gini_se == 2 * found.auc_se
    f, g = np.cumsum(good) / good.sum(), np.cumsum(bad) / bad.sum()
    assert found.ks == pytest.approx(np.abs(f - g).max(), rel=1e-14)
    assert abs(f - g)[found.ks_cut - 1] == pytest.approx(found.ks, rel=1e-14)


def test_against_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is optional")
    rate = BAD / (GOOD + BAD)
    y = np.r_[np.zeros(GOOD.sum()), np.ones(BAD.sum())]
    score = np.r_[np.repeat(rate, GOOD), np.repeat(rate, BAD)]
    assert discrimination(GOOD, BAD).auc == pytest.approx(metrics.roc_auc_score(y, score), rel=1e-14)
    false, true, _ = metrics.roc_curve(y, score, drop_intermediate=False)
    for ours, theirs in zip(discrimination(GOOD, BAD).curve(), (false, true), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_order_by_rate():
    found = discrimination(GOOD, BAD)
    np.testing.assert_array_equal(found.ranking, [3, 1, 2, 0])
    p, q = GOOD / 700, BAD / 300
    assert found.ks == pytest.approx(np.abs(p - q).sum() / 2, rel=1e-15)
    given = discrimination(GOOD[found.ranking], BAD[found.ranking], order="given")
    assert (given.auc, given.auc_se, given.ks) == (found.auc, found.auc_se, found.ks)
    assert discrimination(GOOD[::-1], BAD[::-1]).auc == found.auc
    assert found.ks_pvalue == information_value(GOOD, BAD).pvalue
    assert any("too high on average" in note for note in found.notes)


def test_equal_rates_are_ties():
    one, two = discrimination([30, 60, 50], [20, 40, 5]), discrimination([90, 50], [60, 5])
    assert (one.auc, one.auc_se, one.ks) == (two.auc, two.auc_se, two.ks)
    assert discrimination([60, 50, 30], [40, 5, 20]).auc_se == one.auc_se
    assert one.ranking.tolist() == [2, 0, 1]
    assert one.ks_cut == 1


def test_bounds():
    rng = np.random.default_rng(1)
    for _ in range(200):
        good, bad = rng.integers(1, 200, 6), rng.integers(1, 60, 6)
        found = discrimination(good, bad)
        ks, gini, j = found.ks, found.gini, found.divergence
        assert ks <= gini * (1 + 1e-12)
        assert gini <= (2 * ks - ks * ks) * (1 + 1e-12)
        assert j >= 2 * ks * math.log((1 + ks) / (1 - ks)) * (1 - 1e-12)
        assert discrimination(good, bad, order="given").auc <= found.auc


def test_two_symmetric_bins_attain_the_bound():
    found = discrimination([70, 30], [30, 70])
    assert found.divergence == pytest.approx(2 * found.ks * math.log((1 + found.ks) / (1 - found.ks)), rel=1e-14)


def test_binormal_link():
    for j in (1e-12, 1e-3, 0.2267, 1.0, 8.0):
        with mp.workdps(40):
            assert auc_from_divergence(j) == pytest.approx(float(mp.ncdf(mp.sqrt(mp.mpf(j) / 2))), rel=4e-16)
    assert auc_from_divergence(0.2267) == pytest.approx(0.6318, abs=5e-5)
    values = np.array([0.5, 0.6, 0.75, 0.9999])
    np.testing.assert_allclose(auc_from_divergence(divergence_from_auc(values)), values, rtol=1e-15)
    assert divergence_from_auc(1) == math.inf
    assert isinstance(divergence_from_auc(0.7), float)


def test_standard_errors_by_simulation():
    rng = np.random.default_rng(4)
    p, q = np.array([0.3, 0.3, 0.2, 0.2]), np.array([0.1, 0.2, 0.2, 0.5])
    n, m, repeats = 2000, 400, 4000
    x, y = rng.multinomial(n, p, repeats), rng.multinomial(m, q, repeats)
    shares, others = x / n, y / m
    auc = (others * (np.cumsum(shares, axis=1) - shares / 2)).sum(axis=1)
    distance = (np.cumsum(shares, axis=1) - np.cumsum(others, axis=1)).max(axis=1)
    found = discrimination((n * p).astype(int), (m * q).astype(int), order="given")
    # relative error of a standard deviation from 4000 draws: 1.1 %
    assert auc.std() == pytest.approx(found.auc_se, rel=0.05)
    assert distance.std() == pytest.approx(found.ks_se, rel=0.08)
    assert found.ks_settled is False
    centre, reach = np.log(auc / (1 - auc)), 1.96 * found.auc_se / (auc * (1 - auc))
    covered = np.abs(centre - math.log(found.auc / (1 - found.auc))) <= reach
    assert covered.mean() == pytest.approx(0.95, abs=0.015)


def test_chance_of_the_note():
    # the KS that bins ordered by rate show of nothing at all
    rng = np.random.default_rng(6)
    p, n, m = np.array([0.4, 0.3, 0.2, 0.1]), 9000, 1000
    drawn = np.abs(rng.multinomial(n, p, 4000) / n - rng.multinomial(m, p, 4000) / m).sum(axis=1) / 2
    (note,) = (note for note in discrimination(n * p, m * p).notes if "useless" in note)
    assert float(note.rsplit(" ", 1)[1].rstrip(".")) == pytest.approx(drawn.mean(), rel=0.03)


def test_kolmogorov_pvalue():
    from scipy.stats import kstwobign

    found = discrimination([300, 300, 400], [60, 90, 50], order="given")
    size = 1000 * 200 / 1200
    assert found.ks_pvalue == pytest.approx(kstwobign.sf(math.sqrt(size) * found.ks), rel=1e-12)
    far = discrimination([10**6, 10**4], [10**4, 10**6], order="given")
    assert far.ks_pvalue == 0.0
    assert far.ks_log_pvalue == pytest.approx(math.log(2) - 2 * far.ks**2 * 505000, rel=1e-12)


def test_pvalue_is_conservative_for_bins():
    rng = np.random.default_rng(8)
    p = np.full(5, 0.2)
    rejected = [
        discrimination(rng.multinomial(800, p), rng.multinomial(200, p), order="given").ks_pvalue <= 0.05
        for _ in range(600)
    ]
    # binomial error 0.009
    assert np.mean(rejected) < 0.06


@pytest.mark.parametrize(("flip", "auc"), [(False, 1.0), (True, 0.0)])
def test_complete_separation(flip, auc):
    good, bad = [50, 70, 0, 0], [0, 0, 40, 60]
    found = discrimination(*((bad, good) if flip else (good, bad)), order="given")
    assert found.status is DiscriminationStatus.SEPARATED
    assert (found.auc, found.auc_se, found.ks) == (auc, 0.0, 1.0)
    least = 0.025 ** (1 / 120) * 0.025 ** (1 / 100)
    assert found.auc_ci == pytest.approx((least, 1.0) if auc else (0.0, 1 - least), rel=1e-14)
    assert found.ks_ci == pytest.approx((0.025 ** (1 / 120) + 0.025 ** (1 / 100) - 1, 1.0), rel=1e-14)


def test_one_bin_and_single_observation():
    alone = discrimination([10, 0], [5, 0])
    assert alone.status is DiscriminationStatus.ONE_BIN
    assert (alone.auc, alone.gini, alone.ks) == (0.5, 0.0, 0.0)
    assert math.isnan(alone.auc_se)
    assert math.isnan(alone.ks_pvalue)
    assert alone.ranking.tolist() == [0]
    single = discrimination([3, 4], [1, 0])
    assert single.status is DiscriminationStatus.SINGLE
    assert math.isnan(single.auc_se)
    assert discrimination([30, 40], [10, 15]).status is DiscriminationStatus.SPARSE
    assert discrimination([300, 400], [100, 60]).status is DiscriminationStatus.OK


def test_no_separation():
    found = discrimination([100, 100], [100, 100], order="given")
    assert (found.auc, found.ks, found.ks_pvalue) == (0.5, 0.0, 1.0)
    assert all(math.isnan(value) for value in (found.ks_se, *found.ks_ci))
    assert found.auc_ci.low < 0.5 < found.auc_ci.high
    slight = discrimination([100, 100], [103, 97], order="given")
    assert slight.ks_ci.low == 0.0


def test_sums_are_exact():
    good, bad = [10**15, 10**15 + 1], [10**15 + 1, 10**15]
    assert discrimination(good, bad, order="given").gini == -1 / (2 * 10**15 + 1)


def test_level_frame_round_trip_and_plot():
    narrow, wide = discrimination(GOOD, BAD, level=0.8), discrimination(GOOD, BAD)
    assert wide.auc_ci.low < narrow.auc_ci.low < narrow.auc < narrow.auc_ci.high < wide.auc_ci.high
    assert wide.gini_ci.low == 2 * wide.auc_ci.low - 1
    assert DiscriminationResult.from_json(wide.to_json()) == wide
    frame = wide.to_frame()
    assert frame["distance"].abs().max() == pytest.approx(wide.ks)
    assert frame["event_rate"].is_monotonic_increasing
    assert "by event rate" in wide.summary()
    with pytest.raises(ValueError, match="read-only"):
        wide.good[0] = 1
    import matplotlib.pyplot as plt

    for kind in ("roc", "cap"):
        axes = wide.plot(kind=kind)
        assert "AUC 0.708" in " ".join(text.get_text() for text in axes.get_legend().get_texts())
    with pytest.raises(ValueError, match="kind is 'lift'"):
        wide.plot(kind="lift")
    plt.close("all")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: discrimination([1, 2], [3, 4], order="up"), "order is 'up'"),
        (lambda: discrimination([1, 2], [3, 4], level=1), "level is 1.0"),
        (lambda: discrimination([1, 2], [0, 0]), r"bad.sum\(\) is 0"),
        (lambda: discrimination([1.5, 2], [3, 4]), "whole counts"),
        (lambda: discrimination([1, 2, 3], [3, 4]), "same bins"),
        (lambda: auc_from_divergence(-1), "divergence is -1.0"),
        (lambda: divergence_from_auc(0.4), "auc is 0.4"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()
