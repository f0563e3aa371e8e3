"""Cases of the projection checks whose MLE is solved for: gamma, beta and Dirichlet laws, Ising models, counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, polygamma

from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families.categorical import Multinomial
from asymptopia.theory.projection.families.discrete import Bernoulli, NegativeBinomial, Poisson
from asymptopia.theory.projection.families.gammas import Gamma
from asymptopia.theory.projection.families.ising import Ising
from asymptopia.theory.projection.families.simplex import Beta, Dirichlet
from asymptopia.verify.checks.projection_cases import SIZES, exact_reason, predicted
from asymptopia.verify.checks.projection_kernels_solve import PARITY, SATURATED, TOTAL
from asymptopia.verify.checks.projection_laws import Spins, cells_params, changed_second, table_of
from asymptopia.verify.checks.scorecard_cases import MILLION
from asymptopia.verify.engine.check import Case, Mutant, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asymptopia.theory.projection.families.protocol import ExponentialFamily

    Array = NDArray[np.float64]

FIELDS = (0.2, -0.1, 0.1)
COUPLINGS = ((0.0, 0.3, 0.2), (0.3, 0.0, -0.3), (0.2, -0.3, 0.0))


def fit_params(alpha: tuple[float, ...], n: int, parts: int = 2) -> tuple[float, ...]:
    """Return the parameters of the kernel of fits: one shape for a gamma law, two or three for a Dirichlet one."""
    k = len(alpha)
    row, whole = np.array([*alpha, 1.0, 1.0][:3]), sum(alpha)
    used, means, orders = np.array(alpha), [], []
    for order in range(3):
        orders.append(np.asarray(polygamma(order, row)))
        means.append(float(polygamma(order, whole)))
    log_partition = float(gammaln(used).sum()) - (float(gammaln(whole)) if k > 1 else 0.0)
    head = (k, n, parts, cubic_mean(alpha), log_partition)
    return tuple(float(value) for value in (*head, *row, *(value for item in orders for value in item), *means))


def cubic_mean(alpha: tuple[float, ...]) -> float:
    """Return n**2 times the mean of the cubic term: minus a third of T contracted with itself, from whole arrays."""
    if len(alpha) == 1:
        a = alpha[0]
        cov = np.array([[float(polygamma(1, a)), 1.0], [1.0, a]])
        third = np.zeros((2, 2, 2))
        third[0, 0, 0], third[1, 1, 1] = float(polygamma(2, a)), 2 * a
        third[0, 1, 1] = third[1, 0, 1] = third[1, 1, 0] = 1.0
    else:
        row, k = np.array(alpha), len(alpha)
        cov = np.diag(polygamma(1, row)) - polygamma(1, row.sum())
        third = np.full((k, k, k), -float(polygamma(2, row.sum())))
        third[np.arange(k), np.arange(k), np.arange(k)] += polygamma(2, row)
    inverse = np.linalg.inv(cov)
    raised = np.einsum("abc,ai,bj,ck->ijk", third, inverse, inverse, inverse)
    return -float((third * raised).sum()) / 3


def fit_case(name: str, family: ExponentialFamily, theta: Array, alpha: tuple[float, ...], fine: float) -> Case:
    """Return the case of the second coefficient of a law whose MLE takes Newton's method."""
    n = SIZES[fine]
    found = kl_risk_expansion(family, theta)
    delta = 1.6 * fine
    target = predicted(
        "c2",
        "second",
        found.c2,
        55.0,
        delta,
        f"Richardson's difference of n={n} and {2 * n} leaves terms of n^-2; {delta:g}, to be seen by the Monte Carlo",
        changed_second(found.contractions),
    )
    return Case(name=f"{name},n={n}", params=fit_params(alpha, n), targets=(target,), budget=16 * MILLION)


def gamma_case(shape: float, n: int, fine: float) -> Case:
    """Return the case of the exact risk of a gamma law of unknown shape."""
    family = Gamma()
    theta = family.natural(shape=shape, rate=1.0)
    theory = float(kl_risk_exact(family, theta, n))
    series = kl_risk_expansion(family, theta)
    wrong = {
        "p/(2n)": series.c1 / n,
        "two terms": series.risk(n),
        "shape known": float(kl_risk_exact(Gamma(shape), n=n)),
        "one less": float(kl_risk_exact(family, theta, n - 1)),
    }
    percent = 2.0 * fine
    target = predicted(
        "risk",
        "risk",
        theory,
        1.5 * theory,
        percent / 100 * theory,
        exact_reason(percent),
        {k: float(v) for k, v in wrong.items()},
    )
    return Case(
        name=f"exact,gamma,shape={shape:g},n={n}",
        params=fit_params((shape,), n, 1),
        targets=(target,),
        budget=16 * MILLION,
    )


def fit_cases(fine: float) -> tuple[Case, ...]:
    """Return the cases of gamma, beta and Dirichlet laws: second coefficients, and exact risks of gamma laws."""
    shapes = (0.5, 2.0)
    gammas = tuple(
        fit_case(f"gamma,shape={a:g}", Gamma(), Gamma().natural(shape=a, rate=1.0), (a,), fine) for a in shapes
    )
    beta = fit_case("beta(2,3)", Beta(), Beta().natural(a=2.0, b=3.0), (2.0, 3.0), fine)
    alpha = (1.0, 2.0, 0.5)
    simplex = fit_case("Dirichlet(1,2,0.5)", Dirichlet(3), Dirichlet(3).natural(np.array(alpha)), alpha, fine)
    exact = tuple(gamma_case(a, n, fine) for a, n in ((0.5, 12), (2.0, 10)))
    return (*gammas, beta, simplex, *exact)


