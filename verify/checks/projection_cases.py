"""Cases of the projection checks whose sufficient statistics have known laws: exact risk, coefficients, optimism."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.special import digamma

from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families.gammas import Gamma
from asymptopia.theory.projection.families.multivariate import MultivariateNormal
from asymptopia.theory.projection.families.normal import Normal
from asymptopia.theory.projection.families.positive import Exponential, InverseGaussian
from asymptopia.theory.projection.information import second_order_aic
from asymptopia.verify.checks.projection_kernels import GAMMA, INVERSE_GAUSSIAN, NORMAL
from asymptopia.verify.checks.projection_laws import changed_second
from asymptopia.verify.checks.scorecard_cases import MILLION, mutants
from asymptopia.verify.engine.check import Case, Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from asymptopia.theory.projection.families.protocol import ExponentialFamily
    from asymptopia.theory.projection.risk_result import RiskExpansion

SIZES = {1.0: 24, 0.5: 40, 0.25: 64}
"""Observations of the smaller of two samples whose difference gives the second coefficient, by fineness."""


def predicted(
    name: str, statistic: str, theory: float, sd: float, delta: float, reason: str, wrong: dict[str, float]
) -> Target:
    """Return the target of an expectation; of the changed values those are claimed that the tolerance tells apart."""
    return Target(
        name=name,
        statistic=statistic,
        theory=theory,
        delta=delta,
        delta_reason=reason,
        sd=sd,
        mutants=mutants({key: value for key, value in wrong.items() if abs(value - theory) > 2.5 * delta}),
    )


def exact_reason(percent: float) -> str:
    """Return why the tolerance is a share of an exact value."""
    return f"the theory is exact to rounding: {percent:g} %, to be seen by the Monte Carlo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A family at a parameter, and how the kernel draws its sufficient statistics.

    Attributes
    ----------
    shape : float
        Shape of a gamma law, mu/lambda of an inverse Gaussian one.
    cubic : float
        n**2 times the mean of the cubic term of the divergence, by hand.
    sd : float
        Standard deviation of the second coefficient of a replicate, about.
    """

    name: str
    family: ExponentialFamily
    theta: NDArray[np.float64]
    kind: int
    d: int = 1
    known_mean: bool = False
    shape: float = 0.0
    cubic: float = 0.0
    sd: float = 1.0

    def params(self, n: int, sizes: int) -> tuple[float, ...]:
        """Return the parameters of the kernel."""
        unknown = 0 if self.known_mean else 1
        return tuple(float(x) for x in (self.kind, n, sizes, self.d, unknown, self.shape, self.cubic))

    def exact(self, n: int) -> float:
        """Return the library's exact risk."""
        return float(kl_risk_exact(self.family, self.theta, n).value)

    def expansion(self) -> RiskExpansion:
        """Return the library's expansion."""
        return kl_risk_expansion(self.family, self.theta)

    def optimism(self, n: int) -> float:
        """Return the exact optimism: of estimated scales it takes the mean of one over a chi-square or gamma."""
        p = self.family.dim
        if self.kind == GAMMA:
            return self.shape / (n * self.shape - 1)
        if self.kind == INVERSE_GAUSSIAN:
            return 2 / (n - 3) + 3 * self.shape / (2 * n * (n - 3))
        return p / (n - self.d - (1 if self.known_mean else 2))

    def without_freedom(self, n: int) -> float:
        """Return the exact risk with n in place of n - 1 degrees of freedom, or of n a - 1."""
        if self.kind == GAMMA:
            return self.shape * (float(digamma(n * self.shape)) - math.log(n * self.shape) + 1 / (n * self.shape))
        logs = sum(float(digamma((n + 1 - i) / 2)) for i in range(1, self.d + 1)) + self.d * math.log(2 / n)
        return 0.5 * (logs + self.d * (n / (n - self.d - 1) - 1)) + 0.5 * self.d / (n - self.d - 1)


def normal_law() -> Law:
    """Return the normal of unknown mean and variance."""
    family = Normal()
    return Law(name="normal", family=family, theta=family.natural(0.0, 1.0), kind=NORMAL, cubic=-14 / 3, sd=51.0)


def gamma_law(shape: float) -> Law:
    """Return the gamma law of known shape; the exponential one at 1."""
    family = Exponential() if shape == 1.0 else Gamma(known_shape=shape)
    name = "exponential" if shape == 1.0 else f"gamma,shape={shape:g}"
    theta = family.natural(rate=1.0)
    return Law(name=name, family=family, theta=theta, kind=GAMMA, shape=shape, cubic=-4 / (3 * shape), sd=16.0 / shape)


