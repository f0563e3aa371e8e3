"""Checks of sampling designs: bin sizes fixed, the same accounts at two dates, bins at sample quantiles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri

from asymptopia.theory.scorecard.covariance import FixedBins
from asymptopia.theory.scorecard.generators import Generator
from asymptopia.theory.scorecard.mixtures import weighted_chi2
from asymptopia.theory.scorecard.paired import PairedSamples
from asymptopia.theory.scorecard.sampling import IndependentSamples
from asymptopia.theory.scorecard.shares import HALF
from asymptopia.verify.checks.scorecard_cases import FINENESS, MILLION, mutants, square_target
from asymptopia.verify.checks.scorecard_designs_kernels import (
    fixed_bins_square,
    paired_statistics,
    quantile_null,
)
from asymptopia.verify.checks.scorecard_remainders import (
    exact_quantile_mean,
    paired_covariance,
    quadratic_variance,
)
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Mutant, Target
from asymptopia.verify.engine.conditional import conditional_probabilities

JEFFREYS = Generator("jeffreys")


def fixed_bins_case(sizes: tuple[int, ...], rates: tuple[float, ...], fine: float) -> Case:
    """Return the case of the variance where the sizes of the bins are fixed by design."""
    size, rate = np.array(sizes, dtype=float), np.array(rates)
    y = size * rate
    samples = FixedBins(size - y, y)
    moments = samples.moments(0.0)
    random = IndependentSamples(samples.x, samples.y).moments(0.0)
    logit = 1 / samples.x + 1 / y
    shares = samples.shares(0.0)
    remainder = quadratic_variance(JEFFREYS, shares, samples.covariance(0.0))
    target = square_target(
        "variance",
        "square",
        float(moments.variance),
        remainder,
        fine,
        {
            "sizes taken as random": float(random.variance),
            "weights held fixed": float((shares.d**2 * logit).sum()),
        },
    )
    centre = float(moments.divergence) + float(samples.moments(HALF).bias)
    cells = [value for pair in zip(sizes, rates, strict=True) for value in pair]
    params = (float(len(sizes)), HALF, centre, *map(float, cells))
    return Case(name=f"sizes={'/'.join(map(str, sizes))}", params=params, targets=(target,), budget=8 * MILLION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Accounts seen at two dates: the shares of a transition table of 4 by 4 bins and their number."""

    stay: float
    drift: float
    size: int

    @property
    def name(self) -> str:
        """Name of the case."""
        return f"stay={self.stay:g},drift={self.drift:g},N={self.size}"

    @property
    def samples(self) -> PairedSamples:
        """The expected table: a bin of `stay` on the diagonal, else a neighbour, upwards the more so with `drift`."""
        table = np.diag(np.full(4, self.stay))
        for i in range(3):
            table[i, i + 1] = (1 - self.stay) * (0.5 - self.drift)
            table[i + 1, i] = (1 - self.stay) * (0.5 + self.drift)
        table[0, 0] += (1 - self.stay) * (0.5 + self.drift)
        table[3, 3] += (1 - self.stay) * (0.5 - self.drift)
        return PairedSamples(table / 4 * self.size)

    def params(self, *own: float) -> tuple[float, ...]:
        """Return the parameters of the kernel; `own` are its centre, scale and both critical values."""
        cells = conditional_probabilities(self.samples.table.ravel())
        return (float(self.size), HALF, *own, *(float(value) for value in cells))


def paired_variance_case(accounts: Accounts, fine: float) -> Case:
    """Return the case of the variance of the PSI of the same accounts at two dates."""
    samples = accounts.samples
    moments = samples.moments(0.0)
    shares = samples.shares(0.0)
    independent = IndependentSamples(samples.table.sum(axis=1), samples.table.sum(axis=0)).moments(0.0)
    remainder = quadratic_variance(JEFFREYS, shares, paired_covariance(samples.table))
    target = square_target(
        "variance",
        "square",
        float(moments.variance),
        remainder,
        fine,
        {
            "two independent samples": float(independent.variance),
            "half of it: one date known": float(independent.variance) / 2,
        },
    )
    centre = float(moments.divergence) + float(samples.moments(HALF).bias)
    return Case(
        name=accounts.name, params=accounts.params(centre, 1.0, 0.0, 0.0), targets=(target,), budget=8 * MILLION
    )


