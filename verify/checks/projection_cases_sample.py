"""Cases of the projection checks that draw every observation: misspecified models, and what is estimated from data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaln, xlogy

from asymptopia.theory.projection.exact_closed import gamma_risk
from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families.discrete import Poisson
from asymptopia.theory.projection.families.normal import Normal
from asymptopia.theory.projection.families.positive import Exponential
from asymptopia.theory.projection.misspecified import (
    exponential_from_gamma,
    normal_from_moments,
    poisson_from_negative_binomial,
)
from asymptopia.verify.checks.projection_cases import SIZES, exact_reason, predicted
from asymptopia.verify.checks.projection_kernels import EXPONENTIAL, LOCATION_SCALE, POISSON
from asymptopia.verify.checks.projection_laws import (
    Moments,
    changed_second,
    normal_from_three,
    table_of,
)
from asymptopia.verify.checks.projection_laws import exponential_from_gamma as exponential_means
from asymptopia.verify.checks.scorecard_cases import MILLION
from asymptopia.verify.engine.check import Case, Mutant, Target

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily
    from asymptopia.theory.projection.risk_result import RiskExpansion

VALUES = (-1.0, 0.0, 2.0)
PROBS = (0.3, 0.45, 0.25)
"""The three-point truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A model, a truth outside it or in it, and how the kernel draws an observation.

    Attributes
    ----------
    closed : float
        The second coefficient in closed form.
    cubic : float
        n**2 times the mean of the cubic term of the divergence, by hand from the truth's moments.
    draw : tuple of float
        Shape of a gamma law or 0, offset and step.
    mean : float
        True mean that a Poisson model scales with.
    """

    name: str
    family: ExponentialFamily
    truth: Any
    model: int
    closed: float
    cubic: float
    draw: tuple[float, float, float]
    sd: float
    mean: float = 1.0
    table: tuple[float, ...] = ()

    def expansion(self) -> RiskExpansion:
        """Return the library's expansion at this truth."""
        return kl_risk_expansion(self.family, truth=self.truth)

    def params(self, n: int, sizes: int) -> tuple[float, ...]:
        """Return the parameters of the kernel."""
        t0 = self.expansion().contractions.t0
        return (float(self.model), float(n), float(sizes), *self.draw, t0, self.mean, *self.table)


def three_points() -> Sample:
    """Return the normal fitted to a law on three points."""
    law = Moments.of(np.array(VALUES), np.array(PROBS))
    masses = [PROBS[VALUES.index(x)] if x in VALUES else 0.0 for x in (-1.0, 0.0, 1.0, 2.0)]
    return Sample(
        name="normal from three points",
        family=Normal(),
        truth=dict(zip(VALUES, PROBS, strict=True)),
        model=LOCATION_SCALE,
        closed=float(normal_from_moments(law.third, law.fourth - 3, law.sixth).c2),
        cubic=normal_cubic(law),
        draw=(0.0, -law.mean / law.sd, 1 / law.sd),
        sd=40.0,
        table=table_of(masses, -1),
    )


def normal_cubic(law: Moments) -> float:
    """Return n**2 times the mean of -h2**3/3 - h1**2 h2, the means of y and y**2 - 1 of the standardised law."""
    return -(law.sixth - 3 * law.fourth + 2) / 3 - (law.fourth - 1)


def normal_from_gamma(shape: float) -> Sample:
    """Return the normal fitted to a gamma law."""
    from scipy.stats import gamma

    law = Moments.of_gamma(shape)
    return Sample(
        name=f"normal from gamma,shape={shape:g}",
        family=Normal(),
        truth=gamma(shape),
        model=LOCATION_SCALE,
        closed=float(normal_from_moments(law.third, law.fourth - 3, law.sixth).c2),
        cubic=normal_cubic(law),
        draw=(shape, -law.mean / law.sd, 1 / law.sd),
        sd=250.0,
    )


def exponential_sample(shape: float) -> Sample:
    """Return the exponential fitted to a gamma law, which it is at shape 1."""
    from scipy.stats import gamma

    return Sample(
        name=f"exponential from gamma,shape={shape:g}",
        family=Exponential(),
        truth=gamma(shape, scale=1 / shape),
        model=EXPONENTIAL,
        closed=float(exponential_from_gamma(shape).c2),
        cubic=-2 / 3 * 2 / shape**2,
        draw=(shape, 0.0, 1 / shape),
        sd=16.0 / shape**2,
    )