def inverse_gaussian_law(phi: float) -> Law:
    """Return the inverse Gaussian law with phi = mu/lambda."""
    family = InverseGaussian()
    return Law(
        name=f"inverse Gaussian,phi={phi:g}",
        family=family,
        theta=family.natural(mu=1.0, lam=1 / phi),
        kind=INVERSE_GAUSSIAN,
        shape=phi,
        cubic=-14 / 3 - 3 * phi,
        sd=60.0,
    )


def multivariate_law(d: int, known_mean: bool = False) -> Law:
    """Return the normal of d dimensions, of unknown covariance and mean, or of known mean."""
    family = MultivariateNormal(d, known_mean=known_mean)
    unit = [[float(i == k) for k in range(d)] for i in range(d)]
    theta = family.natural(cov=unit) if known_mean else family.natural([0.0] * d, unit)
    name = f"d={d},known mean" if known_mean else f"d={d}"
    return Law(name=name, family=family, theta=theta, kind=NORMAL, d=d, known_mean=known_mean)


def risk_target(law: Law, n: int, fine: float) -> Target:
    """Return the target of the exact risk."""
    theory, found, p = law.exact(n), law.expansion(), law.family.dim
    wrong = {
        "p/(2n)": p / (2 * n),
        "series to n^-2": found.c1 / n + found.c2 / n**2,
        "n in place of n - 1": law.without_freedom(n),
    }
    percent = 1.0 * fine
    delta = percent / 100 * theory
    return predicted("risk", "risk", theory, 1.5 * theory / math.sqrt(p), delta, exact_reason(percent), wrong)


def exact_case(law: Law, n: int, fine: float) -> Case:
    """Return the case of the exact risk of a family."""
    return Case(
        name=f"{law.name},n={n}", params=law.params(n, 1), targets=(risk_target(law, n, fine),), budget=64 * MILLION
    )


def expansion_case(law: Law, share: float, fine: float) -> Case:
    """Return the case of the second coefficient; the tolerance is a share of what a changed constant makes."""
    n = SIZES[fine]
    found = law.expansion()
    delta = share * fine * abs(found.contractions.t31) / 24
    target = predicted(
        "c2",
        "second",
        found.c2,
        law.sd,
        delta,
        f"Richardson's difference of n={n} and {2 * n} leaves terms of n^-2; {share * fine:g} of t31/24",
        changed_second(found.contractions) | {"c2 of the normal": 61 / 12},
    )
    return Case(name=f"{law.name},n={n}", params=law.params(n, 2), targets=(target,), budget=128 * MILLION)


def optimism_target(law: Law, n: int, fine: float) -> Target:
    """Return the target of the exact optimism."""
    theory, p = law.optimism(n), law.family.dim
    wrong = {"p/n": p / n, "AICc": p / n + p * (p + 1) / (n * (n - p - 1)) if n > p + 1 else math.inf}
    percent = 1.0 * fine
    known = {key: value for key, value in wrong.items() if math.isfinite(value)}
    delta = percent / 100 * theory
    return predicted("optimism", "optimism", theory, 1.5 * theory / math.sqrt(p), delta, exact_reason(percent), known)


def multivariate_case(law: Law, n: int, fine: float) -> Case:
    """Return the case of risk and optimism of a normal of several dimensions."""
    other = multivariate_law(law.d, not law.known_mean)
    target = risk_target(law, n, fine)
    changed = mutants({"mean unknown" if law.known_mean else "mean known": other.exact(n)})
    risk = Target(
        name=target.name,
        statistic=target.statistic,
        theory=target.theory,
        delta=target.delta,
        delta_reason=target.delta_reason,
        sd=target.sd,
        mutants=(*target.mutants, *changed),
    )
    targets = (risk, optimism_target(law, n, fine))
    return Case(name=f"{law.name},n={n}", params=law.params(n, 1), targets=targets, budget=64 * MILLION)


def optimism_case(law: Law, n: int, fine: float) -> Case:
    """Return the case of the exact optimism."""
    target = optimism_target(law, n, fine)
    return Case(name=f"{law.name},n={n}", params=law.params(n, 1), targets=(target,), budget=64 * MILLION)


def penalty_case(law: Law, n: int, fine: float) -> Case:
    """Return the case of the second-order penalty, within its exact remainder."""
    p = law.family.dim
    theory = second_order_aic(0.0, law.family, law.theta, n=n).penalty / (2 * n)
    exact = law.optimism(n)
    remainder = abs(exact - theory)
    delta = max(3 * remainder, 0.006 * fine * exact)
    wrong = {"p/n": p / n, "AICc": p / n + p * (p + 1) / (n * (n - p - 1))}
    target = predicted(
        "optimism",
        "optimism",
        theory,
        1.5 * theory / math.sqrt(p),
        delta,
        f"three times the exact remainder {remainder:.2g}, at least {0.6 * fine:g} %",
        wrong,
    )
    return Case(name=f"penalty,{law.name},n={n}", params=law.params(n, 1), targets=(target,), budget=64 * MILLION)