def spins(parity: float) -> tuple[Ising, Spins]:
    """Return the Ising model of three spins, and a truth with an interaction of all three."""
    family = Ising(3)
    support = family.support()
    theta = family.natural(np.array(FIELDS), np.array(COUPLINGS))
    inside = family.probabilities(theta)
    states = np.asarray(support.states, dtype=float)
    truth = inside * (1 + parity * states.prod(axis=1))
    return family, Spins.of(np.asarray(support.statistic, dtype=float), states, truth / truth.sum())


def ising_case(parity: float, fine: float) -> Case:
    """Return the case of the second coefficient of the Ising model, in it or outside it."""
    n = 8 * SIZES[fine]
    family, item = spins(parity)
    found = kl_risk_expansion(family, truth=item.truth)
    delta = 1.2 * fine
    cubic = item.cubic()
    target = predicted(
        "c2",
        "second",
        found.c2,
        95.0,
        delta,
        f"Richardson's difference of n={n} and {2 * n} leaves terms of n^-2; {delta:g}, to be seen by the Monte Carlo",
        changed_second(found.contractions),
    )
    params = cells_params(
        PARITY, n, 2, item.truth, weights=item.projection, signs=item.signs, response=item.response, cubic=cubic
    )
    return Case(name=f"interaction={parity:g},n={n}", params=params, targets=(target,), budget=16 * MILLION)


def spins_existence_case(n: int, fine: float) -> Case:
    """Return the case of tables for which the Ising model has no MLE: cells of either sign are empty."""
    _, item = spins(0.0)
    params = cells_params(PARITY, n, 1, item.truth, weights=item.projection, signs=item.signs, response=item.response)
    target = missing_target(item.no_estimate(n), fine, {"any cell is empty": item.empty(n)})
    return Case(name=f"Ising,n={n}", params=params, targets=(target,), budget=16 * MILLION)


def missing_target(theory: float, fine: float, wrong: dict[str, float]) -> Target:
    """Return the target of the probability that there is no MLE."""
    delta = 0.06 * fine * theory
    found = predicted("no_mle", "missing", theory, math.sqrt(theory), delta, exact_reason(6 * fine), wrong)
    return Target(
        name=found.name,
        statistic=found.statistic,
        theory=theory,
        delta=delta,
        delta_reason=found.delta_reason,
        sd=found.sd,
        kind="proportion",
        mutants=found.mutants,
    )


def existence_case(
    name: str, family: ExponentialFamily, theta: Array, n: int, params: tuple[float, ...], fine: float
) -> Case:
    """Return the case of P(no MLE), and of the risk given that there is one."""
    exact, found = kl_risk_exact(family, theta, n), kl_risk_expansion(family, theta)
    theory, missing = float(exact.value), float(exact.prob_no_mle)
    wrong = {"series to n^-2": found.c1 / n + found.c2 / n**2, "p/(2n)": found.c1 / n}
    percent = 1.0 * fine
    delta = percent / 100 * theory
    risk = predicted("risk", "risk", theory, 1.5 * theory, delta, exact_reason(percent), wrong)
    counted = Mutant(name="samples without an MLE counted as 0", statistic="counted")
    risk = Target(
        name="risk",
        statistic="risk",
        theory=theory,
        delta=delta,
        delta_reason=risk.delta_reason,
        sd=risk.sd,
        mutants=(*risk.mutants, counted),
    )
    targets = (missing_target(missing, fine, {"never": 0.0, "half": missing / 2}), risk)
    return Case(name=f"{name},n={n}", params=params, targets=targets, budget=64 * MILLION)


def cells_case(probs: tuple[float, ...], n: int, fine: float) -> Case:
    """Return the case of a multinomial or Bernoulli law."""
    row = np.array(probs)
    if row.size == 2:
        family: ExponentialFamily = Bernoulli()
        theta = Bernoulli().natural(p=probs[0])
    else:
        family = Multinomial(row.size)
        theta = Multinomial(row.size).natural(row)
    name = f"{family.name},probs={','.join(f'{p:g}' for p in probs)}"
    return existence_case(name, family, theta, n, cells_params(SATURATED, n, 1, row), fine)


def total_case(mean: float, size: float, n: int, fine: float) -> Case:
    """Return the case of a Poisson law, or of a negative binomial one of finite size, from its total."""
    from scipy.stats import nbinom, poisson

    counts = np.arange(1000)
    if math.isinf(size):
        law: ExponentialFamily = Poisson()
        theta, name = Poisson().natural(lam=mean), f"Poisson,mean={mean:g}"
        masses = poisson(n * mean).pmf(counts)
        weights, slopes = np.array([mean]), np.array([1.0])
    else:
        share = mean / (size + mean)
        law = NegativeBinomial(size)
        theta, name = NegativeBinomial(size).natural(q=share), f"NB,size={size:g},q={share:g}"
        masses = nbinom(n * size, 1 - share).pmf(counts)
        # log(1 - q) is a logarithm of size + mean: it enters with the opposite sign
        weights, slopes = np.array([mean, -(size + mean)]), np.array([1.0, share])
    params = cells_params(
        TOTAL, n, 1, weights, weights=weights, slopes=slopes, mean=n * mean, tables=(table_of(masses.tolist()),)
    )
    return existence_case(name, law, theta, n, params, fine)
