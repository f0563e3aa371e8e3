"""Weighted and clustered rows: the linearised formula, closed forms, equivalences, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asymptopia.theory.scorecard import IVResult, PSIResult, ScorecardStatus, information_value, psi
from asymptopia.theory.scorecard import survey as module
from asymptopia.theory.scorecard.covariance import SurveySamples
from asymptopia.theory.scorecard.intervals import snc
from asymptopia.theory.scorecard.survey import SurveyTable, survey_table

GOOD, BAD = [139, 49, 164, 348], [135, 14, 105, 46]
CODES = np.concatenate([np.repeat(np.arange(4), side) for side in (GOOD, BAD)])
SAMPLE = np.repeat([0, 1], [700, 300])
TABLE = np.array([[90, 12, 3], [10, 80, 15], [1, 8, 85]])


def weights(seed=1, spread=0.8):
    return np.random.default_rng(seed).lognormal(0.1 * CODES, spread)


def shares(codes, sample, w, bins):
    p, q = (np.bincount(codes[sample == k], weights=w[sample == k], minlength=bins) for k in (0, 1))
    return p / p.sum(), q / q.sum()


def influence(codes, sample, w, bins):
    """Residual of each row: w (a - mean a) / W with a = L - q/p in sample 0 and -(L + p/q) in sample 1."""
    p, q = shares(codes, sample, w, bins)
    ratio = np.log(p / q)
    first, second = ratio - q / p, -(ratio + p / q)
    value = np.where(sample == 0, (first - p @ first)[codes], (second - q @ second)[codes])
    return w * value / np.where(sample == 0, w[sample == 0].sum(), w[sample == 1].sum())


def test_linearised_variance_row_by_row():
    w = weights()
    result = information_value(survey_table(CODES, SAMPLE, weights=w))
    assert result.se == pytest.approx(math.sqrt((influence(CODES, SAMPLE, w, 4) ** 2).sum()), rel=1e-12)
    p, q = shares(CODES, SAMPLE, w, 4)
    assert result.estimate == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-13)
    assert (result.n, result.m, result.design) == (700, 300, "survey")


@pytest.mark.parametrize("apart", [True, False])
def test_linearised_variance_of_clusters(apart):
    w, rng = weights(2), np.random.default_rng(3)
    labels = rng.integers(0, 60, CODES.size)
    if apart:
        labels = labels + 100 * SAMPLE
    part = influence(CODES, SAMPLE, w, 4)
    total = 0.0
    if apart:
        for k in (0, 1):
            own = k == SAMPLE
            sums, groups = np.bincount(labels[own], weights=part[own]), np.unique(labels[own]).size
            total += groups / (groups - 1) * (sums**2).sum()
    else:
        total = 60 / 59 * (np.bincount(labels, weights=part) ** 2).sum()
    result = information_value(survey_table(CODES, SAMPLE, weights=w, clusters=labels))
    assert result.se == pytest.approx(math.sqrt(total), rel=1e-12)


@pytest.mark.parametrize("weight", [1.0, 2.0, 0.25])
def test_equal_weights_are_counts(weight):
    plain = information_value(GOOD, BAD)
    result = information_value(survey_table(CODES, SAMPLE, weights=np.full(1000, weight)))
    for name in ("estimate", "estimate_smoothed", "se", "bias", "statistic", "log_pvalue", "n_eff", "dof"):
        assert getattr(result, name) == pytest.approx(getattr(plain, name), rel=1e-12), name
    np.testing.assert_allclose(result.woe_se, plain.woe_se, rtol=1e-12)
    np.testing.assert_allclose(result.good, weight * np.array(GOOD), rtol=1e-13)
    smoothed = information_value(survey_table(CODES, SAMPLE, weights=np.full(1000, weight)), smoothing=0.5)
    exact = information_value(GOOD, BAD, smoothing=0.5)
    assert (smoothed.se, smoothed.bias) == pytest.approx((exact.se, exact.bias), rel=1e-12)
    # the interval blends the scale of J = 0 in, which moves it by a part in 10^4 here
    assert result.ci == pytest.approx(plain.ci, rel=3e-4)
    np.testing.assert_allclose(result._sampling().null_weights(0.5), 1.0, rtol=1e-12)


def test_frequencies_are_counts():
    codes, sample = np.tile(np.arange(4), 2), np.repeat([0, 1], 4)
    table = survey_table(codes, sample, weights=GOOD + BAD, weight_kind="frequency")
    assert table.counts
    assert information_value(table) == information_value(GOOD, BAD)
    assert psi(table) == psi(GOOD, BAD)
    assert psi(table, baseline="quantile") == psi(GOOD, BAD, baseline="quantile")
    assert information_value(survey_table(CODES, SAMPLE), smoothing=1.0) == information_value(GOOD, BAD, smoothing=1.0)
    assert (table.rows == [700, 300]).all()
    assert (table.kish == [700, 300]).all()
    # the same weights as those of a sample are 8 rows
    sampled = information_value(survey_table(codes, sample, weights=GOOD + BAD))
    assert sampled.estimate == information_value(GOOD, BAD).estimate
    assert sampled.se > 5 * information_value(GOOD, BAD).se
    assert (sampled.n, sampled.m) == (4, 4)


def test_duplicates_in_clusters_of_two():
    twice = survey_table(np.tile(CODES, 2), np.tile(SAMPLE, 2), clusters=np.tile(np.arange(1000), 2))
    once, alone = information_value(twice), information_value(survey_table(CODES, SAMPLE, clusters=np.arange(1000)))
    assert (once.n, once.m) == (1400, 600)
    assert once.se == pytest.approx(alone.se, rel=1e-13)
    assert once.ci == pytest.approx(alone.ci, rel=1e-11)
    assert once.pvalue == pytest.approx(alone.pvalue, rel=1e-10)
    plain = information_value(GOOD, BAD)
    assert plain.se * math.sqrt(700 / 699) < once.se < plain.se * math.sqrt(300 / 299)


def test_frequencies_in_clusters_are_repeated_rows():
    labels = np.arange(1000) % 50
    repeats = np.random.default_rng(1).integers(0, 4, 1000)
    rows = np.repeat(np.arange(1000), repeats)
    table = survey_table(CODES, SAMPLE, weights=repeats, weight_kind="frequency", clusters=labels)
    long = survey_table(CODES[rows], SAMPLE[rows], clusters=labels[rows])
    assert table == long


def test_accounts_as_clusters_are_pairs():
    now, then = np.nonzero(TABLE)
    counts = TABLE[now, then]
    now, then, size = np.repeat(now, counts), np.repeat(then, counts), TABLE.sum()
    table = survey_table(np.concatenate([now, then]), np.repeat([0, 1], size), clusters=np.tile(np.arange(size), 2))
    survey, paired = psi(table), psi(TABLE, design="paired")
    factor = size / (size - 1)
    assert survey.estimate == paired.estimate
    assert survey.se == pytest.approx(paired.se * math.sqrt(factor), rel=1e-12)
    assert survey.bias == pytest.approx(paired.bias * factor, rel=1e-12)
    # both null laws, up to the pseudo-counts of one and the pooling of the other
    np.testing.assert_allclose(survey.null_weights / survey.n_eff, paired.null_weights / paired.n_eff, rtol=0.02)
    assert survey.pvalue == pytest.approx(paired.pvalue, rel=0.02)
    assert survey.null_weights.mean() == pytest.approx(1.0, rel=1e-13)
    assert survey.null_weights.size == survey.dof == 2


def test_nobody_moves():
    codes = np.repeat([0, 1, 2], [50, 60, 70])
    table = survey_table(np.tile(codes, 2), np.repeat([0, 1], 180), clusters=np.tile(np.arange(180), 2))
    result = psi(table)
    assert result.status is ScorecardStatus.NO_MOVES
    assert (result.estimate, result.dof) == (0.0, 0)
    assert math.isnan(result.pvalue)
    assert math.isnan(result.ci.high)


def test_null_weights_are_design_effects():
    # bins 0 and 1 hold weights that vary, bins 2 and 3 do not: eigenvalues of diag(1/pi) Cov(p - q) at equal shares
    codes = np.tile(np.repeat(np.arange(4), 50), 2)
    sample = np.repeat([0, 1], 200)
    w = np.where(codes < 2, np.tile([0.5, 1.5], 200), 1.0)
    table = survey_table(codes, sample, weights=w)
    covariance = table.covariance[:4, :4] + table.covariance[4:, 4:]
    values = np.sort(np.linalg.eigvals(4 * covariance).real)[1:]
    sampling = table.sampling()
    np.testing.assert_allclose(np.sort(sampling.null_weights(0.5)) / sampling.n_eff, values, rtol=1e-12)
    assert sampling.n_eff == pytest.approx(3 / values.sum(), rel=1e-12)
    assert sampling.n_eff < 100


def test_bias_of_a_ratio():
    """Weights that depend on the bin make the shares biased; five standard errors of the simulation."""
    p, mean = np.array([0.5, 0.3, 0.2]), np.array([0.5, 1.0, 3.0])
    truth = p * mean / (p @ mean)
    rng = np.random.default_rng(4)
    counts = rng.multinomial(60, p, 200_000) * mean
    found = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0) - truth
    slack = 5 * (counts / counts.sum(axis=1, keepdims=True)).std(axis=0) / math.sqrt(200_000) + 2e-4
    # the table of the expected rows: 30, 18 and 12 of 60
    codes = np.repeat([0, 1, 2], [30, 18, 12])
    table = survey_table(np.tile(codes, 2), np.repeat([0, 1], 60), weights=np.tile(mean[codes], 2))
    predicted = table.sampling().shift(0.0)[:3]
    assert (np.abs(predicted) > 20 * slack / 5 - 1).all()
    assert (np.abs(found - predicted) < slack).all()
    assert np.abs(predicted).max() > 10 * slack.max() / 5


@pytest.mark.parametrize("shifted", [False, True])
def test_standard_error_size_and_coverage(shifted):
    """Lognormal weights: a false alarm has probability below 1e-6; a coverage below 91 % is found."""
    p = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    q = p[::-1] if shifted else p
    factor = np.exp(np.linspace(-0.4, 0.4, 5))
    first, second = p * factor / (p @ factor), q * factor / (q @ factor)
    truth = float(((first - second) * np.log(first / second)).sum())
    rng = np.random.default_rng(6)
    sample = np.repeat([0, 1], [1200, 800])
    estimates, variances, hits, alarms = [], [], 0, 0
    for _ in range(400):
        codes = np.concatenate([rng.choice(5, 1200, p=p), rng.choice(5, 800, p=q)])
        table = survey_table(codes, sample, weights=factor[codes] * rng.lognormal(0, 0.8, 2000), bins=5)
        sampling = table.sampling()
        moments = sampling.moments(0.0)
        estimates.append(moments.divergence)
        variances.append(moments.variance)
        tails = snc(sampling, 0.5).tails(truth)
        hits += min(tails.cdf, tails.sf) >= math.log(0.025)
        alarms += not shifted and psi(table).pvalue < 0.05
    assert hits / 400 > 0.90
    if shifted:
        assert np.std(estimates) == pytest.approx(math.sqrt(np.mean(variances)), rel=0.18)
    else:
        assert 0.008 < alarms / 400 < 0.11


def test_blocks_of_clusters(monkeypatch):
    labels = np.arange(1000) // 3
    whole = survey_table(CODES, SAMPLE, weights=weights(), clusters=labels)
    monkeypatch.setattr(module, "_BLOCK_CELLS", 40)
    monkeypatch.setattr(module, "_BLOCK_ROWS", 64)
    parts = survey_table(CODES, SAMPLE, weights=weights(), clusters=labels)
    np.testing.assert_allclose(parts.covariance, whole.covariance, rtol=1e-10, atol=1e-18)
    np.testing.assert_allclose(parts.ratio_bias, whole.ratio_bias, rtol=1e-10, atol=1e-18)
    np.testing.assert_array_equal(parts.clusters, whole.clusters)


@pytest.mark.parametrize(
    "labels",
    [
        lambda g: g.astype(np.int8),
        lambda g: g.astype(np.uint64) + np.uint64(2**63),
        lambda g: g.astype(np.int64) * 10**12,
        lambda g: np.array([f"branch {i}" for i in g]),
        lambda g: np.array([f"branch {i}" for i in g], dtype=object),
    ],
)
def test_labels_of_any_kind(labels):
    groups = np.arange(1000) % 90 - 40
    plain = survey_table(CODES, SAMPLE, clusters=groups)
    other = survey_table(CODES, SAMPLE, clusters=labels(groups + 40 if np.min(groups) < 0 else groups))
    np.testing.assert_allclose(other.covariance, plain.covariance, rtol=1e-12, atol=1e-20)


def test_missing_codes_and_unused_bins():
    codes = np.where(CODES == 3, -1, CODES)
    np.testing.assert_array_equal(survey_table(codes, SAMPLE).totals, [GOOD, BAD])
    wide = survey_table(CODES, SAMPLE, weights=weights(), bins=6)
    result, narrow = information_value(wide), information_value(survey_table(CODES, SAMPLE, weights=weights()))
    assert (result.bins, result.se, result.ci) == (4, narrow.se, narrow.ci)
    assert math.isnan(result.woe[5])
    with pytest.raises(ValueError, match="keep the last bin for missing"):
        survey_table([0, 1, -1], [0, 1, 1], bins=2)


def test_rows_of_weight_zero_are_left_out():
    w = weights()
    w[::7] = 0
    full, kept = survey_table(CODES, SAMPLE, weights=w), survey_table(CODES[w > 0], SAMPLE[w > 0], weights=w[w > 0])
    np.testing.assert_array_equal(full.rows, kept.rows)
    assert information_value(full).se == pytest.approx(information_value(kept).se, rel=1e-13)


def test_zero_cell():
    codes, sample = np.repeat([0, 1, 2, 1, 2], [50, 30, 15, 20, 35]), np.repeat([0, 1], [95, 55])
    w = np.random.default_rng(2).uniform(0.5, 2, 150)
    result = information_value(survey_table(codes, sample, weights=w))
    assert result.status is ScorecardStatus.ZERO_CELL
    assert result.estimate == math.inf
    assert 0 < result.ci.low < result.ci.high < math.inf
    assert 0 < result.pvalue < 1e-6
    assert result.dof == 2
    # equal weights: the weights of the null law are those of counts
    equal = survey_table(codes, sample, weights=np.ones(150)).sampling()
    np.testing.assert_allclose(equal.null_weights(0.5), 1.0, rtol=0.05)


def test_few_clusters_and_one_bin():
    labels = np.arange(1000) % 12
    result = information_value(survey_table(CODES, SAMPLE, clusters=labels))
    assert result.status is ScorecardStatus.FEW_CLUSTERS
    assert ScorecardStatus.FEW_CLUSTERS.message in result.notes
    assert survey_table(CODES, SAMPLE, clusters=labels).status is ScorecardStatus.FEW_CLUSTERS
    one = information_value(survey_table([0, 0, 0], [0, 1, 1], weights=[1.0, 2.0, 3.0]))
    assert one.status is ScorecardStatus.ONE_BIN
    # three clusters leave two directions
    thin = information_value(survey_table(CODES, SAMPLE, clusters=np.arange(1000) % 3))
    assert thin.dof == 2


def test_round_trips():
    table = survey_table(CODES, SAMPLE, weights=weights(), clusters=np.arange(1000) % 100)
    assert SurveyTable.from_json(table.to_json()) == table
    iv, index = information_value(table), psi(table)
    again = IVResult.from_json(iv.to_json())
    assert again == iv
    assert again.confidence_interval(0.9) == iv.confidence_interval(0.9)
    assert PSIResult.from_json(index.to_json()).test(margin=0.1) == index.test(margin=0.1)
    assert isinstance(iv._sampling(), SurveySamples)
    assert not table.covariance.flags.writeable
    assert "clusters" in table.summary()
    assert "share_1_se" in table.to_frame().columns
    assert iv.good.dtype == np.float64


def test_refusals():
    table = survey_table(CODES, SAMPLE, weights=weights())
    with pytest.raises(ValueError, match="beside a survey table"):
        information_value(table, BAD)
    with pytest.raises(ValueError, match="design is 'fixed-bins'"):
        information_value(table, design="fixed-bins")
    with pytest.raises(ValueError, match="baseline is 'paired'"):
        psi(table, baseline="paired")
    with pytest.raises(ValueError, match="baseline is 'fixed'"):
        psi(table, baseline="fixed")
    with pytest.raises(ValueError, match="cannot draw"):
        information_value(table).confidence_interval(method="bootstrap")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"codes": [0.5, 1.0]}, TypeError, "codes has dtype float64"),
        ({"codes": [[0, 1]]}, ValueError, "codes has shape"),
        ({"codes": [0, 3], "bins": 2}, ValueError, r"codes\[1\] is 3"),
        ({"codes": [0, 10**6]}, ValueError, "at most 4096"),
        ({"sample": [0, 2]}, ValueError, r"sample\[1\] is 2"),
        ({"sample": [1, 1]}, ValueError, "the value 1 only"),
        ({"sample": [0, 1, 1]}, ValueError, "sample has shape"),
        ({"sample": [0.0, 1.0]}, TypeError, "sample has dtype"),
        ({"weights": [1.0, -2.0]}, ValueError, r"weights\[1\] is -2.0"),
        ({"weights": [1.0, math.nan]}, ValueError, "finite"),
        ({"weights": [1.0, 0.0]}, ValueError, "0 in all rows of sample 1"),
        ({"weights": [1.0]}, ValueError, "weights has shape"),
        ({"weights": [1.0, 1.5], "weight_kind": "frequency"}, ValueError, "whole numbers"),
        ({"weight_kind": "importance"}, ValueError, "weight_kind is 'importance'"),
        ({"clusters": [0.0, 1.0]}, TypeError, "clusters has dtype"),
        ({"clusters": ["a", None]}, TypeError, r"clusters\[1\] is None"),
        ({"clusters": [0]}, ValueError, "clusters has shape"),
        ({"clusters": [0, 1]}, ValueError, "one cluster for all rows of sample 0"),
    ],
)
def test_bad_rows(arguments, error, text):
    with pytest.raises(error, match=text):
        survey_table(**({"codes": [0, 1], "sample": [0, 1]} | arguments))
