"""Weight of Evidence: values, covariance, conventions, edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asymptopia.theory.scorecard import ScorecardStatus, WoETable, woe_table

GOOD, BAD = np.array([139, 49, 164, 348]), np.array([135, 14, 105, 46])


def test_numbers():
    table = woe_table(GOOD, BAD)
    woe = [-0.818098705694941305, 0.405465108108164382, -0.401391782720528562, 1.17626322289817572]
    se = [0.0991955001490450285, 0.295084445425327001, 0.104208760368380345, 0.140892827678589272]
    np.testing.assert_allclose(table.woe, woe, rtol=9e-16)
    np.testing.assert_allclose(table.woe_se, se, rtol=4e-16)
    off = table.cov[~np.eye(4, dtype=bool)]
    np.testing.assert_allclose(off, -1 / 700 - 1 / 300, rtol=1e-15)
    assert table.status is ScorecardStatus.OK


def test_covariance_by_the_delta_method():
    # gradient of log x_i - log n - log y_i + log m against the multinomial covariance of the counts
    n, m = GOOD.sum(), BAD.sum()
    jacobian = np.hstack([np.diag(1 / GOOD) - 1 / n, -np.diag(1 / BAD) + 1 / m])
    blocks = [np.diag(c) - np.outer(c, c) / c.sum() for c in (GOOD, BAD)]
    zero = np.zeros((4, 4))
    covariance = np.block([[blocks[0], zero], [zero, blocks[1]]])
    np.testing.assert_allclose(woe_table(GOOD, BAD).cov, jacobian @ covariance @ jacobian.T, rtol=1e-12, atol=1e-16)


def test_share_weighted_sum_of_equal_shares_has_no_variance():
    # sum p_i WoE_i is a divergence, with gradient 0 at P = Q
    x = np.array([200, 300, 500])
    cov = woe_table(x, 2 * x).cov
    p = x / x.sum()
    assert p @ cov @ p == pytest.approx(0.0, abs=1e-17)


def test_logit():
    logit, woe = woe_table(GOOD, BAD, kind="logit"), woe_table(GOOD, BAD)
    np.testing.assert_allclose(logit.woe, np.log(GOOD) - np.log(BAD), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(logit.cov, np.diag(1 / GOOD + 1 / BAD), rtol=1e-15)
    contrast = np.array([1.0, -1.0, 0.0, 0.0])
    assert contrast @ woe.cov @ contrast == pytest.approx(contrast @ logit.cov @ contrast, rel=1e-13)
    assert (woe.woe_se < logit.woe_se).all()


def test_smoothed_kinds_have_the_same_contrasts():
    first, second = (woe_table([5, 0, 9], [3, 4, 2], kind=kind, smoothing=0.5) for kind in ("woe", "logit"))
    contrast = np.array([1.0, -1.0, 0.0])
    assert contrast @ first.cov @ contrast == pytest.approx(contrast @ second.cov @ contrast, rel=1e-13)
    np.testing.assert_allclose(np.diff(first.woe), np.diff(second.woe), rtol=1e-13)


def test_sign():
    flipped = woe_table(GOOD, BAD, sign="bad/good")
    np.testing.assert_array_equal(flipped.woe, -woe_table(GOOD, BAD).woe)
    np.testing.assert_array_equal(flipped.cov, woe_table(GOOD, BAD).cov)


def test_zero_cell():
    table = woe_table([50, 30, 0], [0, 20, 35])
    assert table.status is ScorecardStatus.ZERO_CELL
    assert table.woe[0] == math.inf
    assert table.woe[2] == -math.inf
    assert np.isnan(table.woe_se[[0, 2]]).all()
    assert np.isfinite(table.woe_se[1])
    assert np.isnan(table.cov[0]).all()
    smoothed = woe_table([50, 30, 0], [0, 20, 35], smoothing=0.5)
    assert np.isfinite(smoothed.woe).all()
    assert np.isfinite(smoothed.woe_se).all()


def test_empty_bin():
    table = woe_table([5, 0, 7], [6, 0, 4], smoothing=0.5)
    assert np.isnan(table.woe[1])
    assert np.isnan(table.cov[1]).all()
    assert table.woe[0] == woe_table([5, 7], [6, 4], smoothing=0.5).woe[0]


def test_dominating_bin_keeps_its_digits():
    # 1/x - 1/n cancels thirteen digits
    x = np.array([10**13, 7])
    exact = 7 / (10**13 * (10**13 + 7)) + 5 / (10**12 * (10**12 + 5))
    assert woe_table(x, [10**12, 5]).woe_se[0] == pytest.approx(math.sqrt(exact), rel=1e-14)


def test_variance_by_simulation():
    rng = np.random.default_rng(3)
    p, q = GOOD / GOOD.sum(), BAD / BAD.sum()
    n, m, repeats = 7000, 3000, 20_000
    x, y = rng.multinomial(n, p, repeats), rng.multinomial(m, q, repeats)
    drawn = np.cov(np.log(x / n / (y / m)).T)
    table = woe_table(GOOD * 10, BAD * 10)
    # relative error of a variance from 20000 draws: 1 %
    np.testing.assert_allclose(np.diag(drawn), table.woe_se**2, rtol=0.06)


def test_interval_frame_round_trip():
    table = woe_table(GOOD, BAD)
    band = table.confidence_interval(0.9)
    np.testing.assert_allclose(band.high - band.low, 2 * 1.6448536269514722 * table.woe_se, rtol=1e-14)
    assert list(table.to_frame().columns) == ["bin", "good", "bad", "woe", "woe_se", "ci_low", "ci_high"]
    assert WoETable.from_json(table.to_json()) == table
    assert "log(good / bad), of shares" in table.summary()
    assert WoETable.plotter.endswith(":plot_woe")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: woe_table([1, 2], [3, 4], sign="up"), "sign is 'up'"),
        (lambda: woe_table([1, 2], [3, 4], kind="odds"), "kind is 'odds'"),
        (lambda: woe_table([1, 2], [0, 0]), r"bad.sum\(\) is 0"),
        (lambda: woe_table([1, 2, 3], [3, 4]), "same bins"),
        (lambda: woe_table([1, 2], [3, 4]).confidence_interval(2), "level is 2.0"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()
