"""Information value and stability index: the numbers of the specification, edge cases, errors, round trips."""

from __future__ import annotations

import json
import math
import warnings

import mpmath as mp
import numpy as np
import pytest

from asymptopia.theory.scorecard import IVResult, PSIResult, ScorecardStatus, information_value, jeffreys, psi
from asymptopia.theory.scorecard.intervals import snc

CHECKING = [139, 49, 164, 348], [135, 14, 105, 46]
SEX = [221, 38, 61, 380], [89, 12, 31, 168]
STEADY = [48, 102, 203, 297, 205, 95, 50], [0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05]


def test_checking_account():
    iv = information_value(*CHECKING)
    assert iv.estimate == pytest.approx(0.666011503351333513, rel=1e-15)
    assert iv.se == pytest.approx(0.114461008811322029, rel=1e-15)
    assert iv.bias == pytest.approx(0.0178990026602358011, rel=4e-15)
    assert iv.statistic == pytest.approx(139.862415703780038, rel=1e-15)
    assert iv.pvalue == pytest.approx(4.04692737124845037e-30, rel=1e-13)
    assert iv.log_pvalue == pytest.approx(math.log(4.04692737124845037e-30), rel=1e-15)
    assert (iv.n, iv.m, iv.n_eff, iv.bins, iv.dof) == (700, 300, 210.0, 4, 3)
    woe = [-0.818098705694941305, 0.405465108108164382, -0.401391782720528562, 1.17626322289817572]
    se = [0.0991955001490450285, 0.295084445425327001, 0.104208760368380345, 0.140892827678589272]
    np.testing.assert_allclose(iv.woe, woe, rtol=9e-16)
    np.testing.assert_allclose(iv.woe_se, se, rtol=4e-16)
    assert iv.contributions.sum() == pytest.approx(iv.estimate, rel=1e-15)
    assert iv.status is ScorecardStatus.OK
    assert iv.notes == ()


def test_checking_account_interval():
    iv = information_value(*CHECKING)
    law = snc(iv._sampling(), 0.5)
    assert iv.estimate_smoothed == pytest.approx(0.659055988014830161, rel=1e-15)
    assert law.rho == pytest.approx(1.03251266633375964, rel=1e-14)
    # one digit differs from the usual source, from which the interval below does not follow
    assert law.nu == pytest.approx(2.21920335285568143, rel=1e-14)
    assert law.statistic == pytest.approx(134.043641299385257, rel=1e-14)
    assert iv.ci == pytest.approx((0.44934019471703021, 0.894600462473773704), rel=1e-13)
    assert iv.confidence_interval() == iv.ci
    assert iv.confidence_interval(floor=0) == iv.ci
    assert iv.estimate_bias_corrected == pytest.approx(0.659055988014830161 - 0.0109112170047325661, rel=1e-14)
    smoothed = information_value(*CHECKING, smoothing=0.5)
    assert smoothed.se == pytest.approx(0.113848994010104507, rel=1e-14)
    assert smoothed.bias == pytest.approx(0.0109112170047325661, rel=1e-13)
    assert smoothed.statistic == pytest.approx(210 * 0.659055988014830161, rel=1e-14)
    assert smoothed.estimate == iv.estimate
    assert smoothed.ci == iv.ci


def test_personal_status_and_sex():
    iv = information_value(*SEX)
    law = snc(iv._sampling(), 0.5)
    assert iv.estimate == pytest.approx(0.00883991919083821989, rel=1e-14)
    assert iv.estimate_smoothed == pytest.approx(0.00836150691149879394, rel=1e-14)
    assert law.rho == pytest.approx(1.00246464404145544, rel=1e-14)
    assert law.nu == pytest.approx(2.95625596256619412, rel=1e-14)
    assert law.statistic == pytest.approx(1.7515993824338142, rel=1e-14)
    assert iv.ci.low == 0.0
    assert iv.ci.high == pytest.approx(0.0361596908961732033, rel=1e-13)
    assert iv.estimate_bias_corrected == 0.0
    assert iv.estimate_bias_corrected_raw < 0.0
    assert "cut off at 0" in iv.summary()


def test_known_baseline():
    shift = psi(*STEADY, baseline="fixed")
    assert shift.estimate == pytest.approx(0.000575995623564236145, rel=1e-13)
    assert shift.se == pytest.approx(0.00151793622293984274, rel=1e-13)
    assert shift.m == math.inf
    assert shift.n_eff == shift.n == 1000
    assert shift.statistic == 1000 * shift.estimate
    assert shift.pvalue == pytest.approx(
        float(mp.gammainc(3, 500 * shift.estimate, mp.inf, regularized=True)), rel=1e-14
    )


