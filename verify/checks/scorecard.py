"""Checks of the scorecard: what is predicted, how exactly, and the mutants that must be refuted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri

from asymptopia.theory._core.roots import find_root
from asymptopia.theory._core.special import jeffreys_terms
from asymptopia.theory.scorecard.cumulants import second_order_cumulants
from asymptopia.theory.scorecard.exact import exact_log_count, exact_log_count_covariance, exact_mean
from asymptopia.theory.scorecard.moments import Moments, independent_moments
from asymptopia.theory.scorecard.shares import HALF, Shares
from asymptopia.verify.checks import scorecard_kernels as kernels
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Mutant, Target
from asymptopia.verify.engine.conditional import conditional_probabilities

Array = NDArray[np.float64]
Z95 = 1.959963984540054
MILLION = 1 << 20
FINENESS = {"quick": 1.0, "standard": 0.5, "exhaustive": 0.25}
"""A finer profile narrows the tolerance, as far as the size of the next-order term allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Two populations over the same bins and the sizes of their samples; m = inf is a known baseline."""

    bins: int
    n: int
    m: float
    divergence: float
    skewed: bool = False

    @property
    def name(self) -> str:
        """Name of the case."""
        size = "known" if math.isinf(self.m) else f"{int(self.m)}"
        shape = ",skewed" if self.skewed else ""
        return f"B={self.bins},n={self.n},m={size},J={self.divergence:g}{shape}"

    @property
    def n_eff(self) -> float:
        """Effective size n m / (n + m)."""
        return 1.0 / (1.0 / self.n + 1.0 / self.m)

    def shares(self) -> Shares:
        """Return the true shares: a baseline, and its exponential tilt with the divergence asked for."""
        q = np.geomspace(1.0, 0.1, self.bins) if self.skewed else np.ones(self.bins)
        q /= q.sum()
        if self.divergence == 0.0:
            return Shares(q, q, np.zeros(self.bins))
        score = np.linspace(-1.0, 1.0, self.bins)

        def tilted(strength: float) -> Array:
            weight: Array = q * np.exp(strength * score)
            share: Array = weight / weight.sum()
            return share

        def excess(strength: Array) -> Array:
            return np.array(
                [jeffreys_terms(tilted(float(t)), q).sum() - self.divergence for t in np.atleast_1d(strength)]
            )

        p = tilted(float(find_root(excess, [0.0], [20.0])[0]))
        return Shares(p, q, p - q)

    def params(self, pseudo: float, *own: float) -> tuple[float, ...]:
        """Return the parameters of a table kernel; `own` are its three numbers."""
        p, q, d = shares = self.shares()
        ratio = np.log(p / q)
        rows = zip(
            conditional_probabilities(p), conditional_probabilities(q), p, q, ratio + d / p, -ratio - d / q, strict=True
        )
        size = 0.0 if math.isinf(self.m) else float(self.m)
        truth = float(jeffreys_terms(*shares).sum())
        head = (float(self.bins), float(self.n), size, pseudo, truth, *own)
        return (*head, *(float(value) for row in rows for value in row))

    def moments(self, pseudo: float) -> Moments:
        """Return the first-order theory at the true shares."""
        return independent_moments(self.shares(), self.n, self.m, pseudo)


@cache
def _mean(setting: Setting, pseudo: float) -> float:
    """Return the exact finite-size mean of the estimate."""
    p, q, _ = setting.shares()
    return exact_mean(p, q, setting.n, setting.m, pseudo)


def _bias_case(setting: Setting, pseudo: float, fine: float) -> Case:
    moments = setting.moments(pseudo)
    first = float(moments.bias)
    remainder = abs(_mean(setting, pseudo) - float(moments.divergence) - first)
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
                mutants=_mutants(wrong),
            ),
        ),
        budget=8 * MILLION,
    )


def _variance_case(setting: Setting, fine: float) -> Case:
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
    target = _square_target("variance", "square", first, remainder, fine, wrong)
    params = setting.params(HALF, _mean(setting, HALF), 0.0, 0.0)
    return Case(name=setting.name, params=params, targets=(target,), budget=8 * MILLION)


def _square_target(
    name: str,
    statistic: str,
    theory: float,
    remainder: float,
    fine: float,
    wrong: dict[str, float],
    sd: float | None = None,
) -> Target:
    delta = max(2 * remainder, 0.03 * fine * abs(theory))
    return Target(
        name=name,
        statistic=statistic,
        theory=theory,
        delta=delta,
        delta_reason=f"twice the next-order term {remainder:.2g}, at least {3 * fine:g} % of the value",
        sd=math.sqrt(2) * abs(theory) if sd is None else sd,
        mutants=_mutants(wrong),
    )


def _mutants(wrong: dict[str, float]) -> tuple[Mutant, ...]:
    return tuple(Mutant(name=name, theory=value) for name, value in wrong.items())


def _null_case(setting: Setting, fine: float) -> Case:
    dof = setting.bins - 1
    critical = float(chdtri(dof, 0.05))
    scale = setting.n_eff
    mean = scale * _mean(setting, HALF)
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


def _coverage_case(setting: Setting) -> Case:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WoeSetting:
    """Two bins of two populations: their shares and the sizes of the samples."""

    p: tuple[float, float]
    q: tuple[float, float]
    n: int
    m: int

    @property
    def name(self) -> str:
        """Name of the case."""
        return f"p={self.p[0]:g},q={self.q[0]:g},n={self.n},m={self.m}"


def _woe_case(setting: WoeSetting, fine: float) -> Case:
    (p0, p1), (q0, q1), n, m = setting.p, setting.q, setting.n, setting.m
    offset = 1 / n + 1 / m
    logit = [1 / (n * s) + 1 / (m * t) for s, t in zip(setting.p, setting.q, strict=True)]
    sizes = ((n, setting.p), (m, setting.q))
    laws = [[exact_log_count(size, share, HALF) for share in pair] for size, pair in sizes]
    means = [laws[0][i][0] - laws[1][i][0] for i in range(2)]
    exact = [laws[0][i][1] + laws[1][i][1] for i in range(2)]
    shared = sum(exact_log_count_covariance(size, *pair, HALF) for size, pair in sizes)
    first = logit[0] - offset
    targets = (
        _square_target(
            "variance",
            "first",
            first,
            abs(exact[0] - first),
            fine,
            {"in-bin logit: 1/x + 1/y": logit[0], "only -1/n dropped": first + 1 / n},
        ),
        _square_target(
            "covariance",
            "product",
            -offset,
            abs(shared + offset),
            fine,
            {"independent bins": 0.0, "only the larger sample": -1 / n},
            sd=math.sqrt(exact[0] * exact[1]),
        ),
        _square_target(
            "contrast",
            "contrast",
            sum(logit),
            abs(exact[0] + exact[1] - 2 * shared - sum(logit)),
            fine,
            {"covariance ignored": sum(logit) - 2 * offset},
        ),
    )
    conditional = (p0, p1 / (1 - p0), q0, q1 / (1 - q0))
    params = (float(n), float(m), HALF, *means, *conditional)
    return Case(name=setting.name, params=params, targets=targets, budget=16 * MILLION)


def _woe_fixed_case(sizes: tuple[int, ...], rates: tuple[float, ...], fine: float) -> Case:
    size, rate = np.array(sizes, dtype=float), np.array(rates)
    y = size * rate
    x = size - y
    n, m = float(x.sum()), float(y.sum())
    offset = 1 / n + 1 / m
    share = float((x * y / size).sum())
    centre = np.log(x / n) - np.log(y / m)
    first = float(1 / x[0] + 1 / y[0]) - 2 * offset + offset**2 * share
    cross = -2 * offset + offset**2 * share
    # relative size of the next term of a log-count's variance, from the smallest expected count
    next_order = 1.5 / float(min(x[:2].min(), y[:2].min()))
    targets = (
        _square_target(
            "variance",
            "first",
            first,
            next_order * first / 2,
            fine,
            {"sizes taken as random": first + offset - offset**2 * share, "in-bin logit": float(1 / x[0] + 1 / y[0])},
        ),
        _square_target(
            "covariance",
            "product",
            cross,
            next_order * abs(cross) / 2,
            fine,
            {"sizes taken as random": -offset, "independent bins": 0.0},
            sd=first,
        ),
    )
    cells = [value for pair in zip(sizes, rates, strict=True) for value in pair]
    params = (float(len(sizes)), HALF, float(centre[0]), float(centre[1]), *map(float, cells))
    return Case(name=f"sizes={'/'.join(map(str, sizes))}", params=params, targets=targets, budget=16 * MILLION)


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
)


CHECKS = (
    Check(
        id="scorecard.woe_variance",
        statement="Var(WoE_i) = 1/x_i - 1/n + 1/y_i - 1/m, Cov(WoE_i, WoE_j) = -(1/n + 1/m)",
        kernel=Kernel(kernels.woe_moments, ("first", "product", "contrast")),
        cases=lambda profile: tuple(_woe_case(item, FINENESS[profile]) for item in WOE),
    ),
    Check(
        id="scorecard.woe_variance_fixed_bins",
        statement="With bin sizes fixed by design both lose a further 1/n + 1/m and gain (1/n + 1/m)^2 sum x y / N",
        kernel=Kernel(kernels.woe_moments_fixed_bins, ("first", "product")),
        cases=lambda profile: (_woe_fixed_case((20000, 8000, 8000), (0.5, 0.05, 0.95), FINENESS[profile]),),
    ),
    Check(
        id="scorecard.iv_bias",
        statement="E[J^] - J = half the trace of Hessian times covariance, plus the shift by the pseudo-counts",
        kernel=Kernel(kernels.divergence_residual, ("residual",)),
        cases=lambda profile: tuple(_bias_case(*item, FINENESS[profile]) for item in BIAS),
    ),
    Check(
        id="scorecard.iv_variance",
        statement="Var(J^) = V_P/n + V_Q/m with V_P = Var_P(L) + X(Q, P) + 2 J",
        kernel=Kernel(kernels.divergence_square, ("square",)),
        cases=lambda profile: tuple(_variance_case(item, FINENESS[profile]) for item in VARIANCE),
    ),
    Check(
        id="scorecard.null_law",
        statement="At J = 0, n_e J^ is chi-square on B - 1, J^/SE is sqrt(chi2)/2, or sqrt(chi2) with fixed weights",
        kernel=Kernel(
            kernels.null_statistics, ("T", "reject", "reject_with_n", "delta_excludes_0", "fixed_weights_exclude_0")
        ),
        cases=lambda profile: tuple(_null_case(item, FINENESS[profile]) for item in NULL),
    ),
    Check(
        id="scorecard.snc_coverage",
        statement="The scaled noncentral chi-square interval covers at its level, where the delta interval does not",
        kernel=Kernel(kernels.interval_coverage, ("snc", "delta", "snc_weights_fixed")),
        cases=lambda _: tuple(map(_coverage_case, COVERAGE)),
    ),
)
