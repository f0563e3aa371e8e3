"""Monitoring over periods: each period as `psi`, verdicts, and error rates with a shared reference."""

from __future__ import annotations

import numpy as np
import pytest

from asymptopia.theory.scorecard.design import psi_critical_value
from asymptopia.theory.scorecard.inference import psi
from asymptopia.theory.scorecard.monitoring import MonitorResult, drift_monitor

REFERENCE = [1000, 2000, 4000, 2000, 1000]
MONTHS = [[510, 980, 2020, 990, 500], [560, 1060, 1980, 940, 460], [900, 1300, 1700, 700, 400], [2, 5, 9, 3, 1]]
SHARES = [0.1, 0.2, 0.4, 0.2, 0.1]


@pytest.mark.parametrize("baseline", ["random", "fixed"])
def test_every_period_is_that_of_psi(baseline: str) -> None:
    reference = REFERENCE if baseline == "random" else SHARES
    monitor = drift_monitor(reference, MONTHS, baseline=baseline, margin=0.05, level=0.9)
    for i, counts in enumerate(MONTHS):
        one = psi(counts, reference, baseline=baseline)
        for name in ("estimate", "estimate_smoothed", "bias", "se", "statistic", "dof", "pvalue", "n_eff"):
            assert getattr(monitor, name)[i] == pytest.approx(getattr(one, name), rel=1e-12), name
        assert (monitor.ci.low[i], monitor.ci.high[i]) == pytest.approx(one.confidence_interval(0.9), rel=1e-11)
        assert monitor.adjusted[i] == pytest.approx(min(1.0, 4 * one.pvalue), rel=1e-11)
        assert monitor.shift_adjusted[i] == pytest.approx(min(1.0, 4 * one.test(margin=0.05).pvalue), rel=1e-9)
        stable = one.test(margin=0.05, alternative="less").pvalue
        assert monitor.stable_adjusted[i] == pytest.approx(min(1.0, 4 * stable), rel=1e-9)
        assert monitor.critical[i] == pytest.approx(psi_critical_value(one.n, one.m, 5, 0.05 / 4), rel=1e-12)
        assert monitor.statuses[i] is one.status
        assert monitor[i] == one


def test_verdicts() -> None:
    assert drift_monitor(REFERENCE, MONTHS).verdicts == ("no evidence", "no evidence", "drift", "no evidence")
    assert drift_monitor(REFERENCE, MONTHS, margin=0.05).verdicts == ("stable", "stable", "drift", "no evidence")
    # the second month differs from the reference beyond chance when looked at alone, and is stable all the same
    alone = drift_monitor(REFERENCE, MONTHS[1:2])
    assert alone.verdicts == ("drift",)
    assert drift_monitor(REFERENCE, MONTHS[1:2], margin=0.05).verdicts == ("stable",)
    # a margin below the index itself: a shift that matters can only be shown with enough accounts
    assert drift_monitor(REFERENCE, MONTHS, margin=0.0975).verdicts[2] == "no evidence"


def test_zero_cells_and_a_single_bin() -> None:
    monitor = drift_monitor([500, 500, 0], [[40, 60, 0], [40, 50, 10]])
    assert monitor.dof.tolist() == [1, 2]
    assert monitor.estimate[1] == np.inf
    assert monitor.status.name == "CAVEATS"
    empty = drift_monitor([500, 0], [[40, 0]], margin=0.1)
    assert empty.verdicts == ("no evidence",)
    assert np.isnan([empty.pvalue[0], empty.ci.low[0], empty.critical[0], empty.shift_adjusted[0]]).all()


def test_result() -> None:
    monitor = drift_monitor(REFERENCE, MONTHS, margin=0.05, names=["Jan", "Feb", "Mar", "Apr"], adjust="holm")
    assert MonitorResult.from_json(monitor.to_json()) == monitor
    frame = monitor.to_frame()
    assert frame["verdict"].tolist() == list(monitor.verdicts)
    assert frame["n"].tolist() == [5000, 5000, 5000, 20]
    assert {"shift_adjusted", "stable_adjusted"} <= set(frame.columns)
    assert "shift_adjusted" not in drift_monitor(REFERENCE, MONTHS).to_frame().columns
    assert "Mar" in monitor.summary()
    assert "drift" in monitor.summary()
    assert monitor["Mar"].estimate == pytest.approx(monitor.estimate[2], rel=1e-14)
    assert drift_monitor(REFERENCE, MONTHS).names == ("1", "2", "3", "4")
    with pytest.raises(KeyError, match="no period 'May'"):
        monitor["May"]
    with pytest.raises(ValueError, match="read-only"):
        monitor.table[0, 0] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": [1, 2]}, "periods has 5 bins and reference has 2"),
        ({"reference": [1, 2, 3, 4, -5]}, r"reference\[4\] is -5"),
        ({"reference": [REFERENCE]}, r"reference has shape \(1, 5\)"),
        ({"reference": [0.2, 0.2, 0.2, 0.2, 0.3], "baseline": "fixed"}, r"reference.sum\(\) is 1.1"),
        ({"reference": [0.5, 0.2, 0.2, 0.1, 0.0], "baseline": "fixed"}, r"reference\[4\] is 0.0"),
        ({"periods": MONTHS[0]}, r"periods has shape \(5,\)"),
        ({"periods": np.zeros((0, 5))}, r"periods has shape \(0, 5\)"),
        ({"periods": [[1.5, 1, 1, 1, 1]]}, r"periods\[0, 0\] is 1.5"),
        ({"periods": [[0, 0, 0, 0, 0]]}, "at least one observation"),
        ({"baseline": "paired"}, "baseline is 'paired'"),
        ({"adjust": "none"}, "adjust is 'none'"),
        ({"margin": -0.1}, "margin is -0.1"),
        ({"alpha": 1}, "alpha is 1"),
        ({"level": 0}, "level is 0"),
        ({"names": ["a"] * 4}, "names holds 'a' twice"),
    ],
)
def test_bad_arguments(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        drift_monitor(**{"reference": REFERENCE, "periods": MONTHS, **change})


@pytest.mark.parametrize("adjust", ["bonferroni", "holm", "bh"])
def test_false_alarms_with_a_shared_reference(adjust: str) -> None:
    # 600 monitorings of 12 equal periods without drift, where a reference as small as a period makes the statistics
    # dependent: a rate of false alarms above 8 % has probability below 1e-3 if the true one is at most 5 %
    rng = np.random.default_rng(21)
    p = np.array(SHARES)
    alarms = 0
    for reference, periods in zip(rng.multinomial(800, p, 600), rng.multinomial(800, p, (600, 12)), strict=True):
        alarms += "drift" in drift_monitor(reference, periods, adjust=adjust).verdicts
    assert 0.005 < alarms / 600 < 0.08


def test_verdicts_at_the_margin_are_false_at_the_nominal_rate() -> None:
    # at PSI = margin either verdict is false; 5 % for each of two sides and a single period
    rng = np.random.default_rng(22)
    p = np.array(SHARES)
    q = p * np.exp(0.25 * np.linspace(-1, 1, 5))
    q /= q.sum()
    margin = float(((p - q) * np.log(p / q)).sum())
    drift = stable = 0
    for reference, period in zip(rng.multinomial(4000, p, 800), rng.multinomial(2000, q, 800), strict=True):
        (verdict,) = drift_monitor(reference, [period], margin=margin).verdicts
        drift += verdict == "drift"
        stable += verdict == "stable"
    # 2.2 to 8.5 % is 3.6 standard errors about 5 %
    assert 0.022 < drift / 800 < 0.085
    assert 0.022 < stable / 800 < 0.085
