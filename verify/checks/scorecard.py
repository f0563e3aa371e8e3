"""Checks of the scorecard: the claims they could refute, and the settings at which they try."""

from __future__ import annotations

import math

from asymptopia.theory.scorecard.shares import HALF
from asymptopia.verify.checks import (
    scorecard_binning,
    scorecard_designs,
    scorecard_divergence,
    scorecard_rank,
    scorecard_regimes,
    scorecard_survey,
)
from asymptopia.verify.checks import scorecard_kernels as kernels
from asymptopia.verify.checks.scorecard_cases import (
    FINENESS,
    bias_case,
    coverage_case,
    false_alarm_case,
    null_case,
    pearson_case,
    power_case,
    variance_case,
)
from asymptopia.verify.checks.scorecard_regimes import NULL_KERNEL
from asymptopia.verify.checks.scorecard_settings import Setting
from asymptopia.verify.checks.scorecard_woe import WoeSetting, woe_case, woe_fixed_case
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Check

WOE = (
    WoeSetting(p=(0.5, 0.3), q=(0.4, 0.3), n=20000, m=5000),
    WoeSetting(p=(0.3, 0.1), q=(0.5, 0.2), n=9000, m=4000),
    WoeSetting(p=(0.7, 0.2), q=(0.6, 0.2), n=50000, m=50000),
)
BIAS = (
    (Setting(bins=10, n=9000, m=4000, divergence=0.2), 0.0),
    (Setting(bins=10, n=9000, m=4000, divergence=0.2), HALF),
    (Setting(bins=10, n=9000, m=math.inf, divergence=0.2, skewed=True), 0.0),
    (Setting(bins=5, n=20000, m=2000, divergence=0.6), HALF),
    (Setting(bins=20, n=40000, m=20000, divergence=0.05, skewed=True), HALF),
    (Setting(bins=20, n=40000, m=math.inf, divergence=0.1), HALF),
)
VARIANCE = (
    Setting(bins=10, n=20000, m=5000, divergence=0.3),
    Setting(bins=10, n=20000, m=math.inf, divergence=0.3, skewed=True),
    Setting(bins=5, n=50000, m=5000, divergence=0.6),
    Setting(bins=20, n=50000, m=20000, divergence=0.2, skewed=True),
)
NULL = (
    Setting(bins=10, n=50000, m=5000, divergence=0.0),
    Setting(bins=10, n=20000, m=math.inf, divergence=0.0),
    Setting(bins=5, n=50000, m=5000, divergence=0.0),
    Setting(bins=20, n=100000, m=10000, divergence=0.0),
)
COVERAGE = (
    Setting(bins=20, n=9000, m=1000, divergence=0.0),
    Setting(bins=20, n=9000, m=1000, divergence=0.05),
    Setting(bins=10, n=9000, m=1000, divergence=0.2),
    Setting(bins=10, n=1900, m=100, divergence=0.05),
    Setting(bins=10, n=9000, m=1000, divergence=0.6),
    Setting(bins=5, n=1900, m=100, divergence=0.05),
    Setting(bins=20, n=95000, m=5000, divergence=0.01),
    Setting(bins=10, n=1900, m=100, divergence=0.0),
    Setting(bins=10, n=9000, m=1000, divergence=0.01),
    Setting(bins=20, n=1900, m=100, divergence=0.05),
    Setting(bins=5, n=9000, m=1000, divergence=0.05, skewed=True),
)

POWER = (
    Setting(bins=10, n=6260, m=6260, divergence=0.005),
    Setting(bins=10, n=3000, m=800, divergence=0.02),
    Setting(bins=5, n=4000, m=math.inf, divergence=0.003),
)
FALSE_ALARMS = (
    (Setting(bins=10, n=200, m=200, divergence=0.0), 0.1),
    (Setting(bins=20, n=500, m=500, divergence=0.0), 0.1),
    (Setting(bins=20, n=200, m=200, divergence=0.0), 0.25),
    (Setting(bins=10, n=1900, m=100, divergence=0.0), 0.1),
)
PEARSON = (
    Setting(bins=10, n=500, m=math.inf, divergence=0.0),
    Setting(bins=10, n=1000, m=math.inf, divergence=0.0, skewed=True),
)

CHECKS = (
    Check(
        id="scorecard.woe_variance",
        statement="Var(WoE_i) = 1/x_i - 1/n + 1/y_i - 1/m, Cov(WoE_i, WoE_j) = -(1/n + 1/m)",
        kernel=Kernel(kernels.woe_moments, ("first", "product", "contrast")),
        cases=lambda profile: tuple(woe_case(item, FINENESS[profile]) for item in WOE),
    ),
    Check(
        id="scorecard.woe_variance_fixed_bins",
        statement="With bin sizes fixed by design both lose a further 1/n + 1/m and gain (1/n + 1/m)^2 sum x y / N",
        kernel=Kernel(kernels.woe_moments_fixed_bins, ("first", "product")),
        cases=lambda profile: (woe_fixed_case((20000, 8000, 8000), (0.5, 0.05, 0.95), FINENESS[profile]),),
    ),
    Check(
        id="scorecard.iv_bias",
        statement="E[J^] - J = half the trace of Hessian times covariance, plus the shift by the pseudo-counts",
        kernel=Kernel(kernels.divergence_residual, ("residual",)),
        cases=lambda profile: tuple(bias_case(*item, FINENESS[profile]) for item in BIAS),
    ),
    Check(
        id="scorecard.iv_variance",
        statement="Var(J^) = V_P/n + V_Q/m with V_P = Var_P(L) + X(Q, P) + 2 J",
        kernel=Kernel(kernels.divergence_square, ("square",)),
        cases=lambda profile: tuple(variance_case(item, FINENESS[profile]) for item in VARIANCE),
    ),
    Check(
        id="scorecard.null_law",
        statement="At J = 0, n_e J^ is chi-square on B - 1, J^/SE is sqrt(chi2)/2, or sqrt(chi2) with fixed weights",
        kernel=NULL_KERNEL,
        cases=lambda profile: tuple(null_case(item, FINENESS[profile]) for item in NULL),
    ),
    Check(
        id="scorecard.snc_coverage",
        statement="The scaled noncentral chi-square interval covers at its level, where the delta interval does not",
        kernel=Kernel(kernels.interval_coverage, ("snc", "delta", "snc_weights_fixed")),
        cases=lambda _: tuple(map(coverage_case, COVERAGE)),
    ),
    Check(
        id="scorecard.power",
        statement="n_e J^ is noncentral chi-square with noncentrality n_e J: the power of the test of J = 0",
        kernel=NULL_KERNEL,
        cases=lambda profile: tuple(power_case(item, FINENESS[profile]) for item in POWER),
    ),
    Check(
        id="scorecard.false_alarms",
        statement="A fixed threshold of the PSI is crossed by equal populations at the rate of the chi-square law",
        kernel=NULL_KERNEL,
        cases=lambda profile: tuple(false_alarm_case(*item, FINENESS[profile]) for item in FALSE_ALARMS),
    ),
    Check(
        id="scorecard.exact_mean",
        statement="The mean of n J^ against a known baseline at finite n, with Pearson's X^2 as a control variate",
        kernel=Kernel(kernels.pearson_control, ("T", "control")),
        cases=lambda profile: tuple(pearson_case(item, FINENESS[profile]) for item in PEARSON),
    ),
    *scorecard_regimes.CHECKS,
    *scorecard_divergence.CHECKS,
    *scorecard_designs.CHECKS,
    *scorecard_survey.CHECKS,
    *scorecard_rank.CHECKS,
    *scorecard_binning.CHECKS,
)