def test_huge_counts():
    assert jeffreys([10**12, 10**12 + 10**6, 10**12 - 10**6], [10**12] * 3) == pytest.approx(
        6.66666666666888889e-13, rel=1e-15
    )


def test_close_unequal_sizes():
    # the same shares but for one account in 7e9: x m - y n is exact only in integers
    x, y = [3 * 10**9 + 1, 4 * 10**9], [6 * 10**15, 8 * 10**15]
    with mp.workdps(60):
        p, q = (mp.mpf(x[0]) / sum(x), mp.mpf(y[0]) / sum(y))
        exact = (p - q) * (mp.log(p / q) - mp.log((1 - p) / (1 - q)))
    assert jeffreys(x, y) == pytest.approx(float(exact), rel=1e-14)


def test_disjoint_samples_stay_finite():
    assert jeffreys([1, 10**9], [10**9, 1]) == pytest.approx(41.4465, abs=1e-4)
    assert math.isfinite(information_value([1, 10**9], [10**9, 1]).ci.high)


def test_jeffreys_broadcasts():
    x = np.array([[[139, 49, 164, 348], [1, 1, 1, 1]]])
    found = jeffreys(x, [135, 14, 105, 46])
    assert found.shape == (1, 2)
    assert found[0, 0] == jeffreys(*CHECKING)
    np.testing.assert_array_equal(jeffreys(np.swapaxes(x, 1, 2), np.array([135, 14, 105, 46])[:, None], axis=-2), found)
    assert isinstance(jeffreys(*CHECKING), float)


def test_jeffreys_smooths_bins_in_use_only():
    assert jeffreys([5, 0, 7, 3], [2, 0, 4, 0], smoothing=0.5) == jeffreys([5.5, 7.5, 3.5], [2.5, 4.5, 0.5])


def test_bin_empty_in_both_is_dropped():
    full, dropped = information_value([5, 0, 70, 30], [20, 0, 40, 10]), information_value([5, 70, 30], [20, 40, 10])
    assert (full.bins, full.dof) == (3, 2)
    assert full.ci == dropped.ci
    assert full.pvalue == dropped.pvalue
    assert full.contributions[1] == 0.0
    assert math.isnan(full.woe[1])
    assert math.isnan(full.woe_se[1])
    assert full.contributions.shape == (4,)
    assert "1 more empty" in full.summary()


def test_zero_cell():
    iv = information_value([50, 30, 15], [0, 20, 35])
    assert iv.status is ScorecardStatus.ZERO_CELL
    assert iv.estimate == math.inf
    assert math.isnan(iv.se)
    assert math.isnan(iv.bias)
    assert iv.estimate_smoothed == pytest.approx(2.743, abs=5e-4)
    assert iv.statistic == iv.n_eff * iv.estimate_smoothed
    assert 0 < iv.pvalue < 1e-10
    assert 0 < iv.ci.low < iv.ci.high < math.inf
    assert iv.woe[0] == math.inf
    assert math.isnan(iv.woe_se[0])
    assert np.isfinite(iv.woe_se[1:]).all()
    smoothed = information_value([50, 30, 15], [0, 20, 35], smoothing=0.5)
    assert smoothed.estimate == math.inf
    assert math.isfinite(smoothed.se)
    assert np.isfinite(smoothed.woe).all()
    assert smoothed.contributions.sum() == pytest.approx(smoothed.estimate_smoothed, rel=1e-14)


@pytest.mark.parametrize("counts", [([5, 0], [4, 0]), ([5], [4])])
def test_one_bin(counts):
    iv = information_value(*counts)
    assert iv.status is ScorecardStatus.ONE_BIN
    assert (iv.estimate, iv.dof, iv.bins) == (0.0, 0, 1)
    assert all(math.isnan(value) for value in (iv.pvalue, iv.log_pvalue, iv.se, iv.bias, *iv.ci))
    assert all(math.isnan(end) for end in iv.confidence_interval(method="delta"))
    assert math.isnan(iv.test(margin=0.1).pvalue)
    assert math.isnan(iv.test().pvalue)


def test_identical_counts():
    iv = information_value([30, 40, 30], [30, 40, 30])
    assert (iv.estimate, iv.pvalue, iv.log_pvalue, iv.se) == (0.0, 1.0, 0.0, 0.0)
    assert iv.ci.low == 0.0
    assert 0.0 < iv.ci.high < 1.0
    assert iv.confidence_interval(floor=0) == (0.0, 0.0)
    assert iv.confidence_interval(method="log") == (0.0, math.inf)
    assert iv.test(margin=1.0, alternative="less").pvalue < 1e-6


