"""The scorecard's checks: their statistics are those of the library, their verdicts and mutants."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ncx2

from asymptopia.theory._core.registry import claims
from asymptopia.theory.scorecard.moments import independent_moments
from asymptopia.theory.scorecard.shares import against_fixed, two_samples
from asymptopia.verify import run
from asymptopia.verify.checks import RESULTS, checks, select
from asymptopia.verify.checks import scorecard_kernels as kernels
from asymptopia.verify.checks.scorecard import BIAS, COVERAGE, NULL, VARIANCE, Setting
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.engine.check import PROFILES

STREAM = (11, 22, 3, 0, 0)
SETTING = Setting(bins=6, n=900, m=250, divergence=0.15, skewed=True)
KNOWN = Setting(bins=4, n=500, m=math.inf, divergence=0.1)


def tables(setting: Setting, params: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The tables that a kernel draws from STREAM, by the same order of draws."""
    left = [setting.n, 0 if math.isinf(setting.m) else int(setting.m)]
    counts: list[list[int]] = [[], []]
    j = 0
    for i in range(setting.bins):
        for sample in (0, 1):
            if left[sample] or sample == 0 or not math.isinf(setting.m):
                k, j = binomial(STREAM, j, left[sample], params[kernels.HEAD + kernels.ROW * i + sample])
                left[sample] -= k
                counts[sample].append(k)
    return np.array(counts[0], dtype=float), np.array(counts[1], dtype=float)


@pytest.mark.parametrize("setting", [SETTING, KNOWN])
def test_sums_give_the_moments_of_the_library(setting: Setting) -> None:
    params = setting.params(0.5, 0.0, 0.0, 0.0)
    x, y = tables(setting, params)
    assert x.sum() == setting.n
    shares = against_fixed(x, setting.shares().q, 0.5) if math.isinf(setting.m) else two_samples(x, y, 0.5)
    expected = independent_moments(shares, setting.n, setting.m, 0.5)
    sums = kernels.table_sums(STREAM, list(params))
    variance = (sums[3] - sums[1] ** 2 + sums[5] + 2 * sums[0]) / setting.n
    bias = (setting.bins - 1 + 0.5 * sums[7] - 0.5 * setting.bins * sums[1]) / setting.n
    if not math.isinf(setting.m):
        variance += (sums[4] - sums[2] ** 2 + sums[6] + 2 * sums[0]) / setting.m
        bias += (setting.bins - 1 - 0.5 * sums[7] - 0.5 * setting.bins * sums[2]) / setting.m
    assert sums[0] == pytest.approx(float(expected.divergence), rel=1e-11)
    assert variance == pytest.approx(float(expected.variance), rel=1e-11)
    assert bias == pytest.approx(float(expected.bias), rel=1e-11)


def test_the_linear_term_is_the_derivative() -> None:
    # moving one observation from bin 0 to bin 1 changes J by the difference of the gradient entries, to first order
    p, q, _ = SETTING.shares()
    params = SETTING.params(0.0, 0.0, 0.0, 0.0)
    gradient = np.array([params[kernels.HEAD + kernels.ROW * i + 4] for i in range(SETTING.bins)])

    def divergence(shares: np.ndarray) -> float:
        return float(((shares - q) * np.log(shares / q)).sum())

    step = 1e-6
    moved = p.copy()
    moved[:2] += [-step, step]
    back = p.copy()
    back[:2] -= [-step, step]
    slope = (divergence(moved) - divergence(back)) / (2 * step)
    assert slope == pytest.approx(gradient[1] - gradient[0], rel=1e-8)


def test_coverage_agrees_with_inverting_the_law() -> None:
    setting = Setting(bins=8, n=700, m=300, divergence=0.1)
    params = setting.params(0.5, setting.n_eff, 0.025, 1.959963984540054)
    covered = []
    for replicate in range(60):
        stream = (5, 6, replicate, 0, 0)
        snc, delta, _ = kernels.interval_coverage(stream, list(params))
        sums = kernels.table_sums(stream, list(params))
        variance = (sums[3] - sums[1] ** 2 + sums[5] + 2 * sums[0]) / setting.n
        variance += (sums[4] - sums[2] ** 2 + sums[6] + 2 * sums[0]) / setting.m
        bias = (7 + 0.5 * sums[7] - 4 * sums[1]) / setting.n + (7 - 0.5 * sums[7] - 4 * sums[2]) / setting.m
        rho = setting.n_eff * variance / (4 * sums[0])
        nu = max(setting.n_eff * bias / rho, 0.5)
        level = ncx2.cdf(setting.n_eff * sums[0] / rho, nu, setting.n_eff * params[4] / rho)
        assert snc == float(0.025 <= level <= 0.975)
        assert delta == float(abs(sums[0] - params[4]) <= 1.959963984540054 * math.sqrt(variance))
        covered.append(snc)
    assert 0.8 < np.mean(covered) <= 1.0


@pytest.mark.parametrize("settings", [VARIANCE, NULL, COVERAGE, tuple(setting for setting, _ in BIAS)])
def test_settings_have_the_divergence_they_name(settings: tuple[Setting, ...]) -> None:
    for setting in settings:
        p, q, _ = setting.shares()
        assert p.sum() == pytest.approx(1.0, abs=1e-15)
        assert q.sum() == pytest.approx(1.0, abs=1e-15)
        assert float(((p - q) * np.log(p / q)).sum()) == pytest.approx(setting.divergence, rel=1e-12)


@pytest.mark.parametrize("profile", [profile for profile in PROFILES if profile != "quick"])  # quick is run below
def test_every_case_of_every_profile_can_be_built(profile: str) -> None:
    for check in checks():
        names = [case.name for case in check.cases(profile)]  # type: ignore[arg-type]
        assert names
        assert len(set(names)) == len(names)


def test_quick_profile_passes_and_rejects_every_mutant() -> None:
    report = run(["scorecard", "engine"], profile="quick")
    assert [entry.id for entry in report.entries if entry.status != "pass"] == []
    assert all(mutant.rejected for entry in report.entries for mutant in entry.mutants)


def test_the_negative_control_reproduces_the_failure_of_the_delta_interval() -> None:
    report = run("scorecard.snc_coverage", profile="quick")
    entry = next(entry for entry in report.entries if "B=20" in entry.id and "J=0]" in entry.id)
    control = next(mutant for mutant in entry.mutants if "delta" in mutant.name)
    assert control.rejected
    assert control.estimate == pytest.approx(0.31, abs=0.03)


def test_checks_belong_to_claims() -> None:
    named = {name for claim in claims() for name in claim.checks}
    assert {check.id for check in checks()} >= named


def test_selection_by_check_claim_and_result() -> None:
    assert [check.id for check in select(["scorecard.iv_bias"])] == ["scorecard.iv_bias"]
    assert [check.id for check in select(["scorecard.snc"])] == ["scorecard.snc_coverage"]
    assert select([*RESULTS]) == select()
    with pytest.raises(KeyError, match="no check, claim or result 'iv'"):
        select(["iv"])
