"""Cases of the scorecard checks: what is predicted at a setting, how exactly, and the mutants to be refuted."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtrc, chdtri

from asymptopia.theory.scorecard.cumulants import second_order_cumulants
from asymptopia.theory.scorecard.design import psi_power, threshold_false_alarm
from asymptopia.theory.scorecard.laws import noncentral_chi2_tails
from asymptopia.theory.scorecard.moments import independent_moments
from asymptopia.theory.scorecard.shares import HALF
from asymptopia.verify.checks.scorecard_settings import Setting
from asymptopia.verify.engine.check import Case, Control, Mutant, Target

Z95 = 1.959963984540054
MILLION = 1 << 20
FINENESS = {"quick": 1.0, "standard": 0.5, "exhaustive": 0.25}
"""A finer profile narrows the tolerance, as far as the size of the next-order term allows."""


def bias_case(setting: Setting, pseudo: float, fine: float) -> Case:
    """Return the case of the bias of the estimate; its linear term, of mean 0, is a control variate."""
    moments = setting.moments(pseudo)
    first = float(moments.bias)
    remainder = abs(setting.exact_mean(pseudo) - float(moments.divergence) - first)
    delta = max(2 * remainder, 0.02 * fine * abs(first))
    known = math.isinf(setting.m)
    other = independent_moments(setting.shares(), setting.n, setting.n if known else math.inf, pseudo)
    wrong = {
        "no bias": 0.0,
        "B in place of B - 1": first + 1 / setting.n_eff,
        "baseline taken as random" if known else "baseline taken as known": float(other.bias),
    }
    # where these two nearly coincide with the theory, the case cannot tell them apart and does not claim to
    near = {
        "the bias at J = 0, (B - 1)/n_e": (setting.bins - 1) / setting.n_eff,
        "the plug-in's bias" if pseudo else "the smoothed bias": float(setting.moments(HALF - pseudo).bias),
    }
    wrong |= {name: value for name, value in near.items() if abs(value - first) > 2.5 * delta}
    return Case(
        name=f"{setting.name},a={pseudo:g}",
        params=setting.params(pseudo, 0.0, 0.0, 0.0),
        targets=(
            Target(
                name="bias",
                statistic="residual",
                theory=first,
                delta=delta,
                delta_reason=f"twice the exact remainder {remainder:.2g}, at least {2 * fine:g} % of the bias",
                sd=math.sqrt(2 * (setting.bins - 1)) / (2 * setting.n_eff),
                mutants=mutants(wrong),
            ),
        ),
        budget=8 * MILLION,
    )


def variance_case(setting: Setting, fine: float) -> Case:
    """Return the case of the variance of the smoothed estimate."""
    shares = setting.shares()
    p, q, d = shares
    moments = setting.moments(HALF)
    first = float(moments.variance)
    inverse_m = 1 / setting.m
    remainder = abs(second_order_cumulants(shares, setting.n, setting.m).variance - first)
    fixed_weights = float((d * d / p).sum() / setting.n + (d * d / q).sum() * inverse_m)
    ratio = np.log(p / q)
    spread = float((ratio**2 * (p * (1 - p) / setting.n + q * (1 - q) * inverse_m)).sum())
    known = math.isinf(setting.m)
    other = independent_moments(shares, setting.n, setting.n if known else math.inf, HALF)
    wrong = {
        "weights held fixed": fixed_weights,
        "weights independent of the differences": fixed_weights + spread,
        "cross-covariance dropped: 2 J missing": first - 2 * float(moments.divergence) / setting.n_eff,
        "baseline taken as random" if known else "baseline taken as known": float(other.variance),
    }
    target = square_target("variance", "square", first, remainder, fine, wrong)
    params = setting.params(HALF, setting.exact_mean(HALF), 0.0, 0.0)
    return Case(name=setting.name, params=params, targets=(target,), budget=8 * MILLION)


def square_target(
    name: str,
    statistic: str,
    theory: float,
    remainder: float,
    fine: float,
    wrong: dict[str, float],
    sd: float | None = None,
) -> Target:
    """Return the target of a mean square: `remainder` is its next-order term, `wrong` the mutants' values."""
    delta = max(2 * remainder, 0.03 * fine * abs(theory))
    return Target(
        name=name,
        statistic=statistic,
        theory=theory,
        delta=delta,
        delta_reason=f"twice the next-order term {remainder:.2g}, at least {3 * fine:g} % of the value",
        sd=math.sqrt(2) * abs(theory) if sd is None else sd,
        mutants=mutants(wrong),
    )


