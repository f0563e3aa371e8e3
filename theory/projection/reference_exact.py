"""Reference risks at finite n: averages over the density of the sufficient statistic, and enumeration.

Densities are integrated by the trapezoidal rule after the change to sinh, with their own integral as the normaliser, so
that no gamma function or digamma enters. Counts are enumerated in integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath as mp

from asymptopia.theory.projection.reference import precise

Numbers = Sequence[Any]
Function = Callable[[Any], Any]


def expectation(log_density: Function, width: Any, functions: Sequence[Function]) -> list[Any]:
    """Return the means of `functions` under the density exp(log_density), highest about 0 on a scale of `width`.

    The rule's step is halved until all means agree to the digits in use less fifteen.
    """
    tolerance = mp.mpf(10) ** (15 - mp.mp.dps)
    sums = [mp.mpf(0)] * (len(functions) + 1)
    before = None
    for halving in range(3, 11):
        step = mp.mpf(2) ** -halving
        for sign in (1, -1):
            # the new nodes are the odd ones; the first round takes all, 0 once
            k, stride = (1, 2) if halving > 3 else (0 if sign > 0 else 1, 1)
            while True:
                u = sign * k * step
                weight = mp.exp(log_density(width * mp.sinh(u))) * mp.cosh(u)
                parts = [weight, *(weight * f(width * mp.sinh(u)) for f in functions)]
                sums = [total + part for total, part in zip(sums, parts, strict=True)]
                small = (abs(a) <= tolerance * abs(t) / 10**9 for a, t in zip(parts, sums, strict=True))
                if k * step > 1 and all(small):
                    break
                k += stride
        found = [total / sums[0] for total in sums[1:]]
        if before and all(abs(a - b) <= tolerance * abs(a) for a, b in zip(found, before, strict=True)):
            return found
        before = found
    raise ArithmeticError("the trapezoidal rule does not settle")


def ratio(x: Fraction) -> Any:
    """Return the fraction as an mpmath number."""
    return mp.mpf(x.numerator) / x.denominator


@cache
def _gamma_means(shape: Any, digits: int) -> tuple[Any, Any, Any]:
    """Return the means of y, of y + exp(-y) - 1 and of exp(-y), with shape exp(y) of the gamma distribution."""
    with mp.workdps(digits):
        a = ratio(shape)

        def log_density(y: Any) -> Any:
            # of y, the logarithm: one power more than the density of the variate
            return -a * mp.fsum((mp.expm1(y), -y))

        # the far side of the inverse falls off as exp((shape - 1) y)
        width = 1 / mp.sqrt(a) if a > 4 else mp.mpf(1)
        f = expectation(log_density, width, [lambda y: y, lambda y: y + mp.expm1(-y), lambda y: mp.exp(-y)])
        return f[0], f[1], f[2]


def gamma_means(shape: Any) -> tuple[Any, Any, Any]:
    """Return the means of log w, log w + 1/w - 1 and 1/w, with w a gamma variate over its `shape`."""
    return _gamma_means(Fraction(shape), mp.mp.dps)


def gamma_risk(shape: Any, n: Any) -> Any:
    """Return the risk of a gamma distribution of known shape; inf where it is."""
    total = Fraction(shape) * n
    return mp.inf if total <= 1 else ratio(Fraction(shape)) * gamma_means(total)[1]


def normal_risk(d: int, n: int, known_mean: bool = False) -> Any:
    """Return the risk of the normal distribution in d dimensions.

    By the triangular factor of the Wishart matrix, whose squared diagonal are independent chi-squares: the determinant
    is their product and the last diagonal entry of the inverse is the inverse of the last of them.
    """
    freedom = n if known_mean else n - 1
    if freedom - d + 1 <= 2:
        return mp.inf
    logs = mp.fsum(gamma_means(Fraction(freedom - i, 2))[0] + mp.log(mp.mpf(freedom - i) / n) for i in range(d))
    trace = d * mp.mpf(n) / (freedom - d + 1) * gamma_means(Fraction(freedom - d + 1, 2))[2]
    shift = 0 if known_mean else trace / n
    return (logs + trace + shift - d) / 2


def inverse_gaussian_risk(mu: Any, lam: Any, n: int) -> Any:
    """Return the risk of the inverse Gaussian: mean inverse Gaussian, n lam / lam_hat an independent chi-square."""
    if n < 4:
        return mp.inf
    mu, lam = mp.mpf(mu), mp.mpf(lam)
    half = Fraction(n - 1, 2)
    log_w, _, inverse = gamma_means(half)
    scale = mp.mpf(n) / (n - 1)
    # by the logarithm of the mean over mu
    rate = n * lam / mu

    def log_density(y: Any) -> Any:
        return -rate * 2 * mp.sinh(y / 2) ** 2 - y / 2

    width = 1 / mp.sqrt(rate) if rate > 1 else mp.mpf(1)
    spread = expectation(log_density, width, [lambda y: mp.expm1(-y) ** 2])[0]
    # E[(x - m)^2 / (m^2 x)] under the truth is (mu - m)^2 / (m^2 mu) + 1/lam
    return (log_w - mp.log(scale) - 1 + scale * inverse * (lam / mu * spread + 1)) / 2


@precise
def exact(family: str, structure: list[Any], parameters: dict[str, Any], n: int) -> Any:
    """Return the exact risk of a continuous family."""
    if family == "Gamma" and not structure:
        from asymptopia.theory.projection.reference_gamma import gamma_both_risk

        with mp.workdps(mp.mp.dps * 2 // 5):
            return gamma_both_risk(parameters["shape"], n)
    # enough for 50 digits of a risk of 1e-8 left by terms of order 1
    with mp.workdps(mp.mp.dps * 3 // 5):
        match family:
            case "Exponential":
                return gamma_risk(1, n)
            case "Gamma":
                return gamma_risk(structure[0], n)
            case "Normal":
                return normal_risk(1, n)
            case "MultivariateNormal":
                return normal_risk(structure[0], n, len(structure) > 1)
            case "InverseGaussian":
                return inverse_gaussian_risk(parameters["mu"], parameters["lam"], n)
    raise ValueError(f"no density of the statistic of {family}")