def paired_null_case(accounts: Accounts, fine: float) -> Case:
    """Return the case of the null law: a weighted sum of chi-squares."""
    samples = accounts.samples
    law = weighted_chi2(samples.null_weights(0.0))
    dof = samples.bins - 1
    critical, naive = float(law.isf(0.05)), float(chdtri(dof, 0.05))
    smallest = samples.table[samples.table > 0].min()
    delta = max(0.005 * fine, 2 / smallest)
    # where the weights are close the mean alone nearly fixes the tail
    wrong = {"chi-square on B - 1, scaled to the mean": float(chdtrc(dof, critical * dof / law.mean))}
    targets = (
        Target(
            name="mean",
            statistic="T",
            theory=law.mean,
            delta=max(0.02 * fine, 2 / smallest) * law.mean,
            delta_reason=f"twice the relative size of the next term, 1/(smallest expected count) = {1 / smallest:.2g}",
            sd=math.sqrt(law.var),
            mutants=mutants({"two independent samples: B - 1": float(dof), "n in place of n_e": 2 * law.mean}),
        ),
        Target(
            name="reject",
            statistic="reject",
            theory=0.05,
            delta=delta,
            delta_reason=f"twice the relative size of the next term, 1/(smallest expected count) = {1 / smallest:.2g}",
            sd=math.sqrt(0.05 * 0.95),
            kind="proportion",
            mutants=(
                Mutant(name="chi-square on B - 1", statistic="naive"),
                *mutants({name: value for name, value in wrong.items() if abs(value - 0.05) > 2.5 * delta}),
            ),
        ),
    )
    params = accounts.params(0.0, samples.n_eff, critical, naive)
    return Case(name=accounts.name, params=params, targets=targets, budget=8 * MILLION)


def quantile_case(n: int, m: int, bins: int, fine: float) -> Case:
    """Return the case of equal populations where the bins are quantiles of the baseline sample."""
    counts = np.full(bins, m / bins)
    scale, dof = n * m / (n + m), bins - 1
    critical = float(chdtri(dof, 0.05))
    remainder = abs(scale * exact_quantile_mean(n, counts, HALF) - dof)
    delta = max(0.005 * fine, 2 * bins / min(n, m))
    targets = (
        Target(
            name="mean",
            statistic="T",
            theory=float(dof),
            delta=max(2 * remainder, 0.015 * fine * dof),
            delta_reason=f"twice the exact remainder {remainder:.2g}, at least {1.5 * fine:g} %",
            sd=math.sqrt(2 * dof),
            mutants=mutants({"baseline taken as known": dof * scale / n, "B degrees": dof + 1.0}),
        ),
        Target(
            name="reject",
            statistic="reject",
            theory=0.05,
            delta=delta,
            delta_reason=f"twice the relative size of the Edgeworth terms, {bins / min(n, m):.2g}, at least "
            f"{0.5 * fine:g} points",
            sd=math.sqrt(0.05 * 0.95),
            kind="proportion",
            mutants=(Mutant(name="n in place of n_e", statistic="with_n"),),
        ),
    )
    params = (float(bins), float(n), float(m), HALF, scale, critical, *counts.tolist())
    return Case(name=f"B={bins},n={n},m={m}", params=params, targets=targets, budget=8 * MILLION)


PAIRED_VARIANCE = (Accounts(stay=0.7, drift=0.3, size=20000), Accounts(stay=0.4, drift=0.15, size=20000))
PAIRED_NULL = (Accounts(stay=0.8, drift=0.0, size=20000), Accounts(stay=0.3, drift=0.0, size=10000))
PAIRED_KERNEL = Kernel(paired_statistics, ("square", "T", "reject", "naive"))

CHECKS = (
    Check(
        id="scorecard.fixed_bins_variance",
        statement="With bin sizes fixed by design Var(J^) is sum N e (1 - e) D^2, less than with random sizes",
        kernel=Kernel(fixed_bins_square, ("square",)),
        cases=lambda profile: (
            fixed_bins_case((40000, 10000, 10000), (0.5, 0.03, 0.97), FINENESS[profile]),
            fixed_bins_case((30000, 10000, 6000, 4000), (0.02, 0.3, 0.8, 0.97), FINENESS[profile]),
        ),
    ),
    Check(
        id="scorecard.paired_variance",
        statement="For the same accounts at two dates Var(J^) = Var(u_i + v_j)/N over the transition table",
        kernel=PAIRED_KERNEL,
        cases=lambda profile: tuple(paired_variance_case(item, FINENESS[profile]) for item in PAIRED_VARIANCE),
    ),
    Check(
        id="scorecard.paired_null",
        statement="For the same accounts at two dates n_e J^ is a weighted sum of chi-squares at J = 0",
        kernel=PAIRED_KERNEL,
        cases=lambda profile: tuple(paired_null_case(item, FINENESS[profile]) for item in PAIRED_NULL),
    ),
    Check(
        id="scorecard.quantile_null",
        statement="With bins at quantiles of the baseline sample n_e J^ is chi-square on B - 1 at J = 0",
        kernel=Kernel(quantile_null, ("T", "reject", "with_n")),
        cases=lambda profile: (
            quantile_case(9000, 5000, 10, FINENESS[profile]),
            quantile_case(20000, 2000, 5, FINENESS[profile]),
        ),
    ),
)