def poisson_sample(mean: float, size: float) -> Sample:
    """Return the Poisson law fitted to a negative binomial one."""
    from scipy.stats import nbinom

    counts = np.arange(400.0)
    share = mean / (size + mean)
    logs = gammaln(size + counts) - gammaln(size) - gammaln(counts + 1) + xlogy(counts, share)
    probs = np.exp(logs + size * math.log1p(-share))
    third = float(probs @ (counts - mean) ** 3)
    return Sample(
        name=f"Poisson from NB,mean={mean:g},size={size:g}",
        family=Poisson(),
        truth=nbinom(size, 1 - share),
        model=POISSON,
        closed=float(poisson_from_negative_binomial(mean, size).c2),
        cubic=-third / (3 * mean**2),
        draw=(0.0, 0.0, 1 / mean),
        sd=6.0,
        mean=mean,
        table=table_of(probs.tolist()),
    )


def exact_risk(item: Sample, n: int) -> float | None:
    """Return the exact risk where there is one: by enumeration for three points."""
    if item.model == EXPONENTIAL:
        return float(gamma_risk(n, 1.0, item.draw[0]))
    if item.model == POISSON:
        return float(kl_risk_exact(item.family, n=n, truth=item.truth).value)
    return normal_from_three(VALUES, PROBS, n).risk if item.draw[0] == 0 else None


def misspecified_case(item: Sample, factor: float, share: float, fine: float) -> Case:
    """Return the case of the exact risk and of the second coefficient under a truth outside the model."""
    n = round(factor * SIZES[fine])
    found = item.expansion()
    well = kl_risk_expansion(item.family, found.theta_star)
    delta = share * fine * abs(found.contractions.t31) / 24
    # the cubic term was taken off: what is left has this mean
    rest = found.c2 - item.cubic
    wrong = {name: value - item.cubic for name, value in changed_second(found.contractions).items()}
    wrong["c2 of a truth in the model"] = well.c2 - item.cubic
    targets = [
        predicted(
            "c2",
            "second",
            rest,
            item.sd,
            delta,
            f"Richardson's difference of n={n} and {2 * n} leaves terms of n^-2; {share * fine:g} of t31/24",
            wrong,
        )
    ]
    exact = exact_risk(item, n)
    if exact is not None:
        percent = 1.0 * fine
        wrong = {
            "p/(2n)": well.c1 / n,
            "t0/(2n)": found.c1 / n,
            "series of a truth in the model": well.c1 / n + well.c2 / n**2,
        }
        sd = 1.5 * exact / math.sqrt(item.family.dim)
        delta = percent / 100 * exact
        targets.append(predicted("risk", "risk", exact, sd, delta, exact_reason(percent), wrong))
    return Case(name=f"{item.name},n={n}", params=item.params(n, 2), targets=tuple(targets), budget=32 * MILLION)


def estimated_means(item: Sample, n: int) -> tuple[float, float]:
    """Return the exact means of the plug-in t0 and of n**2 times the estimated risk."""
    if item.model == EXPONENTIAL:
        return exponential_means(item.draw[0], n)
    found = normal_from_three(VALUES, PROBS, n)
    return found.t0, found.corrected


def plug_in_case(item: Sample, n: int, fine: float) -> Case:
    """Return the case of the bias of the plug-in t0, and of the estimate of the risk that takes it off."""
    found = item.expansion()
    at, exact = found.contractions, exact_risk(item, n)
    assert exact is not None
    bias, level = at.A3 + at.A4 / 2, n**2 * exact
    mean_t0, mean_risk = estimated_means(item, n)
    remainder, left = abs(n * (mean_t0 - at.t0) - bias), abs(mean_risk - level)
    # the estimate without a correction errs by half of the bias
    delta, near = max(2 * remainder, 0.2 * fine * abs(bias)), max(2 * left, 0.16 * fine * abs(bias))
    sd = 2 * math.sqrt(n) * at.t0
    targets = (
        predicted(
            "bias",
            "bias",
            bias,
            sd,
            delta,
            f"twice the exact remainder {remainder:.2g}, at least {20 * fine:g} %",
            {"no bias": 0.0, "A4/2": at.A4 / 2, "A3 + A4": at.A3 + at.A4},
        ),
        Target(
            name="risk",
            statistic="corrected",
            theory=level,
            delta=near,
            delta_reason=f"twice the exact remainder {left:.2g}, at least {16 * fine:g} % of the bias of t0",
            sd=sd / 2,
            mutants=(Mutant(name="not corrected", statistic="plain"), Mutant(name="no bias", theory=level + bias / 2)),
        ),
    )
    return Case(name=f"{item.name},n={n}", params=item.params(n, 1), targets=targets, budget=32 * MILLION)