def mutants(wrong: dict[str, float]) -> tuple[Mutant, ...]:
    """Return the mutants that predict other values."""
    return tuple(Mutant(name=name, theory=value) for name, value in wrong.items())


def null_case(setting: Setting, fine: float) -> Case:
    """Return the case of equal populations: the chi-square law and the ratio of estimate to standard error."""
    dof = setting.bins - 1
    critical = float(chdtri(dof, 0.05))
    scale = setting.n_eff
    mean = scale * setting.exact_mean(HALF)
    expected = setting.n * float(setting.shares().p.min())
    lattice = 2.0 / min(expected, setting.m * float(setting.shares().q.min()))
    reason = f"twice the relative size of the Edgeworth terms, 1/(smallest expected count) = {lattice / 2:.2g}"
    excludes, excludes_fixed = (float(chdtrc(dof, factor * Z95**2)) for factor in (4.0, 1.0))

    def rate(name: str, theory: float, *mutants: Mutant) -> Target:
        delta = max(0.004 * fine, lattice)
        sd = math.sqrt(theory * (1 - theory))
        return Target(
            name=name,
            statistic=name,
            theory=theory,
            delta=delta,
            delta_reason=reason,
            sd=sd,
            kind="proportion",
            mutants=mutants,
        )

    nominal = Mutant(name="the nominal 5 % of a two-sided 95 % interval", theory=0.05)
    more_bins = Mutant(name="B degrees of freedom", theory=float(chdtrc(dof + 1, critical)))
    # with a known baseline n is n_e
    with_n = () if math.isinf(setting.m) else (Mutant(name="n in place of n_e", statistic="reject_with_n"),)
    targets = (
        Target(
            name="mean",
            statistic="T",
            theory=float(dof),
            delta=max(2 * abs(mean - dof), 0.01 * fine * dof),
            delta_reason=f"twice the exact remainder {abs(mean - dof):.2g}, at least {fine:g} %",
            sd=math.sqrt(2 * dof),
            mutants=(
                Mutant(name="B degrees of freedom", theory=float(dof + 1)),
                Mutant(name="chi-square law without n_e", theory=dof * scale),
            ),
        ),
        rate("reject", 0.05, more_bins, *with_n),
        rate("delta_excludes_0", excludes, nominal),
        rate("fixed_weights_exclude_0", excludes_fixed, nominal),
    )
    return Case(
        name=setting.name,
        params=setting.params(HALF, scale, critical, Z95),
        targets=targets,
        budget=8 * MILLION,
    )


def coverage_case(setting: Setting) -> Case:
    """Return the case of the coverage of the SNC interval at 95 %."""
    boundary = setting.divergence == 0.0
    theory, delta = (0.975, 0.01) if boundary else (0.95, 0.015)
    controls = [Mutant(name="SNC with the weights held fixed", statistic="snc_weights_fixed")]
    if setting.bins >= 20:
        controls.insert(0, Mutant(name="the clipped delta interval", statistic="delta"))
    return Case(
        name=setting.name,
        params=setting.params(HALF, setting.n_eff, 0.025, Z95),
        targets=(
            Target(
                name="snc",
                statistic="snc",
                theory=theory,
                delta=delta,
                delta_reason="stated band of the nominal coverage"
                + (", one-sided at the boundary" if boundary else ""),
                sd=math.sqrt(theory * (1 - theory)),
                kind="proportion",
                mutants=tuple(controls),
            ),
        ),
        budget=4 * MILLION,
    )


