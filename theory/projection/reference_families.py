"""Log-partitions of the families as series, their coefficients, and those of families with an exact risk.

The coefficients are invariant under a change of the parameter, so that each family takes the natural parameter that is
simplest to write. The normal distribution in more dimensions is eliminated from its exact risk at sizes 2^40, 2^41, ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp

from asymptopia.theory.projection.reference import (
    LogPartition,
    Numbers,
    Series,
    averaged,
    coefficients,
    lift,
    precise,
    variables,
)

Parameters = dict[str, Any]


def reciprocal(x: Any) -> Any:
    """Return 1/x."""
    return 1 / x


def log_of_sum(theta: list[Series]) -> Series:
    """Return log(1 + sum exp(theta)): Bernoulli and multinomial."""
    total = lift(mp.exp, theta[0]) + 1
    for item in theta[1:]:
        total = total + lift(mp.exp, item)
    return lift(mp.log, total)


def poisson(theta: list[Series]) -> Series:
    """Return exp(theta)."""
    return lift(mp.exp, theta[0])


def negative_binomial(size: Any) -> LogPartition:
    """Return -size log(1 - exp(theta))."""
    return lambda theta: lift(lambda t: mp.log(1 - mp.exp(t)), theta[0]) * -mp.mpf(size)


def gamma_known(shape: Any) -> LogPartition:
    """Return -shape log(-theta)."""
    return lambda theta: lift(mp.log, -theta[0]) * -mp.mpf(shape)


def gamma_both(theta: list[Series]) -> Series:
    """Return log Gamma(theta_1) - theta_1 log(-theta_2), of the statistics log x and x."""
    return lift(mp.loggamma, theta[0]) - theta[0] * lift(mp.log, -theta[1])


def normal(theta: list[Series]) -> Series:
    """Return -theta_1^2 / (4 theta_2) - log(-2 theta_2) / 2, of the statistics x and x^2."""
    result: Series = theta[0] * theta[0] * lift(reciprocal, theta[1] * -4) - lift(mp.log, theta[1] * -2) * mp.mpf("0.5")
    return result


def bivariate_normal(theta: list[Series]) -> Series:
    """Return the log-partition of x, y, x^2, x y, y^2, by the determinant of the precision."""
    a, b, c = theta[2] * -2, -theta[3], theta[4] * -2
    det = a * c - b * b
    square = theta[0] * theta[0] * c - theta[0] * theta[1] * b * 2 + theta[1] * theta[1] * a
    result: Series = (square * lift(reciprocal, det) - lift(mp.log, det)) * mp.mpf("0.5")
    return result


def inverse_gaussian(theta: list[Series]) -> Series:
    """Return -2 sqrt(theta_1 theta_2) - log(-2 theta_2) / 2, of the statistics x and 1/x."""
    result: Series = lift(mp.sqrt, theta[0] * theta[1]) * -2 - lift(mp.log, theta[1] * -2) * mp.mpf("0.5")
    return result


def dirichlet(theta: list[Series]) -> Series:
    """Return sum log Gamma(theta_i) - log Gamma(sum theta)."""
    total = theta[0]
    for item in theta[1:]:
        total = total + item
    result = -lift(mp.loggamma, total)
    for item in theta:
        result = result + lift(mp.loggamma, item)
    return result


def finite(statistic: Sequence[Numbers]) -> LogPartition:
    """Return log sum_a exp(theta . xi_a) over the rows of the statistic."""

    def log_partition(theta: list[Series]) -> Series:
        total = None
        for row in statistic:
            inner = theta[0] * 0
            for value, item in zip(row, theta, strict=True):
                inner = inner + item * mp.mpf(value)
            weight = lift(mp.exp, inner)
            total = weight if total is None else total + weight
        return lift(mp.log, total) if total is not None else theta[0] * 0

    return log_partition


def discrete_law(statistic: Sequence[Numbers], probs: Numbers, degree: int) -> Series:
    """Return the cumulant generating function of a statistic with finitely many values."""
    t = variables([0] * len(statistic[0]), degree)
    total = t[0] * 0
    for row, share in zip(statistic, probs, strict=True):
        inner = t[0] * 0
        for value, item in zip(row, t, strict=True):
            inner = inner + item * mp.mpf(value)
        total = total + lift(mp.exp, inner) * mp.mpf(share)
    return lift(mp.log, total)


def sampled_law(second: Any, third: Any) -> Series:
    """Return the generating function with the given second and third cumulants, nested lists, and no others."""
    p = len(second)
    t = variables([0] * p, 4)
    total = t[0] * 0
    for i in range(p):
        for j in range(p):
            total = total + t[i] * t[j] * (second[i][j] / 2)
            for k in range(p):
                total = total + t[i] * t[j] * t[k] * (third[i][j][k] / 6)
    return total


def cell_by_cell(probs: Numbers, order: int = 3) -> dict[str, Any]:
    """Return the coefficients of the multinomial: each cell's term is a function of one mean of indicators."""
    found: dict[str, Any] = {f"{name}{k}": mp.mpf(0) for name in "cor" for k in range(1, order + 1)}
    for p in map(mp.mpf, probs):
        share = variables([0], 2 * order)[0] * (1 / p) + 1
        ratio = lift(mp.log, share)
        law = lift(mp.log, lift(mp.exp, variables([0], 2 * order)[0]) * p + (1 - p))
        forward, reverse = averaged(ratio * -p, law, order), averaged(share * ratio * p, law, order)
        for k, (c, r) in enumerate(zip(forward, reverse, strict=True), start=1):
            found[f"c{k}"] += c
            found[f"r{k}"] += r
            found[f"o{k}"] += c + r
    return found


