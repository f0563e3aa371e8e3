"""The regression on WoE in closed form against fits by iteration, and scorecard points."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from asymptopia.theory.scorecard import woe_table
from asymptopia.theory.scorecard.logistic import (
    RegressionStatus,
    ScorecardPoints,
    WoERegression,
    scorecard_points,
    woe_regression,
)

GOOD, BAD = np.array([139, 49, 164, 348]), np.array([135, 14, 105, 46])


def newton(design, good, bad):
    """Maximum likelihood estimate, covariance and log-likelihood of a binomial regression."""
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        rate = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * ((good + bad) * rate * (1 - rate))[:, None])
        beta = beta + np.linalg.solve(information, design.T @ (bad - (good + bad) * rate))
    return beta, np.linalg.inv(information), float((bad * np.log(rate) + good * np.log1p(-rate)).sum())


@pytest.mark.parametrize("sign", ["bad/good", "good/bad"])
@pytest.mark.parametrize("seed", range(4))
def test_against_newton(seed, sign):
    rng = np.random.default_rng(seed)
    good, bad = rng.integers(20, 400, 6), rng.integers(5, 80, 6)
    fit = woe_regression(good, bad, sign=sign)
    woe = np.log((bad / bad.sum()) / (good / good.sum())) * (1 if sign == "bad/good" else -1)
    np.testing.assert_allclose(fit.woe, woe, rtol=1e-12)
    beta, cov, value = newton(np.column_stack([np.ones(6), woe]), good, bad)
    np.testing.assert_allclose([fit.intercept, fit.slope], beta, rtol=1e-10)
    np.testing.assert_allclose(fit.cov, cov, rtol=1e-9)
    assert fit.log_likelihood == pytest.approx(value, rel=1e-13)
    assert fit.null_log_likelihood == pytest.approx(newton(np.ones((6, 1)), good, bad)[2], rel=1e-13)
    np.testing.assert_allclose(fit.event_rate, bad / (good + bad), rtol=1e-15)


def test_against_statsmodels_on_rows():
    fit = woe_regression(GOOD, BAD)
    rows = np.r_[np.repeat(fit.woe, GOOD), np.repeat(fit.woe, BAD)]
    y = np.r_[np.zeros(700), np.ones(300)]
    found = sm.Logit(y, sm.add_constant(rows)).fit(disp=0, tol=1e-14)
    np.testing.assert_allclose(found.params, [math.log(300 / 700), 1.0], rtol=1e-10)
    np.testing.assert_allclose(found.bse, [fit.intercept_se, fit.slope_se], rtol=1e-9)


def test_contrasts_of_indicators():
    beta, cov, _ = newton(np.column_stack([np.ones(4), np.eye(4)[:, 1:]]), GOOD, BAD)
    table = woe_table(GOOD, BAD, sign="bad/good")
    np.testing.assert_allclose(beta[1:], table.woe[1:] - table.woe[0], rtol=1e-10)
    contrast = np.eye(4)[1:] - np.eye(4)[0]
    np.testing.assert_allclose(contrast @ table.cov @ contrast.T, cov[1:, 1:], rtol=1e-9)


def test_smoothing_is_more_observations():
    smooth = woe_regression([50, 30, 0], [0, 20, 35], smoothing=0.5)
    assert smooth.status is RegressionStatus.OK
    good, bad = np.array([50.5, 30.5, 0.5]), np.array([0.5, 20.5, 35.5])
    beta, cov, _ = newton(np.column_stack([np.ones(3), smooth.woe]), good, bad)
    np.testing.assert_allclose(beta, [smooth.intercept, 1.0], rtol=1e-10)
    np.testing.assert_allclose(smooth.cov, cov, rtol=1e-9)


def test_limits():
    pure = woe_regression([50, 30, 0], [0, 20, 35])
    assert pure.status is RegressionStatus.ZERO_CELL
    assert math.isnan(pure.slope)
    assert math.isnan(pure.slope_se)
    flat = woe_regression([50, 30], [100, 60])
    assert flat.status is RegressionStatus.CONSTANT
    assert flat.intercept == pytest.approx(math.log(2), rel=1e-15)
    assert flat.intercept_se == pytest.approx(math.sqrt(1 / 80 + 1 / 160), rel=1e-15)
    assert math.isnan(flat.slope)
    empty, without = woe_regression([5, 0, 9], [3, 0, 7]), woe_regression([5, 9], [3, 7])
    assert math.isnan(empty.woe[1])
    assert empty.slope_se == without.slope_se


def test_round_trip():
    fit = woe_regression(GOOD, BAD)
    assert WoERegression.from_json(fit.to_json()) == fit
    assert "slope" in fit.summary()
    assert list(fit.to_frame().columns) == ["bin", "good", "bad", "woe", "event_rate"]


@pytest.mark.parametrize("sign", ["good/bad", "bad/good"])
def test_points_double_the_odds(sign):
    table = woe_table(GOOD, BAD, sign=sign)
    fit = woe_regression(GOOD, BAD, sign=sign)
    card = scorecard_points(table, fit.slope, fit.intercept, pdo=20, base_score=600, base_odds=50)
    # one variable: the points are the score, and the odds are those of the bin
    np.testing.assert_allclose(card.points, 600 + 20 * np.log2(GOOD / BAD / 50), rtol=1e-13)
    np.testing.assert_allclose(card.points_se, 20 / math.log(2) * table.woe_se, rtol=1e-14)
    assert ScorecardPoints.from_json(card.to_json()) == card
    assert "factor" in card.summary()
    assert card.to_frame()["points"].iloc[0] == card.points[0]


def test_points_of_two_variables_add_up_to_the_score():
    first, second = woe_table([60, 40], [10, 30]), woe_table([20, 80], [15, 25])
    cards = [scorecard_points(t, b, -0.9, variables=2) for t, b in ((first, -0.8), (second, -0.6))]
    log_odds = -(-0.9 - 0.8 * first.woe[0] - 0.6 * second.woe[1])
    total = cards[0].points[0] + cards[1].points[1]
    assert total == pytest.approx(600 + 20 / math.log(2) * (log_odds - math.log(50)), rel=1e-14)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: woe_regression([1, 2], [3, 4], sign="up"), "sign is 'up'"),
        (lambda: woe_regression([1, 2], [3, 4], smoothing=-1), "smoothing is -1.0"),
        (lambda: woe_regression([1, 2, 3], [3, 4]), "same bins"),
        (lambda: scorecard_points(woe_table([1, 2], [3, 4]), 1.0, pdo=0), "pdo is 0.0"),
        (lambda: scorecard_points(woe_table([1, 2], [3, 4]), 1.0, base_odds=0), "base_odds is 0.0"),
        (lambda: scorecard_points(woe_table([1, 2], [3, 4]), 1.0, variables=0), "variables is 0"),
        (lambda: scorecard_points(woe_table([1, 2], [3, 4], kind="logit"), 1.0), "table.kind is 'logit'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_points_need_a_table():
    with pytest.raises(TypeError, match="expected the WoETable"):
        scorecard_points([0.1, 0.2], 1.0)
