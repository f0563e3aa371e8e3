"""Checks of the f-divergences: variance, bias and null law of every kind from one formula."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import chdtrc, chdtri

from asymptopia.theory.scorecard.fmoments import independent_fmoments
from asymptopia.theory.scorecard.generators import Generator, generator_of
from asymptopia.theory.scorecard.moments import Moments
from asymptopia.verify.checks.scorecard_cases import FINENESS, MILLION, mutants, square_target
from asymptopia.verify.checks.scorecard_divergence_kernels import divergence_statistics
from asymptopia.verify.checks.scorecard_remainders import (
    exact_divergence_mean,
    quadratic_variance,
    two_sample_covariance,
)
from asymptopia.verify.checks.scorecard_settings import Setting
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Target
from asymptopia.verify.engine.conditional import conditional_probabilities

NUMBERS = {"kl": 0, "reverse-kl": 1, "jeffreys": 2, "js": 3, "hellinger": 4, "pearson": 5, "neyman": 6, "alpha": 7}
"""Numbers of the kinds in the kernel."""
JEFFREYS = Generator("jeffreys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A divergence to be estimated at a setting."""

    kind: str
    setting: Setting
    alpha: float | None = None

    @property
    def name(self) -> str:
        """Name of the case."""
        order = "" if self.alpha is None else f"({self.alpha:g})"
        return f"{self.kind}{order},{self.setting.name}"

    @property
    def generator(self) -> Generator:
        """The divergence."""
        return generator_of(self.kind, self.alpha)

    def moments(self, *, swap_baseline: bool = False) -> Moments:
        """Return the first-order theory; with `swap_baseline` a known baseline is taken as random, or vice versa."""
        n, m = self.setting.n, self.setting.m
        if swap_baseline:
            m = n if math.isinf(m) else math.inf
        return independent_fmoments(self.generator, self.setting.shares(), n, m, 0.0)

    def params(self, centre: float, scale: float = 1.0, critical: float = 0.0) -> tuple[float, ...]:
        """Return the parameters of the kernel."""
        p, q, _ = shares = self.setting.shares()
        cells = self.generator.cells(shares)
        rows = zip(conditional_probabilities(p), conditional_probabilities(q), p, q, cells.u, cells.v, strict=True)
        size = 0.0 if math.isinf(self.setting.m) else float(self.setting.m)
        truth = float(cells.term.sum())
        head = (float(self.setting.bins), float(self.setting.n), size, float(NUMBERS[self.kind]), self.alpha or 0.0)
        return (*head, truth, centre, scale, critical, 0.0, *(float(value) for row in rows for value in row))

    @property
    def second_order(self) -> float:
        """What the second order adds to the variance."""
        shares = self.setting.shares()
        return quadratic_variance(self.generator, shares, two_sample_covariance(shares, self.setting.n, self.setting.m))


WIDE = Setting(bins=5, n=20000, m=5000, divergence=0.3)
SKEWED = Setting(bins=6, n=30000, m=20000, divergence=0.2, skewed=True)
KNOWN = Setting(bins=5, n=20000, m=math.inf, divergence=0.3)
EQUAL = Setting(bins=5, n=20000, m=5000, divergence=0.0)
EQUAL_KNOWN = Setting(bins=6, n=20000, m=math.inf, divergence=0.0)

VARIANCE = (
    Estimate(kind="kl", setting=WIDE),
    Estimate(kind="kl", setting=KNOWN),
    Estimate(kind="reverse-kl", setting=SKEWED),
    Estimate(kind="js", setting=WIDE),
    Estimate(kind="hellinger", setting=SKEWED),
    Estimate(kind="pearson", setting=WIDE),
    Estimate(kind="neyman", setting=SKEWED),
    Estimate(kind="alpha", alpha=1 / 3, setting=WIDE),
)
BIAS = (
    Estimate(kind="kl", setting=WIDE),
    Estimate(kind="js", setting=SKEWED),
    Estimate(kind="hellinger", setting=WIDE),
    Estimate(kind="pearson", setting=WIDE),
    Estimate(kind="neyman", setting=KNOWN),
    Estimate(kind="alpha", alpha=-0.5, setting=SKEWED),
)
NULL = (
    Estimate(kind="kl", setting=EQUAL),
    Estimate(kind="js", setting=EQUAL),
    Estimate(kind="hellinger", setting=EQUAL_KNOWN),
    Estimate(kind="neyman", setting=EQUAL),
)


def variance_case(item: Estimate, fine: float) -> Case:
    """Return the case of the variance."""
    moments = item.moments()
    first = float(moments.variance)
    shares = item.setting.shares()
    cells = item.generator.cells(shares)
    known = math.isinf(item.setting.m)
    # v without its second part is f(r)
    part = cells.term / shares.q
    wrong = {
        "baseline taken as random" if known else "Var_Q(v) dropped: baseline taken as known": float(
            item.moments(swap_baseline=True).variance
        ),
        "the Jeffreys divergence's variance": float(
            independent_fmoments(JEFFREYS, shares, item.setting.n, item.setting.m, 0.0).variance
        ),
    }
    if not known:
        spread = [float(shares.q @ value**2 - (shares.q @ value) ** 2) for value in (cells.v, part)]
        wrong["v = f in place of f - r f'"] = first + (spread[1] - spread[0]) / item.setting.m
    target = square_target("variance", "square", first, item.second_order, fine, wrong)
    centre = float(moments.divergence) + float(moments.bias)
    return Case(name=item.name, params=item.params(centre), targets=(target,), budget=8 * MILLION)