def test_sparse():
    assert information_value([4, 3, 5], [4, 4, 4]).status is ScorecardStatus.SPARSE
    assert information_value([400, 300, 2], [400, 400, 2]).status is ScorecardStatus.OK
    assert information_value([4000, 300, 2], [400, 400, 2]).status is ScorecardStatus.SPARSE
    both = information_value([4, 3, 5], [4, 4, 0])
    assert both.status is ScorecardStatus.ZERO_CELL
    assert both.notes == (ScorecardStatus.ZERO_CELL.message, ScorecardStatus.SPARSE.message)
    assert ScorecardStatus.SPARSE.message in both.summary()


def test_quantile_baseline_is_random():
    args = [30, 28, 22, 20], [25, 25, 25, 25]
    random, quantile = psi(*args), psi(*args, baseline="quantile")
    assert quantile.baseline == "quantile"
    assert quantile.ci == random.ci
    assert quantile.pvalue == random.pvalue


def test_known_baseline_has_less_variance():
    x, y = [300, 280, 220, 200], [250, 250, 250, 250]
    assert psi(x, [0.25] * 4, baseline="fixed").se < psi(x, y).se
    assert psi(x, [0.25] * 4, baseline="fixed").se == pytest.approx(psi(x, [10**12] * 4).se, rel=1e-8)


def test_margin_tests():
    iv = information_value(*CHECKING)
    low, high = iv.confidence_interval(level=0.9)
    assert iv.test(margin=low).pvalue == pytest.approx(0.05, rel=1e-10)
    assert iv.test(margin=high, alternative="less").pvalue == pytest.approx(0.05, rel=1e-10)
    greater, less = iv.test(margin=0.3), iv.test(margin=0.3, alternative="less")
    assert greater.pvalue + less.pvalue == pytest.approx(1.0, rel=1e-14)
    assert greater.hypothesis == "J <= 0.3"
    assert "noncentrality" in greater.summary()
    null = iv.test()
    assert (null.pvalue, null.statistic, null.dof) == (iv.pvalue, iv.statistic, 3.0)
    assert "J = 0" in null.summary()
    assert type(null).from_json(null.to_json()) == null


def test_margin_tests_in_the_tail():
    far = information_value([10**6, 2 * 10**6, 3 * 10**6], [3 * 10**6, 2 * 10**6, 10**6])
    assert far.pvalue == 0.0
    assert far.log_pvalue < -1e5
    assert far.test(margin=0.5).log_pvalue < -1e4
    assert far.test(margin=2.5, alternative="less").log_pvalue < -1e4
    assert "e-" in far.summary()


@pytest.mark.parametrize("dof", [1, 2, 9, 49])
@pytest.mark.parametrize("statistic", [50.0, 1e3, 1e5])
def test_log_pvalue_in_the_tail(statistic, dof):
    from asymptopia.theory.scorecard.hypotheses import null_tails

    with mp.workdps(60):
        a, x = mp.mpf(dof) / 2, mp.mpf(statistic) / 2
        exact = mp.log(mp.gammainc(a, x, mp.inf, regularized=True))
    assert null_tails(statistic, np.ones(dof)).sf == pytest.approx(float(exact), rel=2e-15)
    if dof == 2:
        assert null_tails(statistic, np.ones(dof)).sf == pytest.approx(-statistic / 2, rel=1e-15)


RESULTS = [
    information_value(*CHECKING),
    information_value([5, 0, 7], [5, 0, 0]),
    information_value([5, 0], [4, 0]),
    psi(*STEADY, baseline="fixed"),
    psi(*CHECKING),
    psi([[90, 12, 0], [10, 80, 15], [0, 8, 85]], baseline="paired", smoothing=0.5),
]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: f"{type(result).__name__}-{result.status.name}")
def test_round_trip(result):
    again = type(result).from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    assert again == result
    assert hash(again) == hash(result)
    assert again.summary() == result.summary()
    assert repr(again.confidence_interval(0.9)) == repr(result.confidence_interval(0.9))
    assert again != RESULTS[0] or result is RESULTS[0]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_frame(result, backend):
    frame = result.to_frame(backend)
    names = ["good", "bad"] if isinstance(result, IVResult) else ["actual", "expected"]
    assert list(frame.columns) == [
        "bin", *names, *(f"{name}_share" for name in names), "woe", "woe_se", "contribution"
    ]  # fmt: skip
    assert len(frame) == result.woe.size
    assert "interval" in result._repr_html_()