def power_case(setting: Setting, fine: float) -> Case:
    """Return the case of the power of the 5 % test of equal populations."""
    dof, scale = setting.bins - 1, setting.n_eff
    critical = float(chdtri(dof, 0.05))
    theory = float(psi_power(setting.n, setting.m, setting.bins, setting.divergence, 0.05))
    gap = abs(scale * setting.exact_mean(HALF) / (dof + scale * setting.divergence) - 1)
    delta = max(0.005 * fine, 2 * gap)
    wrong = {
        "central law": 0.05,
        "B degrees of freedom": _noncentral_sf(critical, dof + 1, scale * setting.divergence),
        "n in place of n_e": float(psi_power(setting.n, math.inf, setting.bins, setting.divergence, 0.05)),
    }
    target = Target(
        name="power",
        statistic="reject",
        theory=theory,
        delta=delta,
        delta_reason=f"twice the relative error {gap:.2g} of the mean of T, at least {0.5 * fine:g} points",
        sd=math.sqrt(theory * (1 - theory)),
        kind="proportion",
        mutants=mutants({name: value for name, value in wrong.items() if abs(value - theory) > 2.5 * delta}),
    )
    params = setting.params(HALF, scale, critical, Z95)
    return Case(name=setting.name, params=params, targets=(target,), budget=8 * MILLION)


def false_alarm_case(setting: Setting, threshold: float, fine: float) -> Case:
    """Return the case of the rate at which a fixed threshold of the PSI is crossed by equal populations."""
    dof, scale = setting.bins - 1, setting.n_eff
    theory = float(threshold_false_alarm(threshold, setting.n, setting.m, setting.bins))
    # the law stretched to the exact mean of T: the next order, as in Bartlett's correction
    stretched = float(chdtrc(dof, threshold * dof / setting.exact_mean(HALF)))
    delta = max(1.5 * abs(stretched - theory), 0.003 * fine)
    wrong = {
        "n in place of n_e": float(chdtrc(dof, threshold * setting.n)),
        "B degrees of freedom": float(chdtrc(dof + 1, threshold * scale)),
        "chi-square law without n_e": float(chdtrc(dof, threshold)),
    }
    target = Target(
        name=f"above_{threshold:g}",
        statistic="reject",
        theory=theory,
        delta=delta,
        delta_reason=f"1.5 times the next-order term {abs(stretched - theory):.2g}, at least {0.3 * fine:g} points",
        sd=math.sqrt(theory * (1 - theory)),
        kind="proportion",
        mutants=mutants({name: value for name, value in wrong.items() if abs(value - theory) > 2.5 * delta}),
    )
    params = setting.params(HALF, scale, threshold * scale, Z95)
    return Case(name=f"{setting.name},>{threshold:g}", params=params, targets=(target,), budget=8 * MILLION)


def pearson_case(setting: Setting, fine: float) -> Case:
    """Return the case of the exact mean of T against a known baseline, with Pearson's X^2 as a control variate."""
    dof = setting.bins - 1
    exact = setting.n * setting.exact_mean(HALF)
    target = Target(
        name="mean",
        statistic="T",
        theory=exact,
        delta=0.002 * max(fine, 0.5),
        delta_reason="the theory is exact: 0.01 to 0.02 % of the mean, to be seen by the Monte Carlo",
        sd=0.1 * math.sqrt(dof),
        mutants=mutants({"the chi-square's mean B - 1": float(dof)}),
    )
    return Case(
        name=setting.name,
        params=setting.params(HALF, 0.0, 0.0, 0.0),
        targets=(target,),
        budget=32 * MILLION,
        control=Control(statistic="T", control="control", sd=math.sqrt(2 * dof), slot=5),
    )


def _noncentral_sf(x: float, dof: float, noncentrality: float) -> float:
    """Return the noncentral chi-square survival function."""
    return float(np.exp(noncentral_chi2_tails(x, dof, noncentrality).sf))