def bias_case(item: Estimate, fine: float) -> Case:
    """Return the case of the bias; the linear term, of mean 0, is taken off the estimate."""
    setting = item.setting
    moments = item.moments()
    first = float(moments.bias)
    exact = exact_divergence_mean(item.generator, setting.shares(), setting.n, setting.m) - float(moments.divergence)
    remainder = abs(exact - first)
    delta = max(2 * remainder, 0.02 * fine * abs(first))
    known = math.isinf(setting.m)
    curvature = item.generator.curvature
    wrong = {
        "no bias": 0.0,
        "baseline taken as random" if known else "baseline taken as known": float(
            item.moments(swap_baseline=True).bias
        ),
    }
    near = {
        "the bias at P = Q, f''(1) (B - 1) / (2 n_e)": curvature * (setting.bins - 1) / (2 * setting.n_eff),
        "the Jeffreys divergence's bias": float(
            independent_fmoments(JEFFREYS, setting.shares(), setting.n, setting.m, 0.0).bias
        ),
    }
    wrong |= {name: value for name, value in near.items() if abs(value - first) > 2.5 * delta}
    target = Target(
        name="bias",
        statistic="residual",
        theory=first,
        delta=delta,
        delta_reason=f"twice the exact remainder {remainder:.2g}, at least {2 * fine:g} % of the bias",
        sd=math.sqrt(item.second_order),
        mutants=mutants(wrong),
    )
    return Case(name=item.name, params=item.params(float(moments.divergence)), targets=(target,), budget=8 * MILLION)


def null_case(item: Estimate, fine: float) -> Case:
    """Return the case of equal populations: 2 n_e / f''(1) times the divergence has a chi-square law."""
    setting = item.setting
    dof = setting.bins - 1
    curvature = item.generator.curvature
    scale = 2 * setting.n_eff / curvature
    critical = float(chdtri(dof, 0.05))
    mean = scale * exact_divergence_mean(item.generator, setting.shares(), setting.n, setting.m)
    lattice = 2.0 / (min(setting.n, setting.m) * float(setting.shares().p.min()))
    remainder = abs(mean - dof)
    plain = {
        "2 n_e D without f''(1)": 1 / curvature,
        "n_e D": 2 / curvature,
        "n in place of n_e": setting.n_eff / setting.n,
    }
    other = {name: factor for name, factor in plain.items() if factor != 1.0}
    delta = max(0.004 * fine, lattice)
    targets = (
        Target(
            name="mean",
            statistic="scaled",
            theory=float(dof),
            delta=max(2 * remainder, 0.015 * fine * dof),
            delta_reason=f"twice the exact remainder {remainder:.2g}, at least {1.5 * fine:g} %",
            sd=math.sqrt(2 * dof),
            mutants=mutants({name: dof * factor for name, factor in other.items()} | {"B degrees": dof + 1.0}),
        ),
        Target(
            name="reject",
            statistic="reject",
            theory=0.05,
            delta=delta,
            delta_reason="twice the relative size of the Edgeworth terms, 1/(smallest expected count) = "
            f"{lattice / 2:.2g}, at least {0.4 * fine:g} points",
            sd=math.sqrt(0.05 * 0.95),
            kind="proportion",
            mutants=mutants(
                {name: float(chdtrc(dof, critical / factor)) for name, factor in other.items()}
                | {"B degrees": float(chdtrc(dof + 1, critical))}
            ),
        ),
    )
    params = item.params(0.0, scale, critical)
    return Case(name=item.name, params=params, targets=targets, budget=8 * MILLION)


KERNEL = Kernel(divergence_statistics, ("residual", "square", "scaled", "reject"))

CHECKS = (
    Check(
        id="scorecard.f_variance",
        statement="Var(D_f) = Var_P(f')/n + Var_Q(f - r f')/m for every f-divergence",
        kernel=KERNEL,
        cases=lambda profile: tuple(variance_case(item, FINENESS[profile]) for item in VARIANCE),
    ),
    Check(
        id="scorecard.f_bias",
        statement="E[D_f] - D_f = sum p (1 - p) f''/(2 n q) + sum (1 - q) r^2 f''/(2 m) for every f-divergence",
        kernel=KERNEL,
        cases=lambda profile: tuple(bias_case(item, FINENESS[profile]) for item in BIAS),
    ),
    Check(
        id="scorecard.f_null",
        statement="At P = Q, 2 n_e D_f / f''(1) is chi-square on B - 1",
        kernel=KERNEL,
        cases=lambda profile: tuple(null_case(item, FINENESS[profile]) for item in NULL),
    ),
)