def natural(family: str, structure: list[Any], parameters: Parameters) -> tuple[LogPartition, list[Any]]:
    """Return the log-partition and its natural parameter for the usual parameters."""
    v = {name: mp.mpf(value) for name, value in parameters.items() if not isinstance(value, list)}
    match family:
        case "Bernoulli":
            return log_of_sum, [mp.log(v["p"] / (1 - v["p"]))]
        case "Poisson":
            return poisson, [mp.log(v["lam"])]
        case "NegativeBinomial":
            return negative_binomial(structure[0]), [mp.log(v["q"])]
        case "Exponential":
            return gamma_known(1), [-v["rate"]]
        case "Gamma" if structure:
            return gamma_known(structure[0]), [-v["rate"]]
        case "Gamma":
            return gamma_both, [v["shape"], -v["rate"]]
        case "Normal":
            return normal, [v["mu"] / v["sigma2"], -1 / (2 * v["sigma2"])]
        case "InverseGaussian":
            return inverse_gaussian, [-v["lam"] / (2 * v["mu"] ** 2), -v["lam"] / 2]
        case "Beta":
            return dirichlet, [v["a"], v["b"]]
        case "Dirichlet":
            return dirichlet, [mp.mpf(a) for a in parameters["alpha"]]
    raise ValueError(f"no log-partition of {family}")


def normal_risk(d: int, n: Any, known_mean: bool) -> tuple[Any, Any]:
    """Return the exact risk and optimism of the normal distribution in d dimensions, by digammas."""
    freedom = n if known_mean else n - 1
    logs = mp.fsum(mp.digamma((freedom - i) / 2) + mp.log(2 / n) for i in range(d))
    trace = d * n / (freedom - d - 1)
    # the mean adds m'S^-1 m to the forward and m'm to the reverse divergence
    shift, back = (mp.mpf(0), mp.mpf(0)) if known_mean else (trace / n, mp.mpf(d) / n)
    forward = (logs + trace - d + shift) / 2
    return forward, (trace + d * freedom / n - 2 * d + shift + back) / 2


def eliminated(risk: Callable[[Any], Any], order: int = 3, terms: int = 9) -> list[Any]:
    """Return the first coefficients of a series in 1/n by solving for `terms` of them at sizes 2^40, 2^41, ...

    What is left out is of the order 2^(-40 (terms - order)) of what is returned.
    """
    with mp.workdps(mp.mp.dps + 240):
        sizes = [mp.mpf(2) ** (40 + k) for k in range(terms)]
        matrix = mp.matrix([[n**-k for k in range(1, terms + 1)] for n in sizes])
        found = mp.lu_solve(matrix, mp.matrix([risk(n) for n in sizes]))
        return [found[k] for k in range(order)]


@precise
def closed_form(family: str, structure: list[Any], parameters: Parameters, order: int = 3) -> dict[str, Any]:
    """Return the coefficients of a family at its usual parameters, well specified."""
    if family == "Multinomial":
        return cell_by_cell(parameters["probs"], order)
    if family == "MultivariateNormal":
        d, known = structure[0], len(structure) > 1
        c = eliminated(lambda n: normal_risk(d, n, known)[0], order)
        o = eliminated(lambda n: normal_risk(d, n, known)[1], order)
        named = {f"c{k}": value for k, value in enumerate(c, start=1)}
        named |= {f"o{k}": value for k, value in enumerate(o, start=1)}
        return named | {f"r{k}": a - b for k, (a, b) in enumerate(zip(o, c, strict=True), start=1)}
    return coefficients(*natural(family, structure, parameters), order=order)
