"""Checks between the regimes: the second-order cumulants, and every z-ratio of equal populations."""

from __future__ import annotations

import math

from scipy.special import chdtrc

from asymptopia.theory.scorecard.cumulants import second_order_cumulants
from asymptopia.theory.scorecard.shares import HALF
from asymptopia.verify.checks.scorecard_cases import FINENESS, MILLION, Z95, mutants, square_target
from asymptopia.verify.checks.scorecard_kernels import divergence_powers, null_statistics
from asymptopia.verify.checks.scorecard_remainders import exact_jeffreys_variance
from asymptopia.verify.checks.scorecard_settings import Setting
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Target

NULL_KERNEL = Kernel(
    null_statistics,
    (
        "T",
        "reject",
        "reject_with_n",
        "delta_excludes_0",
        "fixed_weights_exclude_0",
        "independent_excludes_0",
        "no_cross_excludes_0",
    ),
)

SECOND_ORDER = (
    Setting(bins=6, n=9000, m=1000, divergence=0.0),
    Setting(bins=6, n=9000, m=1000, divergence=0.01),
    Setting(bins=8, n=5000, m=math.inf, divergence=0.01, skewed=True),
)
Z_RATIO = (
    Setting(bins=2, n=50000, m=5000, divergence=0.0),
    Setting(bins=5, n=50000, m=5000, divergence=0.0),
    Setting(bins=10, n=50000, m=5000, divergence=0.0),
    Setting(bins=20, n=100000, m=10000, divergence=0.0),
)


def second_order_case(setting: Setting, fine: float) -> Case:
    """Return the case of the second and third cumulant of the plug-in, where the first order is far off."""
    shares = setting.shares()
    cumulants = second_order_cumulants(shares, setting.n, setting.m)
    first = float(setting.moments(0.0).variance)
    remainder = abs(exact_jeffreys_variance(shares, setting.n, setting.m) - cumulants.variance)
    # the cumulants' relative error is of the order of the variance's; that of the third is the larger, up to 3 times
    relative = max(0.1 * fine, 3 * remainder / cumulants.variance)
    deviation = math.sqrt(cumulants.variance)
    central = 8 * (setting.bins - 1) / setting.n_eff**3
    wrong = {"no third cumulant": 0.0, "the chi-square's at J = 0": central}
    targets = (
        square_target(
            "variance",
            "square",
            cumulants.variance,
            remainder,
            fine,
            {"first order: g'Sg": first, "without g'Sg": cumulants.variance - first}
            if setting.divergence
            else {"first order: g'Sg": first, "tr((HS)^2) without 1/2": 2 * cumulants.variance},
            sd=1.7 * cumulants.variance,
        ),
        Target(
            name="third",
            statistic="cube",
            theory=cumulants.third,
            delta=relative * cumulants.third,
            delta_reason=f"3 times the relative error of the variance, {remainder / cumulants.variance:.2g}, at least "
            f"{10 * fine:g} %",
            sd=6 * deviation**3,
            mutants=mutants(
                {name: value for name, value in wrong.items() if abs(value / cumulants.third - 1) > 2.5 * relative}
            ),
        ),
    )
    params = setting.params(0.0, setting.exact_mean(0.0), 0.0, 0.0)
    return Case(name=setting.name, params=params, targets=targets, budget=8 * MILLION)


def z_ratio_case(setting: Setting, fine: float) -> Case:
    """Return the case of the rates at which five Wald intervals of a useless feature exclude 0."""
    dof, bins = setting.bins - 1, setting.bins
    # J / SE = sqrt(chi2 / factor); with equal bins sum (p - q)^2 is J / B
    factors = {
        "delta": (4.0, "delta_excludes_0"),
        "fixed_weights": (1.0, "fixed_weights_exclude_0"),
        "independent_weights": (2.0 - 1.0 / bins, "independent_excludes_0"),
        "no_cross_covariance": (2.0, "no_cross_excludes_0"),
    }
    lattice = 2.0 / (setting.m * float(setting.shares().q.min()))
    delta = max(0.008 * fine, lattice)
    targets = []
    for name, (factor, statistic) in factors.items():
        theory = float(chdtrc(dof, factor * Z95**2))
        wrong = {"the nominal 5 %": 0.05} | {
            f"sqrt(chi2 / {other:g})": float(chdtrc(dof, other * Z95**2)) for other in (1.0, 2.0, 4.0)
        }
        targets.append(
            Target(
                name=name,
                statistic=statistic,
                theory=theory,
                delta=delta,
                delta_reason="twice the relative size of the Edgeworth terms, 1/(smallest expected count) = "
                f"{lattice / 2:.2g}, at least {0.8 * fine:g} points",
                sd=math.sqrt(max(theory * (1 - theory), 1e-4)),
                kind="proportion",
                mutants=mutants({key: value for key, value in wrong.items() if abs(value - theory) > 2.5 * delta}),
            )
        )
    return Case(
        name=setting.name,
        params=setting.params(HALF, setting.n_eff, 0.0, Z95),
        targets=tuple(targets),
        budget=8 * MILLION,
    )


CHECKS = (
    Check(
        id="scorecard.second_order",
        statement="Near J = 0, Var(J^) = g'Sg + tr((HS)^2)/2 and the third cumulant is 3 g'SHSg + tr((HS)^3)",
        kernel=Kernel(divergence_powers, ("square", "cube")),
        cases=lambda profile: tuple(second_order_case(item, FINENESS[profile]) for item in SECOND_ORDER),
    ),
    Check(
        id="scorecard.z_ratio",
        statement="At J = 0 every J^/SE is sqrt(chi2/c): c is 4, 1 with fixed weights, 2 - 1/B with independent ones",
        kernel=NULL_KERNEL,
        cases=lambda profile: tuple(z_ratio_case(item, FINENESS[profile]) for item in Z_RATIO),
    ),
)
