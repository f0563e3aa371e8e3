"""Screens of many features: against the oracles, against one table at a time, and at the nominal rates."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from accuracy import relative_error, table
from scipy.stats import ncx2
from statsmodels.stats.multitest import multipletests

from asymptopia.theory.scorecard.adjustment import adjust_pvalues
from asymptopia.theory.scorecard.batch import describe_tables
from asymptopia.theory.scorecard.counting import count_table
from asymptopia.theory.scorecard.fast import Intervals, noncentralities, snc_intervals
from asymptopia.theory.scorecard.inference import information_value, psi
from asymptopia.theory.scorecard.intervals import SNC
from asymptopia.theory.scorecard.laws import noncentral_chi2_tails, noncentrality_at
from asymptopia.theory.scorecard.screening import ScreenResult, iv_screen, screen_table
from asymptopia.theory.scorecard.status import ScorecardStatus

CHECKING = [[139, 135], [49, 14], [164, 105], [348, 46]]
SEX = [[221, 89], [38, 12], [61, 31], [380, 168]]
FIELDS = (
    "estimate",
    "estimate_smoothed",
    "bias",
    "se",
    "statistic",
    "dof",
    "log_pvalue",
    "n_eff",
    "contributions",
    "woe",
    "woe_se",
)


def random_tables(rng: np.random.Generator, bins: int, count: int) -> np.ndarray:
    """Counts with zero cells, unused bins, close samples and sparse ones."""
    size = 10.0 ** rng.uniform(1, 11, (count, 1))
    good = np.floor(rng.dirichlet(np.full(bins, 0.7), count) * size)
    near = np.floor(good * (1 + rng.choice([1e-6, 1e-2], (count, 1)) * rng.uniform(-1, 1, (count, bins))))
    bad = np.where(rng.random((count, 1)) < 0.5, near, np.floor(rng.dirichlet(np.ones(bins), count) * size / 9))
    good[:, 0] += 1
    bad[:, 0] += 1
    return np.stack([good, bad], axis=2)


def test_oracles_of_the_german_credit_data() -> None:
    screen = screen_table([CHECKING, SEX])
    wanted = {
        "estimate": ("0.666011503351333513", "0.00883991919083821989"),
        "estimate_smoothed": ("0.659055988014830161", "0.00836150691149879394"),
        "se": ("0.114461008811322029", None),
        "bias": ("0.0178990026602358011", None),
        "statistic": ("139.862415703780038", None),
        "pvalue": ("4.04692737124845037e-30", None),
        "n_eff": ("210", "210"),
    }
    for name, values in wanted.items():
        for i, value in enumerate(values):
            if value is not None:
                assert relative_error(getattr(screen, name)[i], value) < 2e-14, (name, i)
    for end, value in zip(screen.ci.low, ("0.44934019471703021", "0"), strict=True):
        assert relative_error(end, value) < 1e-14
    for end, value in zip(screen.ci.high, ("0.894600462473773704", "0.0361596908961732033"), strict=True):
        assert relative_error(end, value) < 1e-14
    woe = [-0.818098705694941305, 0.405465108108164382, -0.401391782720528562, 1.17626322289817572]
    errors = [0.0991955001490450285, 0.295084445425327001, 0.104208760368380345, 0.140892827678589272]
    assert screen.woe[0] == pytest.approx(woe, rel=1e-14)
    assert screen.woe_se[0] == pytest.approx(errors, rel=1e-14)


@pytest.mark.parametrize("smoothing", [0, 0.5, 2.0])
@pytest.mark.parametrize("bins", [1, 2, 3, 7, 25])
def test_every_field_is_that_of_one_table(bins: int, smoothing: float) -> None:
    tables = random_tables(np.random.default_rng(bins), bins, 30)
    found = describe_tables(tables[:, :, 0], tables[:, :, 1], smoothing=smoothing, level=0.95)
    for i, counts in enumerate(tables):
        one = information_value(*counts.T, smoothing=smoothing)
        for name in FIELDS:
            np.testing.assert_allclose(getattr(found, name)[i], getattr(one, name), rtol=1e-12, err_msg=name)
        np.testing.assert_allclose((found.low[i], found.high[i]), one.ci, rtol=1e-11, atol=1e-15)
        assert found.statuses[i] is one.status


@pytest.mark.parametrize("smoothing", [0, 0.5])
def test_known_shares_are_those_of_psi(smoothing: float) -> None:
    rng = np.random.default_rng(3)
    x = np.floor(rng.dirichlet(np.ones(6), 20) * 10.0 ** rng.uniform(1, 9, (20, 1)))
    x[:, 0] += 1
    q = np.array([0.125, 0.125, 0.25, 0.25, 0.125, 0.125])
    found = describe_tables(x, np.tile(q, (20, 1)), fixed=True, smoothing=smoothing)
    for i, counts in enumerate(x):
        one = psi(counts, q, baseline="fixed", smoothing=smoothing)
        for name in FIELDS:
            np.testing.assert_allclose(getattr(found, name)[i], getattr(one, name), rtol=1e-12, err_msg=name)
        np.testing.assert_allclose((found.low[i], found.high[i]), one.ci, rtol=1e-11, atol=1e-15)
        assert found.statuses[i] is one.status


def test_nearly_equal_samples_of_large_counts_keep_their_digits() -> None:
    big = 10**12
    screen = screen_table([[[big, big], [big + 10**6, big], [big - 10**6, big]]])
    assert relative_error(screen.estimate[0], "6.66666666666888889e-13") < 1e-15
    most = 2**53
    screen = screen_table([[[most - 2, most - 1], [most - 1, most - 2]]])
    # d = 1/(2**54 - 3) on each side, so that J = 2 d log((m - 1)/(m - 2)), m = 2**53
    assert screen.estimate[0] == pytest.approx(2.0**-106, rel=1e-15)


def test_zero_unused_and_single_bins() -> None:
    screen = screen_table([[[50, 0], [30, 20], [15, 35]], [[50, 10], [0, 0], [50, 10]], [[9, 8], [0, 0], [0, 0]]])
    assert screen.estimate[0] == math.inf
    assert np.isnan([screen.se[0], screen.bias[0], screen.woe_se[0, 0], screen.woe[1, 1]]).all()
    assert screen.dof.tolist() == [2, 1, 0]
    assert screen.pvalue[1] == 1.0
    assert np.isnan([screen.pvalue[2], screen.ci.low[2], screen.ci.high[2], screen.adjusted[2]]).all()
    assert screen.estimate[2] == 0.0
    assert screen.statuses == (ScorecardStatus.ZERO_CELL, ScorecardStatus.OK, ScorecardStatus.ONE_BIN)
    assert not screen.selected[2]
    assert screen.status.name == "CAVEATS"
    # the untested feature is no hypothesis
    assert screen.adjusted[0] == pytest.approx(2 * screen.pvalue[0])


def test_rows_and_counts_give_the_same() -> None:
    rng = np.random.default_rng(8)
    y = rng.random(5000) < 0.3
    codes = rng.integers(-1, 6, (5000, 4))
    screen = iv_screen(codes, y, level=0.9, adjust="by", alpha=0.2, smoothing=0.5)
    again = screen_table(count_table(codes, y, 7), level=0.9, adjust="by", alpha=0.2, smoothing=0.5)
    assert screen == again
    assert screen.names == ("x0", "x1", "x2", "x3")
    assert screen.table.shape == (4, 7, 2)
    # the missing codes are the last bin
    assert screen.table[0, 6].sum() == (codes[:, 0] < 0).sum()
    assert iv_screen(codes.clip(0), y).table.shape == (4, 6, 2)
    assert iv_screen(codes.clip(0).astype(np.uint8), y, bins=9).table.shape == (4, 9, 2)
    one = information_value(*screen.table[2].T, smoothing=0.5)
    assert screen["x2"] == one == screen[2]
    assert screen.ci.high[2] == pytest.approx(one.confidence_interval(0.9).high, rel=1e-12)


def test_margin() -> None:
    tables = random_tables(np.random.default_rng(4), 5, 12)
    tables[0] = 0
    tables[0, 0] = 5
    screen = screen_table(tables, margin=0.1, adjust="bh")
    assert screen.margin_pvalue is not None
    for i in range(12):
        one = screen[i].test(margin=0.1)
        np.testing.assert_allclose(screen.margin_pvalue[i], one.pvalue, rtol=1e-10)
    np.testing.assert_array_equal(screen.adjusted, adjust_pvalues(screen.margin_pvalue, "bh"))
    assert "IV <= 0.1" in screen.summary()
    assert "margin_pvalue" in screen.to_frame().columns
    # far above the margin and far below it, in samples that tell anything from 0
    large = [[[40_000, 60_000], [60_000, 40_000]], [[50_000, 50_500], [50_000, 49_500]]]
    assert screen_table(large).selected.tolist() == [True, True]
    assert screen_table(large, margin=0.02).selected.tolist() == [True, False]


def test_result() -> None:
    screen = screen_table([SEX, CHECKING], names=["sex", "checking"])
    assert ScreenResult.from_json(screen.to_json()) == screen
    assert screen.order() == [1, 0]
    assert screen.features == ("sex", "checking")
    assert [item.estimate for item in screen.results] == pytest.approx(screen.estimate, rel=1e-14)
    frame = screen.to_frame()
    assert frame["feature"].tolist() == ["checking", "sex"]
    assert frame["selected"].tolist() == [True, False]
    assert "checking *" in screen.summary()
    assert "selected" in screen.summary()
    with pytest.raises(KeyError, match="no feature 'age'"):
        screen["age"]
    with pytest.raises(ValueError, match="read-only"):
        screen.ci.low[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        screen.table[0, 0, 0] = 0


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"alpha": 0}, ValueError, "alpha is 0"),
        ({"level": 1.0}, ValueError, "level is 1"),
        ({"adjust": "fdr"}, ValueError, "adjust is 'fdr'"),
        ({"margin": 0}, ValueError, "margin is 0"),
        ({"smoothing": -1}, ValueError, "smoothing is -1"),
        ({"names": ["a"]}, ValueError, "names has 1 entries; expected one for each feature, 2"),
        ({"names": ["a", "a"]}, ValueError, "names holds 'a' twice"),
        ({"table": [[1, 2]]}, ValueError, r"table has shape \(1, 2\)"),
        ({"table": np.zeros((0, 2, 2))}, ValueError, "table has shape"),
        ({"table": [[[1.5, 1], [1, 1]]]}, ValueError, r"table\[0, 0, 0\] is 1.5; expected whole counts"),
        ({"table": [[[-1, 1], [1, 1]]]}, ValueError, "expected counts >= 0"),
        ({"table": [[[1, 0], [1, 0]]]}, ValueError, "bads of table"),
        ({"table": "counts"}, TypeError, "table has dtype"),
    ],
)
def test_bad_tables(change: dict[str, object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        screen_table(**{"table": [SEX, CHECKING], **change})


def test_bad_codes() -> None:
    y = [0, 1, 0, 1]
    with pytest.raises(TypeError, match="codes has dtype float64"):
        iv_screen(np.ones((4, 2)), y)
    with pytest.raises(ValueError, match="codes reach 900000; expected positions"):
        iv_screen([[0], [1], [2], [900_000]], y)
    with pytest.raises(ValueError, match="at most bins - 1 = 1"):
        iv_screen([[0], [1], [2], [0]], y, bins=2)
    with pytest.raises(ValueError, match="y holds the class 1 only"):
        iv_screen([[0], [1], [2], [0]], [1, 1, 1, 1])
    # nothing but missing codes is one bin
    assert iv_screen([[-1], [-1], [-1], [-1]], y).dof.tolist() == [0]


@pytest.mark.parametrize("method", ["holm", "bonferroni", "bh", "by"])
def test_adjustments_agree_with_statsmodels(method: str) -> None:
    rng = np.random.default_rng(1)
    for count in (1, 2, 7, 40):
        p = rng.random(count) ** 3
        p[rng.random(count) < 0.2] = p[0]
        wanted = multipletests(p, method={"bh": "fdr_bh", "by": "fdr_by"}.get(method, method))[1]
        np.testing.assert_allclose(adjust_pvalues(p, method), wanted, rtol=1e-14)
        with_gaps = np.insert(p, count // 2, np.nan)
        np.testing.assert_allclose(adjust_pvalues(with_gaps, method), np.insert(wanted, count // 2, np.nan), rtol=1e-14)
    assert adjust_pvalues([], method).size == 0
    assert np.isnan(adjust_pvalues([math.nan], method)).all()
    assert adjust_pvalues([0.2, 0.9], None).tolist() == [0.2, 0.9]


def test_intervals_against_the_oracle_table() -> None:
    rows = [row for row in table("scorecard/snc_interval.json") if float(row["statistic"]) > 0]
    assert len(rows) > 100
    for row in rows:
        law = [float(row[name]) for name in ("rho", "nu", "statistic")]
        x, y = np.array(row["x"], dtype=float), np.array(row["y"], dtype=float)
        n_eff = x.sum() if row["baseline"] == "fixed" else x.sum() * y.sum() / (x.sum() + y.sum())
        found = snc_intervals(*law, n_eff, row["level"], floor=0.0)
        for name in ("low", "high"):
            # an end is conditioned like the statistic: next to 0 its error is measured against the other end
            scale = max(float(row[name]), 1e-3 * float(row["high"]), 1e-300)
            assert abs(float(getattr(found, name)) - float(row[name])) <= 1e-13 * scale, row


def test_inverse_against_the_oracle_table() -> None:
    seen = 0
    for row in table("scorecard/noncentral_chi2.json"):
        for name, upper in (("log_cdf", False), ("log_sf", True)):
            goal, lam = float(row[name]), row["noncentrality"]
            # nearer to 1 the probability does not fix the noncentrality, and below 1e-2 it hardly depends on it
            if goal < -0.3 and lam > 1e-2:
                seen += 1
                assert noncentralities(row["x"], row["dof"], goal, upper=upper) == pytest.approx(lam, rel=2e-13)
    assert seen > 100


@pytest.mark.parametrize("upper", [False, True])
def test_inverse_over_the_whole_range(upper: bool) -> None:
    rng = np.random.default_rng(6)
    dof = rng.choice([0.5, 0.7, 1, 2.2, 4, 9, 49, 999], 1500)
    lam = 10 ** rng.uniform(-3, 12, 1500)
    mean, spread = dof + lam, np.sqrt(2 * dof + 4 * lam)
    score = rng.uniform(-9, 9, 1500)
    x = np.maximum(mean + score * spread, mean * np.exp(score * spread / mean))
    tails = noncentral_chi2_tails(x, dof, lam)
    goal = tails.sf if upper else tails.cdf
    keep = (goal < -0.4) & (goal > -700)
    assert keep.sum() > 600
    found = noncentralities(x[keep], dof[keep], goal[keep], upper=upper)
    slow = noncentrality_at(x[keep], dof[keep], tails.cdf[keep], tails.sf[keep])
    assert (np.abs(found - lam[keep]) <= 2e-12 * (1 + lam[keep])).all()
    assert (np.abs(found - slow) <= 1e-11 * (1 + lam[keep])).all()


def test_inverse_where_the_law_is_central() -> None:
    assert noncentralities(3.0, 4.0, math.log(0.9), upper=False) == 0.0
    assert noncentralities(3.0, 4.0, math.log(0.9), upper=True) > 0
    assert noncentralities([[1.0, 30.0]], 4.0, -1.0, upper=True).shape == (1, 2)
    assert noncentralities([], 4.0, -1.0, upper=True).shape == (0,)


def test_intervals_broadcast_and_carry_nan() -> None:
    found = snc_intervals(1.0, [[3.0], [9.0]], [0.0, 5.0, 80.0], 100.0)
    assert isinstance(found, Intervals)
    assert found.low.shape == (2, 3)
    for i, nu in enumerate((3.0, 9.0)):
        for j, seen in enumerate((0.0, 5.0, 80.0)):
            assert (found.low[i, j], found.high[i, j]) == pytest.approx(
                SNC(1.0, nu, seen, 100.0).interval(0.95), rel=1e-12
            )
    assert found.low[0, 0] == 0.0 < found.high[0, 0]
    assert np.isnan(snc_intervals([1.0, math.nan], 3.0, 5.0, 10.0).low).tolist() == [False, True]
    assert snc_intervals(1.0, 3.0, 0.0, 10.0, floor=0.0) == (0.0, 0.0)


def test_intervals_are_nested_in_the_level() -> None:
    ends = [snc_intervals(1.1, 4.0, 60.0, 100.0, level) for level in (0.1, 0.5, 0.95, 1 - 1e-9, 1 - 1e-15)]
    for inner, outer in pairwise(ends):
        assert outer.low < inner.low
        assert inner.high < outer.high
    high = snc_intervals(1.0, 4.0, 60.0, 1.0, 0.95).high
    assert ncx2.cdf(60.0, 4.0, float(high)) == pytest.approx(0.025, rel=1e-10)


def test_family_wise_error_and_coverage() -> None:
    # 800 screens of 20 features without information: the rate of any selection is about 5 %; outside (2, 8.5) % has
    # probability below 1e-4 if it is between 4 and 5.5 %
    rng = np.random.default_rng(11)
    p = np.full(6, 1 / 6)
    good, bad = rng.multinomial(2000, p, (800, 20)), rng.multinomial(600, p, (800, 20))
    tables = np.stack([good, bad], axis=3)
    rate = np.mean([screen_table(item).selected.any() for item in tables])
    assert 0.02 < rate < 0.085
    # the interval at J > 0: 8000 tables, 94 to 96 %
    q = p * np.exp(0.2 * np.linspace(-1, 1, 6))
    q /= q.sum()
    truth = float(((p - q) * np.log(p / q)).sum())
    found = describe_tables(good[:400].reshape(-1, 6), rng.multinomial(600, q, 8000))
    assert 0.94 < np.mean((found.low <= truth) & (truth <= found.high)) < 0.965
