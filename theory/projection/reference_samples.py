"""Reference risks of models fitted to another law or to a sample: projection, series, plug-in bias, criterion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath as mp

from asymptopia.theory.projection.reference import (
    LogPartition,
    Numbers,
    Series,
    coefficients,
    lift,
    plug_in_bias,
    precise,
    variables,
)
from asymptopia.theory.projection.reference_bayes import thresholds
from asymptopia.theory.projection.reference_families import (
    bivariate_normal,
    discrete_law,
    finite,
    gamma_both,
    gamma_known,
    inverse_gaussian,
    log_of_sum,
    normal,
    poisson,
    sampled_law,
)
from asymptopia.theory.projection.reference_tensors import centred, moment, projection, shares

Rows = Sequence[Numbers]
Model = tuple[LogPartition, list[Any], list[list[Any]]]


def independent(theta: list[Series]) -> Series:
    """Return sum log(1 + exp(theta_i)): independent binary variables."""
    total = log_of_sum([theta[0]])
    for item in theta[1:]:
        total = total + log_of_sum([item])
    return total


def fitted(family: str, structure: list[Any], points: Rows, probs: Numbers) -> Model:
    """Return log-partition, natural parameter of the projection and statistic of a law on finitely many points."""
    data = [[mp.mpf(x) for x in row] for row in points]
    mean, spread = centred(data, probs)
    variance = moment(spread, probs, 0, 0)
    match family:
        case "Exponential":
            return gamma_known(1), [-1 / mean[0]], data
        case "Gamma" if structure:
            return gamma_known(structure[0]), [-mp.mpf(structure[0]) / mean[0]], data
        case "Poisson":
            return poisson, [mp.log(mean[0])], data
        case "Bernoulli":
            return log_of_sum, [mp.log(mean[0] / (1 - mean[0]))], data
        case "LogLinear":
            return independent, [mp.log(m / (1 - m)) for m in mean], data
        case "Normal":
            return normal, [mean[0] / variance, -1 / (2 * variance)], [[x, x * x] for (x,) in data]
        case "MultivariateNormal":
            covariance = mp.matrix([[moment(spread, probs, i, j) for j in (0, 1)] for i in (0, 1)])
            precision = covariance**-1
            first = precision * mp.matrix(mean)
            theta = [first[0], first[1], -precision[0, 0] / 2, -precision[0, 1], -precision[1, 1] / 2]
            return bivariate_normal, theta, [[x, y, x * x, x * y, y * y] for x, y in data]
        case "InverseGaussian":
            statistic = [[x, 1 / x] for (x,) in data]
            inverse = centred(statistic, probs)[0][1]
            lam = 1 / (inverse - 1 / mean[0])
            return inverse_gaussian, [-lam / (2 * mean[0] ** 2), -lam / 2], statistic
        case "Gamma":
            statistic = [[mp.log(x), x] for (x,) in data]
            gap = mp.log(mean[0]) - centred(statistic, probs)[0][0]
            shape = mp.findroot(lambda a: mp.log(a) - mp.digamma(a) - gap, 1 / (2 * gap))
            return gamma_both, [shape, -shape / mean[0]], statistic
        case "FiniteSupport":
            statistic = [[mp.mpf(x) for x in row] for row in structure[0]]
            rows = [statistic[int(a)] for (a,) in points]
            return finite(statistic), projection(statistic, centred(rows, probs)[0]), rows
    raise ValueError(f"no projection on {family}")


@precise
def misspecified(family: str, structure: list[Any], truth: dict[str, Any]) -> dict[str, Any]:
    """Return the coefficients of a model under another law.

    Parameters
    ----------
    truth
        ``{"gamma": (shape, rate)}`` under the exponential model, to the third order; ``{"negative_binomial": (mean,
        size)}`` under the Poisson model, to the third order; or ``{"points": rows, "probs": shares}``, to the second.
    """
    t = variables([0], 6)[0]
    if "gamma" in truth:
        shape, rate = map(mp.mpf, truth["gamma"])
        law = lift(lambda s: -shape * mp.log(1 - s / rate), t)
        return coefficients(gamma_known(1), [-rate / shape], law, 3)
    if "negative_binomial" in truth:
        mean, size = map(mp.mpf, truth["negative_binomial"])
        law = lift(lambda s: -size * mp.log(1 - mean / size * mp.expm1(s)), t)
        return coefficients(poisson, [mp.log(mean)], law, 3)
    probs = [mp.mpf(share) for share in truth["probs"]]
    log_partition, theta, rows = fitted(family, structure, truth["points"], probs)
    return coefficients(log_partition, theta, discrete_law(rows, probs, 4))


@precise
def criterion(family: str, structure: list[Any], points: Rows, alpha: Any) -> dict[str, Any]:
    """Return the terms of the estimated risk and optimism of a sample, thresholds, and the sizes the series requires.

    The unbiased covariance and third cumulant enter the series. The bias of the leading trace is taken off the second
    terms: half of it off that of the risk, all of it off that of the optimism. Where another size is required, it is a
    part of the first coefficient, for it is of this sample's size.
    """
    n = len(points)
    equal = [mp.mpf(1) / n] * n
    log_partition, theta, rows = fitted(family, structure, points, equal)
    p = len(theta)
    _, spread = centred(rows, equal)
    second = [[moment(spread, equal, i, j) * n / (n - 1) for j in range(p)] for i in range(p)]
    scale = mp.mpf(n) ** 2 / ((n - 1) * (n - 2))
    third = [[[moment(spread, equal, i, j, k) * scale for k in range(p)] for j in range(p)] for i in range(p)]
    law = sampled_law(second, third)
    series = coefficients(log_partition, theta, law)
    bias = plug_in_bias(log_partition, theta, law)
    c1, c2 = series["c1"], series["c2"] - bias / 2
    found: dict[str, Any] = {"t0": 2 * c1, "first": c1 / n, "plain": series["c2"] / n**2, "second": c2 / n**2}
    found["optimism"] = series["o1"] / n
    found["optimism_plain"], found["optimism_second"] = series["o2"] / n**2, (series["o2"] - bias) / n**2
    for name, bar in thresholds(alpha, dps=mp.mp.dps // 3).items():
        found[f"{name} threshold"] = bar
        found[f"{name} passed"] = bool(0 <= found["first"] + found["second"] <= bar)
        found[f"{name} required_n"] = required(c1 - bias / (2 * n), series["c2"], bar)
    return found


@precise
def log_likelihood(family: str, structure: list[Any], points: Rows) -> Any:
    """Return the maximum of the log likelihood, by the densities as they are usually written."""
    n = len(points)
    equal = [mp.mpf(1) / n] * n
    data = [[mp.mpf(x) for x in row] for row in points]
    mean, spread = centred(data, equal)
    m, variance = mean[0], moment(spread, equal, 0, 0)
    _, theta, _ = fitted(family, structure, points, equal)

    def density(x: list[Any]) -> Any:
        y = x[0]
        match family:
            case "Exponential":
                return -mp.log(m) - y / m
            case "Gamma":
                shape = mp.mpf(structure[0]) if structure else theta[0]
                return shape * mp.log(shape / m) + (shape - 1) * mp.log(y) - shape * y / m - mp.loggamma(shape)
            case "Poisson":
                return y * mp.log(m) - m - mp.loggamma(y + 1)
            case "Bernoulli" | "LogLinear":
                return mp.fsum(mp.log(s if z else 1 - s) for z, s in zip(x, mean, strict=True))
            case "Normal":
                return -mp.log(2 * mp.pi * variance) / 2 - (y - m) ** 2 / (2 * variance)
            case "InverseGaussian":
                lam = -2 * theta[1]
                return mp.log(lam / (2 * mp.pi * y**3)) / 2 - lam * (y - m) ** 2 / (2 * m**2 * y)
            case "MultivariateNormal":
                covariance = mp.matrix([[moment(spread, equal, i, j) for j in (0, 1)] for i in (0, 1)])
                gap = mp.matrix([z - s for z, s in zip(x, mean, strict=True)])
                form = (gap.T * covariance**-1 * gap)[0]
                return -mp.log(2 * mp.pi) - mp.log(mp.det(covariance)) / 2 - form / 2
            case "FiniteSupport":
                probs = shares(structure[0], theta)
                return mp.log(probs[int(y)])
        raise ValueError(f"no density of {family}")

    return mp.fsum(density(x) for x in data)


def required(c1: Any, c2: Any, bar: Any) -> int | None:
    """Return the smallest n from which on c1/n + c2/n^2 stays at most `bar`, by bisection.

    None if it always is, or is negative at large n.
    """
    if c1 <= 0 or c1**2 + 4 * bar * c2 < 0:
        return None
    # the polynomial bar n^2 - c1 n - c2 is least at its vertex and rises from there
    low, high = 0, 1
    vertex = c1 / (2 * bar)

    def holds(n: int) -> bool:
        return bool(n >= vertex and bar * n * n - c1 * n - c2 >= 0)

    while not holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
