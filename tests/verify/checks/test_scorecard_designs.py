"""The kernels of the sampling designs give the statistics of the library on what they draw."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asymptopia.theory.scorecard.covariance import FixedBins
from asymptopia.verify.checks import scorecard_designs_kernels as kernels
from asymptopia.verify.checks.scorecard_designs import PAIRED_NULL, PAIRED_VARIANCE, Accounts
from asymptopia.verify.checks.scorecard_survey import SURVEYS, Sample, Survey
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.gamma import beta
from asymptopia.verify.device.normal import normal
from asymptopia.verify.device.stream import uniform

STREAM = (5, 6, 7, 0, 0)


def jeffreys(x: np.ndarray, y: np.ndarray) -> float:
    p, q = x / x.sum(), y / y.sum()
    return float(((p - q) * np.log(p / q)).sum())


def test_fixed_bins() -> None:
    sizes, rates = [300, 200, 100], [0.1, 0.3, 0.6]
    y, j = [], 0
    for size, rate in zip(sizes, rates, strict=True):
        k, j = binomial(STREAM, j, size, rate)
        y.append(k)
    counts = np.array(y, dtype=float)
    params = [3.0, 0.5, 0.2, *(v for pair in zip(map(float, sizes), rates, strict=True) for v in pair)]
    value = jeffreys(np.array(sizes) - counts + 0.5, counts + 0.5)
    assert kernels.fixed_bins_square(STREAM, params) == pytest.approx((value - 0.2) ** 2, rel=1e-11)


def test_fixed_bins_theory_is_the_hand_formula() -> None:
    size, rate = np.array([3000.0, 2000.0, 1000.0]), np.array([0.1, 0.3, 0.6])
    y, x = size * rate, size * (1 - rate)
    p, q = x / x.sum(), y / y.sum()
    a, c = np.log(q / p) + 1 - p / q, np.log(p / q) + 1 - q / p
    slope = (a - (q * a).sum()) / y.sum() - (c - (p * c).sum()) / x.sum()
    expected = (size * rate * (1 - rate) * slope**2).sum()
    assert float(FixedBins(x, y).moments(0.0).variance) == pytest.approx(expected, rel=1e-12)


def test_paired() -> None:
    accounts = Accounts(stay=0.6, drift=0.2, size=700)
    params = accounts.params(0.05, 350.0, 4.0, 8.0)
    left, table, j = 700, [], 0
    for cell in range(16):
        k, j = binomial(STREAM, j, left, params[6 + cell])
        left -= k
        table.append(k)
    counts = np.array(table, dtype=float).reshape(4, 4) + 0.5 * np.eye(4)
    assert left == 0
    value = jeffreys(counts.sum(axis=1), counts.sum(axis=0))
    square, statistic, reject, naive = kernels.paired_statistics(STREAM, list(params))
    assert statistic == pytest.approx(350 * value, rel=1e-11)
    assert square == pytest.approx((value - 0.05) ** 2, rel=1e-10)
    assert (reject, naive) == (float(statistic > 4), float(statistic > 8))


def test_tables_of_accounts() -> None:
    for item in (*PAIRED_VARIANCE, *PAIRED_NULL):
        table = item.samples.table
        assert table.sum() == pytest.approx(item.size, rel=1e-14)
        assert (table >= 0).all()
        same = np.abs(table.sum(axis=0) - table.sum(axis=1)).max() < 1e-9
        assert same == (item in PAIRED_NULL)


SURVEY = Survey(
    name="",
    sigma=0.5,
    first=Sample(shares=(0.4, 0.3, 0.2, 0.1), tilt=(0.0, 0.3, -0.3, 0.0), clusters=60, rows=3),
    second=Sample(shares=(0.25, 0.25, 0.25, 0.25), tilt=(0.2, 0.0, 0.0, 0.0), clusters=50),
)


def survey_rows(sample: Sample, sigma: float, j: int) -> tuple[np.ndarray, np.ndarray, int]:
    codes, weights = [], []
    for _ in range(sample.clusters):
        u, j = uniform(STREAM, j)
        code = int(np.searchsorted(np.cumsum(sample.shares)[:3], u, side="right"))
        row = []
        for _ in range(sample.rows):
            z, j = normal(STREAM, j)
            row.append(math.exp(sample.tilt[code] + sigma * z))
        codes.append(code)
        weights.append(sum(row))
    return np.array(codes), np.array(weights), j


def test_survey() -> None:
    params = [SURVEY.sigma, 0.1, *SURVEY.first.params(), *SURVEY.second.params()]
    first, v, j = survey_rows(SURVEY.first, SURVEY.sigma, 0)
    second, w, _ = survey_rows(SURVEY.second, SURVEY.sigma, j)
    x, y = np.bincount(first, v, 4), np.bincount(second, w, 4)
    p, q = x / x.sum(), y / y.sum()
    variance = 0.0
    for codes, weights, own, slope in (
        (first, v, p, np.log(p / q) - q / p),
        (second, w, q, np.log(p / q) + p / q),
    ):
        away = slope - (own * slope).sum()
        variance += float((weights**2 * away[codes] ** 2).sum() / weights.sum() ** 2)
    square, estimate = kernels.survey_statistics(STREAM, params)
    assert square == pytest.approx((jeffreys(x, y) - 0.1) ** 2, rel=1e-10)
    assert estimate == pytest.approx(variance, rel=1e-11)


@pytest.mark.parametrize("survey", [SURVEY, *SURVEYS], ids=lambda item: item.name)
def test_survey_theory_is_the_limit_of_many_rows(survey: Survey) -> None:
    rng = np.random.default_rng(1)
    count = 200_000
    for sample in (survey.first, survey.second):
        codes = rng.choice(4, count, p=sample.shares)
        logs = np.array(sample.tilt)[codes][:, None] + survey.sigma * rng.standard_normal((count, sample.rows))
        total = np.exp(logs).sum(axis=1)
        away = (np.eye(4)[codes] - np.bincount(codes, total) / total.sum()) * total[:, None] / total.sum()
        p, spread, lean, square = sample.linearised(survey.sigma)
        scale = count / sample.clusters
        np.testing.assert_allclose(np.bincount(codes, total) / total.sum(), p, rtol=0.02)
        np.testing.assert_allclose(away.T @ away * scale, spread, atol=0.03 * np.abs(spread).max())
        np.testing.assert_allclose(away.T @ (total / total.sum()) * scale, lean, atol=0.03 * square)
        assert (total**2).sum() / total.sum() ** 2 * scale == pytest.approx(square, rel=0.03)


def test_quantiles() -> None:
    counts = [30.0, 40.0, 30.0]
    params = [3.0, 200.0, 100.0, 0.5, 66.0, 3.0, *counts]
    left, rest, x, j = 200, 101.0, [], 0
    for i, count in enumerate(counts):
        rest -= count
        share, j = (1.0, j) if i == 2 else beta(STREAM, j, count, rest)
        k, j = binomial(STREAM, j, left, share)
        left -= k
        x.append(k)
    value = jeffreys(np.array(x) + 0.5, np.array(counts) + 0.5)
    statistic, reject, with_n = kernels.quantile_null(STREAM, params)
    assert statistic == pytest.approx(66 * value, rel=1e-11)
    assert (reject, with_n) == (float(66 * value > 3), float(200 * value > 3))