def test_results_are_frozen():
    iv = information_value(*CHECKING)
    with pytest.raises(AttributeError):
        iv.estimate = 0.0
    with pytest.raises(ValueError, match="read-only"):
        iv.woe[0] = 0.0


def test_inputs_are_not_changed():
    good = np.array([5.0, 6.0, 7.0])
    information_value(good, good)
    good[0] = 9.0


def test_plotters_are_named():
    assert IVResult.plotter.endswith(":plot_iv")
    assert PSIResult.plotter.endswith(":plot_psi")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: information_value([1, -2], [1, 2]), ValueError, r"good\[1\] is -2.0; expected counts >= 0"),
        (lambda: information_value([1, 2], [1, math.nan]), ValueError, r"bad\[1\] is nan; expected finite"),
        (lambda: information_value([1, 2], [1, math.inf]), ValueError, r"bad\[1\] is inf"),
        (lambda: information_value([1, 2], [1, 2, 3]), ValueError, "good has shape .2,. and bad has shape .3,."),
        (lambda: information_value([1, 2], [0, 0]), ValueError, r"bad.sum\(\) is 0"),
        (lambda: information_value([1, 2.5], [1, 2]), ValueError, r"good\[1\] is 2.5; expected whole counts"),
        (lambda: information_value([[1, 2]], [[1, 2]]), ValueError, "loop over the tables"),
        (lambda: information_value([1, 2**53 + 2], [1, 2]), ValueError, "2\\*\\*53"),
        (lambda: information_value([1.0, 2.0**54], [1, 2]), ValueError, "2\\*\\*53"),
        (lambda: information_value(["a", "b"], [1, 2]), TypeError, "good has dtype"),
        (lambda: information_value([1, 2], [1, 2], smoothing=-1), ValueError, "smoothing is -1.0"),
        (lambda: information_value([1, 2], [1, 2], smoothing=math.inf), ValueError, "smoothing is inf"),
        (lambda: jeffreys([1, 2], [1, 2, 3]), ValueError, "same bins"),
        (lambda: jeffreys([[1, 2]] * 2, [[1, 2]] * 3), ValueError, "do not broadcast"),
        (lambda: jeffreys(1, 2), ValueError, "x.ndim is 0"),
        (lambda: psi([1, 2]), ValueError, "expected is None; expected the counts"),
        (lambda: psi([1, 2], [1, 2], baseline="known"), ValueError, "baseline is 'known'; expected one of 'random'"),
        (lambda: psi([1, 2], [0.0, 1.0], baseline="fixed"), ValueError, r"expected\[0\] is 0.0; .* > 0"),
        (lambda: psi([1, 2], [0.4, 0.4], baseline="fixed"), ValueError, r"expected.sum\(\) is 0.8"),
        (lambda: psi([1, 2], [[0.5, 0.5]], baseline="fixed"), ValueError, "one axis"),
        (lambda: psi([1, 2], [0.2, 0.3, 0.5], baseline="fixed"), ValueError, "same bins"),
        (lambda: psi([[1, 2]], baseline="paired"), ValueError, "square table"),
        (lambda: psi([[1, 2], [3, 4]], [1, 2], baseline="paired"), ValueError, "whole table of pairs"),
        (lambda: psi([[1, 2.5], [3, 4]], baseline="paired"), ValueError, r"actual\[0, 1\] is 2.5"),
        (lambda: information_value([5, 6], [6, 5]).confidence_interval(1.0), ValueError, "level is 1.0"),
        (lambda: information_value([5, 6], [6, 5]).confidence_interval(method="wald"), ValueError, "method is 'wald'"),
        (lambda: information_value([5, 6], [6, 5]).confidence_interval(repeats=10), ValueError, "repeats is 10"),
        (lambda: information_value([5, 6], [6, 5]).confidence_interval(floor=1), ValueError, "floor is 1.0"),
        (lambda: information_value([5, 6], [6, 5]).test(margin=0), ValueError, "margin is 0.0"),
        (lambda: information_value([5, 6], [6, 5]).test(alternative="less"), ValueError, "stability needs a margin"),
        (lambda: information_value([5, 6], [6, 5]).test(0.1, "both"), ValueError, "alternative is 'both'"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_no_warnings_at_the_borders():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x, y in [([1, 1], [1, 1]), ([1, 0], [0, 1]), ([1, 0, 0], [0, 0, 1]), ([2**53, 1], [1, 2**53])]:
            found = information_value(x, y)
            for method in ("snc", "delta", "log", "ncx2"):
                for level in (1e-6, 0.5, 1 - 1e-12):
                    low, high = found.confidence_interval(level, method)
                    assert 0 <= low <= high
            found.summary()
